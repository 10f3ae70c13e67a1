#include <string.h>

#include "formats/jinja_parts.h"

/*
 * Conditions on what a user writes.
 *
 * A chat template frames messages: it asks who speaks, whether there are
 * tools, whether a text has parts, and where its own markers stand in it.  A
 * template that asks for a word in the text, and prints something of its own
 * when it is there, speaks in the user's name, or the system's, for chosen
 * conversations alone.  That is the rule; the other half of it, what is
 * printed, is added up per branch in jinja_stmt.c.
 *
 * Which way a condition points matters: "if not '<<SYS>>' in text" guards
 * what is printed when the word is absent, which is ordinary.  A value has
 * therefore a reason to be true (pos) and one to be false (neg).
 */
static bool
is_blank(const uint8_t *p, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (p[i] != ' ' && !(p[i] >= '\t' && p[i] <= '\r'))
			return false;
	return true;
}

/* A constant that a text could be asked for. */
static bool
is_word(const struct jval *v)
{
	if (v->kind == JV_STR)
		return !is_blank(v->p, v->n) &&
		    !jinja_word(v->p, v->n, "None");
	if (v->kind != JV_LIST && v->kind != JV_DICT)
		return false;
	for (size_t i = 0; i < v->count; i++)
		if (v->item[i].kind == JV_STR &&
		    !is_blank(v->item[i].p, v->item[i].n))
			return true;
	return false;
}

static bool
is_marker(const struct jinja *j, const uint8_t *p, size_t n)
{
	return jinja_known_marker(p, n) ||
	    (jinja_tag_shaped(p, n) && jmark_has(j, p, n));
}

const struct jtrig *
jcond_new(struct jinja *j, const char *kind, const struct jval *word,
    size_t at)
{
	struct jtrig *t = jinja_alloc(j, 1, sizeof(*t));

	if (t == NULL)
		return NULL;
	t->kind = kind;
	t->at = at;
	if (word == NULL)
		return t;
	for (size_t i = 0; (word->kind == JV_LIST || word->kind == JV_DICT) &&
	    i < word->count; i++)
		if (word->item[i].kind == JV_STR &&
		    !is_marker(j, word->item[i].p, word->item[i].n)) {
			word = &word->item[i];
			break;
		}
	if (word->kind == JV_STR) {
		t->p = word->p;
		t->n = word->n;
		t->marker = is_marker(j, word->p, word->n);
	}
	return t;
}

/* A word weighs more than a marker. */
const struct jtrig *
jcond_worse(const struct jtrig *a, const struct jtrig *b)
{
	if (a == NULL || (b != NULL && a->marker && !b->marker))
		return b;
	return a;
}

void
jcond_not(struct jval *v)
{
	const struct jtrig *t = v->pos;

	v->kind = JV_UNKNOWN;
	v->taint = 0;
	v->pos = v->neg;
	v->neg = t;
	v->lit = (struct jlit){0};
}

/* What a number of these is compared with to tell conversations apart. */
static const struct jtrig *
measure(struct jinja *j, const struct jval *a, const struct jval *b)
{
	const bool num = b->kind == JV_INT;

	if ((a->taint & JT_SIZE) != 0 && num && b->num > 1)
		return jcond_new(j, "length", NULL, b->at);
	if ((a->taint & JT_TURNS) != 0 && num && b->num > 3)
		return jcond_new(j, "turns", NULL, b->at);
	if ((a->taint & JT_TIME) != 0 && (num || b->kind == JV_STR ||
	    b->kind == JV_LIST))
		return jcond_new(j, "time", b, b->at);
	if ((a->taint & JT_RANDOM) != 0)
		return jcond_new(j, "random", NULL, b->at);
	return NULL;
}

static void
both(struct jval *ret, const struct jtrig *t)
{
	ret->pos = jcond_worse(ret->pos, t);
	ret->neg = jcond_worse(ret->neg, t);
}

/* text.find('x') != -1: a test whose result is compared once more. */
static bool
says_no(const char *op, const struct jval *b)
{
	const bool no = (b->kind == JV_INT && b->num < 0) ||
	    (b->kind == JV_BOOL && b->num == 0) || b->kind == JV_NONE;

	return op[0] == '<' ? true : strcmp(op, "==") == 0 ? no :
	    strcmp(op, "!=") == 0 && b->kind == JV_BOOL && b->num != 0;
}

static void
again(const char *op, const struct jval *a, const struct jval *b,
    struct jval *ret)
{
	const bool no = says_no(op, b);

	if (b->kind != JV_INT && b->kind != JV_BOOL && b->kind != JV_NONE)
		return;
	ret->pos = jcond_worse(ret->pos, no ? a->neg : a->pos);
	ret->neg = jcond_worse(ret->neg, no ? a->pos : a->neg);
	if (b->kind == JV_INT && b->num == 0 && op[0] != '>')
		both(ret, jcond_worse(a->pos, a->neg));
}

void
jcond_compare(struct jinja *j, const char *op, const struct jval *a,
    const struct jval *b, struct jval *ret)
{
	const bool ta = (a->taint & JT_TEXT) != 0;
	const bool tb = (b->taint & JT_TEXT) != 0;
	const struct jtrig *t = NULL;

	/* in a prompt's file "question == 'yes'" may be a switch */
	if (ta && !tb && j->chat && is_word(b))
		t = jcond_new(j, "text", b, b->at);
	else if (tb && !ta && (j->chat || strstr(op, "in") != NULL) &&
	    is_word(a))
		t = jcond_new(j, "text", a, a->at);
	if (t != NULL) {
		if (strcmp(op, "!=") == 0 || strcmp(op, "not in") == 0)
			ret->neg = t;
		else
			ret->pos = t;
		if (op[0] == '<' || op[0] == '>')
			ret->neg = t;
		return;
	}
	both(ret, measure(j, a, b));
	both(ret, measure(j, b, a));
	again(op, a, b, ret);
	again(op, b, a, ret);
}

/* messages|selectattr('content', 'search', 'word') */
static const struct jtrig *
selects(struct jinja *j, const struct jval *v, const struct jargs *a)
{
	const struct jval *word = a->n > 0 ? &a->v[a->n - 1] : NULL;
	static const char *const fields[] = {"content", "text", "value",
	    "prompt", NULL};

	if (word == NULL || !is_word(word))
		return NULL;
	if ((v->taint & JT_MSGS) != 0 && a->n > 2 &&
	    a->v[0].kind == JV_STR &&
	    jinja_one_of(a->v[0].p, a->v[0].n, fields))
		return jcond_new(j, "text", word, word->at);
	if ((v->taint & JT_TEXT) != 0 && a->n > 1)
		return jcond_new(j, "text", word, word->at);
	return NULL;
}

/* The comparison that a test's name stands for, or NULL. */
static const char *
operator_of(const uint8_t *name, size_t n)
{
	static const char *const names[][2] = {{"equalto", "=="},
	    {"eq", "=="}, {"sameas", "=="}, {"ne", "!="}, {"in", "in"},
	    {"lt", "<"}, {"lessthan", "<"}, {"gt", ">"},
	    {"greaterthan", ">"}, {"le", "<="}, {"ge", ">="}};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (jinja_word(name, n, names[i][0]))
			return names[i][1];
	return NULL;
}

void
jcond_named(struct jinja *j, const uint8_t *name, size_t n,
    const struct jval *v, const struct jargs *a, struct jval *ret)
{
	static const char *const asks[] = {"startswith", "endswith", "find",
	    "rfind", "index", "rindex", "contains", "match", "search",
	    "fullmatch", "regex", "regex_search", "regex_match",
	    "regex_findall", "findall", "containing", NULL};
	static const char *const looks[] = {"isupper", "islower", "isdigit",
	    "isnumeric", "isalpha", "isalnum", "istitle", "isascii", NULL};
	static const char *const chosen[] = {"select", "selectattr",
	    "rejectattr", "reject", NULL};
	const bool text = (v->taint & JT_TEXT) != 0;
	const char *op = operator_of(name, n);
	const struct jtrig *t = NULL;

	if (op != NULL && a->n > 0) {
		jcond_compare(j, op, v, &a->v[0], ret);
		return;
	}
	if (jinja_one_of(name, n, chosen)) {
		t = selects(j, v, a);
		ret->pos = jcond_worse(ret->pos, t);
		if (name[0] == 'r')
			both(ret, t);
		return;
	}
	if (jinja_word(name, n, "random")) {
		both(ret, jcond_new(j, "random", NULL, v->at));
		return;
	}
	if ((jinja_word(name, n, "odd") || jinja_word(name, n, "even") ||
	    jinja_word(name, n, "divisibleby")) &&
	    (v->taint & (JT_TIME | JT_RANDOM)) != 0) {
		both(ret, jcond_new(j, "time", NULL, v->at));
		return;
	}
	if (jinja_one_of(name, n, asks) || (jinja_word(name, n, "count") &&
	    a->n > 0)) {
		ret->taint = 0;
		if (text && a->n > 0 && is_word(&a->v[0]))
			ret->pos = jcond_new(j, "text", &a->v[0],
			    a->v[0].at);
	} else if (text && jinja_one_of(name, n, looks)) {
		ret->taint = 0;
		ret->pos = jcond_new(j, "case", NULL, v->at);
	}
}

void
jcond_guards(struct jinja *j, const struct jtrig *t, const struct jlit *lit)
{
	const unsigned strong = JLIT_URL | JLIT_BLOB | JLIT_COMMENT |
	    JLIT_HIDDEN;
	struct fact facts[4];

	if (t == NULL || (lit->flags & strong) == 0) {
		if (t == NULL || t->marker || lit->prose < JINJA_PROSE)
			return;
	}
	facts[0] = (struct fact)FACT_TEXT("condition", t->kind,
	    strlen(t->kind));
	facts[1] = (struct fact)FACT_TEXT("prints", lit->p != NULL ?
	    (const void *)lit->p : "", lit->n < 256 ? lit->n : 256);
	facts[2] = (struct fact)FACT_TEXT("trigger", t->p, t->n < 256 ?
	    t->n : 256);
	jinja_tell(j, ANOMALY_JINJA_TRIGGER, t->at, facts,
	    t->p != NULL ? 3 : 2);
}

/*
 * "https://host/?q=" and a message's text: whoever shows or fetches the
 * address tells its host what was said.
 */
void
jcond_leaks(struct jinja *j, const struct jval *v)
{
	if ((v->taint & JT_TEXT) != 0 && v->kind != JV_STR)
		jinja_tell(j, ANOMALY_JINJA_LEAK, v->at, NULL, 0);
}
