#include <string.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/frame.h"
#include "base/limits.h"
#include "base/text.h"
#include "custody/bag.h"
#include "custody/verify.h"
#include "custody/verify_frames.h"

static int
send_statement(struct buf *b, int fd, const struct verify_result *r,
    unsigned i, struct err *e)
{
	frame_begin(b, VERIFY_FRAME_STATEMENT);
	frame_put_u32(b, 1, i);
	frame_put_u32(b, 2, r->st[i].outcome);
	frame_put_str(b, 3, r->st[i].reason);
	return frame_send(b, fd, e);
}

int
verify_frames_send(int fd, const struct verify_result *r, struct err *e)
{
	struct buf b;
	int rc = 0;

	buf_init(&b, LIMIT_FRAME + FRAME_HEADER);
	for (unsigned i = 0; i < VERIFY_STATEMENTS && rc >= 0; i++)
		rc = send_statement(&b, fd, r, i, e);
	if (rc >= 0) {
		frame_begin(&b, VERIFY_FRAME_RESULT);
		frame_put_str(&b, 1, r->bag);
		frame_put_u64(&b, 2, r->size);
		frame_put_u64(&b, 3, r->members);
		if (r->has_sha256)
			frame_put(&b, 4, r->sha256, sizeof(r->sha256));
		frame_put_str(&b, 5, r->signer);
		frame_put(&b, 6, r->signer_sha256, sizeof(r->signer_sha256));
		frame_put_str(&b, 7, r->tsa);
		frame_put_u64(&b, 8, (uint64_t)r->gen_time);
		frame_put_u32(&b, 9, r->local_tsa ? 1 : 0);
		rc = frame_send(&b, fd, e);
	}
	buf_release(&b);
	return rc;
}

int
verify_frames_send_error(int fd, const struct err *what, struct err *e)
{
	struct buf b;
	int rc;

	buf_init(&b, LIMIT_FRAME + FRAME_HEADER);
	frame_begin(&b, VERIFY_FRAME_ERROR);
	frame_put_u32(&b, 1, (uint32_t)-what->code);
	frame_put_str(&b, 2, what->msg);
	rc = frame_send(&b, fd, e);
	buf_release(&b);
	return rc;
}

/* The four bytes of an escape that text_printable wrote. */
static size_t
escape_len(struct cursor c)
{
	uint8_t digit;

	if (!cursor_match(&c, (const uint8_t *)"\\x", 2))
		return 0;
	for (unsigned i = 0; i < 2; i++)
		if (!cursor_u8(&c, &digit) || !((digit >= '0' &&
		    digit <= '9') || (digit >= 'A' && digit <= 'F')))
			return 0;
	return 4;
}

/* How many bytes up to the next backslash, at least one. */
static size_t
plain_len(struct cursor c)
{
	size_t n = 0;
	uint8_t v;

	while (cursor_u8(&c, &v) && (v != '\\' || n == 0))
		n++;
	return n;
}

/*
 * Text from the worker into dst[0..cap), with a NUL.  An honest worker's text
 * is in the printable form already and must not change: its escapes stay,
 * everything between them becomes printable once more.  false when absent
 * or longer than an honest one.
 */
static bool
take_text(const struct frame *f, uint8_t tag, char *dst, size_t cap)
{
	struct cursor c, part;
	size_t len = 0, n, used;

	if (!frame_has(f, tag) || f->field[tag].len >= cap)
		return false;
	c = f->field[tag];
	while (!cursor_at_end(&c)) {
		if ((n = escape_len(c)) > 0) {
			if (n > cap - 1 - len ||
			    !cursor_copy(&c, (uint8_t *)dst + len, n))
				return false;
			len += n;
			continue;
		}
		if (!cursor_sub(&c, plain_len(c), &part))
			return false;
		len += text_printable(dst + len, cap - 1 - len, part.buf,
		    part.len, TEXT_PLAIN, &used);
		if (used < part.len)
			return false;
	}
	dst[len] = '\0';
	return true;
}

static bool
take_bytes(const struct frame *f, uint8_t tag, uint8_t *dst, size_t n)
{
	struct cursor c = f->field[tag];

	return frame_has(f, tag) && c.len == n && cursor_copy(&c, dst, n);
}

static bool
take_statement(struct verify_frames *s, const struct frame *f,
    struct verify_result *r)
{
	uint32_t i, outcome;

	if (!frame_u32(f, 1, &i) || !frame_u32(f, 2, &outcome) ||
	    i != s->statements || i >= VERIFY_STATEMENTS ||
	    outcome > VERIFY_FAILS ||
	    !take_text(f, 3, r->st[i].reason, sizeof(r->st[i].reason)))
		return false;
	r->st[i].outcome = (enum verify_outcome)outcome;
	s->statements++;
	return true;
}

static bool
take_result(struct verify_frames *s, const struct frame *f,
    struct verify_result *r)
{
	uint64_t time;
	uint32_t local;

	if (s->statements != VERIFY_STATEMENTS ||
	    !take_text(f, 1, r->bag, sizeof(r->bag)) ||
	    (r->bag[0] != '\0' && !bag_name_ok(r->bag, strlen(r->bag))) ||
	    !frame_u64(f, 2, &r->size) || !frame_u64(f, 3, &r->members) ||
	    !take_text(f, 5, r->signer, sizeof(r->signer)) ||
	    !take_bytes(f, 6, r->signer_sha256, sizeof(r->signer_sha256)) ||
	    !take_text(f, 7, r->tsa, sizeof(r->tsa)) ||
	    !frame_u64(f, 8, &time) || !frame_u32(f, 9, &local) || local > 1)
		return false;
	r->has_sha256 = frame_has(f, 4);
	if (r->has_sha256 &&
	    !take_bytes(f, 4, r->sha256, sizeof(r->sha256)))
		return false;
	if (time != UINT64_MAX && time > INT64_MAX)
		return false;
	r->gen_time = time == UINT64_MAX ? -1 : (int64_t)time;
	r->local_tsa = local == 1;
	s->done = true;
	return true;
}

static bool
take_error(struct verify_frames *s, const struct frame *f, struct err *e)
{
	char msg[256];
	uint32_t code;

	if (s->statements != 0 || !frame_u32(f, 1, &code) || code == 0 ||
	    code > -(uint32_t)ERR_CHILD || !take_text(f, 2, msg, sizeof(msg)))
		return false;
	(void)err_set(e, (enum err_code)-(int)code, "%s", msg);
	s->done = s->failed = true;
	return true;
}

bool
verify_frames_take(struct verify_frames *s, uint8_t type,
    const uint8_t *body, size_t n, struct verify_result *r, struct err *e)
{
	struct frame f;

	if (s->done || !frame_parse(&f, type, body, n))
		return false;
	switch (type) {
	case VERIFY_FRAME_STATEMENT:
		return take_statement(s, &f, r);
	case VERIFY_FRAME_RESULT:
		return take_result(s, &f, r);
	case VERIFY_FRAME_ERROR:
		return take_error(s, &f, e);
	default:
		return false;
	}
}
