#include <fcntl.h>
#include <stdint.h>
#include <sys/stat.h>

#include "collector/inode.h"

bool
inode_same(const struct statx *a, const struct statx *b)
{
	return a->stx_ino == b->stx_ino &&
	    a->stx_dev_major == b->stx_dev_major &&
	    a->stx_dev_minor == b->stx_dev_minor;
}

bool
inode_is(int fd, const struct statx *seen)
{
	struct statx st;

	return statx(fd, "", AT_EMPTY_PATH, STATX_BASIC_STATS, &st) == 0 &&
	    inode_same(&st, seen);
}

bool
inode_same_time(const struct statx_timestamp *a,
    const struct statx_timestamp *b)
{
	return a->tv_sec == b->tv_sec && a->tv_nsec == b->tv_nsec;
}

/* Eight times an object: not by printf. */
const char *
inode_time(char dst[INODE_TIME], const struct statx_timestamp *t)
{
	uint64_t sec = t->tv_sec < 0 ? -(uint64_t)t->tv_sec :
	    (uint64_t)t->tv_sec;
	uint32_t ns = t->tv_nsec;
	char *p = dst + INODE_TIME;

	*--p = '\0';
	for (unsigned i = 0; i < 9; i++, ns /= 10)
		*--p = (char)('0' + ns % 10);
	*--p = '.';
	do
		*--p = (char)('0' + sec % 10);
	while ((sec /= 10) > 0);
	if (t->tv_sec < 0)
		*--p = '-';
	return p;
}
