#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "analyzer/weights_filter.h"
#include "tests/lib/weights_case.h"

#define N 5000

static struct weights_filter f, g;
static struct weights_hit a[N * 8], b[N * 8];
static uint8_t p[N + 64];

static void
third(struct weights_pattern *x, unsigned from, unsigned to)
{
	for (unsigned i = from; i <= to; i++)
		x->third[i / 8] |= (uint8_t)(1u << i % 8);
}

static void
make_filters(void)
{
	struct weights_pattern x[] = {{{0x7f, 'E'}, {0}}, {{'P', 'K'}, {0}},
	    {{'M', 'Z'}, {0}}, {{0x80, 2}, {0}}, {{'c', 'o'}, {0}},
	    {{0, 0}, {0}}, {{1, 0}, {0}}, {{0x1f, 0x8b}, {0}}};

	third(&x[0], 'L', 'L');
	third(&x[1], 3, 3);
	third(&x[2], 0, 255);
	third(&x[3], 'A', 'Z');
	third(&x[4], 'a', 'z');
	third(&x[5], 0, 3);
	third(&x[6], 7, 7);
	third(&x[7], 8, 8);
	weights_filter_init(&f, x, 8);
	weights_filter_init(&g, x, 5);
}

static int
compare(const void *x, const void *y)
{
	return memcmp(x, y, sizeof(struct weights_hit));
}

static void
same(size_t n, size_t m)
{
	assert_int_equal(n, m);
	qsort(a, n, sizeof(*a), compare);
	qsort(b, n, sizeof(*b), compare);
	assert_memory_equal(a, b, n * sizeof(*a));
}

/* Bytes that patterns are made of come often. */
static void
fill(uint32_t seed)
{
	static const uint8_t often[] = {0x7f, 'E', 'L', 'P', 'K', 3, 'M', 'Z',
	    0x80, 2, 'A', 'c', 'o', 's', 0, 1, 7, 0x1f, 0x8b, 8};

	weights_case_noise(p, sizeof(p), seed);
	for (size_t i = 0; i < sizeof(p); i++)
		if (p[i] < 170)
			p[i] = often[p[i] % sizeof(often)];
}

static void
simd_and_scalar_find_the_same_in_all_lanes(void **state)
{
	static const struct weights_rule rules[] = {{1, 2, ~0u}, {4, 8, ~0u},
	    {-1, -2, 12}, {3, 4, 2}, {7, 6, 1}, {15, 14, 1}};
	size_t found = 0;

	(void)state;
	make_filters();
	for (uint32_t seed = 0; seed < 200; seed++) {
		size_t n = seed < 80 ? seed : 100 + 23 * seed;
		size_t to = seed % 3 == 0 && n > 64 ? n - 64 : n;
		unsigned width = 1u << seed % 4;

		fill(seed);
		found += weights_filter_run(&f, rules, 6, width, p, to, n, a,
		    N * 8);
		same(weights_filter_run(&f, rules, 6, width, p, to, n, a,
		    N * 8), weights_filter_scalar(&f, rules, 6, width, p, to,
		    n, b, N * 8));
		same(weights_filter_run(&f, rules, 1, 1, p, to, n, a, N * 8),
		    weights_filter_scalar(&f, rules, 1, 1, p, to, n, b,
		    N * 8));
		same(weights_filter_row2(&f, &g, p, to, n, a, N * 8),
		    weights_filter_row2_scalar(&f, &g, p, to, n, b, N * 8));
	}
	assert_true(found > 1000);
}

/* No pattern is missed, whatever sets they were put into. */
static void
every_pattern_is_found_at_every_place(void **state)
{
	static const struct weights_rule row = {1, 2, ~0u};
	static const uint8_t x[][3] = {{0x7f, 'E', 'L'}, {'P', 'K', 3},
	    {'M', 'Z', 0x77}, {0x80, 2, 'Q'}, {'c', 'o', 's'}, {0, 0, 2},
	    {1, 0, 7}, {0x1f, 0x8b, 8}};

	(void)state;
	make_filters();
	for (size_t at = 0; at < 100; at++)
		for (unsigned k = 0; k < 8; k++) {
			memset(p, 0xee, sizeof(p));
			memcpy(p + at, x[k], 3);
			assert_int_equal(weights_filter_run(&f, &row, 1, 1, p,
			    103, 103, a, N), 1);
			assert_int_equal(a[0].pos, at);
		}
}

static void
hits_beyond_the_room_are_counted(void **state)
{
	static const struct weights_rule row = {1, 2, ~0u};

	(void)state;
	make_filters();
	memset(p, 0, sizeof(p));
	assert_int_equal(weights_filter_run(&f, &row, 1, 1, p, 1000, 1000, a,
	    10), 998);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(simd_and_scalar_find_the_same_in_all_lanes),
	    cmocka_unit_test(every_pattern_is_found_at_every_place),
	    cmocka_unit_test(hits_beyond_the_room_are_counted),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
