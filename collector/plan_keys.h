#ifndef COLLECTOR_PLAN_KEYS_H_
#define COLLECTOR_PLAN_KEYS_H_

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "collector/plan_node.h"

struct arena;
struct err;
struct plan;

/*
 * Maps of a plan by table: a row is a key, what reads its value, and where in
 * ${target} the value goes.  Private to plan*.c.
 */
struct plan_parse {
	const char *name;	/* of the plan, printable, for messages */
	struct arena *arena;
	struct plan *plan;
	struct err *e;
};

struct plan_key {
	const char *name;
	int (*take)(struct plan_parse *p, const struct plan_node *value,
	    void *at);
	size_t offset;
};

struct plan_table {
	const char *what;	/* "a source" */
	const struct plan_key *keys;
	size_t n;
};

/*
 * plan_take_map: each key of ${node} once, and known; what is not is an
 * error that lists them.  *seen has a bit for each row whose key was there.
 */
int plan_take_map(struct plan_parse *p, const struct plan_node *node,
    const struct plan_table *t, void *target, uint32_t *seen);

/* Values.  ${at}: const char *, bool, int64_t, uint64_t. */
int plan_take_text(struct plan_parse *p, const struct plan_node *v, void *at);
int plan_take_bool(struct plan_parse *p, const struct plan_node *v, void *at);
int plan_take_time(struct plan_parse *p, const struct plan_node *v, void *at);
int plan_take_size(struct plan_parse *p, const struct plan_node *v, void *at);

/* plan_source.c: the list of sources. */
int plan_take_sources(struct plan_parse *p, const struct plan_node *v,
    void *plan);

#endif /* !COLLECTOR_PLAN_KEYS_H_ */
