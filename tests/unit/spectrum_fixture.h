#ifndef TESTS_UNIT_SPECTRUM_FIXTURE_H_
#define TESTS_UNIT_SPECTRUM_FIXTURE_H_

#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "analyzer/diff/delta.h"
#include "analyzer/diff/tensor.h"

/*
 * Matrices with heavy-tailed entries, updates of a known rank, and how they
 * are stored.
 */
static uint64_t fixture_seed = 20261127;

static inline double
fixture_uniform(void)
{
	fixture_seed = fixture_seed * 6364136223846793005ULL +
	    1442695040888963407ULL;
	return ((double)(fixture_seed >> 11) + 0.5) / 9007199254740992.0;
}

static inline double
fixture_gauss(void)
{
	double r = sqrt(-2 * log(fixture_uniform()));

	return r * cos(6.283185307179586 * fixture_uniform());
}

static inline void *
fixture_alloc(size_t n)
{
	void *p = calloc(n, 1);

	if (p == NULL)
		abort();
	return p;
}

/* ${n} normal entries of spread ${sd}; the caller frees. */
static inline float *
fixture_noise(size_t n, double sd)
{
	float *v = fixture_alloc(n * sizeof(*v));

	for (size_t i = 0; i < n; i++)
		v[i] = (float)(sd * fixture_gauss());
	return v;
}

/* Gaussian over the root of an average of squares: Student's t, 5 degrees. */
static inline float *
fixture_weights(size_t m, size_t n)
{
	float *w = fixture_alloc(m * n * sizeof(*w));

	for (size_t i = 0; i < m * n; i++) {
		double s = 0;

		for (unsigned k = 0; k < 5; k++)
			s += pow(fixture_gauss(), 2);
		w[i] = (float)(0.02 * fixture_gauss() / sqrt(s / 5));
	}
	return w;
}

static inline double
fixture_norm(const float *w, size_t n)
{
	double s = 0;

	for (size_t i = 0; i < n; i++)
		s += (double)w[i] * (double)w[i];
	return sqrt(s);
}

/*
 * w plus an update of ${rank} outer products, of ${size} times w's norm;
 * component k is k^-fall as strong.  Rank 0: independent entries.
 */
static inline float *
fixture_update(const float *w, size_t m, size_t n, unsigned rank,
    double size, double fall)
{
	double *d = fixture_alloc(m * n * sizeof(*d)), s = 0;
	double *u = fixture_alloc(m * sizeof(*u));
	double *v = fixture_alloc(n * sizeof(*v));
	float *b = fixture_alloc(m * n * sizeof(*b));

	for (unsigned k = 0; k < rank; k++) {
		double f = pow(k + 1, -fall);

		for (size_t i = 0; i < m; i++)
			u[i] = f * fixture_gauss();
		for (size_t j = 0; j < n; j++)
			v[j] = fixture_gauss();
		for (size_t i = 0; i < m * n; i++)
			d[i] += u[i / n] * v[i % n];
	}
	for (size_t i = 0; rank == 0 && i < m * n; i++)
		d[i] = fixture_gauss();
	for (size_t i = 0; i < m * n; i++)
		s += d[i] * d[i];
	s = s > 0 ? size * fixture_norm(w, m * n) / sqrt(s) : 0;
	for (size_t i = 0; i < m * n; i++)
		b[i] = (float)((double)w[i] + s * d[i]);
	free(d);
	free(u);
	free(v);
	return b;
}

static inline void
fixture_put16(uint8_t *p, uint16_t v)
{
	p[0] = (uint8_t)v;
	p[1] = (uint8_t)(v >> 8);
}

/* ggml's reference quantisers, 32 values. */
static inline void
fixture_q8_0(const float *x, uint8_t *p)
{
	float top = 0, id;

	for (unsigned i = 0; i < 32; i++)
		top = fmaxf(top, fabsf(x[i]));
	fixture_put16(p, elem_to_f16(top / 127));
	id = top > 0 ? 127 / top : 0;
	for (unsigned i = 0; i < 32; i++)
		p[2 + i] = (uint8_t)(int8_t)roundf(x[i] * id);
}

static inline void
fixture_q4_0(const float *x, uint8_t *p)
{
	float top = 0, d, id;

	for (unsigned i = 0; i < 32; i++)
		if (fabsf(x[i]) > fabsf(top))
			top = x[i];
	d = top / -8;
	fixture_put16(p, elem_to_f16(d));
	id = d != 0 ? 1 / d : 0;
	for (unsigned i = 0; i < 16; i++) {
		int lo = (int8_t)(x[i] * id + 8.5F);
		int hi = (int8_t)(x[16 + i] * id + 8.5F);

		p[2 + i] = (uint8_t)((lo < 15 ? lo : 15) |
		    (hi < 15 ? hi : 15) << 4);
	}
}

/* The bytes of ${n} values as ${t} stores them; the caller frees. */
static inline uint8_t *
fixture_store(enum elem t, const float *w, size_t n)
{
	const struct elem_info *x = elem_info(t);
	uint8_t *p = fixture_alloc(n / x->block * x->bytes);

	for (size_t i = 0; i < n; i += x->block) {
		uint8_t *to = p + i / x->block * x->bytes;
		uint32_t u;

		memcpy(&u, w + i, sizeof(u));
		if (t == ELEM_F32)
			memcpy(to, &u, sizeof(u));
		else if (t == ELEM_F16)
			fixture_put16(to, elem_to_f16(w[i]));
		else if (t == ELEM_BF16)
			fixture_put16(to, (uint16_t)((u + 0x7fff +
			    (u >> 16 & 1)) >> 16));
		else if (t == ELEM_Q8_0)
			fixture_q8_0(w + i, to);
		else if (t == ELEM_Q4_0)
			fixture_q4_0(w + i, to);
		else
			abort();
	}
	return p;
}

static inline struct tensor
fixture_tensor(enum elem t, const uint8_t *p, const uint64_t shape[2])
{
	const struct elem_info *x = elem_info(t);
	uint64_t n = shape[0] * shape[1];

	return (struct tensor){.name = "w", .name_len = 1, .elem = t,
	    .dtype = x->name, .shape = shape, .rank = 2, .n = n,
	    .rows = shape[0], .cols = shape[1], .p = p,
	    .len = n / x->block * x->bytes};
}

#endif /* !TESTS_UNIT_SPECTRUM_FIXTURE_H_ */
