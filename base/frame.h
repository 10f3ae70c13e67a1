#ifndef BASE_FRAME_H_
#define BASE_FRAME_H_

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/cursor.h"
#include "base/limits.h"

struct buf;
struct err;

/*
 * Frames from a worker to its parent.
 *
 *   u32le  length of the body (at most LIMIT_FRAME)
 *   u8     type (1 to FRAME_TYPES)
 *   body   fields, each u8 tag, u32le length, bytes; tags 1..63 ascending,
 *          each at most once
 *
 * The parent treats the worker as hostile: frame_check is the one gate.  It
 * carries a contract that `make prove` discharges: it reads only within the
 * frame, and when it says yes then every field lies inside the body and
 * fields follow each other without a gap up to its end.  What a field means
 * is checked by the consumer (analyzer/wire.h, custody/verify_frames.h).
 */
#define FRAME_HEADER 5
#define FRAME_FIELD 5
#define FRAME_TAGS 64

struct frame {
	uint8_t type;
	struct cursor field[FRAME_TAGS];	/* by tag; buf NULL if absent */
};

/*
 * The contract's words.  frame_tiles: from ${off} on, after a field with tag
 * ${last}, the body is fields of ascending tag which follow each other up to
 * its end; frame_len is what its four bytes say.
 */
/*@ logic integer frame_len{L}(uint8_t *p, integer o) =
  @   p[o] + 0x100 * p[o + 1] + 0x10000 * p[o + 2] + 0x1000000 * p[o + 3];
  @ inductive frame_tiles{L}(uint8_t *p, integer off, integer n,
  @     integer last) {
  @   case end{L}: \forall uint8_t *p, integer n, last;
  @     frame_tiles(p, n, n, last);
  @   case field{L}: \forall uint8_t *p, integer off, n, last;
  @     off + FRAME_FIELD <= n ==> last < p[off] < FRAME_TAGS ==>
  @     off + FRAME_FIELD + frame_len(p, off + 1) <= n ==>
  @     frame_tiles(p, off + FRAME_FIELD + frame_len(p, off + 1), n,
  @       p[off]) ==>
  @     frame_tiles(p, off, n, last);
  @ }
  @*/

/*
 * frame_size(head): length of the body that a header announces, or 0 with
 * *ok false when it is over the limit.
 */
/*@ requires \valid_read(head + (0 .. FRAME_HEADER - 1)) && \valid(ok);
  @ requires \separated(head + (0 .. FRAME_HEADER - 1), ok);
  @ assigns *ok;
  @ ensures *ok == \true <==> frame_len(head, 0) <= LIMIT_FRAME;
  @ ensures \result == (*ok == \true ? frame_len(head, 0) : 0);
  @*/
uint32_t frame_size(const uint8_t head[FRAME_HEADER], bool *ok);

/* frame_check(body, n): is the body well formed? */
/*@ requires \valid_read(body + (0 .. n - 1));
  @ assigns \nothing;
  @ ensures \result == \true <==>
  @   n <= LIMIT_FRAME && frame_tiles(body, 0, n, 0);
  @*/
bool frame_check(const uint8_t *body, size_t n);

/*
 * frame_parse(f, type, body, n): frame_check, then the table of fields.
 * The cursors point into ${body}.
 */
bool frame_parse(struct frame *f, uint8_t type, const uint8_t *body,
    size_t n);

bool frame_has(const struct frame *f, uint8_t tag);
/* Fixed-size fields: false when absent or of another size. */
bool frame_u64(const struct frame *f, uint8_t tag, uint64_t *ret);
bool frame_u32(const struct frame *f, uint8_t tag, uint32_t *ret);

/*
 * The worker's side: frame_begin, frame_put*, frame_send.  Fields must be
 * put in ascending order of tag (else BUG).  frame_send writes the whole
 * frame to ${fd}; ERR_LIMIT when it is too long, ERR_IO.  frame_seal only
 * finishes it: the frame is what ${b} holds then.
 */
void frame_begin(struct buf *b, uint8_t type);
void frame_put(struct buf *b, uint8_t tag, const void *p, size_t n);
void frame_put_str(struct buf *b, uint8_t tag, const char *s);
void frame_put_u64(struct buf *b, uint8_t tag, uint64_t v);
void frame_put_u32(struct buf *b, uint8_t tag, uint32_t v);
int frame_seal(struct buf *b, struct err *e);
int frame_send(struct buf *b, int fd, struct err *e);

#endif /* !BASE_FRAME_H_ */
