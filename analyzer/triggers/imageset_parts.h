#ifndef ANALYZER_TRIGGERS_IMAGESET_PARTS_H_
#define ANALYZER_TRIGGERS_IMAGESET_PARTS_H_

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "analyzer/triggers/imageset.h"

/*
 * What the parts of imageset.h share.
 *
 * Every image is kept as one or five views of at most 64 x 64 pixels: itself,
 * or its four corners and the grid of its means.  A view's pixels are one
 * after the other, interleaved, view after view, image after image.
 */
#define VIEW_SIDE 64	/* a row of a view fits the bits of a word */
#define VIEW_PART 32	/* a side of a corner, and of the grid */
#define VIEWS 5
#define VIEW_GRID 4	/* its number */

struct view {
	uint32_t x, y;		/* of its first pixel in the image */
	uint32_t w, h;
	size_t off;		/* of its first byte in an image's */
	bool means;		/* the grid: no pixels of the image */
};

struct image_class {
	char *name;		/* raw bytes */
	size_t len;
	uint64_t hash;
	uint64_t seen;		/* images with this label */
	uint32_t count;		/* of those that are kept */
	uint32_t first;		/* in order[] */
};

/* What image-residue and image-cluster say of a class (imageresidue.h). */
struct residue_score {
	double score, tau, cs, t1, sep, weight, win, fs, hf;
	uint32_t wx, wy;	/* the window with most of the energy */
};
struct cluster_score {
	double score, fraction, sil, envelope, spec;
};

/* What a method found: rows are bits of images, n of them. */
struct image_find {
	const char *method;
	uint32_t cls;
	double score;
	uint64_t *bits;		/* which images hold it */
	uint32_t holders;
	/* image-block */
	unsigned k;		/* side of the block; 0: not a block */
	bool fixed;		/* at one place */
	unsigned view;
	uint32_t x, y;		/* in the view */
	uint32_t sample;	/* an image that holds it */
	uint32_t in_class;	/* holders with the label */
	double lp, share;	/* -log10 p; equal pixels of holders */
	double lq;		/* -log10 p of how few look like the label */
	bool low_bits;		/* the plane of lowest bits */
	struct residue_score residue;
	double spec;
	struct cluster_score cluster;
	float *shape;		/* the direction as a picture, view's size */
};

/* What finds are counted by: no method takes the room of another. */
enum image_method {
	IMAGE_BLOCK,
	IMAGE_RESIDUE,
	IMAGE_CLUSTER,
	IMAGE_METHODS
};

#define IMAGE_FINDS 256	/* of a method */
#define IMAGE_ALIKE 0.2	/* e0 of aligned images: digits, icons, scans */
#define IMAGE_FEWEST 40	/* images that are looked at at all */

struct imageset {
	const struct detect *d;
	uint32_t w, h, ch;
	bool started, reduced;
	struct view view[VIEWS];
	unsigned nviews;
	size_t bytes;		/* of an image as kept */

	uint8_t *px;		/* n images */
	uint64_t *row;
	uint32_t *cls;
	uint32_t *order;	/* images by class, ascending */
	uint32_t n, cap, allocated;

	struct image_class *classes;
	uint32_t nclasses, slots;
	uint32_t *slot;		/* class + 1 */

	uint64_t seen, other_size, too_large, no_class, lossy;
	uint8_t brightest;	/* value of any pixel */
	unsigned sharp;		/* difference of pixels (imagekeys.h) */
	double e0;		/* median share of equal pixels of two images */

	struct image_find *finds;
	size_t nfinds, finds_of[IMAGE_METHODS];
	uint64_t left_out[IMAGE_METHODS];	/* finds without room */
	/* What a method could not do. */
	uint64_t block_keys, block_dropped, block_copies;
	uint64_t block_unwanted, block_not_looked;
	uint64_t residue_classes, residue_small, residue_cut;
	uint64_t residue_everywhere, residue_copies;
	uint64_t cluster_classes, cluster_small, cluster_reports;
	bool cluster_mixed;
	double best_block, best_residue, best_cluster;
};

static inline const uint8_t *
imageset_view(const struct imageset *t, uint32_t image, unsigned view)
{
	return t->px + (size_t)image * t->bytes + t->view[view].off;
}

static inline size_t
view_size(const struct imageset *t, unsigned view)
{
	return (size_t)t->view[view].w * t->view[view].h * t->ch;
}

/* A number that looks like chance, the same every time (splitmix64). */
static inline uint64_t
image_mix(uint64_t x)
{
	x += 0x9e3779b97f4a7c15U;
	x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9U;
	x = (x ^ x >> 27) * 0x94d049bb133111ebU;
	return x ^ x >> 31;
}

static inline size_t
image_words(const struct imageset *t)
{
	return (t->n + 63) / 64;
}

/*
 * image_new_find: room for one more of a method, its bits zero, its method,
 * class and score set.  Where IMAGE_FINDS of the method are kept, the one of
 * the lowest score goes, and is counted.  NULL when there is no room (*r is
 * 0: all that are kept are as good, and this one is counted; negative: out of
 * memory).
 */
struct image_find *image_new_find(struct imageset *t, enum image_method m,
    uint32_t cls, double score, int *r);

/*
 * imageset_agreement: median share of equal pixels of one image of ${bits}
 * and the next; IMAGE_COPIES above e0, they are copies of one.
 */
#define IMAGE_COPIES 0.3
double imageset_agreement(const struct imageset *t, const uint64_t *bits);

/*
 * imageset_likeness: median correlation of the same pairs; from
 * IMAGE_ALMOST on they are one picture in other light.
 */
#define IMAGE_ALMOST 0.9
double imageset_likeness(const struct imageset *t, const uint64_t *bits);

/* Each 0 or negative. */
int imageblock_find(struct imageset *t);
int imageresidue_find(struct imageset *t);
int imagetell(struct imageset *t);

#endif /* !ANALYZER_TRIGGERS_IMAGESET_PARTS_H_ */
