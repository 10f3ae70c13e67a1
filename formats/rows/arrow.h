#ifndef FORMATS_ROWS_ARROW_H_
#define FORMATS_ROWS_ARROW_H_

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/cursor.h"
#include "formats/codec_pages.h"
#include "formats/rows/flatbuf.h"
#include "formats/rows/grow.h"
#include "formats/rows/rowtree.h"

struct arena;
struct err;
struct rows_params;

/*
 * Arrow IPC (apache/arrow format/{Message,Schema}.fbs, docs Columnar.rst):
 * the parts of its reader.
 *
 *	arrow_schema.c	fields and their types
 *	arrow_batch.c	the buffers of a batch, checked for their lengths
 *	arrow_row.c	a row of a batch as a tree
 *	arrow_walk.c	messages
 *	arrow.c		dictionaries, the reader of rows.h
 *
 * Not read, and said: big-endian files, unions, run-end encoding, views,
 * dictionaries within dictionaries, and dictionaries in pieces (deltas).
 */
enum arrow_type {
	ARROW_NULL = 1,
	ARROW_INT = 2,
	ARROW_FLOAT = 3,
	ARROW_BINARY = 4,
	ARROW_UTF8 = 5,
	ARROW_BOOL = 6,
	ARROW_DECIMAL = 7,
	ARROW_DATE = 8,
	ARROW_TIME = 9,
	ARROW_STAMP = 10,
	ARROW_INTERVAL = 11,
	ARROW_LIST = 12,
	ARROW_STRUCT = 13,
	ARROW_FIXED = 15,
	ARROW_FIXED_LIST = 16,
	ARROW_MAP = 17,
	ARROW_DURATION = 18,
	ARROW_LARGE_BINARY = 19,
	ARROW_LARGE_UTF8 = 20,
	ARROW_LARGE_LIST = 21,
};

struct arrow_field {
	const uint8_t *name;	/* in the schema's bytes */
	size_t name_len;
	enum arrow_type type;
	uint32_t width;		/* bytes of a value; elements of a FIXED_LIST */
	uint32_t scale;		/* of a DECIMAL */
	uint32_t unit;		/* units of a second, or of DATE: days are 0 */
	bool is_signed;
	uint32_t children, end;	/* they begin at the next field */
	bool coded;		/* values are in a dictionary */
	int64_t dict;		/* its id */
	uint32_t index_width;
	bool index_signed;
};

/* What a batch has of a field. */
struct arrow_array {
	uint64_t len;
	struct cursor valid;	/* a bitmap, or empty: all are there */
	struct cursor offsets, data;
};

struct arrow_batch {
	uint64_t off;		/* of its message */
	uint64_t meta;		/* of its metadata; their length */
	uint32_t meta_len;
	uint64_t body, body_len;
	uint64_t first, rows;	/* of a record batch */
	bool is_dict, is_delta;
	int64_t id;
};

/* The bytes of one batch. */
struct arrow_body {
	struct grow meta, raw, plain;
	size_t raw_len, plain_len;
};

/* The reader's state. */
struct arrow {
	const struct rows_params *p;
	struct codec_pages codecs;
	struct arrow_field *field;
	uint32_t fields;
	struct grow meta, list;		/* list: struct arrow_batch */
	uint32_t batches;
	uint64_t rows;
	const char *broken;		/* why the walk ended early, */
	uint64_t broken_at;		/* and where */
	struct arrow_array *array, *dict;
	struct arrow_body body, *dict_body;
	uint32_t *dict_now, *dict_loaded;	/* batch + 1 of each field */
	uint32_t scanned;		/* batches whose dictionaries count */
	uint32_t at;			/* the current batch */
	bool file, open, bad;
	uint64_t row, lost_left;
	struct rowtree tree;
	struct buf scratch;
};

enum { ARROW_SCHEMA = 1, ARROW_DICTIONARY = 2, ARROW_RECORDS = 3 };

/*
 * arrow_walk: the schema and the list of batches.  0; where the walk ended
 * early, s->broken says why.  Negative: there is no schema (told), or ours.
 */
int arrow_walk(struct arrow *s, struct err *e);
/*
 * arrow_walk_frame: the length of the metadata that follow: 1, 0 at the end,
 * -1 when it is cut off.
 */
int arrow_walk_frame(struct cursor *c, uint32_t *len);

/* arrow_schema_read: NULL, or what cannot be read. */
const char *arrow_schema_read(const struct flatbuf *b,
    const struct flattable *schema, struct arena *a,
    struct arrow_field **field, uint32_t *fields);

/*
 * arrow_batch_load: the arrays of fields [first, end) from the batch's bytes,
 * which are read.  ${values}: they are those of a dictionary.  0; 1 when they
 * make no sense (*why); negative.
 */
int arrow_batch_load(const struct rows_params *p, struct codec_pages *codecs,
    const struct arrow_batch *batch, struct arrow_body *body,
    const struct arrow_field *field, uint32_t first, uint32_t end,
    bool values, struct arrow_array *array, const char **why, struct err *e);

/* What a row is made of. */
struct arrow_row {
	const struct arrow_field *field;
	const struct arrow_array *array;	/* of the batch */
	const struct arrow_array *dict;		/* of dictionaries */
	struct rowtree *t;
};

/* arrow_row_build: value ${i} of field ${at}.  False: it makes no sense. */
bool arrow_row_build(const struct arrow_row *r, uint32_t at, uint64_t i);

#endif /* !FORMATS_ROWS_ARROW_H_ */
