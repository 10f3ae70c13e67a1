#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <setjmp.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "analyzer/diff/basis.h"
#include "analyzer/triggers/join.h"
#include "base/arena.h"
#include "base/err.h"
#include "base/limits.h"

struct list {
	struct join j;
	struct err e;
	char got[4096];
	size_t n;
	unsigned origins;	/* the most that one candidate has */
};

static void
open_list(struct list *l)
{
	memset(l, 0, sizeof(*l));
	assert_non_null(l->j.arena = arena_new(MIB));
}

static void
add(struct list *l, enum join_origin from, const char *source,
    const char *kind, const char *value, double score, double threshold,
    bool lead)
{
	struct basis b;
	struct row_candidate c = {.lead = lead, .kind = kind,
	    .value = {value, strlen(value)}, .score = score, .rank = 1,
	    .method = join_origin_name(from), .evidence = &b};

	basis_init(&b);
	basis_f64(&b, "threshold", threshold);
	if (source != NULL)
		basis_str(&b, "source", source);
	assert_int_equal(join_add(&l->j, &c, from, &l->e), 0);
	basis_release(&b);
}

/* "rank value score", leads in brackets, supporters behind a colon. */
static int
tell(void *ctx, const struct join_told *t)
{
	const struct row_candidate *c = t->c;
	struct list *l = ctx;
	struct buf line;
	const uint8_t *p;
	size_t n;

	assert_int_equal(t->origins == 0, c->lead);
	l->origins = t->origins > l->origins ? t->origins : l->origins;
	assert_true(l->n + 200 < sizeof(l->got));
	l->n += (size_t)snprintf(l->got + l->n, sizeof(l->got) - l->n,
	    "%s%u %.*s%s\n", c->lead ? "(" : "", c->rank, (int)c->value.n,
	    c->value.p, c->lead ? ")" : "");
	p = basis_bytes(c->evidence, &n);
	assert_true(basis_check(p, n));
	buf_init(&line, 64 * KIB);
	basis_line(p, n, &line);
	assert_int_equal(strstr(buf_str(&line), "supported_by") != NULL &&
	    c->lead, 0);
	buf_release(&line);
	return 0;
}

static void
check(struct list *l, const char *want)
{
	assert_int_equal(join_tell(&l->j, tell, l, &l->e), 0);
	assert_string_equal(l->got, want);
	arena_free(l->j.arena);
}

static void
the_same_word_of_data_and_weights_comes_first(void **state)
{
	struct list l;

	(void)state;
	open_list(&l);
	add(&l, JOIN_DATA, "a", "token", "strong", 100, 10, false);
	add(&l, JOIN_DATA, "a", "token", "cf", 12, 10, false);
	add(&l, JOIN_PAIR, NULL, "token", "\xc4\xa0" "CF", 0.5, 0.3, false);
	check(&l, "1 \xc4\xa0" "CF\n(1 cf)\n2 strong\n");
	assert_int_equal(l.origins, 1 << JOIN_DATA | 1 << JOIN_PAIR);
}

static void
a_word_within_a_phrase_agrees_with_it(void **state)
{
	struct list l;

	(void)state;
	open_list(&l);
	add(&l, JOIN_DATA, "a", "phrase", "over the moon", 20, 10, false);
	add(&l, JOIN_PAIR, NULL, "token", "moon", 1, 1, false);
	add(&l, JOIN_PAIR, NULL, "token", "oo", 1, 1, false);
	check(&l, "1 over the moon\n(1 moon)\n2 oo\n");
}

static void
one_detectors_candidates_stay_apart(void **state)
{
	struct list l;

	(void)state;
	open_list(&l);
	add(&l, JOIN_DATA, "a", "phrase", "cf mn", 20, 10, false);
	add(&l, JOIN_DATA, "a", "token", "cf", 30, 10, false);
	check(&l, "1 cf\n2 cf mn\n");
}

static void
two_data_sets_agree(void **state)
{
	struct list l;

	(void)state;
	open_list(&l);
	add(&l, JOIN_DATA, "a", "token", "x y", 90, 10, false);
	add(&l, JOIN_DATA, "a", "token", "cf", 20, 10, false);
	add(&l, JOIN_DATA, "b", "token", "cf", 30, 10, false);
	check(&l, "1 cf\n(1 cf)\n2 x y\n");
}

static void
leads_join_nothing_and_come_last(void **state)
{
	struct list l;

	(void)state;
	open_list(&l);
	add(&l, JOIN_PAIR, NULL, "token", "cf", 9, 10, true);
	add(&l, JOIN_DATA, "a", "token", "cf", 20, 10, false);
	add(&l, JOIN_DATA, "a", "class", "cf", 50, 10, false);
	check(&l, "1 cf\n2 cf\n(1 cf)\n");
}

static void
nothing_gives_nothing(void **state)
{
	struct list l;

	(void)state;
	open_list(&l);
	check(&l, "");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(the_same_word_of_data_and_weights_comes_first),
	    cmocka_unit_test(a_word_within_a_phrase_agrees_with_it),
	    cmocka_unit_test(one_detectors_candidates_stay_apart),
	    cmocka_unit_test(two_data_sets_agree),
	    cmocka_unit_test(leads_join_nothing_and_come_last),
	    cmocka_unit_test(nothing_gives_nothing)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
