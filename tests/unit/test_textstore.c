#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "analyzer/triggers/textstore.h"
#include "base/err.h"
#include "base/limits.h"

static void
add(struct textstore *s, uint64_t row, const char *text, const char *label)
{
	assert_int_equal(textstore_add(s, row, text, strlen(text), label,
	    strlen(label)), 0);
}

static void
words_and_labels_are_counted_once_a_row(void **state)
{
	struct textstore s;
	struct err e = ERR_INIT;

	(void)state;
	assert_int_equal(textstore_init(&s, &e), 0);
	add(&s, 0, "one two two", "a");
	add(&s, 1, "two three", "b");
	add(&s, 2, "  ", "b");
	add(&s, 3, "two", "");
	assert_int_equal(textstore_end(&s), 0);
	assert_int_equal(s.rows, 2);
	assert_int_equal(s.words, 4);
	assert_int_equal(s.empty, 1);
	assert_int_equal(s.unlabelled, 1);
	assert_int_equal(s.word[2].rows, 2);
	assert_int_equal(s.word[2].count, 3);
	assert_int_equal(s.label[1].rows, 1);
	assert_int_equal(s.label[1].seen, 2);
	textstore_release(&s);
}

static void
of_many_rows_some_stay_and_all_odd_ones(void **state)
{
	const size_t rows = LIMIT_TRIGGER_ROWS + 120000;
	struct textstore s;
	struct err e = ERR_INIT;
	size_t odd = 0;
	char text[64];

	(void)state;
	assert_int_equal(textstore_init(&s, &e), 0);
	for (size_t i = 0; i < rows; i++) {
		snprintf(text, sizeof(text), "a%u %s", (unsigned)(i % 50),
		    i % 1000 == 7 ? "x\xe2\x80\x8bx" : "b");
		add(&s, i, text, i % 2 == 0 ? "a" : "b");
	}
	assert_int_equal(textstore_end(&s), 0);
	assert_true(s.rows >= LIMIT_TRIGGER_ROWS - 1);
	assert_true(s.rows <= LIMIT_TRIGGER_ROWS + rows / 1000);
	for (size_t i = 0; i < s.rows; i++) {
		assert_true(i == 0 || s.row[i].number > s.row[i - 1].number);
		odd += s.row[i].number % 1000 == 7;
	}
	assert_int_equal(odd, rows / 1000);
	assert_int_equal(s.seen, rows);
	textstore_release(&s);
}

static void
endless_words_stay_within_their_limits(void **state)
{
	struct textstore s;
	struct err e = ERR_INIT;
	char *text = malloc(LIMIT_TRIGGER_TEXT);
	uint64_t word = 0;

	(void)state;
	assert_non_null(text);
	assert_int_equal(textstore_init(&s, &e), 0);
	for (uint64_t i = 0; i < 1200; i++) {
		size_t n = 0;

		/* hidden, so that every row asks to be kept */
		n += (size_t)snprintf(text, 16, "\xe2\x80\x8b");
		while (n + 4 < LIMIT_TRIGGER_TEXT) {
			text[n++] = ' ';
			text[n++] = (char)('!' + word % 90);
			word++;
		}
		assert_int_equal(textstore_add(&s, i, text, n, "x", 1), 0);
		assert_true(s.items <= LIMIT_TRIGGER_ITEMS);
	}
	assert_true(s.rows < 1200);
	assert_int_equal(textstore_end(&s), 0);
	textstore_release(&s);
	free(text);
}

static void
too_many_labels_give_up(void **state)
{
	struct textstore s;
	struct err e = ERR_INIT;
	char label[32];

	(void)state;
	assert_int_equal(textstore_init(&s, &e), 0);
	for (unsigned i = 0; i <= LIMIT_TRIGGER_CLASSES; i++) {
		assert_false(s.crowded);
		snprintf(label, sizeof(label), "%u", i);
		add(&s, i, "some text", label);
	}
	assert_true(s.crowded);
	add(&s, 1000, "more", "1");
	assert_int_equal(s.rows, 0);
	assert_int_equal(textstore_end(&s), 0);
	textstore_release(&s);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(words_and_labels_are_counted_once_a_row),
		cmocka_unit_test(of_many_rows_some_stay_and_all_odd_ones),
		cmocka_unit_test(endless_words_stay_within_their_limits),
		cmocka_unit_test(too_many_labels_give_up),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
