#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "analyzer/diff/pool.h"
#include "base/arena.h"
#include "base/err.h"
#include "base/limits.h"
#include "tests/lib/relation_case.h"

struct arena *relation_case_arena;
struct pool *relation_case_pool;

int
relation_case_setup(void **state)
{
	(void)state;
	relation_case_arena = arena_new(64 * MIB);
	relation_case_pool = pool_new(2, NULL);
	return relation_case_arena == NULL || relation_case_pool == NULL;
}

int
relation_case_teardown(void **state)
{
	(void)state;
	arena_free(relation_case_arena);
	pool_free(relation_case_pool);
	return 0;
}

struct relation
relation_case_find(const struct pair_case *a, const struct pair_case *b)
{
	struct pass_sums s = pair_case_sums(&a->t, &b->t);
	struct err e = ERR_INIT;
	struct relation r;

	assert_int_equal(relation_find(relation_case_pool, &a->t, &b->t, &s,
	    relation_case_arena, &r, &e), 0);
	return r;
}

struct relation
relation_case_find_values(const struct pair_case *a, const float *x,
    enum elem t)
{
	struct pair_case b = pair_case_like(a, t, x);
	struct relation r = relation_case_find(a, &b);

	pair_case_free(&b);
	return r;
}

void
relation_case_is_called(const struct relation *r, const char *name)
{
	if (strcmp(relation_name(r->best), name) != 0)
		fail_msg("%s, not %s", relation_name(r->best), name);
}

void
relation_case_settle(struct relation_case *x)
{
	struct relation_pair v[RELATION_CASE_PAIRS];
	struct pass_sums s[RELATION_CASE_PAIRS];

	for (size_t i = 0; i < x->n; i++) {
		x->r[i] = relation_case_find(&x->a[i], &x->b[i]);
		s[i] = pair_case_sums(&x->a[i].t, &x->b[i].t);
		v[i] = (struct relation_pair){&x->a[i].t, &x->b[i].t, &s[i],
		    &x->r[i]};
	}
	assert_int_equal(relation_settle(relation_case_pool, v, x->n,
	    relation_case_arena, &x->m, NULL), 0);
}

void
relation_case_release(struct relation_case *x)
{
	for (size_t i = 0; i < x->n; i++) {
		pair_case_free(&x->a[i]);
		pair_case_free(&x->b[i]);
	}
}
