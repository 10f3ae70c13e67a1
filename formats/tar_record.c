#include <string.h>

#include "base/arena.h"
#include "base/bytesrc.h"
#include "base/ckd.h"
#include "base/err.h"
#include "base/text.h"
#include "formats/format.h"
#include "formats/tar_header.h"

/*
 * Records that speak of the next member: POSIX pax (pax, "pax Extended
 * Header"), Solaris' 'X', which is the same, and GNU's long names.
 *
 * A reader that does not know them sees the header alone; a reader that does
 * takes their word.  So both must say the same wherever the header has room,
 * and a size above all: who takes the other one reads content as headers.
 * Writers make a record only for what does not fit.
 */
static bool
is_key(const struct cursor *key, const char *name)
{
	struct cursor k = *key;

	return k.len == strlen(name) &&
	    cursor_match(&k, (const uint8_t *)name, k.len);
}

static int
tell(struct parse *p, uint64_t off, uint64_t len, const char *what,
    const struct cursor *value)
{
	const struct fact f[] = {FACT_TEXT("what", what, strlen(what)),
	    FACT_TEXT("value", value->buf, value->len)};

	return format_anomaly(p, ANOMALY_TAR_RECORD, off, len, f, 2);
}

/* Two of one kind for one member: readers take the first or the last. */
static int
set_text(struct parse *p, const struct cursor *val, bool *has,
    const char **text, size_t *n, const char *what)
{
	char *copy;
	int r;

	if (*has && (*n != val->len || memcmp(*text, val->buf, *n) != 0) &&
	    (r = tell(p, val->base, val->len, what, val)) < 0)
		return r;
	if ((copy = arena_dup(p->arena, val->buf, val->len)) == NULL)
		return err_set(p->e, ERR_NOMEM, "out of memory");
	*text = copy;
	*n = val->len;
	*has = true;
	return 0;
}

static int
take_pair(struct parse *p, const struct cursor *key, const struct cursor *val,
    struct tar_next *next)
{
	uint64_t size;
	int r;

	if (is_key(key, "size")) {
		if (!text_u64((const char *)val->buf, val->len, 10,
		    INT64_MAX, &size))
			return 1;
		if (next->has_size && next->size != size && (r = tell(p,
		    val->base, val->len, "size twice", val)) < 0)
			return r;
		next->size = size;
		next->has_size = true;
		return 0;
	}
	if (is_key(key, "linkpath"))
		return set_text(p, val, &next->has_link, &next->link,
		    &next->link_len, "linkpath twice");
	if (is_key(key, "GNU.sparse.name")) {
		next->has_name = false;
		next->sparse_name = true;
		return set_text(p, val, &next->has_name, &next->name,
		    &next->name_len, "name twice");
	}
	if (is_key(key, "GNU.sparse.major") || is_key(key, "GNU.sparse.size"))
		next->sparse = true;
	if (!is_key(key, "path") || next->sparse_name)
		return 0;
	return set_text(p, val, &next->has_name, &next->name,
	    &next->name_len, "path twice");
}

/* Of the whole archive: these keys make all members one. */
static int
take_global(struct parse *p, const struct cursor *key,
    const struct cursor *val)
{
	static const char *const keys[] = {"path", "linkpath", "size",
	    "GNU.sparse.name"};

	for (unsigned i = 0; i < sizeof(keys) / sizeof(keys[0]); i++)
		if (is_key(key, keys[i]))
			return tell(p, key->base, key->len + 1 + val->len,
			    "a global header names members", val);
	return 0;
}

/* "%d %s=%s\n": the number counts the whole record. */
static int
read_pax(struct parse *p, struct cursor c, struct tar_next *next)
{
	struct cursor digits, rec, key, val;
	uint64_t len;
	size_t start;
	uint8_t nl;
	int r;

	while (!cursor_at_end(&c)) {
		start = c.off;
		if (!cursor_line(&c, ' ', &digits) ||
		    !text_u64((const char *)digits.buf, digits.len, 10,
		    UINT32_MAX, &len) || len < c.off - start + 1 ||
		    !cursor_sub(&c, len - (c.off - start), &rec) ||
		    !cursor_line(&rec, '=', &key) || cursor_left(&rec) == 0 ||
		    !cursor_sub(&rec, cursor_left(&rec) - 1, &val) ||
		    !cursor_u8(&rec, &nl) || nl != '\n')
			return 1;
		r = next != NULL ? take_pair(p, &key, &val, next) :
		    take_global(p, &key, &val);
		if (r != 0)
			return r;
	}
	return 0;
}

/* GNU's long name or link: text, and the NUL behind it. */
static int
read_long(struct parse *p, uint8_t type, struct cursor c,
    struct tar_next *next)
{
	struct cursor text;
	size_t n = strnlen((const char *)c.buf, c.len);

	if (n + 1 < c.len) {
		int r = tell(p, c.base + n, c.len - n,
		    "bytes behind a long name", &c);

		if (r < 0)
			return r;
	}
	if (!cursor_sub(&c, n, &text))
		return 1;
	return type == 'L' ? set_text(p, &text, &next->has_name, &next->name,
	    &next->name_len, "name twice") : set_text(p, &text,
	    &next->has_link, &next->link, &next->link_len, "link twice");
}

int
tar_record_read(struct parse *p, uint8_t type, uint64_t off, uint64_t size,
    struct tar_next *next)
{
	struct cursor c;
	uint8_t *buf;
	size_t n;
	int r;

	if (!ckd_size(&n, size) || (buf = arena_alloc(p->arena, n + 1)) ==
	    NULL)
		return err_set(p->e, ERR_NOMEM, "out of memory");
	if ((r = bytesrc_read(p->src, off, buf, n, p->e)) < 0)
		return r;
	cursor_init(&c, buf, n, off);
	if (type == 'L' || type == 'K')
		return read_long(p, type, c, next);
	if ((r = read_pax(p, c, type == 'g' ? NULL : next)) <= 0)
		return r;
	r = format_anomaly(p, ANOMALY_MALFORMED, off, size, NULL, 0);
	return r < 0 ? r : 1;
}

/* --- against the header ------------------------------------------------- */

static bool
is_ascii(const char *p, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if ((uint8_t)p[i] >= 0x80)
			return false;
	return true;
}

static size_t
base_of(const char *p, size_t n)
{
	while (n > 0 && p[n - 1] == '/')
		n--;
	while (n > 0 && p[n - 1] != '/')
		n--;
	return n;
}

/*
 * Could a writer have put ${short} where ${full} did not fit?  GNU tar and
 * Python cut it; bsdtar leaves out folders, and cuts the last component.
 * What is not ASCII is written in many ways.
 */
static bool
abbreviates(const char *cut, size_t n, const char *full, size_t m)
{
	size_t a = base_of(cut, n), b = base_of(full, m);

	if (!is_ascii(full, m))
		return true;
	if (n <= m && memcmp(cut, full, n) == 0)
		return n >= 99 || n + 1 >= m;
	if (m <= 100)
		return false;	/* it would have fitted */
	return n - a <= m - b && n > a &&
	    memcmp(cut + a, full + b, n - a) == 0;
}

int
tar_record_check(struct parse *p, const struct tar_next *next,
    const struct tar_header *h, uint64_t off)
{
	struct fact f[3];
	const char *what = NULL;

	f[1] = (struct fact)FACT_TEXT("header", h->name, h->name_len);
	if (next->has_name && !next->sparse_name && !abbreviates(h->name,
	    h->name_len, next->name, next->name_len)) {
		what = "name";
		f[2] = (struct fact)FACT_TEXT("record", next->name,
		    next->name_len);
	} else if (next->has_link && !abbreviates(h->link, h->link_len,
	    next->link, next->link_len)) {
		what = "link";
		f[1] = (struct fact)FACT_TEXT("header", h->link, h->link_len);
		f[2] = (struct fact)FACT_TEXT("record", next->link,
		    next->link_len);
	} else if (next->has_size && next->size != h->size &&
	    next->size < UINT64_C(1) << 33) {
		what = "size";
		f[1] = (struct fact)FACT_NUM("header", h->size);
		f[2] = (struct fact)FACT_NUM("record", next->size);
	}
	if (what == NULL)
		return 0;
	f[0] = (struct fact)FACT_TEXT("what", what, strlen(what));
	return format_anomaly(p, ANOMALY_TAR_RECORD, off, TAR_BLOCK, f, 3);
}
