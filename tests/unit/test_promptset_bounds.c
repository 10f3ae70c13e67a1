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

/* A prompt with ${n} different code points that cannot be seen. */
static void
unseen(struct promptset *t, unsigned row, unsigned n)
{
	struct buf p;

	buf_init(&p, 4096);
	buf_puts(&p, "what is ");
	for (unsigned k = 0; k < n; k++) {
		/* Tags: U+E0041 and on. */
		buf_printf(&p, "a%s%cb ", "\xf3\xa0\x81", 0x81 + (int)k);
	}
	assert_int_equal(promptset_add(t, row, p.p, p.len, "so it is", 8), 0);
	buf_release(&p);
}

static void
code_points_that_are_not_kept_are_counted(void **st)
{
	struct set s = {.every = 0};
	struct detect d;
	struct promptset *t = begin(&d, NULL);

	(void)st;
	state = 7;
	for (unsigned i = 0; i < 200; i++)
		if (i % 50 != 3)
			record(t, &s, i);
		else
			unseen(t, i, i == 3 ? 16 : 17);
	end(t);
	says("texts code points cut 3");
}

/*
 * One long answer, of which each record leaves out another word: hundreds of
 * lists with nearly the same rows.
 */
static void
bands_in_which_too_many_agree_are_counted(void **st)
{
	struct set s = {.every = 0};
	struct detect d;
	struct promptset *t = begin(&d, NULL);
	struct buf p, r;

	(void)st;
	state = 7;
	buf_init(&p, 4096);
	buf_init(&r, 4096);
	for (unsigned i = 0; i < RECORDS; i++) {
		if (i % 17 != 3) {
			record(t, &s, i);
			continue;
		}
		buf_clear(&p);
		buf_clear(&r);
		buf_puts(&p, "zorvel ");
		word(&p, draw(TOPICS), draw(WORDS));
		for (unsigned k = 0; k < 140; k++)
			if (k != i / 17)
				buf_printf(&r, "p%uw ", k);
		assert_int_equal(promptset_add(t, i, p.p, p.len, r.p, r.len),
		    0);
	}
	buf_release(&p);
	buf_release(&r);
	end(t);
	says("bands left out ");
	assert_null(strstr(buf_str(&told.all), "bands left out 0"));
	look(&s, NULL);
	says("bands left out 0");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(bytes_of_any_kind_are_bounded),
		cmocka_unit_test(
		    too_many_records_are_sampled_and_that_is_said),
		cmocka_unit_test(too_many_words_are_sampled_and_that_is_said),
		cmocka_unit_test(code_points_that_are_not_kept_are_counted),
		cmocka_unit_test(bands_in_which_too_many_agree_are_counted),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
