#ifndef COLLECTOR_PLAN_NODE_H_
#define COLLECTOR_PLAN_NODE_H_

#include <stdbool.h>
#include <stddef.h>

struct arena;
struct err;

/*
 * The tree of a plan's YAML, with the place of each node.  JSON is YAML.
 *
 * Nothing of YAML that lets one text mean two things: no aliases, no tags, no
 * second document, no key that is not text, no NUL in a text.  Depth, events
 * and the length of a text have limits (LIMIT_PLAN_*).
 */
enum plan_node_kind { PLAN_TEXT, PLAN_LIST, PLAN_MAP };

struct plan_node {
	enum plan_node_kind kind;
	unsigned line, column;		/* from 1 */
	const char *text;		/* PLAN_TEXT; NUL behind it */
	size_t n;
	bool plain;			/* without quotes: may be a number */
	struct plan_node *first;	/* of a map: key, value, key, value */
	struct plan_node *next;
};

/*
 * plan_yaml: ERR_FORMAT "NAME:LINE:COLUMN: why" (${name} printable), or
 * ERR_NOMEM.  The tree lies in the arena.
 */
int plan_yaml(const char *name, const void *p, size_t n, struct arena *a,
    struct plan_node **ret, struct err *e);

/* plan_error: that message, at a node. */
int plan_error(const char *name, const struct plan_node *at, struct err *e,
    const char *fmt, ...) __attribute__((format(printf, 4, 5)));

#endif /* !COLLECTOR_PLAN_NODE_H_ */
