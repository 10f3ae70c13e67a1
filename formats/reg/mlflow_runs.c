#include <stdio.h>
#include <string.h>

#include "base/limits.h"
#include "formats/reg/mlflow_files.h"
#include "formats/reg/regdoc.h"

/*
 * Experiments of MLflow's file store: runs, logged models, data sets, and
 * the params, tags and metrics of each.
 */

int
mlflow_runs_experiment(struct mlflow_files *s, const struct reg_file *f,
    const struct mlflow_path *at)
{
	const struct doc *d;
	struct reg_row row;
	int r;

	if ((r = regdoc_yaml(s->p, f, &d)) != 0)
		return r;
	reg_row_init(s->p, f, &row);
	reg_set(&row, REG_TYPE, "experiment");
	regdoc_text(&row.v[REG_EXPERIMENT], doc_key(d, "name"));
	regdoc_text(&row.v[REG_STAGE], doc_key(d, "lifecycle_stage"));
	if (at->trash)
		reg_set(&row, REG_STAGE, "deleted");
	reg_set(&row, REG_KEY, "experiment_id");
	mlflow_set(&row, REG_VALUE, at->part[MLFLOW_EXPERIMENT]);
	regdoc_text(&row.v[REG_ARTIFACT], doc_key(d, "artifact_location"));
	regdoc_ms(&row.v[REG_CREATED], doc_key(d, "creation_time"));
	regdoc_ms(&row.v[REG_UPDATED], doc_key(d, "last_update_time"));
	if ((r = reg_send(s->p, &row)) < 0)
		return r;
	return mlflow_files_compare(s, f, "experiment_id",
	    at->part[MLFLOW_EXPERIMENT], doc_key(d, "experiment_id"));
}

/* The columns that the files beside a run's meta.yaml fill. */
static int
run_tags(struct mlflow_files *s, const struct reg_file *f, struct reg_row *row)
{
	static const char *const keys[] = {"mlflow.user",
	    "mlflow.source.git.commit", "mlflow.source.git.repoURL"};
	const struct reg_file *tag;
	char path[LIMIT_PATH];
	int n, r;

	for (size_t i = 0; i < 3; i++) {
		struct mlflow_text text, user = {row->v[REG_USER].p,
		    row->v[REG_USER].n};

		n = snprintf(path, sizeof(path), "%.*stags/%s",
		    (int)(f->path_len - strlen("meta.yaml")), f->path,
		    keys[i]);
		if (n < 0 || (size_t)n >= sizeof(path) || (tag =
		    reg_find(s->p->tree, path, (size_t)n)) == NULL)
			continue;
		if ((r = mlflow_files_value(s, tag, &text)) < 0)
			return r;
		if (r > 0)
			continue;
		(void)mlflow_tag(row, mlflow_z(keys[i]), text);
		if (i == 0 && user.n > 0 && !mlflow_same(user, text)) {
			const struct reg_fact facts[] = {
			    regdoc_says("key", "user"),
			    {"user_id", user.p, user.n},
			    {"tag", text.p, text.n}};

			if ((r = reg_tell(s->p, REG_PROBLEM_DISAGREES, f,
			    facts, 3)) < 0)
				return r;
		}
	}
	return 0;
}

int
mlflow_runs_run(struct mlflow_files *s, const struct reg_file *f,
    const struct mlflow_path *at)
{
	const struct doc *d, *name;
	struct reg_row row;
	int r;

	if ((r = regdoc_yaml(s->p, f, &d)) != 0)
		return r < 0 ? r : mlflow_run(&s->m,
		    at->part[MLFLOW_ID]);
	reg_row_init(s->p, f, &row);
	reg_set(&row, REG_TYPE, "run");
	mlflow_set(&row, REG_RUN, at->part[MLFLOW_ID]);
	mlflow_set(&row, REG_EXPERIMENT, s->experiment);
	regdoc_text(&row.v[REG_STAGE], doc_key(d, "lifecycle_stage"));
	mlflow_files_status(&row, doc_key(d, "status"), mlflow_run_status);
	regdoc_text(&row.v[REG_USER], doc_key(d, "user_id"));
	regdoc_ms(&row.v[REG_CREATED], doc_key(d, "start_time"));
	regdoc_ms(&row.v[REG_UPDATED], doc_key(d, "end_time"));
	mlflow_artifact(&s->m, &row, mlflow_doc(doc_key(d, "artifact_uri")));
	if ((name = doc_key(d, "run_name")) == NULL)
		name = doc_key(d, "name");
	if (mlflow_doc(name).n > 0) {
		reg_set(&row, REG_KEY, "run_name");
		regdoc_text(&row.v[REG_VALUE], name);
	}
	if ((r = run_tags(s, f, &row)) < 0 || (r = reg_send(s->p, &row)) < 0)
		return r;
	if ((name = doc_key(d, "run_id")) == NULL)
		name = doc_key(d, "run_uuid");
	if ((r = mlflow_files_compare(s, f, "run_id", at->part[MLFLOW_ID],
	    name)) < 0 || (r = mlflow_files_compare(s, f, "experiment_id",
	    at->part[MLFLOW_EXPERIMENT],
	    doc_key(d, "experiment_id"))) < 0)
		return r;
	return mlflow_run(&s->m, at->part[MLFLOW_ID]);
}

int
mlflow_runs_logged(struct mlflow_files *s, const struct reg_file *f,
    const struct mlflow_path *at)
{
	const struct doc *d;
	struct reg_row row;
	int r;

	if ((r = regdoc_yaml(s->p, f, &d)) != 0)
		return r < 0 ? r : mlflow_logged(&s->m,
		    at->part[MLFLOW_ID]);
	reg_row_init(s->p, f, &row);
	reg_set(&row, REG_TYPE, "artifact");
	mlflow_set(&row, REG_EXPERIMENT, s->experiment);
	regdoc_text(&row.v[REG_RUN], doc_key(d, "source_run_id"));
	mlflow_files_status(&row, doc_key(d, "status"), mlflow_model_status);
	regdoc_text(&row.v[REG_STAGE], doc_key(d, "lifecycle_stage"));
	reg_set(&row, REG_KEY, "model_id");
	mlflow_set(&row, REG_VALUE, at->part[MLFLOW_ID]);
	regdoc_text(&row.v[REG_DESCRIPTION], doc_key(d, "name"));
	regdoc_ms(&row.v[REG_CREATED], doc_key(d, "creation_timestamp"));
	regdoc_ms(&row.v[REG_UPDATED], doc_key(d, "last_updated_timestamp"));
	mlflow_artifact(&s->m, &row,
	    mlflow_doc(doc_key(d, "artifact_location")));
	if ((r = reg_send(s->p, &row)) < 0 ||
	    (r = mlflow_files_compare(s, f, "model_id",
	    at->part[MLFLOW_ID], doc_key(d, "model_id"))) < 0)
		return r;
	return mlflow_logged(&s->m, at->part[MLFLOW_ID]);
}

/* A data set of an experiment, or the link from a run to one. */
int
mlflow_runs_dataset(struct mlflow_files *s, const struct reg_file *f,
    const struct mlflow_path *at)
{
	bool link = at->what == MLFLOW_INPUT;
	const struct doc *d;
	struct reg_row row;
	int r;

	if ((r = regdoc_yaml(s->p, f, &d)) != 0)
		return r;
	reg_row_init(s->p, f, &row);
	reg_set(&row, REG_TYPE, "dataset");
	mlflow_set(&row, REG_EXPERIMENT, s->experiment);
	if (link) {
		mlflow_set(&row, REG_RUN, at->part[MLFLOW_ID]);
		regdoc_text(&row.v[REG_DATASET], doc_key(d, "source_id"));
		reg_set(&row, REG_KEY, "mlflow.data.context");
		regdoc_text(&row.v[REG_VALUE], doc_key(doc_key(d, "tags"),
		    "mlflow.data.context"));
	} else {
		regdoc_text(&row.v[REG_DATASET], doc_key(d, "name"));
		regdoc_text(&row.v[REG_DIGEST], doc_key(d, "digest"));
		regdoc_text(&row.v[REG_ARTIFACT], doc_key(d, "source"));
		reg_set(&row, REG_KEY, "source_type");
		regdoc_text(&row.v[REG_VALUE], doc_key(d, "source_type"));
		mlflow_set(&row, REG_DESCRIPTION, at->part[MLFLOW_ID]);
	}
	return reg_send(s->p, &row);
}

/* The link from a run to a logged model; 3.2 writes the model's id twice. */
int
mlflow_runs_output(struct mlflow_files *s, const struct reg_file *f,
    const struct mlflow_path *at)
{
	const struct doc *d;
	struct reg_row row;
	int r;

	if ((r = regdoc_yaml(s->p, f, &d)) != 0)
		return r;
	reg_row_init(s->p, f, &row);
	reg_set(&row, REG_TYPE, "artifact");
	mlflow_set(&row, REG_RUN, at->part[MLFLOW_ID]);
	mlflow_set(&row, REG_EXPERIMENT, s->experiment);
	reg_set(&row, REG_KEY, "model_id");
	regdoc_text(&row.v[REG_VALUE], doc_key(d, "destination_id"));
	if ((r = reg_send(s->p, &row)) < 0)
		return r;
	return mlflow_files_compare(s, f, "destination_id",
	    at->part[MLFLOW_KEY], doc_key(d, "destination_id"));
}

int
mlflow_runs_key(struct mlflow_files *s, const struct reg_file *f,
    const struct mlflow_path *at)
{
	const char *type = at->what == MLFLOW_PARAM ? "param" : "tag";
	struct mlflow_text text;
	struct reg_row row;
	int r;

	if ((r = mlflow_files_value(s, f, &text)) != 0)
		return r;
	reg_row_init(s->p, f, &row);
	mlflow_set(&row, REG_EXPERIMENT, s->experiment);
	if (at->logged)
		mlflow_set(&row, REG_DESCRIPTION, at->part[MLFLOW_ID]);
	else
		mlflow_set(&row, REG_RUN, at->part[MLFLOW_ID]);
	if (at->what == MLFLOW_METRIC) {
		type = "metric";
		if ((r = mlflow_store_metric(s->p, f, &row, &text)) != 0)
			return r;
	}
	return mlflow_files_send(s, &row, type, at->part[MLFLOW_KEY], text);
}

