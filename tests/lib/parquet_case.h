#ifndef TESTS_LIB_PARQUET_CASE_H_
#define TESTS_LIB_PARQUET_CASE_H_

#include "tests/lib/parquet_make.h"

/*
 * Tests of the Parquet reader: a file is made in ${parquet_case}, and read.
 */

/* Physical types and encodings by their numbers. */
enum { BOOLEAN, INT32, INT64, INT96, FLOAT, DOUBLE, BYTES, FIXED };
enum { PLAIN = 0, DICT = 2, RLE = 3, DELTA = 5, DELTA_LENGTH = 6,
	DELTA_STRINGS = 7, RLE_DICT = 8, SPLIT = 9 };

extern struct parquet_make parquet_case;

/* parquet_case_buf: an empty buf; the sixteenth call gives it again. */
struct buf *parquet_case_buf(void);

/* parquet_case_column: one column, one page, one row group. */
void parquet_case_column(const struct make_node *leaf,
    const struct make_page *page, int codec, int64_t rows);
/* parquet_case_data: a v1 page of ${values} values. */
struct make_page parquet_case_data(int64_t values, int encoding,
    const struct buf *b);

/*
 * parquet_case_check: the file's transcript (rows_case.h) without places is
 * ${want}, and the laws hold.  The file is gone then.
 */
void parquet_case_check(const char *want);
/* parquet_case_told: the same of what is told alone; NULL: nothing is. */
void parquet_case_told(const char *want);

/*
 * parquet_case_sample: a nested file of two groups and several pages; of
 * about 900 bytes, so that every byte of it can be flipped.
 */
void parquet_case_sample(void);

#endif /* !TESTS_LIB_PARQUET_CASE_H_ */
