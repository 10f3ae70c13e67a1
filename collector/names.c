#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/limits.h"
#include "collector/names.h"

#define DIR_FLAGS (O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)

int
names_open(int dir, const char *name)
{
	int fd = openat(dir, name, DIR_FLAGS | O_NOATIME);

	if (fd < 0 && errno == EPERM)
		fd = openat(dir, name, DIR_FLAGS);
	return fd;
}

void
names_free(struct names *n)
{
	for (size_t i = 0; i < n->count; i++)
		free(n->list[i]);
	free(n->list);
}

static int
compare(const void *a, const void *b)
{
	const char *const *x = a;
	const char *const *y = b;

	return strcmp(*x, *y);
}

/* 0, or errno. */
static int
add(struct names *n, const char *name)
{
	char **p;

	if (n->count == LIMIT_DIR_NAMES)
		return EOVERFLOW;
	if (n->count == n->cap) {
		n->cap = n->cap == 0 ? 64 : 2 * n->cap;
		if ((p = reallocarray(n->list, n->cap, sizeof(*p))) == NULL)
			return ENOMEM;
		n->list = p;
	}
	if ((n->list[n->count] = strdup(name)) == NULL)
		return ENOMEM;
	n->count++;
	return 0;
}

int
names_read(struct names *n, int fd)
{
	int copy = fcntl(fd, F_DUPFD_CLOEXEC, 3), errnum = 0;
	DIR *d = copy >= 0 ? fdopendir(copy) : NULL;
	struct dirent *de;

	if (d == NULL) {
		errnum = errno;
		if (copy >= 0)
			(void)close(copy);
		return errnum;
	}
	while (errnum == 0 && (errno = 0, de = readdir(d)) != NULL)
		if (strcmp(de->d_name, ".") != 0 &&
		    strcmp(de->d_name, "..") != 0)
			errnum = add(n, de->d_name);
	if (errnum == 0)
		errnum = errno;
	(void)closedir(d);
	if (n->count > 0)
		qsort(n->list, n->count, sizeof(*n->list), compare);
	return errnum;
}
