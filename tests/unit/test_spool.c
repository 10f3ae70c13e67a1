#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/limits.h"
#include "custody/spool.h"

static int
gather(void *ctx, const void *p, size_t n, struct err *e)
{
	(void)e;
	buf_put(ctx, p, n);
	return 0;
}

static int
refuse(void *ctx, const void *p, size_t n, struct err *e)
{
	(void)ctx;
	(void)p;
	(void)n;
	return err_set(e, ERR_STOP, "enough");
}

/* The same bytes, whether they fit the limit or go to a file. */
static void
bytes_come_back_in_order_for_every_limit(void **state)
{
	const size_t limits[] = {1, 7, 100, 5000, MIB};
	struct buf want, got;
	struct spool *s;
	uint8_t piece[300];

	(void)state;
	for (unsigned k = 0; k < 5; k++) {
		buf_init(&want, MIB);
		buf_init(&got, MIB);
		assert_non_null(s = spool_new(limits[k], NULL));
		for (unsigned i = 0; i < 200; i++) {
			memset(piece, (int)i, sizeof(piece));
			buf_put(&want, piece, i * 3 % 300);
			assert_int_equal(spool_put(s, piece, i * 3 % 300,
			    NULL), 0);
		}
		assert_true(spool_size(s) == want.len);
		assert_int_equal(spool_each(s, gather, &got, NULL), 0);
		assert_int_equal(got.len, want.len);
		assert_memory_equal(got.p, want.p, want.len);
		/* A second reading gives the same. */
		buf_clear(&got);
		assert_int_equal(spool_each(s, gather, &got, NULL), 0);
		assert_memory_equal(got.p, want.p, want.len);
		assert_int_equal(spool_each(s, refuse, NULL, NULL), ERR_STOP);
		spool_free(s);
		buf_release(&want);
		buf_release(&got);
	}
}

static void
nothing_put_gives_nothing(void **state)
{
	struct spool *s = spool_new(10, NULL);

	(void)state;
	assert_non_null(s);
	assert_true(spool_size(s) == 0);
	assert_int_equal(spool_each(s, refuse, NULL, NULL), 0);
	spool_free(s);
	spool_free(NULL);
}

/* Is a descriptor open whose name in /proc begins with ${what}? */
static bool
is_open(const char *what)
{
	char path[32], name[256];
	ssize_t n;

	for (int fd = 3; fd < 64; fd++) {
		(void)snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
		n = readlink(path, name, sizeof(name) - 1);
		name[n > 0 ? n : 0] = '\0';
		if (strstr(name, what) != NULL)
			return true;
	}
	return false;
}

static void
in_memory_no_file_system_is_touched(void **state)
{
	struct spool *s = spool_new(4, NULL);
	struct buf got;

	(void)state;
	assert_non_null(s);
	spool_in_memory(s);
	for (unsigned i = 0; i < 1000; i++)
		assert_int_equal(spool_put(s, "abcdefg", 7, NULL), 0);
	assert_true(is_open("/memfd:spool"));
	assert_false(is_open("/exhibit-") || is_open("/tmp/"));
	buf_init(&got, 10000);
	assert_int_equal(spool_each(s, gather, &got, NULL), 0);
	assert_int_equal(got.len, 7000);
	assert_memory_equal(got.p + 6993, "abcdefg", 7);
	buf_release(&got);
	spool_free(s);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(bytes_come_back_in_order_for_every_limit),
	    cmocka_unit_test(nothing_put_gives_nothing),
	    cmocka_unit_test(in_memory_no_file_system_is_touched),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
