#include <stdlib.h>
#include <string.h>

#include "analyzer/diff/docs.h"
#include "analyzer/diff/graphside.h"
#include "base/arena.h"
#include "base/err.h"
#include "base/limits.h"

/*
 * Names are looked up by bisection among all definitions, so names that were
 * chosen to collide cost nothing.  Each round of labels is one pass over the
 * uses: a node hears of its consumers by a sum, which has no order.
 */
#define ROUNDS 8
static const unsigned radii[GRAPH_RADII] = {0, 1, 3, ROUNDS};

uint64_t
graphside_mix(uint64_t h, uint64_t v)
{
	h ^= v + 0x9e3779b97f4a7c15U + (h << 6) + (h >> 2);
	h ^= h >> 30;
	h *= 0xbf58476d1ce4e5b9U;
	h ^= h >> 27;
	h *= 0x94d049bb133111ebU;
	return h ^ h >> 31;
}

static uint64_t
mix_text(const char *p, size_t n)
{
	uint64_t h = n;

	for (size_t i = 0; i < n; i++)
		h = (h ^ (uint8_t)p[i]) * 0x100000001b3U;
	return graphside_mix(h, n);
}

bool
graphside_is_note(const struct graph_side *s, const struct outline_attr *attr)
{
	const struct outline_name n = onnx_outline_name(s->o.names,
	    attr->name);
	static const char *const notes[] = {"doc_string", "metadata_props["};
	size_t len;

	for (unsigned i = 0; i < 2; i++) {
		len = strlen(notes[i]);
		if (n.n >= len && memcmp(n.p, notes[i], len) == 0 &&
		    (i == 1 || n.n == len))
			return true;
	}
	return false;
}

/* By scope and name; of several the first in the file. */
static int
compare(const void *a, const void *b)
{
	const struct graph_def *x = a, *y = b;

	if (x->scope != y->scope)
		return x->scope < y->scope ? -1 : 1;
	if (x->name != y->name)
		return x->name < y->name ? -1 : 1;
	if (x->what.kind != y->what.kind)
		return x->what.kind < y->what.kind ? -1 : 1;
	return (x->what.index > y->what.index) -
	    (x->what.index < y->what.index);
}

static void
define(struct graph_side *s, uint32_t scope, uint32_t name,
    enum graph_source_kind kind, uint32_t index, uint32_t out)
{
	struct graph_def *d = &s->def[s->defs];

	if (name == 0)
		return;
	d->scope = scope;
	d->name = name;
	d->what = (struct graph_source){kind, index, out};
	s->defs++;
}

static int
define_all(struct graph_side *s, struct arena *a, struct err *e)
{
	const struct outline_use *u;
	uint32_t out;

	s->def = arena_array(a, (size_t)s->o.ios.count + s->o.uses.count,
	    sizeof(*s->def));
	if (s->def == NULL)
		return err_set(e, ERR_NOMEM, "out of memory");
	for (uint32_t i = 1; i < s->o.ios.count; i++) {
		const struct outline_io *io = GRAPH_IO_AT(s, i);

		if (io->kind != OUTLINE_OUTPUT)
			define(s, io->scope, io->name,
			    io->kind == OUTLINE_INPUT ? GRAPH_INPUT :
			    GRAPH_INITIALIZER, i, 0);
	}
	for (uint32_t i = 1; i < s->o.nodes.count; i++) {
		const struct outline_node *n = GRAPH_NODE_AT(s, i);

		out = 0;
		for (uint32_t k = n->out.first; k != 0; k = u->next) {
			u = GRAPH_USE_AT(s, k);
			define(s, n->scope, u->name, GRAPH_NODE, i, out++);
		}
	}
	qsort(s->def, s->defs, sizeof(*s->def), compare);
	return 0;
}

static const struct graph_def *
find_in(const struct graph_side *s, uint32_t scope, uint32_t name)
{
	size_t from = 0, to = s->defs, mid;

	while (from < to) {
		mid = from + (to - from) / 2;
		if (s->def[mid].scope < scope || (s->def[mid].scope == scope &&
		    s->def[mid].name < name))
			from = mid + 1;
		else
			to = mid;
	}
	return from < s->defs && s->def[from].scope == scope &&
	    s->def[from].name == name ? &s->def[from] : NULL;
}

struct graph_source
graphside_find(const struct graph_side *s, uint32_t scope, uint32_t name)
{
	const struct graph_source nothing = {GRAPH_NOTHING, 0, 0};
	const struct graph_source unknown = {GRAPH_UNKNOWN, name, 0};
	const struct graph_def *d;

	if (name == 0)
		return nothing;
	for (; scope != 0; scope = GRAPH_SCOPE_AT(s, scope)->parent)
		if ((d = find_in(s, scope, name)) != NULL)
			return d->what;
	return unknown;
}

static int
resolve(struct graph_side *s, struct arena *a, struct err *e)
{
	const struct outline_use *u;

	s->source = arena_array(a, s->o.uses.count, sizeof(*s->source));
	if (s->source == NULL)
		return err_set(e, ERR_NOMEM, "out of memory");
	for (uint32_t i = 1; i < s->o.nodes.count; i++) {
		const struct outline_node *n = GRAPH_NODE_AT(s, i);

		for (uint32_t k = n->in.first; k != 0; k = u->next) {
			u = GRAPH_USE_AT(s, k);
			s->source[k] = graphside_find(s, n->scope, u->name);
		}
	}
	return 0;
}

/* Who takes what of whom, in the order of the file. */
static int
find_consumers(struct graph_side *s, struct arena *a, struct err *e)
{
	const uint32_t n = s->o.nodes.count;
	uint32_t *at = arena_array(a, (size_t)n + 2, sizeof(*at)), place;
	const struct outline_use *u;

	s->consumers = arena_array(a, (size_t)n + 2, sizeof(*at));
	s->consumer = arena_array(a, s->o.uses.count, sizeof(*s->consumer));
	if (at == NULL || s->consumers == NULL || s->consumer == NULL)
		return err_set(e, ERR_NOMEM, "out of memory");
	for (uint32_t k = 1; k < s->o.uses.count; k++)
		if (s->source[k].kind == GRAPH_NODE)
			s->consumers[s->source[k].index + 1]++;
	for (uint32_t i = 1; i <= n; i++)
		s->consumers[i] += s->consumers[i - 1];
	memcpy(at, s->consumers, ((size_t)n + 1) * sizeof(*at));
	for (uint32_t i = 1; i < n; i++) {
		place = 0;
		for (uint32_t k = GRAPH_NODE_AT(s, i)->in.first; k != 0;
		    k = u->next, place++) {
			u = GRAPH_USE_AT(s, k);
			if (s->source[k].kind == GRAPH_NODE)
				s->consumer[at[s->source[k].index]++] =
				    (struct graph_consumer){i, place,
				    s->source[k].out};
		}
	}
	return 0;
}

/* Graphs in nodes of the same kind, under the same attributes, are alike. */
static void
key_scopes(struct graph_side *s)
{
	for (uint32_t i = 1; i < s->o.scopes.count; i++) {
		const struct outline_scope *c = GRAPH_SCOPE_AT(s, i);
		uint64_t h = 1;

		if (c->body) {
			h = graphside_mix(2, c->function);
			h = graphside_mix(h, c->domain);
			h = graphside_mix(h, c->overload);
		} else if (c->parent != 0 && c->parent < i) {
			h = graphside_mix(s->scope_key[c->parent],
			    GRAPH_NODE_AT(s, c->node)->op);
			h = graphside_mix(h, GRAPH_ATTR_AT(s, c->attr)->name);
		}
		s->scope_key[i] = h;
	}
}

/* What a node is by itself; attributes have no order. */
static uint64_t
first_label(const struct graph_side *s, uint32_t i)
{
	const struct outline_node *n = GRAPH_NODE_AT(s, i);
	uint64_t h = graphside_mix(s->scope_key[n->scope], n->op), sum = 0;
	const struct outline_attr *t;

	h = graphside_mix(h, n->domain);
	h = graphside_mix(h, n->overload);
	h = graphside_mix(h, n->in.count);
	h = graphside_mix(h, n->out.count);
	for (uint32_t k = n->attrs.first; k != 0; k = t->next) {
		t = GRAPH_ATTR_AT(s, k);
		if (!graphside_is_note(s, t))
			sum += graphside_mix(graphside_mix(t->name,
			    mix_text(t->value.text, t->value.len)),
			    t->value.whole ? 0 : t->value.size);
	}
	return graphside_mix(h, sum);
}

static uint64_t
source_label(const struct graph_side *s, const uint64_t *label,
    const struct graph_source *g)
{
	uint64_t h = graphside_mix(3, g->kind);

	if (g->kind == GRAPH_NODE)
		return graphside_mix(graphside_mix(h, label[g->index]),
		    g->out);
	if (g->kind == GRAPH_INPUT || g->kind == GRAPH_INITIALIZER) {
		const struct outline_io *io = GRAPH_IO_AT(s, g->index);

		return graphside_mix(h, mix_text(io->type.text,
		    io->type.len));
	}
	return h;
}

/* One step further: from ${label} to ${next}; ${sum} is scratch. */
static void
widen(const struct graph_side *s, const uint64_t *label, uint64_t *next,
    uint64_t *sum)
{
	const struct outline_use *u;
	uint32_t place;
	uint64_t h;

	memset(sum, 0, s->o.nodes.count * sizeof(*sum));
	for (uint32_t i = 1; i < s->o.ios.count; i++) {
		const struct outline_io *io = GRAPH_IO_AT(s, i);
		struct graph_source g;

		if (io->kind != OUTLINE_OUTPUT)
			continue;
		g = graphside_find(s, io->scope, io->name);
		if (g.kind == GRAPH_NODE)
			sum[g.index] += graphside_mix(graphside_mix(5,
			    io->place), g.out);
	}
	for (uint32_t i = 1; i < s->o.nodes.count; i++) {
		h = label[i];
		place = 0;
		for (uint32_t k = GRAPH_NODE_AT(s, i)->in.first; k != 0;
		    k = u->next, place++) {
			const struct graph_source *g = &s->source[k];

			u = GRAPH_USE_AT(s, k);
			h = graphside_mix(h, source_label(s, label, g));
			if (g->kind == GRAPH_NODE)
				sum[g->index] += graphside_mix(graphside_mix(
				    label[i], place), g->out);
		}
		next[i] = h;
	}
	for (uint32_t i = 1; i < s->o.nodes.count; i++)
		next[i] = graphside_mix(next[i], sum[i]);
}

static int
make_labels(struct graph_side *s, struct arena *a, struct err *e)
{
	const size_t n = s->o.nodes.count;
	uint64_t *at[2], *sum = arena_array(a, n, sizeof(*sum));
	unsigned kept = 0;

	for (unsigned i = 0; i < 2; i++)
		if ((at[i] = arena_array(a, n, sizeof(**at))) == NULL)
			return err_set(e, ERR_NOMEM, "out of memory");
	for (unsigned i = 0; i < GRAPH_RADII; i++)
		if ((s->label[i] = arena_array(a, n, sizeof(**at))) == NULL)
			return err_set(e, ERR_NOMEM, "out of memory");
	if (sum == NULL)
		return err_set(e, ERR_NOMEM, "out of memory");
	for (uint32_t i = 1; i < n; i++)
		at[0][i] = first_label(s, i);
	for (unsigned r = 0; r <= ROUNDS; r++) {
		if (r == radii[kept])
			memcpy(s->label[kept++], at[r % 2], n * sizeof(*sum));
		if (r < ROUNDS)
			widen(s, at[r % 2], at[(r + 1) % 2], sum);
	}
	return 0;
}

int
graphside_read(struct graph_side *s, const struct doc *doc,
    struct outline_names *names, struct arena *a, struct err *e)
{
	int r;

	memset(s, 0, sizeof(*s));
	s->doc = doc;
	if ((r = onnx_outline_read(doc->src, names, a, &s->o, e)) < 0)
		return r;
	s->scope_key = arena_array(a, s->o.scopes.count,
	    sizeof(*s->scope_key));
	s->match = arena_array(a, s->o.nodes.count, sizeof(*s->match));
	if (s->scope_key == NULL || s->match == NULL)
		return err_set(e, ERR_NOMEM, "out of memory");
	key_scopes(s);
	if ((r = define_all(s, a, e)) < 0 || (r = resolve(s, a, e)) < 0 ||
	    (r = find_consumers(s, a, e)) < 0)
		return r;
	return make_labels(s, a, e);
}
