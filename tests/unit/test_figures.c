#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "analyzer/traffic/figures.h"

static void
near_to(double v, double want, double by)
{
	if (!(fabs(v - want) <= by))
		fail_msg("%g is not %g", v, want);
}

static void
a_sample_keeps_all_until_it_is_full_and_then_evenly(void **state)
{
	static struct figures_sample s;
	double sum = 0;

	(void)state;
	for (int i = 0; i < FIGURES_SAMPLE; i++)
		figures_sample_add(&s, i);
	for (int i = 0; i < FIGURES_SAMPLE; i++)
		near_to((double)s.v[i], i, 0);
	for (int i = FIGURES_SAMPLE; i < 100000; i++)
		figures_sample_add(&s, i);
	assert_int_equal(figures_sample_count(&s), FIGURES_SAMPLE);
	for (int i = 0; i < FIGURES_SAMPLE; i++)
		sum += (double)s.v[i];
	near_to(sum / FIGURES_SAMPLE, 50000, 4000);
}

static void
what_is_no_number_is_sampled_as_zero(void **state)
{
	static struct figures_sample s;

	(void)state;
	figures_sample_add(&s, (double)NAN);
	figures_sample_add(&s, (double)INFINITY);
	near_to((double)s.v[0] + (double)s.v[1], 0, 0);
}

static void
medians_and_deviations_are_those_of_the_book(void **state)
{
	float v[] = {9, 1, 5, 3}, w[] = {1, 2, 9};

	(void)state;
	near_to(figures_median(v, 4), 4, 0);
	near_to(figures_mad(w, 3, 2), 1, 0);
	assert_true(isnan(figures_median(v, 0)));
}

static void
rank_correlation_sees_order_and_ties(void **state)
{
	float up[] = {1, 2, 5, 9, 11}, down[] = {5, 4, 3, 2, 1};
	float tied[] = {1, 1, 1, 1}, half[] = {1, 1, 2, 2};

	(void)state;
	near_to(figures_spearman(up, 5), 1, 1e-12);
	near_to(figures_spearman(down, 5), -1, 1e-12);
	near_to(figures_spearman(tied, 4), 0, 0);
	near_to(figures_spearman(half, 4), 0.894427, 1e-5);
}

static void
distance_of_samples_leaves_out_what_is_asked(void **state)
{
	float a[] = {1, 2, 3, 4}, b[] = {1, 2, 3, 4, 11, 12, 13, 14};
	float far[] = {11, 12, 13, 14};

	(void)state;
	near_to(figures_ks(a, 4, a, 4, NULL, 0), 0, 1e-12);
	near_to(figures_ks(a, 4, far, 4, NULL, 0), 1, 1e-12);
	near_to(figures_ks(a, 4, b, 8, NULL, 0), 0.5, 1e-12);
	near_to(figures_ks(a, 4, b, 8, a, 4), 1, 1e-12);
	near_to(figures_ks(a, 4, b, 8, far, 4), 0, 1e-12);
	near_to(figures_ks(a, 4, a, 4, a, 4), 0, 0);
}

static void
significance_of_a_distance_is_kolmogorovs(void **state)
{
	(void)state;
	near_to(figures_ks_p(0.0, 100, 100), 1, 1e-6);
	near_to(figures_ks_p(0.1923, 100, 100), 0.043, 0.01);
	assert_true(figures_ks_p(0.5, 500, 500) < 1e-40);
}

static void
tail_of_the_binomial_is_exact(void **state)
{
	(void)state;
	near_to(figures_binomial(10, 10, 0.5), 10 * log10(2), 1e-9);
	/* P(Bin(4, 0.5) >= 3) = 5 / 16 */
	near_to(figures_binomial(4, 3, 0.5), -log10(5.0 / 16), 1e-9);
	near_to(figures_binomial(10, 2, 0.5), 0, 0);
	near_to(figures_binomial(1000000, 1000000, 0.001), 300, 0);
	near_to(figures_binomial(10, 0, 0.5), 0, 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(
		a_sample_keeps_all_until_it_is_full_and_then_evenly),
	    cmocka_unit_test(what_is_no_number_is_sampled_as_zero),
	    cmocka_unit_test(medians_and_deviations_are_those_of_the_book),
	    cmocka_unit_test(rank_correlation_sees_order_and_ties),
	    cmocka_unit_test(distance_of_samples_leaves_out_what_is_asked),
	    cmocka_unit_test(significance_of_a_distance_is_kolmogorovs),
	    cmocka_unit_test(tail_of_the_binomial_is_exact),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
