#include "base/cursor.h"

void
cursor_init(struct cursor *c, const uint8_t *buf, size_t len, uint64_t base)
{
	c->buf = buf;
	c->len = len;
	c->off = 0;
	c->base = base;
}

size_t
cursor_left(const struct cursor *c)
{
	return c->len - c->off;
}

bool
cursor_at_end(const struct cursor *c)
{
	return c->off == c->len;
}

uint64_t
cursor_tell(const struct cursor *c)
{
	return c->base + c->off;
}

bool
cursor_skip(struct cursor *c, uint64_t n)
{
	if (n > c->len - c->off)
		return false;
	c->off += (size_t)n;
	return true;
}

bool
cursor_seek(struct cursor *c, uint64_t off)
{
	if (off > c->len)
		return false;
	c->off = (size_t)off;
	return true;
}

bool
cursor_u8(struct cursor *c, uint8_t *ret)
{
	if (c->len - c->off < 1)
		return false;
	*ret = c->buf[c->off];
	c->off += 1;
	return true;
}

bool
cursor_u16le(struct cursor *c, uint16_t *ret)
{
	const uint8_t *p = c->buf;
	size_t o = c->off;

	if (c->len - o < 2)
		return false;
	*ret = (uint16_t)(p[o] + 0x100U * p[o + 1]);
	c->off = o + 2;
	return true;
}

bool
cursor_u32le(struct cursor *c, uint32_t *ret)
{
	const uint8_t *p = c->buf;
	size_t o = c->off;

	if (c->len - o < 4)
		return false;
	*ret = p[o] + 0x100U * p[o + 1] + 0x10000U * p[o + 2] +
	    0x1000000U * p[o + 3];
	c->off = o + 4;
	return true;
}

bool
cursor_u64le(struct cursor *c, uint64_t *ret)
{
	const uint8_t *p = c->buf;
	size_t o = c->off;
	uint64_t lo, hi;

	if (c->len - o < 8)
		return false;
	lo = p[o] + 0x100U * p[o + 1] + 0x10000U * p[o + 2] +
	    0x1000000U * p[o + 3];
	hi = p[o + 4] + 0x100U * p[o + 5] + 0x10000U * p[o + 6] +
	    0x1000000U * p[o + 7];
	*ret = lo + 0x100000000U * hi;
	c->off = o + 8;
	return true;
}

bool
cursor_u16be(struct cursor *c, uint16_t *ret)
{
	const uint8_t *p = c->buf;
	size_t o = c->off;

	if (c->len - o < 2)
		return false;
	*ret = (uint16_t)(p[o + 1] + 0x100U * p[o]);
	c->off = o + 2;
	return true;
}

bool
cursor_u32be(struct cursor *c, uint32_t *ret)
{
	const uint8_t *p = c->buf;
	size_t o = c->off;

	if (c->len - o < 4)
		return false;
	*ret = p[o + 3] + 0x100U * p[o + 2] + 0x10000U * p[o + 1] +
	    0x1000000U * p[o];
	c->off = o + 4;
	return true;
}

bool
cursor_u64be(struct cursor *c, uint64_t *ret)
{
	const uint8_t *p = c->buf;
	size_t o = c->off;
	uint64_t lo, hi;

	if (c->len - o < 8)
		return false;
	hi = p[o + 3] + 0x100U * p[o + 2] + 0x10000U * p[o + 1] +
	    0x1000000U * p[o];
	lo = p[o + 7] + 0x100U * p[o + 6] + 0x10000U * p[o + 5] +
	    0x1000000U * p[o + 4];
	*ret = lo + 0x100000000U * hi;
	c->off = o + 8;
	return true;
}

bool
cursor_peek(const struct cursor *c, size_t ahead, uint8_t *ret)
{
	if (ahead >= c->len - c->off)
		return false;
	*ret = c->buf[c->off + ahead];
	return true;
}

bool
cursor_copy(struct cursor *c, uint8_t *dst, size_t n)
{
	const uint8_t *p = c->buf;
	size_t o = c->off;
	size_t i;

	if (n > c->len - o)
		return false;
	for (i = 0; i < n; i++)
		dst[i] = p[o + i];
	c->off = o + n;
	return true;
}

bool
cursor_sub(struct cursor *c, uint64_t n, struct cursor *child)
{
	if (n > c->len - c->off)
		return false;
	child->buf = n == 0 ? c->buf : c->buf + c->off;
	child->len = (size_t)n;
	child->off = 0;
	child->base = c->base + c->off;
	c->off += (size_t)n;
	return true;
}

bool
cursor_line(struct cursor *c, uint8_t stop, struct cursor *child)
{
	const uint8_t *p = c->buf;
	size_t len = c->len;
	size_t i;

	for (i = c->off; i < len; i++)
		if (p[i] == stop)
			break;
	if (i == len)
		return false;
	child->buf = p + c->off;
	child->len = i - c->off;
	child->off = 0;
	child->base = c->base + c->off;
	c->off = i + 1;
	return true;
}

bool
cursor_varint(struct cursor *c, uint64_t *ret)
{
	const uint8_t *p = c->buf;
	size_t left = c->len - c->off;
	size_t i;
	uint64_t v = 0;
	uint8_t b;

	for (i = 0; i < 10 && i < left; i++) {
		b = p[c->off + i];
		if (i == 9 && b > 1)
			return false; /* bit 64 and up */
		v |= (uint64_t)(b & 0x7f) << (7 * i);
		if (b < 0x80) {
			*ret = v;
			c->off += i + 1;
			return true;
		}
	}
	return false;
}

bool
cursor_match(struct cursor *c, const uint8_t *lit, size_t n)
{
	const uint8_t *p = c->buf;
	size_t o = c->off;
	size_t i;

	if (n > c->len - o)
		return false;
	for (i = 0; i < n; i++)
		if (p[o + i] != lit[i])
			return false;
	c->off = o + n;
	return true;
}
