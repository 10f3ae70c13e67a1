#ifndef FORMATS_REG_MLFLOW_STORE_H_
#define FORMATS_REG_MLFLOW_STORE_H_

#include "formats/reg/mlflow.h"

/*
 * Which file of MLflow's file store is what, by its path below the root:
 *
 *	models/NAME/meta.yaml			 MODEL
 *	models/NAME/aliases/KEY			 ALIAS
 *	models/NAME/tags/KEY			 MODEL_TAG
 *	models/NAME/version-ID/meta.yaml	 VERSION
 *	models/NAME/version-ID/tags/KEY		 MODEL_TAG
 *	models/NAME/...				 STRAY
 *	[.trash/]EXPERIMENT/meta.yaml		 EXPERIMENT_META
 *	[.trash/]EXPERIMENT/tags/KEY		 EXPERIMENT_TAG
 *	[.trash/]EXPERIMENT/datasets/ID/meta.yaml DATASET
 *	[.trash/]EXPERIMENT/traces/ID/trace_info.yaml TRACE
 *	[.trash/]EXPERIMENT/models/ID/meta.yaml	 LOGGED (also params, tags,
 *						 metrics as a run has)
 *	[.trash/]EXPERIMENT/ID/meta.yaml	 RUN
 *	[.trash/]EXPERIMENT/ID/params/KEY	 PARAM, TAG, METRIC
 *	[.trash/]EXPERIMENT/ID/inputs/KEY/meta.yaml INPUT, OUTPUT
 *
 * EXPERIMENT is decimal; KEY may have slashes.  All else is OTHER: artifacts
 * above all.
 */
enum mlflow_what { MLFLOW_OTHER, MLFLOW_MODEL, MLFLOW_VERSION, MLFLOW_ALIAS,
	MLFLOW_MODEL_TAG, MLFLOW_STRAY, MLFLOW_EXPERIMENT_META,
	MLFLOW_EXPERIMENT_TAG, MLFLOW_DATASET, MLFLOW_TRACE, MLFLOW_LOGGED,
	MLFLOW_RUN, MLFLOW_PARAM, MLFLOW_TAG, MLFLOW_METRIC, MLFLOW_INPUT,
	MLFLOW_OUTPUT };
enum mlflow_part { MLFLOW_NAME, MLFLOW_EXPERIMENT, MLFLOW_ID, MLFLOW_KEY,
	MLFLOW_PARTS };

struct doc;

struct mlflow_path {
	enum mlflow_what what;
	bool trash;
	bool logged;		/* of a logged model, not of a run */
	struct mlflow_text part[MLFLOW_PARTS];	/* into the file's path */
};

void mlflow_store_path(const struct reg_parse *p, const struct reg_file *f,
    struct mlflow_path *ret);
bool mlflow_store_find(const struct reg_tree *t, const struct reg_file *f,
    size_t *root);

/*
 * mlflow_store_aliases: the aliases in a model's meta.yaml ${d} against the
 * files of its folder; tells ALIAS.
 */
int mlflow_store_aliases(struct mlflow *m, const struct reg_file *f,
    const struct mlflow_path *at, const struct doc *d);

/*
 * mlflow_store_metric: the last value in a metric's lines "TIME VALUE STEP",
 * by step, time and value as MLflow takes it, and its time as UPDATED.  0, 1
 * when there is none that can be read (told), or negative.
 */
int mlflow_store_metric(struct reg_parse *p, const struct reg_file *f,
    struct reg_row *row, struct mlflow_text *text);

#endif /* !FORMATS_REG_MLFLOW_STORE_H_ */
