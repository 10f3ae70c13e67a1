#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "analyzer/diff/pool.h"
#include "analyzer/diff/rowdelta.h"
#include "analyzer/diff/rowspace.h"
#include "base/err.h"

/*
 * Method: V <- orth(D'(D V)), ROUNDS times from a fixed random start, then
 * Rayleigh and Ritz: the eigenvectors of V'D'DV turn V into estimates of the
 * right singular vectors (Halko, Martinsson, Tropp 2011, section 4.5 and 5).
 * With 32 columns the error of direction j falls by (s_33 / s_j)^2 a round.
 *
 * A round is one read of the rows: each of TASKS fixed runs of rows adds up
 * its own D'(D V), four rows at a time, and these are added in order.
 */
#define Q ROWSPACE_Q
#define ROUNDS 8
#define TASKS 8
#define BATCH 4
#define SWEEPS 30
/* Of the largest: a direction below this is what rounding left.  A column
 * is given up much later: one that is noise now may still find its way. */
#define RANK_FLOOR 1e-6
#define COLUMN_FLOOR 1e-10

struct work {
	const struct rowspace_of *of;
	const float *v;
	float *w[TASKS];	/* cols times Q each */
	float *room;		/* for each thread: (BATCH + 4) cols */
	size_t cols;
};

/* y = D v for a batch of rows, then w += D'y. */
static void
batch_add(const struct work *s, const float *rows, size_t n, float *restrict w)
{
	float y[BATCH][Q] = {{0}};
	size_t cols = s->cols;

	for (size_t b = 0; b < n; b++) {
		const float *x = rows + b * cols;

		for (size_t k = 0; k < cols; k++)
			for (size_t j = 0; j < Q; j++)
				y[b][j] += x[k] * s->v[k * Q + j];
	}
	for (size_t k = 0; k < cols; k++)
		for (size_t b = 0; b < n; b++)
			for (size_t j = 0; j < Q; j++)
				w[k * Q + j] += rows[b * cols + k] * y[b][j];
}

static float
factor(const struct rowspace_of *of, double norm)
{
	double by = 1 / of->scale;

	return (float)(of->clip > 0 && norm > of->clip ? by * of->clip / norm
	    : by);
}

static void
round_task(void *ctx, size_t i, unsigned thread)
{
	struct work *s = ctx;
	size_t lo = s->of->n * i / TASKS, hi = s->of->n * (i + 1) / TASKS;
	float *rows = s->room + (size_t)thread * (BATCH + 4) * s->cols;
	struct rowdelta_note note;
	size_t held = 0;
	float by;

	memset(s->w[i], 0, s->cols * Q * sizeof(float));
	for (; lo < hi; lo++) {
		float *x = rows + held * s->cols;

		if (!rowdelta_load(s->of->r, s->of->ids[lo], x,
		    rows + BATCH * s->cols, &note))
			continue;
		by = factor(s->of, sqrt(note.d2));
		for (size_t k = 0; k < s->cols; k++)
			x[k] *= by;
		if (++held < BATCH)
			continue;
		batch_add(s, rows, held, s->w[i]);
		held = 0;
	}
	batch_add(s, rows, held, s->w[i]);
}

/* One more round, added up in order into ${sum}. */
static void
apply(struct pool *pool, struct work *s, double *sum)
{
	pool_run(pool, round_task, s, TASKS);
	for (size_t k = 0; k < s->cols * Q; k++) {
		sum[k] = 0;
		for (unsigned i = 0; i < TASKS; i++)
			sum[k] += (double)s->w[i][k];
	}
}

static double
column_dot(const double *m, size_t cols, unsigned i, unsigned j)
{
	double sum = 0;

	for (size_t k = 0; k < cols; k++)
		sum += m[k * Q + i] * m[k * Q + j];
	return sum;
}

/*
 * Gram and Schmidt, twice.  What depends on earlier columns becomes zero: a
 * D of lower rank has that many directions fewer.
 */
static void
orthonormal(double *m, size_t cols)
{
	double was, n;

	for (unsigned j = 0; j < Q; j++) {
		was = sqrt(column_dot(m, cols, j, j));
		for (unsigned i = 0; i < 2 * j; i++) {
			double c = column_dot(m, cols, i % j, j);

			for (size_t k = 0; k < cols; k++)
				m[k * Q + j] -= c * m[k * Q + i % j];
		}
		n = sqrt(column_dot(m, cols, j, j));
		if (!(n > was * COLUMN_FLOOR))
			n = HUGE_VAL;
		for (size_t k = 0; k < cols; k++)
			m[k * Q + j] /= n;
	}
}

/* Cyclic Jacobi: h becomes diagonal, u collects the rotations. */
static void
rotate(double h[Q][Q], double u[Q][Q], unsigned p, unsigned q)
{
	double theta, t, c, s, x, y;

	if (h[p][q] == 0)
		return;
	theta = (h[q][q] - h[p][p]) / (2 * h[p][q]);
	t = (theta >= 0 ? 1 : -1) / (fabs(theta) + sqrt(theta * theta + 1));
	c = 1 / sqrt(t * t + 1);
	s = t * c;
	for (unsigned k = 0; k < Q; k++) {
		x = h[k][p];
		y = h[k][q];
		h[k][p] = c * x - s * y;
		h[k][q] = s * x + c * y;
	}
	for (unsigned k = 0; k < Q; k++) {
		x = h[p][k];
		y = h[q][k];
		h[p][k] = c * x - s * y;
		h[q][k] = s * x + c * y;
		x = u[k][p];
		y = u[k][q];
		u[k][p] = c * x - s * y;
		u[k][q] = s * x + c * y;
	}
}

static void
eigen(double h[Q][Q], double u[Q][Q])
{
	for (unsigned i = 0; i < Q; i++)
		for (unsigned j = 0; j < Q; j++)
			u[i][j] = i == j;
	for (unsigned sweep = 0; sweep < SWEEPS; sweep++)
		for (unsigned p = 0; p + 1 < Q; p++)
			for (unsigned q = p + 1; q < Q; q++)
				rotate(h, u, p, q);
}

/* The columns of u by falling eigenvalue, ties by place. */
static void
arrange(double h[Q][Q], unsigned order[Q])
{
	for (unsigned i = 0; i < Q; i++) {
		unsigned at = i;

		for (; at > 0 && h[order[at - 1]][order[at - 1]] < h[i][i];
		    at--)
			order[at] = order[at - 1];
		order[at] = i;
	}
}

/* v: orthonormal; w = D'D v.  Turns v into singular vectors. */
static void
ritz(struct rowspace *s, const double *v, const double *w)
{
	double h[Q][Q], u[Q][Q], sum;
	unsigned order[Q] = {0};

	for (unsigned i = 0; i < Q; i++)
		for (unsigned j = 0; j < Q; j++) {
			h[i][j] = 0;
			for (size_t k = 0; k < s->cols; k++)
				h[i][j] += (v[k * Q + i] * w[k * Q + j] +
				    v[k * Q + j] * w[k * Q + i]) / 2;
		}
	eigen(h, u);
	arrange(h, order);
	for (unsigned j = 0; j < Q; j++) {
		sum = h[order[j]][order[j]];
		s->value[j] = sum > 0 ? sqrt(sum) : 0;
		if (s->value[j] > s->value[0] * RANK_FLOOR)
			s->n = j + 1;
	}
	for (size_t k = 0; k < s->cols; k++)
		for (unsigned j = 0; j < Q; j++) {
			sum = 0;
			for (unsigned i = 0; i < Q; i++)
				sum += v[k * Q + i] * u[i][order[j]];
			s->v[k * Q + j] = j < s->n ? (float)sum : 0;
		}
}

/* Uniform in (-1, 1) from a counter (splitmix64). */
static double
noise(uint64_t i)
{
	uint64_t z = (i + 1) * 0x9e3779b97f4a7c15ULL;

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ULL;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebULL;
	z ^= z >> 31;
	return (double)(int64_t)z / 9223372036854775808.0;
}

static void
iterate(struct pool *pool, struct work *s, struct rowspace *ret, double *m)
{
	double *now = m, *next = m + s->cols * Q, *tmp;

	for (size_t k = 0; k < s->cols * Q; k++)
		now[k] = noise(k);
	orthonormal(now, s->cols);
	for (unsigned i = 0; i <= ROUNDS; i++) {
		for (size_t k = 0; k < s->cols * Q; k++)
			ret->v[k] = (float)now[k];
		apply(pool, s, next);
		if (i == ROUNDS)
			break;
		orthonormal(next, s->cols);
		tmp = now;
		now = next;
		next = tmp;
	}
	ritz(ret, now, next);
}

static struct rowspace *
space_new(size_t cols)
{
	struct rowspace *s = calloc(1, sizeof(*s));

	if (s == NULL)
		return NULL;
	s->cols = cols;
	if ((s->v = calloc(cols * Q, sizeof(*s->v))) == NULL) {
		free(s);
		return NULL;
	}
	return s;
}

int
rowspace_find(struct pool *pool, const struct rowspace_of *of,
    struct rowspace **ret, struct err *e)
{
	size_t cols = (size_t)of->r->cols;
	struct rowspace *s = NULL;
	struct work w = {.of = of, .cols = cols};
	double *m = calloc(2 * cols * Q, sizeof(*m));
	float *sums = calloc(TASKS * cols * Q, sizeof(*sums));
	int r = ERR_NOMEM;

	w.room = calloc((size_t)pool_threads(pool) * (BATCH + 4) * cols,
	    sizeof(*w.room));
	if (m == NULL || sums == NULL || w.room == NULL ||
	    (s = space_new(cols)) == NULL) {
		(void)err_set(e, ERR_NOMEM, "out of memory");
		goto out;
	}
	w.v = s->v;
	for (unsigned i = 0; i < TASKS; i++)
		w.w[i] = sums + i * cols * Q;
	if (of->n > 0 && isfinite(of->scale) && of->scale > (double)FLT_MIN)
		iterate(pool, &w, s, m);
	*ret = s;
	s = NULL; /* transferred */
	r = 0;
out:
	rowspace_free(s);
	free(w.room);
	free(sums);
	free(m);
	return r;
}

void
rowspace_free(struct rowspace *s)
{
	if (s == NULL)
		return;
	free(s->v);
	free(s);
}

void
rowspace_along(const struct rowspace *s, const float *x, unsigned k,
    double *along)
{
	memset(along, 0, k * sizeof(*along));
	for (size_t i = 0; i < s->cols; i++)
		for (unsigned j = 0; j < k; j++)
			along[j] += (double)x[i] * (double)s->v[i * Q + j];
}

double
rowspace_rest(const struct rowspace *s, const float *x, unsigned k)
{
	double along[ROWSPACE_Q], v, sum = 0;

	rowspace_along(s, x, k, along);
	for (size_t i = 0; i < s->cols; i++) {
		v = (double)x[i];
		for (unsigned j = 0; j < k; j++)
			v -= along[j] * (double)s->v[i * Q + j];
		sum += v * v;
	}
	return sqrt(sum);
}
