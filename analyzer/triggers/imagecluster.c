#include <math.h>
#include <string.h>

#include "analyzer/triggers/imageresidue.h"

/*
 * Two clusters of a class in its six leading directions of the plane HP:
 * activation clustering (Chen et al. 2018) without a model.  Odd images form
 * a tight cluster in every clean class, the tighter the fewer they are: what
 * counts is how far the silhouette is above what clean classes reach with a
 * smaller cluster of that size.
 */
#define DIRECTIONS PLANE_TOGETHER
#define POWER_ROUNDS 6
#define SEEDS 3
#define STARTS (SEEDS + 2)	/* and the ends of the first direction */
#define MEANS_ROUNDS 20
#define STEP 0.1
#define PAIRS 128		/* of rows, before 32 bits could overflow */
#define COORD_MOST 2000

static const struct {
	double from, env;
} envelope[] = {{0.06, 0.75}, {0.10, 0.57}, {0.20, 0.36}, {0.35, 0.30}};

struct job {
	const struct residue_matrix *m;
	struct residue_space *s;
	float *v[DIRECTIONS];	/* directions */
};

static double
dot(const float *a, const float *b, size_t n)
{
	double sum = 0;

	for (size_t i = 0; i < n; i++)
		sum += (double)a[i] * b[i];
	return sum;
}

/* Gram and Schmidt; what vanishes becomes zero. */
static void
orthonormalise(struct job *j)
{
	size_t n = j->m->stride;

	for (unsigned i = 0; i < DIRECTIONS; i++) {
		double l;

		for (unsigned k = 0; k < i; k++) {
			double d = dot(j->v[i], j->v[k], n);

			for (size_t x = 0; x < n; x++)
				j->v[i][x] -= (float)(d * j->v[k][x]);
		}
		l = sqrt(dot(j->v[i], j->v[i], n));
		for (size_t x = 0; x < n; x++)
			j->v[i][x] = l > 1e-12 ? (float)(j->v[i][x] / l) : 0;
	}
}

/* Coordinates of every row, centred: dot products over the scale. */
static void
project(struct job *j)
{
	const struct residue_matrix *m = j->m;
	struct residue_space *s = j->s;
	double scale[DIRECTIONS], mean[DIRECTIONS] = {0};

	for (unsigned i = 0; i < DIRECTIONS; i++)
		scale[i] = plane_quantise(j->v[i], m->stride, PLANE_HP_MOST,
		    s->q + i * m->stride);
	for (uint32_t r = 0; r < m->n; r++) {
		int32_t *d = s->dot + (size_t)r * DIRECTIONS;

		plane_dots(m->x + r * m->stride, s->q, m->stride, DIRECTIONS,
		    d);
		for (unsigned i = 0; i < DIRECTIONS; i++)
			mean[i] += d[i];
	}
	for (unsigned i = 0; i < DIRECTIONS; i++)
		mean[i] /= m->n;
	for (uint32_t r = 0; r < m->n; r++)
		for (unsigned i = 0; i < DIRECTIONS; i++) {
			size_t at = (size_t)r * DIRECTIONS + i;

			s->coord[at] = scale[i] > 0 ? (float)((s->dot[at] -
			    mean[i]) / scale[i]) : 0;
		}
}

/* v = sum of rows times their coordinates. */
static void
multiply(struct job *j)
{
	const struct residue_matrix *m = j->m;
	struct residue_space *s = j->s;
	float top[DIRECTIONS] = {0};

	for (uint32_t r = 0; r < m->n; r++)
		for (unsigned i = 0; i < DIRECTIONS; i++)
			top[i] = fmaxf(top[i], fabsf(s->coord[(size_t)r *
			    DIRECTIONS + i]));
	for (unsigned i = 0; i < DIRECTIONS; i++)
		memset(j->v[i], 0, m->stride * sizeof(*j->v[i]));
	for (uint32_t r = 0; r < m->n; r += 2 * PAIRS) {
		uint32_t end = r + 2 * PAIRS < m->n ? r + 2 * PAIRS : m->n;

		memset(s->acc, 0, DIRECTIONS * m->stride * sizeof(*s->acc));
		for (uint32_t k = r; k < end; k += 2) {
			const int16_t *x = m->x + k * m->stride;
			int16_t c[DIRECTIONS], d[DIRECTIONS];
			bool two = k + 1 < end;

			for (unsigned i = 0; i < DIRECTIONS; i++) {
				const float *at = s->coord + (size_t)k *
				    DIRECTIONS + i;
				float u = top[i] > 0 ? COORD_MOST / top[i] : 0;

				c[i] = (int16_t)lrintf(at[0] * u);
				d[i] = two ? (int16_t)lrintf(at[DIRECTIONS] *
				    u) : 0;
			}
			plane_axpy(s->acc, x, two ? x + m->stride : x, c, d,
			    m->stride, DIRECTIONS);
		}
		for (unsigned i = 0; i < DIRECTIONS; i++)
			for (size_t x = 0; x < m->stride; x++)
				j->v[i][x] += (float)s->acc[i * m->stride + x];
	}
}

static double
apart(const float *a, const float *b)
{
	double sum = 0;

	for (unsigned i = 0; i < DIRECTIONS; i++)
		sum += ((double)a[i] - b[i]) * ((double)a[i] - b[i]);
	return sum;
}

struct means {
	float centre[2][DIRECTIONS];
	double inertia;
};

static void
start(const struct job *j, unsigned seed, struct means *k)
{
	const struct residue_matrix *m = j->m;
	const float *c = j->s->coord;
	uint32_t a, b;

	if (seed < SEEDS) {
		a = (uint32_t)(image_mix(m->seed + 7 * seed) % m->n);
		b = (uint32_t)(image_mix(m->seed + 7 * seed + 3) %
		    (m->n - 1));
		b += b >= a;
	} else {
		/* The row nearest the centre, and one end. */
		static const float zero[DIRECTIONS];

		a = b = 0;
		for (uint32_t r = 1; r < m->n; r++) {
			float x = c[(size_t)r * DIRECTIONS];
			float y = c[(size_t)b * DIRECTIONS];

			if (apart(c + (size_t)r * DIRECTIONS, zero) <
			    apart(c + (size_t)a * DIRECTIONS, zero))
				a = r;
			if (seed == SEEDS ? x > y : x < y)
				b = r;
		}
	}
	memcpy(k->centre[0], c + (size_t)a * DIRECTIONS,
	    sizeof(k->centre[0]));
	memcpy(k->centre[1], c + (size_t)b * DIRECTIONS,
	    sizeof(k->centre[1]));
}

/* Lloyd's rounds; false when a cluster is empty. */
static bool
settle(const struct job *j, struct means *k)
{
	const struct residue_matrix *m = j->m;

	for (unsigned round = 0; round < MEANS_ROUNDS; round++) {
		double sum[2][DIRECTIONS] = {{0}};
		uint32_t n[2] = {0};
		struct means before = *k;

		k->inertia = 0;
		for (uint32_t r = 0; r < m->n; r++) {
			const float *c = j->s->coord + (size_t)r * DIRECTIONS;
			double a = apart(c, k->centre[0]);
			double b = apart(c, k->centre[1]);
			unsigned side = b < a;

			k->inertia += side != 0 ? b : a;
			n[side]++;
			for (unsigned i = 0; i < DIRECTIONS; i++)
				sum[side][i] += c[i];
		}
		if (n[0] == 0 || n[1] == 0)
			return false;
		for (unsigned i = 0; i < DIRECTIONS; i++) {
			k->centre[0][i] = (float)(sum[0][i] / n[0]);
			k->centre[1][i] = (float)(sum[1][i] / n[1]);
		}
		if (memcmp(before.centre, k->centre, sizeof(k->centre)) == 0)
			break;
	}
	return true;
}

static void
judge(const struct job *j, const struct means *k, struct cluster_score *ret)
{
	const struct residue_matrix *m = j->m;
	uint32_t second = 0;
	double sil = 0;

	for (uint32_t r = 0; r < m->n; r++) {
		const float *c = j->s->coord + (size_t)r * DIRECTIONS;
		double a = sqrt(apart(c, k->centre[0]));
		double b = sqrt(apart(c, k->centre[1]));
		double far = fmax(a, b);

		j->s->side[r] = b < a;
		second += b < a;
		sil += far > 0 ? (far - fmin(a, b)) / far : 0;
	}
	if (second * 2 > m->n) {
		for (uint32_t r = 0; r < m->n; r++)
			j->s->side[r] ^= 1;
		second = m->n - second;
	}
	ret->fraction = (double)second / m->n;
	ret->sil = sil / m->n;
	for (size_t i = 0; i < sizeof(envelope) / sizeof(envelope[0]); i++)
		if (ret->fraction >= envelope[i].from)
			ret->envelope = envelope[i].env;
	if (ret->envelope > 0)
		ret->score = 1 + (ret->sil - ret->envelope) / STEP;
}

void
residue_cluster(const struct residue_matrix *m, struct residue_space *s,
    struct cluster_score *ret)
{
	struct job j = {.m = m, .s = s};
	struct means best = {.inertia = -1}, k;

	memset(ret, 0, sizeof(*ret));
	for (unsigned i = 0; i < DIRECTIONS; i++) {
		j.v[i] = s->many + i * m->stride;
		for (size_t x = 0; x < m->stride; x++)
			j.v[i][x] = x < m->d ? (float)(int64_t)(image_mix(
			    m->seed + i * m->stride + x) >> 12) - 0x1p51F : 0;
	}
	orthonormalise(&j);
	for (unsigned round = 0; round < POWER_ROUNDS; round++) {
		project(&j);
		multiply(&j);
		orthonormalise(&j);
	}
	project(&j);
	for (unsigned i = 0; i < STARTS; i++) {
		start(&j, i, &k);
		if (settle(&j, &k) && (best.inertia < 0 ||
		    k.inertia < best.inertia))
			best = k;
	}
	if (best.inertia >= 0)
		judge(&j, &best, ret);
}
