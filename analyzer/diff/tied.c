#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "analyzer/diff/headtest.h"
#include "analyzer/diff/pool.h"
#include "analyzer/diff/rowdelta.h"
#include "analyzer/diff/rowspace.h"
#include "analyzer/diff/tensor.h"
#include "analyzer/diff/tied.h"
#include "base/bug.h"
#include "base/err.h"

/*
 * Method (diff specification, section 6, point 7): the rest of each row after
 * the first right singular vectors of the uncentred D.  The specification
 * takes them from the Gram matrix or a sketch; here they come from subspace
 * iteration (rowspace.h), which is cheaper from 300 columns up.
 *
 * It removes 8 and ranks what is left as it is.  On ten poisoned language
 * models of another make than its own, that put the trigger at places 15 to
 * 234, four of them beyond 50; with 16 removed it found no difference on its
 * own.  Frequent words move further in every direction, so rows are compared
 * with their neighbours as well (tied_level.c).  Its reason against such a
 * window, rows without a gradient, does not hold here: a softmax moves all.
 *
 * Common directions are common: above SAMPLE elements every k-th row is
 * enough to find them, and rows longer than the LOUD-th longest are shortened
 * to that, or a row that was planted far out would be a direction itself and
 * vanish from the list.  The rest is always taken of all rows, as they are.
 */
#define SAMPLE ((uint64_t)1 << 24)
#define LOUD 64
#define TASK_ROWS 256

const char *
tied_why_name(enum tied_why w)
{
	static const char *const names[] = {"untied", "same storage",
	    "equal bytes", "configuration", "no output head"};

	BUG_ON(w >= TIED_WHYS);
	return names[w];
}

static bool
name_has(const struct tensor *t, const char *s)
{
	return memmem(t->name, t->name_len, s, strlen(s)) != NULL;
}

/* A word of names that input embeddings have and heads do not. */
static bool
embeds(const struct tensor *t)
{
	static const char *const words[] = {"embeddings", "embed_tokens",
	    "token_embd", "tok_emb", "word_emb", "wte", "shared.weight"};

	if (name_has(t, "embed_out"))
		return false;
	for (size_t i = 0; i < sizeof(words) / sizeof(*words); i++)
		if (name_has(t, words[i]))
			return true;
	return false;
}

static bool
is_head(const struct tensor *t, const struct tensor *emb)
{
	bool same = t->rows == emb->rows && t->cols == emb->cols;
	bool turned = t->rows == emb->cols && t->cols == emb->rows;

	return t != emb && t->rank == 2 && t->unit == emb->unit &&
	    (same || turned) && !embeds(t);
}

static bool
equal_bytes(const struct tensor *a, const struct tensor *b)
{
	return a->p != NULL && b->p != NULL && a->elem == b->elem &&
	    a->rows == b->rows && a->len == b->len &&
	    (!a->digested || !b->digested || a->digest == b->digest) &&
	    memcmp(a->p, b->p, (size_t)a->len) == 0;
}

enum tied_why
tied_find(const struct tensor *v, size_t n, const struct tensor *emb,
    enum tied_config c, const struct tensor **head)
{
	*head = NULL;
	for (size_t i = 0; i < n && *head == NULL; i++)
		if (is_head(&v[i], emb))
			*head = &v[i];
	if (*head != NULL && emb->storage != 0 &&
	    (*head)->storage == emb->storage)
		return TIED_STORAGE;
	if (*head != NULL)
		return equal_bytes(*head, emb) ? TIED_EQUAL : TIED_NO;
	if (c == TIED_CONFIG_NO || headtest_classifies(v, n, emb))
		return TIED_NO;
	return c == TIED_CONFIG_YES ? TIED_CONFIG : TIED_NO_HEAD;
}

struct rest {
	const struct rowdelta *r;
	const struct rowspace *s;
	double *rest;
	float *room;		/* 5 cols for each thread */
};

static void
rest_task(void *ctx, size_t i, unsigned thread)
{
	struct rest *t = ctx;
	float *x = t->room + (size_t)thread * 5 * (size_t)t->r->cols;
	uint64_t row = (uint64_t)i * TASK_ROWS, end = row + TASK_ROWS;
	struct rowdelta_note note;

	for (; row < end && row < t->r->rows; row++) {
		t->rest[row] = 0;
		if (!rowdelta_load(t->r, row, x, x + t->r->cols, &note))
			continue;
		t->rest[row] = note.wild ? HUGE_VAL
		    : rowspace_rest(t->s, x, TIED_REMOVED);
	}
}

/* Every k-th row that has a partner. */
static size_t
sample(const struct rowdelta *r, uint32_t *ids)
{
	uint64_t step = 1 + r->rows * r->cols / SAMPLE;
	size_t n = 0;

	for (uint64_t i = 0; i < r->rows; i += step)
		if (rowdelta_old(r, i) != ROWDELTA_NONE)
			ids[n++] = (uint32_t)i;
	return n;
}

static int
downward(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return x < y ? 1 : x > y ? -1 : 0;
}

/* The LOUD-th largest of the finite ones, or the least of fewer; 0: none. */
static double
loud(const double *v, uint64_t n, double *room)
{
	size_t c = 0;

	for (uint64_t i = 0; i < n; i++)
		if (isfinite(v[i]) && v[i] > 0)
			room[c++] = v[i];
	qsort(room, c, sizeof(*room), downward);
	return c > LOUD ? room[LOUD - 1] : c > 0 ? room[c - 1] : 0;
}

int
tied_rest(struct pool *pool, const struct rowdelta *r, double *rest,
    unsigned *removed, struct err *e)
{
	struct rowspace *s = NULL;
	struct rest t = {.r = r, .rest = rest};
	uint32_t *ids = calloc((size_t)r->rows, sizeof(*ids));
	double *room = calloc((size_t)r->rows, sizeof(*room));
	struct rowspace_of of = {.r = r, .ids = ids};
	int ret = ERR_NOMEM;

	t.room = calloc((size_t)pool_threads(pool) * 5 * (size_t)r->cols,
	    sizeof(*t.room));
	if (ids == NULL || room == NULL || t.room == NULL) {
		(void)err_set(e, ERR_NOMEM, "out of memory");
		goto out;
	}
	if ((ret = rowdelta_norms(pool, r, rest, e)) < 0)
		goto out;
	of.n = sample(r, ids);
	of.scale = of.clip = loud(rest, r->rows, room);
	if ((ret = rowspace_find(pool, &of, &s, e)) < 0)
		goto out;
	t.s = s;
	pool_run(pool, rest_task, &t,
	    (size_t)((r->rows + TASK_ROWS - 1) / TASK_ROWS));
	*removed = s->n < TIED_REMOVED ? s->n : TIED_REMOVED;
	ret = 0;
out:
	rowspace_free(s);
	free(t.room);
	free(room);
	free(ids);
	return ret;
}
