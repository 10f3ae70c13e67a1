#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/err.h"
#include "base/fsio.h"
#include "base/limits.h"

/* O_NONBLOCK: a FIFO that stands where a file should must not hold us. */
#define READ_FLAGS (O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC)

static int
open_by_kernel(int dirfd, const char *path, int flags)
{
	const struct open_how how = {.flags = (unsigned)flags,
	    .resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS |
	    RESOLVE_NO_MAGICLINKS};

	return (int)syscall(SYS_openat2, dirfd, path, &how, sizeof(how));
}

/* Before Linux 5.6: each component by itself, none of them a link. */
static int
open_by_component(int dirfd, const char *path, int flags)
{
	char name[LIMIT_COMPONENT + 1];
	int at = dirfd, next = -1;
	size_t n;

	do {
		n = strcspn(path, "/");
		if (n == 0 || n > LIMIT_COMPONENT ||
		    (n == 2 && memcmp(path, "..", 2) == 0)) {
			errno = n > LIMIT_COMPONENT ? ENAMETOOLONG : EXDEV;
			next = -1;
			break;
		}
		memcpy(name, path, n);
		name[n] = '\0';
		path += n;
		next = openat(at, name, *path == '\0' ? flags | O_NOFOLLOW :
		    O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
		if (at != dirfd)
			(void)close(at);
		at = next;
		path += strspn(path, "/");
	} while (next >= 0 && *path != '\0');
	if (next < 0 && at != dirfd && at >= 0)
		(void)close(at);
	return next;
}

static int
open_once(int dirfd, const char *path, int flags)
{
	int fd = open_by_kernel(dirfd, path, flags);

	/* ENOSYS: too old; EPERM may be a filter of a container's. */
	if (fd < 0 && (errno == ENOSYS || errno == EPERM))
		fd = open_by_component(dirfd, path, flags);
	return fd;
}

int
fsio_open_beneath(int dirfd, const char *path, struct err *e)
{
	int fd = open_once(dirfd, path, READ_FLAGS | O_NOATIME);
	struct stat st;

	if (fd < 0 && errno == EPERM)	/* not the owner */
		fd = open_once(dirfd, path, READ_FLAGS);
	if (fd < 0 && (errno == ENOENT || errno == ENOTDIR))
		return err_set(e, ERR_NOTFOUND, "no such file");
	if (fd < 0)
		return err_set(e, ERR_DENIED, "not a file that may be opened");
	if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode))
		return fd;
	(void)close(fd);
	return err_set(e, ERR_DENIED, "not a regular file");
}
