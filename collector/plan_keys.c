#include <string.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/bug.h"
#include "base/err.h"
#include "base/limits.h"
#include "base/text.h"
#include "collector/plan_keys.h"
#include "collector/value.h"

static int
unknown(struct plan_parse *p, const struct plan_node *key,
    const struct plan_table *t)
{
	char shown[48];
	struct buf b;
	int r;

	buf_init(&b, KIB);
	for (size_t i = 0; i < t->n; i++)
		buf_printf(&b, "%s%s", i > 0 ? ", " : "", t->keys[i].name);
	r = plan_error(p->name, key, p->e, "'%s' is no key of %s: %s",
	    text_z(shown, sizeof(shown), key->text, key->n), t->what,
	    buf_str(&b));
	buf_release(&b);
	return r;
}

int
plan_take_map(struct plan_parse *p, const struct plan_node *node,
    const struct plan_table *t, void *target, uint32_t *seen)
{
	const struct plan_key *keys = t->keys;
	const struct plan_node *value;
	size_t i;
	int r;

	BUG_ON(t->n > 32);
	*seen = 0;
	if (node->kind != PLAN_MAP)
		return plan_error(p->name, node, p->e,
		    "%s is a map of keys and values", t->what);
	for (const struct plan_node *key = node->first; key != NULL;
	    key = value->next) {
		value = key->next;
		for (i = 0; i < t->n; i++)
			if (strcmp(keys[i].name, key->text) == 0)
				break;
		if (i == t->n)
			return unknown(p, key, t);
		if ((*seen & (1U << i)) != 0)
			return plan_error(p->name, key, p->e,
			    "'%s' is given twice", keys[i].name);
		*seen |= 1U << i;
		if ((r = keys[i].take(p, value, (char *)target +
		    keys[i].offset)) < 0)
			return r;
	}
	return 0;
}

int
plan_take_text(struct plan_parse *p, const struct plan_node *v, void *at)
{
	static const char *const not_text[] = {"", "~", "null", "Null",
	    "NULL", "true", "True", "TRUE", "false", "False", "FALSE"};

	if (v->kind != PLAN_TEXT)
		return plan_error(p->name, v, p->e,
		    "a text is wanted here, no list and no map");
	if (v->n == 0)
		return plan_error(p->name, v, p->e, "a text is wanted here");
	for (size_t i = 0; v->plain && i < sizeof(not_text) /
	    sizeof(not_text[0]); i++)
		if (strcmp(v->text, not_text[i]) == 0)
			return plan_error(p->name, v, p->e, "a text is wanted "
			    "here: '%s' needs quotes to be one", v->text);
	*(const char **)at = v->text;
	return 0;
}

int
plan_take_bool(struct plan_parse *p, const struct plan_node *v, void *at)
{
	if (v->kind == PLAN_TEXT && v->plain &&
	    strcmp(v->text, "true") == 0)
		*(bool *)at = true;
	else if (v->kind == PLAN_TEXT && v->plain &&
	    strcmp(v->text, "false") == 0)
		*(bool *)at = false;
	else
		return plan_error(p->name, v, p->e,
		    "true or false is wanted here");
	return 0;
}

int
plan_take_time(struct plan_parse *p, const struct plan_node *v, void *at)
{
	if (v->kind != PLAN_TEXT || !value_time(v->text, v->n, at))
		return plan_error(p->name, v, p->e, "a time is wanted here: "
		    "2026-11-24T10:45:00Z (any zone), or a date");
	return 0;
}

int
plan_take_size(struct plan_parse *p, const struct plan_node *v, void *at)
{
	if (v->kind != PLAN_TEXT || !value_size(v->text, v->n, at) ||
	    *(uint64_t *)at == 0)
		return plan_error(p->name, v, p->e, "bytes are wanted here: "
		    "a number, or one with K, M, G or T");
	return 0;
}
