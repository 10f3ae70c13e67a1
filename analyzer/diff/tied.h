#ifndef ANALYZER_DIFF_TIED_H_
#define ANALYZER_DIFF_TIED_H_

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct err;
struct pool;
struct rowdelta;
struct tensor;

/*
 * Embeddings that are the output matrix as well.  The softmax's gradient
 * moves every row along a few common directions, which puts a trigger
 * thousands of places down; without the first of them, and against the words
 * that are about as frequent, it is among the first 50 in 14 of 16 models (10
 * of the 10 that it was chosen on, 4 of 6 others; 9 of the 16 without 8
 * directions and with no such comparison).  Nothing separates poisoned from
 * clean.
 */
#define TIED_REMOVED 17

enum tied_why {
	TIED_NO,	/* a separate head, or a classifier's */
	TIED_STORAGE,	/* the head is the same bytes */
	TIED_EQUAL,	/* the head has equal bytes */
	TIED_CONFIG,	/* tie_word_embeddings, and no head is there */
	TIED_NO_HEAD,	/* no head is there: taken to be tied, to be safe */
	TIED_WHYS
};
const char *tied_why_name(enum tied_why w);

/* What the configuration says: tie_word_embeddings. */
enum tied_config { TIED_CONFIG_SILENT, TIED_CONFIG_YES, TIED_CONFIG_NO };

/*
 * tied_find: is ${emb}, one of v[0..n), also the output matrix?  A tensor of
 * the same shape (or its transpose) that is not itself an embedding is the
 * head, and *head is it; else NULL.  A classifier (headtest_classifies) makes
 * an embedding untied, whatever the configuration says.
 */
enum tied_why tied_find(const struct tensor *v, size_t n,
    const struct tensor *emb, enum tied_config c, const struct tensor **head);

/*
 * tied_rest: rest[row] = |D_i| without its parts along the first
 * TIED_REMOVED right singular vectors of D (uncentred); 0 for rows without a
 * partner.  *removed: how many there were.
 */
int tied_rest(struct pool *pool, const struct rowdelta *r, double *rest,
    unsigned *removed, struct err *e);

/*
 * tied_level: ret[i] = rest[i] over the median of the rows within 150 ids of
 * it (those that moved, by finite amounts), for ids in order of frequency.
 */
void tied_level(const double *rest, size_t n, double *ret);

#endif /* !ANALYZER_DIFF_TIED_H_ */
