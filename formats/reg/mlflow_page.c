#include <string.h>

#include "base/arena.h"
#include "base/err.h"
#include "formats/reg/mlflow_page.h"
#include "formats/reg/regdoc.h"

typedef int page_object(struct mlflow_page *g, const struct doc *d);

static void
begin(struct mlflow_page *g, struct reg_row *row, const char *type)
{
	reg_row_init(g->p, g->f, row);
	reg_set(row, REG_TYPE, type);
}

static int
each(struct mlflow_page *g, const struct doc *list, page_object *read)
{
	int r = 0;

	if (!doc_is(list, DOC_LIST))
		return 0;
	for (const struct doc *k = doc_kids(list); k != NULL && r >= 0;
	    k = k->next)
		r = read(g, k);
	return r;
}

/*
 * Rows of a list of {key, value}, or of a map; ${of} has the columns that
 * they share.  Of a map of lists (the history of a metric in an export) the
 * last value is given.
 */
static int
send_keys(struct mlflow_page *g, const struct doc *list, const char *type,
    const struct reg_row *of)
{
	bool map = doc_is(list, DOC_MAP);
	int r = 0;

	for (const struct doc *k = doc_kids(list); k != NULL && r >= 0;
	    k = k->next) {
		const struct doc *v = k;
		struct reg_row row = *of;

		if (map && doc_is(k, DOC_LIST) && k->n > 0)
			v = doc_at(k, k->n - 1);
		reg_set(&row, REG_TYPE, type);
		mlflow_set(&row, REG_KEY, map ? (struct mlflow_text){k->key,
		    k->key_len} : mlflow_doc(doc_key(k, "key")));
		if (map && !doc_is(v, DOC_MAP))
			regdoc_text(&row.v[REG_VALUE], v);
		else
			regdoc_text(&row.v[REG_VALUE], doc_key(v, "value"));
		regdoc_ms(&row.v[REG_UPDATED], doc_key(v, "timestamp"));
		r = reg_send(g->p, &row);
	}
	return r;
}

/* The value of a key in either shape. */
static struct mlflow_text
in_keys(const struct doc *list, const char *key)
{
	if (doc_is(list, DOC_MAP))
		return mlflow_doc(doc_key(list, key));
	for (const struct doc *k = doc_kids(list); k != NULL; k = k->next)
		if (doc_is_str(doc_key(k, "key"), key))
			return mlflow_doc(doc_key(k, "value"));
	return (struct mlflow_text){NULL, 0};
}

/* --- the registry --- */

static int
send_alias(struct mlflow_page *g, struct mlflow_text model,
    struct mlflow_text alias, struct mlflow_text version)
{
	struct reg_row row;
	int r;

	begin(g, &row, "alias");
	mlflow_set(&row, REG_MODEL, model);
	mlflow_set(&row, REG_ALIAS, alias);
	mlflow_set(&row, REG_VERSION, version);
	if ((r = reg_send(g->p, &row)) < 0)
		return r;
	return mlflow_alias(&g->m, model, alias, version, g->f);
}

static int
read_version(struct mlflow_page *g, const struct doc *d)
{
	struct mlflow_version v = {.by = g->f,
	    .model = mlflow_doc(doc_key(d, "name")),
	    .version = mlflow_doc(doc_key(d, "version")),
	    .stage = mlflow_doc(doc_key(d, "current_stage")),
	    .run = mlflow_doc(doc_key(d, "run_id")),
	    .model_id = mlflow_doc(doc_key(d, "model_id"))};
	struct reg_row row;
	int r;

	begin(g, &row, "version");
	mlflow_set(&row, REG_MODEL, v.model);
	mlflow_set(&row, REG_VERSION, v.version);
	mlflow_set(&row, REG_STAGE, v.stage);
	mlflow_set(&row, REG_RUN, v.run);
	regdoc_text(&row.v[REG_STATUS], doc_key(d, "status"));
	regdoc_text(&row.v[REG_USER], doc_key(d, "user_id"));
	regdoc_text(&row.v[REG_DESCRIPTION], doc_key(d, "description"));
	regdoc_ms(&row.v[REG_CREATED], doc_key(d, "creation_timestamp"));
	regdoc_ms(&row.v[REG_UPDATED], doc_key(d, "last_updated_timestamp"));
	mlflow_artifact(&g->m, &row, mlflow_doc(doc_key(d, "source")));
	if ((r = reg_send(g->p, &row)) < 0 ||
	    (r = mlflow_version(&g->m, &v)) < 0)
		return r;
	reg_row_init(g->p, g->f, &row);
	mlflow_set(&row, REG_MODEL, v.model);
	mlflow_set(&row, REG_VERSION, v.version);
	return send_keys(g, doc_key(d, "tags"), "tag", &row);
}

/*
 * A model's aliases stand in the model; in an answer about versions they
 * stand in each version.
 */
static int
read_version_alone(struct mlflow_page *g, const struct doc *d)
{
	const struct doc *list = doc_key(d, "aliases");
	int r = read_version(g, d);

	if (!doc_is(list, DOC_LIST))
		return r;
	for (const struct doc *k = doc_kids(list); k != NULL && r >= 0;
	    k = k->next)
		r = send_alias(g, mlflow_doc(doc_key(d, "name")),
		    mlflow_doc(k), mlflow_doc(doc_key(d, "version")));
	return r;
}

static int
read_model(struct mlflow_page *g, const struct doc *d)
{
	const struct mlflow_text name = mlflow_doc(doc_key(d, "name"));
	struct reg_row row;
	int r;

	begin(g, &row, "model");
	mlflow_set(&row, REG_MODEL, name);
	regdoc_text(&row.v[REG_USER], doc_key(d, "user_id"));
	regdoc_text(&row.v[REG_DESCRIPTION], doc_key(d, "description"));
	regdoc_ms(&row.v[REG_CREATED], doc_key(d, "creation_timestamp"));
	regdoc_ms(&row.v[REG_UPDATED], doc_key(d, "last_updated_timestamp"));
	if ((r = reg_send(g->p, &row)) < 0)
		return r;
	for (const struct doc *k = doc_kids(doc_key(d, "aliases"));
	    k != NULL; k = k->next)
		if ((r = send_alias(g, name, mlflow_doc(doc_key(k, "alias")),
		    mlflow_doc(doc_key(k, "version")))) < 0)
			return r;
	reg_row_init(g->p, g->f, &row);
	mlflow_set(&row, REG_MODEL, name);
	if ((r = send_keys(g, doc_key(d, "tags"), "tag", &row)) < 0)
		return r;
	/* "latest_versions" come again in the answer about versions. */
	return each(g, doc_key(d, "versions"), read_version);
}

/* --- experiments and runs --- */

static int
keep_experiment(struct mlflow_page *g, struct mlflow_text id,
    struct mlflow_text name)
{
	size_t cap = g->cap == 0 ? 32 : g->cap * 2;
	struct mlflow_text *more;

	if (g->experiments + 2 > g->cap) {
		if ((more = arena_array(g->m.keep, cap, sizeof(*more))) ==
		    NULL)
			return err_set(g->p->e, ERR_NOMEM, "out of memory");
		if (g->experiments > 0)
			memcpy(more, g->experiment, g->experiments *
			    sizeof(*more));
		g->experiment = more;
		g->cap = cap;
	}
	g->experiment[g->experiments++] = mlflow_copy(&g->m, id);
	g->experiment[g->experiments++] = mlflow_copy(&g->m, name);
	return 0;
}

static struct mlflow_text
experiment_name(const struct mlflow_page *g, struct mlflow_text id)
{
	for (size_t i = 0; i < g->experiments; i += 2)
		if (mlflow_same(g->experiment[i], id) &&
		    g->experiment[i + 1].p != NULL)
			return g->experiment[i + 1];
	return id;
}

static int
read_experiment(struct mlflow_page *g, const struct doc *d)
{
	const struct mlflow_text name = mlflow_doc(doc_key(d, "name"));
	struct reg_row row;
	int r;

	begin(g, &row, "experiment");
	mlflow_set(&row, REG_EXPERIMENT, name);
	regdoc_text(&row.v[REG_STAGE], doc_key(d, "lifecycle_stage"));
	regdoc_text(&row.v[REG_ARTIFACT], doc_key(d, "artifact_location"));
	regdoc_ms(&row.v[REG_CREATED], doc_key(d, "creation_time"));
	regdoc_ms(&row.v[REG_UPDATED], doc_key(d, "last_update_time"));
	reg_set(&row, REG_KEY, "experiment_id");
	regdoc_text(&row.v[REG_VALUE], doc_key(d, "experiment_id"));
	if ((r = reg_send(g->p, &row)) < 0 || (r = keep_experiment(g,
	    mlflow_doc(doc_key(d, "experiment_id")), name)) < 0)
		return r;
	reg_row_init(g->p, g->f, &row);
	mlflow_set(&row, REG_EXPERIMENT, name);
	return send_keys(g, doc_key(d, "tags"), "tag", &row);
}

static int
send_inputs(struct mlflow_page *g, const struct doc *list,
    const struct reg_row *of)
{
	int r = 0;

	for (const struct doc *k = doc_kids(list); k != NULL && r >= 0;
	    k = k->next) {
		const struct doc *d = doc_key(k, "dataset");
		struct reg_row row = *of;

		reg_set(&row, REG_TYPE, "dataset");
		regdoc_text(&row.v[REG_DATASET], doc_key(d, "name"));
		regdoc_text(&row.v[REG_DIGEST], doc_key(d, "digest"));
		regdoc_text(&row.v[REG_ARTIFACT], doc_key(d, "source"));
		reg_set(&row, REG_KEY, "mlflow.data.context");
		mlflow_set(&row, REG_VALUE, in_keys(doc_key(k, "tags"),
		    "mlflow.data.context"));
		r = reg_send(g->p, &row);
	}
	return r;
}

/* ${data}: where params, metrics and tags stand. */
static int
send_run(struct mlflow_page *g, const struct doc *info,
    const struct doc *data, const struct doc *inputs)
{
	static const char *const keys[] = {"mlflow.user",
	    "mlflow.source.git.commit", "mlflow.source.git.repoURL"};
	const struct doc *tags = doc_key(data, "tags");
	struct mlflow_text id = mlflow_doc(doc_key(info, "run_id"));
	struct reg_row row, of;
	int r;

	if (id.n == 0)
		id = mlflow_doc(doc_key(info, "run_uuid"));
	reg_row_init(g->p, g->f, &of);
	mlflow_set(&of, REG_RUN, id);
	mlflow_set(&of, REG_EXPERIMENT, experiment_name(g,
	    mlflow_doc(doc_key(info, "experiment_id"))));
	row = of;
	reg_set(&row, REG_TYPE, "run");
	regdoc_text(&row.v[REG_STATUS], doc_key(info, "status"));
	regdoc_text(&row.v[REG_STAGE], doc_key(info, "lifecycle_stage"));
	regdoc_text(&row.v[REG_USER], doc_key(info, "user_id"));
	regdoc_ms(&row.v[REG_CREATED], doc_key(info, "start_time"));
	regdoc_ms(&row.v[REG_UPDATED], doc_key(info, "end_time"));
	mlflow_artifact(&g->m, &row, mlflow_doc(doc_key(info,
	    "artifact_uri")));
	if (mlflow_doc(doc_key(info, "run_name")).n > 0) {
		reg_set(&row, REG_KEY, "run_name");
		regdoc_text(&row.v[REG_VALUE], doc_key(info, "run_name"));
	}
	for (size_t i = 0; i < 3; i++)
		(void)mlflow_tag(&row, mlflow_z(keys[i]), in_keys(tags,
		    keys[i]));
	if ((r = reg_send(g->p, &row)) < 0 ||
	    (r = mlflow_run(&g->m, id)) < 0 ||
	    (r = send_keys(g, doc_key(data, "params"), "param", &of)) < 0 ||
	    (r = send_keys(g, doc_key(data, "metrics"), "metric", &of)) < 0 ||
	    (r = send_keys(g, tags, "tag", &of)) < 0)
		return r;
	return send_inputs(g, doc_key(inputs, "dataset_inputs"), &of);
}

static int
read_run(struct mlflow_page *g, const struct doc *d)
{
	return send_run(g, doc_key(d, "info"), doc_key(d, "data"),
	    doc_key(d, "inputs"));
}

static int
read_logged(struct mlflow_page *g, const struct doc *d)
{
	const struct doc *info = doc_key(d, "info");
	struct reg_row row;
	int r;

	if (doc_key(info, "model_id") == NULL)
		return 0;
	begin(g, &row, "artifact");
	mlflow_set(&row, REG_EXPERIMENT, experiment_name(g,
	    mlflow_doc(doc_key(info, "experiment_id"))));
	regdoc_text(&row.v[REG_RUN], doc_key(info, "source_run_id"));
	regdoc_text(&row.v[REG_STATUS], doc_key(info, "status"));
	regdoc_text(&row.v[REG_DESCRIPTION], doc_key(info, "name"));
	regdoc_ms(&row.v[REG_CREATED], doc_key(info,
	    "creation_timestamp_ms"));
	regdoc_ms(&row.v[REG_UPDATED], doc_key(info,
	    "last_updated_timestamp_ms"));
	reg_set(&row, REG_KEY, "model_id");
	regdoc_text(&row.v[REG_VALUE], doc_key(info, "model_id"));
	mlflow_artifact(&g->m, &row, mlflow_doc(doc_key(info,
	    "artifact_uri")));
	if ((r = reg_send(g->p, &row)) < 0)
		return r;
	return mlflow_logged(&g->m, mlflow_doc(doc_key(info, "model_id")));
}

/* --- answers --- */

static int
read_export(struct mlflow_page *g, const struct doc *d)
{
	const struct doc *model = doc_key(d, "registered_model");
	const struct doc *experiment = doc_key(d, "experiment");
	int r;

	if (doc_is(model, DOC_MAP) && (r = read_model(g, model)) < 0)
		return r;
	if (doc_is(experiment, DOC_MAP) &&
	    (r = read_experiment(g, experiment)) < 0)
		return r;
	return doc_is(doc_key(d, "info"), DOC_MAP) ? send_run(g,
	    doc_key(d, "info"), d, doc_key(d, "inputs")) : 0;
}

int
mlflow_page_read(struct mlflow_page *g, const struct doc *d)
{
	static const struct {
		const char *key;
		page_object *read;
	} objects[] = {
	    {"experiments", read_experiment},
	    {"experiment", read_experiment},
	    {"runs", read_run},
	    {"run", read_run},
	    {"models", read_logged},
	    {"model", read_logged},
	    {"registered_models", read_model},
	    {"registered_model", read_model},
	    {"model_versions", read_version_alone},
	    {"model_version", read_version_alone},
	    {"mlflow", read_export},
	};
	const struct doc *error = doc_key(d, "error_code");
	int r;

	if (error != NULL) {
		const struct reg_fact facts[] = {
		    regdoc_fact("error", error),
		    regdoc_fact("message", doc_key(d, "message"))};

		return reg_tell(g->p, REG_PROBLEM_UNREAD, g->f, facts, 2);
	}
	for (size_t i = 0; i < sizeof(objects) / sizeof(*objects); i++) {
		const struct doc *of = doc_key(d, objects[i].key);

		r = doc_is(of, DOC_MAP) ? objects[i].read(g, of) :
		    each(g, of, objects[i].read);
		if (r < 0)
			return r;
	}
	return 0;
}
