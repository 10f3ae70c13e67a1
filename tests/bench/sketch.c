#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "analyzer/diff/delta.h"
#include "analyzer/diff/pass.h"
#include "analyzer/diff/pool.h"
#include "analyzer/diff/sketch_kernel.h"
#include "analyzer/diff/spectrum.h"
#include "analyzer/diff/tensor.h"
#include "base/err.h"

/*
 * The rank test: its inner loop, and all matrices of a model with 1.1 billion
 * parameters in bfloat16 that was trained on, so that each is looked at.  The
 * matrices share one pair of buffers: what they hold does not matter, but for
 * the last line, where a rank of 100 takes two larger sketches.
 */
#define COLUMNS 24
#define ROWS 64
#define DEPTH 256

static double
now(clockid_t id)
{
	struct timespec t;

	(void)clock_gettime(id, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void *
need(size_t n)
{
	void *p = malloc(n);

	if (p == NULL) {
		(void)fprintf(stderr, "bench: no memory\n");
		exit(1);
	}
	return p;
}

static uint64_t
hash(uint64_t x)
{
	x = (x + 1) * 0x9e3779b97f4a7c15ULL;
	x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9ULL;
	return x ^ x >> 27;
}

/* Near enough to Gaussian, and fast. */
static float
random_value(uint64_t x)
{
	return 0.25F * (float)(__builtin_popcountll(hash(x)) - 32);
}

static void
bench_kernel(bool portable, bool turned)
{
	const struct sketch_kernels *k = sketch_kernels(portable);
	float *a = need(ROWS * DEPTH * sizeof(*a));
	float *x = need(DEPTH * COLUMNS * sizeof(*x));
	float *c = need(ROWS * COLUMNS * sizeof(*c));
	struct sketch_mul m = {.a = a, .ri = turned ? 1 : DEPTH,
	    .rl = turned ? ROWS : 1, .x = x, .ldx = COLUMNS, .c = c,
	    .ldc = COLUMNS, .rows = ROWS, .depth = DEPTH, .width = COLUMNS};
	double best = 1e9, t;

	for (size_t i = 0; i < ROWS * DEPTH; i++)
		a[i] = random_value(i);
	for (size_t i = 0; i < DEPTH * COLUMNS; i++)
		x[i] = random_value(i);
	memset(c, 0, ROWS * COLUMNS * sizeof(*c));
	for (unsigned tries = 0; tries < 7; tries++) {
		t = now(CLOCK_PROCESS_CPUTIME_ID);
		for (unsigned i = 0; i < 1000; i++)
			k->mul(&m);
		t = now(CLOCK_PROCESS_CPUTIME_ID) - t;
		best = t < best ? t : best;
	}
	(void)printf("sketch %s %-9s %6.1f GFLOP/s a core\n", turned ?
	    "D^T Y    " : "D Omega  ", portable ? "portable" : "fast",
	    2000.0 * ROWS * DEPTH * COLUMNS / best / 1e9);
	free(a);
	free(x);
	free(c);
}

static uint16_t
brain(float f)
{
	uint32_t u;

	memcpy(&u, &f, sizeof(u));
	return (uint16_t)((u + 0x7fff + (u >> 16 & 1)) >> 16);
}

static struct spectrum
look(struct pool *pool, const uint8_t *a, const uint8_t *b, uint64_t rows,
    uint64_t cols)
{
	const uint64_t shape[2] = {rows, cols};
	struct tensor t[2];
	struct delta d = {&t[0], &t[1], CAST_NONE};
	struct pass_sums sums = {.n = rows * cols, .changed = rows * cols};
	struct spectrum s;

	t[0] = (struct tensor){.elem = ELEM_BF16, .shape = shape, .rank = 2,
	    .n = rows * cols, .rows = rows, .cols = cols, .p = a,
	    .len = 2 * rows * cols};
	t[1] = t[0];
	t[1].p = b;
	if (spectrum_find(pool, &d, &sums, &s, NULL) < 0) {
		(void)fprintf(stderr, "bench: the rank test failed\n");
		exit(1);
	}
	return s;
}

/* Shapes of TinyLlama: how often, rows, columns. */
static const unsigned shapes[][3] = {{2, 32000, 2048}, {44, 2048, 2048},
    {44, 256, 2048}, {44, 5632, 2048}, {22, 2048, 5632}};

static void
bench_model(struct pool *pool, const uint8_t *a, const uint8_t *b)
{
	double cpu = now(CLOCK_PROCESS_CPUTIME_ID);
	double wall = now(CLOCK_MONOTONIC);
	uint64_t n = 0, dense = 0;

	for (unsigned i = 0; i < sizeof(shapes) / sizeof(shapes[0]); i++)
		for (unsigned k = 0; k < shapes[i][0]; k++) {
			n += (uint64_t)shapes[i][1] * shapes[i][2];
			dense += look(pool, a, b, shapes[i][1],
			    shapes[i][2]).verdict == SPECTRUM_DENSE;
		}
	cpu = now(CLOCK_PROCESS_CPUTIME_ID) - cpu;
	wall = now(CLOCK_MONOTONIC) - wall;
	(void)printf("rank test, %.2fe9 parameters, %u threads  %6.1f s, "
	    "%.1f s of CPU; %llu dense\n", (double)n / 1e9,
	    pool_threads(pool), wall, cpu, (unsigned long long)dense);
}

static void
bench_small(struct pool *pool, const uint8_t *a, const uint8_t *b)
{
	double cpu = now(CLOCK_PROCESS_CPUTIME_ID);

	for (unsigned i = 0; i < 1000; i++)
		(void)look(pool, a + 8192 * i, b + 8192 * i, 64, 64);
	cpu = now(CLOCK_PROCESS_CPUTIME_ID) - cpu;
	(void)printf("rank test, 64 x 64                      %6.0f us of "
	    "CPU each\n", cpu * 1e3);
}

/* D of rank 100 where the first sketch has 24 columns, the second 80. */
static void
bench_large_rank(struct pool *pool, const uint8_t *a, uint16_t *b)
{
	enum { SIDE = 2048, RANK = 100 };
	double cpu;
	struct spectrum s;

	for (size_t i = 0; i < SIDE; i++)
		for (size_t j = 0; j < SIDE; j++) {
			float v = random_value(i * SIDE + j);

			for (size_t k = 0; k < RANK; k++)
				v += 0.1F * random_value(7 + i * RANK + k) *
				    random_value(~(k * SIDE + j));
			b[i * SIDE + j] = brain(0.02F * v);
		}
	cpu = now(CLOCK_PROCESS_CPUTIME_ID);
	s = look(pool, a, (const uint8_t *)b, SIDE, SIDE);
	cpu = now(CLOCK_PROCESS_CPUTIME_ID) - cpu;
	(void)printf("rank test, 2048 x 2048 of rank 100      %6.2f s of CPU: "
	    "rank %u from %u columns\n", cpu, s.rank, s.q);
}

int
main(void)
{
	size_t n = (size_t)32000 * 2048;
	uint16_t *a = need(2 * n), *b = need(2 * n);
	struct pool *pool = pool_new(2, NULL);

	for (unsigned i = 0; i < 4; i++)
		bench_kernel(i / 2 == 1, i % 2 == 1);
	for (size_t i = 0; i < n; i++) {
		a[i] = brain(0.02F * random_value(i));
		b[i] = brain(0.02F * random_value(i) +
		    0.0005F * random_value(~i));
	}
	bench_model(pool, (const uint8_t *)a, (const uint8_t *)b);
	bench_small(pool, (const uint8_t *)a, (const uint8_t *)b);
	bench_large_rank(pool, (const uint8_t *)a, b);
	pool_free(pool);
	free(a);
	free(b);
	return 0;
}
