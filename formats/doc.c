#include <string.h>

#include "base/arena.h"
#include "base/bytesrc.h"
#include "base/err.h"
#include "base/json_read.h"
#include "base/reader.h"
#include "formats/doc_build.h"
#include "formats/yamldoc.h"

/* One token of the document. */
static int
take(struct doc_build *b, const struct json_token *t)
{
	struct doc *d;
	int r;

	switch (t->type) {
	case JSON_OBJECT:
		return doc_build_open(b, DOC_MAP, t->off, NULL);
	case JSON_ARRAY:
		return doc_build_open(b, DOC_LIST, t->off, NULL);
	case JSON_OBJECT_END:
	case JSON_ARRAY_END:
		return doc_build_close(b);
	case JSON_KEY:
		return doc_build_key(b, t->str, t->len, t->off);
	case JSON_STRING:
	case JSON_NUMBER:
		if ((r = doc_build_leaf(b, t->str, t->len, t->off, &d)) < 0)
			return r;
		d->quoted = t->type == JSON_STRING;
		if (t->type == JSON_NUMBER)
			doc_build_number(d);
		return 0;
	case JSON_TRUE:
	case JSON_FALSE:
	case JSON_NULL:
		if ((r = doc_build_leaf(b, t->type == JSON_TRUE ? "true" :
		    t->type == JSON_FALSE ? "false" : "null",
		    t->type == JSON_FALSE ? 5 : 4, t->off, &d)) < 0)
			return r;
		d->type = t->type == JSON_NULL ? DOC_NULL : DOC_BOOL;
		d->i = t->type == JSON_TRUE;
		return 0;
	case JSON_END:
		break;
	}
	return 0;
}

static const char more[] = "bytes stand behind the value";

static size_t
blanks(const char *p, size_t n)
{
	size_t i = 0;

	while (i < n && (p[i] == ' ' || p[i] == '\t' || p[i] == '\n' ||
	    p[i] == '\r'))
		i++;
	return i;
}

/* *off is where it stands when something is refused. */
static int
read_all(struct doc_build *b, struct json *j, uint64_t *off, struct err *e)
{
	struct json_token t;
	bool blanks;
	uint64_t left;
	int r;

	for (;;) {
		if ((r = json_next(j, &t, e)) < 0) {
			*off = r == ERR_FORMAT ? e->off : reader_tell(j->r);
			return r;
		}
		*off = t.off;
		if (t.type == JSON_END)
			break;
		if ((r = take(b, &t)) < 0)
			return r;
	}
	if ((r = json_trailing(j, &left, &blanks, e)) < 0)
		return r;
	if (left > 0 && !blanks) {
		*off = bytesrc_size(j->r->src) - left;
		b->what = more;
		return ERR_FORMAT;
	}
	return 0;
}

static const char *
why(const struct doc_build *b, int code)
{
	if (b->what != NULL)
		return b->what;
	switch (code) {
	case ERR_TRUNC:
		return "it ends in the middle";
	case ERR_LIMIT:
		return "a value is over the limit";
	default:
		return "it is not JSON";
	}
}

int
doc_json(const void *p, size_t n, struct arena *a, const struct doc **ret,
    struct doc_fault *at, struct err *e)
{
	struct err own = ERR_INIT;
	struct bytesrc *src = NULL;
	struct doc_build b;
	struct reader r;
	struct json j;
	uint64_t off = 0;
	int rc;

	doc_build_init(&b, a, LIMIT_JSON_DEPTH + 1);
	if (n > LIMIT_DOC_BYTES) {
		b.what = "it is over the limit";
		rc = ERR_LIMIT;
		goto out;
	}
	if ((src = bytesrc_mem(p, n, e)) == NULL)
		return ERR_NOMEM;
	if ((rc = reader_init(&r, src, 0, 4 * KIB, a, e)) < 0)
		goto out;
	json_open(&j, &r, a);
	rc = read_all(&b, &j, &off, &own);
out:
	bytesrc_free(src);
	if (rc == ERR_NOMEM)
		return err_set(e, ERR_NOMEM, "out of memory");
	if (rc < 0) {
		if (b.what == more)
			off += blanks((const char *)p + off, n - off);
		doc_build_fault(at, p, n, off, why(&b, rc));
		return err_set(e, rc, "not JSON: %s", at->what);
	}
	*ret = b.root;
	return 0;
}

int
doc_yaml(const void *p, size_t n, struct arena *a, const struct doc **ret,
    struct doc_fault *at, struct err *e)
{
	return yamldoc_read(p, n, a, ret, at, e);
}

static int
compare(const struct doc *d, const char *key, size_t n)
{
	size_t less = d->key_len < n ? d->key_len : n;
	int r = less > 0 ? memcmp(d->key, key, less) : 0;

	return r != 0 ? r : (d->key_len > n) - (d->key_len < n);
}

/* The place behind the last child whose key is not greater (or, less). */
static uint32_t
bound(const struct doc *d, const char *key, size_t n, bool or_equal)
{
	uint32_t low = 0, high = d->n;

	while (low < high) {
		uint32_t mid = low + (high - low) / 2;
		int r = compare(d->sorted[mid], key, n);

		if (r < 0 || (r == 0 && or_equal))
			low = mid + 1;
		else
			high = mid;
	}
	return low;
}

uint32_t
doc_count(const struct doc *d, const char *key, size_t n)
{
	if (!doc_is(d, DOC_MAP))
		return 0;
	return bound(d, key, n, true) - bound(d, key, n, false);
}

/* Recursion is bounded by ${merged}, which the builder has limited. */
static const struct doc *
through_merges(const struct doc *d, const char *key, size_t n)
{
	const struct doc *m = doc_count(d, "<<", 2) > 0 ?
	    d->sorted[bound(d, "<<", 2, true) - 1] : NULL, *found;

	if (!doc_is(m, DOC_LIST))
		return doc_keyn(m, key, n);
	/* Of several the first that has it (the merge type's own words). */
	for (const struct doc *k = m->first; k != NULL; k = k->next)
		if ((found = doc_keyn(k, key, n)) != NULL)
			return found;
	return NULL;
}

const struct doc *
doc_keyn(const struct doc *d, const char *key, size_t n)
{
	uint32_t behind;

	if (!doc_is(d, DOC_MAP))
		return NULL;
	behind = bound(d, key, n, true);
	if (behind > 0 && compare(d->sorted[behind - 1], key, n) == 0)
		return d->sorted[behind - 1];
	return d->merges ? through_merges(d, key, n) : NULL;
}

const struct doc *
doc_key(const struct doc *d, const char *key)
{
	return doc_keyn(d, key, strlen(key));
}

const struct doc *
doc_at(const struct doc *d, uint32_t i)
{
	const struct doc *k = doc_kids(d);

	while (k != NULL && i-- > 0)
		k = k->next;
	return k;
}

const struct doc *
doc_kids(const struct doc *d)
{
	return d == NULL ? NULL : d->first;
}

static const struct doc *
step(const struct doc *d, const char *name, size_t n)
{
	uint32_t i = 0;

	if (!doc_is(d, DOC_LIST))
		return doc_keyn(d, name, n);
	if (n == 0 || n > 7)
		return NULL;
	for (size_t k = 0; k < n; k++) {
		if (name[k] < '0' || name[k] > '9')
			return NULL;
		i = i * 10 + (uint32_t)(name[k] - '0');
	}
	return doc_at(d, i);
}

const struct doc *
doc_get(const struct doc *d, const char *path)
{
	const char *dot;

	while (d != NULL && (dot = strchr(path, '.')) != NULL) {
		d = step(d, path, (size_t)(dot - path));
		path = dot + 1;
	}
	return d == NULL ? NULL : step(d, path, strlen(path));
}

bool
doc_is(const struct doc *d, enum doc_type t)
{
	return d != NULL && d->type == t;
}

bool
doc_is_str(const struct doc *d, const char *s)
{
	return doc_is(d, DOC_STRING) && d->len == strlen(s) &&
	    memcmp(d->str, s, d->len) == 0;
}

const char *
doc_str(const struct doc *d, size_t *n)
{
	*n = doc_is(d, DOC_STRING) ? d->len : 0;
	return doc_is(d, DOC_STRING) ? d->str : NULL;
}

const char *
doc_text(const struct doc *d, size_t *n)
{
	bool is = d != NULL && d->type != DOC_NULL && d->type != DOC_LIST &&
	    d->type != DOC_MAP;

	*n = is ? d->len : 0;
	return is ? d->str : NULL;
}

bool
doc_i64(const struct doc *d, int64_t *ret)
{
	struct doc n = {0};
	bool minus;

	if (d == NULL)
		return false;
	if (d->type == DOC_STRING && d->len > 0) {
		minus = d->str[0] == '-';
		if (!doc_build_int(&n, minus, d->str + minus, d->len - minus,
		    10))
			return false;
		d = &n;
	}
	if (d->type == DOC_INT && d->fits) {
		*ret = d->i;
		return true;
	}
	if (d->type != DOC_REAL || !(d->d >= -0x1p63 && d->d < 0x1p63) ||
	    (double)(int64_t)d->d != d->d)
		return false;
	*ret = (int64_t)d->d;
	return true;
}

bool
doc_u64(const struct doc *d, uint64_t *ret)
{
	int64_t v;

	if (!doc_i64(d, &v) || v < 0)
		return false;
	*ret = (uint64_t)v;
	return true;
}

bool
doc_bool(const struct doc *d, bool *ret)
{
	if (!doc_is(d, DOC_BOOL))
		return false;
	*ret = d->i != 0;
	return true;
}
