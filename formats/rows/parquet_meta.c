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

static bool
read_codec(int64_t v, struct parquet_chunk *c)
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
	return true;
}

/* ColumnMetaData. */
struct raw_chunk {
	int64_t type, codec, values, packed, data, dict;
	bool has_meta;
};

static bool
read_chunk_meta(struct thrift *t, struct raw_chunk *r)
{
	struct thrift_field f;
	bool ok;
	int n;

	if (!thrift_enter(t))
		return false;
	while ((n = thrift_next(t, &f)) == 1) {
		switch (f.id) {
		case 1:
			ok = thrift_int(t, &f, 0, INT32_MAX, &r->type);
			break;
		case 4:
			ok = thrift_int(t, &f, 0, INT32_MAX, &r->codec);
			break;
		case 5:
			ok = thrift_int(t, &f, 0, INT64_MAX, &r->values);
			break;
		case 7:
			ok = thrift_int(t, &f, 0, INT64_MAX, &r->packed);
			break;
		case 9:
			ok = thrift_int(t, &f, 0, INT64_MAX, &r->data);
			break;
		case 11:
			ok = thrift_int(t, &f, 0, INT64_MAX, &r->dict);
			break;
		default:
			ok = thrift_skip(t, &f);
		}
		if (!ok)
			return false;
	}
	r->has_meta = true;
	return n == 0;
}

static void
judge_chunk(const struct parquet_meta *m, const struct parquet_node *node,
    const struct raw_chunk *r, struct parquet_chunk *c)
{
	c->off = (uint64_t)(r->dict > 0 && r->dict < r->data ? r->dict :
	    r->data);
	c->values = (uint64_t)r->values;
	if (c->unread != NULL)
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
	else if (read_codec(r->codec, c))
		c->end = c->off + (uint64_t)r->packed;
}

static bool
read_chunk(const struct parquet_meta *m, const struct parquet_node *node,
    struct thrift *t, struct parquet_chunk *c)
{
	struct raw_chunk raw = {.type = -1};
	struct thrift_field f;
	int64_t index = 0, index_len = 0;
	bool ok;
	int n;

	memset(c, 0, sizeof(*c));
	if (!thrift_enter(t))
		return false;
	while ((n = thrift_next(t, &f)) == 1) {
		ok = true;
		switch (f.id) {
		case 3:
			ok = f.type == THRIFT_STRUCT &&
			    read_chunk_meta(t, &raw);
			break;
		case 4:
			ok = thrift_int(t, &f, 0, INT64_MAX, &index);
			break;
		case 5:
			ok = thrift_int(t, &f, 0, INT32_MAX, &index_len);
			break;
		default:
			if (f.id == 1)
				c->unread = "a column is in another file, "
				    "which is not read";
			if (f.id == 8 || f.id == 9)
				c->unread = "a column is encrypted";
			ok = thrift_skip(t, &f);
		}
		if (!ok)
			return false;
	}
	if (n < 0)
		return false;
	judge_chunk(m, node, &raw, c);
	if (ckd_range((uint64_t)index, (uint64_t)index_len, m->pages_end)) {
		c->index = (uint64_t)index;
		c->index_len = (uint64_t)index_len;
	}
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

static bool
read_group(const struct parquet_meta *m, struct thrift *t, int64_t *rows,
    struct parquet_chunk *chunk)
{
	struct thrift_field f;
	bool ok, columns = false;
	int n;

	*rows = -1;
	if (!thrift_enter(t))
		return false;
	while ((n = thrift_next(t, &f)) == 1) {
		if (f.id == 1)
			columns = ok = read_columns(m, t, &f, chunk);
		else if (f.id == 3)
			ok = thrift_int(t, &f, 0, ROWS_MAX, rows);
		else
			ok = thrift_skip(t, &f);
		if (!ok)
			return false;
	}
	return n == 0 && columns && *rows >= 0;
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
read_file_fields(struct thrift *t, struct file_fields *ff)
{
	struct thrift_field f;
	bool ok;
	int n;

	if (!thrift_enter(t))
		return false;
	while ((n = thrift_next(t, &f)) == 1) {
		ok = true;
		if (f.id == 2) {
			ff->schema = *t;
			ff->schema_f = f;
			ff->has_schema = true;
		} else if (f.id == 4) {
			ff->groups = *t;
			ff->groups_f = f;
			ff->has_groups = true;
		} else if (f.id == 8) {
			ff->is_signed = true;
		}
		if (f.id == 3)
			ok = thrift_int(t, &f, 0, INT64_MAX, &ff->rows);
		else
			ok = thrift_skip(t, &f);
		if (!ok)
			return false;
	}
	return n == 0;
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
	struct file_fields ff = {.rows = -1};
	struct thrift t;
	size_t left;
	int r;

	memset(m, 0, sizeof(*m));
	m->p = p;
	if ((r = load(m, e)) < 0)
		return r;
	thrift_init(&t, &m->footer);
	if (!read_file_fields(&t, &ff))
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
