#ifndef FORMATS_ROWS_NDTYPE_H_
#define FORMATS_ROWS_NDTYPE_H_

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/cursor.h"
#include "formats/npydict.h"

struct arena;
struct buf;
struct rows_value;

/*
 * Types of elements as NumPy writes them (numpy/lib/format.py, descr), and
 * elements as values.  Private to readers of this folder.
 *
 * kind: b bool, i u integers, f real, c complex, S bytes that end with NUL,
 * U UCS-4, V bytes, M m times (datetime64, timedelta64), O objects.
 */
#define NDTYPE_RANK NPYDICT_RANK
#define NDTYPE_FIELDS 64

struct ndtype {
	char kind;
	bool big;		/* big-endian */
	uint64_t size;		/* bytes of one element */
	int64_t unit;		/* M: ns of one tick, 0: none that is a ns */
};

/* A field of a row: the whole of it, or one of a structured type. */
struct ndfield {
	const char *name;
	size_t name_len;
	struct ndtype type;
	uint64_t shape[NDTYPE_RANK];	/* within the row */
	unsigned rank;
	uint64_t off;		/* in the row */
	uint64_t count;		/* elements */
};

/* ndtype_read: "<f4", "|u1", "<M8[ns]", ... */
bool ndtype_read(struct cursor c, struct ndtype *ret);

/*
 * ndtype_element: the element at p[0..t->size).  Texts that are made (U)
 * stand in ${scratch}.
 */
void ndtype_element(const struct ndtype *t, const uint8_t *p,
    struct rows_value *v, struct buf *scratch);

/*
 * ndtype_json: elements at p[0..count * size) as lists in lists, or alone
 * when rank is 0.
 */
void ndtype_json(struct buf *b, const struct ndtype *t, const uint64_t *shape,
    unsigned rank, const uint8_t *p);

#endif /* !FORMATS_ROWS_NDTYPE_H_ */
