#ifndef ANALYZER_WEIGHTS_H_
#define ANALYZER_WEIGHTS_H_

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct bytesrc;
struct err;
struct ev_member;
struct finding;

/*
 * The deep pass: does a tensor's bytes hold something else than a tensor?
 * docs/WEIGHTS.md has the method, the figures and what one file cannot show.
 *
 *   weights.c            one tensor, block by block; the object's tensors
 *   weights_type.c       data types
 *   weights_count.c      zeros, NaNs, denormals, bits that are clear
 *   weights_hist.c       histograms of a window
 *   weights_octave.c     the octave test (float32, bfloat16)
 *   weights_lanes.c      the lane tests (float32, float16)
 *   weights_tilt.c       the tilt test (float16)
 *   weights_precision.c  exceptions in what was cast up
 *   weights_siblings.c   a tensor against the others
 *   weights_stream.c     how a payload may be laid into elements
 *   weights_plane.c      bit planes of a block
 *   weights_filter.c     first bytes of files, in all streams at once
 *   weights_peek.c       the first look at what follows
 *   weights_magic.c      which files those are; weights_magic.def
 *   weights_length.c     how long they are
 *   weights_carve.c      the carver
 *   weights_tell.c       findings
 *
 * Memory is bounded whatever the tensor's size: LIMIT_WEIGHTS.  Time is one
 * read of each tensor, and a few windows of it again where something showed.
 */
struct weights;

/* Whoever wants to know.  Negative ends the pass and is passed on. */
struct weights_events {
	/* Texts in *f live during the call. */
	int (*finding)(void *ctx, const struct finding *f);
	/* What was carved: MEMBER_VIRTUAL, its bytes valid during the call. */
	int (*member)(void *ctx, const struct ev_member *m);
};

/* A tensor: len bytes at off of src.  The name must outlive the pass. */
struct weights_tensor {
	const char *name;
	size_t name_len;
	const char *dtype;	/* as in ev_tensor */
	const struct bytesrc *src;
	uint64_t off, len;
	uint64_t row;		/* elements of one row; 0: not known */
};

enum weights_parts {
	WEIGHTS_STATISTICS = 1 << 0,
	WEIGHTS_CARVE = 1 << 1,
	WEIGHTS_ALL = WEIGHTS_STATISTICS | WEIGHTS_CARVE,
};

/* weights_new: NULL and *e on no memory. */
struct weights *weights_new(const struct weights_events *ev, void *ctx,
    unsigned parts, struct err *e);
void weights_free(struct weights *w);	/* NULL does nothing */

/*
 * weights_tensor: examine one.  A range that is not all there is examined as
 * far as it goes.  Negative when our side, or an event, failed.
 */
int weights_tensor(struct weights *w, const struct weights_tensor *t,
    struct err *e);

/* weights_end: what only shows when all tensors of the object are known. */
int weights_end(struct weights *w, struct err *e);

#endif /* !ANALYZER_WEIGHTS_H_ */
