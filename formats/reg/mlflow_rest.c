#include <stdio.h>
#include <string.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/limits.h"
#include "formats/reg/mlflow_page.h"
#include "formats/reg/regdoc.h"

/*
 * Pages of MLflow's REST interface as they came over the wire:
 *
 *	mlflow-rest/walk-1/ENDPOINT/NNNN.json
 *	mlflow-rest/walk-2/ENDPOINT/NNNN.json
 *
 * ENDPOINT is the path of the call below /api/2.0/mlflow/
 * ("model-versions/search"), NNNN counts its pages.  The interface pages by
 * offset, and a row that comes or goes meanwhile shifts all others, so
 * everything is asked for twice: rows are made from the first walk, and where
 * the second has other bytes that is told.  A last page that promises another
 * is told too.
 *
 * Files of mlflow-export-import (model.json, run.json, experiment.json) hold
 * the same objects and are read as well.
 */
static const char folder[] = "mlflow-rest";

/* The part ${name} of the path: the offset behind it, or 0. */
static size_t
behind_part(const struct reg_file *f, const char *name)
{
	size_t n = strlen(name), at = 0;

	while (at < f->path_len) {
		const char *slash = memchr(f->path + at, '/',
		    f->path_len - at);
		size_t end = slash != NULL ? (size_t)(slash - f->path) : 0;

		if (slash == NULL)
			return 0;
		if (end - at == n && memcmp(f->path + at, name, n) == 0)
			return end;
		at = end + 1;
	}
	return 0;
}

/* The export tools say what they are within the first lines. */
static bool
is_export(const struct reg_tree *t, const struct reg_file *f)
{
	static const char *const names[] = {"model.json", "run.json",
	    "experiment.json"};
	char head[1024];
	size_t n, got;
	const char *name = reg_name(f, &n);
	bool named = false;

	for (size_t i = 0; i < 3; i++)
		named |= n == strlen(names[i]) &&
		    memcmp(name, names[i], n) == 0;
	if (!named || f->absent || f->type != REG_FILE)
		return false;
	return !reg_peek(t, f, head, sizeof(head), &got) ||
	    memmem(head, got, "\"mlflow_version\"", 16) != NULL ||
	    memmem(head, got, "\"mlflow\"", 8) != NULL;
}

static bool
rest_find(const struct reg_tree *t, const struct reg_file *f, size_t *root)
{
	size_t n;

	if (!reg_ends(f, ".json"))
		return false;
	if ((*root = behind_part(f, folder)) > 0)
		return true;
	(void)reg_name(f, &n);
	*root = f->path_len > n ? f->path_len - n - 1 : 0;
	return is_export(t, f);
}

/* --- two walks --- */

static int
tell_walks(struct reg_parse *p, const struct reg_file *f, const char *reason)
{
	const struct reg_fact fact = regdoc_says("reason", reason);

	return reg_tell(p, REG_PROBLEM_DISAGREES, f, &fact, 1);
}

/* The page of the other walk; NULL when it is not there. */
static const struct reg_file *
twin(struct reg_parse *p, const struct reg_file *f, char walk)
{
	char path[LIMIT_PATH];
	size_t n, at;
	const char *rel = reg_relative(p, f, &n);

	at = (size_t)(rel - f->path);
	if (f->path_len >= sizeof(path) || n < 7)
		return NULL;
	memcpy(path, f->path, f->path_len);
	path[at + 5] = walk;
	return reg_find(p->tree, path, f->path_len);
}

static int
compare(struct reg_parse *p, const struct reg_file *f)
{
	const struct reg_file *one = twin(p, f, '1');
	struct mlflow_text a, b;
	int r;

	if (one == NULL)
		return tell_walks(p, f, "only in the second walk");
	if ((r = reg_bytes(p, one, LIMIT_REG_DOCUMENT, &a.p, &a.n)) != 0 ||
	    (r = reg_bytes(p, f, LIMIT_REG_DOCUMENT, &b.p, &b.n)) != 0)
		return r;
	return mlflow_same(a, b) ? 0 :
	    tell_walks(p, f, "the two walks differ");
}

/* Do both files belong to the same call? */
static bool
same_call(const struct reg_file *a, const struct reg_file *b)
{
	size_t n, m;

	(void)reg_name(a, &n);
	(void)reg_name(b, &m);
	return a->path_len - n == b->path_len - m &&
	    memcmp(a->path, b->path, a->path_len - n) == 0;
}

static int
check_end(struct reg_parse *p, const struct reg_file *f,
    const struct reg_file *next, const struct doc *d)
{
	const struct reg_fact fact = regdoc_says("reason",
	    "the page behind this one");

	if (mlflow_doc(doc_key(d, "next_page_token")).n == 0 ||
	    (next != NULL && same_call(f, next)))
		return 0;
	return reg_tell(p, REG_PROBLEM_MISSING, f, &fact, 1);
}

static bool
in_walk(struct reg_parse *p, const struct reg_file *f, char walk)
{
	size_t n;
	const char *rel = reg_relative(p, f, &n);

	return n > 7 && memcmp(rel, "walk-", 5) == 0 && rel[5] == walk &&
	    rel[6] == '/';
}

static int
read_page(struct mlflow_page *g, const struct reg_file *f,
    const struct reg_file *next)
{
	const struct doc *d;
	int r;

	if (in_walk(g->p, f, '2'))
		return compare(g->p, f);
	if ((r = regdoc_json(g->p, f, &d)) != 0)
		return r;
	g->f = f;
	if ((r = mlflow_page_read(g, d)) < 0)
		return r;
	if (!in_walk(g->p, f, '1'))
		return 0;
	if (twin(g->p, f, '2') == NULL) {
		size_t first, end;
		char path[LIMIT_PATH];
		int n = snprintf(path, sizeof(path), "%.*s/walk-2",
		    (int)g->p->root_len, g->p->root);

		/* Unless there was no second walk at all. */
		if (n > 0 && (size_t)n < sizeof(path)) {
			reg_below(g->p->tree, path, (size_t)n, &first, &end);
			if (first < end && (r = tell_walks(g->p, f,
			    "only in the first walk")) < 0)
				return r;
		}
	}
	return check_end(g->p, f, next, d);
}

/* Only the folder's own files when it is an export. */
static bool
belongs(struct reg_parse *p, const struct reg_file *f, bool pages)
{
	size_t n, name;

	if (f->type != REG_FILE || !reg_ends(f, ".json"))
		return false;
	(void)reg_relative(p, f, &n);
	(void)reg_name(f, &name);
	return pages || (n == name && is_export(p->tree, f));
}

static int
rest_read(struct reg_parse *p)
{
	bool pages = p->root_len >= strlen(folder) && memcmp(p->root +
	    p->root_len - strlen(folder), folder, strlen(folder)) == 0;
	struct mlflow_page g = {.p = p};
	struct arena *keep = p->arena;
	size_t first, end;
	int r = 0;

	mlflow_init(&g.m, p, p->root, p->root_len);
	reg_below(p->tree, p->root, p->root_len, &first, &end);
	for (size_t i = first; i < end && r >= 0; i++) {
		const struct reg_file *f = &p->tree->file[i];

		if (!belongs(p, f, pages))
			continue;
		if ((p->arena = arena_new(8 * LIMIT_REG_DOCUMENT)) == NULL) {
			p->arena = keep;
			return err_set(p->e, ERR_NOMEM, "out of memory");
		}
		r = read_page(&g, f, i + 1 < end ? f + 1 : NULL);
		arena_free(p->arena);
		p->arena = keep;
	}
	/* An export is of what was asked for: other runs may exist. */
	if (!pages)
		g.m.runs.n = 0;
	return r < 0 ? r : mlflow_finish(&g.m);
}

const struct reg_reader reg_mlflow_rest = {
    .id = "mlflow-rest",
    .find = rest_find,
    .read = rest_read,
};
