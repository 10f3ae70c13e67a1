#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "analyzer/diff/relation.h"
#include "tests/lib/pair_case.h"
#include "tests/lib/relation_case.h"

/* Q8_0 and Q4_0 as blocks, of the base and of its half-precision twins. */
static void
quantise(enum cast c, const float *x, size_t n, uint8_t *p)
{
	for (size_t i = 0; i < n; i += 32) {
		float m = 0, d, id;
		uint16_t h;

		for (size_t k = 0; k < 32; k++)
			if (fabsf(x[i + k]) > fabsf(m))
				m = x[i + k];
		d = c == CAST_Q8_0 ? fabsf(m) / 127 : m / -8;
		id = d != 0 ? 1 / d : 0;
		h = elem_to_f16(d);
		memcpy(p, &h, 2);
		p += 2;
		for (size_t k = 0; c == CAST_Q8_0 && k < 32; k++)
			*p++ = (uint8_t)(int8_t)roundf(x[i + k] * id);
		for (size_t k = 0; c == CAST_Q4_0 && k < 16; k++) {
			int lo = (int)(x[i + k] * id + 8.5F);
			int hi = (int)(x[i + k + 16] * id + 8.5F);

			*p++ = (uint8_t)((lo < 15 ? lo : 15) |
			    (hi < 15 ? hi : 15) << 4);
		}
	}
}

static void
blocks_are_those_of_base_or_of_its_half_precision(void **state)
{
	static const struct {
		enum elem elem;
		enum cast pre, cast;
		const char *name;
	} ways[] = {{ELEM_Q8_0, CAST_NONE, CAST_Q8_0, "q8_0"},
	    {ELEM_Q8_0, CAST_F16, CAST_Q8_0, "q8_0-of-f16"},
	    {ELEM_Q8_0, CAST_BF16_EVEN, CAST_Q8_0, "q8_0-of-bf16"},
	    {ELEM_Q4_0, CAST_NONE, CAST_Q4_0, "q4_0"},
	    {ELEM_Q4_0, CAST_BF16_EVEN, CAST_Q4_0, "q4_0-of-bf16"}};
	struct pair_case a = pair_case_make(ELEM_F32, 64, 256, 2);
	float *x = pair_case_copy(&a);

	(void)state;
	for (size_t i = 0; i < sizeof(ways) / sizeof(ways[0]); i++) {
		struct pair_case b = pair_case_like(&a, ways[i].elem, a.x);
		struct relation r;

		cast_block(ways[i].pre, a.x, x, a.t.n);
		quantise(ways[i].cast, x, a.t.n, b.p);
		r = relation_case_find(&a, &b);
		relation_case_is_called(&r, ways[i].name);
		assert_int_equal(r.cast, ways[i].cast);
		pair_case_free(&b);
	}
	free(x);
	pair_case_free(&a);
}

/* Another scale than the reference's: a search would take it. */
static void
requantise(const float *x, size_t n, float shrink, uint8_t *p)
{
	for (size_t i = 0; i < n; i += 32, p += 18) {
		float m = 0, d;
		uint16_t h;

		for (size_t k = 0; k < 32; k++)
			if (fabsf(x[i + k]) > fabsf(m))
				m = x[i + k];
		d = m / -8 * shrink;
		h = elem_to_f16(d * 0.99F);
		memcpy(p, &h, 2);
		for (size_t k = 0; k < 16; k++) {
			float lo = rintf(x[i + k] / d) + 8;
			float hi = rintf(x[i + k + 16] / d) + 8;

			lo = fmaxf(0, fminf(15, lo));
			hi = fmaxf(0, fminf(15, hi));
			p[2 + k] = (uint8_t)((int)lo | (int)hi << 4);
		}
	}
}

static void
a_searched_scale_is_consistent_and_an_edit_before_it_is_not(void **state)
{
	struct pair_case a = pair_case_make(ELEM_F32, 64, 256, 3);
	struct pair_case b = pair_case_like(&a, ELEM_Q4_0, a.x);
	float *x = pair_case_copy(&a);
	struct relation r;
	uint64_t seed = 5;

	(void)state;
	requantise(a.x, a.t.n, 0.93F, b.p);
	r = relation_case_find(&a, &b);
	relation_case_is_called(&r, "requantised");
	assert_true(r.consistent >= 0.999);
	for (size_t i = 0; i < a.t.n; i++)
		x[i] += (float)(2e-4 * pair_case_normal(&seed));
	requantise(x, a.t.n, 0.93F, b.p);
	r = relation_case_find(&a, &b);
	relation_case_is_called(&r, "changed");
	assert_int_equal(r.cast, CAST_Q4_0);
	free(x);
	pair_case_free(&a);
	pair_case_free(&b);
}

/*
 * Q4_K: steps and minima of eight runs in six bits, codes by what is stored
 * (quantize_row_q4_K_ref, without the search).
 */
static void
quantise_q4_k(const float *x, uint8_t *p)
{
	float step[8], low[8], most = 0, deepest = 0, d, m;
	uint8_t s[8], o[8];
	uint16_t h;

	for (size_t k = 0; k < 8; k++) {
		float top = x[32 * k];

		low[k] = 0;
		for (size_t i = 0; i < 32; i++) {
			low[k] = fminf(low[k], x[32 * k + i]);
			top = fmaxf(top, x[32 * k + i]);
		}
		step[k] = (top - low[k]) / 15;
		most = fmaxf(most, step[k]);
		deepest = fmaxf(deepest, -low[k]);
	}
	h = elem_to_f16(most / 63);
	memcpy(p, &h, 2);
	d = elem_from_f16(h);
	h = elem_to_f16(deepest / 63);
	memcpy(p + 2, &h, 2);
	m = elem_from_f16(h);
	memset(p + 4, 0, 140);
	for (size_t k = 0; k < 8; k++) {
		s[k] = (uint8_t)fminf(63, rintf(step[k] / d));
		o[k] = (uint8_t)fminf(63, rintf(-low[k] / m));
	}
	for (size_t k = 0; k < 4; k++) {
		p[4 + k] = (uint8_t)(s[k] | (s[k + 4] >> 4) << 6);
		p[8 + k] = (uint8_t)(o[k] | (o[k + 4] >> 4) << 6);
		p[12 + k] = (uint8_t)((s[k + 4] & 15) | (o[k + 4] & 15) << 4);
	}
	for (size_t i = 0; i < 256; i++) {
		size_t k = i / 32;
		float c = rintf((x[i] + m * (float)o[k]) / (d * (float)s[k]));

		c = fmaxf(0, fminf(15, c));
		p[16 + 32 * (k / 2) + i % 32] |= (uint8_t)((int)c <<
		    4 * (k % 2));
	}
}

static void
k_quants_are_consistent_with_their_base_alone(void **state)
{
	struct pair_case a = pair_case_make(ELEM_F32, 64, 256, 6);
	struct pair_case b = pair_case_like(&a, ELEM_Q4_K, a.x);
	struct relation r;
	uint64_t seed = 7;

	(void)state;
	for (size_t i = 0; i < 64; i++)
		quantise_q4_k(a.x + 256 * i, b.p + 144 * i);
	r = relation_case_find(&a, &b);
	relation_case_is_called(&r, "requantised");
	for (size_t i = 0; i < a.t.n; i++)
		a.x[i] += (float)(1e-4 * pair_case_normal(&seed));
	pair_case_store(ELEM_F32, a.x, a.t.n, a.p);
	r = relation_case_find(&a, &b);
	relation_case_is_called(&r, "changed");
	pair_case_free(&a);
	pair_case_free(&b);
}

static void
grids_of_rows_and_of_the_tensor(void **state)
{
	struct pair_case a = pair_case_make(ELEM_F32, 40, 64, 4);
	float *x = pair_case_copy(&a), top = 0, max;
	struct relation r;

	(void)state;
	for (size_t i = 0; i < a.t.n; i++)
		top = fmaxf(top, fabsf(a.x[i]));
	for (size_t i = 0; i < 40; i++) {
		max = 0;
		for (size_t j = 0; j < 64; j++)
			max = fmaxf(max, fabsf(a.x[64 * i + j]));
		for (size_t j = 0; j < 64; j++)
			x[64 * i + j] = rintf(a.x[64 * i + j] / (max / 127)) *
			    (max / 127);
	}
	r = relation_case_find_values(&a, x, ELEM_F32);
	relation_case_is_called(&r, "int8-rows");
	assert_true(r.scale->divisor == 127);
	for (size_t i = 0; i < a.t.n; i++)
		x[i] = rintf(a.x[i] / (top / 127));
	for (size_t i = 0; i < a.t.n; i++)
		x[i] *= top / 127;
	r = relation_case_find_values(&a, x, ELEM_F32);
	relation_case_is_called(&r, "int8-tensor");
	assert_true(fabs(r.scale->factor - (double)top / 127) < 1e-9);
	x[2000] += top / 127;
	r = relation_case_find_values(&a, x, ELEM_F32);
	relation_case_is_called(&r, "changed");
	for (size_t i = 0; i < a.t.n; i++)
		x[i] = rintf(a.x[i] / (top / 127));
	r = relation_case_find_values(&a, x, ELEM_I8);
	relation_case_is_called(&r, "int8-tensor");
	for (size_t i = 0; i < a.t.n; i++)
		x[i] = a.x[i] / (top / 448);
	cast_block(CAST_F8_E4M3, x, x, a.t.n);
	r = relation_case_find_values(&a, x, ELEM_F8_E4M3);
	relation_case_is_called(&r, "f8_e4m3-scaled");
	for (size_t i = 0; i < a.t.n; i++)
		x[i] *= top / 448;
	r = relation_case_find_values(&a, x, ELEM_F32);
	relation_case_is_called(&r, "f8_e4m3-scaled");
	free(x);
	pair_case_free(&a);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(blocks_are_those_of_base_or_of_its_half_precision),
	    cmocka_unit_test(
		a_searched_scale_is_consistent_and_an_edit_before_it_is_not),
	    cmocka_unit_test(k_quants_are_consistent_with_their_base_alone),
	    cmocka_unit_test(grids_of_rows_and_of_the_tensor)};

	return cmocka_run_group_tests(tests, relation_case_setup,
	    relation_case_teardown);
}
