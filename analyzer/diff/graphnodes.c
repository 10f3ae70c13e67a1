#include <stdlib.h>

#include "analyzer/diff/around_graph.h"
#include "analyzer/diff/graphtell.h"
#include "base/err.h"

/*
 * Rows of nodes, in the order of NEW's file, each pair compared whole:
 * operator, attributes by name, what goes into each input.  Then what OLD
 * alone has.
 */
#define ATTRS 256	/* of one node that are compared; real ones have 20 */
#define INPUTS 4096

static void
begin_key(struct graphtell *t, uint32_t i)
{
	buf_puts(&t->key, "node ");
	graphtell_node_name(&t->key, t->side[ROW_NEW], i);
}

static void
put_op(struct buf *b, const struct graph_side *s, const struct outline_node *n)
{
	if (n->domain != 0) {
		graphtell_name(b, s, n->domain);
		buf_putc(b, '.');
	}
	graphtell_name(b, s, n->op);
	if (n->overload != 0) {
		buf_putc(b, ':');
		graphtell_name(b, s, n->overload);
	}
}

/* "Conv(relu1 (Relu), initializer w F32[3,3])" */
static void
put_call(struct buf *b, const struct graph_side *s, uint32_t i)
{
	const struct outline_node *n = GRAPH_NODE_AT(s, i);
	unsigned shown = 0;

	put_op(b, s, n);
	buf_putc(b, '(');
	for (uint32_t k = n->in.first; k != 0; k = GRAPH_USE_AT(s, k)->next) {
		if (shown > 0)
			buf_puts(b, ", ");
		if (++shown > 16) {
			buf_puts(b, "...");
			break;
		}
		graphtell_source(b, s, &s->source[k]);
	}
	buf_putc(b, ')');
}

static int
alone(struct graphtell *t, enum row_side side, uint32_t i)
{
	buf_puts(&t->key, "node ");
	graphtell_node_name(&t->key, t->side[side], i);
	put_call(&t->text[side], t->side[side], i);
	return graphtell_node(t, side == ROW_OLD ? CHANGE_REMOVED :
	    CHANGE_ADDED, side == ROW_OLD, side == ROW_NEW);
}

static int
tell_attr(struct graphtell *t, uint32_t i, const struct outline_attr *x,
    const struct outline_attr *y)
{
	const struct outline_attr *any = y != NULL ? y : x;

	begin_key(t, i);
	buf_puts(&t->key, " attribute ");
	graphtell_name(&t->key, t->side[ROW_NEW], any->name);
	if (x != NULL)
		buf_put(&t->text[ROW_OLD], x->value.text, x->value.len);
	if (y != NULL)
		buf_put(&t->text[ROW_NEW], y->value.text, y->value.len);
	return graphtell_node(t, x == NULL ? CHANGE_ADDED : y == NULL ?
	    CHANGE_REMOVED : CHANGE_CHANGED, x != NULL, y != NULL);
}

static int
by_name(const void *a, const void *b)
{
	const struct outline_attr *x = *(const struct outline_attr *const *)a;
	const struct outline_attr *y = *(const struct outline_attr *const *)b;

	return (x->name > y->name) - (x->name < y->name);
}

/* The attributes by name; of one name all, in the order of the file. */
static unsigned
take_attrs(const struct graph_side *s, const struct outline_list *l,
    const struct outline_attr **v)
{
	unsigned n = 0;

	for (uint32_t k = l->first; k != 0 && n < ATTRS;
	    k = GRAPH_ATTR_AT(s, k)->next)
		v[n++] = GRAPH_ATTR_AT(s, k);
	qsort(v, n, sizeof(*v), by_name);
	return n;
}

static int
compare_attrs(struct graphtell *t, uint32_t i, const struct outline_list *x,
    const struct outline_list *y)
{
	const struct outline_attr *v[ROW_SIDES][ATTRS];
	const struct graph_side *o = t->side[ROW_OLD], *n = t->side[ROW_NEW];
	unsigned nx = take_attrs(o, x, v[0]), ny = take_attrs(n, y, v[1]);
	unsigned j = 0, k = 0;
	int r = 0;

	while (r >= 0 && (j < nx || k < ny)) {
		if (k == ny || (j < nx && v[0][j]->name < v[1][k]->name)) {
			r = tell_attr(t, i, v[0][j++], NULL);
		} else if (j == nx || v[1][k]->name < v[0][j]->name) {
			r = tell_attr(t, i, NULL, v[1][k++]);
		} else {
			r = onnx_outline_same(o->o.src, &v[0][j]->value,
			    n->o.src, &v[1][k]->value, t->e);
			if (r == 0)
				r = tell_attr(t, i, v[0][j], v[1][k]);
			j++;
			k++;
		}
	}
	return r < 0 ? r : 0;
}

static int
compare_inputs(struct graphtell *t, uint32_t a, uint32_t b)
{
	const struct graph_source nothing = {GRAPH_NOTHING, 0, 0}, *x, *y;
	const struct graph_side *o = t->side[ROW_OLD], *n = t->side[ROW_NEW];
	uint32_t j = GRAPH_NODE_AT(o, a)->in.first;
	uint32_t k = GRAPH_NODE_AT(n, b)->in.first;
	int r = 0;

	for (unsigned i = 0; (j != 0 || k != 0) && i < INPUTS && r >= 0;
	    i++) {
		x = j != 0 ? &o->source[j] : &nothing;
		y = k != 0 ? &n->source[k] : &nothing;
		if (!graphtell_same_source(t, x, y)) {
			begin_key(t, b);
			buf_printf(&t->key, " input %u", i);
			graphtell_source(&t->text[ROW_OLD], o, x);
			graphtell_source(&t->text[ROW_NEW], n, y);
			r = graphtell_node(t, CHANGE_CHANGED, true, true);
		}
		j = j != 0 ? GRAPH_USE_AT(o, j)->next : 0;
		k = k != 0 ? GRAPH_USE_AT(n, k)->next : 0;
	}
	return r;
}

static int
compare_pair(struct graphtell *t, uint32_t a, uint32_t b)
{
	const struct outline_node *x = GRAPH_NODE_AT(t->side[ROW_OLD], a);
	const struct outline_node *y = GRAPH_NODE_AT(t->side[ROW_NEW], b);
	int r = 0;

	t->pairs++;
	t->renamed += x->name != y->name;
	if (x->op != y->op || x->domain != y->domain ||
	    x->overload != y->overload) {
		begin_key(t, b);
		put_call(&t->text[ROW_OLD], t->side[ROW_OLD], a);
		put_call(&t->text[ROW_NEW], t->side[ROW_NEW], b);
		r = graphtell_node(t, CHANGE_CHANGED, true, true);
	}
	if (r >= 0 && x->out.count != y->out.count) {
		begin_key(t, b);
		buf_puts(&t->key, " outputs");
		buf_printf(&t->text[ROW_OLD], "%u", x->out.count);
		buf_printf(&t->text[ROW_NEW], "%u", y->out.count);
		r = graphtell_node(t, CHANGE_CHANGED, true, true);
	}
	if (r >= 0)
		r = compare_attrs(t, b, &x->attrs, &y->attrs);
	return r < 0 ? r : compare_inputs(t, a, b);
}

static int
tell_rest(struct graphtell *t)
{
	uint64_t all = 0;
	struct basis more;
	int r;

	for (unsigned i = 0; i < CHANGE_WHATS; i++)
		all += t->in_all[i];
	if (all == t->listed)
		return 0;
	basis_init(&more);
	basis_u64(&more, "listed", t->listed);
	basis_u64(&more, "in_all", all);
	for (unsigned i = 0; i < CHANGE_WHATS; i++)
		basis_u64(&more, change_what_name((enum change_what)i),
		    t->in_all[i]);
	buf_puts(&t->key, "nodes not listed");
	buf_printf(&t->text[ROW_NEW], "%llu",
	    (unsigned long long)(all - t->listed));
	r = graphtell_row(t, CHANGE_CHANGED, false, true, &more);
	basis_release(&more);
	return r;
}

static int
tell_renamed(struct graphtell *t)
{
	struct basis more;
	int r;

	if (t->renamed == 0)
		return 0;
	basis_init(&more);
	basis_u64(&more, "renamed", t->renamed);
	basis_u64(&more, "pairs", t->pairs);
	buf_puts(&t->key, "node names");
	buf_printf(&t->text[ROW_NEW], "%llu of %llu have another name",
	    (unsigned long long)t->renamed, (unsigned long long)t->pairs);
	r = graphtell_row(t, CHANGE_MOVED, false, true, &more);
	basis_release(&more);
	return r;
}

int
graphnodes(struct graphtell *t)
{
	struct graph_side *o = t->side[ROW_OLD], *n = t->side[ROW_NEW];
	int r = 0;

	for (uint32_t i = 1; i < n->o.nodes.count && r >= 0; i++)
		r = n->match[i] == 0 ? alone(t, ROW_NEW, i) :
		    compare_pair(t, n->match[i], i);
	for (uint32_t i = 1; i < o->o.nodes.count && r >= 0; i++)
		if (o->match[i] == 0)
			r = alone(t, ROW_OLD, i);
	if (r >= 0)
		r = tell_rest(t);
	return r < 0 ? r : tell_renamed(t);
}
