#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "analyzer/tensors.h"
#include "base/bytesrc.h"
#include "base/err.h"
#include "base/limits.h"
#include "formats/format.h"
#include "tests/lib/weights_case.h"

#define N 8192

/* What was told, and where: findings of a program in the raw bytes. */
static struct {
	unsigned payloads, limits, members;
	uint64_t off[64];
} told;

static int
on_finding(void *ctx, const struct finding *f)
{
	(void)ctx;
	if (f->id == FINDING_WGT_PAYLOAD && told.payloads < 64)
		told.off[told.payloads++] = f->off;
	told.limits += f->id == FINDING_LIMIT;
	return 0;
}

static int
on_member(void *ctx, const struct ev_member *m)
{
	(void)ctx;
	(void)m;
	told.members++;
	return 0;
}

static const struct weights_events events = {on_finding, on_member};
static const uint8_t elf[256] = {0x7f, 'E', 'L', 'F', 2, 1, 1, 0,
    [16] = 2, 0, 62, 0, 1, 0, 0, 0, [32] = 64, [52] = 64, 0, 56, 0, 1, 0, 64,
    0, 0, 0, [64] = 1, 0, 0, 0, 5, 0, 0, 0, [96] = 0, 1};

static void
add(struct tensors *t, uint64_t off, uint64_t len, const struct bytesrc *src)
{
	const struct ev_tensor ev = {.name = "w", .name_len = 1,
	    .dtype = "F32", .off = off, .len = len, .src = src};

	assert_int_equal(tensors_add(t, &ev, NULL), 0);
}

static struct tensors *
begin(void)
{
	struct tensors *t = tensors_new(&events, NULL, NULL);

	memset(&told, 0, sizeof(told));
	assert_non_null(t);
	return t;
}

static uint8_t *
make(struct bytesrc **src)
{
	uint8_t *p = weights_case_make("F32", N, 3);

	memcpy(p + 4096, elf, sizeof(elf));
	memcpy(p + 20000, elf, sizeof(elf));
	*src = bytesrc_mem(p, 4 * N, NULL);
	assert_non_null(*src);
	return p;
}

static void
nothing_is_examined_before_the_format_holds(void **state)
{
	struct tensors *t = begin();
	struct bytesrc *src;
	uint8_t *p = make(&src);

	(void)state;
	add(t, 0, 4 * N, NULL);
	assert_int_equal(told.payloads, 0);
	assert_int_equal(tensors_count(t), 0);
	assert_int_equal(tensors_examine(t, src, NULL), 0);
	assert_int_equal(told.payloads, 2);
	assert_int_equal(told.members, 2);
	assert_int_equal(tensors_count(t), 1);
	tensors_free(t);
	bytesrc_free(src);
	free(p);
}

/* A header could name one range a thousand times. */
static void
each_byte_is_examined_once(void **state)
{
	struct tensors *t = begin();
	struct bytesrc *src;
	uint8_t *p = make(&src);

	(void)state;
	for (unsigned i = 0; i < 1000; i++)
		add(t, 0, 16384, NULL);
	/* One that begins inside of another: only what lies beyond. */
	add(t, 8192, 4 * N - 8192, NULL);
	assert_int_equal(tensors_examine(t, src, NULL), 0);
	assert_int_equal(tensors_count(t), 2);
	assert_int_equal(told.payloads, 2);
	assert_int_equal(told.off[0], 4096);
	assert_int_equal(told.off[1], 20000);
	tensors_free(t);
	bytesrc_free(src);
	free(p);
}

static void
what_lies_outside_is_no_crash(void **state)
{
	struct tensors *t = begin();
	struct bytesrc *src;
	uint8_t *p = make(&src);

	(void)state;
	add(t, UINT64_MAX - 3, UINT64_MAX, NULL);
	add(t, 4 * N, 8, NULL);
	add(t, 4 * N - 8, UINT64_MAX, NULL);
	add(t, 4000, UINT64_MAX, NULL);
	assert_int_equal(tensors_examine(t, src, NULL), 0);
	assert_int_equal(told.payloads, 2);
	tensors_free(t);
	bytesrc_free(src);
	free(p);
}

static void
another_file_is_examined_while_it_is_open(void **state)
{
	struct tensors *t = begin();
	struct bytesrc *src;
	uint8_t *p = make(&src);

	(void)state;
	add(t, 0, 4 * N, src);
	assert_int_equal(told.payloads, 2);
	bytesrc_free(src);
	src = bytesrc_mem("", 0, NULL);
	assert_int_equal(tensors_examine(t, src, NULL), 0);
	assert_int_equal(told.payloads, 2);
	assert_int_equal(told.limits, 0);
	tensors_free(t);
	bytesrc_free(src);
	free(p);
}

/* No object makes us read other files for an hour. */
static void
too_much_of_other_files_is_said(void **state)
{
	struct tensors *t = begin();
	struct bytesrc *src;
	uint8_t *p = make(&src);

	(void)state;
	add(t, 0, LIMIT_TENSORS_OUTSIDE + 1, src);
	assert_int_equal(told.payloads, 0);
	assert_int_equal(tensors_examine(t, src, NULL), 0);
	assert_int_equal(told.limits, 1);
	tensors_free(t);
	bytesrc_free(src);
	free(p);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(nothing_is_examined_before_the_format_holds),
	    cmocka_unit_test(each_byte_is_examined_once),
	    cmocka_unit_test(what_lies_outside_is_no_crash),
	    cmocka_unit_test(another_file_is_examined_while_it_is_open),
	    cmocka_unit_test(too_much_of_other_files_is_said),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
