#include <string.h>

#include "analyzer/diff/hidden_parts.h"
#include "analyzer/diff/relation_parts.h"

/*
 * Bit t of a stream is bit t % bits of element t / bits, counted from its
 * lowest bit or its highest; a byte is made of eight of them, from its lowest
 * or its highest.  (low, low) is what little-endian bytes give, (high, high)
 * big-endian ones.
 */
struct place {
	size_t tensor;
	uint64_t element;
};

static uint64_t
bits_at(const struct tensor *t, uint64_t i)
{
	return elem_bits(t->elem, t->p, i);
}

static bool
zero(const struct tensor *t, uint64_t i)
{
	unsigned w = 8 * elem_info(t->elem)->bytes;

	return (bits_at(t, i) & ~(UINT64_C(1) << (w - 1))) == 0;
}

/* To the next element that is there, and is a zero where signs are read. */
static bool
settle(const struct hidden_stream *s, struct place *p)
{
	while (p->tensor < s->n) {
		const struct tensor *t = s->b[p->tensor];

		if (p->element >= t->n) {
			p->tensor++;
			p->element = 0;
		} else if (s->layout.signs && !zero(t, p->element)) {
			p->element++;
		} else {
			return true;
		}
	}
	return false;
}

static bool
skip(const struct hidden_stream *s, struct place *p, uint64_t n)
{
	if (!settle(s, p))
		return false;
	while (n > 0) {
		uint64_t left = s->b[p->tensor]->n - p->element;
		uint64_t step = s->layout.signs ? 1 : n < left ? n : left;

		p->element += step;
		n -= step;
		if (!settle(s, p))
			return false;
	}
	return true;
}

static uint64_t
group(const struct hidden_stream *s, const struct place *p)
{
	const struct tensor *t = s->b[p->tensor];
	uint64_t v = bits_at(t, p->element);

	if (s->layout.signs)
		return v >> (8 * elem_info(t->elem)->bytes - 1) & 1;
	return v >> s->layout.shift & (UINT64_MAX >>
	    (64 - s->layout.bits));
}

uint64_t
hidden_bytes(const struct hidden_stream *s)
{
	return s->elements / 8 * s->layout.bits + s->elements % 8 *
	    s->layout.bits / 8;
}

size_t
hidden_bytes_read(const struct hidden_stream *s, uint64_t from, uint8_t *dst,
    size_t n)
{
	const unsigned bits = s->layout.signs ? 1 : s->layout.bits;
	struct place p = {0, s->layout.first};
	uint64_t all = hidden_bytes(s), v;
	unsigned at = (unsigned)(from % bits * 8 % bits), k, j;
	bool there;

	if (from >= all)
		return 0;
	if (n > all - from)
		n = (size_t)(all - from);
	memset(dst, 0, n);
	there = skip(s, &p, from / bits * 8 + from % bits * 8 / bits);
	v = there ? group(s, &p) : 0;
	for (uint64_t t = 0; t < (uint64_t)n * 8 && there; t++) {
		k = s->layout.group_high ? bits - 1 - at : at;
		j = s->layout.byte_high ? 7 - t % 8 : t % 8;
		dst[t / 8] |= (uint8_t)((v >> k & 1) << j);
		if (++at < bits)
			continue;
		at = 0;
		if ((there = skip(s, &p, 1)))
			v = group(s, &p);
	}
	return n;
}

size_t
hidden_read(const struct hidden *h, const struct tensor *const *b,
    uint64_t from, uint8_t *dst, size_t n)
{
	struct hidden_stream s = {.layout = h->layout, .b = b, .n = h->spans,
	    .elements = UINT64_MAX / 64};

	if (from >= h->len)
		return 0;
	if (n > h->len - from)
		n = (size_t)(h->len - from);
	return hidden_bytes_read(&s, from, dst, n);
}
