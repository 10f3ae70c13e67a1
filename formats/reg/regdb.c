#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytesrc.h"
#include "base/err.h"
#include "base/limits.h"
#include "formats/reg/mlflow.h"
#include "formats/reg/regdb.h"
#include "formats/reg/regdoc.h"

static bool
has_word(const struct reg_file *f, const char *word)
{
	size_t n;
	const char *name = reg_name(f, &n);

	return memmem(name, n, word, strlen(word)) != NULL;
}

bool
regdb_is(const struct reg_tree *t, const struct reg_file *f,
    const char *word)
{
	static const char *const tails[] = {".db", ".sqlite", ".sqlite3",
	    ".db3"};
	uint8_t head[SQLITEDB_HEAD];
	bool tail = false;
	size_t got;

	for (size_t i = 0; i < sizeof(tails) / sizeof(*tails); i++)
		tail |= reg_ends(f, tails[i]);
	if ((!tail && !has_word(f, word)) || f->type != REG_FILE)
		return false;
	if (f->absent)
		return has_word(f, word) && reg_ends(f, ".db");
	/* A word within a name is too little where nothing can be opened. */
	return reg_peek(t, f, head, sizeof(head), &got) ?
	    got == sizeof(head) && sqlitedb_is(head) : tail;
}

/* The file with this tail, if it is there and not empty. */
static int
beside(struct regdb *r, const char *tail, const struct reg_file **f,
    struct bytesrc **ret)
{
	char path[LIMIT_PATH];
	int n = snprintf(path, sizeof(path), "%.*s%s", (int)r->f->path_len,
	    r->f->path, tail);

	if (n < 0 || (size_t)n >= sizeof(path) || (*f =
	    reg_find(r->p->tree, path, (size_t)n)) == NULL ||
	    (*f)->size == 0)
		return 0;
	return reg_open(r->p, *f, ret);
}

static int
tell(struct regdb *r, int code, const char *table)
{
	const struct err was = *r->p->e;
	const struct reg_fact facts[] = {regdoc_says("reason", was.msg),
	    regdoc_says("table", table != NULL ? table : "")};
	int rc;

	err_reset(r->p->e);
	rc = reg_tell(r->p, code == ERR_LIMIT ? REG_PROBLEM_UNREAD :
	    REG_PROBLEM_MALFORMED, r->f, facts, table != NULL ? 2 : 1);
	return rc < 0 ? rc : 1;
}

int
regdb_open(struct regdb *r, struct reg_parse *p, const struct reg_file *f,
    bool tells)
{
	uint8_t first;
	size_t n;
	int rc;

	memset(r, 0, sizeof(*r));
	r->p = p;
	r->f = f;
	if (!tells && !reg_peek(p->tree, f, &first, 1, &n))
		return 1;
	if ((rc = reg_open(p, f, &r->src)) != 0 ||
	    (rc = beside(r, "-wal", &r->wal, &r->wal_src)) < 0 ||
	    (rc = beside(r, "-journal", &r->journal, &r->journal_src)) < 0)
		return rc;
	rc = sqlitedb_open(r->src, r->wal_src, r->journal_src, p->arena,
	    &r->db, p->e);
	if (rc != ERR_FORMAT && rc != ERR_LIMIT && rc != ERR_TRUNC)
		return rc;
	if (tells)
		return tell(r, rc, NULL);
	err_reset(p->e);
	return 1;
}

void
regdb_close(struct regdb *r)
{
	sqlitedb_close(r->db);
	bytesrc_free(r->src);
	bytesrc_free(r->wal_src);
	bytesrc_free(r->journal_src);
	memset(r, 0, sizeof(*r));
}

/* --- about --- */

static int
event(struct regdb *r, const struct reg_file *f, const char *key,
    const char *text)
{
	struct reg_row row;

	reg_row_init(r->p, f, &row);
	reg_set(&row, REG_TYPE, "event");
	reg_set(&row, REG_KEY, key);
	reg_set(&row, REG_VALUE, text);
	return reg_send(r->p, &row);
}

static int
about_log(struct regdb *r, const struct reg_file *f, const char *key,
    const char *unit, const struct sqlitewal *w)
{
	const struct reg_fact facts[] = {regdoc_says("reason",
	    w->why != NULL ? w->why : "")};
	char text[160];
	int rc;

	(void)snprintf(text, sizeof(text), "%zu pages replaced, "
	    "%llu of %llu %s valid, %llu used%s%s", w->n,
	    (unsigned long long)w->valid, (unsigned long long)w->records,
	    unit, (unsigned long long)w->committed,
	    w->why != NULL ? "; " : "", w->why != NULL ? w->why : "");
	if ((rc = event(r, f, key, text)) < 0 || !w->odd)
		return rc;
	return reg_tell_off(r->p, REG_PROBLEM_MALFORMED, f, w->why_off,
	    facts, 1);
}

int
regdb_about(struct regdb *r)
{
	const struct sqlitedb_about *a = sqlitedb_about(r->db);
	const char *name;
	char text[32];
	int rc;

	if (a->has_wal && (rc = about_log(r, r->wal, "write-ahead log",
	    "frames", &a->wal)) < 0)
		return rc;
	if (a->has_journal && (rc = about_log(r, r->journal,
	    "rollback journal", "records", &a->journal)) < 0)
		return rc;
	if (a->free_pages > 0) {
		(void)snprintf(text, sizeof(text), "%llu",
		    (unsigned long long)a->free_pages);
		if ((rc = event(r, r->f, "free pages", text)) < 0)
			return rc;
	}
	for (uint32_t i = 0; (name = sqlitedb_unused(r->db, i)) != NULL; i++)
		if ((rc = event(r, r->f, "trigger, view or virtual table",
		    name)) < 0)
			return rc;
	return 0;
}

/* --- rows --- */

/* Failures of the consumer pass through; the library's are told. */
struct rows {
	int (*each)(void *ctx, const struct sqlitedb_value *v);
	void *ctx;
	int rc;
};

static int
give(void *ctx, const struct sqlitedb_value *v)
{
	struct rows *rows = ctx;

	rows->rc = rows->each(rows->ctx, v);
	return rows->rc;
}

int
regdb_select(struct regdb *r, const char *table, const char *const *column,
    unsigned columns,
    int (*each)(void *ctx, const struct sqlitedb_value *v), void *ctx)
{
	struct rows rows = {each, ctx, 0};
	int rc = sqlitedb_select(r->db, table, column, columns, give, &rows,
	    r->p->e);

	if (rows.rc < 0)
		return rows.rc;
	if (rc == ERR_FORMAT || rc == ERR_LIMIT || rc == ERR_TRUNC) {
		rc = tell(r, rc, table);
		return rc < 0 ? rc : 0;
	}
	return rc;
}

struct mlflow_text
regdb_text(const struct sqlitedb_value *v, char buf[REGDB_TEXT])
{
	struct mlflow_text t = {v->p, v->n};

	if (v->type == SQLITEDB_NULL)
		t.p = NULL;
	if (v->type != SQLITEDB_REAL)
		return t;
	for (int digits = 15; digits <= 17; digits++) {
		t.n = (size_t)snprintf(buf, REGDB_TEXT, "%.*g", digits, v->d);
		if (strtod(buf, NULL) == v->d)
			break;
	}
	t.p = buf;
	return t;
}

void
regdb_set(struct reg_row *row, enum reg_column c,
    const struct sqlitedb_value *v)
{
	if (reg_columns[c].type != FIELD_TIME) {
		if (v->type != SQLITEDB_NULL && v->n > 0)
			fields_text(&row->v[c], v->p, v->n);
	} else if (v->type == SQLITEDB_INT || (v->type == SQLITEDB_REAL &&
	    fabs(v->d) < 0x1p62)) {
		regdoc_time(&row->v[c], v->type == SQLITEDB_INT ? v->i :
		    (int64_t)v->d);
	}
}
