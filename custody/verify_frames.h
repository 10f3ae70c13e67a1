#ifndef CUSTODY_VERIFY_FRAMES_H_
#define CUSTODY_VERIFY_FRAMES_H_

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct buf;
struct err;
struct verify_result;

/*
 * What a verifying worker says to its parent, in frames (base/frame.h).  Read
 * side.
 *
 *   type 1  statement   1 number u32, 2 outcome u32, 3 reason
 *   type 2  result      1 bag, 2 size u64, 3 members u64, 4 sha256 (32 bytes,
 *                       absent if not known), 5 signer, 6 signer's SHA-256,
 *                       7 tsa, 8 genTime u64 (two's complement), 9 local u32
 *   type 3  error       1 code u32 (negated), 2 message
 *
 * In this order: every statement once, ascending, then the result; or an
 * error alone.  The parent takes every number, length and text for hostile:
 * text goes through the printable form again.
 */
enum verify_frame {
	VERIFY_FRAME_STATEMENT = 1,
	VERIFY_FRAME_RESULT,
	VERIFY_FRAME_ERROR
};

/* The worker's side: everything, to ${fd}.  0 or negative. */
int verify_frames_send(int fd, const struct verify_result *r, struct err *e);
int verify_frames_send_error(int fd, const struct err *what, struct err *e);

/* The parent's side: what has been received so far. */
struct verify_frames {
	unsigned statements;
	bool done;		/* the result or the error was there */
	bool failed;		/* the worker reported an error of ours */
};

/*
 * verify_frames_take: one frame.  false when no worker of ours sends it;
 * then the worker is to be ended and nothing in *r be believed.  A worker's
 * error goes to *e.
 */
bool verify_frames_take(struct verify_frames *f, uint8_t type,
    const uint8_t *body, size_t n, struct verify_result *r, struct err *e);

#endif /* !CUSTODY_VERIFY_FRAMES_H_ */
