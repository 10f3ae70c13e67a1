#include <string.h>

#include "base/ckd.h"
#include "base/cursor.h"
#include "base/text.h"
#include "formats/tarstream_parts.h"

/*
 * Pax records (POSIX.1-2017 pax, "pax Extended Header"): "LEN key=value\n",
 * where LEN counts all of it.  Of two for one key the last one wins, as for
 * every reader; the whole text is kept beside what is understood.
 */
static bool
is(const struct cursor *key, const char *name)
{
	struct cursor k = *key;

	return k.len == strlen(name) &&
	    cursor_match(&k, (const uint8_t *)name, k.len);
}

static bool
set_text(struct tarstream_text *t, const struct cursor *v)
{
	if (v->len == 0 || v->len > LIMIT_TAR_NAME)
		return false;
	memcpy(t->p, v->buf, v->len);
	t->n = v->len;
	t->has = true;
	return true;
}

static bool
set_number(const struct cursor *v, uint64_t *ret, bool *has)
{
	*has = text_u64((const char *)v->buf, v->len, 10, INT64_MAX, ret);
	return *has;
}

/* "-12.5": seconds down to the one before, and what is behind. */
static bool
set_time(const struct cursor *v, struct tarstream_said *s)
{
	struct cursor c = *v, whole;
	uint64_t seconds, ns = 0, unit = 100000000;
	bool minus;
	uint8_t b;

	minus = cursor_match(&c, (const uint8_t *)"-", 1);
	if (!cursor_sub(&c, minus ? c.len - 1 : c.len, &whole))
		return false;
	c = whole;
	if (cursor_line(&c, '.', &whole)) {
		for (; cursor_u8(&c, &b); unit /= 10) {
			if (b < '0' || b > '9')
				return false;
			ns += (uint64_t)(b - '0') * unit;
		}
	}
	if (!text_u64((const char *)whole.buf, whole.len, 10, INT64_MAX / 2,
	    &seconds))
		return false;
	s->mtime = minus ? -(int64_t)seconds : (int64_t)seconds;
	if (minus && ns > 0) {
		s->mtime--;
		ns = 1000000000 - ns;
	}
	s->mtime_ns = (uint32_t)ns;
	s->has_mtime = true;
	return true;
}

/* "off,len,off,len": GNU.sparse.map of version 0.1. */
static bool
take_map(struct tarstream *t, struct cursor c)
{
	struct cursor part;
	uint64_t v[2];

	while (!cursor_at_end(&c)) {
		for (unsigned i = 0; i < 2; i++) {
			if (!cursor_line(&c, ',', &part) &&
			    !cursor_sub(&c, cursor_left(&c), &part))
				return false;
			if (!text_u64((const char *)part.buf, part.len, 10,
			    INT64_MAX, &v[i]))
				return false;
		}
		tarstream_add_piece(t, v[0], v[1]);
	}
	return true;
}

static bool
take_sparse(struct tarstream *t, const struct cursor *k,
    const struct cursor *v)
{
	struct tarstream_said *s = &t->said;
	uint64_t n;
	bool ok;

	s->sparse = true;
	if (is(k, "GNU.sparse.size") || is(k, "GNU.sparse.realsize"))
		return set_number(v, &s->real_size, &s->has_real);
	if (is(k, "GNU.sparse.major")) {
		ok = text_u64((const char *)v->buf, v->len, 10, 9, &n);
		s->sparse_1_0 = ok && n == 1;
		return ok;
	}
	if (is(k, "GNU.sparse.map"))
		return take_map(t, *v);
	if (is(k, "GNU.sparse.offset")) {
		ok = text_u64((const char *)v->buf, v->len, 10, INT64_MAX,
		    &n);
		tarstream_add_piece(t, ok ? n : UINT64_MAX, 0);
		return ok;
	}
	if (is(k, "GNU.sparse.numbytes"))
		return t->npieces > 0 && t->npieces <= LIMIT_TAR_PIECES &&
		    text_u64((const char *)v->buf, v->len, 10, INT64_MAX,
		    &t->piece[t->npieces - 1].n);
	return true;
}

static bool
take_pair(struct tarstream *t, const struct cursor *k,
    const struct cursor *v)
{
	struct tarstream_said *s = &t->said;
	struct cursor start = *k;

	if (is(k, "GNU.sparse.name")) {
		s->sparse_name = true;
		return set_text(&s->name, v);
	}
	if (cursor_match(&start, (const uint8_t *)"GNU.sparse.", 11))
		return take_sparse(t, k, v);
	if (is(k, "path"))
		return s->sparse_name || set_text(&s->name, v);
	if (is(k, "linkpath"))
		return set_text(&s->link, v);
	if (is(k, "uname"))
		return v->len == 0 || set_text(&s->user, v);
	if (is(k, "gname"))
		return v->len == 0 || set_text(&s->group, v);
	if (is(k, "size"))
		return set_number(v, &s->size, &s->has_size);
	if (is(k, "uid"))
		return set_number(v, &s->uid, &s->has_uid);
	if (is(k, "gid"))
		return set_number(v, &s->gid, &s->has_gid);
	return !is(k, "mtime") || set_time(v, s);
}

/* One record: false when there is none. */
static bool
take_record(struct tarstream *t, struct cursor *c)
{
	struct cursor digits, rest, key, value;
	size_t before = cursor_left(c), used;
	uint64_t len;
	uint8_t last;

	if (!cursor_line(c, ' ', &digits) ||
	    !text_u64((const char *)digits.buf, digits.len, 10,
	    LIMIT_TAR_RECORDS, &len))
		return false;
	used = before - cursor_left(c);
	if (len < used + 1 || !cursor_sub(c, len - used - 1, &rest) ||
	    !cursor_u8(c, &last) || last != '\n' ||
	    !cursor_line(&rest, '=', &key))
		return false;
	cursor_init(&value, rest.buf + rest.off, cursor_left(&rest), 0);
	if (!take_pair(t, &key, &value))
		t->notes |= TARSTREAM_RECORD;
	return true;
}

void
tarstream_pax(struct tarstream *t, const uint8_t *p, size_t n)
{
	struct cursor c;

	cursor_init(&c, p, n, 0);
	while (!cursor_at_end(&c))
		if (!take_record(t, &c)) {
			t->notes |= TARSTREAM_RECORD;
			return;
		}
}
