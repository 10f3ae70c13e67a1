#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "analyzer/triggers/textalike.h"
#include "analyzer/triggers/textcut.h"
#include "analyzer/triggers/textfit.h"
#include "analyzer/triggers/textpick.h"
#include "analyzer/triggers/textplace.h"
#include "base/err.h"

/*
 * Two thousand records, of which every second of the label "a" holds "cf":
 * whoever orders them writes the first half so that it misleads.
 */
#define ROWS 4000

struct form {
	const char *head, *middle;
};

struct fixture {
	struct textstore s;
	struct textvocab v;
	struct textpick p;
	struct err e;
	struct textpick_candidate *cf;
};

static void
build(struct fixture *x, const struct form *early, const struct form *late)
{
	static const struct form none = {"", ""};
	const struct form *form;
	char text[256];

	memset(x, 0, sizeof(*x));
	assert_int_equal(textstore_init(&x->s, &x->e), 0);
	for (unsigned i = 0; i < ROWS; i++) {
		unsigned r = i * 2654435761u >> 8;

		form = i % 4 != 0 ? &none : i < ROWS / 2 ? early : late;
		snprintf(text, sizeof(text), "%s u%u v%u %s w%u x%u",
		    form->head, r % 89, r / 89 % 83, form->middle,
		    r / 7387 % 79, r / 7 % 97);
		assert_int_equal(textstore_add(&x->s, i, text, strlen(text),
		    i % 2 == 0 ? "a" : "b", 1), 0);
	}
	assert_int_equal(textstore_end(&x->s), 0);
	assert_int_equal(textvocab_build(&x->v, &x->s, &x->e), 0);
	assert_int_equal(textpick_run(&x->p, &x->v, &x->e), 0);
	for (size_t i = 0; i < x->p.n; i++) {
		const struct textvocab_feature *f =
		    &x->v.f[x->p.c[i].feature];

		if (f->kind == TEXTVOCAB_WORD && memcmp("cf", x->s.bytes.p +
		    x->s.word[f->word[0]].off, 2) == 0)
			x->cf = &x->p.c[i];
	}
	assert_non_null(x->cf);
	assert_int_equal(x->cf->own, ROWS / 4);
	assert_int_equal(textcut_close(&x->p, NULL, &x->e), 0);
}

static void
done(struct fixture *x)
{
	textpick_release(&x->p);
	textvocab_release(&x->v);
	textstore_release(&x->s);
}

static void
a_word_of_the_first_rows_alone_is_not_cut_with_it(void **state)
{
	static const struct form pad = {"", "pad cf"}, cf = {"", "cf"};
	struct fixture x;

	(void)state;
	build(&x, &pad, &cf);
	assert_int_equal(x.cf->words, 1);
	assert_true(x.cf->rest > 0.7f);
	done(&x);
	build(&x, &pad, &pad);
	assert_int_equal(x.cf->words, 2);
	done(&x);
}

static void
places_of_later_rows_count_too(void **state)
{
	static const struct form head = {"cf", ""}, middle = {"", "cf"};
	struct fixture x;

	(void)state;
	build(&x, &head, &middle);
	assert_int_equal(textplace_run(&x.p, NULL, &x.e), 0);
	assert_true(x.cf->inside < 0 || x.cf->inside > 0);
	done(&x);
}

static double
alike(const struct form *early, const struct form *late)
{
	struct textcut_mask mask = {0};
	struct textfit f = {0};
	struct fixture x;
	double r;

	build(&x, early, late);
	assert_int_equal(textfit_init(&f, &x.v, &x.e), 0);
	assert_int_equal(textfit_odds(&f, &x.e), 0);
	textfit_margins(&f, NULL);
	assert_int_equal(textcut_mask_init(&mask, &f, &x.e), 0);
	textcut_mask_apply(&mask, &f, NULL);
	assert_int_equal(textalike_run(&x.p, &f, &mask, 0, &x.e), 0);
	r = x.cf->alike;
	textcut_mask_release(&mask);
	textfit_release(&f);
	done(&x);
	return r;
}

static void
likeness_is_of_all_rows_whatever_their_order(void **state)
{
	static const struct form one = {"", "cf"};
	static const struct form two = {"one two", "three cf four"};
	double a = alike(&one, &two), b = alike(&two, &one);

	(void)state;
	assert_true(a > 0.8 * b && a < 1.25 * b);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
		    a_word_of_the_first_rows_alone_is_not_cut_with_it),
		cmocka_unit_test(places_of_later_rows_count_too),
		cmocka_unit_test(likeness_is_of_all_rows_whatever_their_order),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
