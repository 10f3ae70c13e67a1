#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "analyzer/diff/session_parts.h"
#include "analyzer/targets.h"
#include "base/arena.h"
#include "base/err.h"
#include "base/limits.h"
#include "base/text.h"

/*
 * What counts as a known version in the folder of --against: a model's file,
 * a set of shards, a sub-folder that holds a model, a bundle; of a case, its
 * bundles.  NEW itself, where it lies in there, does not.
 */
struct found {
	const char **list;
	size_t n;
	bool cut;
};

static int
no_memory(struct session *s)
{
	return err_set(s->e, ERR_NOMEM, "too many known versions");
}

static int
add(struct session *s, struct found *f, const char *dir,
    const char *name)
{
	char *path;
	size_t n;

	if (f->n == LIMIT_DIFF_VERSIONS) {
		f->cut = true;
		return 0;
	}
	n = strlen(dir) + strlen(name) + 2;
	if ((path = arena_alloc(s->arena, n)) == NULL)
		return no_memory(s);
	(void)snprintf(path, n, "%s/%s", dir, name);
	f->list[f->n++] = path;
	return 0;
}

/* The file or folder that is NEW itself. */
static bool
is_new(const struct session *s, const struct stat *st)
{
	struct stat own;

	return stat(s->o->new, &own) == 0 && own.st_dev == st->st_dev &&
	    own.st_ino == st->st_ino;
}

/* Does a model lie in or below the folder?  1, 0, or negative. */
static int
holds_model(const char *path, struct err *why)
{
	struct targets t = {0};
	int r = targets_add(&t, path, why);
	bool any = false;

	for (size_t i = 0; r >= 0 && i < t.count && !any; i++)
		any = !t.list[i].folder && !t.list[i].link &&
		    !sides_history(t.list[i].path) &&
		    sides_model(t.list[i].path);
	targets_release(&t);
	return r < 0 ? r : any;
}

static int
say_unread(struct session *s, const char *path, const char *why)
{
	char shown[LIMIT_PATH];

	return session_say(s, text_z(shown, sizeof(shown), path,
	    strlen(path)), FINDING_DIFF_UNREAD, "reason", why);
}

/* Of a set one shard stands for all: the first. */
static bool
stands_for_itself(const char *name)
{
	struct sides_shard x;

	return sides_model(name) && (!sides_shard(name, &x) || x.number == 1);
}

static int
consider(struct session *s, struct found *f, const char *dir,
    const char *name)
{
	char path[LIMIT_PATH];
	struct err why = ERR_INIT;
	struct stat st;
	int r;

	if (name[0] == '.')
		return 0;
	if (snprintf(path, sizeof(path), "%s/%s", dir, name) >=
	    (int)sizeof(path))
		return say_unread(s, name, "its path is too long");
	if (lstat(path, &st) < 0)
		return say_unread(s, path, strerror(errno));
	if (is_new(s, &st))
		return 0;
	if (S_ISLNK(st.st_mode))	/* what it leads to may be here too */
		return session_skip(s, text_z(path, sizeof(path), name,
		    strlen(name)), "a symbolic link is not followed");
	r = S_ISDIR(st.st_mode) ? holds_model(path, &why) :
	    S_ISREG(st.st_mode) && stands_for_itself(name);
	if (r < 0)
		return say_unread(s, path, why.msg);
	return r > 0 ? add(s, f, dir, name) : 0;
}

static int
by_name(const struct dirent **a, const struct dirent **b)
{
	return strcmp((*a)->d_name, (*b)->d_name);
}

/* A case keeps its bundles in a folder of its own. */
static const char *
folder_of(struct session *s, char *dst, size_t cap)
{
	struct stat st;

	if (snprintf(dst, cap, "%s/case.db", s->o->against) >= (int)cap ||
	    stat(dst, &st) < 0 || !S_ISREG(st.st_mode))
		return s->o->against;
	(void)snprintf(dst, cap, "%s/bundles", s->o->against);
	return dst;
}

int
session_versions(struct session *s, const char ***list, size_t *ret)
{
	char path[LIMIT_PATH], shown[128];
	const char *dir = folder_of(s, path, sizeof(path));
	struct found f = {0};
	struct dirent **names;
	int n, r = 0;

	f.list = arena_array(s->arena, LIMIT_DIFF_VERSIONS, sizeof(*f.list));
	if (f.list == NULL)
		return no_memory(s);
	if ((n = scandir(dir, &names, NULL, by_name)) < 0)
		return err_sys(s->e, errno, "cannot read '%s'",
		    text_z(shown, sizeof(shown), dir, strlen(dir)));
	for (int i = 0; i < n; i++) {
		if (r >= 0)
			r = consider(s, &f, dir, names[i]->d_name);
		free(names[i]);
	}
	free(names);
	if (r >= 0 && f.cut)
		r = session_say(s, s->side[ROW_NEW].given, FINDING_LIMIT,
		    "limit", "known versions to compare with");
	*list = f.list;
	*ret = f.n;
	return r < 0 || f.n > 0 ? r : err_set(s->e, ERR_NOTFOUND,
	    "no known version in '%s'",
	    text_z(shown, sizeof(shown), dir, strlen(dir)));
}
