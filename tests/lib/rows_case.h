#ifndef TESTS_LIB_ROWS_CASE_H_
#define TESTS_LIB_ROWS_CASE_H_

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * Reading data sets in tests (formats/rows/rowset.h).
 *
 * A transcript has a line for each record, "index file off len flags json",
 * where flags are v (verbatim), d (damaged), u (unpacked) or "-", and json is
 * "-" when damaged; a line "! file off sentence" for what is told, in the
 * order of telling; and last "= code".  Codes are 0, or negative.
 *
 * rows_laws.c is without cmocka, for fuzzing; rows_case_check and
 * rows_case_truncate are the tests' own.
 */
#define ROWS_CASE_FILES 16	/* at most */

struct rows_case_file {
	const char *name;
	const void *p;
	size_t n;
};

/* rows_case_text: the transcript, to be freed; ${format} NULL: by bids. */
char *rows_case_text(const char *format, const struct rows_case_file *f,
    size_t files, size_t window);

/*
 * rows_case_check: the transcript is ${want}, at windows of 1, 2, 3, 7, 4096
 * and the default; and the laws hold (rows_case_laws).
 */
void rows_case_check(const char *format, const struct rows_case_file *f,
    size_t files, const char *want);

/*
 * rows_case_laws: records lie inside their files, verbatim ones do not
 * overlap and equal rowset_raw; each can be skipped to and is the same; only
 * the evidence fails.  False and *why otherwise.  Fuzzing asks as well.
 */
bool rows_case_laws(const char *format, const struct rows_case_file *f,
    size_t files, size_t window, const char **why);

/* rows_case_truncate: the laws at each length of the last file. */
void rows_case_truncate(const char *format, const struct rows_case_file *f,
    size_t files);

/*
 * rows_case_field: the value at ${path} of record ${index} as "type:value",
 * to be freed.  Texts and bytes as they are (NUL ends them).  "unreadable"
 * is ERR_FORMAT; before it stand lines of what was told, as in a transcript.
 */
char *rows_case_field(const char *format, const struct rows_case_file *f,
    size_t files, uint64_t index, const char *path);

/* rows_case_bid: the format that bids highest, or NULL. */
const char *rows_case_bid(const struct rows_case_file *f, size_t files);

#endif /* !TESTS_LIB_ROWS_CASE_H_ */
