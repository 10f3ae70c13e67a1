#include <string.h>

#include <yaml.h>

#include "base/arena.h"
#include "base/err.h"
#include "formats/doc_build.h"
#include "formats/yamldoc.h"

/*
 * Method.  libyaml gives events; the tree is built here, never by the
 * library, whose own loader composes without limits.  The encoding is fixed
 * to UTF-8, so that its marks, which count characters, can be turned into
 * offsets by walking along the text.
 *
 * The library recurses nowhere and holds what is open on stacks of its own;
 * depth is limited here, at the event, so those stay as small.
 */
#define YAML_TAG "tag:yaml.org,2002:"

struct anchor {
	const char *name;
	struct doc *node;
};

struct yamldoc {
	yaml_parser_t parser;
	struct doc_build b;
	struct anchor anchor[LIMIT_DOC_ANCHORS];
	unsigned anchors;
	bool in_map[LIMIT_DOC_YAML_DEPTH + 2];	/* of each open container */
	bool key_due[LIMIT_DOC_YAML_DEPTH + 2];
	const uint8_t *p;
	size_t n;
	size_t chars, off;	/* a place in the text, both ways */
	size_t at;		/* offset of the event */
};

/* The offset of the character number ${index}. */
static size_t
offset_of(struct yamldoc *y, size_t index)
{
	while (y->chars < index && y->off < y->n) {
		y->off++;
		while (y->off < y->n && (y->p[y->off] & 0xc0) == 0x80)
			y->off++;
		y->chars++;
	}
	while (y->chars > index && y->off > 0) {
		y->off--;
		while (y->off > 0 && (y->p[y->off] & 0xc0) == 0x80)
			y->off--;
		y->chars--;
	}
	return y->off;
}

static int
refuse(struct yamldoc *y, int code, const char *what)
{
	y->b.what = what;
	return code;
}

static const char *
keep(struct yamldoc *y, const yaml_char_t *s)
{
	return s == NULL ? NULL : arena_dup(y->b.a, s, strlen((const char *)s));
}

/* ${name}: of the node's anchor, or NULL. */
static int
anchor_put(struct yamldoc *y, const yaml_char_t *name, struct doc *d)
{
	const char *kept;

	if (name == NULL)
		return 0;
	if (y->anchors == LIMIT_DOC_ANCHORS)
		return refuse(y, ERR_LIMIT, "more anchors than the limit");
	if ((kept = keep(y, name)) == NULL)
		return ERR_NOMEM;
	y->anchor[y->anchors++] = (struct anchor){kept, d};
	return 0;
}

static struct anchor *
anchor_find(struct yamldoc *y, const yaml_char_t *name)
{
	for (unsigned i = y->anchors; i-- > 0;)
		if (strcmp(y->anchor[i].name, (const char *)name) == 0)
			return &y->anchor[i];
	return NULL;
}

static bool
is_word(const struct doc *d, const char *const *word)
{
	for (; *word != NULL; word++)
		if (strlen(*word) == d->len &&
		    memcmp(*word, d->str, d->len) == 0)
			return true;
	return false;
}

/* [+-]?(0x[0-9a-fA-F]+|0o[0-7]+|0[0-7]+|[0-9]+). */
static bool
as_int(struct doc *d)
{
	bool sign = d->len > 0 && (d->str[0] == '-' || d->str[0] == '+');
	const char *s = d->str + sign;
	size_t n = d->len - sign;
	unsigned base = 10;

	if (n > 2 && s[0] == '0' && (s[1] == 'x' || s[1] == 'o')) {
		base = s[1] == 'x' ? 16 : 8;
		s += 2;
		n -= 2;
	} else if (n > 1 && s[0] == '0') {
		base = 8;
	}
	return n > 0 && doc_build_int(d, sign && d->str[0] == '-', s, n, base);
}

/*
 * [+-]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][+-]?[0-9]+)? with a dot or an
 * exponent; .inf and .nan.
 */
static bool
as_real(struct doc *d)
{
	static const char *const words[] = {".inf", ".Inf", ".INF", "+.inf",
	    "+.Inf", "+.INF", "-.inf", "-.Inf", "-.INF", ".nan", ".NaN",
	    ".NAN", NULL};
	const char *s = d->str;
	size_t i = d->len > 0 && (s[0] == '-' || s[0] == '+'), digits, more;
	bool real = false;

	if (is_word(d, words)) {
		d->type = DOC_REAL;
		d->d = (d->str[d->len - 1] | 0x20) == 'n' ?
		    __builtin_nan("") : __builtin_inf();
		if (d->str[0] == '-')
			d->d = -d->d;
		return true;
	}
	digits = strspn(s + i, "0123456789");
	i += digits;
	if (s[i] == '.') {
		more = strspn(s + i + 1, "0123456789");
		digits += more;
		i += 1 + more;
		real = true;
	}
	if (digits > 0 && (s[i] == 'e' || s[i] == 'E')) {
		i++;
		i += s[i] == '-' || s[i] == '+';
		if ((more = strspn(s + i, "0123456789")) == 0)
			return false;
		i += more;
		real = true;
	}
	if (!real || digits == 0 || i != d->len)
		return false;
	doc_build_number(d);
	return true;
}

static void
resolve(struct doc *d)
{
	static const char *const null[] = {"", "~", "null", "Null", "NULL",
	    NULL};
	static const char *const yes[] = {"true", "True", "TRUE", NULL};
	static const char *const no[] = {"false", "False", "FALSE", NULL};

	if (is_word(d, null)) {
		d->type = DOC_NULL;
	} else if (is_word(d, yes) || is_word(d, no)) {
		d->type = DOC_BOOL;
		d->i = is_word(d, yes);
	} else if (!as_int(d)) {
		d->type = DOC_STRING;
		(void)as_real(d);
	}
}

/* A tag of YAML's own holds when the text is of that type. */
static void
resolve_tagged(struct doc *d, const char *name)
{
	struct doc as = *d;

	resolve(&as);
	if ((as.type == DOC_INT && strcmp(name, "int") == 0) ||
	    (as.type == DOC_BOOL && strcmp(name, "bool") == 0) ||
	    (as.type == DOC_NULL && strcmp(name, "null") == 0) ||
	    (as.type == DOC_REAL && strcmp(name, "float") == 0)) {
		*d = as;
	} else if (as.type == DOC_INT && strcmp(name, "float") == 0) {
		*d = as;
		d->type = DOC_REAL;
	}
}

/* A key of a map is due: only scalars may come, and aliases of them. */
static bool
key_comes(struct yamldoc *y)
{
	unsigned depth = y->b.depth;
	bool due;

	if (depth == 0 || !y->in_map[depth - 1])
		return false;
	due = y->key_due[depth - 1];
	y->key_due[depth - 1] = !due;
	return due;
}

static int
open_node(struct yamldoc *y, enum doc_type t, const yaml_char_t *anchor,
    const yaml_char_t *tag)
{
	struct doc *d;
	int r;

	if (key_comes(y))
		return refuse(y, ERR_FORMAT, "a key is a list or a map");
	if ((r = doc_build_open(&y->b, t, y->at, &d)) < 0)
		return r;
	y->in_map[y->b.depth - 1] = t == DOC_MAP;
	y->key_due[y->b.depth - 1] = true;
	if (tag != NULL && (d->tag = keep(y, tag)) == NULL)
		return ERR_NOMEM;
	return anchor_put(y, anchor, d);
}

/* A key can have an anchor too, which a later value may name. */
static int
key(struct yamldoc *y, const char *text, size_t n, const yaml_char_t *anchor)
{
	struct doc *d;
	int r;

	if (anchor != NULL) {
		if ((d = arena_alloc(y->b.a, sizeof(*d))) == NULL)
			return ERR_NOMEM;
		*d = (struct doc){.type = DOC_STRING, .weight = 1,
		    .str = text, .len = n, .off = y->at};
		if ((r = anchor_put(y, anchor, d)) < 0)
			return r;
	}
	return doc_build_key(&y->b, text, n, y->at);
}

static int
scalar(struct yamldoc *y, const yaml_event_t *ev)
{
	size_t n = ev->data.scalar.length;
	const char *tag = NULL;
	struct doc *d;
	char *text;
	int r;

	if (n > LIMIT_DOC_SCALAR)
		return refuse(y, ERR_LIMIT, "a value is over the limit");
	if ((text = arena_dup(y->b.a, ev->data.scalar.value, n)) == NULL)
		return ERR_NOMEM;
	if (key_comes(y))
		return key(y, text, n, ev->data.scalar.anchor);
	if ((r = doc_build_leaf(&y->b, text, n, y->at, &d)) < 0)
		return r;
	d->quoted = ev->data.scalar.style != YAML_PLAIN_SCALAR_STYLE;
	if (ev->data.scalar.tag != NULL && (tag = keep(y,
	    ev->data.scalar.tag)) == NULL)
		return ERR_NOMEM;
	d->tag = tag;
	if (tag == NULL && !d->quoted)
		resolve(d);
	else if (tag != NULL && strncmp(tag, YAML_TAG, strlen(YAML_TAG)) == 0)
		resolve_tagged(d, tag + strlen(YAML_TAG));
	return anchor_put(y, ev->data.scalar.anchor, d);
}

static int
alias(struct yamldoc *y, const yaml_char_t *name)
{
	const struct anchor *a = anchor_find(y, name);

	if (a == NULL)
		return refuse(y, ERR_FORMAT, "an alias names no anchor");
	if (!doc_build_done(a->node))
		return refuse(y, ERR_FORMAT, "a value holds itself");
	if (key_comes(y)) {
		if (a->node->str == NULL)
			return refuse(y, ERR_FORMAT,
			    "a key is a list or a map");
		return doc_build_key(&y->b, a->node->str, a->node->len,
		    y->at);
	}
	return doc_build_copy(&y->b, a->node, y->at, a->name);
}

static int
take(struct yamldoc *y, const yaml_event_t *ev)
{
	switch (ev->type) {
	case YAML_STREAM_START_EVENT:
		return open_node(y, DOC_LIST, NULL, NULL);
	case YAML_STREAM_END_EVENT:
	case YAML_SEQUENCE_END_EVENT:
	case YAML_MAPPING_END_EVENT:
		return doc_build_close(&y->b);
	case YAML_DOCUMENT_START_EVENT:
		y->anchors = 0;
		return 0;
	case YAML_SEQUENCE_START_EVENT:
		return open_node(y, DOC_LIST, ev->data.sequence_start.anchor,
		    ev->data.sequence_start.tag);
	case YAML_MAPPING_START_EVENT:
		return open_node(y, DOC_MAP, ev->data.mapping_start.anchor,
		    ev->data.mapping_start.tag);
	case YAML_SCALAR_EVENT:
		return scalar(y, ev);
	case YAML_ALIAS_EVENT:
		return alias(y, ev->data.alias.anchor);
	case YAML_NO_EVENT:
	case YAML_DOCUMENT_END_EVENT:
		break;
	}
	return 0;
}

/* The library's failure; its sentences are constants. */
static int
library_says(struct yamldoc *y)
{
	const yaml_parser_t *p = &y->parser;

	if (p->error == YAML_MEMORY_ERROR)
		return ERR_NOMEM;
	y->at = p->error == YAML_READER_ERROR ? p->problem_offset :
	    offset_of(y, p->problem_mark.index);
	return refuse(y, ERR_FORMAT, p->problem != NULL ? p->problem :
	    "it is not YAML");
}

static int
read_all(struct yamldoc *y)
{
	yaml_event_t ev;
	bool end;
	int r;

	do {
		if (!yaml_parser_parse(&y->parser, &ev))
			return library_says(y);
		y->at = offset_of(y, ev.start_mark.index);
		end = ev.type == YAML_STREAM_END_EVENT ||
		    ev.type == YAML_NO_EVENT;
		r = take(y, &ev);
		yaml_event_delete(&ev);
	} while (r == 0 && !end);
	return r;
}

int
yamldoc_read(const void *p, size_t n, struct arena *a, const struct doc **ret,
    struct doc_fault *at, struct err *e)
{
	struct yamldoc *y;
	int r;

	if (n > LIMIT_DOC_BYTES) {
		doc_build_fault(at, p, n, 0, "it is over the limit");
		return err_set(e, ERR_LIMIT, "not YAML: %s", at->what);
	}
	if ((y = arena_alloc(a, sizeof(*y))) == NULL ||
	    !yaml_parser_initialize(&y->parser))
		return err_set(e, ERR_NOMEM, "out of memory");
	y->p = p;
	y->n = n;
	doc_build_init(&y->b, a, LIMIT_DOC_YAML_DEPTH + 1);
	yaml_parser_set_encoding(&y->parser, YAML_UTF8_ENCODING);
	yaml_parser_set_input_string(&y->parser,
	    n > 0 ? p : (const void *)"", n);
	r = read_all(y);
	if (r == ERR_NOMEM)
		(void)err_set(e, r, "out of memory");
	else if (r < 0) {
		doc_build_fault(at, p, n, y->at, y->b.what);
		(void)err_set(e, r, "not YAML: %s", at->what);
	} else {
		*ret = y->b.root;
	}
	yaml_parser_delete(&y->parser);
	return r;
}
