#ifndef ANALYZER_DIFF_DIFF_WIRE_H_
#define ANALYZER_DIFF_DIFF_WIRE_H_

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "analyzer/diff/rows.h"
#include "analyzer/diff/tensor.h"
#include "base/buf.h"
#include "base/frame.h"
#include "base/limits.h"
#include "base/sandbox.h"

struct err;
struct wire_carve;

/*
 * What the worker of a comparison, and of what tells the same rows, says to
 * its parent, in frames of base/frame.h:
 *
 *   STATUS     the fence stands; always first
 *   PROGRESS   so many bytes of so many were compared
 *   SKIP       what was left out on purpose, and why
 *   INPUT ... FINDING, CALLER   the rows of rows.h, in the result's order
 *   ASK        the worker wants the descriptor of a file, by its number
 *   CARVE      a piece of a payload; its pieces follow each other, and the
 *              finding that tells of the payload is the next row
 *   DONE       the worker saw the end of its work; always last
 *
 * Texts of evidence are raw bytes.  Texts of our own (a method, a kind, a
 * dtype) are printable ASCII of bounded length on the wire: the parent prints
 * nothing that the worker made up beyond that.
 */
enum diff_frame {
	DIFF_FRAME_STATUS = 1,
	DIFF_FRAME_PROGRESS,
	DIFF_FRAME_SKIP,
	DIFF_FRAME_INPUT,
	DIFF_FRAME_TENSOR,
	DIFF_FRAME_CONCLUSION,
	DIFF_FRAME_CANDIDATE,
	DIFF_FRAME_CHANGE,
	DIFF_FRAME_DETECTOR,
	DIFF_FRAME_VERSION,
	DIFF_FRAME_FINDING,
	DIFF_FRAME_CARVE,
	DIFF_FRAME_DONE,
	DIFF_FRAME_CALLER,
	DIFF_FRAME_ASK
};

/*
 * Longest texts.  The sender cuts what is longer: whoever makes a row whose
 * text matters to its last byte keeps below.  The names that a conclusion
 * lists share DIFF_WIRE_NAMES bytes; those that do not fit are left out, and
 * tensors_in_all still counts them.
 */
#define DIFF_WIRE_NAME LIMIT_MEMBER_NAME	/* a path, a name, a key */
#define DIFF_WIRE_TEXT (16 * KIB)	/* the old and new value of a change */
#define DIFF_WIRE_NAMES (128 * KIB)
#define DIFF_WIRE_WORD 64		/* our own: format, dtype, method */
#define DIFF_WIRE_WORDS 512		/* our own: a sentence */

/*
 * The worker's side.  Rows are kept back and go out many at once;
 * diff_wire_flush writes what is kept back: call it before hostile bytes are
 * parsed and before work that takes long.  STATUS, PROGRESS and DONE flush.
 *
 * diff_wire_rows: functions that send each row; ${w} must outlive them.  They
 * return 0, or negative when the parent is gone or memory is out; w->e says
 * why.
 */
struct diff_wire {
	int fd;
	struct buf b;		/* the frame that is being made */
	struct buf part;	/* the packed field that is being made */
	struct buf out;		/* frames that were not written yet */
	uint64_t told;		/* bytes of the last PROGRESS */
	struct err *e;		/* may be NULL */
};

void diff_wire_init(struct diff_wire *w, int fd, struct err *e);
void diff_wire_release(struct diff_wire *w);
struct rows diff_wire_rows(struct diff_wire *w);
int diff_wire_flush(struct diff_wire *w);
int diff_wire_status(struct diff_wire *w, const struct sandbox_status *st);
/* diff_wire_progress: cheap; sends only when a two-hundredth was added. */
int diff_wire_progress(struct diff_wire *w, uint64_t done, uint64_t total);
/* diff_wire_skip: both texts our own, at most DIFF_WIRE_WORDS bytes. */
int diff_wire_skip(struct diff_wire *w, const char *what, const char *why);
/* diff_wire_ask: file ${number} of the job, please.  Flushes. */
int diff_wire_ask(struct diff_wire *w, uint32_t number);
/* diff_wire_carve: the next piece, at most WIRE_CARVE_MAX bytes. */
int diff_wire_carve(struct diff_wire *w, const void *p, size_t n);
/* diff_wire_done: ${bytes} that were read of both sides. */
int diff_wire_done(struct diff_wire *w, uint64_t bytes);

/*
 * The parent's side: the gate.  diff_wire_take checks one frame that holds a
 * row and hands the row to ${to}; it returns what that returned, or
 * ERR_FORMAT when any field lacks its type, size or range (the parent then
 * ends the worker and that is a finding), or ERR_NOMEM.  Texts of the row
 * point into the frame and into ${in}: they live during the call.
 *
 * Numbers that are printed are finite, or NaN where there is none to give.
 */
struct diff_wire_in {
	struct basis basis;
	uint64_t shape[ROW_SIDES][TENSOR_RANK_MAX];
	char word[2][DIFF_WIRE_WORD + 1];
	char words[ROW_ALTERNATIVES][DIFF_WIRE_WORDS + 1];
	char keys[FINDING_DETAILS][33];
	struct row_text names[ROW_TENSORS];
};

void diff_wire_in_init(struct diff_wire_in *in);
void diff_wire_in_release(struct diff_wire_in *in);
int diff_wire_take(struct diff_wire_in *in, const struct frame *f,
    const struct rows *to);

/* Frames that hold no row: false when they are not what they claim. */
bool diff_wire_read_status(const struct frame *f, struct sandbox_status *ret);
bool diff_wire_read_progress(const struct frame *f, uint64_t *done,
    uint64_t *total);
/* Both texts are copied into ${in}, until its next use. */
bool diff_wire_read_skip(struct diff_wire_in *in, const struct frame *f,
    const char **what, const char **why);
/* ret->object and ret->off are 0. */
bool diff_wire_read_carve(const struct frame *f, struct wire_carve *ret);
bool diff_wire_read_ask(const struct frame *f, uint32_t *number);
bool diff_wire_read_done(const struct frame *f, uint64_t *bytes);

#endif /* !ANALYZER_DIFF_DIFF_WIRE_H_ */
