#include <math.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "analyzer/diff/pass.h"
#include "analyzer/diff/pass_block.h"
#include "analyzer/diff/pass_digest.h"
#include "analyzer/diff/pool.h"
#include "analyzer/diff/tensor.h"
#include "base/err.h"

/*
 * The first pass over one pair of tensors, cut into tasks.
 *
 * Cuts depend on the number of elements alone and results are added in order
 * of the tasks, so that the same pair gives the same sums on any number of
 * threads.  A task walks its elements block by block (pass_block.c); what it
 * has walked over is digested while it is still in the second-level cache.
 * A piece of the digest belongs to the task in which it begins, though types
 * whose blocks are odd (K-quants) make it end in the next one.
 */

/*
 * Elements of a task, a multiple of PASS_BLOCK.  Most matrices are small, and
 * two threads shall share them; in large ones fewer results are kept.  One
 * task does not wake the pool: that costs as much as 64 Ki elements.
 */
#define CUT_SMALL (64 * 1024)
#define CUT_LARGE (1024 * 1024)
#define CUT_LARGE_FROM (8 * CUT_LARGE)

struct part {
	struct pass_sums s;
	struct pass_part_row head, tail;
	uint64_t digest_a, digest_b;	/* sums of pieces */
};

struct run {
	const struct delta *d;
	const struct pass_kernels *kernels;
	const struct pass_rows *rows;
	uint64_t cut;
	struct part *part;
};

/* --- which kernels ------------------------------------------------------ */

static _Atomic(const struct pass_kernels *) in_use;

const char *
pass_select(bool portable)
{
	const struct pass_kernels *k = portable ? NULL : pass_avx2();

	if (k == NULL)
		k = pass_portable();
	atomic_store(&in_use, k);
	return k->name;
}

static const struct pass_kernels *
kernels(void)
{
	if (atomic_load(&in_use) == NULL)
		(void)pass_select(false);
	return atomic_load(&in_use);
}

/* --- one task ----------------------------------------------------------- */

/* The pieces of one tensor that begin in a task. */
struct feed {
	const struct tensor *t;
	uint64_t piece;		/* the next */
	uint64_t sum;
};

static uint64_t
bytes_before(const struct tensor *t, uint64_t at)
{
	const struct elem_info *x = elem_info(t->elem);

	return at / x->block * x->bytes;
}

static struct feed
feed_begin(const struct tensor *t, uint64_t lo)
{
	uint64_t off = bytes_before(t, lo);

	return (struct feed){t, off / PASS_PIECE + (off % PASS_PIECE != 0),
	    0};
}

/* Digest pieces that begin below ${begin} and end by ${end}. */
static void
feed_to(struct feed *f, uint64_t begin, uint64_t end)
{
	uint64_t off = f->piece * PASS_PIECE, n;

	if (f->t->digested)
		return;
	for (; off < begin; off += n) {
		n = f->t->len - off;
		if (n > PASS_PIECE)
			n = PASS_PIECE;
		if (end < off || n > end - off)
			break;
		f->sum += pass_digest_piece(f->piece++, f->t->p + off, n);
	}
}

static void
task(void *ctx, size_t i, unsigned thread)
{
	struct run *r = ctx;
	const struct tensor *a = r->d->a, *b = r->d->b;
	struct part *part = &r->part[i];
	uint64_t lo = i * r->cut, hi = a->n - lo < r->cut ? a->n :
	    lo + r->cut, n;
	struct pass_range range = {.lo = lo, .hi = hi, .cols = b->cols,
	    .rows = r->rows};
	struct feed fa = feed_begin(a, lo), fb = feed_begin(b, lo);
	struct pass_block w;

	(void)thread;
	pass_block_init(&w, r->d, r->kernels);
	for (uint64_t at = lo; at < hi; at += n) {
		n = hi - at < PASS_BLOCK ? hi - at : PASS_BLOCK;
		pass_block_add(&w, at, (size_t)n, &part->s, &range);
		feed_to(&fa, a->len, bytes_before(a, at + n));
		feed_to(&fb, b->len, bytes_before(b, at + n));
	}
	feed_to(&fa, bytes_before(a, hi), a->len);
	feed_to(&fb, bytes_before(b, hi), b->len);
	part->head = range.head;
	part->tail = range.tail;
	part->digest_a = fa.sum;
	part->digest_b = fb.sum;
}

/* --- all of them -------------------------------------------------------- */

static void
add_sums(struct pass_sums *to, const struct pass_sums *s)
{
	to->a2 += s->a2;
	to->b2 += s->b2;
	to->ab += s->ab;
	to->d2 += s->d2;
	if (s->max_abs > to->max_abs)
		to->max_abs = s->max_abs;
	if (s->changed > 0) {
		if (to->changed == 0)
			to->first = s->first;
		to->last = s->last;
	}
	to->changed += s->changed;
	to->xor_or |= s->xor_or;
	to->nonfinite_a += s->nonfinite_a;
	to->nonfinite_b += s->nonfinite_b;
}

static void
add_to_row(const struct pass_rows *rows, uint64_t row,
    const struct pass_part_row *part, bool begins)
{
	if (rows->d2 != NULL)
		rows->d2[row] = (begins ? 0 : rows->d2[row]) + part->d2;
	if (rows->a2 != NULL)
		rows->a2[row] = (begins ? 0 : rows->a2[row]) + part->a2;
}

/*
 * What a task has of a row that it shares with others: a tail is always the
 * row's beginning, a head never is.
 */
static void
join_rows(const struct run *r, size_t ntasks)
{
	uint64_t cols = r->d->b->cols, n = r->d->b->n, lo, hi;

	for (size_t i = 0; i < ntasks; i++) {
		lo = i * r->cut;
		hi = n - lo < r->cut ? n : lo + r->cut;
		if (lo % cols != 0)
			add_to_row(r->rows, lo / cols, &r->part[i].head,
			    false);
		if (hi % cols != 0 && hi / cols * cols >= lo)
			add_to_row(r->rows, hi / cols, &r->part[i].tail,
			    true);
	}
}

static void
digests(const struct delta *d, const struct part *part, size_t ntasks,
    struct pass_sums *s)
{
	uint64_t sum_a = 0, sum_b = 0;

	for (size_t i = 0; i < ntasks; i++) {
		sum_a += part[i].digest_a;
		sum_b += part[i].digest_b;
	}
	s->digest_a = d->a->digested ? d->a->digest :
	    pass_digest_end(sum_a, d->a->len);
	s->digest_b = d->b->digested ? d->b->digest :
	    pass_digest_end(sum_b, d->b->len);
}

/* No element, no block: one row at most, of none. */
static void
no_elements(const struct delta *d, struct pass_sums *ret,
    const struct pass_rows *rows)
{
	static const struct pass_part_row none;

	*ret = (struct pass_sums){0};
	for (uint64_t i = 0; rows != NULL && i < d->b->rows; i++)
		add_to_row(rows, i, &none, true);
	digests(d, NULL, 0, ret);
}

int
pass_run(struct pool *pool, const struct delta *d, struct pass_sums *ret,
    const struct pass_rows *rows, struct err *e)
{
	uint64_t n = d->b->n, cut = n >= CUT_LARGE_FROM ? CUT_LARGE :
	    CUT_SMALL;
	size_t ntasks = (size_t)(n / cut + (n % cut != 0));
	struct part one = {0};
	struct run r = {d, kernels(), rows, cut, &one};
	struct pass_sums s = {.n = n};

	if (n == 0) {
		no_elements(d, ret, rows);
		return 0;
	}
	if (ntasks > 1 &&
	    (r.part = calloc(ntasks, sizeof(*r.part))) == NULL)
		return err_set(e, ERR_NOMEM, "out of memory");
	pool_run(pool, task, &r, ntasks);
	for (size_t i = 0; i < ntasks; i++)
		add_sums(&s, &r.part[i].s);
	digests(d, r.part, ntasks, &s);
	if (rows != NULL)
		join_rows(&r, ntasks);
	if (r.part != &one)
		free(r.part);
	*ret = s;
	return 0;
}

/* --- the digest alone --------------------------------------------------- */

struct digest_run {
	const uint8_t *p;
	uint64_t len;
	_Atomic uint64_t sum;	/* addition of integers: any order */
};

#define DIGEST_PIECES 16	/* 1 MiB a task */

static void
digest_task(void *ctx, size_t i, unsigned thread)
{
	struct digest_run *r = ctx;
	uint64_t piece = i * DIGEST_PIECES, off, sum = 0;

	(void)thread;
	for (unsigned k = 0; k < DIGEST_PIECES; k++, piece++) {
		off = piece * PASS_PIECE;
		if (off >= r->len)
			break;
		sum += pass_digest_piece(piece, r->p + off,
		    r->len - off < PASS_PIECE ? r->len - off : PASS_PIECE);
	}
	atomic_fetch_add(&r->sum, sum);
}

uint64_t
pass_digest(struct pool *pool, const uint8_t *p, uint64_t len)
{
	const uint64_t each = DIGEST_PIECES * (uint64_t)PASS_PIECE;
	struct digest_run r = {.p = p, .len = len};

	pool_run(pool, digest_task, &r,
	    (size_t)(len / each + (len % each != 0)));
	return pass_digest_end(r.sum, len);
}

/* --- derived ------------------------------------------------------------ */

double
pass_rel(const struct pass_sums *s)
{
	return s->a2 > 0 ? sqrt(s->d2 / s->a2) : 0;
}

double
pass_cosine(const struct pass_sums *s)
{
	return s->a2 > 0 && s->b2 > 0 ?
	    s->ab / (sqrt(s->a2) * sqrt(s->b2)) : 0;
}
