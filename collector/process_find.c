#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/limits.h"
#include "base/text.h"
#include "collector/inode.h"
#include "collector/process.h"
#include "collector/survey.h"

/*
 * All processes that map or hold a file: by its inode where it is there, and
 * by its name, so that one whose file was deleted or replaced is found too.
 */
struct wanted {
	char *path;		/* resolved as far as it can be */
	struct statx st;
	bool there;
};

/* Its folder resolved, its name as given: it may be gone. */
static int
resolve(struct collect *c, const char *given, char **ret)
{
	char *dir = NULL, *name = NULL;
	int r;

	if ((*ret = realpath(given, NULL)) != NULL)
		return 0;
	if ((r = walk_resolve(c, given, &dir, &name)) == 0 &&
	    asprintf(ret, "%s/%s", strcmp(dir, "/") == 0 ? "" : dir,
	    name) < 0) {
		*ret = NULL;
		r = err_set(c->e, ERR_NOMEM, "out of memory");
	}
	free(dir);
	free(name);
	return r;
}

static bool
is_wanted(const struct wanted *w, const struct process_file *list)
{
	for (; list != NULL; list = list->next)
		if (strcmp(list->name, w->path) == 0 || (w->there &&
		    inode_same(&list->st, &w->st)))
			return true;
	return false;
}

/*
 * Does this one hold it?  A survey of its own, so that the ninety-nine others
 * leave no line; those that may not be looked at are named in the log.
 */
static int
ignore(void *ctx, const struct survey_row *row)
{
	unsigned *refused = ctx;

	*refused += row->kind == SURVEY_ERROR && (row->errnum == EACCES ||
	    row->errnum == EPERM);
	return 0;
}

static int
holds(struct collect *c, const struct collect_source *s,
    const struct wanted *w, const char *pid, bool *hit, unsigned *refused)
{
	char path[32];
	unsigned no = 0;
	struct survey quiet = {.row = ignore, .ctx = &no};
	struct collect look = {.o = c->o, .survey = &quiet, .e = c->e,
	    .source = s};
	struct process_file *list = NULL;
	struct process p;
	struct arena *a;
	int r;

	*hit = false;
	look.processes.fd = -1;
	if ((a = arena_new(64 * MIB)) == NULL)
		return err_set(c->e, ERR_NOMEM, "out of memory");
	if ((r = process_open(&p, &look, s, pid)) > 0 &&
	    (r = process_files(&p, a, &list)) >= 0)
		*hit = is_wanted(w, list);
	process_close(&p);
	arena_free(a);
	if (r >= 0 && no > 0 && !*hit) {
		(*refused)++;
		(void)snprintf(path, sizeof(path), "/proc/%s", pid);
		r = record_log(c, "may not be looked at", path);
	}
	return r < 0 ? r : 0;
}

static int
take(struct collect *c, const struct collect_source *s, const char *pid)
{
	struct process p;
	int r;

	if ((r = process_open(&p, c, s, pid)) > 0)
		r = process_take(&p);
	process_close(&p);
	return r;
}

static int
compare(const void *a, const void *b)
{
	const uint32_t *x = a, *y = b;

	return *x < *y ? -1 : *x > *y;
}

static int
add_pid(uint32_t **list, size_t *n, size_t *cap, uint32_t pid)
{
	uint32_t *p;

	if (*n == LIMIT_PROC_PIDS)
		return EOVERFLOW;
	if (*n == *cap) {
		*cap = *cap == 0 ? 256 : 2 * *cap;
		if ((p = reallocarray(*list, *cap, sizeof(*p))) == NULL)
			return ENOMEM;
		*list = p;
	}
	(*list)[(*n)++] = pid;
	return 0;
}

/*
 * Numbers of all processes but ours, in order; *n of them.  0, or errno, and
 * then those that were read are there all the same.
 */
static int
list_pids(uint32_t **ret, size_t *n)
{
	DIR *d = opendir("/proc");
	struct dirent *de;
	size_t cap = 0;
	int errnum = 0;
	uint64_t v;

	if (d == NULL)
		return errno;
	while (errnum == 0 && (errno = 0, de = readdir(d)) != NULL)
		if (text_u64(de->d_name, strlen(de->d_name), 10, INT32_MAX,
		    &v) && v != (uint64_t)getpid())
			errnum = add_pid(ret, n, &cap, (uint32_t)v);
	if (errnum == 0)
		errnum = errno;
	(void)closedir(d);
	if (*n > 0)
		qsort(*ret, *n, sizeof(**ret), compare);
	return errnum;
}

static int
look_all(struct collect *c, const struct collect_source *s,
    const struct wanted *w, const uint32_t *pids, size_t n)
{
	unsigned refused = 0, found = 0;
	char pid[16];
	bool hit;
	int r = 0;

	for (size_t i = 0; i < n && r >= 0; i++) {
		(void)snprintf(pid, sizeof(pid), "%u", pids[i]);
		if ((r = holds(c, s, w, pid, &hit, &refused)) >= 0 && hit) {
			found++;
			r = take(c, s, pid);
		}
	}
	if (r >= 0 && refused > 0)
		r = record_error(c, s->path, "processes that may not be "
		    "looked at could hold the file", EACCES);
	if (r >= 0 && found == 0)
		r = record_error(c, s->path, "no process maps or holds it",
		    0);
	return r;
}

int
process_of_source(struct collect *c, const struct collect_source *s)
{
	struct wanted w = {0};
	uint32_t *pids = NULL;
	size_t n = 0;
	int r;

	if ((r = resolve(c, s->path, &w.path)) != 0)
		return r < 0 ? r : record_error(c, s->path,
		    "cannot resolve", r);
	w.there = statx(AT_FDCWD, w.path, 0, STATX_BASIC_STATS, &w.st) == 0;
	if ((r = list_pids(&pids, &n)) != 0)
		r = record_error(c, "/proc", "cannot read directory", r);
	if (r >= 0 && n > 0)
		r = look_all(c, s, &w, pids, n);
	free(pids);
	free(w.path);
	return r;
}
