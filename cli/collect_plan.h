#ifndef CLI_COLLECT_PLAN_H_
#define CLI_COLLECT_PLAN_H_

#include <stddef.h>

#include "collector/plan.h"

struct collect_args;
struct err;

/*
 * A plan and the flags beside it, of `exhibit collect` alone.  A flag wins
 * over the plan's value; flags that name sources or patterns are added to
 * those of the plan; both are recorded in acquisition.json.
 */
struct collect_merge {
	struct plan *plan;
	struct collect_source *sources;
	const char **excludes;
	const char *replaced[8], *added[2];
};

/*
 * collect_merge: read the plan ${path} into ${o}, which holds the flags' part
 * already.  ERR_ARG when it is no plan.  *m is released with
 * collect_merge_release, behind the last use of ${o}.
 */
int collect_merge(struct collect_merge *m, const char *path,
    const struct collect_args *a, struct collect_options *o, struct err *e);
void collect_merge_release(struct collect_merge *m);

#endif /* !CLI_COLLECT_PLAN_H_ */
