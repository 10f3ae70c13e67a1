#include <string.h>

#include "base/bytesrc.h"
#include "base/ckd.h"
#include "base/err.h"
#include "base/limits.h"
#include "formats/rows/arrow.h"
#include "formats/rows/rows.h"

/*
 * A RecordBatch lists its nodes (length, nulls) and buffers (offset, length
 * in the body) in the order of the fields.  Compressed buffers begin with
 * their size as i64, -1 meaning that they are stored as they are.
 */
static const char no_sense[] = "a batch makes no sense";
static const char too_short[] = "a buffer of a batch is too short";

struct load {
	struct flatbuf b;
	struct flatvec node, buffer;
	uint32_t next_node, next_buffer;
	struct cursor body;
	bool packed;
	enum page_codec codec;
	struct codec_pages *codecs;
	struct arrow_body *bytes;
	struct err *e;
	int rc;			/* our side's failure */
	const char *why;
};

static bool
no(struct load *l, const char *why)
{
	l->why = why;
	return false;
}

/* The bytes of a buffer, decompressed behind those before it. */
static bool
unpack(struct load *l, struct cursor *c)
{
	struct arrow_body *bytes = l->bytes;
	uint64_t want;
	size_t n;

	if (c->len == 0)
		return true;
	if (!cursor_u64le(c, &want))
		return no(l, no_sense);
	if (want == UINT64_MAX) {
		cursor_init(c, c->buf + 8, c->len - 8, 0);
		return true;
	}
	if (!ckd_size(&n, want) || n > bytes->plain.cap - bytes->plain_len)
		return no(l, "a buffer would become too large");
	l->rc = codec_pages_decode(l->codecs, l->codec, c->buf + 8,
	    c->len - 8, bytes->plain.p + bytes->plain_len, n, &l->why, l->e);
	if (l->rc != 0)
		return false;
	cursor_init(c, bytes->plain.p + bytes->plain_len, n, 0);
	bytes->plain_len += n;
	return true;
}

static bool
place(struct load *l, uint32_t i, struct cursor *ret)
{
	int64_t off, len;

	if (!flatbuf_number(&l->b, &l->buffer, 16 * (size_t)i, &off) ||
	    !flatbuf_number(&l->b, &l->buffer, 16 * (size_t)i + 8, &len) ||
	    off < 0 || len < 0 ||
	    !ckd_range((uint64_t)off, (uint64_t)len, l->body.len))
		return no(l, "a buffer lies outside of its batch");
	cursor_init(ret, l->body.buf + off, (size_t)len, 0);
	return true;
}

/* The next buffer, which must hold ${count} values of ${bits}. */
static bool
take(struct load *l, uint64_t count, uint64_t bits, struct cursor *ret)
{
	uint64_t need;

	if (l->next_buffer == l->buffer.count)
		return no(l, "a batch has too few buffers");
	if (!place(l, l->next_buffer++, ret) ||
	    (l->packed && !unpack(l, ret)))
		return false;
	if (!ckd_mul64(&need, count, bits))
		return no(l, too_short);
	return need / 8 + (need % 8 != 0) <= ret->len || no(l, too_short);
}

static bool
take_node(struct load *l, struct arrow_array *a)
{
	size_t at = 16 * (size_t)l->next_node;
	int64_t len, nulls;

	memset(a, 0, sizeof(*a));
	if (l->next_node++ >= l->node.count)
		return no(l, "a batch has too few columns");
	if (!flatbuf_number(&l->b, &l->node, at, &len) ||
	    !flatbuf_number(&l->b, &l->node, at + 8, &nulls) || len < 0 ||
	    nulls < 0 || nulls > len)
		return no(l, no_sense);
	a->len = (uint64_t)len;
	return true;
}

static bool
take_valid(struct load *l, struct arrow_array *a)
{
	if (!take(l, 0, 0, &a->valid))
		return false;
	return a->valid.len == 0 || a->valid.len >= a->len / 8 +
	    (a->len % 8 != 0) || no(l, too_short);
}

/* Offsets: one more than values, though an empty array may have none. */
static bool
take_offsets(struct load *l, struct arrow_array *a, unsigned width)
{
	return take(l, a->len == 0 ? 0 : a->len + 1, 8 * width, &a->offsets);
}

static bool
take_buffers(struct load *l, const struct arrow_field *f,
    struct arrow_array *a)
{
	switch (f->type) {
	case ARROW_NULL:
		return true;
	case ARROW_BOOL:
		return take_valid(l, a) && take(l, a->len, 1, &a->data);
	case ARROW_STRUCT:
	case ARROW_FIXED_LIST:
		return take_valid(l, a);
	case ARROW_LIST:
	case ARROW_MAP:
		return take_valid(l, a) && take_offsets(l, a, 4);
	case ARROW_LARGE_LIST:
		return take_valid(l, a) && take_offsets(l, a, 8);
	case ARROW_BINARY:
	case ARROW_UTF8:
		return take_valid(l, a) && take_offsets(l, a, 4) &&
		    take(l, 0, 0, &a->data);
	case ARROW_LARGE_BINARY:
	case ARROW_LARGE_UTF8:
		return take_valid(l, a) && take_offsets(l, a, 8) &&
		    take(l, 0, 0, &a->data);
	case ARROW_INT:
	case ARROW_FLOAT:
	case ARROW_DECIMAL:
	case ARROW_DATE:
	case ARROW_TIME:
	case ARROW_STAMP:
	case ARROW_INTERVAL:
	case ARROW_FIXED:
	case ARROW_DURATION:
		break;
	}
	return take_valid(l, a) && take(l, a->len, 8 * (uint64_t)f->width,
	    &a->data);
}

static bool
take_fields(struct load *l, const struct arrow_field *field, uint32_t first,
    uint32_t end, bool values, struct arrow_array *array)
{
	const struct arrow_field *f;
	uint32_t i = first;

	while (i < end) {
		f = &field[i];
		if (!take_node(l, &array[i]))
			return false;
		if (!f->coded || (values && i == first)) {
			if (!take_buffers(l, f, &array[i]))
				return false;
			i++;
			continue;
		}
		if (values)
			return no(l, "a dictionary within a dictionary is "
			    "not read");
		if (!take_valid(l, &array[i]) || !take(l, array[i].len,
		    8 * (uint64_t)f->index_width, &array[i].data))
			return false;
		i = f->end;
	}
	return true;
}

/* All sizes that compressed buffers state, so that memory is taken once. */
static bool
make_room(struct load *l)
{
	uint64_t total = 0, n;
	struct cursor c;

	for (uint32_t i = 0; i < l->buffer.count; i++) {
		if (!place(l, i, &c))
			return false;
		if (c.len == 0)
			continue;
		if (!cursor_u64le(&c, &n))
			return no(l, no_sense);
		if (n != UINT64_MAX && !ckd_add64(&total, total, n))
			return no(l, "a buffer would become too large");
	}
	if (total > LIMIT_ARROW_BODY || (total > LIMIT_PAGE_RATIO_FROM &&
	    total / LIMIT_PAGE_RATIO > l->body.len))
		return no(l, "a buffer would become too large");
	l->bytes->plain_len = 0;
	if (!grow_room(&l->bytes->plain, (size_t)total + 1, 0))
		l->rc = err_set(l->e, ERR_LIMIT, "no memory left for a batch");
	return l->rc == 0;
}

static bool
read_head(struct load *l, bool values)
{
	struct flattable message, batch, dict, pack;
	int64_t codec;
	int r;

	if (!flatbuf_root(&l->b, &message) ||
	    flatbuf_table(&l->b, &message, 2, &batch) != 1)
		return no(l, no_sense);
	if (values) {
		dict = batch;
		if (flatbuf_table(&l->b, &dict, 1, &batch) != 1)
			return no(l, no_sense);
	}
	if (flatbuf_vector(&l->b, &batch, 1, 16, &l->node) < 0 ||
	    flatbuf_vector(&l->b, &batch, 2, 16, &l->buffer) < 0 ||
	    (r = flatbuf_table(&l->b, &batch, 3, &pack)) < 0)
		return no(l, no_sense);
	l->packed = r == 1;
	if (!l->packed)
		return true;
	if (!flatbuf_int(&l->b, &pack, 0, 1, 0, &codec))
		return no(l, no_sense);
	if (codec < 0 || codec > 1)
		return no(l, "a batch is compressed in a way that is not "
		    "known");
	l->codec = codec == 0 ? PAGE_LZ4_FRAME : PAGE_ZSTD;
	return make_room(l);
}

int
arrow_batch_load(const struct rows_params *p, struct codec_pages *codecs,
    const struct arrow_batch *batch, struct arrow_body *body,
    const struct arrow_field *field, uint32_t first, uint32_t end,
    bool values, struct arrow_array *array, const char **why, struct err *e)
{
	struct load l = {.codecs = codecs, .bytes = body, .e = e};
	size_t n;
	int r;

	*why = "a batch is too long";
	if (batch->body_len > LIMIT_ARROW_BODY || !ckd_size(&n,
	    batch->body_len))
		return 1;
	if (!grow_room(&body->meta, batch->meta_len, 0) ||
	    !grow_room(&body->raw, n, 0))
		return err_set(e, ERR_LIMIT, "no memory left for a batch");
	if ((r = bytesrc_read(p->file[0].src, batch->meta, body->meta.p,
	    batch->meta_len, e)) < 0 ||
	    (r = bytesrc_read(p->file[0].src, batch->body, body->raw.p, n,
	    e)) < 0)
		return r;
	l.b = (struct flatbuf){body->meta.p, batch->meta_len};
	cursor_init(&l.body, body->raw.p, n, 0);
	if (read_head(&l, values) && take_fields(&l, field, first, end, values,
	    array))
		return 0;
	*why = l.why != NULL ? l.why : no_sense;
	return l.rc < 0 ? l.rc : 1;
}
