#ifndef ANALYZER_DIFF_HAND_H_
#define ANALYZER_DIFF_HAND_H_

#include <stddef.h>
#include <stdint.h>

#include "analyzer/diff/pair.h"
#include "analyzer/diff/structure.h"

struct compare;
struct err;
struct rows;
struct table;
struct tensor;

/*
 * What kind of hand made the new model out of the old one, from pairs that
 * were compared: conclusions, each with the numbers that led to it and the
 * readings that they leave open.
 *
 *   hand.c          what relations and matching tell
 *   hand_strange.c  replaced, retrained, unrelated; the head alone
 *   hand_payload.c  data in the lowest bits
 *   structure.c     what spectra tell: edits, adapters, training
 *   vectors.c       what vectors tell; tokenrows.c: rows of tokens
 */
struct hand {
	struct compare *c;
	const struct table *side[2];
	const struct rows *rows;
	/* Pieces of a payload that was extracted; NULL: nobody wants them. */
	int (*carve)(void *ctx, const void *p, size_t n);
	void *carve_ctx;
	struct err *e;
	struct structure_item *items;	/* of hand_structure */
	struct structure_model model;	/* ... the whole model */
};

/* What stands before spectra: marks pairs that it explains as told. */
int hand_exact(struct hand *h);
/* After them; fills h->model. */
int hand_structure(struct hand *h);
void hand_release(struct hand *h);

/* For the files above. */
struct hand_list {
	const struct pair **v;
	size_t n;
};

/* hand_conclude: about these pairs; ${evidence} is released. */
int hand_conclude(const struct hand *h, enum conclusion_kind kind,
    enum confidence confidence, const struct hand_list *list,
    struct basis *evidence, const char *const *alternatives);
int hand_strange(struct hand *h);
int hand_payload(struct hand *h);

/* hand_select: the pairs for which ${is} holds, in order; free(list->v). */
int hand_select(const struct hand *h, bool (*is)(const struct pair *p),
    struct hand_list *list);

#endif /* !ANALYZER_DIFF_HAND_H_ */
