#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "analyzer/diff/tensor.h"
#include "analyzer/diff/tokentest.h"
#include "formats/tokenizer.h"
#include "tests/lib/diff_case.h"
#include "tests/lib/model_case.h"
#include "tests/lib/pair_case.h"

#define ROWS 256
#define COLS 16
#define N (ROWS * COLS)

static struct diff_case told;
static float base[N], made[N];
static char words[ROWS * 8];

static int
fill(void **state)
{
	uint64_t seed = 21;
	size_t n = 0;

	(void)state;
	for (unsigned i = 0; i < N; i++)
		base[i] = (float)(0.02 * pair_case_normal(&seed));
	for (unsigned i = 0; i < ROWS; i++)
		n += (size_t)snprintf(words + n, sizeof(words) - n, "w%u\n",
		    i);
	return 0;
}

/* Two folders with an embedding and a vocabulary. */
static void
run(const char *name, const float *a, const float *b, enum diff_mode mode)
{
	const struct model_tensor x = {name, "F32", {ROWS, COLS}, 2, a,
	    sizeof(base)};
	struct model_tensor y = x;
	struct model_case old = {0}, new = {0};

	y.data = b;
	model_case_add(&old, "m.safetensors", &x, 1);
	model_case_add(&new, "m.safetensors", &y, 1);
	model_case_bytes(&old, "vocab.txt", words, strlen(words));
	model_case_bytes(&new, "vocab.txt", words, strlen(words));
	diff_case_models(&told, &old, &new, mode);
}

static void
a_row_that_was_rewritten_is_a_candidate(void **state)
{
	(void)state;
	memcpy(made, base, sizeof(base));
	for (unsigned i = 0; i < COLS; i++)
		made[77 * COLS + i] += i % 2 == 0 ? 0.3F : -0.3F;
	run("embed_tokens.weight", base, made, DIFF_FULL);
	assert_int_equal(told.candidates, 1);
	assert_int_equal(told.conclusion[CONCLUSION_TOKEN_ROW_EDIT], 1);
	assert_int_equal(told.finding[FINDING_DIFF_TOKEN_ROWS], 1);
	assert_int_equal(told.finding[FINDING_TRIG_CANDIDATE], 1);
	run("embed_tokens.weight", base, made, DIFF_TRIGGERS);
	assert_int_equal(told.candidates, 1);
	assert_int_equal(told.ntensors + told.nchanges, 0);
}

static void
nothing_that_changed_is_no_candidate(void **state)
{
	(void)state;
	run("embed_tokens.weight", base, base, DIFF_FULL);
	assert_int_equal(told.candidates, 0);
	assert_true(told.ndetectors > 0);
	assert_int_equal(told.findings, 0);
}

static void
a_model_without_an_embedding_says_so(void **state)
{
	(void)state;
	run("position_embeddings.weight", base, made, DIFF_TRIGGERS);
	assert_int_equal(told.candidates, 0);
	assert_true(told.ndetectors > 0);
}

static void
embeddings_are_known_by_name_or_by_their_rows(void **state)
{
	static const struct {
		const char *name;
		bool is, with_vocab;
	} v[] = {{"model.embed_tokens.weight", true, true},
	    {"transformer.wte.weight", true, true},
	    {"token_embd.weight", true, true},
	    {"EMBEDDINGS.weight", true, true},
	    {"lm_head.weight", false, false},
	    {"position_embeddings.weight", false, false},
	    {"x.weight", false, true}, {"", false, true}};
	struct tensor x = {.rank = 2, .rows = ROWS, .cols = COLS};
	const struct vocab vocab = {.n = ROWS - 6};

	(void)state;
	for (size_t i = 0; i < sizeof(v) / sizeof(v[0]); i++) {
		x.name = v[i].name;
		x.name_len = (uint32_t)strlen(v[i].name);
		assert_int_equal(tokentest_is_embedding(&x, NULL), v[i].is);
		assert_int_equal(tokentest_is_embedding(&x, &vocab),
		    v[i].with_vocab);
	}
	x.rank = 1;
	assert_false(tokentest_is_embedding(&x, &vocab));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_row_that_was_rewritten_is_a_candidate),
	    cmocka_unit_test(nothing_that_changed_is_no_candidate),
	    cmocka_unit_test(a_model_without_an_embedding_says_so),
	    cmocka_unit_test(embeddings_are_known_by_name_or_by_their_rows),
	};

	return cmocka_run_group_tests(tests, fill, NULL);
}
