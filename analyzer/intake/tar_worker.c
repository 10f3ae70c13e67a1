#include <stdlib.h>
#include <string.h>

#include "analyzer/intake/tar_worker.h"
#include "base/arena.h"
#include "base/buf.h"
#include "base/bytesrc.h"
#include "base/err.h"
#include "base/frame.h"
#include "base/limits.h"
#include "base/sandbox.h"
#include "custody/tar_frames.h"
#include "formats/tarstream.h"

#define ARENA (16 * MIB)
#define PIECE (128 * KIB)
#define NAME_OF_OWNER 1024

/* What went wrong, rather than what is odd. */
#define WRONG (TARSTREAM_NUMBER | TARSTREAM_RECORD | TARSTREAM_LONG | \
	TARSTREAM_NO_NAME | TARSTREAM_SPARSE_BAD)

_Static_assert((int)TAR_KIND_COUNT == (int)TARSTREAM_KINDS,
    "kinds of the frames and of the parser differ");

struct sending {
	const struct bytesrc *src;
	int out_fd;
	struct buf frame;
	uint64_t holes;		/* zeros sent so far */
	uint64_t missing;	/* bytes of the entry that did not come */
	bool cut;
	uint8_t piece[PIECE];
};

static int
send_frame(struct sending *s, struct err *e)
{
	return frame_send(&s->frame, s->out_fd, e);
}

static int
send_bytes(struct sending *s, const uint8_t *p, size_t n, struct err *e)
{
	frame_begin(&s->frame, TAR_DATA);
	frame_put(&s->frame, TAR_BYTES, p, n);
	return send_frame(s, e);
}

static int
send_zeros(struct sending *s, uint64_t n, struct err *e)
{
	size_t part;
	int r = 0;

	memset(s->piece, 0, sizeof(s->piece));
	s->holes += n;
	for (; n > 0 && r >= 0; n -= part) {
		part = n < PIECE ? (size_t)n : PIECE;
		r = send_bytes(s, s->piece, part, e);
	}
	return r;
}

/* [off, off+n) of the stream; what is not there is missing. */
static int
send_range(struct sending *s, uint64_t off, uint64_t n, struct err *e)
{
	size_t part, got;
	int r;

	for (; n > 0 && !s->cut; n -= got, off += got) {
		part = n < PIECE ? (size_t)n : PIECE;
		if ((r = bytesrc_read_some(s->src, off, s->piece, part, &got,
		    e)) < 0 ||
		    (got > 0 && (r = send_bytes(s, s->piece, got, e)) < 0))
			return r;
		s->cut = got < part;
	}
	return 0;
}

/* Pieces in their places, holes between them and behind the last. */
static int
send_pieces(struct sending *s, const struct tarstream_entry *n,
    struct err *e)
{
	uint64_t at = 0, off = n->data_offset;
	int r = 0;

	for (size_t i = 0; i < n->npieces && r >= 0 && !s->cut; i++) {
		const struct tarstream_piece *p = &n->piece[i];

		if ((r = send_zeros(s, p->off - at, e)) >= 0)
			r = send_range(s, off, p->n, e);
		off += p->n;
		at = p->off + p->n;
	}
	if (r < 0 || s->cut)
		return r;
	return send_zeros(s, n->real_size - at, e);
}

static int
send_content(struct sending *s, const struct tarstream_entry *n, bool whole,
    struct err *e)
{
	uint64_t left = n->size;
	size_t part;
	int r;

	if (whole)
		return send_pieces(s, n, e);
	for (size_t i = 0; i < n->head_len && left > 0; i += part) {
		part = n->head_len - i < PIECE ? n->head_len - i : PIECE;
		if (part > left)
			part = (size_t)left;
		if ((r = send_bytes(s, n->head + i, part, e)) < 0)
			return r;
		left -= part;
	}
	return send_range(s, n->data_offset + (n->size - left), left, e);
}

static void
put_notes(struct buf *b, uint8_t tag, unsigned notes)
{
	struct buf text;

	buf_init(&text, 4096);
	for (unsigned bit = 1; bit < TARSTREAM_NOTES; bit <<= 1)
		if ((notes & bit) != 0) {
			if (text.len > 0)
				buf_puts(&text, ", ");
			buf_puts(&text, tarstream_note_text(bit));
		}
	if (text.len > 0)
		frame_put(b, tag, text.p, text.len);
	buf_release(&text);
}

static void
put_text(struct buf *b, uint8_t tag, const uint8_t *p, size_t n, size_t max)
{
	if (p != NULL && n > 0)
		frame_put(b, tag, p, n < max ? n : max);
}

static void
put_ranges(struct buf *b, const struct tarstream_entry *n)
{
	struct buf pairs;

	buf_init(&pairs, TAR_RANGES_MAX * 16);
	for (size_t i = 0; i < n->npieces && i < TAR_RANGES_MAX; i++)
		for (unsigned k = 0; k < 16; k++)
			buf_putc(&pairs, (char)((k < 8 ? n->piece[i].off :
			    n->piece[i].n) >> 8 * (k % 8)));
	if (pairs.len > 0)
		frame_put(b, TAR_RANGES, pairs.p, pairs.len);
	buf_release(&pairs);
}

static int
send_entry(struct sending *s, const struct tarstream_entry *n, bool whole,
    unsigned notes, struct err *e)
{
	struct buf *b = &s->frame;

	frame_begin(b, TAR_ENTRY);
	frame_put_u32(b, TAR_KIND, n->kind);
	frame_put_u32(b, TAR_TYPE, n->type);
	put_text(b, TAR_NAME, n->name, n->name_len, LIMIT_TAR_NAME);
	put_text(b, TAR_LINK, n->link, n->link_len, LIMIT_TAR_NAME);
	put_text(b, TAR_USER, n->user, n->user_len, NAME_OF_OWNER);
	put_text(b, TAR_GROUP, n->group, n->group_len, NAME_OF_OWNER);
	frame_put_u64(b, TAR_SIZE, whole ? n->real_size : n->size);
	frame_put_u64(b, TAR_STORED, n->size);
	if (n->kind != TARSTREAM_UNPARSED) {
		frame_put_u64(b, TAR_MODE, n->mode);
		frame_put_u64(b, TAR_UID, n->uid);
		frame_put_u64(b, TAR_GID, n->gid);
		frame_put_u64(b, TAR_MTIME, (uint64_t)n->mtime);
		frame_put_u64(b, TAR_MTIME_NS, n->mtime_ns);
	}
	if (n->kind == TARSTREAM_CHARACTER || n->kind == TARSTREAM_BLOCK) {
		frame_put_u64(b, TAR_DEV_MAJOR, n->dev_major);
		frame_put_u64(b, TAR_DEV_MINOR, n->dev_minor);
	}
	frame_put_u64(b, TAR_OFFSET, n->offset);
	frame_put_u64(b, TAR_DATA_OFFSET, n->data_offset);
	put_ranges(b, n);
	if (n->pax_len > TAR_PAX_MAX)
		frame_put_u64(b, TAR_PAX_LEFT_OUT, n->pax_len);
	else
		put_text(b, TAR_PAX, n->pax, n->pax_len, TAR_PAX_MAX);
	put_notes(b, TAR_LOG, notes & ~(unsigned)WRONG);
	put_notes(b, TAR_ERROR, notes & WRONG);
	return send_frame(s, e);
}

static int
take_entry(struct sending *s, const struct tarstream_entry *n, struct err *e)
{
	bool whole = (n->notes & TARSTREAM_SPARSE) != 0 &&
	    (n->notes & TARSTREAM_SPARSE_BAD) == 0;
	unsigned notes = n->notes;
	uint64_t size;
	int r;

	if (whole && n->real_size - n->size > LIMIT_TAR_HOLES - s->holes) {
		whole = false;
		notes |= TARSTREAM_SPARSE_BAD;
	}
	size = whole ? n->real_size : n->size;
	s->missing = 0;
	if ((r = send_entry(s, n, whole, notes, e)) < 0)
		return r;
	if (size > 0 && (r = send_content(s, n, whole, e)) < 0)
		return r;
	frame_begin(&s->frame, TAR_END);
	frame_put_u32(&s->frame, TAR_SHORT, s->cut ? 1 : 0);
	return send_frame(s, e);
}

static int
read_all(struct sending *s, struct arena *a, struct err *e)
{
	const struct tarstream_entry *n;
	enum tarstream_end end;
	struct tarstream *t;
	int r;

	if ((r = tarstream_new(s->src, a, &t, e)) < 0)
		return r;
	while ((r = tarstream_next(t, &n, &end, e)) > 0)
		if ((r = take_entry(s, n, e)) < 0)
			return r;
	if (r < 0)
		return r;
	frame_begin(&s->frame, TAR_DONE);
	frame_put_u32(&s->frame, TAR_HOW, s->cut ? TARSTREAM_CUT : end);
	return send_frame(s, e);
}

int
tar_worker_read(const struct bytesrc *src, int out_fd, struct err *e)
{
	struct sending *s = calloc(1, sizeof(*s));
	struct arena *a = arena_new(ARENA);
	int r = ERR_NOMEM;

	if (s == NULL || a == NULL) {
		(void)err_set(e, ERR_NOMEM, "out of memory");
	} else {
		buf_init(&s->frame, LIMIT_FRAME + FRAME_HEADER);
		s->src = src;
		s->out_fd = out_fd;
		r = read_all(s, a, e);
		buf_release(&s->frame);
	}
	arena_free(a);
	free(s);
	return r;
}

int
tar_worker(void *arg, int out_fd)
{
	const struct sandbox_policy policy = {.out_fd = {out_fd, -1},
	    .max_as = LIMIT_WORKER_AS};
	struct sandbox_status st;
	struct err e = ERR_INIT;
	struct bytesrc *src;
	struct buf b;
	int r = ERR_NOMEM;

	if ((src = bytesrc_stream(*(const int *)arg, &e)) != NULL &&
	    (r = sandbox_enter(&policy, &st, &e)) >= 0)
		r = tar_worker_read(src, out_fd, &e);
	bytesrc_free(src);
	if (r >= 0)
		return 0;
	buf_init(&b, 4096);
	frame_begin(&b, TAR_FAILED);
	frame_put_str(&b, TAR_TEXT, e.msg);
	r = frame_send(&b, out_fd, NULL);
	buf_release(&b);
	return r < 0;
}
