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
	bool below;		/* found below a folder that was given */
	bool folder;		/* a repository: the files that follow it */
	bool registry;		/* a registry lies among those that follow */
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
 * targets_add_registry: when a registry of models lies below the folder whose
 * targets begin at ${first} (formats/reg/reg.h; by names alone), one more
 * target stands for the folder as a whole, before them.
 */
int targets_add_registry(struct targets *t, size_t first, struct err *e);
/*
 * targets_below: the path below the folder that was given; targets_prefix:
 * that folder's own name, of *n bytes (0: "." and the like).
 */
const char *targets_below(const struct target *t);
const char *targets_prefix(const struct target *t, size_t *n);
/*
 * targets_size(t, enough): bytes of the files in all; counting ends above
 * ${enough}.  A file that cannot be looked at counts nothing.
 */
uint64_t targets_size(const struct targets *t, uint64_t enough);

void targets_release(struct targets *t);

#endif /* !ANALYZER_TARGETS_H_ */
