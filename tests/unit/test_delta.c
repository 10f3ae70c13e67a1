#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "analyzer/diff/delta.h"
#include "analyzer/diff/tensor.h"

#define N 1024

static uint8_t bytes_a[8 * N + 1], bytes_b[8 * N + 1];
static float a[N], b[N], d[N], scratch[2 * N], whole_a[N], whole_b[N];

static void
fill(uint8_t *p, size_t n, uint32_t seed)
{
	for (size_t i = 0; i < n; i++) {
		seed = seed * 1664525U + 1013904223U;
		p[i] = (uint8_t)(seed >> 24);
	}
}

static struct tensor
tensor(enum elem t, const uint8_t *p, uint64_t n)
{
	const struct elem_info *x = elem_info(t);

	return (struct tensor){.elem = t, .p = p, .n = n,
	    .len = n / x->block * x->bytes, .rows = 1, .cols = n};
}

static void
is_difference(const float *x, const float *y, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		float want = y[i] - x[i];

		if (want == want)
			assert_memory_equal(&d[i], &want, sizeof(want));
		else
			assert_true(d[i] != d[i]);
	}
}

static void
every_pair_of_types_is_subtracted(void **state)
{
	(void)state;
	fill(bytes_a, sizeof(bytes_a), 1);
	fill(bytes_b, sizeof(bytes_b), 2);
	for (unsigned i = 0; i < ELEM_COUNT * ELEM_COUNT; i++) {
		/* An odd address: nothing may rely on alignment. */
		struct tensor x = tensor((enum elem)(i / ELEM_COUNT),
		    bytes_a + 1, N);
		struct tensor y = tensor((enum elem)(i % ELEM_COUNT),
		    bytes_b + 1, N);
		struct delta pair = {&x, &y, CAST_NONE};

		elem_load(x.elem, x.p, N, whole_a);
		elem_load(y.elem, y.p, N, whole_b);
		delta_block(&pair, 0, N, NULL, NULL, d, scratch);
		is_difference(whole_a, whole_b, N);
		/* A part of it is the same part. */
		delta_block(&pair, 512, 256, a, b, d, NULL);
		assert_memory_equal(a, whole_a + 512, 256 * sizeof(*a));
		assert_memory_equal(b, whole_b + 512, 256 * sizeof(*b));
		is_difference(whole_a + 512, whole_b + 512, 256);
	}
}

static void
only_the_old_side_is_cast(void **state)
{
	static const float x[2] = {1.00390625F, 2.0F}, y[2] = {1.0F, 2.5F};
	struct tensor old = tensor(ELEM_F32, (const uint8_t *)x, 2);
	struct tensor new = tensor(ELEM_F32, (const uint8_t *)y, 2);
	struct delta pair = {&old, &new, CAST_BF16_CUT};

	(void)state;
	delta_block(&pair, 0, 2, a, b, d, NULL);
	assert_true(a[0] == 1.0F && d[0] == 0.0F && d[1] == 0.5F);
	/* Asked for one side alone, the other is not touched. */
	b[0] = 7;
	delta_block(&pair, 0, 2, a, NULL, NULL, NULL);
	assert_true(a[1] == 2.0F && b[0] == 7.0F);
	pair = (struct delta){&new, &old, CAST_BF16_CUT};
	delta_block(&pair, 0, 2, NULL, b, NULL, NULL);
	assert_true(b[0] == x[0]);
}

static void
end_of_a_tensor_may_be_shorter_than_a_unit_of_the_cast(void **state)
{
	static float x[40];
	struct tensor t = tensor(ELEM_F32, (const uint8_t *)x, 40);
	struct delta pair = {&t, &t, CAST_Q8_0};

	(void)state;
	for (unsigned i = 0; i < 40; i++)
		x[i] = (float)i / 7.0F;
	delta_block(&pair, 0, 40, a, b, d, NULL);
	assert_true(d[1] != 0.0F);
	for (unsigned i = 32; i < 40; i++)
		assert_true(a[i] == x[i]);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(every_pair_of_types_is_subtracted),
	    cmocka_unit_test(only_the_old_side_is_cast),
	    cmocka_unit_test(
	        end_of_a_tensor_may_be_shorter_than_a_unit_of_the_cast),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
