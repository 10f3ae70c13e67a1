#ifndef FORMATS_ROWS_NDSET_H_
#define FORMATS_ROWS_NDSET_H_

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "formats/rows/ndtype.h"

struct bytesrc;
struct err;
struct rows_array;
struct rows_params;
struct rows_record;
struct rows_value;

/*
 * Records that are rows of arrays: row i of axis 0 of each array.  What npy,
 * npz, idx and cifar share; private to readers of this folder.
 *
 * Arrays with as many rows are aligned: record i has row i of each of them.
 * Where arrays differ in that, each number of rows is a group of its own,
 * and the groups' records follow each other, in the order in which a group's
 * first array comes.
 *
 * A record is verbatim when its group is one array in C order whose bytes
 * stand in the file.  Else ${off} and ${len} say where the row of the
 * group's first array is, or the bytes that hold it.
 */
struct ndarray {
	uint32_t file;
	const struct bytesrc *src;
	uint64_t data;		/* offset in ${src} of row 0 */
	uint64_t off, len;	/* the same bytes in the file, as they are
				 * there; ${len}: all of them */
	bool packed;		/* ... compressed: a row has no place there */
	bool fortran;		/* of one field: axis 0 varies fastest */
	uint64_t rows;		/* that are all there */
	uint64_t item;		/* bytes of a row, not 0 */
	bool cut;		/* more rows are stated than there are */
	struct ndfield *field;
	unsigned fields;
	/* Private: */
	struct buf row;
	bool loaded;
};

struct ndset {
	const struct rows_params *p;
	struct ndarray *array;	/* reordered by group */
	size_t arrays;
	size_t first, last;	/* the current group: [first, last) */
	uint64_t row;		/* the next row in it */
	bool started;		/* row - 1 is the current record */
	struct buf scratch;
};

/*
 * ndset_open: ${array} and its fields belong to the caller's arena and are
 * kept.  ndset_close: of what ndset_open has opened.
 */
void ndset_open(struct ndset *s, const struct rows_params *p,
    struct ndarray *array, size_t arrays);
void ndset_close(struct ndset *s);

/*
 * ndset_rows: how many of the rows that ${a} states are there, of what is
 * left in its source; sets a->rows and a->cut, and tells it.  ERR_FORMAT
 * (told) when a row has no bytes.
 */
int ndset_rows(const struct rows_params *p, struct ndarray *a,
    uint64_t stated, struct err *e);

/* ndset_size: bytes of a field; false when they overflow. */
bool ndset_size(struct ndfield *f, uint64_t *ret);

/*
 * The rest are entries of struct rows_format, for readers whose state begins
 * with a struct ndset.
 */
int ndset_next(void *self, struct rows_record *ret, struct err *e);
int ndset_field(void *self, const char *path, struct rows_value *ret,
    struct err *e);
int ndset_array(void *self, const char *name, struct rows_array *ret,
    struct err *e);
int ndset_json(void *self, struct buf *b, struct err *e);
int ndset_seek(void *self, uint64_t index, struct err *e);
int ndset_count(void *self, uint64_t *ret, struct err *e);
const uint8_t *ndset_raw(void *self);
int ndset_fields(void *self, void (*each)(void *ctx, const char *name,
    const char *type), void *ctx, struct err *e);

#endif /* !FORMATS_ROWS_NDSET_H_ */
