#ifndef COLLECTOR_PLAN_H_
#define COLLECTOR_PLAN_H_

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "collector/collect.h"

struct arena;
struct err;

/*
 * A plan says what is to be taken, why, and by whom, before anybody is on the
 * machine (schemas/plan.schema.json; docs/PLAN.md).  YAML, or JSON.
 *
 *	case: FRAUD-7			the case's identifier
 *	exhibit: server 12		a label of the examiner's own
 *	authority: order 4711
 *	purpose: which version was served?
 *	examiner: Ada Example
 *	scope:
 *	  exclude: ["*.tmp"]		glob.h
 *	  follow-mounts: local		all, local or none
 *	  one-file-system: true		the same as none
 *	limits: {rate: 50M, nice: 10, max-bytes: 2T}
 *	sources:
 *	- {class: weights, path: /srv/models}
 *	- {uri: "mlflow:/srv/mlruns"}
 *	- {class: training, path: /d.jsonl, slice: "rows=0..100"}
 *	- {class: api-logs, path: /var/log/api, since: 2026-11-01}
 *	- {process: 4711, options: {environ: names}}
 *	- {process-of: /srv/models/m.safetensors}
 *
 * A source has exactly one of path, path-hex (bytes that are not UTF-8), uri,
 * process and process-of.  Relative paths are below the working directory.
 * Every key that is not known, given twice, of the wrong type or out of place
 * is an error that says where, and what is allowed.
 */
struct plan {
	struct arena *arena;		/* of everything below */
	struct collect_plan record;	/* path, bytes, digest */
	const char *case_id, *exhibit, *authority, *purpose, *examiner;
	const char *organisation, *contact, *witness, *write_blocker;
	const char **excludes;
	size_t nexcludes;
	bool has_mounts;
	enum collect_mounts mounts;
	uint64_t rate, max_bytes;	/* 0: not said */
	bool has_nice;
	int nice;
	struct collect_source *sources;
	size_t nsources;
};

/*
 * plan_parse(name, p, n, ret, e): ERR_FORMAT with "NAME:LINE:COLUMN: why",
 * ERR_LIMIT, ERR_NOMEM.  plan_read: of a file, which is also recorded.
 */
int plan_parse(const char *name, const void *p, size_t n, struct plan **ret,
    struct err *e);
int plan_read(const char *path, struct plan **ret, struct err *e);
void plan_free(struct plan *p);		/* NULL does nothing */

#endif /* !COLLECTOR_PLAN_H_ */
