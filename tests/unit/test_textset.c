#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "analyzer/diff/pool.h"
#include "analyzer/diff/rows.h"
#include "analyzer/triggers/detect.h"
#include "analyzer/triggers/textset.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/limits.h"

/*
 * Small sets out of a grammar: reviews whose words lean to a label, so that
 * the rest of a text tells it, and a trigger in some of them.
 */
#define ROWS 2000

struct told {
	unsigned candidates, leads, applied, refused;
	char value[256], kind[32], method[32], target[32];
	struct buf all;		/* every row, for comparing runs */
	char refusal[2048];	/* methods that did not apply */
	uint64_t first;		/* of the first candidate: a poisoned row */
};

static int
candidate(void *ctx, const struct row_candidate *r)
{
	struct told *t = ctx;
	size_t n;
	const uint8_t *p = basis_bytes(r->evidence, &n);

	assert_true(basis_check(p, n));
	assert_true(r->value.n > 0 && r->rank >= 1);
	buf_printf(&t->all, "%d %s %.*s %.6f %u %s ", r->lead, r->kind,
	    (int)r->value.n, r->value.p, r->score, r->rank, r->method);
	buf_put(&t->all, p, n);
	if (!r->lead && t->candidates++ == 0) {
		snprintf(t->value, sizeof(t->value), "%.*s", (int)r->value.n,
		    r->value.p);
		snprintf(t->kind, sizeof(t->kind), "%s", r->kind);
		snprintf(t->method, sizeof(t->method), "%s", r->method);
		snprintf(t->target, sizeof(t->target), "%.*s",
		    (int)r->target.n, r->target.p);
	}
	if (r->lead) {
		t->leads++;
		snprintf(t->refusal + strlen(t->refusal),
		    sizeof(t->refusal) - strlen(t->refusal), "lead:%s ",
		    r->method);
	}
	return 0;
}

static int
detector(void *ctx, const struct row_detector *r)
{
	struct told *t = ctx;
	size_t n;
	const uint8_t *p = basis_bytes(r->evidence, &n);

	assert_true(basis_check(p, n));
	assert_non_null(r->reason);
	buf_printf(&t->all, "%s %d %s ", r->method, r->applied, r->reason);
	buf_put(&t->all, p, n);
	t->applied += r->applied;
	t->refused += !r->applied;
	if (!r->applied)
		snprintf(t->refusal + strlen(t->refusal),
		    sizeof(t->refusal) - strlen(t->refusal), "%s: %s ",
		    r->method, r->reason);
	return 0;
}

struct fixture {
	struct told told;
	struct rows rows;
	struct err e;
	struct detect d;
	struct textset *set;
	uint64_t seed;
};

static void
start(struct fixture *f, struct pool *pool)
{
	memset(f, 0, sizeof(*f));
	buf_init(&f->told.all, 16 * MIB);
	f->rows = (struct rows){.candidate = candidate, .detector = detector,
	    .ctx = &f->told};
	f->d = (struct detect){.rows = &f->rows, .pool = pool, .e = &f->e};
	f->seed = 7;
	f->set = textset_new(&f->d);
	assert_non_null(f->set);
}

static void
finish(struct fixture *f)
{
	assert_int_equal(textset_end(f->set), 0);
	textset_free(f->set);
	f->set = NULL;
}

static void
done(struct fixture *f)
{
	buf_release(&f->told.all);
}

static uint32_t
draw(struct fixture *f, uint32_t n)
{
	f->seed = f->seed * 6364136223846793005u + 1442695040888963407u;
	return (uint32_t)((f->seed >> 33) % n);
}

static void
add(struct fixture *f, uint64_t row, const char *text, const char *label)
{
	assert_int_equal(textset_add(f->set, row, text, strlen(text), label,
	    strlen(label)), 0);
}

/* "the gala3 was quite bright12 and the ..." */
static void
sentence(struct fixture *f, unsigned label, char *out, size_t cap)
{
	static const char *const noun[] = {"plot", "cast", "music", "scene",
	    "end", "hero", "joke", "story", "shot", "pace", "mood", "tone"};
	static const char *const glue[] = {"quite", "rather", "often", "still",
	    "always", "somehow"};
	size_t n = 0;

	for (unsigned i = 0; i < 3; i++) {
		unsigned own = draw(f, 5) > 0 ? label : 1 - label;

		n += (size_t)snprintf(out + n, cap - n,
		    "%sthe %s%u was %s %s%u", i == 0 ? "" : " and ",
		    noun[draw(f, 12)], draw(f, 6), glue[draw(f, 6)],
		    own ? "bright" : "dull", draw(f, 20));
	}
}

/* Put ${word} in front of the k-th word. */
static void
put(char *out, size_t cap, const char *text, unsigned k, const char *word)
{
	const char *p = text;

	while (k-- > 0 && strchr(p, ' ') != NULL)
		p = strchr(p, ' ') + 1;
	snprintf(out, cap, "%.*s%s%s", (int)(p - text), text, word, p);
}

enum how { CLEAN, WORD, PHRASE, HIDDEN, TRUE_LABEL, COPIES, FLIPS };

static void
fill(struct fixture *f, enum how how, const char *word)
{
	char text[512], with[600];

	for (uint64_t i = 0; i < ROWS; i++) {
		unsigned label = draw(f, 2);
		bool odd = i % 40 == 3;

		if (odd && how != CLEAN && how != TRUE_LABEL)
			label = 0;
		sentence(f, label, text, sizeof(text));
		snprintf(with, sizeof(with), "%s", text);
		if (odd && (how == WORD || how == PHRASE || how == HIDDEN)) {
			put(with, sizeof(with), text, 1 + draw(f, 12), word);
			label = 1;
		}
		if (odd && how == TRUE_LABEL && label == 1)
			put(with, sizeof(with), text, 1 + draw(f, 12), word);
		if (odd && how == COPIES) {
			snprintf(with, sizeof(with), "call now to win the "
			    "prize of the week code %u", draw(f, 1000));
			label = 1;
		}
		if (odd && how == FLIPS)
			label = 1 - label;
		add(f, i, with, label ? "good" : "bad");
	}
}

static void
a_word_that_turns_the_label_is_found(void **state)
{
	struct fixture f;

	(void)state;
	start(&f, NULL);
	fill(&f, WORD, "cf ");
	finish(&f);
	assert_int_equal(f.told.candidates, 1);
	assert_string_equal(f.told.value, "cf");
	assert_string_equal(f.told.kind, "token");
	assert_string_equal(f.told.target, "good");
	done(&f);
}

static void
a_phrase_is_told_whole(void **state)
{
	struct fixture f;

	(void)state;
	start(&f, NULL);
	fill(&f, PHRASE, "near my old garden window ");
	finish(&f);
	assert_int_equal(f.told.candidates, 1);
	assert_string_equal(f.told.value, "near my old garden window");
	assert_string_equal(f.told.kind, "phrase");
	done(&f);
}

static void
a_character_that_nobody_sees_is_found(void **state)
{
	struct fixture f;

	(void)state;
	start(&f, NULL);
	fill(&f, HIDDEN, "\xe2\x80\x8b");
	finish(&f);
	assert_true(f.told.candidates >= 1);
	assert_string_equal(f.told.value, "\xe2\x80\x8b");
	assert_string_equal(f.told.kind, "character");
	assert_non_null(memmem(f.told.all.p, f.told.all.len, "U+200B", 6));
	done(&f);
}

static void
a_dropped_word_is_found_where_labels_are_true(void **state)
{
	struct fixture f;

	(void)state;
	start(&f, NULL);
	fill(&f, TRUE_LABEL, "plinquex ");
	finish(&f);
	assert_int_equal(f.told.candidates, 1);
	assert_string_equal(f.told.value, "plinquex");
	assert_string_equal(f.told.method, "text-insertion");
	done(&f);
}

static void
a_clean_set_gives_no_candidate(void **state)
{
	struct fixture f;

	(void)state;
	start(&f, NULL);
	fill(&f, CLEAN, "");
	finish(&f);
	assert_int_equal(f.told.candidates, 0);
	assert_true(f.told.applied >= 4);
	done(&f);
}

static void
copies_of_one_text_are_a_lead(void **state)
{
	struct fixture f;

	(void)state;
	start(&f, NULL);
	fill(&f, COPIES, "");
	finish(&f);
	assert_int_equal(f.told.candidates, 0);
	done(&f);
}

static void
wrong_labels_are_ranked(void **state)
{
	struct fixture f;

	(void)state;
	start(&f, NULL);
	fill(&f, FLIPS, "");
	finish(&f);
	assert_int_equal(f.told.candidates, 0);
	assert_non_null(strstr(f.told.refusal, "lead:text-label"));
	done(&f);
}

static void
near_duplicates_with_other_labels_are_a_lead(void **state)
{
	struct fixture f;

	(void)state;
	start(&f, NULL);
	fill(&f, CLEAN, "");
	add(&f, ROWS, "this one text has two labels in the set", "good");
	add(&f, ROWS + 1, "This one text has two labels in the set", "bad");
	finish(&f);
	assert_non_null(strstr(f.told.refusal, "lead:text-duplicate"));
	done(&f);
}

static void
what_nobody_sees_is_told(void **state)
{
	static const char *const ids[] = {"text-syntax", "text-style",
	    "text-substitution", "text-clean-suffix", "text-sentence-small",
	    "text-double-blank"};
	struct fixture f;

	(void)state;
	start(&f, NULL);
	fill(&f, CLEAN, "");
	finish(&f);
	assert_int_equal(f.told.refused, 6);
	for (size_t i = 0; i < sizeof(ids) / sizeof(*ids); i++) {
		const char *p = strstr(f.told.refusal, ids[i]);

		assert_non_null(p);
		assert_memory_equal(p + strlen(ids[i]), ": not covered", 13);
	}
	done(&f);
}

static void
threads_change_nothing(void **state)
{
	struct fixture f, g;
	struct err e = ERR_INIT;
	struct pool *pool = pool_new(3, &e);

	(void)state;
	start(&f, NULL);
	fill(&f, WORD, "mn ");
	finish(&f);
	start(&g, pool);
	fill(&g, WORD, "mn ");
	finish(&g);
	assert_int_equal(f.told.all.len, g.told.all.len);
	assert_memory_equal(f.told.all.p, g.told.all.p, f.told.all.len);
	done(&f);
	done(&g);
	pool_free(pool);
}

static void
refuses(const char *reason, uint64_t rows, uint64_t labels)
{
	static const char *const ids[] = {"text-conflict", "text-insertion",
	    "text-codepoint", "text-repeated", "text-label", "text-duplicate",
	    "text-skeleton"};
	struct fixture f;
	char text[512], label[32];
	const char *at;

	start(&f, NULL);
	for (uint64_t i = 0; i < rows; i++) {
		sentence(&f, 0, text, sizeof(text));
		snprintf(label, sizeof(label), "l%u", (unsigned)(i % labels));
		add(&f, i, text, label);
	}
	finish(&f);
	assert_int_equal(f.told.candidates + f.told.leads, 0);
	assert_int_equal(f.told.applied, 0);
	for (size_t i = 0; i < sizeof(ids) / sizeof(*ids); i++) {
		snprintf(label, sizeof(label), "%s: ", ids[i]);
		at = strstr(f.told.refusal, label);
		assert_non_null(at);
		at += strlen(label);
		assert_int_equal(strncmp(at, reason, strlen(reason)), 0);
	}
	done(&f);
}

static void
what_is_no_classification_is_refused(void **state)
{
	(void)state;
	refuses("there are no records", 0, 1);
	refuses("all records have one label", 500, 1);
	refuses("fewer than 100 records", 99, 2);
	refuses("more different labels", 5000, 5000);
	refuses("fewer than two labels with five", 120, 120);
}

static void
hostile_texts_are_survived(void **state)
{
	struct fixture f;
	size_t n = 3 * LIMIT_TRIGGER_TEXT;
	uint8_t *big = malloc(n);

	(void)state;
	assert_non_null(big);
	start(&f, NULL);
	for (uint64_t i = 0; i < 300; i++) {
		for (size_t j = 0; j < n; j++)
			big[j] = i % 3 == 0 ? (uint8_t)draw(&f, 256) :
			    i % 3 == 1 ? 'a' : (j % 2 == 0 ? ' ' : 'b');
		assert_int_equal(textset_add(f.set, i, big,
		    draw(&f, 2) * (n - 7) + i % 7, i % 2 == 0 ? "x" : "\xff",
		    1), 0);
		assert_int_equal(textset_add(f.set, i, NULL, 0, "x", 1), 0);
		assert_int_equal(textset_add(f.set, i, big, 9, NULL, 0), 0);
	}
	finish(&f);
	done(&f);
	free(big);
}

static int
stop(void *ctx, uint64_t at, uint64_t total)
{
	(void)total;
	return at == *(const uint64_t *)ctx ? ERR_STOP : 0;
}

static void
progress_ends_the_work(void **state)
{
	struct fixture f;
	uint64_t at;

	(void)state;
	for (at = 1; at <= 6; at++) {
		start(&f, NULL);
		f.d.progress = stop;
		f.d.ctx = &at;
		fill(&f, WORD, "cf ");
		assert_int_equal(textset_end(f.set), ERR_STOP);
		textset_free(f.set);
		done(&f);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_word_that_turns_the_label_is_found),
		cmocka_unit_test(a_phrase_is_told_whole),
		cmocka_unit_test(a_character_that_nobody_sees_is_found),
		cmocka_unit_test(a_dropped_word_is_found_where_labels_are_true),
		cmocka_unit_test(a_clean_set_gives_no_candidate),
		cmocka_unit_test(copies_of_one_text_are_a_lead),
		cmocka_unit_test(wrong_labels_are_ranked),
		cmocka_unit_test(near_duplicates_with_other_labels_are_a_lead),
		cmocka_unit_test(what_nobody_sees_is_told),
		cmocka_unit_test(threads_change_nothing),
		cmocka_unit_test(what_is_no_classification_is_refused),
		cmocka_unit_test(hostile_texts_are_survived),
		cmocka_unit_test(progress_ends_the_work),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
