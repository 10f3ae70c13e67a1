#ifndef FORMATS_REG_MLFLOW_PAGE_H_
#define FORMATS_REG_MLFLOW_PAGE_H_

#include "formats/doc.h"
#include "formats/reg/mlflow.h"

/*
 * The objects of MLflow's REST interface, wherever they stand in an answer:
 * registered models, versions, experiments, runs, logged models; also in the
 * shape that mlflow-export-import gives them.  int64 come as numbers or as
 * strings; lists of {key, value} also as maps.
 */
struct mlflow_page {
	struct mlflow m;
	struct reg_parse *p;
	const struct reg_file *f;	/* the page being read */
	struct mlflow_text *experiment;	/* id, name, id, name, ... */
	size_t experiments, cap;
};

/*
 * mlflow_page_read: rows of one answer; an answer that is an error is told as
 * UNREAD.  0 or negative.
 */
int mlflow_page_read(struct mlflow_page *g, const struct doc *d);

#endif /* !FORMATS_REG_MLFLOW_PAGE_H_ */
