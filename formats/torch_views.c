#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/err.h"
#include "formats/torch_views.h"
#include "formats/torch_walk.h"

/* Views that have no storage, or one that nobody noted, come last. */
#define NOWHERE UINT64_MAX

void
torch_views_init(struct torch_views *w, struct parse *p,
    struct torch_storages *all, uint64_t base)
{
	memset(w, 0, sizeof(*w));
	w->p = p;
	w->all = all;
	w->base = base;
	w->tree.arena = p->arena;
}

static int
persid(void *ctx, const struct pv *id, uint64_t off)
{
	struct torch_views *w = ctx;

	return torch_storage_note(w->all, id, off);
}

static int
fill(void *ctx, struct pv *to, struct pv *const *item, size_t n,
    unsigned step)
{
	struct torch_views *w = ctx;

	return pickle_tree_fill(&w->tree, to, item, n, step) ? 0 :
	    err_set(w->p->e, ERR_NOMEM, "out of memory");
}

/* torch reads the first of stacked pickles. */
static int
result(void *ctx, const struct pv *v, unsigned stream)
{
	struct torch_views *w = ctx;

	if (stream == 0)
		w->root = v;
	return 0;
}

struct pickle_hooks
torch_views_hooks(struct torch_views *w)
{
	const struct pickle_hooks h = {.ctx = w, .persid = persid,
	    .fill = fill, .result = result};

	w->root = NULL;
	return h;
}

int
torch_views_take(struct torch_views *w, const struct pv *root,
    const char *prefix, size_t prefix_len)
{
	return root == NULL ? 0 : torch_walk(w, root, prefix, prefix_len);
}

static int
compare(const void *a, const void *b)
{
	const struct torch_view *x = *(struct torch_view *const *)a;
	const struct torch_view *y = *(struct torch_view *const *)b;

	if (x->storage != y->storage)
		return x->storage < y->storage ? -1 : 1;
	return (x->seq > y->seq) - (x->seq < y->seq);
}

/* The number of a storage: its place among all, by key. */
static uint64_t
number(const struct torch_storages *all, const struct torch_tensor *t)
{
	const struct torch_storage *s = t->key == NULL ? NULL :
	    torch_storages_find(all, t->key, t->key_len);

	return s != NULL ? s->number : NOWHERE;
}

int
torch_views_sort(struct torch_views *w)
{
	size_t n = 0;

	if (w->n == 0)
		return 0;
	if ((w->v = arena_array(w->p->arena, w->n, sizeof(*w->v))) == NULL)
		return err_set(w->p->e, ERR_NOMEM, "out of memory");
	for (struct torch_view *v = w->first; v != NULL; v = v->next) {
		v->storage = number(w->all, &v->t);
		w->v[n++] = v;
	}
	qsort(w->v, w->n, sizeof(*w->v), compare);
	return 0;
}

/* The first view of this storage or a later one. */
static size_t
lower(const struct torch_views *w, uint64_t storage)
{
	size_t from = 0, to = w->n, mid;

	while (from < to) {
		mid = from + (to - from) / 2;
		if (w->v[mid]->storage < storage)
			from = mid + 1;
		else
			to = mid;
	}
	return from;
}

static int
tell(struct torch_views *w, struct torch_view *v, const struct ev_tensor *at)
{
	const struct torch_tensor *t = &v->t;
	struct ev_view ev = {.name = v->name, .name_len = v->name_len,
	    .dtype = t->dtype, .shape = t->shape, .stride = t->stride,
	    .rank = t->rank, .first = t->first};

	/* A storage of its own for each that has none. */
	ev.storage = v->storage != NOWHERE ? w->base + v->storage :
	    w->base + w->all->n + v->seq;
	/* first + span was found to fit 64 bits, and the stated bytes too. */
	if (at != NULL && (t->span == 0 ||
	    (t->first + t->span) * t->item <= at->len)) {
		ev.off = at->off;
		ev.len = at->len;
		ev.src = at->src;
	}
	w->told++;
	v->told = true;
	return format_view(w->p, &ev);
}

int
torch_views_tell(struct torch_views *w, const struct torch_storage *s,
    const struct ev_tensor *at)
{
	int r = 0;

	for (size_t i = lower(w, s->number); i < w->n && r >= 0 &&
	    w->v[i]->storage == s->number; i++)
		r = tell(w, w->v[i], at);
	return r;
}

int
torch_views_rest(struct torch_views *w)
{
	int r = 0;

	for (size_t i = 0; i < w->n && w->told < w->n && r >= 0; i++)
		if (!w->v[i]->told)
			r = tell(w, w->v[i], NULL);
	return r;
}
