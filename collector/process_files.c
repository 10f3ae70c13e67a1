#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/cursor.h"
#include "base/err.h"
#include "base/json_write.h"
#include "base/limits.h"
#include "base/text.h"
#include "collector/inode.h"
#include "collector/process.h"
#include "collector/proctext.h"

/*
 * The inodes that a process holds: descriptors first, since they may be
 * followed with fewer rights, then mappings.  Regular files only; devices of
 * GPUs get a row.
 */
#define STAT_MASK (STATX_BASIC_STATS | STATX_BTIME | STATX_MNT_ID)
#define DELETED " (deleted)"
#define BUCKETS 4096		/* a hostile process chooses no inode numbers */

struct table {
	struct process *p;
	struct arena *a;
	struct process_file *first, **last;
	struct process_file *bucket[BUCKETS];
	size_t count;
};

/* One link of fd/ or map_files/ and what it leads to. */
struct held {
	const char *how;
	char target[LIMIT_PATH + 1];
	size_t n;
	struct statx st;
};

static struct process_file *
find(const struct table *t, const struct statx *st)
{
	for (struct process_file *f = t->bucket[st->stx_ino % BUCKETS];
	    f != NULL; f = f->chain)
		if (inode_same(&f->st, st))
			return f;
	return NULL;
}

static int
add(struct table *t, const struct held *h, struct process_file **ret)
{
	size_t n = h->n, end = sizeof(DELETED) - 1;
	struct process_file *f;

	*ret = NULL;
	if (++t->count > LIMIT_PROC_FILES)
		return t->count == LIMIT_PROC_FILES + 1 ?
		    process_error(t->p, h->how, "more files than are looked "
		    "at", 0) : 0;
	if ((f = arena_alloc(t->a, sizeof(*f))) == NULL ||
	    (f->how = arena_dup(t->a, h->how, strlen(h->how))) == NULL ||
	    (f->path = arena_dup(t->a, h->target, n)) == NULL ||
	    (f->name = arena_dup(t->a, h->target, n)) == NULL)
		return err_set(t->p->c->e, ERR_NOMEM, "out of memory");
	if (n > end && memcmp(h->target + n - end, DELETED, end) == 0)
		f->name[n - end] = '\0';
	f->st = h->st;
	f->chain = t->bucket[f->st.stx_ino % BUCKETS];
	t->bucket[f->st.stx_ino % BUCKETS] = f;
	*t->last = f;
	t->last = &f->next;
	*ret = f;
	return 0;
}

/* Devices of GPUs, by their names. */
static int
put_device(struct process *p, const struct held *h)
{
	static const char *const fronts[] = {"/dev/nvidia", "/dev/dri/",
	    "/dev/kfd", "/dev/accel", "/dev/neuron", "/dev/habanalabs",
	    "/dev/apex"};
	struct json_write w;
	int r;

	if (p->c->survey != NULL)
		return 0;
	for (size_t i = 0; i < sizeof(fronts) / sizeof(fronts[0]); i++) {
		if (strncmp(h->target, fronts[i], strlen(fronts[i])) != 0)
			continue;
		if ((r = process_row(p, &w, "gpu")) < 0)
			return r;
		json_kstr(&w, "how", h->how);
		json_ktext(&w, "device", h->target, h->n);
		json_ku64(&w, "major", h->st.stx_rdev_major);
		json_ku64(&w, "minor", h->st.stx_rdev_minor);
		return process_row_end(p, &w);
	}
	return 0;
}

/* Is it open for writing? */
static bool
is_writable(const struct process *p, const char *number)
{
	char path[32];
	uint64_t flags;
	struct buf b;
	bool ret;

	(void)snprintf(path, sizeof(path), "fdinfo/%.16s", number);
	buf_init(&b, 64 * KIB);
	ret = process_read(p, path, &b) == 0 &&
	    proctext_flags(b.p, b.len, &flags) &&
	    (flags & O_ACCMODE) != O_RDONLY;
	buf_release(&b);
	return ret;
}

static int
look_descriptor(struct table *t, const char *number)
{
	struct held h = {0};
	struct process_file *f;
	char how[32];
	ssize_t n;
	int r;

	(void)snprintf(how, sizeof(how), "fd/%.16s", number);
	h.how = how;
	if ((n = process_link(t->p, how, h.target, sizeof(h.target))) < 0 ||
	    statx(t->p->dir, how, 0, STAT_MASK, &h.st) < 0)
		return errno == ENOENT ? 0 : process_error(t->p, how,
		    "cannot be followed", errno);
	h.n = (size_t)n;
	if (S_ISCHR(h.st.stx_mode))
		return put_device(t->p, &h);
	if (!S_ISREG(h.st.stx_mode))
		return 0;
	if ((f = find(t, &h.st)) == NULL &&
	    ((r = add(t, &h, &f)) < 0 || f == NULL))
		return r;
	f->fds++;
	/* It decides what is digested: nothing, in a survey. */
	f->writable = f->writable || (t->p->c->survey == NULL &&
	    is_writable(t->p, number));
	return 0;
}

static int
look_descriptors(struct table *t)
{
	int fd = openat(t->p->dir, "fd", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *d = fd >= 0 ? fdopendir(fd) : NULL;
	struct dirent *de;
	int r = 0;

	if (d == NULL) {
		r = process_error(t->p, "fd", "cannot read", errno);
		if (fd >= 0)
			(void)close(fd);
		return r;
	}
	while (r >= 0 && (errno = 0, de = readdir(d)) != NULL)
		if (de->d_name[0] != '.')
			r = look_descriptor(t, de->d_name);
	if (r >= 0 && errno != 0)
		r = process_error(t->p, "fd", "cannot read", errno);
	(void)closedir(d);
	return r;
}

/*
 * A mapping whose link may not be followed: by the name in maps, when that
 * still leads to the same inode; else the bytes cannot be had from here.
 */
static int
without_link(struct table *t, const struct proctext_map *m, struct held *h)
{
	struct statx st;
	int errnum;

	h->n = m->path_n < LIMIT_PATH ? m->path_n : LIMIT_PATH;
	memcpy(h->target, m->path, h->n);
	h->target[h->n] = '\0';
	errnum = process_lookup(t->p, h->target, &st, NULL);
	if (errnum == 0 && st.stx_ino == m->ino) {
		h->st = st;
		return 1;
	}
	return process_error(t->p, h->how, "a mapped file that is not under "
	    "its name any more cannot be reached without CAP_SYS_ADMIN or "
	    "CAP_CHECKPOINT_RESTORE", EPERM);
}

static int
look_mapping(struct table *t, const struct proctext_map *m)
{
	struct held h = {0};
	struct process_file *f;
	char how[64];
	ssize_t n;
	int r = 1;

	(void)snprintf(how, sizeof(how), "map_files/%llx-%llx",
	    (unsigned long long)m->start, (unsigned long long)m->end);
	h.how = how;
	n = process_link(t->p, how, h.target, sizeof(h.target));
	if (n >= 0 && statx(t->p->dir, how, 0, STAT_MASK, &h.st) == 0)
		h.n = (size_t)n;
	else if (errno == ENOENT)
		return 0;	/* unmapped since */
	else
		r = without_link(t, m, &h);
	if (r <= 0 || !S_ISREG(h.st.stx_mode))
		return r < 0 ? r : 0;
	if ((f = find(t, &h.st)) == NULL &&
	    ((r = add(t, &h, &f)) < 0 || f == NULL))
		return r;
	f->maps++;
	f->executable = f->executable || m->perms[2] == 'x';
	return 0;
}

static int
look_mappings(struct table *t)
{
	struct proctext_map m;
	struct process *p = t->p;
	struct cursor c;
	int errnum, r = 0;

	if ((errnum = process_read(p, "maps", &p->maps)) != 0)
		return process_error(p, "maps", "cannot read", errnum);
	cursor_init(&c, p->maps.p, p->maps.len, 0);
	while (r >= 0 && !cursor_at_end(&c)) {
		if (!proctext_map(&c, &m))
			return process_error(p, "maps", "a line is not one "
			    "of proc(5)", 0);
		if (m.ino != 0)
			r = look_mapping(t, &m);
	}
	return r;
}

int
process_files(struct process *p, struct arena *a, struct process_file **ret)
{
	struct table *t = arena_alloc(a, sizeof(*t));
	int r;

	if (t == NULL)
		return err_set(p->c->e, ERR_NOMEM, "out of memory");
	t->p = p;
	t->a = a;
	t->last = &t->first;
	if ((r = look_descriptors(t)) >= 0 && (r = look_mappings(t)) >= 0)
		*ret = t->first;
	return r;
}
