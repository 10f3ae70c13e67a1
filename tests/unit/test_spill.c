#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "analyzer/diff/spill.h"
#include "base/bytesrc.h"
#include "base/err.h"
#include "base/limits.h"
#include "tests/lib/model_case.h"

static void
what_is_put_lies_at_multiples_of_64(void **state)
{
	int fd = model_case_spool();
	struct err e = ERR_INIT;
	struct spill *s = spill_new(fd, &e);
	uint64_t at[3];
	char got[8];

	(void)state;
	assert_int_equal(spill_file(s), fd);
	assert_int_equal(spill_put(s, "one", 3, &at[0], &e), 0);
	assert_int_equal(spill_more(s, "more", 4, &e), 0);
	assert_int_equal(spill_put(s, NULL, 0, &at[1], &e), 0);
	assert_int_equal(spill_put(s, "two", 3, &at[2], &e), 0);
	assert_int_equal(at[0], 0);
	assert_int_equal(at[1], 64);
	assert_int_equal(at[2], 64);
	assert_int_equal(spill_size(s), 67);
	assert_int_equal(pread(fd, got, 7, 0), 7);
	assert_memory_equal(got, "onemore", 7);
	assert_int_equal(pread(fd, got, 3, 64), 3);
	assert_memory_equal(got, "two", 3);
	spill_free(s);
	(void)close(fd);
}

static void
a_source_is_copied_whole(void **state)
{
	static uint8_t bytes[200 * 1024], got[sizeof(bytes)];
	int fd = model_case_spool();
	struct err e = ERR_INIT;
	struct spill *s = spill_new(fd, &e);
	struct bytesrc *src = bytesrc_mem(bytes, sizeof(bytes), &e);
	uint64_t at;

	(void)state;
	for (size_t i = 0; i < sizeof(bytes); i++)
		bytes[i] = (uint8_t)(i * 31 + i / 255);
	assert_int_equal(spill_put(s, "x", 1, &at, &e), 0);
	assert_int_equal(spill_copy(s, src, &at, &e), 0);
	assert_int_equal(at, 64);
	assert_int_equal(pread(fd, got, sizeof(got), 64), sizeof(got));
	assert_memory_equal(got, bytes, sizeof(got));
	bytesrc_free(src);
	spill_free(s);
	(void)close(fd);
}

static void
a_source_that_shrank_is_no_copy(void **state)
{
	int fd = model_case_spool(), from = model_case_spool();
	struct err e = ERR_INIT;
	struct spill *s = spill_new(fd, &e);
	struct bytesrc *src = bytesrc_fd(from, 0, 1000, &e);
	uint64_t at;

	(void)state;
	assert_int_equal(write(from, "abc", 3), 3);
	assert_int_equal(spill_copy(s, src, &at, &e), ERR_TRUNC);
	bytesrc_free(src);
	spill_free(s);
	(void)close(from);
	(void)close(fd);
}

static void
without_a_file_it_holds_nothing(void **state)
{
	struct err e = ERR_INIT;
	struct spill *s = spill_new(-1, &e);
	struct bytesrc *src = bytesrc_mem("abc", 3, &e);
	uint64_t at = 7;

	(void)state;
	assert_int_equal(spill_put(s, "abc", 3, &at, &e), 1);
	assert_int_equal(spill_more(s, "abc", 3, &e), 1);
	assert_int_equal(spill_copy(s, src, &at, &e), 1);
	assert_int_equal(at, 7);
	assert_int_equal(spill_size(s), 0);
	assert_int_equal(e.code, ERR_OK);
	bytesrc_free(src);
	spill_free(s);
}

static void
what_does_not_fit_is_refused_before_it_is_written(void **state)
{
	int fd = model_case_spool();
	struct err e = ERR_INIT;
	struct spill *s = spill_new(fd, &e);
	struct bytesrc *src = bytesrc_fd(fd, 0, LIMIT_DIFF_SPOOL + 1, &e);
	uint64_t at;

	(void)state;
	assert_int_equal(spill_copy(s, src, &at, &e), 1);
	assert_int_equal(spill_put(s, "", LIMIT_DIFF_SPOOL, &at, &e), 1);
	assert_int_equal(spill_size(s), 0);
	bytesrc_free(src);
	spill_free(s);
	(void)close(fd);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(what_is_put_lies_at_multiples_of_64),
	    cmocka_unit_test(a_source_is_copied_whole),
	    cmocka_unit_test(a_source_that_shrank_is_no_copy),
	    cmocka_unit_test(without_a_file_it_holds_nothing),
	    cmocka_unit_test(
		what_does_not_fit_is_refused_before_it_is_written),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
