#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <setjmp.h>

#include <cmocka.h>

#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/bytesrc.h"
#include "base/err.h"
#include "base/limits.h"
#include "base/reader.h"

#define SIZE 5000

static const size_t windows[] = {1, 2, 3, 7, 4096, 0};
#define WINDOWS (sizeof(windows) / sizeof(windows[0]))

static uint8_t data[SIZE];
static struct arena *arena;
static struct bytesrc *mem;

static int
setup(void **state)
{
	(void)state;
	for (size_t i = 0; i < SIZE; i++)
		data[i] = (uint8_t)(i * 7 + i / 256);
	arena = arena_new(64 * MIB);
	mem = bytesrc_mem(data, SIZE, NULL);
	return arena != NULL && mem != NULL ? 0 : -1;
}

static int
teardown(void **state)
{
	(void)state;
	bytesrc_free(mem);
	arena_free(arena);
	return 0;
}

static uint32_t
next_random(uint32_t *seed)
{
	*seed = *seed * 1664525U + 1013904223U;
	return *seed >> 8;
}

static uint64_t
number_at(uint64_t off, unsigned n, bool big)
{
	uint64_t v = 0;

	for (unsigned i = 0; i < n; i++)
		v = v << 8 | data[big ? off + i : off + n - 1 - i];
	return v;
}

/* One integer of ${kind}, checked against the bytes themselves. */
static void
check_number(struct reader *r, unsigned kind, uint64_t off, uint64_t end)
{
	static const unsigned sizes[] = {1, 2, 4, 8, 4, 8};
	const uint64_t unset = 0xa5a5a5a5a5a5a5a5;
	unsigned n = sizes[kind];
	uint64_t v = unset;
	uint32_t v4 = (uint32_t)unset;
	uint16_t v2 = (uint16_t)unset;
	uint8_t v1 = (uint8_t)unset;
	bool there = n <= end - off;
	int rc;

	rc = kind == 0 ? reader_u8(r, &v1, NULL) :
	    kind == 1  ? reader_u16le(r, &v2, NULL) :
	    kind == 2  ? reader_u32le(r, &v4, NULL) :
	    kind == 3  ? reader_u64le(r, &v, NULL) :
	    kind == 4  ? reader_u32be(r, &v4, NULL) :
			 reader_u64be(r, &v, NULL);
	v = n == 1 ? v1 : n == 2 ? v2 : n == 4 ? v4 : v;
	assert_int_equal(rc, there ? 0 : ERR_TRUNC);
	assert_int_equal(v, there ? number_at(off, n, kind > 3) :
	    unset >> (64 - 8 * n));
	assert_int_equal(reader_tell(r), there ? off + n : off);
}

static void
check_bytes(struct reader *r, unsigned kind, uint64_t off, uint64_t n,
    uint64_t end)
{
	static uint8_t got[SIZE];
	const uint8_t *p = NULL;
	bool there = n <= end - off;
	int rc;

	memset(got, 0, sizeof(got));
	rc = kind == 0 ? reader_copy(r, got, n, NULL) :
	    kind == 1  ? reader_bytes(r, n, arena, &p, NULL) :
			 reader_skip(r, n, NULL);
	assert_int_equal(rc, there ? 0 : ERR_TRUNC);
	assert_int_equal(reader_tell(r), there ? off + n : off);
	assert_int_equal(reader_left(r), end - reader_tell(r));
	if (kind == 0 && there)
		assert_memory_equal(got, data + off, n);
	if (kind == 0 && !there)
		assert_int_equal(got[0], 0);
	if (kind == 1 && there) {
		assert_memory_equal(p, data + off, n);
		assert_int_equal(p[n], 0);
	}
}

static void
check_line(struct reader *r, uint8_t stop, size_t max, uint64_t off,
    uint64_t end)
{
	const uint8_t *hit = memchr(data + off, stop, end - off);
	size_t len = hit != NULL ? (size_t)(hit - (data + off)) : end - off;
	int want = len > max ? ERR_LIMIT : hit == NULL ? ERR_TRUNC : 0;
	const uint8_t *p = NULL;
	size_t n = 99;

	assert_int_equal(reader_line(r, stop, max, arena, &p, &n, NULL),
	    want);
	assert_int_equal(reader_tell(r), want == 0 ? off + len + 1 : off);
	if (want == 0) {
		assert_int_equal(n, len);
		assert_memory_equal(p, data + off, len);
		assert_int_equal(p[len], 0);
	} else {
		assert_null(p);
		assert_int_equal(n, 99);
	}
}

static void
check_peek_and_seek(struct reader *r, uint64_t off, uint64_t to, uint64_t end)
{
	uint8_t c = 0;
	int rc = reader_peek_u8(r, &c, NULL);

	assert_int_equal(rc, off < end ? 0 : ERR_TRUNC);
	if (off < end)
		assert_int_equal(c, data[off]);
	assert_int_equal(reader_tell(r), off);
	rc = reader_seek(r, to, NULL);
	assert_int_equal(rc, to <= end ? 0 : ERR_TRUNC);
	assert_int_equal(reader_tell(r), to <= end ? to : off);
}

/*
 * Thousands of reads of every kind, near and across the end, compared with
 * the bytes: what comes never depends on the window.
 */
static void
every_read_agrees_with_the_bytes_at_every_window(void **state)
{
	struct reader r;
	uint64_t off;
	uint32_t x, seed;

	(void)state;
	for (size_t w = 0; w < WINDOWS; w++) {
		seed = 12345;
		assert_int_equal(reader_init(&r, mem, 11, windows[w], arena,
		    NULL), 0);
		for (unsigned i = 0; i < 20000; i++) {
			off = reader_tell(&r);
			x = next_random(&seed);
			switch (x % 16) {
			case 6:
			case 7:
			case 8:
				check_bytes(&r, x % 16 - 6, off,
				    next_random(&seed) % 40, SIZE);
				break;
			case 9:
				check_bytes(&r, 0, off,
				    next_random(&seed) % SIZE, SIZE);
				break;
			case 10:
				check_line(&r, (uint8_t)next_random(&seed),
				    next_random(&seed) % 400, off, SIZE);
				break;
			case 11:
				check_peek_and_seek(&r, off,
				    next_random(&seed) % (SIZE + 20), SIZE);
				break;
			default:
				check_number(&r, x % 6, off, SIZE);
			}
		}
	}
}

static void
end_of_the_reader_may_come_before_that_of_the_source(void **state)
{
	struct reader r;
	uint64_t off;

	(void)state;
	for (size_t w = 0; w < WINDOWS; w++) {
		assert_int_equal(reader_init(&r, mem, 0, windows[w], arena,
		    NULL), 0);
		r.end = 21;
		for (unsigned kind = 0; kind < 6; kind++) {
			off = 17 + kind;
			if (off > 21)
				off = 21;
			assert_int_equal(reader_seek(&r, off, NULL), 0);
			check_number(&r, kind, off, 21);
			off = reader_tell(&r);
			check_line(&r, 0, 100, off, 21);
			check_peek_and_seek(&r, off, 22, 21);
		}
	}
}

static void
start_must_lie_inside_the_source(void **state)
{
	struct err e = ERR_INIT;
	struct reader r;

	(void)state;
	assert_int_equal(reader_init(&r, mem, SIZE + 1, 7, arena, &e),
	    ERR_TRUNC);
	assert_int_equal(e.code, ERR_TRUNC);
	assert_int_equal(reader_init(&r, mem, UINT64_MAX, 7, arena, NULL),
	    ERR_TRUNC);
	assert_int_equal(reader_init(&r, mem, SIZE, 7, arena, NULL), 0);
	assert_int_equal(reader_left(&r), 0);
	err_reset(&e);
	assert_int_equal(reader_fill(&r, &e), ERR_TRUNC);
	assert_int_equal(e.off, SIZE);
}

/* The source claims a mebibyte, its file has 100 bytes. */
static void
skip_and_seek_read_nothing(void **state)
{
	struct bytesrc *s;
	struct reader r;
	uint8_t c;
	int fd;

	(void)state;
	assert_true((fd = memfd_create("short", MFD_CLOEXEC)) >= 0);
	assert_int_equal(write(fd, data, 100), 100);
	assert_non_null(s = bytesrc_fd(fd, 0, MIB, NULL));
	assert_int_equal(reader_init(&r, s, 0, 4, arena, NULL), 0);
	assert_int_equal(reader_u8(&r, &c, NULL), 0);
	assert_int_equal(reader_skip(&r, 900000, NULL), 0);
	assert_int_equal(reader_tell(&r), 900001);
	assert_int_equal(reader_u8(&r, &c, NULL), ERR_TRUNC);
	assert_int_equal(reader_tell(&r), 900001);
	assert_int_equal(reader_skip(&r, UINT64_MAX, NULL), ERR_TRUNC);
	assert_int_equal(reader_tell(&r), 900001);
	assert_int_equal(reader_seek(&r, 5, NULL), 0);
	assert_int_equal(reader_u8(&r, &c, NULL), 0);
	assert_int_equal(c, data[5]);
	bytesrc_free(s);
	(void)close(fd);
}

/* A refill that gets a part of its bytes must not leave them in the window. */
static void
failed_read_keeps_what_was_in_the_window(void **state)
{
	struct bytesrc *s;
	struct reader r;
	uint8_t head[6], c;
	uint32_t v = 1;
	int fd;

	(void)state;
	assert_true((fd = memfd_create("shrinks", MFD_CLOEXEC)) >= 0);
	assert_int_equal(write(fd, data, 16), 16);
	assert_non_null(s = bytesrc_fd(fd, 0, 16, NULL));
	assert_int_equal(reader_init(&r, s, 0, 8, arena, NULL), 0);
	assert_int_equal(reader_copy(&r, head, 6, NULL), 0);
	assert_int_equal(ftruncate(fd, 15), 0);
	assert_int_equal(reader_u32le(&r, &v, NULL), ERR_TRUNC);
	assert_int_equal(v, 1);
	assert_int_equal(reader_tell(&r), 6);
	assert_int_equal(reader_u8(&r, &c, NULL), 0);
	assert_int_equal(c, data[6]);
	assert_int_equal(reader_u8(&r, &c, NULL), 0);
	assert_int_equal(c, data[7]);
	assert_int_equal(reader_tell(&r), 8);
	bytesrc_free(s);
	(void)close(fd);
}

static void
length_is_compared_before_anything_is_allocated(void **state)
{
	struct arena *small = arena_new(4096);
	const uint8_t *p = NULL;
	struct reader r;
	size_t used;

	(void)state;
	assert_non_null(small);
	assert_int_equal(reader_init(&r, mem, 0, 16, small, NULL), 0);
	used = arena_used(small);
	assert_int_equal(reader_bytes(&r, SIZE + 1, small, &p, NULL),
	    ERR_TRUNC);
	assert_int_equal(reader_bytes(&r, UINT64_MAX, small, &p, NULL),
	    ERR_TRUNC);
	assert_int_equal(arena_used(small), used);
	assert_int_equal(reader_bytes(&r, SIZE, small, &p, NULL), ERR_NOMEM);
	assert_null(p);
	assert_int_equal(reader_tell(&r), 0);
	assert_int_equal(reader_init(&r, mem, 0, 5000, small, NULL),
	    ERR_NOMEM);
	arena_free(small);
}

static void
line_ends_where_it_must(void **state)
{
	static const char text[] = "one\n\nthree\nend";
	struct bytesrc *s;
	const uint8_t *p;
	struct reader r;
	size_t n;

	(void)state;
	assert_non_null(s = bytesrc_mem(text, sizeof(text) - 1, NULL));
	for (size_t w = 0; w < WINDOWS; w++) {
		assert_int_equal(reader_init(&r, s, 0, windows[w], arena,
		    NULL), 0);
		assert_int_equal(reader_line(&r, '\n', 2, arena, &p, &n,
		    NULL), ERR_LIMIT);
		assert_int_equal(reader_line(&r, '\n', 3, arena, &p, &n,
		    NULL), 0);
		assert_string_equal(p, "one");
		assert_int_equal(reader_line(&r, '\n', 0, arena, &p, &n,
		    NULL), 0);
		assert_string_equal(p, "");
		assert_int_equal(n, 0);
		assert_int_equal(reader_line(&r, '\n', 99, arena, &p, &n,
		    NULL), 0);
		assert_string_equal(p, "three");
		assert_int_equal(reader_line(&r, '\n', 99, arena, &p, &n,
		    NULL), ERR_TRUNC);
		assert_int_equal(reader_left(&r), 3);
	}
	bytesrc_free(s);
}

static void
empty_copy_asks_for_nothing(void **state)
{
	struct reader r;

	(void)state;
	assert_int_equal(reader_init(&r, mem, 0, 4, arena, NULL), 0);
	assert_int_equal(reader_copy(&r, NULL, 0, NULL), 0);
	assert_int_equal(reader_seek(&r, SIZE, NULL), 0);
	assert_int_equal(reader_copy(&r, NULL, 0, NULL), 0);
	assert_int_equal(reader_skip(&r, 0, NULL), 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(every_read_agrees_with_the_bytes_at_every_window),
	    cmocka_unit_test(
		end_of_the_reader_may_come_before_that_of_the_source),
	    cmocka_unit_test(start_must_lie_inside_the_source),
	    cmocka_unit_test(skip_and_seek_read_nothing),
	    cmocka_unit_test(failed_read_keeps_what_was_in_the_window),
	    cmocka_unit_test(length_is_compared_before_anything_is_allocated),
	    cmocka_unit_test(line_ends_where_it_must),
	    cmocka_unit_test(empty_copy_asks_for_nothing),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
