#include <string.h>

#include "base/arena.h"
#include "base/err.h"
#include "formats/names.h"
#include "formats/onnx.h"

/*
 * Tables in blocks, names by number, pairs by hash.
 *
 * The hash is not keyed: who writes the file can make chains long.  Each
 * look-up walks at most CHAIN_MAX entries; a longer chain makes the table
 * count as full, which is told, so a thousand colliding names buy nothing.
 */
#define BUCKETS 131072
#define CHAIN_MAX 256

void *
onnx_at(const struct onnx_table *t, uint32_t i)
{
	uint8_t *block = t->block[i / ONNX_BLOCK];

	return block + (size_t)(i % ONNX_BLOCK) * t->size;
}

void *
onnx_add(struct onnx *o, struct onnx_table *t, uint32_t *i)
{
	void **block = &t->block[t->count / ONNX_BLOCK];

	*i = 0;
	if (t->count == t->max) {
		o->full = true;
		return onnx_at(t, 0);
	}
	if (*block == NULL && (*block = arena_array(o->p->arena, ONNX_BLOCK,
	    t->size)) == NULL) {
		o->nomem = true;
		return onnx_at(t, 0);
	}
	*i = t->count++;
	return onnx_at(t, *i);
}

static bool
table_init(struct onnx *o, struct onnx_table *t, size_t size, uint32_t max)
{
	memset(t, 0, sizeof(*t));
	t->size = (uint32_t)size;
	t->max = max;
	t->count = 1;
	t->block[0] = arena_array(o->p->arena, ONNX_BLOCK, size);
	return t->block[0] != NULL;
}

int
onnx_tables(struct onnx *o)
{
	struct arena *a = o->p->arena;

	o->name_bucket = arena_array(a, BUCKETS, sizeof(uint32_t));
	o->pair_bucket = arena_array(a, BUCKETS, sizeof(uint32_t));
	o->frame = arena_array(a, LIMIT_PB_DEPTH + 1, sizeof(*o->frame));
	o->text = arena_alloc(a, LIMIT_ONNX_TEXT);
	if (o->name_bucket == NULL || o->pair_bucket == NULL ||
	    o->frame == NULL || o->text == NULL ||
	    !table_init(o, &o->names, sizeof(struct onnx_name),
	    LIMIT_ONNX_NAMES) ||
	    !table_init(o, &o->pairs, sizeof(struct onnx_pair),
	    LIMIT_ONNX_PAIRS) ||
	    !table_init(o, &o->edges, sizeof(struct onnx_edge),
	    LIMIT_ONNX_EDGES) ||
	    !table_init(o, &o->nodes, sizeof(struct onnx_node),
	    LIMIT_ONNX_NODES) ||
	    !table_init(o, &o->tensors, sizeof(struct onnx_tensor),
	    LIMIT_ONNX_TENSORS) ||
	    !table_init(o, &o->scopes, sizeof(struct onnx_scope),
	    LIMIT_ONNX_SCOPES) ||
	    !table_init(o, &o->functions, sizeof(struct onnx_function),
	    LIMIT_ONNX_SCOPES) ||
	    !table_init(o, &o->externals, sizeof(struct onnx_external),
	    LIMIT_ONNX_TENSORS) ||
	    !table_init(o, &o->values, sizeof(struct onnx_value),
	    LIMIT_ONNX_NAMES) ||
	    !table_init(o, &o->copies, sizeof(struct onnx_copy),
	    LIMIT_ONNX_NAMES))
		return err_set(o->p->e, ERR_NOMEM, "out of memory");
	ONNX_AT(onnx_name, &o->names, 0)->p = "";
	return 0;
}

static uint32_t
hash(const uint8_t *p, size_t n)
{
	uint32_t h = 2166136261U;

	for (size_t i = 0; i < n; i++)
		h = (h ^ p[i]) * 16777619U;
	return (h ^ h >> 15) % BUCKETS;
}

static void
new_name(struct onnx *o, uint32_t i, const void *p, size_t n, uint64_t off)
{
	struct onnx_name *name = onnx_at(&o->names, i);

	if (n > LIMIT_ONNX_NAME_BYTES - o->name_bytes) {
		o->full = true;
		n = 0;
	}
	if ((name->p = arena_dup(o->p->arena, p, n)) == NULL) {
		name->p = "";
		o->nomem = true;
		n = 0;
	}
	name->n = (uint32_t)n;
	name->off = off;
	o->name_bytes += n;
}

uint32_t
onnx_intern(struct onnx *o, const void *p, size_t n, uint64_t off)
{
	uint32_t *bucket = &o->name_bucket[hash(p, n)], i;
	unsigned steps = 0;

	if (n == 0)
		return 0;
	for (i = *bucket; i != 0; steps++) {
		const struct onnx_name *name = onnx_at(&o->names, i);

		if (name->n == n && memcmp(name->p, p, n) == 0)
			return i;
		i = name->chain;
	}
	if (steps >= CHAIN_MAX) {
		o->full = true;
		return 0;
	}
	(void)onnx_add(o, &o->names, &i);
	if (i == 0)
		return 0;
	new_name(o, i, p, n, off);
	ONNX_AT(onnx_name, &o->names, i)->chain = *bucket;
	*bucket = i;
	return i;
}

/*
 * A name that is longer than LIMIT_ONNX_NAME is known by its beginning and
 * told: nothing that reads a graph writes such a name.  So is one that holds
 * what a person does not see, or a NUL, behind which readers in C see nothing.
 */
int
onnx_intern_field(struct onnx *o, const struct pb_field *w, uint32_t *ret)
{
	const uint32_t before = o->names.count;
	const struct fact facts[] = {FACT_NUM("length", w->len)};
	const char *text;
	size_t n;
	int r;

	if ((r = pbwire_copy(&o->w, w, o->text, LIMIT_ONNX_NAME, &n,
	    o->p->e)) < 0)
		return r;
	*ret = onnx_intern(o, o->text, n, w->at);
	if (w->len > n)
		return onnx_tell(o, ANOMALY_ONNX_LONG_NAME, w->at, w->len,
		    facts, 1);
	text = onnx_text(o, *ret);
	if (o->names.count == before ||
	    (names_oddities(text, n) & (NAMES_DECEPTIVE | NAMES_NUL)) == 0)
		return 0;
	return onnx_tell_name(o, ANOMALY_NAME_DECEPTIVE, w->at, "name", *ret);
}

const char *
onnx_text(const struct onnx *o, uint32_t name)
{
	return ONNX_AT(onnx_name, &o->names, name)->p;
}

size_t
onnx_text_len(const struct onnx *o, uint32_t name)
{
	return ONNX_AT(onnx_name, &o->names, name)->n;
}

bool
onnx_is(const struct onnx *o, uint32_t name, const char *text)
{
	const struct onnx_name *n = onnx_at(&o->names, name);

	return n->n == strlen(text) && memcmp(n->p, text, n->n) == 0;
}

static uint32_t
pair_hash(uint32_t kind, uint32_t scope, uint32_t name)
{
	uint32_t h = (kind * 31 + scope) * 2654435761U ^ name * 2246822519U;

	return (h ^ h >> 15) % BUCKETS;
}

struct onnx_pair *
onnx_pair(struct onnx *o, enum onnx_pairs kind, uint32_t scope, uint32_t name,
    bool *fresh)
{
	uint32_t *bucket = &o->pair_bucket[pair_hash(kind, scope, name)];
	struct onnx_pair *pair;
	unsigned steps = 0;
	uint32_t i;

	*fresh = false;
	for (i = *bucket; i != 0; i = pair->chain, steps++) {
		pair = onnx_at(&o->pairs, i);
		if (pair->kind == kind && pair->scope == scope &&
		    pair->name == name)
			return pair;
	}
	if (steps >= CHAIN_MAX) {
		o->full = true;
		return onnx_at(&o->pairs, 0);
	}
	pair = onnx_add(o, &o->pairs, &i);
	if (i == 0)
		return pair;
	*pair = (struct onnx_pair){kind, scope, name, 0, *bucket};
	*bucket = i;
	*fresh = true;
	return pair;
}

uint32_t
onnx_find(const struct onnx *o, enum onnx_pairs kind, uint32_t scope,
    uint32_t name)
{
	uint32_t i = o->pair_bucket[pair_hash(kind, scope, name)];

	while (i != 0) {
		const struct onnx_pair *pair = onnx_at(&o->pairs, i);

		if (pair->kind == (uint32_t)kind && pair->scope == scope &&
		    pair->name == name)
			return pair->value;
		i = pair->chain;
	}
	return 0;
}

struct onnx_edge *
onnx_append(struct onnx *o, struct onnx_list *l, uint32_t name)
{
	struct onnx_edge *e;
	uint32_t i;

	e = onnx_add(o, &o->edges, &i);
	if (i == 0)
		return e;
	*e = (struct onnx_edge){.name = name, .rank = 255};
	if (l->last != 0)
		ONNX_AT(onnx_edge, &o->edges, l->last)->next = i;
	else
		l->first = i;
	l->last = i;
	l->count++;
	return e;
}
