#include "analyzer/diff/around_graph.h"
#include "analyzer/diff/graphtell.h"
#include "base/err.h"

static struct row_text
text_of(const struct buf *b, bool has)
{
	struct row_text r = {NULL, 0};

	if (has) {
		r.p = b->p != NULL ? (const char *)b->p : "";
		r.n = b->len;
	}
	return r;
}

int
graphtell_row(struct graphtell *t, enum change_what what, bool has_old,
    bool has_new, struct basis *more)
{
	struct row_change row = {.area = CHANGE_GRAPH, .what = what,
	    .path = t->path, .key = text_of(&t->key, true),
	    .old = text_of(&t->text[ROW_OLD], has_old),
	    .new = text_of(&t->text[ROW_NEW], has_new), .more = more};
	struct basis none;
	int r;

	basis_init(&none);
	if (more == NULL)
		row.more = &none;
	r = t->rows->change(t->rows->ctx, &row);
	basis_release(&none);
	buf_clear(&t->key);
	buf_clear(&t->text[ROW_OLD]);
	buf_clear(&t->text[ROW_NEW]);
	return r;
}

int
graphtell_node(struct graphtell *t, enum change_what what, bool has_old,
    bool has_new)
{
	t->in_all[what]++;
	if (t->listed < AROUND_GRAPH_ROWS) {
		t->listed++;
		return graphtell_row(t, what, has_old, has_new, NULL);
	}
	buf_clear(&t->key);
	buf_clear(&t->text[ROW_OLD]);
	buf_clear(&t->text[ROW_NEW]);
	return 0;
}

void
graphtell_name(struct buf *b, const struct graph_side *s, uint32_t name)
{
	const struct outline_name n = onnx_outline_name(s->o.names, name);

	buf_put(b, n.p, n.n);
}

void
graphtell_node_name(struct buf *b, const struct graph_side *s, uint32_t i)
{
	const struct outline_node *n = GRAPH_NODE_AT(s, i);
	uint32_t name = n->name;

	if (name == 0 && n->out.first != 0)
		name = GRAPH_USE_AT(s, n->out.first)->name;
	if (name != 0)
		graphtell_name(b, s, name);
	else
		buf_printf(b, "#%u", i);
}

void
graphtell_source(struct buf *b, const struct graph_side *s,
    const struct graph_source *g)
{
	const struct outline_io *io;

	switch (g->kind) {
	case GRAPH_NODE:
		graphtell_node_name(b, s, g->index);
		if (g->out > 0)
			buf_printf(b, ":%u", g->out);
		buf_puts(b, " (");
		graphtell_name(b, s, GRAPH_NODE_AT(s, g->index)->op);
		buf_putc(b, ')');
		return;
	case GRAPH_INPUT:
	case GRAPH_INITIALIZER:
		io = GRAPH_IO_AT(s, g->index);
		buf_puts(b, g->kind == GRAPH_INPUT ? "input " :
		    "initializer ");
		graphtell_name(b, s, io->name);
		if (io->type.len > 0)
			buf_putc(b, ' ');
		buf_put(b, io->type.text, io->type.len);
		return;
	case GRAPH_UNKNOWN:
		buf_puts(b, "undefined ");
		graphtell_name(b, s, g->index);
		return;
	case GRAPH_NOTHING:
	default:
		buf_puts(b, "nothing");
		return;
	}
}

/* Is there, in the scope of the entry, an initializer of this name? */
static bool
has_initializer(const struct graph_side *s, const struct outline_io *like,
    const struct graph_side *of, uint32_t name)
{
	uint32_t scope = s == of ? like->scope : s->o.main;

	return graphside_find(s, scope, name).kind == GRAPH_INITIALIZER;
}

/*
 * Initializers and inputs of other names are the same when neither name is
 * known on the other side and their types are equal: an exporter's doing.
 * When a name went to another node, weights were exchanged.
 */
static bool
same_entry(const struct graphtell *t, const struct graph_source *x,
    const struct graph_source *y)
{
	const struct graph_side *o = t->side[ROW_OLD], *n = t->side[ROW_NEW];
	const struct outline_io *a = GRAPH_IO_AT(o, x->index);
	const struct outline_io *b = GRAPH_IO_AT(n, y->index);

	if (a->name == b->name)
		return true;
	if (x->kind == GRAPH_INPUT)
		return a->place == b->place;
	return a->type.len == b->type.len && a->type.whole == b->type.whole &&
	    onnx_outline_same(o->o.src, &a->type, n->o.src, &b->type,
	    NULL) == 1 && !has_initializer(n, a, o, a->name) &&
	    !has_initializer(o, b, n, b->name);
}

bool
graphtell_same_source(const struct graphtell *t, const struct graph_source *x,
    const struct graph_source *y)
{
	if (x->kind != y->kind)
		return false;
	if (x->kind == GRAPH_NODE)
		return x->out == y->out &&
		    t->side[ROW_OLD]->match[x->index] == y->index;
	if (x->kind == GRAPH_INPUT || x->kind == GRAPH_INITIALIZER)
		return same_entry(t, x, y);
	return x->kind == GRAPH_NOTHING || x->index == y->index;
}
