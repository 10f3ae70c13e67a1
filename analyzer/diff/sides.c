#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "analyzer/diff/sides.h"
#include "analyzer/targets.h"
#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/fsio.h"
#include "base/limits.h"
#include "base/text.h"

#define SIDE_ARENA (64 * MIB)
/* O_NONBLOCK: a FIFO that stands where a file should must not hold us. */
#define READ_FLAGS (O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC)

static int
no_memory(struct err *e)
{
	return err_set(e, ERR_NOMEM, "too many names to compare");
}

/* Two sides, an adapter, and what else is open. */
static void
raise_limit(void)
{
	const rlim_t want = 3 * LIMIT_DIFF_PARTS + 1024;
	struct rlimit lim;

	if (getrlimit(RLIMIT_NOFILE, &lim) < 0 || lim.rlim_cur >= want)
		return;
	lim.rlim_cur = lim.rlim_max < want ? lim.rlim_max : want;
	(void)setrlimit(RLIMIT_NOFILE, &lim);
}

static int
note(struct side *s, const char *path, enum finding_id id, const char *why,
    struct err *e)
{
	struct side_note *p;

	if (s->nnotes == s->note_cap) {
		size_t cap = s->note_cap == 0 ? 16 : 2 * s->note_cap;

		if ((p = arena_array(s->arena, cap, sizeof(*p))) == NULL)
			return no_memory(e);
		if (s->nnotes > 0)
			memcpy(p, s->notes, s->nnotes * sizeof(*p));
		s->notes = p;
		s->note_cap = cap;
	}
	p = &s->notes[s->nnotes];
	p->id = id;
	if ((p->path = arena_dup(s->arena, path, strlen(path))) == NULL ||
	    (p->why = arena_dup(s->arena, why, strlen(why))) == NULL)
		return no_memory(e);
	s->nnotes++;
	return 0;
}

static int
grow(struct side *s, struct err *e)
{
	size_t cap = s->cap == 0 ? 16 : 2 * s->cap;
	struct job_part *p = arena_array(s->arena, cap, sizeof(*p));

	if (p == NULL)
		return no_memory(e);
	if (s->job.n > 0)
		memcpy(p, s->parts, s->job.n * sizeof(*p));
	s->job.v = s->parts = p;
	s->cap = cap;
	return 0;
}

/* Takes ${fd}, whatever happens. */
static int
add_part(struct side *s, int fd, const char *path, unsigned flags,
    struct err *e)
{
	struct job_part *p;
	struct stat st;
	int64_t ns;

	if ((s->job.n == s->cap && grow(s, e) < 0) || fstat(fd, &st) < 0 ||
	    (path = arena_dup(s->arena, path, strlen(path))) == NULL) {
		(void)close(fd);
		return no_memory(e);
	}
	p = &s->parts[s->job.n];
	p->path = path;
	p->fd = fd;
	p->size = st.st_size > 0 ? (uint64_t)st.st_size : 0;
	p->flags = flags;
	s->job.n++;
	if ((flags & PART_BESIDE) != 0)
		return 0;
	s->bytes += p->size;
	ns = (int64_t)st.st_mtim.tv_sec * 1000000000 + st.st_mtim.tv_nsec;
	s->modified_ns = ns > s->modified_ns ? ns : s->modified_ns;
	return 0;
}

static int
add_beneath(struct side *s, int dir, const char *path, unsigned flags,
    struct err *e)
{
	struct err why = ERR_INIT;
	int fd;

	errno = 0;
	if ((fd = fsio_open_beneath(dir, path, &why)) >= 0)
		return add_part(s, fd, path, flags, e);
	if (errno == EMFILE || errno == ENFILE)
		return err_sys(e, errno, "cannot hold %zu files open",
		    s->job.n + 1);
	/* What lies beside a file was not asked for. */
	return (flags & PART_BESIDE) != 0 ? 0 :
	    note(s, path, FINDING_UNREADABLE, why.msg, e);
}

static int
by_path(const void *a, const void *b)
{
	const struct job_part *x = a, *y = b;

	return strcmp(x->path, y->path);
}

static int
add_target(struct side *s, int dir, const struct target *t, const char *path,
    struct err *e)
{
	if (sides_history(path)) {
		s->history = true;
		return 0;
	}
	if (t->problem != NULL)
		return note(s, path, FINDING_UNREADABLE, t->problem, e);
	if (t->link)
		return note(s, path, FINDING_LINK_NOT_FOLLOWED,
		    "symbolic link", e);
	return t->folder ? 0 : add_beneath(s, dir, path, PART_WHOLE, e);
}

static int
open_tree(struct side *s, const char *path, struct err *e)
{
	struct targets t = {0};
	size_t root = strlen(path);
	const char *below;
	char shown[128];
	int dir, r;

	if ((dir = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)) < 0)
		return err_sys(e, errno, "cannot read '%s'",
		    text_z(shown, sizeof(shown), path, root));
	r = targets_add(&t, path, e);
	for (size_t i = 0; i < t.count && r >= 0; i++) {
		below = t.list[i].path + root;
		below += *below == '/';
		if (s->job.n < LIMIT_DIFF_PARTS) {
			r = add_target(s, dir, &t.list[i], below, e);
			continue;
		}
		r = note(s, "", FINDING_LIMIT, "files of one side", e);
		break;
	}
	targets_release(&t);
	(void)close(dir);
	if (r >= 0 && s->job.n == 0)
		r = err_set(e, ERR_NOTFOUND, "no file in '%s'",
		    text_z(shown, sizeof(shown), path, root));
	return r;
}

/* Names in a folder, sorted; one that cannot be read has none. */
struct listing {
	char **list;
	size_t count;
	bool cut;
	bool unread;	/* or not to its end */
};

static int
by_name(const void *a, const void *b)
{
	const char *const *x = a, *const *y = b;

	return strcmp(*x, *y);
}

static int
list_folder(struct side *s, int dir, struct listing *ret, struct err *e)
{
	struct dirent *de;
	DIR *d;
	int fd;

	ret->list = arena_array(s->arena, LIMIT_REPOSITORY_FILES,
	    sizeof(*ret->list));
	if (ret->list == NULL)
		return no_memory(e);
	ret->unread = true;
	fd = dir >= 0 ? openat(dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC) :
	    -1;
	if (fd < 0 || (d = fdopendir(fd)) == NULL) {
		if (fd >= 0)
			(void)close(fd);
		return 0;
	}
	while (errno = 0, (de = readdir(d)) != NULL) {
		ret->cut = ret->count == LIMIT_REPOSITORY_FILES;
		if (ret->cut)
			break;
		ret->list[ret->count] = arena_dup(s->arena, de->d_name,
		    strlen(de->d_name));
		if (ret->list[ret->count++] == NULL)
			break;
	}
	ret->unread = de == NULL && errno != 0;
	(void)closedir(d);
	if (ret->count > 0 && ret->list[ret->count - 1] == NULL)
		return no_memory(e);
	if (ret->count > 0)
		qsort(ret->list, ret->count, sizeof(*ret->list), by_name);
	return 0;
}

/* Is it a shard of the set that ${of} is one, or the index, of? */
static bool
of_set(const char *name, const char *given, const struct sides_shard *of,
    struct sides_shard *ret)
{
	return sides_shard(name, ret) && ret->stem == of->stem &&
	    memcmp(name, given, of->stem) == 0 &&
	    (of->total == 0 || ret->total == of->total) &&
	    ret->tail_len == of->tail_len &&
	    memcmp(name + ret->tail, given + of->tail, of->tail_len) == 0;
}

/*
 * The shards of a set.  Of an index whose shards do not agree on how many
 * they are, all are taken: the worker tells what is there twice.
 */
static int
add_set(struct side *s, int dir, const char *given,
    const struct sides_shard *of, const struct listing *names, struct err *e)
{
	uint64_t there = 0, total = 0;
	struct sides_shard one;
	int r = 0;

	for (size_t i = 0; i < names->count && r >= 0; i++) {
		if (!of_set(names->list[i], given, of, &one))
			continue;
		there++;
		total = one.total > total ? one.total : total;
		r = there > LIMIT_DIFF_PARTS ?
		    note(s, "", FINDING_LIMIT, "files of one side", e) :
		    add_beneath(s, dir, names->list[i], PART_WHOLE, e);
		if (there > LIMIT_DIFF_PARTS)
			break;
	}
	if (r >= 0 && there < total)
		r = note(s, "", FINDING_REPO_SHARD_MISSING,
		    "not every shard of the set is there", e);
	return r;
}

static bool
is_part(const struct side *s, const char *name)
{
	for (size_t i = 0; i < s->job.n; i++)
		if (strcmp(s->parts[i].path, name) == 0)
			return true;
	return false;
}

static int
add_beside(struct side *s, int dir, const char *given,
    const struct listing *names, struct err *e)
{
	size_t taken = 0;
	struct stat st;
	int r = 0;

	for (size_t i = 0; i < names->count && r >= 0; i++) {
		const char *name = names->list[i];

		if (!sides_beside(given, name) || is_part(s, name) ||
		    fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) < 0 ||
		    !S_ISREG(st.st_mode))
			continue;
		if (taken++ == LIMIT_DIFF_BESIDE)
			return note(s, "", FINDING_LIMIT,
			    "files beside the one that was given", e);
		r = add_beneath(s, dir, name, PART_BESIDE, e);
	}
	return r;
}

static int
open_given(const char *path, struct err *e)
{
	int fd = open(path, READ_FLAGS | O_NOATIME);
	struct stat st;
	char shown[128];

	if (fd < 0 && errno == EPERM)	/* not the owner */
		fd = open(path, READ_FLAGS);
	if (fd < 0)
		return err_sys(e, errno, "cannot read '%s'",
		    text_z(shown, sizeof(shown), path, strlen(path)));
	if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode))
		return fd;
	(void)close(fd);
	return err_set(e, ERR_UNSUPPORTED, "'%s' is no regular file",
	    text_z(shown, sizeof(shown), path, strlen(path)));
}

/* A file, or the set that it is one of, and what lies beside. */
static int
open_file(struct side *s, const char *path, unsigned what, struct err *e)
{
	const char *slash = strrchr(path, '/');
	const char *name = slash != NULL ? slash + 1 : path;
	struct listing names = {0};
	struct sides_shard of;
	int fd, dir, r;
	bool set, beside;

	if ((fd = open_given(path, e)) < 0)
		return fd;
	s->folder = arena_dup(s->arena, path, (size_t)(name - path));
	if (s->folder == NULL) {
		(void)close(fd);
		return no_memory(e);
	}
	dir = open(*s->folder != '\0' ? s->folder : ".",
	    O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	set = s->job.member == NULL && (sides_shard(name, &of) ||
	    sides_index(name, &of));
	beside = s->job.member == NULL && (what & SIDES_BESIDE) != 0;
	if ((r = list_folder(s, dir, &names, e)) >= 0 && names.unread &&
	    (set || beside))
		r = note(s, "", FINDING_DIFF_UNREAD, "its folder cannot be "
		    "listed: what lies beside it is not compared", e);
	if (r >= 0 && set)
		r = add_set(s, dir, name, &of, &names, e);
	if (r >= 0 && s->job.n == 0)
		r = add_part(s, fd, "", PART_WHOLE, e);
	else
		(void)close(fd);
	if (r >= 0 && beside)
		r = add_beside(s, dir, name, &names, e);
	if (r >= 0 && names.cut)
		r = note(s, "", FINDING_LIMIT, "files of the folder", e);
	if (dir >= 0)
		(void)close(dir);
	return r;
}

static bool
is_file(const char *path)
{
	struct stat st;

	return stat(path, &st) == 0 && S_ISREG(st.st_mode);
}

/*
 * "BUNDLE!member": the first '!' to the left of which a file's name ends,
 * as it is or without the escapes of results.  NULL: there is none.
 */
static char *
split(struct side *s, const char *path)
{
	const char *mark = path;
	char *left, *plain;
	size_t n;

	while ((mark = strchr(mark, '!')) != NULL) {
		n = (size_t)(mark++ - path);
		if ((left = arena_dup(s->arena, path, n)) == NULL ||
		    (plain = arena_dup(s->arena, path, n)) == NULL)
			return NULL;
		if (!is_file(left)) {
			if (!sides_unescape(plain, n + 1, path, n) ||
			    !is_file(plain))
				continue;
			left = plain;
		}
		s->job.member = arena_dup(s->arena, mark, strlen(mark));
		return s->job.member != NULL ? left : NULL;
	}
	return NULL;
}

/* The file, or the folder, as results show it, and the member behind it. */
static int
show(struct side *s, const char *path, struct err *e)
{
	struct buf b;
	int r;

	buf_init(&b, (size_t)2 * TEXT_GROWTH * LIMIT_PATH);
	text_put(&b, path, strlen(path), TEXT_PATH);
	s->file = arena_dup(s->arena, buf_str(&b), b.len);
	if (s->job.member != NULL) {
		buf_putc(&b, '!');
		text_put_literal(&b, s->job.member, strlen(s->job.member));
	}
	s->given = arena_dup(s->arena, buf_str(&b), b.len);
	r = buf_failed(&b) < 0 || s->given == NULL || s->file == NULL ?
	    no_memory(e) : 0;
	buf_release(&b);
	return r;
}

int
sides_open(struct side *s, const char *path, unsigned what, struct err *e)
{
	struct stat st;
	char *left = NULL;
	int r;

	memset(s, 0, sizeof(*s));
	s->folder = "";
	if ((s->arena = arena_new(SIDE_ARENA)) == NULL)
		return no_memory(e);
	raise_limit();
	if (stat(path, &st) < 0)
		left = split(s, path);
	if ((r = show(s, left != NULL ? left : path, e)) < 0)
		return r;
	if (left == NULL && stat(path, &st) == 0 && S_ISDIR(st.st_mode)) {
		size_t n = strlen(path) + 2;
		char *folder = arena_alloc(s->arena, n);

		if (folder == NULL)
			return no_memory(e);
		(void)snprintf(folder, n, "%s%s", path,
		    path[n - 3] == '/' ? "" : "/");
		s->folder = folder;
		r = open_tree(s, path, e);
	} else {
		r = open_file(s, left != NULL ? left : path, what, e);
	}
	if (r >= 0)
		qsort(s->parts, s->job.n, sizeof(*s->parts), by_path);
	return r;
}

void
sides_close(struct side *s)
{
	for (size_t i = 0; i < s->job.n; i++)
		(void)close(s->parts[i].fd);
	arena_free(s->arena);
	memset(s, 0, sizeof(*s));
}

/* Is the file behind ${fd} one of the side's own? */
static bool
is_own(const struct side *s, int fd)
{
	struct stat st, own;

	if (fstat(fd, &st) < 0)
		return false;
	for (size_t i = 0; i < s->job.n; i++)
		if ((s->parts[i].flags & PART_BESIDE) == 0 &&
		    fstat(s->parts[i].fd, &own) == 0 &&
		    own.st_dev == st.st_dev && own.st_ino == st.st_ino)
			return true;
	return false;
}

void
sides_apart(struct side *s, const struct side *other)
{
	size_t n = 0;

	for (size_t i = 0; i < s->job.n; i++) {
		if ((s->parts[i].flags & PART_BESIDE) != 0 &&
		    is_own(other, s->parts[i].fd))
			(void)close(s->parts[i].fd);
		else
			s->parts[n++] = s->parts[i];
	}
	s->job.n = n;
}
