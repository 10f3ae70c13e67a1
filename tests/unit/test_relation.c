#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "analyzer/diff/basis.h"
#include "analyzer/diff/permute.h"
#include "analyzer/diff/pool.h"
#include "analyzer/diff/relation.h"
#include "base/arena.h"
#include "base/err.h"
#include "tests/lib/pair_case.h"

#define MIB (1024 * 1024)
static struct arena *arena;
static struct pool *pool;

static int
setup(void **state)
{
	(void)state;
	arena = arena_new(64 * MIB);
	pool = pool_new(2, NULL);
	return arena == NULL || pool == NULL;
}

static int
teardown(void **state)
{
	(void)state;
	arena_free(arena);
	pool_free(pool);
	return 0;
}

static struct relation
find(const struct pair_case *a, const struct pair_case *b)
{
	struct pass_sums s = pair_case_sums(&a->t, &b->t);
	struct err e = ERR_INIT;
	struct relation r;

	assert_int_equal(relation_find(pool, &a->t, &b->t, &s, arena, &r, &e),
	    0);
	return r;
}

/* Of values: B is stored as ${t}. */
static struct relation
find_values(const struct pair_case *a, const float *x, enum elem t)
{
	struct pair_case b = pair_case_like(a, t, x);
	struct relation r = find(a, &b);

	pair_case_free(&b);
	return r;
}

static float *
copy(const struct pair_case *a)
{
	float *x = malloc((a->t.n + 1) * sizeof(*x));

	assert_non_null(x);
	memcpy(x, a->x, a->t.n * sizeof(*x));
	return x;
}

static void
is_called(const struct relation *r, const char *name)
{
	if (strcmp(relation_name(r->best), name) != 0)
		fail_msg("%s, not %s", relation_name(r->best), name);
}

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
	float *x = copy(&a);

	(void)state;
	/* A tie, where even and away part. */
	memcpy(&a.p[400], &(uint32_t){0x3c808000}, 4);
	memcpy(&a.x[100], &a.p[400], 4);
	for (size_t i = 0; i < sizeof(casts) / sizeof(casts[0]); i++) {
		for (int wide = 0; wide < 2; wide++) {
			struct relation r;

			cast_block(casts[i].cast, a.x, x, a.t.n);
			r = find_values(&a, x, wide ? ELEM_F32 :
			    casts[i].stored);
			is_called(&r, casts[i].name);
			assert_int_equal(r.cast, casts[i].cast);
			assert_int_equal(r.changed, 0);
			/* One element that is not the cast's. */
			x[7777] += 0.25F;
			r = find_values(&a, x, wide ? ELEM_F32 :
			    casts[i].stored);
			assert_true(relation_family(r.best) !=
			    RELATION_CAST);
		}
	}
	free(x);
	pair_case_free(&a);
}

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
	float *x = copy(&a);

	(void)state;
	for (size_t i = 0; i < sizeof(ways) / sizeof(ways[0]); i++) {
		struct pair_case b = pair_case_like(&a, ways[i].elem, a.x);
		struct relation r;

		cast_block(ways[i].pre, a.x, x, a.t.n);
		quantise(ways[i].cast, x, a.t.n, b.p);
		r = find(&a, &b);
		is_called(&r, ways[i].name);
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
	float *x = copy(&a);
	struct relation r;
	uint64_t seed = 5;

	(void)state;
	requantise(a.x, a.t.n, 0.93F, b.p);
	r = find(&a, &b);
	is_called(&r, "requantised");
	assert_true(r.consistent >= 0.999);
	for (size_t i = 0; i < a.t.n; i++)
		x[i] += (float)(2e-4 * pair_case_normal(&seed));
	requantise(x, a.t.n, 0.93F, b.p);
	r = find(&a, &b);
	is_called(&r, "changed");
	assert_int_equal(r.cast, CAST_Q4_0);
	free(x);
	pair_case_free(&a);
	pair_case_free(&b);
}

static void
grids_of_rows_and_of_the_tensor(void **state)
{
	struct pair_case a = pair_case_make(ELEM_F32, 40, 64, 4);
	float *x = copy(&a), top = 0, max;
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
	r = find_values(&a, x, ELEM_F32);
	is_called(&r, "int8-rows");
	assert_true(r.scale->divisor == 127);
	for (size_t i = 0; i < a.t.n; i++)
		x[i] = rintf(a.x[i] / (top / 127));
	for (size_t i = 0; i < a.t.n; i++)
		x[i] *= top / 127;
	r = find_values(&a, x, ELEM_F32);
	is_called(&r, "int8-tensor");
	assert_true(fabs(r.scale->factor - (double)top / 127) < 1e-9);
	x[2000] += top / 127;
	r = find_values(&a, x, ELEM_F32);
	is_called(&r, "changed");
	for (size_t i = 0; i < a.t.n; i++)
		x[i] = rintf(a.x[i] / (top / 127));
	r = find_values(&a, x, ELEM_I8);
	is_called(&r, "int8-tensor");
	for (size_t i = 0; i < a.t.n; i++)
		x[i] = a.x[i] / (top / 448);
	cast_block(CAST_F8_E4M3, x, x, a.t.n);
	r = find_values(&a, x, ELEM_F8_E4M3);
	is_called(&r, "f8_e4m3-scaled");
	for (size_t i = 0; i < a.t.n; i++)
		x[i] *= top / 448;
	r = find_values(&a, x, ELEM_F32);
	is_called(&r, "f8_e4m3-scaled");
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
	r = find(&a, &b);
	is_called(&r, "bit-flip");
	assert_int_equal(r.few->n, 1);
	assert_int_equal(r.few->v[0].at, 77);
	assert_int_equal(r.few->v[0].old ^ r.few->v[0].fresh, 0x40000000);
	b.p[4 * 78] ^= 0x1f;
	r = find(&a, &b);
	is_called(&r, "patched-values");
	b.p[4 * 77 + 3] ^= 0x40;
	r = find(&a, &b);
	is_called(&r, "rounding-level");
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
		r = find(&a, &b);
		is_called(&r, "changed");
		assert_true(r.set == 0);
	}
	pair_case_free(&a);
	pair_case_free(&b);
}

static void
pruning_tells_its_threshold_and_its_groups(void **state)
{
	struct pair_case a = pair_case_make(ELEM_F32, 64, 64, 7);
	float *x = copy(&a);
	struct relation r;

	(void)state;
	for (size_t i = 0; i < a.t.n; i++)
		x[i] = fabsf(a.x[i]) < 0.01F ? 0 : a.x[i];
	r = find_values(&a, x, ELEM_F32);
	is_called(&r, "pruned-magnitude");
	assert_int_equal(r.pruned->by, PRUNE_TENSOR);
	assert_true(r.pruned->largest_gone < 0.01 &&
	    r.pruned->smallest_left >= 0.01);
	/* Then cast: what remains is rounded, what went is counted. */
	r = find_values(&a, x, ELEM_BF16);
	is_called(&r, "pruned-magnitude");
	assert_int_equal(r.cast, CAST_BF16_EVEN);
	for (size_t i = 0; i < a.t.n; i += 4)
		x[i] = x[i + 1] = 0, x[i + 2] = a.x[i + 2],
		x[i + 3] = a.x[i + 3];
	r = find_values(&a, x, ELEM_F32);
	is_called(&r, "pruned");
	assert_int_equal(r.pruned->keep, 2);
	assert_int_equal(r.pruned->of, 4);
	x[3] = 1;
	r = find_values(&a, x, ELEM_F32);
	is_called(&r, "changed");
	free(x);
	pair_case_free(&a);
}

static void
one_factor_is_found_and_a_small_update_is_none(void **state)
{
	struct pair_case a = pair_case_make(ELEM_F32, 64, 64, 8);
	float *x = copy(&a);
	struct relation r;
	uint64_t seed = 9;

	(void)state;
	for (size_t i = 0; i < a.t.n; i++)
		x[i] = a.x[i] * 0.9999F;
	r = find_values(&a, x, ELEM_F32);
	is_called(&r, "scaled");
	assert_true(fabs(r.scale->factor - 0.9999) < 1e-7);
	for (size_t i = 0; i < a.t.n; i++)
		x[i] = -a.x[i];
	r = find_values(&a, x, ELEM_F32);
	is_called(&r, "scaled");
	/* Cosine 1 - 5e-9. */
	for (size_t i = 0; i < a.t.n; i++)
		x[i] = a.x[i] * (1 + (float)(1e-4 *
		    pair_case_normal(&seed)));
	r = find_values(&a, x, ELEM_F32);
	assert_true(r.best != RELATION_SCALED);
	free(x);
	pair_case_free(&a);
}

static void
noise_is_told_from_an_update_with_directions(void **state)
{
	struct pair_case a = pair_case_make(ELEM_F32, 96, 128, 10);
	float *x = copy(&a);
	double u[96], v[128];
	struct relation r;
	uint64_t seed = 11;

	(void)state;
	for (size_t i = 0; i < a.t.n; i++)
		x[i] = a.x[i] + (float)(1e-3 * pair_case_normal(&seed));
	r = find_values(&a, x, ELEM_F32);
	is_called(&r, "gaussian-noise");
	assert_true(fabs(r.noise->sd - 1e-3) < 3e-5);
	for (size_t i = 0; i < a.t.n; i++)
		x[i] = a.x[i] * (1 + (float)(0.02 *
		    pair_case_normal(&seed)));
	r = find_values(&a, x, ELEM_F32);
	is_called(&r, "multiplicative-noise");
	/* The same noise, and one direction in it. */
	for (size_t i = 0; i < 96; i++)
		u[i] = pair_case_normal(&seed);
	for (size_t i = 0; i < 128; i++)
		v[i] = pair_case_normal(&seed);
	for (size_t i = 0; i < a.t.n; i++)
		x[i] = a.x[i] + (float)(1e-3 * pair_case_normal(&seed) +
		    5e-4 * u[i / 128] * v[i % 128]);
	r = find_values(&a, x, ELEM_F32);
	is_called(&r, "changed");
	free(x);
	pair_case_free(&a);
}

static void
what_has_nothing_in_common_is_unrelated(void **state)
{
	struct pair_case a = pair_case_make(ELEM_F32, 128, 64, 12);
	struct pair_case b = pair_case_make(ELEM_F32, 128, 64, 13);
	struct relation r = find(&a, &b);

	(void)state;
	is_called(&r, "unrelated");
	memset(b.p, 0, b.t.len);
	r = find(&a, &b);
	assert_true(r.best != RELATION_UNRELATED);
	pair_case_free(&a);
	pair_case_free(&b);
}

/* A zero or one is what every cast makes of it. */
static void
the_model_settles_what_a_small_tensor_leaves_open(void **state)
{
	struct pair_case a = pair_case_make(ELEM_F32, 32, 64, 14);
	struct pair_case m = pair_case_make(ELEM_F32, 1, 64, 15);
	float *x = copy(&a), *y = copy(&m);
	struct pair_case b, n;
	struct relation r[2];
	struct relation_pair v[2];
	struct pass_sums s[2];
	struct relation_model model;

	(void)state;
	for (size_t i = 0; i < m.t.n; i++)
		y[i] = (float)(i % 2);
	pair_case_store(ELEM_F32, y, m.t.n, m.p);
	cast_block(CAST_BF16_CUT, a.x, x, a.t.n);
	b = pair_case_like(&a, ELEM_BF16, x);
	n = pair_case_like(&m, ELEM_BF16, y);
	r[0] = find(&a, &b);
	r[1] = find(&m, &n);
	is_called(&r[0], "bf16-truncated");
	is_called(&r[1], "bf16-rounded");
	assert_true(relation_has(&r[1], RELATION_F16));
	for (size_t i = 0; i < 2; i++) {
		s[i] = pair_case_sums(i == 0 ? &a.t : &m.t, i == 0 ? &b.t :
		    &n.t);
		v[i] = (struct relation_pair){i == 0 ? &a.t : &m.t,
		    i == 0 ? &b.t : &n.t, &s[i], &r[i]};
	}
	assert_int_equal(relation_settle(pool, v, 2, arena, &model, NULL), 0);
	is_called(&r[1], "bf16-truncated");
	assert_true(model.common == RELATION_BIT(RELATION_BF16_CUT));
	assert_int_equal(model.count[RELATION_BF16_CUT], 2);
	free(x);
	free(y);
	pair_case_free(&a);
	pair_case_free(&b);
	pair_case_free(&m);
	pair_case_free(&n);
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
		float *x = copy(&a);
		double g = 1;
		struct relation r;

		for (size_t i = 0; i < a.t.n; i++) {
			if (i % cols == 0)
				g = pair_case_normal(&seed);
			x[i] += (float)(sizes[k / 9 % 4] * (k / 36 % 2 == 0 ?
			    g * pair_case_normal(&seed) :
			    g > 0 ? 1 : -1));
		}
		r = find_values(&a, x, t);
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
	float *x = copy(&a);
	struct relation r;

	(void)state;
	for (size_t j = 0; j < 64; j++)
		x[64 * 9 + j] += 0.01F;
	r = find_values(&a, x, ELEM_BF16);
	assert_int_equal(r.cast, CAST_BF16_EVEN);
	assert_in_range(r.changed, 60, 64);
	assert_in_range(r.first, 64 * 9, 64 * 9 + 8);
	assert_in_range(r.last, 64 * 9 + 55, 64 * 9 + 63);
	cast_block(CAST_BF16_CUT, x, x, a.t.n);
	r = find_values(&a, x, ELEM_F32);
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
			float *x = copy(&a);
			struct relation r;

			for (size_t i = 0; i < a.t.n; i++)
				x[i] = odd[(o + i) % 7];
			r = find_values(&a, x, ELEM_F32);
			basis_init(&s);
			relation_basis(&r, &s);
			basis_release(&s);
			r = find_values(&a, x, ELEM_F16);
			free(x);
			pair_case_free(&a);
		}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(casts_are_recognised_stored_and_widened),
	    cmocka_unit_test(blocks_are_those_of_base_or_of_its_half_precision),
	    cmocka_unit_test(
		a_searched_scale_is_consistent_and_an_edit_before_it_is_not),
	    cmocka_unit_test(grids_of_rows_and_of_the_tensor),
	    cmocka_unit_test(few_values_are_flips_or_patches),
	    cmocka_unit_test(small_biases_are_never_bit_flips),
	    cmocka_unit_test(pruning_tells_its_threshold_and_its_groups),
	    cmocka_unit_test(one_factor_is_found_and_a_small_update_is_none),
	    cmocka_unit_test(noise_is_told_from_an_update_with_directions),
	    cmocka_unit_test(what_has_nothing_in_common_is_unrelated),
	    cmocka_unit_test(the_model_settles_what_a_small_tensor_leaves_open),
	    cmocka_unit_test(honest_updates_make_no_exact_claim),
	    cmocka_unit_test(
		an_edit_before_a_cast_is_counted_without_the_rounding),
	    cmocka_unit_test(nothing_breaks_on_empty_and_odd_tensors)};

	return cmocka_run_group_tests(tests, setup, teardown);
}
