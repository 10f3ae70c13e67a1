#include <stdio.h>
#include <string.h>

#include "analyzer/jrow.h"
#include "base/arena.h"
#include "base/err.h"
#include "base/json_read.h"
#include "base/limits.h"
#include "base/reader.h"
#include "base/text.h"

/*
 * Pairs of one row, and nesting: our own rows have a few dozen, or the
 * thousand cells of a heat map, or what 64 KiB of evidence hold.
 */
#define PAIRS_MAX 32768
#define NEST_MAX 16
#define KEY_MAX 512

struct flat {
	struct arena *a;
	struct jpair *pairs;
	size_t count, cap;
	char key[KEY_MAX];
	size_t key_len[NEST_MAX + 2];	/* length of the prefix at each depth */
	uint64_t index[NEST_MAX + 2];	/* next array index, or UINT64_MAX */
	unsigned depth;
};

static int
add(struct flat *f, const struct json_token *t, struct err *e)
{
	struct jpair *p;
	size_t cap;

	if (f->count == f->cap) {
		cap = f->cap == 0 ? 32 : 2 * f->cap;
		if (cap > PAIRS_MAX)
			return err_set(e, ERR_LIMIT, "a row has too many keys");
		if ((p = arena_array(f->a, cap, sizeof(*p))) == NULL)
			return err_set(e, ERR_NOMEM, "out of memory");
		if (f->count > 0)
			memcpy(p, f->pairs, f->count * sizeof(*p));
		f->pairs = p;
		f->cap = cap;
	}
	p = &f->pairs[f->count];
	if ((p->key = arena_dup(f->a, f->key, strlen(f->key))) == NULL)
		return err_set(e, ERR_NOMEM, "out of memory");
	p->val = t->type == JSON_TRUE ? "true" :
	    t->type == JSON_FALSE ? "false" : t->type == JSON_NULL ? "" :
	    t->str;
	p->len = t->type == JSON_STRING || t->type == JSON_NUMBER ? t->len :
	    strlen(p->val);
	f->count++;
	return 0;
}

static int
set_key(struct flat *f, const char *key, size_t n, struct err *e)
{
	size_t at = f->key_len[f->depth];
	int len;

	len = snprintf(f->key + at, sizeof(f->key) - at, "%s%.*s",
	    at > 0 ? "." : "", (int)(n < KEY_MAX ? n : KEY_MAX), key);
	if (len < 0 || (size_t)len >= sizeof(f->key) - at)
		return err_set(e, ERR_LIMIT, "a key is too long");
	return 0;
}

/* A value inside an array is named by its place. */
static int
name_element(struct flat *f, struct err *e)
{
	char number[24];

	if (f->depth == 0 || f->index[f->depth] == UINT64_MAX)
		return 0;
	(void)snprintf(number, sizeof(number), "%llu",
	    (unsigned long long)f->index[f->depth]++);
	return set_key(f, number, strlen(number), e);
}

static int
enter(struct flat *f, bool array, struct err *e)
{
	if (f->depth >= NEST_MAX)
		return err_set(e, ERR_LIMIT, "a row nests too deep");
	f->depth++;
	f->key_len[f->depth] = f->depth == 1 ? 0 : strlen(f->key);
	f->index[f->depth] = array ? 0 : UINT64_MAX;
	return 0;
}

static int
flatten(struct flat *f, struct json *j, struct err *e)
{
	struct json_token t;
	int r;

	do {
		if ((r = json_next(j, &t, e)) < 0)
			return r;
		switch (t.type) {
		case JSON_OBJECT:
		case JSON_ARRAY:
			if ((r = name_element(f, e)) >= 0)
				r = enter(f, t.type == JSON_ARRAY, e);
			break;
		case JSON_OBJECT_END:
		case JSON_ARRAY_END:
			f->key[f->key_len[f->depth]] = '\0';
			f->depth--;
			break;
		case JSON_KEY:
			r = set_key(f, t.str, t.len, e);
			break;
		case JSON_STRING:
		case JSON_NUMBER:
		case JSON_TRUE:
		case JSON_FALSE:
		case JSON_NULL:
			if ((r = name_element(f, e)) >= 0)
				r = add(f, &t, e);
			break;
		case JSON_END:
			break;
		}
		if (r < 0)
			return r;
	} while (f->depth > 0);
	return 0;
}

int
jrow_read(struct reader *r, struct arena *a, struct jrow **ret,
    struct err *e)
{
	struct flat f = {.a = a};
	struct jrow *row;
	struct json j;
	uint8_t c;
	int rc;

	if (reader_left(r) == 0)
		return 0;
	if ((rc = reader_peek_u8(r, &c, e)) < 0)
		return rc;
	if (c != '{')
		return err_set(e, ERR_FORMAT, "a line is not a JSON object");
	json_open(&j, r, a);
	if ((rc = flatten(&f, &j, e)) < 0)
		return rc == ERR_TRUNC ?
		    err_set(e, ERR_FORMAT, "the last line is cut") : rc;
	if (reader_left(r) == 0 || reader_u8(r, &c, e) < 0 || c != '\n')
		return err_set(e, ERR_FORMAT, "a line does not end");
	if ((row = arena_alloc(a, sizeof(*row))) == NULL)
		return err_set(e, ERR_NOMEM, "out of memory");
	row->pairs = f.pairs;
	row->count = f.count;
	*ret = row;
	return 1;
}

struct jrow *
jrow_copy(const struct jrow *r, struct arena *a)
{
	struct jrow *row = arena_alloc(a, sizeof(*row));

	if (row == NULL || (row->pairs = arena_array(a, r->count > 0 ?
	    r->count : 1, sizeof(*row->pairs))) == NULL)
		return NULL;
	for (size_t i = 0; i < r->count; i++) {
		const struct jpair *p = &r->pairs[i];

		row->pairs[i].len = p->len;
		if ((row->pairs[i].key = arena_dup(a, p->key,
		    strlen(p->key))) == NULL || (row->pairs[i].val =
		    arena_dup(a, p->val, p->len)) == NULL)
			return NULL;
	}
	row->count = r->count;
	return row;
}

const struct jpair *
jrow_find(const struct jrow *r, const char *key)
{
	for (size_t i = 0; i < r->count; i++)
		if (strcmp(r->pairs[i].key, key) == 0)
			return &r->pairs[i];
	return NULL;
}

const char *
jrow_get(const struct jrow *r, const char *key)
{
	const struct jpair *p = jrow_find(r, key);

	return p != NULL ? p->val : "";
}

uint64_t
jrow_u64(const struct jrow *r, const char *key)
{
	const struct jpair *p = jrow_find(r, key);
	uint64_t v;

	return p != NULL && text_u64(p->val, p->len, 10, UINT64_MAX, &v) ? v :
	    0;
}
