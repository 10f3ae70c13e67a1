#ifndef ANALYZER_INTAKE_GITREPO_H_
#define ANALYZER_INTAKE_GITREPO_H_

#include <stdbool.h>
#include <stddef.h>

#include "formats/reg/reg.h"

struct git_repository;
struct git_oid;
struct lfs_pointer;

/*
 * A git repository by libgit2: what it says of the models that it tracks.
 *
 * libgit2 reads a private copy of the repository's own files behind a fence
 * that lets it read that folder and nothing else (base/sandbox.h).  Objects
 * are checked against their names as they are read.  Its configuration is not
 * in the copy: hostile settings name programs and other files.  What lies in
 * the working folder is held against HEAD by the tree of what was taken.
 *
 *	alias	HEAD and each reference, with the commit that it leads to
 *	event	each entry of the reflogs; what is staged and differs from HEAD
 *	revision each commit that touched a path that looks like a model's, or
 *		a pointer of LFS (then the digest is the pointer's SHA-256),
 *		with author, times, and the kind of its signature
 *	artifact each such path in HEAD, against the bytes that were taken
 *
 * A file or link that is not what HEAD has is DISAGREES (a text file with CRLF
 * for each LF is what HEAD has), one that is not what its LFS pointer says is
 * DIGEST; one that HEAD has and that is not there MISSING, one statement for
 * all of them where nothing of the working folder was taken; an object that
 * cannot be read is MALFORMED.  Filters of other kinds (ident, encodings,
 * programs) are not undone: such files are DISAGREES.
 */
struct gitrepo {
	struct git_repository *repo;
	struct reg_parse *p;	/* p->root is the working folder, or, of a
				 * bare repository, its own */
	const char *path;	/* the copy, in the current folder */
	bool bare;
	const char *dot_git;	/* the repository's own folder in the tree */
};

/* gitrepo_start: before the fence. */
int gitrepo_start(struct err *e);

/* gitrepo_read: what it says, to its consumer.  0, 1, or negative. */
int gitrepo_read(struct gitrepo *g);

/* --- private to the files that include git2.h --- */

int gitlog_read(struct gitrepo *g);	/* references, reflogs, commits */
int githead_read(struct gitrepo *g);	/* HEAD against what lies there */

#define GITREPO_HEX 41
const char *gitrepo_hex(char dst[GITREPO_HEX], const struct git_oid *id);
/* gitrepo_bad: MALFORMED with libgit2's own words; 1 or negative. */
int gitrepo_bad(struct gitrepo *g, const char *what);
/* gitrepo_is_model: does this path look like a model's? */
bool gitrepo_is_model(const char *path);

/* gitrepo_pointer: 1 and the pointer of Git LFS, 0: the blob is none. */
int gitrepo_pointer(struct gitrepo *g, const struct git_oid *blob,
    struct lfs_pointer *ret);

#endif /* !ANALYZER_INTAKE_GITREPO_H_ */
