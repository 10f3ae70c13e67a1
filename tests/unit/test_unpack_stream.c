#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <setjmp.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytesrc.h"
#include "base/err.h"
#include "formats/unpack_stream.h"
#include "tests/lib/rows_pack.h"

#define TEXT_SIZE 300000

static uint8_t text[TEXT_SIZE], got[2 * TEXT_SIZE];

static const char *const filters[] = {"gzip", "bzip2", "xz", "zstd", "lz4"};
#define FILTERS (sizeof(filters) / sizeof(filters[0]))

/* Compressible, but not to nothing. */
static int
setup(void **state)
{
	uint32_t seed = 7;

	(void)state;
	for (size_t i = 0; i < TEXT_SIZE; i++) {
		seed = seed * 1664525U + 1013904223U;
		text[i] = (uint8_t)("abcdefgh \n"[(seed >> 16) % 10]);
	}
	return 0;
}

/* All of it in reads of ${step}; what ended it in *rc. */
static size_t
read_all(const uint8_t *p, size_t n, size_t step, int *rc, bool *rest)
{
	struct bytesrc *src = bytesrc_mem(p, n, NULL);
	struct unpack_stream *s = NULL;
	size_t done = 0, some = 1;

	assert_non_null(src);
	if ((*rc = unpack_stream_open(src, &s, NULL)) == 0)
		while (some > 0 && *rc == 0) {
			*rc = unpack_stream_read(s, got + done, step, &some,
			    NULL);
			done += some;
			assert_true(done + step <= sizeof(got));
		}
	*rest = s != NULL && unpack_stream_rest(s);
	if (*rc == 0)
		assert_true(unpack_stream_used(s) <= n);
	unpack_stream_close(s);
	bytesrc_free(src);
	return done;
}

static void
every_kind_comes_out_as_it_went_in(void **state)
{
	static const size_t steps[] = {1, 7, 4096, 100000};
	uint8_t *p;
	size_t n;
	bool rest;
	int rc;

	(void)state;
	for (size_t i = 0; i < FILTERS; i++) {
		p = rows_pack_filter(text, TEXT_SIZE, filters[i], &n);
		assert_true(unpack_stream_is(p, n < 16 ? n : 16));
		for (size_t k = 0; k < 4; k++) {
			assert_int_equal(read_all(p, n, steps[k], &rc, &rest),
			    TEXT_SIZE);
			assert_int_equal(rc, 0);
			assert_false(rest);
			assert_memory_equal(got, text, TEXT_SIZE);
		}
		free(p);
	}
	assert_false(unpack_stream_is((const uint8_t *)"BZh91", 5));
	assert_false(unpack_stream_is((const uint8_t *)"{\"a\":1}", 7));
}

static void
cut_stream_gives_what_came_before(void **state)
{
	uint8_t *p;
	size_t n, len;
	bool rest;
	int rc;

	(void)state;
	for (size_t i = 0; i < FILTERS; i++) {
		p = rows_pack_filter(text, TEXT_SIZE, filters[i], &n);
		for (size_t cut = n - 1; cut > 20; cut -= cut / 3 + 1) {
			len = read_all(p, cut, 4096, &rc, &rest);
			assert_true(rc == ERR_TRUNC || rc == ERR_FORMAT);
			assert_true(len <= TEXT_SIZE);
			assert_memory_equal(got, text, len);
		}
		free(p);
	}
}

static void
members_of_gzip_are_joined(void **state)
{
	uint8_t *p, *q;
	size_t n, m;
	bool rest;
	int rc;

	(void)state;
	p = rows_pack_filter("one,", 4, "gzip", &n);
	q = rows_pack_filter("two", 3, "gzip", &m);
	memcpy(p + n, q, m);
	assert_int_equal(read_all(p, n + m, 4096, &rc, &rest), 7);
	assert_memory_equal(got, "one,two", 7);
	assert_int_equal(rc, 0);
	/* Zeros fill up a block; anything else is told. */
	memset(p + n + m, 0, 100);
	assert_int_equal(read_all(p, n + m + 100, 4096, &rc, &rest), 7);
	assert_false(rest);
	p[n + m + 50] = 'x';
	assert_int_equal(read_all(p, n + m + 100, 4096, &rc, &rest), 7);
	assert_int_equal(rc, 0);
	assert_true(rest);
	free(p);
	free(q);
}

static void
wrong_check_value_is_seen(void **state)
{
	uint8_t *p;
	size_t n;
	bool rest;
	int rc;

	(void)state;
	/* gzip, bzip2, xz: frames of the others need not have any. */
	for (size_t i = 0; i < 3; i++) {
		p = rows_pack_filter(text, 1000, filters[i], &n);
		p[n / 2] ^= 0x10;
		(void)read_all(p, n, 4096, &rc, &rest);
		assert_true(rc == ERR_FORMAT || rc == ERR_TRUNC);
		free(p);
	}
	p = rows_pack_filter(text, 1000, "gzip", &n);
	p[n - 5] ^= 1;
	(void)read_all(p, n, 4096, &rc, &rest);
	assert_int_equal(rc, ERR_FORMAT);
	free(p);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(every_kind_comes_out_as_it_went_in),
	    cmocka_unit_test(cut_stream_gives_what_came_before),
	    cmocka_unit_test(members_of_gzip_are_joined),
	    cmocka_unit_test(wrong_check_value_is_seen),
	};

	return cmocka_run_group_tests(tests, setup, NULL);
}
