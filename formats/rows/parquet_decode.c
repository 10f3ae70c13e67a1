#include <string.h>

#include "formats/rows/parquet.h"

/*
 * Values of a data page (Encodings.md), one after the other: nothing is
 * unpacked beforehand, so a page costs its own bytes and no more.
 *
 * DELTA_LENGTH and DELTA_STRINGS hold lengths before bytes; the lengths are
 * walked once to find where the bytes begin, and again with them.
 */
static const char ends_early[] = "a page has fewer values than it states";
static const char bad_index[] = "an index is beyond the dictionary";
static const char bad_length[] = "a value is longer than its page";
static const char bad_width[] = "a value has another length than its type";

static uint32_t
type_width(enum parquet_type type, uint32_t width)
{
	switch (type) {
	case PARQUET_INT32:
	case PARQUET_FLOAT:
		return 4;
	case PARQUET_INT64:
	case PARQUET_DOUBLE:
		return 8;
	case PARQUET_INT96:
		return 12;
	case PARQUET_FIXED:
		return width;
	case PARQUET_BOOLEAN:
	case PARQUET_BYTES:
	case PARQUET_GROUP:
		break;
	}
	return 0;
}

/* A value of a fixed width. */
static bool
fixed(struct cursor *c, enum parquet_type type, uint32_t width,
    struct parquet_value *ret)
{
	struct cursor sub;
	uint32_t v;

	switch (type) {
	case PARQUET_INT32:
		if (!cursor_u32le(c, &v))
			return false;
		ret->bits = (uint64_t)(int64_t)(int32_t)v;
		return true;
	case PARQUET_FLOAT:
		if (!cursor_u32le(c, &v))
			return false;
		ret->bits = v;
		return true;
	case PARQUET_INT64:
	case PARQUET_DOUBLE:
		return cursor_u64le(c, &ret->bits);
	case PARQUET_INT96:
	case PARQUET_FIXED:
		if (!cursor_sub(c, width, &sub))
			return false;
		ret->p = sub.buf;
		ret->n = sub.len;
		return true;
	case PARQUET_BOOLEAN:
	case PARQUET_BYTES:
	case PARQUET_GROUP:
		break;
	}
	return false;
}

bool
parquet_decode_dict(struct parquet_dict *d, enum parquet_type type,
    uint32_t width, uint64_t count)
{
	struct parquet_place *place;
	uint32_t len;
	struct cursor c;

	cursor_init(&c, d->p, d->n, 0);
	width = type_width(type, width);
	d->count = (uint32_t)count;
	if (width > 0)
		return count <= d->n / width && d->n == count * width;
	if (type != PARQUET_BYTES || count > d->n / 4 ||
	    !grow_room(&d->place, (size_t)count * sizeof(*place), 0))
		return false;
	place = (struct parquet_place *)(void *)d->place.p;
	for (uint64_t i = 0; i < count; i++) {
		if (!cursor_u32le(&c, &len))
			return false;
		place[i].off = (uint32_t)c.off;
		place[i].len = len;
		if (!cursor_skip(&c, len))
			return false;
	}
	return cursor_at_end(&c);
}

static const char *
init_run(struct parquet_decode *d)
{
	struct cursor c = d->c;
	uint32_t n;
	uint8_t width;

	if (d->encoding == PARQUET_RLE) {
		if (d->type != PARQUET_BOOLEAN)
			return "an encoding does not fit its type";
		if (!cursor_u32le(&d->c, &n) || !cursor_sub(&d->c, n, &c))
			return ends_early;
		parquet_levels_init(&d->run, &c, 1, false);
		return NULL;
	}
	if (d->dict == NULL)
		return "a page needs a dictionary that is not there";
	/* A page of nothing but nulls may be empty. */
	if (!cursor_u8(&c, &width))
		width = 0;
	if (width > 32)
		return "indices have more than 32 bits";
	parquet_levels_init(&d->run, &c, width, false);
	return NULL;
}

/* The lengths at d->c; *ret streams over them, d->c goes behind. */
static const char *
init_lengths(struct parquet_decode *d, struct parquet_delta *ret)
{
	struct parquet_delta all;

	if (!parquet_delta_init(&all, &d->c))
		return "the lengths of a page make no sense";
	*ret = all;
	if (all.total > UINT32_MAX || !parquet_delta_rest(&all))
		return ends_early;
	d->c = all.c;
	return NULL;
}

static const char *
init_split(struct parquet_decode *d)
{
	if (d->width == 0 || d->type == PARQUET_INT96)
		return "an encoding does not fit its type";
	if (cursor_left(&d->c) % d->width != 0)
		return "a page holds no whole number of values";
	d->count = cursor_left(&d->c) / d->width;
	return grow_room(d->made, d->width, 0) ? NULL :
	    "a value is longer than memory allows";
}

static const char *
init_delta(struct parquet_decode *d)
{
	const char *why;

	if (d->encoding == PARQUET_DELTA_BINARY) {
		if (d->type != PARQUET_INT32 && d->type != PARQUET_INT64)
			return "an encoding does not fit its type";
		/* A page of nothing but nulls may be empty. */
		if (cursor_at_end(&d->c))
			return NULL;
		return parquet_delta_init(&d->a, &d->c) ? NULL :
		    "the deltas of a page make no sense";
	}
	if (d->type != PARQUET_BYTES && (d->type != PARQUET_FIXED ||
	    d->encoding == PARQUET_DELTA_LENGTH))
		return "an encoding does not fit its type";
	if (cursor_at_end(&d->c))
		return NULL;
	if (d->encoding == PARQUET_DELTA_STRINGS &&
	    (why = init_lengths(d, &d->b)) != NULL)
		return why;
	return init_lengths(d, &d->a);
}

const char *
parquet_decode_init(struct parquet_decode *d, const struct parquet_node *node,
    enum parquet_encoding encoding, const struct cursor *c,
    const struct parquet_dict *dict, struct grow *made)
{
	*d = (struct parquet_decode){.encoding = encoding, .c = *c};
	d->type = node->type;
	d->width = type_width(node->type, node->width);
	d->dict = dict;
	d->made = made;
	switch (encoding) {
	case PARQUET_PLAIN:
		return NULL;
	case PARQUET_PLAIN_DICTIONARY:
	case PARQUET_RLE_DICTIONARY:
	case PARQUET_RLE:
		return init_run(d);
	case PARQUET_DELTA_BINARY:
	case PARQUET_DELTA_LENGTH:
	case PARQUET_DELTA_STRINGS:
		return init_delta(d);
	case PARQUET_SPLIT:
		return init_split(d);
	case PARQUET_BIT_PACKED:
		break;
	}
	return "an encoding of values is not known";
}

static const char *
next_plain(struct parquet_decode *d, struct parquet_value *ret)
{
	struct cursor sub;
	uint32_t n;
	uint8_t b;

	if (d->type == PARQUET_BOOLEAN) {
		if (!cursor_peek(&d->c, (size_t)(d->at / 8), &b))
			return ends_early;
		ret->bits = b >> d->at % 8 & 1;
		d->at++;
		return NULL;
	}
	if (d->type != PARQUET_BYTES)
		return fixed(&d->c, d->type, d->width, ret) ? NULL :
		    ends_early;
	if (!cursor_u32le(&d->c, &n))
		return ends_early;
	if (!cursor_sub(&d->c, n, &sub))
		return bad_length;
	ret->p = sub.buf;
	ret->n = sub.len;
	return NULL;
}

static const char *
next_index(struct parquet_decode *d, struct parquet_value *ret)
{
	const struct parquet_place *place;
	struct cursor c;
	uint32_t i;

	if (!parquet_levels_next(&d->run, &i))
		return ends_early;
	if (i >= d->dict->count)
		return bad_index;
	cursor_init(&c, d->dict->p, d->dict->n, 0);
	if (d->width > 0)
		return cursor_seek(&c, (uint64_t)i * d->width) &&
		    fixed(&c, d->type, d->width, ret) ? NULL : bad_index;
	place = (const struct parquet_place *)(const void *)d->dict->place.p;
	ret->p = d->dict->p + place[i].off;
	ret->n = place[i].len;
	return NULL;
}

/* The next of the bytes, whose length is next in d->a. */
static const char *
next_piece(struct parquet_decode *d, struct cursor *ret)
{
	int64_t n;

	if (!parquet_delta_next(&d->a, &n))
		return ends_early;
	if (n < 0 || !cursor_sub(&d->c, (uint64_t)n, ret))
		return bad_length;
	return NULL;
}

/* What the value before begins with, and a piece behind it. */
static const char *
next_string(struct parquet_decode *d, struct parquet_value *ret)
{
	struct cursor piece;
	const char *why;
	int64_t n;

	if (!parquet_delta_next(&d->b, &n))
		return ends_early;
	if ((why = next_piece(d, &piece)) != NULL)
		return why;
	if (n < 0 || (uint64_t)n > d->made_len)
		return "a value begins with more than the one before it has";
	if (!grow_room(d->made, (size_t)n + piece.len, (size_t)n))
		return "a value is longer than memory allows";
	if (piece.len > 0)
		memcpy(d->made->p + n, piece.buf, piece.len);
	d->made_len = (size_t)n + piece.len;
	if (d->width > 0 && d->made_len != d->width)
		return bad_width;
	ret->p = d->made->p;
	ret->n = d->made_len;
	return NULL;
}

/* Byte k of value i stands at k * count + i. */
static const char *
next_split(struct parquet_decode *d, struct parquet_value *ret)
{
	struct cursor c;
	uint8_t b = 0;

	if (d->at == d->count)
		return ends_early;
	for (uint32_t k = 0; k < d->width; k++) {
		if (!cursor_peek(&d->c, (size_t)(k * d->count + d->at), &b))
			return ends_early;
		d->made->p[k] = b;
	}
	d->at++;
	cursor_init(&c, d->made->p, d->width, 0);
	return fixed(&c, d->type, d->width, ret) ? NULL : ends_early;
}

const char *
parquet_decode_next(struct parquet_decode *d, struct parquet_value *ret)
{
	struct cursor piece;
	const char *why;
	uint32_t bit;
	int64_t v;

	switch (d->encoding) {
	case PARQUET_PLAIN:
		return next_plain(d, ret);
	case PARQUET_PLAIN_DICTIONARY:
	case PARQUET_RLE_DICTIONARY:
		return next_index(d, ret);
	case PARQUET_RLE:
		if (!parquet_levels_next(&d->run, &bit))
			return ends_early;
		ret->bits = bit;
		return NULL;
	case PARQUET_DELTA_BINARY:
		if (!parquet_delta_next(&d->a, &v))
			return ends_early;
		ret->bits = d->type == PARQUET_INT64 ? (uint64_t)v :
		    (uint64_t)(int64_t)(int32_t)(uint32_t)(uint64_t)v;
		return NULL;
	case PARQUET_DELTA_LENGTH:
		if ((why = next_piece(d, &piece)) != NULL)
			return why;
		ret->p = piece.buf;
		ret->n = piece.len;
		return NULL;
	case PARQUET_DELTA_STRINGS:
		return next_string(d, ret);
	case PARQUET_SPLIT:
		return next_split(d, ret);
	case PARQUET_BIT_PACKED:
		break;
	}
	return ends_early;
}

bool
parquet_decode_left(const struct parquet_decode *d)
{
	switch (d->encoding) {
	case PARQUET_PLAIN:
		if (d->type == PARQUET_BOOLEAN)
			return cursor_left(&d->c) > d->at / 8 +
			    (d->at % 8 != 0);
		return !cursor_at_end(&d->c);
	case PARQUET_DELTA_LENGTH:
	case PARQUET_DELTA_STRINGS:
		return !cursor_at_end(&d->c) || d->a.left > 0;
	case PARQUET_DELTA_BINARY:
		return d->a.left > 0;
	case PARQUET_SPLIT:
		return d->at != d->count;
	case PARQUET_RLE:
	case PARQUET_PLAIN_DICTIONARY:
	case PARQUET_RLE_DICTIONARY:
	case PARQUET_BIT_PACKED:
		break;
	}
	return false;
}
