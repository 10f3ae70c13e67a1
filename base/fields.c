#include <string.h>

#include "base/buf.h"
#include "base/bug.h"
#include "base/clock.h"
#include "base/cursor.h"
#include "base/fields.h"
#include "base/frame.h"
#include "base/json_write.h"
#include "base/text.h"

void
fields_text(struct field *f, const void *p, size_t n)
{
	*f = (struct field){.set = p != NULL, .p = p, .n = n};
}

void
fields_u64(struct field *f, uint64_t v)
{
	*f = (struct field){.set = true, .u = v};
}

void
fields_i64(struct field *f, int64_t v)
{
	fields_u64(f, (uint64_t)v);
}

void
fields_bool(struct field *f, bool v)
{
	fields_u64(f, v);
}

void
fields_hex(struct field *f, const void *p, size_t n)
{
	fields_text(f, p, n);
}

void
fields_reals(struct field *f, const double *p, size_t n)
{
	fields_text(f, p, n);
}

static void
put_le64(uint8_t out[8], uint64_t v)
{
	for (unsigned i = 0; i < 8; i++)
		out[i] = (uint8_t)(v >> (8 * i));
}

/* Doubles travel as their bits, least significant byte first. */
static void
put_reals(struct buf *b, uint8_t tag, const struct field *f)
{
	const double *d = f->p;
	struct buf bits;
	uint8_t le[8];
	uint64_t u;

	buf_init(&bits, LIMIT_FRAME);
	for (size_t i = 0; i < f->n; i++) {
		memcpy(&u, &d[i], sizeof(u));
		put_le64(le, u);
		buf_put(&bits, le, sizeof(le));
	}
	if (buf_failed(&bits) < 0)
		b->failed = bits.failed;
	else
		frame_put(b, tag, bits.len > 0 ? bits.p : le, bits.len);
	buf_release(&bits);
}

void
fields_put(struct buf *b, uint8_t type, const struct field_def *d,
    unsigned n, const struct field *v)
{
	BUG_ON(n >= FRAME_TAGS);
	frame_begin(b, type);
	for (unsigned i = 0; i < n; i++) {
		uint8_t tag = (uint8_t)(i + 1);

		if (!v[i].set)
			continue;
		switch (d[i].type) {
		case FIELD_TEXT:
		case FIELD_HEX:
			frame_put(b, tag, v[i].p, v[i].n);
			break;
		case FIELD_REALS:
			put_reals(b, tag, &v[i]);
			break;
		case FIELD_U64:
		case FIELD_I64:
		case FIELD_TIME:
		case FIELD_BOOL:
			frame_put_u64(b, tag, v[i].u);
			break;
		}
	}
}

static bool
get_reals(struct cursor c, struct field *f, double **reals, size_t *left)
{
	size_t n = c.len / 8;
	double *d = *reals;
	uint64_t u;

	if (c.len % 8 != 0 || n > *left)
		return false;
	for (size_t i = 0; i < n; i++) {
		if (!cursor_u64le(&c, &u))
			return false;
		memcpy(&d[i], &u, sizeof(u));
	}
	fields_reals(f, d, n);
	*reals += n;
	*left -= n;
	return true;
}

static bool
get_one(const struct frame *fr, uint8_t tag, enum field_type type,
    struct field *f, double **reals, size_t *left)
{
	const struct cursor *c = &fr->field[tag];
	uint64_t u;

	switch (type) {
	case FIELD_TEXT:
	case FIELD_HEX:
		fields_text(f, c->buf, c->len);
		return true;
	case FIELD_REALS:
		return get_reals(*c, f, reals, left);
	case FIELD_U64:
	case FIELD_I64:
	case FIELD_TIME:
	case FIELD_BOOL:
		if (!frame_u64(fr, tag, &u) || (type == FIELD_BOOL && u > 1))
			return false;
		fields_u64(f, u);
		return true;
	}
	return false;
}

bool
fields_get(const struct frame *f, const struct field_def *d, unsigned n,
    struct field *v, double *reals, size_t cap)
{
	BUG_ON(n >= FRAME_TAGS);
	if (frame_has(f, 0))
		return false;
	for (unsigned i = n + 1; i < FRAME_TAGS; i++)
		if (frame_has(f, (uint8_t)i))
			return false;
	for (unsigned i = 0; i < n; i++) {
		v[i] = (struct field){0};
		if (frame_has(f, (uint8_t)(i + 1)) && !get_one(f,
		    (uint8_t)(i + 1), d[i].type, &v[i], &reals, &cap))
			return false;
	}
	return true;
}

static void
put_value(struct json_write *w, enum field_type type, const struct field *f)
{
	const double *d = f->p;
	char when[CLOCK_TEXT];

	switch (type) {
	case FIELD_TEXT:
		json_text(w, f->p, f->n, TEXT_PLAIN);
		break;
	case FIELD_HEX:
		json_hex(w, f->p, f->n);
		break;
	case FIELD_REALS:
		json_begin_array(w);
		for (size_t i = 0; i < f->n; i++)
			json_double(w, d[i]);
		json_end_array(w);
		break;
	case FIELD_TIME:
		json_str(w, clock_rfc3339(when, (int64_t)f->u, 9));
		break;
	case FIELD_U64:
		json_u64(w, f->u);
		break;
	case FIELD_I64:
		json_i64(w, (int64_t)f->u);
		break;
	case FIELD_BOOL:
		json_bool(w, f->u != 0);
		break;
	}
}

void
fields_json(struct json_write *w, const struct field_def *d, unsigned n,
    const struct field *v)
{
	for (unsigned i = 0; i < n; i++) {
		json_key(w, d[i].key);
		if (v[i].set)
			put_value(w, d[i].type, &v[i]);
		else
			json_null(w);
	}
}
