#include <string.h>

#include "formats/jinja_parts.h"

/*
 * What stands behind a primary: .name [key] (arguments) |filter is test.
 * Here a value's origin is followed: messages[0] is a message, its 'content'
 * a text, the text's split() a list of texts, and its 'type' nothing that a
 * user writes.
 */
#define PATH_MAX_LEN 256	/* of "ns.flag" */

static bool
is_one_of(const uint8_t *p, size_t n, const char *const *list)
{
	for (; *list != NULL; list++)
		if (jinja_word(p, n, *list))
			return true;
	return false;
}

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

static bool
is_texty(const uint8_t *p, size_t n)
{
	static const char *const names[] = {"content", "contents", "text",
	    "value", "body", "prompt", "input", "query", "question", "parts",
	    "reasoning_content", "message", "user", "instruction", NULL};

	return is_one_of(p, n, names);
}

/* A field of the conversation: what a user wrote, or the frame around it. */
static unsigned
field_taint(unsigned taint, const struct jval *key)
{
	const unsigned kept = taint & (JT_TIME | JT_RANDOM);

	if (key->kind != JV_STR)
		return (taint & (JT_MSG | JT_ITEM)) != 0 ? JT_TEXT | kept :
		    kept;
	if ((taint & (JT_MSGS | JT_MSG | JT_TEXT | JT_ITEM)) != 0 &&
	    is_texty(key->p, key->n))
		return JT_TEXT | kept;
	return kept;
}

static unsigned
index_taint(unsigned taint)
{
	unsigned ret = taint & ~(unsigned)(JT_MSGS | JT_PARTS);

	if ((taint & JT_MSGS) != 0)
		ret |= JT_MSG;
	return ret;
}

/* ns.flag is a variable of its own. */
static const struct jvar *
member_var(struct jinja *j, const struct jval *v, const struct jval *key)
{
	uint8_t path[PATH_MAX_LEN];

	if (v->name == NULL || key->kind != JV_STR ||
	    v->name_len > sizeof(path) - 1 ||
	    key->n > sizeof(path) - 1 - v->name_len)
		return NULL;
	memcpy(path, v->name, v->name_len);
	path[v->name_len] = '.';
	memcpy(path + v->name_len + 1, key->p, key->n);
	return jvar_find(j, path, v->name_len + 1 + key->n, false);
}

static struct jval
var_value(const struct jvar *var, size_t at)
{
	struct jval v = var->now ? var->v : jval_unknown(at, 0);

	v.taint |= var->taint;
	v.pos = jcond_worse(v.pos, var->pos);
	v.neg = jcond_worse(v.neg, var->neg);
	v.at = at;
	return v;
}

/* A table of answers: {'word': 'what is printed'}[text]. */
static void
check_lookup(struct jinja *j, const struct jval *v, const struct jval *key)
{
	const struct jtrig *t = jcond_worse(key->pos, key->neg);

	if (v->kind != JV_LIST && v->kind != JV_DICT)
		return;
	if (t == NULL && (key->taint & (JT_TEXT | JT_TIME | JT_RANDOM)) != 0)
		t = jcond_new(j, "lookup", v->count > 0 ? &v->item[0] : NULL,
		    key->at);
	jcond_guards(j, t, &v->lit);
}

static struct jval
field(struct jinja *j, const struct jval *v, const struct jval *key)
{
	struct jval ret = jval_unknown(key->at, 0);
	const struct jvar *var = member_var(j, v, key);

	if (var != NULL)
		return var_value(var, key->at);
	check_lookup(j, v, key);
	if (jfold_index(j, v, key, &ret)) {
		ret.made = true;
		return ret;
	}
	ret.taint = key->kind == JV_INT || (v->taint & (JT_TEXT | JT_MSGS)) !=
	    0 ? index_taint(v->taint) : field_taint(v->taint, key);
	if (key->kind == JV_STR)
		ret.taint = field_taint(v->taint, key);
	if (v->kind == JV_LIST || v->kind == JV_DICT)
		ret.lit = v->lit;
	return ret;
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
		return field(j, v, &at[0]);
	}
	ret = *v;
	ret.name = NULL;
	if (jfold_slice(j, v, at, &ret))
		jname_string(j, &ret, false);
	else
		ret.kind = JV_UNKNOWN;
	return ret;
}

/* What a method or filter of that name gives of the conversation. */
static unsigned
derived_taint(const uint8_t *name, size_t n, const struct jval *v,
    const struct jargs *a)
{
	static const char *const cut[] = {"split", "rsplit", "splitlines",
	    "partition", "rpartition", "items", "values", "dictsort", NULL};
	static const char *const element[] = {"first", "last", "random",
	    "pop", NULL};
	static const char *const spelled[] = {"string", "tojson", "join",
	    "pprint", NULL};
	static const char *const length[] = {"length", "count", "wordcount",
	    NULL};

	if (is_one_of(name, n, length))
		return (v->taint & JT_TEXT) != 0 &&
		    (v->taint & JT_PARTS) == 0 ? JT_SIZE :
		    (v->taint & JT_MSGS) != 0 ? JT_TURNS : 0;
	if (jinja_word(name, n, "get") && a->n > 0)
		return field_taint(v->taint, &a->v[0]);
	if (jinja_word(name, n, "map"))
		for (unsigned i = 0; i < a->n; i++)
			if (a->key[i] != NULL)
				return field_taint(v->taint, &a->v[i]) |
				    JT_PARTS;
	if (is_one_of(name, n, cut) && (v->taint & (JT_TEXT | JT_MSG)) != 0)
		return (v->taint & ~(unsigned)JT_MSG) | JT_TEXT | JT_PARTS;
	if (is_one_of(name, n, element))
		return index_taint(v->taint) | (jinja_word(name, n,
		    "random") ? JT_RANDOM : 0u);
	if (is_one_of(name, n, spelled) && ((v->taint | a->taint) & (JT_MSGS |
	    JT_MSG | JT_TEXT)) != 0)
		return JT_TEXT;
	return v->taint | (a->taint & JT_TEXT);
}

/* text.replace('word', 'what is printed instead') */
static void
check_replace(struct jinja *j, const struct jval *v, const struct jargs *a)
{
	if ((v->taint & JT_TEXT) == 0 || a->n < 2 || a->v[0].kind != JV_STR)
		return;
	jcond_guards(j, jcond_new(j, "replace", &a->v[0], a->v[0].at),
	    &a->v[1].lit);
}

/* A method or filter: folded, or what is known of it. */
static struct jval
derive(struct jinja *j, const uint8_t *name, size_t n, const struct jval *v,
    const struct jargs *a)
{
	static const char *const passes[] = {"format", "join", "replace",
	    "get", "default", "d", "append", NULL};
	struct jval ret = jval_unknown(v->at, derived_taint(name, n, v, a));

	ret.pos = v->pos;
	ret.neg = v->neg;
	ret.lit = v->lit;
	if (is_one_of(name, n, passes))
		for (unsigned i = 0; i < a->n; i++)
			jinja_lit_add(&ret.lit, &a->v[i].lit);
	if (jinja_word(name, n, "replace"))
		check_replace(j, v, a);
	if (jinja_word(name, n, "get") && a->n > 0)
		check_lookup(j, v, &a->v[0]);
	if (jinja_word(name, n, "format"))
		jname_string(j, v, true);
	if (jfold_call(j, name, n, v, a, &ret)) {
		ret.made = true;
		jname_string(j, &ret, false);
	}
	jcond_named(j, name, n, v, a, &ret);
	return ret;
}

static struct jval
read_attribute(struct jinja *j, const struct jval *v)
{
	struct jval key = jval_str(j->tok.p, j->tok.n, j->tok.at);
	struct jargs a;

	if (j->tok.type == JTOK_INT) {
		key = (struct jval){.kind = JV_INT, .at = j->tok.at,
		    .num = (int64_t)j->tok.num};
		jlex_next(j);
		return field(j, v, &key);
	}
	if (j->tok.type != JTOK_NAME) {
		jexpr_bad(j);
		return jval_unknown(j->tok.at, 0);
	}
	jlex_next(j);
	if (!jlex_op(j, '(')) {
		jname_used(j, &key, JN_ATTR, v);
		return field(j, v, &key);
	}
	jname_used(j, &key, JN_METHOD, v);
	jpost_args(j, &a);
	return derive(j, key.p, key.n, v, &a);
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
	if (is_one_of(v->name, v->name_len, clocks))
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

static struct jval
read_filter(struct jinja *j, const struct jval *v)
{
	static const char *const paths[] = {"map", "selectattr", "rejectattr",
	    "groupby", "sort", "sum", "unique", "min", "max", NULL};
	const struct jtok name = j->tok;
	struct jargs a = {.n = 0};
	struct jval ret;

	if (name.type != JTOK_NAME) {
		jexpr_bad(j);
		return jval_unknown(name.at, 0);
	}
	jlex_next(j);
	while (!j->bad && jlex_op(j, '.'))
		jlex_next(j);
	if (jlex_op(j, '('))
		jpost_args(j, &a);
	if (jinja_word(name.p, name.n, "attr") && a.n > 0)
		jname_used(j, &a.v[0], JN_FILTER, v);
	for (unsigned i = 0; i < a.n && is_one_of(name.p, name.n, paths); i++)
		if (a.v[i].kind == JV_STR)
			jname_used(j, &a.v[i], JN_PATH, v);
	if (jinja_word(name.p, name.n, "attr") && a.n > 0)
		return field(j, v, &a.v[0]);
	ret = derive(j, name.p, name.n, v, &a);
	/* what is not set is its default */
	if ((jinja_word(name.p, name.n, "default") ||
	    jinja_word(name.p, name.n, "d")) && v->kind == JV_UNKNOWN &&
	    v->taint == 0 && a.n > 0) {
		ret = a.v[0];
		ret.name = NULL;
	}
	return ret;
}

/* is [not] name [argument] */
static struct jval
read_test(struct jinja *j, const struct jval *v)
{
	const bool not = jlex_name(j, "not");
	const struct jtok name = j->tok;
	struct jval ret = jval_unknown(name.at, 0);
	struct jargs a = {.n = 0};

	if (name.type != JTOK_NAME) {
		jexpr_bad(j);
		return ret;
	}
	jlex_next(j);
	while (!j->bad && jlex_op(j, '.'))
		jlex_next(j);
	if (jlex_op(j, '(')) {
		jpost_args(j, &a);
	} else if ((j->tok.type == JTOK_NAME && !jlex_is_name(j, "else") &&
	    !jlex_is_name(j, "or") && !jlex_is_name(j, "and") &&
	    !jlex_is_name(j, "if") && !jlex_is_name(j, "is")) ||
	    j->tok.type == JTOK_STR || j->tok.type == JTOK_INT ||
	    jlex_is_op(j, '[') || jlex_is_op(j, '{')) {
		a.v[0] = jexpr_primary(j);
		while (!j->bad && (jlex_is_op(j, '.') || jlex_is_op(j, '[')))
			a.v[0] = jlex_op(j, '.') ? read_attribute(j, &a.v[0]) :
			    (jlex_next(j), read_subscript(j, &a.v[0]));
		a.n = 1;
		a.taint = a.v[0].taint;
	}
	jcond_named(j, name.p, name.n, v, &a, &ret);
	if (not)
		jcond_not(&ret);
	return ret;
}

struct jval
jpost_filters(struct jinja *j, struct jval v)
{
	struct jargs a;

	while (!j->bad) {
		if (jlex_op(j, '|')) {
			v = read_filter(j, &v);
		} else if (jlex_name(j, "is")) {
			v = read_test(j, &v);
		} else if (jlex_op(j, '(')) {
			jpost_args(j, &a);
			v = call(j, &v, &a);
		} else {
			break;
		}
	}
	return v;
}

struct jval
jpost(struct jinja *j, struct jval v)
{
	struct jargs a;

	while (!j->bad) {
		if (jlex_op(j, '.')) {
			v = read_attribute(j, &v);
		} else if (jlex_op(j, '[')) {
			v = read_subscript(j, &v);
		} else if (jlex_op(j, '(')) {
			jpost_args(j, &a);
			v = call(j, &v, &a);
		} else {
			break;
		}
	}
	return jpost_filters(j, v);
}
