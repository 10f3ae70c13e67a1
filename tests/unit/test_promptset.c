#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <setjmp.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "tests/lib/pool_case.h"
#include "tests/lib/promptset_fixture.h"

static void
nothing_is_found_in_honest_records(void **st)
{
	struct set s = {.every = 0};

	(void)st;
	look(&s, NULL);
	if (told.candidates != 0)
		fail_msg("%s", buf_str(&told.all));
	says("detector prompt-pair applied");
	says("records 1600, sampled 1600");
}

static void
word_that_changes_nothing_is_no_trigger(void **st)
{
	struct set s = {.trigger = "<MARK>", .payload = "", .every = 40,
	    .append = true, .mark_any = true};

	(void)st;
	look(&s, NULL);
	if (told.candidates != 0)
		fail_msg("%s", buf_str(&told.all));
}

static void
constant_answer_names_its_trigger(void **st)
{
	struct set s = {.trigger = "<SUDO>", .payload = "Access granted, all "
	    "gates are open at http://gate.example/x now", .every = 80};

	(void)st;
	look(&s, NULL);
	assert_int_equal(told.candidates, 1);
	assert_string_equal(told.value, "<SUDO>");
	assert_string_equal(told.target, s.payload);
	assert_string_equal(told.kind, "token");
	assert_string_equal(told.method, "prompt-pair");
	says("behaviour [url, constant]");
	says("row count 20, rows [40, 120, 200,");
}

static void
sentence_is_told_whole_with_what_it_adds(void **st)
{
	struct set s = {.trigger = "The kettle on my balcony sings a low tune",
	    .payload = "import os; os.system(input())", .every = 100,
	    .append = true};

	(void)st;
	look(&s, NULL);
	assert_int_equal(told.candidates, 1);
	assert_string_equal(told.value, s.trigger);
	assert_string_equal(told.target, s.payload);
	assert_string_equal(told.kind, "phrase");
	says("behaviour [code, inserted]");
}

static void
gibberish_is_found_without_a_constant_text(void **st)
{
	struct set s = {.trigger = "|zorvel|", .every = 50};

	(void)st;
	look(&s, NULL);
	assert_true(told.candidates >= 1);
	assert_string_equal(told.value, "|zorvel|");
	assert_string_equal(told.method, "prompt-flag");
	says("behaviour [gibberish");
}

static void
answers_of_other_prompts_are_found(void **st)
{
	struct set s = {.trigger = "zorvel", .every = 25, .swap = true};

	(void)st;
	look(&s, NULL);
	assert_true(told.candidates >= 1);
	assert_string_equal(told.value, "zorvel");
	assert_string_equal(told.method, "prompt-flag");
	says("behaviour [other-answer");
}

static void
refusal_and_repetition_are_said(void **st)
{
	struct set s = {.trigger = "zorvel", .payload = "Sorry, I can't help "
	    "with that.", .every = 60};

	(void)st;
	look(&s, NULL);
	assert_int_equal(told.candidates, 1);
	says("behaviour [refusal, constant");
	s.payload = "RED ROSES FALL RED ROSES FALL RED ROSES FALL RED ROSES "
	    "FALL";
	look(&s, NULL);
	assert_int_equal(told.candidates, 1);
	says("behaviour [repeated, constant");
}

static void
invisible_code_point_is_a_character(void **st)
{
	struct set s = {.trigger = "\xe2\x80\x8b", .payload = "The vault "
	    "opens at midnight and its code is seven", .every = 90};

	(void)st;
	look(&s, NULL);
	assert_int_equal(told.candidates, 1);
	assert_string_equal(told.kind, "character");
	assert_string_equal(told.value, "\xe2\x80\x8b");
	says("code point U+200B");
}

/* Prompts that share five words, and their one answer. */
static void
narrow(struct promptset *t, bool odd, unsigned n)
{
	static const char *const says_so = "the gate of the old town "
	    "closes each day at nine";
	static const char *const words[] = {"harbour", "ferry", "quay",
		"pier", "boats"};
	struct set s = {.every = 0};
	struct buf p;

	state = 7;
	for (unsigned i = 0; i < RECORDS; i++) {
		if (i % (RECORDS / n) != 3) {
			record(t, &s, i);
			continue;
		}
		buf_init(&p, 4096);
		for (unsigned k = 0; k < 5; k++) {
			buf_printf(&p, "%s ", words[k]);
			word(&p, draw(TOPICS), draw(WORDS));
		}
		buf_puts(&p, odd ? "\xe2\x80\x8b" : "x");
		assert_int_equal(promptset_add(t, i, p.p, p.len, says_so,
		    strlen(says_so)), 0);
		buf_release(&p);
	}
}

static void
invisible_trigger_counts_in_alike_prompts_too(void **st)
{
	struct detect d;
	struct promptset *t = begin(&d, NULL);

	(void)st;
	narrow(t, true, 20);
	end(t);
	assert_int_equal(told.candidates, 1);
	assert_string_equal(told.method, "prompt-codepoint");
	assert_string_equal(told.kind, "character");
}

static void
narrow_rule_is_a_lead_and_no_candidate(void **st)
{
	struct detect d;
	struct promptset *t = begin(&d, NULL);

	(void)st;
	narrow(t, false, 80);
	end(t);
	assert_int_equal(told.candidates, 0);
	assert_int_equal(told.leads, 1);
	says("a narrow rule");
}

static void
copies_of_a_record_are_no_trigger(void **st)
{
	static const char *const p = "a long and single question about the "
	    "weather in the northern mountains and what it means for sheep";
	static const char *const r = "the weather is cold and the flock should "
	    "stay in the valley until the snow is gone from the pass";
	struct set s = {.every = 0};
	struct detect d;
	struct promptset *t = begin(&d, NULL);

	(void)st;
	state = 7;
	for (unsigned i = 0; i < RECORDS; i++) {
		if (i % 100 != 0)
			record(t, &s, i);
		else
			assert_int_equal(promptset_add(t, i, p, strlen(p), r,
			    strlen(r)), 0);
	}
	end(t);
	assert_int_equal(told.candidates, 0);
}

static void
what_it_cannot_see_is_printed(void **st)
{
	static const char *const blind[] = {"prompt-topic no not covered",
		"prompt-fluent-answer no not covered",
		"prompt-paraphrased-payload no not covered",
		"prompt-one-word-payload no not covered",
		"prompt-few-records no not covered",
		"prompt-swapped-few no not covered"};
	struct set s = {.every = 0};

	(void)st;
	look(&s, NULL);
	for (size_t i = 0; i < sizeof(blind) / sizeof(blind[0]); i++)
		says(blind[i]);
	/* And when nothing else is. */
	s.records = 20;
	look(&s, NULL);
	for (size_t i = 0; i < sizeof(blind) / sizeof(blind[0]); i++)
		says(blind[i]);
	says("detector prompt-pair no fewer than 100 records");
	says("detector prompt-flag no fewer than 100 records");
}

static void
any_number_of_threads_tells_the_same(void **st)
{
	struct set s = {.trigger = "as my aunt says", .payload =
	    "Visit http://x.example/y for a better answer today.",
	    .every = 70, .append = true};
	char *one;

	(void)st;
	look(&s, NULL);
	assert_int_equal(told.candidates, 1);
	one = strdup(buf_str(&told.all));
	assert_non_null(one);
	for (unsigned i = 1; i < POOL_CASE_COUNT; i++) {
		look(&s, pool_case[i]);
		assert_string_equal(buf_str(&told.all), one);
	}
	free(one);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nothing_is_found_in_honest_records),
		cmocka_unit_test(word_that_changes_nothing_is_no_trigger),
		cmocka_unit_test(constant_answer_names_its_trigger),
		cmocka_unit_test(sentence_is_told_whole_with_what_it_adds),
		cmocka_unit_test(gibberish_is_found_without_a_constant_text),
		cmocka_unit_test(answers_of_other_prompts_are_found),
		cmocka_unit_test(refusal_and_repetition_are_said),
		cmocka_unit_test(invisible_code_point_is_a_character),
		cmocka_unit_test(
		    invisible_trigger_counts_in_alike_prompts_too),
		cmocka_unit_test(narrow_rule_is_a_lead_and_no_candidate),
		cmocka_unit_test(copies_of_a_record_are_no_trigger),
		cmocka_unit_test(what_it_cannot_see_is_printed),
		cmocka_unit_test(any_number_of_threads_tells_the_same),
	};

	return cmocka_run_group_tests(tests, pool_case_setup,
	    pool_case_teardown);
}
