#ifndef FORMATS_REG_MLFLOW_FILES_H_
#define FORMATS_REG_MLFLOW_FILES_H_

#include "formats/reg/mlflow_store.h"

/*
 * Private to the reader of MLflow's file store: mlflow_files.c (the store,
 * and its registered models) and mlflow_runs.c (experiments and what is in
 * them).
 */
struct mlflow_files {
	struct mlflow m;
	struct reg_parse *p;
	struct mlflow_text experiment;	/* name of the current one */
	struct mlflow_text current;	/* its folder */
	uint64_t traces;		/* in it so far */
	const struct reg_file *trace;
};

/* Each: 0, 1 when the file cannot be read (told), or negative. */
typedef int mlflow_files_read(struct mlflow_files *s,
    const struct reg_file *f, const struct mlflow_path *at);

mlflow_files_read mlflow_runs_experiment, mlflow_runs_run,
    mlflow_runs_logged, mlflow_runs_dataset, mlflow_runs_output,
    mlflow_runs_key;

/*
 * compare: tells DISAGREES when the folder says one thing and the file in it
 * another.  status: a number that the store writes, or a word, as STATUS.
 * value: a small file, the line end behind its value left out as MLflow
 * does.
 */
int mlflow_files_compare(struct mlflow_files *s, const struct reg_file *f,
    const char *what, struct mlflow_text folder, const struct doc *d);
void mlflow_files_status(struct reg_row *row, const struct doc *d,
    const char *(*name)(int64_t n));
int mlflow_files_value(struct mlflow_files *s, const struct reg_file *f,
    struct mlflow_text *ret);
int mlflow_files_send(struct mlflow_files *s, struct reg_row *row,
    const char *type, struct mlflow_text key, struct mlflow_text text);

#endif /* !FORMATS_REG_MLFLOW_FILES_H_ */
