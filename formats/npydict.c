#include <string.h>

#include "base/ckd.h"
#include "formats/npydict.h"

static void
skip_blanks(struct cursor *c)
{
	uint8_t b;

	while (cursor_peek(c, 0, &b) && (b == ' ' || b == '\n' || b == '\t'))
		if (!cursor_skip(c, 1))
			return;
}

bool
npydict_at(struct cursor *c, char want)
{
	uint8_t b;

	skip_blanks(c);
	return cursor_peek(c, 0, &b) && b == (uint8_t)want;
}

bool
npydict_take(struct cursor *c, char want)
{
	return npydict_at(c, want) && cursor_skip(c, 1);
}

bool
npydict_string(struct cursor *c, struct cursor *ret)
{
	uint8_t quote;

	skip_blanks(c);
	if (!cursor_u8(c, &quote) || (quote != '\'' && quote != '"') ||
	    !cursor_line(c, quote, ret))
		return false;
	return ret->len == 0 || memchr(ret->buf, '\\', ret->len) == NULL;
}

bool
npydict_number(struct cursor *c, uint64_t *ret)
{
	uint64_t v = 0;
	bool any = false;
	uint8_t b;

	skip_blanks(c);
	while (cursor_peek(c, 0, &b) && b >= '0' && b <= '9') {
		if (!ckd_mul64(&v, v, 10) ||
		    !ckd_add64(&v, v, (uint64_t)(b - '0')) ||
		    !cursor_skip(c, 1))
			return false;
		any = true;
	}
	/* Python 2 wrote long integers with an L. */
	if (any && cursor_peek(c, 0, &b) && b == 'L' && !cursor_skip(c, 1))
		return false;
	*ret = v;
	return any;
}

bool
npydict_tuple(struct cursor *c, uint64_t shape[NPYDICT_RANK], unsigned *rank)
{
	*rank = 0;
	if (!npydict_take(c, '('))
		return false;
	while (!npydict_take(c, ')')) {
		if (*rank == NPYDICT_RANK || !npydict_number(c, &shape[*rank]))
			return false;
		++*rank;
		if (!npydict_take(c, ',') && !npydict_at(c, ')'))
			return false;
	}
	return true;
}

bool
npydict_magic(struct cursor *c)
{
	static const uint8_t magic[] = {0x93, 'N', 'U', 'M', 'P', 'Y'};

	return cursor_match(c, magic, sizeof(magic));
}

bool
npydict_length(struct cursor *c, uint32_t *ret)
{
	uint8_t major, minor;
	uint16_t n;

	if (!cursor_u8(c, &major) || !cursor_u8(c, &minor))
		return false;
	if (major >= 2)
		return cursor_u32le(c, ret);
	if (!cursor_u16le(c, &n))
		return false;
	*ret = n;
	return true;
}

static bool
is(const struct cursor *key, const char *name)
{
	return key->len == strlen(name) &&
	    memcmp(key->buf, name, key->len) == 0;
}

static bool
value(struct cursor *c, const struct cursor *key, struct npydict *d)
{
	if (is(key, "fortran_order")) {
		skip_blanks(c);
		d->fortran = cursor_match(c, (const uint8_t *)"True", 4);
		d->has_order = d->fortran ||
		    cursor_match(c, (const uint8_t *)"False", 5);
		return d->has_order;
	}
	if (!is(key, "shape") || d->has_shape)
		return false;
	d->has_shape = true;
	return npydict_tuple(c, d->shape, &d->rank);
}

bool
npydict_read(struct cursor *c, struct npydict *d,
    bool (*descr)(struct cursor *c, void *ctx), void *ctx)
{
	struct cursor key;
	bool has_descr = false;

	memset(d, 0, sizeof(*d));
	if (!npydict_take(c, '{'))
		return false;
	while (!npydict_take(c, '}')) {
		if (!npydict_string(c, &key) || !npydict_take(c, ':'))
			return false;
		if (is(&key, "descr")) {
			if (!descr(c, ctx))
				return false;
			has_descr = true;
		} else if (!value(c, &key, d)) {
			return false;
		}
		if (!npydict_take(c, ',') && !npydict_at(c, '}'))
			return false;
	}
	skip_blanks(c);
	return cursor_at_end(c) && has_descr && d->has_order && d->has_shape;
}
