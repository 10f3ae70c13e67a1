#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "analyzer/triggers/imageresidue.h"

/*
 * The direction that some images of a class share, found in one half of the
 * class and tried on the other.  Chance gives two halves directions that have
 * nothing in common; a pattern that was put into images, and the natural
 * modes of a class, give two that agree.  Modes are smooth and spread: what
 * is neither loud in one window, nor fine, nor of few frequencies counts less
 * unless two groups stand well apart along it.
 */
#define ROUNDS 8
#define TOP_LEAST 6
#define AGREE 0.4
#define SPREAD 0.15
#define SPREAD_LEAST 0.25
#define SMOOTH_HF 0.3
#define GROUP_LEAST 10.0	/* images, for a group to stand apart */
#define TAIL 6.0
#define UNIT 2.5
#define WEAK 5.0
#define TOP_SHARE 0.01
#define TOP_ROWS 4

static int
by_key(const void *x, const void *y)
{
	const uint64_t *a = x, *b = y;

	return (*a > *b) - (*a < *b);
}

void
residue_halves(const struct residue_matrix *m, struct residue_space *s)
{
	for (uint32_t i = 0; i < m->n; i++)
		s->keys[i] = (image_mix(m->seed + i) & ~(uint64_t)UINT32_MAX) |
		    i;
	qsort(s->keys, m->n, sizeof(*s->keys), by_key);
	for (uint32_t i = 0; i < m->n; i++)
		s->half[i] = (uint32_t)s->keys[i];
}

/* The mean of rows[0..n) in standard deviations. */
static void
mean_of(const struct residue_matrix *m, struct residue_space *s,
    const uint32_t *rows, uint32_t n, float *ret)
{
	memset(s->acc, 0, m->stride * sizeof(*s->acc));
	for (uint32_t i = 0; i < n; i++)
		plane_add(s->acc, m->x + rows[i] * m->stride, m->stride);
	for (size_t i = 0; i < m->stride; i++)
		ret[i] = (float)s->acc[i] / (float)(n * (double)PLANE_ONE);
}

/*
 * Sort rows[0..n) so that those that go furthest along w come first; a number
 * that names the set of the first ${top} is returned.
 */
static uint64_t
furthest(const struct residue_matrix *m, struct residue_space *s,
    uint32_t *rows, uint32_t n, uint32_t top)
{
	uint64_t set = 0;

	for (uint32_t i = 0; i < n; i++) {
		int32_t v;

		plane_dots(m->x + rows[i] * m->stride, s->q, m->stride, 1, &v);
		s->keys[i] = (uint64_t)(0x7fffffffU - (uint32_t)v) << 32 |
		    rows[i];
	}
	qsort(s->keys, n, sizeof(*s->keys), by_key);
	for (uint32_t i = 0; i < n; i++) {
		rows[i] = (uint32_t)s->keys[i];
		set += i < top ? image_mix(rows[i]) : 0;
	}
	return set;
}

/* Take ${by} off the size of each number; false when nothing is left. */
static bool
soften(float *w, size_t n, float by)
{
	bool any = false;

	for (size_t i = 0; i < n; i++) {
		float v = fabsf(w[i]) - by;

		w[i] = v <= 0 ? 0 : w[i] < 0 ? -v : v;
		any |= v > 0;
	}
	return any;
}

static bool
search(const struct residue_matrix *m, struct residue_space *s,
    uint32_t *rows, uint32_t n, double tau, float *w)
{
	uint32_t top = (uint32_t)lrint(tau * n);
	uint64_t set = 0, before;

	if (top < TOP_LEAST)
		top = TOP_LEAST;
	if (top > n / 2)
		top = n / 2;
	mean_of(m, s, rows, n, s->mean);
	memcpy(w, s->mean, m->stride * sizeof(*w));
	for (unsigned round = 0; round < ROUNDS; round++) {
		if (plane_quantise(w, m->stride, PLANE_Z_MOST, s->q) == 0)
			return false;
		before = set;
		set = furthest(m, s, rows, n, top);
		if (round > 0 && set == before)
			break;
		mean_of(m, s, rows, top, w);
		for (size_t i = 0; i < m->stride; i++)
			w[i] -= s->mean[i];
		if (!soften(w, m->stride, 1 / sqrtf((float)top)))
			return false;
	}
	return true;
}

static double
product(const float *a, const float *b, size_t n)
{
	double sum = 0;

	for (size_t i = 0; i < n; i++)
		sum += (double)a[i] * b[i];
	return sum;
}

/*
 * How far the other half goes along w, robustly.  Where most images have one
 * value (a corner that is always black) their spread is nothing: a part of
 * what it would be for unrelated values is the least.
 */
static void
try_on(const struct residue_matrix *m, struct residue_space *s, const float *w,
    double length, const uint32_t *rows, uint32_t n)
{
	double scale = plane_quantise(w, m->stride, PLANE_Z_MOST, s->q);

	for (uint32_t i = 0; i < n; i++) {
		int32_t v;

		plane_dots(m->x + rows[i] * m->stride, s->q, m->stride, 1, &v);
		s->one[i] = v;
	}
	residue_robust(s->one, s->sorted, n, SPREAD_LEAST * length * scale *
	    PLANE_ONE);
	for (uint32_t i = 0; i < n; i++)
		s->res[rows[i]] = s->one[i];
}

static void
score(const struct residue_matrix *m, struct residue_space *s, bool weak,
    struct residue_score *ret)
{
	uint32_t top = (uint32_t)(TOP_SHARE * m->n);
	struct residue_shape shape;
	double sum = 0, kappa, apart = 1;

	memcpy(s->sorted, s->res, m->n * sizeof(*s->res));
	qsort(s->sorted, m->n, sizeof(*s->sorted), residue_by_value);
	if (top < TOP_ROWS)
		top = TOP_ROWS;
	for (uint32_t i = 0; i < top; i++)
		sum += s->sorted[m->n - 1 - i];
	ret->t1 = sum / top;
	residue_mixture(s->sorted, m->n, fmax(ret->tau, 0.02), &ret->sep,
	    &ret->weight);
	residue_shape(s->w[2], m->w, m->h, m->ch, &shape);
	ret->win = shape.win;
	ret->fs = shape.fs;
	ret->hf = shape.hf;
	ret->wx = shape.wx;
	ret->wy = shape.wy;
	kappa = residue_placed(&shape) ? 1 : SPREAD;
	/* Even parts of honest pictures have their lowest bits in common. */
	if (m->low && kappa < 1 && shape.hf < SMOOTH_HF)
		apart = shape.hf / SMOOTH_HF;
	if (ret->weight * m->n < GROUP_LEAST)
		apart *= ret->weight * m->n / GROUP_LEAST;
	ret->score = ret->cs * fmax(kappa * ret->t1 / TAIL, apart *
	    ret->sep) / UNIT / (weak ? WEAK : 1);
}

void
residue_direction(const struct residue_matrix *m, struct residue_space *s,
    double tau, bool weak, struct residue_score *ret)
{
	uint32_t na = m->n / 2, nb = m->n - na;
	uint32_t *a = s->half, *b = s->half + na;
	double la, lb;

	memset(ret, 0, sizeof(*ret));
	ret->tau = tau;
	if (!search(m, s, a, na, tau, s->w[0]) ||
	    !search(m, s, b, nb, tau, s->w[1]))
		return;
	la = sqrt(product(s->w[0], s->w[0], m->stride));
	lb = sqrt(product(s->w[1], s->w[1], m->stride));
	if (!(la > 0 && lb > 0))
		return;
	ret->cs = product(s->w[0], s->w[1], m->stride) / (la * lb);
	if (!(ret->cs >= AGREE))
		return;
	for (size_t i = 0; i < m->stride; i++)
		s->w[2][i] = (float)(s->w[0][i] / la + s->w[1][i] / lb);
	try_on(m, s, s->w[0], la, b, nb);
	try_on(m, s, s->w[1], lb, a, na);
	score(m, s, weak, ret);
}
