#include <string.h>

#include "formats/jinja_parts.h"

/*
 * Where values come from: messages[0] is a message, its 'content' a text, the
 * text's split() a list of texts, and its 'type' nothing that a user writes.
 */
#define PATH_MAX_LEN 256	/* of "ns.flag" */

static bool
is_texty(const uint8_t *p, size_t n)
{
	static const char *const names[] = {"content", "contents", "text",
	    "value", "body", "prompt", "input", "query", "question", "parts",
	    "reasoning_content", "message", "user", "instruction", NULL};

	return jinja_one_of(p, n, names);
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

struct jval
jflow_field(struct jinja *j, const struct jval *v, const struct jval *key)
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

	if (jinja_one_of(name, n, length))
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
	if (jinja_one_of(name, n, cut) && (v->taint & (JT_TEXT | JT_MSG)) != 0)
		return (v->taint & ~(unsigned)JT_MSG) | JT_TEXT | JT_PARTS;
	if (jinja_one_of(name, n, element))
		return index_taint(v->taint) | (jinja_word(name, n,
		    "random") ? JT_RANDOM : 0u);
	if (jinja_one_of(name, n, spelled) && ((v->taint | a->taint) &
	    (JT_MSGS | JT_MSG | JT_TEXT)) != 0)
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
struct jval
jflow_derive(struct jinja *j, const uint8_t *name, size_t n,
    const struct jval *v, const struct jargs *a)
{
	static const char *const passes[] = {"format", "join", "replace",
	    "get", "default", "d", "append", NULL};
	struct jval ret = jval_unknown(v->at, derived_taint(name, n, v, a));

	ret.pos = v->pos;
	ret.neg = v->neg;
	ret.lit = v->lit;
	if (jinja_one_of(name, n, passes))
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
