#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <setjmp.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "base/cursor.h"

/*
 * The bytes stand in a block of the heap of exactly their size, so that a
 * read one byte too far ends the test.
 */
static uint8_t *
exact(const void *p, size_t n)
{
	uint8_t *copy = malloc(n == 0 ? 1 : n);

	assert_non_null(copy);
	memcpy(copy, p, n);
	return copy;
}

static const uint8_t count8[] = {0x81, 0x82, 0x83, 0x84, 0x85, 0x86, 0x87,
    0x88};

static void
integers_have_the_stated_order(void **state)
{
	struct cursor c;
	uint8_t a;
	uint16_t b;
	uint32_t d;
	uint64_t e;

	(void)state;
	cursor_init(&c, count8, 8, 100);
	assert_true(cursor_u8(&c, &a));
	assert_int_equal(a, 0x81);
	assert_int_equal(cursor_tell(&c), 101);
	assert_int_equal(cursor_left(&c), 7);
	assert_true(cursor_u16le(&c, &b));
	assert_int_equal(b, 0x8382);
	assert_true(cursor_u32le(&c, &d));
	assert_int_equal(d, 0x87868584);
	assert_false(cursor_at_end(&c));
	assert_true(cursor_seek(&c, 0));
	assert_true(cursor_u64le(&c, &e));
	assert_true(e == 0x8887868584838281);
	assert_true(cursor_at_end(&c));
	assert_int_equal(cursor_tell(&c), 108);
	assert_true(cursor_seek(&c, 0));
	assert_true(cursor_u16be(&c, &b));
	assert_int_equal(b, 0x8182);
	assert_true(cursor_u32be(&c, &d));
	assert_int_equal(d, 0x83848586);
	assert_true(cursor_seek(&c, 0));
	assert_true(cursor_u64be(&c, &e));
	assert_true(e == 0x8182838485868788);
}

/* One call of each kind at the given place; which of them read. */
static unsigned
read_all(const struct cursor *at)
{
	unsigned done = 0;
	uint8_t a = 0x11;
	uint16_t b = 0x1111, bb = 0x1111;
	uint32_t d = 0x11111111, dd = 0x11111111;
	uint64_t e = 0x1111, ee = 0x1111;
	struct cursor c[7];
	size_t i;

	for (i = 0; i < 7; i++)
		c[i] = *at;
	done |= cursor_u8(&c[0], &a) ? 1U : 0;
	done |= cursor_u16le(&c[1], &b) ? 2U : 0;
	done |= cursor_u16be(&c[2], &bb) ? 4U : 0;
	done |= cursor_u32le(&c[3], &d) ? 8U : 0;
	done |= cursor_u32be(&c[4], &dd) ? 16U : 0;
	done |= cursor_u64le(&c[5], &e) ? 32U : 0;
	done |= cursor_u64be(&c[6], &ee) ? 64U : 0;
	for (i = 0; i < 7; i++)
		if ((done & (1U << i)) == 0)
			assert_memory_equal(&c[i], at, sizeof(*at));
	assert_true(a == 0x11 || (done & 1) != 0);
	assert_true(b == 0x1111 || (done & 2) != 0);
	assert_true(bb == 0x1111 || (done & 4) != 0);
	assert_true(d == 0x11111111 || (done & 8) != 0);
	assert_true(dd == 0x11111111 || (done & 16) != 0);
	assert_true(e == 0x1111 || (done & 32) != 0);
	assert_true(ee == 0x1111 || (done & 64) != 0);
	return done;
}

static void
short_read_moves_nothing(void **state)
{
	static const unsigned want[] = {0, 1, 7, 7, 31, 31, 31, 31, 127};
	struct cursor c;
	uint8_t *p;
	size_t n;

	(void)state;
	for (n = 0; n <= 8; n++) {
		p = exact(count8, n);
		memset(&c, 0, sizeof(c));
		cursor_init(&c, p, n, 0);
		assert_int_equal(read_all(&c), want[n]);
		free(p);
		/* The same with the bytes at the end of more. */
		p = exact(count8, 8);
		cursor_init(&c, p, 8, 0);
		assert_true(cursor_skip(&c, 8 - n));
		assert_int_equal(read_all(&c), want[n]);
		free(p);
	}
}

static void
huge_lengths_do_not_wrap(void **state)
{
	struct cursor c, child, before;
	uint8_t byte = 9;

	(void)state;
	memset(&c, 0, sizeof(c));
	cursor_init(&c, count8, 8, 0);
	assert_true(cursor_skip(&c, 3));
	before = c;
	child = c;
	assert_false(cursor_skip(&c, UINT64_MAX));
	assert_false(cursor_skip(&c, UINT64_MAX - 2));
	assert_false(cursor_skip(&c, 6));
	assert_false(cursor_seek(&c, 9));
	assert_false(cursor_seek(&c, UINT64_MAX));
	assert_false(cursor_sub(&c, UINT64_MAX - 2, &child));
	assert_false(cursor_sub(&c, 6, &child));
	assert_false(cursor_peek(&c, SIZE_MAX, &byte));
	assert_false(cursor_peek(&c, SIZE_MAX - 2, &byte));
	assert_false(cursor_peek(&c, 5, &byte));
	assert_false(cursor_copy(&c, &byte, SIZE_MAX));
	assert_false(cursor_match(&c, &byte, SIZE_MAX - 2));
	assert_memory_equal(&c, &before, sizeof(c));
	assert_memory_equal(&child, &before, sizeof(c));
	assert_int_equal(byte, 9);
	assert_true(cursor_peek(&c, 4, &byte));
	assert_int_equal(byte, 0x88);
	assert_memory_equal(&c, &before, sizeof(c));
	assert_true(cursor_seek(&c, 8));
	assert_true(cursor_at_end(&c));
}

static void
empty_cursor_may_have_no_bytes(void **state)
{
	struct cursor c, child;
	uint8_t byte;

	(void)state;
	cursor_init(&c, NULL, 0, 5);
	assert_true(cursor_at_end(&c));
	assert_true(cursor_skip(&c, 0));
	assert_true(cursor_copy(&c, &byte, 0));
	assert_true(cursor_match(&c, &byte, 0));
	assert_true(cursor_sub(&c, 0, &child));
	assert_true(cursor_at_end(&child));
	assert_false(cursor_line(&c, '\n', &child));
	assert_int_equal(cursor_tell(&child), 5);
}

static void
child_cannot_look_outside(void **state)
{
	struct cursor c, child, grandchild;
	uint8_t byte;
	uint32_t d;

	(void)state;
	cursor_init(&c, count8, 8, 1000);
	assert_true(cursor_skip(&c, 2));
	assert_true(cursor_sub(&c, 3, &child));
	assert_int_equal(cursor_tell(&c), 1005);
	assert_int_equal(cursor_tell(&child), 1002);
	assert_int_equal(cursor_left(&child), 3);
	assert_false(cursor_u32le(&child, &d));
	assert_false(cursor_peek(&child, 3, &byte));
	assert_false(cursor_sub(&child, 4, &grandchild));
	assert_false(cursor_seek(&child, 4));
	assert_true(cursor_skip(&child, 1));
	assert_true(cursor_sub(&child, 2, &grandchild));
	assert_int_equal(cursor_tell(&grandchild), 1003);
	assert_true(cursor_u8(&grandchild, &byte));
	assert_int_equal(byte, 0x84);
	assert_true(cursor_at_end(&child));
	assert_int_equal(cursor_left(&c), 3);
}

static void
copy_takes_exactly_n(void **state)
{
	struct cursor c;
	uint8_t dst[5] = {1, 1, 1, 1, 1};

	(void)state;
	cursor_init(&c, count8, 8, 0);
	assert_true(cursor_skip(&c, 1));
	assert_true(cursor_copy(&c, dst, 4));
	assert_memory_equal(dst, count8 + 1, 4);
	assert_int_equal(dst[4], 1);
	assert_int_equal(cursor_left(&c), 3);
	assert_false(cursor_copy(&c, dst, 4));
	assert_memory_equal(dst, count8 + 1, 4);
	assert_int_equal(cursor_left(&c), 3);
}

static void
line_ends_before_the_stop_byte(void **state)
{
	const uint8_t text[] = {'a', 'b', '\n', '\n', 'c'};
	uint8_t *p = exact(text, sizeof(text));
	struct cursor c, line, before;

	(void)state;
	memset(&c, 0, sizeof(c));
	cursor_init(&c, p, sizeof(text), 50);
	assert_true(cursor_line(&c, '\n', &line));
	assert_int_equal(cursor_left(&line), 2);
	assert_int_equal(cursor_tell(&line), 50);
	assert_true(cursor_match(&line, (const uint8_t *)"ab", 2));
	assert_int_equal(cursor_tell(&c), 53);
	assert_true(cursor_line(&c, '\n', &line));
	assert_int_equal(cursor_left(&line), 0);
	assert_int_equal(cursor_tell(&line), 53);
	before = c;
	assert_false(cursor_line(&c, '\n', &line));
	assert_memory_equal(&c, &before, sizeof(c));
	assert_int_equal(cursor_tell(&line), 53);
	free(p);
}

static void
match_moves_only_past_the_same_bytes(void **state)
{
	struct cursor c;

	(void)state;
	cursor_init(&c, count8, 8, 0);
	assert_false(cursor_match(&c, count8 + 1, 2));
	assert_int_equal(cursor_left(&c), 8);
	assert_true(cursor_match(&c, count8, 3));
	assert_int_equal(cursor_left(&c), 5);
	/* The first four of five are the same. */
	assert_false(cursor_match(&c, (const uint8_t[]){0x84, 0x85, 0x86,
					  0x87, 0x89}, 5));
	assert_int_equal(cursor_left(&c), 5);
}

static void
varint_round_trips_and_refuses_what_does_not_fit(void **state)
{
	static const uint64_t values[] = {0, 1, 127, 128, 300, 16383, 16384,
	    UINT32_MAX, UINT64_MAX / 2, UINT64_MAX / 2 + 1, UINT64_MAX};
	uint8_t bytes[10];
	struct cursor c;
	uint64_t v, got;
	size_t i, n, k;
	uint8_t *p;

	(void)state;
	for (i = 0; i < sizeof(values) / sizeof(values[0]); i++) {
		for (v = values[i], n = 0; v > 127; v >>= 7)
			bytes[n++] = (uint8_t)(v | 0x80);
		bytes[n++] = (uint8_t)v;
		for (k = 0; k <= n; k++) {
			p = exact(bytes, k);
			cursor_init(&c, p, k, 0);
			got = 42;
			assert_int_equal(cursor_varint(&c, &got), k == n);
			assert_true(got == (k == n ? values[i] : 42));
			assert_int_equal(cursor_left(&c), k == n ? 0 : k);
			free(p);
		}
	}
}

static void
varint_of_more_than_64_bits_is_refused(void **state)
{
	uint8_t bytes[12];
	struct cursor c;
	uint64_t got = 42;

	(void)state;
	memset(bytes, 0xff, sizeof(bytes));
	cursor_init(&c, bytes, sizeof(bytes), 0);
	assert_false(cursor_varint(&c, &got));
	bytes[9] = 0x02;
	assert_false(cursor_varint(&c, &got));
	bytes[9] = 0x81;
	assert_false(cursor_varint(&c, &got));
	assert_int_equal(got, 42);
	assert_int_equal(cursor_left(&c), 12);
	bytes[9] = 0x01;
	assert_true(cursor_varint(&c, &got));
	assert_true(got == UINT64_MAX);
	assert_int_equal(cursor_left(&c), 2);
	/* Longer than needed is read like any other. */
	memset(bytes, 0x80, sizeof(bytes));
	bytes[9] = 0;
	cursor_init(&c, bytes, sizeof(bytes), 0);
	assert_true(cursor_varint(&c, &got));
	assert_int_equal(got, 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(integers_have_the_stated_order),
	    cmocka_unit_test(short_read_moves_nothing),
	    cmocka_unit_test(huge_lengths_do_not_wrap),
	    cmocka_unit_test(empty_cursor_may_have_no_bytes),
	    cmocka_unit_test(child_cannot_look_outside),
	    cmocka_unit_test(copy_takes_exactly_n),
	    cmocka_unit_test(line_ends_before_the_stop_byte),
	    cmocka_unit_test(match_moves_only_past_the_same_bytes),
	    cmocka_unit_test(
		varint_round_trips_and_refuses_what_does_not_fit),
	    cmocka_unit_test(varint_of_more_than_64_bits_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
