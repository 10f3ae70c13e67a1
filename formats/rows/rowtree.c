#include <string.h>

#include "base/buf.h"
#include "base/bug.h"
#include "base/limits.h"
#include "base/text.h"
#include "formats/rows/rowtree.h"
#include "formats/rows/value.h"

#define DEPTH_MAX 128

void
rowtree_init(struct rowtree *t, struct arena *a)
{
	grow_init(&t->node, a);
	grow_init(&t->text, a);
	rowtree_clear(t);
}

void
rowtree_clear(struct rowtree *t)
{
	t->nodes = 0;
	t->text_len = 0;
	t->failed = false;
}

static struct rowtree_node *
nodes(const struct rowtree *t)
{
	return (struct rowtree_node *)(void *)t->node.p;
}

static struct rowtree_node *
add(struct rowtree *t, enum rowtree_kind kind, const uint8_t *name, size_t n)
{
	struct rowtree_node *node;
	size_t have = t->nodes * sizeof(*node);

	if (t->failed || t->nodes == LIMIT_ROWTREE_NODES ||
	    !grow_room(&t->node, have + sizeof(*node), have)) {
		t->failed = true;
		return NULL;
	}
	node = &nodes(t)[t->nodes++];
	*node = (struct rowtree_node){.kind = kind, .end = t->nodes,
	    .name = name, .name_len = n};
	return node;
}

uint32_t
rowtree_open(struct rowtree *t, enum rowtree_kind kind, const uint8_t *name,
    size_t n)
{
	uint32_t at = t->nodes;

	(void)add(t, kind, name, n);
	return at;
}

void
rowtree_close(struct rowtree *t, uint32_t node)
{
	if (!t->failed)
		nodes(t)[node].end = t->nodes;
}

void
rowtree_add(struct rowtree *t, const uint8_t *name, size_t n,
    const struct rows_value *v, bool copy)
{
	struct rowtree_node *node = add(t, ROWTREE_VALUE, name, n);

	if (node == NULL)
		return;
	node->v = *v;
	if (!copy || v->n == 0)
		return;
	if (!grow_room(&t->text, t->text_len + v->n, t->text_len)) {
		t->failed = true;
		return;
	}
	memcpy(t->text.p + t->text_len, v->p, v->n);
	node->own = true;
	node->v.u = t->text_len;
	t->text_len += v->n;
}

static struct rows_value
value_of(const struct rowtree *t, const struct rowtree_node *node)
{
	struct rows_value v = node->v;

	if (node->own) {
		v.p = t->text.p + v.u;
		v.u = 0;
	}
	return v;
}

uint32_t
rowtree_json(const struct rowtree *t, uint32_t node, struct buf *b)
{
	const struct rowtree_node *at = nodes(t);
	uint32_t open[DEPTH_MAX], i = node, stop;
	unsigned depth = 0;
	struct rows_value v;
	bool comma = false;

	if (t->failed || node >= t->nodes)
		return node;
	stop = at[node].end;
	for (;;) {
		while (depth > 0 && at[open[depth - 1]].end == i) {
			buf_putc(b, at[open[--depth]].kind == ROWTREE_LIST ?
			    ']' : '}');
			comma = true;
		}
		if (i == stop)
			return stop;
		if (comma)
			buf_putc(b, ',');
		comma = true;
		/* The name of the first node is its parent's to write. */
		if (at[i].name != NULL && i != node)
			value_key(b, at[i].name, at[i].name_len);
		if (at[i].kind == ROWTREE_VALUE) {
			v = value_of(t, &at[i]);
			value_json(b, &v);
			i = at[i].end;
			continue;
		}
		buf_putc(b, at[i].kind == ROWTREE_LIST ? '[' : '{');
		comma = false;
		BUG_ON(depth == DEPTH_MAX);
		open[depth++] = i++;
	}
}

/* The child with this name or number; its node, or 0. */
static uint32_t
child(const struct rowtree *t, uint32_t node, const char *name, size_t n)
{
	const struct rowtree_node *at = nodes(t);
	uint64_t want = 0, k = 0;

	if (at[node].kind == ROWTREE_LIST &&
	    !text_u64(name, n, 10, UINT32_MAX, &want))
		return 0;
	for (uint32_t i = node + 1; i < at[node].end; i = at[i].end, k++) {
		if (at[node].kind == ROWTREE_LIST ? k == want :
		    at[i].name != NULL && at[i].name_len == n &&
		    memcmp(at[i].name, name, n) == 0)
			return i;
	}
	return 0;
}

bool
rowtree_find(const struct rowtree *t, uint32_t node, const char *path,
    struct rows_value *ret, struct buf *scratch)
{
	const struct rowtree_node *at = nodes(t);
	size_t n = strlen(path);
	const char *dot;
	uint32_t to;

	memset(ret, 0, sizeof(*ret));
	if (t->failed || node >= t->nodes)
		return true;
	while (n > 0) {
		if (at[node].kind == ROWTREE_VALUE)
			return true;
		if ((to = child(t, node, path, n)) != 0) {
			node = to;
			break;
		}
		if ((dot = memchr(path, '.', n)) == NULL ||
		    (to = child(t, node, path, (size_t)(dot - path))) == 0)
			return true;
		n -= (size_t)(dot - path) + 1;
		path = dot + 1;
		node = to;
		if (n == 0)
			return true;
	}
	if (at[node].kind == ROWTREE_VALUE) {
		*ret = value_of(t, &at[node]);
		return true;
	}
	buf_clear(scratch);
	(void)rowtree_json(t, node, scratch);
	if (buf_failed(scratch))
		return false;
	ret->type = ROWS_TREE;
	ret->p = scratch->p;
	ret->n = scratch->len;
	return true;
}
