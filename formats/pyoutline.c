#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/cursor.h"
#include "base/err.h"
#include "base/limits.h"
#include "formats/flatjson.h"
#include "formats/pyoutline.h"

/*
 * One logical line at a time: its indentation, and its text with runs of
 * blanks outside of strings made one and comments dropped.  How many blocks
 * it stands in counts, how wide each is indented does not.  A definition is
 * open until a line stands no deeper than it; every line inside is added to
 * all that are open.
 */
#define LINE_MAX (1 * MIB)
#define OPEN_MAX 32
#define BODY_MAX (1 * MIB)
#define NAME_CAP 256
/* Blocks in blocks: CPython refuses more than a hundred. */
#define LEVEL_MAX 100

struct scope {
	unsigned indent;
	unsigned depth;
	bool class;
	char name[NAME_CAP];	/* dotted */
	struct buf body;
};

struct outline {
	struct flatjson *f;
	struct cursor c;
	struct buf line;
	unsigned indent;
	unsigned level[LEVEL_MAX];	/* indents of the blocks around it */
	unsigned depth;			/* so many */
	bool beyond;			/* something did not fit */
	struct scope open[OPEN_MAX];
	unsigned nopen;
	struct err *e;
};

/* What is cut off ends at the end. */
static void
step(struct cursor *c, size_t n)
{
	while (n > 0 && cursor_skip(c, 1))
		n--;
}

/* The rest of a string whose opening quote was read. */
static void
read_string(struct outline *o, uint8_t quote)
{
	bool triple = false;
	unsigned run = 0;
	uint8_t a, b;

	if (cursor_peek(&o->c, 0, &a) && cursor_peek(&o->c, 1, &b) &&
	    a == quote && b == quote) {
		triple = true;
		step(&o->c, 2);
		buf_putc(&o->line, (char)quote);
		buf_putc(&o->line, (char)quote);
	}
	while (cursor_u8(&o->c, &a)) {
		buf_putc(&o->line, (char)a);
		if (a == '\\' && cursor_u8(&o->c, &b)) {
			buf_putc(&o->line, (char)b);
			run = 0;
			continue;
		}
		run = a == quote ? run + 1 : 0;
		if (run == (triple ? 3 : 1) || (!triple && a == '\n'))
			return;
	}
}

static void
skip_comment(struct outline *o)
{
	uint8_t b;

	while (cursor_peek(&o->c, 0, &b) && b != '\n')
		step(&o->c, 1);
}

static bool
is_blank(uint8_t b)
{
	return b == ' ' || b == '\t' || b == '\r' || b == '\f';
}

/* Indentation; a tab goes on to the next multiple of eight. */
static void
read_indent(struct outline *o)
{
	uint8_t b;

	o->indent = 0;
	while (cursor_peek(&o->c, 0, &b) && is_blank(b)) {
		if (b == '\t')
			o->indent = o->indent / 8 * 8 + 8;
		else
			o->indent += b == ' ';
		step(&o->c, 1);
	}
}

/* False at the end of the source. */
static bool
read_line(struct outline *o)
{
	unsigned depth = 0;
	bool blank = false;
	uint8_t b, next;

	buf_clear(&o->line);
	if (cursor_at_end(&o->c))
		return false;
	read_indent(o);
	while (cursor_u8(&o->c, &b)) {
		if (b == '#') {
			skip_comment(o);
			continue;
		}
		if (b == '\\' && cursor_peek(&o->c, 0, &next) &&
		    (next == '\n' || next == '\r')) {
			step(&o->c, next == '\r' &&
			    cursor_peek(&o->c, 1, &next) && next == '\n' ?
			    2 : 1);
			blank = true;
			continue;
		}
		if (b == '\n' && depth == 0)
			return true;
		if (is_blank(b) || b == '\n') {
			blank = true;
			continue;
		}
		if (blank && o->line.len > 0)
			buf_putc(&o->line, ' ');
		blank = false;
		depth += b == '(' || b == '[' || b == '{';
		depth -= depth > 0 && (b == ')' || b == ']' || b == '}');
		buf_putc(&o->line, (char)b);
		if (b == '"' || b == '\'')
			read_string(o, b);
	}
	return true;
}

static bool
begins(const struct buf *b, const char *word)
{
	size_t n = strlen(word);

	return b->len > n && memcmp(b->p, word, n) == 0;
}

/* The name behind "def ", "class ": up to what no name has. */
static size_t
name_len(const struct buf *b, size_t from)
{
	size_t n = 0;

	while (from + n < b->len && strchr("(:[ ", b->p[from + n]) == NULL &&
	    n < NAME_CAP / 2)
		n++;
	return n;
}

static int
put(struct outline *o, const char *prefix, const void *key, size_t n,
    const void *p, size_t len)
{
	struct buf b;
	int r;

	buf_init(&b, 2048);
	buf_puts(&b, prefix);
	buf_put(&b, key, n < 1024 ? n : 1024);
	r = buf_failed(&b) < 0 ? err_set(o->e, ERR_NOMEM, "out of memory") :
	    flatjson_put(o->f, flatjson_leaf((const char *)b.p, b.len,
	    FLAT_STRING, p, len), o->e);
	buf_release(&b);
	return r;
}

static int
close_scopes(struct outline *o, unsigned indent, bool all)
{
	int r = 0;

	while (o->nopen > 0 && r >= 0 &&
	    (all || o->open[o->nopen - 1].indent >= indent)) {
		struct scope *s = &o->open[--o->nopen];

		r = put(o, s->class ? "class " : "def ", s->name,
		    strlen(s->name), s->body.p, s->body.len);
		buf_release(&s->body);
	}
	return r;
}

static void
open_scope(struct outline *o, size_t word, bool class)
{
	struct scope *s;
	size_t n = name_len(&o->line, word);

	if (o->nopen == OPEN_MAX)
		return;
	s = &o->open[o->nopen];
	s->indent = o->indent;
	s->depth = o->depth;
	s->class = class;
	(void)snprintf(s->name, sizeof(s->name), "%.*s%s%.*s", 120,
	    o->nopen > 0 ? o->open[o->nopen - 1].name : "",
	    o->nopen > 0 ? "." : "", (int)n,
	    (const char *)o->line.p + word);
	buf_init(&s->body, BODY_MAX);
	o->nopen++;
}

/* Every body that is open holds the line, with its depth inside of it. */
static void
add_to_bodies(struct outline *o)
{
	for (unsigned i = 0; i < o->nopen; i++) {
		struct scope *s = &o->open[i];

		for (unsigned k = s->depth; k < o->depth; k++)
			buf_putc(&s->body, ' ');
		buf_put(&s->body, o->line.p, o->line.len);
		buf_putc(&s->body, '\n');
		o->beyond = o->beyond || buf_failed(&s->body) < 0;
	}
}

/* In how many blocks does the line stand? */
static void
find_depth(struct outline *o)
{
	while (o->depth > 0 && o->level[o->depth - 1] >= o->indent)
		o->depth--;
	if (o->indent == 0)
		return;
	if (o->depth == LEVEL_MAX)
		o->beyond = true;
	else
		o->level[o->depth++] = o->indent;
}

/* A line that runs on import: "run ", and a blank for each block around. */
static int
put_run(struct outline *o)
{
	char prefix[4 + LEVEL_MAX + 1] = "run ";

	memset(prefix + 4, ' ', o->depth);
	return put(o, prefix, o->line.p, o->line.len, o->line.p,
	    o->line.len);
}

static int
take_line(struct outline *o)
{
	size_t word = begins(&o->line, "def ") ? 4 :
	    begins(&o->line, "async def ") ? 10 :
	    begins(&o->line, "class ") ? 6 : 0;
	int r;

	find_depth(o);
	if ((r = close_scopes(o, o->indent, false)) < 0)
		return r;
	if (word > 0)
		open_scope(o, word, word == 6);
	if (o->nopen > 0) {
		add_to_bodies(o);
	} else if (begins(&o->line, "import ") ||
	    begins(&o->line, "from ")) {
		return put(o, "", o->line.p, o->line.len, "import", 6);
	}
	if (begins(&o->line, "import ") || begins(&o->line, "from "))
		return put(o, "import inside: ", o->line.p, o->line.len,
		    "import", 6);
	return o->nopen > 0 ? 0 : put_run(o);
}

int
pyoutline_put(struct flatjson *f, const uint8_t *t, size_t n, struct err *e)
{
	struct outline o = {.f = f, .e = e};
	int r = 0;

	cursor_init(&o.c, t, n, 0);
	buf_init(&o.line, LINE_MAX);
	while (r >= 0 && !o.beyond && read_line(&o)) {
		o.beyond = buf_failed(&o.line) < 0;
		if (o.line.len > 0 && !o.beyond)
			r = take_line(&o);
	}
	if (r >= 0)
		r = close_scopes(&o, 0, true);
	while (o.nopen > 0)
		buf_release(&o.open[--o.nopen].body);
	buf_release(&o.line);
	return r >= 0 && o.beyond ? 1 : r;
}
