#ifndef TESTS_LIB_ROWS_PACK_H_
#define TESTS_LIB_ROWS_PACK_H_

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "tests/lib/rows_case.h"

/*
 * Archives and compressed files by libarchive, in memory, to be freed; *n is
 * their size.
 */

/* rows_pack_tar: with extended headers (a time with a fraction) or without. */
uint8_t *rows_pack_tar(const struct rows_case_file *f, size_t files, bool pax,
    size_t *n);
uint8_t *rows_pack_zip(const struct rows_case_file *f, size_t files,
    bool deflate, size_t *n);
/* rows_pack_filter: "gzip", "xz", "bzip2", "zstd", "lz4". */
uint8_t *rows_pack_filter(const void *p, size_t len, const char *filter,
    size_t *n);

#endif /* !TESTS_LIB_ROWS_PACK_H_ */
