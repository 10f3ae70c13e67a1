#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/types.h>
#include <unistd.h>

/*
 * Preloaded (not linked): reads and writes as a bad day's kernel does them.
 * Of every three calls one is interrupted (EINTR), one does a part of what it
 * was asked for, one does all.  Nothing of this is a failure, so nothing may
 * fail or differ.
 */
static atomic_uint calls;

static int
bad_luck(size_t *n)
{
	switch (atomic_fetch_add(&calls, 1) % 3) {
	case 0:
		errno = EINTR;
		return -1;
	case 1:
		*n = *n > 1 ? *n / 3 + 1 : *n;
		return 0;
	default:
		return 0;
	}
}

ssize_t
write(int fd, const void *p, size_t n)
{
	static ssize_t (*next)(int, const void *, size_t);

	if (next == NULL)
		*(void **)&next = dlsym(RTLD_NEXT, "write");
	return bad_luck(&n) < 0 ? -1 : next(fd, p, n);
}

ssize_t
read(int fd, void *p, size_t n)
{
	static ssize_t (*next)(int, void *, size_t);

	if (next == NULL)
		*(void **)&next = dlsym(RTLD_NEXT, "read");
	return bad_luck(&n) < 0 ? -1 : next(fd, p, n);
}

ssize_t
pread(int fd, void *p, size_t n, off_t off)
{
	static ssize_t (*next)(int, void *, size_t, off_t);

	if (next == NULL)
		*(void **)&next = dlsym(RTLD_NEXT, "pread");
	return bad_luck(&n) < 0 ? -1 : next(fd, p, n, off);
}

ssize_t
pread64(int fd, void *p, size_t n, off_t off)
{
	return pread(fd, p, n, off);
}
