#ifndef FORMATS_REG_MLFLOW_DB_H_
#define FORMATS_REG_MLFLOW_DB_H_

#include "formats/reg/mlflow.h"
#include "formats/reg/regdb.h"
#include "formats/reg/regdict.h"

/*
 * Private to the reader of MLflow's SQLite back end: mlflow_db.c (runs and
 * the registry) and mlflow_tables.c (data sets, traces, the gateway, and the
 * tables that are mapped column by column).
 */
struct mlflow_db {
	struct mlflow m;
	struct regdb r;
	struct regdict experiments;	/* id: name */
	struct regdict tags[3];	/* run: value; which: tag_keys */
	struct regdict datasets;		/* uuid: name, digest */
	struct regdict contexts;		/* input uuid: training, ... */
	struct regdict endpoints;		/* id: name */
	struct regdict models;		/* definition: provider/model */
	const struct mlflow_simple *simple;	/* the table being read */
	struct regdict_pair orphans;	/* traces of no experiment */
};

/* regdict_put and regdict_get by a column. */
int mlflow_db_put(struct mlflow_db *d, struct regdict *to,
    const struct sqlitedb_value *key, struct mlflow_text value,
    struct mlflow_text more);
struct regdict_pair *mlflow_db_get(const struct regdict *d,
    const struct sqlitedb_value *key);

struct mlflow_text mlflow_db_text(const struct sqlitedb_value *v);
/* NAME, or WORKSPACE/NAME. */
struct mlflow_text mlflow_db_model(struct mlflow_db *d,
    const struct sqlitedb_value *name, const struct sqlitedb_value *space);
/* The experiment's name, or its number when it has none. */
void mlflow_db_experiment(struct mlflow_db *d, struct reg_row *row,
    const struct sqlitedb_value *id);
void mlflow_db_begin(struct mlflow_db *d, struct reg_row *row,
    const char *type);

#define MLFLOW_DB_SELECT(d, table, columns, each) regdb_select(&(d)->r, \
    table, columns, sizeof(columns) / sizeof(*(columns)), each, d)

/* mlflow_tables_read: what follows runs and versions. */
int mlflow_tables_read(struct mlflow_db *d);

#endif /* !FORMATS_REG_MLFLOW_DB_H_ */
