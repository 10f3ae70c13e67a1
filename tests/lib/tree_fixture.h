#ifndef TESTS_LIB_TREE_FIXTURE_H_
#define TESTS_LIB_TREE_FIXTURE_H_

#include <ftw.h>
#include <stdio.h>
#include <sys/stat.h>

/*
 * The end of a test's own directory.  Inline, as unit and release tests are
 * linked with other parts of tests/lib.
 */
static inline int
tree_fixture_drop(const char *path, const struct stat *st, int type,
    struct FTW *w)
{
	(void)st;
	(void)type;
	(void)w;
	return remove(path);
}

/* remove: ${path} and all below it, no link followed.  0 when all is gone. */
static inline int
tree_fixture_remove(const char *path)
{
	return nftw(path, tree_fixture_drop, 8, FTW_DEPTH | FTW_PHYS);
}

#endif /* !TESTS_LIB_TREE_FIXTURE_H_ */
