#ifndef ANALYZER_SRCDIGEST_H_
#define ANALYZER_SRCDIGEST_H_

#include <stdint.h>

struct bytesrc;
struct err;

/* srcdigest: the SHA-256 of a source, by the worker that examines it. */
int srcdigest(const struct bytesrc *src, uint8_t ret[32], struct err *e);

#endif /* !ANALYZER_SRCDIGEST_H_ */
