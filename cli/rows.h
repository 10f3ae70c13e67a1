#ifndef CLI_ROWS_H_
#define CLI_ROWS_H_

#include <stdbool.h>

struct buf;
struct err;

/*
 * The value of --format, and what stands around each row: nothing in text, a
 * line each in JSON Lines, one array in JSON.
 *
 * rows_choose: ${format} may be NULL (text); false when there is no such
 * format.  Then rows_open before and rows_close behind each row, and rows_end
 * after the last one; the row itself is the caller's.  In text all three
 * write nothing.  rows_finish is rows_end to a descriptor.
 */
struct rows {
	bool json;		/* rows are JSON objects */
	bool array;
	bool any;		/* a row was opened */
};

bool rows_choose(struct rows *r, const char *format);
void rows_open(struct rows *r, struct buf *b);
void rows_close(struct rows *r, struct buf *b);
void rows_end(struct rows *r, struct buf *b);
int rows_finish(struct rows *r, int fd, struct err *e);

#endif /* !CLI_ROWS_H_ */
