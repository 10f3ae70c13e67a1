#ifndef COLLECTOR_DISCOVER_H_
#define COLLECTOR_DISCOVER_H_

#include <stdbool.h>
#include <stdint.h>

struct buf;
struct err;

/*
 * Propose a plan from what lies below a folder, by names and by the shapes of
 * folders alone: no content is read here, where rights are.  What a name
 * promises may not be there; the plan is a person's to change.
 *
 * A folder that is something (a registry, a cache) becomes one source and is
 * not looked into; of other folders the model files, logs, data and databases
 * become sources, and those of one class that lie together, their folder.
 * Links are not followed, other file systems entered only when told.
 *
 * discover(dir, limits, ret, e): append a commented plan of YAML to ${ret};
 * what ended the walk early is a comment in it.  ERR_NOTFOUND and the like
 * when ${dir} cannot be opened.  *n: sources that were found; a plan without
 * any is no plan yet, and says so.
 */
struct discover_limits {
	unsigned depth;		/* folders below ${dir} */
	uint64_t entries;	/* names looked at */
	bool mounts;		/* enter other file systems */
};
#define DISCOVER_LIMITS {12, 200000, false}

int discover(const char *dir, const struct discover_limits *limits,
    struct buf *ret, unsigned *n, struct err *e);

#endif /* !COLLECTOR_DISCOVER_H_ */
