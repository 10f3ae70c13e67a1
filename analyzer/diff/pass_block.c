#include <string.h>

#include "analyzer/diff/floatbits.h"
#include "analyzer/diff/pass_block.h"
#include "analyzer/diff/tensor.h"
#include "analyzer/diff/vec4.h"

#if defined(__x86_64__)
#include <xmmintrin.h>
#endif

/*
 * Below this sum of at most PASS_BLOCK squares, those that were lost because
 * they are less than 2^-126 may have made up 2^-24 of it: 4096 * 2^-126 /
 * 2^-90 = 2^-24, the precision of the sum itself.
 */
#define FLOOR 0x1p-90F

/* Flush to zero, denormals are zero: bits 15 and 6 of MXCSR. */
#define FLUSH 0x8040U

/*
 * A product of subnormals costs a hundred cycles where multiplication and
 * addition are not fused.  Around the kernels alone: conversions and casts
 * must be exact.  Kernels are called through pointers, so that no arithmetic
 * is moved across.
 */
static unsigned
flush_begin(void)
{
#if defined(__x86_64__)
	unsigned old = _mm_getcsr();

	_mm_setcsr(old | FLUSH);
	return old;
#else
	return 0;
#endif
}

static void
flush_end(unsigned old)
{
#if defined(__x86_64__)
	_mm_setcsr(old);
#else
	(void)old;
#endif
}

void
pass_block_init(struct pass_block *w, const struct delta *d,
    const struct pass_kernels *k)
{
	/* What the kernels read as it is stored. */
	static const struct {
		enum elem elem;
		enum pass_type type;
	} types[] = {{ELEM_F32, PASS_F32}, {ELEM_BF16, PASS_BF16},
	    {ELEM_F16, PASS_F16}};
	const struct elem_info *x = elem_info(d->a->elem);

	w->d = d;
	w->raw = d->a->elem == d->b->elem && d->cast == CAST_NONE &&
	    x->block == 1;
	w->direct = false;
	w->width = sizeof(float);
	w->kernel = &k->of[PASS_F32];
	for (unsigned i = 0; w->raw && i < PASS_TYPES; i++) {
		if (d->a->elem != types[i].elem)
			continue;
		w->direct = true;
		w->width = x->bytes;
		w->kernel = &k->of[types[i].type];
	}
}

/*
 * Values that are equal get equal bits: one zero, one NaN.  The kernels then
 * count what changed by bits here as well.
 */
static void
unify(float *v, size_t n)
{
	const vec4u nan = {0x7fc00000U, 0x7fc00000U, 0x7fc00000U,
	    0x7fc00000U};
	vec4 x = {0};

	for (size_t i = 0; i < n; i += 4) {
		size_t len = n - i < 4 ? n - i : 4;

		memcpy(&x, v + i, len * sizeof(*v));
		x += 0.0F;
		x = (vec4)vec4_pick(x == x, (vec4u)x, nan);
		memcpy(v + i, &x, len * sizeof(*v));
	}
}

void
pass_block_load(struct pass_block *w, uint64_t at, size_t n)
{
	delta_block(w->d, at, n, w->a, w->b, NULL, NULL);
	if (w->raw)
		return;
	unify(w->a, n);
	unify(w->b, n);
}

struct view {
	const uint8_t *a, *b;	/* what the kernel reads */
	uint64_t at;
	size_t n;
	bool loaded;		/* w->a and w->b hold the values */
};

static struct view
view(struct pass_block *w, uint64_t at, size_t n)
{
	if (w->direct)
		return (struct view){w->d->a->p + at * w->width,
		    w->d->b->p + at * w->width, at, n, false};
	pass_block_load(w, at, n);
	return (struct view){(const uint8_t *)w->a, (const uint8_t *)w->b, at,
	    n, true};
}

/* --- with care ---------------------------------------------------------- */

struct exact {
	double a2, b2, ab, d2, max_abs;
	uint64_t nonfinite_a, nonfinite_b;
};

static bool
is_finite(float v)
{
	return (floatbits_of(v) & 0x7f800000U) != 0x7f800000U;
}

static struct exact
with_care(struct pass_block *w, struct view *v, size_t from, size_t n)
{
	struct exact x = {0};

	if (!v->loaded) {
		pass_block_load(w, v->at, v->n);
		v->loaded = true;
	}
	for (size_t i = from; i < from + n; i++) {
		double a = (double)w->a[i], b = (double)w->b[i];
		bool ok_a = is_finite(w->a[i]), ok_b = is_finite(w->b[i]);
		double d = b > a ? b - a : a - b;

		x.nonfinite_a += !ok_a;
		x.nonfinite_b += !ok_b;
		x.a2 += ok_a ? a * a : 0;
		x.b2 += ok_b ? b * b : 0;
		if (!ok_a || !ok_b)
			continue;
		x.ab += a * b;
		x.d2 += d * d;
		x.max_abs = d > x.max_abs ? d : x.max_abs;
	}
	return x;
}

/* NaN is not less. */
static bool
is_sound(float sum)
{
	return sum >= FLOOR && is_finite(sum);
}

/* Nothing but +0: a sum of 0 is right. */
static bool
is_zero(const uint8_t *p, size_t n)
{
	uint64_t v = 0;
	size_t i = 0;

	for (; v == 0 && n - i >= sizeof(v); i += sizeof(v))
		memcpy(&v, p + i, sizeof(v));
	for (; v == 0 && i < n; i++)
		v = p[i];
	return v == 0;
}

/* --- what changed ------------------------------------------------------- */

static void
note_changed(struct pass_sums *s, uint64_t first, uint64_t last, uint64_t n)
{
	if (s->changed == 0)
		s->first = first;
	s->last = last;
	s->changed += n;
}

/* The block has a byte that differs: from which element to which. */
static void
find_changed(const struct pass_block *w, const struct view *v,
    const struct pass_part *part, struct pass_sums *s)
{
	size_t i = 0, k = v->n * w->width;
	uint64_t x = 0, y = 0;

	/* Where it matters: from the end, most of a block may be equal. */
	while (s->changed == 0 && v->a[i] == v->b[i])
		i++;
	for (; k >= 8 && x == y; k -= 8) {
		memcpy(&x, v->a + k - 8, 8);
		memcpy(&y, v->b + k - 8, 8);
	}
	k = x == y ? k : k + 8;
	while (v->a[k - 1] == v->b[k - 1])
		k--;
	note_changed(s, v->at + i / w->width, v->at + (k - 1) / w->width,
	    part->changed);
	s->xor_or |= w->direct ? part->xor_or : UINT64_MAX;
}

/* Types that are not read as they are stored, bit by bit. */
static void
find_raw(const struct pass_block *w, const struct view *v,
    struct pass_sums *s)
{
	const struct tensor *a = w->d->a, *b = w->d->b;
	size_t bytes = elem_info(a->elem)->bytes;
	uint64_t x;

	if (memcmp(a->p + v->at * bytes, b->p + v->at * bytes,
	    v->n * bytes) == 0)
		return;
	for (uint64_t i = v->at; i < v->at + v->n; i++) {
		x = elem_bits(a->elem, a->p, i) ^ elem_bits(b->elem, b->p, i);
		if (x == 0)
			continue;
		note_changed(s, i, i, 1);
		s->xor_or |= x;
	}
}

/* --- rows --------------------------------------------------------------- */

/* A row's elements from ${i} on, as far as the block has them. */
static void
add_row(struct pass_range *range, uint64_t i, double d2, double a2)
{
	uint64_t row = i / range->cols, begin = row * range->cols;
	const struct pass_rows *to = range->rows;
	struct pass_part_row *part = begin < range->lo ? &range->head :
	    range->hi - begin < range->cols ? &range->tail : NULL;

	if (part != NULL) {
		part->d2 += d2;
		part->a2 += a2;
		return;
	}
	if (to->d2 != NULL)
		to->d2[row] = (i == begin ? 0 : to->d2[row]) + d2;
	if (to->a2 != NULL)
		to->a2[row] = (i == begin ? 0 : to->a2[row]) + a2;
}

/* What of a block's sums cannot be 0, or near it, in truth. */
struct expect {
	bool a, b, d;
};

static void
add_rows(struct pass_block *w, struct view *v, struct expect expect,
    struct pass_range *range)
{
	size_t cols = range->cols < PASS_BLOCK ? (size_t)range->cols :
	    PASS_BLOCK;
	uint64_t left = range->cols - v->at % range->cols;
	size_t first_cols[2] = {left < cols ? (size_t)left : cols, cols};
	size_t len = first_cols[0];
	const struct pass_row *r = w->row;
	unsigned csr = flush_begin();
	struct exact x;

	w->kernel->rows(v->a, v->b, v->n, first_cols, w->row);
	flush_end(csr);
	for (size_t i = 0; i < v->n; i += len, len = cols, r++) {
		if (len > v->n - i)
			len = v->n - i;
		x.d2 = (double)r->d2;
		x.a2 = (double)r->a2;
		if ((expect.a && !is_sound(r->a2)) ||
		    (expect.d && !is_sound(r->d2)))
			x = with_care(w, v, i, len);
		add_row(range, v->at + i, x.d2, x.a2);
	}
}

/* --- one block ---------------------------------------------------------- */

static void
add_exact(struct pass_sums *s, const struct exact *x)
{
	s->a2 += x->a2;
	s->b2 += x->b2;
	s->ab += x->ab;
	s->d2 += x->d2;
	if (x->max_abs > s->max_abs)
		s->max_abs = x->max_abs;
	s->nonfinite_a += x->nonfinite_a;
	s->nonfinite_b += x->nonfinite_b;
}

void
pass_block_add(struct pass_block *w, uint64_t at, size_t n,
    struct pass_sums *s, struct pass_range *range)
{
	struct view v = view(w, at, n);
	unsigned csr = flush_begin();
	struct pass_part part;
	struct expect expect;
	struct exact x = {0};

	w->kernel->sums(v.a, v.b, n, &part);
	flush_end(csr);
	expect = (struct expect){
	    part.a2 != 0.0F || !is_zero(v.a, n * w->width),
	    part.b2 != 0.0F || !is_zero(v.b, n * w->width),
	    part.changed > 0};
	if ((expect.a && !is_sound(part.a2)) ||
	    (expect.b && !is_sound(part.b2)) ||
	    (expect.d && !is_sound(part.d2)) || !is_finite(part.ab))
		x = with_care(w, &v, 0, n);
	else
		x = (struct exact){(double)part.a2, (double)part.b2,
		    (double)part.ab, (double)part.d2, (double)part.max_abs,
		    0, 0};
	add_exact(s, &x);
	if (w->raw && !w->direct)
		find_raw(w, &v, s);
	else if (part.changed > 0)
		find_changed(w, &v, &part, s);
	if (range->rows != NULL)
		add_rows(w, &v, expect, range);
}
