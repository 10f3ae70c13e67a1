#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/fdpass.h"
#include "base/fsio.h"
#include "base/limits.h"
#include "base/proc.h"
#include "collector/dataset.h"
#include "collector/names.h"
#include "collector/run.h"
#include "custody/slicewire.h"

#define STAT_MASK (STATX_BASIC_STATS | STATX_BTIME | STATX_MNT_ID)
#define JOB_MAX (2 * (size_t)GIB)

static int
tell(const struct dataset *d, const char *path, const char *what, int errnum)
{
	return d->tell != NULL ? d->tell(d->ctx, path, what, errnum) : 0;
}

static int
add(struct dataset *d, const char *name, const struct statx *st,
    struct err *e)
{
	size_t cap = d->cap == 0 ? 16 : 2 * d->cap;
	struct dataset_file *v;

	if (d->n == LIMIT_SLICE_FILES)
		return err_set(e, ERR_LIMIT, "a data set of more files than "
		    "a slice is taken of");
	if (d->n == d->cap) {
		if ((v = reallocarray(d->v, cap, sizeof(*v))) == NULL)
			return err_set(e, ERR_NOMEM, "out of memory");
		d->v = v;
		d->cap = cap;
	}
	v = &d->v[d->n];
	*v = (struct dataset_file){.ino = st->stx_ino, .size = st->stx_size,
	    .major = st->stx_dev_major, .minor = st->stx_dev_minor,
	    .mode = st->stx_mode, .mtime = st->stx_mtime,
	    .ctime = st->stx_ctime};
	if ((v->name = strdup(name)) == NULL)
		return err_set(e, ERR_NOMEM, "out of memory");
	d->n++;
	d->bytes += v->size;
	return 0;
}

/* --- a folder ------------------------------------------------------------- */

/* A folder that is being read. */
struct level {
	int fd;
	const char *rel;	/* below the root; "" the root */
	const struct statx *st;
	unsigned depth;
};

static int below(struct dataset *d, const struct level *l, struct err *e);

static int
tell_rel(const struct dataset *d, const char *rel, const char *what,
    int errnum)
{
	char path[2 * LIMIT_PATH];

	(void)snprintf(path, sizeof(path), "%s%s%s", d->path,
	    *rel != '\0' ? "/" : "", rel);
	return tell(d, path, what, errnum);
}

static int
enter_dir(struct dataset *d, int dir, const char *name, struct level *l,
    struct err *e)
{
	struct statx now;
	int r;

	if (l->depth > LIMIT_WALK_DEPTH)
		return tell_rel(d, l->rel, "directories nest too deep",
		    ELOOP);
	if ((l->fd = names_open(dir, name)) < 0)
		return tell_rel(d, l->rel, "cannot open directory", errno);
	if (statx(l->fd, "", AT_EMPTY_PATH, STATX_BASIC_STATS, &now) < 0 ||
	    now.stx_ino != l->st->stx_ino ||
	    now.stx_dev_major != l->st->stx_dev_major ||
	    now.stx_dev_minor != l->st->stx_dev_minor)
		r = tell_rel(d, l->rel, "was replaced between the look and "
		    "the opening", ESTALE);
	else
		r = below(d, l, e);
	(void)close(l->fd);
	return r;
}

static int
entry(struct dataset *d, const struct level *up, const char *name,
    const char *rel, struct err *e)
{
	struct statx st;
	struct level l = {.rel = rel, .st = &st, .depth = up->depth + 1};
	char path[2 * LIMIT_PATH];
	int r = 1;

	if ((size_t)snprintf(path, sizeof(path), "%s/%s", d->path, rel) >=
	    LIMIT_PATH)
		return tell(d, path, "the path is too long", ENAMETOOLONG);
	if (statx(up->fd, name, AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT,
	    STAT_MASK, &st) < 0)
		return tell(d, path, "cannot stat", errno);
	if (d->enter != NULL)
		r = d->enter(d->ctx, up->fd, name, path, up->st, &st);
	if (r <= 0)
		return r;
	if (S_ISDIR(st.stx_mode))
		return enter_dir(d, up->fd, name, &l, e);
	if (S_ISREG(st.stx_mode))
		return add(d, rel, &st, e);
	return tell(d, path, "no part of the data set: it is no regular file",
	    0);
}

/* Depth is bounded by LIMIT_WALK_DEPTH, so is the recursion. */
static int
below(struct dataset *d, const struct level *l, struct err *e)
{
	int errnum, r = 0;
	struct names n = {0};
	char *rel;

	errnum = names_read(&n, l->fd);
	for (size_t i = 0; i < n.count && r >= 0; i++) {
		if (asprintf(&rel, "%s%s%s", l->rel,
		    *l->rel != '\0' ? "/" : "", n.list[i]) < 0) {
			r = err_set(e, ERR_NOMEM, "out of memory");
			break;
		}
		r = entry(d, l, n.list[i], rel, e);
		free(rel);
	}
	names_free(&n);
	if (r >= 0 && errnum != 0)
		r = tell_rel(d, l->rel, "cannot read directory", errnum);
	return r;
}

static int
by_name(const void *a, const void *b)
{
	const struct dataset_file *x = a, *y = b;

	return strcmp(x->name, y->name);
}

static int
open_folder(struct dataset *d, int dir, const char *name, struct err *e)
{
	struct level l = {.rel = "", .st = &d->st};
	int r;

	d->folder = true;
	if ((l.fd = d->dir = names_open(dir, name)) < 0) {
		r = tell(d, d->path, "cannot open directory", errno);
		return r < 0 ? r : 0;
	}
	if ((r = below(d, &l, e)) < 0)
		return r;
	if (d->n > 0)
		qsort(d->v, d->n, sizeof(d->v[0]), by_name);
	if (d->n > 0)
		return 1;
	r = tell(d, d->path, "a data set without files", ENOENT);
	return r < 0 ? r : 0;
}

int
dataset_open(struct dataset *d, const char *dir, const char *name,
    struct err *e)
{
	int fd, r;

	d->dir = -1;
	if (asprintf(&d->path, "%s/%s", strcmp(dir, "/") == 0 ? "" : dir,
	    name) < 0) {
		d->path = NULL;
		return err_set(e, ERR_NOMEM, "out of memory");
	}
	if (*name == '\0')
		name = ".";
	if ((fd = open(dir, O_PATH | O_DIRECTORY | O_CLOEXEC)) < 0 ||
	    statx(fd, name, AT_SYMLINK_NOFOLLOW, STAT_MASK, &d->st) < 0) {
		r = tell(d, d->path, "cannot open", errno);
	} else if (S_ISDIR(d->st.stx_mode)) {
		r = open_folder(d, fd, name, e);
	} else if (S_ISREG(d->st.stx_mode)) {
		d->dir = fd;
		fd = -1;
		return (r = add(d, name, &d->st, e)) < 0 ? r : 1;
	} else {
		r = tell(d, d->path, S_ISLNK(d->st.stx_mode) ?
		    "is a symbolic link; name its target" :
		    "a slice is of a file or a folder", EINVAL);
	}
	if (fd >= 0)
		(void)close(fd);
	return r;
}

void
dataset_release(struct dataset *d)
{
	for (size_t i = 0; i < d->n; i++)
		free(d->v[i].name);
	free(d->v);
	free(d->path);
	if (d->dir >= 0)
		(void)close(d->dir);
	*d = (struct dataset){.dir = -1};
}

/* --- one file ------------------------------------------------------------- */

static bool
same_time(const struct statx_timestamp *a, const struct statx_timestamp *b)
{
	return a->tv_sec == b->tv_sec && a->tv_nsec == b->tv_nsec;
}

static bool
same_inode(const struct dataset_file *f, const struct statx *st)
{
	return f->ino == st->stx_ino && f->major == st->stx_dev_major &&
	    f->minor == st->stx_dev_minor;
}

int
dataset_fd(struct dataset *d, size_t i)
{
	const struct object o = {.dir = d->dir, .name = d->v[i].name};
	struct taken t = {0};
	struct statx st;
	int fd;

	if ((fd = take_open(&o, &t)) < 0)
		return -1;
	d->v[i].noatime = t.noatime;
	if (statx(fd, "", AT_EMPTY_PATH, STATX_BASIC_STATS, &st) == 0 &&
	    S_ISREG(st.stx_mode) && same_inode(&d->v[i], &st))
		return fd;
	(void)close(fd);
	errno = ESTALE;
	return -1;
}

void
dataset_path(const struct dataset *d, size_t i, struct buf *b)
{
	buf_puts(b, d->path);
	if (d->folder) {
		buf_putc(b, '/');
		buf_puts(b, d->v[i].name);
	}
}

bool
dataset_changed(const struct dataset *d, size_t i)
{
	const struct dataset_file *f = &d->v[i];
	struct statx st;

	return statx(d->dir, f->name, AT_SYMLINK_NOFOLLOW,
	    STATX_BASIC_STATS, &st) < 0 || !same_inode(f, &st) ||
	    f->size != st.stx_size || f->mode != st.stx_mode ||
	    !same_time(&f->mtime, &st.stx_mtime) ||
	    !same_time(&f->ctime, &st.stx_ctime);
}

/* --- the worker ----------------------------------------------------------- */

static void
put_le(struct buf *b, uint64_t v, unsigned bytes)
{
	for (unsigned i = 0; i < bytes; i++)
		buf_putc(b, (char)(v >> (8 * i) & 0xff));
}

void
dataset_ids_free(struct dataset_ids *ids, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		free(ids[i].name);
		free(ids[i].p);
	}
	free(ids);
}

static void
put_job(struct buf *b, const struct dataset *d, const struct dataset_words *w)
{
	put_le(b, strlen(w->spec), 4);
	buf_puts(b, w->spec);
	put_le(b, w->nids, 4);
	for (size_t i = 0; i < w->nids; i++) {
		put_le(b, w->ids[i].n, 8);
		buf_put(b, w->ids[i].p, w->ids[i].n);
	}
	put_le(b, d->n, 4);
	for (size_t i = 0; i < d->n; i++) {
		put_le(b, d->v[i].size, 8);
		put_le(b, strlen(d->v[i].name), 4);
		buf_puts(b, d->v[i].name);
	}
}

int
dataset_job(const struct dataset *d, const struct dataset_words *w, int *fd,
    uint64_t *size, struct err *e)
{
	struct buf b;
	int r;

	buf_init(&b, JOB_MAX);
	put_job(&b, d, w);
	if ((r = buf_failed(&b)) < 0)
		r = err_set(e, (enum err_code)r, "the list of files is too "
		    "long");
	else if ((*fd = memfd_create("slice", MFD_CLOEXEC)) < 0)
		r = err_sys(e, errno, "cannot get memory");
	else if ((r = fsio_write_all(*fd, b.p, b.len, e)) < 0)
		(void)close(*fd);
	*size = b.len;
	buf_release(&b);
	return r;
}

int
dataset_give(const struct dataset *d, const struct dataset_words *w,
    struct proc *worker, int sock, int bundle, struct err *e)
{
	struct slicewire_go go = {.check = bundle >= 0};
	int fds[2] = {-1, bundle}, r;
	struct stat st;

	if (bundle >= 0 && fstat(bundle, &st) < 0)
		return err_sys(e, errno, "cannot look at the bundle");
	if (bundle >= 0)
		go.bundle_size = (uint64_t)st.st_size;
	if ((r = dataset_job(d, w, &fds[0], &go.job_size, e)) < 0)
		return r;
	worker->deadline = clock_mono_ns() + 1000000000LL *
	    (LIMIT_INTAKE_SECONDS + (int64_t)(d->bytes / GIB) *
	    LIMIT_WORKER_SECONDS_PER_GIB);
	(void)fdpass_send(sock, &go, sizeof(go), fds, bundle >= 0 ? 2 : 1);
	(void)close(fds[0]);
	return 0;
}

int
dataset_answer(struct dataset *d, int sock, uint64_t i, int *errnum)
{
	struct slicewire_answer a = {.file = (uint32_t)i};
	int fd, r;

	*errnum = 0;
	if (i >= d->n)
		return ERR_FORMAT;
	if ((fd = dataset_fd(d, (size_t)i)) < 0)
		*errnum = errno;
	a.open = fd >= 0;
	r = fdpass_send(sock, &a, sizeof(a), &fd, fd >= 0 ? 1 : 0);
	if (fd >= 0)
		(void)close(fd);
	return r;
}
