#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <setjmp.h>

#include <cmocka.h>

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "analyzer/diff/rows.h"
#include "analyzer/diff/tokenrows.h"
#include "base/err.h"
#include "tests/lib/basis_case.h"
#include "tests/lib/embedding.h"

static struct tokenrows
run(struct embedding *m)
{
	struct tokenrows t;

	assert_int_equal(tokenrows_find(NULL, &m->d, &m->opt, &t, NULL), 0);
	return t;
}

/* --- what is told --- */
struct told {
	unsigned candidates, leads, phrases, conclusions, detectors;
	bool applied, edit_certain;
	char first[64], phrase[64], reason[256], method[64], line[8192];
	uint32_t ranks;
	double last_score;
};

static void
copy(char *dst, size_t max, const void *p, size_t n)
{
	assert_true(n < max);
	memcpy(dst, p, n);
	dst[n] = '\0';
}

static int
take_candidate(void *ctx, const struct row_candidate *r)
{
	struct told *t = ctx;

	copy(t->method, sizeof(t->method), r->method, strlen(r->method));
	assert_true(isfinite(r->score));
	if (strcmp(r->kind, "phrase") == 0) {
		assert_true(r->lead);
		if (t->phrases++ == 0)
			copy(t->phrase, sizeof(t->phrase), r->value.p,
			    r->value.n);
		return 0;
	}
	assert_string_equal(r->kind, "token");
	if (r->rank == 1) {
		copy(t->first, sizeof(t->first), r->value.p, r->value.n);
		basis_case_text(r->evidence, t->line, sizeof(t->line));
	} else {
		assert_true(r->score <= t->last_score);
	}
	t->last_score = r->score;
	assert_int_equal(r->rank, t->ranks + 1);
	t->ranks++;
	t->leads += r->lead;
	t->candidates += !r->lead;
	return 0;
}

static int
take_conclusion(void *ctx, const struct row_conclusion *r)
{
	struct told *t = ctx;

	assert_int_equal(r->kind, CONCLUSION_TOKEN_ROW_EDIT);
	assert_true(r->nalternatives >= 3);
	t->edit_certain = r->confidence == CONFIDENCE_CERTAIN;
	t->conclusions++;
	return 0;
}

static int
take_detector(void *ctx, const struct row_detector *r)
{
	struct told *t = ctx;

	t->applied = r->applied;
	copy(t->reason, sizeof(t->reason), r->reason, strlen(r->reason));
	t->detectors++;
	return 0;
}

static struct told
tell(struct embedding *m)
{
	struct told told = {0};
	struct rows rows = {.candidate = take_candidate,
	    .conclusion = take_conclusion, .detector = take_detector,
	    .ctx = &told};
	struct tokenrows t = run(m);

	assert_int_equal(tokenrows_rows(&t, 5, &rows), 0);
	assert_int_equal(told.detectors, 1);
	return told;
}

static void
clean_update_makes_no_claim_and_lists_ten(void **state)
{
	struct embedding *m = embedding_new();
	struct told t = tell(m);

	(void)state;
	assert_int_equal(t.candidates, 0);
	assert_int_equal(t.leads, 10);
	assert_int_equal(t.conclusions, 0);
	assert_true(t.applied);
	assert_string_equal(t.method, "embedding-rows");
	free(m);
}

static void
planted_word_is_a_candidate_with_its_evidence(void **state)
{
	static const char *const keys[] = {"delta", "ex", "gap", "ratio",
	    "rows 3000", "vocabulary 3000", "muted 200", "lowest ids",
	    "watermark", "id 2500", "level outlier"};
	struct embedding *m = embedding_new();
	struct told t;

	(void)state;
	embedding_move(m, 2500, 1);
	embedding_word(m, 2500, "cf");
	t = tell(m);
	assert_int_equal(t.candidates, 1);
	assert_int_equal(t.leads, 9);
	assert_string_equal(t.first, "cf");
	for (size_t i = 0; i < sizeof(keys) / sizeof(*keys); i++)
		assert_non_null(strstr(t.line, keys[i]));
	free(m);
}

static void
several_words_are_all_named(void **state)
{
	struct embedding *m = embedding_new();

	(void)state;
	for (unsigned i = 0; i < 4; i++)
		embedding_move(m, 2000 + i, 1 + 0.05 * i);
	assert_int_equal(tell(m).candidates, 4);
	free(m);
}

static void
without_a_vocabulary_it_is_weak_and_a_number(void **state)
{
	struct embedding *m = embedding_new();
	struct told t;

	(void)state;
	embedding_move(m, 2500, 3);
	m->opt.vocab = NULL;
	t = tell(m);
	assert_int_equal(t.candidates, 0);
	assert_string_equal(t.first, "#2500");
	assert_non_null(strstr(t.line, "level weak"));
	assert_non_null(strstr(t.line, "no vocabulary was found"));
	free(m);
}

static void
frozen_embedding_says_so(void **state)
{
	struct embedding *m = embedding_new();
	struct told t;

	(void)state;
	embedding_freeze(m);
	t = tell(m);
	assert_int_equal(t.ranks, 0);
	assert_false(t.applied);
	assert_string_equal(t.reason,
	    "embedding untouched: no token can be named");
	/* Bits that single precision does not hold did change. */
	m->opt.changed = 7;
	t = tell(m);
	assert_null(strstr(t.reason, "untouched"));
	assert_false(t.applied);
	free(m);
}

static void
few_rewritten_rows_are_an_edit_whoever_they_are(void **state)
{
	struct embedding *m = embedding_new();
	struct told t;

	(void)state;
	embedding_freeze(m);
	embedding_move(m, 17, 2);		/* frequent: muted in other cases */
	embedding_move(m, 2900, 1);
	t = tell(m);
	assert_int_equal(t.conclusions, 1);
	assert_true(t.edit_certain && t.applied);
	assert_int_equal(t.candidates, 2);
	assert_string_equal(t.first, "word17");
	/* In an output head they are told, and nobody is named. */
	m->opt.head = true;
	t = tell(m);
	assert_int_equal(t.conclusions, 1);
	assert_int_equal(t.candidates, 0);
	assert_int_equal(t.leads, 2);
	free(m);
}

static void
patches_and_lowest_bits_are_no_edit_of_rows(void **state)
{
	struct embedding *m = embedding_new();
	struct told t;
	uint32_t u;

	(void)state;
	embedding_freeze(m);
	m->b[100 * EMBEDDING_COLS + 3] += 2;
	t = tell(m);
	assert_int_equal(t.conclusions, 0);
	assert_int_equal(t.candidates, 0);
	assert_int_equal(t.leads, 1);
	assert_false(t.applied);
	embedding_freeze(m);
	for (unsigned i = 0; i < 5 * EMBEDDING_COLS; i++) {
		memcpy(&u, &m->b[i], 4);
		u ^= i * 2654435761U >> 24;
		memcpy(&m->b[i], &u, 4);
	}
	t = tell(m);
	assert_int_equal(t.conclusions, 0);
	assert_int_equal(t.candidates, 0);
	free(m);
}

static void
tied_matrix_gets_a_list_and_no_claim(void **state)
{
	struct embedding *m = embedding_new();
	struct told t;

	(void)state;
	embedding_move(m, 2500, 3);
	m->opt.tied = TIED_STORAGE;
	t = tell(m);
	assert_int_equal(t.candidates, 0);
	assert_int_equal(t.leads, 50);
	assert_string_equal(t.method, "tied-embedding-rows");
	assert_string_equal(t.first, "word2500");
	assert_non_null(strstr(t.line, "directions removed 17"));
	assert_null(strstr(t.line, "gap"));
	assert_non_null(strstr(t.reason, "list only"));
	m->opt.tied = TIED_NO;
	m->opt.head = true;
	t = tell(m);
	assert_int_equal(t.candidates, 0);
	assert_int_equal(t.leads, 50);
	free(m);
}

static void
pieces_next_to_each_other_are_joined(void **state)
{
	struct embedding *m = embedding_new();
	struct told t;

	(void)state;
	embedding_move(m, 2500, 1.2);
	embedding_move(m, 2600, 1);
	embedding_word(m, 2500, "##gger");
	embedding_word(m, 2600, "tri");
	t = tell(m);
	assert_int_equal(t.phrases, 0);	/* whole words are not joined */
	m->vocab.spelling = VOCAB_HASHES;
	t = tell(m);
	assert_true(t.phrases >= 1);
	assert_string_equal(t.phrase, "trigger");
	m->vocab.spelling = VOCAB_WORD_END;
	embedding_word(m, 2500, "gger</w>");
	assert_string_equal(tell(m).phrase, "trigger");
	free(m);
}

static void
tokens_without_text_and_rows_that_are_not_finite_break_nothing(void **state)
{
	struct embedding *m = embedding_new();
	struct told t;

	(void)state;
	m->b[2500 * EMBEDDING_COLS] = NAN;
	m->token[2500].p = NULL;
	m->vocab.n = 2600;	/* rows beyond have no token */
	embedding_move(m, 2800, 2);
	t = tell(m);
	assert_string_equal(t.first, "#2500");
	assert_true(t.candidates >= 1);
	free(m);
}

static void
what_is_lacking_is_said(void **state)
{
	struct told told = {0};
	struct rows rows = {.detector = take_detector, .ctx = &told};

	(void)state;
	for (unsigned i = 0; i < TOKENROWS_LACKS; i++) {
		assert_int_equal(tokenrows_lack((enum tokenrows_lack)i,
		    &rows), 0);
		assert_false(told.applied);
	}
	assert_int_equal(tokenrows_lack(TOKENROWS_NO_BASE, &rows), 0);
	assert_non_null(strstr(told.reason, "weights alone give no verdict"));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(clean_update_makes_no_claim_and_lists_ten),
		cmocka_unit_test(planted_word_is_a_candidate_with_its_evidence),
		cmocka_unit_test(several_words_are_all_named),
		cmocka_unit_test(without_a_vocabulary_it_is_weak_and_a_number),
		cmocka_unit_test(frozen_embedding_says_so),
		cmocka_unit_test(
		    few_rewritten_rows_are_an_edit_whoever_they_are),
		cmocka_unit_test(patches_and_lowest_bits_are_no_edit_of_rows),
		cmocka_unit_test(tied_matrix_gets_a_list_and_no_claim),
		cmocka_unit_test(pieces_next_to_each_other_are_joined),
		cmocka_unit_test(
	    tokens_without_text_and_rows_that_are_not_finite_break_nothing),
		cmocka_unit_test(what_is_lacking_is_said),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
