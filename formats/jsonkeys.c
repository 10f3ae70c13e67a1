#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/json_read.h"
#include "base/reader.h"
#include "formats/config.h"
#include "formats/format.h"
#include "formats/jsonkeys.h"

/*
 * The keys of the objects that are open, one after the other on a stack; at
 * an object's end its keys are sorted and neighbours compared.
 */
struct key {
	const char *p;
	size_t n;
	uint64_t off;
};

struct keys {
	struct arena *a;
	struct key *key;
	size_t count, cap;
	size_t start[LIMIT_JSON_DEPTH + 2];	/* by depth */
};

static int
push(struct keys *k, const struct json_token *t, struct err *e)
{
	size_t cap = k->cap == 0 ? 64 : 2 * k->cap;
	struct key *p;

	if (k->count == k->cap) {
		if ((p = arena_array(k->a, cap, sizeof(*p))) == NULL)
			return err_set(e, ERR_NOMEM, "out of memory");
		if (k->count > 0)
			memcpy(p, k->key, k->count * sizeof(*p));
		k->key = p;
		k->cap = cap;
	}
	k->key[k->count++] = (struct key){t->str, t->len, t->off};
	return 0;
}

static int
compare(const void *a, const void *b)
{
	const struct key *x = a, *y = b;
	size_t n = x->n < y->n ? x->n : y->n;
	int c = n > 0 ? memcmp(x->p, y->p, n) : 0;

	if (c != 0)
		return c;
	if (x->n != y->n)
		return x->n < y->n ? -1 : 1;
	return (x->off > y->off) - (x->off < y->off);
}

static int
close_object(struct keys *k, unsigned depth, struct parse *p)
{
	size_t n = k->count - k->start[depth];
	struct key *first;
	int r = 0;

	if (n == 0)
		return 0;	/* there may be no list to point into */
	first = k->key + k->start[depth];
	if (n > 1)
		qsort(first, n, sizeof(*first), compare);
	for (size_t i = 1; i < n && r >= 0; i++) {
		const struct key *x = &first[i - 1], *y = &first[i];

		if (x->n == y->n && (x->n == 0 ||
		    memcmp(x->p, y->p, x->n) == 0)) {
			const struct fact facts[] = {
			    FACT_TEXT("key", y->p, y->n),
			    FACT_NUM("first_offset", x->off)};

			r = format_anomaly(p, ANOMALY_JSON_DUPLICATE_KEY,
			    y->off, y->n, facts, 2);
		}
	}
	k->count = k->start[depth];
	return r;
}

int
jsonkeys_document(struct parse *p, struct reader *rd, struct arena *a,
    struct config_json *config)
{
	struct keys k = {.a = a};
	struct json_token t;
	struct json j;
	int r = 0;

	json_open(&j, rd, a);
	do {
		if ((r = json_next(&j, &t, p->e)) < 0)
			return r;
		if (config != NULL && (r = config_json_token(config,
		    &t)) < 0)
			return r;
		if (t.type == JSON_OBJECT)
			k.start[j.depth] = k.count;
		else if (t.type == JSON_KEY)
			r = push(&k, &t, p->e);
		else if (t.type == JSON_OBJECT_END)
			r = close_object(&k, j.depth + 1, p);
		if (r < 0)
			return r;
	} while (j.depth > 0);
	return 0;
}
