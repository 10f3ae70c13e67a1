#ifndef ANALYZER_TRIGGERS_IMAGERESIDUE_H_
#define ANALYZER_TRIGGERS_IMAGERESIDUE_H_

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "analyzer/triggers/imageplane.h"

/*
 * What the parts of image-residue and image-cluster share: the images of one
 * class in one plane of one view as a matrix of rows.
 */
struct residue_matrix {
	int16_t *x;		/* n rows of stride numbers */
	uint32_t n;
	size_t stride, d;	/* d: without the padding */
	uint32_t w, h, ch;
	bool low;		/* of lowest bits */
	uint64_t seed;
};

/* Working memory of a thread, all for the largest class. */
struct residue_space {
	uint32_t rows;
	size_t stride;
	int16_t *x;		/* the matrix */
	int16_t *q;		/* quantised vectors, PLANE_TOGETHER of them */
	int32_t *acc;		/* of as many */
	float *w[3];		/* directions of the halves, and one more */
	float *mean;		/* of a half */
	float *many;		/* PLANE_TOGETHER directions */
	int32_t *dot;		/* of rows, PLANE_TOGETHER each */
	uint64_t *keys;		/* of rows, to be sorted */
	uint32_t *half;		/* rows of one half, then of the other */
	double *res, *sorted, *one;
	float *coord;		/* PLANE_TOGETHER of each row */
	uint8_t *side;
	float *scale, *shift;
	int16_t *other;		/* a row of another class */
	struct plane_sums sums;
};

/* residue_space_init: 0 or ERR_NOMEM; release in both cases. */
int residue_space_init(struct residue_space *s, uint32_t rows, size_t stride);
void residue_space_release(struct residue_space *s);

/* residue_halves: split the rows by chance, once for a matrix. */
void residue_halves(const struct residue_matrix *m, struct residue_space *s);

/*
 * residue_direction: the best direction of a standardised matrix; s->res is
 * how far each row goes along it, s->w[2] the direction.  ${weak}: images
 * have much in common.
 */
void residue_direction(const struct residue_matrix *m,
    struct residue_space *s, double tau, bool weak,
    struct residue_score *ret);

/*
 * residue_shape: where the energy of a direction is: *win the share of its
 * best window of WINDOW x WINDOW, at *wx, *wy; *fs that of the four largest
 * bins of its spectrum; *hf that above 0.35 cycles a pixel.
 */
#define RESIDUE_WINDOW 6
struct residue_shape {
	double win, fs, hf;
	uint32_t wx, wy;
};
/* residue_placed: loud in one window, fine, or of few frequencies? */
bool residue_placed(const struct residue_shape *s);
void residue_shape(const float *w, uint32_t width, uint32_t height,
    uint32_t ch, struct residue_shape *ret);

/*
 * residue_mixture: two Gaussians fitted to v[0..n) (sorted, rising), from the
 * largest ${fraction} on: how far they are apart, and the share of the upper.
 */
void residue_mixture(const double *v, uint32_t n, double fraction,
    double *apart, double *weight);

/*
 * residue_robust: v -> (v - median) / (1.4826 MAD, ${least} at least); sorted
 * is scratch.
 */
void residue_robust(double *v, double *sorted, uint32_t n, double least);
int residue_by_value(const void *x, const void *y);

/*
 * residue_cluster: two clusters of the rows in their six leading directions.
 * s->side is 1 for the smaller; score 0 where none is judged.
 */
void residue_cluster(const struct residue_matrix *m, struct residue_space *s,
    struct cluster_score *ret);

#endif /* !ANALYZER_TRIGGERS_IMAGERESIDUE_H_ */
