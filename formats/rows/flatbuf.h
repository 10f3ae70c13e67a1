#ifndef FORMATS_ROWS_FLATBUF_H_
#define FORMATS_ROWS_FLATBUF_H_

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * FlatBuffers (google/flatbuffers, docs internals), read field by field: no
 * schema, no verifier beforehand, every offset looked at when it is followed.
 *
 *	table	i32 back to its vtable; fields at the vtable's offsets
 *	vtable	u16 its size, u16 the table's, u16 for each field, 0: default
 *	vector	u32 count, elements; string likewise, bytes
 *
 * Offsets to tables, vectors and strings lead forward only, so following
 * them ends; callers bound their own depth.
 */
struct flatbuf {
	const uint8_t *p;
	size_t n;
};

struct flattable {
	size_t at, vtable;
	uint16_t vsize, size;
};

struct flatvec {
	size_t at;		/* of its first element */
	uint32_t count;
};

/* flatbuf_root: the table that the first four bytes lead to. */
bool flatbuf_root(const struct flatbuf *b, struct flattable *ret);

/*
 * flatbuf_int: a signed scalar of 1, 2, 4 or 8 bytes; ${otherwise} when the
 * field is not there.  False: it lies outside.
 */
bool flatbuf_int(const struct flatbuf *b, const struct flattable *t,
    unsigned field, unsigned size, int64_t otherwise, int64_t *ret);
/* The rest: 1, 0 when the field is not there, -1 when it lies outside. */
int flatbuf_table(const struct flatbuf *b, const struct flattable *t,
    unsigned field, struct flattable *ret);
int flatbuf_vector(const struct flatbuf *b, const struct flattable *t,
    unsigned field, size_t size, struct flatvec *ret);
/* flatbuf_element: table ${i} of a vector of tables (element size 4). */
bool flatbuf_element(const struct flatbuf *b, const struct flatvec *v,
    uint32_t i, struct flattable *ret);
/* flatbuf_number: eight bytes at ${off} in the elements of a vector. */
bool flatbuf_number(const struct flatbuf *b, const struct flatvec *v,
    size_t off, int64_t *ret);

#endif /* !FORMATS_ROWS_FLATBUF_H_ */
