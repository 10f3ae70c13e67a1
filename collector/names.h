#ifndef COLLECTOR_NAMES_H_
#define COLLECTOR_NAMES_H_

#include <stddef.h>

/*
 * The names in a directory, without "." and "..", in byte order.
 *
 * names_open: a directory without following a link, and without touching its
 * access time where that is permitted; -1 and errno.
 *
 * names_read: all of them, at most LIMIT_DIR_NAMES; 0, or errno, and then
 * those that were read are there all the same.  ${fd} stays open.  The caller
 * frees with names_free in any case.
 */
struct names {
	char **list;
	size_t count, cap;
};

int names_open(int dir, const char *name);
int names_read(struct names *n, int fd);
void names_free(struct names *n);

#endif /* !COLLECTOR_NAMES_H_ */
