#include <math.h>
#include <string.h>

#include "analyzer/diff/basis.h"
#include "analyzer/diff/hidden_bits.h"
#include "analyzer/diff/hidden_parts.h"
#include "analyzer/diff/pass.h"
#include "analyzer/diff/relation_parts.h"
#include "base/err.h"
#include "custody/digest.h"

/*
 * The kinds, in the order in which they are asked for: signs of zeros, one
 * mask over a span, the lowest bits, a lattice.
 *
 *   hidden_bits.c     were low bits written, or did arithmetic change them?
 *   hidden_sense.c    which way of reading them makes sense
 *   hidden_read.c     bits to bytes
 *   hidden_lattice.c  spread spectrum
 */
#define MASK_LEAST 32
#define MASK_DENSE 0.99
#define DENSE 0.25		/* of the span, to be called a payload */
#define JOIN 64			/* bits that may have agreed at an edge */

static const char *const names[] = {"none", "payload", "marks", "xor-mask",
    "signs-of-zeros", "lattice"};

const char *
hidden_name(enum hidden_kind k)
{
	return names[k];
}

/* What changed, in B's own bits, after the cast. */
static int
changes(struct pool *pool, const struct delta *d, const struct pass_sums *s,
    struct relation_changes *c, struct err *e)
{
	*c = (struct relation_changes){.changed = s->changed,
	    .first = s->first, .last = s->last, .xor_or = s->xor_or};
	if (d->cast == CAST_NONE && d->a->elem == d->b->elem)
		return 0;
	return relation_count(pool, d, c, e);
}

static void
measure(struct hidden *h, const struct relation_changes *c, unsigned k,
    unsigned bits)
{
	double span = (double)(c->last - c->first + 1);

	h->k = k;
	h->changed = c->changed;
	h->span_first = c->first;
	h->span_last = c->last;
	h->density = (double)c->changed / span;
	h->expected = 1 - ldexp(1, -(int)bits);
	h->z = (h->density - h->expected) * sqrt(span) /
	    sqrt(h->expected * (1 - h->expected));
}

static uint64_t
zeros(const struct tensor *t, uint64_t from, uint64_t stop, uint64_t *at)
{
	unsigned w = 8 * elem_info(t->elem)->bytes;
	uint64_t n = 0, i;

	for (i = from; i < t->n && n < stop; i++)
		n += (elem_bits(t->elem, t->p, i) << (65 - w)) == 0;
	*at = i;
	return n;
}

/*
 * Signs of zeros: a mask that is multiplied leaves -0 by nature, so they are
 * believed only where they say something.
 */
static int
signs(const struct delta *d, struct hidden *h, struct err *e)
{
	struct hidden_sense best = {0}, x;
	uint64_t at, all = zeros(d->b, 0, UINT64_MAX, &at);
	struct hidden_layout found = {0};
	int r;

	for (unsigned k = 0; k < 16 && k / 2 < all; k++) {
		struct hidden_stream s = {.b = &d->b, .n = 1,
		    .elements = all - k / 2};

		(void)zeros(d->b, 0, k / 2, &at);
		s.layout = (struct hidden_layout){.bits = 1,
		    .byte_high = k % 2 == 0, .signs = true, .first = at};
		if ((r = hidden_sense(&s, 0, &x, e)) < 0)
			return r;
		if (x.rank > best.rank || (x.rank == best.rank && x.value >
		    best.value)) {
			best = x;
			found = s.layout;
			h->len = hidden_bytes(&s);
		}
	}
	if (best.rank < SENSE_TEXT) {
		h->len = 0;
		return 0;
	}
	h->kind = HIDDEN_SIGNS;
	h->layout = found;
	h->what = best.what;
	h->spans = 1;
	return hidden_digest(h, &d->b, e);
}

static int
written(const struct delta *d, const struct hidden_bits *bits,
    uint64_t xor_or, struct hidden *h, struct err *e)
{
	unsigned shift = (unsigned)__builtin_ctzll(xor_or);
	int r;

	/* Lowest bits that never differ are not part of it. */
	if (shift >= bits->k)
		shift = 0;
	h->layout.shift = shift;
	if ((r = hidden_search(&d->b, 1, h->span_last, shift, h, e)) < 0)
		return r;
	h->kind = h->what != NULL || h->density >= DENSE ? HIDDEN_PAYLOAD :
	    HIDDEN_MARKS;
	if (h->kind == HIDDEN_MARKS)
		h->len = 0;
	return 0;
}

int
hidden_find(struct pool *pool, const struct delta *d,
    const struct pass_sums *sums, struct hidden *ret, struct err *e)
{
	struct relation_changes c;
	struct hidden_bits bits;
	struct hidden h = {.spans = 1};
	int r;

	*ret = h;
	if (d->a->n == 0 || sums->changed == 0)
		return 0;
	if ((r = changes(pool, d, sums, &c, e)) < 0 || c.changed == 0)
		return r;
	hidden_bits(pool, d, c.xor_or, c.first, c.last, &bits);
	if (bits.k > 0)
		measure(&h, &c, bits.k, bits.k <= bits.limit ? bits.k -
		    (unsigned)__builtin_ctzll(c.xor_or) : 1);
	if (bits.changed > 0 && bits.zeros)
		r = signs(d, &h, e);
	else if (bits.one_mask && c.changed >= MASK_LEAST && h.density >=
	    MASK_DENSE) {
		h.kind = HIDDEN_XOR;
		h.mask = c.xor_or;
	} else if (bits.written && !bits.constant)
		r = written(d, &bits, c.xor_or, &h, e);
	else if (bits.k == 0 || bits.k > bits.limit)
		r = hidden_lattice(d, &h, e);
	if (r == 0)
		*ret = h;
	return r;
}

/* Does the payload of a tensor reach its end, or begin at its beginning? */
static bool
ends(const struct hidden *h, const struct tensor *t)
{
	return t->n - 1 - h->span_last <= JOIN / h->layout.bits;
}

static bool
goes_on(const struct hidden *first, const struct hidden *h,
    const struct tensor *t, enum elem type)
{
	if (t->elem != type)
		return false;
	/* Too short to show a change in every case. */
	if (h->changed == 0)
		return t->n <= JOIN / first->layout.bits;
	return h->k > 0 && h->k <= first->k && h->kind != HIDDEN_LATTICE &&
	    h->kind != HIDDEN_SIGNS && h->span_first <= JOIN /
	    first->layout.bits;
}

/* A run of tensors from ${from} on: how many, and its last element. */
static size_t
run(const struct tensor *const *b, const struct hidden *v, size_t n,
    size_t from, uint64_t *last)
{
	uint64_t before = 0;
	size_t end = from + 1, kept = end;

	*last = v[from].span_last;
	if (!ends(&v[from], b[from]))
		return 1;
	for (; end < n && goes_on(&v[from], &v[end], b[end], b[from]->elem);
	    end++) {
		struct hidden x = v[end];

		before += b[end - 1]->n;
		if (x.changed == 0)
			continue;
		*last = before + x.span_last;
		kept = end + 1;
		x.layout = v[from].layout;
		if (!ends(&x, b[end]))
			break;
	}
	return kept - from;
}

int
hidden_join(const struct tensor *const *b, struct hidden *v, size_t n,
    struct err *e)
{
	uint64_t last;
	size_t m;
	int r = 0;

	for (size_t i = 0; i < n && r == 0; i += m) {
		m = 1;
		if (v[i].kind != HIDDEN_PAYLOAD)
			continue;
		m = run(b, v, n, i, &last);
		if (m == 1)
			continue;
		for (size_t k = i + 1; k < i + m; k++) {
			v[i].changed += v[k].changed;
			v[k].kind = HIDDEN_NONE;
			v[k].spans = 0;
		}
		v[i].spans = (uint32_t)m;
		r = hidden_search(b + i, m, last, v[i].layout.shift, &v[i],
		    e);
	}
	return r;
}

static void
layout(const struct hidden *h, struct basis *s)
{
	const struct hidden_layout *l = &h->layout;

	basis_object(s, "layout");
	basis_u64(s, "bits", l->bits);
	if (l->shift > 0)
		basis_u64(s, "shift", l->shift);
	basis_bool(s, "byte_highest_first", l->byte_high);
	if (l->bits > 1)
		basis_bool(s, "element_highest_first", l->group_high);
	basis_u64(s, "first", l->first);
	basis_u64(s, "align", h->align);
	basis_bool(s, "told_by_content", h->what != NULL);
	basis_end(s);
}

static void
payload(const struct hidden *h, struct basis *s)
{
	char hex[2 * 32 + 1];

	layout(h, s);
	basis_u64(s, "length", h->len);
	basis_str(s, "content", h->what != NULL ? h->what : "unknown");
	basis_f64(s, "entropy", h->entropy);
	basis_u64(s, "printable_run", h->printable);
	digest_hex(hex, h->sha256, sizeof(h->sha256));
	basis_str(s, "sha256", hex);
	basis_text(s, "head", h->head, h->head_len);
	basis_u64(s, "tensors", h->spans);
}

void
hidden_basis(const struct hidden *h, struct basis *s)
{
	basis_str(s, "hidden", hidden_name(h->kind));
	if (h->kind == HIDDEN_NONE)
		return;
	if (h->kind == HIDDEN_LATTICE) {
		basis_f64(s, "spacing", h->spacing);
		basis_f64(s, "contrast", h->contrast);
		return;
	}
	basis_u64(s, "bits", h->k);
	basis_u64(s, "changed", h->changed);
	basis_u64(s, "first", h->span_first);
	basis_u64(s, "last", h->span_last);
	basis_f64(s, "density", h->density);
	if (h->kind == HIDDEN_XOR) {
		basis_u64(s, "mask", h->mask);
		return;
	}
	basis_f64(s, "density_of_random", h->expected);
	basis_f64(s, "z", h->z);
	if (h->len > 0)
		payload(h, s);
}
