#include <string.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/limits.h"
#include "formats/reg/mlflow_db.h"

/*
 * MLflow's SQLite back end.  Its schema has grown since 2019 (aliases 2.3,
 * data sets 2.4, logged models 3.0, a workspace in every key since 2026), and
 * alembic_version is a claim like any other: every table is asked for the
 * columns that are known from any generation, and what a table lacks is
 * null.
 *
 * Most tables are mapped column by column (simple[] below).  Runs get their
 * experiment's name and what their tags say about who and from which commit;
 * so the tags are read before, those three keys of them.  A registered name
 * of another workspace than "default" is written WORKSPACE/NAME; a name
 * cannot have a slash.
 *
 * Secrets are named, never shown.
 */
static const char *const tag_keys[3] = {"mlflow.user",
    "mlflow.source.git.commit", "mlflow.source.git.repoURL"};

/* --- look-ups --- */

int
mlflow_db_put(struct mlflow_db *d, struct regdict *to,
    const struct sqlitedb_value *key, struct mlflow_text value,
    struct mlflow_text more)
{
	return regdict_put(to, d->m.keep, mlflow_db_text(key), value, more,
	    d->r.p->e);
}

struct regdict_pair *
mlflow_db_get(const struct regdict *d, const struct sqlitedb_value *key)
{
	return key->type == SQLITEDB_NULL ? NULL :
	    regdict_get(d, mlflow_db_text(key));
}

struct mlflow_text
mlflow_db_text(const struct sqlitedb_value *v)
{
	return (struct mlflow_text){v->type == SQLITEDB_NULL ? NULL : v->p,
	    v->n};
}

/* NAME, or WORKSPACE/NAME. */
struct mlflow_text
mlflow_db_model(struct mlflow_db *d, const struct sqlitedb_value *name,
    const struct sqlitedb_value *space)
{
	char *p;

	if (space->n == 0 || name->n == 0 || (space->n == 7 &&
	    memcmp(space->p, "default", 7) == 0))
		return mlflow_db_text(name);
	if ((p = arena_alloc(d->m.keep, space->n + name->n + 1)) == NULL)
		return mlflow_db_text(name);
	memcpy(p, space->p, space->n);
	p[space->n] = '/';
	memcpy(p + space->n + 1, name->p, name->n);
	return (struct mlflow_text){p, space->n + name->n + 1};
}

/* The experiment's name, or its number when it has none. */
void
mlflow_db_experiment(struct mlflow_db *d, struct reg_row *row,
    const struct sqlitedb_value *id)
{
	const struct regdict_pair *e = mlflow_db_get(&d->experiments, id);

	if (e != NULL && e->value.n > 0)
		mlflow_set(row, REG_EXPERIMENT, e->value);
	else
		regdb_set(row, REG_EXPERIMENT, id);
}

void
mlflow_db_begin(struct mlflow_db *d, struct reg_row *row, const char *type)
{
	reg_row_init(d->r.p, d->r.f, row);
	reg_set(row, REG_TYPE, type);
}

static void
set_status(struct reg_row *row, const struct sqlitedb_value *v,
    const char *(*name)(int64_t n))
{
	const char *known = v->type == SQLITEDB_INT ? name(v->i) : NULL;

	if (known != NULL)
		reg_set(row, REG_STATUS, known);
	else
		regdb_set(row, REG_STATUS, v);
}

/* --- experiments and runs --- */

static const char *const experiment_columns[] = {"experiment_id", "name",
    "lifecycle_stage", "artifact_location", "creation_time",
    "last_update_time", "workspace"};

static int
each_experiment(void *ctx, const struct sqlitedb_value *v)
{
	struct mlflow_text name;
	struct mlflow_db *d = ctx;
	struct reg_row row;
	int r;

	name = mlflow_db_model(d, &v[1], &v[6]);
	if ((r = mlflow_db_put(d, &d->experiments, &v[0], name,
	    mlflow_z(NULL))) < 0)
		return r;
	mlflow_db_begin(d, &row, "experiment");
	mlflow_set(&row, REG_EXPERIMENT, name);
	regdb_set(&row, REG_STAGE, &v[2]);
	regdb_set(&row, REG_ARTIFACT, &v[3]);
	regdb_set(&row, REG_CREATED, &v[4]);
	regdb_set(&row, REG_UPDATED, &v[5]);
	reg_set(&row, REG_KEY, "experiment_id");
	regdb_set(&row, REG_VALUE, &v[0]);
	return reg_send(d->r.p, &row);
}

static const char *const tag_columns[] = {"key", "value", "run_uuid"};

static int
each_tag(void *ctx, const struct sqlitedb_value *v)
{
	struct mlflow_db *d = ctx;

	for (size_t i = 0; i < 3; i++)
		if (mlflow_same(mlflow_db_text(&v[0]), mlflow_z(tag_keys[i])))
			return mlflow_db_put(d, &d->tags[i], &v[2],
			    mlflow_db_text(&v[1]), mlflow_z(NULL));
	return 0;
}

static const char *const run_columns[] = {"run_uuid", "name", "status",
    "lifecycle_stage", "user_id", "start_time", "end_time", "artifact_uri",
    "experiment_id", "source_version"};

static int
each_run(void *ctx, const struct sqlitedb_value *v)
{
	struct mlflow_db *d = ctx;
	const struct regdict_pair *tag, *user = mlflow_db_get(&d->tags[0],
	    &v[0]);
	struct reg_row row;
	int r;

	mlflow_db_begin(d, &row, "run");
	regdb_set(&row, REG_RUN, &v[0]);
	mlflow_db_experiment(d, &row, &v[8]);
	set_status(&row, &v[2], mlflow_run_status);
	regdb_set(&row, REG_STAGE, &v[3]);
	regdb_set(&row, REG_USER, &v[4]);
	regdb_set(&row, REG_CREATED, &v[5]);
	regdb_set(&row, REG_UPDATED, &v[6]);
	/* Before there were tags the commit was a column. */
	regdb_set(&row, REG_COMMIT, &v[9]);
	mlflow_artifact(&d->m, &row, mlflow_db_text(&v[7]));
	if (v[1].n > 0) {
		reg_set(&row, REG_KEY, "run_name");
		regdb_set(&row, REG_VALUE, &v[1]);
	}
	for (size_t i = 0; i < 3; i++)
		if ((tag = mlflow_db_get(&d->tags[i], &v[0])) != NULL)
			(void)mlflow_tag(&row, mlflow_z(tag_keys[i]),
			    tag->value);
	if ((r = reg_send(d->r.p, &row)) < 0)
		return r;
	if (user != NULL && v[4].n > 0 &&
	    !mlflow_same(user->value, mlflow_db_text(&v[4]))) {
		const struct reg_fact facts[] = {{"key", "user", 4},
		    {"run", v[0].p, v[0].n}, {"user_id", v[4].p, v[4].n},
		    {"tag", user->value.p, user->value.n}};

		if ((r = reg_tell(d->r.p, REG_PROBLEM_DISAGREES, d->r.f,
		    facts, 4)) < 0)
			return r;
	}
	return mlflow_run(&d->m, mlflow_db_text(&v[0]));
}

/* --- the registry --- */

static const char *const version_columns[] = {"name", "version",
    "creation_time", "last_updated_time", "description", "user_id",
    "current_stage", "source", "run_id", "status", "storage_location",
    "workspace"};

static int
each_version(void *ctx, const struct sqlitedb_value *v)
{
	struct mlflow_db *d = ctx;
	struct mlflow_version is = {.model = mlflow_db_model(d, &v[0], &v[11]),
	    .version = mlflow_db_text(&v[1]), .stage = mlflow_db_text(&v[6]),
	    .run = mlflow_db_text(&v[8]), .by = d->r.f};
	struct reg_row row;
	int r;

	if (v[7].n > 10 && memcmp(v[7].p, "models:/m-", 10) == 0)
		is.model_id = (struct mlflow_text){v[7].p + 8, v[7].n - 8};
	mlflow_db_begin(d, &row, "version");
	mlflow_set(&row, REG_MODEL, is.model);
	mlflow_set(&row, REG_VERSION, is.version);
	mlflow_set(&row, REG_STAGE, is.stage);
	mlflow_set(&row, REG_RUN, is.run);
	set_status(&row, &v[9], mlflow_model_status);
	regdb_set(&row, REG_CREATED, &v[2]);
	regdb_set(&row, REG_UPDATED, &v[3]);
	regdb_set(&row, REG_DESCRIPTION, &v[4]);
	regdb_set(&row, REG_USER, &v[5]);
	mlflow_artifact(&d->m, &row, mlflow_db_text(v[10].n > 0 ? &v[10] :
	    &v[7]));
	if (v[7].n > 0) {
		reg_set(&row, REG_KEY, "source");
		regdb_set(&row, REG_VALUE, &v[7]);
	}
	if ((r = reg_send(d->r.p, &row)) < 0)
		return r;
	return mlflow_version(&d->m, &is);
}

static const char *const alias_columns[] = {"name", "alias", "version",
    "workspace"};

static int
each_alias(void *ctx, const struct sqlitedb_value *v)
{
	struct mlflow_db *d = ctx;
	struct mlflow_text model = mlflow_db_model(d, &v[0], &v[3]);
	struct reg_row row;
	int r;

	mlflow_db_begin(d, &row, "alias");
	mlflow_set(&row, REG_MODEL, model);
	regdb_set(&row, REG_ALIAS, &v[1]);
	regdb_set(&row, REG_VERSION, &v[2]);
	if ((r = reg_send(d->r.p, &row)) < 0)
		return r;
	return mlflow_alias(&d->m, model, mlflow_db_text(&v[1]),
	    mlflow_db_text(&v[2]), d->r.f);
}

static const char *const logged_columns[] = {"model_id", "experiment_id",
    "name", "artifact_location", "creation_timestamp_ms",
    "last_updated_timestamp_ms", "status", "lifecycle_stage",
    "source_run_id"};

static int
each_logged(void *ctx, const struct sqlitedb_value *v)
{
	struct mlflow_db *d = ctx;
	struct reg_row row;
	int r;

	mlflow_db_begin(d, &row, "artifact");
	mlflow_db_experiment(d, &row, &v[1]);
	reg_set(&row, REG_KEY, "model_id");
	regdb_set(&row, REG_VALUE, &v[0]);
	regdb_set(&row, REG_DESCRIPTION, &v[2]);
	mlflow_artifact(&d->m, &row, mlflow_db_text(&v[3]));
	regdb_set(&row, REG_CREATED, &v[4]);
	regdb_set(&row, REG_UPDATED, &v[5]);
	set_status(&row, &v[6], mlflow_model_status);
	regdb_set(&row, REG_STAGE, &v[7]);
	regdb_set(&row, REG_RUN, &v[8]);
	if ((r = reg_send(d->r.p, &row)) < 0)
		return r;
	return mlflow_logged(&d->m, mlflow_db_text(&v[0]));
}

/* --- the database --- */

static const char *const model_columns[] = {"name", "creation_time",
    "last_updated_time", "description", "workspace"};

static int
each_model(void *ctx, const struct sqlitedb_value *v)
{
	struct mlflow_db *d = ctx;
	struct reg_row row;

	mlflow_db_begin(d, &row, "model");
	mlflow_set(&row, REG_MODEL, mlflow_db_model(d, &v[0], &v[4]));
	regdb_set(&row, REG_CREATED, &v[1]);
	regdb_set(&row, REG_UPDATED, &v[2]);
	regdb_set(&row, REG_DESCRIPTION, &v[3]);
	return reg_send(d->r.p, &row);
}

static int
read_tables(struct mlflow_db *d)
{
	int r;

	if ((r = MLFLOW_DB_SELECT(d, "experiments", experiment_columns,
	    each_experiment)) < 0)
		return r;
	regdict_sort(&d->experiments);
	if ((r = MLFLOW_DB_SELECT(d, "tags", tag_columns, each_tag)) < 0)
		return r;
	for (size_t i = 0; i < 3; i++)
		regdict_sort(&d->tags[i]);
	if ((r = MLFLOW_DB_SELECT(d, "runs", run_columns, each_run)) < 0 ||
	    (r = MLFLOW_DB_SELECT(d, "logged_models", logged_columns,
	    each_logged)) < 0 ||
	    (r = MLFLOW_DB_SELECT(d, "registered_models", model_columns,
	    each_model)) < 0 ||
	    (r = MLFLOW_DB_SELECT(d, "model_versions", version_columns,
	    each_version)) < 0 ||
	    (r = MLFLOW_DB_SELECT(d, "registered_model_aliases",
	    alias_columns, each_alias)) < 0 ||
	    (r = mlflow_tables_read(d)) < 0)
		return r;
	return mlflow_finish(&d->m);
}

static int
db_read(struct reg_parse *p)
{
	struct mlflow_db d = {.simple = NULL};
	const struct reg_file *f = reg_find(p->tree, p->root, p->root_len);
	const char *slash = p->root_len > 0 ? memrchr(p->root, '/',
	    p->root_len) : NULL;
	int r;

	if (f == NULL)
		return 0;
	mlflow_init(&d.m, p, p->root, slash != NULL ?
	    (size_t)(slash - p->root) : 0);
	r = regdb_open(&d.r, p, f, true);
	if (r == 0 && (!sqlitedb_table(d.r.db, "experiments") ||
	    !sqlitedb_table(d.r.db, "runs")))
		r = REG_NONE;
	if (r == 0 && (r = regdb_about(&d.r)) >= 0)
		r = read_tables(&d);
	regdb_close(&d.r);
	return r;
}

static bool
db_find(const struct reg_tree *t, const struct reg_file *f, size_t *root)
{
	*root = f->path_len;
	return regdb_is(t, f, "mlflow");
}

const struct reg_reader reg_mlflow_db = {
    .id = "mlflow-db",
    .find = db_find,
    .read = db_read,
};
