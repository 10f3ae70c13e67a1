#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "analyzer/weights_plane.h"
#include "tests/lib/weights_case.h"

static uint8_t p[8 * 1100], x[1200], y[1200];

static void
low_bytes_with_and_without_simd(void **state)
{
	static const unsigned widths[] = {1, 2, 4, 8};

	(void)state;
	weights_case_noise(p, sizeof(p), 1);
	for (unsigned k = 0; k < 4; k++)
		for (size_t n = 0; n < 1100; n += n < 70 ? 1 : 113) {
			weights_plane_low(p, widths[k], n, x);
			weights_plane_low_scalar(p, widths[k], n, y);
			assert_memory_equal(x, y, n);
			for (size_t i = 0; i < n; i++)
				assert_int_equal(x[i], p[i * widths[k]]);
		}
}

static void
planes_with_and_without_simd(void **state)
{
	(void)state;
	weights_case_noise(p, sizeof(p), 2);
	for (unsigned bits = 1; bits <= 4; bits *= 2)
		for (size_t n = 0; n < 1100; n += n < 70 ? 1 : 113) {
			size_t m = weights_plane_pack(bits, p, n, x);

			assert_int_equal(m, n * bits / 8);
			assert_int_equal(weights_plane_pack_scalar(bits, p, n,
			    y), m);
			assert_memory_equal(x, y, m);
		}
}

static void
the_first_element_is_lowest(void **state)
{
	static const uint8_t ones[] = {1, 0, 0, 0, 0, 0, 0, 3, 2, 3, 0, 1};

	(void)state;
	assert_int_equal(weights_plane_pack(1, ones, 8, x), 1);
	assert_int_equal(x[0], 0x81);
	assert_int_equal(weights_plane_pack(2, ones + 7, 4, x), 1);
	assert_int_equal(x[0], 0x3b);
	assert_int_equal(weights_plane_pack(4, ones + 7, 2, x), 1);
	assert_int_equal(x[0], 0x23);
}

static void
turning_twice_is_nothing(void **state)
{
	(void)state;
	assert_int_equal(weights_plane_turn(1, 0x01), 0x80);
	assert_int_equal(weights_plane_turn(2, 0x03), 0xc0);
	assert_int_equal(weights_plane_turn(4, 0x0f), 0xf0);
	for (unsigned bits = 1; bits <= 4; bits *= 2)
		for (unsigned b = 0; b < 256; b++)
			assert_int_equal(weights_plane_turn(bits,
			    weights_plane_turn(bits, (uint8_t)b)), b);
}

static void
differences_are_of_neighbours(void **state)
{
	(void)state;
	weights_case_noise(p, sizeof(p), 3);
	for (size_t n = 0; n < 80; n++) {
		memset(x, 0xaa, sizeof(x));
		weights_plane_differ(p, n, x);
		for (size_t i = 0; i + 1 < n; i++)
			assert_int_equal(x[i], p[i] ^ p[i + 1]);
		assert_int_equal(x[n > 0 ? n - 1 : 0], 0xaa);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(low_bytes_with_and_without_simd),
	    cmocka_unit_test(planes_with_and_without_simd),
	    cmocka_unit_test(the_first_element_is_lowest),
	    cmocka_unit_test(turning_twice_is_nothing),
	    cmocka_unit_test(differences_are_of_neighbours),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
