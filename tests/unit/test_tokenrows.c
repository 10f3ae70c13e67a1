#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <setjmp.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "analyzer/diff/pool.h"
#include "analyzer/diff/rowdelta.h"
#include "analyzer/diff/tokenrows.h"
#include "base/err.h"
#include "tests/lib/embedding.h"

static struct tokenrows
run(struct embedding *m)
{
	struct tokenrows t;

	assert_int_equal(tokenrows_find(NULL, &m->d, &m->opt, &t, NULL), 0);
	return t;
}

static void
rows_follow_their_tokens_where_ids_moved(void **state)
{
	struct embedding *m = embedding_new();
	float *old = malloc(sizeof(m->a));
	struct tokenrows t;

	(void)state;
	assert_non_null(old);
	/* The older model had each word one id further, and "cf" nowhere. */
	memcpy(old, m->a, sizeof(m->a));
	for (unsigned i = 0; i < EMBEDDING_ROWS; i++) {
		unsigned at = (i + 1) % EMBEDDING_ROWS;

		memcpy(m->a + at * EMBEDDING_COLS, old + i * EMBEDDING_COLS,
		    EMBEDDING_COLS * sizeof(float));
		m->map[i] = i == 2990 ? ROWDELTA_NONE : at;
	}
	m->opt.map = m->map;
	m->opt.nmap = EMBEDDING_ROWS;
	t = run(m);
	assert_int_equal(t.fresh, 1);
	assert_int_equal(t.test.level, ROWTEST_NONE);
	assert_int_equal(t.test.moved, EMBEDDING_ROWS - 1);
	/* Compared by number all rows would have moved far. */
	m->opt.map = NULL;
	assert_true(run(m).test.top[40].delta > 2 * t.test.top[40].delta);
	free(old);
	free(m);
}

static void
longer_vocabulary_is_compared_over_what_is_shared(void **state)
{
	struct embedding *m = embedding_new();
	struct tokenrows t;

	(void)state;
	m->ta.rows = EMBEDDING_ROWS - 100;
	m->ta.n = m->ta.rows * EMBEDDING_COLS;
	m->ta.len = m->ta.n * 4;
	t = run(m);
	assert_int_equal(t.fresh, 100);
	assert_int_equal(t.test.moved, EMBEDDING_ROWS - 100);
	m->ta.cols = EMBEDDING_COLS / 2;
	t = run(m);
	assert_false(t.usable);
	free(m);
}

static void
threads_change_nothing(void **state)
{
	struct pool *pool = pool_new(3, NULL);
	struct embedding *m = embedding_new();
	struct tokenrows one, many;

	(void)state;
	assert_non_null(pool);
	for (unsigned k = 0; k < 2; k++) {
		m->opt.tied = k ? TIED_EQUAL : TIED_NO;
		one = run(m);
		assert_int_equal(tokenrows_find(pool, &m->d, &m->opt, &many,
		    NULL), 0);
		assert_int_equal(one.ntop, many.ntop);
		for (unsigned i = 0; i < one.ntop; i++) {
			assert_int_equal(one.top[i].id, many.top[i].id);
			assert_true(one.top[i].rest == many.top[i].rest);
		}
		assert_true(one.test.ex == many.test.ex);
	}
	pool_free(pool);
	free(m);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(rows_follow_their_tokens_where_ids_moved),
		cmocka_unit_test(
		    longer_vocabulary_is_compared_over_what_is_shared),
		cmocka_unit_test(threads_change_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
