#ifndef FORMATS_REG_REGDB_H_
#define FORMATS_REG_REGDB_H_

#include "formats/reg/reg.h"
#include "formats/reg/sqlitedb.h"

struct mlflow_text;

/*
 * A SQLite database of a tree, with the -wal and -journal beside it, and its
 * tables as rows of the normal form.
 */
struct regdb {
	struct reg_parse *p;
	const struct reg_file *f, *wal, *journal;
	struct bytesrc *src, *wal_src, *journal_src;
	struct sqlitedb *db;
};

/*
 * regdb_is: may this file be a database, by its name (.db, .sqlite,
 * .sqlite3, .db3, or ${word} in it) and its first bytes?  Where those cannot
 * be read, by the end of its name; when its bytes were not taken, by ".db"
 * and ${word}.
 */
bool regdb_is(const struct reg_tree *t, const struct reg_file *f,
    const char *word);

/*
 * regdb_open: 0; 1 when it cannot be read (told if ${tell}); negative.
 * regdb_close in any case.
 */
int regdb_open(struct regdb *r, struct reg_parse *p,
    const struct reg_file *f, bool tell);
void regdb_close(struct regdb *r);
/*
 * regdb_about: rows of type event: pages that a log or journal replaces, the
 * size of the free list (deleted rows may still be there), triggers, views
 * and virtual tables; tells MALFORMED of a log or journal that was altered.
 */
int regdb_about(struct regdb *r);

/*
 * regdb_select: sqlitedb_select; what cannot be read is told with the
 * table's name, and the next table can be asked.  0 or negative.
 */
int regdb_select(struct regdb *r, const char *table,
    const char *const *column, unsigned columns,
    int (*each)(void *ctx, const struct sqlitedb_value *v), void *ctx);

/* A value as text; of reals the shortest that is exact, in ${buf}. */
#define REGDB_TEXT 32
struct mlflow_text regdb_text(const struct sqlitedb_value *v,
    char buf[REGDB_TEXT]);
/* A column, left alone when null or empty; FIELD_TIME from milliseconds. */
void regdb_set(struct reg_row *row, enum reg_column c,
    const struct sqlitedb_value *v);

#endif /* !FORMATS_REG_REGDB_H_ */
