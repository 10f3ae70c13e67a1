#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/err.h"
#include "base/fdpass.h"

static void
bytes_and_descriptors_arrive(void **state)
{
	int s[2], pipes[2], got_fd[FDPASS_MAX] = {-1, -1, -1, -1};
	struct err e = ERR_INIT;
	uint64_t n = 77, back = 0;
	unsigned got;
	char c;

	(void)state;
	assert_int_equal(fdpass_pair(s, &e), 0);
	assert_int_equal(pipe(pipes), 0);
	assert_int_equal(fdpass_send(s[0], &n, sizeof(n), pipes, 2), 0);
	assert_int_equal(fdpass_recv(s[1], &back, sizeof(back), got_fd, 4,
	    &got, &e), 0);
	assert_int_equal(got, 2);
	assert_int_equal(back, 77);
	assert_int_equal(write(pipes[1], "x", 1), 1);
	assert_int_equal(read(got_fd[0], &c, 1), 1);
	assert_int_equal(c, 'x');
	for (unsigned i = 0; i < 2; i++) {
		(void)close(got_fd[i]);
		(void)close(pipes[i]);
		(void)close(s[i]);
	}
}

static void
a_message_without_descriptors_has_none(void **state)
{
	int s[2], fd = -1;
	struct err e = ERR_INIT;
	unsigned got = 9;
	char c = 0;

	(void)state;
	assert_int_equal(fdpass_pair(s, &e), 0);
	assert_int_equal(fdpass_send(s[0], "z", 1, NULL, 0), 0);
	assert_int_equal(fdpass_recv(s[1], &c, 1, &fd, 1, &got, &e), 0);
	assert_int_equal(got, 0);
	assert_int_equal(c, 'z');
	/* Another size than was agreed, and an end that is gone. */
	assert_int_equal(fdpass_send(s[0], "z", 1, NULL, 0), 0);
	assert_int_equal(fdpass_recv(s[1], &got, sizeof(got), &fd, 1, &got,
	    &e), ERR_CHILD);
	(void)close(s[0]);
	err_reset(&e);
	assert_int_equal(fdpass_recv(s[1], &c, 1, &fd, 1, &got, &e),
	    ERR_CHILD);
	(void)close(s[1]);
}

static void
a_receiver_that_does_not_read_holds_nobody(void **state)
{
	int s[2], r = 0;
	struct err e = ERR_INIT;
	char bytes[256] = {0};

	(void)state;
	assert_int_equal(fdpass_pair(s, &e), 0);
	for (unsigned i = 0; i < 1000000 && r == 0; i++)
		r = fdpass_send(s[0], bytes, sizeof(bytes), NULL, 0);
	assert_int_equal(r, ERR_CHILD);
	(void)close(s[0]);
	(void)close(s[1]);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(bytes_and_descriptors_arrive),
	    cmocka_unit_test(a_message_without_descriptors_has_none),
	    cmocka_unit_test(a_receiver_that_does_not_read_holds_nobody)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
