#include <stdio.h>
#include <string.h>

#include "analyzer/intake/slicelines.h"
#include "base/arena.h"
#include "base/bytesrc.h"
#include "base/err.h"
#include "base/limits.h"

/* A line's arena is renewed when it has filled. */
#define LINE_ARENA (32 * MIB)
#define LINE_FULL (16 * MIB)
#define WINDOW_ARENA (1 * MIB)

int
slicelines_open(struct slicelines *l, struct bytesrc *src, struct err *e)
{
	memset(l, 0, sizeof(*l));
	l->src = src;
	if ((l->keep = arena_new(WINDOW_ARENA)) == NULL)
		return err_set(e, ERR_NOMEM, "out of memory");
	return reader_init(&l->r, src, 0, 0, l->keep, e);
}

void
slicelines_close(struct slicelines *l)
{
	bytesrc_free(l->src);
	arena_free(l->keep);
	arena_free(l->a);
	memset(l, 0, sizeof(*l));
}

static int
keep(struct slicelines *l, const char *front, const char *key,
    const struct json_token *t, struct err *e)
{
	char *name;
	size_t n = strlen(front) + strlen(key) + 2;

	if (l->n == SLICELINES_KEYS)
		return err_set(e, ERR_FORMAT, "a line has too many keys");
	if ((name = arena_alloc(l->a, n)) == NULL)
		return err_set(e, ERR_NOMEM, "out of memory");
	(void)snprintf(name, n, "%s%s%s", front, *front != '\0' ? "." : "",
	    key);
	l->v[l->n].key = name;
	l->v[l->n++].t = *t;
	return 0;
}

/* The values of an object; one object may lie in another, no deeper. */
static int
object(struct slicelines *l, struct json *j, const char *front,
    unsigned depth, struct err *e)
{
	struct json_token k, t;
	int r;

	for (;;) {
		if ((r = json_next(j, &k, e)) < 0)
			return r;
		if (k.type == JSON_OBJECT_END)
			return 0;
		if (k.type != JSON_KEY)
			return err_set(e, ERR_FORMAT, "a line is no object");
		if ((r = json_next(j, &t, e)) < 0)
			return r;
		if (t.type == JSON_OBJECT && depth == 0)
			r = object(l, j, k.str, 1, e);
		else if (t.type == JSON_OBJECT || t.type == JSON_ARRAY)
			r = json_skip(j, &t, e);
		else
			r = keep(l, front, k.str, &t, e);
		if (r < 0)
			return r;
	}
}

int
slicelines_next(struct slicelines *l, struct err *e)
{
	struct json_token t;
	struct json j;
	uint8_t c;
	int r;

	if (reader_left(&l->r) == 0)
		return 0;
	if (l->a != NULL && arena_used(l->a) > LINE_FULL) {
		arena_free(l->a);
		l->a = NULL;
	}
	if (l->a == NULL && (l->a = arena_new(LINE_ARENA)) == NULL)
		return err_set(e, ERR_NOMEM, "out of memory");
	l->n = 0;
	json_open(&j, &l->r, l->a);
	if ((r = json_next(&j, &t, e)) < 0)
		return r;
	if (t.type != JSON_OBJECT)
		return err_set(e, ERR_FORMAT, "a line is no object");
	if ((r = object(l, &j, "", 0, e)) < 0 ||
	    (r = reader_u8(&l->r, &c, e)) < 0)
		return r;
	return c == '\n' ? 1 : err_set(e, ERR_FORMAT, "a line goes on behind "
	    "its object");
}

static const struct json_token *
find(const struct slicelines *l, const char *key)
{
	for (size_t i = 0; i < l->n; i++)
		if (strcmp(l->v[i].key, key) == 0)
			return &l->v[i].t;
	return NULL;
}

bool
slicelines_u64(const struct slicelines *l, const char *key, uint64_t *ret)
{
	const struct json_token *t = find(l, key);

	if (t == NULL || t->type != JSON_NUMBER || !t->is_u64)
		return false;
	*ret = t->u64;
	return true;
}

bool
slicelines_true(const struct slicelines *l, const char *key)
{
	const struct json_token *t = find(l, key);

	return t != NULL && t->type == JSON_TRUE;
}

const char *
slicelines_str(const struct slicelines *l, const char *key)
{
	const struct json_token *t = find(l, key);

	return t != NULL && t->type == JSON_STRING ? t->str : NULL;
}

static int
digit(char c)
{
	return c >= '0' && c <= '9' ? c - '0' :
	    c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

const char *
slicelines_hex(const struct slicelines *l, const char *key, struct arena *a,
    size_t *n)
{
	const struct json_token *t = find(l, key);
	char *out;

	if (t == NULL || t->type != JSON_STRING || t->len % 2 != 0 ||
	    (out = arena_alloc(a, t->len / 2 + 1)) == NULL)
		return NULL;
	for (size_t i = 0; i < t->len; i += 2) {
		int hi = digit(t->str[i]), lo = digit(t->str[i + 1]);

		if (hi < 0 || lo < 0)
			return NULL;
		out[i / 2] = (char)(hi << 4 | lo);
	}
	*n = t->len / 2;
	out[*n] = '\0';
	return out;
}
