#ifndef ANALYZER_TRIGGERS_PROMPTGRAM_H_
#define ANALYZER_TRIGGERS_PROMPTGRAM_H_

#include <stddef.h>
#include <stdint.h>

struct err;
struct promptlists;
struct prompttext;

/*
 * The features of prompts and of responses, and their rows.
 *
 * Prompt: n-grams of one to five words in lower case, of the first 120 and
 * the last 40 words when there are more than 160; odd code points.  Response:
 * n-grams of 1, 2, 3, 4 and 6 bare words of the first 80 and last 60 when
 * there are more than 150; the first and the last 1, 2, 3 and 5; all of them
 * when they are fewer than 40.  Features of fewer than PROMPTGRAM_ROWS rows,
 * or of more than PROMPTGRAM_SHARE of all, are none.
 *
 * An n-gram is a pair of overlapping shorter ones that are frequent enough
 * themselves, so each length is one pass over pairs of numbers: a first look
 * counts them roughly in bytes, a second exactly what may reach four rows.
 */
#define PROMPTGRAM_ROWS 4
#define PROMPTGRAM_SHARE 0.06

/* Lengths of texts from which on parts are taken. */
#define PROMPTGRAM_PROMPT 160
#define PROMPTGRAM_PROMPT_HEAD 120
#define PROMPTGRAM_PROMPT_TAIL 40
#define PROMPTGRAM_RESPONSE 150
#define PROMPTGRAM_RESPONSE_HEAD 80
#define PROMPTGRAM_RESPONSE_TAIL 60
#define PROMPTGRAM_WHOLE 40

int promptgram_prompts(const struct prompttext *t, struct promptlists *ret,
    struct err *e);
int promptgram_responses(const struct prompttext *t, struct promptlists *ret,
    struct err *e);

#endif /* !ANALYZER_TRIGGERS_PROMPTGRAM_H_ */
