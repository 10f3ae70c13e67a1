#include "base/arena.h"
#include "base/limits.h"
#include "formats/rows/arrow.h"

static const char no_sense[] = "the schema makes no sense";
static const char not_read[] = "a column is of a type that is not read";

/* What is still to be read: fields of a parent, and how many. */
struct level {
	struct flatvec v;
	uint32_t next, parent;
};

static bool
read_unit(const struct flatbuf *b, const struct flattable *t, int64_t by,
    uint32_t *ret)
{
	static const uint32_t units[] = {1, 1000, 1000000, 1000000000};
	int64_t unit;

	if (!flatbuf_int(b, t, 0, 2, by, &unit) || unit < 0 || unit > 3)
		return false;
	*ret = units[unit];
	return true;
}

/* Number and bits of an integer. */
static bool
read_int(const struct flatbuf *b, const struct flattable *t, uint32_t *width,
    bool *is_signed)
{
	int64_t bits, sign;

	if (!flatbuf_int(b, t, 0, 4, 0, &bits) ||
	    !flatbuf_int(b, t, 1, 1, 0, &sign) ||
	    (bits != 8 && bits != 16 && bits != 32 && bits != 64))
		return false;
	*width = (uint32_t)bits / 8;
	*is_signed = sign != 0;
	return true;
}

static bool
read_decimal(const struct flatbuf *b, const struct flattable *t,
    struct arrow_field *f)
{
	int64_t scale, bits;

	if (!flatbuf_int(b, t, 1, 4, 0, &scale) ||
	    !flatbuf_int(b, t, 2, 4, 128, &bits) || bits < 32 ||
	    bits > 256 || bits % 32 != 0 || scale < 0 || scale > 76)
		return false;
	f->width = (uint32_t)bits / 8;
	f->scale = (uint32_t)scale;
	return true;
}

/* What the type's own table says. */
static bool
read_type(const struct flatbuf *b, const struct flattable *t,
    struct arrow_field *f)
{
	static const uint32_t floats[] = {2, 4, 8}, intervals[] = {4, 8, 16};
	int64_t v;

	switch (f->type) {
	case ARROW_INT:
		return read_int(b, t, &f->width, &f->is_signed);
	case ARROW_FLOAT:
	case ARROW_INTERVAL:
		if (!flatbuf_int(b, t, 0, 2, 0, &v) || v < 0 || v > 2)
			return false;
		f->width = f->type == ARROW_FLOAT ? floats[v] : intervals[v];
		return true;
	case ARROW_DECIMAL:
		return read_decimal(b, t, f);
	case ARROW_DATE:
		if (!flatbuf_int(b, t, 0, 2, 1, &v) || v < 0 || v > 1)
			return false;
		f->width = v == 0 ? 4 : 8;
		f->unit = v == 0 ? 0 : 1000;
		return true;
	case ARROW_TIME:
		if (!flatbuf_int(b, t, 1, 4, 32, &v) || (v != 32 && v != 64))
			return false;
		f->width = (uint32_t)v / 8;
		return read_unit(b, t, 1, &f->unit);
	case ARROW_STAMP:
	case ARROW_DURATION:
		f->width = 8;
		return read_unit(b, t, f->type == ARROW_STAMP ? 0 : 1,
		    &f->unit);
	case ARROW_FIXED:
	case ARROW_FIXED_LIST:
		if (!flatbuf_int(b, t, 0, 4, 0, &v) || v < 0)
			return false;
		f->width = (uint32_t)v;
		return true;
	case ARROW_NULL:
	case ARROW_BINARY:
	case ARROW_UTF8:
	case ARROW_BOOL:
	case ARROW_LIST:
	case ARROW_STRUCT:
	case ARROW_MAP:
	case ARROW_LARGE_BINARY:
	case ARROW_LARGE_UTF8:
	case ARROW_LARGE_LIST:
		break;
	}
	return true;
}

static const char *
read_dictionary(const struct flatbuf *b, const struct flattable *t,
    struct arrow_field *f)
{
	struct flattable d, index;
	int r;

	if ((r = flatbuf_table(b, t, 4, &d)) <= 0)
		return r < 0 ? no_sense : NULL;
	f->coded = true;
	f->index_width = 4;
	f->index_signed = true;
	if (!flatbuf_int(b, &d, 0, 8, 0, &f->dict) ||
	    (r = flatbuf_table(b, &d, 1, &index)) < 0 ||
	    (r == 1 && !read_int(b, &index, &f->index_width,
	    &f->index_signed)))
		return no_sense;
	return NULL;
}

/* A list has one child, a map one with two, others none. */
static bool
children_fit(const struct arrow_field *f)
{
	if (f->type == ARROW_LIST || f->type == ARROW_LARGE_LIST ||
	    f->type == ARROW_FIXED_LIST || f->type == ARROW_MAP)
		return f->children == 1;
	return f->type == ARROW_STRUCT || f->children == 0;
}

static const char *
read_field(const struct flatbuf *b, const struct flattable *t,
    struct arrow_field *f, struct flatvec *children)
{
	struct flatvec name = {0, 0};
	struct flattable type;
	int64_t kind;

	if (flatbuf_vector(b, t, 0, 1, &name) < 0 ||
	    !flatbuf_int(b, t, 2, 1, 0, &kind))
		return no_sense;
	f->name = name.count > 0 ? b->p + name.at : (const uint8_t *)"";
	f->name_len = name.count;
	if (kind < ARROW_NULL || kind > ARROW_LARGE_LIST || kind == 14)
		return not_read;
	f->type = (enum arrow_type)kind;
	if (flatbuf_table(b, t, 3, &type) != 1 || !read_type(b, &type, f))
		return no_sense;
	children->count = 0;
	if (flatbuf_vector(b, t, 5, 4, children) < 0)
		return no_sense;
	f->children = children->count;
	return children_fit(f) ? read_dictionary(b, t, f) : no_sense;
}

const char *
arrow_schema_read(const struct flatbuf *b, const struct flattable *schema,
    struct arena *a, struct arrow_field **field, uint32_t *fields)
{
	struct level level[LIMIT_ARROW_DEPTH + 1];
	struct arrow_field *f;
	struct flatvec v = {0, 0};
	struct flattable t;
	const char *why;
	unsigned depth = 0;
	uint32_t n = 0;
	int64_t endian;

	if (!flatbuf_int(b, schema, 0, 2, 0, &endian) ||
	    flatbuf_vector(b, schema, 1, 4, &level[0].v) != 1)
		return no_sense;
	if (endian != 0)
		return "it is big-endian, which is not read";
	if ((f = arena_array(a, LIMIT_ARROW_FIELDS, sizeof(*f))) == NULL)
		return "no memory left for the schema";
	level[0].next = 0;
	level[0].parent = LIMIT_ARROW_FIELDS;
	for (;;) {
		if (level[depth].next == level[depth].v.count) {
			if (depth == 0)
				break;
			f[level[depth--].parent].end = n;
			continue;
		}
		if (n == LIMIT_ARROW_FIELDS)
			return "the schema has too many columns";
		if (!flatbuf_element(b, &level[depth].v, level[depth].next++,
		    &t))
			return no_sense;
		if ((why = read_field(b, &t, &f[n], &v)) != NULL)
			return why;
		f[n].end = n + 1;
		if (depth == LIMIT_ARROW_DEPTH)
			return "the schema is nested too deep";
		level[++depth] = (struct level){v, 0, n++};
	}
	*field = f;
	*fields = n;
	return NULL;
}
