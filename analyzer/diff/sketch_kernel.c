#include <string.h>

#if defined(__x86_64__)
#include <immintrin.h>
#endif

#include "analyzer/diff/sketch_kernel.h"

/*
 * A product is made of tiles of C that stay in registers while the sum runs:
 * with AVX2, 4 rows by 24 columns in 12 registers, 3 for a row of X and 1 for
 * an element of A, so that each step loads 7 values for 12 multiply-adds.
 * The portable twin has tiles of 4 rows by 8 columns, which SSE2 can hold.
 */
#define TILE 4
#define INLINE __attribute__((always_inline)) static inline

INLINE void
mul_tile(const struct sketch_mul *m, size_t i, size_t j, unsigned rows)
{
	const float *a = m->a + i * m->ri, *x = m->x + j;
	float c[TILE][8] = {{0}};

	for (size_t l = 0; l < m->depth; l++, x += m->ldx)
		for (unsigned r = 0; r < rows; r++) {
			float v = a[r * m->ri + l * m->rl];

			for (unsigned k = 0; k < 8; k++)
				c[r][k] += v * x[k];
		}
	for (unsigned r = 0; r < rows; r++)
		for (unsigned k = 0; k < 8; k++)
			m->c[(i + r) * m->ldc + j + k] += c[r][k];
}

static void
mul_portable(const struct sketch_mul *m)
{
	size_t i = 0;

	for (; i + TILE <= m->rows; i += TILE)
		for (size_t j = 0; j < m->width; j += 8)
			mul_tile(m, i, j, TILE);
	for (; i < m->rows; i++)
		for (size_t j = 0; j < m->width; j += 8)
			mul_tile(m, i, j, 1);
}

/*
 * Eight rows at a time, so that an element of G is loaded and stored once
 * for eight products.  Rows that are missing are zeros.
 */
#define GRAM_ROWS 8

INLINE void
gram_rows(const float *y, size_t rows, size_t q, double *g)
{
	double d[GRAM_ROWS][SKETCH_WIDTH_MAX];

	for (size_t r = 0; r < GRAM_ROWS; r++)
		for (size_t k = 0; k < q; k++)
			d[r][k] = r < rows ? (double)y[r * q + k] : 0.0;
	for (size_t a = 0; a < q; a++)
		for (size_t b = a & ~(size_t)3; b < q; b += 4) {
			double s[4] = {0, 0, 0, 0};

			for (unsigned r = 0; r < GRAM_ROWS; r++)
				for (unsigned k = 0; k < 4; k++)
					s[k] += d[r][a] * d[r][b + k];
			for (unsigned k = 0; k < 4; k++)
				g[a * q + b + k] += s[k];
		}
}

static void
gram_portable(const float *y, size_t rows, size_t q, double *g)
{
	for (size_t i = 0; i < rows; i += GRAM_ROWS)
		gram_rows(y + i * q, rows - i, q, g);
}

/* One row: its elements are read before they are written. */
INLINE void
apply_row(float *y, size_t q, const double *r)
{
	double out[SKETCH_WIDTH_MAX];

	memset(out, 0, q * sizeof(*out));
	for (size_t a = 0; a < q; a++) {
		double v = (double)y[a];

		for (size_t b = a & ~(size_t)3; b < q; b += 4)
			for (unsigned k = 0; k < 4; k++)
				out[b + k] += v * r[a * q + b + k];
	}
	for (size_t k = 0; k < q; k++)
		y[k] = (float)out[k];
}

static void
apply_portable(float *y, size_t rows, size_t q, const double *r)
{
	for (size_t i = 0; i < rows; i++)
		apply_row(y + i * q, q, r);
}

static const struct sketch_kernels portable_kernels = {mul_portable,
    gram_portable, apply_portable};

#if defined(__x86_64__)
#define AVX2 __attribute__((target("avx2,fma")))
/* At -O2 gcc leaves short loops as they are, and then the tile in memory. */
#define UNROLL _Pragma("GCC unroll 4")

/* The same tile, ${rows} by 8 * ${nv}; both are constants when inlined. */
AVX2 INLINE void
mul_tile_avx2(const struct sketch_mul *m, size_t i, size_t j, unsigned rows,
    unsigned nv)
{
	const float *a = m->a + i * m->ri, *x = m->x + j;
	__m256 c[TILE][3];

	UNROLL for (unsigned r = 0; r < rows; r++)
		UNROLL for (unsigned k = 0; k < nv; k++)
			c[r][k] = _mm256_setzero_ps();
	for (size_t l = 0; l < m->depth; l++, x += m->ldx, a += m->rl) {
		__m256 v[3];

		UNROLL for (unsigned k = 0; k < nv; k++)
			v[k] = _mm256_loadu_ps(x + 8 * k);
		UNROLL for (unsigned r = 0; r < rows; r++) {
			__m256 s = _mm256_broadcast_ss(a + r * m->ri);

			UNROLL for (unsigned k = 0; k < nv; k++)
				c[r][k] = _mm256_fmadd_ps(s, v[k], c[r][k]);
		}
	}
	UNROLL for (unsigned r = 0; r < rows; r++)
		UNROLL for (unsigned k = 0; k < nv; k++) {
			float *to = m->c + (i + r) * m->ldc + j + 8 * k;

			_mm256_storeu_ps(to, _mm256_add_ps(
			    _mm256_loadu_ps(to), c[r][k]));
		}
}

AVX2 INLINE void
mul_strip_avx2(const struct sketch_mul *m, size_t i, unsigned rows)
{
	size_t j = 0;

	for (; j + 24 <= m->width; j += 24)
		mul_tile_avx2(m, i, j, rows, 3);
	if (j + 16 <= m->width)
		mul_tile_avx2(m, i, j, rows, 2);
	else if (j + 8 <= m->width)
		mul_tile_avx2(m, i, j, rows, 1);
}

AVX2 static void
mul_avx2(const struct sketch_mul *m)
{
	size_t i = 0;

	for (; i + TILE <= m->rows; i += TILE)
		mul_strip_avx2(m, i, TILE);
	for (; i < m->rows; i++)
		mul_strip_avx2(m, i, 1);
}

AVX2 INLINE void
gram_rows_avx2(const float *y, size_t rows, size_t q, double *g)
{
	double d[GRAM_ROWS][SKETCH_WIDTH_MAX];
	__m256d v[GRAM_ROWS];

	for (size_t r = 0; r < GRAM_ROWS; r++)
		for (size_t k = 0; k < q; k += 4)
			_mm256_storeu_pd(d[r] + k, r < rows ?
			    _mm256_cvtps_pd(_mm_loadu_ps(y + r * q + k)) :
			    _mm256_setzero_pd());
	for (size_t a = 0; a < q; a++) {
		for (unsigned r = 0; r < GRAM_ROWS; r++)
			v[r] = _mm256_broadcast_sd(&d[r][a]);
		for (size_t b = a & ~(size_t)3; b < q; b += 4) {
			__m256d s = _mm256_loadu_pd(g + a * q + b);

			for (unsigned r = 0; r < GRAM_ROWS; r++)
				s = _mm256_fmadd_pd(v[r],
				    _mm256_loadu_pd(d[r] + b), s);
			_mm256_storeu_pd(g + a * q + b, s);
		}
	}
}

AVX2 static void
gram_avx2(const float *y, size_t rows, size_t q, double *g)
{
	for (size_t i = 0; i < rows; i += GRAM_ROWS)
		gram_rows_avx2(y + i * q, rows - i, q, g);
}

/* ${rows} rows, at most TILE, against each row of the triangle. */
AVX2 INLINE void
apply_rows_avx2(float *y, unsigned rows, size_t q, const double *r)
{
	double out[TILE][SKETCH_WIDTH_MAX];
	__m256d v[TILE];

	for (unsigned i = 0; i < rows; i++)
		memset(out[i], 0, q * sizeof(double));
	for (size_t a = 0; a < q; a++) {
		for (unsigned i = 0; i < rows; i++)
			v[i] = _mm256_set1_pd((double)y[i * q + a]);
		for (size_t b = a & ~(size_t)3; b < q; b += 4) {
			__m256d t = _mm256_loadu_pd(r + a * q + b);

			for (unsigned i = 0; i < rows; i++)
				_mm256_storeu_pd(out[i] + b, _mm256_fmadd_pd(
				    v[i], t, _mm256_loadu_pd(out[i] + b)));
		}
	}
	for (unsigned i = 0; i < rows; i++)
		for (size_t k = 0; k < q; k += 4)
			_mm_storeu_ps(y + i * q + k, _mm256_cvtpd_ps(
			    _mm256_loadu_pd(out[i] + k)));
}

AVX2 static void
apply_avx2(float *y, size_t rows, size_t q, const double *r)
{
	size_t i = 0;

	for (; i + TILE <= rows; i += TILE)
		apply_rows_avx2(y + i * q, TILE, q, r);
	for (; i < rows; i++)
		apply_rows_avx2(y + i * q, 1, q, r);
}

static const struct sketch_kernels avx2_kernels = {mul_avx2, gram_avx2,
    apply_avx2};
#endif

const struct sketch_kernels *
sketch_kernels(bool portable)
{
#if defined(__x86_64__)
	if (!portable && __builtin_cpu_supports("avx2") &&
	    __builtin_cpu_supports("fma"))
		return &avx2_kernels;
#endif
	(void)portable;
	return &portable_kernels;
}
