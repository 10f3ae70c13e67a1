#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/bytesrc.h"
#include "base/ckd.h"
#include "base/err.h"

/*
 * A private tagged union; ranges of ranges are flattened to their root, so a
 * read is one step however deep objects nest.
 */
enum kind { KIND_FD, KIND_MEM };

struct bytesrc {
	enum kind kind;
	bool owner;		/* of the descriptor */
	uint64_t size;
	union {
		struct {
			int fd;
			uint64_t off;
		} file;
		const uint8_t *mem;
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
bytesrc_range(const struct bytesrc *parent, uint64_t off, uint64_t len,
    struct err *e)
{
	struct bytesrc *s;

	if (!ckd_range(off, len, parent->size)) {
		(void)err_set(e, ERR_TRUNC, "a range lies outside its source");
		return NULL;
	}
	if ((s = new_source(parent->kind, len, e)) == NULL)
		return NULL;
	s->u = parent->u;
	if (s->kind == KIND_FD)
		s->u.file.off += off;
	else if (s->u.mem != NULL)
		s->u.mem += off;
	return s;
}

void
bytesrc_free(struct bytesrc *s)
{
	if (s != NULL && s->owner)
		(void)close(s->u.file.fd);
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

int
bytesrc_read(const struct bytesrc *s, uint64_t off, void *dst, size_t n,
    struct err *e)
{
	if (!ckd_range(off, n, s->size))
		return truncated(e, off, "the bytes end early");
	if (n == 0)
		return 0;
	if (s->kind == KIND_FD)
		return read_file(s, off, dst, n, e);
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
	if ((r = bytesrc_read(s, off < s->size ? off : s->size, dst, n,
	    e)) < 0)
		return r;
	*got = n;
	return 0;
}
