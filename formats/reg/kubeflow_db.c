#include <string.h>

#include "base/arena.h"
#include "base/err.h"
#include "formats/reg/mlflow.h"
#include "formats/reg/regdb.h"
#include "formats/reg/regdict.h"

/*
 * ML Metadata in SQLite: what the Kubeflow Model Registry and Kubeflow
 * Pipelines keep.  Everything is a Type, a Context (a registered model, a
 * version of one, a serving environment, a pipeline's run), an Artifact or an
 * Execution, each with properties.  A version's name is "ID:NAME" with the id
 * of its registered model; an artifact belongs to a context by Attribution.
 *
 * Types are told apart by their names' ends, "kf.RegisteredModel" and the
 * like; what is of another type keeps its type's name in DESCRIPTION.
 */
struct mlmd {
	struct mlflow m;
	struct regdb r;
	struct regdict types;		/* id: name */
	struct regdict models;		/* context: name */
	struct regdict versions;	/* context: name, model's context */
	struct regdict owners;		/* artifact: context */
	bool collecting;
};

static struct mlflow_text
text(const struct sqlitedb_value *v)
{
	return (struct mlflow_text){v->type == SQLITEDB_NULL ? NULL : v->p,
	    v->n};
}

static const struct mlflow_text nothing = {NULL, 0};

static int
put(struct mlmd *d, struct regdict *to, const struct sqlitedb_value *key,
    struct mlflow_text value, struct mlflow_text more)
{
	return regdict_put(to, d->m.keep, text(key), value, more,
	    d->r.p->e);
}

static struct mlflow_text
type_of(const struct mlmd *d, const struct sqlitedb_value *id)
{
	const struct regdict_pair *t = id->n > 0 ?
	    regdict_get(&d->types, text(id)) : NULL;

	return t != NULL ? t->value : nothing;
}

static bool
ends(struct mlflow_text t, const char *tail)
{
	size_t n = strlen(tail);

	return t.n >= n && memcmp(t.p + t.n - n, tail, n) == 0;
}

/* "3:v6": the model's context and the name; a name alone has no model. */
static void
split(struct mlflow_text t, struct mlflow_text *model,
    struct mlflow_text *name)
{
	const char *colon = t.n > 0 ? memchr(t.p, ':', t.n) : NULL;
	size_t n = colon != NULL ? (size_t)(colon - t.p) : 0;

	*model = (struct mlflow_text){t.p, n};
	*name = colon != NULL ? (struct mlflow_text){colon + 1,
	    t.n - n - 1} : t;
}

static struct mlflow_text
model_name(const struct mlmd *d, struct mlflow_text id)
{
	const struct regdict_pair *m = id.n > 0 ?
	    regdict_get(&d->models, id) : NULL;

	return m != NULL ? m->value : id;
}

/* MODEL and VERSION of what hangs on this context. */
static void
set_context(const struct mlmd *d, struct reg_row *row, struct mlflow_text id)
{
	const struct regdict_pair *v = id.n > 0 ?
	    regdict_get(&d->versions, id) : NULL;
	const struct regdict_pair *m = id.n > 0 ?
	    regdict_get(&d->models, id) : NULL;

	if (v != NULL) {
		mlflow_set(row, REG_MODEL, model_name(d, v->more));
		mlflow_set(row, REG_VERSION, v->value);
	} else if (m != NULL) {
		mlflow_set(row, REG_MODEL, m->value);
	}
}

static void
begin(struct mlmd *d, struct reg_row *row, const char *type)
{
	reg_row_init(d->r.p, d->r.f, row);
	reg_set(row, REG_TYPE, type);
}

static const char *const type_columns[] = {"id", "name"};

static int
each_type(void *ctx, const struct sqlitedb_value *v)
{
	return put(ctx, &((struct mlmd *)ctx)->types, &v[0], text(&v[1]),
	    nothing);
}

static const char *const context_columns[] = {"id", "type_id", "name",
    "create_time_since_epoch", "last_update_time_since_epoch",
    "external_id"};

static int
collect_context(struct mlmd *d, const struct sqlitedb_value *v,
    struct mlflow_text type)
{
	struct mlflow_text model, name;

	if (ends(type, "RegisteredModel"))
		return put(d, &d->models, &v[0], text(&v[2]), nothing);
	split(text(&v[2]), &model, &name);
	return ends(type, "ModelVersion") ? put(d, &d->versions, &v[0], name,
	    model) : 0;
}

static int
each_context(void *ctx, const struct sqlitedb_value *v)
{
	struct mlmd *d = ctx;
	struct mlflow_text type = type_of(d, &v[1]);
	struct reg_row row;

	if (d->collecting)
		return collect_context(d, v, type);
	if (ends(type, "RegisteredModel") || ends(type, "ModelVersion")) {
		begin(d, &row, ends(type, "ModelVersion") ? "version" :
		    "model");
		set_context(d, &row, text(&v[0]));
	} else if (ends(type, "PipelineRun") || ends(type, ".Run") ||
	    ends(type, "ExperimentRun")) {
		begin(d, &row, "run");
		regdb_set(&row, REG_RUN, &v[2]);
		mlflow_set(&row, REG_DESCRIPTION, type);
	} else if (ends(type, "InferenceService")) {
		begin(d, &row, "deployment");
		regdb_set(&row, REG_ALIAS, &v[2]);
	} else {
		begin(d, &row, "experiment");
		regdb_set(&row, REG_EXPERIMENT, &v[2]);
		mlflow_set(&row, REG_DESCRIPTION, type);
	}
	reg_set(&row, REG_KEY, "context");
	regdb_set(&row, REG_VALUE, &v[0]);
	regdb_set(&row, REG_CREATED, &v[3]);
	regdb_set(&row, REG_UPDATED, &v[4]);
	return reg_send(d->r.p, &row);
}

static const char *const owner_columns[] = {"artifact_id", "context_id"};

static int
each_owner(void *ctx, const struct sqlitedb_value *v)
{
	return put(ctx, &((struct mlmd *)ctx)->owners, &v[0], text(&v[1]),
	    nothing);
}

static const char *const artifact_columns[] = {"id", "type_id", "uri",
    "state", "name", "create_time_since_epoch",
    "last_update_time_since_epoch"};

static int
each_artifact(void *ctx, const struct sqlitedb_value *v)
{
	/* Artifact.State of metadata_store.proto. */
	static const char *const states[] = {"UNKNOWN", "PENDING", "LIVE",
	    "MARKED_FOR_DELETION", "DELETED", "ABANDONED", "REFERENCE"};
	struct mlmd *d = ctx;
	const struct regdict_pair *owner = regdict_get(&d->owners,
	    text(&v[0]));
	struct mlflow_text type = type_of(d, &v[1]), model, name;
	bool data = ends(type, "Dataset") || ends(type, "DataSet");
	struct reg_row row;

	begin(d, &row, data ? "dataset" : "artifact");
	if (owner != NULL)
		set_context(d, &row, owner->value);
	mlflow_artifact(&d->m, &row, text(&v[2]));
	if (v[3].type == SQLITEDB_INT && v[3].i >= 0 && v[3].i < 7)
		reg_set(&row, REG_STATUS, states[v[3].i]);
	split(text(&v[4]), &model, &name);
	if (data)
		mlflow_set(&row, REG_DATASET, name);
	mlflow_set(&row, REG_DESCRIPTION, type);
	reg_set(&row, REG_KEY, "artifact");
	regdb_set(&row, REG_VALUE, &v[0]);
	regdb_set(&row, REG_CREATED, &v[5]);
	regdb_set(&row, REG_UPDATED, &v[6]);
	return reg_send(d->r.p, &row);
}

/* The first column is the owner's id. */
static const char *const context_properties[] = {"context_id", "name",
    "string_value", "int_value", "double_value", "bool_value"};
static const char *const artifact_properties[] = {"artifact_id", "name",
    "string_value", "int_value", "double_value", "bool_value"};

static int
send_property(struct mlmd *d, const struct sqlitedb_value *v,
    struct mlflow_text context)
{
	char number[REGDB_TEXT];
	struct reg_row row;

	begin(d, &row, "tag");
	set_context(d, &row, context);
	regdb_set(&row, REG_KEY, &v[1]);
	for (unsigned i = 2; i < 6; i++)
		if (!row.v[REG_VALUE].set)
			mlflow_set(&row, REG_VALUE, regdb_text(&v[i],
			    number));
	return reg_send(d->r.p, &row);
}

static int
each_context_property(void *ctx, const struct sqlitedb_value *v)
{
	return send_property(ctx, v, text(&v[0]));
}

static int
each_artifact_property(void *ctx, const struct sqlitedb_value *v)
{
	struct mlmd *d = ctx;
	const struct regdict_pair *owner = regdict_get(&d->owners,
	    text(&v[0]));

	return send_property(d, v, owner != NULL ? owner->value : nothing);
}

#define SELECT(d, table, columns, each) regdb_select(&(d)->r, table, \
    columns, sizeof(columns) / sizeof(*(columns)), each, d)

static int
read_tables(struct mlmd *d)
{
	int r;

	if ((r = SELECT(d, "Type", type_columns, each_type)) < 0)
		return r;
	regdict_sort(&d->types);
	d->collecting = true;
	if ((r = SELECT(d, "Context", context_columns, each_context)) < 0 ||
	    (r = SELECT(d, "Attribution", owner_columns, each_owner)) < 0)
		return r;
	d->collecting = false;
	regdict_sort(&d->models);
	regdict_sort(&d->versions);
	regdict_sort(&d->owners);
	if ((r = SELECT(d, "Context", context_columns, each_context)) < 0 ||
	    (r = SELECT(d, "Artifact", artifact_columns,
	    each_artifact)) < 0 ||
	    (r = SELECT(d, "ContextProperty", context_properties,
	    each_context_property)) < 0)
		return r;
	return SELECT(d, "ArtifactProperty", artifact_properties,
	    each_artifact_property);
}

static int
mlmd_read(struct reg_parse *p)
{
	const struct reg_file *f = reg_find(p->tree, p->root, p->root_len);
	const char *slash = p->root_len > 0 ? memrchr(p->root, '/',
	    p->root_len) : NULL;
	struct mlmd d = {.collecting = false};
	bool tells;
	int r;

	if (f == NULL)
		return 0;
	mlflow_init(&d.m, p, p->root, slash != NULL ?
	    (size_t)(slash - p->root) : 0);
	/* What cannot be read at all mlflow-db tells, if it is asked. */
	tells = !regdb_is(p->tree, f, "mlflow");
	r = regdb_open(&d.r, p, f, tells);
	if ((r == 1 && !tells) || (r == 0 &&
	    (!sqlitedb_table(d.r.db, "Type") ||
	    !sqlitedb_table(d.r.db, "Context") ||
	    !sqlitedb_table(d.r.db, "Attribution"))))
		r = REG_NONE;
	if (r == 0 && (r = regdb_about(&d.r)) >= 0)
		r = read_tables(&d);
	regdb_close(&d.r);
	return r;
}

static bool
mlmd_find(const struct reg_tree *t, const struct reg_file *f, size_t *root)
{
	*root = f->path_len;
	return !f->absent && regdb_is(t, f, "metadata");
}

const struct reg_reader reg_kubeflow_db = {
    .id = "kubeflow-db",
    .find = mlmd_find,
    .read = mlmd_read,
};
