#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "analyzer/diff/basis.h"
#include "analyzer/diff/delta.h"
#include "analyzer/diff/hidden.h"
#include "analyzer/diff/permute.h"
#include "analyzer/diff/relation.h"
#include "tests/lib/pair_case.h"
#include "tests/lib/relation_case.h"

static void
casts_are_recognised_stored_and_widened(void **state)
{
	static const struct {
		enum cast cast;
		enum elem stored;
		const char *name;
	} casts[] = {{CAST_BF16_EVEN, ELEM_BF16, "bf16-rounded"},
	    {CAST_BF16_AWAY, ELEM_F32, "bf16-half-away"},
	    {CAST_BF16_CUT, ELEM_F32, "bf16-truncated"},
	    {CAST_F16, ELEM_F16, "f16-rounded"},
	    {CAST_F8_E4M3, ELEM_F8_E4M3, "f8_e4m3-rounded"},
	    {CAST_F8_E5M2, ELEM_F32, "f8_e5m2-rounded"},
	    {CAST_Q8_0, ELEM_F32, "q8_0"}, {CAST_Q4_0, ELEM_F32, "q4_0"}};
	struct pair_case a = pair_case_make(ELEM_F32, 96, 128, 1);
	float *x = pair_case_copy(&a);

	(void)state;
	/* A tie, where even and away part. */
	memcpy(&a.p[400], &(uint32_t){0x3c808000}, 4);
	memcpy(&a.x[100], &a.p[400], 4);
	for (size_t i = 0; i < sizeof(casts) / sizeof(casts[0]); i++) {
		for (int wide = 0; wide < 2; wide++) {
			struct relation r;

			cast_block(casts[i].cast, a.x, x, a.t.n);
			r = relation_case_find_values(&a, x, wide ? ELEM_F32 :
			    casts[i].stored);
			relation_case_is_called(&r, casts[i].name);
			assert_int_equal(r.cast, casts[i].cast);
			assert_int_equal(r.changed, 0);
			/* One element that is not the cast's. */
			x[7777] += 0.25F;
			r = relation_case_find_values(&a, x, wide ? ELEM_F32 :
			    casts[i].stored);
			assert_true(relation_family(r.best) !=
			    RELATION_CAST);
		}
	}
	free(x);
	pair_case_free(&a);
}

static void
few_values_are_flips_or_patches(void **state)
{
	struct pair_case a = pair_case_make(ELEM_F32, 16, 64, 5);
	struct pair_case b = pair_case_like(&a, ELEM_F32, a.x);
	struct relation r;

	(void)state;
	b.p[4 * 77 + 3] ^= 0x40;
	r = relation_case_find(&a, &b);
	relation_case_is_called(&r, "bit-flip");
	assert_int_equal(r.few->n, 1);
	assert_int_equal(r.few->v[0].at, 77);
	assert_int_equal(r.few->v[0].old ^ r.few->v[0].fresh, 0x40000000);
	b.p[4 * 78] ^= 0x1f;
	r = relation_case_find(&a, &b);
	relation_case_is_called(&r, "patched-values");
	b.p[4 * 77 + 3] ^= 0x40;
	r = relation_case_find(&a, &b);
	relation_case_is_called(&r, "rounding-level");
	pair_case_free(&a);
	pair_case_free(&b);
}

static void
small_biases_are_never_bit_flips(void **state)
{
	struct pair_case a = pair_case_make(ELEM_F32, 1, 128, 6);
	struct pair_case b = pair_case_like(&a, ELEM_F32, a.x);
	struct relation r;

	(void)state;
	for (size_t i = 0; i < 4; i++) {
		b.p[4 * 30 * i] ^= 1;
		r = relation_case_find(&a, &b);
		relation_case_is_called(&r, "changed");
		assert_true(r.set == 0);
	}
	pair_case_free(&a);
	pair_case_free(&b);
}

static void
pruning_tells_its_threshold_and_its_groups(void **state)
{
	struct pair_case a = pair_case_make(ELEM_F32, 64, 64, 7);
	float *x = pair_case_copy(&a);
	struct relation r;

	(void)state;
	for (size_t i = 0; i < a.t.n; i++)
		x[i] = fabsf(a.x[i]) < 0.01F ? 0 : a.x[i];
	r = relation_case_find_values(&a, x, ELEM_F32);
	relation_case_is_called(&r, "pruned-magnitude");
	assert_int_equal(r.pruned->by, PRUNE_TENSOR);
	assert_true(r.pruned->largest_gone < 0.01 &&
	    r.pruned->smallest_left >= 0.01);
	/* Then cast: what remains is rounded, what went is counted. */
	r = relation_case_find_values(&a, x, ELEM_BF16);
	relation_case_is_called(&r, "pruned-magnitude");
	assert_int_equal(r.cast, CAST_BF16_EVEN);
	for (size_t i = 0; i < a.t.n; i += 4)
		x[i] = x[i + 1] = 0, x[i + 2] = a.x[i + 2],
		x[i + 3] = a.x[i + 3];
	r = relation_case_find_values(&a, x, ELEM_F32);
	relation_case_is_called(&r, "pruned");
	assert_int_equal(r.pruned->keep, 2);
	assert_int_equal(r.pruned->of, 4);
	x[3] = 1;
	r = relation_case_find_values(&a, x, ELEM_F32);
	relation_case_is_called(&r, "changed");
	free(x);
	pair_case_free(&a);
}

static void
one_factor_is_found_and_a_small_update_is_none(void **state)
{
	struct pair_case a = pair_case_make(ELEM_F32, 64, 64, 8);
	float *x = pair_case_copy(&a);
	struct relation r;
	uint64_t seed = 9;

	(void)state;
	for (size_t i = 0; i < a.t.n; i++)
		x[i] = a.x[i] * 0.9999F;
	r = relation_case_find_values(&a, x, ELEM_F32);
	relation_case_is_called(&r, "scaled");
	assert_true(fabs(r.scale->factor - 0.9999) < 1e-7);
	for (size_t i = 0; i < a.t.n; i++)
		x[i] = -a.x[i];
	r = relation_case_find_values(&a, x, ELEM_F32);
	relation_case_is_called(&r, "scaled");
	/* Cosine 1 - 5e-9. */
	for (size_t i = 0; i < a.t.n; i++)
		x[i] = a.x[i] * (1 + (float)(1e-4 *
		    pair_case_normal(&seed)));
	r = relation_case_find_values(&a, x, ELEM_F32);
	assert_true(r.best != RELATION_SCALED);
	free(x);
	pair_case_free(&a);
}

static void
noise_is_told_from_an_update_with_directions(void **state)
{
	struct pair_case a = pair_case_make(ELEM_F32, 96, 128, 10);
	float *x = pair_case_copy(&a);
	double u[96], v[128];
	struct relation r;
	uint64_t seed = 11;

	(void)state;
	for (size_t i = 0; i < a.t.n; i++)
		x[i] = a.x[i] + (float)(1e-3 * pair_case_normal(&seed));
	r = relation_case_find_values(&a, x, ELEM_F32);
	relation_case_is_called(&r, "gaussian-noise");
	assert_true(fabs(r.noise->sd - 1e-3) < 3e-5);
	for (size_t i = 0; i < a.t.n; i++)
		x[i] = a.x[i] * (1 + (float)(0.02 *
		    pair_case_normal(&seed)));
	r = relation_case_find_values(&a, x, ELEM_F32);
	relation_case_is_called(&r, "multiplicative-noise");
	/* The same noise, and one direction in it. */
	for (size_t i = 0; i < 96; i++)
		u[i] = pair_case_normal(&seed);
	for (size_t i = 0; i < 128; i++)
		v[i] = pair_case_normal(&seed);
	for (size_t i = 0; i < a.t.n; i++)
		x[i] = a.x[i] + (float)(1e-3 * pair_case_normal(&seed) +
		    5e-4 * u[i / 128] * v[i % 128]);
	r = relation_case_find_values(&a, x, ELEM_F32);
	relation_case_is_called(&r, "changed");
	free(x);
	pair_case_free(&a);
}

static void
what_has_nothing_in_common_is_unrelated(void **state)
{
	struct pair_case a = pair_case_make(ELEM_F32, 128, 64, 12);
	struct pair_case b = pair_case_make(ELEM_F32, 128, 64, 13);
	struct relation r = relation_case_find(&a, &b);

	(void)state;
	relation_case_is_called(&r, "unrelated");
	memset(b.p, 0, b.t.len);
	r = relation_case_find(&a, &b);
	assert_true(r.best != RELATION_UNRELATED);
	pair_case_free(&a);
	pair_case_free(&b);
}

/*
 * Updates as training makes them: of all sizes, in three types, dense and
 * with directions.  Nothing exact may be said of any.
 */
static void
honest_updates_make_no_exact_claim(void **state)
{
	static const enum elem types[] = {ELEM_F32, ELEM_BF16, ELEM_F16};
	static const double sizes[] = {1e-8, 1e-6, 1e-4, 1e-2};
	unsigned seen = 0;

	(void)state;
	for (unsigned k = 0; k < 3 * 4 * 3 * 2; k++) {
		size_t rows = k % 3 == 0 ? 1 : 48, cols = k % 3 == 1 ? 64 :
		    200;
		enum elem t = types[k / 3 % 3];
		struct pair_case a = pair_case_make(t, rows, cols, k);
		uint64_t seed = 1000 + k;
		float *x = pair_case_copy(&a);
		double g = 1;
		struct relation r;

		for (size_t i = 0; i < a.t.n; i++) {
			if (i % cols == 0)
				g = pair_case_normal(&seed);
			x[i] += (float)(sizes[k / 9 % 4] * (k / 36 % 2 == 0 ?
			    g * pair_case_normal(&seed) :
			    g > 0 ? 1 : -1));
		}
		r = relation_case_find_values(&a, x, t);
		if (r.best != RELATION_IDENTICAL) {
			if (r.best != RELATION_ROUNDING_LEVEL &&
			    r.best != RELATION_NONE)
				print_message("%u: %s\n", k,
				    relation_name(r.best));
			assert_true(r.best == RELATION_NONE ||
			    r.best == RELATION_ROUNDING_LEVEL);
			seen++;
		}
		free(x);
		pair_case_free(&a);
	}
	assert_true(seen > 40);
}

static void
an_edit_before_a_cast_is_counted_without_the_rounding(void **state)
{
	struct pair_case a = pair_case_make(ELEM_F32, 64, 64, 16);
	float *x = pair_case_copy(&a);
	struct relation r;

	(void)state;
	for (size_t j = 0; j < 64; j++)
		x[64 * 9 + j] += 0.01F;
	r = relation_case_find_values(&a, x, ELEM_BF16);
	assert_int_equal(r.cast, CAST_BF16_EVEN);
	assert_in_range(r.changed, 60, 64);
	assert_in_range(r.first, 64 * 9, 64 * 9 + 8);
	assert_in_range(r.last, 64 * 9 + 55, 64 * 9 + 63);
	cast_block(CAST_BF16_CUT, x, x, a.t.n);
	r = relation_case_find_values(&a, x, ELEM_F32);
	assert_int_equal(r.cast, CAST_BF16_CUT);
	assert_in_range(r.changed, 60, 64);
	free(x);
	pair_case_free(&a);
}

static void
nothing_breaks_on_empty_and_odd_tensors(void **state)
{
	static const size_t shapes[][2] = {{1, 0}, {1, 1}, {1, 2}, {2, 1},
	    {3, 5}};
	static const float odd[] = {NAN, INFINITY, -INFINITY, 0, -0.0F, 1e-45F,
	    3e38F};
	struct basis s;

	(void)state;
	for (size_t k = 0; k < 5; k++)
		for (size_t o = 0; o < sizeof(odd) / sizeof(odd[0]); o++) {
			struct pair_case a = pair_case_make(ELEM_F32,
			    shapes[k][0], shapes[k][1], 17);
			float *x = pair_case_copy(&a);
			struct relation r;

			for (size_t i = 0; i < a.t.n; i++)
				x[i] = odd[(o + i) % 7];
			r = relation_case_find_values(&a, x, ELEM_F32);
			basis_init(&s);
			relation_basis(&r, &s);
			basis_release(&s);
			r = relation_case_find_values(&a, x, ELEM_F16);
			free(x);
			pair_case_free(&a);
		}
}

/* Types and shapes that have nothing to do with each other. */
static void
any_two_types_and_shapes_end_well(void **state)
{
	static const size_t cols[] = {256, 768, 48, 1, 3};
	uint64_t seed = 18;

	(void)state;
	for (unsigned k = 0; k < ELEM_COUNT * ELEM_COUNT * 3; k++) {
		enum elem x = (enum elem)(k / 3 % ELEM_COUNT);
		enum elem y = (enum elem)(k / 3 / ELEM_COUNT);
		struct pair_case a = pair_case_make(ELEM_F32, 3, 256, k), b;
		struct relation r;
		struct hidden h;
		struct pass_sums s;
		struct delta d;

		b = pair_case_like(&a, ELEM_F64, a.x);
		a.p = realloc(a.p, 768 * 8);
		assert_non_null(a.p);
		a.t.p = a.p;
		for (size_t i = 0; i < 768 * 8; i++)
			a.p[i] = (uint8_t)pair_case_random(&seed);
		/* The same bytes, some of them, none. */
		for (size_t i = 0; i < 768 * 8; i++)
			b.p[i] = k % 3 == 0 || (k % 3 == 1 && i % 64 > 0) ?
			    a.p[i] : 0;
		a.t.elem = x;
		b.t.elem = y;
		a.t.len = 768 / elem_info(x)->block * elem_info(x)->bytes;
		b.t.len = 768 / elem_info(y)->block * elem_info(y)->bytes;
		b.t.cols = cols[k % 5];
		b.t.rows = 768 / b.t.cols;
		r = relation_case_find(&a, &b);
		s = pair_case_sums(&a.t, &b.t);
		d = (struct delta){&a.t, &b.t, r.cast};
		assert_int_equal(hidden_find(relation_case_pool, &d, &s, &h,
		    NULL), 0);
		d.cast = CAST_NONE;
		assert_int_equal(hidden_find(relation_case_pool, &d, &s, &h,
		    NULL), 0);
		pair_case_free(&a);
		pair_case_free(&b);
	}
}

/* Two elements of 8 bytes each. */
static enum relation_id
best_of(enum elem x, const uint64_t *v, enum elem y, const uint64_t *w)
{
	struct pair_case a = pair_case_make(ELEM_F64, 1, 2, 1);
	struct pair_case b = pair_case_like(&a, ELEM_F64, a.x);
	struct relation r;

	a.t.elem = x;
	b.t.elem = y;
	memcpy(a.p, v, 16);
	memcpy(b.p, w, 16);
	r = relation_case_find(&a, &b);
	pair_case_free(&a);
	pair_case_free(&b);
	return r.best;
}

static void
numbers_of_64_bits_are_the_same_to_the_last_one(void **state)
{
	static const uint64_t third[] = {0x3fd5555555555555, 1},
	    single[] = {0x3fd5555560000000, 0};
	static const uint64_t most[] = {5, UINT64_MAX}, few[] = {5, 6};
	uint64_t turned[2];

	(void)state;
	for (unsigned i = 0; i < 2; i++)
		turned[i] = __builtin_bswap64(third[i]);
	assert_int_equal(best_of(ELEM_F64, third, ELEM_F64_BE, turned),
	    RELATION_WIDENED);
	for (unsigned i = 0; i < 2; i++)
		turned[i] = __builtin_bswap64(single[i]);
	assert_int_not_equal(best_of(ELEM_F64, third, ELEM_F64_BE, turned),
	    RELATION_WIDENED);
	assert_int_equal(best_of(ELEM_U64, few, ELEM_I64, few),
	    RELATION_WIDENED);
	assert_int_not_equal(best_of(ELEM_U64, most, ELEM_I64, most),
	    RELATION_WIDENED);
	assert_int_not_equal(best_of(ELEM_I64, most, ELEM_U64, most),
	    RELATION_WIDENED);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(casts_are_recognised_stored_and_widened),
	    cmocka_unit_test(numbers_of_64_bits_are_the_same_to_the_last_one),
	    cmocka_unit_test(few_values_are_flips_or_patches),
	    cmocka_unit_test(small_biases_are_never_bit_flips),
	    cmocka_unit_test(pruning_tells_its_threshold_and_its_groups),
	    cmocka_unit_test(one_factor_is_found_and_a_small_update_is_none),
	    cmocka_unit_test(noise_is_told_from_an_update_with_directions),
	    cmocka_unit_test(what_has_nothing_in_common_is_unrelated),
	    cmocka_unit_test(honest_updates_make_no_exact_claim),
	    cmocka_unit_test(
		an_edit_before_a_cast_is_counted_without_the_rounding),
	    cmocka_unit_test(nothing_breaks_on_empty_and_odd_tensors),
	    cmocka_unit_test(any_two_types_and_shapes_end_well)};

	return cmocka_run_group_tests(tests, relation_case_setup,
	    relation_case_teardown);
}
