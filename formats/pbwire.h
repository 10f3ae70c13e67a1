#ifndef FORMATS_PBWIRE_H_
#define FORMATS_PBWIRE_H_

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/limits.h"
#include "base/reader.h"

/*
 * Protocol Buffers on the wire (protobuf.dev, "Encoding"), for every format
 * that is written in them.  No schema: the caller says which field holds a
 * message by entering it.
 *
 *	tag = varint(number << 3 | type)   then, by type,
 *	0 varint   1 eight bytes   2 length, bytes   3 4 group   5 four bytes
 *
 * Fields come in the order of the file.  What was not entered is passed over
 * without being read, so a message of gigabytes costs what its tags cost.
 * Nesting is a stack of LIMIT_PB_DEPTH ends; nothing recurses.
 *
 * Readers of protobuf are not equally strict.  What some take and others
 * refuse is a field here, with a flag: a varint that is longer than it needs
 * to be, or has bits beyond 64 (C++ drops them, Go refuses).  A group
 * is one field of type PB_GROUP from its first tag to its end: no schema of
 * today has one, but readers keep it as unknown, so it can hide bytes.
 */
enum pb_type {
	PB_VARINT = 0,
	PB_FIXED64 = 1,
	PB_LEN = 2,
	PB_GROUP = 3,
	PB_FIXED32 = 5,
};

enum pb_flags {
	PB_OVERLONG = 1 << 0,	/* a varint ends in a zero group */
	PB_OVERFLOW = 1 << 1,	/* a varint of ten bytes has more than 64 bits */
};

struct pb_field {
	uint32_t number;	/* 1 .. 2^29 - 1 */
	enum pb_type type;
	unsigned flags;		/* enum pb_flags, of all its varints */
	uint64_t off;		/* of its tag */
	uint64_t at, len;	/* its content, behind tag and length */
	uint64_t value;		/* of PB_VARINT, PB_FIXED32, PB_FIXED64 */
};

/* What pbwire_next and pbwire_scalar find; negative: our side failed. */
enum pb_found {
	PB_END = 0,		/* the message ends here, as it should */
	PB_FIELD = 1,
	PB_BAD = 2,		/* no field: see why, at w->next */
	PB_LONG = 3,		/* a PB_LEN that says it is longer than what is
				 * left of its message; len is what is left */
};

struct pbwire {
	struct reader r;
	uint64_t end[LIMIT_PB_DEPTH + 1];
	unsigned depth;		/* 0: the outermost message */
	uint64_t next;		/* where the next field begins */
	const char *why;	/* of PB_BAD: our own words */
};

/*
 * pbwire_init: the message that is [off, off + len) of ${src}, which must lie
 * inside.  ${window} as for reader_init.  0 or negative.
 */
int pbwire_init(struct pbwire *w, const struct bytesrc *src, uint64_t off,
    uint64_t len, size_t window, struct arena *a, struct err *e);

/*
 * pbwire_next: the next field of the message that was entered last.  After
 * PB_BAD and PB_LONG it may be asked again (and says the same), or left.
 */
int pbwire_next(struct pbwire *w, struct pb_field *f, struct err *e);

/*
 * pbwire_enter: read the content of ${f}, a PB_LEN just given, as a message
 * or as packed scalars.  False, and nothing happens, at LIMIT_PB_DEPTH.
 * pbwire_leave: go on behind it, wherever its content was left.
 */
bool pbwire_enter(struct pbwire *w, const struct pb_field *f);
void pbwire_leave(struct pbwire *w);

/* pbwire_packed: the next varint of packed ones that were entered. */
int pbwire_packed(struct pbwire *w, uint64_t *ret, unsigned *flags,
    struct err *e);

/*
 * pbwire_copy: the first bytes of the content of ${f}, a PB_LEN just given,
 * at most ${cap}; *n of them.  0 or negative.
 */
int pbwire_copy(struct pbwire *w, const struct pb_field *f, void *dst,
    size_t cap, size_t *n, struct err *e);

#endif /* !FORMATS_PBWIRE_H_ */
