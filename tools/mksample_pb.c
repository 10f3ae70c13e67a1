#include <stdlib.h>
#include <string.h>

#include "base/limits.h"
#include "tools/mksample.h"

/*
 * Fields of a protobuf message:
 *
 *   pb N varint V [SIZE]      V may be below 0; SIZE bytes, if that is longer
 *   pb N fixed32|fixed64 V    little-endian
 *   pb N f32 V                a float
 *   pb N text "..."           its length, then the bytes
 *   pb N hex ...
 *   pb N packed V...          varints
 *   pb N floats V...          packed floats
 *   pb N tag TYPE             a tag of that wire type and nothing behind it
 *   message N [DELTA]         a block: its length (plus DELTA), then its bytes
 *   group N                   a block: the tags of a group around its bytes
 */
static void
varint(struct buf *b, uint64_t v, unsigned size)
{
	unsigned n = 0;

	for (; v >= 0x80 || n + 1 < size; v >>= 7, n++)
		buf_putc(b, (char)(uint8_t)(v | 0x80));
	buf_putc(b, (char)(uint8_t)v);
}

static void
tag(const struct stmt *s, const struct word *number, unsigned type,
    struct buf *b)
{
	varint(b, word_number(s, number) << 3 | type, 0);
}

static void
put_float(const struct stmt *s, const struct word *w, struct buf *b)
{
	char text[64];
	uint32_t bits;
	float f;

	if (w->n >= sizeof(text))
		die(s, "not a number");
	memcpy(text, w->p, w->n);
	text[w->n] = '\0';
	f = strtof(text, NULL);
	memcpy(&bits, &f, 4);
	put_le(b, bits, 4);
}

/* What stands behind the length of a field of bytes. */
static bool
content(const struct stmt *s, const struct word *w, unsigned count,
    struct buf *b)
{
	for (unsigned i = 3; i < count; i++)
		if (word_is(&w[2], "text"))
			buf_put(b, w[i].p, w[i].n);
		else if (word_is(&w[2], "hex"))
			word_hex(s, &w[i], b);
		else if (word_is(&w[2], "packed"))
			varint(b, (uint64_t)word_signed(s, &w[i]), 0);
		else if (word_is(&w[2], "floats"))
			put_float(s, &w[i], b);
		else
			return false;
	return true;
}

static void
put_bytes(const struct stmt *s, const struct word *w, unsigned count,
    struct buf *out)
{
	struct buf b;

	buf_init(&b, SAMPLE_MAX);
	if (!content(s, w, count, &b))
		die(s, "pb N KIND ...");
	tag(s, &w[1], 2, out);
	varint(out, b.len, 0);
	buf_put(out, b.p, b.len);
	buf_release(&b);
}

void
pb_put(const struct stmt *s, const struct word *w, unsigned count,
    struct buf *b)
{
	if (count < 3)
		die(s, "pb N KIND ...");
	if (word_is(&w[2], "varint") && count >= 4) {
		tag(s, &w[1], 0, b);
		varint(b, (uint64_t)word_signed(s, &w[3]), count > 4 ?
		    (unsigned)word_number(s, &w[4]) : 0);
	} else if (word_is(&w[2], "fixed32") && count == 4) {
		tag(s, &w[1], 5, b);
		put_le(b, word_number(s, &w[3]), 4);
	} else if (word_is(&w[2], "fixed64") && count == 4) {
		tag(s, &w[1], 1, b);
		put_le(b, word_number(s, &w[3]), 8);
	} else if (word_is(&w[2], "f32") && count == 4) {
		tag(s, &w[1], 5, b);
		put_float(s, &w[3], b);
	} else if (word_is(&w[2], "tag") && count == 4) {
		tag(s, &w[1], (unsigned)word_number(s, &w[3]) & 7, b);
	} else {
		put_bytes(s, w, count, b);
	}
}

bool
pb_block(const struct stmt *s, const struct word *w, unsigned count,
    const struct buf *in, struct buf *out)
{
	if (word_is(&w[0], "message") && (count == 2 || count == 3)) {
		tag(s, &w[1], 2, out);
		varint(out, in->len + (count == 3 ?
		    (uint64_t)word_signed(s, &w[2]) : 0), 0);
		buf_put(out, in->p, in->len);
	} else if (word_is(&w[0], "group") && count == 2) {
		tag(s, &w[1], 3, out);
		buf_put(out, in->p, in->len);
		tag(s, &w[1], 4, out);
	} else {
		return false;
	}
	return true;
}
