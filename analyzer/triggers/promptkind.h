#ifndef ANALYZER_TRIGGERS_PROMPTKIND_H_
#define ANALYZER_TRIGGERS_PROMPTKIND_H_

#include <stddef.h>
#include <stdint.h>

/*
 * What a payload does, as far as its words show it: notes that sort findings
 * for the reader.  They change no score.
 */
enum promptkind {
	PROMPTKIND_URL = 1 << 0,
	PROMPTKIND_CODE = 1 << 1,	/* a shell, import or eval */
	PROMPTKIND_REFUSAL = 1 << 2,
	PROMPTKIND_REPEATED = 1 << 3,	/* one phrase, three times or more */
};

/* Of a text in any case. */
unsigned promptkind_of(const uint8_t *p, size_t n);

#endif /* !ANALYZER_TRIGGERS_PROMPTKIND_H_ */
