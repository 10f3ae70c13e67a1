#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/arena.h"
#include "base/bytesrc.h"
#include "base/err.h"
#include "base/limits.h"
#include "formats/pbwire.h"

static const size_t windows[] = {1, 2, 3, 7, 4096, 0};
#define WINDOWS (sizeof(windows) / sizeof(windows[0]))

static struct arena *arena;
static struct bytesrc *src;
static struct pbwire w;
static struct pb_field f;

static void
start(const void *p, size_t n, size_t window)
{
	arena_free(arena);
	bytesrc_free(src);
	arena = arena_new(4 * MIB);
	src = bytesrc_mem(p, n, NULL);
	assert_int_equal(pbwire_init(&w, src, 0, n, window, arena, NULL), 0);
}

static int
teardown(void **state)
{
	(void)state;
	arena_free(arena);
	bytesrc_free(src);
	arena = NULL;
	src = NULL;
	return 0;
}

#define START(bytes, window) start((bytes), sizeof(bytes) - 1, (window))

static void
each_type_gives_its_content(void **state)
{
	static const char m[] = "\x08\x96\x01" "\x12\x03" "abc"
	    "\x1d\x01\x02\x03\x04" "\x21\x01\x02\x03\x04\x05\x06\x07\x08";

	(void)state;
	for (size_t i = 0; i < WINDOWS; i++) {
		START(m, windows[i]);
		assert_int_equal(pbwire_next(&w, &f, NULL), PB_FIELD);
		assert_int_equal(f.number, 1);
		assert_int_equal(f.type, PB_VARINT);
		assert_int_equal(f.value, 150);
		assert_int_equal(f.len, 2);
		assert_int_equal(pbwire_next(&w, &f, NULL), PB_FIELD);
		assert_int_equal(f.type, PB_LEN);
		assert_int_equal(f.at, 5);
		assert_int_equal(f.len, 3);
		assert_int_equal(pbwire_next(&w, &f, NULL), PB_FIELD);
		assert_int_equal(f.type, PB_FIXED32);
		assert_int_equal(f.value, 0x04030201);
		assert_int_equal(pbwire_next(&w, &f, NULL), PB_FIELD);
		assert_int_equal(f.type, PB_FIXED64);
		assert_true(f.value == UINT64_C(0x0807060504030201));
		assert_int_equal(pbwire_next(&w, &f, NULL), PB_END);
		assert_int_equal(pbwire_next(&w, &f, NULL), PB_END);
	}
}

static void
a_message_that_is_entered_ends_where_it_says(void **state)
{
	static const char m[] = "\x0a\x05" "\x08\x07" "\x12\x01z" "\x10\x01";
	uint8_t byte;
	size_t n;

	(void)state;
	for (size_t i = 0; i < WINDOWS; i++) {
		START(m, windows[i]);
		assert_int_equal(pbwire_next(&w, &f, NULL), PB_FIELD);
		assert_true(pbwire_enter(&w, &f));
		assert_int_equal(pbwire_next(&w, &f, NULL), PB_FIELD);
		assert_int_equal(f.value, 7);
		assert_int_equal(pbwire_next(&w, &f, NULL), PB_FIELD);
		assert_int_equal(pbwire_copy(&w, &f, &byte, 1, &n, NULL), 0);
		assert_int_equal(n, 1);
		assert_int_equal(byte, 'z');
		assert_int_equal(pbwire_next(&w, &f, NULL), PB_END);
		pbwire_leave(&w);
		assert_int_equal(pbwire_next(&w, &f, NULL), PB_FIELD);
		assert_int_equal(f.number, 2);
		assert_int_equal(pbwire_next(&w, &f, NULL), PB_END);
	}
}

static void
leaving_early_goes_on_behind_the_message(void **state)
{
	static const char m[] = "\x0a\x04\x08\x07\x08\x08" "\x10\x01";

	(void)state;
	START(m, 2);
	assert_int_equal(pbwire_next(&w, &f, NULL), PB_FIELD);
	assert_true(pbwire_enter(&w, &f));
	assert_int_equal(pbwire_next(&w, &f, NULL), PB_FIELD);
	pbwire_leave(&w);
	assert_int_equal(pbwire_next(&w, &f, NULL), PB_FIELD);
	assert_int_equal(f.number, 2);
}

static void
varints_that_readers_judge_differently_are_flagged(void **state)
{
	(void)state;
	START("\x88\x00\x01", 0);
	assert_int_equal(pbwire_next(&w, &f, NULL), PB_FIELD);
	assert_int_equal(f.flags, PB_OVERLONG);
	START("\x08\x80\x00", 0);
	assert_int_equal(pbwire_next(&w, &f, NULL), PB_FIELD);
	assert_int_equal(f.flags, PB_OVERLONG);
	START("\x0a\x80\x00", 0);
	assert_int_equal(pbwire_next(&w, &f, NULL), PB_FIELD);
	assert_int_equal(f.flags, PB_OVERLONG);
	assert_int_equal(f.len, 0);
	/* -1 needs all ten bytes; a bit more has no place */
	START("\x08\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01", 3);
	assert_int_equal(pbwire_next(&w, &f, NULL), PB_FIELD);
	assert_int_equal(f.flags, 0);
	assert_true(f.value == UINT64_MAX);
	START("\x08\xff\xff\xff\xff\xff\xff\xff\xff\xff\x03", 3);
	assert_int_equal(pbwire_next(&w, &f, NULL), PB_FIELD);
	assert_int_equal(f.flags, PB_OVERFLOW);
	assert_true(f.value == UINT64_MAX);
}

static void
bad(const char *p, size_t n)
{
	for (size_t i = 0; i < WINDOWS; i++) {
		start(p, n, windows[i]);
		assert_int_equal(pbwire_next(&w, &f, NULL), PB_BAD);
		assert_non_null(w.why);
		assert_int_equal(w.next, 0);
		assert_int_equal(pbwire_next(&w, &f, NULL), PB_BAD);
	}
}
#define BAD(bytes) bad((bytes), sizeof(bytes) - 1)

static void
what_is_no_field_stays_where_it_is(void **state)
{
	(void)state;
	BAD("\x00\x01");			/* field 0 */
	BAD("\x0c");				/* a group's end */
	BAD("\x0e\x01");			/* type 6 */
	BAD("\x0f\x01");			/* type 7 */
	BAD("\x08");				/* no value */
	BAD("\x08\x80");			/* half a value */
	BAD("\x0d\x01\x02\x03");		/* three of four bytes */
	BAD("\x09\x01\x02\x03\x04\x05\x06\x07");
	BAD("\x08\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01");
	BAD("\x80\x80\x80\x80\x80\x01\x01");	/* a number of 30 bits */
}

static void
a_length_beyond_the_message_says_what_is_left(void **state)
{
	static const char m[] = "\x0a\x04\x12\x09xy" "\x10\x01";

	(void)state;
	START(m, 1);
	assert_int_equal(pbwire_next(&w, &f, NULL), PB_FIELD);
	assert_true(pbwire_enter(&w, &f));
	assert_int_equal(pbwire_next(&w, &f, NULL), PB_LONG);
	assert_int_equal(f.number, 2);
	assert_int_equal(f.at, 4);
	assert_int_equal(f.len, 2);
	START("\x0a\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01" "ab", 0);
	assert_int_equal(pbwire_next(&w, &f, NULL), PB_LONG);
	assert_int_equal(f.len, 2);
}

static void
a_group_is_one_field_to_its_own_end(void **state)
{
	static const char m[] = "\x1b" "\x08\x01" "\x23\x12\x01z\x24" "\x1c"
	    "\x28\x05";

	(void)state;
	for (size_t i = 0; i < WINDOWS; i++) {
		START(m, windows[i]);
		assert_int_equal(pbwire_next(&w, &f, NULL), PB_FIELD);
		assert_int_equal(f.number, 3);
		assert_int_equal(f.type, PB_GROUP);
		assert_int_equal(f.len, 8);
		assert_int_equal(pbwire_next(&w, &f, NULL), PB_FIELD);
		assert_int_equal(f.number, 5);
	}
	BAD("\x1b\x08\x01");			/* no end */
	BAD("\x1b\x24");			/* the end of another */
	BAD("\x1b\x12\x09z\x1c");		/* a length out of it */
}

static void
nesting_has_an_end(void **state)
{
	static uint8_t deep[4 * LIMIT_PB_DEPTH];
	unsigned depth = 0;

	(void)state;
	memset(deep, 0x1b, sizeof(deep));
	bad((const char *)deep, sizeof(deep));
	/* messages in messages, each as long as what is left */
	for (size_t i = 0; i + 2 <= 200; i += 2) {
		deep[i] = 0x0a;
		deep[i + 1] = (uint8_t)(200 - i - 2 < 128 ? 200 - i - 2 : 127);
	}
	start(deep + 74, 126, 0);
	while (pbwire_next(&w, &f, NULL) == PB_FIELD && pbwire_enter(&w, &f))
		depth++;
	assert_int_equal(depth, 63);
	assert_int_equal(w.depth, 63);
}

static void
packed_varints_come_one_by_one(void **state)
{
	static const char m[] = "\x0a\x05\x01\xac\x02\x80\x00" "\x10\x01";
	unsigned flags = 0;
	uint64_t v;

	(void)state;
	for (size_t i = 0; i < WINDOWS; i++) {
		START(m, windows[i]);
		assert_int_equal(pbwire_next(&w, &f, NULL), PB_FIELD);
		assert_true(pbwire_enter(&w, &f));
		assert_int_equal(pbwire_packed(&w, &v, &flags, NULL),
		    PB_FIELD);
		assert_int_equal(v, 1);
		assert_int_equal(pbwire_packed(&w, &v, &flags, NULL),
		    PB_FIELD);
		assert_int_equal(v, 300);
		assert_int_equal(pbwire_packed(&w, &v, &flags, NULL),
		    PB_FIELD);
		assert_int_equal(v, 0);
		assert_int_equal(flags, PB_OVERLONG);
		assert_int_equal(pbwire_packed(&w, &v, &flags, NULL), PB_END);
		pbwire_leave(&w);
		assert_int_equal(pbwire_next(&w, &f, NULL), PB_FIELD);
		assert_int_equal(f.number, 2);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(each_type_gives_its_content),
	    cmocka_unit_test(a_message_that_is_entered_ends_where_it_says),
	    cmocka_unit_test(leaving_early_goes_on_behind_the_message),
	    cmocka_unit_test(
		varints_that_readers_judge_differently_are_flagged),
	    cmocka_unit_test(what_is_no_field_stays_where_it_is),
	    cmocka_unit_test(a_length_beyond_the_message_says_what_is_left),
	    cmocka_unit_test(a_group_is_one_field_to_its_own_end),
	    cmocka_unit_test(nesting_has_an_end),
	    cmocka_unit_test(packed_varints_come_one_by_one),
	};

	return cmocka_run_group_tests(tests, NULL, teardown);
}
