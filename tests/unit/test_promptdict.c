#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <setjmp.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "analyzer/triggers/promptdict.h"
#include "base/err.h"

static struct promptdict d;
static struct err err;

static uint32_t
add(const char *p, size_t n)
{
	uint32_t id = PROMPTDICT_LOST;

	assert_int_equal(promptdict_add(&d, (const uint8_t *)p, n, false, &id,
	    &err), 0);
	assert_true(id < d.n);
	return id;
}

static uint32_t
add_word(const char *p)
{
	return add(p, strlen(p));
}

static int
setup(void **st)
{
	(void)st;
	err_reset(&err);
	promptdict_init(&d);
	return 0;
}

static int
teardown(void **st)
{
	(void)st;
	promptdict_release(&d);
	return 0;
}

static void
a_word_has_one_number_and_its_forms(void **st)
{
	uint32_t a = add_word("Word,");

	(void)st;
	assert_int_equal(add_word("Word,"), a);
	assert_int_equal(add_word("word,"), d.w[a].low);
	assert_int_equal(add_word("word"), d.w[a].bare);
}

/* The second was made for the hash of the first. */
static void
words_whose_hashes_collide_stay_two(void **st)
{
	uint32_t a = add_word("the"), b = add_word("dsUpur8gtlNHwZFG");

	(void)st;
	assert_true(d.w[a].hash == d.w[b].hash);
	assert_int_not_equal(a, b);
	assert_int_equal(d.w[a].len, 3);
	assert_int_equal(d.w[b].len, 16);
	assert_int_equal(add_word("the"), a);
	assert_int_equal(add_word("dsUpur8gtlNHwZFG"), b);
	assert_int_not_equal(add_word("oyP1GTpFqRI7uLIo"), a);
}

/* And when the table is made anew, and other words are dropped. */
static void
words_whose_hashes_collide_are_found_again(void **st)
{
	uint32_t b = add_word("dsUpur8gtlNHwZFG"), a = add_word("the"), *map;
	char text[16];

	(void)st;
	for (int i = 0; i < 9000; i++)
		(void)add(text, (size_t)snprintf(text, sizeof(text), "w%d",
		    i));
	assert_int_equal(add_word("the"), a);
	assert_int_equal(add_word("dsUpur8gtlNHwZFG"), b);
	assert_non_null(map = calloc(d.n, sizeof(*map)));
	d.w[a].used = d.w[b].used = true;
	assert_int_equal(promptdict_keep(&d, map, &err), 0);
	assert_int_equal(add_word("the"), map[a]);
	assert_int_equal(add_word("dsUpur8gtlNHwZFG"), map[b]);
	assert_int_not_equal(map[a], map[b]);
	free(map);
}

/*
 * What is kept of these is the same.  The last 16 bytes of the second are
 * those that take the first hash to where the first word takes it.
 */
static void
words_that_are_longer_than_what_is_kept_differ(void **st)
{
	char a[112], b[112];
	uint32_t x, y, z, *map;

	(void)st;
	memset(a, 'x', sizeof(a));
	memset(b, 'x', sizeof(b));
	memcpy(&b[96], "rZ9wZOsP83Qgu6qR", 16);
	x = add(a, sizeof(a));
	y = add(b, sizeof(b));
	z = add(a, sizeof(a) - 1);
	assert_true(d.w[x].hash == d.w[y].hash);
	assert_true(d.w[x].cut && d.w[y].cut);
	assert_int_not_equal(x, y);
	assert_int_not_equal(x, z);
	assert_int_equal(add(a, sizeof(a)), x);
	assert_int_equal(add(b, sizeof(b)), y);
	assert_non_null(map = calloc(d.n, sizeof(*map)));
	d.w[y].used = true;
	assert_int_equal(promptdict_keep(&d, map, &err), 0);
	assert_int_equal(add(b, sizeof(b)), map[y]);
	free(map);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
		    a_word_has_one_number_and_its_forms, setup, teardown),
		cmocka_unit_test_setup_teardown(
		    words_whose_hashes_collide_stay_two, setup, teardown),
		cmocka_unit_test_setup_teardown(
		    words_whose_hashes_collide_are_found_again, setup,
		    teardown),
		cmocka_unit_test_setup_teardown(
		    words_that_are_longer_than_what_is_kept_differ, setup,
		    teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
