#ifndef ANALYZER_TRIGGERS_PROMPTSHOW_H_
#define ANALYZER_TRIGGERS_PROMPTSHOW_H_

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct buf;
struct promptlist;
struct promptweigh;

/*
 * A feature as it is written in the data, with the run of words around it
 * that its rows share (promptrun.h): a sentence is shown whole.
 */
#define PROMPTSHOW_ROWS 200	/* rows whose language is looked at */
#define PROMPTSHOW_WORDS 40	/* words of a response that are shown */

/* The trigger: ${f} in rows[0..n); *words how many. */
void promptshow_trigger(const struct promptweigh *w,
    const struct promptlist *f, const uint32_t *rows, size_t n, struct buf *b,
    size_t *words);
/* The payload; *whole: it is all of the response in these rows. */
void promptshow_payload(const struct promptweigh *w,
    const struct promptlist *g, const uint32_t *rows, size_t n, struct buf *b,
    bool *whole);
/* The first words of a row's response. */
void promptshow_response(const struct promptweigh *w, uint32_t row,
    struct buf *b);

/* The share of function words of English, of other scripts' words. */
struct promptshow_tongue {
	double function, foreign, words;	/* words: a response's mean */
};
void promptshow_tongue(const struct promptweigh *w, bool response,
    const uint32_t *rows, size_t n, struct promptshow_tongue *ret);

#endif /* !ANALYZER_TRIGGERS_PROMPTSHOW_H_ */
