#ifndef TESTS_LIB_ROWWIRE_H_
#define TESTS_LIB_ROWWIRE_H_

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "analyzer/diff/diff_wire.h"

/*
 * Both ends of the wire of a comparison in one process: what is sent on
 * rowwire_out goes to a file in memory; after rowwire_receive it is read
 * frame by frame.  One at a time; a test fails when it does not fit.
 */
extern struct diff_wire rowwire_out;
extern struct diff_wire_in rowwire_in;
extern int rowwire_fd;			/* the file */

/* What was sent, and where the reader is in it. */
extern uint8_t rowwire_sent[1 << 21];
extern size_t rowwire_sent_n, rowwire_at;

/* Setup and teardown of a group of tests. */
int rowwire_setup(void **state);
int rowwire_teardown(void **state);

/* rowwire_receive: takes what was sent, and empties the file. */
void rowwire_receive(void);
/* rowwire_next: false: no whole frame is left. */
bool rowwire_next(struct frame *f);

/* Where the gate hands rows; asserts on the ranges of what it is told. */
extern const struct rows rowwire_told;
extern size_t rowwire_rows;		/* how many it was told */

/*
 * rowwire_row: the next row as one line, what the other side would print;
 * "refused" (the gate said ERR_FORMAT), "failed" or "no frame".  It lives
 * until the next one.
 */
const char *rowwire_row(void);

/* rowwire_tensor: a row of a reshaped tensor on both sides. */
struct row_tensor rowwire_tensor(struct basis *more);
/* rowwire_send_all: one row of each kind, with this evidence. */
void rowwire_send_all(struct basis *s);
/* rowwire_basis: some evidence; basis_release it. */
void rowwire_basis(struct basis *s);

#endif /* !TESTS_LIB_ROWWIRE_H_ */
