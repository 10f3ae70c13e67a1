#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "analyzer/diff/basis.h"
#include "analyzer/diff/pass.h"
#include "analyzer/diff/pool.h"
#include "analyzer/diff/spectrum.h"
#include "base/err.h"
#include "tests/unit/spectrum_fixture.h"

#define M 256
#define N 192

/* How a pair is stored. */
struct storage {
	enum elem a, b;
	bool from_stored;	/* B came from A as it is stored */
};

static struct spectrum
find(struct pool *pool, enum elem ta, const uint8_t *a, enum elem tb,
    const uint8_t *b, const uint64_t shape[2])
{
	struct tensor old = fixture_tensor(ta, a, shape);
	struct tensor new = fixture_tensor(tb, b, shape);
	struct delta d = {&old, &new, CAST_NONE};
	struct pass_sums sums = {.n = old.n, .changed = 1};
	struct err e = ERR_INIT;
	struct spectrum s;

	assert_int_equal(spectrum_find(pool, &d, &sums, &s, &e), 0);
	return s;
}

static struct spectrum
cell(struct storage st, unsigned rank, double size, double fall)
{
	static const uint64_t shape[2] = {M, N};
	float *w = fixture_weights(M, N), *base = w, *b;
	uint8_t *pa = fixture_store(st.a, w, M * N), *pb;
	struct spectrum s;

	if (st.from_stored) {
		base = fixture_alloc(M * N * sizeof(*base));
		elem_load(st.a, pa, M * N, base);
	}
	b = fixture_update(base, M, N, rank, size, fall);
	pb = fixture_store(st.b, b, M * N);
	s = find(NULL, st.a, pa, st.b, pb, shape);
	if (base != w)
		free(base);
	free(w);
	free(b);
	free(pa);
	free(pb);
	return s;
}

static const struct storage full = {ELEM_F32, ELEM_F32, false};
static const struct storage half = {ELEM_F32, ELEM_F16, false};
static const struct storage brain = {ELEM_F32, ELEM_BF16, false};
static const struct storage brain2 = {ELEM_BF16, ELEM_BF16, true};
static const struct storage parent = {ELEM_BF16, ELEM_BF16, false};
static const struct storage wider = {ELEM_BF16, ELEM_F32, true};
static const struct storage q8 = {ELEM_F32, ELEM_Q8_0, false};
static const struct storage q4 = {ELEM_F32, ELEM_Q4_0, false};

/* A cell of *Where the rank test stops*. */
static void
assert_rank(struct storage st, unsigned rank, double size)
{
	struct spectrum s = cell(st, rank, size, 0);

	assert_int_equal(s.verdict, SPECTRUM_LOW_RANK);
	assert_int_equal(s.rank, rank);
}

static void
assert_verdict(struct storage st, unsigned rank, double size,
    enum spectrum_verdict v)
{
	assert_int_equal(cell(st, rank, size, 0).verdict, v);
}

static void
large_updates_are_counted_in_every_storage(void **state)
{
	static const unsigned ranks[] = {1, 4, 16};

	(void)state;
	for (unsigned i = 0; i < 3; i++) {
		assert_rank(full, ranks[i], 3e-2);
		assert_rank(half, ranks[i], 3e-2);
		assert_rank(brain, ranks[i], 3e-2);
		assert_rank(brain2, ranks[i], 3e-2);
		assert_rank(parent, ranks[i], 3e-2);
		assert_rank(wider, ranks[i], 3e-2);
		assert_rank(q8, ranks[i], 3e-2);
	}
	assert_rank(q4, 1, 6e-2);
}

static void
small_updates_are_counted_as_far_as_storage_allows(void **state)
{
	(void)state;
	assert_rank(full, 16, 1e-4);
	assert_rank(full, 1, 1e-5);
	assert_rank(half, 4, 3e-4);
	assert_rank(half, 16, 1e-3);
	assert_rank(brain, 4, 3e-3);
	assert_rank(brain, 1, 1e-3);
	assert_rank(q8, 4, 1e-2);
	/* What is below is not there, and is not made up. */
	assert_verdict(brain, 4, 1e-4, SPECTRUM_ROUNDING);
	assert_verdict(brain2, 16, 1e-4, SPECTRUM_ROUNDING);
	assert_verdict(q8, 4, 3e-4, SPECTRUM_ROUNDING);
	assert_verdict(q4, 4, 3e-3, SPECTRUM_ROUNDING);
}

static void
dense_updates_are_never_of_low_rank(void **state)
{
	static const struct storage all[] = {{ELEM_F32, ELEM_F32, false},
	    {ELEM_F32, ELEM_F16, false}, {ELEM_F32, ELEM_BF16, false},
	    {ELEM_BF16, ELEM_BF16, true}, {ELEM_BF16, ELEM_BF16, false},
	    {ELEM_F32, ELEM_Q8_0, false}, {ELEM_F32, ELEM_Q4_0, false},
	    {ELEM_F16, ELEM_F16, true}};
	static const double sizes[] = {3e-2, 3e-3, 1e-3, 3e-4, 1e-4};

	(void)state;
	for (unsigned i = 0; i < 8; i++)
		for (unsigned k = 0; k < 5; k++) {
			struct spectrum s = cell(all[i], 0, sizes[k], 0);

			assert_int_not_equal(s.verdict, SPECTRUM_LOW_RANK);
			/* Falling off as training does, over all ranks. */
			s = cell(all[i], N, sizes[k], 0.7);
			assert_false(s.verdict == SPECTRUM_LOW_RANK &&
			    s.sure);
		}
	assert_verdict(full, 0, 1e-4, SPECTRUM_DENSE);
	assert_verdict(brain, 0, 3e-2, SPECTRUM_DENSE);
	assert_int_equal(cell(full, N, 1e-2, 0.7).verdict, SPECTRUM_DENSE);
	assert_int_equal(cell(brain, N, 3e-2, 0.7).verdict, SPECTRUM_DENSE);
}

/* B came from A as it is stored: most elements stay, and noise is less. */
static void
updates_of_a_stored_base_are_seen_below_its_rounding(void **state)
{
	(void)state;
	assert_rank(wider, 16, 1e-3);
	assert_rank(wider, 4, 1e-4);
	assert_rank(brain2, 4, 2e-3);
	assert_rank(brain2, 1, 1e-3);
	/* Whole units here and there, and nothing behind them. */
	for (unsigned k = 0; k < 6; k++) {
		double size = 1e-3 / pow(3, k);

		assert_int_not_equal(cell(brain2, 0, size, 0).verdict,
		    SPECTRUM_LOW_RANK);
		assert_int_not_equal(cell(parent, 0, size, 0).verdict,
		    SPECTRUM_LOW_RANK);
		assert_int_not_equal(cell(wider, 0, size, 0).verdict,
		    SPECTRUM_LOW_RANK);
	}
}

static void
a_cast_alone_is_rounding(void **state)
{
	static const struct storage casts[] = {{ELEM_F32, ELEM_F16, false},
	    {ELEM_F32, ELEM_BF16, false}, {ELEM_F32, ELEM_Q8_0, false},
	    {ELEM_F32, ELEM_Q4_0, false}, {ELEM_BF16, ELEM_Q8_0, true},
	    {ELEM_F16, ELEM_BF16, true}, {ELEM_Q8_0, ELEM_BF16, false},
	    {ELEM_BF16, ELEM_F32, false}, {ELEM_Q8_0, ELEM_F32, false}};

	(void)state;
	for (unsigned i = 0; i < 9; i++)
		assert_verdict(casts[i], 1, 0, SPECTRUM_ROUNDING);
}

/* One weight of 2 among weights of 0.02: its rounding is a component. */
static void
one_large_weight_that_was_rounded_is_no_edit(void **state)
{
	static const uint64_t shape[2] = {M, N};
	float *w = fixture_weights(M, N);
	uint8_t *a, *b;
	struct spectrum s;

	(void)state;
	w[1234] = 2.0078F;
	a = fixture_store(ELEM_F32, w, M * N);
	b = fixture_store(ELEM_BF16, w, M * N);
	s = find(NULL, ELEM_F32, a, ELEM_BF16, b, shape);
	/* It does stand above what even noise would have. */
	assert_true((double)s.s[0] > 1.3 * 1.1 * s.nt * (1 / sqrt(M) +
	    1 / sqrt(N)));
	assert_int_equal(s.verdict, SPECTRUM_ROUNDING);
	free(w);
	free(a);
	free(b);
}

/* A channel eight times as large is rounded eight times as coarsely. */
static void
a_large_channel_that_was_rounded_is_no_edit(void **state)
{
	static const uint64_t shape[2] = {M, N};
	float *w = fixture_weights(M, N);
	uint8_t *a, *b;
	struct spectrum s;

	(void)state;
	for (size_t i = 0; i < M; i++)
		w[i * N + 7] *= 16;
	for (size_t j = 0; j < N; j++)
		w[9 * N + j] *= 8;
	a = fixture_store(ELEM_F32, w, M * N);
	b = fixture_store(ELEM_BF16, w, M * N);
	s = find(NULL, ELEM_F32, a, ELEM_BF16, b, shape);
	assert_int_equal(s.verdict, SPECTRUM_ROUNDING);
	free(b);
	b = fixture_store(ELEM_Q8_0, w, M * N);
	assert_int_equal(find(NULL, ELEM_F32, a, ELEM_Q8_0, b, shape).verdict,
	    SPECTRUM_ROUNDING);
	free(w);
	free(a);
	free(b);
}

static void
a_narrow_type_stored_wide_counts_as_narrow(void **state)
{
	static const uint64_t shape[2] = {M, N};
	static const enum elem types[] = {ELEM_BF16, ELEM_F16};
	float *w = fixture_weights(M, N), *b;
	uint8_t *a = fixture_store(ELEM_F32, w, M * N), *p;
	struct spectrum s;

	(void)state;
	for (unsigned i = 0; i < 2; i++) {
		b = fixture_update(w, M, N, 2, 3e-3, 0);
		p = fixture_store(types[i], b, M * N);
		elem_load(types[i], p, M * N, b);
		free(p);
		p = fixture_store(ELEM_F32, b, M * N);
		s = find(NULL, ELEM_F32, a, ELEM_F32, p, shape);
		assert_int_equal(s.verdict, SPECTRUM_LOW_RANK);
		assert_int_equal(s.rank, 2);
		free(b);
		free(p);
	}
	free(w);
	free(a);
}

/* The first sketch has 24 columns; equal singular values show no end. */
static void
ranks_beyond_the_first_sketch_are_found(void **state)
{
	(void)state;
	assert_rank(full, 20, 1e-2);
	assert_rank(full, 32, 1e-2);
	assert_rank(brain, 32, 1e-2);
	assert_rank(full, 64, 1e-2);
	/* More than a third of the shorter side is not low. */
	assert_verdict(full, 65, 1e-2, SPECTRUM_DENSE);
}

static void
values_are_those_of_the_matrix(void **state)
{
	static const uint64_t shape[2] = {6, 200};
	float a[1200] = {0}, b[1200] = {0};
	struct spectrum s;

	(void)state;
	b[5] = 3;	/* three rows with one element each */
	b[200 + 6] = -4;
	b[400 + 7] = 12;
	s = find(NULL, ELEM_F32, (uint8_t *)a, ELEM_F32, (uint8_t *)b, shape);
	assert_true(s.exact);
	assert_int_equal(s.q, 6);
	assert_true(fabs((double)s.s[0] - 12) < 1e-6);
	assert_true(fabs((double)s.s[1] - 4) < 1e-6);
	assert_true(fabs((double)s.s[2] - 3) < 1e-6);
	assert_true((double)s.s[3] < 1e-6);
	assert_true(fabs(s.energy - 169) < 1e-9);
	assert_true(fabs(s.stable_rank - 169.0 / 144) < 1e-6);
	assert_int_equal(s.r90, 2);
	assert_int_equal(s.r99, 3);
	/* 1200 (3^4 + 4^4 + 12^4) / 169^2 */
	assert_true(fabs(s.kurtosis - 1200.0 * 21073 / 28561) < 1e-6);
}

static void
any_number_of_threads_gives_the_same(void **state)
{
	static const uint64_t shape[2] = {2000, 601};
	size_t n = 2000 * 601;
	float *w = fixture_weights(2000, 601);
	float *b = fixture_update(w, 2000, 601, 3, 1e-2, 1);
	struct spectrum one, s;

	(void)state;
	one = find(NULL, ELEM_F32, (uint8_t *)w, ELEM_F32, (uint8_t *)b,
	    shape);
	assert_int_equal(one.rank, 3);
	for (unsigned t = 2; t < 6; t += 3) {
		struct pool *pool = pool_new(t, NULL);

		s = find(pool, ELEM_F32, (uint8_t *)w, ELEM_F32,
		    (uint8_t *)b, shape);
		assert_memory_equal(s.s, one.s, sizeof(s.s));
		assert_true(s.energy == one.energy && s.nf == one.nf &&
		    s.resid == one.resid && s.edge == one.edge);
		pool_free(pool);
	}
	(void)n;
	free(w);
	free(b);
}

static void
absurd_values_break_nothing(void **state)
{
	static const uint64_t shape[2] = {M, N};
	static const float odd[] = {NAN, INFINITY, -INFINITY, 3e38F, -3e38F,
	    1e-45F, -1e-40F, 0};
	float *w = fixture_weights(M, N), *b;
	struct spectrum s;

	(void)state;
	/* A NaN does not hide an edit. */
	b = fixture_update(w, M, N, 1, 1e-2, 0);
	b[777] = NAN;
	w[999] = INFINITY;
	s = find(NULL, ELEM_F32, (uint8_t *)w, ELEM_F32, (uint8_t *)b, shape);
	assert_int_equal(s.above >= 1, 1);
	assert_true(isfinite(s.energy) && isfinite(s.nt));
	for (unsigned k = 0; k < 8; k++) {
		for (size_t i = k; i < M * N; i++)
			b[i] = odd[(unsigned)(fixture_uniform() * 8) %
			    8];
		s = find(NULL, ELEM_F32, (uint8_t *)w, ELEM_F32,
		    (uint8_t *)b, shape);
		assert_int_not_equal(s.verdict, SPECTRUM_LOW_RANK);
	}
	/* Only subnormal differences. */
	for (size_t i = 0; i < M * N; i++) {
		w[i] = 0;
		b[i] = i % 3 == 0 ? 1e-44F : 0;
	}
	s = find(NULL, ELEM_F32, (uint8_t *)w, ELEM_F32, (uint8_t *)b, shape);
	assert_true(s.energy >= 0);
	free(w);
	free(b);
}

static void
what_cannot_be_looked_at_says_why(void **state)
{
	static const uint64_t flat[2] = {2, 600}, none[2] = {0, 7};
	float a[1200] = {0}, b[1200] = {1};
	struct spectrum s;

	(void)state;
	s = find(NULL, ELEM_F32, (uint8_t *)a, ELEM_F32, (uint8_t *)b, flat);
	assert_int_equal(s.verdict, SPECTRUM_SKIPPED);
	assert_non_null(s.why);
	s = find(NULL, ELEM_F32, (uint8_t *)a, ELEM_F32, (uint8_t *)b, none);
	assert_int_equal(s.verdict, SPECTRUM_SKIPPED);
	b[0] = NAN;
	s = find(NULL, ELEM_F32, (uint8_t *)a, ELEM_F32, (uint8_t *)b,
	    (uint64_t[2]){30, 40});
	assert_int_equal(s.verdict, SPECTRUM_SKIPPED);
	s = find(NULL, ELEM_I64, (uint8_t *)a, ELEM_I64, (uint8_t *)b,
	    (uint64_t[2]){20, 30});
	assert_int_equal(s.verdict, SPECTRUM_SKIPPED);
}

static void
evidence_is_well_formed(void **state)
{
	struct spectrum s = cell(brain, 2, 1e-2, 0);
	struct basis b;
	const uint8_t *p;
	size_t n;

	(void)state;
	basis_init(&b);
	spectrum_basis(&s, &b);
	p = basis_bytes(&b, &n);
	assert_true(n > 100 && basis_check(p, n));
	basis_release(&b);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(large_updates_are_counted_in_every_storage),
	    cmocka_unit_test(
		small_updates_are_counted_as_far_as_storage_allows),
	    cmocka_unit_test(dense_updates_are_never_of_low_rank),
	    cmocka_unit_test(
		updates_of_a_stored_base_are_seen_below_its_rounding),
	    cmocka_unit_test(a_cast_alone_is_rounding),
	    cmocka_unit_test(one_large_weight_that_was_rounded_is_no_edit),
	    cmocka_unit_test(a_large_channel_that_was_rounded_is_no_edit),
	    cmocka_unit_test(a_narrow_type_stored_wide_counts_as_narrow),
	    cmocka_unit_test(ranks_beyond_the_first_sketch_are_found),
	    cmocka_unit_test(values_are_those_of_the_matrix),
	    cmocka_unit_test(any_number_of_threads_gives_the_same),
	    cmocka_unit_test(absurd_values_break_nothing),
	    cmocka_unit_test(what_cannot_be_looked_at_says_why),
	    cmocka_unit_test(evidence_is_well_formed)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
