#include <stdbool.h>
#include <stdlib.h>

#include "analyzer/diff/graphmatch.h"
#include "analyzer/diff/graphside.h"
#include "base/arena.h"
#include "base/err.h"

/*
 * Pairs are made by keys, from the surest to the weakest: two nodes whose
 * keys are equal, and that have them alone on their sides, are a pair.
 *
 *   name, what the node is    where names can be trusted (see below)
 *   by itself, its weights'
 *   names
 *   wide label                the same node, untouched, by whatever name
 *   name and wide label,      touched nodes that kept their names; first where
 *   name and operator         names can be trusted
 *   neighbours of pairs       what feeds, or takes from, both of a pair at
 *                             the same place with the same operator
 *   narrower labels           groups of equal size, in the order of the file
 *   name                      its operator was replaced
 *   place                     between the same neighbours: replaced as well
 *
 * Exporters number their nodes: after one is put in, "Conv_5" names another
 * node than before.  So names come first only when TRUST of the nodes have one
 * that names the same thing on the other side, with weights of the same names,
 * or when they agree for as many of those that wide labels pair without them.
 *
 * A pair is a proposal: around_graph.c compares what it pairs, so a key that
 * somebody made collide costs rows that say too much, never one that is
 * missing.
 */
#define TRUST 0.9
#define WIDE (GRAPH_RADII - 1)
#define FAN 32		/* consumers of one node that are looked through */

struct keyed {
	uint64_t key;
	uint32_t node;
};

struct match {
	struct graph_side *side[2];
	struct keyed *keyed[2];
	uint32_t *queue;	/* nodes of OLD whose pair is new */
	size_t queued, done;
};

typedef uint64_t key_fn(const struct match *m, unsigned side, uint32_t i);

static int
compare(const void *a, const void *b)
{
	const struct keyed *x = a, *y = b;

	if (x->key != y->key)
		return x->key < y->key ? -1 : 1;
	return (x->node > y->node) - (x->node < y->node);
}

static void
pair(struct match *m, uint32_t a, uint32_t b)
{
	m->side[0]->match[a] = b;
	m->side[1]->match[b] = a;
	m->queue[m->queued++] = a;
}

static size_t
collect(const struct match *m, unsigned side, key_fn *key)
{
	const struct graph_side *s = m->side[side];
	struct keyed *v = m->keyed[side];
	size_t n = 0;

	for (uint32_t i = 1; i < s->o.nodes.count; i++) {
		if (s->match[i] != 0)
			continue;
		v[n].key = key(m, side, i);
		v[n].node = i;
		n += v[n].key != 0;
	}
	qsort(v, n, sizeof(*v), compare);
	return n;
}

static size_t
run_of(const struct keyed *v, size_t n, size_t i)
{
	size_t k = i;

	while (k < n && v[k].key == v[i].key)
		k++;
	return k - i;
}

/* ${alone}: only keys that each side has once; else groups of equal size. */
static void
by_key(struct match *m, key_fn *key, bool alone)
{
	size_t n[2] = {collect(m, 0, key), collect(m, 1, key)};
	size_t i = 0, j = 0, a, b;
	const struct keyed *x = m->keyed[0], *y = m->keyed[1];

	while (i < n[0] && j < n[1]) {
		if (x[i].key != y[j].key) {
			if (x[i].key < y[j].key)
				i++;
			else
				j++;
			continue;
		}
		a = run_of(x, n[0], i);
		b = run_of(y, n[1], j);
		for (size_t k = 0; k < a && a == b && (!alone || a == 1); k++)
			pair(m, x[i + k].node, y[j + k].node);
		i += a;
		j += b;
	}
}

static uint64_t
key_name_wide(const struct match *m, unsigned side, uint32_t i)
{
	const struct graph_side *s = m->side[side];
	uint32_t name = GRAPH_NODE_AT(s, i)->name;

	return name == 0 ? 0 : graphside_mix(s->label[WIDE][i], name) | 1;
}

static uint64_t
key_wide(const struct match *m, unsigned side, uint32_t i)
{
	return m->side[side]->label[WIDE][i] | 1;
}

static uint64_t
key_middle(const struct match *m, unsigned side, uint32_t i)
{
	return m->side[side]->label[2][i] | 1;
}

static uint64_t
key_near(const struct match *m, unsigned side, uint32_t i)
{
	return m->side[side]->label[1][i] | 1;
}

static uint64_t
key_self(const struct match *m, unsigned side, uint32_t i)
{
	return m->side[side]->label[0][i] | 1;
}

static uint64_t
key_name(const struct match *m, unsigned side, uint32_t i)
{
	const struct graph_side *s = m->side[side];
	const struct outline_node *n = GRAPH_NODE_AT(s, i);

	return n->name == 0 ? 0 :
	    graphside_mix(s->scope_key[n->scope], n->name) | 1;
}

static uint64_t
key_name_op(const struct match *m, unsigned side, uint32_t i)
{
	const struct outline_node *n = GRAPH_NODE_AT(m->side[side], i);
	uint64_t h = key_name(m, side, i);

	return h == 0 ? 0 : graphside_mix(graphside_mix(h, n->op),
	    n->domain) | 1;
}

static uint64_t
key_name_self(const struct match *m, unsigned side, uint32_t i)
{
	uint64_t h = key_name(m, side, i);

	return h == 0 ? 0 : graphside_mix(h,
	    m->side[side]->label[0][i]) | 1;
}

/* Name, itself, and the names of the weights that it takes. */
static uint64_t
key_named(const struct match *m, unsigned side, uint32_t i)
{
	const struct graph_side *s = m->side[side];
	uint64_t h = key_name_self(m, side, i);
	const struct outline_use *u;

	for (uint32_t k = GRAPH_NODE_AT(s, i)->in.first; h != 0 && k != 0;
	    k = u->next) {
		u = GRAPH_USE_AT(s, k);
		if (s->source[k].kind == GRAPH_INITIALIZER)
			h = graphside_mix(h, u->name) | 1;
	}
	return h;
}

/* A node as the number that it has in OLD; 0: it has no pair. */
static uint32_t
as_old(const struct match *m, unsigned side, uint32_t i)
{
	return side == 1 ? m->side[1]->match[i] :
	    m->side[0]->match[i] != 0 ? i : 0;
}

/* Its neighbours, when every one of them has a pair. */
static uint64_t
key_place(const struct match *m, unsigned side, uint32_t i)
{
	const struct graph_side *s = m->side[side];
	const struct outline_node *n = GRAPH_NODE_AT(s, i);
	uint64_t h = s->scope_key[n->scope], sum = 0;
	const struct outline_use *u;
	uint32_t other, nodes = 0;

	for (uint32_t k = n->in.first; k != 0; k = u->next) {
		const struct graph_source *g = &s->source[k];

		u = GRAPH_USE_AT(s, k);
		if (g->kind != GRAPH_NODE)
			continue;
		if ((other = as_old(m, side, g->index)) == 0)
			return 0;
		h = graphside_mix(graphside_mix(h, other), g->out);
		nodes++;
	}
	for (uint32_t k = s->consumers[i]; k < s->consumers[i + 1]; k++) {
		const struct graph_consumer *c = &s->consumer[k];

		if ((other = as_old(m, side, c->node)) == 0)
			return 0;
		sum += graphside_mix(graphside_mix(other, c->place), c->out);
		nodes++;
	}
	return nodes == 0 ? 0 : graphside_mix(h, sum) | 1;
}

static bool
alike(const struct match *m, uint32_t a, uint32_t b)
{
	const struct graph_side *o = m->side[0], *n = m->side[1];
	const struct outline_node *x = GRAPH_NODE_AT(o, a);
	const struct outline_node *y = GRAPH_NODE_AT(n, b);

	return o->match[a] == 0 && n->match[b] == 0 && x->op == y->op &&
	    x->domain == y->domain &&
	    o->scope_key[x->scope] == n->scope_key[y->scope];
}

static void
pair_sources(struct match *m, uint32_t a, uint32_t b)
{
	uint32_t j = GRAPH_NODE_AT(m->side[0], a)->in.first;
	uint32_t k = GRAPH_NODE_AT(m->side[1], b)->in.first;

	while (j != 0 && k != 0) {
		const struct graph_source *x = &m->side[0]->source[j];
		const struct graph_source *y = &m->side[1]->source[k];

		if (x->kind == GRAPH_NODE && y->kind == GRAPH_NODE &&
		    x->out == y->out && alike(m, x->index, y->index))
			pair(m, x->index, y->index);
		j = GRAPH_USE_AT(m->side[0], j)->next;
		k = GRAPH_USE_AT(m->side[1], k)->next;
	}
}

/* Consumers of ${i} at the same place that could pair with ${other}, to 2. */
static unsigned
rivals(const struct match *m, unsigned side, uint32_t i,
    const struct graph_consumer *c, uint32_t other)
{
	const struct graph_side *s = m->side[side];
	unsigned n = 0;

	for (uint32_t k = s->consumers[i]; k < s->consumers[i + 1] && n < 2;
	    k++)
		if (s->consumer[k].place == c->place &&
		    s->consumer[k].out == c->out && (side == 0 ?
		    alike(m, s->consumer[k].node, other) :
		    alike(m, other, s->consumer[k].node)))
			n++;
	return n;
}

static void
pair_consumers(struct match *m, uint32_t a, uint32_t b)
{
	const struct graph_side *o = m->side[0], *n = m->side[1];
	const struct graph_consumer *x, *y;

	if (o->consumers[a + 1] - o->consumers[a] > FAN ||
	    n->consumers[b + 1] - n->consumers[b] > FAN)
		return;
	for (uint32_t j = o->consumers[a]; j < o->consumers[a + 1]; j++)
		for (uint32_t k = n->consumers[b]; k < n->consumers[b + 1];
		    k++) {
			x = &o->consumer[j];
			y = &n->consumer[k];
			if (x->place == y->place && x->out == y->out &&
			    alike(m, x->node, y->node) &&
			    rivals(m, 0, a, y, y->node) == 1 &&
			    rivals(m, 1, b, x, x->node) == 1)
				pair(m, x->node, y->node);
		}
}

/* From every new pair to its neighbours, and on from those. */
static void
spread(struct match *m)
{
	while (m->done < m->queued) {
		uint32_t a = m->queue[m->done++];

		pair_sources(m, a, m->side[0]->match[a]);
		pair_consumers(m, a, m->side[0]->match[a]);
	}
}

/* How many keys do both sides have, each once, of all that either has? */
static double
share(struct match *m, key_fn *key)
{
	size_t n[2] = {collect(m, 0, key), collect(m, 1, key)};
	const struct keyed *x = m->keyed[0], *y = m->keyed[1];
	size_t i = 0, j = 0, both = 0, least = n[0] < n[1] ? n[0] : n[1];

	while (i < n[0] && j < n[1]) {
		size_t a = run_of(x, n[0], i), b = run_of(y, n[1], j);
		bool equal = x[i].key == y[j].key;
		bool less = x[i].key < y[j].key;

		both += equal && a == 1 && b == 1;
		i += equal || less ? a : 0;
		j += equal || !less ? b : 0;
	}
	return least > 0 ? (double)both / (double)least : 0;
}

/* Do names agree where structure alone decides? */
static bool
names_hold(const struct match *m)
{
	const struct graph_side *s = m->side[0];
	size_t named = 0, agree = 0;

	for (uint32_t i = 1; i < s->o.nodes.count; i++) {
		uint32_t name = GRAPH_NODE_AT(s, i)->name;

		if (s->match[i] == 0 || name == 0)
			continue;
		named++;
		agree += name == GRAPH_NODE_AT(m->side[1],
		    s->match[i])->name;
	}
	return named == 0 || (double)agree >= TRUST * (double)named;
}

static void
run(struct match *m)
{
	key_fn *const narrower[] = {key_middle, key_near};

	if (share(m, key_named) >= TRUST)
		by_key(m, key_named, true);
	else
		by_key(m, key_wide, true);
	if (names_hold(m)) {
		by_key(m, key_name_wide, false);
		by_key(m, key_name_self, true);
		by_key(m, key_name_op, true);
	}
	by_key(m, key_wide, false);
	spread(m);
	for (unsigned i = 0; i < 2; i++) {
		by_key(m, narrower[i], false);
		spread(m);
	}
	by_key(m, key_name_self, true);
	by_key(m, key_name_op, true);
	spread(m);
	by_key(m, key_place, true);
	spread(m);
	by_key(m, key_self, false);
	by_key(m, key_name, true);
	by_key(m, key_place, true);
	spread(m);
}

int
graphmatch(struct graph_side *old, struct graph_side *new, struct arena *a,
    struct err *e)
{
	struct match m = {.side = {old, new}};

	for (unsigned i = 0; i < 2; i++)
		m.keyed[i] = arena_array(a, m.side[i]->o.nodes.count,
		    sizeof(**m.keyed));
	m.queue = arena_array(a, old->o.nodes.count, sizeof(*m.queue));
	if (m.keyed[0] == NULL || m.keyed[1] == NULL || m.queue == NULL)
		return err_set(e, ERR_NOMEM, "out of memory");
	run(&m);
	return 0;
}
