#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <yaml.h>

#include "base/arena.h"
#include "base/bug.h"
#include "base/err.h"
#include "base/limits.h"
#include "base/text.h"
#include "collector/plan_node.h"

/*
 * libyaml's events, in order, to a tree: the stack below holds the open lists
 * and maps.  Aliases are refused where they stand, so nothing is ever larger
 * than its text.
 */
struct open_node {
	struct plan_node *node, *last;
	bool value;		/* of a map: the next one is a value */
};

struct plan_reader {
	const char *name;
	struct arena *a;
	struct err *e;
	struct open_node open[LIMIT_PLAN_DEPTH];
	unsigned depth;
	struct plan_node *root;
};

int
plan_error(const char *name, const struct plan_node *at, struct err *e,
    const char *fmt, ...)
{
	char why[256];
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(why, sizeof(why), fmt, ap);
	va_end(ap);
	return err_set(e, ERR_FORMAT, "%s:%u:%u: %s", name, at->line,
	    at->column, why);
}

static struct plan_node
place(const yaml_mark_t *mark)
{
	return (struct plan_node){.line = (unsigned)mark->line + 1,
	    .column = (unsigned)mark->column + 1};
}

/* A node where the next one is expected. */
static int
add(struct plan_reader *r, struct plan_node at, enum plan_node_kind kind,
    struct plan_node **ret)
{
	struct open_node *o = r->depth > 0 ? &r->open[r->depth - 1] : NULL;
	struct plan_node *n;

	BUG_ON(o != NULL && o->node == NULL);
	if (o != NULL && o->node->kind == PLAN_MAP && !o->value &&
	    kind != PLAN_TEXT)
		return plan_error(r->name, &at, r->e, "a key is a text");
	if ((n = arena_alloc(r->a, sizeof(*n))) == NULL)
		return err_set(r->e, ERR_NOMEM, "out of memory");
	*n = at;
	n->kind = kind;
	if (o == NULL)
		r->root = n;
	else if (o->last == NULL)
		o->node->first = n;
	else
		o->last->next = n;
	if (o != NULL) {
		o->last = n;
		o->value = !o->value;
	}
	*ret = n;
	return 0;
}

static int
begin(struct plan_reader *r, const struct plan_node *at,
    enum plan_node_kind kind)
{
	struct plan_node *n;
	int ret;

	if (r->depth == LIMIT_PLAN_DEPTH)
		return plan_error(r->name, at, r->e,
		    "lists and maps nest deeper than %d", LIMIT_PLAN_DEPTH);
	if ((ret = add(r, *at, kind, &n)) < 0)
		return ret;
	r->open[r->depth++] = (struct open_node){.node = n};
	return 0;
}

static int
text(struct plan_reader *r, const yaml_event_t *ev, struct plan_node at)
{
	const uint8_t *p = ev->data.scalar.value;
	size_t n = ev->data.scalar.length;
	struct plan_node *node = NULL;
	int ret;

	if (n > LIMIT_PLAN_TEXT)
		return plan_error(r->name, &at, r->e,
		    "a text is longer than %zu bytes", LIMIT_PLAN_TEXT);
	if (memchr(p, 0, n) != NULL)
		return plan_error(r->name, &at, r->e, "a text holds a NUL");
	if ((ret = add(r, at, PLAN_TEXT, &node)) < 0 || node == NULL)
		return ret;
	node->plain = ev->data.scalar.style == YAML_PLAIN_SCALAR_STYLE;
	node->n = n;
	if ((node->text = arena_dup(r->a, p, n)) == NULL)
		return err_set(r->e, ERR_NOMEM, "out of memory");
	return 0;
}

/* Tags change what a text means; "!" before a quoted one says nothing. */
static bool
has_tag(const yaml_event_t *ev)
{
	return (ev->type == YAML_SCALAR_EVENT &&
	    ev->data.scalar.tag != NULL) ||
	    (ev->type == YAML_SEQUENCE_START_EVENT &&
	    ev->data.sequence_start.tag != NULL) ||
	    (ev->type == YAML_MAPPING_START_EVENT &&
	    ev->data.mapping_start.tag != NULL);
}

static int
event(struct plan_reader *r, const yaml_event_t *ev)
{
	struct plan_node at = place(&ev->start_mark);

	if (has_tag(ev))
		return plan_error(r->name, &at, r->e,
		    "a plan has no tags ('!')");
	switch ((int)ev->type) {
	case YAML_ALIAS_EVENT:
		return plan_error(r->name, &at, r->e,
		    "a plan has no aliases ('*'): write it out");
	case YAML_SCALAR_EVENT:
		return text(r, ev, at);
	case YAML_SEQUENCE_START_EVENT:
		return begin(r, &at, PLAN_LIST);
	case YAML_MAPPING_START_EVENT:
		return begin(r, &at, PLAN_MAP);
	case YAML_SEQUENCE_END_EVENT:
	case YAML_MAPPING_END_EVENT:
		r->depth--;
		return 0;
	case YAML_DOCUMENT_START_EVENT:
		return r->root == NULL ? 0 : plan_error(r->name, &at, r->e,
		    "a plan is one document");
	default:
		return 0;
	}
}

static int
syntax(struct plan_reader *r, const yaml_parser_t *y)
{
	struct plan_node at = place(&y->problem_mark);
	char why[160];
	const char *problem = y->problem != NULL ? y->problem :
	    "cannot be read";

	if (y->error == YAML_MEMORY_ERROR)
		return err_set(r->e, ERR_NOMEM, "out of memory");
	if (y->error == YAML_READER_ERROR)
		at = place(&y->mark);	/* where it has read to */
	return plan_error(r->name, &at, r->e, "%s", text_z(why, sizeof(why),
	    problem, strlen(problem)));
}

int
plan_yaml(const char *name, const void *p, size_t n, struct arena *a,
    struct plan_node **ret, struct err *e)
{
	struct plan_reader r = {.name = name, .a = a, .e = e};
	const struct plan_node top = {.line = 1, .column = 1};
	unsigned events = 0;
	yaml_parser_t y;
	yaml_event_t ev;
	bool ended = false;
	int got = 0;

	if (yaml_parser_initialize(&y) == 0)
		return err_set(e, ERR_NOMEM, "out of memory");
	yaml_parser_set_input_string(&y, p, n);
	/* Byte order marks would let it be UTF-16: a plan is UTF-8. */
	yaml_parser_set_encoding(&y, YAML_UTF8_ENCODING);
	while (got >= 0 && !ended) {
		if (yaml_parser_parse(&y, &ev) == 0) {
			got = syntax(&r, &y);
			break;
		}
		if (++events > LIMIT_PLAN_EVENTS)
			got = plan_error(name, &top, e, "more than %d "
			    "elements", LIMIT_PLAN_EVENTS);
		else
			got = event(&r, &ev);
		ended = ev.type == YAML_STREAM_END_EVENT;
		yaml_event_delete(&ev);
	}
	yaml_parser_delete(&y);
	if (got >= 0 && r.root == NULL)
		got = plan_error(name, &top, e, "the plan is empty");
	if (got >= 0)
		*ret = r.root;
	return got < 0 ? got : 0;
}
