#ifndef BASE_CURSOR_H_
#define BASE_CURSOR_H_

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * A bounds-checked walk over bytes in memory.
 *
 * Invariant: off <= len, and buf[0..len) is readable.  Every read returns
 * true and moves past what it read, or returns false and moves nothing and
 * writes nothing.  A length that comes from the bytes is compared with what
 * is LEFT, never added to something first.
 *
 * ${base} is the absolute offset of buf[0] in the object that is examined,
 * so that a finding can say where a byte stands; cursor_sub keeps it true.
 *
 * A cursor is a value: copy it to look ahead.  It owns nothing.  It does NOT
 * complain about leftovers: ask cursor_at_end, and make them an anomaly.
 *
 * Every function here carries a contract that `make prove` discharges.
 */
struct cursor {
	const uint8_t *buf;
	size_t len;
	size_t off;
	uint64_t base;
};

#define CURSOR_MUST_CHECK __attribute__((warn_unused_result))

/*
 * The contract's words.  cursor_ok is the invariant above, and that neither
 * the cursor lies in its own bytes nor an absolute offset wraps; cursor_le
 * and cursor_be are the value of n bytes at p; leb is the value
 * of the groups of a varint in p[o..end).
 */
/*@ predicate cursor_ok{L}(struct cursor *c) =
  @   \valid(c) && c->off <= c->len && c->base + c->len <= UINT64_MAX &&
  @   \valid_read(c->buf + (0 .. c->len - 1)) &&
  @   \separated(c, c->buf + (0 .. c->len - 1));
  @ logic integer cursor_le2{L}(uint8_t *p) = p[0] + 0x100 * p[1];
  @ logic integer cursor_be2{L}(uint8_t *p) = 0x100 * p[0] + p[1];
  @ logic integer cursor_le4{L}(uint8_t *p) =
  @   p[0] + 0x100 * p[1] + 0x10000 * p[2] + 0x1000000 * p[3];
  @ logic integer cursor_be4{L}(uint8_t *p) =
  @   0x1000000 * p[0] + 0x10000 * p[1] + 0x100 * p[2] + p[3];
  @ logic integer leb{L}(uint8_t *p, integer o, integer end) =
  @   o >= end ? 0 : p[o] % 0x80 + 0x80 * leb(p, o + 1, end);
  @*/

/*
 * cursor_init: a cursor over buf[0..len); ${buf} may be NULL if len is 0.
 * base + len must not wrap.
 */
/*@ requires \valid(c) && \valid_read(buf + (0 .. len - 1));
  @ requires \separated(c, buf + (0 .. len - 1));
  @ requires base + len <= UINT64_MAX;
  @ assigns *c;
  @ ensures cursor_ok(c);
  @ ensures c->buf == buf && c->len == len && c->off == 0;
  @ ensures c->base == base;
  @*/
void cursor_init(struct cursor *c, const uint8_t *buf, size_t len,
    uint64_t base);

/* cursor_left: bytes not yet read. */
/*@ requires cursor_ok(c);
  @ assigns \nothing;
  @ ensures \result == c->len - c->off;
  @*/
size_t cursor_left(const struct cursor *c);

/*@ requires cursor_ok(c);
  @ assigns \nothing;
  @ ensures \result == \true <==> c->off == c->len;
  @*/
bool cursor_at_end(const struct cursor *c);

/* cursor_tell: absolute offset of the next byte (base + off). */
/*@ requires cursor_ok(c);
  @ assigns \nothing;
  @ ensures \result == c->base + c->off;
  @*/
uint64_t cursor_tell(const struct cursor *c);

/*@ requires cursor_ok(c);
  @ assigns c->off;
  @ behavior ok:
  @   assumes n <= c->len - c->off;
  @   assigns c->off;
  @   ensures \result == \true && cursor_ok(c);
  @   ensures c->off == \old(c->off) + n;
  @ behavior no:
  @   assumes n > c->len - c->off;
  @   assigns \nothing;
  @   ensures \result == \false;
  @ complete behaviors;
  @ disjoint behaviors;
  @*/
CURSOR_MUST_CHECK bool cursor_skip(struct cursor *c, uint64_t n);

/* cursor_seek: go to ${off} bytes from the cursor's start. */
/*@ requires cursor_ok(c);
  @ assigns c->off;
  @ behavior ok:
  @   assumes off <= c->len;
  @   assigns c->off;
  @   ensures \result == \true && cursor_ok(c);
  @   ensures c->off == off;
  @ behavior no:
  @   assumes off > c->len;
  @   assigns \nothing;
  @   ensures \result == \false;
  @ complete behaviors;
  @ disjoint behaviors;
  @*/
CURSOR_MUST_CHECK bool cursor_seek(struct cursor *c, uint64_t off);

/*@ requires cursor_ok(c) && \valid(ret) && \separated(ret, c);
  @ requires \separated(ret, c->buf + (0 .. c->len - 1));
  @ assigns *ret, c->off;
  @ behavior ok:
  @   assumes c->len - c->off >= 1;
  @   assigns *ret, c->off;
  @   ensures \result == \true && cursor_ok(c);
  @   ensures c->off == \old(c->off) + 1;
  @   ensures *ret == c->buf[\old(c->off)];
  @ behavior no:
  @   assumes c->len - c->off < 1;
  @   assigns \nothing;
  @   ensures \result == \false;
  @ complete behaviors;
  @ disjoint behaviors;
  @*/
CURSOR_MUST_CHECK bool cursor_u8(struct cursor *c, uint8_t *ret);

/*@ requires cursor_ok(c) && \valid(ret) && \separated(ret, c);
  @ requires \separated(ret, c->buf + (0 .. c->len - 1));
  @ assigns *ret, c->off;
  @ behavior ok:
  @   assumes c->len - c->off >= 2;
  @   assigns *ret, c->off;
  @   ensures \result == \true && cursor_ok(c);
  @   ensures c->off == \old(c->off) + 2;
  @   ensures *ret == cursor_le2(\old(c->buf + c->off));
  @ behavior no:
  @   assumes c->len - c->off < 2;
  @   assigns \nothing;
  @   ensures \result == \false;
  @ complete behaviors;
  @ disjoint behaviors;
  @*/
CURSOR_MUST_CHECK bool cursor_u16le(struct cursor *c, uint16_t *ret);

/*@ requires cursor_ok(c) && \valid(ret) && \separated(ret, c);
  @ requires \separated(ret, c->buf + (0 .. c->len - 1));
  @ assigns *ret, c->off;
  @ behavior ok:
  @   assumes c->len - c->off >= 4;
  @   assigns *ret, c->off;
  @   ensures \result == \true && cursor_ok(c);
  @   ensures c->off == \old(c->off) + 4;
  @   ensures *ret == cursor_le4(\old(c->buf + c->off));
  @ behavior no:
  @   assumes c->len - c->off < 4;
  @   assigns \nothing;
  @   ensures \result == \false;
  @ complete behaviors;
  @ disjoint behaviors;
  @*/
CURSOR_MUST_CHECK bool cursor_u32le(struct cursor *c, uint32_t *ret);

/*@ requires cursor_ok(c) && \valid(ret) && \separated(ret, c);
  @ requires \separated(ret, c->buf + (0 .. c->len - 1));
  @ assigns *ret, c->off;
  @ behavior ok:
  @   assumes c->len - c->off >= 8;
  @   assigns *ret, c->off;
  @   ensures \result == \true && cursor_ok(c);
  @   ensures c->off == \old(c->off) + 8;
  @   ensures *ret == cursor_le4(\old(c->buf + c->off)) +
  @     0x100000000 * cursor_le4(\old(c->buf + c->off) + 4);
  @ behavior no:
  @   assumes c->len - c->off < 8;
  @   assigns \nothing;
  @   ensures \result == \false;
  @ complete behaviors;
  @ disjoint behaviors;
  @*/
CURSOR_MUST_CHECK bool cursor_u64le(struct cursor *c, uint64_t *ret);

/*@ requires cursor_ok(c) && \valid(ret) && \separated(ret, c);
  @ requires \separated(ret, c->buf + (0 .. c->len - 1));
  @ assigns *ret, c->off;
  @ behavior ok:
  @   assumes c->len - c->off >= 2;
  @   assigns *ret, c->off;
  @   ensures \result == \true && cursor_ok(c);
  @   ensures c->off == \old(c->off) + 2;
  @   ensures *ret == cursor_be2(\old(c->buf + c->off));
  @ behavior no:
  @   assumes c->len - c->off < 2;
  @   assigns \nothing;
  @   ensures \result == \false;
  @ complete behaviors;
  @ disjoint behaviors;
  @*/
CURSOR_MUST_CHECK bool cursor_u16be(struct cursor *c, uint16_t *ret);

/*@ requires cursor_ok(c) && \valid(ret) && \separated(ret, c);
  @ requires \separated(ret, c->buf + (0 .. c->len - 1));
  @ assigns *ret, c->off;
  @ behavior ok:
  @   assumes c->len - c->off >= 4;
  @   assigns *ret, c->off;
  @   ensures \result == \true && cursor_ok(c);
  @   ensures c->off == \old(c->off) + 4;
  @   ensures *ret == cursor_be4(\old(c->buf + c->off));
  @ behavior no:
  @   assumes c->len - c->off < 4;
  @   assigns \nothing;
  @   ensures \result == \false;
  @ complete behaviors;
  @ disjoint behaviors;
  @*/
CURSOR_MUST_CHECK bool cursor_u32be(struct cursor *c, uint32_t *ret);

/*@ requires cursor_ok(c) && \valid(ret) && \separated(ret, c);
  @ requires \separated(ret, c->buf + (0 .. c->len - 1));
  @ assigns *ret, c->off;
  @ behavior ok:
  @   assumes c->len - c->off >= 8;
  @   assigns *ret, c->off;
  @   ensures \result == \true && cursor_ok(c);
  @   ensures c->off == \old(c->off) + 8;
  @   ensures *ret == cursor_be4(\old(c->buf + c->off) + 4) +
  @     0x100000000 * cursor_be4(\old(c->buf + c->off));
  @ behavior no:
  @   assumes c->len - c->off < 8;
  @   assigns \nothing;
  @   ensures \result == \false;
  @ complete behaviors;
  @ disjoint behaviors;
  @*/
CURSOR_MUST_CHECK bool cursor_u64be(struct cursor *c, uint64_t *ret);

/* cursor_peek: the byte ${ahead} places on, without moving. */
/*@ requires cursor_ok(c) && \valid(ret) && \separated(ret, c);
  @ requires \separated(ret, c->buf + (0 .. c->len - 1));
  @ assigns *ret;
  @ behavior ok:
  @   assumes ahead < c->len - c->off;
  @   assigns *ret;
  @   ensures \result == \true;
  @   ensures *ret == c->buf[c->off + ahead];
  @ behavior no:
  @   assumes ahead >= c->len - c->off;
  @   assigns \nothing;
  @   ensures \result == \false;
  @ complete behaviors;
  @ disjoint behaviors;
  @*/
CURSOR_MUST_CHECK bool cursor_peek(const struct cursor *c, size_t ahead,
    uint8_t *ret);

/* cursor_copy: read ${n} bytes into dst[0..n), which must not overlap buf. */
/*@ requires cursor_ok(c) && \valid(dst + (0 .. n - 1));
  @ requires \separated(c, dst + (0 .. n - 1));
  @ requires \separated(dst + (0 .. n - 1), c->buf + (0 .. c->len - 1));
  @ assigns dst[0 .. n - 1], c->off;
  @ behavior ok:
  @   assumes n <= c->len - c->off;
  @   assigns dst[0 .. n - 1], c->off;
  @   ensures \result == \true && cursor_ok(c);
  @   ensures c->off == \old(c->off) + n;
  @   ensures \forall integer k; 0 <= k < n ==>
  @     dst[k] == c->buf[\old(c->off) + k];
  @ behavior no:
  @   assumes n > c->len - c->off;
  @   assigns \nothing;
  @   ensures \result == \false;
  @ complete behaviors;
  @ disjoint behaviors;
  @*/
CURSOR_MUST_CHECK bool cursor_copy(struct cursor *c, uint8_t *dst, size_t n);

/*
 * cursor_sub: a child over the next ${n} bytes, which it cannot look
 * outside of; the parent moves past them.  ${child} != ${c}.
 */
/*@ requires cursor_ok(c) && \valid(child) && \separated(child, c);
  @ requires \separated(child, c->buf + (0 .. c->len - 1));
  @ assigns *child, c->off;
  @ behavior ok:
  @   assumes n <= c->len - c->off;
  @   assigns *child, c->off;
  @   ensures \result == \true && cursor_ok(c) && cursor_ok(child);
  @   ensures c->off == \old(c->off) + n;
  @   ensures child->buf == c->buf + \old(c->off);
  @   ensures child->len == n && child->off == 0;
  @   ensures child->base == c->base + \old(c->off);
  @ behavior no:
  @   assumes n > c->len - c->off;
  @   assigns \nothing;
  @   ensures \result == \false;
  @ complete behaviors;
  @ disjoint behaviors;
  @*/
CURSOR_MUST_CHECK bool cursor_sub(struct cursor *c, uint64_t n,
    struct cursor *child);

/*
 * cursor_line: a child over the bytes up to, not including, the next
 * ${stop} byte; the parent moves past the stop byte.  False when there is
 * none in what is left.
 */
/*@ requires cursor_ok(c) && \valid(child) && \separated(child, c);
  @ requires \separated(child, c->buf + (0 .. c->len - 1));
  @ assigns *child, c->off;
  @ ensures cursor_ok(c);
  @ ensures \result == \true ==>
  @   cursor_ok(child) && \old(c->off) < c->off &&
  @   \old(c->buf)[c->off - 1] == stop &&
  @   (\forall integer k; \old(c->off) <= k < c->off - 1 ==>
  @     \old(c->buf)[k] != stop) &&
  @   child->buf == \old(c->buf) + \old(c->off) &&
  @   child->len == c->off - 1 - \old(c->off) && child->off == 0 &&
  @   child->base == \old(c->base) + \old(c->off);
  @ ensures \result == \false ==>
  @   c->off == \old(c->off) && *child == \old(*child) &&
  @   (\forall integer k; \old(c->off) <= k < \old(c->len) ==>
  @     \old(c->buf)[k] != stop);
  @*/
CURSOR_MUST_CHECK bool cursor_line(struct cursor *c, uint8_t stop,
    struct cursor *child);

/*
 * cursor_varint: LEB128 of at most ten bytes that fits 64 bits (protobuf
 * encoding guide, "Base 128 Varints").  False on end of bytes or overflow.
 */
/*@ requires cursor_ok(c) && \valid(ret) && \separated(ret, c);
  @ requires \separated(ret, c->buf + (0 .. c->len - 1));
  @ assigns *ret, c->off;
  @ ensures cursor_ok(c);
  @ ensures \result == \true ==>
  @   1 <= c->off - \old(c->off) <= 10 &&
  @   \old(c->buf)[c->off - 1] < 0x80 &&
  @   (\forall integer k; \old(c->off) <= k < c->off - 1 ==>
  @     \old(c->buf)[k] >= 0x80) &&
  @   *ret == leb(\old(c->buf), \old(c->off), c->off);
  @ ensures \result == \false ==>
  @   c->off == \old(c->off) && *ret == \old(*ret) &&
  @   (\forall integer k; c->off <= k < c->off + 9 && k < c->len ==>
  @     \old(c->buf)[k] >= 0x80) &&
  @   (c->len - c->off >= 10 ==> \old(c->buf)[c->off + 9] > 1);
  @*/
CURSOR_MUST_CHECK bool cursor_varint(struct cursor *c, uint64_t *ret);

/* cursor_match: do the next bytes equal lit[0..n)?  Moves past them if so. */
/*@ requires cursor_ok(c) && \valid_read(lit + (0 .. n - 1));
  @ requires \separated(c, lit + (0 .. n - 1));
  @ assigns c->off;
  @ ensures cursor_ok(c);
  @ ensures \result == \true ==> c->off == \old(c->off) + n &&
  @   \forall integer k; 0 <= k < n ==>
  @     \old(c->buf)[\old(c->off) + k] == lit[k];
  @ ensures \result == \false ==> c->off == \old(c->off) &&
  @   (n > c->len - c->off || \exists integer k; 0 <= k < n &&
  @     \old(c->buf)[c->off + k] != lit[k]);
  @*/
bool cursor_match(struct cursor *c, const uint8_t *lit, size_t n);

#endif /* !BASE_CURSOR_H_ */
