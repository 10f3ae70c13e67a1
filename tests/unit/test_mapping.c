#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "analyzer/diff/mapping.h"
#include "base/err.h"

static char name[] = "/tmp/exhibit-mapping-XXXXXX";
static int fd;

static void
whole_file_is_read_and_the_descriptor_not_needed(void **state)
{
	static char text[10000];
	struct mapping m = MAPPING_INIT;
	int other = dup(fd);

	(void)state;
	memset(text, 'x', sizeof(text));
	text[9999] = 'y';
	assert_int_equal(ftruncate(fd, 0), 0);
	assert_int_equal(pwrite(fd, text, sizeof(text), 0), sizeof(text));
	assert_int_equal(mapping_init(&m, other, sizeof(text), NULL), 0);
	(void)close(other);
	assert_int_equal(m.n, sizeof(text));
	assert_memory_equal(m.p, text, sizeof(text));
	mapping_release(&m);
	assert_null(m.p);
	mapping_release(&m);
}

static void
empty_file_is_mapped_too(void **state)
{
	struct mapping m = MAPPING_INIT;

	(void)state;
	assert_int_equal(ftruncate(fd, 0), 0);
	assert_int_equal(mapping_init(&m, fd, 0, NULL), 0);
	assert_non_null(m.p);
	assert_int_equal(m.n, 0);
	mapping_release(&m);
	assert_null(m.p);
}

static void
file_that_shrank_before_is_an_error(void **state)
{
	struct mapping m = MAPPING_INIT;
	struct err e = ERR_INIT;

	(void)state;
	assert_int_equal(ftruncate(fd, 4096), 0);
	assert_int_equal(mapping_init(&m, fd, 4097, &e), ERR_TRUNC);
	assert_int_equal(e.code, ERR_TRUNC);
	assert_null(m.p);
	assert_int_equal(mapping_init(&m, fd, UINT64_MAX, NULL), ERR_TRUNC);
}

static void
what_is_no_file_is_an_error(void **state)
{
	struct mapping m = MAPPING_INIT;
	struct err e = ERR_INIT;
	int pipes[2];

	(void)state;
	assert_int_equal(pipe(pipes), 0);
	assert_int_equal(mapping_init(&m, pipes[0], 1, &e), ERR_IO);
	assert_int_equal(e.sys, ESPIPE);
	assert_int_equal(mapping_init(&m, -1, 1, NULL), ERR_IO);
	assert_null(m.p);
	(void)close(pipes[0]);
	(void)close(pipes[1]);
}

static int
setup(void **state)
{
	(void)state;
	return (fd = mkstemp(name)) < 0 ? -1 : unlink(name);
}

static int
teardown(void **state)
{
	(void)state;
	return close(fd);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(whole_file_is_read_and_the_descriptor_not_needed),
	    cmocka_unit_test(empty_file_is_mapped_too),
	    cmocka_unit_test(file_that_shrank_before_is_an_error),
	    cmocka_unit_test(what_is_no_file_is_an_error),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
