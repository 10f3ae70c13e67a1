#include <string.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/bytesrc.h"
#include "base/cursor.h"
#include "base/err.h"
#include "base/limits.h"
#include "base/reader.h"
#include "formats/rows/crc32c.h"
#include "formats/rows/rows.h"
#include "formats/rows/tfexample.h"

/*
 * TFRecord (tensorflow/core/lib/io/record_writer.h):
 *
 *	0 length u64   8 masked CRC-32C of the length   12 data
 *	12 + length   masked CRC-32C of the data
 *
 * A record is its whole frame.  A length whose sum does not hold is no
 * length: reading ends there.  Data whose sum does not hold are a damaged
 * record.
 */
#define HEAD 12
#define FRAME 16

struct tfrecord {
	const struct rows_params *p;
	struct reader rd;
	struct buf frame, scratch;
	bool bad;		/* the reading has ended */
	bool whole;		/* the frame is in ${frame} */
};

static bool
length(struct cursor c, uint64_t *ret)
{
	uint32_t sum;

	return cursor_u64le(&c, ret) && cursor_u32le(&c, &sum) &&
	    sum == crc32c_mask(crc32c(0, c.buf, 8));
}

static unsigned
tfrecord_bid(const struct rows_params *p, const uint8_t *head, size_t n)
{
	struct cursor c;
	uint64_t len;

	(void)p;
	cursor_init(&c, head, n, 0);
	return length(c, &len) ? 60 : 0;
}

static int
tfrecord_open(const struct rows_params *p, void **self, struct err *e)
{
	struct tfrecord *t;
	int r;

	if ((t = arena_alloc(p->arena, sizeof(*t))) == NULL)
		return err_set(e, ERR_NOMEM, "out of memory");
	t->p = p;
	if ((r = reader_init(&t->rd, p->file[0].src, 0, p->window, p->arena,
	    e)) < 0)
		return r;
	buf_init(&t->frame, LIMIT_LINE);
	buf_init(&t->scratch, 3 * LIMIT_LINE);
	*self = t;
	return 0;
}

static void
tfrecord_close(void *self)
{
	struct tfrecord *t = self;

	buf_release(&t->frame);
	buf_release(&t->scratch);
}

static int
bad(struct tfrecord *t, uint64_t off, const char *what, struct err *e)
{
	t->bad = true;
	return rows_bad(t->p, 0, off, what, e);
}

/* The data and their sum; *ok says whether that holds. */
static int
data(struct tfrecord *t, uint64_t n, bool *ok, struct err *e)
{
	struct reader *rd = &t->rd;
	uint32_t sum = 0, stated;
	uint8_t tail[4];
	struct cursor c;
	int r;

	while (n > 0) {
		uint64_t some;

		if (rd->pos == rd->have && (r = reader_fill(rd, e)) < 0)
			return r;
		some = rd->have - rd->pos;
		if (some > n)
			some = n;
		sum = crc32c(sum, rd->win + rd->pos, (size_t)some);
		buf_put(&t->frame, rd->win + rd->pos, (size_t)some);
		rd->pos += (size_t)some;
		n -= some;
	}
	if ((r = reader_copy(rd, tail, sizeof(tail), e)) < 0)
		return r;
	buf_put(&t->frame, tail, sizeof(tail));
	cursor_init(&c, tail, sizeof(tail), 0);
	*ok = cursor_u32le(&c, &stated) && stated == crc32c_mask(sum);
	return 0;
}

static int
tfrecord_next(void *self, struct rows_record *ret, struct err *e)
{
	struct tfrecord *t = self;
	uint8_t head[HEAD];
	struct cursor c;
	uint64_t n;
	bool ok;
	int r;

	if (t->bad || reader_left(&t->rd) == 0)
		return 0;
	ret->off = reader_tell(&t->rd);
	if (reader_left(&t->rd) < FRAME)
		return bad(t, ret->off, "a frame is cut", e);
	if ((r = reader_copy(&t->rd, head, sizeof(head), e)) < 0)
		return r;
	cursor_init(&c, head, sizeof(head), ret->off);
	if (!length(c, &n))
		return bad(t, ret->off,
		    "the check of a frame's length does not hold", e);
	if (n > reader_left(&t->rd) || reader_left(&t->rd) - n < 4)
		return bad(t, ret->off, "a frame is cut", e);
	buf_clear(&t->frame);
	buf_put(&t->frame, head, sizeof(head));
	if ((r = data(t, n, &ok, e)) < 0)
		return r;
	if (buf_failed(&t->frame) == ERR_NOMEM)
		return err_set(e, ERR_NOMEM, "out of memory");
	ret->len = FRAME + n;
	ret->verbatim = true;
	t->whole = !buf_failed(&t->frame);
	if (!ok)
		rows_tell(t->p, 0, ret->off,
		    "the check of a record's data does not hold");
	else if (!t->whole)
		rows_tell(t->p, 0, ret->off,
		    "a record is too long to be parsed");
	else if (!tfexample_check(t->frame.p + HEAD, (size_t)n))
		rows_tell(t->p, 0, ret->off,
		    "a record is no example of TensorFlow");
	else
		return 1;
	ret->damaged = true;
	return 1;
}

static int
tfrecord_field(void *self, const char *path, struct rows_value *ret,
    struct err *e)
{
	struct tfrecord *t = self;
	int r;

	tfexample_get(t->frame.p + HEAD, t->frame.len - FRAME, path, ret,
	    &t->scratch);
	return (r = buf_failed(&t->scratch)) < 0 ?
	    err_set(e, (enum err_code)r, "a value is too long") : 0;
}

static int
tfrecord_json(void *self, struct buf *b, struct err *e)
{
	const struct tfrecord *t = self;

	(void)e;
	tfexample_json(b, t->frame.p + HEAD, t->frame.len - FRAME);
	return 0;
}

static const uint8_t *
tfrecord_raw(void *self)
{
	const struct tfrecord *t = self;

	return t->whole ? t->frame.p : NULL;
}

const struct rows_format rows_tfrecord = {
    .id = "tfrecord",
    .flags = ROWS_FORWARD,
    .bid = tfrecord_bid,
    .open = tfrecord_open,
    .next = tfrecord_next,
    .field = tfrecord_field,
    .json = tfrecord_json,
    .raw = tfrecord_raw,
    .close = tfrecord_close,
};
