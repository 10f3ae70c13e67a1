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

/* cursor_init: a cursor over buf[0..len); ${buf} may be NULL if len is 0. */
void cursor_init(struct cursor *c, const uint8_t *buf, size_t len,
    uint64_t base);

/* cursor_left: bytes not yet read. */
size_t cursor_left(const struct cursor *c);
bool cursor_at_end(const struct cursor *c);

/* cursor_tell: absolute offset of the next byte (base + off). */
uint64_t cursor_tell(const struct cursor *c);

CURSOR_MUST_CHECK bool cursor_skip(struct cursor *c, uint64_t n);
/* cursor_seek: go to ${off} bytes from the cursor's start. */
CURSOR_MUST_CHECK bool cursor_seek(struct cursor *c, uint64_t off);

CURSOR_MUST_CHECK bool cursor_u8(struct cursor *c, uint8_t *ret);
CURSOR_MUST_CHECK bool cursor_u16le(struct cursor *c, uint16_t *ret);
CURSOR_MUST_CHECK bool cursor_u32le(struct cursor *c, uint32_t *ret);
CURSOR_MUST_CHECK bool cursor_u64le(struct cursor *c, uint64_t *ret);
CURSOR_MUST_CHECK bool cursor_u16be(struct cursor *c, uint16_t *ret);
CURSOR_MUST_CHECK bool cursor_u32be(struct cursor *c, uint32_t *ret);
CURSOR_MUST_CHECK bool cursor_u64be(struct cursor *c, uint64_t *ret);

/* cursor_peek: the byte ${ahead} places on, without moving. */
CURSOR_MUST_CHECK bool cursor_peek(const struct cursor *c, size_t ahead,
    uint8_t *ret);

/* cursor_copy: read ${n} bytes into dst[0..n), which must not overlap buf. */
CURSOR_MUST_CHECK bool cursor_copy(struct cursor *c, uint8_t *dst, size_t n);

/*
 * cursor_sub: a child over the next ${n} bytes, which it cannot look
 * outside of; the parent moves past them.  ${child} != ${c}.
 */
CURSOR_MUST_CHECK bool cursor_sub(struct cursor *c, uint64_t n,
    struct cursor *child);

/*
 * cursor_line: a child over the bytes up to, not including, the next
 * ${stop} byte; the parent moves past the stop byte.  False when there is
 * none in what is left.
 */
CURSOR_MUST_CHECK bool cursor_line(struct cursor *c, uint8_t stop,
    struct cursor *child);

/*
 * cursor_varint: LEB128 of at most ten bytes that fits 64 bits (protobuf
 * encoding guide, "Base 128 Varints").  False on end of bytes or overflow.
 */
CURSOR_MUST_CHECK bool cursor_varint(struct cursor *c, uint64_t *ret);

/* cursor_match: do the next bytes equal lit[0..n)?  Moves past them if so. */
bool cursor_match(struct cursor *c, const uint8_t *lit, size_t n);

#endif /* !BASE_CURSOR_H_ */
