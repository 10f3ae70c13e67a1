#include <stdbool.h>
#include <string.h>

#include "base/reader.h"
#include "formats/format.h"
#include "formats/safetensors.h"

/*
 * White space between the tokens of a header carries no meaning, so it can
 * carry a message: a blank for 0, a tab for 1, or the length of a run.  All
 * readers accept it.
 *
 * Every writer of JSON has one rule for each place: nothing, one blank, or a
 * line feed and an indentation that depends on the depth alone.  A place is
 * what stands before or behind the gap, in an object or an array, at one
 * depth; the first gap of a place says which rule its writer has, and any
 * other gap there is one that no writer makes.
 */
enum place { BEHIND_COMMA, BEHIND_COLON, BEFORE_COLON, BEHIND_OPEN,
	BEFORE_CLOSE, INSIDE_EMPTY, PLACES };
enum layout { LAYOUT_UNSEEN, LAYOUT_NONE, LAYOUT_BLANK, LAYOUT_LINE,
	LAYOUT_ODD };

#define DEPTHS 8	/* deeper ones share the last */

struct gap {
	uint64_t off, len;
	uint8_t indent;		/* the character behind the line feed, or 0 */
	enum layout layout;
};

struct rule {
	enum layout layout;
	uint64_t len;
	uint8_t indent;
};

struct blanks {
	struct rule rule[PLACES][2][DEPTHS];
	uint8_t open[DEPTHS];	/* '{' or '[' by depth */
	unsigned depth;
	uint8_t before;		/* the last structural character */
	bool quoted, escaped;
	uint64_t odd, first;	/* gaps that break the rule */
};

static bool
is_blank(uint8_t c)
{
	return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

static void
gap_add(struct gap *g, uint8_t c, uint64_t off)
{
	if (g->len++ == 0) {
		g->off = off;
		g->layout = c == ' ' ? LAYOUT_BLANK : c == '\n' ?
		    LAYOUT_LINE : LAYOUT_ODD;
		return;
	}
	if (g->layout != LAYOUT_LINE || (c != ' ' && c != '\t') ||
	    (g->indent != 0 && g->indent != c))
		g->layout = LAYOUT_ODD;
	g->indent = c;
}

static unsigned
level(unsigned depth)
{
	return depth < DEPTHS ? depth : DEPTHS - 1;
}

static void
judge(struct blanks *b, const struct gap *g, enum place place,
    unsigned depth)
{
	bool array = b->open[level(depth)] == '[';
	struct rule *r = &b->rule[place][array][level(depth)];

	if (r->layout == LAYOUT_UNSEEN)
		*r = (struct rule){g->layout, g->len, g->indent};
	if (g->layout != LAYOUT_ODD && r->layout == g->layout &&
	    r->len == g->len && r->indent == g->indent)
		return;
	if (b->odd++ == 0)
		b->first = g->off;
}

/* The gap is over: ${c} stands behind it, outside of quotes. */
static void
close_gap(struct blanks *b, const struct gap *g, uint8_t c)
{
	bool closing = c == '}' || c == ']';
	bool opened = b->before == '{' || b->before == '[';

	if (closing)
		judge(b, g, opened ? INSIDE_EMPTY : BEFORE_CLOSE, b->depth);
	else if (c == ':')
		judge(b, g, BEFORE_COLON, b->depth);
	else if (b->before == ',')
		judge(b, g, BEHIND_COMMA, b->depth);
	else if (b->before == ':')
		judge(b, g, BEHIND_COLON, b->depth);
	else if (opened)
		judge(b, g, BEHIND_OPEN, b->depth);
	else if (g->len > 0 && b->odd++ == 0)
		b->first = g->off;	/* before a comma, or all of it */
}

static void
structural(struct blanks *b, uint8_t c)
{
	if (c == '{' || c == '[') {
		b->depth++;
		b->open[level(b->depth)] = c;
	} else if ((c == '}' || c == ']') && b->depth > 0) {
		b->depth--;
	}
	b->before = c;
}

static void
character(struct blanks *b, struct gap *g, uint8_t c, uint64_t off)
{
	if (b->quoted) {
		b->quoted = b->escaped || c != '"';
		b->escaped = !b->escaped && c == '\\';
		return;
	}
	if (is_blank(c)) {
		gap_add(g, c, off);
		return;
	}
	if (g->len == 0) {
		g->off = off;
		g->layout = LAYOUT_NONE;
	}
	/* Digits and letters that follow each other have no gap. */
	if (b->before != '0' || g->len > 0 || strchr(",:}]", c) != NULL)
		close_gap(b, g, c);
	*g = (struct gap){0};
	b->quoted = c == '"';
	if (strchr("{}[],:", c) != NULL)
		structural(b, c);
	else
		b->before = '0';
}

int
safetensors_blanks(struct parse *p, uint64_t from, uint64_t to)
{
	struct fact facts[2];
	struct blanks b = {0};
	struct gap g = {0};
	struct reader rd;
	uint64_t off;
	uint8_t c;
	int r;

	if ((r = reader_init(&rd, p->src, from, p->window, p->arena,
	    p->e)) < 0)
		return r;
	rd.end = to;
	while (reader_left(&rd) > 0) {
		off = reader_tell(&rd);
		if ((r = reader_u8(&rd, &c, p->e)) < 0)
			return r;
		character(&b, &g, c, off);
	}
	if (b.odd == 0)
		return 0;
	facts[0] = (struct fact)FACT_TEXT("where", "between tokens", 14);
	facts[1] = (struct fact)FACT_NUM("gaps", b.odd);
	return format_anomaly(p, ANOMALY_ST_PADDING, b.first, 0, facts, 2);
}
