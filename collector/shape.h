#ifndef COLLECTOR_SHAPE_H_
#define COLLECTOR_SHAPE_H_

#include <stdbool.h>
#include <stddef.h>

#include "collector/source.h"
#include "custody/bag.h"

/*
 * What something is by its name, and a folder by the names in it.  Rows, not
 * branches: shape.c has the tables and their sources.
 */
struct shape {
	enum bag_class class;
	enum source_system kind;
	const char *what;	/* "an MLflow file store" */
	bool whole;		/* nothing else is looked for inside */
};

/*
 * shape_folder(name, has, ctx, ret): is a folder, called ${name}, one of
 * those that we know?  ${has} asks whether it holds an entry (a folder when
 * the name ends in a slash); a name that begins with "*" means its ending, one
 * that ends with "*" its beginning.
 */
bool shape_folder(const char *name, bool (*has)(void *ctx, const char *entry),
    void *ctx, struct shape *ret);

/*
 * shape_file(name, folder, ret): by its ending, or its whole name.  Data in a
 * folder that is named for logs or requests are logs.
 */
bool shape_file(const char *name, const char *folder, struct shape *ret);

/* shape_is(entry, folder, pattern): does a name fit, as above? */
bool shape_is(const char *entry, bool folder, const char *pattern);

#endif /* !COLLECTOR_SHAPE_H_ */
