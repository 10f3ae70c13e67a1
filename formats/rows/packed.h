#ifndef FORMATS_ROWS_PACKED_H_
#define FORMATS_ROWS_PACKED_H_

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct bytesrc;
struct err;
struct rows_file;
struct rows_params;

/*
 * A file of a data set that is compressed as a whole, as a source of its
 * decompressed bytes.  Reading forward is as fast as decompressing, and so is
 * looking back by a reader's window; further back begins anew.  The file is
 * decompressed once before, so that the source's size is known and what is
 * wrong with the stream is told: then the source ends where the stream
 * breaks, or where it grows out of all proportion (LIMIT_INFLATE_RATIO, which
 * applies past LIMIT_INFLATE_RATIO_FROM).
 */

/*
 * packed_open: of file ${k}: 1 and *ret, whose size is fixed; 0: it is not
 * compressed; negative when our side fails.
 */
int packed_open(const struct rows_params *p, uint32_t k, struct bytesrc **ret,
    struct err *e);

/*
 * packed_peek: the first decompressed bytes, up to ${cap}; 1, or 0: it is not
 * compressed, or cannot be read at all.
 */
int packed_peek(const struct bytesrc *src, uint8_t *dst, size_t cap,
    size_t *n, struct err *e);

/*
 * packed_ends_early: is this, that was told (rows.h), of a compressed file
 * whose decompressed bytes end before they should?
 */
bool packed_ends_early(const char *what);

/* packed_name: how long the name is without ".gz" and the like. */
size_t packed_name(const struct rows_file *f);

#endif /* !FORMATS_ROWS_PACKED_H_ */
