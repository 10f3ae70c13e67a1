#ifndef FORMATS_ROWS_CSVROW_H_
#define FORMATS_ROWS_CSVROW_H_

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/cursor.h"

struct buf;

/*
 * Rows and fields of a table (RFC 4180).  A field that begins with a quote
 * goes on to the quote that closes it, "" within it being one quote; what
 * stands behind that quote is taken as it is, as most readers do.  A quote
 * elsewhere is a character like any other.  Private to csv.c.
 *
 * ${lines}, of tables with tabs: a row is a line (IANA,
 * text/tab-separated-values, has no quotes at all, and texts that begin with
 * one are common there).  A field is quoted only where its quote is closed
 * before the next delimiter or the row's end.
 */
struct csvscan {
	uint8_t delimiter;
	bool lines;
	enum { CSV_START, CSV_PLAIN, CSV_QUOTED, CSV_CLOSED } state;
};

/*
 * csvscan_row: the row's next bytes.  True when it ends within them: then *n
 * is how many come before its line feed.  Else *n is ${len}.
 */
bool csvscan_row(struct csvscan *s, const uint8_t *p, size_t len, size_t *n);
/* csvscan_open: is a quote still open? */
bool csvscan_open(const struct csvscan *s);

/* The fields of one row; a CR at its end is none of theirs. */
struct csvfields {
	struct cursor c;
	uint8_t delimiter;
	bool lines, done;
};

void csvfields_init(struct csvfields *f, const uint8_t *p, size_t n,
    uint8_t delimiter, bool lines);
/*
 * csvfields_next: false behind the last; a field with quotes in it is made
 * in ${scratch}, whose failure the caller asks for.
 */
bool csvfields_next(struct csvfields *f, const uint8_t **p, size_t *n,
    struct buf *scratch);

#endif /* !FORMATS_ROWS_CSVROW_H_ */
