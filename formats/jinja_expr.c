#include <string.h>

#include "formats/jinja_parts.h"

/*
 * Expressions by jinja2/parser.py:
 *
 *	e1 if cond else e2 | or | and | not | == != < in is .. | + - |
 *	~ | * / // % | unary - + | ** | primary with .a [b] (c) |filter is test
 *
 * Each level gives a struct jval.  Recursion is bounded by JINJA_DEPTH;
 * what is deeper no engine compiles.
 */
struct jval
jval_unknown(size_t at, unsigned taint)
{
	return (struct jval){.at = at, .taint = taint};
}

struct jval
jval_str(const uint8_t *p, size_t n, size_t at)
{
	return (struct jval){.kind = JV_STR, .p = p, .n = n, .at = at};
}

void
jexpr_bad(struct jinja *j)
{
	if (!j->bad && !j->syntax) {
		j->syntax = true;
		j->syntax_at = j->tok.at;
	}
	j->bad = true;
}

static bool
deeper(struct jinja *j)
{
	if (j->depth == JINJA_DEPTH) {
		jinja_limit(j);
		j->bad = true;
		return false;
	}
	j->depth++;
	return true;
}

struct jval
jval_merge(const struct jval *a, const struct jval *b)
{
	struct jval v = jval_unknown(a->at, a->taint | b->taint);

	v.pos = jcond_worse(a->pos, b->pos);
	v.neg = jcond_worse(a->neg, b->neg);
	v.lit = a->lit;
	jinja_lit_add(&v.lit, &b->lit);
	return v;
}

struct jval
jexpr_unary(struct jinja *j)
{
	struct jval v, power;
	bool minus = false;

	if (!deeper(j))
		return jval_unknown(j->tok.at, 0);
	if (jlex_is_op(j, '-') || jlex_is_op(j, '+')) {
		minus = jlex_is_op(j, '-');
		jlex_next(j);
		v = jexpr_unary(j);
		if (minus && v.kind == JV_INT)
			v.num = (int64_t)(0 - (uint64_t)v.num);
		v = jpost_filters(j, v);
	} else {
		v = jpost(j, jexpr_primary(j));
	}
	while (!j->bad && jlex_op(j, JOP_POW)) {
		power = jexpr_unary(j);
		v = jval_merge(&v, &power);
	}
	j->depth--;
	return v;
}

/* 'fmt' % x and 'fmt' % (x, y) */
static void
percent(struct jinja *j, const struct jval *fmt, const struct jval *b,
    struct jval *ret)
{
	struct jargs a = {.n = 1, .v = {*b}};

	if (b->kind == JV_LIST && b->count <= JINJA_ARGS) {
		a.n = (unsigned)b->count;
		if (a.n > 0)
			memcpy(a.v, b->item, a.n * sizeof(a.v[0]));
	}
	if (jfold_format(j, fmt, &a, ret))
		jname_string(j, ret, false);
}

static struct jval
product(struct jinja *j, unsigned op, struct jval *a, struct jval *b)
{
	struct jval v = jval_merge(a, b);

	if (op == '*') {
		if (a->kind == JV_STR && b->kind == JV_INT)
			(void)jfold_repeat(j, a, b->num, &v);
		else if (b->kind == JV_STR && a->kind == JV_INT)
			(void)jfold_repeat(j, b, a->num, &v);
		/* ('x' in text) * 'what is printed then' */
		jcond_guards(j, a->pos, &b->lit);
		jcond_guards(j, b->pos, &a->lit);
	} else if (op == '%' && a->kind == JV_STR) {
		jname_string(j, a, true);
		percent(j, a, b, &v);
	}
	return v;
}

static struct jval
jexpr_product(struct jinja *j)
{
	struct jval v = jexpr_unary(j), b;
	unsigned op;

	while (!j->bad && (jlex_is_op(j, '*') || jlex_is_op(j, '/') ||
	    jlex_is_op(j, '%') || jlex_is_op(j, JOP_FLOORDIV))) {
		op = j->tok.op;
		jlex_next(j);
		b = jexpr_unary(j);
		v = product(j, op, &v, &b);
	}
	return v;
}

static struct jval
join(struct jinja *j, struct jval *a, struct jval *b)
{
	struct jval v = jval_merge(a, b);
	const bool inside = a->kind == JV_STR ? jinja_in_address(a->p, a->n) :
	    a->address;

	if (inside)
		jcond_leaks(j, b);
	if (jfold_concat(j, a, b, &v))
		jname_string(j, &v, false);
	else
		v.address = b->kind != JV_STR ? inside :
		    jinja_in_address(b->p, b->n) || (inside &&
		    memchr(b->p, ' ', b->n) == NULL);
	return v;
}

static struct jval
jexpr_sum(struct jinja *j)
{
	struct jval v = jexpr_product(j), b;

	/* ~ binds closer than +; for text they do the same */
	while (!j->bad && (jlex_is_op(j, '~') || jlex_is_op(j, '+') ||
	    jlex_is_op(j, '-'))) {
		const unsigned op = j->tok.op;

		jlex_next(j);
		b = jexpr_product(j);
		if (op != '~' && v.kind == JV_INT && b.kind == JV_INT)
			v.num = (int64_t)(op == '+' ?
			    (uint64_t)v.num + (uint64_t)b.num :
			    (uint64_t)v.num - (uint64_t)b.num);
		else if (op == '-')
			v = jval_merge(&v, &b);
		else
			v = join(j, &v, &b);
	}
	return v;
}

/* The comparison that stands here: its name, or NULL. */
static const char *
comparison(struct jinja *j)
{
	static const struct {
		unsigned op;
		const char *name;
	} ops[] = {{JOP_EQ, "=="}, {JOP_NE, "!="}, {'<', "<"}, {'>', ">"},
	    {JOP_LE, "<="}, {JOP_GE, ">="}};

	for (size_t i = 0; i < 6; i++)
		if (jlex_op(j, ops[i].op))
			return ops[i].name;
	if (jlex_name(j, "in"))
		return "in";
	if (jlex_name(j, "not")) {
		if (!jlex_name(j, "in"))
			jexpr_bad(j);
		return "not in";
	}
	return NULL;
}

static struct jval
jexpr_compare(struct jinja *j)
{
	struct jval a = jexpr_sum(j), b, v = a;
	const char *op;
	bool first = true;

	while (!j->bad && (op = comparison(j)) != NULL) {
		struct jval one = jval_unknown(a.at, 0);

		b = jexpr_sum(j);
		jcond_compare(j, op, &a, &b, &one);
		if (!first) {
			one.pos = jcond_worse(one.pos, v.pos);
			one.neg = jcond_worse(one.neg, v.neg);
		}
		v = one;
		a = b;
		first = false;
	}
	return v;
}

static struct jval
jexpr_not(struct jinja *j)
{
	struct jval v;
	bool not = false;

	while (!j->bad && jlex_is_name(j, "not")) {
		jlex_next(j);
		not = !not;
	}
	v = jexpr_compare(j);
	if (not)
		jcond_not(&v);
	return v;
}

static struct jval
jexpr_and(struct jinja *j)
{
	struct jval v = jexpr_not(j), b;

	while (!j->bad && jlex_name(j, "and")) {
		b = jexpr_not(j);
		jcond_guards(j, v.pos, &b.lit);
		v = jval_merge(&v, &b);
		v.taint = b.taint;
	}
	return v;
}

static struct jval
jexpr_or(struct jinja *j)
{
	struct jval v = jexpr_and(j), b;

	while (!j->bad && jlex_name(j, "or")) {
		b = jexpr_and(j);
		jcond_guards(j, v.neg, &b.lit);
		v = jval_merge(&v, &b);
	}
	return v;
}

struct jval
jexpr_noif(struct jinja *j)
{
	struct jval v;

	if (!deeper(j))
		return jval_unknown(j->tok.at, 0);
	v = jexpr_or(j);
	j->depth--;
	return v;
}

/* What is printed for some messages alone stands in one of the branches. */
struct jval
jexpr(struct jinja *j)
{
	struct jval v = jexpr_noif(j), cond, other;

	while (!j->bad && jlex_name(j, "if")) {
		cond = jexpr_noif(j);
		jcond_guards(j, cond.pos, &v.lit);
		other = jval_unknown(v.at, 0);
		if (jlex_name(j, "else")) {
			if (!deeper(j))
				break;
			other = jexpr(j);
			j->depth--;
			jcond_guards(j, cond.neg, &other.lit);
		}
		v = jval_merge(&v, &other);
		v.pos = jcond_worse(v.pos, cond.pos);
		v.neg = jcond_worse(v.neg, cond.neg);
	}
	return v;
}
