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
 * Arrow IPC as records (arrow.h).  All messages are walked over when it is
 * opened, so any record is found at once; a record's place is its batch.
 */
static struct arrow_batch *
batch(const struct arrow *s, uint32_t i)
{
	return (struct arrow_batch *)(void *)s->list.p + i;
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
	    arrow_walk_frame(&c, &len) == 1) {
		b = (struct flatbuf){head + 8, n - 8};
		if (flatbuf_root(&b, &t) &&
		    flatbuf_int(&b, &t, 1, 1, 0, &type) && type == ARROW_SCHEMA)
			return 56;
	}
	return rows_named(&p->file[0], ".arrow") ? 8 : 0;
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
	if ((r = arrow_walk(s, e)) < 0)
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

	memset(ret, 0, sizeof(*ret));
	return *path == '\0' ||
	    rowtree_find(&s->tree, 0, path, ret, &s->scratch) ? 0 :
	    rows_bad(s->p, 0, batch(s, s->at)->off, "a value is too long", e);
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
