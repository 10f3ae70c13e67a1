#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <setjmp.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/frame.h"
#include "base/limits.h"

static bool
check(const void *bytes, size_t n)
{
	uint8_t *body = malloc(n == 0 ? 1 : n);
	bool r;

	assert_non_null(body);
	memcpy(body, bytes, n);
	r = frame_check(body, n);
	free(body);
	return r;
}
#define CHECK(s) check(s, sizeof(s) - 1)

static void
size_comes_with_the_limit(void **state)
{
	uint8_t head[FRAME_HEADER] = {4, 3, 2, 0, 1};
	bool ok = false;

	(void)state;
	assert_int_equal(frame_size(head, &ok), 0x020304);
	assert_true(ok);
	memcpy(head, "\x00\x00\x04\x00\x01", 5);
	assert_int_equal(frame_size(head, &ok), LIMIT_FRAME);
	assert_true(ok);
	head[0] = 1;
	assert_int_equal(frame_size(head, &ok), 0);
	assert_false(ok);
	head[3] = 0xff;
	assert_int_equal(frame_size(head, &ok), 0);
	assert_false(ok);
}

static void
fields_must_tile_the_body(void **state)
{
	(void)state;
	assert_true(CHECK(""));
	assert_true(CHECK("\1\0\0\0\0"));
	assert_true(CHECK("\1\2\0\0\0ab"));
	assert_true(CHECK("\1\2\0\0\0ab\x3f\1\0\0\0c"));
	/* A gap, an end too early, an end too late. */
	assert_false(CHECK("\1\2\0\0\0abc"));
	assert_false(CHECK("\1\2\0\0\0a"));
	assert_false(CHECK("\1\2\0\0"));
	assert_false(CHECK("\1\2\0\0\0ab\2\0\0\0"));
	assert_false(CHECK("\1\xff\xff\xff\xff"));
	assert_false(CHECK("\1\xfb\xff\xff\xff" "abcdefgh"));
}

static void
tags_must_ascend_from_1_to_63(void **state)
{
	(void)state;
	assert_false(CHECK("\0\0\0\0\0"));
	assert_false(CHECK("\x40\0\0\0\0"));
	assert_false(CHECK("\xff\0\0\0\0"));
	assert_true(CHECK("\1\0\0\0\0\2\0\0\0\0"));
	assert_false(CHECK("\2\0\0\0\0\2\0\0\0\0"));
	assert_false(CHECK("\2\0\0\0\0\1\0\0\0\0"));
}

static void
body_over_the_limit_is_refused(void **state)
{
	uint8_t *p = calloc(1, LIMIT_FRAME + 1);

	(void)state;
	assert_non_null(p);
	/* One field that fills the body to the last byte. */
	p[0] = 1;
	memcpy(p + 1, "\xfb\xff\x03\x00", 4);
	assert_true(frame_check(p, LIMIT_FRAME));
	memcpy(p + 1, "\xfc\xff\x03\x00", 4);
	assert_false(frame_check(p, LIMIT_FRAME + 1));
	free(p);
}

static void
parse_gives_the_fields(void **state)
{
	static const uint8_t body[] = "\1\2\0\0\0ab\3\4\0\0\0\1\2\3\4"
				      "\4\10\0\0\0\1\2\3\4\5\6\7\10"
				      "\x3f\0\0\0\0";
	struct frame f;
	uint32_t d = 9;
	uint64_t q = 9;

	(void)state;
	assert_true(frame_parse(&f, 7, body, sizeof(body) - 1));
	assert_int_equal(f.type, 7);
	assert_true(frame_has(&f, 1));
	assert_false(frame_has(&f, 0));
	assert_false(frame_has(&f, 2));
	assert_true(frame_has(&f, 63));
	assert_false(frame_has(&f, 64));
	assert_false(frame_has(&f, 255));
	assert_int_equal(f.field[1].len, 2);
	assert_memory_equal(f.field[1].buf, "ab", 2);
	assert_int_equal(f.field[1].base, 5);
	assert_int_equal(f.field[63].len, 0);
	assert_false(frame_u32(&f, 1, &d));
	assert_false(frame_u32(&f, 2, &d));
	assert_false(frame_u32(&f, 4, &d));
	assert_false(frame_u64(&f, 3, &q));
	assert_false(frame_u64(&f, 200, &q));
	assert_int_equal(d, 9);
	assert_int_equal(q, 9);
	assert_true(frame_u32(&f, 3, &d));
	assert_int_equal(d, 0x04030201);
	assert_true(frame_u64(&f, 4, &q));
	assert_true(q == 0x0807060504030201);
	/* Reading does not use the field up. */
	assert_true(frame_u64(&f, 4, &q));
	memset(&f, 1, sizeof(f));
	assert_false(frame_parse(&f, 7, body, sizeof(body) - 2));
	assert_int_equal(f.type, 1);
}

static void
what_is_sent_is_what_is_parsed(void **state)
{
	uint8_t got[200];
	struct err e = ERR_INIT;
	struct frame f;
	struct buf b;
	uint32_t d;
	uint64_t q;
	bool ok;
	int fd[2];
	ssize_t n;

	(void)state;
	assert_int_equal(pipe2(fd, O_CLOEXEC), 0);
	buf_init(&b, 1000);
	frame_begin(&b, 9);
	frame_put_str(&b, 1, "name");
	frame_put(&b, 2, NULL, 0);
	frame_put_u32(&b, 5, 0xdeadbeef);
	frame_put_u64(&b, 63, 0x1122334455667788);
	assert_int_equal(frame_send(&b, fd[1], &e), 0);
	n = read(fd[0], got, sizeof(got));
	assert_int_equal(n, FRAME_HEADER + 9 + 5 + 9 + 13);
	assert_int_equal(frame_size(got, &ok), n - FRAME_HEADER);
	assert_true(ok);
	assert_true(frame_parse(&f, got[4], got + FRAME_HEADER,
	    (size_t)n - FRAME_HEADER));
	assert_int_equal(f.type, 9);
	assert_int_equal(f.field[1].len, 4);
	assert_memory_equal(f.field[1].buf, "name", 4);
	assert_true(frame_has(&f, 2));
	assert_true(frame_u32(&f, 5, &d));
	assert_int_equal(d, 0xdeadbeef);
	assert_true(frame_u64(&f, 63, &q));
	assert_true(q == 0x1122334455667788);
	/* The same buffer again: nothing of the first frame is left. */
	frame_begin(&b, 8);
	assert_int_equal(frame_send(&b, fd[1], &e), 0);
	assert_int_equal(read(fd[0], got, sizeof(got)), FRAME_HEADER);
	assert_memory_equal(got, "\0\0\0\0\x08", 5);
	close(fd[0]);
	close(fd[1]);
	buf_release(&b);
}

static void
send_says_why_it_failed(void **state)
{
	static uint8_t big[LIMIT_FRAME];
	struct err e = ERR_INIT;
	struct buf b;
	int fd;

	(void)state;
	fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
	assert_true(fd >= 0);
	buf_init(&b, 2 * LIMIT_FRAME);
	frame_begin(&b, 1);
	assert_int_equal(frame_send(&b, fd, &e), ERR_IO);
	assert_int_equal(e.sys, EBADF);
	err_reset(&e);
	frame_put(&b, 1, big, LIMIT_FRAME - FRAME_FIELD + 1);
	assert_int_equal(frame_send(&b, fd, &e), ERR_LIMIT);
	assert_int_equal(e.code, ERR_LIMIT);
	err_reset(&e);
	frame_put(&b, 2, big, LIMIT_FRAME + 1);
	frame_put(&b, 3, big, 1);
	assert_int_equal(frame_send(&b, fd, &e), ERR_LIMIT);
	close(fd);
	buf_release(&b);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(size_comes_with_the_limit),
	    cmocka_unit_test(fields_must_tile_the_body),
	    cmocka_unit_test(tags_must_ascend_from_1_to_63),
	    cmocka_unit_test(body_over_the_limit_is_refused),
	    cmocka_unit_test(parse_gives_the_fields),
	    cmocka_unit_test(what_is_sent_is_what_is_parsed),
	    cmocka_unit_test(send_says_why_it_failed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
