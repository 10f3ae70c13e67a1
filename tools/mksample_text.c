#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/limits.h"
#include "base/text.h"
#include "tools/mksample.h"

/* Lines into statements, statements into words, words into values. */
#define WORDS 256

_Noreturn void
die(const struct stmt *s, const char *what)
{
	(void)fprintf(stderr, "%s:%u: %s\n", s->path, s->line, what);
	exit(1);
}

void *
grow(void *p, size_t n, size_t size)
{
	if ((p = reallocarray(p, n, size)) == NULL) {
		(void)fprintf(stderr, "mksample: out of memory\n");
		exit(1);
	}
	return p;
}

bool
word_option(const struct word *w, const char *name, struct word *v)
{
	size_t n = strlen(name);

	if (w->n <= n || memcmp(w->p, name, n) != 0 || w->p[n] != '=')
		return false;
	v->p = w->p + n + 1;
	v->n = w->n - n - 1;
	return true;
}

bool
word_is(const struct word *w, const char *text)
{
	return w->n == strlen(text) && memcmp(w->p, text, w->n) == 0;
}

static unsigned
hex_digit(const struct stmt *s, char c)
{
	if (c >= '0' && c <= '9')
		return (unsigned)(c - '0');
	if (c >= 'a' && c <= 'f')
		return (unsigned)(c - 'a') + 10;
	if (c >= 'A' && c <= 'F')
		return (unsigned)(c - 'A') + 10;
	die(s, "not a hex digit");
}

uint64_t
word_number(const struct stmt *s, const struct word *w)
{
	bool hex = w->n > 2 && w->p[0] == '0' && w->p[1] == 'x';
	unsigned skip = hex ? 2 : 0;
	uint64_t v;

	if (!text_u64(w->p + skip, w->n - skip, hex ? 16 : 10, UINT64_MAX, &v))
		die(s, "not a number");
	return v;
}

int64_t
word_signed(const struct stmt *s, const struct word *w)
{
	bool minus = w->n > 0 && w->p[0] == '-';
	struct word rest = {w->p + (minus ? 1 : 0), w->n - (minus ? 1 : 0)};
	uint64_t v = word_number(s, &rest);

	if (v > INT64_MAX)
		die(s, "too large a number");
	return minus ? -(int64_t)v : (int64_t)v;
}

void
word_hex(const struct stmt *s, const struct word *w, struct buf *b)
{
	if (w->n % 2 != 0)
		die(s, "two hex digits a byte");
	for (size_t i = 0; i < w->n; i += 2)
		buf_putc(b, (char)(uint8_t)(hex_digit(s, w->p[i]) * 16 +
		    hex_digit(s, w->p[i + 1])));
}

void
put_le(struct buf *b, uint64_t v, unsigned n)
{
	for (; n > 0; n--, v >>= 8)
		buf_putc(b, (char)(uint8_t)v);
}

void
put_be(struct buf *b, uint64_t v, unsigned n)
{
	while (n-- > 0)
		buf_putc(b, (char)(uint8_t)(v >> (8 * n)));
}

/* One escape after a backslash; returns how many characters it took. */
static size_t
unescape(const struct stmt *s, const char *p, char *ret)
{
	switch (*p) {
	case 'n':
		*ret = '\n';
		return 1;
	case 't':
		*ret = '\t';
		return 1;
	case 'x':
		*ret = (char)(uint8_t)(hex_digit(s, p[1]) * 16 +
		    hex_digit(s, p[2]));
		return 3;
	case '\\':
	case '"':
		*ret = *p;
		return 1;
	default:
		die(s, "unknown escape");
	}
}

/* The word at *p, unescaped in place when it is quoted. */
static struct word
next_word(const struct stmt *s, char **p)
{
	struct word w = {*p, 0};
	char *from = *p, *to, c;

	if (*from != '"') {
		w.n = strcspn(from, " \t\n");
		*p = from + w.n;
		return w;
	}
	w.p = to = ++from;
	while (*from != '"') {
		if (*from == '\0')
			die(s, "unfinished string");
		c = *from++;
		if (c == '\\')
			from += unescape(s, from, &c);
		*to++ = c;
	}
	w.n = (size_t)(to - w.p);
	*p = from + 1;
	return w;
}

static struct stmt *
new_stmt(struct script *sc, unsigned line)
{
	struct stmt *s;

	if (sc->count == sc->cap) {
		sc->cap = sc->cap == 0 ? 256 : sc->cap * 2;
		sc->stmt = grow(sc->stmt, sc->cap, sizeof(*sc->stmt));
	}
	s = &sc->stmt[sc->count++];
	*s = (struct stmt){.path = sc->path, .line = line};
	return s;
}

static void
set_words(struct stmt *s, const struct word *w, unsigned n)
{
	s->w = grow(NULL, n + 1, sizeof(*w));
	memcpy(s->w, w, n * sizeof(*w));
	s->count = n;
}

static void
add_plain(struct script *sc, unsigned line, const char *verb)
{
	struct stmt *s = new_stmt(sc, line);
	struct word w;

	if ((s->text = strdup(verb)) == NULL)
		die(s, "out of memory");
	w.p = s->text;
	w.n = strlen(verb);
	set_words(s, &w, 1);
}

/*
 * zip-member and zip-end are older than blocks: the first one of a zip opens
 * it, each closes the member before it.
 */
static void
old_zip(struct script *sc, unsigned line, struct word *w, bool *in_zip)
{
	static char member[] = "member";

	if (word_is(w, "zip-member")) {
		add_plain(sc, line, *in_zip ? "end" : "zip");
		*in_zip = true;
		w->p = member;
		w->n = strlen(member);
	} else if (word_is(w, "zip-end")) {
		if (!*in_zip)
			die(&(struct stmt){.path = sc->path, .line = line},
			    "no zip-member");
		add_plain(sc, line, "end");
		*in_zip = false;
		w->p += strlen("zip-");
		w->n -= strlen("zip-");
	}
}

static void
add_line(struct script *sc, unsigned line, const char *text, bool *in_zip)
{
	struct stmt at = {.path = sc->path, .line = line}, *s;
	char *copy = strdup(text), *p = copy;
	struct word w[WORDS];
	unsigned n = 0;
	bool quoted;

	if (copy == NULL)
		die(&at, "out of memory");
	for (;;) {
		p += strspn(p, " \t\n");
		quoted = *p == '"';
		if (*p == '\0')
			break;
		if (n == WORDS)
			die(&at, "too many words");
		w[n] = next_word(&at, &p);
		if (quoted || !word_is(&w[n], ";")) {
			n++;
			continue;
		}
		if (n > 0) {
			old_zip(sc, line, w, in_zip);
			set_words(new_stmt(sc, line), w, n);
		}
		n = 0;
	}
	if (n == 0)
		w[n++] = (struct word){copy, 0};
	old_zip(sc, line, w, in_zip);
	s = new_stmt(sc, line);
	s->text = copy;
	set_words(s, w, n);
}

/* "| text": the line's bytes, a newline included, whatever they are. */
static void
add_verbatim(struct script *sc, unsigned line, const char *text)
{
	static char verb[] = "text";
	struct stmt *s = new_stmt(sc, line);
	struct word w[2] = {{verb, strlen(verb)}, {NULL, 0}};

	if ((s->text = strdup(text + 1 + (text[1] == ' '))) == NULL)
		die(s, "out of memory");
	w[1].p = s->text;
	w[1].n = strlen(s->text);
	set_words(s, w, 2);
}

/* Which statement closes which block. */
static void
match(struct script *sc)
{
	static const char *const blocks[] = {"as", "frame", "wrap", "repeat",
	    "zip", "tar", "member", "inside", "counted", "message", "group",
	    "beside", "hide", "hide-bits", "def", NULL};
	struct stmt *open[SAMPLE_DEPTH];
	unsigned depth = 0;

	for (size_t i = 0; i < sc->count; i++) {
		struct stmt *s = &sc->stmt[i];

		if (word_is(&s->w[0], "case") && depth > 0)
			die(open[depth - 1], "this block has no end");
		for (unsigned k = 0; blocks[k] != NULL; k++)
			if (word_is(&s->w[0], blocks[k])) {
				if (depth == SAMPLE_DEPTH)
					die(s, "too many blocks in blocks");
				open[depth++] = s;
			}
		if (!word_is(&s->w[0], "end"))
			continue;
		if (depth == 0)
			die(s, "no block to end");
		open[--depth]->end = s;
	}
	if (depth > 0)
		die(open[depth - 1], "this block has no end");
}

struct script *
script_read(const char *path)
{
	struct script *sc = NULL;
	char *line = NULL;
	bool in_zip = false;
	unsigned number = 0;
	size_t cap = 0;
	FILE *f;

	if ((f = fopen(path, "r")) == NULL)
		return NULL;
	sc = grow(NULL, 1, sizeof(*sc));
	*sc = (struct script){.path = strdup(path)};
	while (getline(&line, &cap, f) > 0) {
		number++;
		if (line[0] == '|')
			add_verbatim(sc, number, line);
		else if (line[strspn(line, " \t")] != '#')
			add_line(sc, number, line, &in_zip);
	}
	free(line);
	(void)fclose(f);
	match(sc);
	return sc;
}

void
script_free(struct script *s)
{
	if (s == NULL)
		return;
	for (size_t i = 0; i < s->count; i++) {
		free(s->stmt[i].text);
		free(s->stmt[i].w);
	}
	free(s->stmt);
	free(s->path);
	free(s);
}
