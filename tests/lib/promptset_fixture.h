#ifndef TESTS_LIB_PROMPTSET_FIXTURE_H_
#define TESTS_LIB_PROMPTSET_FIXTURE_H_

/* Sets of prompts and responses, and what is told of them.  After cmocka. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "analyzer/diff/rows.h"
#include "analyzer/triggers/promptset.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/limits.h"
#include "tests/lib/basis_case.h"

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

static inline uint32_t
draw(uint32_t below)
{
	state = state * 1664525U + 1013904223U;
	return (uint32_t)((uint64_t)(state >> 8) * below >> 24);
}

static inline void
word(struct buf *b, unsigned topic, unsigned k)
{
	static const char *const s[] = {"ba", "ce", "di", "fo", "gu", "ka",
		"le", "mi", "no", "pu"};
	unsigned n = topic * WORDS + k;

	buf_printf(b, "%s%s%s ", s[n % 10], s[n / 10 % 10], s[n / 100]);
}

static inline void
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

static inline void
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

static inline int
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

static inline int
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

static inline struct promptset *
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

static inline void
end(struct promptset *t)
{
	assert_int_equal(promptset_end(t), 0);
	promptset_free(t);
	assert_int_equal(buf_failed(&told.all), 0);
}

static inline void
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

static inline void
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

static inline void
says(const char *want)
{
	if (strstr(buf_str(&told.all), want) == NULL)
		fail_msg("no \"%s\" in:\n%s", want, buf_str(&told.all));
}

#endif /* !TESTS_LIB_PROMPTSET_FIXTURE_H_ */
