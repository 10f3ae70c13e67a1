#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/bytesrc.h"
#include "base/ckd.h"
#include "base/err.h"
#include "base/limits.h"

/*
 * A private tagged union; ranges of ranges are flattened to their root, so a
 * read is one step however deep objects nest.
 */
enum kind { KIND_FD, KIND_MEM, KIND_STREAM, KIND_CALL };

/* What passes, and the last of what has passed. */
#define STREAM_ROOM (BYTESRC_KEPT + 112 * KIB)
struct stream {
	int fd;
	bool ended;
	uint64_t off;		/* of p[0] */
	size_t len;
	uint8_t p[STREAM_ROOM];
};

struct bytesrc {
	enum kind kind;
	bool owner;		/* of the descriptor, or of ctx */
	uint64_t size;
	union {
		struct {
			int fd;
			uint64_t off;
		} file;
		const uint8_t *mem;
		struct stream *stream;
		struct {
			int (*read)(void *ctx, uint64_t off, void *dst,
			    size_t n, struct err *e);
			void (*done)(void *ctx);
			void *ctx;
			uint64_t off;
		} call;
	} u;
};

static struct bytesrc *
new_source(enum kind kind, uint64_t size, struct err *e)
{
	struct bytesrc *s;

	if ((s = calloc(1, sizeof(*s))) == NULL) {
		(void)err_set(e, ERR_NOMEM, "out of memory");
		return NULL;
	}
	s->kind = kind;
	s->size = size;
	return s;
}

struct bytesrc *
bytesrc_fd(int fd, uint64_t off, uint64_t len, struct err *e)
{
	struct bytesrc *s;

	/* pread takes a signed offset. */
	if (!ckd_range(off, len, INT64_MAX)) {
		(void)err_set(e, ERR_LIMIT, "offset beyond a file's maximum");
		return NULL;
	}
	if ((s = new_source(KIND_FD, len, e)) == NULL)
		return NULL;
	s->u.file.fd = fd;
	s->u.file.off = off;
	return s;
}

struct bytesrc *
bytesrc_take_fd(int fd, uint64_t off, uint64_t len, struct err *e)
{
	struct bytesrc *s = bytesrc_fd(fd, off, len, e);

	if (s != NULL)
		s->owner = true;
	else
		(void)close(fd);
	return s;
}

struct bytesrc *
bytesrc_mem(const void *p, size_t n, struct err *e)
{
	struct bytesrc *s;

	if ((s = new_source(KIND_MEM, n, e)) == NULL)
		return NULL;
	s->u.mem = p;
	return s;
}

struct bytesrc *
bytesrc_stream(int fd, struct err *e)
{
	struct bytesrc *s = new_source(KIND_STREAM, BYTESRC_ENDLESS, e);

	if (s == NULL)
		return NULL;
	if ((s->u.stream = calloc(1, sizeof(*s->u.stream))) == NULL) {
		(void)err_set(e, ERR_NOMEM, "out of memory");
		free(s);
		return NULL;
	}
	s->u.stream->fd = fd;
	return s;
}

struct bytesrc *
bytesrc_call(int (*read)(void *ctx, uint64_t off, void *dst, size_t n,
    struct err *e), void (*done)(void *ctx), void *ctx, uint64_t size,
    struct err *e)
{
	struct bytesrc *s;

	if ((s = new_source(KIND_CALL, size, e)) == NULL) {
		if (done != NULL)
			done(ctx);
		return NULL;
	}
	s->owner = done != NULL;
	s->u.call.read = read;
	s->u.call.done = done;
	s->u.call.ctx = ctx;
	return s;
}

struct bytesrc *
bytesrc_range(const struct bytesrc *parent, uint64_t off, uint64_t len,
    struct err *e)
{
	struct bytesrc *s;

	if (parent->kind == KIND_STREAM) {
		(void)err_set(e, ERR_UNSUPPORTED, "a stream has no ranges");
		return NULL;
	}
	if (!ckd_range(off, len, parent->size)) {
		(void)err_set(e, ERR_TRUNC, "a range lies outside its source");
		return NULL;
	}
	if ((s = new_source(parent->kind, len, e)) == NULL)
		return NULL;
	s->u = parent->u;
	if (s->kind == KIND_FD)
		s->u.file.off += off;
	else if (s->kind == KIND_CALL)
		s->u.call.off += off;
	else if (s->u.mem != NULL)
		s->u.mem += off;
	return s;
}

void
bytesrc_free(struct bytesrc *s)
{
	if (s != NULL && s->owner && s->kind == KIND_CALL)
		s->u.call.done(s->u.call.ctx);
	else if (s != NULL && s->owner)
		(void)close(s->u.file.fd);
	if (s != NULL && s->kind == KIND_STREAM)
		free(s->u.stream);
	free(s);
}

uint64_t
bytesrc_size(const struct bytesrc *s)
{
	return s->size;
}

int
bytesrc_origin(const struct bytesrc *s, uint64_t off, uint64_t *ret)
{
	if (s->kind != KIND_FD || off > s->size)
		return 0;
	*ret = s->u.file.off + off;
	return 1;
}

int
bytesrc_file(const struct bytesrc *s)
{
	return s->kind == KIND_FD ? s->u.file.fd : -1;
}

/* The place is noted after the code, and only by who sees it first. */
static int
truncated(struct err *e, uint64_t off, const char *what)
{
	bool first = e != NULL && e->code == ERR_OK;

	(void)err_set(e, ERR_TRUNC, "%s", what);
	if (first)
		e->off = off;
	return ERR_TRUNC;
}

static int
read_file(const struct bytesrc *s, uint64_t off, uint8_t *dst, size_t n,
    struct err *e)
{
	size_t done = 0;
	ssize_t got;

	while (done < n) {
		got = pread(s->u.file.fd, dst + done, n - done,
		    (off_t)(s->u.file.off + off + done));
		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return err_sys(e, errno, "cannot read");
		if (got == 0)
			return truncated(e, off + done,
			    "the file is shorter than it was");
		done += (size_t)got;
	}
	return 0;
}

/* More bytes behind those that are kept; the oldest make room. */
static int
stream_fill(struct stream *s, struct err *e)
{
	size_t old;
	ssize_t got;

	if (s->len == STREAM_ROOM) {
		old = s->len - BYTESRC_KEPT;
		memmove(s->p, s->p + old, BYTESRC_KEPT);
		s->off += old;
		s->len = BYTESRC_KEPT;
	}
	do
		got = read(s->fd, s->p + s->len, STREAM_ROOM - s->len);
	while (got < 0 && errno == EINTR);
	if (got < 0)
		return err_sys(e, errno, "cannot read");
	s->ended = got == 0;
	s->len += (size_t)got;
	return 0;
}

static int
read_stream(struct stream *s, uint64_t off, uint8_t *dst, size_t n,
    size_t *got, struct err *e)
{
	size_t done = 0, at, part;
	int r;

	if (off < s->off)
		return err_set(e, ERR_UNSUPPORTED,
		    "a stream cannot go back so far");
	while (done < n) {
		if (off - s->off >= s->len) {
			if (s->ended)
				break;
			if ((r = stream_fill(s, e)) < 0)
				return r;
			continue;
		}
		at = (size_t)(off - s->off);
		part = s->len - at < n - done ? s->len - at : n - done;
		memcpy(dst + done, s->p + at, part);
		done += part;
		off += part;
	}
	*got = done;
	return 0;
}

int
bytesrc_read(const struct bytesrc *s, uint64_t off, void *dst, size_t n,
    struct err *e)
{
	size_t got;
	int r;

	if (!ckd_range(off, n, s->size))
		return truncated(e, off, "the bytes end early");
	if (n == 0)
		return 0;
	if (s->kind == KIND_STREAM) {
		if ((r = read_stream(s->u.stream, off, dst, n, &got, e)) < 0)
			return r;
		return got == n ? 0 :
		    truncated(e, off + got, "the bytes end early");
	}
	if (s->kind == KIND_FD)
		return read_file(s, off, dst, n, e);
	if (s->kind == KIND_CALL)
		return s->u.call.read(s->u.call.ctx, s->u.call.off + off,
		    dst, n, e);
	memcpy(dst, s->u.mem + off, n);
	return 0;
}

int
bytesrc_read_some(const struct bytesrc *s, uint64_t off, void *dst, size_t n,
    size_t *got, struct err *e)
{
	uint64_t left = off < s->size ? s->size - off : 0;
	int r;

	if (n > left)
		n = (size_t)left;
	if (s->kind == KIND_STREAM)
		return read_stream(s->u.stream, off, dst, n, got, e);
	if ((r = bytesrc_read(s, off < s->size ? off : s->size, dst, n,
	    e)) < 0)
		return r;
	*got = n;
	return 0;
}
