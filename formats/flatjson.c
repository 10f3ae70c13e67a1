#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/json_read.h"
#include "base/limits.h"
#include "formats/flatjson.h"

/*
 * Each leaf is kept with its way and its place in the document, and so is
 * each name of an object whose value has leaves (a branch).  Once all are
 * sorted by way, then by place, the same way twice means a name twice, and
 * only the last of them counts, with what is below it: a reader that keeps
 * the first, or merges the two, sees another document than Python does.
 */
#define CHUNK 256

struct flat_chunk {
	struct flat_chunk *next;
	size_t n;
	struct flat v[CHUNK];
};

static int
nomem(struct err *e)
{
	return err_set(e, ERR_NOMEM, "out of memory for a document's values");
}

static int
keep(struct flatjson *f, const struct flat *x, struct err *e)
{
	struct flat_chunk *c = f->last;
	struct flat *to;

	if (f->n >= LIMIT_FLAT ||
	    x->key_len + x->n > LIMIT_FLAT_BYTES - f->bytes)
		return err_set(e, ERR_LIMIT, "a document has too many values");
	if (c == NULL || c->n == CHUNK) {
		if ((c = arena_alloc(f->a, sizeof(*c))) == NULL)
			return nomem(e);
		if (f->last != NULL)
			f->last->next = c;
		else
			f->first = c;
		f->last = c;
	}
	to = &c->v[c->n];
	*to = *x;
	to->place = (uint32_t)f->n;
	if ((to->key = arena_dup(f->a, x->key, x->key_len)) == NULL ||
	    (to->p = arena_dup(f->a, x->p, x->n)) == NULL)
		return nomem(e);
	c->n++;
	f->n++;
	f->bytes += x->key_len + x->n;
	return 0;
}

int
flatjson_put(struct flatjson *f, struct flat leaf, struct err *e)
{
	if (leaf.key_len > LIMIT_FLAT_KEY || leaf.n > LIMIT_FLAT_BYTES)
		return err_set(e, ERR_LIMIT, "a document's value is too long");
	return keep(f, &leaf, e);
}

/* A walk: the way to where it is, and what is open around it. */
struct walk {
	char way[LIMIT_FLAT_KEY];
	size_t len;
	unsigned depth;
	struct {
		size_t len;	/* of the way to it */
		uint64_t index;
		bool array, any;
	} at[LIMIT_JSON_DEPTH + 1];
};

static int
add(struct walk *w, const char *p, size_t n, struct err *e)
{
	if (n > sizeof(w->way) - w->len)
		return err_set(e, ERR_LIMIT, "a document's names are too long");
	if (n > 0)
		memcpy(w->way + w->len, p, n);
	w->len += n;
	return 0;
}

static bool
is_plain(const char *p, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (p[i] == '\0' || strchr(".[]\"\\", p[i]) != NULL)
			return false;
	return n > 0;
}

static int
add_name(struct walk *w, const char *p, size_t n, struct err *e)
{
	int r;

	if (is_plain(p, n)) {
		if (w->len > 0 && (r = add(w, ".", 1, e)) < 0)
			return r;
		return add(w, p, n, e);
	}
	if ((r = add(w, "[\"", 2, e)) < 0)
		return r;
	for (size_t i = 0; i < n; i++) {
		if ((p[i] == '"' || p[i] == '\\') &&
		    (r = add(w, "\\", 1, e)) < 0)
			return r;
		if ((r = add(w, p + i, 1, e)) < 0)
			return r;
	}
	return add(w, "\"]", 2, e);
}

static int
add_index(struct walk *w, uint64_t index, struct err *e)
{
	char digits[24];
	size_t n = sizeof(digits);

	digits[--n] = ']';
	do
		digits[--n] = (char)('0' + index % 10);
	while ((index /= 10) > 0);
	digits[--n] = '[';
	return add(w, digits + n, sizeof(digits) - n, e);
}

static const struct {
	enum flat_type type;
	const char *text;
} kinds[] = {
	[JSON_STRING] = {FLAT_STRING, NULL},
	[JSON_NUMBER] = {FLAT_NUMBER, NULL},
	[JSON_TRUE] = {FLAT_TRUE, "true"},
	[JSON_FALSE] = {FLAT_FALSE, "false"},
	[JSON_NULL] = {FLAT_NULL, "null"},
	[JSON_OBJECT] = {FLAT_OBJECT, "{}"},
	[JSON_ARRAY] = {FLAT_ARRAY, "[]"},
};

static int
keep_leaf(struct flatjson *f, struct walk *w, const struct json_token *t,
    bool branch, struct err *e)
{
	const char *text = kinds[t->type].text;
	const struct flat x = {.key = w->way, .key_len = (uint32_t)w->len,
	    .type = kinds[t->type].type, .p = text != NULL ? text : t->str,
	    .n = text != NULL ? strlen(text) : t->len, .branch = branch};

	return keep(f, &x, e);
}

/* A value begins: where in its array? */
static int
place_value(struct walk *w, struct err *e)
{
	if (w->depth == 0 || !w->at[w->depth].array)
		return 0;
	w->at[w->depth].any = true;
	w->len = w->at[w->depth].len;
	return add_index(w, w->at[w->depth].index++, e);
}

static int
open_value(struct walk *w, const struct json_token *t, struct err *e)
{
	if (w->depth == LIMIT_JSON_DEPTH)
		return err_set(e, ERR_LIMIT, "JSON nests too deep");
	w->depth++;
	w->at[w->depth].len = w->len;
	w->at[w->depth].index = 0;
	w->at[w->depth].array = t->type == JSON_ARRAY;
	w->at[w->depth].any = false;
	return 0;
}

static int
close_value(struct flatjson *f, struct walk *w, struct err *e)
{
	const bool named = w->depth > 1 ? !w->at[w->depth - 1].array :
	    w->at[1].len > 0;
	const struct json_token t = {.type = w->at[w->depth].array ?
	    JSON_ARRAY : JSON_OBJECT};
	const bool any = w->at[w->depth].any;

	w->len = w->at[w->depth--].len;
	return !any || named ? keep_leaf(f, w, &t, any, e) : 0;
}

static int
take(struct flatjson *f, struct walk *w, const struct json_token *t,
    struct err *e)
{
	int r;

	if (t->type == JSON_OBJECT_END || t->type == JSON_ARRAY_END)
		return close_value(f, w, e);
	if (t->type == JSON_KEY) {
		w->at[w->depth].any = true;
		w->len = w->at[w->depth].len;
		return add_name(w, t->str, t->len, e);
	}
	if ((r = place_value(w, e)) < 0)
		return r;
	if (t->type == JSON_OBJECT || t->type == JSON_ARRAY)
		return open_value(w, t, e);
	return keep_leaf(f, w, t, false, e);
}

int
flatjson_value(struct flatjson *f, const char *under, struct json *j,
    const struct json_token *t, struct err *e)
{
	struct json_token x = *t;
	struct walk w;
	int r;

	w.len = w.depth = 0;
	memset(w.at, 0, sizeof(w.at));
	if ((r = add(&w, under, strlen(under), e)) < 0 ||
	    (r = take(f, &w, &x, e)) < 0)
		return r;
	while (w.depth > 0)
		if ((r = json_next(j, &x, e)) < 0 ||
		    (r = take(f, &w, &x, e)) < 0)
			return r;
	return 0;
}

static int
by_key(const void *xv, const void *yv)
{
	const struct flat *x = xv, *y = yv;
	const size_t n = x->key_len < y->key_len ? x->key_len : y->key_len;
	const int c = memcmp(x->key, y->key, n);

	if (c != 0)
		return c;
	if (x->key_len != y->key_len)
		return x->key_len < y->key_len ? -1 : 1;
	return x->place < y->place ? -1 : x->place > y->place;
}

static bool
same_key(const struct flat *x, const struct flat *y)
{
	return x->key_len == y->key_len &&
	    memcmp(x->key, y->key, x->key_len) == 0;
}

/*
 * The name at v[i] came before and its last place is ${place}: what is below
 * an earlier one does not count.  A branch is kept when it closes, so its
 * leaves have places before its own and behind that of the one before it.
 */
static void
drop_below(struct flat *v, size_t n, size_t i, uint32_t place)
{
	const char *key = v[i].key;
	const size_t len = v[i].key_len;

	for (size_t k = i + 1; k < n; k++) {
		if (v[k].key_len < len || memcmp(v[k].key, key, len) != 0)
			break;
		if (v[k].key_len > len && v[k].place < place &&
		    (v[k].key[len] == '.' || v[k].key[len] == '['))
			v[k].p = NULL;
	}
}

/* Mark, by a NULL value, what a later name hides. */
static uint64_t
drop_doubles(struct flat *v, size_t n)
{
	uint64_t doubles = 0;

	for (size_t i = 0; i + 1 < n; i++) {
		if (!same_key(&v[i], &v[i + 1]))
			continue;
		doubles += v[i].p != NULL;
		v[i].p = NULL;
		drop_below(v, n, i, v[i].place);
	}
	return doubles;
}

int
flatjson_done(struct flatjson *f, struct flat_list *ret, struct err *e)
{
	struct flat *v;
	size_t n = 0;

	memset(ret, 0, sizeof(*ret));
	if (f->n == 0)
		return 0;
	if ((v = arena_array(f->a, f->n, sizeof(*v))) == NULL)
		return nomem(e);
	for (const struct flat_chunk *c = f->first; c != NULL; c = c->next) {
		memcpy(v + n, c->v, c->n * sizeof(*v));
		n += c->n;
	}
	qsort(v, n, sizeof(*v), by_key);
	ret->doubles = drop_doubles(v, n);
	for (size_t i = 0; i < n; i++)
		if (v[i].p != NULL && !v[i].branch)
			v[ret->n++] = v[i];
	ret->v = v;
	return 0;
}

const struct flat *
flatjson_find(const struct flat *v, size_t n, const char *key)
{
	const struct flat x = {.key = key, .key_len = (uint32_t)strlen(key)};
	size_t lo = 0, hi = n;

	while (lo < hi) {
		const size_t mid = lo + (hi - lo) / 2;

		if (same_key(&v[mid], &x))
			return &v[mid];
		if (by_key(&v[mid], &x) < 0)
			lo = mid + 1;
		else
			hi = mid;
	}
	return NULL;
}

/*
 * A number as digits and a power of ten: 0.d1d2d3... * 10^power without
 * zeros at either end.  The digits are those of the text between ${from} and
 * ${to}, the point passed over.
 */
struct decimal {
	bool minus, fraction, huge;
	size_t from, to;
	long long power;
};

/* The exponent's own digits; beyond any double it is only "huge". */
static long long
exponent(const char *p, size_t n, bool *huge)
{
	const bool minus = n > 0 && p[0] == '-';
	long long v = 0;

	for (size_t i = minus || (n > 0 && p[0] == '+'); i < n; i++) {
		if (v > 1000000000000LL)
			*huge = true;
		else
			v = v * 10 + (p[i] - '0');
	}
	return minus ? -v : v;
}

static struct decimal
decimal(const char *p, size_t n)
{
	struct decimal d = {.minus = n > 0 && p[0] == '-'};
	size_t point, end = 0;

	while (end < n && p[end] != 'e' && p[end] != 'E')
		end++;
	for (point = 0; point < end && p[point] != '.';)
		point++;
	d.fraction = point < end || end < n;
	if (end < n)
		d.power = exponent(p + end + 1, n - end - 1, &d.huge);
	d.from = d.minus;
	while (d.from < end && (p[d.from] == '0' || p[d.from] == '.'))
		d.from++;
	for (d.to = end; d.to > d.from && (p[d.to - 1] == '0' ||
	    p[d.to - 1] == '.');)
		d.to--;
	if (d.from == d.to)
		return (struct decimal){.fraction = d.fraction};
	d.power += d.from < point ? (long long)(point - d.from) :
	    -(long long)(d.from - point - 1);
	return d;
}

static bool
same_digits(const char *p, struct decimal x, const char *q, struct decimal y)
{
	for (;;) {
		if (x.from < x.to && p[x.from] == '.')
			x.from++;
		if (y.from < y.to && q[y.from] == '.')
			y.from++;
		if (x.from == x.to || y.from == y.to)
			return x.from == x.to && y.from == y.to;
		if (p[x.from++] != q[y.from++])
			return false;
	}
}

bool
flatjson_equal(const struct flat *x, const struct flat *y)
{
	struct decimal a, b;

	if (x->type != y->type)
		return false;
	if (x->n == y->n && memcmp(x->p, y->p, x->n) == 0)
		return true;
	if (x->type != FLAT_NUMBER)
		return false;
	a = decimal(x->p, x->n);
	b = decimal(y->p, y->n);
	if (a.huge || b.huge)
		return false;
	if (a.minus == b.minus && a.power == b.power &&
	    same_digits(x->p, a, y->p, b))
		return true;
	return a.fraction && b.fraction &&
	    strtod(x->p, NULL) == strtod(y->p, NULL);
}
