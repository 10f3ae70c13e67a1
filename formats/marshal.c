#include <string.h>

#include "base/arena.h"
#include "base/bytesrc.h"
#include "base/err.h"
#include "base/limits.h"
#include "base/reader.h"
#include "formats/format.h"
#include "formats/pycode.h"

/*
 * Python's marshal data and .pyc files: what the code objects name and which
 * constants they hold.  Nothing is run, and byte code is not read.
 *
 * Objects are read as CPython's Python/marshal.c reads them (r_object), of
 * all its versions: 0 to 2 (python 2: interned texts, referred to by 'R'), 3
 * and 4 (python 3.4: any object with FLAG_REF, referred to by 'r'), 5 (python
 * 3.14: slices).
 *
 * The fields of a code object differ by version:
 *
 *	2.3-2.7   argcount nlocals stacksize flags
 *	3.0-3.7   argcount kwonlyargcount nlocals stacksize flags
 *	3.8-3.10  argcount posonlyargcount kwonlyargcount nlocals stacksize
 *	          flags
 *	  ... each then: code consts names varnames freevars cellvars filename
 *	  name firstlineno lnotab
 *	3.11-     argcount posonlyargcount kwonlyargcount stacksize flags code
 *	          consts names localsplusnames localspluskinds filename name
 *	          qualname firstlineno linetable exceptiontable
 *
 * A .pyc says its version in its magic number; bare marshal does not, so the
 * layouts are tried, newest first, and the first that the bytes fit to their
 * end is taken.
 */
#define DEPTH_MAX 200		/* CPython: 2000; writers need ten */
#define OBJECTS_MAX 500000
#define TEXT_MAX (PYCODE_TEXT + 1)	/* kept of a text: longer is seen */
#define NODES_MAX 100000	/* told of one code: shared tuples expand */
#define TRIAL_ARENA (128 * MIB)

enum layout { PY311, PY38, PY30, PY23, LAYOUTS };

static const struct {
	unsigned numbers;	/* 32-bit fields before the byte code */
	bool plus;		/* fields of 3.11 */
} layouts[LAYOUTS] = {[PY311] = {5, true}, [PY38] = {6, false},
    [PY30] = {5, false}, [PY23] = {4, false}};

/* A value, as far as it is told: text, or a sequence of values. */
struct value {
	uint8_t kind;		/* 's' text or bytes, '(' tuple, '[' other
				 * sequence, 0 else */
	const uint8_t *p;
	size_t n;
	const struct value *first;	/* of a sequence */
	struct value *next;		/* in the sequence that holds it */
};

struct marshal {
	struct parse *p;
	struct arena *arena;
	struct reader r;
	enum layout layout;
	bool tell;		/* false while a layout is tried */
	bool module;		/* a .pyc */
	unsigned depth;
	uint32_t objects;
	struct value *ref;	/* by FLAG_REF */
	size_t refs, cap;
};

static int object(struct marshal *m, struct value *ret);

static int
bad(struct marshal *m)
{
	return err_set(m->p->e, ERR_FORMAT, "not marshal data");
}

/* Room for a reference, before what is in it is read: inner ones come later. */
static int
reserve(struct marshal *m, size_t *at)
{
	struct value *p;
	size_t cap = m->cap == 0 ? 64 : 2 * m->cap;

	*at = m->refs++;
	if (*at < m->cap)
		return 0;
	if ((p = arena_array(m->arena, cap, sizeof(*p))) == NULL)
		return err_set(m->p->e, ERR_LIMIT, "too many references");
	if (m->cap > 0)
		memcpy(p, m->ref, m->cap * sizeof(*p));
	m->ref = p;
	m->cap = cap;
	return 0;
}

static int
text(struct marshal *m, uint64_t n, struct value *ret)
{
	const uint64_t kept = n < TEXT_MAX ? n : TEXT_MAX;
	int r;

	if (n > reader_left(&m->r))
		return err_set(m->p->e, ERR_TRUNC, "a text ends early");
	if ((r = reader_bytes(&m->r, kept, m->arena, &ret->p, m->p->e)) < 0)
		return r;
	ret->kind = 's';
	ret->n = (size_t)kept;
	return reader_skip(&m->r, n - kept, m->p->e);
}

/* n objects, kept as they come: the count is only what the bytes say. */
static int
sequence(struct marshal *m, uint32_t n, uint8_t kind, struct value *ret)
{
	struct value *v, **tail = NULL;
	int r;

	/* Each takes a byte at least. */
	if (n > reader_left(&m->r))
		return err_set(m->p->e, ERR_TRUNC, "a sequence ends early");
	ret->kind = kind;
	for (uint32_t i = 0; i < n; i++) {
		if ((v = arena_alloc(m->arena, sizeof(*v))) == NULL)
			return err_set(m->p->e, ERR_LIMIT, "too many objects");
		if ((r = object(m, v)) != 0)
			return r < 0 ? r : bad(m);
		if (tail != NULL)
			*tail = v;
		else
			ret->first = v;
		tail = &v->next;
	}
	return 0;
}

/* Key and value until TYPE_NULL, for which object() gives 1. */
static int
dictionary(struct marshal *m)
{
	struct value v;
	int r;

	while ((r = object(m, &v)) == 0)
		;
	return r < 0 ? r : 0;
}

/* Three objects: start, stop, step. */
static int
slice(struct marshal *m)
{
	struct value v;
	int r = 0;

	for (unsigned i = 0; i < 3 && r == 0; i++)
		r = object(m, &v);
	return r > 0 ? bad(m) : r;
}

/* The texts of a sequence, and of those in it. */
static void
put_texts(struct pycode *c, enum pycode_list list, const struct value *v,
    unsigned depth, unsigned *nodes)
{
	if (depth > DEPTH_MAX)
		return;
	for (v = v->first; v != NULL && *nodes < NODES_MAX; v = v->next) {
		++*nodes;
		if (v->kind == 's')
			pycode_put(c, list, v->p, v->n);
		else if (v->first != NULL)
			put_texts(c, list, v, depth + 1, nodes);
	}
}

static int
tell_code(struct marshal *m, uint64_t off, const struct value *name,
    const struct value *file, const struct value *names,
    const struct value *consts)
{
	unsigned nodes = 0;
	struct pycode c;
	int r;

	if (!m->tell)
		return 0;
	pycode_init(&c, m->p, off, reader_tell(&m->r) - off);
	c.module = m->module;
	c.name = name->p;
	c.name_len = name->n;
	c.file = file->p;
	c.file_len = file->n;
	put_texts(&c, PYCODE_NAMES, names, 0, &nodes);
	put_texts(&c, PYCODE_CONSTANTS, consts, 0, &nodes);
	if ((r = pycode_end(&c)) < 0 || nodes < NODES_MAX)
		return r;
	return format_anomaly(m->p, ANOMALY_LIMIT, off,
	    reader_tell(&m->r) - off, NULL, 0);
}

static int
code(struct marshal *m, uint64_t off)
{
	enum { CODE, CONSTS, NAMES, LOCALS, KINDS_OR_FREE, FILE_OR_CELL,
	    NAME_OR_FILE, QUALNAME_OR_NAME, TABLES };
	const bool plus = layouts[m->layout].plus;
	struct value v[TABLES + 2];
	uint32_t number;
	int r;

	for (unsigned i = 0; i < layouts[m->layout].numbers; i++)
		if ((r = reader_u32le(&m->r, &number, m->p->e)) < 0)
			return r;
	for (unsigned i = 0; i < TABLES; i++)
		if ((r = object(m, &v[i])) != 0)
			return r < 0 ? r : bad(m);
	if (v[CODE].kind != 's' || v[CONSTS].kind != '(' ||
	    v[NAMES].kind != '(' || v[LOCALS].kind != '(' ||
	    v[KINDS_OR_FREE].kind != (plus ? 's' : '(') ||
	    v[NAME_OR_FILE].kind != 's' || v[QUALNAME_OR_NAME].kind != 's')
		return bad(m);
	if ((r = reader_u32le(&m->r, &number, m->p->e)) < 0)
		return r;
	/* The line table; 3.11 has the exceptions' table behind it. */
	for (unsigned i = 0; i < (plus ? 2U : 1U); i++)
		if ((r = object(m, &v[TABLES + i])) != 0 ||
		    v[TABLES + i].kind != 's')
			return r < 0 ? r : bad(m);
	return tell_code(m, off, &v[QUALNAME_OR_NAME],
	    plus ? &v[FILE_OR_CELL] : &v[NAME_OR_FILE], &v[NAMES],
	    &v[CONSTS]);
}

static int
short_text(struct marshal *m, struct value *ret)
{
	uint8_t n;
	int r = reader_u8(&m->r, &n, m->p->e);

	return r < 0 ? r : text(m, n, ret);
}

/* Numbers: how many bytes follow; -1: none of them. */
static int
number_bytes(uint8_t type)
{
	static const char types[] = "NFTS.iIgy";
	static const int bytes[] = {0, 0, 0, 0, 0, 4, 8, 8, 16};
	const char *hit = type != 0 ? strchr(types, type) : NULL;

	return hit != NULL ? bytes[hit - types] : -1;
}

/* Objects whose size is a 32-bit number in front. */
static int
sized(struct marshal *m, uint8_t type, struct value *ret)
{
	uint32_t n;
	int32_t digits;
	int r;

	if ((r = reader_u32le(&m->r, &n, m->p->e)) < 0)
		return r;
	switch (type) {
	case 's': case 't': case 'u': case 'a': case 'A':
		return text(m, n, ret);
	case '(': case '[': case '<': case '>':
		return sequence(m, n, type == '(' ? '(' : '[', ret);
	case 'r': case 'R':
		if (n >= m->refs)
			return bad(m);
		*ret = m->ref[n];
		ret->next = NULL;
		return 0;
	default:	/* 'l': digits of 15 bits, the sign is the count's */
		digits = (int32_t)n;
		if (digits == INT32_MIN)
			return bad(m);
		return reader_skip(&m->r, 2 * (uint64_t)(digits < 0 ?
		    -digits : digits), m->p->e);
	}
}

/* 0, 1 for TYPE_NULL, or negative. */
static int
content(struct marshal *m, uint8_t type, uint64_t off, struct value *ret)
{
	int n = number_bytes(type), r;
	uint8_t small;

	if (n >= 0)
		return reader_skip(&m->r, (uint64_t)n, m->p->e);
	switch (type) {
	case '0':
		return 1;
	case 'z': case 'Z': case 'f':
		return short_text(m, ret);
	case 'x':
		if ((r = short_text(m, ret)) < 0)
			return r;
		return short_text(m, ret);
	case ')':
		if ((r = reader_u8(&m->r, &small, m->p->e)) < 0)
			return r;
		return sequence(m, small, '(', ret);
	case '{':
		return dictionary(m);
	case ':':
		return slice(m);
	case 'c':
		return code(m, off);
	case 's': case 't': case 'u': case 'a': case 'A': case '(':
	case '[': case '<': case '>': case 'r': case 'R': case 'l':
		return sized(m, type, ret);
	default:
		return bad(m);
	}
}

static int
object(struct marshal *m, struct value *ret)
{
	uint64_t off = reader_tell(&m->r);
	uint8_t type;
	size_t at = 0;
	bool ref;
	int r;

	memset(ret, 0, sizeof(*ret));
	if (m->depth >= DEPTH_MAX || ++m->objects > OBJECTS_MAX)
		return err_set(m->p->e, ERR_LIMIT, "nested too deep");
	if ((r = reader_u8(&m->r, &type, m->p->e)) < 0)
		return r;
	/* 't' is interned text that python 2 refers to by 'R'. */
	ref = (type & 0x80) != 0 || (type == 't' && m->layout == PY23);
	type &= 0x7f;
	if (ref && (r = reserve(m, &at)) < 0)
		return r;
	m->depth++;
	r = content(m, type, off, ret);
	m->depth--;
	if (r == 0 && ref)
		m->ref[at] = *ret;
	return r;
}

/*
 * The .pyc magic numbers' first two bytes, and what header follows: a time
 * stamp, from 3.3 the source's size, from 3.7 flags (PEP 552).
 */
static bool
pyc(struct cursor c, uint64_t *start, enum layout *ret)
{
	uint16_t magic;

	if (!cursor_u16le(&c, &magic) ||
	    !cursor_match(&c, (const uint8_t *)"\r\n", 2))
		return false;
	if (magic >= 62000 && magic < 62300) {
		*ret = PY23;
		*start = 8;
		return true;
	}
	if (magic < 3000 || magic > 3999)
		return false;
	*ret = magic >= 3450 ? PY311 : magic >= 3410 ? PY38 : PY30;
	*start = magic >= 3392 ? 16 : magic >= 3210 ? 12 : 8;
	return true;
}

/*
 * A code object by itself: a plausible argument count, and its byte code, a
 * string, where one of the layouts has it.
 */
static bool
bare(struct cursor c)
{
	uint32_t arguments, number;
	uint8_t type;

	if (!cursor_u8(&c, &type) || (type & 0x7f) != 'c' ||
	    !cursor_u32le(&c, &arguments) || arguments > 255)
		return false;
	for (unsigned i = 1; i < 6; i++) {
		if (!cursor_u32le(&c, &number))
			return false;
		if (i >= 3 && cursor_peek(&c, 0, &type) &&
		    (type & 0x7f) == 's')
			return true;
	}
	return false;
}

static unsigned
marshal_bid(struct cursor head, uint64_t size)
{
	enum layout layout;
	uint64_t start;

	if (size > 16 && pyc(head, &start, &layout))
		return 28;
	return size > 40 && bare(head) ? 26 : 0;
}

/* 0, 1 when bytes are left that were not told, or negative. */
static int
attempt(struct parse *p, uint64_t start, enum layout layout, bool tell)
{
	struct marshal m = {.p = p, .layout = layout, .tell = tell,
	    .module = start > 0};
	struct value v;
	int r;

	if ((m.arena = arena_new(TRIAL_ARENA)) == NULL)
		return err_set(p->e, ERR_NOMEM, "out of memory");
	if ((r = reader_init(&m.r, p->src, start, p->window, m.arena,
	    p->e)) >= 0 && (r = object(&m, &v)) == 1)
		r = bad(&m);
	if (r >= 0 && reader_left(&m.r) > 0)
		r = !tell ? 1 : format_anomaly(p, ANOMALY_TRAILING,
		    reader_tell(&m.r), reader_left(&m.r), NULL, 0);
	arena_free(m.arena);
	return r;
}

static bool
is_evidence_fault(int r)
{
	return r == ERR_FORMAT || r == ERR_TRUNC || r == ERR_LIMIT;
}

/*
 * The layout that these bytes fit to their end; or else one that leaves some,
 * or one that lacks some; or else the newest.
 */
static int
find_layout(struct parse *p, enum layout *ret)
{
	enum { NONE, SHORT, LONG } best = NONE, how;
	int r;

	for (unsigned i = 0; i < LAYOUTS; i++) {
		if ((r = attempt(p, 0, (enum layout)i, false)) == 0) {
			*ret = (enum layout)i;
			return 0;
		}
		if (r < 0 && !is_evidence_fault(r))
			return r;
		err_reset(p->e);
		how = r == 1 ? LONG : r == ERR_TRUNC ? SHORT : NONE;
		if (how > best) {
			*ret = (enum layout)i;
			best = how;
		}
	}
	return 0;
}

static int
marshal_parse(struct parse *p)
{
	enum layout layout = PY311;
	enum anomaly id;
	uint8_t head[16];
	uint64_t start = 0;
	struct cursor c;
	int r;

	if ((r = format_head(p, head, sizeof(head), &c)) < 0)
		return r;
	if (!pyc(c, &start, &layout) && (r = find_layout(p, &layout)) < 0)
		return r;
	r = start > p->size ? ERR_TRUNC : attempt(p, start, layout, true);
	if (!is_evidence_fault(r))
		return r;
	err_reset(p->e);
	id = r == ERR_TRUNC ? ANOMALY_TRUNCATED : r == ERR_LIMIT ?
	    ANOMALY_LIMIT : ANOMALY_MALFORMED;
	r = format_anomaly(p, id, 0, p->size, NULL, 0);
	return r < 0 ? r : 1;
}

const struct format format_marshal = {
    .name = "marshal",
    .kind = FORMAT_MODEL,
    .bid = marshal_bid,
    .parse = marshal_parse,
};
