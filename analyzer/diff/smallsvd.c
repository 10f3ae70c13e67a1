#include <float.h>
#include <math.h>
#include <string.h>

#include "analyzer/diff/smallsvd.h"

/*
 * Symmetric eigenvalues: Householder's reduction to a tridiagonal matrix and
 * QL with implicit shifts (Golub and Van Loan, Matrix Computations, 8.3;
 * Wilkinson and Reinsch, tred2 and tql2).  n^3 operations where Jacobi takes
 * ten times that: a sketch of 272 columns is reduced in 20 ms.
 *
 * The matrix is scaled to 1 first, so no square in between overflows.
 */
#define SWEEPS_MAX 60

static double
dot(const double *a, const double *b, size_t n)
{
	double s[4] = {0, 0, 0, 0};
	size_t i = 0;

	for (; i + 4 <= n; i += 4)
		for (unsigned k = 0; k < 4; k++)
			s[k] += a[i + k] * b[i + k];
	for (; i < n; i++)
		s[0] += a[i] * b[i];
	return (s[0] + s[1]) + (s[2] + s[3]);
}

static void
axpy(double c, const double *x, double *y, size_t n)
{
	for (size_t i = 0; i < n; i++)
		y[i] += c * x[i];
}

/* The largest magnitude, and the lower triangle made the upper one's. */
static double
mirror(double *g, unsigned n)
{
	double top = 0;

	for (size_t i = 0; i < n; i++)
		for (size_t j = i; j < n; j++) {
			double v = g[i * n + j];

			if (!isfinite(v))
				return v;
			g[j * n + i] = v;
			top = fmax(top, fabs(v));
		}
	return top;
}

/*
 * One reflection: of row k the part right of the diagonal becomes a multiple
 * of its first element.  The vector stays in row k, for the eigenvectors.
 */
static double
reflect(double *g, unsigned n, size_t k, double *p, double *off)
{
	size_t m = n - k - 1;
	double *v = g + k * n + k + 1, *a;
	double norm = sqrt(dot(v, v, m)), beta, half;

	*off = v[0];
	if (norm == 0.0 || dot(v + 1, v + 1, m - 1) == 0.0)
		return 0.0;
	*off = v[0] > 0 ? -norm : norm;
	v[0] -= *off;
	beta = 2.0 / dot(v, v, m);
	a = g + (k + 1) * n + k + 1;
	for (size_t i = 0; i < m; i++)
		p[i] = beta * dot(a + i * n, v, m);
	half = beta / 2.0 * dot(p, v, m);
	axpy(-half, v, p, m);
	for (size_t i = 0; i < m; i++) {
		axpy(-v[i], p, a + i * n, m);
		axpy(-p[i], v, a + i * n, m);
	}
	return beta;
}

static void
turn(double *lo, double *hi, size_t n, double c, double s)
{
	for (size_t k = 0; k < n; k++) {
		double f = hi[k];

		hi[k] = s * lo[k] + c * f;
		lo[k] = c * lo[k] - s * f;
	}
}

/* One implicit QL step on d, e between l and m. */
static void
step(double *d, double *e, size_t l, size_t m, double *vec, size_t n)
{
	double g = (d[l + 1] - d[l]) / (2.0 * e[l]), s = 1, c = 1, p = 0;
	double r = hypot(g, 1.0);

	g = d[m] - d[l] + e[l] / (g + copysign(r, g));
	for (size_t i = m; i-- > l;) {
		double f = s * e[i], b = c * e[i];

		r = sqrt(f * f + g * g);
		e[i + 1] = r;
		if (r == 0.0) {
			d[i + 1] -= p;
			e[m] = 0.0;
			return;
		}
		s = f / r;
		c = g / r;
		g = d[i + 1] - p;
		r = (d[i] - g) * s + 2.0 * c * b;
		p = s * r;
		d[i + 1] = g + p;
		g = c * r - b;
		if (vec != NULL)
			turn(vec + i * n, vec + (i + 1) * n, n, c, s);
	}
	d[l] -= p;
	e[l] = g;
	e[m] = 0.0;
}

/*
 * e[i] stands between d[i] and d[i + 1]; e[n - 1] is 0.  What is below
 * epsilon of the largest element is rounding.  To ask for less, as each pair
 * of neighbours would allow, does not end where the rank is low: beside the
 * largest values each step brings as much in again as it takes away.
 */
static bool
tridiagonal(double *d, double *e, unsigned n, double *vec)
{
	double least = 0;

	for (size_t i = 0; i < n; i++)
		least = fmax(least, fabs(d[i]) + fabs(e[i]));
	least *= DBL_EPSILON;
	for (size_t l = 0; l < n; l++)
		for (unsigned tries = 0;; tries++) {
			size_t m = l;

			while (m + 1 < n && fabs(e[m]) > least)
				m++;
			if (m == l)
				break;
			if (tries == SWEEPS_MAX)
				return false;
			step(d, e, l, m, vec, n);
		}
	return true;
}

static void
swap_rows(double *a, double *b, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		double t = a[i];

		a[i] = b[i];
		b[i] = t;
	}
}

static void
sort(double *w, unsigned n, double *vec)
{
	for (size_t i = 0; i + 1 < n; i++) {
		size_t best = i;

		for (size_t j = i + 1; j < n; j++)
			if (w[j] > w[best])
				best = j;
		if (best == i)
			continue;
		swap_rows(w + i, w + best, 1);
		if (vec != NULL)
			swap_rows(vec + i * n, vec + best * n, n);
	}
}

/* The reflections of ${g} applied to the tridiagonal matrix's vectors. */
static void
unreflect(const double *g, const double *beta, unsigned n, double *vec)
{
	for (size_t r = 0; r < n; r++)
		for (size_t k = n >= 2 ? n - 2 : 0; k-- > 0;) {
			const double *v = g + k * n + k + 1;
			double *x = vec + r * n + k + 1;

			axpy(-beta[k] * dot(v, x, n - k - 1), v, x,
			    n - k - 1);
		}
}

bool
smallsvd_eigen(double *g, unsigned n, double *w, double *vec, double *room)
{
	double *e = room, *beta = room + n, *p = room + 2 * (size_t)n;
	double top = mirror(g, n);

	if (!isfinite(top))
		return false;
	for (size_t i = 0; top > 0 && i < (size_t)n * n; i++)
		g[i] /= top;
	for (size_t k = 0; k < n; k++) {
		w[k] = g[k * n + k];
		e[k] = k + 1 < n ? g[k * n + k + 1] : 0.0;
		if (k + 2 < n)
			beta[k] = reflect(g, n, k, p, &e[k]);
	}
	if (vec != NULL) {
		memset(vec, 0, (size_t)n * n * sizeof(*vec));
		for (size_t i = 0; i < n; i++)
			vec[i * n + i] = 1.0;
	}
	if (!tridiagonal(w, e, n, vec))
		return false;
	if (vec != NULL)
		unreflect(g, beta, n, vec);
	sort(w, n, vec);
	for (size_t k = 0; k < n; k++)
		w[k] *= top;
	return true;
}

/*
 * Cholesky G = R^T R, then R^-1 in place.  Columns are scaled to length 1
 * first: a sketch's columns are graded, and what counts is how much of each
 * is new, not how long it is.  Y is of single precision, so what is new below
 * 3e-7 of a column is its rounding.
 */
#define DEPENDENT 1e-13

static unsigned
factor(double *g, unsigned n, const double *scale)
{
	unsigned rank = 0;

	for (size_t k = 0; k < n; k++) {
		double *row = g + k * n, pivot;

		for (size_t j = k; j < n; j++)
			row[j] *= scale[k] * scale[j];
		for (size_t i = 0; i < k; i++)
			axpy(-g[i * n + k], g + i * n + k, row + k, n - k);
		pivot = row[k];
		if (scale[k] == 0.0 || !(pivot > DEPENDENT)) {
			memset(row + k, 0, (n - k) * sizeof(*row));
			continue;
		}
		rank++;
		pivot = 1.0 / sqrt(pivot);
		for (size_t j = k; j < n; j++)
			row[j] *= pivot;
	}
	return rank;
}

/* The inverse of the upper triangle, row by row from below. */
static void
invert(double *g, unsigned n, double *tmp)
{
	for (size_t k = n; k-- > 0;) {
		double *row = g + k * n, d = row[k];

		if (d == 0.0) {
			memset(row, 0, n * sizeof(*row));
			continue;
		}
		memset(tmp, 0, n * sizeof(*tmp));
		for (size_t j = k + 1; j < n; j++)
			axpy(-row[j] / d, g + j * n + j, tmp + j, n - j);
		memset(row, 0, k * sizeof(*row));
		row[k] = 1.0 / d;
		memcpy(row + k + 1, tmp + k + 1, (n - k - 1) * sizeof(*row));
	}
}

unsigned
smallsvd_whiten(double *g, unsigned n, double *room)
{
	double *scale = room, *tmp = room + n;
	unsigned rank;

	for (size_t i = 0; i < n; i++) {
		double d = g[i * n + i];

		scale[i] = d > 0 && isfinite(d) ? 1.0 / sqrt(d) : 0.0;
	}
	rank = factor(g, n, scale);
	invert(g, n, tmp);
	for (size_t i = 0; i < n; i++)
		for (size_t j = i; j < n; j++)
			g[i * n + j] *= scale[i];
	return rank;
}
