#include <stdlib.h>
#include <string.h>

#include "analyzer/diff/around_graph.h"
#include "analyzer/diff/docs.h"
#include "analyzer/diff/graphmatch.h"
#include "analyzer/diff/graphtell.h"
#include "base/arena.h"
#include "base/err.h"
#include "base/limits.h"

/*
 * Two ONNX models by what they compute.  Both are read into outlines
 * (formats/onnx_outline.h) with one table of names; nodes are paired by
 * structure and name (graphmatch.c); what is said of the model, its inputs
 * and outputs, its functions and then all nodes are compared, pair by pair
 * and value by value.  Pairs are guesses, what is told of them is not: each
 * pair is compared whole, and what has no pair is told.
 */
#define ARENA ((size_t)512 * MIB)	/* half a million nodes a side */

/* A value, or NULL, on each side. */
static int
tell_values(struct graphtell *t, const struct outline_value *x,
    const struct outline_value *y)
{
	if (x != NULL)
		buf_put(&t->text[ROW_OLD], x->text, x->len);
	if (y != NULL)
		buf_put(&t->text[ROW_NEW], y->text, y->len);
	return graphtell_row(t, x == NULL ? CHANGE_ADDED : y == NULL ?
	    CHANGE_REMOVED : CHANGE_CHANGED, x != NULL, y != NULL, NULL);
}

static int
same_value(const struct graphtell *t, const struct outline_value *x,
    const struct outline_value *y)
{
	return onnx_outline_same(t->side[ROW_OLD]->o.src, x,
	    t->side[ROW_NEW]->o.src, y, t->e);
}

static int
compare_keys(const void *a, const void *b)
{
	const struct outline_fact *x = *(const struct outline_fact *const *)a;
	const struct outline_fact *y = *(const struct outline_fact *const *)b;
	uint32_t n = x->key.n < y->key.n ? x->key.n : y->key.n;
	int c = memcmp(x->key.p, y->key.p, n);

	return c != 0 ? c : (x->key.n > y->key.n) - (x->key.n < y->key.n);
}

static int
by_key(const void *a, const void *b)
{
	int c = compare_keys(a, b);
	const struct outline_fact *x = *(const struct outline_fact *const *)a;
	const struct outline_fact *y = *(const struct outline_fact *const *)b;

	/* Of one key several: in the order of the file. */
	return c != 0 ? c : (x > y) - (x < y);
}

static const struct outline_fact **
sorted_facts(const struct graph_side *s, struct arena *a)
{
	const struct outline_fact **v = arena_array(a, s->o.facts.count,
	    sizeof(*v));

	if (v == NULL)
		return NULL;
	for (uint32_t i = 1; i < s->o.facts.count; i++)
		v[i - 1] = OUTLINE_AT(outline_fact, &s->o.facts, i);
	qsort(v, s->o.facts.count - 1, sizeof(*v), by_key);
	return v;
}

static int
tell_fact(struct graphtell *t, const struct outline_fact *x,
    const struct outline_fact *y)
{
	const struct outline_fact *any = y != NULL ? y : x;
	int r;

	if (x != NULL && y != NULL &&
	    (r = same_value(t, &x->value, &y->value)) != 0)
		return r < 0 ? r : 0;
	buf_put(&t->key, any->key.p, any->key.n);
	return tell_values(t, x != NULL ? &x->value : NULL, y != NULL ?
	    &y->value : NULL);
}

static int
compare_facts(struct graphtell *t, struct arena *a)
{
	const struct outline_fact **x = sorted_facts(t->side[ROW_OLD], a);
	const struct outline_fact **y = sorted_facts(t->side[ROW_NEW], a);
	uint32_t nx = t->side[ROW_OLD]->o.facts.count - 1;
	uint32_t ny = t->side[ROW_NEW]->o.facts.count - 1, i = 0, k = 0;
	int r = 0, c;

	if (x == NULL || y == NULL)
		return err_set(t->e, ERR_NOMEM, "out of memory");
	while (r >= 0 && (i < nx || k < ny)) {
		c = i == nx ? 1 : k == ny ? -1 : compare_keys(&x[i], &y[k]);
		r = tell_fact(t, c <= 0 ? x[i] : NULL, c >= 0 ? y[k] : NULL);
		i += c <= 0;
		k += c >= 0;
	}
	return r;
}

/* Entry of this kind and name in a scope; 0: none. */
static uint32_t
io_named(const struct graph_side *s, uint32_t scope,
    enum outline_io_kind kind, uint32_t name)
{
	for (uint32_t i = 1; i < s->o.ios.count; i++) {
		const struct outline_io *io = GRAPH_IO_AT(s, i);

		if (io->scope == scope && io->kind == kind &&
		    io->name == name)
			return i;
	}
	return 0;
}

static uint32_t
io_at(const struct graph_side *s, uint32_t scope, enum outline_io_kind kind,
    uint32_t place)
{
	for (uint32_t i = 1; i < s->o.ios.count; i++) {
		const struct outline_io *io = GRAPH_IO_AT(s, i);

		if (io->scope == scope && io->kind == kind &&
		    io->place == place)
			return i;
	}
	return 0;
}

/*
 * The entry of the other side that could be the same one: of its name, the one
 * at its place before others, or, where neither name is known there, the one
 * at its place.
 */
static uint32_t
io_like(const struct graphtell *t, enum row_side from, uint32_t i)
{
	const struct graph_side *s = t->side[from];
	const struct graph_side *other = t->side[from == ROW_OLD ? ROW_NEW :
	    ROW_OLD];
	const struct outline_io *io = GRAPH_IO_AT(s, i);
	uint32_t named = io_named(other, other->o.main, io->kind, io->name);
	uint32_t k = io_at(other, other->o.main, io->kind, io->place);

	if (k != 0 && GRAPH_IO_AT(other, k)->name == io->name)
		return k;
	if (named != 0)
		return named;
	return k != 0 && io_named(s, s->o.main, io->kind,
	    GRAPH_IO_AT(other, k)->name) == 0 ? k : 0;
}

/* ... when it thinks so too: a name may be there twice. */
static uint32_t
io_pair(const struct graphtell *t, enum row_side from, uint32_t i)
{
	uint32_t k = io_like(t, from, i);

	return k != 0 && io_like(t, from == ROW_OLD ? ROW_NEW : ROW_OLD,
	    k) == i ? k : 0;
}

static void
io_key(struct graphtell *t, const struct graph_side *s,
    const struct outline_io *io)
{
	buf_puts(&t->key, io->kind == OUTLINE_INPUT ? "input " : "output ");
	graphtell_name(&t->key, s, io->name);
}

static int
output_source(struct graphtell *t, const struct outline_io *x,
    const struct outline_io *y)
{
	struct graph_side *o = t->side[ROW_OLD], *n = t->side[ROW_NEW];
	struct graph_source a = graphside_find(o, x->scope, x->name);
	struct graph_source b = graphside_find(n, y->scope, y->name);

	/* An output that nothing defines is called as it is. */
	if (a.kind == GRAPH_UNKNOWN && b.kind == GRAPH_UNKNOWN)
		return 0;
	if (graphtell_same_source(t, &a, &b))
		return 0;
	io_key(t, n, y);
	buf_puts(&t->key, " source");
	graphtell_source(&t->text[ROW_OLD], o, &a);
	graphtell_source(&t->text[ROW_NEW], n, &b);
	return graphtell_row(t, CHANGE_CHANGED, true, true, NULL);
}

static int
compare_io(struct graphtell *t, const struct outline_io *x,
    const struct outline_io *y)
{
	struct graph_side *o = t->side[ROW_OLD], *n = t->side[ROW_NEW];
	int r;

	if (x->name != y->name) {
		io_key(t, n, y);
		graphtell_name(&t->text[ROW_OLD], o, x->name);
		graphtell_name(&t->text[ROW_NEW], n, y->name);
		if ((r = graphtell_row(t, CHANGE_MOVED, true, true,
		    NULL)) < 0)
			return r;
	}
	if ((r = same_value(t, &x->type, &y->type)) < 0)
		return r;
	if (r == 0) {
		io_key(t, n, y);
		if ((r = tell_values(t, &x->type, &y->type)) < 0)
			return r;
	}
	return x->kind == OUTLINE_OUTPUT ? output_source(t, x, y) : 0;
}

/* Inputs and outputs of the model; its graphs inside are in its nodes. */
static int
compare_ios(struct graphtell *t, enum outline_io_kind kind)
{
	struct graph_side *o = t->side[ROW_OLD], *n = t->side[ROW_NEW];
	unsigned looked = 0;
	int r = 0;

	for (unsigned side = 0; side < ROW_SIDES; side++) {
		struct graph_side *s = t->side[side == 0 ? ROW_NEW : ROW_OLD];

		for (uint32_t i = 1; i < s->o.ios.count && r >= 0; i++) {
			const struct outline_io *io = GRAPH_IO_AT(s, i);
			uint32_t k;

			if (io->kind != kind || io->scope != s->o.main ||
			    ++looked > AROUND_GRAPH_ROWS)
				continue;
			k = io_pair(t, s == n ? ROW_NEW : ROW_OLD, i);
			if (k != 0 && s == n)
				r = compare_io(t, GRAPH_IO_AT(o, k), io);
			if (k != 0)
				continue;
			io_key(t, s, io);
			r = tell_values(t, s == o ? &io->type : NULL,
			    s == n ? &io->type : NULL);
		}
	}
	return r;
}

static void
put_entries(struct buf *b, const struct graph_side *s, uint32_t scope,
    enum outline_io_kind kind)
{
	bool any = false;

	buf_putc(b, '(');
	for (uint32_t i = 1; i < s->o.ios.count; i++) {
		const struct outline_io *io = GRAPH_IO_AT(s, i);

		if (io->scope != scope || io->kind != kind)
			continue;
		if (any)
			buf_puts(b, ", ");
		any = true;
		graphtell_name(b, s, io->name);
	}
	buf_putc(b, ')');
}

static void
put_function(struct buf *b, const struct graph_side *s, uint32_t scope)
{
	const struct outline_attr *at;

	put_entries(b, s, scope, OUTLINE_INPUT);
	buf_puts(b, " -> ");
	put_entries(b, s, scope, OUTLINE_OUTPUT);
	for (uint32_t k = GRAPH_SCOPE_AT(s, scope)->attrs.first; k != 0;
	    k = at->next) {
		at = GRAPH_ATTR_AT(s, k);
		buf_puts(b, ", ");
		graphtell_name(b, s, at->name);
		buf_puts(b, " = ");
		buf_put(b, at->value.text, at->value.len);
	}
}

static uint32_t
function_like(const struct graph_side *s, uint64_t key)
{
	for (uint32_t i = 1; i < s->o.scopes.count; i++)
		if (GRAPH_SCOPE_AT(s, i)->body && s->scope_key[i] == key)
			return i;
	return 0;
}

static int
tell_function(struct graphtell *t, uint32_t old, uint32_t new)
{
	const struct graph_side *s = t->side[new != 0 ? ROW_NEW : ROW_OLD];
	const struct outline_scope *f = GRAPH_SCOPE_AT(s, new != 0 ? new :
	    old);

	if (old != 0)
		put_function(&t->text[ROW_OLD], t->side[ROW_OLD], old);
	if (new != 0)
		put_function(&t->text[ROW_NEW], t->side[ROW_NEW], new);
	if (old != 0 && new != 0 && t->text[0].len == t->text[1].len &&
	    memcmp(t->text[0].p, t->text[1].p, t->text[0].len) == 0) {
		buf_clear(&t->text[ROW_OLD]);
		buf_clear(&t->text[ROW_NEW]);
		return 0;
	}
	buf_puts(&t->key, "function ");
	graphtell_name(&t->key, s, f->domain);
	buf_putc(&t->key, '.');
	graphtell_name(&t->key, s, f->function);
	return graphtell_row(t, old == 0 ? CHANGE_ADDED : new == 0 ?
	    CHANGE_REMOVED : CHANGE_CHANGED, old != 0, new != 0, NULL);
}

static int
compare_functions(struct graphtell *t)
{
	struct graph_side *o = t->side[ROW_OLD], *n = t->side[ROW_NEW];
	unsigned looked = 0;
	int r = 0;

	for (uint32_t i = 1; i < n->o.scopes.count && r >= 0; i++)
		if (GRAPH_SCOPE_AT(n, i)->body &&
		    looked++ < AROUND_GRAPH_ROWS)
			r = tell_function(t, function_like(o,
			    n->scope_key[i]), i);
	for (uint32_t i = 1; i < o->o.scopes.count && r >= 0; i++)
		if (GRAPH_SCOPE_AT(o, i)->body &&
		    looked++ < 2 * AROUND_GRAPH_ROWS &&
		    function_like(n, o->scope_key[i]) == 0)
			r = tell_function(t, i, 0);
	return r;
}

static int
tell_cut(struct graphtell *t)
{
	static const char *const whole[] = {"whole", "in part"};

	if (!t->side[ROW_OLD]->o.cut && !t->side[ROW_NEW]->o.cut)
		return 0;
	buf_puts(&t->key, "graph not read to its end");
	buf_puts(&t->text[ROW_OLD], whole[t->side[ROW_OLD]->o.cut]);
	buf_puts(&t->text[ROW_NEW], whole[t->side[ROW_NEW]->o.cut]);
	return graphtell_row(t, CHANGE_CHANGED, true, true, NULL);
}

static int
compare(struct graphtell *t, struct arena *a)
{
	int r;

	if ((r = tell_cut(t)) < 0 || (r = compare_facts(t, a)) < 0 ||
	    (r = compare_functions(t)) < 0 ||
	    (r = compare_ios(t, OUTLINE_INPUT)) < 0 ||
	    (r = compare_ios(t, OUTLINE_OUTPUT)) < 0)
		return r;
	return graphnodes(t);
}

/* Nobody has such a graph; that it was not compared must be said. */
static int
tell_too_large(struct graphtell *t)
{
	buf_clear(&t->key);
	buf_clear(&t->text[ROW_OLD]);
	buf_clear(&t->text[ROW_NEW]);
	buf_puts(&t->key, "graph too large to be compared");
	return graphtell_row(t, CHANGE_CHANGED, false, false, NULL);
}

/* Both sides, whose tables are too large for a stack. */
struct both {
	struct outline_names names;
	struct graph_side side[ROW_SIDES];
};

static int
read_both(struct graphtell *t, const struct doc *old, const struct doc *new,
    struct arena *a)
{
	struct both *b = arena_alloc(a, sizeof(*b));
	int r;

	if (b == NULL)
		return err_set(t->e, ERR_NOMEM, "out of memory");
	t->side[ROW_OLD] = &b->side[ROW_OLD];
	t->side[ROW_NEW] = &b->side[ROW_NEW];
	if ((r = onnx_outline_names(&b->names, a, t->e)) < 0 ||
	    (r = graphside_read(t->side[ROW_OLD], old, &b->names, a,
	    t->e)) < 0 ||
	    (r = graphside_read(t->side[ROW_NEW], new, &b->names, a,
	    t->e)) < 0)
		return r;
	return graphmatch(t->side[ROW_OLD], t->side[ROW_NEW], a, t->e);
}

int
around_graph(const struct doc *old, const struct doc *new,
    const struct rows *rows, struct err *e)
{
	struct arena *a = arena_new(ARENA);
	struct graphtell t = {.rows = rows, .e = e,
	    .path = {new->path, new->path_len}};
	int r;

	if (a == NULL)
		return err_set(e, ERR_NOMEM, "out of memory");
	buf_init(&t.key, 2 * LIMIT_ONNX_NAME);
	buf_init(&t.text[0], 64 * KIB);
	buf_init(&t.text[1], 64 * KIB);
	if ((r = read_both(&t, old, new, a)) == 0)
		r = compare(&t, a);
	if (r == ERR_NOMEM) {
		err_reset(e);
		r = tell_too_large(&t);
	}
	buf_release(&t.key);
	buf_release(&t.text[0]);
	buf_release(&t.text[1]);
	arena_free(a);
	return r;
}
