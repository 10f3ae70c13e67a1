#include <string.h>

#include "analyzer/coverage.h"
#include "analyzer/wire.h"
#include "analyzer/wire_tags.h"
#include "base/bug.h"
#include "base/err.h"
#include "base/fsio.h"
#include "base/limits.h"

/* A pipe takes this much at once. */
#define KEPT_BACK (32 * KIB)

void
wire_init(struct wire *w, int fd)
{
	w->fd = fd;
	buf_init(&w->b, LIMIT_FRAME + FRAME_HEADER);
	buf_init(&w->out, KEPT_BACK + LIMIT_FRAME + FRAME_HEADER);
}

void
wire_release(struct wire *w)
{
	buf_release(&w->b);
	buf_release(&w->out);
}

int
wire_flush(struct wire *w, struct err *e)
{
	int r;

	if ((r = buf_failed(&w->out)) < 0)
		return err_set(e, (enum err_code)r, "cannot send frames");
	r = w->out.len > 0 ?
	    fsio_write_all(w->fd, w->out.p, w->out.len, e) : 0;
	buf_clear(&w->out);
	return r;
}

/* The frame in w->b, behind what was kept back. */
static int
keep_back(struct wire *w, struct err *e)
{
	int r;

	if ((r = frame_seal(&w->b, e)) < 0)
		return r;
	buf_put(&w->out, w->b.p, w->b.len);
	return w->out.len > KEPT_BACK ? wire_flush(w, e) : 0;
}

static int
send_now(struct wire *w, struct err *e)
{
	int r;

	if ((r = keep_back(w, e)) < 0)
		return r;
	return wire_flush(w, e);
}

int
wire_send_status(struct wire *w, const struct sandbox_status *st,
    struct err *e)
{
	frame_begin(&w->b, WIRE_STATUS);
	frame_put_u32(&w->b, STATUS_SECCOMP, st->seccomp);
	frame_put_u32(&w->b, STATUS_LANDLOCK,
	    st->landlock_abi > 0 ? (uint32_t)st->landlock_abi : 0);
	frame_put_u32(&w->b, STATUS_RLIMITS, st->rlimits);
	return send_now(w, e);
}

int
wire_send_begin(struct wire *w, const struct wire_begin *x, struct err *e)
{
	size_t n = x->name_len < WIRE_NAME_MAX ? x->name_len : WIRE_NAME_MAX;

	frame_begin(&w->b, WIRE_BEGIN);
	frame_put_u32(&w->b, BEGIN_INDEX, x->index);
	frame_put_u32(&w->b, BEGIN_PARENT, x->parent);
	frame_put(&w->b, BEGIN_NAME, x->name, n);
	frame_put_u64(&w->b, BEGIN_SIZE, x->size);
	return keep_back(w, e);
}

static void
put_u32(struct buf *b, uint32_t v)
{
	const uint8_t le[4] = {(uint8_t)v, (uint8_t)(v >> 8),
	    (uint8_t)(v >> 16), (uint8_t)(v >> 24)};

	buf_put(b, le, sizeof(le));
}

static void
put_u64(struct buf *b, uint64_t v)
{
	put_u32(b, (uint32_t)v);
	put_u32(b, (uint32_t)(v >> 32));
}

static void
put_details(struct buf *b, const struct finding *f)
{
	for (unsigned i = 0; i < f->ndetails; i++) {
		const struct detail *d = &f->details[i];
		size_t n = strlen(d->key);

		BUG_ON(!finding_key_ok((const uint8_t *)d->key, n));
		buf_putc(b, (char)n);
		buf_put(b, d->key, n);
		if (d->text == NULL) {
			buf_putc(b, 0);
			put_u64(b, d->num);
		} else {
			buf_putc(b, 1);
			n = d->len < LIMIT_RENDER ? d->len : LIMIT_RENDER;
			put_u32(b, (uint32_t)n);
			buf_put(b, d->text, n);
		}
	}
}

int
wire_put_finding(struct buf *frame, const struct finding *f)
{
	struct buf details;
	int r;

	buf_init(&details, LIMIT_FRAME / 2);
	put_details(&details, f);
	frame_put_u32(frame, F_ID, (uint32_t)f->id);
	frame_put_u32(frame, F_SEVERITY, (uint32_t)f->severity);
	frame_put_u32(frame, F_CONFIDENCE, (uint32_t)f->confidence);
	frame_put_u64(frame, F_OFF, f->off);
	frame_put_u64(frame, F_LEN, f->len);
	frame_put(frame, F_DETAIL, details.p, details.len);
	r = buf_failed(&details);
	buf_release(&details);
	return r;
}

int
wire_send_finding(struct wire *w, uint32_t object, const struct finding *f,
    struct err *e)
{
	frame_begin(&w->b, WIRE_FINDING);
	frame_put_u32(&w->b, F_OBJECT, object);
	return wire_put_finding(&w->b, f) < 0 ?
	    err_set(e, ERR_NOMEM, "out of memory for a finding") :
	    send_now(w, e);
}

int
wire_send_member(struct wire *w, const struct wire_member *x, struct err *e)
{
	size_t n = x->name_len < WIRE_NAME_MAX ? x->name_len : WIRE_NAME_MAX;

	frame_begin(&w->b, WIRE_MEMBER);
	frame_put_u32(&w->b, MEMBER_PARENT, x->parent);
	frame_put(&w->b, MEMBER_NAME, x->name, n);
	frame_put_u64(&w->b, MEMBER_OFF, x->off);
	frame_put_u64(&w->b, MEMBER_SIZE, x->size);
	frame_put_u32(&w->b, MEMBER_ISTAG, x->tag);
	if (x->has_sha256)
		frame_put(&w->b, MEMBER_SHA256, x->sha256, 32);
	return send_now(w, e);
}

int
wire_send_call(struct wire *w, const struct wire_call *x, struct err *e)
{
	frame_begin(&w->b, WIRE_CALL);
	frame_put_u32(&w->b, CALL_OBJECT, x->object);
	frame_put_u32(&w->b, CALL_CLASS, x->cls);
	frame_put_u32(&w->b, CALL_STREAM, x->stream);
	frame_put_u32(&w->b, CALL_FLAGS, x->flags);
	frame_put_u64(&w->b, CALL_OFF, x->off);
	frame_put_u64(&w->b, CALL_INDEX, x->index);
	frame_put(&w->b, CALL_OPCODE, x->opcode, x->opcode_len);
	frame_put(&w->b, CALL_CALLEE, x->callee, x->callee_len);
	frame_put(&w->b, CALL_ARGS, x->args, x->args_len);
	return send_now(w, e);
}

int
wire_send_ask(struct wire *w, const char *name, size_t n, struct err *e)
{
	frame_begin(&w->b, WIRE_ASK);
	frame_put(&w->b, ASK_NAME, name, n);
	return send_now(w, e);
}

int
wire_send_carve(struct wire *w, const struct wire_carve *x, struct err *e)
{
	frame_begin(&w->b, WIRE_CARVE);
	frame_put_u32(&w->b, CARVE_OBJECT, x->object);
	frame_put_u64(&w->b, CARVE_OFF, x->off);
	frame_put(&w->b, CARVE_BYTES, x->p, x->n);
	return send_now(w, e);
}

/* Bytes and ranges of each kind, then the ranges that are listed. */
static void
put_cover(struct buf *b, const struct coverage_sum *s)
{
	for (unsigned k = 0; k < COVERAGE_KINDS; k++) {
		put_u64(b, s->bytes[k]);
		put_u64(b, s->ranges[k]);
	}
	for (unsigned i = 0; i < s->nbare; i++) {
		put_u64(b, s->bare[i].off);
		put_u64(b, s->bare[i].len);
		buf_putc(b, (char)s->bare[i].padding);
	}
}

int
wire_send_end(struct wire *w, const struct wire_end *x, struct err *e)
{
	size_t n = x->label_len < WIRE_LABEL_MAX ? x->label_len :
	    WIRE_LABEL_MAX;
	struct buf cover;

	frame_begin(&w->b, WIRE_END);
	frame_put_u32(&w->b, END_INDEX, x->index);
	frame_put_u32(&w->b, END_COMPLETE, x->complete);
	frame_put_str(&w->b, END_FORMAT, x->format);
	if (n > 0)
		frame_put(&w->b, END_LABEL, x->label, n);
	if (x->has_sha256)
		frame_put(&w->b, END_SHA256, x->sha256, 32);
	frame_put_u64(&w->b, END_CALLS, x->calls);
	frame_put_u64(&w->b, END_TENSORS, x->tensors);
	if (x->cover != NULL) {
		buf_init(&cover, 8 * KIB);
		put_cover(&cover, x->cover);
		frame_put(&w->b, END_COVER, cover.p, cover.len);
		buf_release(&cover);
	}
	return keep_back(w, e);
}

int
wire_send_done(struct wire *w, struct err *e)
{
	frame_begin(&w->b, WIRE_DONE);
	return send_now(w, e);
}
