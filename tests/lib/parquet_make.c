#include <string.h>

#include "base/bug.h"
#include "formats/codec.h"
#include "tests/lib/make.h"
#include "tests/lib/parquet_make.h"

#define MAKE_MAX (64 << 20)

enum { I32 = 5, I64 = 6, BINARY = 8, LIST = 9, STRUCT = 12 };

/* --- thrift --- */

static void
field(struct buf *b, int *last, int id, int type)
{
	if (id > *last && id - *last <= 15) {
		buf_putc(b, (char)((id - *last) << 4 | type));
	} else {
		buf_putc(b, (char)type);
		make_zigzag(b, id);
	}
	*last = id;
}

static void
put_int(struct buf *b, int *last, int id, int type, int64_t v)
{
	field(b, last, id, type);
	make_zigzag(b, v);
}

static void
put_str(struct buf *b, int *last, int id, const char *s)
{
	field(b, last, id, BINARY);
	make_varint(b, strlen(s));
	buf_puts(b, s);
}

static void
put_bool(struct buf *b, int *last, int id, bool v)
{
	field(b, last, id, v ? 1 : 2);
}

static void
list(struct buf *b, int *last, int id, int type, size_t n)
{
	field(b, last, id, LIST);
	buf_putc(b, (char)((n < 15 ? (int)n : 15) << 4 | type));
	if (n >= 15)
		make_varint(b, n);
}

static void
stop(struct buf *b)
{
	buf_putc(b, 0);
}

/* --- the file --- */

void
parquet_make_begin(struct parquet_make *m, const struct make_node *node,
    unsigned nodes)
{
	memset(m, 0, sizeof(*m));
	buf_init(&m->out, MAKE_MAX);
	buf_puts(&m->out, "PAR1");
	m->node = node;
	m->nodes = nodes;
}

/* The node of leaf ${leaf}. */
static const struct make_node *
leaf(const struct parquet_make *m, unsigned n)
{
	for (unsigned i = 1; i < m->nodes; i++)
		if (m->node[i].children == 0 && n-- == 0)
			return &m->node[i];
	BUG("there are not so many leaves");
}

struct make_chunk *
parquet_make_chunk(struct parquet_make *m, int codec)
{
	struct make_chunk *c = &m->chunk[m->chunks++];

	BUG_ON(m->chunks > MAKE_CHUNKS);
	memset(c, 0, sizeof(*c));
	c->off = m->out.len;
	c->codec = codec;
	c->type = leaf(m, m->chunks - 1 - m->first)->type;
	return c;
}

static void
put_page_head(struct buf *b, const struct make_page *p, size_t plain,
    size_t packed, uint32_t crc)
{
	int last = 0, in = 0;

	put_int(b, &last, 1, I32, p->type);
	put_int(b, &last, 2, I32, p->plain != 0 ? p->plain : (int64_t)plain);
	put_int(b, &last, 3, I32, p->packed != 0 ? p->packed :
	    (int64_t)packed);
	if (p->crc || p->wrong_crc)
		put_int(b, &last, 4, I32, (int32_t)(crc ^ p->wrong_crc));
	field(b, &last, p->type == 0 ? 5 : p->type == 2 ? 7 : 8, STRUCT);
	put_int(b, &in, 1, I32, p->values);
	if (p->type == 3) {
		put_int(b, &in, 2, I32, p->nulls);
		put_int(b, &in, 3, I32, p->rows);
	}
	if (p->encoding >= 0)
		put_int(b, &in, p->type == 3 ? 4 : 2, I32, p->encoding);
	if (p->type == 0) {
		put_int(b, &in, 3, I32, p->level_encoding == 0 ? 3 :
		    p->level_encoding);
		put_int(b, &in, 4, I32, p->level_encoding == 0 ? 3 :
		    p->level_encoding);
	}
	if (p->type == 3) {
		put_int(b, &in, 5, I32, p->def != NULL ?
		    (int64_t)p->def->len : 0);
		put_int(b, &in, 6, I32, p->rep != NULL ?
		    (int64_t)p->rep->len : 0);
		if (p->stored)
			put_bool(b, &in, 7, false);
	}
	stop(b);
	stop(b);
}

void
parquet_make_page(struct parquet_make *m, const struct make_page *p)
{
	struct make_chunk *c = &m->chunk[m->chunks - 1];
	const struct buf *levels[] = {p->rep, p->def};
	struct buf plain, packed;
	size_t bare = 0;

	buf_init(&plain, MAKE_MAX);
	buf_init(&packed, MAKE_MAX);
	for (unsigned i = 0; i < 2; i++) {
		if (levels[i] == NULL)
			continue;
		if (p->type == 0 && p->level_encoding != 4)
			make_u32(&plain, (uint32_t)levels[i]->len);
		buf_put(&plain, levels[i]->p, levels[i]->len);
	}
	if (p->type == 3)
		bare = plain.len;
	buf_put(&plain, p->p, p->n);
	buf_put(&packed, plain.p, bare);
	make_packed(&packed, p->stored ? 0 : c->codec, plain.p + bare,
	    plain.len - bare);
	if (p->type == 2)
		c->dict = c->dict == 0 ? m->out.len : c->dict;
	else if (c->data == 0)
		c->data = m->out.len;
	if (p->type != 2)
		c->values += (uint64_t)p->values;
	put_page_head(&m->out, p, plain.len, packed.len,
	    codec_crc_mem(packed.p, packed.len));
	buf_put(&m->out, packed.p, packed.len);
	c->len = m->out.len - c->off;
	buf_release(&plain);
	buf_release(&packed);
}

void
parquet_make_index(struct parquet_make *m, unsigned chunk,
    const uint64_t (*place)[3], unsigned n)
{
	struct make_chunk *c = &m->chunk[chunk];
	int last = 0, in;

	c->index = m->out.len;
	list(&m->out, &last, 1, STRUCT, n);
	for (unsigned i = 0; i < n; i++) {
		in = 0;
		put_int(&m->out, &in, 1, I64, (int64_t)place[i][0]);
		put_int(&m->out, &in, 2, I32, (int64_t)place[i][1]);
		put_int(&m->out, &in, 3, I64, (int64_t)place[i][2]);
		stop(&m->out);
	}
	stop(&m->out);
	c->index_len = m->out.len - c->index;
}

void
parquet_make_group(struct parquet_make *m, int64_t rows)
{
	BUG_ON(m->groups == MAKE_CHUNKS);
	m->group_first[m->groups] = m->first;
	m->group_rows[m->groups++] = rows;
	m->first = m->chunks;
}

static void
put_logical(struct buf *b, const struct make_node *n)
{
	int last = 0, in = 0, unit = 0;

	field(b, &last, n->logical, STRUCT);
	if (n->logical == 7 || n->logical == 8) {
		put_bool(b, &in, 1, true);
		field(b, &in, 2, STRUCT);
		field(b, &unit, n->bits, STRUCT);
		stop(b);
		stop(b);
	} else if (n->logical == 5) {
		put_int(b, &in, 1, I32, n->scale);
		put_int(b, &in, 2, I32, 30);
	} else if (n->logical == 10) {
		field(b, &in, 1, 3);
		buf_putc(b, 16);
		put_bool(b, &in, 2, n->bits == 0);
	}
	stop(b);
	stop(b);
}

static void
put_node(struct buf *b, const struct make_node *n, bool root)
{
	int last = 0;

	if (n->type >= 0)
		put_int(b, &last, 1, I32, n->type);
	if (n->width > 0)
		put_int(b, &last, 2, I32, n->width);
	if (!root)
		put_int(b, &last, 3, I32, n->repetition);
	put_str(b, &last, 4, n->name);
	if (n->children != 0)
		put_int(b, &last, 5, I32, n->children);
	if (n->converted >= 0)
		put_int(b, &last, 6, I32, n->converted);
	if (n->scale != 0)
		put_int(b, &last, 7, I32, n->scale);
	if (n->logical > 0) {
		field(b, &last, 10, STRUCT);
		put_logical(b, n);
	}
	stop(b);
}

static void
put_chunk(struct buf *b, const struct make_chunk *c, const char *name)
{
	int last = 0, in = 0;

	if (c->external)
		put_str(b, &last, 1, "elsewhere.parquet");
	put_int(b, &last, 2, I64, (int64_t)c->off);
	field(b, &last, 3, STRUCT);
	put_int(b, &in, 1, I32, c->type);
	list(b, &in, 2, I32, 1);
	make_zigzag(b, 0);
	list(b, &in, 3, BINARY, 1);
	make_varint(b, strlen(name));
	buf_puts(b, name);
	put_int(b, &in, 4, I32, c->codec);
	put_int(b, &in, 5, I64, (int64_t)c->values);
	put_int(b, &in, 6, I64, (int64_t)c->len);
	put_int(b, &in, 7, I64, (int64_t)c->len);
	put_int(b, &in, 9, I64, (int64_t)c->data);
	if (c->dict != 0)
		put_int(b, &in, 11, I64, (int64_t)c->dict);
	stop(b);
	if (c->index != 0) {
		put_int(b, &last, 4, I64, (int64_t)c->index);
		put_int(b, &last, 5, I32, (int64_t)c->index_len);
	}
	if (c->encrypted) {
		field(b, &last, 8, STRUCT);
		stop(b);
	}
	stop(b);
}

static void
put_group(const struct parquet_make *m, struct buf *b, unsigned g)
{
	unsigned end = g + 1 < m->groups ? m->group_first[g + 1] : m->chunks;
	int last = 0;

	list(b, &last, 1, STRUCT, end - m->group_first[g]);
	for (unsigned i = m->group_first[g]; i < end; i++)
		put_chunk(b, &m->chunk[i],
		    leaf(m, i - m->group_first[g])->name);
	put_int(b, &last, 2, I64, 1);
	put_int(b, &last, 3, I64, m->group_rows[g]);
	stop(b);
}

void
parquet_make_end(struct parquet_make *m)
{
	struct buf *b = &m->out;
	size_t begin = b->len;
	int64_t rows = 0;
	int last = 0;

	put_int(b, &last, 1, I32, 1);
	list(b, &last, 2, STRUCT, m->nodes);
	for (unsigned i = 0; i < m->nodes; i++)
		put_node(b, &m->node[i], i == 0);
	for (unsigned g = 0; g < m->groups; g++)
		rows += m->group_rows[g];
	put_int(b, &last, 3, I64, m->rows != 0 ? m->rows : rows);
	list(b, &last, 4, STRUCT, m->groups);
	for (unsigned g = 0; g < m->groups; g++)
		put_group(m, b, g);
	put_str(b, &last, 6, "exhibit tests");
	if (m->is_signed) {
		field(b, &last, 8, STRUCT);
		stop(b);
	}
	stop(b);
	for (unsigned i = 0; m->is_signed && i < 28; i++)
		buf_putc(b, 'x');
	make_u32(b, (uint32_t)(b->len - begin));
	buf_puts(b, m->encrypted ? "PARE" : "PAR1");
	BUG_ON(buf_failed(b) != 0);
}

void
parquet_make_release(struct parquet_make *m)
{
	buf_release(&m->out);
}
