#include <string.h>

#include "formats/jinja_parts.h"

/* What stands behind a primary: .name [key] (arguments) |filter is test. */

/* name =, * and ** before an argument */
static bool
read_keyword(struct jinja *j, const uint8_t **key, size_t *n)
{
	const struct jtok tok = j->tok;
	const size_t pos = j->pos;
	const unsigned nest = j->nest;

	*key = NULL;
	*n = 0;
	if (jlex_op(j, '*') || jlex_op(j, JOP_POW) ||
	    tok.type != JTOK_NAME)
		return false;
	jlex_next(j);
	if (jlex_op(j, '=')) {
		*key = tok.p;
		*n = tok.n;
		return true;
	}
	j->tok = tok;
	j->pos = pos;
	j->nest = nest;
	return false;
}

struct jargs *
jpost_take(struct jinja *j)
{
	struct jargs *a = j->spare;

	if (a == NULL) {
		if ((a = jinja_alloc(j, 1, sizeof(*a))) == NULL)
			j->bad = true;
		return a;
	}
	j->spare = a->next;
	a->n = 0;
	a->taint = 0;
	return a;
}

void
jpost_give(struct jinja *j, struct jargs *a)
{
	a->next = j->spare;
	j->spare = a;
}

/* Behind "(": to the ")" that closes it. */
void
jpost_args(struct jinja *j, struct jargs *a)
{
	const uint8_t *key;
	struct jval v;
	size_t n;

	a->n = 0;
	a->taint = 0;
	j->args++;
	while (!j->bad && !jlex_is_op(j, ')')) {
		(void)read_keyword(j, &key, &n);
		v = jexpr(j);
		a->taint |= v.taint;
		if (a->n < JINJA_ARGS) {
			a->v[a->n] = v;
			a->key[a->n] = key;
			a->key_len[a->n++] = n;
		}
		if (!jlex_op(j, ','))
			break;
	}
	j->args--;
	if (!jlex_op(j, ')'))
		jexpr_bad(j);
}

static struct jval
read_subscript(struct jinja *j, const struct jval *v)
{
	struct jval at[3] = {jval_unknown(j->tok.at, 0)}, ret;
	unsigned part = 0;
	bool slice = false;

	at[1] = at[2] = at[0];
	while (!j->bad && !jlex_is_op(j, ']')) {
		if (jlex_op(j, ':')) {
			slice = true;
			if (++part == 3)
				jexpr_bad(j);
			continue;
		}
		at[part] = jexpr_tuple(j);
	}
	if (!jlex_op(j, ']'))
		jexpr_bad(j);
	if (!slice) {
		jname_used(j, &at[0], JN_SUBSCRIPT, v);
		return jflow_field(j, v, &at[0]);
	}
	ret = *v;
	ret.name = NULL;
	if (jfold_slice(j, v, at, &ret))
		jname_string(j, &ret, false);
	else
		ret.kind = JV_UNKNOWN;
	return ret;
}

static struct jval
read_attribute(struct jinja *j, const struct jval *v)
{
	struct jval key = jval_str(j->tok.p, j->tok.n, j->tok.at), ret;
	struct jargs *a;

	if (j->tok.type == JTOK_INT) {
		key = (struct jval){.kind = JV_INT, .at = j->tok.at,
		    .num = (int64_t)j->tok.num};
		jlex_next(j);
		return jflow_field(j, v, &key);
	}
	if (j->tok.type != JTOK_NAME) {
		jexpr_bad(j);
		return jval_unknown(j->tok.at, 0);
	}
	jlex_next(j);
	if (!jlex_op(j, '(')) {
		jname_used(j, &key, JN_ATTR, v);
		return jflow_field(j, v, &key);
	}
	jname_used(j, &key, JN_METHOD, v);
	if ((a = jpost_take(j)) == NULL)
		return jval_unknown(key.at, 0);
	jpost_args(j, a);
	ret = jflow_derive(j, key.p, key.n, v, a);
	jpost_give(j, a);
	return ret;
}

/* What a macro is given is what its parameters hold. */
static void
bind_params(const struct jvar *macro, const struct jargs *a)
{
	for (unsigned i = 0; i < a->n && i < macro->params; i++) {
		struct jvar *param = macro->param[i];

		param->taint |= a->v[i].taint;
		param->pos = jcond_worse(param->pos, a->v[i].pos);
		param->neg = jcond_worse(param->neg, a->v[i].neg);
	}
}

/* dict(a=1) and namespace(a=1) */
static struct jval
make_dict(struct jinja *j, const struct jargs *a, const struct jval *name)
{
	const size_t at = name->at;
	struct jval v = {.kind = JV_DICT, .at = at, .name = name->name,
	    .name_len = name->name_len}, *item;
	unsigned count = 0;

	if (2 * (size_t)a->n + 1 > j->items) {
		jinja_limit(j);
		return jval_unknown(at, 0);
	}
	j->items -= 2 * (size_t)a->n + 1;
	if ((item = jinja_alloc(j, 2 * (size_t)a->n + 1, sizeof(*item))) ==
	    NULL)
		return jval_unknown(at, 0);
	for (unsigned i = 0; i < a->n; i++) {
		if (a->key[i] == NULL)
			continue;
		item[count++] = jval_str(a->key[i], a->key_len[i], at);
		item[count++] = a->v[i];
		jinja_lit_add(&v.lit, &a->v[i].lit);
	}
	v.item = item;
	v.count = count;
	return v;
}

static struct jval
call(struct jinja *j, const struct jval *v, const struct jargs *a)
{
	static const char *const clocks[] = {"strftime_now", "now", "utcnow",
	    "time", "strftime", "datetime", "today", NULL};
	struct jval ret = jval_unknown(v->at, a->taint & (JT_TEXT | JT_TURNS));
	const struct jvar *macro;

	if (v->name == NULL)
		return ret;
	if (jinja_word(v->name, v->name_len, "dict") ||
	    jinja_word(v->name, v->name_len, "namespace"))
		return make_dict(j, a, v);
	if (jinja_word(v->name, v->name_len, "getattr") && a->n > 1)
		jname_used(j, &a->v[1], JN_FILTER, &a->v[0]);
	if (jinja_one_of(v->name, v->name_len, clocks))
		ret.taint |= JT_TIME;
	if (jinja_word(v->name, v->name_len, "raise_exception"))
		return jval_unknown(v->at, 0);
	macro = jvar_find(j, v->name, v->name_len, false);
	if (macro != NULL && (macro->taint & JT_MACRO) != 0) {
		bind_params(macro, a);
		ret.lit = macro->lit;
	}
	return ret;
}

/* The filter's arguments are read: which names does it look up? */
static void
filter_names(struct jinja *j, const struct jtok *name, const struct jval *v,
    const struct jargs *a)
{
	static const char *const paths[] = {"map", "selectattr", "rejectattr",
	    "groupby", "sort", "sum", "unique", "min", "max", NULL};

	if (jinja_word(name->p, name->n, "attr") && a->n > 0)
		jname_used(j, &a->v[0], JN_FILTER, v);
	if (!jinja_one_of(name->p, name->n, paths))
		return;
	for (unsigned i = 0; i < a->n; i++)
		if (a->v[i].kind == JV_STR)
			jname_used(j, &a->v[i], JN_PATH, v);
}

static struct jval
filtered(struct jinja *j, const struct jtok *name, const struct jval *v,
    const struct jargs *a)
{
	struct jval ret;

	filter_names(j, name, v, a);
	if (jinja_word(name->p, name->n, "attr") && a->n > 0)
		return jflow_field(j, v, &a->v[0]);
	ret = jflow_derive(j, name->p, name->n, v, a);
	/* what is not set is its default */
	if ((jinja_word(name->p, name->n, "default") ||
	    jinja_word(name->p, name->n, "d")) && v->kind == JV_UNKNOWN &&
	    v->taint == 0 && a->n > 0) {
		ret = a->v[0];
		ret.name = NULL;
	}
	return ret;
}

static struct jval
read_filter(struct jinja *j, const struct jval *v)
{
	const struct jtok name = j->tok;
	struct jargs *a;
	struct jval ret;

	if (name.type != JTOK_NAME) {
		jexpr_bad(j);
		return jval_unknown(name.at, 0);
	}
	jlex_next(j);
	while (!j->bad && jlex_op(j, '.'))
		jlex_next(j);
	if ((a = jpost_take(j)) == NULL)
		return jval_unknown(name.at, 0);
	if (jlex_op(j, '('))
		jpost_args(j, a);
	ret = filtered(j, &name, v, a);
	jpost_give(j, a);
	return ret;
}

/* The argument of a test without brackets: a primary and its attributes. */
static bool
has_bare_argument(const struct jinja *j)
{
	static const char *const words[] = {"else", "or", "and", "if", "is",
	    NULL};

	if (j->tok.type == JTOK_NAME)
		return !jinja_one_of(j->tok.p, j->tok.n, words);
	return j->tok.type == JTOK_STR || j->tok.type == JTOK_INT ||
	    jlex_is_op(j, '[') || jlex_is_op(j, '{');
}

static void
bare_argument(struct jinja *j, struct jargs *a)
{
	struct jval v = jexpr_primary(j);

	while (!j->bad && (jlex_is_op(j, '.') || jlex_is_op(j, '['))) {
		const bool dot = jlex_is_op(j, '.');

		jlex_next(j);
		v = dot ? read_attribute(j, &v) : read_subscript(j, &v);
	}
	a->v[0] = v;
	a->key[0] = NULL;
	a->n = 1;
	a->taint = v.taint;
}

/* is [not] name [argument] */
static struct jval
read_test(struct jinja *j, const struct jval *v)
{
	const bool not = jlex_name(j, "not");
	const struct jtok name = j->tok;
	struct jval ret = jval_unknown(name.at, 0);
	struct jargs *a;

	if (name.type != JTOK_NAME) {
		jexpr_bad(j);
		return ret;
	}
	jlex_next(j);
	while (!j->bad && jlex_op(j, '.'))
		jlex_next(j);
	if ((a = jpost_take(j)) == NULL)
		return ret;
	if (jlex_op(j, '('))
		jpost_args(j, a);
	else if (has_bare_argument(j))
		bare_argument(j, a);
	jcond_named(j, name.p, name.n, v, a, &ret);
	jpost_give(j, a);
	if (not)
		jcond_not(&ret);
	return ret;
}

/* Behind "(": the value is called. */
static struct jval
read_call(struct jinja *j, const struct jval *v)
{
	struct jargs *a = jpost_take(j);
	struct jval ret;

	if (a == NULL)
		return jval_unknown(v->at, 0);
	jpost_args(j, a);
	ret = call(j, v, a);
	jpost_give(j, a);
	return ret;
}

struct jval
jpost_filters(struct jinja *j, struct jval v)
{
	while (!j->bad) {
		if (jlex_op(j, '|'))
			v = read_filter(j, &v);
		else if (jlex_name(j, "is"))
			v = read_test(j, &v);
		else if (jlex_op(j, '('))
			v = read_call(j, &v);
		else
			break;
	}
	return v;
}

struct jval
jpost(struct jinja *j, struct jval v)
{
	while (!j->bad) {
		if (jlex_op(j, '.'))
			v = read_attribute(j, &v);
		else if (jlex_op(j, '['))
			v = read_subscript(j, &v);
		else if (jlex_op(j, '('))
			v = read_call(j, &v);
		else
			break;
	}
	return jpost_filters(j, v);
}
