#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "analyzer/diff/spill.h"
#include "analyzer/diff/strided.h"
#include "analyzer/diff/tensor.h"
#include "base/bytesrc.h"
#include "base/err.h"
#include "formats/format.h"
#include "tests/lib/model_case.h"
#include "tests/lib/pair_case.h"

#define STORED 4096
static uint16_t stored[STORED];
static struct bytesrc *src;
static struct spill *spill;
static int fd;

static int
set_up(void **state)
{
	struct err e = ERR_INIT;

	(void)state;
	for (unsigned i = 0; i < STORED; i++)
		stored[i] = (uint16_t)(i * 40503U);
	src = bytesrc_mem(stored, sizeof(stored), &e);
	fd = model_case_spool();
	spill = spill_new(fd, &e);
	return src == NULL || spill == NULL;
}

static int
tear_down(void **state)
{
	(void)state;
	bytesrc_free(src);
	spill_free(spill);
	return close(fd);
}

/* The element at each index, the simple way. */
static void
naive(const struct ev_view *ev, unsigned axis, uint64_t place,
    uint16_t **dst)
{
	if (axis == ev->rank) {
		*(*dst)++ = stored[ev->first + place];
		return;
	}
	for (uint64_t i = 0; i < ev->shape[axis]; i++)
		naive(ev, axis + 1, place + i * ev->stride[axis], dst);
}

static uint64_t
elements(const struct ev_view *ev)
{
	uint64_t n = 1;

	for (unsigned i = 0; i < ev->rank; i++)
		n *= ev->shape[i];
	return n;
}

static int
copy(const struct ev_view *ev, struct tensor *v)
{
	struct err e = ERR_INIT;

	*v = (struct tensor){.elem = ELEM_F16, .rank = ev->rank <
	    TENSOR_RANK_MAX ? ev->rank : TENSOR_RANK_MAX,
	    .n = elements(ev)};
	return strided_copy(spill, src, ev, v, &e);
}

static void
random_strides_give_what_a_loop_gives(void **state)
{
	static uint16_t want[STORED * 8], got[STORED * 8];
	uint64_t seed = 11, shape[4], stride[4], span;
	unsigned copied = 0;

	(void)state;
	for (unsigned round = 0; round < 3000; round++) {
		struct ev_view ev = {.dtype = "F16", .shape = shape,
		    .stride = stride, .rank = 1 + (unsigned)
		    (pair_case_random(&seed) % 4), .len = sizeof(stored),
		    .first = pair_case_random(&seed) % 64};
		uint16_t *end = want;
		struct tensor v;

		span = ev.first;
		for (unsigned i = 0; i < ev.rank; i++) {
			shape[i] = 1 + pair_case_random(&seed) % 9;
			stride[i] = pair_case_random(&seed) % 300;
			span += (shape[i] - 1) * stride[i];
		}
		if (span >= STORED) {
			assert_int_equal(copy(&ev, &v), 1);
			continue;
		}
		naive(&ev, 0, 0, &end);
		assert_int_equal(copy(&ev, &v), 0);
		assert_int_equal(v.len, 2 * v.n);
		assert_int_equal(pread(fd, got, v.len, (off_t)v.off),
		    (ssize_t)v.len);
		assert_memory_equal(got, want, v.len);
		if (strided_is_dense(&ev, ev.rank))
			assert_memory_equal(got, stored + ev.first, v.len);
		copied++;
	}
	assert_true(copied > 500);
}

static void
a_view_that_leaves_its_storage_is_refused(void **state)
{
	const uint64_t shape[2] = {2, 2};
	const uint64_t far[2] = {UINT64_MAX, UINT64_MAX / 2};
	const uint64_t edge[2] = {STORED - 2, 1}, over[2] = {STORED - 1, 1};
	struct ev_view ev = {.shape = shape, .stride = far, .rank = 2,
	    .len = sizeof(stored)};
	struct tensor v;

	(void)state;
	assert_int_equal(copy(&ev, &v), 1);
	ev.stride = edge;
	assert_int_equal(copy(&ev, &v), 0);
	ev.stride = over;
	assert_int_equal(copy(&ev, &v), 1);
	ev.stride = edge;
	ev.first = UINT64_MAX / 2;
	assert_int_equal(copy(&ev, &v), 1);
}

static void
one_element_many_times_is_refused_when_too_large(void **state)
{
	const uint64_t shape[2] = {UINT32_MAX, 1024}, none[2] = {0, 0};
	const struct ev_view ev = {.shape = shape, .stride = none, .rank = 2,
	    .len = sizeof(stored)};
	struct tensor v;

	(void)state;
	assert_int_equal(copy(&ev, &v), 1);
}

static void
dense_means_every_axis(void **state)
{
	uint64_t shape[17], stride[17];
	struct ev_view ev = {.shape = shape, .stride = stride, .rank = 17};

	(void)state;
	for (unsigned i = 0; i < 17; i++)
		shape[i] = stride[i] = 1;
	assert_true(strided_is_dense(&ev, 17));
	shape[16] = 2;
	stride[16] = 0;
	assert_false(strided_is_dense(&ev, 17));
	shape[0] = 2;
	stride[0] = 2;
	stride[16] = 1;
	assert_true(strided_is_dense(&ev, 17));
}

static void
rows_come_in_the_order_that_is_asked_for(void **state)
{
	const uint32_t from[4] = {2, 0, 3, 1};
	const uint64_t shape[2] = {4, 3};
	struct tensor x = {.elem = ELEM_F16, .shape = shape, .rank = 2,
	    .n = 12, .rows = 4, .cols = 3, .p = (const uint8_t *)stored,
	    .len = 24};
	struct err e = ERR_INIT;
	uint16_t got[12];
	uint64_t off;

	(void)state;
	assert_int_equal(strided_rows(spill, &x, from, &off, &e), 0);
	assert_int_equal(pread(fd, got, 24, (off_t)off), 24);
	for (unsigned i = 0; i < 4; i++)
		assert_memory_equal(got + 3 * i, stored + 3 * from[i], 6);
	x.rank = 1;
	x.n = 4;
	x.rows = 1;
	x.cols = 4;
	x.len = 8;
	assert_int_equal(strided_rows(spill, &x, from, &off, &e), 0);
	assert_int_equal(pread(fd, got, 8, (off_t)off), 8);
	for (unsigned i = 0; i < 4; i++)
		assert_int_equal(got[i], stored[from[i]]);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(random_strides_give_what_a_loop_gives),
	    cmocka_unit_test(a_view_that_leaves_its_storage_is_refused),
	    cmocka_unit_test(
		one_element_many_times_is_refused_when_too_large),
	    cmocka_unit_test(dense_means_every_axis),
	    cmocka_unit_test(rows_come_in_the_order_that_is_asked_for),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
