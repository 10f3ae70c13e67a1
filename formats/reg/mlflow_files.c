#include <stdio.h>
#include <string.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/limits.h"
#include "formats/reg/mlflow_files.h"
#include "formats/reg/regdoc.h"

/*
 * MLflow's file store: a folder with one folder for each experiment (decimal)
 * and, for the registry, models/NAME/version-N.  Everything is a file of its
 * own: meta.yaml for what a thing is, and one file each for a tag, a param, a
 * metric.  mlflow_store.h says which file is what; here each becomes a row.
 *
 * What is written twice is compared: aliases (a file each, and a map in the
 * model's meta.yaml), names and ids (of the folder, and in its meta.yaml),
 * who made a run (user_id, and the tag mlflow.user).  An editor of one place
 * often forgets the other.
 */

/* Documents and values of one file; the store's own arena is for the end. */
#define FILE_ARENA (8 * LIMIT_REG_DOCUMENT)
/* A param, a tag or the last values of a metric. */
#define VALUE_MAX (4 * MIB)

/* What the folder says, and what the file in it says. */
int
mlflow_files_compare(struct mlflow_files *s, const struct reg_file *f,
    const char *what, struct mlflow_text folder, const struct doc *d)
{
	const struct mlflow_text says = mlflow_doc(d);
	const struct reg_fact facts[] = {regdoc_says("key", what),
	    {"folder", folder.p, folder.n}, regdoc_fact("found", d)};

	if (says.p == NULL || mlflow_same(says, folder))
		return 0;
	return reg_tell_off(s->p, REG_PROBLEM_DISAGREES, f, d->off, facts, 3);
}

static const char *
status(const struct doc *d, const char *(*name)(int64_t n))
{
	int64_t n;

	return doc_is(d, DOC_INT) && doc_i64(d, &n) ? name(n) : NULL;
}

void
mlflow_files_status(struct reg_row *row, const struct doc *d,
    const char *(*name)(int64_t n))
{
	const char *known = status(d, name);

	if (known != NULL)
		reg_set(row, REG_STATUS, known);
	else
		regdoc_text(&row->v[REG_STATUS], d);
}

/* A small file, the line end behind a value left out as MLflow does. */
int
mlflow_files_value(struct mlflow_files *s, const struct reg_file *f,
    struct mlflow_text *ret)
{
	int r = reg_bytes(s->p, f, VALUE_MAX, &ret->p, &ret->n);

	if (r == 0 && ret->n > 0 && ret->p[ret->n - 1] == '\n')
		ret->n--;
	return r;
}

int
mlflow_files_send(struct mlflow_files *s, struct reg_row *row, const char *type,
    struct mlflow_text key, struct mlflow_text text)
{
	reg_set(row, REG_TYPE, type);
	mlflow_set(row, REG_KEY, key);
	fields_text(&row->v[REG_VALUE], text.p, text.n);
	return reg_send(s->p, row);
}

/* --- registered models --- */

static int
read_model(struct mlflow_files *s, const struct reg_file *f,
    const struct mlflow_path *at)
{
	const struct doc *d;
	struct reg_row row;
	int r;

	if ((r = regdoc_yaml(s->p, f, &d)) != 0)
		return r;
	reg_row_init(s->p, f, &row);
	reg_set(&row, REG_TYPE, "model");
	mlflow_set(&row, REG_MODEL, at->part[MLFLOW_NAME]);
	regdoc_ms(&row.v[REG_CREATED], doc_key(d, "creation_timestamp"));
	regdoc_ms(&row.v[REG_UPDATED], doc_key(d, "last_updated_timestamp"));
	regdoc_text(&row.v[REG_DESCRIPTION], doc_key(d, "description"));
	if ((r = reg_send(s->p, &row)) < 0 ||
	    (r = mlflow_files_compare(s, f, "name",
	    at->part[MLFLOW_NAME], doc_key(d, "name"))) < 0)
		return r;
	return mlflow_store_aliases(&s->m, f, at, d);
}

static int
read_version(struct mlflow_files *s, const struct reg_file *f,
    const struct mlflow_path *at)
{
	struct mlflow_version v = {.by = f,
	    .model = at->part[MLFLOW_NAME],
	    .version = at->part[MLFLOW_ID]};
	struct mlflow_text place;
	const struct doc *d;
	struct reg_row row;
	int r;

	if ((r = regdoc_yaml(s->p, f, &d)) != 0)
		return r < 0 ? r : mlflow_version(&s->m, &v);
	v.stage = mlflow_doc(doc_key(d, "current_stage"));
	v.run = mlflow_doc(doc_key(d, "run_id"));
	v.model_id = mlflow_doc(doc_key(d, "model_id"));
	reg_row_init(s->p, f, &row);
	reg_set(&row, REG_TYPE, "version");
	mlflow_set(&row, REG_MODEL, v.model);
	mlflow_set(&row, REG_VERSION, v.version);
	mlflow_set(&row, REG_STAGE, v.stage);
	mlflow_files_status(&row, doc_key(d, "status"), mlflow_model_status);
	mlflow_set(&row, REG_RUN, v.run);
	regdoc_text(&row.v[REG_USER], doc_key(d, "user_id"));
	regdoc_ms(&row.v[REG_CREATED], doc_key(d, "creation_timestamp"));
	regdoc_ms(&row.v[REG_UPDATED], doc_key(d, "last_updated_timestamp"));
	regdoc_text(&row.v[REG_DESCRIPTION], doc_key(d, "description"));
	place = mlflow_doc(doc_key(d, "storage_location"));
	mlflow_artifact(&s->m, &row, place.n > 0 ? place :
	    mlflow_doc(doc_key(d, "source")));
	if (mlflow_doc(doc_key(d, "source")).n > 0) {
		reg_set(&row, REG_KEY, "source");
		regdoc_text(&row.v[REG_VALUE], doc_key(d, "source"));
	}
	if ((r = reg_send(s->p, &row)) < 0 ||
	    (r = mlflow_files_compare(s, f, "name", v.model,
	    doc_key(d, "name"))) < 0 ||
	    (r = mlflow_files_compare(s, f, "version", v.version,
	    doc_key(d, "version"))) < 0)
		return r;
	return mlflow_version(&s->m, &v);
}

static int
read_alias(struct mlflow_files *s, const struct reg_file *f,
    const struct mlflow_path *at)
{
	struct mlflow_text version;
	struct reg_row row;
	int r;

	if ((r = mlflow_files_value(s, f, &version)) != 0)
		return r;
	reg_row_init(s->p, f, &row);
	reg_set(&row, REG_TYPE, "alias");
	mlflow_set(&row, REG_MODEL, at->part[MLFLOW_NAME]);
	mlflow_set(&row, REG_ALIAS, at->part[MLFLOW_KEY]);
	mlflow_set(&row, REG_VERSION, version);
	if ((r = reg_send(s->p, &row)) < 0)
		return r;
	return mlflow_alias(&s->m, at->part[MLFLOW_NAME],
	    at->part[MLFLOW_KEY], version, f);
}

static int
read_model_tag(struct mlflow_files *s, const struct reg_file *f,
    const struct mlflow_path *at)
{
	struct mlflow_text text;
	struct reg_row row;
	int r;

	if ((r = mlflow_files_value(s, f, &text)) != 0)
		return r;
	reg_row_init(s->p, f, &row);
	mlflow_set(&row, REG_MODEL, at->part[MLFLOW_NAME]);
	mlflow_set(&row, REG_VERSION, at->part[MLFLOW_ID]);
	return mlflow_files_send(s, &row, "tag", at->part[MLFLOW_KEY], text);
}

static int
read_stray(struct mlflow_files *s, const struct reg_file *f,
    const struct mlflow_path *at)
{
	const struct reg_fact facts[] = {{"model", at->part[MLFLOW_NAME].p,
	    at->part[MLFLOW_NAME].n}};

	return reg_tell(s->p, REG_PROBLEM_EXTRA, f, facts, 1);
}

/* --- the store --- */

static int
end_experiment(struct mlflow_files *s)
{
	char text[24];
	int n = snprintf(text, sizeof(text), "%llu",
	    (unsigned long long)s->traces);
	struct reg_row row;

	if (s->traces == 0)
		return 0;
	reg_row_init(s->p, s->trace, &row);
	reg_set(&row, REG_TYPE, "event");
	mlflow_set(&row, REG_EXPERIMENT, s->experiment);
	reg_set(&row, REG_KEY, "traces");
	fields_text(&row.v[REG_VALUE], text, (size_t)n);
	s->traces = 0;
	return reg_send(s->p, &row);
}

/* Rows of runs carry the experiment's name, which sorts behind them. */
static int
enter_experiment(struct mlflow_files *s, const struct reg_file *f,
    const struct mlflow_path *at)
{
	struct mlflow_text id = at->part[MLFLOW_EXPERIMENT];
	const struct reg_file *meta;
	const struct doc *d;
	char path[LIMIT_PATH];
	int n, r;

	if (mlflow_same(id, s->current))
		return 0;
	if ((r = end_experiment(s)) < 0)
		return r;
	s->current = id;
	s->experiment = id;
	if (id.n == 0)
		return 0;
	n = snprintf(path, sizeof(path), "%.*s/meta.yaml",
	    (int)(id.p + id.n - f->path), f->path);
	if (n < 0 || (size_t)n >= sizeof(path) ||
	    (meta = reg_find(s->p->tree, path, (size_t)n)) == NULL ||
	    (r = regdoc_yaml(s->p, meta, &d)) > 0)
		return 0;
	if (r < 0)
		return r;
	if (mlflow_doc(doc_key(d, "name")).n > 0)
		s->experiment = mlflow_copy(&s->m,
		    mlflow_doc(doc_key(d, "name")));
	return 0;
}

static int
read_file(struct mlflow_files *s, const struct reg_file *f)
{
	static mlflow_files_read *const read[] = {
	    [MLFLOW_MODEL] = read_model,
	    [MLFLOW_VERSION] = read_version,
	    [MLFLOW_ALIAS] = read_alias,
	    [MLFLOW_MODEL_TAG] = read_model_tag,
	    [MLFLOW_STRAY] = read_stray,
	    [MLFLOW_EXPERIMENT_META] = mlflow_runs_experiment,
	    [MLFLOW_EXPERIMENT_TAG] = mlflow_runs_key,
	    [MLFLOW_RUN] = mlflow_runs_run,
	    [MLFLOW_LOGGED] = mlflow_runs_logged,
	    [MLFLOW_DATASET] = mlflow_runs_dataset,
	    [MLFLOW_INPUT] = mlflow_runs_dataset,
	    [MLFLOW_OUTPUT] = mlflow_runs_output,
	    [MLFLOW_PARAM] = mlflow_runs_key,
	    [MLFLOW_TAG] = mlflow_runs_key,
	    [MLFLOW_METRIC] = mlflow_runs_key,
	};
	struct mlflow_path at;
	int r;

	mlflow_store_path(s->p, f, &at);
	if (at.what == MLFLOW_OTHER)
		return 0;
	if ((r = enter_experiment(s, f, &at)) < 0)
		return r;
	if (at.what == MLFLOW_TRACE) {
		s->traces++;
		s->trace = f;
		return 0;
	}
	return read[at.what](s, f, &at);
}

static int
files_read(struct reg_parse *p)
{
	struct mlflow_files s = {.p = p};
	struct arena *keep = p->arena;
	size_t first, end;
	int r = 0;

	mlflow_init(&s.m, p, p->root, p->root_len);
	reg_below(p->tree, p->root, p->root_len, &first, &end);
	for (size_t i = first; i < end && r >= 0; i++) {
		if (p->tree->file[i].type != REG_FILE)
			continue;
		if ((p->arena = arena_new(FILE_ARENA)) == NULL) {
			p->arena = keep;
			return err_set(p->e, ERR_NOMEM, "out of memory");
		}
		r = read_file(&s, &p->tree->file[i]);
		arena_free(p->arena);
		p->arena = keep;
	}
	if (r < 0 || (r = end_experiment(&s)) < 0)
		return r;
	return mlflow_finish(&s.m);
}

const struct reg_reader reg_mlflow_files = {
    .id = "mlflow-files",
    .find = mlflow_store_find,
    .read = files_read,
};
