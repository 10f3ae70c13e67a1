#include "base/bytesrc.h"
#include "base/cursor.h"
#include "base/err.h"
#include "formats/onnx.h"

/*
 * The few constants that are looked into: at most LIMIT_ONNX_TEXT bytes each.
 *
 * Are the bytes of an unused initialiser a payload?  Weights are floats of a
 * narrow range: between 2^-40 and 2^24, or zero.  Text read as floats is
 * mostly outside of it or not a number, machine code and compressed bytes
 * have any exponent.  A sample of SAMPLE bytes with less than half of its
 * values inside is none that a network computes with.
 */
#define SAMPLE 16384
#define PAYLOAD 256		/* bytes: less says nothing */

static bool
is_weight(uint64_t bits, unsigned width)
{
	const unsigned mantissa = width == 64 ? 52 : 23;
	const uint64_t mask = width == 64 ? 0x7ff : 0xff;
	const int64_t bias = width == 64 ? 1023 : 127;
	const int64_t e = (int64_t)(bits >> mantissa & mask) - bias;

	return bits << (65 - width) == 0 || (e > -40 && e < 24);
}

static unsigned
count_weights(struct cursor c, unsigned width, unsigned *n)
{
	unsigned inside = 0;
	uint64_t v64;
	uint32_t v32;

	*n = 0;
	for (;;) {
		if (width == 64) {
			if (!cursor_u64le(&c, &v64))
				return inside;
		} else {
			if (!cursor_u32le(&c, &v32))
				return inside;
			v64 = v32;
		}
		++*n;
		inside += is_weight(v64, width);
	}
}

int
onnx_is_payload(struct onnx *o, const struct onnx_tensor *t)
{
	size_t len = t->len < SAMPLE ? (size_t)t->len : SAMPLE;
	struct cursor c;
	unsigned n, inside;
	int r;

	if (t->type == ONNX_STRING)
		return t->elements > 0;
	if (t->len < PAYLOAD)
		return 0;
	if (t->type == ONNX_UINT8 || t->type == ONNX_INT8)
		return 1;
	if (t->type != ONNX_FLOAT && t->type != ONNX_DOUBLE)
		return 0;
	if ((r = bytesrc_read(o->p->src, t->off, o->text, len, o->p->e)) < 0)
		return r;
	cursor_init(&c, o->text, len, t->off);
	inside = count_weights(c, t->type == ONNX_DOUBLE ? 64 : 32, &n);
	return 2 * inside < n;
}

/* All elements equal: a filler, however many there are. */
int
onnx_is_wide(struct onnx *o, const struct onnx_tensor *t)
{
	const uint64_t unit = onnx_bits(t->type) / 8;
	size_t len = (size_t)t->len;
	int r;

	if (t->elements < 2)
		return 0;
	if (t->len == 0 || t->len > LIMIT_ONNX_TEXT || unit == 0)
		return 1;
	if ((r = bytesrc_read(o->p->src, t->off, o->text, len, o->p->e)) < 0)
		return r;
	for (size_t i = unit; i < len; i++)
		if (o->text[i] != o->text[i - unit])
			return 1;
	return 0;
}
