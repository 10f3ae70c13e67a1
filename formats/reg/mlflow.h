#ifndef FORMATS_REG_MLFLOW_H_
#define FORMATS_REG_MLFLOW_H_

#include "formats/reg/reg.h"

struct doc;

/*
 * What every back end of MLflow has in common: versions that are counted from
 * 1, aliases that point to them, runs and logged models that they come from.
 * A reader tells what it finds as it goes; mlflow_finish tells what does not
 * fit together:
 *
 *	DELETED	 a number below the highest is missing from a model's
 *		 versions, or a version is marked as deleted
 *	ALIAS	 an alias points to a version that is not there, or to two
 *	MISSING	 a version comes from a run or a logged model that is not
 *		 there (asked only when runs, or logged models, were read)
 */
struct mlflow_text {
	const char *p;		/* NULL: nothing */
	size_t n;
};

struct mlflow_list {
	struct mlflow_entry *v;
	size_t n, cap;
};

struct mlflow {
	struct reg_parse *p;
	struct arena *keep;	/* what mlflow_finish needs */
	struct mlflow_text base;	/* folder that artifacts lie below */
	struct mlflow_list versions, aliases, runs, logged;
};

/* ${base}: "" for the tree itself. */
void mlflow_init(struct mlflow *m, struct reg_parse *p, const char *base,
    size_t n);

struct mlflow_version {
	struct mlflow_text model, version, stage, run, model_id;
	const struct reg_file *by;
};

/* All texts are copied. */
int mlflow_version(struct mlflow *m, const struct mlflow_version *v);
int mlflow_alias(struct mlflow *m, struct mlflow_text model,
    struct mlflow_text alias, struct mlflow_text version,
    const struct reg_file *by);
int mlflow_run(struct mlflow *m, struct mlflow_text id);
int mlflow_logged(struct mlflow *m, struct mlflow_text id);
int mlflow_finish(struct mlflow *m);

/*
 * mlflow_artifact: ARTIFACT from an address ("file:///srv/mlruns/1/..."),
 * and MEMBER when a tail of it is a file or folder of the tree below the
 * base.
 */
void mlflow_artifact(struct mlflow *m, struct reg_row *row,
    struct mlflow_text uri);

/* A copy in ${m->keep}, NULL when it is full. */
struct mlflow_text mlflow_copy(struct mlflow *m, struct mlflow_text t);
struct mlflow_text mlflow_z(const char *s);
struct mlflow_text mlflow_doc(const struct doc *d);
bool mlflow_same(struct mlflow_text a, struct mlflow_text b);
/* A column, left alone when there is nothing. */
void mlflow_set(struct reg_row *row, enum reg_column c,
    struct mlflow_text t);
/* Of a run: 32 hexadecimal digits; of a logged model "m-" before them. */
bool mlflow_is_id(struct mlflow_text t, bool logged);
/* A time from "2026-08-01 10:27:00.523587", UTC; left alone if it is none. */
void mlflow_utc(struct field *f, struct mlflow_text t);
/* The stage that stands for a deleted version. */
bool mlflow_deleted(struct mlflow_text stage);
/*
 * mlflow_tag: columns of a run from its tags: mlflow.user and
 * mlflow.source.git.{commit,repoURL}.  False when it is none of them.
 */
bool mlflow_tag(struct reg_row *row, struct mlflow_text key,
    struct mlflow_text value);
/* Names of the numbers that the stores write; NULL for others. */
const char *mlflow_run_status(int64_t n);
const char *mlflow_model_status(int64_t n);

#endif /* !FORMATS_REG_MLFLOW_H_ */
