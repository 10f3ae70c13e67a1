#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/fsio.h"
#include "base/limits.h"
#include "custody/spool.h"

struct spool {
	size_t limit;
	struct buf tail;	/* what is not in the file */
	uint64_t in_file;
	int fd;			/* -1: none yet */
	bool in_memory;
};

struct spool *
spool_new(size_t limit, struct err *e)
{
	struct spool *s;

	if ((s = calloc(1, sizeof(*s))) == NULL) {
		(void)err_set(e, ERR_NOMEM, "out of memory");
		return NULL;
	}
	s->limit = limit;
	s->fd = -1;
	buf_init(&s->tail, limit);
	return s;
}

void
spool_in_memory(struct spool *s)
{
	s->in_memory = true;
}

void
spool_free(struct spool *s)
{
	if (s == NULL)
		return;
	buf_release(&s->tail);
	if (s->fd >= 0)
		(void)close(s->fd);
	free(s);
}

static int
open_in(const char *dir)
{
	char path[LIMIT_PATH];
	int fd, n;

	if ((fd = open(dir, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600)) >= 0)
		return fd;
	/* File systems without O_TMPFILE: a name for a moment. */
	n = snprintf(path, sizeof(path), "%s/exhibit-XXXXXX", dir);
	if (n < 0 || (size_t)n >= sizeof(path) ||
	    (fd = mkostemp(path, O_CLOEXEC)) < 0)
		return -1;
	(void)unlink(path);
	return fd;
}

static int
open_file(struct spool *s, struct err *e)
{
	const char *dir = secure_getenv("TMPDIR");

	if (s->in_memory) {
		s->fd = memfd_create("spool", MFD_CLOEXEC);
		return s->fd >= 0 ? 0 :
		    err_sys(e, errno, "cannot get memory for a spool");
	}
	if (dir != NULL && dir[0] == '/')
		s->fd = open_in(dir);
	if (s->fd < 0)
		s->fd = open_in("/var/tmp");
	if (s->fd < 0)
		s->fd = open_in("/tmp");
	return s->fd >= 0 ? 0 :
	    err_sys(e, errno, "cannot create a temporary file");
}

static int
to_file(struct spool *s, const void *p, size_t n, struct err *e)
{
	int r;

	if ((s->fd < 0 && (r = open_file(s, e)) < 0) ||
	    (r = fsio_write_all(s->fd, p, n, e)) < 0)
		return r;
	s->in_file += n;
	return 0;
}

int
spool_put(struct spool *s, const void *p, size_t n, struct err *e)
{
	int r;

	if (n > s->limit - s->tail.len) {
		if ((r = to_file(s, s->tail.p, s->tail.len, e)) < 0)
			return r;
		buf_clear(&s->tail);
	}
	if (n > s->limit)
		return to_file(s, p, n, e);
	buf_put(&s->tail, p, n);
	return buf_failed(&s->tail) == 0 ? 0 :
	    err_set(e, ERR_NOMEM, "out of memory");
}

uint64_t
spool_size(const struct spool *s)
{
	return s->in_file + s->tail.len;
}

int
spool_each(const struct spool *s,
    int (*take)(void *ctx, const void *p, size_t n, struct err *e),
    void *ctx, struct err *e)
{
	uint64_t off = 0;
	uint8_t *p = NULL;
	ssize_t n;
	int r = 0;

	if (s->in_file > 0 && (p = malloc(LIMIT_COPY_CHUNK)) == NULL)
		return err_set(e, ERR_NOMEM, "out of memory");
	while (off < s->in_file && r >= 0) {
		n = pread(s->fd, p, LIMIT_COPY_CHUNK, (off_t)off);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			r = err_sys(e, n < 0 ? errno : EIO,
			    "cannot read a temporary file");
		else
			r = take(ctx, p, (size_t)n, e);
		off += n > 0 ? (uint64_t)n : 0;
	}
	free(p);
	if (r >= 0 && s->tail.len > 0)
		r = take(ctx, s->tail.p, s->tail.len, e);
	return r < 0 ? r : 0;
}
