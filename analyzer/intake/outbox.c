#include "analyzer/intake/outbox.h"
#include "base/err.h"
#include "base/frame.h"
#include "base/fsio.h"
#include "base/limits.h"

#define FLUSH_AT (64 * KIB)

void
outbox_init(struct outbox *o, int fd)
{
	o->fd = fd;
	buf_init(&o->frame, LIMIT_FRAME + FRAME_HEADER);
	buf_init(&o->pending, FLUSH_AT + LIMIT_FRAME + FRAME_HEADER);
}

void
outbox_release(struct outbox *o)
{
	buf_release(&o->frame);
	buf_release(&o->pending);
}

int
outbox_flush(struct outbox *o, struct err *e)
{
	int r = buf_failed(&o->pending);

	if (r < 0)
		return err_set(e, (enum err_code)r, "out of memory");
	r = fsio_write_all(o->fd, o->pending.p, o->pending.len, e);
	buf_clear(&o->pending);
	return r;
}

int
outbox_send(struct outbox *o, uint8_t type, const struct field_def *d,
    unsigned n, const struct field *v, struct err *e)
{
	int r;

	buf_clear(&o->frame);
	fields_put(&o->frame, type, d, n, v);
	if ((r = frame_seal(&o->frame, e)) < 0)
		return r;
	buf_put(&o->pending, o->frame.p, o->frame.len);
	return o->pending.len >= FLUSH_AT ? outbox_flush(o, e) : 0;
}
