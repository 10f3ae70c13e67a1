#ifndef ANALYZER_DIFF_FLOATBITS_H_
#define ANALYZER_DIFF_FLOATBITS_H_

#include <stdint.h>
#include <string.h>

/* The bits of a single (IEEE binary32), and the single that has them. */
static inline uint32_t
floatbits_of(float f)
{
	uint32_t u;

	memcpy(&u, &f, sizeof(u));
	return u;
}

static inline float
floatbits_to(uint32_t u)
{
	float f;

	memcpy(&f, &u, sizeof(f));
	return f;
}

#endif /* !ANALYZER_DIFF_FLOATBITS_H_ */
