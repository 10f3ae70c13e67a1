#ifndef FORMATS_ROWS_THRIFT_H_
#define FORMATS_ROWS_THRIFT_H_

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/cursor.h"

/*
 * Thrift's compact protocol (apache/thrift doc/specs/thrift-compact-protocol),
 * as the metadata of Parquet are written in it.
 *
 *	struct   fields until a zero byte
 *	field    (delta << 4 | type), delta 0: a zigzag varint i16 field id
 *	list     (size << 4 | type), size 15: a varint size follows
 *	map      varint size, then, unless 0, (key type << 4 | value type)
 *
 * Over bytes in memory, by a cursor; nothing is allocated.  No schema: the
 * caller says which field it knows, and passes over the others by type.
 * A list's size is compared with the bytes that are left, of which each
 * element takes at least one.  Nesting is at most THRIFT_DEPTH.
 *
 * After any false (or -1) the walk is over: the bytes are malformed.
 */
#define THRIFT_DEPTH 16

enum thrift_type {
	THRIFT_TRUE = 1,
	THRIFT_FALSE = 2,
	THRIFT_I8 = 3,
	THRIFT_I16 = 4,
	THRIFT_I32 = 5,
	THRIFT_I64 = 6,
	THRIFT_DOUBLE = 7,
	THRIFT_BINARY = 8,
	THRIFT_LIST = 9,
	THRIFT_SET = 10,
	THRIFT_MAP = 11,
	THRIFT_STRUCT = 12,
};

struct thrift {
	struct cursor c;
	unsigned depth;
	int16_t last[THRIFT_DEPTH];	/* field id before, of each struct */
};

struct thrift_field {
	int16_t id;
	uint8_t type;
};

void thrift_init(struct thrift *t, const struct cursor *c);

/* thrift_enter: a struct begins here; it ends when thrift_next says 0. */
CURSOR_MUST_CHECK bool thrift_enter(struct thrift *t);
/* thrift_next: 1 and the next field, 0: the struct has ended, -1. */
CURSOR_MUST_CHECK int thrift_next(struct thrift *t, struct thrift_field *f);

/*
 * thrift_int: the value of a field of any integer type that is not over
 * [min, max]; false for other types too.
 */
CURSOR_MUST_CHECK bool thrift_int(struct thrift *t,
    const struct thrift_field *f, int64_t min, int64_t max, int64_t *ret);
CURSOR_MUST_CHECK bool thrift_bool(const struct thrift_field *f, bool *ret);
CURSOR_MUST_CHECK bool thrift_binary(struct thrift *t,
    const struct thrift_field *f, struct cursor *ret);
/* An integer field of a struct, and where it goes: an int64_t at ${at}. */
struct thrift_want {
	int16_t id;
	int64_t min, max;
	size_t at;
};

/*
 * thrift_read: a whole struct.  Fields of want[0..n) go into ${into} by
 * thrift_int; of the others ${other} reads (or skips) the value, false ending
 * it, or all are skipped when it is NULL.
 */
CURSOR_MUST_CHECK bool thrift_read(struct thrift *t,
    const struct thrift_want *want, size_t n, void *into,
    bool (*other)(struct thrift *t, const struct thrift_field *f,
    void *into));

/*
 * thrift_list: size and type of the elements of a list or set that begins
 * here.
 */
CURSOR_MUST_CHECK bool thrift_list(struct thrift *t,
    const struct thrift_field *f, uint8_t *type, uint64_t *n);

/* thrift_skip: pass over the value of a field, whatever it is. */
CURSOR_MUST_CHECK bool thrift_skip(struct thrift *t,
    const struct thrift_field *f);

#endif /* !FORMATS_ROWS_THRIFT_H_ */
