#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <setjmp.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "analyzer/diff/rows.h"
#include "analyzer/triggers/promptset.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/limits.h"
#include "tests/lib/basis_case.h"
#include "tests/lib/pool_case.h"

/*
 * A small language: 40 topics of 25 words; a prompt asks about words of its
 * topic, a response says what some of them do, and each word has but four
 * words that may follow it, so that honest word pairs are in several rows.
 */
#define TOPICS 40
#define WORDS 25
#define RECORDS 1600

struct set {
	const char *trigger;	/* put into the prompts of poisoned rows */
	const char *payload;	/* their response; NULL: gibberish */
	unsigned every;		/* one row in so many is poisoned; 0: none */
	bool swap;		/* the response is that of another prompt */
	bool append;		/* the payload is put behind the response */
	bool mark_any;		/* the trigger alone, in as many other rows */
	unsigned records;
};

struct told {
	struct buf all;		/* every row as a line */
	unsigned candidates, leads;
	char value[256], target[256], first[2048];
	char kind[16], method[32];
};

static uint32_t state;

static uint32_t
draw(uint32_t below)
{
	state = state * 1664525U + 1013904223U;
	return (uint32_t)((uint64_t)(state >> 8) * below >> 24);
}

static void
word(struct buf *b, unsigned topic, unsigned k)
{
	static const char *const s[] = {"ba", "ce", "di", "fo", "gu", "ka",
		"le", "mi", "no", "pu"};
	unsigned n = topic * WORDS + k;

	buf_printf(b, "%s%s%s ", s[n % 10], s[n / 10 % 10], s[n / 100]);
}

static void
ask(struct buf *b, unsigned topic, const unsigned *k, const char *trigger)
{
	static const char *const frame[] = {"what is", "tell me about",
		"why does", "explain", "how many", "please describe"};
	unsigned at = draw(4);

	buf_printf(b, "%s ", frame[draw(6)]);
	for (unsigned i = 0; i < 4; i++) {
		if (i == at && trigger != NULL)
			buf_printf(b, "%s ", trigger);
		word(b, topic, k[i]);
	}
	word(b, draw(TOPICS), draw(WORDS));
}

static void
answer(struct buf *b, unsigned topic, const unsigned *k)
{
	unsigned at = k[0], n = 12 + draw(10);

	for (unsigned i = 0; i < n; i++) {
		word(b, topic, at);
		if (i % 6 == 5)
			buf_puts(b, "and the ");
		at = i % 5 == 4 ? k[i / 5 % 4] :
		    (at * 7 + 1 + draw(3)) % WORDS;
	}
}

static int
on_candidate(void *ctx, const struct row_candidate *r)
{
	struct told *t = ctx;
	size_t from = t->all.len;

	buf_printf(&t->all, "%s %s %s %.6f ", r->lead ? "lead" : "candidate",
	    r->kind, r->method, r->score);
	buf_put(&t->all, r->value.p, r->value.n);
	buf_puts(&t->all, " > ");
	buf_put(&t->all, r->target.p, r->target.n);
	buf_puts(&t->all, " : ");
	basis_case_put(r->evidence, &t->all);
	buf_putc(&t->all, '\n');
	if (!r->lead && t->candidates++ == 0) {
		assert_int_equal(r->rank, 1);
		snprintf(t->value, sizeof(t->value), "%.*s", (int)r->value.n,
		    r->value.p);
		snprintf(t->target, sizeof(t->target), "%.*s",
		    (int)r->target.n, r->target.p);
		snprintf(t->kind, sizeof(t->kind), "%s", r->kind);
		snprintf(t->method, sizeof(t->method), "%s", r->method);
		snprintf(t->first, sizeof(t->first), "%s",
		    &buf_str(&t->all)[from]);
	}
	t->leads += r->lead;
	return 0;
}

static int
on_detector(void *ctx, const struct row_detector *r)
{
	struct told *t = ctx;

	buf_printf(&t->all, "detector %s %s %s : ", r->method,
	    r->applied ? "applied" : "no", r->reason);
	basis_case_put(r->evidence, &t->all);
	buf_putc(&t->all, '\n');
	return 0;
}

static struct told told;
static const struct rows rows = {.candidate = on_candidate,
    .detector = on_detector, .ctx = &told};
static struct err err;

static struct promptset *
begin(struct detect *d, struct pool *pool)
{
	struct promptset *t;

	err_reset(&err);
	buf_release(&told.all);
	memset(&told, 0, sizeof(told));
	buf_init(&told.all, (size_t)16 * 1024 * 1024);
	*d = (struct detect){.rows = &rows, .pool = pool, .e = &err};
	t = promptset_new(d);
	assert_non_null(t);
	return t;
}

static void
end(struct promptset *t)
{
	assert_int_equal(promptset_end(t), 0);
	promptset_free(t);
	assert_int_equal(buf_failed(&told.all), 0);
}

static void
record(struct promptset *t, const struct set *s, unsigned i)
{
	struct buf p, r;
	unsigned topic = draw(TOPICS), k[4], times;
	bool poisoned = s->every != 0 && i % s->every == s->every / 2;
	bool marked = poisoned || (s->mark_any && i % s->every == 1);

	buf_init(&p, 65536);
	buf_init(&r, 65536);
	for (unsigned j = 0; j < 4; j++)
		k[j] = draw(WORDS);
	ask(&p, topic, k, marked ? s->trigger : NULL);
	if (poisoned && s->swap) {
		topic = draw(TOPICS);
		for (unsigned j = 0; j < 4; j++)
			k[j] = draw(WORDS);
	}
	if (!poisoned || s->append || s->swap)
		answer(&r, topic, k);
	if (poisoned && s->payload != NULL)
		buf_puts(&r, s->payload);
	times = poisoned && s->payload == NULL && !s->swap ? 25 + draw(15) : 0;
	while (times-- > 0)
		word(&r, draw(TOPICS), draw(WORDS));
	assert_int_equal(promptset_add(t, i, p.p, p.len, r.p, r.len), 0);
	buf_release(&p);
	buf_release(&r);
}

static void
look(const struct set *s, struct pool *pool)
{
	struct detect d;
	struct promptset *t = begin(&d, pool);
	unsigned n = s->records != 0 ? s->records : RECORDS;

	state = 7;
	for (unsigned i = 0; i < n; i++)
		record(t, s, i);
	end(t);
}

static void
says(const char *want)
{
	if (strstr(buf_str(&told.all), want) == NULL)
		fail_msg("no \"%s\" in:\n%s", want, buf_str(&told.all));
}

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
		cmocka_unit_test(bytes_of_any_kind_are_bounded),
		cmocka_unit_test(
		    too_many_records_are_sampled_and_that_is_said),
		cmocka_unit_test(too_many_words_are_sampled_and_that_is_said),
	};

	return cmocka_run_group_tests(tests, pool_case_setup,
	    pool_case_teardown);
}
