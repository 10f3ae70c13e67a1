#ifndef FORMATS_NPYDICT_H_
#define FORMATS_NPYDICT_H_

#include <stdbool.h>
#include <stdint.h>

#include "base/cursor.h"

/*
 * The header of NumPy's .npy (numpy/lib/format.py, NEP 1), for all who read
 * one:
 *
 *	0 \x93NUMPY  6 major  7 minor  8 header length (u16 or u32)  header
 *
 * The header is a Python literal with the keys descr, fortran_order, shape.
 * Writers make one spelling of it; old readers evaluate whatever stands
 * there.  We accept just the literal: a dict of these three keys with a
 * string or a list for descr, True or False, and a tuple of integers.  What
 * descr means is the caller's to read, with the functions below.
 */
#define NPYDICT_MAX 65536	/* bytes of a header; of real ones, hundreds */
#define NPYDICT_RANK 32		/* NumPy's NPY_MAXDIMS */
#define NPYDICT_FRONT 12	/* bytes before the header, at most */

struct npydict {
	uint64_t shape[NPYDICT_RANK];
	unsigned rank;
	bool fortran, has_order, has_shape;
};

/* npydict_magic: passes over the six bytes of the magic. */
CURSOR_MUST_CHECK bool npydict_magic(struct cursor *c);
/* npydict_length: behind the magic, up to the header: how long that is. */
CURSOR_MUST_CHECK bool npydict_length(struct cursor *c, uint32_t *ret);

/*
 * npydict_read: is c, to its end, such a dict?  ${descr} reads the value of
 * each descr, of which there must be one; false when it is none.
 */
CURSOR_MUST_CHECK bool npydict_read(struct cursor *c, struct npydict *d,
    bool (*descr)(struct cursor *c, void *ctx), void *ctx);

/* Pieces of the literal; blanks before them are passed over. */
bool npydict_at(struct cursor *c, char want);	/* is it next? */
bool npydict_take(struct cursor *c, char want);
/* npydict_string: in quotes, without escapes. */
bool npydict_string(struct cursor *c, struct cursor *ret);
bool npydict_number(struct cursor *c, uint64_t *ret);
/* npydict_tuple: integers; false when there are more than NPYDICT_RANK. */
bool npydict_tuple(struct cursor *c, uint64_t shape[NPYDICT_RANK],
    unsigned *rank);

#endif /* !FORMATS_NPYDICT_H_ */
