#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "analyzer/diff/delta.h"
#include "analyzer/diff/rowdelta.h"
#include "analyzer/diff/rowspace.h"
#include "analyzer/diff/tensor.h"
#include "analyzer/diff/tokenrows.h"
#include "base/err.h"
#include "formats/tokenizer.h"

/*
 * Method (diff specification, section 6).  Distances of all rows, in double,
 * each against the older row of the same token, after A was cast to B's type;
 * then rowtest.h.  What is tied is ranked again by what is left without the
 * common directions.  The rows to be listed are read once more for details.
 *
 * Rows within TIE of each other are put in order of |D_i . v1|, v1 the first
 * right singular vector.  The specification takes it from all rows that
 * speak; here from the strongest LEADING, which carry it.
 */
#define TIE 0.9
#define LEADING 1024

/*
 * Rewritten: most of its values changed, by more than the lowest bits can
 * hold, which may be a payload's (8 of single precision, 3 of 16-bit types).
 */
#define REWRITTEN_SHARE 4
#define BLOCKS_REL 0.1

struct room {
	double *delta;
	uint8_t *mute, *kind;
	float *score;
	uint32_t *ids;
	struct rowtest_row *sorted;
};

static int
room_init(struct room *m, size_t n, struct err *e)
{
	memset(m, 0, sizeof(*m));
	m->delta = calloc(n, sizeof(*m->delta));
	m->mute = calloc(n, 1);
	m->kind = calloc(n, 1);
	m->score = calloc(n, sizeof(*m->score));
	m->ids = calloc(n, sizeof(*m->ids));
	m->sorted = calloc(n, sizeof(*m->sorted));
	if (m->delta == NULL || m->mute == NULL || m->kind == NULL ||
	    m->score == NULL || m->ids == NULL || m->sorted == NULL)
		return err_set(e, ERR_NOMEM, "out of memory");
	return 0;
}

static void
room_release(struct room *m)
{
	free(m->delta);
	free(m->mute);
	free(m->kind);
	free(m->score);
	free(m->ids);
	free(m->sorted);
}

/*
 * Added tokens came after the order was made, and a hole is nobody's: both
 * are as unused ones.  What stands for all unknown words is in every text.
 */
static enum rowtest_kind
kind_of(const struct token *t)
{
	static const enum rowtest_kind of[TOKEN_KINDS] = {
	    [TOKEN_NORMAL] = ROWTEST_ORDINARY,
	    [TOKEN_CONTROL] = ROWTEST_CONTROL,
	    [TOKEN_BYTE] = ROWTEST_BYTE,
	    [TOKEN_UNUSED] = ROWTEST_UNUSED,
	    [TOKEN_ADDED] = ROWTEST_UNUSED,
	    [TOKEN_UNKNOWN] = ROWTEST_CONTROL,
	};

	return t->p != NULL && t->kind < TOKEN_KINDS ? of[t->kind]
	    : ROWTEST_UNUSED;
}

static uint64_t
mute(struct tokenrows *t, struct room *m, size_t n)
{
	static const enum rowtest_order orders[] = {
	    [VOCAB_UNORDERED] = ROWTEST_ORDER_UNKNOWN,
	    [VOCAB_BY_FREQUENCY] = ROWTEST_ORDER_ID,
	    [VOCAB_BY_SCORE] = ROWTEST_ORDER_SCORE,
	};
	const struct vocab *vocab = t->opt.vocab;
	struct rowtest_voice v = {.order = ROWTEST_ORDER_UNKNOWN};

	if (vocab != NULL) {
		v.order = orders[vocab->order];
		v.kind = m->kind;
		v.score = m->score;
		v.n = vocab->n < n ? (size_t)vocab->n : n;
	}
	for (size_t i = 0; i < v.n; i++) {
		m->kind[i] = (uint8_t)kind_of(&vocab->v[i]);
		m->score[i] = vocab->v[i].flags & TOKEN_SCORED
		    ? vocab->v[i].score : -HUGE_VALF;
	}
	t->order = v.order;
	return rowtest_mute(&v, n, m->mute, m->ids);
}

/* The largest change that the lowest bits of B's type can make of a row. */
static double
lowest_bits(const struct tensor *b)
{
	int bits = (int)elem_info(b->elem)->mantissa;

	if (bits == 0)
		return BLOCKS_REL;
	return bits >= 23 ? ldexp(1, 8 - bits) : ldexp(1, 3 - bits);
}

static void
detail(const struct rowdelta *r, const struct rowspace *s, float *x,
    struct tokenrows_row *row)
{
	struct rowdelta_note note;
	double along;

	(void)rowdelta_load(r, row->id, x, x + r->cols, &note);
	row->changed = note.changed;
	row->rel = note.a2 > 0 ? sqrt(note.d2 / note.a2) : HUGE_VAL;
	row->rewritten = note.changed >= 2 &&
	    note.changed >= r->cols / REWRITTEN_SHARE &&
	    row->rel > lowest_bits(r->d->b);
	if (s == NULL)
		return;
	rowspace_along(s, x, 1, &along);
	row->along = fabs(along);
}

static void
swap(struct tokenrows_row *a, struct tokenrows_row *b)
{
	struct tokenrows_row tmp = *a;

	*a = *b;
	*b = tmp;
}

/* Runs that are within TIE of their first, each by ${along}. */
static void
order_ties(struct tokenrows *t)
{
	unsigned lo, hi, i, k;

	for (lo = 0; lo < t->ntop; lo = hi) {
		for (hi = lo + 1; hi < t->ntop && isfinite(t->top[lo].delta) &&
		    t->top[hi].delta >= TIE * t->top[lo].delta; hi++)
			;
		for (i = lo + 1; i < hi; i++)
			for (k = i; k > lo &&
			    t->top[k].along > t->top[k - 1].along; k--)
				swap(&t->top[k], &t->top[k - 1]);
	}
}

/* Copies the list of the test; where ties matter, in their order. */
static int
list_by_delta(struct pool *pool, const struct rowdelta *r, struct tokenrows *t,
    struct room *m, struct err *e)
{
	struct rowspace_of of = {.r = r, .ids = m->ids};
	struct rowspace *s = NULL;
	bool ties = t->test.level != ROWTEST_ISOLATED && t->test.L > 1;
	uint64_t wild = 0;
	float *x = calloc(5 * (size_t)r->cols, sizeof(*x));
	int ret = 0;

	if (x == NULL)
		return err_set(e, ERR_NOMEM, "out of memory");
	while (wild < t->test.ntop && isinf(t->test.top[wild].delta))
		wild++;
	for (uint64_t i = wild; ties && i < wild + t->test.L &&
	    of.n < LEADING; i++)
		m->ids[of.n++] = (uint32_t)m->sorted[i].row;
	of.scale = ties && wild < t->test.ntop ? t->test.top[wild].delta : 0;
	if (ties && (ret = rowspace_find(pool, &of, &s, e)) < 0)
		goto out;
	t->ntop = t->test.ntop;
	for (unsigned i = 0; i < t->ntop; i++) {
		t->top[i] = (struct tokenrows_row){
		    .id = t->test.top[i].row, .delta = t->test.top[i].delta};
		detail(r, s, x, &t->top[i]);
	}
	if (ties)
		order_ties(t);
out:
	rowspace_free(s);
	free(x);
	return ret;
}

/* The list of what is tied: by the rest, and no level above none. */
static int
list_by_rest(struct pool *pool, const struct rowdelta *r, struct tokenrows *t,
    struct room *m, struct err *e)
{
	size_t n = (size_t)r->rows;
	double *rest = calloc(n, sizeof(*rest));
	double *level = calloc(n, sizeof(*level));
	float *x = calloc(5 * (size_t)r->cols, sizeof(*x));
	struct rowtest_in in = {level, n, m->mute, t->test.muted, m->sorted};
	struct rowtest by;
	int ret = ERR_NOMEM;

	if (rest == NULL || level == NULL || x == NULL) {
		(void)err_set(e, ERR_NOMEM, "out of memory");
		goto out;
	}
	if ((ret = tied_rest(pool, r, rest, &t->removed, e)) < 0)
		goto out;
	if (t->order == ROWTEST_ORDER_ID)
		tied_level(rest, n, level);
	else
		memcpy(level, rest, n * sizeof(*level));
	rowtest_run(&in, &by);
	t->list = TOKENROWS_BY_REST;
	t->test.level = ROWTEST_NONE;
	t->ntop = by.ntop;
	for (unsigned i = 0; i < by.ntop; i++) {
		t->top[i] = (struct tokenrows_row){.id = by.top[i].row,
		    .rest = rest[by.top[i].row],
		    .stands = by.top[i].delta,
		    .delta = m->delta[by.top[i].row]};
		detail(r, NULL, x, &t->top[i]);
	}
out:
	free(rest);
	free(level);
	free(x);
	return ret;
}

/*
 * A few rows in which only a few values, or only their lowest bits, changed:
 * a patch or a payload, and other parts have names for these.
 */
static void
drop_touched(struct tokenrows *t)
{
	for (unsigned i = 0; i < t->ntop; i++)
		if (t->top[i].rewritten)
			return;
	t->test.level = ROWTEST_NONE;
	t->patched = true;
}

static uint64_t
count_fresh(const struct rowdelta *r)
{
	uint64_t c = 0;

	for (uint64_t i = 0; i < r->rows; i++)
		c += rowdelta_old(r, i) == ROWDELTA_NONE;
	return c;
}

int
tokenrows_find(struct pool *pool, const struct delta *d,
    const struct tokenrows_opt *opt, struct tokenrows *ret, struct err *e)
{
	struct tokenrows t = {.d = d, .opt = *opt};
	bool tied = opt->tied != TIED_NO || opt->head;
	struct rowtest_in in = {.n = (size_t)d->b->rows};
	struct rowdelta r;
	struct room m;
	int rc = 0;

	t.usable = rowdelta_init(&r, d, opt->map, opt->nmap);
	if (!t.usable) {
		*ret = t;
		return 0;
	}
	if ((rc = room_init(&m, in.n, e)) < 0 ||
	    (rc = rowdelta_norms(pool, &r, m.delta, e)) < 0)
		goto out;
	t.fresh = count_fresh(&r);
	in.muted = mute(&t, &m, in.n);
	in.delta = m.delta;
	in.mute = m.mute;
	in.room = m.sorted;
	rowtest_run(&in, &t.test);
	t.below = t.test.moved == 0 && opt->map == NULL &&
	    opt->changed != UINT64_MAX && opt->changed > 0;
	if (t.test.level == ROWTEST_ISOLATED || !tied)
		rc = list_by_delta(pool, &r, &t, &m, e);
	else if (t.test.level != ROWTEST_UNTOUCHED)
		rc = list_by_rest(pool, &r, &t, &m, e);
	if (rc == 0 && t.test.level == ROWTEST_ISOLATED)
		drop_touched(&t);
	if (rc == 0)
		*ret = t;
out:
	room_release(&m);
	return rc;
}
