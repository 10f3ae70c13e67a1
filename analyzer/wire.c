#include <string.h>

#include "analyzer/coverage.h"
#include "analyzer/policy.h"
#include "analyzer/wire.h"
#include "base/bug.h"
#include "base/err.h"
#include "base/limits.h"

/*
 * Tags of fields; frames demand ascending order.  A detail of a finding is
 * written in one field as a run of
 *
 *   u8 key length, key, u8 kind (0 number, 1 text),
 *   kind 0: u64le        kind 1: u32le length, bytes
 */
enum { STATUS_SECCOMP = 1, STATUS_LANDLOCK, STATUS_RLIMITS };
enum { BEGIN_INDEX = 1, BEGIN_PARENT, BEGIN_NAME, BEGIN_SIZE };
enum {
	F_OBJECT = 1,
	F_ID,
	F_SEVERITY,
	F_CONFIDENCE,
	F_OFF,
	F_LEN,
	F_DETAIL
};
enum {
	MEMBER_PARENT = 1,
	MEMBER_NAME,
	MEMBER_OFF,
	MEMBER_SIZE,
	MEMBER_ISTAG,
	MEMBER_SHA256
};
enum { ASK_NAME = 1 };
enum { CARVE_OBJECT = 1, CARVE_OFF, CARVE_BYTES };
enum { END_INDEX = 1, END_COMPLETE, END_FORMAT, END_LABEL, END_SHA256,
	END_CALLS, END_COVER };
enum {
	CALL_OBJECT = 1,
	CALL_CLASS,
	CALL_STREAM,
	CALL_FLAGS,
	CALL_OFF,
	CALL_INDEX,
	CALL_OPCODE,
	CALL_CALLEE,
	CALL_ARGS
};

void
wire_init(struct wire *w, int fd)
{
	w->fd = fd;
	buf_init(&w->b, LIMIT_FRAME + FRAME_HEADER);
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
	return frame_send(&w->b, w->fd, e);
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
	return frame_send(&w->b, w->fd, e);
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
wire_send_finding(struct wire *w, uint32_t object, const struct finding *f,
    struct err *e)
{
	struct buf details;
	int r;

	buf_init(&details, LIMIT_FRAME / 2);
	put_details(&details, f);
	frame_begin(&w->b, WIRE_FINDING);
	frame_put_u32(&w->b, F_OBJECT, object);
	frame_put_u32(&w->b, F_ID, (uint32_t)f->id);
	frame_put_u32(&w->b, F_SEVERITY, (uint32_t)f->severity);
	frame_put_u32(&w->b, F_CONFIDENCE, (uint32_t)f->confidence);
	frame_put_u64(&w->b, F_OFF, f->off);
	frame_put_u64(&w->b, F_LEN, f->len);
	frame_put(&w->b, F_DETAIL, details.p, details.len);
	r = buf_failed(&details) < 0 ?
	    err_set(e, ERR_NOMEM, "out of memory for a finding") :
	    frame_send(&w->b, w->fd, e);
	buf_release(&details);
	return r;
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
	return frame_send(&w->b, w->fd, e);
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
	return frame_send(&w->b, w->fd, e);
}

int
wire_send_ask(struct wire *w, const char *name, size_t n, struct err *e)
{
	frame_begin(&w->b, WIRE_ASK);
	frame_put(&w->b, ASK_NAME, name, n);
	return frame_send(&w->b, w->fd, e);
}

int
wire_send_carve(struct wire *w, const struct wire_carve *x, struct err *e)
{
	frame_begin(&w->b, WIRE_CARVE);
	frame_put_u32(&w->b, CARVE_OBJECT, x->object);
	frame_put_u64(&w->b, CARVE_OFF, x->off);
	frame_put(&w->b, CARVE_BYTES, x->p, x->n);
	return frame_send(&w->b, w->fd, e);
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
	if (x->cover != NULL) {
		buf_init(&cover, 8 * KIB);
		put_cover(&cover, x->cover);
		frame_put(&w->b, END_COVER, cover.p, cover.len);
		buf_release(&cover);
	}
	return frame_send(&w->b, w->fd, e);
}

int
wire_send_done(struct wire *w, struct err *e)
{
	frame_begin(&w->b, WIRE_DONE);
	return frame_send(&w->b, w->fd, e);
}

static bool
read_bool(const struct frame *f, uint8_t tag, bool *ret)
{
	uint32_t v;

	if (!frame_u32(f, tag, &v) || v > 1)
		return false;
	*ret = v != 0;
	return true;
}

static bool
read_bytes(const struct frame *f, uint8_t tag, size_t max,
    const uint8_t **ret, size_t *n)
{
	const struct cursor *c = &f->field[tag];

	*ret = NULL;
	*n = 0;
	if (!frame_has(f, tag))
		return true;
	if (c->len > max)
		return false;
	*ret = c->buf;
	*n = c->len;
	return true;
}

static bool
read_sha256(const struct frame *f, uint8_t tag, bool *has, uint8_t ret[32])
{
	struct cursor c = f->field[tag];

	*has = frame_has(f, tag);
	if (!*has)
		return true;
	return cursor_left(&c) == 32 && cursor_copy(&c, ret, 32);
}

bool
wire_read_status(const struct frame *f, struct sandbox_status *ret)
{
	uint32_t abi;

	if (f->type != WIRE_STATUS ||
	    !read_bool(f, STATUS_SECCOMP, &ret->seccomp) ||
	    !frame_u32(f, STATUS_LANDLOCK, &abi) || abi > 1000 ||
	    !read_bool(f, STATUS_RLIMITS, &ret->rlimits))
		return false;
	ret->landlock_abi = (int)abi;
	return true;
}

bool
wire_read_begin(const struct frame *f, struct wire_begin *ret)
{
	return f->type == WIRE_BEGIN &&
	    frame_u32(f, BEGIN_INDEX, &ret->index) &&
	    frame_u32(f, BEGIN_PARENT, &ret->parent) &&
	    frame_u64(f, BEGIN_SIZE, &ret->size) &&
	    read_bytes(f, BEGIN_NAME, WIRE_NAME_MAX, &ret->name,
	    &ret->name_len);
}

static bool
read_detail(struct cursor *c, char key[33], struct detail *ret)
{
	uint8_t n, kind;
	uint32_t len;
	struct cursor text;

	if (!cursor_u8(c, &n) || n == 0 || n > 32 ||
	    !cursor_copy(c, (uint8_t *)key, n) || !cursor_u8(c, &kind))
		return false;
	key[n] = '\0';
	if (!finding_key_ok((const uint8_t *)key, n))
		return false;
	memset(ret, 0, sizeof(*ret));
	ret->key = key;
	if (kind == 0)
		return cursor_u64le(c, &ret->num);
	if (kind != 1 || !cursor_u32le(c, &len) || len > LIMIT_RENDER ||
	    !cursor_sub(c, len, &text))
		return false;
	ret->text = len > 0 ? text.buf : (const uint8_t *)"";
	ret->len = len;
	return true;
}

static bool
read_details(struct cursor c, struct wire_finding *ret)
{
	ret->f.ndetails = 0;
	while (!cursor_at_end(&c)) {
		unsigned i = ret->f.ndetails;

		if (i == FINDING_DETAILS ||
		    !read_detail(&c, ret->keys[i], &ret->f.details[i]))
			return false;
		ret->f.ndetails++;
	}
	return true;
}

bool
wire_read_finding(const struct frame *f, struct wire_finding *ret)
{
	uint32_t id, severity, confidence;

	if (f->type != WIRE_FINDING ||
	    !frame_u32(f, F_OBJECT, &ret->object) ||
	    !frame_u32(f, F_ID, &id) || id >= FINDING_COUNT ||
	    !frame_u32(f, F_SEVERITY, &severity) ||
	    severity >= SEVERITY_COUNT ||
	    !frame_u32(f, F_CONFIDENCE, &confidence) ||
	    confidence >= CONFIDENCE_COUNT ||
	    !frame_u64(f, F_OFF, &ret->f.off) ||
	    !frame_u64(f, F_LEN, &ret->f.len) ||
	    !frame_has(f, F_DETAIL))
		return false;
	ret->f.id = (enum finding_id)id;
	ret->f.severity = (enum severity)severity;
	ret->f.confidence = (enum confidence)confidence;
	return read_details(f->field[F_DETAIL], ret);
}

bool
wire_read_member(const struct frame *f, struct wire_member *ret)
{
	return f->type == WIRE_MEMBER &&
	    frame_u32(f, MEMBER_PARENT, &ret->parent) &&
	    read_bytes(f, MEMBER_NAME, WIRE_NAME_MAX, &ret->name,
	    &ret->name_len) &&
	    frame_u64(f, MEMBER_OFF, &ret->off) &&
	    frame_u64(f, MEMBER_SIZE, &ret->size) &&
	    read_bool(f, MEMBER_ISTAG, &ret->tag) &&
	    read_sha256(f, MEMBER_SHA256, &ret->has_sha256, ret->sha256);
}

bool
wire_read_ask(const struct frame *f, const uint8_t **name, size_t *n)
{
	return f->type == WIRE_ASK &&
	    read_bytes(f, ASK_NAME, WIRE_NAME_MAX, name, n) && *n > 0;
}

bool
wire_read_carve(const struct frame *f, struct wire_carve *ret)
{
	return f->type == WIRE_CARVE &&
	    frame_u32(f, CARVE_OBJECT, &ret->object) &&
	    frame_u64(f, CARVE_OFF, &ret->off) &&
	    read_bytes(f, CARVE_BYTES, WIRE_CARVE_MAX, &ret->p, &ret->n) &&
	    ret->n > 0;
}

static bool
read_format(const struct frame *f, char ret[WIRE_FORMAT_MAX + 1])
{
	const uint8_t *p;
	size_t n;

	if (!read_bytes(f, END_FORMAT, WIRE_FORMAT_MAX, &p, &n) || n == 0)
		return false;
	for (size_t i = 0; i < n; i++)
		if (!((p[i] >= 'a' && p[i] <= 'z') || p[i] == '-' ||
		    p[i] == '_' || (p[i] >= '0' && p[i] <= '9')))
			return false;
	memcpy(ret, p, n);
	ret[n] = '\0';
	return true;
}

static bool
read_bare(struct cursor *c, struct coverage_sum *ret)
{
	struct coverage_bare *b = &ret->bare[ret->nbare];
	uint8_t padding;

	if (ret->nbare == LIMIT_COVER_LISTED || !cursor_u64le(c, &b->off) ||
	    !cursor_u64le(c, &b->len) || !cursor_u8(c, &padding) ||
	    padding > 1)
		return false;
	b->padding = padding != 0;
	ret->nbare++;
	return true;
}

static bool
read_cover(const struct frame *f, struct wire_end *ret,
    struct coverage_sum *cover)
{
	struct cursor c = f->field[END_COVER];

	ret->cover = NULL;
	if (!frame_has(f, END_COVER))
		return true;
	memset(cover, 0, sizeof(*cover));
	for (unsigned k = 0; k < COVERAGE_KINDS; k++)
		if (!cursor_u64le(&c, &cover->bytes[k]) ||
		    !cursor_u64le(&c, &cover->ranges[k]))
			return false;
	while (!cursor_at_end(&c))
		if (!read_bare(&c, cover))
			return false;
	ret->cover = cover;
	return true;
}

bool
wire_read_end(const struct frame *f, struct wire_end *ret,
    struct coverage_sum *cover)
{
	return f->type == WIRE_END && read_cover(f, ret, cover) &&
	    frame_u32(f, END_INDEX, &ret->index) &&
	    read_bool(f, END_COMPLETE, &ret->complete) &&
	    read_format(f, ret->format) &&
	    read_bytes(f, END_LABEL, WIRE_LABEL_MAX, &ret->label,
	    &ret->label_len) &&
	    read_sha256(f, END_SHA256, &ret->has_sha256, ret->sha256) &&
	    frame_u64(f, END_CALLS, &ret->calls);
}

bool
wire_read_call(const struct frame *f, struct wire_call *ret)
{
	return f->type == WIRE_CALL &&
	    frame_u32(f, CALL_OBJECT, &ret->object) &&
	    frame_u32(f, CALL_CLASS, &ret->cls) &&
	    ret->cls <= POLICY_DANGEROUS &&
	    frame_u32(f, CALL_STREAM, &ret->stream) &&
	    frame_u32(f, CALL_FLAGS, &ret->flags) &&
	    frame_u64(f, CALL_OFF, &ret->off) &&
	    frame_u64(f, CALL_INDEX, &ret->index) &&
	    read_bytes(f, CALL_OPCODE, WIRE_FORMAT_MAX, &ret->opcode,
	    &ret->opcode_len) &&
	    read_bytes(f, CALL_CALLEE, LIMIT_RENDER, &ret->callee,
	    &ret->callee_len) &&
	    read_bytes(f, CALL_ARGS, LIMIT_RENDER, &ret->args,
	    &ret->args_len);
}
