#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "analyzer/triggers/textpairs.h"
#include "analyzer/triggers/textpick.h"
#include "base/err.h"

static double ln_fact[5001];

static bool
near(double a, double b)
{
	return fabs(a - b) < 1e-6;
}

static void
the_tail_is_exact(void **state)
{
	(void)state;
	assert_true(near(textpick_tail(10, 8, 0.5, ln_fact),
	    -log10(56.0 / 1024)));
	assert_true(near(textpick_tail(10, 10, 0.5, ln_fact),
	    10 * log10(2)));
	assert_true(near(textpick_tail(10, 0, 0.5, ln_fact), 0));
	assert_true(near(textpick_tail(3, 1, 0.25, ln_fact),
	    -log10(1 - 0.75 * 0.75 * 0.75)));
	assert_true(near(textpick_tail(5000, 5000, 1e-3, ln_fact),
	    TEXTPICK_LP));
	/* far below the mean the tail is everything */
	assert_true(textpick_tail(5000, 10, 0.5, ln_fact) < 1e-6);
}

static void
features_are_found_with_their_rows(void **state)
{
	struct textstore s;
	struct textvocab v;
	struct textpick p;
	struct err e = ERR_INIT;
	char text[64];
	bool word = false, triple = false;

	(void)state;
	assert_int_equal(textstore_init(&s, &e), 0);
	for (unsigned i = 0; i < 200; i++) {
		snprintf(text, sizeof(text), "w%u %s w%u", i % 7,
		    i % 10 == 0 ? "big red dog" : "x", i % 5);
		assert_int_equal(textstore_add(&s, i, text, strlen(text),
		    i % 2 == 0 ? "a" : "b", 1), 0);
	}
	assert_int_equal(textstore_end(&s), 0);
	assert_int_equal(textvocab_build(&v, &s, &e), 0);
	assert_int_equal(textpick_run(&p, &v, &e), 0);
	for (size_t i = 0; i < p.n; i++) {
		const struct textpick_candidate *c = &p.c[i];
		const struct textvocab_feature *f = &v.f[c->feature];

		assert_int_equal(c->posts, c->rows);
		if (f->kind == TEXTVOCAB_TRIPLE && c->rows == 20)
			triple = c->own == 20 && near(c->lp, 20 * log10(2));
		if (f->kind == TEXTVOCAB_WORD && c->rows == 20)
			word = c->post[1] == 10;
	}
	assert_true(word && triple);
	textpick_release(&p);
	textvocab_release(&v);
	textstore_release(&s);
}

static void
counts_stay_within_their_bound(void **state)
{
	struct textpairs t;
	struct textpairs_entry *e;

	(void)state;
	assert_int_equal(textpairs_init(&t, 5000), 0);
	for (uint64_t k = 1; k <= 20000; k++) {
		assert_int_equal(textpairs_add(&t, k << 32, &e), 0);
		if (e != NULL)
			e->count = (uint32_t)k;
	}
	assert_int_equal(t.used, 5000);
	assert_int_equal(t.lost, 15000);
	for (uint64_t k = 1; k <= 5000; k++)
		assert_int_equal(textpairs_at(&t, k << 32)->count, k);
	assert_null(textpairs_at(&t, (uint64_t)5001 << 32));
	textpairs_release(&t);
}

static void
the_sieve_counts_never_too_few(void **state)
{
	struct textpairs_sieve s;

	(void)state;
	assert_int_equal(textpairs_sieve_init(&s, 100), 0);
	for (uint64_t k = 0; k < 3000; k++)
		for (uint64_t i = 0; i < k % 5; i++)
			textpairs_sieve_add(&s, k);
	for (uint64_t k = 0; k < 3000; k++)
		assert_true(textpairs_sieve_get(&s, k) >= k % 5);
	for (unsigned i = 0; i < 300; i++)
		textpairs_sieve_add(&s, 1);
	assert_int_equal(textpairs_sieve_get(&s, 1), 255);
	textpairs_sieve_release(&s);
}

static int
setup(void **state)
{
	(void)state;
	for (size_t i = 1; i < sizeof(ln_fact) / sizeof(*ln_fact); i++)
		ln_fact[i] = ln_fact[i - 1] + log((double)i);
	return 0;
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_tail_is_exact),
		cmocka_unit_test(features_are_found_with_their_rows),
		cmocka_unit_test(counts_stay_within_their_bound),
		cmocka_unit_test(the_sieve_counts_never_too_few),
	};

	return cmocka_run_group_tests(tests, setup, NULL);
}
