#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/fsio.h"
#include "base/limits.h"
#include "base/text.h"

static const char *
show(char dst[256], const char *path)
{
	return text_z(dst, 256, path, strlen(path));
}

int
fsio_write_all(int fd, const void *p, size_t n, struct err *e)
{
	const char *s = p;
	ssize_t done;

	while (n > 0) {
		if ((done = write(fd, s, n)) < 0) {
			if (errno == EINTR)
				continue;
			return err_sys(e, errno, "cannot write");
		}
		if (done == 0)
			return err_set(e, ERR_IO, "nothing could be written");
		s += done;
		n -= (size_t)done;
	}
	return 0;
}

static int
read_fd(int fd, const char *path, size_t max, struct buf *b, struct err *e)
{
	char chunk[16384], shown[256];
	struct stat st;
	size_t total = 0;
	ssize_t n;
	int r;

	if (fstat(fd, &st) < 0)
		return err_sys(e, errno, "cannot read '%s'", show(shown, path));
	if (!S_ISREG(st.st_mode))
		return err_set(e, ERR_UNSUPPORTED, "'%s' is not a regular file",
		    show(shown, path));
	while ((n = read(fd, chunk, sizeof(chunk))) != 0) {
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return err_sys(e, errno, "cannot read '%s'",
			    show(shown, path));
		total += (size_t)n;
		if (total > max)
			return err_set(e, ERR_LIMIT, "'%s' is too large",
			    show(shown, path));
		buf_put(b, chunk, (size_t)n);
	}
	if ((r = buf_failed(b)) < 0)
		return err_set(e, r, "no room for '%s'", show(shown, path));
	return 0;
}

int
fsio_read_file(int dirfd, const char *path, size_t max, struct buf *b,
    struct err *e)
{
	const size_t before = b->len;
	char shown[256];
	int fd, r;

	fd = openat(dirfd, path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NOCTTY |
	    O_NONBLOCK);
	if (fd < 0)
		return err_sys(e, errno, "cannot read '%s'", show(shown, path));
	if ((r = read_fd(fd, path, max, b, e)) < 0)
		b->len = before; /* not a part of a file */
	(void)close(fd);
	return r;
}

int
fsio_create(int dirfd, const char *path, unsigned mode, struct err *e)
{
	char shown[256];
	int fd;

	fd = openat(dirfd, path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW |
	    O_CLOEXEC, (mode_t)mode);
	if (fd < 0)
		return err_sys(e, errno, "cannot create '%s'",
		    show(shown, path));
	return fd;
}

int
fsio_write_new(int dirfd, const char *path, unsigned mode, const void *p,
    size_t n, struct err *e)
{
	char shown[256];
	int fd, r;

	if ((fd = fsio_create(dirfd, path, mode, e)) < 0)
		return fd;
	if ((r = fsio_write_all(fd, p, n, e)) >= 0 && fsync(fd) < 0)
		r = err_sys(e, errno, "cannot write '%s'", show(shown, path));
	if (close(fd) < 0 && r >= 0)
		r = err_sys(e, errno, "cannot write '%s'", show(shown, path));
	if (r < 0)
		(void)unlinkat(dirfd, path, 0);
	return r;
}

/* The directory that holds ${path}, made durable. */
static int
sync_parent(int dirfd, const char *path, struct err *e)
{
	char dir[4096], shown[256];
	const char *base;
	int fd, r;

	if ((r = fsio_parent(path, dir, sizeof(dir), &base, e)) < 0)
		return r;
	if ((fd = openat(dirfd, dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC)) < 0)
		return err_sys(e, errno, "cannot open '%s'", show(shown, dir));
	r = fsync(fd) < 0 ?
	    err_sys(e, errno, "cannot sync '%s'", show(shown, dir)) : 0;
	(void)close(fd);
	return r;
}

int
fsio_publish(int dirfd, const char *tmp, const char *final, const char **how,
    struct err *e)
{
	const char *method = "renameat2";
	char shown[256];

	if (renameat2(dirfd, tmp, dirfd, final, RENAME_NOREPLACE) < 0) {
		if (errno != ENOSYS && errno != EINVAL)
			return err_sys(e, errno, "cannot publish '%s'",
			    show(shown, final));
		method = "linkat";
		if (linkat(dirfd, tmp, dirfd, final, 0) < 0 ||
		    unlinkat(dirfd, tmp, 0) < 0)
			return err_sys(e, errno, "cannot publish '%s'",
			    show(shown, final));
	}
	if (how != NULL)
		*how = method;
	return sync_parent(dirfd, final, e);
}

int
fsio_replace(int dirfd, const char *tmp, const char *final, struct err *e)
{
	char shown[256];

	if (renameat(dirfd, tmp, dirfd, final) < 0)
		return err_sys(e, errno, "cannot replace '%s'",
		    show(shown, final));
	return sync_parent(dirfd, final, e);
}

int
fsio_parent(const char *path, char *dir, size_t cap, const char **base,
    struct err *e)
{
	const char *slash = strrchr(path, '/');
	const char *last = slash != NULL ? slash + 1 : path;
	size_t n = slash != NULL ? (size_t)(slash - path) : 0;

	if (*last == '\0' || strcmp(last, ".") == 0 ||
	    strcmp(last, "..") == 0)
		return err_set(e, ERR_ARG, "a path must end in a name");
	if (slash == path)
		n = 1;
	if (n >= cap || cap < 2)
		return err_set(e, ERR_LIMIT, "a path is too long");
	if (slash == NULL) {
		memcpy(dir, ".", 2);
	} else {
		memcpy(dir, path, n);
		dir[n] = '\0';
	}
	*base = last;
	return 0;
}

int
fsio_spool(struct err *e)
{
	const char *dir = getenv("TMPDIR");
	char name[LIMIT_PATH], shown[256];
	int fd;

	if (dir == NULL || *dir == '\0')
		dir = "/var/tmp";
	fd = open(dir, O_TMPFILE | O_RDWR | O_EXCL | O_CLOEXEC, 0600);
	if (fd >= 0)
		return fd;
	/* Not every file system has files without names. */
	if (snprintf(name, sizeof(name), "%s/.exhibit-XXXXXX", dir) >=
	    (int)sizeof(name))
		return err_set(e, ERR_LIMIT, "TMPDIR is too long");
	if ((fd = mkostemp(name, O_CLOEXEC)) < 0)
		return err_sys(e, errno, "cannot write to '%s'",
		    show(shown, dir));
	(void)unlink(name);
	return fd;
}
