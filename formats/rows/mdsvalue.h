#ifndef FORMATS_ROWS_MDSVALUE_H_
#define FORMATS_ROWS_MDSVALUE_H_

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct buf;
struct rows_value;

/*
 * Columns of a sample of MDS (mosaicml/streaming, base/format/mds/
 * encodings.py).  Private to mds.c.
 *
 * str, str_int, str_float and str_decimal are TEXT, json is a tree, int and
 * the sized integers and reals are numbers; all else (bytes, jpeg, png, pil,
 * ndarray, pkl) is BYTES, as it is.
 */
struct mdscolumn {
	const char *name, *code;
	size_t name_len, code_len;
	bool fixed;
	uint32_t size;		/* of every value, when fixed */
	size_t off, len;	/* of the current one, in the sample */
};

/* mdsvalue_columns: places of all columns; false: they do not fill it. */
bool mdsvalue_columns(const uint8_t *p, size_t n, struct mdscolumn *c,
    size_t columns);

/*
 * mdsvalue_get: ${path} goes on into json; elsewhere it must be empty.  False:
 * it would go on, and the value is no JSON.  *twice: as jsonview_get has it.
 */
bool mdsvalue_get(const struct mdscolumn *c, const uint8_t *sample,
    const char *path, struct rows_value *v, bool *twice, struct buf *scratch);

bool mdsvalue_is_code(const struct mdscolumn *c);

#endif /* !FORMATS_ROWS_MDSVALUE_H_ */
