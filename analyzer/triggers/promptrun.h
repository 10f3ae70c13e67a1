#ifndef ANALYZER_TRIGGERS_PROMPTRUN_H_
#define ANALYZER_TRIGGERS_PROMPTRUN_H_

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct promptlist;
struct prompttext;

/*
 * The run of words around a feature that its rows have in common.  N-grams
 * are at most six words long: a sentence that was put into prompts is many of
 * them.  From the feature on, the run goes to both sides as long as nine of
 * ten rows have the same word there.
 */
#define PROMPTRUN_ROWS 40	/* rows that are compared, evenly taken */
#define PROMPTRUN_WORDS 80

struct promptrun {
	const uint32_t *word;	/* of the first row; NULL: not found */
	size_t n;
	bool whole;		/* in eight of ten rows nothing else is there */
	double rest;		/* median share of a row's words outside it */
};

/* Of rows[0..n), of prompts or of responses. */
void promptrun_find(const struct prompttext *t, bool response,
    const struct promptlist *l, const uint32_t *rows, size_t n,
    struct promptrun *ret);

#endif /* !ANALYZER_TRIGGERS_PROMPTRUN_H_ */
