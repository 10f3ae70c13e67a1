#include <string.h>

#include "base/arena.h"
#include "base/err.h"
#include "collector/foreign_parts.h"
#include "custody/nameset.h"

/*
 * A tar may have a member "a" and a member "a/b".  A bundle may not: it could
 * not be extracted with stock tools.  Both sets know names by digest.
 */
#define ARENA GIB

int
foreign_names_init(struct foreign_names *f, struct err *e)
{
	if ((f->arena = arena_new(ARENA)) == NULL ||
	    (f->files = nameset_new(f->arena)) == NULL ||
	    (f->folders = nameset_new(f->arena)) == NULL)
		return err_set(e, ERR_NOMEM, "out of memory");
	return 0;
}

void
foreign_names_release(struct foreign_names *f)
{
	arena_free(f->arena);
}

/* Each folder of ${member} to ${set}, or whether one is in it: 1. */
static int
each_folder(struct nameset *set, const char *member, bool add, struct err *e)
{
	const char *slash = member;
	int r;

	while ((slash = strchr(slash, '/')) != NULL) {
		size_t n = (size_t)(slash++ - member);

		r = add ? nameset_add(set, member, n, e) :
		    nameset_has(set, member, n, e);
		if (r < 0 || (r > 0 && !add))
			return r;
	}
	return 0;
}

int
foreign_names_take(struct foreign_names *f, const char *member,
    struct err *e)
{
	size_t n = strlen(member);
	int r;

	if ((r = nameset_has(f->folders, member, n, e)) != 0 ||
	    (r = nameset_has(f->files, member, n, e)) != 0 ||
	    (r = each_folder(f->files, member, false, e)) != 0)
		return r < 0 ? r : 0;
	if ((r = nameset_add(f->files, member, n, e)) < 0 ||
	    (r = each_folder(f->folders, member, true, e)) < 0)
		return r;
	return 1;
}
