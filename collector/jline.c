#include <stdio.h>
#include <string.h>

#include "base/arena.h"
#include "base/bytesrc.h"
#include "base/err.h"
#include "base/limits.h"
#include "base/reader.h"
#include "base/text.h"
#include "collector/jline.h"

#define ARENA (32 * MIB)
#define DEPTH 8

struct walk {
	struct jline *l;
	struct json j;
	char path[JLINE_PATH];
	size_t len[DEPTH];	/* of the path of each open container */
	uint64_t next[DEPTH];	/* element of a list */
	bool list[DEPTH];
	unsigned depth;
	size_t n;		/* of path now */
};

static bool
name_child(struct walk *w, const char *s, size_t n)
{
	size_t at = w->depth > 0 ? w->len[w->depth - 1] : 0;

	if (n + 2 > sizeof(w->path) - at || memchr(s, '\0', n) != NULL)
		return false;
	if (at > 0)
		w->path[at++] = '.';
	memcpy(w->path + at, s, n);
	w->n = at + n;
	w->path[w->n] = '\0';
	return true;
}

static int
add(struct walk *w, const struct json_token *t, struct err *e)
{
	struct jline *l = w->l;
	struct jpair *p;

	for (size_t i = 0; i < l->count; i++)
		if (strcmp(l->pair[i].key, w->path) == 0)
			return err_set(e, ERR_FORMAT, "a line of the journal "
			    "has a key twice");
	if (l->count == JLINE_PAIRS)
		return 0;
	p = &l->pair[l->count];
	if ((p->key = arena_dup(l->a, w->path, w->n)) == NULL)
		return err_set(e, ERR_NOMEM, "out of memory");
	p->t = *t;
	l->count++;
	return 0;
}

static bool
passed_over(const struct walk *w, const struct json_token *t)
{
	return (t->type == JSON_ARRAY && strncmp(w->path, "line.", 5) == 0) ||
	    ((t->type == JSON_OBJECT || t->type == JSON_ARRAY) &&
	    (strcmp(w->path, "request") == 0 || w->depth == DEPTH));
}

static int
on_value(struct walk *w, const struct json_token *t, struct err *e)
{
	char index[24];
	int r, n;

	if (w->depth > 0 && w->list[w->depth - 1]) {
		n = snprintf(index, sizeof(index), "%llu",
		    (unsigned long long)w->next[w->depth - 1]++);
		if (!name_child(w, index, (size_t)n))
			return err_set(e, ERR_FORMAT,
			    "a line of the journal has a strange key");
	}
	if (w->depth > 0 && (r = add(w, t, e)) < 0)
		return r;
	if (passed_over(w, t))
		return json_skip(&w->j, t, e);
	if (t->type != JSON_OBJECT && t->type != JSON_ARRAY)
		return 0;
	w->len[w->depth] = w->depth > 0 ? w->n : 0;
	w->next[w->depth] = 0;
	w->list[w->depth++] = t->type == JSON_ARRAY;
	return 0;
}

static int
walk(struct walk *w, struct err *e)
{
	struct json_token t;
	uint64_t rest;
	bool blanks;
	int r;

	for (;;) {
		if ((r = json_next(&w->j, &t, e)) < 0)
			return r;
		if (t.type == JSON_END)
			break;
		if (t.type == JSON_KEY)
			r = name_child(w, t.str, t.len) ? 0 : err_set(e,
			    ERR_FORMAT,
			    "a line of the journal has a strange key");
		else if (t.type == JSON_OBJECT_END ||
		    t.type == JSON_ARRAY_END)
			w->depth--;
		else
			r = on_value(w, &t, e);
		if (r < 0)
			return r;
	}
	if ((r = json_trailing(&w->j, &rest, &blanks, e)) < 0)
		return r;
	return rest == 0 ? 0 : err_set(e, ERR_FORMAT,
	    "a line of the journal does not end where it should");
}

int
jline_read(struct jline *l, const char *p, size_t n, struct err *e)
{
	struct bytesrc *src = NULL;
	struct walk w = {.l = l};
	struct reader rd;
	int r;

	l->text = p;
	l->n = n;
	l->count = 0;
	if ((l->a = arena_new(ARENA)) == NULL)
		return err_set(e, ERR_NOMEM, "out of memory");
	if ((src = bytesrc_mem(p, n, e)) == NULL)
		r = ERR_NOMEM;
	else if ((r = reader_init(&rd, src, 0, 4096, l->a, e)) >= 0) {
		json_open(&w.j, &rd, l->a);
		r = walk(&w, e);
	}
	bytesrc_free(src);
	if (r < 0)
		jline_release(l);
	return r;
}

void
jline_release(struct jline *l)
{
	arena_free(l->a);
	l->a = NULL;
	l->count = 0;
}

static const struct json_token *
find(const struct jline *l, const char *key)
{
	for (size_t i = 0; i < l->count; i++)
		if (strcmp(l->pair[i].key, key) == 0)
			return &l->pair[i].t;
	return NULL;
}

const char *
jline_str(const struct jline *l, const char *key)
{
	const struct json_token *t = find(l, key);

	if (t == NULL || t->type != JSON_STRING || strlen(t->str) != t->len)
		return NULL;
	return t->str;
}

bool
jline_u64(const struct jline *l, const char *key, uint64_t *ret)
{
	const struct json_token *t = find(l, key);

	if (t == NULL || t->type != JSON_NUMBER || !t->is_u64)
		return false;
	*ret = t->u64;
	return true;
}

bool
jline_true(const struct jline *l, const char *key)
{
	const struct json_token *t = find(l, key);

	return t != NULL && t->type == JSON_TRUE;
}

bool
jline_hex(const struct jline *l, const char *key, uint8_t *ret, size_t n)
{
	const char *s = jline_str(l, key);

	return s != NULL && strlen(s) == 2 * n && text_unhex(ret, s, 2 * n);
}

const char *
jline_unhex(const struct jline *l, const char *key, size_t *n)
{
	const char *s = jline_str(l, key);
	uint8_t *p;
	size_t len;

	if (s == NULL || (len = strlen(s)) % 2 != 0 ||
	    (p = arena_alloc(l->a, len / 2 + 1)) == NULL ||
	    !text_unhex(p, s, len))
		return NULL;
	*n = len / 2;
	return (const char *)p;
}

bool
jline_last(const struct jline *l, const char *key, const char **p,
    size_t *n)
{
	const struct json_token *t = find(l, key);

	if (t == NULL || t->type != JSON_OBJECT || t->off >= l->n ||
	    l->text[l->n - 1] != '}')
		return false;
	*p = l->text + t->off;
	*n = l->n - 1 - (size_t)t->off;
	return true;
}
