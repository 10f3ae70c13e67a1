#ifndef TESTS_UNIT_LEDGER_FIXTURE_H_
#define TESTS_UNIT_LEDGER_FIXTURE_H_

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <sqlite3.h>

#include "base/err.h"
#include "custody/ledger.h"
#include "custody/ledger_schema.h"

/* A ledger in a directory of its own, and an outsider's way into it. */
struct fixture {
	char dir[64], path[80];
	struct ledger *l; /* closed by whoever sets it NULL */
};

static inline int
setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	assert_non_null(f);
	snprintf(f->dir, sizeof(f->dir), "/tmp/exhibit-ledger-XXXXXX");
	assert_non_null(mkdtemp(f->dir));
	snprintf(f->path, sizeof(f->path), "%s/case.db", f->dir);
	assert_int_equal(ledger_create(f->path, &f->l, NULL), 0);
	*state = f;
	return 0;
}

static inline int
teardown(void **state)
{
	static const char *const names[] = {"", "-journal", "-wal", "-shm"};
	struct fixture *f = *state;
	char name[128];
	size_t i;

	ledger_close(f->l);
	for (i = 0; i < 4; i++) {
		snprintf(name, sizeof(name), "%s%s", f->path, names[i]);
		unlink(name);
	}
	assert_int_equal(rmdir(f->dir), 0);
	free(f);
	return 0;
}

static inline void
shut(struct fixture *f)
{
	ledger_close(f->l);
	f->l = NULL;
}

/* The body that stands at ${seq} in the tests below. */
static inline const char *
body_of(char dst[64], uint64_t seq)
{
	snprintf(dst, 64, "{\"n\":\"body %llu \xc3\xa9\"}",
	    (unsigned long long)seq);
	return dst;
}

static inline void
append(struct ledger *l, unsigned n)
{
	struct ledger_head head;
	char body[64];
	uint64_t seq;

	while (n-- > 0) {
		assert_int_equal(ledger_head(l, &head, NULL), 0);
		body_of(body, head.size + 1);
		assert_int_equal(
		    ledger_append(l, body, strlen(body), &seq, NULL), 0);
		assert_int_equal(seq, head.size + 1);
	}
}

struct seen {
	uint64_t count, stop_at;
};

static inline int
on_body(void *ctx, uint64_t seq, const char *body, size_t n)
{
	struct seen *s = ctx;
	char want[64];

	assert_int_equal(seq, ++s->count);
	body_of(want, seq);
	assert_int_equal(n, strlen(want));
	assert_memory_equal(body, want, n);
	return seq == s->stop_at ? ERR_STOP : 0;
}

static inline uint64_t
count_bodies(struct ledger *l)
{
	struct seen s = {0, 0};

	assert_int_equal(ledger_each(l, on_body, &s, NULL), 0);
	return s.count;
}

/* A connection as an outsider has it. */
static inline sqlite3 *
raw_open(const struct fixture *f)
{
	sqlite3 *db;

	assert_int_equal(sqlite3_open(f->path, &db), SQLITE_OK);
	return db;
}

static inline void
raw(const struct fixture *f, const char *sql)
{
	sqlite3 *db = raw_open(f);
	char *msg = NULL;

	if (sqlite3_exec(db, sql, NULL, NULL, &msg) != SQLITE_OK)
		fail_msg("%s: %s", sql, msg);
	assert_int_equal(sqlite3_close(db), SQLITE_OK);
}

static inline void
raw_refused(const struct fixture *f, const char *sql, const char *why)
{
	sqlite3 *db = raw_open(f);
	char *msg = NULL;

	assert_int_equal(sqlite3_exec(db, sql, NULL, NULL, &msg),
	    SQLITE_CONSTRAINT);
	assert_non_null(strstr(msg, why));
	sqlite3_free(msg);
	assert_int_equal(sqlite3_close(db), SQLITE_OK);
}

static inline void
opens(struct fixture *f, uint64_t size)
{
	struct ledger_head head;
	struct err e = ERR_INIT;

	if (ledger_open(f->path, false, &f->l, &e) != 0)
		fail_msg("%s", e.msg);
	assert_int_equal(ledger_head(f->l, &head, NULL), 0);
	assert_int_equal(head.size, size);
	assert_int_equal(count_bodies(f->l), size);
}

static inline void
open_fails(const struct fixture *f, int code, const char *why)
{
	struct ledger *l = NULL;
	struct err e = ERR_INIT;

	assert_int_equal(ledger_open(f->path, false, &l, &e), code);
	assert_null(l);
	if (strstr(e.msg, why) == NULL)
		fail_msg("'%s' does not say '%s'", e.msg, why);
	err_reset(&e);
	assert_int_equal(ledger_open_readonly(f->path, &l, &e), code);
	assert_null(l);
}

/*
 * What a person with the file can do: take the triggers away, edit, and put
 * them back.
 */
#define DROP                                                                   \
	"DROP TRIGGER event_no_update;DROP TRIGGER event_no_delete;"           \
	"DROP TRIGGER event_order;DROP TRIGGER node_no_update;"                \
	"DROP TRIGGER node_no_delete;DROP TRIGGER node_order;"
#define RESTORE                                                                \
	LEDGER_SQL_FORBID("event_no_update", "event", "UPDATE")                \
	";" LEDGER_SQL_FORBID("event_no_delete", "event",                      \
	    "DELETE") ";" LEDGER_SQL_EVENT_ORDER                               \
		      ";" LEDGER_SQL_FORBID("node_no_update", "node",          \
			  "UPDATE") ";" LEDGER_SQL_FORBID("node_no_delete",    \
			  "node", "DELETE") ";" LEDGER_SQL_NODE_ORDER ";"

#define LEDGER_TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

#endif /* !TESTS_UNIT_LEDGER_FIXTURE_H_ */
