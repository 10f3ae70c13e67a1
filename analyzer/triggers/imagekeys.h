#ifndef ANALYZER_TRIGGERS_IMAGEKEYS_H_
#define ANALYZER_TRIGGERS_IMAGEKEYS_H_

#include <stddef.h>
#include <stdint.h>

#include "analyzer/triggers/imageset_parts.h"

/*
 * Keys of the blocks of a view: a hash of the pixels of each k x k window of
 * three families, whose numbers are
 *
 *	0..4	k = 1..5, sharply cut out on all sides, with its place
 *	5..8	k = 2..5, sharply cut out, at any place
 *	9..10	k = 3, 4, with a sharp edge inside, at any place
 *	11	k = 2, whatever is around it, with its place
 *
 * where sharply cut out means that each of the 4k pairs of pixels across its
 * border differs by ${sharp} or more in some channel; the border of the image
 * counts as sharp.  Without an edge inside, dark and blown-out parts of honest
 * photographs would agree by the thousand.  A key is a hash in the high 48
 * bits, its family in the next 4 and 12 bits for the caller.
 */
#define IMAGEKEYS_FAMILIES 12
#define IMAGEKEYS_FREE 5	/* the first without a place */
#define IMAGEKEYS_DENSE 9	/* the first that need not be cut out */
#define IMAGEKEYS_PLACED 11	/* for aligned images alone */
#define IMAGEKEYS_SHARP 18	/* of values up to 255 */
#define IMAGEKEYS_SIDE 5	/* the largest k */
#define IMAGEKEYS_TAG(key) ((unsigned)((key) >> 12 & 15))
#define IMAGEKEYS_HEAD(key) ((key) & ~(uint64_t)0xfff)

/* The most keys that a view of so many pixels has. */
#define IMAGEKEYS_MOST(pixels) ((size_t)IMAGEKEYS_FAMILIES * (pixels))

/* Working memory of one thread. */
struct imagekeys {
	uint64_t v[VIEW_SIDE][VIEW_SIDE + 8];	/* pixels, mixed */
	uint64_t eh[VIEW_SIDE], ev[VIEW_SIDE + 1];	/* sharp edges */
	uint64_t rows[2][4][VIEW_SIDE];
};

/* imagekeys_side: side of the block of a family. */
unsigned imagekeys_side(unsigned tag);

/*
 * imagekeys_of: the keys of view p (w * h * ch bytes, the view's number for
 * places) of the families in ${tags} (bits), to out[]; ${places}, if not
 * NULL, gets y * VIEW_SIDE + x of each.  Returns how many.
 */
struct imagekeys_view {
	const uint8_t *p;
	uint32_t w, h, ch;
	unsigned number, sharp;
};
size_t imagekeys_of(struct imagekeys *s, const struct imagekeys_view *v,
    unsigned tags, uint64_t *out, uint16_t *places);

#endif /* !ANALYZER_TRIGGERS_IMAGEKEYS_H_ */
