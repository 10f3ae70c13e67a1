#include <string.h>

#include "formats/jinja_parts.h"

/* What an expression is made of: names, constants, lists, dicts, groups. */

/* An element to a list that grows; without room the list is unknown. */
struct items {
	struct jval *item;
	size_t n, cap;
	bool lost;
};

static void
items_add(struct jinja *j, struct items *l, const struct jval *v)
{
	size_t cap = l->cap == 0 ? 2 : 2 * l->cap;
	struct jval *grown;

	if (l->lost || j->items == 0) {
		l->lost = true;
		return;
	}
	if (l->n == l->cap) {
		if ((grown = jinja_alloc(j, cap, sizeof(*grown))) == NULL) {
			l->lost = true;
			return;
		}
		if (l->n > 0)
			memcpy(grown, l->item, l->n * sizeof(*grown));
		l->item = grown;
		l->cap = cap;
	}
	j->items--;
	if (j->items == 0)
		jinja_limit(j);
	l->item[l->n++] = *v;
}

/* A container of what was read; its parts may be printed with it. */
static struct jval
container(const struct items *l, enum jkind kind, const struct jval *all,
    size_t at)
{
	struct jval v = *all;

	v.at = at;
	v.kind = l->lost ? JV_UNKNOWN : kind;
	v.item = l->item;
	v.count = l->n;
	return v;
}

static struct jval
read_list(struct jinja *j, unsigned close, size_t at)
{
	struct jval all = jval_unknown(at, 0), v;
	struct items l = {0};

	while (!j->bad && !jlex_is_op(j, close)) {
		v = jexpr(j);
		all = jval_merge(&all, &v);
		items_add(j, &l, &v);
		if (!jlex_op(j, ','))
			break;
	}
	if (!jlex_op(j, close))
		jexpr_bad(j);
	return container(&l, JV_LIST, &all, at);
}

static struct jval
read_dict(struct jinja *j, size_t at)
{
	struct jval all = jval_unknown(at, 0), k, v;
	struct items l = {0};

	while (!j->bad && !jlex_is_op(j, '}')) {
		k = jexpr(j);
		if (!jlex_op(j, ':')) {
			jexpr_bad(j);
			break;
		}
		v = jexpr(j);
		all = jval_merge(&all, &v);
		items_add(j, &l, &k);
		items_add(j, &l, &v);
		if (!jlex_op(j, ','))
			break;
	}
	if (!jlex_op(j, '}'))
		jexpr_bad(j);
	return container(&l, JV_DICT, &all, at);
}

static struct jval
read_group(struct jinja *j, size_t at)
{
	struct jval v, all;
	struct items l = {0};

	if (jlex_op(j, ')'))
		return (struct jval){.kind = JV_LIST, .at = at};
	v = all = jexpr(j);
	if (!jlex_is_op(j, ',')) {
		if (!jlex_op(j, ')'))
			jexpr_bad(j);
		v.name = NULL;
		return v;
	}
	items_add(j, &l, &v);
	while (!j->bad && jlex_op(j, ',') && !jlex_is_op(j, ')')) {
		v = jexpr(j);
		all = jval_merge(&all, &v);
		items_add(j, &l, &v);
	}
	if (!jlex_op(j, ')'))
		jexpr_bad(j);
	return container(&l, JV_LIST, &all, at);
}

/* 'a' 'b' is one string. */
static struct jval
read_string(struct jinja *j)
{
	struct jval v = jval_str(j->tok.p, j->tok.n, j->tok.at), next, both;
	uint32_t cp;
	size_t at;

	v.lit = jinja_lit(v.p, v.n, v.at);
	if (j->prints && j->args == 0)
		jmark_text(j, v.p, v.n);
	if ((v.lit.flags & JLIT_HIDDEN) != 0) {
		const unsigned how = jinja_invisible(v.p, v.n, &at, &cp);
		const struct fact facts[] = {FACT_NUM("character", cp)};

		jinja_tell(j, how > 1 ? ANOMALY_JINJA_HIDDEN :
		    ANOMALY_JINJA_INVISIBLE, v.at, facts, 1);
	}
	jlex_next(j);
	while (j->tok.type == JTOK_STR) {
		next = jval_str(j->tok.p, j->tok.n, j->tok.at);
		next.lit = jinja_lit(next.p, next.n, next.at);
		jlex_next(j);
		both = jval_merge(&v, &next);
		if (!jfold_concat(j, &v, &next, &both))
			jname_string(j, &next, false);
		v = both;
	}
	jname_string(j, &v, false);
	return v;
}

static struct jval
constant(struct jinja *j, enum jkind kind, int64_t num)
{
	struct jval v = {.kind = kind, .num = num, .at = j->tok.at};

	jlex_next(j);
	return v;
}

static struct jval
read_name(struct jinja *j)
{
	struct jtok name = j->tok;
	struct jval v;

	if (jlex_is_name(j, "true") || jlex_is_name(j, "True"))
		return constant(j, JV_BOOL, 1);
	if (jlex_is_name(j, "false") || jlex_is_name(j, "False"))
		return constant(j, JV_BOOL, 0);
	if (jlex_is_name(j, "none") || jlex_is_name(j, "None"))
		return constant(j, JV_NONE, 0);
	jlex_next(j);
	jname_bare(j, &name, jlex_is_op(j, '('), jlex_is_op(j, '.') ||
	    jlex_is_op(j, '['));
	v = jvar_get(j, name.p, name.n, name.at);
	v.name = name.p;
	v.name_len = name.n;
	return v;
}

struct jval
jexpr_primary(struct jinja *j)
{
	const size_t at = j->tok.at;

	switch (j->tok.type) {
	case JTOK_STR:
		return read_string(j);
	case JTOK_INT:
		return constant(j, JV_INT, (int64_t)j->tok.num);
	case JTOK_FLOAT:
		return constant(j, JV_UNKNOWN, 0);
	case JTOK_NAME:
		return read_name(j);
	case JTOK_OP:
		if (jlex_op(j, '('))
			return read_group(j, at);
		if (jlex_op(j, '['))
			return read_list(j, ']', at);
		if (jlex_op(j, '{'))
			return read_dict(j, at);
		break;
	case JTOK_END:
	case JTOK_BAD:
		break;
	}
	jexpr_bad(j);
	return jval_unknown(at, 0);
}

struct jval
jexpr_tuple(struct jinja *j)
{
	struct jval v = jexpr(j), b;
	struct items l = {0};

	if (!jlex_is_op(j, ','))
		return v;
	items_add(j, &l, &v);
	while (!j->bad && jlex_op(j, ',')) {
		if (j->tok.type == JTOK_END)
			break;
		b = jexpr(j);
		items_add(j, &l, &b);
		v = jval_merge(&v, &b);
	}
	return container(&l, JV_LIST, &v, v.at);
}
