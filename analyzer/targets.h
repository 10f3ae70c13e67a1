#ifndef ANALYZER_TARGETS_H_
#define ANALYZER_TARGETS_H_

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct err;

/*
 * What a command is asked to look at, as a flat list: a file stands for
 * itself, a directory for every file below it in byte order of the paths.
 * Symbolic links below a directory are listed but not followed; a path that
 * is given is.
 */
struct target {
	char *path;		/* as given, or root + "/" + relative path */
	size_t root;		/* bytes of path that are the root; 0: "." */
	bool folder;		/* a repository: the files that follow it */
	bool link;		/* a symbolic link that is not followed */
	char *problem;		/* why it cannot be examined, or NULL */
};

struct targets {
	struct target *list;
	size_t count, cap;
};

/*
 * targets_is_marker: does a file of this name make its folder a repository,
 * whose files are looked at together too?
 */
bool targets_is_marker(const char *name);

/*
 * targets_add(t, path, e): ERR_NOTFOUND and the like when ${path} itself
 * cannot be looked at; what fails below a directory becomes a problem.
 */
int targets_add(struct targets *t, const char *path, struct err *e);
/*
 * targets_size(t, enough): bytes of the files in all; counting ends above
 * ${enough}.  A file that cannot be looked at counts nothing.
 */
uint64_t targets_size(const struct targets *t, uint64_t enough);

void targets_release(struct targets *t);

#endif /* !ANALYZER_TARGETS_H_ */
