#include <string.h>

#include "base/arena.h"
#include "base/bytesrc.h"
#include "base/err.h"
#include "base/limits.h"
#include "formats/format.h"
#include "formats/jinja.h"
#include "formats/jinja_parts.h"
#include "formats/textscan.h"

/*
 * A template from its first to its last byte: text, {{ expressions },
 * {% statements %}, {# comments #}, raw blocks.  The method stands in
 * jinja_parts.h.
 */

/* Our side, or the consumer: the walk ends at the next tag. */
static void
fail(struct jinja *j, int r)
{
	if (r < 0 && j->rc >= 0)
		j->rc = r;
}

/*
 * Anomalies of one kind come in the order of their places, once for a place,
 * and at most JINJA_TELL of them: the first ones are what a person reads.
 */
void
jinja_tell(struct jinja *j, enum anomaly id, size_t at,
    const struct fact *facts, unsigned nfacts)
{
	struct fact all[FACT_MAX] = {FACT_TEXT("template", j->what,
	    strlen(j->what))};

	if (!j->telling || j->rc < 0 || at < j->last[id] ||
	    j->told[id] == JINJA_TELL)
		return;
	j->last[id] = at + 1;
	j->told[id]++;
	for (unsigned i = 0; i < nfacts && i + 1 < FACT_MAX; i++)
		all[i + 1] = facts[i];
	fail(j, format_anomaly(j->p, id, j->off + at, 0, all, nfacts + 1));
}

void
jinja_limit(struct jinja *j)
{
	const struct fact facts[] = {FACT_TEXT("template", j->what,
	    strlen(j->what))};

	if (j->limit || !j->telling || j->rc < 0)
		return;
	j->limit = true;
	fail(j, format_anomaly(j->p, ANOMALY_LIMIT, j->off, 0, facts, 1));
}

void *
jinja_alloc(struct jinja *j, size_t count, size_t size)
{
	void *p = arena_array(j->p->arena, count, size);

	if (p == NULL)
		fail(j, err_set(j->p->e, ERR_NOMEM, "out of memory"));
	return p;
}

/* Text between tags: it is printed as it is. */
static void
take_text(struct jinja *j, size_t from, size_t to)
{
	const uint8_t *p = j->t + from;
	const size_t n = to - from;
	struct jval v = jval_str(p, n, from);
	struct fact facts[1];
	uint32_t cp = 0;
	size_t at = 0;
	unsigned how;

	if (n == 0)
		return;
	j->address = jinja_in_address(p, n);
	v.lit = jinja_lit(p, n, from);
	jmark_text(j, p, n);
	jstmt_print(j, &v);
	if ((v.lit.flags & JLIT_HIDDEN) == 0)
		return;
	how = jinja_invisible(p, n, &at, &cp);
	/* a byte order mark at the very beginning is an editor's */
	if (from + at == 0 && cp == 0xfeff && how == 1 &&
	    jinja_invisible(p + 3, n - 3, &at, &cp) == 0)
		return;
	facts[0] = (struct fact)FACT_NUM("character", cp);
	jinja_tell(j, how > 1 ? ANOMALY_JINJA_HIDDEN :
	    ANOMALY_JINJA_INVISIBLE, from + at, facts, 1);
}

/* Behind "{%": raw?  Then j->pos is behind its end tag. */
static bool
take_raw(struct jinja *j, bool *ended)
{
	size_t from, at;
	const uint8_t *p;

	if (!jlex_is_name(j, "raw"))
		return false;
	jlex_next(j);
	*ended = jlex_rest(j);
	for (from = at = j->pos; *ended && at < j->n; at++) {
		if ((p = memmem(j->t + at, j->n - at, "{%", 2)) == NULL)
			break;
		at = (size_t)(p - j->t);
		j->pos = at + 2;
		if (j->pos < j->n && (j->t[j->pos] == '-' ||
		    j->t[j->pos] == '+'))
			j->pos++;
		j->nest = 0;
		jlex_next(j);
		if (!jlex_is_name(j, "endraw"))
			continue;
		take_text(j, from, at);
		jlex_next(j);
		*ended = jlex_rest(j);
		return true;
	}
	*ended = false;
	return true;
}

/* A tag whose "{{" or "{%" stands at ${at}; false: it has no end. */
static bool
take_tag(struct jinja *j, size_t at)
{
	bool ended = true, inside;
	struct jval v;

	j->prints = j->t[at + 1] == '{';
	inside = j->prints && j->address;
	j->address = inside;
	j->end[0] = j->prints ? '}' : '%';
	j->end[1] = '}';
	j->nest = j->depth = j->args = 0;
	j->bad = false;
	j->pos = at + 2;
	if (j->pos < j->n && (j->t[j->pos] == '-' || j->t[j->pos] == '+'))
		j->pos++;
	jlex_next(j);
	if (!j->prints)
		return take_raw(j, &ended) ? ended : jstmt_tag(j);
	v = jexpr_tuple(j);
	if (inside)
		jcond_leaks(j, &v);
	jstmt_print(j, &v);
	if (j->tok.type != JTOK_END)
		jexpr_bad(j);
	return jlex_rest(j);
}

/* The next "{{", "{%" or "{#" from ${at} on, or the end. */
static size_t
next_tag(const struct jinja *j, size_t at)
{
	const uint8_t *p;

	while (at < j->n && (p = memchr(j->t + at, '{', j->n - at)) != NULL) {
		at = (size_t)(p - j->t);
		if (j->n - at > 1 && (p[1] == '{' || p[1] == '%' ||
		    p[1] == '#'))
			return at;
		at++;
	}
	return j->n;
}

/* 0: to its end; 1: a tag or comment has no end. */
static int
walk(struct jinja *j)
{
	const uint8_t *close;
	size_t at;

	j->pos = 0;
	j->frames = j->lost = 0;
	j->address = false;
	j->items = JINJA_ITEMS;
	j->made = JINJA_MADE;
	while (j->pos < j->n && j->rc >= 0) {
		at = next_tag(j, j->pos);
		take_text(j, j->pos, at);
		j->pos = at;
		if (at == j->n)
			break;
		if (j->t[at + 1] == '#') {
			close = memmem(j->t + at + 2, j->n - at - 2, "#}", 2);
			if (close == NULL)
				return 1;
			j->pos = (size_t)(close - j->t) + 2;
		} else if (!take_tag(j, at)) {
			return 1;
		}
	}
	j->bad = false;
	if (j->frames > 0)
		jexpr_bad(j);	/* a block without its end */
	jstmt_finish(j);
	return 0;
}

static void
forget_values(struct jinja *j)
{
	for (size_t i = 0; i < JINJA_BUCKETS; i++)
		for (struct jvar *v = j->vars[i]; v != NULL; v = v->next)
			v->now = false;
}

static int
check(struct jinja *j)
{
	const struct fact facts[] = {FACT_NUM("bytes", j->n),
	    FACT_NUM("digest", jinja_digest(j->t, j->n))};
	int r;

	j->vars = jinja_alloc(j, JINJA_BUCKETS, sizeof(struct jvar *));
	j->marks = jinja_alloc(j, 2 * JINJA_MARKS, sizeof(*j->marks));
	j->frame = jinja_alloc(j, JINJA_FRAMES, sizeof(*j->frame));
	if (j->rc < 0)
		return j->rc;
	(void)walk(j);
	forget_values(j);
	j->telling = true;
	j->syntax = false;
	jinja_tell(j, ANOMALY_JINJA_TEMPLATE, 0, facts, 2);
	r = j->rc < 0 ? j->rc : walk(j);
	if (r == 1)
		jinja_tell(j, ANOMALY_JINJA_SYNTAX, j->pos < j->n ? j->pos :
		    j->n - 1, NULL, 0);
	else if (j->syntax)
		jinja_tell(j, ANOMALY_JINJA_SYNTAX, j->syntax_at < j->n ?
		    j->syntax_at : j->n - 1, NULL, 0);
	return j->rc < 0 ? j->rc : r == 1 || j->syntax || j->limit;
}

int
jinja_check(struct parse *p, const char *what, const uint8_t *t, size_t n,
    uint64_t off)
{
	struct jinja *j;

	if (n == 0)
		return 0;
	if ((j = arena_alloc(p->arena, sizeof(*j))) == NULL)
		return err_set(p->e, ERR_NOMEM, "out of memory");
	j->p = p;
	j->what = what;
	j->t = t;
	j->n = n;
	j->off = off;
	j->chat = strcmp(what, "file") != 0;
	return check(j);
}

/* --- the format: a template in a file of its own ------------------------ */

/* Statements that a template has and prose has not, in the head. */
static unsigned
count_statements(struct cursor head)
{
	static const char *const words[] = {"if", "for", "set", "macro",
	    "else", "endif", "endfor", "block", "include", "import",
	    "extends", "from", "raw", "with", "filter", "call", NULL};
	unsigned found = 0;
	uint8_t c, d;

	while (cursor_u8(&head, &c)) {
		if (c != '{' || !cursor_peek(&head, 0, &d) || d != '%' ||
		    !cursor_skip(&head, 1))
			continue;
		while (cursor_peek(&head, 0, &c) && (c == '-' || c == '+' ||
		    c == ' ' || c == '\n' || c == '\t'))
			if (!cursor_skip(&head, 1))
				break;
		for (const char *const *w = words; *w != NULL; w++) {
			struct cursor word = head;

			if (cursor_match(&word, (const uint8_t *)*w,
			    strlen(*w)) && cursor_peek(&word, 0, &c) &&
			    (c == ' ' || c == '-' || c == '%')) {
				found++;
				break;
			}
		}
	}
	return found;
}

/*
 * A template begins with a tag as a rule; one that begins with its prompt's
 * words has statements behind them, and looks like nothing else.
 */
static unsigned
jinja_bid(struct cursor head, uint64_t size)
{
	struct cursor c = head;
	unsigned statements;
	uint8_t a, b = 0;

	if (!textscan_head(head, size))
		return 0;
	statements = count_statements(head);
	if (cursor_match(&c, (const uint8_t *)"\xef\xbb\xbf", 3))
		head = c;
	while (cursor_u8(&c, &a) && (a == ' ' || a == '\n' || a == '\t' ||
	    a == '\r'))
		;
	if (!cursor_peek(&c, 0, &b))
		b = 0;
	if (a == '{' && (b == '%' || b == '{' || b == '#'))
		return statements > 0 ? 22 : b == '{' &&
		    jinja_is(head.buf, head.len) ? 14 : 0;
	return statements > 1 && a != '#' && a != '-' ? 13 : 0;
}

static int
jinja_parse(struct parse *p)
{
	uint8_t *t;
	int r;

	if (p->size > LIMIT_TEMPLATE)
		return (r = format_anomaly(p, ANOMALY_LIMIT, 0, 0, NULL,
		    0)) < 0 ? r : 1;
	if (p->size == 0)
		return 0;
	if ((t = arena_alloc(p->arena, (size_t)p->size)) == NULL)
		return err_set(p->e, ERR_NOMEM, "out of memory");
	if ((r = bytesrc_read(p->src, 0, t, (size_t)p->size, p->e)) < 0)
		return r;
	return jinja_check(p, "file", t, (size_t)p->size, 0);
}

const struct format format_jinja = {
    .name = "jinja",
    .kind = FORMAT_DATA,
    .bid = jinja_bid,
    .parse = jinja_parse,
};
