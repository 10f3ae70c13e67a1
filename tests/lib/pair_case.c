#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "tests/lib/pair_case.h"

uint64_t
pair_case_random(uint64_t *state)
{
	uint64_t x = *state += UINT64_C(0x9e3779b97f4a7c15);

	x = (x ^ x >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
	x = (x ^ x >> 27) * UINT64_C(0x94d049bb133111eb);
	return x ^ x >> 31;
}

double
pair_case_uniform(uint64_t *state)
{
	return (double)(pair_case_random(state) >> 11) * 0x1p-53;
}

double
pair_case_normal(uint64_t *state)
{
	double u = pair_case_uniform(state), v = pair_case_uniform(state);

	return sqrt(-2 * log(1 - u)) * cos(6.283185307179586 * v);
}

/* The nearest code of an 8-bit float, by trying all. */
static uint8_t
eight(enum elem t, float x)
{
	uint8_t best = 0;
	double least = INFINITY;

	for (unsigned c = 0; c < 256; c++) {
		const uint8_t code = (uint8_t)c;
		float y;

		elem_load(t, &code, 1, &y);
		if (isfinite(y) && fabs((double)y - (double)x) < least &&
		    signbit(y) == signbit(x)) {
			least = fabs((double)y - (double)x);
			best = code;
		}
	}
	return best;
}

void
pair_case_store(enum elem t, const float *x, size_t n, uint8_t *p)
{
	for (size_t i = 0; i < n; i++) {
		double d = (double)x[i];
		uint32_t u;
		uint16_t h;

		memcpy(&u, &x[i], sizeof(u));
		h = t == ELEM_F16 ? elem_to_f16(x[i]) : (uint16_t)((u +
		    0x7fffU + (u >> 16 & 1U)) >> 16);
		if (t == ELEM_F64)
			memcpy(p + 8 * i, &d, 8);
		else if (t == ELEM_F32)
			memcpy(p + 4 * i, &u, 4);
		else if (t == ELEM_F16 || t == ELEM_BF16)
			memcpy(p + 2 * i, &h, 2);
		else if (t == ELEM_I8)
			p[i] = (uint8_t)(int8_t)rintf(x[i]);
		else
			p[i] = eight(t, x[i]);
	}
}

static void
place(struct pair_case *c, enum elem t, const struct tensor *like)
{
	c->t = (struct tensor){.name = "t", .name_len = 1, .elem = t,
	    .dtype = elem_info(t)->name, .rank = like->rank, .n = like->n,
	    .rows = like->rows, .cols = like->cols};
	for (unsigned i = 0; i < like->rank; i++)
		c->shape[i] = like->shape[i];
	c->t.len = c->t.n / elem_info(t)->block * elem_info(t)->bytes;
}

struct pair_case
pair_case_like(const struct pair_case *o, enum elem t, const float *x)
{
	struct pair_case c = {0};

	place(&c, t, &(struct tensor){.rank = o->t.rank, .n = o->t.n,
	    .rows = o->t.rows, .cols = o->t.cols, .shape = o->shape});
	c.p = malloc(c.t.len + 1);
	c.x = malloc((c.t.n + 1) * sizeof(*c.x));
	if (c.p == NULL || c.x == NULL)
		abort();
	memcpy(c.x, x, c.t.n * sizeof(*x));
	if (elem_info(t)->block == 1)
		pair_case_store(t, x, c.t.n, c.p);
	c.t.p = c.p;
	return c;
}

struct pair_case
pair_case_make(enum elem t, size_t rows, size_t cols, uint64_t seed)
{
	const size_t n = rows * cols;
	struct pair_case shape = {.t = {.rank = rows > 1 ? 2 : 1, .n = n,
	    .rows = rows, .cols = cols}, .shape = {rows > 1 ? rows : n, cols}};
	struct pair_case c;
	float *x = malloc((n + 1) * sizeof(*x));

	if (x == NULL)
		abort();
	for (size_t i = 0; i < rows; i++) {
		double sd = 0.02 * exp(0.5 * pair_case_normal(&seed));

		for (size_t j = 0; j < cols; j++)
			x[i * cols + j] = (float)(sd *
			    pair_case_normal(&seed) *
			    exp(0.3 * pair_case_normal(&seed)));
	}
	c = pair_case_like(&shape, t, x);
	free(x);
	return c;
}

float *
pair_case_copy(const struct pair_case *c)
{
	float *x = malloc((c->t.n + 1) * sizeof(*x));

	if (x == NULL)
		abort();
	memcpy(x, c->x, c->t.n * sizeof(*x));
	return x;
}

void
pair_case_free(struct pair_case *c)
{
	free(c->p);
	free(c->x);
	memset(c, 0, sizeof(*c));
}

static void
add(struct pass_sums *s, double a, double b)
{
	s->nonfinite_a += isfinite(a) ? 0 : 1;
	s->nonfinite_b += isfinite(b) ? 0 : 1;
	if (!isfinite(a) || !isfinite(b))
		return;
	s->a2 += a * a;
	s->b2 += b * b;
	s->ab += a * b;
	s->d2 += (b - a) * (b - a);
	s->max_abs = fmax(s->max_abs, fabs(b - a));
}

struct pass_sums
pair_case_sums(const struct tensor *a, const struct tensor *b)
{
	struct pass_sums s = {.n = a->n};
	float *x = malloc((a->n + 1) * sizeof(*x));
	float *y = malloc((a->n + 1) * sizeof(*y));
	bool raw = a->elem == b->elem && elem_info(a->elem)->block == 1;

	if (x == NULL || y == NULL)
		abort();
	elem_load(a->elem, a->p, a->n, x);
	elem_load(b->elem, b->p, b->n, y);
	for (uint64_t i = 0; i < a->n; i++) {
		uint64_t diff = raw ? elem_bits(a->elem, a->p, i) ^
		    elem_bits(b->elem, b->p, i) :
		    x[i] == y[i] ? 0 : UINT64_MAX;

		add(&s, (double)x[i], (double)y[i]);
		if (diff == 0)
			continue;
		if (s.changed++ == 0)
			s.first = i;
		s.last = i;
		s.xor_or |= diff;
	}
	free(x);
	free(y);
	return s;
}
