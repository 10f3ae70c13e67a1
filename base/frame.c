#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/bug.h"
#include "base/err.h"
#include "base/frame.h"
#include "base/limits.h"

bool
frame_parse(struct frame *f, uint8_t type, const uint8_t *body, size_t n)
{
	struct cursor c;
	uint32_t len;
	uint8_t tag;

	if (!frame_check(body, n))
		return false;
	memset(f, 0, sizeof(*f));
	f->type = type;
	cursor_init(&c, body, n, 0);
	while (!cursor_at_end(&c))
		if (!cursor_u8(&c, &tag) || !cursor_u32le(&c, &len) ||
		    tag >= FRAME_TAGS || !cursor_sub(&c, len, &f->field[tag]))
			BUG("frame_check let a frame pass");
	return true;
}

bool
frame_has(const struct frame *f, uint8_t tag)
{
	return tag < FRAME_TAGS && f->field[tag].buf != NULL;
}

bool
frame_u64(const struct frame *f, uint8_t tag, uint64_t *ret)
{
	struct cursor c;

	if (!frame_has(f, tag) || f->field[tag].len != 8)
		return false;
	c = f->field[tag];
	return cursor_u64le(&c, ret);
}

bool
frame_u32(const struct frame *f, uint8_t tag, uint32_t *ret)
{
	struct cursor c;

	if (!frame_has(f, tag) || f->field[tag].len != 4)
		return false;
	c = f->field[tag];
	return cursor_u32le(&c, ret);
}

static void
put_u32le(uint8_t out[4], uint32_t v)
{
	out[0] = (uint8_t)v;
	out[1] = (uint8_t)(v >> 8);
	out[2] = (uint8_t)(v >> 16);
	out[3] = (uint8_t)(v >> 24);
}

void
frame_begin(struct buf *b, uint8_t type)
{
	const uint8_t head[FRAME_HEADER] = {0, 0, 0, 0, type};

	buf_clear(b);
	buf_put(b, head, sizeof(head));
}

/* The tag of the last field in our own unfinished frame, 0 for none. */
static uint8_t
last_tag(const struct buf *b)
{
	struct cursor c, field;
	uint8_t tag = 0;
	uint32_t len;

	cursor_init(&c, b->p, b->len, 0);
	if (!cursor_skip(&c, FRAME_HEADER))
		BUG("frame_put without frame_begin");
	while (!cursor_at_end(&c))
		if (!cursor_u8(&c, &tag) || !cursor_u32le(&c, &len) ||
		    !cursor_sub(&c, len, &field))
			BUG("frame buffer was changed by others");
	return tag;
}

void
frame_put(struct buf *b, uint8_t tag, const void *p, size_t n)
{
	uint8_t head[FRAME_FIELD];

	if (buf_failed(b) != 0)
		return;
	BUG_ON(tag >= FRAME_TAGS || tag <= last_tag(b));
	if (n > LIMIT_FRAME) {
		b->failed = ERR_LIMIT;
		return;
	}
	head[0] = tag;
	put_u32le(head + 1, (uint32_t)n);
	buf_put(b, head, sizeof(head));
	buf_put(b, p, n);
}

void
frame_put_str(struct buf *b, uint8_t tag, const char *s)
{
	frame_put(b, tag, s, strlen(s));
}

void
frame_put_u64(struct buf *b, uint8_t tag, uint64_t v)
{
	uint8_t p[8];

	put_u32le(p, (uint32_t)v);
	put_u32le(p + 4, (uint32_t)(v >> 32));
	frame_put(b, tag, p, sizeof(p));
}

void
frame_put_u32(struct buf *b, uint8_t tag, uint32_t v)
{
	uint8_t p[4];

	put_u32le(p, v);
	frame_put(b, tag, p, sizeof(p));
}

int
frame_seal(struct buf *b, struct err *e)
{
	if (buf_failed(b) != 0)
		return err_set(e, buf_failed(b), "cannot build a frame");
	BUG_ON(b->len < FRAME_HEADER);
	if (b->len - FRAME_HEADER > LIMIT_FRAME)
		return err_set(e, ERR_LIMIT, "frame of %zu bytes is too long",
		    b->len - FRAME_HEADER);
	put_u32le(b->p, (uint32_t)(b->len - FRAME_HEADER));
	return 0;
}

int
frame_send(struct buf *b, int fd, struct err *e)
{
	size_t off = 0;
	ssize_t r;
	int sealed = frame_seal(b, e);

	if (sealed < 0)
		return sealed;
	while (off < b->len) {
		r = write(fd, b->p + off, b->len - off);
		if (r < 0 && errno == EINTR)
			continue;
		if (r < 0) {
			err_sys(e, errno, "cannot send a frame");
			return ERR_IO;
		}
		off += (size_t)r;
	}
	return 0;
}
