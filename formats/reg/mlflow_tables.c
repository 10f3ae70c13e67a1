#include <stdio.h>
#include <string.h>

#include "base/limits.h"
#include "formats/reg/mlflow_db.h"
#include "formats/reg/regdoc.h"

/* --- data sets, and what goes in and out of runs --- */

static const char *const dataset_columns[] = {"dataset_uuid", "name",
    "digest", "dataset_source_type", "dataset_source", "experiment_id"};

static int
each_dataset(void *ctx, const struct sqlitedb_value *v)
{
	struct mlflow_db *d = ctx;
	struct reg_row row;
	int r;

	mlflow_db_begin(d, &row, "dataset");
	regdb_set(&row, REG_DATASET, &v[1]);
	regdb_set(&row, REG_DIGEST, &v[2]);
	reg_set(&row, REG_KEY, "source_type");
	regdb_set(&row, REG_VALUE, &v[3]);
	regdb_set(&row, REG_ARTIFACT, &v[4]);
	mlflow_db_experiment(d, &row, &v[5]);
	regdb_set(&row, REG_DESCRIPTION, &v[0]);
	if ((r = reg_send(d->r.p, &row)) < 0)
		return r;
	return mlflow_db_put(d, &d->datasets, &v[0], mlflow_db_text(&v[1]),
	    mlflow_db_text(&v[2]));
}

static const char *const context_columns[] = {"input_uuid", "name", "value"};

static int
each_context(void *ctx, const struct sqlitedb_value *v)
{
	struct mlflow_db *d = ctx;

	if (!mlflow_same(mlflow_db_text(&v[1]),
	    mlflow_z("mlflow.data.context")))
		return 0;
	return mlflow_db_put(d, &d->contexts, &v[0], mlflow_db_text(&v[2]),
	    mlflow_z(NULL));
}

static const char *const input_columns[] = {"input_uuid", "source_type",
    "source_id", "destination_type", "destination_id"};

static bool
is(const struct sqlitedb_value *v, const char *s)
{
	return mlflow_same(mlflow_db_text(v), mlflow_z(s));
}

/* DATASET to RUN, RUN_INPUT to MODEL_INPUT, RUN_OUTPUT to MODEL_OUTPUT. */
static int
each_input(void *ctx, const struct sqlitedb_value *v)
{
	struct mlflow_db *d = ctx;
	const struct regdict_pair *data, *use;
	struct reg_row row;

	if (is(&v[1], "DATASET") && is(&v[3], "RUN")) {
		data = mlflow_db_get(&d->datasets, &v[2]);
		use = mlflow_db_get(&d->contexts, &v[0]);
		mlflow_db_begin(d, &row, "dataset");
		regdb_set(&row, REG_RUN, &v[4]);
		regdb_set(&row, REG_DATASET, &v[2]);
		if (data != NULL) {
			mlflow_set(&row, REG_DATASET, data->value);
			mlflow_set(&row, REG_DIGEST, data->more);
		}
		if (use != NULL) {
			reg_set(&row, REG_KEY, "mlflow.data.context");
			mlflow_set(&row, REG_VALUE, use->value);
		}
		regdb_set(&row, REG_DESCRIPTION, &v[2]);
		return reg_send(d->r.p, &row);
	}
	mlflow_db_begin(d, &row, "artifact");
	regdb_set(&row, REG_RUN, &v[2]);
	reg_set(&row, REG_KEY, "model_id");
	regdb_set(&row, REG_VALUE, &v[4]);
	regdb_set(&row, REG_DESCRIPTION, &v[3]);
	return reg_send(d->r.p, &row);
}

/* --- traces, a count for each experiment --- */

static const char *const trace_columns[] = {"experiment_id", "timestamp_ms"};


static int
each_trace(void *ctx, const struct sqlitedb_value *v)
{
	struct mlflow_db *d = ctx;
	struct regdict_pair *e = mlflow_db_get(&d->experiments, &v[0]);

	if (e == NULL)
		e = &d->orphans;
	if (e->count == 0 || v[1].i < e->first)
		e->first = v[1].i;
	if (e->count == 0 || v[1].i > e->last)
		e->last = v[1].i;
	e->count++;
	return 0;
}

static int
send_traces(struct mlflow_db *d, const struct regdict_pair *e)
{
	struct reg_row row;
	char n[24];

	if (e->count == 0)
		return 0;
	(void)snprintf(n, sizeof(n), "%llu", (unsigned long long)e->count);
	mlflow_db_begin(d, &row, "event");
	mlflow_set(&row, REG_EXPERIMENT, e->value);
	reg_set(&row, REG_KEY, "traces");
	reg_set(&row, REG_VALUE, n);
	regdoc_time(&row.v[REG_CREATED], e->first);
	regdoc_time(&row.v[REG_UPDATED], e->last);
	return reg_send(d->r.p, &row);
}

static int
read_traces(struct mlflow_db *d)
{
	int r = MLFLOW_DB_SELECT(d, "trace_info", trace_columns, each_trace);

	for (size_t i = 0; i < d->experiments.n && r >= 0; i++)
		r = send_traces(d, &d->experiments.v[i]);
	return r < 0 ? r : send_traces(d, &d->orphans);
}

/* --- the gateway: which model answers under which name --- */

static const char *const endpoint_columns[] = {"endpoint_id", "name",
    "workspace"};

static int
each_endpoint(void *ctx, const struct sqlitedb_value *v)
{
	struct mlflow_db *d = ctx;

	return mlflow_db_put(d, &d->endpoints, &v[0],
	    mlflow_db_model(d, &v[1], &v[2]), mlflow_z(NULL));
}

static const char *const definition_columns[] = {"model_definition_id",
    "provider", "model_name"};

static int
each_definition(void *ctx, const struct sqlitedb_value *v)
{
	struct mlflow_db *d = ctx;

	return mlflow_db_put(d, &d->models, &v[0],
	    mlflow_db_model(d, &v[2], &v[1]), mlflow_z(NULL));
}

static const char *const mapping_columns[] = {"endpoint_id",
    "model_definition_id", "weight", "linkage_type", "created_by",
    "created_at"};

static int
each_mapping(void *ctx, const struct sqlitedb_value *v)
{
	struct mlflow_db *d = ctx;
	const struct regdict_pair *end = mlflow_db_get(&d->endpoints, &v[0]);
	const struct regdict_pair *model = mlflow_db_get(&d->models, &v[1]);
	char weight[REGDB_TEXT];
	struct reg_row row;

	mlflow_db_begin(d, &row, "deployment");
	mlflow_set(&row, REG_ALIAS, end != NULL ? end->value :
	    mlflow_db_text(&v[0]));
	mlflow_set(&row, REG_MODEL, model != NULL ? model->value :
	    mlflow_db_text(&v[1]));
	reg_set(&row, REG_KEY, "weight");
	mlflow_set(&row, REG_VALUE, regdb_text(&v[2], weight));
	regdb_set(&row, REG_STAGE, &v[3]);
	regdb_set(&row, REG_USER, &v[4]);
	regdb_set(&row, REG_CREATED, &v[5]);
	return reg_send(d->r.p, &row);
}

/* --- tables that are mapped column by column --- */

#define SIMPLE_MAX 8

struct mlflow_simple {
	const char *table, *type;
	const char *key;	/* KEY of every row, or NULL: it is mapped */
	const char *column[SIMPLE_MAX];
	enum reg_column to[SIMPLE_MAX];
};

static const struct mlflow_simple simple[] = {
    {"params", "param", NULL, {"key", "value", "run_uuid"},
	{REG_KEY, REG_VALUE, REG_RUN}},
    {"latest_metrics", "metric", NULL, {"key", "value", "run_uuid",
	"timestamp", "is_nan"},
	{REG_KEY, REG_VALUE, REG_RUN, REG_UPDATED, REG_COLUMNS}},
    {"tags", "tag", NULL, {"key", "value", "run_uuid"},
	{REG_KEY, REG_VALUE, REG_RUN}},
    {"experiment_tags", "tag", NULL, {"key", "value", "experiment_id"},
	{REG_KEY, REG_VALUE, REG_EXPERIMENT}},
    {"registered_model_tags", "tag", NULL, {"key", "value", "name",
	"workspace"}, {REG_KEY, REG_VALUE, REG_MODEL, REG_COLUMNS}},
    {"model_version_tags", "tag", NULL, {"key", "value", "name", "workspace",
	"version"},
	{REG_KEY, REG_VALUE, REG_MODEL, REG_COLUMNS, REG_VERSION}},
    {"logged_model_params", "param", NULL, {"param_key", "param_value",
	"model_id"}, {REG_KEY, REG_VALUE, REG_DESCRIPTION}},
    {"logged_model_tags", "tag", NULL, {"tag_key", "tag_value", "model_id"},
	{REG_KEY, REG_VALUE, REG_DESCRIPTION}},
    {"logged_model_metrics", "metric", NULL, {"metric_name", "metric_value",
	"model_id", "run_id", "metric_timestamp_ms", "dataset_name",
	"dataset_digest"}, {REG_KEY, REG_VALUE, REG_DESCRIPTION, REG_RUN,
	REG_UPDATED, REG_DATASET, REG_DIGEST}},
    {"webhooks", "event", "webhook", {"url", "name", "status",
	"creation_timestamp", "last_updated_timestamp"},
	{REG_VALUE, REG_DESCRIPTION, REG_STATUS, REG_CREATED, REG_UPDATED}},
    {"secrets", "event", "secret", {"secret_name", "provider", "created_by",
	"created_at", "last_updated_at"}, {REG_VALUE, REG_DESCRIPTION,
	REG_USER, REG_CREATED, REG_UPDATED}},
};
/* Before 2019 only this one had metrics: every value, not the last alone. */
static const struct mlflow_simple old_metrics = {"metrics", "metric", NULL,
    {"key", "value", "run_uuid", "timestamp", "is_nan"},
    {REG_KEY, REG_VALUE, REG_RUN, REG_UPDATED, REG_COLUMNS}};

static int
each_simple(void *ctx, const struct sqlitedb_value *v)
{
	struct mlflow_db *d = ctx;
	const struct mlflow_simple *s = d->simple;
	char number[REGDB_TEXT];
	struct reg_row row;

	mlflow_db_begin(d, &row, s->type);
	if (s->key != NULL)
		reg_set(&row, REG_KEY, s->key);
	for (size_t i = 0; i < SIMPLE_MAX && s->column[i] != NULL; i++) {
		if (s->to[i] == REG_VALUE)
			mlflow_set(&row, REG_VALUE, regdb_text(&v[i],
			    number));
		else if (s->to[i] == REG_EXPERIMENT)
			mlflow_db_experiment(d, &row, &v[i]);
		else if (s->to[i] == REG_MODEL)
			mlflow_set(&row, REG_MODEL, mlflow_db_model(d, &v[i],
			    &v[i + 1]));
		else if (s->to[i] != REG_COLUMNS)
			regdb_set(&row, s->to[i], &v[i]);
		else if (strcmp(s->column[i], "is_nan") == 0 && v[i].i != 0)
			reg_set(&row, REG_VALUE, "nan");
	}
	return reg_send(d->r.p, &row);
}

static int
read_simple(struct mlflow_db *d, const struct mlflow_simple *s)
{
	unsigned n = 0;

	while (n < SIMPLE_MAX && s->column[n] != NULL)
		n++;
	d->simple = s;
	return regdb_select(&d->r, s->table, s->column, n, each_simple, d);
}

int
mlflow_tables_read(struct mlflow_db *d)
{
	int r;

	if ((r = MLFLOW_DB_SELECT(d, "datasets", dataset_columns,
	    each_dataset)) < 0 ||
	    (r = MLFLOW_DB_SELECT(d, "input_tags", context_columns,
	    each_context)) < 0)
		return r;
	regdict_sort(&d->datasets);
	regdict_sort(&d->contexts);
	if ((r = MLFLOW_DB_SELECT(d, "inputs", input_columns,
	    each_input)) < 0 || (r = read_traces(d)) < 0 ||
	    (r = MLFLOW_DB_SELECT(d, "endpoints", endpoint_columns,
	    each_endpoint)) < 0 ||
	    (r = MLFLOW_DB_SELECT(d, "model_definitions", definition_columns,
	    each_definition)) < 0)
		return r;
	regdict_sort(&d->endpoints);
	regdict_sort(&d->models);
	if ((r = MLFLOW_DB_SELECT(d, "endpoint_model_mappings",
	    mapping_columns, each_mapping)) < 0)
		return r;
	if (!sqlitedb_table(d->r.db, "latest_metrics") &&
	    (r = read_simple(d, &old_metrics)) < 0)
		return r;
	for (size_t i = 0; i < sizeof(simple) / sizeof(*simple); i++)
		if ((r = read_simple(d, &simple[i])) < 0)
			return r;
	return 0;
}
