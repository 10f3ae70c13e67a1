#include <string.h>

#include "base/arena.h"
#include "base/bytesrc.h"
#include "base/ckd.h"
#include "base/err.h"
#include "base/limits.h"
#include "formats/rows/parquet.h"
#include "formats/rows/rows.h"
#include "formats/rows/thrift.h"

/*
 * FileMetaData (parquet.thrift).  Fields may come in any order, so lists are
 * remembered where they stand and read once all of them are known.
 */
#define TAIL 8			/* length of the metadata, magic */
#define SIGNATURE 28		/* behind the metadata of an encrypted file */
#define ROWS_MAX (INT64_MAX / 4)

struct file_fields {
	struct thrift schema, groups;
	struct thrift_field schema_f, groups_f;
	bool has_schema, has_groups, is_signed;
	int64_t rows;
};

static int
bad(const struct parquet_meta *m, uint64_t off, const char *why,
    struct err *e)
{
	return rows_bad(m->p, 0, off, why, e);
}

static void
set_codec(int64_t v, struct parquet_chunk *c)
{
	static const enum page_codec codecs[] = {PAGE_PLAIN, PAGE_SNAPPY,
	    PAGE_GZIP, PAGE_PLAIN, PAGE_BROTLI, PAGE_LZ4, PAGE_ZSTD,
	    PAGE_LZ4_RAW};

	if (v == 3)
		c->unread = "a column is compressed by LZO, which is not read";
	else if (v >= (int64_t)(sizeof(codecs) / sizeof(codecs[0])))
		c->unread = "a column is compressed in a way that is not known";
	else
		c->codec = codecs[v];
}

/* ColumnChunk, and the ColumnMetaData in it. */
struct raw_chunk {
	int64_t type, codec, values, packed, data, dict;
	int64_t index, index_len;
	bool has_meta;
	const char *unread;
};

#define CHUNK(field) offsetof(struct raw_chunk, field)
static const struct thrift_want chunk_meta[] = {
    {1, 0, INT32_MAX, CHUNK(type)}, {4, 0, INT32_MAX, CHUNK(codec)},
    {5, 0, INT64_MAX, CHUNK(values)}, {7, 0, INT64_MAX, CHUNK(packed)},
    {9, 0, INT64_MAX, CHUNK(data)}, {11, 0, INT64_MAX, CHUNK(dict)}};
static const struct thrift_want chunk_index[] = {
    {4, 0, INT64_MAX, CHUNK(index)}, {5, 0, INT32_MAX, CHUNK(index_len)}};

/* A field of ColumnChunk that is no number. */
static bool
chunk_field(struct thrift *t, const struct thrift_field *f, void *into)
{
	struct raw_chunk *r = into;

	if (f->id == 3) {
		r->has_meta = true;
		return f->type == THRIFT_STRUCT && thrift_read(t, chunk_meta,
		    sizeof(chunk_meta) / sizeof(chunk_meta[0]), r, NULL);
	}
	if (f->id == 1)
		r->unread = "a column is in another file, which is not read";
	if (f->id == 8 || f->id == 9)
		r->unread = "a column is encrypted";
	return thrift_skip(t, f);
}

static void
judge_chunk(const struct parquet_meta *m, const struct parquet_node *node,
    const struct raw_chunk *r, struct parquet_chunk *c)
{
	c->off = (uint64_t)(r->dict > 0 && r->dict < r->data ? r->dict :
	    r->data);
	c->values = (uint64_t)r->values;
	if ((c->unread = r->unread) != NULL)
		return;
	if (!r->has_meta)
		c->unread = "a column has no metadata";
	else if (r->type != (int64_t)node->type)
		c->unread = "a column has another type than the schema says";
	else if (c->values == 0)
		c->off = c->end = m->pages_end;	/* writers state no place */
	else if (c->off < 4 ||
	    !ckd_range(c->off, (uint64_t)r->packed, m->pages_end))
		c->unread = "a column lies outside of the pages";
	if (c->unread != NULL || c->values == 0)
		return;
	c->end = c->off + (uint64_t)r->packed;
	set_codec(r->codec, c);
}

static bool
read_chunk(const struct parquet_meta *m, const struct parquet_node *node,
    struct thrift *t, struct parquet_chunk *c)
{
	struct raw_chunk raw = {.type = -1};

	memset(c, 0, sizeof(*c));
	if (!thrift_read(t, chunk_index, sizeof(chunk_index) /
	    sizeof(chunk_index[0]), &raw, chunk_field))
		return false;
	judge_chunk(m, node, &raw, c);
	c->index = (uint64_t)raw.index;
	c->index_len = (uint64_t)raw.index_len;
	return true;
}

/* The columns of a row group; ${chunk} NULL: only look at them. */
static bool
read_columns(const struct parquet_meta *m, struct thrift *t,
    const struct thrift_field *f, struct parquet_chunk *chunk)
{
	struct parquet_chunk one;
	uint32_t leaf = 0;
	uint64_t n;
	uint8_t type;

	if (!thrift_list(t, f, &type, &n) || type != THRIFT_STRUCT ||
	    n != m->leaves)
		return false;
	for (uint32_t i = 1; i < m->nodes; i++) {
		if (m->node[i].type == PARQUET_GROUP)
			continue;
		if (!read_chunk(m, &m->node[i], t,
		    chunk != NULL ? &chunk[leaf] : &one))
			return false;
		leaf++;
	}
	return true;
}

/* RowGroup. */
struct raw_group {
	const struct parquet_meta *m;
	struct parquet_chunk *chunk;
	bool columns;
	int64_t rows;
};

static bool
group_field(struct thrift *t, const struct thrift_field *f, void *into)
{
	struct raw_group *r = into;

	if (f->id != 1)
		return thrift_skip(t, f);
	return r->columns = read_columns(r->m, t, f, r->chunk);
}

static bool
read_group(const struct parquet_meta *m, struct thrift *t, int64_t *rows,
    struct parquet_chunk *chunk)
{
	static const struct thrift_want want = {3, 0, ROWS_MAX,
	    offsetof(struct raw_group, rows)};
	struct raw_group raw = {.m = m, .chunk = chunk, .rows = -1};

	if (!thrift_read(t, &want, 1, &raw, group_field))
		return false;
	*rows = raw.rows;
	return raw.columns && raw.rows >= 0;
}

int
parquet_meta_group(const struct parquet_meta *m, uint32_t group,
    struct parquet_chunk *chunk, struct err *e)
{
	struct cursor c = m->footer;
	struct thrift t;
	int64_t rows;

	if (!cursor_seek(&c, m->group[group].at))
		return bad(m, c.base, "a row group makes no sense", e);
	thrift_init(&t, &c);
	if (!read_group(m, &t, &rows, chunk))
		return bad(m, cursor_tell(&t.c), "a row group makes no sense",
		    e);
	return 0;
}

static int
read_groups(struct parquet_meta *m, struct file_fields *ff, struct err *e)
{
	struct thrift *t = &ff->groups;
	int64_t rows;
	uint64_t n;
	uint8_t type;

	if (!thrift_list(t, &ff->groups_f, &type, &n) ||
	    (type != THRIFT_STRUCT && n > 0) || n > UINT32_MAX)
		return bad(m, cursor_tell(&t->c),
		    "the list of row groups makes no sense", e);
	m->groups = (uint32_t)n;
	if ((m->group = arena_array(m->p->arena, n + 1, sizeof(*m->group))) ==
	    NULL)
		return err_set(e, ERR_LIMIT, "no memory left for row groups");
	for (uint32_t i = 0; i < m->groups; i++) {
		m->group[i].at = t->c.off;
		m->group[i].first = m->rows;
		if (!read_group(m, t, &rows, NULL) ||
		    (uint64_t)rows > ROWS_MAX - m->rows)
			return bad(m, cursor_tell(&t->c),
			    "a row group makes no sense", e);
		m->group[i].rows = (uint64_t)rows;
		m->rows += (uint64_t)rows;
	}
	return 0;
}

/* --- the whole --- */

static bool
file_field(struct thrift *t, const struct thrift_field *f, void *into)
{
	struct file_fields *ff = into;

	if (f->id == 2) {
		ff->schema = *t;
		ff->schema_f = *f;
		ff->has_schema = true;
	} else if (f->id == 4) {
		ff->groups = *t;
		ff->groups_f = *f;
		ff->has_groups = true;
	} else if (f->id == 8) {
		ff->is_signed = true;
	}
	return thrift_skip(t, f);
}

/* The bytes of the metadata, into the arena. */
static int
load(struct parquet_meta *m, struct err *e)
{
	const struct bytesrc *src = m->p->file[0].src;
	uint64_t size = bytesrc_size(src);
	uint8_t head[4], tail[TAIL], *p;
	struct cursor c;
	uint32_t n;
	int r;

	if (size < sizeof(head) + TAIL)
		return bad(m, 0, "it is too short for a Parquet file", e);
	if ((r = bytesrc_read(src, 0, head, sizeof(head), e)) < 0 ||
	    (r = bytesrc_read(src, size - TAIL, tail, TAIL, e)) < 0)
		return r;
	if (memcmp(tail + 4, "PARE", 4) == 0)
		return bad(m, size - 4, "the metadata are encrypted", e);
	if (memcmp(tail + 4, "PAR1", 4) != 0)
		return bad(m, size - 4,
		    "it does not end as a Parquet file: cut off, or another "
		    "format", e);
	if (memcmp(head, "PAR1", 4) != 0)
		return bad(m, 0, "it does not begin as a Parquet file", e);
	cursor_init(&c, tail, TAIL, size - TAIL);
	if (!cursor_u32le(&c, &n) || n > size - TAIL - sizeof(head))
		return bad(m, size - TAIL,
		    "the metadata are longer than the file", e);
	if (n > LIMIT_PARQUET_FOOTER)
		return bad(m, size - TAIL, "the metadata are too long", e);
	if ((p = arena_alloc(m->p->arena, n)) == NULL)
		return err_set(e, ERR_LIMIT, "no memory left for metadata");
	m->pages_end = size - TAIL - n;
	if ((r = bytesrc_read(src, m->pages_end, p, n, e)) < 0)
		return r;
	cursor_init(&m->footer, p, n, m->pages_end);
	return 0;
}

int
parquet_meta_read(struct parquet_meta *m, const struct rows_params *p,
    struct err *e)
{
	static const struct thrift_want want = {3, 0, INT64_MAX,
	    offsetof(struct file_fields, rows)};
	struct file_fields ff = {.rows = -1};
	struct thrift t;
	size_t left;
	int r;

	memset(m, 0, sizeof(*m));
	m->p = p;
	if ((r = load(m, e)) < 0)
		return r;
	thrift_init(&t, &m->footer);
	if (!thrift_read(&t, &want, 1, &ff, file_field))
		return bad(m, cursor_tell(&t.c), "the metadata make no sense",
		    e);
	if (!ff.has_schema || !ff.has_groups)
		return bad(m, m->pages_end, "the metadata are not complete",
		    e);
	if ((r = parquet_schema_read(m, &ff.schema, &ff.schema_f, e)) < 0 ||
	    (r = read_groups(m, &ff, e)) < 0)
		return r;
	left = cursor_left(&t.c);
	if (left > 0 && !(ff.is_signed && left == SIGNATURE))
		rows_tell(p, 0, cursor_tell(&t.c),
		    "bytes behind the metadata belong to nothing");
	if (ff.rows < 0 || (uint64_t)ff.rows != m->rows)
		rows_tell(p, 0, m->pages_end,
		    "the row groups have another number of rows than is "
		    "stated");
	return 0;
}
