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

/*@ requires \valid_read(p + (0 .. 3));
  @ assigns \nothing;
  @ ensures \result == cursor_le4(p);
  @*/
static uint32_t
le4(const uint8_t *p)
{
	return p[0] + 0x100U * p[1] + 0x10000U * p[2] +
	    0x1000000U * p[3];
}

/*@ requires \valid_read(p + (0 .. 3));
  @ assigns \nothing;
  @ ensures \result == cursor_be4(p);
  @*/
static uint32_t
be4(const uint8_t *p)
{
	return p[3] + 0x100U * p[2] + 0x10000U * p[1] +
	    0x1000000U * p[0];
}

bool
cursor_u16le(struct cursor *c, uint16_t *ret)
{
	const uint8_t *p;

	if (c->len - c->off < 2)
		return false;
	p = c->buf + c->off;
	*ret = (uint16_t)(p[0] + 0x100U * p[1]);
	c->off += 2;
	return true;
}

bool
cursor_u32le(struct cursor *c, uint32_t *ret)
{
	if (c->len - c->off < 4)
		return false;
	*ret = le4(c->buf + c->off);
	c->off += 4;
	return true;
}

bool
cursor_u64le(struct cursor *c, uint64_t *ret)
{
	const uint8_t *p;
	uint32_t lo, hi;

	if (c->len - c->off < 8)
		return false;
	p = c->buf + c->off;
	lo = le4(p);
	hi = le4(p + 4);
	*ret = lo + 0x100000000U * hi;
	c->off += 8;
	return true;
}

bool
cursor_u16be(struct cursor *c, uint16_t *ret)
{
	const uint8_t *p;

	if (c->len - c->off < 2)
		return false;
	p = c->buf + c->off;
	*ret = (uint16_t)(p[1] + 0x100U * p[0]);
	c->off += 2;
	return true;
}

bool
cursor_u32be(struct cursor *c, uint32_t *ret)
{
	if (c->len - c->off < 4)
		return false;
	*ret = be4(c->buf + c->off);
	c->off += 4;
	return true;
}

bool
cursor_u64be(struct cursor *c, uint64_t *ret)
{
	const uint8_t *p;
	uint32_t lo, hi;

	if (c->len - c->off < 8)
		return false;
	p = c->buf + c->off;
	lo = be4(p + 4);
	hi = be4(p);
	*ret = lo + 0x100000000U * hi;
	c->off += 8;
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

/*@ requires \valid(dst + (0 .. n - 1)) && \valid_read(src + (0 .. n - 1));
  @ requires \separated(dst + (0 .. n - 1), src + (0 .. n - 1));
  @ assigns dst[0 .. n - 1];
  @ ensures \forall integer k; 0 <= k < n ==> dst[k] == src[k];
  @*/
static void
copy(uint8_t *dst, const uint8_t *src, size_t n)
{
	size_t i;

	/*@ loop invariant 0 <= i <= n;
	  @ loop invariant \forall integer k; 0 <= k < i ==> dst[k] == src[k];
	  @ loop assigns i, dst[0 .. n - 1];
	  @ loop variant n - i;
	  @*/
	for (i = 0; i < n; i++)
		dst[i] = src[i];
}

bool
cursor_copy(struct cursor *c, uint8_t *dst, size_t n)
{
	if (n > c->len - c->off)
		return false;
	if (n == 0)
		return true; /* buf may be NULL */
	copy(dst, c->buf + c->off, n);
	c->off += n;
	return true;
}

bool
cursor_sub(struct cursor *c, uint64_t n, struct cursor *child)
{
	if (n > c->len - c->off)
		return false;
	child->buf = c->off == 0 ? c->buf : c->buf + c->off;
	child->len = (size_t)n;
	child->off = 0;
	child->base = c->base + c->off;
	/*@ assert c->buf == \at(c->buf, Pre); */
	/*@ assert c->len == \at(c->len, Pre) && c->off == \at(c->off, Pre); */
	c->off += (size_t)n;
	return true;
}

bool
cursor_line(struct cursor *c, uint8_t stop, struct cursor *child)
{
	const uint8_t *p = c->buf;
	size_t o = c->off;
	size_t len = c->len;
	size_t i;

	/*@ loop invariant o <= i <= len;
	  @ loop invariant \forall integer k; o <= k < i ==> p[k] != stop;
	  @ loop assigns i;
	  @ loop variant len - i;
	  @*/
	for (i = o; i < len; i++)
		if (p[i] == stop)
			break;
	if (i == len)
		return false;
	child->buf = p + o;
	child->len = i - o;
	child->off = 0;
	child->base = c->base + o;
	c->off = i + 1;
	return true;
}

/*
 * The place after the last byte of the varint at p[o..len), or o when it
 * does not end in ten bytes or does not fit.
 */
/*@ requires o <= len && \valid_read(p + (0 .. len - 1));
  @ assigns \nothing;
  @ ensures o <= \result <= len && \result - o <= 10;
  @ ensures \result > o ==> p[\result - 1] < 0x80;
  @ ensures \forall integer k; o <= k < \result - 1 ==> p[k] >= 0x80;
  @ ensures \result == o + 10 ==> p[o + 9] <= 1;
  @ ensures \result == o ==>
  @   \forall integer k; o <= k < o + 9 && k < len ==> p[k] >= 0x80;
  @ ensures \result == o && o + 10 <= len ==> p[o + 9] > 1;
  @*/
static size_t
varint_end(const uint8_t *p, size_t o, size_t len)
{
	size_t i;

	/*@ loop invariant o <= i <= len && i - o <= 9;
	  @ loop invariant \forall integer k; o <= k < i ==> p[k] >= 0x80;
	  @ loop assigns i;
	  @ loop variant len - i;
	  @*/
	for (i = o; i < len && i - o < 9; i++)
		if (p[i] < 0x80)
			return i + 1;
	/*@ assert i == len || i == o + 9; */
	if (i == len)
		return o;
	/* A tenth byte has room for bit 63 alone. */
	return p[i] <= 1 ? i + 1 : o;
}

/* What the top bits are below when k groups are still to come. */
/*@ logic integer leb_bound(integer k) =
  @   k <= 0 ? 0x10000000000000000 : k == 1 ? 0x200000000000000 :
  @   k == 2 ? 0x4000000000000 : k == 3 ? 0x80000000000 :
  @   k == 4 ? 0x1000000000 : k == 5 ? 0x20000000 : k == 6 ? 0x400000 :
  @   k == 7 ? 0x8000 : k == 8 ? 0x100 : k == 9 ? 2 : 1;
  @*/

/*@ requires o < end && end - o <= 10;
  @ requires \valid_read(p + (o .. end - 1));
  @ requires end - o == 10 ==> p[o + 9] <= 1;
  @ assigns \nothing;
  @ ensures \result == leb(p, o, end);
  @*/
static uint64_t
varint_value(const uint8_t *p, size_t o, size_t end)
{
	uint64_t v = 0;
	size_t i;

	/*@ loop invariant o <= i <= end;
	  @ loop invariant v == leb(p, i, end) && v < leb_bound(i - o);
	  @ loop assigns i, v;
	  @ loop variant i;
	  @*/
	for (i = end; i > o; i--)
		v = v * 128 + p[i - 1] % 128;
	return v;
}

bool
cursor_varint(struct cursor *c, uint64_t *ret)
{
	const uint8_t *p = c->buf;
	size_t o = c->off;
	size_t end = varint_end(p, o, c->len);

	if (end == o)
		return false;
	*ret = varint_value(p, o, end);
	c->off = end;
	return true;
}

/*@ requires \valid_read(a + (0 .. n - 1)) && \valid_read(b + (0 .. n - 1));
  @ assigns \nothing;
  @ ensures \result == \true <==>
  @   \forall integer k; 0 <= k < n ==> a[k] == b[k];
  @*/
static bool
same(const uint8_t *a, const uint8_t *b, size_t n)
{
	size_t i;

	/*@ loop invariant 0 <= i <= n;
	  @ loop invariant \forall integer k; 0 <= k < i ==> a[k] == b[k];
	  @ loop assigns i;
	  @ loop variant n - i;
	  @*/
	for (i = 0; i < n; i++)
		if (a[i] != b[i])
			return false;
	return true;
}

bool
cursor_match(struct cursor *c, const uint8_t *lit, size_t n)
{
	if (n > c->len - c->off)
		return false;
	if (n == 0)
		return true; /* buf may be NULL */
	if (!same(c->buf + c->off, lit, n))
		return false;
	c->off += n;
	return true;
}
