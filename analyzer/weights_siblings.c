#include <stdlib.h>
#include <string.h>

#include "analyzer/weights_lanes.h"
#include "analyzer/weights_precision.h"
#include "analyzer/weights_siblings.h"
#include "base/err.h"
#include "base/limits.h"

/*
 * When a payload fills half of a tensor, the tensor's own windows are no
 * measure any more: its siblings of the same type are.  A difference in
 * precision alone is a note: heads and adapters are trained in full precision
 * on a base that was cast up, every day.
 */
#define ODD 30.0			/* a tensor's median */
#define ODD_OTHERS 2.5
#define OTHERS_LEAST 0.8	/* of the weights, other than the tensor's */

struct weights_sibling {
	struct weights_tensor t;
	const struct weights_type *type;
	uint64_t n;
	unsigned precision;
	double odd[2];
	unsigned lanes;
};

void
weights_siblings_release(struct weights_siblings *s)
{
	free(s->v);
	*s = (struct weights_siblings){0};
}

int
weights_siblings_add(struct weights_siblings *s, const struct weights_at *at,
    const struct weights_lanes *l, const struct weights_precision *p,
    struct err *e)
{
	struct weights_sibling *v, *x;
	size_t cap;
	bool varied;
	int r;

	if (s->n == LIMIT_TENSORS)
		return 0;
	if (s->n == s->cap) {
		cap = s->cap == 0 ? 64 : 2 * s->cap;
		if ((v = reallocarray(s->v, cap, sizeof(*v))) == NULL)
			return err_set(e, ERR_NOMEM, "out of memory");
		s->v = v;
		s->cap = cap;
	}
	x = &s->v[s->n++];
	*x = (struct weights_sibling){.t = *at->t, .type = at->type,
	    .n = at->n, .lanes = l->lanes,
	    .precision = weights_precision_of(p)};
	for (unsigned k = 0; k < l->lanes; k++) {
		x->odd[k] = weights_spread_median(&l->odd[k]);
		if (x->odd[k] <= ODD)
			continue;
		/* Nor are a codebook's or a sine's, and that is fine. */
		if ((r = weights_lanes_varied(at, l->odd[k].index[0], k,
		    &varied, e)) < 0)
			return r;
		if (!varied)
			x->odd[k] = 0;
	}
	return 0;
}

static int
tell_lane(const struct weights_sibling *x, unsigned k, double others,
    int (*flag)(void *ctx, const struct weights_at *at,
    const struct weights_flag *f), void *ctx)
{
	struct weights_flag f = {.id = FINDING_WGT_LANE,
	    .severity = SEVERITY_MEDIUM, .confidence = CONFIDENCE_STRONG,
	    .test = "bytes of the tensor are not noise, its siblings' are",
	    .stream = k == 0 ? "lowest byte" : "second lowest byte",
	    .count = x->n};
	const struct weights_at at = {.t = &x->t, .type = x->type, .n = x->n};

	weights_statistic(&f, "median", x->odd[k], '>', ODD);
	weights_statistic(&f, "siblings", others, '>', OTHERS_LEAST);
	return flag(ctx, &at, &f);
}

static int
check_lane(const struct weights_siblings *s, size_t i, unsigned k,
    int (*flag)(void *ctx, const struct weights_at *at,
    const struct weights_flag *f), void *ctx)
{
	const struct weights_sibling *x = &s->v[i];
	double all = 0, noise = 0;

	if (k >= x->lanes || x->odd[k] <= ODD)
		return 0;
	for (size_t j = 0; j < s->n; j++) {
		const struct weights_sibling *y = &s->v[j];

		if (j == i || y->type->cls != x->type->cls)
			continue;
		all += (double)y->n;
		if (y->odd[k] < ODD_OTHERS)
			noise += (double)y->n;
	}
	if (all == 0 || noise < OTHERS_LEAST * all)
		return 0;
	return tell_lane(x, k, noise / all, flag, ctx);
}

static int
check_precision(const struct weights_siblings *s, size_t i, unsigned cls,
    int (*flag)(void *ctx, const struct weights_at *at,
    const struct weights_flag *f), void *ctx)
{
	struct weights_flag f = {.id = FINDING_WGT_PRECISION_ROWS,
	    .severity = SEVERITY_INFO, .confidence = CONFIDENCE_WEAK,
	    .test = "the tensor has more precision than its siblings"};
	const struct weights_sibling *x = &s->v[i];
	const struct weights_at at = {.t = &x->t, .type = x->type, .n = x->n};

	if (x->type->cls != WEIGHTS_F32 || x->precision <= cls)
		return 0;
	f.count = x->n;
	return flag(ctx, &at, &f);
}

/* The class that most float32 weights of the object have, if one has. */
static unsigned
common_precision(const struct weights_siblings *s)
{
	double all = 0, of[WEIGHTS_CLASSES + 1] = {0};

	for (size_t i = 0; i < s->n; i++) {
		if (s->v[i].type->cls != WEIGHTS_F32)
			continue;
		all += (double)s->v[i].n;
		of[s->v[i].precision] += (double)s->v[i].n;
	}
	for (unsigned k = 0; k < WEIGHTS_CLASSES; k++)
		if (all > 0 && of[k] >= OTHERS_LEAST * all)
			return k;
	return WEIGHTS_CLASSES;
}

int
weights_siblings_end(const struct weights_siblings *s,
    int (*flag)(void *ctx, const struct weights_at *at,
    const struct weights_flag *f), void *ctx)
{
	unsigned cls = common_precision(s);
	int r = 0;

	for (size_t i = 0; i < s->n && r >= 0; i++) {
		for (unsigned k = 0; k < 2 && r >= 0; k++)
			r = check_lane(s, i, k, flag, ctx);
		if (r >= 0 && cls < WEIGHTS_CLASSES)
			r = check_precision(s, i, cls, flag, ctx);
	}
	return r;
}
