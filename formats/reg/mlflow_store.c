#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cursor.h"
#include "base/limits.h"
#include "base/text.h"
#include "formats/reg/mlflow_store.h"
#include "formats/reg/regdoc.h"

/* --- paths --- */

/* What is left of a path; take gives its next part. */
struct rest {
	const char *p;
	size_t n;
};

static struct mlflow_text
take(struct rest *r)
{
	const char *slash = r->n > 0 ? memchr(r->p, '/', r->n) : NULL;
	struct mlflow_text t = {r->p, slash != NULL ?
	    (size_t)(slash - r->p) : r->n};
	size_t skip = t.n + (slash != NULL);

	r->p += skip;
	r->n -= skip;
	return t;
}

static bool
is(struct mlflow_text t, const char *s)
{
	return mlflow_same(t, mlflow_z(s));
}

/* Exactly this file, and no folder of that name. */
static bool
ends(const struct rest *r, const char *name)
{
	return is((struct mlflow_text){r->p, r->n}, name);
}

static bool
is_number(struct mlflow_text t)
{
	uint64_t v;

	return t.n > 0 && text_u64(t.p, t.n, 10, UINT64_MAX, &v);
}

static bool
starts(struct mlflow_text t, const char *s)
{
	return t.n > strlen(s) && memcmp(t.p, s, strlen(s)) == 0;
}

static void
model_path(struct rest r, struct mlflow_path *ret)
{
	struct mlflow_text part;

	ret->part[MLFLOW_NAME] = take(&r);
	if (r.n == 0)
		return;
	ret->what = MLFLOW_STRAY;
	if (ends(&r, "meta.yaml")) {
		ret->what = MLFLOW_MODEL;
		return;
	}
	part = take(&r);
	if (starts(part, "version-")) {
		ret->part[MLFLOW_ID] = (struct mlflow_text){part.p + 8,
		    part.n - 8};
		if (ends(&r, "meta.yaml")) {
			ret->what = MLFLOW_VERSION;
			return;
		}
		part = take(&r);
	}
	ret->part[MLFLOW_KEY] = (struct mlflow_text){r.p, r.n};
	if (r.n > 0 && is(part, "tags"))
		ret->what = MLFLOW_MODEL_TAG;
	else if (r.n > 0 && is(part, "aliases") &&
	    ret->part[MLFLOW_ID].n == 0)
		ret->what = MLFLOW_ALIAS;
}

/* Of a run or a logged model, its folder behind us. */
static void
run_path(struct rest r, struct mlflow_path *ret)
{
	struct mlflow_text kind;

	if (ends(&r, "meta.yaml")) {
		ret->what = ret->logged ? MLFLOW_LOGGED : MLFLOW_RUN;
		return;
	}
	kind = take(&r);
	ret->part[MLFLOW_KEY] = (struct mlflow_text){r.p, r.n};
	if (r.n == 0)
		return;
	if (is(kind, "params"))
		ret->what = MLFLOW_PARAM;
	else if (is(kind, "tags"))
		ret->what = MLFLOW_TAG;
	else if (is(kind, "metrics"))
		ret->what = MLFLOW_METRIC;
	if (!is(kind, "inputs") && !is(kind, "outputs"))
		return;
	ret->part[MLFLOW_KEY] = take(&r);
	if (ends(&r, "meta.yaml"))
		ret->what = is(kind, "inputs") ? MLFLOW_INPUT :
		    MLFLOW_OUTPUT;
}

static void
experiment_path(struct rest r, struct mlflow_path *ret)
{
	struct mlflow_text part;

	if (ends(&r, "meta.yaml")) {
		ret->what = MLFLOW_EXPERIMENT_META;
		return;
	}
	part = take(&r);
	if (is(part, "tags") && r.n > 0) {
		ret->what = MLFLOW_EXPERIMENT_TAG;
		ret->part[MLFLOW_KEY] = (struct mlflow_text){r.p, r.n};
	} else if (is(part, "datasets") || is(part, "traces")) {
		ret->part[MLFLOW_ID] = take(&r);
		if (is(part, "datasets") && ends(&r, "meta.yaml"))
			ret->what = MLFLOW_DATASET;
		else if (is(part, "traces") && ends(&r, "trace_info.yaml"))
			ret->what = MLFLOW_TRACE;
	} else if (is(part, "models")) {
		ret->part[MLFLOW_ID] = take(&r);
		ret->logged = true;
		if (mlflow_is_id(ret->part[MLFLOW_ID], true))
			run_path(r, ret);
	} else if (mlflow_is_id(part, false)) {
		ret->part[MLFLOW_ID] = part;
		run_path(r, ret);
	}
}

void
mlflow_store_path(const struct reg_parse *p, const struct reg_file *f,
    struct mlflow_path *ret)
{
	struct mlflow_text part;
	struct rest r;

	memset(ret, 0, sizeof(*ret));
	r.p = reg_relative(p, f, &r.n);
	part = take(&r);
	if (is(part, ".trash")) {
		ret->trash = true;
		part = take(&r);
	} else if (is(part, "models")) {
		model_path(r, ret);
		return;
	}
	if (!is_number(part) || r.n == 0)
		return;
	ret->part[MLFLOW_EXPERIMENT] = part;
	experiment_path(r, ret);
}

/* The last part of path[0..*n), which is cut off. */
static struct mlflow_text
back(const char *path, size_t *n)
{
	const char *slash = *n > 0 ? memrchr(path, '/', *n) : NULL;
	size_t at = slash != NULL ? (size_t)(slash - path) + 1 : 0;
	struct mlflow_text t = {path + at, *n - at};

	*n = at > 0 ? at - 1 : 0;
	return t;
}

/*
 * Markers: an experiment's meta.yaml, or that of a version or a model of the
 * registry; meta.yaml alone is a name that others use as well.
 */
bool
mlflow_store_find(const struct reg_tree *t, const struct reg_file *f,
    size_t *root)
{
	struct mlflow_text part;
	size_t n = f->path_len;

	(void)t;
	if (f->type != REG_FILE || !is(back(f->path, &n), "meta.yaml") ||
	    n == 0)
		return false;
	part = back(f->path, &n);
	if (is_number(part)) {
		*root = n;
		part = back(f->path, &n);
		if (is(part, ".trash"))
			*root = n;
		return true;
	}
	if (starts(part, "version-") && is_number((struct mlflow_text){
	    part.p + 8, part.n - 8}))
		(void)back(f->path, &n);
	else if (mlflow_is_id(part, true))
		return false;
	if (!is(back(f->path, &n), "models"))
		return false;
	*root = n;
	return true;
}

/* --- aliases --- */

static int
disagree(struct mlflow *m, const struct reg_file *f,
    const struct mlflow_path *at, struct mlflow_text alias,
    struct mlflow_text file, struct mlflow_text meta)
{
	const struct reg_fact facts[] = {
	    {"model", at->part[MLFLOW_NAME].p, at->part[MLFLOW_NAME].n},
	    {"alias", alias.p, alias.n},
	    {"alias_file", file.p != NULL ? file.p : "", file.n},
	    {"meta", meta.p != NULL ? meta.p : "", meta.n}};

	return reg_tell(m->p, REG_PROBLEM_ALIAS, f, facts, 4);
}

/* The map has {alias: version}, or a list of {alias, version}. */
static const struct doc *
in_meta(const struct doc *list, struct mlflow_text alias)
{
	if (doc_is(list, DOC_MAP))
		return doc_keyn(list, alias.p, alias.n);
	for (const struct doc *k = doc_kids(list); k != NULL; k = k->next)
		if (mlflow_same(mlflow_doc(doc_key(k, "alias")), alias))
			return doc_key(k, "version");
	return NULL;
}

static int
check_file(struct mlflow *m, const struct reg_file *f,
    const struct mlflow_path *at, const struct doc *list)
{
	struct mlflow_path alias;
	struct mlflow_text file, meta;
	int r;

	mlflow_store_path(m->p, f, &alias);
	if (alias.what != MLFLOW_ALIAS)
		return 0;
	if ((r = reg_bytes(m->p, f, 4096, &file.p, &file.n)) != 0)
		return r < 0 ? r : 0;
	if (file.n > 0 && file.p[file.n - 1] == '\n')
		file.n--;
	meta = mlflow_doc(in_meta(list, alias.part[MLFLOW_KEY]));
	if (mlflow_same(file, meta))
		return 0;
	return disagree(m, f, at, alias.part[MLFLOW_KEY], file, meta);
}

int
mlflow_store_aliases(struct mlflow *m, const struct reg_file *f,
    const struct mlflow_path *at, const struct doc *d)
{
	const struct doc *list = doc_key(d, "aliases");
	size_t dir = f->path_len - strlen("/meta.yaml"), first, end;
	int r;

	/* Before there were aliases neither place had them. */
	if (list == NULL)
		return 0;
	reg_below(m->p->tree, f->path, dir, &first, &end);
	for (size_t i = first; i < end; i++)
		if ((r = check_file(m, &m->p->tree->file[i], at, list)) < 0)
			return r;
	for (const struct doc *k = doc_kids(list); k != NULL; k = k->next) {
		bool map = doc_is(list, DOC_MAP);
		struct mlflow_text alias = map ?
		    (struct mlflow_text){k->key, k->key_len} :
		    mlflow_doc(doc_key(k, "alias"));
		char path[LIMIT_PATH];
		int n = snprintf(path, sizeof(path), "%.*s/aliases/%.*s",
		    (int)dir, f->path, (int)alias.n, alias.p);

		if (alias.p == NULL || n < 0 || (size_t)n >= sizeof(path) ||
		    reg_find(m->p->tree, path, (size_t)n) != NULL)
			continue;
		if ((r = disagree(m, f, at, alias, (struct mlflow_text){NULL,
		    0}, mlflow_doc(map ? k : doc_key(k, "version")))) < 0)
			return r;
	}
	return 0;
}

/* --- metrics --- */

struct sample {
	struct mlflow_text value;
	int64_t time, step;
	double d;
};

static struct mlflow_text
word(struct cursor *line)
{
	size_t from = line->off;
	uint8_t c;

	while (cursor_peek(line, 0, &c) && c != ' ' && cursor_skip(line, 1))
		;
	return (struct mlflow_text){(const char *)line->buf + from,
	    line->off - from};
}

static bool
integer(struct mlflow_text t, int64_t *ret)
{
	bool minus = t.n > 0 && t.p[0] == '-';
	uint64_t v;

	if (!text_u64(t.p + minus, t.n - minus, 10, INT64_MAX, &v))
		return false;
	*ret = minus ? -(int64_t)v : (int64_t)v;
	return true;
}

/* "TIME VALUE", "TIME VALUE STEP", and more of a logged model. */
static bool
parse(struct cursor line, struct sample *s)
{
	char *end;

	if (!integer(word(&line), &s->time) || !cursor_skip(&line, 1))
		return false;
	s->value = word(&line);
	s->step = 0;
	if (s->value.n == 0 || s->value.n > 40)
		return false;
	if (cursor_skip(&line, 1) && !integer(word(&line), &s->step))
		return false;
	s->d = strtod(s->value.p, &end);
	return end == s->value.p + s->value.n;
}

static bool
later(const struct sample *a, const struct sample *b)
{
	if (a->step != b->step)
		return a->step > b->step;
	if (a->time != b->time)
		return a->time > b->time;
	return a->d > b->d;
}

int
mlflow_store_metric(struct reg_parse *p, const struct reg_file *f,
    struct reg_row *row, struct mlflow_text *text)
{
	struct sample s, last = {.time = 0};
	struct cursor c, line;
	bool any = false;
	uint64_t off;

	cursor_init(&c, (const uint8_t *)text->p, text->n, 0);
	while (!cursor_at_end(&c)) {
		off = cursor_tell(&c);
		if (!cursor_line(&c, '\n', &line) &&
		    !cursor_sub(&c, cursor_left(&c), &line))
			break;
		if (!parse(line, &s)) {
			struct reg_fact why = regdoc_says("reason",
			    "not a line of a metric");
			int r = reg_tell_off(p, REG_PROBLEM_MALFORMED, f, off,
			    &why, 1);

			return r < 0 ? r : 1;
		}
		if (!any || later(&s, &last))
			last = s;
		any = true;
	}
	if (!any) {
		*text = (struct mlflow_text){"", 0};
		return 0;
	}
	*text = last.value;
	regdoc_time(&row->v[REG_UPDATED], last.time);
	return 0;
}
