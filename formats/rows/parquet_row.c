#include <string.h>

#include "formats/rows/parquet.h"
#include "formats/rows/rowtree.h"

/*
 * A row from the levels of its columns (Dremel, section 4).
 *
 * All columns below a node have an entry for each time the node, or the
 * nearest one above it that is not there, occurs.  So the first column below
 * says whether a node is there, and how often; the others must say the same,
 * and their repetition levels too: a hostile file can make them differ, and
 * then they would be put together in a way that depends on the reader.
 *
 * LIST and MAP (LogicalTypes.md) have a repeated group in between that is not
 * shown; of lists, the older forms without it are known by the rules of that
 * document.  A map with text keys is an object, others a list of objects.
 *
 * Recursion is bounded by LIMIT_PARQUET_DEPTH.
 */
struct build {
	const struct parquet_meta *m;
	struct parquet_column *column;
	struct rowtree *t;
};

static bool field(struct build *b, uint32_t i, const uint8_t *name, size_t n,
    uint8_t rep);
static bool value(struct build *b, uint32_t i, const uint8_t *name, size_t n,
    uint8_t rep);

/* The entry of the first column below a node; NULL: it has no more. */
static const struct parquet_entry *
peek(const struct build *b, uint32_t i)
{
	return parquet_column_entry(&b->column[b->m->node[i].leaf]);
}

/* The node is not there: an entry of each column below says so. */
static bool
pass(struct build *b, uint32_t i, uint8_t rep)
{
	const struct parquet_node *at = b->m->node;
	const struct parquet_entry *entry;
	uint8_t max = at[i].max_def;

	for (uint32_t k = i; k < at[i].end; k++) {
		if (at[k].type == PARQUET_GROUP)
			continue;
		if ((entry = peek(b, k)) == NULL || entry->rep != rep ||
		    entry->def >= max)
			return false;
		b->column[at[k].leaf].cur++;
	}
	return true;
}

static bool
leaf(struct build *b, uint32_t i, const uint8_t *name, size_t n, uint8_t rep)
{
	const struct parquet_node *node = &b->m->node[i];
	const struct parquet_entry *entry = peek(b, i);
	char text[PARQUET_SHOW];
	struct rows_value v;

	if (entry == NULL || entry->rep != rep || entry->def != node->max_def)
		return false;
	parquet_show(node, &entry->v, &v, text);
	rowtree_add(b->t, name, n, &v, v.n > 0 &&
	    (const char *)v.p >= text && (const char *)v.p < text +
	    sizeof(text));
	b->column[node->leaf].cur++;
	return true;
}

/* One element of a repeated node. */
typedef bool (*element_fn)(struct build *b, uint32_t i, uint8_t rep);

static bool
repeat(struct build *b, uint32_t i, uint8_t rep, element_fn element)
{
	const struct parquet_node *node = &b->m->node[i];
	const struct parquet_entry *entry = peek(b, i);

	if (entry == NULL)
		return false;
	if (entry->def < node->max_def)
		return pass(b, i, rep);
	do {
		if (b->t->failed || !element(b, i, rep))
			return false;
		rep = node->max_rep;
		entry = peek(b, i);
	} while (entry != NULL && entry->rep == rep);
	return entry == NULL || entry->rep < rep;
}

/* The repeated node itself is the element. */
static bool
element_self(struct build *b, uint32_t i, uint8_t rep)
{
	return value(b, i, NULL, 0, rep);
}

/* The repeated group's only child is. */
static bool
element_child(struct build *b, uint32_t i, uint8_t rep)
{
	return field(b, i + 1, NULL, 0, rep);
}

/* A pair of a map whose keys are text. */
static bool
element_pair(struct build *b, uint32_t i, uint8_t rep)
{
	const struct parquet_node *key = &b->m->node[i + 1];
	const struct parquet_entry *entry = peek(b, i + 1);
	const uint8_t *name = (const uint8_t *)"";
	size_t n = 0;

	if (entry == NULL || entry->rep != rep)
		return false;
	if (entry->def == key->max_def && entry->v.n > 0) {
		name = entry->v.p;
		n = entry->v.n;
	}
	b->column[key->leaf].cur++;
	return field(b, i + 2, name, n, rep);
}

static bool
named(const struct parquet_node *node, const char *name, size_t n)
{
	return node->name_len == n && memcmp(node->name, name, n) == 0;
}

/* "Backward-compatibility rules" of LogicalTypes.md. */
static bool
is_element(const struct parquet_node *list, const struct parquet_node *node)
{
	static const char tuple[] = "_tuple";
	size_t n = sizeof(tuple) - 1;

	if (node->children != 1 || named(node, "array", 5) ||
	    node[1].repetition == PARQUET_REPEATED)
		return true;
	return node->name_len == list->name_len + n &&
	    memcmp(node->name, list->name, list->name_len) == 0 &&
	    memcmp(node->name + list->name_len, tuple, n) == 0;
}

static bool
group(struct build *b, uint32_t i, const uint8_t *name, size_t n, uint8_t rep)
{
	const struct parquet_node *node = &b->m->node[i], *at = b->m->node;
	enum rowtree_kind kind = ROWTREE_LIST;
	element_fn element = element_self;
	uint32_t open;
	bool ok = true;

	if (node->kind == PARQUET_AS_IS || node->children != 1 ||
	    node[1].repetition != PARQUET_REPEATED) {
		open = rowtree_open(b->t, ROWTREE_OBJECT, name, n);
		for (uint32_t k = i + 1; ok && k < node->end; k = at[k].end)
			ok = field(b, k, at[k].name, at[k].name_len, rep);
		rowtree_close(b->t, open);
		return ok;
	}
	if (node->kind == PARQUET_LIST) {
		if (!is_element(node, &node[1]))
			element = element_child;
	} else if (node[1].children == 2 && node[2].kind == PARQUET_TEXT &&
	    node[2].children == 0 &&
	    node[2].repetition != PARQUET_REPEATED) {
		kind = ROWTREE_OBJECT;
		element = element_pair;
	}
	open = rowtree_open(b->t, kind, name, n);
	ok = repeat(b, i + 1, rep, element);
	rowtree_close(b->t, open);
	return ok;
}

/* A node that is there, whether it may repeat or not. */
static bool
value(struct build *b, uint32_t i, const uint8_t *name, size_t n, uint8_t rep)
{
	return b->m->node[i].type == PARQUET_GROUP ?
	    group(b, i, name, n, rep) : leaf(b, i, name, n, rep);
}

static bool
field(struct build *b, uint32_t i, const uint8_t *name, size_t n, uint8_t rep)
{
	const struct parquet_node *node = &b->m->node[i];
	const struct rows_value null = {.type = ROWS_NULL};
	const struct parquet_entry *entry;
	uint32_t open;
	bool ok;

	if (node->repetition == PARQUET_REPEATED) {
		open = rowtree_open(b->t, ROWTREE_LIST, name, n);
		ok = repeat(b, i, rep, element_self);
		rowtree_close(b->t, open);
		return ok;
	}
	if ((entry = peek(b, i)) == NULL)
		return false;
	if (entry->def >= node->max_def)
		return value(b, i, name, n, rep);
	rowtree_add(b->t, name, n, &null, false);
	return pass(b, i, rep);
}

bool
parquet_row_build(const struct parquet_meta *m, struct parquet_column *column,
    uint32_t at, struct rowtree *t)
{
	const struct parquet_node *node = m->node;
	struct build b = {m, column, t};

	for (uint32_t k = at; k < node[at].end; k++)
		column[node[k].leaf].cur = 0;
	if (!field(&b, at, node[at].name, node[at].name_len, 0))
		return false;
	for (uint32_t k = at; k < node[at].end; k++)
		if (node[k].type != PARQUET_GROUP && peek(&b, k) != NULL)
			return false;
	return true;
}
