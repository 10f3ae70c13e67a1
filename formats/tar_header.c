#include <string.h>

#include "base/ckd.h"
#include "base/cursor.h"
#include "formats/tar_header.h"

/* A number: octal with blanks or NUL around it, or GNU's base 256. */
static bool
number(struct cursor c, uint64_t *ret)
{
	uint64_t v = 0;
	uint8_t b;

	if (!cursor_peek(&c, 0, &b))
		return false;
	if (b == 0x80) {	/* 0xff begins a negative one: no size is */
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

bool
tar_header_number(const uint8_t *block, size_t off, size_t n, uint64_t *ret)
{
	struct cursor c, sub;

	cursor_init(&c, block, TAR_BLOCK, 0);
	return cursor_seek(&c, off) && cursor_sub(&c, n, &sub) &&
	    number(sub, ret);
}

/* Text up to its NUL or the field's end; *tail is what is behind the NUL. */
static size_t
text(const uint8_t *block, size_t off, size_t n, char *dst, size_t *tail)
{
	struct cursor c;
	size_t len;

	cursor_init(&c, block, TAR_BLOCK, 0);
	if (!cursor_seek(&c, off) || !cursor_copy(&c, (uint8_t *)dst, n))
		return 0;
	len = strnlen(dst, n);
	dst[len] = '\0';
	*tail = n - len;
	return len;
}

static bool
checksum_ok(const uint8_t *block)
{
	uint64_t stated, sum = 0;
	int64_t signed_sum = 0;

	if (!tar_header_number(block, 148, 8, &stated))
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
	size_t n, m = 0, ignored;
	struct cursor c;
	uint8_t more;

	cursor_init(&c, block, TAR_BLOCK, 0);
	h.checksum_ok = checksum_ok(block);
	if (!tar_header_number(block, 100, 8, &h.mode) ||
	    !tar_header_number(block, 124, 12, &h.size))
		return false;
	if (!cursor_seek(&c, 156) || !cursor_u8(&c, &h.type) ||
	    !cursor_seek(&c, 257))
		return false;
	h.magic = cursor_match(&c, (const uint8_t *)"ustar", 5);
	n = text(block, 0, 100, name, &h.name_tail);
	/* GNU uses the prefix field for other things: its magic has a blank. */
	h.posix = h.magic && cursor_match(&c, (const uint8_t *)"\0", 1);
	if (h.posix)
		m = text(block, 345, 155, prefix, &ignored);
	h.extended = h.type == 'S' && cursor_seek(&c, 482) &&
	    cursor_u8(&c, &more) && more != 0;
	if (m > 0) {
		memcpy(h.name, prefix, m);
		h.name[m++] = '/';
	}
	memcpy(h.name + m, name, n);
	h.name_len = m + n;
	h.link_len = text(block, 157, 100, h.link, &h.link_tail);
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
	return type == 'x' || type == 'X' || type == 'g' || type == 'L' ||
	    type == 'K';
}

bool
tar_map_continues(const uint8_t block[TAR_BLOCK])
{
	return block[504] != 0;
}
