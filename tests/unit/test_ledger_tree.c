#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <sqlite3.h>

#include "base/err.h"
#include "custody/ledger.h"
#include "custody/ledger_db.h"
#include "custody/ledger_tree.h"
#include "custody/merkle.h"

#define LEAVES 200

struct fixture {
	char dir[64], path[80];
	sqlite3 *db;
	uint8_t leaf[LEAVES][32];
};

/* A ledger's tables, no events, and a transaction that is never committed. */
static int
setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));
	struct ledger *l;
	char data[16];
	size_t i;

	assert_non_null(f);
	snprintf(f->dir, sizeof(f->dir), "/tmp/exhibit-tree-XXXXXX");
	assert_non_null(mkdtemp(f->dir));
	snprintf(f->path, sizeof(f->path), "%s/case.db", f->dir);
	assert_int_equal(ledger_create(f->path, &l, NULL), 0);
	ledger_close(l);
	assert_int_equal(ledger_db_open(f->path, true, &f->db, NULL), 0);
	assert_int_equal(ledger_db_begin(f->db, NULL), 0);
	for (i = 0; i < LEAVES; i++) {
		snprintf(data, sizeof(data), "leaf %zu", i);
		assert_int_equal(
		    merkle_leaf(f->leaf[i], data, strlen(data), NULL), 0);
	}
	*state = f;
	return 0;
}

static int
teardown(void **state)
{
	struct fixture *f = *state;

	ledger_db_rollback(f->db);
	ledger_db_close(f->db);
	unlink(f->path);
	rmdir(f->dir);
	free(f);
	return 0;
}

static void
add(struct fixture *f, size_t n)
{
	size_t i;

	for (i = 0; i < n; i++)
		assert_int_equal(ledger_tree_add(f->db, i, f->leaf[i], NULL),
		    0);
}

static int
check(struct fixture *f, size_t n, struct err *e)
{
	struct ledger_tree_check c;
	size_t i;
	int r;

	assert_int_equal(ledger_tree_check_init(&c, f->db, e), 0);
	for (i = 0, r = 0; r == 0 && i < n; i++)
		r = ledger_tree_check_leaf(&c, f->leaf[i], e);
	if (r == 0)
		r = ledger_tree_check_end(&c, e);
	ledger_tree_check_release(&c);
	return r;
}

static void
the_root_is_the_one_of_merkle_h_for_sizes_0_to_200(void **state)
{
	struct fixture *f = *state;
	struct merkle m;
	uint8_t want[32], got[32];
	size_t i;

	merkle_init(&m);
	for (i = 0; i <= LEAVES; i++) {
		assert_int_equal(merkle_root(&m, want, NULL), 0);
		assert_int_equal(ledger_tree_root(f->db, i, got, NULL), 0);
		assert_memory_equal(got, want, 32);
		if (i == LEAVES)
			break;
		assert_int_equal(ledger_tree_add(f->db, i, f->leaf[i], NULL),
		    0);
		assert_int_equal(merkle_add(&m, f->leaf[i], NULL), 0);
	}
	/* And the roots of the past are still there. */
	merkle_init(&m);
	for (i = 0; i < 100; i++)
		assert_int_equal(merkle_add(&m, f->leaf[i], NULL), 0);
	assert_int_equal(merkle_root(&m, want, NULL), 0);
	assert_int_equal(ledger_tree_root(f->db, 100, got, NULL), 0);
	assert_memory_equal(got, want, 32);
}

static void
the_root_of_three_is_as_rfc_9162_draws_it(void **state)
{
	struct fixture *f = *state;
	uint8_t left[32], want[32], got[32];

	add(f, 3);
	assert_int_equal(merkle_node(left, f->leaf[0], f->leaf[1], NULL), 0);
	assert_int_equal(merkle_node(want, left, f->leaf[2], NULL), 0);
	assert_int_equal(ledger_tree_root(f->db, 3, got, NULL), 0);
	assert_memory_equal(got, want, 32);
}

static void
what_was_added_checks_for_every_size(void **state)
{
	struct fixture *f = *state;
	size_t i;

	assert_int_equal(check(f, 0, NULL), 0);
	for (i = 0; i < 70; i++) {
		assert_int_equal(ledger_tree_add(f->db, i, f->leaf[i], NULL),
		    0);
		assert_int_equal(check(f, i + 1, NULL), 0);
	}
}

static void
a_node_more_or_less_than_the_leaves_make_is_found(void **state)
{
	struct fixture *f = *state;
	struct err e = ERR_INIT;

	add(f, 8);
	assert_int_equal(check(f, 8, NULL), 0);
	assert_int_equal(check(f, 7, &e), ERR_VERIFY);
	assert_non_null(strstr(e.msg, "tree nodes"));
	err_reset(&e);
	assert_int_equal(check(f, 9, &e), ERR_VERIFY);
	assert_non_null(strstr(e.msg, "lacks tree node (0, 8)"));
}

static void
each_changed_node_is_found(void **state)
{
	struct fixture *f = *state;
	struct err e;
	char sql[200];
	unsigned level, idx;

	add(f, 8);
	assert_int_equal(
	    ledger_db_exec(f->db, "DROP TRIGGER node_no_update", NULL), 0);
	for (level = 0; level < 4; level++) {
		for (idx = 0; idx < 8U >> level; idx++) {
			snprintf(sql, sizeof(sql),
			    "SAVEPOINT s;UPDATE node "
			    "SET hash=zeroblob(32) WHERE level=%u AND idx=%u",
			    level, idx);
			assert_int_equal(ledger_db_exec(f->db, sql, NULL), 0);
			assert_int_equal(sqlite3_changes(f->db), 1);
			err_reset(&e);
			assert_int_equal(check(f, 8, &e), ERR_VERIFY);
			assert_int_equal(ledger_db_exec(f->db,
					     "ROLLBACK TO s;RELEASE s", NULL),
			    0);
			assert_int_equal(check(f, 8, NULL), 0);
		}
	}
}

static void
a_leaf_added_twice_or_too_early_is_refused(void **state)
{
	struct fixture *f = *state;
	uint8_t root[32];

	add(f, 3);
	assert_true(ledger_tree_add(f->db, 1, f->leaf[1], NULL) < 0);
	assert_true(ledger_tree_add(f->db, 5, f->leaf[5], NULL) < 0);
	assert_int_equal(ledger_tree_root(f->db, 6, root, NULL), ERR_VERIFY);
	assert_int_equal(check(f, 3, NULL), 0);
}

#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    T(the_root_is_the_one_of_merkle_h_for_sizes_0_to_200),
	    T(the_root_of_three_is_as_rfc_9162_draws_it),
	    T(what_was_added_checks_for_every_size),
	    T(a_node_more_or_less_than_the_leaves_make_is_found),
	    T(each_changed_node_is_found),
	    T(a_leaf_added_twice_or_too_early_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
