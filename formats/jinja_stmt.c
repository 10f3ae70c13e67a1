#include <string.h>

#include "base/arena.h"
#include "formats/jinja_parts.h"

/*
 * Statements: blocks, what they set, and what their branches print.
 *
 * A frame is pushed for each block that has an end.  Its lit adds up what the
 * open branch prints or sets of its own; at the branch's end it is held
 * against the reason for which the branch was taken, and then it is the
 * surrounding branch's too.
 */
static struct jframe *
top(struct jinja *j)
{
	return j->frames > 0 ? &j->frame[j->frames - 1] : NULL;
}

static void
set_active(struct jinja *j, struct jframe *f)
{
	const struct jtrig *out = j->frames > 1 ?
	    j->frame[j->frames - 2].active : NULL;

	f->active = jcond_worse(f->trig, out);
}

static struct jframe *
push(struct jinja *j, enum jframe_kind kind)
{
	struct jframe *f;

	if (j->frames == JINJA_FRAMES) {
		j->lost++;
		jinja_limit(j);
		return NULL;
	}
	f = &j->frame[j->frames++];
	*f = (struct jframe){.kind = kind};
	set_active(j, f);
	return f;
}

static void
end_branch(struct jinja *j, struct jframe *f)
{
	jcond_guards(j, f->trig, &f->lit);
	if (j->frames > 1 && f->kind != JF_SET && f->kind != JF_MACRO)
		jinja_lit_add(&j->frame[j->frames - 2].lit, &f->lit);
	if (f->kind != JF_MACRO)
		f->lit = (struct jlit){0};
}

static void
pop(struct jinja *j)
{
	struct jframe *f = top(j), *outer;
	struct jvar *macro;
	struct jval text;

	if (j->lost > 0) {
		j->lost--;
		return;
	}
	if (f == NULL) {
		jexpr_bad(j);
		return;
	}
	text = f->text;
	text.lit = f->lit;
	end_branch(j, f);
	if (f->kind == JF_MACRO && f->name != NULL && (macro = jvar_find(j,
	    f->name, f->name_len, true)) != NULL) {
		macro->taint |= JT_MACRO;
		macro->lit = f->lit;
	}
	j->frames--;
	if (f->kind == JF_SET)
		jvar_set(j, f->name, f->name_len, &text);
	else if ((outer = top(j)) != NULL && outer->kind == JF_SET)
		outer->text.kind = JV_UNKNOWN;
}

void
jstmt_print(struct jinja *j, const struct jval *v)
{
	struct jframe *f = top(j);
	struct jval both;

	if (f == NULL)
		return;
	jinja_lit_add(&f->lit, &v->lit);
	if (f->kind != JF_SET)
		return;
	both = jval_unknown(v->at, f->text.taint | v->taint);
	if (f->text.kind == JV_NONE)	/* the first piece */
		both = *v;
	else
		(void)jfold_concat(j, &f->text, v, &both);
	f->text = both;
}

void
jstmt_finish(struct jinja *j)
{
	while (j->frames > 0)
		pop(j);
}

/* --- statements --------------------------------------------------------- */

static void
tag_if(struct jinja *j)
{
	const struct jval v = jexpr_tuple(j);
	struct jframe *f = push(j, JF_IF);

	if (f == NULL)
		return;
	f->trig = v.pos;
	f->rest = v.neg;
	set_active(j, f);
}

static void
tag_elif(struct jinja *j)
{
	struct jframe *f = top(j);
	struct jval v;

	if (f == NULL || f->kind != JF_IF || j->lost > 0) {
		if (j->lost == 0)
			jexpr_bad(j);
		return;
	}
	end_branch(j, f);
	v = jexpr_tuple(j);
	f->trig = jcond_worse(f->rest, v.pos);
	f->rest = jcond_worse(f->rest, v.neg);
	set_active(j, f);
}

static void
tag_else(struct jinja *j)
{
	struct jframe *f = top(j);

	if (f == NULL || j->lost > 0)
		return;
	end_branch(j, f);
	f->trig = f->rest;
	set_active(j, f);
}

/* What the loop's variable holds, for an element of that. */
static struct jval
element(const struct jval *v, size_t at)
{
	struct jval e = jval_unknown(at, v->taint & ~(unsigned)(JT_MSGS |
	    JT_PARTS | JT_TEXT | JT_SIZE | JT_TURNS));

	if ((v->taint & JT_MSGS) != 0)
		e.taint |= JT_MSG;
	if ((v->taint & JT_PARTS) != 0)
		e.taint |= JT_TEXT;
	else if ((v->taint & JT_TEXT) != 0)
		e.taint |= JT_ITEM;
	if (v->kind == JV_LIST && v->count > 0)
		e = v->item[0];
	e.lit = v->lit;
	e.at = at;
	return e;
}

static void
tag_for(struct jinja *j)
{
	struct jtok names[4] = {{.n = 0}};
	struct jval v, e, cond = jval_unknown(j->tok.at, 0);
	unsigned n = 0;
	struct jframe *f;

	while (!j->bad && (j->tok.type == JTOK_NAME ||
	    jlex_is_op(j, '(') || jlex_is_op(j, ')') || jlex_is_op(j, ',')) &&
	    !jlex_is_name(j, "in")) {
		if (j->tok.type == JTOK_NAME && n < 4)
			names[n++] = j->tok;
		jlex_next(j);
	}
	if (!jlex_name(j, "in"))
		jexpr_bad(j);
	v = jexpr_noif(j);
	while (!j->bad && jlex_op(j, ','))
		v = jexpr_noif(j);
	e = element(&v, v.at);
	for (unsigned i = 0; i < n; i++)
		jvar_set(j, names[i].p, names[i].n, &e);
	if (jlex_name(j, "if"))
		cond = jexpr_tuple(j);
	(void)jlex_name(j, "recursive");
	if ((f = push(j, JF_FOR)) == NULL)
		return;
	f->trig = jcond_worse(v.pos, cond.pos);
	f->rest = jcond_worse(v.neg, cond.neg);
	set_active(j, f);
}

/* set a = x; set a, b = x, y; set ns.a = x; set a %}...{% endset */
static void
tag_set(struct jinja *j)
{
	struct jtok names[4] = {{.n = 0}};
	struct jval field = jval_unknown(j->tok.at, 0), v;
	unsigned n = 0;
	struct jframe *f;

	while (!j->bad && j->tok.type == JTOK_NAME) {
		if (n < 4)
			names[n++] = j->tok;
		jlex_next(j);
		if (jlex_op(j, '.') && j->tok.type == JTOK_NAME) {
			field = jval_str(j->tok.p, j->tok.n, j->tok.at);
			jname_used(j, &field, JN_ATTR, NULL);
			jlex_next(j);
		}
		if (!jlex_op(j, ','))
			break;
	}
	if (n == 0) {
		jexpr_bad(j);
		return;
	}
	if (!jlex_op(j, '=')) {
		v = jpost_filters(j, jval_unknown(j->tok.at, 0));
		if ((f = push(j, JF_SET)) != NULL) {
			f->name = names[0].p;
			f->name_len = names[0].n;
			f->text = v;
			f->text.kind = JV_NONE;
		}
		return;
	}
	v = jexpr_tuple(j);
	if (field.kind == JV_STR) {
		jvar_set_field(j, names[0].p, names[0].n, &field, &v);
		return;
	}
	for (unsigned i = 0; i < n; i++)
		jvar_set(j, names[i].p, names[i].n, n > 1 &&
		    v.kind == JV_LIST && i < v.count ? &v.item[i] : &v);
}

static void
tag_macro(struct jinja *j)
{
	const struct jtok name = j->tok;
	struct jframe *f = push(j, JF_MACRO);
	struct jvar *macro, *param;
	struct jval v;

	if (f == NULL)
		return;
	if (name.type != JTOK_NAME) {
		jexpr_bad(j);
		return;
	}
	f->name = name.p;
	f->name_len = name.n;
	if ((macro = jvar_find(j, name.p, name.n, true)) == NULL)
		return;
	macro->taint |= JT_MACRO;
	macro->params = 0;
	jlex_next(j);
	if (!jlex_op(j, '('))
		jexpr_bad(j);
	while (!j->bad && j->tok.type == JTOK_NAME) {
		param = jvar_find(j, j->tok.p, j->tok.n, true);
		if (param != NULL && macro->params < JINJA_PARAMS)
			macro->param[macro->params++] = param;
		if (param != NULL)
			param->now = false;
		jlex_next(j);
		if (jlex_op(j, '=')) {
			v = jexpr(j);
			if (param != NULL)
				param->taint |= v.taint;
		}
		if (!jlex_op(j, ','))
			break;
	}
	if (!jlex_op(j, ')'))
		jexpr_bad(j);
}

static void
tag_call(struct jinja *j)
{
	struct jargs *a = jpost_take(j);
	struct jval v;

	if (a == NULL)
		return;
	if (jlex_op(j, '('))
		jpost_args(j, a);
	jpost_give(j, a);
	v = jexpr(j);
	jstmt_print(j, &v);
	(void)push(j, JF_OTHER);
}

static void
tag_with(struct jinja *j)
{
	struct jtok name;
	struct jval v;

	(void)push(j, JF_OTHER);
	while (!j->bad && j->tok.type == JTOK_NAME) {
		name = j->tok;
		jlex_next(j);
		if (!jlex_op(j, '=')) {
			jexpr_bad(j);
			return;
		}
		v = jexpr(j);
		jvar_set(j, name.p, name.n, &v);
		if (!jlex_op(j, ','))
			return;
	}
}

/*
 * Another template by name.  Loaders of chat templates have none to give;
 * files of prompts include their neighbours.
 */
static void
tag_include(struct jinja *j)
{
	const size_t at = j->tok.at;
	const struct jval v = jexpr(j);
	const bool plain = v.kind == JV_STR && v.n > 0 && v.p[0] != '/' &&
	    memmem(v.p, v.n, "..", 2) == NULL &&
	    memchr(v.p, ':', v.n) == NULL && memchr(v.p, '\\', v.n) == NULL;
	const struct fact facts[] = {FACT_TEXT("target", v.kind == JV_STR ?
	    (const void *)v.p : "", v.kind != JV_STR ? 0 : v.n < 256 ? v.n :
	    256)};

	jinja_tell(j, plain && !j->chat ? ANOMALY_JINJA_NEIGHBOUR :
	    ANOMALY_JINJA_INCLUDE, at, facts, 1);
	while (j->tok.type == JTOK_NAME || jlex_is_op(j, ','))
		jlex_next(j);
}

static void
tag_print(struct jinja *j)
{
	const struct jval v = jexpr_tuple(j);

	jstmt_print(j, &v);
}

static void
tag_open(struct jinja *j)
{
	(void)push(j, JF_OTHER);
}

static const struct {
	const char *name;
	void (*run)(struct jinja *j);
} tags[] = {{"if", tag_if}, {"elif", tag_elif}, {"else", tag_else},
    {"endif", pop}, {"for", tag_for}, {"endfor", pop}, {"set", tag_set},
    {"endset", pop}, {"macro", tag_macro}, {"endmacro", pop},
    {"call", tag_call}, {"endcall", pop}, {"filter", tag_open},
    {"endfilter", pop}, {"block", tag_open}, {"endblock", pop},
    {"with", tag_with}, {"endwith", pop}, {"autoescape", tag_open},
    {"endautoescape", pop}, {"trans", tag_open}, {"endtrans", pop},
    {"generation", tag_open}, {"endgeneration", pop}, {"do", tag_print},
    {"print", tag_print}, {"include", tag_include},
    {"import", tag_include}, {"extends", tag_include},
    {"from", tag_include}};

/*
 * Behind "{%".  A tag that an extension may know is searched for names and
 * changes nothing.
 */
bool
jstmt_tag(struct jinja *j)
{
	const struct jtok name = j->tok;
	size_t i = 0;

	if (name.type != JTOK_NAME) {
		jexpr_bad(j);
		return jlex_rest(j);
	}
	while (i < sizeof(tags) / sizeof(tags[0]) &&
	    !jinja_word(name.p, name.n, tags[i].name))
		i++;
	jlex_next(j);
	if (i == sizeof(tags) / sizeof(tags[0]))
		return jlex_rest(j);
	tags[i].run(j);
	if (j->tok.type != JTOK_END && tags[i].run != tag_open &&
	    tags[i].run != pop)
		jexpr_bad(j);
	return jlex_rest(j);
}
