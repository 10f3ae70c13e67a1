#ifndef FORMATS_LFS_H_
#define FORMATS_LFS_H_

#include <stdbool.h>
#include <stdint.h>

struct cursor;

/*
 * A pointer of Git LFS (git-lfs, docs/spec.md): what stands in a repository
 * instead of a large file, and what a download without LFS leaves there.
 *
 *	version https://git-lfs.github.com/spec/v1
 *	oid sha256:<64 hexadecimal digits>
 *	size <decimal>
 *
 * Lines "ext-N-..." may stand before the oid.
 */
#define LFS_POINTER_MAX 1023	/* bytes, says the specification */

struct lfs_pointer {
	char oid[65];		/* lower-case hex, NUL behind */
	uint64_t size;
};

/*
 * lfs_pointer: is a pointer what ${c} has left?  It stands behind the size
 * then; when it is none, where it was if not even the version is there.
 */
bool lfs_pointer(struct cursor *c, struct lfs_pointer *ret);

#endif /* !FORMATS_LFS_H_ */
