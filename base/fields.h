#ifndef BASE_FIELDS_H_
#define BASE_FIELDS_H_

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct buf;
struct frame;
struct json_write;

/*
 * Records of fixed columns, from a worker to a JSON line.
 *
 * A table of struct field_def says which columns a record has; the worker
 * fills a struct field for each and sends them as one frame (column i has
 * tag i + 1), the parent checks the frame against the same table and writes
 * the line.  Keys come from our table alone; values are made printable.
 *
 * At most FRAME_TAGS - 1 columns.  A column that is not set is null.
 */
enum field_type {
	FIELD_TEXT,	/* bytes from anywhere; printable in JSON (text.h) */
	FIELD_U64,
	FIELD_I64,
	FIELD_TIME,	/* ns since 1970, UTC; RFC 3339 with nine digits */
	FIELD_HEX,	/* bytes, as lower-case hex */
	FIELD_BOOL,
	FIELD_REALS,	/* doubles, as an array of numbers */
};

struct field_def {
	const char *key;
	enum field_type type;
};

struct field {
	bool set;
	const void *p;		/* TEXT, HEX: bytes; REALS: const double * */
	size_t n;		/* TEXT, HEX: bytes; REALS: how many */
	uint64_t u;		/* U64, BOOL; I64 and TIME as two's complement */
};

/* Setters; a NULL ${p} leaves the column unset. */
void fields_text(struct field *f, const void *p, size_t n);
void fields_u64(struct field *f, uint64_t v);
void fields_i64(struct field *f, int64_t v);	/* I64 and TIME */
void fields_bool(struct field *f, bool v);
void fields_hex(struct field *f, const void *p, size_t n);
void fields_reals(struct field *f, const double *p, size_t n);

/* fields_put: a whole frame of this type for frame_send. */
void fields_put(struct buf *b, uint8_t type, const struct field_def *d,
    unsigned n, const struct field *v);

/*
 * fields_get: the gate: does every field of the frame have a column and its
 * type's size?  Then v[0..n) point into the frame (REALS are copied to
 * ${reals}, of ${cap} places; more of them than that fail).
 */
bool fields_get(const struct frame *f, const struct field_def *d, unsigned n,
    struct field *v, double *reals, size_t cap);

/* fields_json: key and value of every column, in the table's order. */
void fields_json(struct json_write *w, const struct field_def *d, unsigned n,
    const struct field *v);

#endif /* !BASE_FIELDS_H_ */
