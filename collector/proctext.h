#ifndef COLLECTOR_PROCTEXT_H_
#define COLLECTOR_PROCTEXT_H_

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct cursor;

/*
 * The small texts of /proc (proc(5)).  The kernel writes them, but the names
 * in them are the process's own: each reader takes a line, or an element, and
 * is false when it is not one that the kernel writes.  Pure.
 */

/* stat: parent and start time (ticks since boot), behind the last ")". */
bool proctext_stat(const void *p, size_t n, uint64_t *ppid,
    uint64_t *start);

/* status: the value behind "KEY:", blanks in front of it left away. */
bool proctext_status(const void *p, size_t n, const char *key,
    struct cursor *ret);

/* maps: one line, to its end. */
struct proctext_map {
	uint64_t start, end, offset, ino;
	char perms[5];		/* "r-xp" */
	const char *path;	/* as written; not NUL-terminated */
	size_t path_n;		/* 0: anonymous */
};
bool proctext_map(struct cursor *lines, struct proctext_map *ret);

/* environ: "NAME=value" NUL.  Without "=" all of it is the name. */
struct proctext_variable {
	const char *name, *value;
	size_t name_n, value_n;
	bool has_value;
};
bool proctext_variable(struct cursor *c, struct proctext_variable *ret);

/*
 * cgroup, mountinfo: the next identifier of a container, 64 lower-case hex
 * digits between other bytes; the cursor moves past it.
 */
#define PROCTEXT_ID 64
bool proctext_container(struct cursor *c, char ret[PROCTEXT_ID + 1]);

/* fdinfo: the flags of the descriptor, octal. */
bool proctext_flags(const void *p, size_t n, uint64_t *flags);

/* "numpy-1.26.4.dist-info", ".egg-info": name and version; false: neither. */
struct proctext_package {
	size_t name_n, version_off, version_n;
};
bool proctext_package(const char *entry, struct proctext_package *ret);

#endif /* !COLLECTOR_PROCTEXT_H_ */
