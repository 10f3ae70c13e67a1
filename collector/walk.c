#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/limits.h"
#include "base/text.h"
#include "collector/inode.h"
#include "collector/names.h"
#include "collector/resume.h"
#include "collector/run.h"

/*
 * A source as a person gave it, and everything below it in byte order of
 * names.  Directories are opened from their parent's descriptor, without
 * following links and without touching their atime where that is permitted;
 * a directory that is its own ancestor (a bind mount) is told and left.
 */
#define STAT_MASK (STATX_BASIC_STATS | STATX_BTIME | STATX_MNT_ID)

struct ancestor {
	const struct ancestor *up;
	uint64_t ino;
	uint32_t major, minor;
};

static int walk_object(struct collect *c, const struct object *o,
    const struct ancestor *up);

static int
walk_entry(struct collect *c, const struct object *dir, int fd,
    const char *name, const struct ancestor *self)
{
	struct object o = {.dir = fd, .name = name, .class = dir->class,
	    .depth = dir->depth + 1};
	char *path;
	int r;

	if (asprintf(&path, "%s%s%s", dir->path,
	    strcmp(dir->path, "/") == 0 ? "" : "/", name) < 0)
		return err_set(c->e, ERR_NOMEM, "out of memory");
	o.path = path;
	if (strlen(path) >= LIMIT_PATH)
		r = record_error(c, path, "the path is too long", 0);
	else if (statx(fd, name, AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT,
	    STAT_MASK, &o.st) < 0)
		r = record_error(c, path, "cannot stat", errno);
	else if ((r = scope_enter(c, dir, &o)) > 0)
		r = walk_object(c, &o, self);
	free(path);
	return r;
}

static int
walk_dir(struct collect *c, const struct object *o, const struct ancestor *up)
{
	struct ancestor self = {up, o->st.stx_ino, o->st.stx_dev_major,
	    o->st.stx_dev_minor};
	struct names names = {0};
	int fd, r, errnum;

	for (const struct ancestor *a = up; a != NULL; a = a->up)
		if (a->ino == self.ino && a->major == self.major &&
		    a->minor == self.minor)
			return record_error(c, o->path,
			    "a directory inside itself was left out", ELOOP);
	if ((r = record_object(c, o, NULL, NULL, NULL, 0, NULL)) < 0)
		return r;
	if (c->out.stx_ino != 0 && inode_same(&o->st, &c->out) &&
	    (r = record_error(c, o->path, "the bundle is written to this "
	    "folder: the collection alters its own source", 0)) < 0)
		return r;
	if (o->depth > LIMIT_WALK_DEPTH)
		return record_error(c, o->path, "directories nest too deep",
		    0);
	if ((fd = names_open(o->dir, o->name)) < 0)
		return record_error(c, o->path, "cannot open directory",
		    errno);
	if (!inode_is(fd, &o->st)) {
		(void)close(fd);
		return record_error(c, o->path,
		    "was replaced between the look and the opening", 0);
	}
	if ((errnum = names_read(&names, fd)) != 0)
		r = record_error(c, o->path, "cannot read directory", errnum);
	for (size_t i = 0; i < names.count && r >= 0; i++)
		r = walk_entry(c, o, fd, names.list[i], &self);
	names_free(&names);
	(void)close(fd);
	return r;
}

static int
walk_link(struct collect *c, const struct object *o)
{
	char target[LIMIT_PATH + 1];
	ssize_t n;

	n = readlinkat(o->dir, o->name, target, sizeof(target));
	if (n < 0)
		return record_error(c, o->path, "cannot read link", errno);
	return record_object(c, o, NULL, NULL, target, (size_t)n, NULL);
}

static int
walk_file(struct collect *c, const struct object *o)
{
	struct buf member;
	struct taken t;
	int r;

	if ((r = resume_skips(c, o)) != 0)
		return r < 0 ? r : 0;
	if (!scope_fits(c, o))
		return record_error(c, o->path, "left out: the source's limit "
		    "of bytes is reached", 0);
	if (c->survey != NULL)
		return survey_file(c, o);
	buf_init(&member, LIMIT_MEMBER_NAME);
	if ((r = bag_member_name(&member, o->class, o->path, strlen(o->path),
	    c->e)) < 0) {
		err_reset(c->e);
		r = record_error(c, o->path, "the member's name is too long",
		    0);
		goto out;
	}
	r = take_file(c, o, buf_str(&member), &t);
	if (r == ERR_EXISTS) {
		/* Overlapping sources: stored once, said twice. */
		err_reset(c->e);
		c->totals.duplicates++;
		r = record_object(c, o, buf_str(&member), NULL, NULL, 0,
		    "duplicate");
	} else if (r >= 0) {
		r = record_object(c, o, t.stored ? buf_str(&member) : NULL,
		    &t, NULL, 0, t.stored ? NULL : "not stored");
	}
out:
	buf_release(&member);
	return r;
}

/* Depth is bounded by LIMIT_WALK_DEPTH, so is the recursion. */
static int
walk_object(struct collect *c, const struct object *o,
    const struct ancestor *up)
{
	if (S_ISDIR(o->st.stx_mode))
		return walk_dir(c, o, up);
	if (S_ISREG(o->st.stx_mode))
		return walk_file(c, o);
	if (S_ISLNK(o->st.stx_mode))
		return walk_link(c, o);
	return record_object(c, o, NULL, NULL, NULL, 0, NULL);
}

/*
 * With every link in the parent resolved: naming the place is the person's
 * decision, what lies below is not.
 */
int
walk_resolve(struct collect *c, const char *given, char **dir, char **name)
{
	size_t n = strlen(given);
	char *copy, *slash;

	while (n > 1 && given[n - 1] == '/')
		n--;
	if ((copy = strndup(given, n)) == NULL)
		return err_set(c->e, ERR_NOMEM, "out of memory");
	slash = strrchr(copy, '/');
	if (strcmp(copy, ".") == 0 || strcmp(copy, "..") == 0 ||
	    (slash != NULL && (strcmp(slash, "/.") == 0 ||
	    strcmp(slash, "/..") == 0 || slash[1] == '\0'))) {
		/* It names no entry of its parent: take it as it resolves. */
		free(copy);
		if ((copy = realpath(given, NULL)) == NULL)
			return errno;
		slash = strrchr(copy, '/');
	}
	*name = strdup(slash != NULL ? slash + 1 : copy);
	if (slash == NULL)
		*dir = realpath(".", NULL);
	else if (slash == copy)
		*dir = strdup("/");
	else {
		*slash = '\0';
		*dir = realpath(copy, NULL);
	}
	free(copy);
	return *dir == NULL || *name == NULL ? (errno != 0 ? errno : ENOMEM) :
	    0;
}

static int
walk_root(struct collect *c, const struct collect_source *s, const char *dir,
    const char *name)
{
	struct object o = {.name = *name != '\0' ? name : ".",
	    .class = s->class};
	char *path = NULL;
	int r;

	if ((o.dir = open(dir, O_PATH | O_DIRECTORY | O_CLOEXEC)) < 0)
		return record_error(c, s->path, "cannot open", errno);
	if (asprintf(&path, "%s%s%s", strcmp(dir, "/") == 0 ? "" : dir, "/",
	    name) < 0) {
		(void)close(o.dir);
		return err_set(c->e, ERR_NOMEM, "out of memory");
	}
	o.path = path;
	if (statx(o.dir, o.name, AT_SYMLINK_NOFOLLOW, STAT_MASK, &o.st) < 0) {
		r = record_error(c, path, "cannot stat", errno);
	} else if (S_ISLNK(o.st.stx_mode)) {
		if ((r = walk_link(c, &o)) >= 0)
			r = record_error(c, path,
			    "is a symbolic link; name its target", 0);
	} else {
		r = walk_object(c, &o, NULL);
	}
	free(path);
	(void)close(o.dir);
	return r;
}

int
walk_source(struct collect *c, const struct collect_source *s)
{
	char *dir = NULL, *name = NULL;
	int r;

	if ((r = walk_resolve(c, s->path, &dir, &name)) > 0)
		r = record_error(c, s->path, "cannot resolve", r);
	else if (r == 0)
		r = walk_root(c, s, dir, name);
	free(dir);
	free(name);
	return r;
}
