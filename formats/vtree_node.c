#include <string.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/limits.h"
#include "formats/fold.h"
#include "formats/vtree_node.h"

#define SLOTS_FIRST 256
#define PROBES 256

/* FNV-1a, then mixed so that the low bits depend on all. */
static size_t
hash(uint32_t parent, const char *p, size_t n)
{
	uint64_t h = 0xcbf29ce484222325 ^ parent;

	for (size_t i = 0; i < n; i++)
		h = (h ^ (uint8_t)p[i]) * 0x100000001b3;
	h ^= h >> 32;
	h *= 0x9e3779b97f4a7c15;
	return (size_t)(h ^ h >> 29);
}

static bool
is_exact(const struct vnode *v, uint32_t parent, const char *p, size_t n)
{
	return v->parent == parent && v->n == n &&
	    (n == 0 || memcmp(v->name, p, n) == 0);
}

static bool
is_form(const struct vtree *t, const struct vnode *v, uint32_t form,
    const char *p, size_t n)
{
	return v->parent != VTREE_NONE && t->node[v->parent].form == form &&
	    v->folded_n == n && (n == 0 || memcmp(v->folded, p, n) == 0);
}

uint32_t
vnode_find(const struct vtree *t, uint32_t parent, const char *name, size_t n)
{
	size_t at = hash(parent, name, n);

	for (unsigned i = 0; i < PROBES; i++, at++) {
		uint32_t v = t->exact[at & (t->slots - 1)];

		if (v == 0)
			break;
		if (is_exact(&t->node[v - 1], parent, name, n))
			return v - 1;
	}
	return VTREE_NONE;
}

static uint32_t
find_form(const struct vtree *t, uint32_t form, const char *name, size_t n)
{
	size_t at = hash(form, name, n);

	for (unsigned i = 0; i < PROBES; i++, at++) {
		uint32_t v = t->form[at & (t->slots - 1)];

		if (v == 0)
			break;
		if (is_form(t, &t->node[v - 1], form, name, n))
			return v - 1;
	}
	return VTREE_NONE;
}

static bool
put(uint32_t *table, size_t slots, size_t at, uint32_t id)
{
	for (unsigned i = 0; i < PROBES; i++, at++)
		if (table[at & (slots - 1)] == 0) {
			table[at & (slots - 1)] = id + 1;
			return true;
		}
	return false;
}

static bool
put_node(struct vtree *t, uint32_t id)
{
	const struct vnode *v = &t->node[id];
	uint32_t form = v->parent == VTREE_NONE ? VTREE_NONE :
	    t->node[v->parent].form;

	return put(t->exact, t->slots, hash(v->parent, v->name, v->n), id) &&
	    (v->form != id || put(t->form, t->slots, hash(form, v->folded,
	    v->folded_n), id));
}

/* Twice the tables and nodes, once they are half full. */
static int
make_room(struct vtree *t)
{
	size_t slots = t->slots == 0 ? SLOTS_FIRST : 2 * t->slots;
	struct arena *a = t->p->arena;
	struct vnode *node;

	if (t->count < t->cap)
		return 0;
	if ((node = arena_array(a, slots / 2, sizeof(*node))) == NULL ||
	    (t->exact = arena_array(a, slots, sizeof(*t->exact))) == NULL ||
	    (t->form = arena_array(a, slots, sizeof(*t->form))) == NULL)
		return err_set(t->p->e, ERR_NOMEM, "out of memory for names");
	if (t->count > 0)
		memcpy(node, t->node, t->count * sizeof(*node));
	t->node = node;
	t->slots = slots;
	t->cap = (uint32_t)(slots / 2);
	for (uint32_t i = 0; i < t->count; i++)
		(void)put_node(t, i);
	return 0;
}

int
vnode_root(struct vtree *t)
{
	int r;

	if ((r = make_room(t)) < 0)
		return r;
	t->node[0] = (struct vnode){.name = "", .folded = "",
	    .parent = VTREE_NONE, .kind = VTREE_FOLDER};
	t->count = 1;
	return 0;
}

static bool
is_folded_already(const char *p, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if ((uint8_t)p[i] >= 0x80 || (p[i] >= 'A' && p[i] <= 'Z'))
			return false;
	return true;
}

static int
fold(struct vtree *t, struct vnode *v)
{
	char *folded;

	v->folded = v->name;
	v->folded_n = v->n;
	if (is_folded_already(v->name, v->n))
		return 0;
	if ((folded = arena_alloc(t->p->arena, FOLD_GROWTH * v->n)) == NULL)
		return err_set(t->p->e, ERR_NOMEM, "out of memory for names");
	v->folded_n = fold_name(folded, v->name, v->n);
	v->folded = folded;
	return 0;
}

int
vnode_add(struct vtree *t, uint32_t parent, const char *name, size_t n,
    uint32_t *ret, uint32_t *twin)
{
	struct vnode *v;
	int r;

	*ret = *twin = VTREE_NONE;
	if (t->count >= LIMIT_VTREE_NODES)
		return 0;
	if ((r = make_room(t)) < 0)
		return r;
	v = &t->node[t->count];
	*v = (struct vnode){.name = name, .n = n, .parent = parent,
	    .kind = VTREE_FOLDER};
	if ((r = fold(t, v)) < 0)
		return r;
	*twin = find_form(t, t->node[parent].form, v->folded, v->folded_n);
	v->form = *twin != VTREE_NONE ? *twin : t->count;
	if (!put_node(t, t->count))
		return 0;
	*ret = t->count++;
	return 0;
}

/*
 * Links are followed with a stack of what remains of each path, as the
 * kernel does it, and with the kernel's limit on their number.
 */
#define LINKS_MAX 40

struct rest {
	const char *p;
	size_t n;
};

/* The next component; false at the end.  Empty ones are passed. */
static bool
next_component(struct rest *r, struct rest *c)
{
	while (r->n > 0 && *r->p == '/') {
		r->p++;
		r->n--;
	}
	c->p = r->p;
	while (r->n > 0 && *r->p != '/') {
		r->p++;
		r->n--;
	}
	c->n = (size_t)(r->p - c->p);
	return c->n > 0;
}

static bool
only_slashes(const struct rest *r)
{
	for (size_t i = 0; i < r->n; i++)
		if (r->p[i] != '/')
			return false;
	return true;
}

static void
go_up(const struct vtree *t, struct vplace *at)
{
	if (at->ghosts > 0)
		at->ghosts--;
	else if (at->node == VTREE_ROOT)
		at->outside = true;
	else
		at->node = t->node[at->node].parent;
}

/* An absolute path begins outside, whatever comes then. */
static void
enter(struct vplace *at, const struct rest *r)
{
	if (r->n > 0 && (r->p[0] == '/' || r->p[0] == '\\')) {
		at->outside = true;
		at->node = VTREE_ROOT;
		at->ghosts = 0;
	}
}

static void
go_down(const struct vtree *t, struct vplace *at, const struct rest *c)
{
	uint32_t child = at->ghosts > 0 ? VTREE_NONE :
	    vnode_find(t, at->node, c->p, c->n);

	if (child == VTREE_NONE)
		at->ghosts++;
	else
		at->node = child;
}

void
vplace_walk(struct vtree *t, struct vplace *at, const char *path, size_t n,
    bool last)
{
	struct rest stack[LINKS_MAX + 1], c;
	unsigned depth = 1, links = 0;

	stack[0] = (struct rest){path, n};
	enter(at, &stack[0]);
	while (depth > 0 && !at->lost) {
		if (!next_component(&stack[depth - 1], &c)) {
			depth--;
			continue;
		}
		if (t->steps == 0) {
			at->lost = true;
			return;
		}
		t->steps--;
		if (c.n == 1 && c.p[0] == '.')
			continue;
		if (c.n == 2 && c.p[0] == '.' && c.p[1] == '.') {
			go_up(t, at);
			continue;
		}
		go_down(t, at, &c);
		if (at->ghosts > 0 ||
		    t->node[at->node].kind != VTREE_SYMLINK ||
		    (!last && depth == 1 && only_slashes(&stack[0])))
			continue;
		if (++links > LINKS_MAX || depth > LINKS_MAX) {
			at->lost = true;	/* a loop: nothing opens it */
			return;
		}
		at->via = at->node;
		stack[depth++] = (struct rest){t->node[at->node].link,
		    t->node[at->node].link_n};
		at->node = t->node[at->node].parent;
		enter(at, &stack[depth - 1]);
	}
}
