#include <string.h>

#include "base/arena.h"
#include "base/bytesrc.h"
#include "base/err.h"
#include "base/limits.h"
#include "formats/rows/arrow.h"
#include "formats/rows/rows.h"

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
static struct arrow_batch *
batch(const struct arrow *s, uint32_t i)
{
	return (struct arrow_batch *)(void *)s->list.p + i;
}

int
arrow_walk_frame(struct cursor *c, uint32_t *len)
{
	if (!cursor_u32le(c, len))
		return cursor_at_end(c) ? 0 : -1;
	if (*len == UINT32_MAX && !cursor_u32le(c, len))
		return -1;
	return *len != 0;
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
	if (type == ARROW_SCHEMA)
		return read_schema(s, &b, &t);
	if (s->field == NULL && (why = read_footer(s)) != NULL)
		return why;
	if (type != ARROW_DICTIONARY && type != ARROW_RECORDS) {
		rows_tell(s->p, 0, ret->off, "a message is of a type that is "
		    "not read");
		return NULL;
	}
	ret->is_dict = type == ARROW_DICTIONARY;
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
	if ((r = arrow_walk_frame(&c, &b.meta_len)) <= 0) {
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

int
arrow_walk(struct arrow *s, struct err *e)
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
