#include <string.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/bytesrc.h"
#include "base/err.h"
#include "base/limits.h"
#include "base/text.h"
#include "formats/rows/arrow.h"
#include "formats/rows/rows.h"
#include "formats/rows/rowtree.h"

/*
 * Messages of Arrow IPC, one after the other:
 *
 *	FF FF FF FF, length i32 (before 0.15: the length alone), metadata as a
 *	FlatBuffer of that length, body; a length of 0 ends the stream
 *
 * A file is such a stream behind ARROW1 and two zeros, then a footer with the
 * schema and where the batches are, its length, ARROW1.  The stream is read;
 * the footer is asked for the schema when no message has it (as the writer
 * in JavaScript leaves it out).
 * All messages are walked over when it is opened, so any record is found at
 * once; a record's place is its batch.
 */
enum { SCHEMA = 1, DICTIONARY = 2, RECORDS = 3 };

struct arrow {
	const struct rows_params *p;
	struct codec_pages codecs;
	struct arrow_field *field;
	uint32_t fields;
	struct grow meta, list;		/* list: struct arrow_batch */
	uint32_t batches;
	uint64_t rows;
	const char *broken;		/* why the walk ended early, */
	uint64_t broken_at;		/* and where */
	struct arrow_array *array, *dict;
	struct arrow_body body, *dict_body;
	uint32_t *dict_now, *dict_loaded;	/* batch + 1 of each field */
	uint32_t scanned;		/* batches whose dictionaries count */
	uint32_t at;			/* the current batch */
	bool file, open, bad;
	uint64_t row, lost_left;
	struct rowtree tree;
	struct buf scratch;
};

static struct arrow_batch *
batch(const struct arrow *s, uint32_t i)
{
	return (struct arrow_batch *)(void *)s->list.p + i;
}

/* Length of the metadata and where they are; 1, 0 at the end, -1. */
static int
frame(struct cursor *c, uint32_t *len)
{
	if (!cursor_u32le(c, len))
		return cursor_at_end(c) ? 0 : -1;
	if (*len == UINT32_MAX && !cursor_u32le(c, len))
		return -1;
	return *len != 0;
}

static unsigned
arrow_bid(const struct rows_params *p, const uint8_t *head, size_t n)
{
	struct flattable t;
	struct flatbuf b;
	struct cursor c;
	uint32_t len;
	int64_t type;

	cursor_init(&c, head, n, 0);
	if (cursor_match(&c, (const uint8_t *)"ARROW1\0\0", 8))
		return 64;
	if (n > 8 && memcmp(head, "\xff\xff\xff\xff", 4) == 0 &&
	    frame(&c, &len) == 1) {
		b = (struct flatbuf){head + 8, n - 8};
		if (flatbuf_root(&b, &t) &&
		    flatbuf_int(&b, &t, 1, 1, 0, &type) && type == SCHEMA)
			return 56;
	}
	return rows_named(&p->file[0], ".arrow") ? 8 : 0;
}

static const char *
read_batch(struct arrow *s, const struct flatbuf *b,
    const struct flattable *message, struct arrow_batch *ret)
{
	struct flattable head, data;
	int64_t rows, delta = 0;

	if (flatbuf_table(b, message, 2, &head) != 1)
		return "a message makes no sense";
	if (ret->is_dict) {
		if (!flatbuf_int(b, &head, 0, 8, 0, &ret->id) ||
		    !flatbuf_int(b, &head, 2, 1, 0, &delta))
			return "a message makes no sense";
		ret->is_delta = delta != 0;
		return NULL;
	}
	data = head;
	if (!flatbuf_int(b, &data, 0, 8, 0, &rows) || rows < 0 ||
	    rows > INT64_MAX / 4 - (int64_t)s->rows)
		return "a batch has a number of records that makes no sense";
	ret->first = s->rows;
	ret->rows = (uint64_t)rows;
	s->rows += (uint64_t)rows;
	return NULL;
}

static const char *
read_schema(struct arrow *s, const struct flatbuf *b,
    const struct flattable *message)
{
	struct flatbuf own = *b;
	struct flattable head;

	if (s->field != NULL)
		return "there is a second schema";
	/* Names are kept: the message's bytes are used again. */
	if ((own.p = (const uint8_t *)arena_dup(s->p->arena, b->p, b->n)) ==
	    NULL)
		return "no memory left for the schema";
	if (flatbuf_table(&own, message, 2, &head) != 1)
		return "a message makes no sense";
	return arrow_schema_read(&own, &head, s->p->arena, &s->field,
	    &s->fields);
}

/* The schema that the footer of a file has. */
static const char *
read_footer(struct arrow *s)
{
	static const char none[] = "a batch comes before the schema";
	const struct bytesrc *src = s->p->file[0].src;
	uint64_t size = bytesrc_size(src);
	struct flattable t, schema;
	uint8_t tail[10], *p;
	struct flatbuf b;
	struct cursor c;
	uint32_t n;

	if (!s->file || size < 18 ||
	    bytesrc_read(src, size - 10, tail, 10, NULL) < 0)
		return none;
	cursor_init(&c, tail, 10, size - 10);
	if (!cursor_u32le(&c, &n) || n > size - 18 || n > LIMIT_ARROW_META ||
	    !cursor_match(&c, (const uint8_t *)"ARROW1", 6) ||
	    (p = arena_alloc(s->p->arena, n)) == NULL ||
	    bytesrc_read(src, size - 10 - n, p, n, NULL) < 0)
		return none;
	b = (struct flatbuf){p, n};
	if (!flatbuf_root(&b, &t) || flatbuf_table(&b, &t, 1, &schema) != 1)
		return none;
	return arrow_schema_read(&b, &schema, s->p->arena, &s->field,
	    &s->fields);
}

/* One message, whose metadata are s->meta.p[0..n). */
static const char *
read_message(struct arrow *s, size_t n, struct arrow_batch *ret,
    uint64_t left)
{
	struct flatbuf b = {s->meta.p, n};
	struct flattable t;
	int64_t type, body;
	const char *why;

	if (!flatbuf_root(&b, &t) || !flatbuf_int(&b, &t, 1, 1, 0, &type) ||
	    !flatbuf_int(&b, &t, 3, 8, 0, &body) || body < 0)
		return "a message makes no sense";
	if ((uint64_t)body > left)
		return "a message is longer than the file";
	ret->body_len = (uint64_t)body;
	if (type == SCHEMA)
		return read_schema(s, &b, &t);
	if (s->field == NULL && (why = read_footer(s)) != NULL)
		return why;
	if (type != DICTIONARY && type != RECORDS) {
		rows_tell(s->p, 0, ret->off, "a message is of a type that is "
		    "not read");
		return NULL;
	}
	ret->is_dict = type == DICTIONARY;
	if ((why = read_batch(s, &b, &t, ret)) != NULL)
		return why;
	if (s->batches == LIMIT_ARROW_MESSAGES || !grow_room(&s->list,
	    (s->batches + 1) * sizeof(*ret), s->batches * sizeof(*ret)))
		return "there are too many messages";
	*batch(s, s->batches++) = *ret;
	return NULL;
}

/* Walk over the message at ${off}: 1 and the next one, 0 at the end. */
static int
walk_one(struct arrow *s, uint64_t *off, struct err *e)
{
	uint64_t size = bytesrc_size(s->p->file[0].src);
	struct arrow_batch b = {.off = *off};
	uint8_t head[8];
	struct cursor c;
	size_t n;
	int r;

	s->broken_at = *off;
	if ((r = bytesrc_read_some(s->p->file[0].src, *off, head,
	    sizeof(head), &n, e)) < 0)
		return r;
	cursor_init(&c, head, n, *off);
	if ((r = frame(&c, &b.meta_len)) <= 0) {
		if (r < 0)
			s->broken = "a message is cut off";
		*off = cursor_tell(&c);
		return 0;
	}
	b.meta = cursor_tell(&c);
	if (b.meta_len > size - b.meta || b.meta_len > LIMIT_ARROW_META) {
		s->broken = "a message is longer than the file";
		return 0;
	}
	if (!grow_room(&s->meta, b.meta_len, 0))
		return err_set(e, ERR_LIMIT, "no memory left for a message");
	if ((r = bytesrc_read(s->p->file[0].src, b.meta, s->meta.p,
	    b.meta_len, e)) < 0)
		return r;
	b.body = b.meta + b.meta_len;
	if ((s->broken = read_message(s, b.meta_len, &b, size - b.body)) !=
	    NULL)
		return 0;
	*off = b.body + b.body_len;
	return 1;
}

static int
walk(struct arrow *s, struct err *e)
{
	const struct bytesrc *src = s->p->file[0].src;
	uint64_t size = bytesrc_size(src), off = 0;
	uint8_t magic[8], tail[6];
	size_t n;
	int r;

	if ((r = bytesrc_read_some(src, 0, magic, 8, &n, e)) < 0)
		return r;
	s->file = n == 8 && memcmp(magic, "ARROW1\0\0", 8) == 0;
	off = s->file ? 8 : 0;
	while ((r = walk_one(s, &off, e)) == 1)
		;
	if (r < 0)
		return r;
	if (s->field == NULL)
		return rows_bad(s->p, 0, s->broken_at, s->broken != NULL ?
		    s->broken : "there is no schema", e);
	if (s->broken != NULL)
		return 0;
	if (!s->file && off < size)
		rows_tell(s->p, 0, off,
		    "bytes behind the end belong to nothing");
	if (s->file && ((r = bytesrc_read(src, size - 6, tail, 6, e)) < 0 ||
	    memcmp(tail, "ARROW1", 6) != 0))
		rows_tell(s->p, 0, off, "the file has no end: cut off");
	return r < 0 ? r : 0;
}

static int
arrow_open(const struct rows_params *p, void **self, struct err *e)
{
	struct arena *a = p->arena;
	struct arrow *s;
	int r;

	if ((s = arena_alloc(a, sizeof(*s))) == NULL)
		return err_set(e, ERR_LIMIT, "no memory left");
	s->p = p;
	codec_pages_init(&s->codecs, a);
	grow_init(&s->meta, a);
	grow_init(&s->list, a);
	grow_init(&s->body.meta, a);
	grow_init(&s->body.raw, a);
	grow_init(&s->body.plain, a);
	rowtree_init(&s->tree, a);
	s->lost_left = LIMIT_ROWS_LOST + bytesrc_size(p->file[0].src);
	if ((r = walk(s, e)) < 0)
		return r;
	if ((s->array = arena_array(a, s->fields + 1U,
	    sizeof(*s->array))) == NULL ||
	    (s->dict = arena_array(a, s->fields + 1U, sizeof(*s->dict))) ==
	    NULL ||
	    (s->dict_body = arena_array(a, s->fields + 1U,
	    sizeof(*s->dict_body))) == NULL ||
	    (s->dict_now = arena_array(a, s->fields + 1U, 4)) == NULL ||
	    (s->dict_loaded = arena_array(a, s->fields + 1U, 4)) == NULL)
		return err_set(e, ERR_LIMIT, "no memory left for columns");
	for (uint32_t i = 0; i < s->fields; i++) {
		grow_init(&s->dict_body[i].meta, a);
		grow_init(&s->dict_body[i].raw, a);
		grow_init(&s->dict_body[i].plain, a);
	}
	buf_init(&s->scratch, LIMIT_ROWTREE_TEXT);
	*self = s;
	return 0;
}

/* Which dictionaries count for batch ${at}: the last ones before it. */
static void
scan_dicts(struct arrow *s, uint32_t at)
{
	if (s->scanned > at) {
		s->scanned = 0;
		memset(s->dict_now, 0, s->fields * sizeof(*s->dict_now));
	}
	for (; s->scanned < at; s->scanned++) {
		const struct arrow_batch *b = batch(s, s->scanned);

		for (uint32_t i = 0; b->is_dict && i < s->fields; i++)
			if (s->field[i].coded && s->field[i].dict == b->id)
				s->dict_now[i] = s->scanned + 1;
	}
}

/* 0; 1 when one is not there or makes no sense (*why). */
static int
load_dicts(struct arrow *s, const char **why, struct err *e)
{
	const struct arrow_batch *b;
	int r;

	for (uint32_t i = 0; i < s->fields; i++) {
		if (!s->field[i].coded ||
		    (s->dict_now[i] != 0 &&
		    s->dict_now[i] == s->dict_loaded[i]))
			continue;
		*why = "a dictionary is not there";
		if (s->dict_now[i] == 0)
			return 1;
		b = batch(s, s->dict_now[i] - 1);
		*why = "a dictionary comes in pieces, which is not read";
		if (b->is_delta)
			return 1;
		s->dict_loaded[i] = 0;
		if ((r = arrow_batch_load(s->p, &s->codecs, b,
		    &s->dict_body[i], s->field, i, s->field[i].end, true,
		    s->dict, why, e)) != 0)
			return r;
		s->dict_loaded[i] = s->dict_now[i];
	}
	return 0;
}

static int
open_batch(struct arrow *s, struct err *e)
{
	const char *why = "";
	int r;

	s->open = true;
	s->bad = false;
	s->row = 0;
	scan_dicts(s, s->at);
	if ((r = load_dicts(s, &why, e)) == 0)
		r = arrow_batch_load(s->p, &s->codecs, batch(s, s->at),
		    &s->body, s->field, 0, s->fields, false, s->array, &why,
		    e);
	if (r <= 0)
		return r;
	s->bad = true;
	rows_tell(s->p, 0, batch(s, s->at)->off, why);
	return 0;
}

/* The batch that has the next record: 1, 0 at the end, negative. */
static int
find_batch(struct arrow *s, struct err *e)
{
	int r;

	for (; s->at < s->batches; s->at++, s->open = false) {
		if (batch(s, s->at)->is_dict)
			continue;
		if (!s->open && (r = open_batch(s, e)) < 0)
			return r;
		if (s->row < batch(s, s->at)->rows)
			return 1;
	}
	if (s->broken != NULL)
		return rows_bad(s->p, 0, s->broken_at, s->broken, e);
	return 0;
}

static bool
build_row(struct arrow *s)
{
	struct arrow_row r = {s->field, s->array, s->dict, &s->tree};
	uint32_t root;
	bool ok = true;

	rowtree_clear(&s->tree);
	root = rowtree_open(&s->tree, ROWTREE_OBJECT, NULL, 0);
	for (uint32_t i = 0; ok && i < s->fields; i = s->field[i].end)
		ok = arrow_row_build(&r, i, s->row);
	rowtree_close(&s->tree, root);
	if (!ok)
		rows_tell(s->p, 0, batch(s, s->at)->off,
		    "a record of a batch makes no sense");
	/* One that fills the tree costs as much as thousands. */
	if (s->tree.failed)
		s->lost_left -= s->lost_left < 4096 ? s->lost_left : 4096;
	return ok && !s->tree.failed;
}

static int
arrow_next(void *self, struct rows_record *ret, struct err *e)
{
	struct arrow *s = self;
	const struct arrow_batch *b;
	int r;

	if ((r = find_batch(s, e)) <= 0)
		return r;
	b = batch(s, s->at);
	ret->file = 0;
	ret->off = b->off;
	ret->len = b->body + b->body_len - b->off;
	ret->verbatim = false;
	ret->damaged = s->bad || !build_row(s);
	s->row++;
	if (ret->damaged && s->lost_left-- == 0)
		return rows_bad(s->p, 0, b->off,
		    "too many records cannot be read", e);
	return 1;
}

static int
arrow_count(void *self, uint64_t *ret, struct err *e)
{
	const struct arrow *s = self;

	(void)e;
	*ret = s->rows;
	return 0;
}

static int
arrow_seek(void *self, uint64_t index, struct err *e)
{
	struct arrow *s = self;
	const struct arrow_batch *b;
	uint32_t at;
	int r;

	for (at = 0; at + 1 < s->batches; at++) {
		b = batch(s, at);
		if (!b->is_dict && index - b->first < b->rows)
			break;
	}
	if (at != s->at || !s->open) {
		s->at = at;
		if ((r = open_batch(s, e)) < 0)
			return r;
	}
	s->row = index - batch(s, at)->first;
	return 0;
}

static int
arrow_field(void *self, const char *path, struct rows_value *ret,
    struct err *e)
{
	struct arrow *s = self;

	(void)e;
	memset(ret, 0, sizeof(*ret));
	if (*path != '\0')
		rowtree_find(&s->tree, 0, path, ret, &s->scratch);
	return 0;
}

static int
arrow_json(void *self, struct buf *b, struct err *e)
{
	struct arrow *s = self;

	(void)rowtree_json(&s->tree, 0, b);
	return buf_failed(b) ? err_set(e, buf_failed(b),
	    "a record is too long as JSON") : 0;
}

static int
arrow_fields(void *self, void (*each)(void *ctx, const char *name,
    const char *type), void *ctx, struct err *e)
{
	static const char *const types[] = {"", "null", "integer", "float",
	    "bytes", "string", "boolean", "decimal", "date", "time",
	    "timestamp", "interval", "list", "struct", "union", "bytes",
	    "list", "map", "duration", "bytes", "string", "list"};
	struct arrow *s = self;

	(void)e;
	for (uint32_t i = 0; i < s->fields; i = s->field[i].end) {
		buf_clear(&s->scratch);
		text_put(&s->scratch, s->field[i].name, s->field[i].name_len,
		    TEXT_PLAIN);
		each(ctx, buf_str(&s->scratch), types[s->field[i].type]);
	}
	return 0;
}

static void
arrow_close(void *self)
{
	struct arrow *s = self;

	buf_release(&s->scratch);
}

const struct rows_format rows_arrow = {
	.id = "arrow",
	.bid = arrow_bid,
	.open = arrow_open,
	.next = arrow_next,
	.field = arrow_field,
	.json = arrow_json,
	.seek = arrow_seek,
	.count = arrow_count,
	.fields = arrow_fields,
	.close = arrow_close,
};
