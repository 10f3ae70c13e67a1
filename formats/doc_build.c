#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/bug.h"
#include "base/err.h"
#include "formats/doc_build.h"

/*
 * Method.  Children hang on their parent as a list in order.  When a map is
 * closed its children are sorted by key into an array, so that a look-up in
 * a map of a million keys takes twenty steps; equal keys stand side by side
 * there, which counts the doubles.
 *
 * weight, height and merged are what a node would have with every alias
 * written out.  A document of twenty lines can have 2^20 nodes that way (the
 * billion laughs), so they are summed up while it is built and compared with
 * the limits at every close: nobody can be made to walk further.
 */
void
doc_build_init(struct doc_build *b, struct arena *a, unsigned max_depth)
{
	memset(b, 0, sizeof(*b));
	b->a = a;
	b->max_depth = max_depth;
	BUG_ON(max_depth > sizeof(b->open) / sizeof(b->open[0]));
}

static int
refuse(struct doc_build *b, int code, const char *what)
{
	b->what = what;
	return code;
}

int
doc_build_key(struct doc_build *b, const char *key, size_t n, uint64_t off)
{
	if (n > LIMIT_DOC_SCALAR)
		return refuse(b, ERR_LIMIT, "a key is over the limit");
	b->key = key;
	b->key_len = n;
	b->key_off = off;
	return 0;
}

/* A node as the next child of what is open. */
static int
add(struct doc_build *b, uint64_t off, struct doc **ret)
{
	struct doc *d, *parent, *last;

	if (b->nodes == LIMIT_DOC_NODES)
		return refuse(b, ERR_LIMIT, "more values than the limit");
	if ((d = arena_alloc(b->a, sizeof(*d))) == NULL)
		return ERR_NOMEM;
	b->nodes++;
	d->off = off;
	if (b->depth == 0) {
		b->root = d;
	} else {
		parent = b->open[b->depth - 1];
		last = b->last[b->depth - 1];
		if (last == NULL)
			parent->first = d;
		else
			last->next = d;
		b->last[b->depth - 1] = d;
		parent->n++;
		if (parent->type == DOC_MAP) {
			d->key = b->key;
			d->key_len = b->key_len;
			d->key_off = b->key_off;
			parent->merges |= d->key_len == 2 &&
			    memcmp(d->key, "<<", 2) == 0;
		}
	}
	*ret = d;
	return 0;
}

int
doc_build_open(struct doc_build *b, enum doc_type t, uint64_t off,
    struct doc **ret)
{
	struct doc *d;
	int r;

	if (b->depth == b->max_depth)
		return refuse(b, ERR_LIMIT, "nested deeper than the limit");
	if ((r = add(b, off, &d)) < 0)
		return r;
	d->type = t;
	b->open[b->depth] = d;
	b->last[b->depth] = NULL;
	b->depth++;
	if (ret != NULL)
		*ret = d;
	return 0;
}

static int
by_key(const void *x, const void *y)
{
	const struct doc *a = *(const struct doc *const *)x;
	const struct doc *b = *(const struct doc *const *)y;
	size_t n = a->key_len < b->key_len ? a->key_len : b->key_len;
	int r = n > 0 ? memcmp(a->key, b->key, n) : 0;

	if (r == 0)
		r = (a->key_len > b->key_len) - (a->key_len < b->key_len);
	if (r == 0)
		r = (a->key_off > b->key_off) - (a->key_off < b->key_off);
	return r;
}

static bool
same_key(const struct doc *a, const struct doc *b)
{
	return a->key_len == b->key_len && (a->key_len == 0 ||
	    memcmp(a->key, b->key, a->key_len) == 0);
}

static int
sort_map(struct doc_build *b, struct doc *d)
{
	const struct doc **v;
	uint32_t i = 0;

	if (d->n == 0)
		return 0;
	if ((v = arena_array(b->a, d->n, sizeof(const void *))) == NULL)
		return ERR_NOMEM;
	for (const struct doc *k = d->first; k != NULL; k = k->next)
		v[i++] = k;
	qsort(v, d->n, sizeof(const void *), by_key);
	for (i = 1; i < d->n; i++)
		d->doubles += same_key(v[i - 1], v[i]);
	d->sorted = v;
	return 0;
}

/* Maps that a look-up in ${d} searches, itself included. */
static uint64_t
merged(const struct doc *d)
{
	uint64_t sum = 1;

	if (!d->merges)
		return sum;
	for (const struct doc *k = d->first; k != NULL; k = k->next) {
		if (k->key_len != 2 || memcmp(k->key, "<<", 2) != 0)
			continue;
		sum += k->merged;
		if (k->type != DOC_LIST)
			continue;
		for (const struct doc *m = k->first; m != NULL; m = m->next)
			sum += m->merged;
	}
	return sum;
}

int
doc_build_close(struct doc_build *b)
{
	uint64_t weight = 1, searched;
	struct doc *d;
	int r;

	BUG_ON(b->depth == 0);
	d = b->open[--b->depth];
	for (const struct doc *k = d->first; k != NULL; k = k->next) {
		weight += k->weight;
		if (k->height >= d->height)
			d->height = k->height + 1;
	}
	if (weight > LIMIT_DOC_NODES)
		return refuse(b, ERR_LIMIT,
		    "aliases stand for more values than the limit");
	if (d->type == DOC_MAP) {
		if ((r = sort_map(b, d)) < 0)
			return r;
		if ((searched = merged(d)) > LIMIT_DOC_MERGED)
			return refuse(b, ERR_LIMIT,
			    "merge keys stand for more maps than the limit");
		d->merged = (uint32_t)searched;
	}
	d->weight = (uint32_t)weight;
	return 0;
}

int
doc_build_leaf(struct doc_build *b, const char *str, size_t n, uint64_t off,
    struct doc **ret)
{
	struct doc *d;
	int r;

	if (n > LIMIT_DOC_SCALAR)
		return refuse(b, ERR_LIMIT, "a value is over the limit");
	if ((r = add(b, off, &d)) < 0)
		return r;
	d->type = DOC_STRING;
	d->str = str;
	d->len = n;
	d->weight = 1;
	*ret = d;
	return 0;
}

int
doc_build_copy(struct doc_build *b, const struct doc *of, uint64_t off,
    const char *alias)
{
	struct doc *d, own;
	int r;

	if (of->height > b->max_depth - b->depth)
		return refuse(b, ERR_LIMIT, "nested deeper than the limit");
	if ((r = add(b, off, &d)) < 0)
		return r;
	own = *d;
	*d = *of;
	d->off = off;
	d->key = own.key;
	d->key_len = own.key_len;
	d->key_off = own.key_off;
	d->next = NULL;
	d->alias = alias;
	return 0;
}

bool
doc_build_done(const struct doc *d)
{
	return d->weight != 0;
}

static unsigned
digit(char c)
{
	if (c >= '0' && c <= '9')
		return (unsigned)(c - '0');
	if (c >= 'a' && c <= 'f')
		return (unsigned)(c - 'a') + 10;
	return c >= 'A' && c <= 'F' ? (unsigned)(c - 'A') + 10 : 16;
}

bool
doc_build_int(struct doc *d, bool minus, const char *digits, size_t n,
    unsigned base)
{
	uint64_t v = 0, top = (uint64_t)INT64_MAX + minus;
	bool fits = true;
	double real = 0;	/* exact up to 2^53, close beyond */

	for (size_t i = 0; i < n; i++) {
		unsigned x = digit(digits[i]);

		if (x >= base)
			return false;
		real = real * base + x;
		if (fits && v <= (top - x) / base)
			v = v * base + x;
		else
			fits = false;
	}
	if (n == 0)
		return false;
	d->type = DOC_INT;
	d->fits = fits;
	d->d = minus ? -real : real;
	if (fits)
		d->i = minus ? (int64_t)(0 - v) : (int64_t)v;
	return true;
}

void
doc_build_number(struct doc *d)
{
	bool sign = d->len > 0 && (d->str[0] == '-' || d->str[0] == '+');

	if (!doc_build_int(d, sign && d->str[0] == '-', d->str + sign,
	    d->len - sign, 10)) {
		d->type = DOC_REAL;
		d->d = strtod(d->str, NULL);
	}
}

void
doc_build_fault(struct doc_fault *at, const void *p, size_t n, uint64_t off,
    const char *what)
{
	const char *s = p, *end = s + (off < n ? off : n), *lf;

	at->line = 1;
	at->off = off;
	at->what = what;
	while (s < end && (lf = memchr(s, '\n', (size_t)(end - s))) != NULL) {
		at->line++;
		s = lf + 1;
	}
	at->column = (uint64_t)(end - s) + 1;
}
