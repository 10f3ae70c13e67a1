#include <string.h>

#include "base/buf.h"
#include "base/cursor.h"
#include "base/err.h"
#include "base/limits.h"
#include "base/text.h"
#include "custody/bag.h"
#include "custody/digest.h"

/*
 * Names.  A source path becomes a member name component by component, so
 * that '/' keeps its meaning and everything else is plain ASCII: no tool's
 * own escapes (sha256sum's backslash, BagIt's percent sign) ever apply.
 *
 *   component     becomes
 *   (empty)       =2F          "a//b", "a/"; no component can hold a '/'
 *   .  ..         =2E  =2E=2E
 *   other         bytes outside [A-Za-z0-9._@+,-] as =HH
 *   over 255      its first 198 to 200 bytes (an escape is never split),
 *                 "=~", 32 hex digits of SHA-256 of the component's bytes
 *
 * '=' is outside the set and '~' is never written but behind '=', so no two
 * components have one form, as long as SHA-256 has no collision.
 */
#define CUT_KEPT 200
#define CUT_TAIL 34	/* "=~" and 32 hex digits */

/* The full path, "BAG/name", must fit LIMIT_MEMBER_NAME. */
#define NAME_MAX_BYTES (LIMIT_MEMBER_NAME - 65)

const char bag_bagit_txt[] =
    "BagIt-Version: 1.0\nTag-File-Character-Encoding: UTF-8\n";

const char *
bag_class_name(enum bag_class c)
{
	static const char *const names[BAG_CLASSES] = {"weights", "training",
	    "registry", "api-logs", "host", "other"};

	return names[c];
}

bool
bag_class_parse(const char *name, size_t n, enum bag_class *ret)
{
	for (unsigned i = 0; i < BAG_CLASSES; i++) {
		const char *own = bag_class_name((enum bag_class)i);

		if (strlen(own) == n && memcmp(own, name, n) == 0) {
			*ret = (enum bag_class)i;
			return true;
		}
	}
	return false;
}

/* "data/<class>/": moves past them. */
static bool
match_class(struct cursor *c, enum bag_class *ret)
{
	struct cursor name;

	return cursor_match(c, (const uint8_t *)BAG_DATA,
	    strlen(BAG_DATA)) && cursor_line(c, '/', &name) &&
	    bag_class_parse((const char *)name.buf, name.len, ret);
}

bool
bag_member_class(const char *member, size_t n, enum bag_class *ret)
{
	struct cursor c;

	cursor_init(&c, (const uint8_t *)member, n, 0);
	return match_class(&c, ret);
}

static bool
is_alnum(uint8_t c)
{
	return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') ||
	    (c >= 'a' && c <= 'z');
}

static bool
is_plain(uint8_t c)
{
	return is_alnum(c) || (c != '\0' && strchr("._@+,-", c) != NULL);
}

bool
bag_name_ok(const char *name, size_t n)
{
	if (n == 0 || n > 64)
		return false;
	for (size_t i = 0; i < n; i++)
		if (!is_alnum((uint8_t)name[i]) && name[i] != '.' &&
		    name[i] != '_' && name[i] != '-')
			return false;
	return !(n == 1 && name[0] == '.') &&
	    !(n == 2 && name[0] == '.' && name[1] == '.');
}

static bool
is_dots(const uint8_t *p, size_t n)
{
	return (n == 1 && p[0] == '.') ||
	    (n == 2 && p[0] == '.' && p[1] == '.');
}

static void
put_byte(struct buf *b, uint8_t c, bool plain)
{
	if (plain)
		buf_putc(b, (char)c);
	else
		buf_printf(b, "=%02X", c);
}

static int
put_component(struct buf *b, const uint8_t *p, size_t n, struct err *e)
{
	bool dots = is_dots(p, n);
	struct digests d;
	size_t start = b->len, len = 0;
	char hex[65];
	int r;

	for (size_t i = 0; i < n; i++)
		len += !dots && is_plain(p[i]) ? 1 : 3;
	if (n == 0)
		buf_puts(b, "=2F");
	for (size_t i = 0; i < n; i++) {
		bool plain = !dots && is_plain(p[i]);

		if (len > LIMIT_COMPONENT &&
		    b->len - start + (plain ? 1 : 3) > CUT_KEPT)
			break;
		put_byte(b, p[i], plain);
	}
	if (len <= LIMIT_COMPONENT)
		return 0;
	if ((r = digest_mem(p, n, DIGEST_SHA256, &d, e)) < 0)
		return r;
	digest_hex(hex, d.sha256, 32);
	buf_puts(b, "=~");
	buf_put(b, hex, 32);
	return 0;
}

int
bag_member_name(struct buf *b, enum bag_class c, const char *path,
    size_t n, struct err *e)
{
	struct cursor left, part;
	size_t start = b->len;
	int r = 0;

	if (n == 0 || path[0] != '/')
		return err_set(e, ERR_ARG, "a source path is not absolute");
	buf_puts(b, BAG_DATA);
	buf_puts(b, bag_class_name(c));
	cursor_init(&left, (const uint8_t *)path, n, 0);
	if (!cursor_skip(&left, 1))
		return err_set(e, ERR_ARG, "a source path is empty");
	for (bool more = true; more && r >= 0;) {
		more = cursor_line(&left, '/', &part);
		if (!more && !cursor_sub(&left, cursor_left(&left), &part))
			break;
		buf_putc(b, '/');
		r = put_component(b, part.buf, part.len, e);
	}
	if (r >= 0 && buf_failed(b) != 0)
		r = err_set(e, (enum err_code)buf_failed(b),
		    "a member name is too long");
	if (r >= 0 && b->len - start > NAME_MAX_BYTES)
		r = err_set(e, ERR_LIMIT, "a member name is longer than %zu "
		    "bytes", (size_t)NAME_MAX_BYTES);
	if (r < 0 && b->len > start)
		b->len = start;
	return r;
}

/* "HH" in upper case behind a '='. */
static bool
unescape(struct cursor *c, uint8_t *ret)
{
	uint8_t v = 0, digit;

	for (unsigned i = 0; i < 2; i++) {
		if (!cursor_u8(c, &digit))
			return false;
		if (digit >= '0' && digit <= '9')
			v = (uint8_t)(v * 16 + digit - '0');
		else if (digit >= 'A' && digit <= 'F')
			v = (uint8_t)(v * 16 + digit - 'A' + 10);
		else
			return false;
	}
	*ret = v;
	return true;
}

/* Does the component end as a cut one does?  *kept: what stands before. */
static bool
is_cut(struct cursor c, struct cursor *kept)
{
	uint8_t raw[CUT_TAIL / 2];

	return c.len >= CUT_TAIL && cursor_sub(&c, c.len - CUT_TAIL, kept) &&
	    cursor_match(&c, (const uint8_t *)"=~", 2) &&
	    text_unhex(raw, (const char *)c.buf + c.off, CUT_TAIL - 2);
}

/*
 * Plain bytes and escapes to the end, decoded to ${b} (NULL: nowhere).
 * ${exact}: only those escapes that put_component writes.
 */
static bool
take_bytes(struct buf *b, struct cursor c, bool exact)
{
	uint8_t v;

	while (cursor_u8(&c, &v)) {
		if (v == '=') {
			if (!unescape(&c, &v) ||
			    (exact && (is_plain(v) || v == '/')))
				return false;
		} else if (!is_plain(v)) {
			return false;
		}
		if (b != NULL)
			buf_putc(b, (char)v);
	}
	return true;
}

static bool
component_ok(struct cursor c)
{
	struct cursor kept;

	if (c.len == 0 || c.len > LIMIT_COMPONENT || is_dots(c.buf, c.len))
		return false;
	return take_bytes(NULL, is_cut(c, &kept) ? kept : c, false);
}

static bool
put_source(struct buf *b, struct cursor c)
{
	struct cursor kept, rest = c;

	if (!component_ok(c))
		return false;
	if (is_cut(c, &kept)) {
		buf_put(b, c.buf, c.len);
		return kept.len >= CUT_KEPT - 2 && kept.len <= CUT_KEPT &&
		    take_bytes(NULL, kept, true);
	}
	if (c.len == 3 && cursor_match(&rest, (const uint8_t *)"=2F", 3))
		return true;
	if (c.len == 3 && cursor_match(&rest, (const uint8_t *)"=2E", 3)) {
		buf_puts(b, ".");
		return true;
	}
	if (c.len == 6 && cursor_match(&rest, (const uint8_t *)"=2E=2E", 6)) {
		buf_puts(b, "..");
		return true;
	}
	return take_bytes(b, c, true);
}

bool
bag_member_path(struct buf *b, const char *name, size_t n)
{
	struct cursor c, part;
	size_t start = b->len;
	enum bag_class class;
	bool more, ok;

	cursor_init(&c, (const uint8_t *)name, n, 0);
	if (n > NAME_MAX_BYTES || !match_class(&c, &class))
		return false;
	do {
		more = cursor_line(&c, '/', &part);
		if (!more && !cursor_sub(&c, cursor_left(&c), &part))
			return false;
		buf_putc(b, '/');
		ok = put_source(b, part);
	} while (more && ok);
	if (!ok && b->len > start)
		b->len = start;
	return ok && buf_failed(b) == 0;
}

bool
bag_member_ok(const char *name, size_t n)
{
	struct cursor c, part;
	bool more;

	if (n == 0 || n > NAME_MAX_BYTES)
		return false;
	cursor_init(&c, (const uint8_t *)name, n, 0);
	do {
		more = cursor_line(&c, '/', &part);
		if (!more && !cursor_sub(&c, cursor_left(&c), &part))
			return false;
		if (!component_ok(part))
			return false;
	} while (more);
	return true;
}
