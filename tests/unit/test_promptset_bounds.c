#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <setjmp.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "tests/lib/promptset_fixture.h"

/* What the bounds of a look at prompts leave out, and that it is told. */

static void
bytes_of_any_kind_are_bounded(void **st)
{
	static const char *const odd[] = {"", "\xff\xfe\xfd", "\xf0\x9f\x98",
		"a\0b", " \t\n ", "\xe2\x80\x8b\xe2\x80\x8c\xe2\x81\xa0"};
	size_t n = (size_t)4 * MIB;
	char *big = malloc(n);
	struct detect d;
	struct promptset *t = begin(&d, NULL);
	const char *o;

	(void)st;
	assert_non_null(big);
	memset(big, 'x', n);
	assert_int_equal(promptset_add(t, 0, big, n, big, n), 0);
	for (size_t i = 0; i < n; i += 2)
		big[i] = ' ';
	assert_int_equal(promptset_add(t, 1, big, n, big, n), 0);
	memset(big, 0xe2, n);
	assert_int_equal(promptset_add(t, 2, big, n, big, n), 0);
	for (unsigned i = 3; i < 400; i++) {
		o = odd[i % 6];
		assert_int_equal(promptset_add(t, i, o, i % 6 == 3 ? 3 :
		    strlen(o), odd[i % 5], strlen(odd[i % 5])), 0);
	}
	end(t);
	free(big);
	says("records 400, sampled 400, texts cut 3");
}

static void
too_many_records_are_sampled_and_that_is_said(void **st)
{
	struct detect d;
	struct promptset *t = begin(&d, NULL);
	char text[64];
	size_t n;

	(void)st;
	for (unsigned i = 0; i <= LIMIT_PROMPT_ROWS; i++) {
		n = (size_t)snprintf(text, sizeof(text), "w%u is", i % 977);
		assert_int_equal(promptset_add(t, i, text, n, "so", 2), 0);
	}
	end(t);
	says("records 262145, sampled 130640");
}

static void
too_many_words_are_sampled_and_that_is_said(void **st)
{
	struct detect d;
	struct promptset *t = begin(&d, NULL);
	struct buf b;
	unsigned n = 0;

	(void)st;
	buf_init(&b, 65536);
	for (unsigned i = 0; i < 2400; i++) {
		buf_clear(&b);
		for (unsigned k = 0; k < 400; k++)
			buf_printf(&b, "%060u ", n++);
		assert_int_equal(promptset_add(t, i, b.p, b.len, b.p, b.len),
		    0);
	}
	buf_release(&b);
	end(t);
	assert_int_equal(told.candidates, 0);
	says("records 2400, sampled 1249");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(bytes_of_any_kind_are_bounded),
		cmocka_unit_test(
		    too_many_records_are_sampled_and_that_is_said),
		cmocka_unit_test(too_many_words_are_sampled_and_that_is_said),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
