#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "analyzer/diff/sketch_unit.h"
#include "analyzer/diff/tensor.h"

static uint16_t
scale_bits(const uint8_t *p)
{
	return (uint16_t)(p[0] | p[1] << 8);
}

static int
by_value(const void *a, const void *b)
{
	const float *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

/*
 * The step of ${n} values that are a whole number of steps apart: the least
 * difference.  Sixteen values on sixteen levels hardly ever skip it.
 */
static double
least_gap(const float *v, size_t n)
{
	float s[32];
	double gap = 0;

	memcpy(s, v, n * sizeof(*s));
	qsort(s, n, sizeof(*s), by_value);
	for (size_t i = 1; i < n; i++) {
		double g = (double)s[i] - (double)s[i - 1];

		/* Values are products, rounded: equal ones may differ. */
		if (g > 1e-5 * fabs((double)s[i]) && (gap == 0 || g < gap))
			gap = g;
	}
	return gap;
}

void
sketch_unit_steps(const struct tensor *t, uint64_t at, size_t n, const float *v,
    float *unit)
{
	const struct elem_info *x = elem_info(t->elem);
	const uint8_t *p = t->p + at / x->block * x->bytes;
	size_t sub = x->block == 32 ? 32 : 16;
	double step;

	for (size_t i = 0; i < n; i += sub) {
		const uint8_t *q = p + i / x->block * x->bytes;

		if (x->block == 32)
			step = (double)elem_from_f16(scale_bits(q));
		else if (t->elem == ELEM_Q6_K)
			step = (double)elem_from_f16(scale_bits(q + 208)) *
			    (int8_t)q[192 + i % x->block / 16];
		else
			step = least_gap(v + i, 16);
		step = isfinite(step) ? fabs(step) : 0.0;
		for (size_t k = 0; k < sub; k++)
			unit[i + k] = (float)step;
	}
}

int
sketch_unit_least(enum elem t)
{
	if (t == ELEM_F8_E4M3)
		return -6;
	return t == ELEM_F16 || t == ELEM_F16_BE || t == ELEM_F8_E5M2 ? -14 :
	    -126;
}

/* Explicit bits of the mantissa that are used at all. */
static unsigned
used_bits(uint32_t ored)
{
	unsigned used = SKETCH_UNIT_SINGLE;

	while (used > 0 && (ored & 1U) == 0) {
		ored >>= 1;
		used--;
	}
	return used;
}

/*
 * The bits of the narrowest type that holds what is there.  A tensor of ones
 * has no bits set at all: it is left as its type says.
 */
static unsigned
narrow(enum elem t, uint32_t ored, int *least)
{
	unsigned m = elem_info(t)->mantissa, used = used_bits(ored);

	m = m < SKETCH_UNIT_SINGLE ? m : SKETCH_UNIT_SINGLE;
	if (m == SKETCH_UNIT_SINGLE && used > 0 && used <= 7)
		m = 7;
	else if (m == SKETCH_UNIT_SINGLE && used > 7 && used <= 10)
		m = 10;
	*least = m == 10 ? -14 : sketch_unit_least(t);
	return m;
}

static double
float_noise(const uint64_t *exponents, unsigned mantissa, int least)
{
	double sum = 0;

	for (int k = 0; k < SKETCH_UNIT_EXPONENTS - 1; k++) {
		int e = k > 0 ? k - 127 : -126;

		sum += (double)exponents[k] *
		    ldexp(1.0, 2 * ((e > least ? e : least) - (int)mantissa));
	}
	return sum / 12.0;
}

double
sketch_unit_noise(const struct tensor *t, const uint64_t *exponents,
    uint32_t ored, double steps, unsigned *mantissa)
{
	enum elem_kind kind = elem_info(t->elem)->kind;
	int least;

	*mantissa = 0;
	if (kind == ELEM_BLOCKS)
		return steps / 12.0;
	if (kind == ELEM_INT)
		return (double)t->n / 12.0;
	*mantissa = narrow(t->elem, ored, &least);
	return float_noise(exponents, *mantissa, least);
}
