#include <string.h>

#include "base/arena.h"
#include "base/bytesrc.h"
#include "base/ckd.h"
#include "base/err.h"
#include "base/text.h"
#include "formats/format.h"
#include "formats/tar_header.h"

/* A number: octal with blanks or NUL around it, or GNU's base 256. */
static bool
number(struct cursor c, uint64_t *ret)
{
	uint64_t v = 0;
	uint8_t b;

	if (!cursor_peek(&c, 0, &b))
		return false;
	if (b == 0x80) {
		if (!cursor_skip(&c, 1))
			return false;
		while (cursor_u8(&c, &b))
			if (!ckd_mul64(&v, v, 256) || !ckd_add64(&v, v, b))
				return false;
		*ret = v;
		return true;
	}
	while (cursor_peek(&c, 0, &b) && b == ' ')
		if (!cursor_skip(&c, 1))
			return false;
	while (cursor_peek(&c, 0, &b) && b >= '0' && b <= '7') {
		if (!ckd_mul64(&v, v, 8) ||
		    !ckd_add64(&v, v, (uint64_t)(b - '0')) ||
		    !cursor_skip(&c, 1))
			return false;
	}
	*ret = v;
	return cursor_at_end(&c) || b == ' ' || b == '\0';
}

static bool
field(const uint8_t *block, size_t off, size_t n, uint64_t *ret)
{
	struct cursor c, sub;

	cursor_init(&c, block, TAR_BLOCK, 0);
	return cursor_seek(&c, off) && cursor_sub(&c, n, &sub) &&
	    number(sub, ret);
}

/* Text up to its NUL or the field's end. */
static size_t
text(const uint8_t *block, size_t off, size_t n, char *dst)
{
	struct cursor c;
	size_t len;

	cursor_init(&c, block, TAR_BLOCK, 0);
	if (!cursor_seek(&c, off) || !cursor_copy(&c, (uint8_t *)dst, n))
		return 0;
	len = strnlen(dst, n);
	dst[len] = '\0';
	return len;
}

static bool
checksum_ok(const uint8_t *block)
{
	uint64_t stated, sum = 0;
	int64_t signed_sum = 0;

	if (!field(block, 148, 8, &stated))
		return false;
	for (size_t i = 0; i < TAR_BLOCK; i++) {
		uint8_t b = i >= 148 && i < 156 ? ' ' : block[i];

		sum += b;
		signed_sum += (int8_t)b;
	}
	return stated == sum ||
	    (signed_sum >= 0 && stated == (uint64_t)signed_sum);
}

bool
tar_header_read(const uint8_t block[TAR_BLOCK], struct tar_header *ret)
{
	struct tar_header h = {0};
	char name[101], prefix[156];
	size_t n, m = 0;
	struct cursor c;

	cursor_init(&c, block, TAR_BLOCK, 0);
	h.checksum_ok = checksum_ok(block);
	if (!field(block, 100, 8, &h.mode) || !field(block, 124, 12, &h.size))
		return false;
	if (!cursor_seek(&c, 156) || !cursor_u8(&c, &h.type) ||
	    !cursor_seek(&c, 257))
		return false;
	h.magic = cursor_match(&c, (const uint8_t *)"ustar", 5);
	n = text(block, 0, 100, name);
	/* GNU uses the prefix field for other things: its magic has a blank. */
	if (h.magic && cursor_match(&c, (const uint8_t *)"\0", 1))
		m = text(block, 345, 155, prefix);
	if (m > 0) {
		memcpy(h.name, prefix, m);
		h.name[m++] = '/';
	}
	memcpy(h.name + m, name, n);
	h.name_len = m + n;
	h.link_len = text(block, 157, 100, h.link);
	*ret = h;
	return true;
}

bool
tar_is_zero(const uint8_t block[TAR_BLOCK])
{
	for (size_t i = 0; i < TAR_BLOCK; i++)
		if (block[i] != 0)
			return false;
	return true;
}

bool
tar_is_record(uint8_t type)
{
	return type == 'x' || type == 'g' || type == 'L' || type == 'K';
}

static bool
is_key(const struct cursor *key, const char *name)
{
	struct cursor k = *key;

	return k.len == strlen(name) &&
	    cursor_match(&k, (const uint8_t *)name, k.len);
}

static int
take_pair(struct parse *p, const struct cursor *key, const struct cursor *val,
    struct tar_next *next)
{
	char *copy;

	if (is_key(key, "size")) {
		next->has_size = text_u64((const char *)val->buf, val->len, 10,
		    UINT64_MAX, &next->size);
		return next->has_size ? 0 : 1;
	}
	if (!is_key(key, "path") && !is_key(key, "linkpath"))
		return 0;
	if ((copy = arena_dup(p->arena, val->buf, val->len)) == NULL)
		return err_set(p->e, ERR_NOMEM, "out of memory");
	if (is_key(key, "path")) {
		next->name = copy;
		next->name_len = val->len;
		next->has_name = true;
	} else {
		next->link = copy;
		next->link_len = val->len;
		next->has_link = true;
	}
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
		if ((r = take_pair(p, &key, &val, next)) != 0)
			return r;
	}
	return 0;
}

int
tar_record_read(struct parse *p, uint8_t type, uint64_t off, uint64_t size,
    struct tar_next *next)
{
	struct cursor c;
	uint8_t *buf;
	size_t n;
	int r;

	if (type == 'g')
		return 0;	/* of the whole archive: nothing that we use */
	if (!ckd_size(&n, size) || (buf = arena_alloc(p->arena, n + 1)) ==
	    NULL)
		return err_set(p->e, ERR_NOMEM, "out of memory");
	if ((r = bytesrc_read(p->src, off, buf, n, p->e)) < 0)
		return r;
	cursor_init(&c, buf, n, off);
	if (type == 'x') {
		if ((r = read_pax(p, c, next)) <= 0)
			return r;
		r = format_anomaly(p, ANOMALY_MALFORMED, off, size, NULL, 0);
		return r < 0 ? r : 1;
	}
	if (type == 'L') {
		next->name = (const char *)buf;
		next->name_len = strnlen((const char *)buf, n);
		next->has_name = true;
	} else {
		next->link = (const char *)buf;
		next->link_len = strnlen((const char *)buf, n);
		next->has_link = true;
	}
	return 0;
}
