#include <string.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/bytesrc.h"
#include "base/err.h"
#include "base/limits.h"
#include "base/text.h"
#include "formats/rows/parquet.h"
#include "formats/rows/rows.h"
#include "formats/rows/rowtree.h"
#include "formats/rows/value.h"

/*
 * Parquet files as records (parquet.h).  A record's place is that of its row
 * group: its values stand in a page of each column.
 *
 * Memory: the metadata, and for each column one page as it is decompressed
 * and one dictionary; all of it from the arena, whose end is ERR_LIMIT.
 *
 * What is nested is put together when a record is read, so that columns that
 * do not agree make it damaged; flat columns are shown when they are asked.
 */
struct parquet {
	const struct rows_params *p;
	struct parquet_file file;
	struct parquet_meta meta;
	struct parquet_column *column;
	struct parquet_chunk *chunk;
	uint32_t *root;		/* of each node: where it is in the tree */
	struct rowtree tree;
	struct buf scratch;
	char text[PARQUET_SHOW];
	uint32_t group;		/* the current one; meta.groups: the end */
	bool open;		/* its columns are at ${row} */
	uint64_t row;		/* next one of the group */
	uint64_t off, end;	/* of its pages */
	uint64_t lost_left;	/* records of which nothing can be read */
};

static unsigned
parquet_bid(const struct rows_params *p, const uint8_t *head, size_t n)
{
	struct cursor c;

	cursor_init(&c, head, n, 0);
	if (cursor_match(&c, (const uint8_t *)"PAR1", 4))
		return 32;
	if (cursor_match(&c, (const uint8_t *)"PARE", 4))
		return 32;
	return rows_named(&p->file[0], ".parquet") ? 8 : 0;
}

static int
open_columns(struct parquet *s, struct err *e)
{
	const struct parquet_meta *m = &s->meta;
	struct arena *a = s->p->arena;

	if ((s->column = arena_array(a, m->leaves, sizeof(*s->column))) ==
	    NULL ||
	    (s->chunk = arena_array(a, m->leaves, sizeof(*s->chunk))) ==
	    NULL ||
	    (s->root = arena_array(a, m->nodes, sizeof(*s->root))) == NULL)
		return err_set(e, ERR_LIMIT, "no memory left for columns");
	for (uint32_t i = 1; i < m->nodes; i++)
		if (m->node[i].type != PARQUET_GROUP)
			parquet_column_init(&s->column[m->node[i].leaf],
			    &s->file, &m->node[i], a);
	return 0;
}

static int
parquet_open(const struct rows_params *p, void **self, struct err *e)
{
	struct parquet *s;
	int r;

	if ((s = arena_alloc(p->arena, sizeof(*s))) == NULL)
		return err_set(e, ERR_LIMIT, "no memory left");
	s->p = p;
	s->file.p = p;
	codec_pages_init(&s->file.codecs, p->arena);
	grow_init(&s->file.packed, p->arena);
	grow_init(&s->file.head, p->arena);
	rowtree_init(&s->tree, p->arena);
	s->lost_left = LIMIT_ROWS_LOST + bytesrc_size(p->file[0].src);
	if ((r = parquet_meta_read(&s->meta, p, e)) < 0 ||
	    (r = open_columns(s, e)) < 0)
		return r;
	buf_init(&s->scratch, LIMIT_ROWTREE_TEXT);
	*self = s;
	return 0;
}

static int
open_group(struct parquet *s, struct err *e)
{
	int r;

	if ((r = parquet_meta_group(&s->meta, s->group, s->chunk, e)) < 0)
		return r;
	s->off = UINT64_MAX;
	s->end = 0;
	for (uint32_t i = 0; i < s->meta.leaves; i++) {
		parquet_column_start(&s->column[i], &s->chunk[i]);
		if (s->chunk[i].unread != NULL)
			continue;
		if (s->chunk[i].off < s->off)
			s->off = s->chunk[i].off;
		if (s->chunk[i].end > s->end)
			s->end = s->chunk[i].end;
	}
	if (s->end == 0)
		s->off = 0;
	s->row = 0;
	s->open = true;
	return 0;
}

/* The group that has the next row.  1; 0 at the end; negative. */
static int
find_group(struct parquet *s, struct err *e)
{
	int r;

	for (; s->group < s->meta.groups; s->group++) {
		if (!s->open && (r = open_group(s, e)) < 0)
			return r;
		if (s->row < s->meta.group[s->group].rows)
			return 1;
		for (uint32_t i = 0; i < s->meta.leaves; i++)
			parquet_column_end(&s->column[i]);
		s->open = false;
	}
	return 0;
}

/* Put together what is nested: 0; 1 when that fails (told). */
static int
build_row(struct parquet *s)
{
	const struct parquet_node *node = s->meta.node;

	rowtree_clear(&s->tree);
	for (uint32_t i = 1; i < s->meta.nodes; i = node[i].end) {
		if (node[i].type != PARQUET_GROUP && node[i].max_rep == 0)
			continue;
		s->root[i] = s->tree.nodes;
		if (parquet_row_build(&s->meta, s->column, i, &s->tree) &&
		    !s->tree.failed)
			continue;
		rows_tell(s->p, 0, s->off, s->tree.failed ?
		    "a row has more values than are read" :
		    "the columns of a row do not agree");
		return 1;
	}
	return 0;
}

static int
parquet_next(void *self, struct rows_record *ret, struct err *e)
{
	struct parquet *s = self;
	bool damaged = false, lost = true;
	int r;

	if ((r = find_group(s, e)) <= 0)
		return r;
	for (uint32_t i = 0; i < s->meta.leaves; i++) {
		if ((r = parquet_column_row(&s->column[i], e)) < 0)
			return r;
		damaged |= s->column[i].damaged;
		lost &= s->column[i].damaged;
	}
	s->row++;
	if (!damaged && build_row(s) != 0)
		damaged = true;
	if (lost && s->lost_left-- == 0)
		return rows_bad(s->p, 0, s->off,
		    "of too many rows nothing can be read", e);
	ret->file = 0;
	ret->off = s->off;
	ret->len = s->end - s->off;
	ret->verbatim = false;
	ret->damaged = damaged;
	return 1;
}

static int
parquet_count(void *self, uint64_t *ret, struct err *e)
{
	const struct parquet *s = self;

	(void)e;
	*ret = s->meta.rows;
	return 0;
}

/* The group that holds row ${index} of the file. */
static uint32_t
group_of(const struct parquet_meta *m, uint64_t index)
{
	uint32_t lo = 0, hi = m->groups, mid;

	while (hi - lo > 1) {
		mid = lo + (hi - lo) / 2;
		if (m->group[mid].first <= index)
			lo = mid;
		else
			hi = mid;
	}
	return lo;
}

static int
parquet_seek(void *self, uint64_t index, struct err *e)
{
	struct parquet *s = self;
	uint32_t group = group_of(&s->meta, index);
	uint64_t row = index - s->meta.group[group].first;
	int r;

	if (!s->open || group != s->group || row < s->row) {
		s->group = group;
		if ((r = open_group(s, e)) < 0)
			return r;
	}
	for (uint32_t i = 0; i < s->meta.leaves; i++)
		if ((r = parquet_column_skip(&s->column[i], s->row,
		    row - s->row, e)) < 0)
			return r;
	s->row = row;
	return 0;
}

/* The value of a flat column. */
static void
flat_value(struct parquet *s, uint32_t i, struct rows_value *ret)
{
	const struct parquet_node *node = &s->meta.node[i];
	const struct parquet_column *c = &s->column[node->leaf];

	memset(ret, 0, sizeof(*ret));
	ret->type = ROWS_NULL;
	if (c->one.def == node->max_def)
		parquet_show(node, &c->one.v, ret, s->text);
}

static bool
is_flat(const struct parquet_node *node)
{
	return node->type != PARQUET_GROUP && node->max_rep == 0;
}

/* The child of the root with this name, or 0. */
static uint32_t
named(const struct parquet_meta *m, const char *name, size_t n)
{
	const struct parquet_node *node = m->node;

	for (uint32_t i = 1; i < m->nodes; i = node[i].end)
		if (node[i].name_len == n && memcmp(node[i].name, name, n) == 0)
			return i;
	return 0;
}

static int
parquet_field(void *self, const char *path, struct rows_value *ret,
    struct err *e)
{
	struct parquet *s = self;
	const char *dot = strchr(path, '.'), *rest = "";
	uint32_t i;

	memset(ret, 0, sizeof(*ret));
	if ((i = named(&s->meta, path, strlen(path))) == 0) {
		if (dot == NULL || dot[1] == '\0' ||
		    (i = named(&s->meta, path, (size_t)(dot - path))) == 0)
			return 0;
		rest = dot + 1;
	}
	if (is_flat(&s->meta.node[i])) {
		if (*rest == '\0')
			flat_value(s, i, ret);
		return 0;
	}
	return rowtree_find(&s->tree, s->root[i], rest, ret, &s->scratch) ?
	    0 : rows_bad(s->p, 0, s->off, "a value is too long", e);
}

static int
parquet_json(void *self, struct buf *b, struct err *e)
{
	struct parquet *s = self;
	const struct parquet_node *node = s->meta.node;
	struct rows_value v;
	char before = '{';

	for (uint32_t i = 1; i < s->meta.nodes; i = node[i].end) {
		buf_putc(b, before);
		before = ',';
		value_key(b, node[i].name, node[i].name_len);
		if (is_flat(&node[i])) {
			flat_value(s, i, &v);
			value_json(b, &v);
		} else {
			(void)rowtree_json(&s->tree, s->root[i], b);
		}
	}
	buf_putc(b, '}');
	return buf_failed(b) ? err_set(e, buf_failed(b),
	    "a record is too long as JSON") : 0;
}

static int
parquet_fields(void *self, void (*each)(void *ctx, const char *name,
    const char *type), void *ctx, struct err *e)
{
	struct parquet *s = self;
	const struct parquet_node *node = s->meta.node;

	(void)e;
	for (uint32_t i = 1; i < s->meta.nodes; i = node[i].end) {
		buf_clear(&s->scratch);
		text_put(&s->scratch, node[i].name, node[i].name_len,
		    TEXT_PLAIN);
		each(ctx, buf_str(&s->scratch), parquet_show_type(&node[i]));
	}
	return 0;
}

static void
parquet_close(void *self)
{
	struct parquet *s = self;

	buf_release(&s->scratch);
}

const struct rows_format rows_parquet = {
	.id = "parquet",
	.bid = parquet_bid,
	.open = parquet_open,
	.next = parquet_next,
	.field = parquet_field,
	.json = parquet_json,
	.seek = parquet_seek,
	.count = parquet_count,
	.fields = parquet_fields,
	.close = parquet_close,
};
