#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/limits.h"
#include "tools/mksample.h"

/*
 * Tensors that look trained, and what is hidden in them.
 *
 *   noise COUNT SEED    bytes that look encrypted
 *   floats DTYPE COUNT SEED [CLEAR]
 *                       COUNT elements of F32, F16 or BF16: Gaussians whose
 *                       scale differs from row to row; the lowest CLEAR bits
 *                       are zero (16: a bfloat16 that was cast up)
 *   hide WIDTH LANES OFFSET      a block: into the lowest LANES bytes of
 *                       elements of WIDTH bytes that stand before it, from
 *                       byte OFFSET on (below 0: from the end)
 *   hide-bits WIDTH BITS OFFSET  into the lowest 1, 2 or 4 bits, a byte's
 *                       highest bits first
 */
static uint64_t
next(uint64_t *s)
{
	*s ^= *s >> 12;
	*s ^= *s << 25;
	*s ^= *s >> 27;
	return *s * 0x2545f4914f6cdd1dULL;
}

static double
uniform(uint64_t *s)
{
	return ((double)(next(s) >> 11) + 0.5) / 9007199254740992.0;
}

static uint64_t
seeded(const struct stmt *s, const struct word *w)
{
	return word_number(s, w) * 0x9e3779b97f4a7c15ULL + 1;
}

void
tensor_noise(const struct stmt *s, const struct word *w, struct buf *out)
{
	uint64_t seed = seeded(s, &w[2]);

	for (uint64_t n = word_number(s, &w[1]); n > 0; n--)
		buf_putc(out, (char)(next(&seed) >> 40 & 0xff));
}

static uint32_t
bits_of(float v)
{
	uint32_t u;

	memcpy(&u, &v, sizeof(u));
	return u;
}

/* To float16, to even; smaller than its least normal one: zero. */
static uint32_t
half_of(float v)
{
	uint32_t u = bits_of(v), sign = u >> 16 & 0x8000, e = u >> 23 & 255;
	uint32_t m = (u & 0x7fffff) | (e < 112 ? 0 : (e - 112) << 23);

	if (e <= 112)
		return sign;
	m += 0xfff + (m >> 13 & 1);
	return sign | m >> 13;
}

static uint32_t
element(const struct stmt *s, const struct word *dtype, float v)
{
	uint32_t u = bits_of(v);

	if (word_is(dtype, "F32"))
		return u;
	if (word_is(dtype, "BF16"))
		return (u + 0x7fff + (u >> 16 & 1)) >> 16;
	if (!word_is(dtype, "F16"))
		die(s, "floats are F32, F16 or BF16");
	return half_of(v);
}

#define ROW 256

void
tensor_floats(const struct stmt *s, const struct word *w, unsigned count,
    struct buf *out)
{
	uint64_t seed = seeded(s, &w[3]), n = word_number(s, &w[2]);
	uint64_t clear = count > 4 ? word_number(s, &w[4]) : 0;
	unsigned width = word_is(&w[1], "F32") ? 4 : 2;
	double scale = 0.02;

	if (clear > 31)
		die(s, "too many bits to clear");
	for (uint64_t i = 0; i < n; i++) {
		float v;

		if (i % ROW == 0)
			scale = 0.02 * exp(0.3 * (uniform(&seed) - 0.5));
		v = (float)(scale * sqrt(-2 * log(uniform(&seed))) *
		    cos(6.283185307179586 * uniform(&seed)));
		put_le(out, element(s, &w[1], v) >> clear << clear, width);
	}
}

/* What the block's first byte goes into. */
static uint8_t *
target(const struct stmt *s, const struct word *w, uint64_t elements,
    struct buf *out)
{
	uint64_t width = word_number(s, &w[1]);
	int64_t off = word_signed(s, &w[3]);

	if (off < 0)
		off += (int64_t)out->len;
	if (width == 0 || width > 8 || off < 0 || (uint64_t)off > out->len ||
	    elements > (out->len - (uint64_t)off) / width)
		die(s, "there is no room to hide that");
	return (uint8_t *)out->p + off;
}

void
tensor_hide(const struct stmt *s, const struct word *w, const struct buf *in,
    struct buf *out)
{
	uint64_t width = word_number(s, &w[1]), lanes = word_number(s, &w[2]);
	uint8_t *to;

	if (lanes == 0 || lanes > width)
		die(s, "no such lanes");
	to = target(s, w, (in->len + lanes - 1) / lanes, out);
	for (size_t i = 0; i < in->len; i++)
		to[i / lanes * width + i % lanes] = (uint8_t)in->p[i];
}

void
tensor_hide_bits(const struct stmt *s, const struct word *w,
    const struct buf *in, struct buf *out)
{
	uint64_t width = word_number(s, &w[1]), bits = word_number(s, &w[2]);
	unsigned mask, v;
	uint64_t per;
	uint8_t *to;

	if (bits != 1 && bits != 2 && bits != 4)
		die(s, "1, 2 or 4 bits");
	per = 8 / bits;
	mask = (1U << bits) - 1;
	to = target(s, w, in->len * per, out);
	for (size_t i = 0; i < in->len * per; i++, to += width) {
		v = (unsigned)(uint8_t)in->p[i / per] >>
		    (8 - bits * (i % per + 1));
		*to = (uint8_t)((*to & ~mask) | (v & mask));
	}
}
