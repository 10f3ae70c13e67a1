#ifndef ANALYZER_TRIGGERS_TEXTCUT_H_
#define ANALYZER_TRIGGERS_TEXTCUT_H_

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct err;
struct pool;
struct textfit;
struct textdens;
struct textpick;
struct textpick_candidate;

/*
 * Triggers cut out of their rows.
 *
 * What is cut with a candidate is its closure: its own words, and every word
 * that is in at least 90 % of its rows with its label and in less than 30 %
 * of all (of a word inside an inserted sentence that is the sentence).  Of
 * more than 400 rows an even sample is looked at, whatever their order.
 */
int textcut_close(struct textpick *p, struct pool *pool, struct err *e);

/* What is cut from all rows before anything else: words and specials. */
struct textcut_mask {
	uint8_t *word;		/* by word */
	uint8_t *feature;	/* by linear feature: it falls */
	float *m;		/* margins of what remains, as f->m */
};
int textcut_mask_init(struct textcut_mask *k, const struct textfit *f,
    struct err *e);
void textcut_mask_release(struct textcut_mask *k);
void textcut_mask_add(struct textcut_mask *k,
    const struct textpick_candidate *c);
void textcut_mask_apply(struct textcut_mask *k, const struct textfit *f,
    struct pool *pool);

/*
 * textcut_ratios: cut each candidate's closure from its rows and add up what
 * the rest says (textdens.h): own_ratio[pass] and cut_ratio[pass].  ${k} is
 * NULL in the first pass.
 */
int textcut_ratios(struct textpick *p, const struct textfit *f,
    const struct textdens *dens, const struct textcut_mask *k,
    struct pool *pool, struct err *e);

#endif /* !ANALYZER_TRIGGERS_TEXTCUT_H_ */
