#include <string.h>

#include "base/arena.h"
#include "formats/jinja_parts.h"

/*
 * The inside of a tag, by jinja2/lexer.py: names, strings, numbers, operators.
 * A tag ends at its "}}" or "%}" outside of strings and of brackets that are
 * open; "-" and "+" before it strip white space.
 */
/* Python takes letters of any script: every byte above ASCII is one. */
static bool
is_word(uint8_t c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' ||
	    c >= 0x80;
}

bool
jinja_word(const uint8_t *p, size_t n, const char *word)
{
	return n == strlen(word) && memcmp(p, word, n) == 0;
}

bool
jinja_one_of(const uint8_t *p, size_t n, const char *const *list)
{
	for (; *list != NULL; list++)
		if (jinja_word(p, n, *list))
			return true;
	return false;
}

static int
hex_value(uint8_t c)
{
	if (jinja_is_digit(c))
		return c - '0';
	c |= 0x20;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

struct unescape {
	const uint8_t *p;
	size_t n, i;
	uint8_t *to;
	size_t k;
};

/* A code point takes no more bytes than the escape that wrote it. */
static void
put_cp(struct unescape *u, uint32_t cp)
{
	if (cp > 0x10ffff)
		cp = 0xfffd;
	if (cp < 0x80) {
		u->to[u->k++] = (uint8_t)cp;
		return;
	}
	if (cp < 0x800) {
		u->to[u->k++] = (uint8_t)(0xc0 | cp >> 6);
	} else if (cp < 0x10000) {
		u->to[u->k++] = (uint8_t)(0xe0 | cp >> 12);
		u->to[u->k++] = (uint8_t)(0x80 | (cp >> 6 & 0x3f));
	} else {
		u->to[u->k++] = (uint8_t)(0xf0 | cp >> 18);
		u->to[u->k++] = (uint8_t)(0x80 | (cp >> 12 & 0x3f));
		u->to[u->k++] = (uint8_t)(0x80 | (cp >> 6 & 0x3f));
	}
	u->to[u->k++] = (uint8_t)(0x80 | (cp & 0x3f));
}

static void
put_digits(struct unescape *u, unsigned max, unsigned base)
{
	unsigned got = 0;
	uint32_t cp = 0;
	int d;

	while (got < max && u->i < u->n &&
	    (d = hex_value(u->p[u->i])) >= 0 && (unsigned)d < base) {
		cp = cp * base + (uint32_t)d;
		u->i++;
		got++;
	}
	/* "\x" without digits: Python refuses; the letters stay as they are */
	if (got > 0)
		put_cp(u, cp);
}

/* \N{LOW LINE}: the one character whose name hides an attribute. */
static void
put_named(struct unescape *u)
{
	static const char low_line[] = "{LOW LINE}";
	const uint8_t *close;
	size_t len;

	close = memchr(u->p + u->i, '}', u->n - u->i);
	if (close == NULL || u->p[u->i] != '{')
		return;
	len = (size_t)(close - (u->p + u->i)) + 1;
	put_cp(u, len == strlen(low_line) &&
	    strncasecmp((const char *)u->p + u->i, low_line, len) == 0 ?
	    '_' : 0xfffd);
	u->i += len;
}

static void
put_escape(struct unescape *u)
{
	static const char from[] = "nrtabfv\\'\"", to[] = "\n\r\t\a\b\f\v\\'\"";
	const uint8_t c = u->p[u->i++];
	const char *at;

	if (c == 'x') {
		put_digits(u, 2, 16);
	} else if (c == 'u') {
		put_digits(u, 4, 16);
	} else if (c == 'U') {
		put_digits(u, 8, 16);
	} else if (c == 'N' && u->i < u->n) {
		put_named(u);
	} else if (c >= '0' && c <= '7') {
		u->i--;
		put_digits(u, 3, 8);
	} else if (c != '\0' && (at = strchr(from, c)) != NULL) {
		u->to[u->k++] = (uint8_t)to[at - from];
	} else if (c != '\n') {		/* a line that goes on adds nothing */
		u->to[u->k++] = '\\';
		u->to[u->k++] = c;
	}
}

static void
unescape(struct jinja *j, struct jtok *t)
{
	struct unescape u = {.p = t->p, .n = t->n};

	t->escaped = true;
	if ((u.to = jinja_alloc(j, t->n, 1)) == NULL)
		return;
	while (u.i < u.n) {
		if (u.p[u.i] != '\\' || u.i + 1 == u.n) {
			u.to[u.k++] = u.p[u.i++];
			continue;
		}
		u.i++;
		put_escape(&u);
	}
	t->p = u.to;
	t->n = u.k;
}

static void
lex_string(struct jinja *j, struct jtok *t)
{
	const uint8_t quote = j->t[j->pos];
	size_t i = j->pos + 1;
	bool escaped = false;

	while (i < j->n && j->t[i] != quote) {
		if (j->t[i] == '\\') {
			escaped = true;
			i++;
		}
		i++;
	}
	if (i >= j->n) {
		t->type = JTOK_BAD;
		j->pos = j->n;
		return;
	}
	t->type = JTOK_STR;
	t->p = j->t + j->pos + 1;
	t->n = i - j->pos - 1;
	j->pos = i + 1;
	if (escaped)
		unescape(j, t);
}

static size_t
skip_digits(const struct jinja *j, size_t i)
{
	while (i < j->n && jinja_is_digit(j->t[i]))
		i++;
	return i;
}

/* Behind the integer of a float: .5, e3, e-3 */
static size_t
skip_fraction(const struct jinja *j, struct jtok *t, size_t i)
{
	if (i + 1 < j->n && j->t[i] == '.' && jinja_is_digit(j->t[i + 1])) {
		t->type = JTOK_FLOAT;
		i = skip_digits(j, i + 1);
	}
	if (i + 1 < j->n && (j->t[i] | 0x20) == 'e' &&
	    (jinja_is_digit(j->t[i + 1]) || j->t[i + 1] == '-' ||
	    j->t[i + 1] == '+')) {
		t->type = JTOK_FLOAT;
		i = skip_digits(j, i + 2);
	}
	return i;
}

/* 12, 1_000, 0x1f, 0b1, 0o7; 1.5, 1e3 are floats. */
static void
lex_number(struct jinja *j, struct jtok *t)
{
	unsigned base = 10;
	size_t i = j->pos;
	int d;

	t->type = JTOK_INT;
	if (j->t[i] == '0' && i + 1 < j->n) {
		const uint8_t c = j->t[i + 1] | 0x20;

		base = c == 'x' ? 16 : c == 'b' ? 2 : c == 'o' ? 8 : 10;
		i += base != 10 ? 2 : 0;
	}
	for (; i < j->n; i++) {
		if (j->t[i] == '_')
			continue;
		if ((d = hex_value(j->t[i])) < 0 || (unsigned)d >= base)
			break;
		if (t->num > ((uint64_t)INT64_MAX - 15) / base)
			t->type = JTOK_FLOAT;
		else
			t->num = t->num * base + (unsigned)d;
	}
	if (base == 10)
		i = skip_fraction(j, t, i);
	j->pos = i;
}

/*
 * A bracket that closes another one, or none, is an error to Jinja.  What is
 * open is forgotten then, so that the tag still ends where it looks like it,
 * and no tag is read to the end of the template in vain.
 */
static void
bracket(struct jinja *j, struct jtok *t, uint8_t c)
{
	if (strchr("([{", c) != NULL) {
		if (j->nest < JINJA_NEST)
			j->open[j->nest] = c == '(' ? ')' : c == '[' ? ']' :
			    '}';
		j->nest++;
		return;
	}
	if (strchr(")]}", c) == NULL)
		return;
	if (j->nest > 0 && (j->nest > JINJA_NEST ||
	    j->open[j->nest - 1] == c)) {
		j->nest--;
		return;
	}
	j->nest = 0;
	t->type = JTOK_BAD;
	if (c == '}' && j->pos < j->n && j->t[j->pos] == '}' &&
	    j->end[0] == '}')
		j->pos--;
}

static void
lex_op(struct jinja *j, struct jtok *t)
{
	static const struct {
		char text[3];
		unsigned op;
	} two[] = {{"==", JOP_EQ}, {"!=", JOP_NE}, {"<=", JOP_LE},
	    {">=", JOP_GE}, {"**", JOP_POW}, {"//", JOP_FLOORDIV}};
	const uint8_t c = j->t[j->pos];

	t->type = JTOK_OP;
	for (size_t i = 0; i < 6 && j->n - j->pos > 1; i++)
		if (memcmp(j->t + j->pos, two[i].text, 2) == 0) {
			t->op = two[i].op;
			j->pos += 2;
			return;
		}
	j->pos++;
	t->op = c;
	if (c == '\0' || strchr("+-/*%~[](){}><=.:|,;", c) == NULL) {
		t->type = JTOK_BAD;
		return;
	}
	bracket(j, t, c);
}

/* "}}", "-}}", "+%}": only where no bracket is open. */
static bool
at_end(const struct jinja *j, size_t *len)
{
	const uint8_t *p = j->t + j->pos;
	const size_t left = j->n - j->pos;
	const size_t mark = left > 2 && (p[0] == '-' || p[0] == '+');

	*len = mark + 2;
	return left >= *len && memcmp(p + mark, j->end, 2) == 0;
}

void
jlex_next(struct jinja *j)
{
	struct jtok *t = &j->tok;
	size_t len, from;

	while (j->pos < j->n && jinja_is_blank(j->t[j->pos]))
		j->pos++;
	*t = (struct jtok){.at = j->pos};
	if (j->pos == j->n) {
		t->type = JTOK_BAD;
		return;
	}
	if (j->nest == 0 && at_end(j, &len)) {
		t->type = JTOK_END;	/* stays there */
		return;
	}
	if (j->t[j->pos] == '\'' || j->t[j->pos] == '"') {
		lex_string(j, t);
	} else if (jinja_is_digit(j->t[j->pos])) {
		lex_number(j, t);
	} else if (is_word(j->t[j->pos])) {
		t->type = JTOK_NAME;
		from = j->pos;
		while (j->pos < j->n && (is_word(j->t[j->pos]) ||
		    jinja_is_digit(j->t[j->pos])))
			j->pos++;
		t->p = j->t + from;
		t->n = j->pos - from;
	} else {
		lex_op(j, t);
	}
}

bool
jlex_is_op(const struct jinja *j, unsigned op)
{
	return j->tok.type == JTOK_OP && j->tok.op == op;
}

bool
jlex_is_name(const struct jinja *j, const char *name)
{
	return j->tok.type == JTOK_NAME &&
	    jinja_word(j->tok.p, j->tok.n, name);
}

bool
jlex_op(struct jinja *j, unsigned op)
{
	if (!jlex_is_op(j, op))
		return false;
	jlex_next(j);
	return true;
}

bool
jlex_name(struct jinja *j, const char *name)
{
	if (!jlex_is_name(j, name))
		return false;
	jlex_next(j);
	return true;
}

/*
 * What the parser could not read is still looked at for names: a tag that one
 * engine refuses another may take.  A tag without an end makes every engine
 * refuse the whole template.
 */
bool
jlex_rest(struct jinja *j)
{
	bool dotted = false;
	struct jval s;
	size_t len;

	while (j->tok.type != JTOK_END && j->pos < j->n) {
		s = jval_str(j->tok.p, j->tok.n, j->tok.at);
		if (j->tok.type == JTOK_STR)
			jname_string(j, &s, false);
		else if (j->tok.type == JTOK_NAME && dotted)
			jname_used(j, &s, JN_ATTR, NULL);
		else if (j->tok.type == JTOK_NAME)
			jname_bare(j, &j->tok, false, false);
		dotted = jlex_is_op(j, '.');
		jlex_next(j);
	}
	if (j->tok.type != JTOK_END || !at_end(j, &len))
		return false;
	j->pos += len;
	return true;
}
