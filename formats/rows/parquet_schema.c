#include "base/arena.h"
#include "base/err.h"
#include "base/limits.h"
#include "formats/rows/parquet.h"
#include "formats/rows/rows.h"
#include "formats/rows/thrift.h"

/*
 * The schema (parquet.thrift, SchemaElement; LogicalTypes.md): a tree in the
 * order of its nodes, each with the number of its children.  What a type
 * means is said twice, by the old converted type and by the logical type;
 * where they differ, the logical one counts.
 */
static int
bad(const struct parquet_meta *m, uint64_t off, const char *why,
    struct err *e)
{
	return rows_bad(m->p, 0, off, why, e);
}

/* What a node says of itself, before it is known what it means. */
struct raw_node {
	int64_t type, width, repetition, children, converted, scale;
	struct cursor name;
	int64_t logical, unit;
	bool has_name, is_signed;
};

/* --- logical types --- */

enum { CONVERTED_UTF8 = 0, CONVERTED_MAP = 1, CONVERTED_MAP_KEY = 2,
	CONVERTED_LIST = 3, CONVERTED_ENUM = 4, CONVERTED_DECIMAL = 5,
	CONVERTED_DATE = 6, CONVERTED_CLOCK_MS = 7, CONVERTED_CLOCK_US = 8,
	CONVERTED_STAMP_MS = 9, CONVERTED_STAMP_US = 10,
	CONVERTED_UINT8 = 11, CONVERTED_UINT64 = 14, CONVERTED_JSON = 19 };
enum { LOGICAL_STRING = 1, LOGICAL_MAP = 2, LOGICAL_LIST = 3,
	LOGICAL_ENUM = 4, LOGICAL_DECIMAL = 5, LOGICAL_DATE = 6,
	LOGICAL_CLOCK = 7, LOGICAL_STAMP = 8, LOGICAL_INTEGER = 10,
	LOGICAL_JSON = 12, LOGICAL_UUID = 14, LOGICAL_HALF = 15 };

static enum parquet_kind
text_kind(const struct raw_node *r)
{
	if (r->logical == LOGICAL_DECIMAL || r->converted == CONVERTED_DECIMAL)
		return PARQUET_DECIMAL;
	if (r->logical == LOGICAL_STRING || r->logical == LOGICAL_ENUM ||
	    r->logical == LOGICAL_JSON || r->converted == CONVERTED_UTF8 ||
	    r->converted == CONVERTED_ENUM || r->converted == CONVERTED_JSON)
		return PARQUET_TEXT;
	return PARQUET_AS_IS;
}

static enum parquet_kind
int_kind(const struct raw_node *r)
{
	switch (r->logical) {
	case LOGICAL_DATE:
		return PARQUET_DATE;
	case LOGICAL_CLOCK:
		return PARQUET_CLOCK;
	case LOGICAL_STAMP:
		return PARQUET_STAMP;
	case LOGICAL_DECIMAL:
		return PARQUET_DECIMAL;
	case LOGICAL_INTEGER:
		return r->is_signed ? PARQUET_AS_IS : PARQUET_UNSIGNED;
	default:
		break;
	}
	if (r->converted >= CONVERTED_UINT8 && r->converted <= CONVERTED_UINT64)
		return PARQUET_UNSIGNED;
	switch (r->converted) {
	case CONVERTED_DECIMAL:
		return PARQUET_DECIMAL;
	case CONVERTED_DATE:
		return PARQUET_DATE;
	case CONVERTED_CLOCK_MS:
	case CONVERTED_CLOCK_US:
		return PARQUET_CLOCK;
	case CONVERTED_STAMP_MS:
	case CONVERTED_STAMP_US:
		return PARQUET_STAMP;
	default:
		return PARQUET_AS_IS;
	}
}

static enum parquet_kind
kind_of(const struct raw_node *r, enum parquet_type type, uint32_t width)
{
	switch (type) {
	case PARQUET_INT32:
	case PARQUET_INT64:
		return int_kind(r);
	case PARQUET_BYTES:
		return text_kind(r);
	case PARQUET_FIXED:
		if (r->logical == LOGICAL_HALF && width == 2)
			return PARQUET_HALF;
		if (r->logical == LOGICAL_UUID && width == 16)
			return PARQUET_UUID;
		return text_kind(r) == PARQUET_DECIMAL ? PARQUET_DECIMAL :
		    PARQUET_AS_IS;
	case PARQUET_GROUP:
		if (r->logical == LOGICAL_LIST || r->converted == CONVERTED_LIST)
			return PARQUET_LIST;
		if (r->logical == LOGICAL_MAP || r->converted == CONVERTED_MAP ||
		    r->converted == CONVERTED_MAP_KEY)
			return PARQUET_MAP;
		return PARQUET_AS_IS;
	case PARQUET_BOOLEAN:
	case PARQUET_INT96:
	case PARQUET_FLOAT:
	case PARQUET_DOUBLE:
		break;
	}
	return PARQUET_AS_IS;
}

static uint32_t
unit_of(const struct raw_node *r)
{
	static const uint32_t units[] = {0, 1000, 1000000, 1000000000};

	if (r->unit >= 1 && r->unit <= 3)
		return units[r->unit];
	return r->converted == CONVERTED_CLOCK_MS ||
	    r->converted == CONVERTED_STAMP_MS ? 1000 : 1000000;
}

/* The unit of a time: a union of empty structs, told by the field's id. */
static bool
unit_field(struct thrift *t, const struct thrift_field *f, void *into)
{
	((struct raw_node *)into)->unit = f->id;
	return thrift_skip(t, f);
}

/* What stands in the logical type's own struct. */
static bool
type_field(struct thrift *t, const struct thrift_field *f, void *into)
{
	struct raw_node *r = into;
	int64_t bits;
	bool utc;

	switch (r->logical) {
	case LOGICAL_DECIMAL:
		if (f->id == 1)
			return thrift_int(t, f, INT32_MIN, INT32_MAX,
			    &r->scale);
		break;
	case LOGICAL_INTEGER:
		if (f->id == 1)
			return thrift_int(t, f, 0, 127, &bits);
		if (f->id == 2)
			return thrift_bool(f, &r->is_signed);
		break;
	case LOGICAL_CLOCK:
	case LOGICAL_STAMP:
		if (f->id == 1)
			return thrift_bool(f, &utc);
		if (f->id == 2)
			return f->type == THRIFT_STRUCT &&
			    thrift_read(t, NULL, 0, r, unit_field);
		break;
	default:
		break;
	}
	return thrift_skip(t, f);
}

static bool
logical_field(struct thrift *t, const struct thrift_field *f, void *into)
{
	struct raw_node *r = into;

	r->logical = f->id;
	return f->type == THRIFT_STRUCT &&
	    thrift_read(t, NULL, 0, r, type_field);
}

/* --- the schema --- */

#define NODE(field) offsetof(struct raw_node, field)
static const struct thrift_want node_wants[] = {
    {1, 0, PARQUET_FIXED, NODE(type)}, {2, 0, INT32_MAX, NODE(width)},
    {3, 0, PARQUET_REPEATED, NODE(repetition)},
    {5, 0, INT32_MAX, NODE(children)}, {6, 0, INT32_MAX, NODE(converted)},
    {7, INT32_MIN, INT32_MAX, NODE(scale)}};

static bool
node_field(struct thrift *t, const struct thrift_field *f, void *into)
{
	struct raw_node *r = into;

	if (f->id == 4)
		return r->has_name = thrift_binary(t, f, &r->name);
	if (f->id == 10)
		return f->type == THRIFT_STRUCT &&
		    thrift_read(t, NULL, 0, r, logical_field);
	return thrift_skip(t, f);
}

static bool
read_node(struct thrift *t, struct raw_node *r)
{
	*r = (struct raw_node){.type = -1, .converted = -1, .logical = -1,
	    .is_signed = true};
	return thrift_read(t, node_wants, sizeof(node_wants) /
	    sizeof(node_wants[0]), r, node_field) && r->has_name;
}

/* What the walk over the schema is inside of. */
struct level {
	uint32_t node, left;
};

/* NULL, or what is wrong. */
static const char *
place_node(struct parquet_meta *m, uint32_t i, const struct raw_node *r,
    const struct parquet_node *parent)
{
	struct parquet_node *n = &m->node[i];

	n->name = r->name.buf;
	n->name_len = r->name.len;
	n->children = (uint32_t)r->children;
	n->leaf = m->leaves;
	n->end = i + 1;
	n->repetition = i == 0 ? PARQUET_REQUIRED :
	    (enum parquet_repetition)r->repetition;
	if (parent != NULL) {
		n->max_def = (uint8_t)(parent->max_def +
		    (n->repetition != PARQUET_REQUIRED));
		n->max_rep = (uint8_t)(parent->max_rep +
		    (n->repetition == PARQUET_REPEATED));
	}
	if (n->children == 0) {
		if (r->type < 0)
			return "a column of the schema has no type";
		n->type = (enum parquet_type)r->type;
		m->leaves++;
	} else {
		n->type = PARQUET_GROUP;
	}
	if (n->type == PARQUET_FIXED && (r->width == 0 ||
	    r->width > (int64_t)LIMIT_PARQUET_PAGE))
		return "a fixed length of the schema makes no sense";
	n->width = (uint32_t)r->width;
	n->kind = kind_of(r, n->type, n->width);
	n->unit = unit_of(r);
	if (n->kind == PARQUET_DECIMAL && (r->scale < 0 || r->scale > 76))
		n->kind = PARQUET_AS_IS;
	n->scale = (uint32_t)r->scale;
	return NULL;
}

int
parquet_schema_read(struct parquet_meta *m, struct thrift *t,
    const struct thrift_field *f, struct err *e)
{
	struct level level[LIMIT_PARQUET_DEPTH];
	struct raw_node raw;
	const char *why;
	unsigned depth = 0;
	uint64_t n;
	uint8_t type;

	if (!thrift_list(t, f, &type, &n) ||
	    type != THRIFT_STRUCT || n < 2)
		return bad(m, cursor_tell(&t->c), "there is no schema", e);
	if (n > LIMIT_PARQUET_NODES)
		return bad(m, cursor_tell(&t->c),
		    "the schema has too many columns", e);
	m->nodes = (uint32_t)n;
	if ((m->node = arena_array(m->p->arena, n, sizeof(*m->node))) == NULL)
		return err_set(e, ERR_LIMIT, "no memory left for the schema");
	for (uint32_t i = 0; i < m->nodes; i++) {
		if ((i > 0 && depth == 0) || !read_node(t, &raw))
			return bad(m, cursor_tell(&t->c),
			    "the schema makes no sense", e);
		if ((why = place_node(m, i, &raw, depth == 0 ? NULL :
		    &m->node[level[depth - 1].node])) != NULL)
			return bad(m, cursor_tell(&t->c), why, e);
		if (depth > 0)
			level[depth - 1].left--;
		if (m->node[i].children > 0) {
			if (depth == LIMIT_PARQUET_DEPTH)
				return bad(m, cursor_tell(&t->c),
				    "the schema is nested too deep", e);
			level[depth++] = (struct level){i,
			    m->node[i].children};
		}
		while (depth > 0 && level[depth - 1].left == 0)
			m->node[level[--depth].node].end = i + 1;
	}
	if (depth > 0 || m->node[0].type != PARQUET_GROUP)
		return bad(m, cursor_tell(&t->c), "the schema makes no sense",
		    e);
	return 0;
}
