#ifndef ANALYZER_TRAFFIC_WORDRUN_H_
#define ANALYZER_TRAFFIC_WORDRUN_H_

#include <stddef.h>
#include <stdint.h>

#include "base/limits.h"

/*
 * A text as words: runs between white space (ASCII's, U+00A0, U+2000 to
 * U+200A, U+3000), ASCII letters made small, each as a hash and a shape that
 * tells how much two words look alike.  Beyond LIMIT_TRAFFIC_WORDS the rest
 * of the text is one word more.  Bytes that are no UTF-8 are letters.
 */
#define WORDRUN_MAX (LIMIT_TRAFFIC_WORDS + 1)

struct wordrun {
	uint32_t n;
	uint64_t words;		/* of the whole text, up to the limit + 1 */
	uint32_t hash[WORDRUN_MAX];
	uint64_t shape[WORDRUN_MAX];
};

void wordrun_of(const char *p, size_t n, struct wordrun *ret);

/* wordrun_span: where ${many} words from the ${at}-th on stand. */
void wordrun_span(const char *p, size_t n, uint32_t at, uint32_t many,
    size_t *off, size_t *len);

/*
 * wordrun_alike: do the words share their first letter, differ in length by
 * two at most and by two letters at most, order apart?  Letters are counted
 * modulo 2 in 48 bins.
 */
int wordrun_alike(uint64_t a, uint64_t b);

#endif /* !ANALYZER_TRAFFIC_WORDRUN_H_ */
