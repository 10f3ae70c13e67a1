#ifndef FORMATS_ROWS_ROWSET_H_
#define FORMATS_ROWS_ROWSET_H_

#include <stddef.h>

#include "formats/rows/rows.h"

/*
 * Records of a data set, whatever its format (rows.h): the reader is chosen
 * by bids over readers.def, or by name.
 *
 * A file that is compressed as a whole (gzip, xz, bzip2, zstd, lz4) is read
 * through its decompressed bytes where the format reads forward; its records
 * then have ${unpacked} set, and their offsets are of those bytes.
 *
 * A file of several that breaks ends with ERR_FORMAT, after telling; the next
 * call goes on with the file after it, and numbers go on where they stood.
 */
struct rowset;

/*
 * rowset_open: 0 and *ret; ERR_NOTFOUND when no format bids, ERR_FORMAT
 * (told) when the data set cannot be read at all, ERR_ARG for a format that
 * does not exist, or our side's errors.  ${p} is copied; its files, names and
 * sources must outlive the rowset.
 */
int rowset_open(const struct rows_params *p, struct rowset **ret,
    struct err *e);
void rowset_close(struct rowset *r);	/* NULL does nothing */
const char *rowset_format(const struct rowset *r);

/* rowset_next: 1 and *ret, 0 at the end, or negative. */
int rowset_next(struct rowset *r, struct rows_record *ret, struct err *e);

/*
 * rowset_skip_to: the next record is number ${index} (or the end comes), by
 * the shortest way that the format has.  Back is allowed.
 */
int rowset_skip_to(struct rowset *r, uint64_t index, struct err *e);

/*
 * rowset_field: of the current record, by dotted path ("meta.user.id", list
 * elements by number: "messages.0.content").  A field whose own name has a
 * dot is found first.  A damaged record has no fields.  ERR_FORMAT (told):
 * nobody can say what it is.
 */
int rowset_field(struct rowset *r, const char *path, struct rows_value *ret,
    struct err *e);
/*
 * rowset_array: a field of the current record that is an array of numbers, by
 * its whole name: 1 and *ret, valid until the next call; 0: it is none.
 */
int rowset_array(struct rowset *r, const char *name, struct rows_array *ret,
    struct err *e);
/* rowset_json: ERR_FORMAT for a damaged record. */
int rowset_json(struct rowset *r, struct buf *b, struct err *e);
int rowset_fields(struct rowset *r, void (*each)(void *ctx, const char *name,
    const char *type), void *ctx, struct err *e);

/*
 * rowset_raw: the bytes of the current record when they are in memory, else
 * NULL: then they are read from rowset_source at the record's ${off}.
 */
const uint8_t *rowset_raw(struct rowset *r);

/*
 * rowset_source: the bytes that the current record's ${off} and ${len} are
 * of; valid until the next file.  NULL when there is no current record.
 */
const struct bytesrc *rowset_source(struct rowset *r);

#endif /* !FORMATS_ROWS_ROWSET_H_ */
