#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <setjmp.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/bytesrc.h"
#include "base/err.h"

#define FILE_SIZE 1000

/* A file whose byte at i is i mod 251. */
static int
make_file(void)
{
	uint8_t data[FILE_SIZE];
	int fd;

	for (size_t i = 0; i < sizeof(data); i++)
		data[i] = (uint8_t)(i % 251);
	assert_true((fd = memfd_create("bytes", MFD_CLOEXEC)) >= 0);
	assert_int_equal(write(fd, data, sizeof(data)), sizeof(data));
	return fd;
}

static void
file_and_memory_give_their_bytes(void **state)
{
	struct bytesrc *f, *m;
	struct err e = ERR_INIT;
	uint8_t a[7], b[7];
	int fd = make_file();

	(void)state;
	assert_non_null(f = bytesrc_fd(fd, 100, 500, &e));
	assert_int_equal(bytesrc_size(f), 500);
	assert_int_equal(bytesrc_read(f, 493, a, 7, &e), 0);
	for (size_t i = 0; i < 7; i++)
		assert_int_equal(a[i], (593 + i) % 251);
	assert_non_null(m = bytesrc_mem(a, sizeof(a), &e));
	assert_int_equal(bytesrc_size(m), 7);
	assert_int_equal(bytesrc_read(m, 0, b, 7, &e), 0);
	assert_memory_equal(a, b, 7);
	assert_int_equal(e.code, ERR_OK);
	bytesrc_free(m);
	bytesrc_free(f);
	bytesrc_free(NULL);
	(void)close(fd);
}

static void
refuses_at(const struct bytesrc *s, uint64_t off, size_t n)
{
	uint8_t dst[8], same[8];
	struct err e = ERR_INIT;

	memset(dst, 0xaa, sizeof(dst));
	memset(same, 0xaa, sizeof(same));
	assert_int_equal(bytesrc_read(s, off, dst, n, &e), ERR_TRUNC);
	assert_int_equal(e.code, ERR_TRUNC);
	assert_int_equal(e.off, off);
	assert_memory_equal(dst, same, sizeof(dst));
	assert_int_equal(bytesrc_read(s, off, dst, n, NULL), ERR_TRUNC);
}

static void
nothing_is_read_past_the_end(void **state)
{
	static const uint8_t data[16] = {1};
	struct bytesrc *s[3];
	int fd = make_file();

	(void)state;
	s[0] = bytesrc_mem(data, 10, NULL);
	s[1] = bytesrc_fd(fd, 3, 10, NULL);
	s[2] = bytesrc_range(s[1], 0, 10, NULL);
	for (size_t i = 0; i < 3; i++) {
		assert_non_null(s[i]);
		refuses_at(s[i], 10, 1);
		refuses_at(s[i], 9, 2);
		refuses_at(s[i], 3, 8);
		refuses_at(s[i], 11, 0);
		refuses_at(s[i], UINT64_MAX, 1);
		refuses_at(s[i], UINT64_MAX - 6, 8);
		refuses_at(s[i], 5, SIZE_MAX);
		assert_int_equal(bytesrc_read(s[i], 10, NULL, 0, NULL), 0);
	}
	for (size_t i = 3; i-- > 0;)
		bytesrc_free(s[i]);
	(void)close(fd);
}

static void
range_must_lie_inside_its_parent(void **state)
{
	static const uint8_t data[10] = {0};
	static const uint64_t bad[][2] = {{0, 11}, {10, 1}, {11, 0}, {5, 6},
	    {UINT64_MAX, 1}, {1, UINT64_MAX}, {UINT64_MAX, UINT64_MAX}};
	struct bytesrc *m, *r;

	(void)state;
	assert_non_null(m = bytesrc_mem(data, sizeof(data), NULL));
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct err e = ERR_INIT;

		assert_null(bytesrc_range(m, bad[i][0], bad[i][1], &e));
		assert_int_equal(e.code, ERR_TRUNC);
	}
	/* A child is no way around: its own end counts, not its parent's. */
	assert_non_null(r = bytesrc_range(m, 2, 3, NULL));
	assert_null(bytesrc_range(r, 0, 4, NULL));
	assert_null(bytesrc_range(r, 3, 1, NULL));
	bytesrc_free(r);
	assert_non_null(r = bytesrc_range(m, 10, 0, NULL));
	assert_int_equal(bytesrc_size(r), 0);
	bytesrc_free(r);
	bytesrc_free(m);
}

static void
nested_ranges_read_the_right_place(void **state)
{
	struct bytesrc *s[20];
	uint64_t at = 0;
	uint8_t c;
	int fd = make_file();

	(void)state;
	assert_non_null(s[0] = bytesrc_fd(fd, 50, 900, NULL));
	for (size_t i = 1; i < 20; i++) {
		assert_non_null(s[i] = bytesrc_range(s[i - 1], i,
		    bytesrc_size(s[i - 1]) - 2 * i, NULL));
		at += i;
		assert_int_equal(bytesrc_read(s[i], 3, &c, 1, NULL), 0);
		assert_int_equal(c, (50 + at + 3) % 251);
		refuses_at(s[i], bytesrc_size(s[i]) - 1, 2);
	}
	for (size_t i = 20; i-- > 0;)
		bytesrc_free(s[i]);
	(void)close(fd);
}

static void
origin_is_the_place_in_the_outermost_file(void **state)
{
	static const uint8_t data[10] = {0};
	struct bytesrc *f, *r, *m, *mr;
	uint64_t off = 77;
	int fd = make_file();

	(void)state;
	assert_non_null(f = bytesrc_fd(fd, 100, 500, NULL));
	assert_non_null(r = bytesrc_range(f, 20, 30, NULL));
	assert_int_equal(bytesrc_origin(r, 5, &off), 1);
	assert_int_equal(off, 125);
	assert_int_equal(bytesrc_origin(r, 30, &off), 1);
	assert_int_equal(off, 150);
	off = 77;
	assert_int_equal(bytesrc_origin(r, 31, &off), 0);
	assert_int_equal(bytesrc_origin(r, UINT64_MAX, &off), 0);
	assert_non_null(m = bytesrc_mem(data, sizeof(data), NULL));
	assert_non_null(mr = bytesrc_range(m, 1, 5, NULL));
	assert_int_equal(bytesrc_origin(m, 0, &off), 0);
	assert_int_equal(bytesrc_origin(mr, 0, &off), 0);
	assert_int_equal(off, 77);
	bytesrc_free(mr);
	bytesrc_free(m);
	bytesrc_free(r);
	bytesrc_free(f);
	(void)close(fd);
}

static void
shrunken_file_is_an_error_and_never_zeros(void **state)
{
	struct err e = ERR_INIT;
	struct bytesrc *f;
	uint8_t dst[32];
	size_t got = 99;
	int fd = make_file();

	(void)state;
	assert_non_null(f = bytesrc_fd(fd, 0, FILE_SIZE, NULL));
	assert_int_equal(ftruncate(fd, 500), 0);
	assert_int_equal(bytesrc_read(f, 490, dst, 10, &e), 0);
	assert_int_equal(bytesrc_read(f, 490, dst, 20, &e), ERR_TRUNC);
	assert_int_equal(e.off, 500);
	err_reset(&e);
	assert_int_equal(bytesrc_read(f, 900, dst, 1, &e), ERR_TRUNC);
	err_reset(&e);
	assert_int_equal(bytesrc_read_some(f, 490, dst, 20, &got, &e),
	    ERR_TRUNC);
	assert_int_equal(got, 99);
	bytesrc_free(f);
	(void)close(fd);
}

static void
read_some_is_short_at_the_end_only(void **state)
{
	struct bytesrc *f;
	uint8_t dst[600];
	size_t got;
	int fd = make_file();

	(void)state;
	assert_non_null(f = bytesrc_fd(fd, 0, 500, NULL));
	assert_int_equal(bytesrc_read_some(f, 0, dst, 600, &got, NULL), 0);
	assert_int_equal(got, 500);
	assert_int_equal(bytesrc_read_some(f, 499, dst, 600, &got, NULL), 0);
	assert_int_equal(got, 1);
	assert_int_equal(dst[0], 499 % 251);
	assert_int_equal(bytesrc_read_some(f, 10, dst, 20, &got, NULL), 0);
	assert_int_equal(got, 20);
	assert_int_equal(bytesrc_read_some(f, 500, dst, 20, &got, NULL), 0);
	assert_int_equal(got, 0);
	got = 1;
	assert_int_equal(bytesrc_read_some(f, UINT64_MAX, dst, 20, &got,
	    NULL), 0);
	assert_int_equal(got, 0);
	bytesrc_free(f);
	(void)close(fd);
}

static void
failing_read_says_why(void **state)
{
	struct err e = ERR_INIT;
	struct bytesrc *f;
	uint8_t c = 0xaa;
	size_t got = 99;
	int fd;

	(void)state;
	assert_true((fd = open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC)) >=
	    0);
	assert_non_null(f = bytesrc_fd(fd, 0, 10, NULL));
	assert_int_equal(bytesrc_read(f, 0, &c, 1, &e), ERR_IO);
	assert_int_equal(e.sys, EISDIR);
	assert_int_equal(bytesrc_read_some(f, 0, &c, 1, &got, NULL), ERR_IO);
	assert_int_equal(got, 99);
	assert_int_equal(c, 0xaa);
	bytesrc_free(f);
	(void)close(fd);
}

static void
offset_beyond_what_pread_takes_is_refused(void **state)
{
	struct err e = ERR_INIT;
	struct bytesrc *f;

	(void)state;
	assert_null(bytesrc_fd(0, INT64_MAX, 1, &e));
	assert_int_equal(e.code, ERR_LIMIT);
	assert_null(bytesrc_fd(0, 1, UINT64_MAX, NULL));
	assert_null(bytesrc_fd(0, UINT64_MAX, 0, NULL));
	assert_non_null(f = bytesrc_fd(0, INT64_MAX - 1, 1, NULL));
	bytesrc_free(f);
}

/* ${n} bytes, each its place modulo 251, from a process that writes them. */
static int
pipe_of(size_t n, pid_t *pid)
{
	int fds[2];

	assert_int_equal(pipe(fds), 0);
	assert_true((*pid = fork()) >= 0);
	if (*pid == 0) {
		for (size_t i = 0; i < n; i++) {
			uint8_t b = (uint8_t)(i % 251);

			if (write(fds[1], &b, 1) != 1)
				_exit(1);
		}
		_exit(0);
	}
	(void)close(fds[1]);
	return fds[0];
}

static void
has_places(const uint8_t *p, size_t n, uint64_t off)
{
	for (size_t i = 0; i < n; i++)
		assert_int_equal(p[i], (off + i) % 251);
}

static void
stream_is_read_forward_and_a_little_back(void **state)
{
	const size_t total = 400000;
	static uint8_t got[200000];
	struct bytesrc *s;
	size_t n = 0;
	pid_t pid;
	int fd = pipe_of(total, &pid);

	(void)state;
	assert_non_null(s = bytesrc_stream(fd, NULL));
	assert_int_equal(bytesrc_size(s), BYTESRC_ENDLESS);
	assert_int_equal(bytesrc_read(s, 0, got, 512, NULL), 0);
	has_places(got, 512, 0);
	/* Beyond what is kept at once, and then back by what is promised. */
	assert_int_equal(bytesrc_read(s, 512, got, 150000, NULL), 0);
	has_places(got, 150000, 512);
	assert_int_equal(bytesrc_read(s, 150512 - BYTESRC_KEPT, got,
	    BYTESRC_KEPT, NULL), 0);
	has_places(got, BYTESRC_KEPT, 150512 - BYTESRC_KEPT);
	assert_int_equal(bytesrc_read(s, 0, got, 1, NULL), ERR_UNSUPPORTED);
	/* Over a gap, to the end. */
	assert_int_equal(bytesrc_read_some(s, total - 5, got, 100, &n, NULL),
	    0);
	assert_int_equal(n, 5);
	has_places(got, 5, total - 5);
	assert_int_equal(bytesrc_read(s, total - 5, got, 6, NULL), ERR_TRUNC);
	assert_int_equal(bytesrc_read_some(s, total + 9, got, 1, &n, NULL), 0);
	assert_int_equal(n, 0);
	assert_null(bytesrc_range(s, 0, 1, NULL));
	bytesrc_free(s);
	(void)close(fd);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
}

struct maker {
	unsigned reads, done;
	int fails;
};

/* The byte at off is off mod 251. */
static int
make_bytes(void *ctx, uint64_t off, void *dst, size_t n, struct err *e)
{
	struct maker *m = ctx;
	uint8_t *p = dst;

	m->reads++;
	for (size_t i = 0; i < n; i++)
		p[i] = (uint8_t)((off + i) % 251);
	return m->fails == 0 ? 0 : err_set(e, ERR_FORMAT, "broken");
}

static void
make_no_more(void *ctx)
{
	((struct maker *)ctx)->done++;
}

static void
bytes_are_made_when_asked_for(void **state)
{
	struct maker m = {0};
	struct bytesrc *s, *sub, *subsub;
	uint8_t b[4];
	size_t got;

	(void)state;
	s = bytesrc_call(make_bytes, make_no_more, &m, 1000, NULL);
	assert_non_null(s);
	assert_int_equal(bytesrc_size(s), 1000);
	assert_int_equal(bytesrc_file(s), -1);
	assert_non_null(sub = bytesrc_range(s, 100, 800, NULL));
	assert_non_null(subsub = bytesrc_range(sub, 50, 4, NULL));
	assert_int_equal(bytesrc_read(subsub, 1, b, 3, NULL), 0);
	assert_memory_equal(b, ((uint8_t[]){151, 152, 153}), 3);
	assert_int_equal(bytesrc_read_some(s, 998, b, 4, &got, NULL), 0);
	assert_int_equal(got, 2);
	assert_int_equal(m.reads, 2);
	/* What lies outside is never asked for. */
	assert_int_equal(bytesrc_read(s, 998, b, 3, NULL), ERR_TRUNC);
	assert_int_equal(m.reads, 2);
	m.fails = 1;
	assert_int_equal(bytesrc_read(s, 0, b, 1, NULL), ERR_FORMAT);
	bytesrc_free(subsub);
	bytesrc_free(sub);
	assert_int_equal(m.done, 0);
	bytesrc_free(s);
	assert_int_equal(m.done, 1);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(file_and_memory_give_their_bytes),
	    cmocka_unit_test(nothing_is_read_past_the_end),
	    cmocka_unit_test(range_must_lie_inside_its_parent),
	    cmocka_unit_test(nested_ranges_read_the_right_place),
	    cmocka_unit_test(origin_is_the_place_in_the_outermost_file),
	    cmocka_unit_test(shrunken_file_is_an_error_and_never_zeros),
	    cmocka_unit_test(read_some_is_short_at_the_end_only),
	    cmocka_unit_test(failing_read_says_why),
	    cmocka_unit_test(bytes_are_made_when_asked_for),
	    cmocka_unit_test(offset_beyond_what_pread_takes_is_refused),
	    cmocka_unit_test(stream_is_read_forward_and_a_little_back),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
