#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "analyzer/diff/rows.h"
#include "analyzer/triggers/detect.h"
#include "analyzer/triggers/textcut.h"
#include "analyzer/triggers/textpick.h"
#include "analyzer/triggers/texttell.h"
#include "base/err.h"

#define WORDS 150

struct fixture {
	struct textstore s;
	struct textvocab v;
	struct textpick p;
	struct err e;
	unsigned found, leads, copies, methods;
	double not_told, leads_not_told, copies_not_told;
};

static int
candidate(void *ctx, const struct row_candidate *r)
{
	struct fixture *x = ctx;

	if (strcmp(r->method, "text-repeated") == 0)
		x->copies++;
	else if (r->lead)
		x->leads++;
	else
		x->found++;
	return 0;
}

static int
detector(void *ctx, const struct row_detector *r)
{
	struct fixture *x = ctx;
	bool copies = strcmp(r->method, "text-repeated") == 0;
	double v = 0;
	size_t n;
	const uint8_t *p = basis_bytes(r->evidence, &n);

	assert_true(basis_check(p, n));
	assert_true(r->applied);
	assert_true(basis_number(p, n, "not_told", &v));
	*(copies ? &x->copies_not_told : &x->not_told) += v;
	if (!copies) {
		assert_true(basis_number(p, n, "leads_not_told", &v));
		x->leads_not_told += v;
	}
	x->methods++;
	return 0;
}

/* Records of one word each, whose candidates a test then scores itself. */
static void
start(struct fixture *x)
{
	char word[32];

	memset(x, 0, sizeof(*x));
	assert_int_equal(textstore_init(&x->s, &x->e), 0);
	for (unsigned i = 0; i < 10 * WORDS; i++) {
		snprintf(word, sizeof(word), "every w%u", i / 10);
		assert_int_equal(textstore_add(&x->s, i, word, strlen(word),
		    i / 10 % 2 == 0 ? "a" : "b", 1), 0);
	}
	assert_int_equal(textstore_end(&x->s), 0);
	assert_int_equal(textvocab_build(&x->v, &x->s, &x->e), 0);
	assert_int_equal(textpick_run(&x->p, &x->v, &x->e), 0);
}

static void
done(struct fixture *x)
{
	textpick_release(&x->p);
	textvocab_release(&x->v);
	textstore_release(&x->s);
}

static void
tell(struct fixture *x)
{
	struct rows rows = {.candidate = candidate, .detector = detector,
	    .ctx = x};
	struct detect d = {.rows = &rows, .e = &x->e};
	struct textcut_mask mask = {.word = calloc(x->s.words, 1)};

	assert_non_null(mask.word);
	assert_int_equal(texttell_found(&d, &x->p, &mask), 0);
	textcut_mask_release(&mask);
}

/* The words from..from + n get a score and the share that is the rest. */
static void
score(struct fixture *x, size_t from, size_t n, double value, float rest)
{
	size_t word = 0;

	for (size_t i = 0; i < x->p.n; i++) {
		struct textpick_candidate *c = &x->p.c[i];

		if (x->v.f[c->feature].kind != TEXTVOCAB_WORD)
			continue;
		if (word >= from && word < from + n) {
			c->score = c->conflict = value;
			c->rest = rest;
			c->words = 1;
			c->closure[0] = x->v.f[c->feature].word[0];
		}
		word++;
	}
	assert_true(word >= from + n);
}

static void
copies_push_no_trigger_out(void **state)
{
	struct fixture x;

	(void)state;
	start(&x);
	score(&x, 0, 60, 50, 0.1f);
	score(&x, 60, 2, 7, 0.9f);
	score(&x, 62, 7, 4, 0.9f);
	tell(&x);
	assert_int_equal(x.found, 2);
	assert_int_equal(x.leads, 5);
	assert_int_equal(x.copies, 55);
	assert_int_equal((int)x.copies_not_told, 5);
	assert_int_equal((int)x.leads_not_told, 2);
	assert_int_equal((int)x.not_told, 0);
	assert_int_equal(x.methods, 4);
	done(&x);
}

static void
findings_over_the_cap_are_counted(void **state)
{
	struct fixture x;

	(void)state;
	start(&x);
	score(&x, 0, 70, 50, 0.9f);
	tell(&x);
	assert_int_equal(x.found, 55);
	assert_int_equal(x.leads + x.copies, 0);
	assert_int_equal((int)x.not_told, 15);
	done(&x);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(copies_push_no_trigger_out),
		cmocka_unit_test(findings_over_the_cap_are_counted),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
