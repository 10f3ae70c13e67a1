#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "analyzer/diff/smallsvd.h"
#include "tests/unit/spectrum_fixture.h"

#define MOST 272

static double g[MOST * MOST], kept[MOST * MOST], vec[MOST * MOST];
static double w[MOST], room[SMALLSVD_ROOM(MOST)];

static void
fill(unsigned n)
{
	for (size_t i = 0; i < n; i++)
		for (size_t j = i; j < n; j++)
			kept[i * n + j] = kept[j * n + i] = fixture_gauss();
	memcpy(g, kept, sizeof(*g) * n * n);
}

static void
eigenvectors_reproduce_the_matrix(void **state)
{
	static const unsigned sizes[] = {1, 2, 3, 5, 24, 80, 272};

	(void)state;
	for (unsigned k = 0; k < 7; k++) {
		unsigned n = sizes[k];
		double worst = 0;

		fill(n);
		assert_true(smallsvd_eigen(g, n, w, vec, room));
		for (size_t i = 0; i + 1 < n; i++)
			assert_true(w[i] >= w[i + 1]);
		for (size_t r = 0; r < n; r++)
			for (size_t i = 0; i < n; i++) {
				double s = -w[r] * vec[r * n + i];

				for (size_t j = 0; j < n; j++)
					s += kept[i * n + j] * vec[r * n + j];
				worst = fmax(worst, fabs(s));
			}
		assert_true(worst < 1e-12 * n + 1e-13);
	}
}

static void
values_alone_are_those_with_vectors(void **state)
{
	double first[MOST];

	(void)state;
	fill(80);
	assert_true(smallsvd_eigen(g, 80, first, vec, room));
	memcpy(g, kept, sizeof(*g) * 80 * 80);
	assert_true(smallsvd_eigen(g, 80, w, NULL, room));
	assert_memory_equal(w, first, 80 * sizeof(*w));
}

static void
a_diagonal_and_a_zero_matrix_need_no_turns(void **state)
{
	(void)state;
	memset(g, 0, sizeof(g));
	assert_true(smallsvd_eigen(g, 9, w, vec, room));
	assert_true(w[0] == 0 && w[8] == 0);
	for (size_t i = 0; i < 9; i++)
		g[i * 9 + i] = (double)(i * i);
	assert_true(smallsvd_eigen(g, 9, w, NULL, room));
	for (size_t i = 0; i < 9; i++)
		assert_true(fabs(w[i] - (double)((8 - i) * (8 - i))) < 1e-12);
}

/* Sums of a few outer products in single precision, as merges leave them. */
static void
a_matrix_of_low_rank_converges(void **state)
{
	static float d[128 * 128];
	double u[8][128], v[8][128];

	(void)state;
	for (unsigned rank = 1; rank <= 8; rank++) {
		for (unsigned k = 0; k < rank; k++)
			for (size_t i = 0; i < 128; i++) {
				u[k][i] = fixture_gauss();
				v[k][i] = fixture_gauss();
			}
		for (size_t i = 0; i < 128 * 128; i++) {
			float base = (float)(0.1 * fixture_gauss());
			double x = 0;

			for (unsigned k = 0; k < rank; k++)
				x += 0.01 * u[k][i / 128] * v[k][i % 128];
			d[i] = (float)((double)base + x) - base;
		}
		memset(g, 0, sizeof(*g) * 128 * 128);
		for (size_t r = 0; r < 128; r++)
			for (size_t i = 0; i < 128 * 128; i++)
				g[i] += (double)d[r * 128 + i / 128] *
				    (double)d[r * 128 + i % 128];
		assert_true(smallsvd_eigen(g, 128, w, NULL, room));
		assert_true(w[rank - 1] > 1e6 * fabs(w[rank]));
	}
}

static void
equal_elements_have_one_value(void **state)
{
	(void)state;
	for (size_t i = 0; i < MOST * MOST; i++)
		g[i] = 3;
	assert_true(smallsvd_eigen(g, MOST, w, vec, room));
	assert_true(fabs(w[0] - 3.0 * MOST) < 1e-9);
	assert_true(fabs(w[1]) < 1e-9);
}

static void
huge_and_tiny_values_are_scaled(void **state)
{
	(void)state;
	fill(6);
	assert_true(smallsvd_eigen(g, 6, w, NULL, room));
	for (size_t i = 0; i < 36; i++)
		g[i] = kept[i] * 1e250;
	assert_true(smallsvd_eigen(g, 6, vec, NULL, room));
	for (size_t i = 0; i < 6; i++)
		assert_true(fabs(vec[i] / 1e250 - w[i]) < 1e-12);
	for (size_t i = 0; i < 36; i++)
		g[i] = kept[i] * 1e-250;
	assert_true(smallsvd_eigen(g, 6, vec, NULL, room));
	for (size_t i = 0; i < 6; i++)
		assert_true(fabs(vec[i] * 1e250 - w[i]) < 1e-12);
}

static void
what_is_no_number_is_refused(void **state)
{
	(void)state;
	fill(7);
	g[3 * 7 + 5] = NAN;
	assert_false(smallsvd_eigen(g, 7, w, vec, room));
	fill(7);
	g[0] = INFINITY;
	assert_false(smallsvd_eigen(g, 7, w, vec, room));
}

/* Columns of 50 rows; column 3 is the sum of those before, 5 is nothing. */
static void
whitening_makes_columns_orthonormal_and_drops_dependent_ones(void **state)
{
	enum { ROWS = 50, N = 8 };
	double y[ROWS][N], z[ROWS][N];
	double worst = 0;

	(void)state;
	for (size_t i = 0; i < ROWS; i++) {
		for (size_t k = 0; k < N; k++)
			y[i][k] = fixture_gauss() * pow(10, (double)k - 4);
		y[i][3] = y[i][0] + y[i][1] + y[i][2];
		y[i][5] = 0;
	}
	memset(g, 0, sizeof(g));
	for (size_t i = 0; i < ROWS; i++)
		for (size_t a = 0; a < N; a++)
			for (size_t b = 0; b < N; b++)
				g[a * N + b] += y[i][a] * y[i][b];
	assert_int_equal(smallsvd_whiten(g, N, room), 6);
	for (size_t i = 0; i < ROWS; i++)
		for (size_t b = 0; b < N; b++) {
			z[i][b] = 0;
			for (size_t a = 0; a < N; a++)
				z[i][b] += y[i][a] * g[a * N + b];
		}
	for (size_t a = 0; a < N; a++)
		for (size_t b = 0; b < N; b++) {
			double s = a == b && a != 3 && a != 5 ? -1 : 0;

			for (size_t i = 0; i < ROWS; i++)
				s += z[i][a] * z[i][b];
			worst = fmax(worst, fabs(s));
		}
	assert_true(worst < 1e-9);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(eigenvectors_reproduce_the_matrix),
	    cmocka_unit_test(values_alone_are_those_with_vectors),
	    cmocka_unit_test(a_diagonal_and_a_zero_matrix_need_no_turns),
	    cmocka_unit_test(a_matrix_of_low_rank_converges),
	    cmocka_unit_test(equal_elements_have_one_value),
	    cmocka_unit_test(huge_and_tiny_values_are_scaled),
	    cmocka_unit_test(what_is_no_number_is_refused),
	    cmocka_unit_test(
		whitening_makes_columns_orthonormal_and_drops_dependent_ones)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
