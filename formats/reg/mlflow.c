#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/limits.h"
#include "base/text.h"
#include "formats/doc.h"
#include "formats/reg/mlflow.h"
#include "formats/reg/regtime.h"

/* A version, alias, run or logged model; unused texts are empty. */
struct mlflow_entry {
	struct mlflow_text model, name, run, model_id;
	uint64_t number;	/* 0: not a number */
	bool deleted;
	const struct reg_file *by;
};

void
mlflow_init(struct mlflow *m, struct reg_parse *p, const char *base, size_t n)
{
	memset(m, 0, sizeof(*m));
	m->p = p;
	m->keep = p->arena;
	m->base = (struct mlflow_text){base, n};
}

/* --- texts --- */

struct mlflow_text
mlflow_z(const char *s)
{
	return (struct mlflow_text){s, s != NULL ? strlen(s) : 0};
}

struct mlflow_text
mlflow_doc(const struct doc *d)
{
	struct mlflow_text t;

	t.p = doc_text(d, &t.n);
	return t;
}

struct mlflow_text
mlflow_copy(struct mlflow *m, struct mlflow_text t)
{
	if (t.p != NULL)
		t.p = arena_dup(m->keep, t.p, t.n);
	return t;
}

static int
compare(struct mlflow_text a, struct mlflow_text b)
{
	size_t n = a.n < b.n ? a.n : b.n;
	int r = n > 0 ? memcmp(a.p, b.p, n) : 0;

	return r != 0 ? r : (a.n > b.n) - (a.n < b.n);
}

bool
mlflow_same(struct mlflow_text a, struct mlflow_text b)
{
	return compare(a, b) == 0;
}

void
mlflow_set(struct reg_row *row, enum reg_column c, struct mlflow_text t)
{
	if (t.p != NULL && t.n > 0)
		fields_text(&row->v[c], t.p, t.n);
}

static bool
is(struct mlflow_text t, const char *s)
{
	return mlflow_same(t, mlflow_z(s));
}

bool
mlflow_deleted(struct mlflow_text stage)
{
	return is(stage, "Deleted_Internal");
}

bool
mlflow_is_id(struct mlflow_text t, bool logged)
{
	size_t skip = logged ? 2 : 0;

	if (t.n != skip + 32 || (logged && memcmp(t.p, "m-", 2) != 0))
		return false;
	for (size_t i = skip; i < t.n; i++)
		if ((t.p[i] < '0' || t.p[i] > '9') &&
		    (t.p[i] < 'a' || t.p[i] > 'f'))
			return false;
	return true;
}

void
mlflow_utc(struct field *f, struct mlflow_text t)
{
	char text[40];

	/* MLflow writes no zone; what has one is another's. */
	if (t.p == NULL || t.n >= sizeof(text))
		return;
	memcpy(text, t.p, t.n);
	text[t.n] = 'Z';
	regtime_set(f, text, t.n + 1);
}

bool
mlflow_tag(struct reg_row *row, struct mlflow_text key,
    struct mlflow_text value)
{
	if (is(key, "mlflow.user")) {
		if (!row->v[REG_USER].set)
			mlflow_set(row, REG_USER, value);
	} else if (is(key, "mlflow.source.git.commit")) {
		mlflow_set(row, REG_COMMIT, value);
	} else if (is(key, "mlflow.source.git.repoURL")) {
		mlflow_set(row, REG_REPOSITORY, value);
	} else {
		return false;
	}
	return true;
}

const char *
mlflow_run_status(int64_t n)
{
	static const char *const names[] = {NULL, "RUNNING", "SCHEDULED",
	    "FINISHED", "FAILED", "KILLED"};

	return n > 0 && n < 6 ? names[n] : NULL;
}

const char *
mlflow_model_status(int64_t n)
{
	static const char *const names[] = {NULL, "PENDING", "READY",
	    "FAILED"};

	return n > 0 && n < 4 ? names[n] : NULL;
}

/* --- artifacts --- */

static bool
exists(const struct reg_tree *t, const char *path, size_t n)
{
	size_t first, end;

	if (reg_find(t, path, n) != NULL)
		return true;
	reg_below(t, path, n, &first, &end);
	return first < end;
}

/*
 * The server's own path to its store is unknown, so the longest tail of the
 * address that lies below the base is taken, of two parts at least: the last
 * alone is "artifacts" or "model" everywhere.
 */
static struct mlflow_text
locate(struct mlflow *m, struct mlflow_text uri)
{
	char path[LIMIT_PATH];
	size_t n = m->base.n, parts = 0, best = 0;
	struct mlflow_text found = {NULL, 0};

	while (uri.n > 0 && uri.p[uri.n - 1] == '/')
		uri.n--;
	if (n + 1 >= sizeof(path) || uri.n >= sizeof(path) - n - 1)
		return found;
	if (n > 0) {
		memcpy(path, m->base.p, n);
		path[n++] = '/';
	}
	for (size_t i = uri.n; i-- > 0 && parts < 32;) {
		size_t tail = uri.n - i - 1;

		if (uri.p[i] != '/' || tail == 0 || ++parts < 2)
			continue;
		memcpy(path + n, uri.p + i + 1, tail);
		/* "//" before a host is no part of a path. */
		if (uri.p[i + 1] != '/' && exists(m->p->tree, path, n + tail))
			best = tail;
	}
	if (best == 0)
		return found;
	memcpy(path + n, uri.p + uri.n - best, best);
	return mlflow_copy(m, (struct mlflow_text){path, n + best});
}

void
mlflow_artifact(struct mlflow *m, struct reg_row *row, struct mlflow_text uri)
{
	mlflow_set(row, REG_ARTIFACT, uri);
	if (uri.p != NULL)
		mlflow_set(row, REG_MEMBER, locate(m, uri));
}

/* --- what fits together --- */

static int
add(struct mlflow *m, struct mlflow_list *l, struct mlflow_entry e)
{
	size_t cap = l->cap == 0 ? 32 : l->cap * 2;
	struct mlflow_entry *more;
	struct mlflow_text *const t[] = {&e.model, &e.name, &e.run,
	    &e.model_id};

	if (l->n == l->cap) {
		if ((more = arena_array(m->keep, cap, sizeof(*more))) == NULL)
			return err_set(m->p->e, ERR_NOMEM, "out of memory");
		if (l->n > 0)
			memcpy(more, l->v, l->n * sizeof(*more));
		l->v = more;
		l->cap = cap;
	}
	for (size_t i = 0; i < sizeof(t) / sizeof(*t); i++) {
		struct mlflow_text copy = mlflow_copy(m, *t[i]);

		if (t[i]->p != NULL && copy.p == NULL)
			return err_set(m->p->e, ERR_NOMEM, "out of memory");
		*t[i] = copy;
	}
	l->v[l->n++] = e;
	return 0;
}

static uint64_t
number(struct mlflow_text t)
{
	uint64_t v = 0;

	return t.p != NULL && text_u64(t.p, t.n, 10, INT32_MAX, &v) ? v : 0;
}

int
mlflow_version(struct mlflow *m, const struct mlflow_version *v)
{
	struct mlflow_entry e = {.model = v->model, .name = v->version,
	    .run = v->run, .model_id = v->model_id, .by = v->by,
	    .number = number(v->version),
	    .deleted = mlflow_deleted(v->stage)};

	return add(m, &m->versions, e);
}

int
mlflow_alias(struct mlflow *m, struct mlflow_text model,
    struct mlflow_text alias, struct mlflow_text version,
    const struct reg_file *by)
{
	struct mlflow_entry e = {.model = model, .name = alias,
	    .run = version, .number = number(version), .by = by};

	return add(m, &m->aliases, e);
}

int
mlflow_run(struct mlflow *m, struct mlflow_text id)
{
	struct mlflow_entry e = {.name = id};

	return add(m, &m->runs, e);
}

int
mlflow_logged(struct mlflow *m, struct mlflow_text id)
{
	struct mlflow_entry e = {.name = id};

	return add(m, &m->logged, e);
}

/* By model and number; runs and logged models by name. */
static int
order(const void *x, const void *y)
{
	const struct mlflow_entry *a = x, *b = y;
	int r = compare(a->model, b->model);

	if (r == 0)
		r = (a->number > b->number) - (a->number < b->number);
	return r != 0 ? r : compare(a->name, b->name);
}

/* Aliases by model and name. */
static int
order_alias(const void *x, const void *y)
{
	const struct mlflow_entry *a = x, *b = y;
	int r = compare(a->model, b->model);

	if (r == 0)
		r = compare(a->name, b->name);
	return r != 0 ? r : (a->number > b->number) - (a->number < b->number);
}

static void
sort(struct mlflow_list *l, int (*by)(const void *, const void *))
{
	if (l->n > 0)
		qsort(l->v, l->n, sizeof(*l->v), by);
}

static const struct mlflow_entry *
find(const struct mlflow_list *l, const struct mlflow_entry *key)
{
	return l->n == 0 ? NULL : bsearch(key, l->v, l->n, sizeof(*l->v),
	    order);
}

static struct reg_fact
fact(const char *key, struct mlflow_text t)
{
	return (struct reg_fact){key, t.p != NULL ? t.p : "", t.n};
}

/* Versions from ${from} to ${to} of a model are not there. */
static int
tell_hole(struct mlflow *m, const struct mlflow_entry *e, uint64_t from,
    uint64_t to)
{
	char text[48];
	int n = from == to ? snprintf(text, sizeof(text), "%llu",
	    (unsigned long long)from) : snprintf(text, sizeof(text),
	    "%llu to %llu", (unsigned long long)from, (unsigned long long)to);
	const struct reg_fact facts[] = {fact("model", e->model),
	    {"version", text, (size_t)n}, fact("reason",
	    mlflow_z("missing from the sequence"))};

	return reg_tell(m->p, REG_PROBLEM_DELETED, e->by, facts, 3);
}

static int
check_versions(struct mlflow *m)
{
	const struct mlflow_list *l = &m->versions;
	uint64_t next = 1;
	int r;

	for (size_t i = 0; i < l->n; i++) {
		const struct mlflow_entry *e = &l->v[i];
		const struct reg_fact facts[] = {fact("model", e->model),
		    fact("version", e->name), fact("reason",
		    mlflow_z("marked as deleted"))};

		if (i == 0 || !mlflow_same(l->v[i - 1].model, e->model))
			next = 1;
		if (e->number > next && (r = tell_hole(m, e, next,
		    e->number - 1)) < 0)
			return r;
		if (e->deleted && (r = reg_tell(m->p, REG_PROBLEM_DELETED,
		    e->by, facts, 3)) < 0)
			return r;
		if (e->number >= next)
			next = e->number + 1;
	}
	return 0;
}

/* The interface gives an alias twice: with its model, and its version. */
static int
check_twice(struct mlflow *m, const struct mlflow_entry *a,
    const struct mlflow_entry *b)
{
	const struct reg_fact facts[] = {fact("model", a->model),
	    fact("alias", a->name), fact("version", a->run),
	    fact("other", b->run), fact("reason",
	    mlflow_z("two versions have it"))};

	return mlflow_same(a->model, b->model) &&
	    mlflow_same(a->name, b->name) && !mlflow_same(a->run, b->run) ?
	    reg_tell(m->p, REG_PROBLEM_ALIAS, b->by, facts, 5) : 0;
}

static int
check_aliases(struct mlflow *m)
{
	int r;

	for (size_t i = 0; i < m->aliases.n; i++) {
		const struct mlflow_entry *e = &m->aliases.v[i];
		const struct mlflow_entry key = {.model = e->model,
		    .name = e->run, .number = e->number};
		const struct mlflow_entry *v = find(&m->versions, &key);
		const struct reg_fact facts[] = {fact("model", e->model),
		    fact("alias", e->name), fact("version", e->run),
		    fact("reason", mlflow_z("no such version"))};

		if (i > 0 && (r = check_twice(m, e - 1, e)) < 0)
			return r;
		if ((v == NULL || v->deleted) && (r = reg_tell(m->p,
		    REG_PROBLEM_ALIAS, e->by, facts, 4)) < 0)
			return r;
	}
	return 0;
}

/* Does the run, or the logged model, of a version exist? */
static int
check_origin(struct mlflow *m, const struct mlflow_entry *e,
    const struct mlflow_list *in, const char *what, struct mlflow_text id)
{
	const struct mlflow_entry key = {.name = id};
	const struct reg_fact facts[] = {fact("model", e->model),
	    fact("version", e->name), fact(what, id)};

	if (id.n == 0 || in->n == 0 || e->deleted || find(in, &key) != NULL)
		return 0;
	return reg_tell(m->p, REG_PROBLEM_MISSING, e->by, facts, 3);
}

int
mlflow_finish(struct mlflow *m)
{
	int r;

	sort(&m->versions, order);
	sort(&m->aliases, order_alias);
	sort(&m->runs, order);
	sort(&m->logged, order);
	if ((r = check_versions(m)) < 0 || (r = check_aliases(m)) < 0)
		return r;
	for (size_t i = 0; i < m->versions.n; i++) {
		const struct mlflow_entry *e = &m->versions.v[i];

		if ((r = check_origin(m, e, &m->runs, "run", e->run)) < 0 ||
		    (r = check_origin(m, e, &m->logged, "model_id",
		    e->model_id)) < 0)
			return r;
	}
	return 0;
}
