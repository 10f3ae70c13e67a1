#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "analyzer/intake/git_reader.h"
#include "analyzer/intake/git_worker.h"
#include "analyzer/intake/members.h"
#include "analyzer/intake/regwire.h"
#include "base/err.h"
#include "base/frame.h"
#include "base/fsio.h"
#include "base/limits.h"
#include "base/proc.h"

struct git_work {
	struct regwire w;
	struct members m;
	struct reg_events ev;
	int out_fd;
	int dir;		/* the folder of the copies */
	unsigned begun;		/* repositories, over all readers */
	/* The one that is being copied. */
	bool listing;
	char own[LIMIT_PATH];
	size_t own_len;
	int copy;		/* its folder, -1 */
	uint64_t bytes, entries;
	struct err why;		/* of what could not be copied */
};

/* --- the copy ------------------------------------------------------------- */

static int
copy_bytes(struct git_work *g, uint64_t off, uint64_t size, int fd,
    struct err *e)
{
	static uint8_t chunk[LIMIT_COPY_CHUNK];
	ssize_t n;
	int r;

	for (; size > 0; size -= (uint64_t)n, off += (uint64_t)n) {
		n = pread(g->m.bundle_fd, chunk, size < sizeof(chunk) ?
		    (size_t)size : sizeof(chunk), (off_t)off);
		if (n < 0 && errno == EINTR) {
			n = 0;
			continue;
		}
		if (n < 0)
			return err_sys(e, errno, "cannot read the bundle");
		if (n == 0)
			return err_set(e, ERR_TRUNC, "the bundle is cut");
		if ((r = fsio_write_all(fd, chunk, (size_t)n, e)) < 0)
			return r;
	}
	return 0;
}

/*
 * A path below the copy, NUL behind.  Every folder there was made by us and
 * no link is, so that it leads nowhere else, unless it goes up.
 */
static int
take_path(const struct field *f, char rel[LIMIT_PATH], struct err *e)
{
	size_t n;

	if (!f->set || f->n == 0 || f->n >= LIMIT_PATH ||
	    memchr(f->p, '\0', f->n) != NULL)
		return err_set(e, ERR_DENIED, "a path that is none");
	memcpy(rel, f->p, f->n);
	rel[f->n] = '\0';
	for (const char *p = rel;; p += n + 1) {
		n = strcspn(p, "/");
		if (n == 0 || (n == 1 && p[0] == '.') ||
		    (n == 2 && p[0] == '.' && p[1] == '.'))
			return err_set(e, ERR_DENIED, "a path that goes up");
		if (p[n] == '\0')
			return 0;
	}
}

static int
copy_file(struct git_work *g, const char *rel, const struct field *v,
    struct err *e)
{
	uint64_t off = v[GIT_A_OFF].u, size = v[GIT_A_SIZE].u;
	int fd, r;

	if (!v[GIT_A_OFF].set || !v[GIT_A_SIZE].set ||
	    off > g->m.go.bundle_size || size > g->m.go.bundle_size - off)
		return err_set(e, ERR_DENIED,
		    "a file that is not in the bundle");
	if (size > LIMIT_GIT_COPY - g->bytes)
		return err_set(e, ERR_LIMIT, "the repository is too large");
	g->bytes += size;
	fd = openat(g->copy, rel, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW |
	    O_CLOEXEC, 0600);
	if (fd < 0)
		return err_sys(e, errno, "cannot copy a repository");
	r = copy_bytes(g, off, size, fd, e);
	(void)close(fd);
	return r;
}

static int
copy_entry(struct git_work *g, enum git_ask type, const struct field *v,
    struct err *e)
{
	char rel[LIMIT_PATH];
	int r;

	if (++g->entries > LIMIT_GIT_ENTRIES)
		return err_set(e, ERR_LIMIT, "the repository is too large");
	if ((r = take_path(&v[GIT_A_PATH], rel, e)) < 0)
		return r;
	if (type == GIT_FILE)
		return copy_file(g, rel, v, e);
	return mkdirat(g->copy, rel, 0700) == 0 || errno == EEXIST ? 0 :
	    err_sys(e, errno, "cannot copy a repository");
}

/* Settings of ours: none. */
static int
put_config(struct git_work *g, struct err *e)
{
	static const char text[] =
	    "[core]\n\trepositoryformatversion = 0\n\tbare = true\n";

	return fsio_write_new(g->copy, "config", 0600, text,
	    sizeof(text) - 1, e);
}

/* --- what is asked for ---------------------------------------------------- */

/* What cannot be copied or read is told, and the next is tried. */
static int
tell_failed(struct git_work *g, const char *why)
{
	struct reg_parse p = {.reader = &git_reader_reg, .root = g->own,
	    .root_len = g->own_len, .ev = &g->ev, .e = g->w.e};
	struct reg_fact fact = {"why", why, strlen(why)};
	int r;

	if ((r = reg_tell(&p, REG_PROBLEM_UNREAD, NULL, &fact, 1)) >= 0)
		r = outbox_flush(&g->w.out, g->w.e);
	return r;
}

static int
begin(struct git_work *g, const struct field *path)
{
	char name[16];

	if (g->begun == LIMIT_GIT_REPOSITORIES || !path->set ||
	    path->n >= sizeof(g->own))
		return ERR_FORMAT;
	memcpy(g->own, path->p, path->n);
	g->own_len = path->n;
	g->listing = true;
	g->bytes = g->entries = 0;
	err_reset(&g->why);
	(void)snprintf(name, sizeof(name), "%u", g->begun++);
	if (mkdirat(g->dir, name, 0700) < 0 || (g->copy = openat(g->dir, name,
	    O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)) < 0)
		return err_sys(&g->why, errno, "cannot make a folder"), 0;
	return 0;
}

static void
end_copy(struct git_work *g)
{
	if (g->copy >= 0)
		(void)close(g->copy);
	g->copy = -1;
	g->listing = false;
}

static int
answer(struct git_work *g, int sock)
{
	uint8_t failed;

	if (g->why.code == ERR_OK)
		(void)put_config(g, &g->why);
	failed = g->why.code != ERR_OK;
	end_copy(g);
	if (failed && tell_failed(g, g->why.msg) < 0)
		return ERR_IO;
	/* One that is gone already has an end that says why. */
	(void)send(sock, &failed, 1, MSG_NOSIGNAL);
	return 0;
}

/* ERR_FORMAT: no such process asks for that. */
static int
take_frame(struct git_work *g, uint8_t type, const uint8_t *body, size_t n,
    int sock)
{
	struct field v[GIT_A_COLUMNS];
	struct frame f;

	if (!frame_parse(&f, type, body, n) || !fields_get(&f,
	    git_reader_columns, GIT_A_COLUMNS, v, NULL, 0) ||
	    (type == GIT_REPOSITORY) == g->listing)
		return ERR_FORMAT;
	switch (type) {
	case GIT_REPOSITORY:
		return begin(g, &v[GIT_A_PATH]);
	case GIT_FOLDER:
	case GIT_FILE:
		if (g->why.code == ERR_OK)
			(void)copy_entry(g, (enum git_ask)type, v, &g->why);
		return 0;
	case GIT_READY:
		return answer(g, sock);
	default:
		return ERR_FORMAT;
	}
}

/* --- the process that reads ----------------------------------------------- */

static int
remove_entry(const char *path, const struct stat *st, int type,
    struct FTW *ftw)
{
	(void)st;
	(void)type;
	if (ftw->level > 0)
		(void)(type == FTW_DP ? rmdir(path) : unlink(path));
	return 0;
}

/* 1: it came to its end; 0: it did not. */
static int
serve(struct git_work *g, struct proc *p, int sock, const char *path)
{
	static uint8_t body[LIMIT_FRAME];
	unsigned shown = g->begun;
	int r, status = 0;
	uint8_t type;
	size_t n;

	while ((r = proc_frame(p, &type, body, sizeof(body), &n,
	    g->w.e)) > 0) {
		/* It is done with the one before. */
		if (type == GIT_REPOSITORY && g->begun > shown)
			(void)nftw(path, remove_entry, 32,
			    FTW_DEPTH | FTW_PHYS);
		if ((r = take_frame(g, type, body, n, sock)) < 0)
			break;
	}
	if (r < 0)
		proc_kill(p);
	end_copy(g);
	(void)nftw(path, remove_entry, 32, FTW_DEPTH | FTW_PHYS);
	return proc_wait(p, &status) == PROC_EXITED && status == 0 && r >= 0;
}

/*
 * One reader after the other: one that is ended by what it reads takes no
 * more with it than that repository.
 */
static int
read_with(struct git_work *g, const char *path)
{
	int pair[2], r, done = 0;

	while (done == 0) {
		struct git_reader job = {.go = g->m.go,
		    .bundle_fd = g->m.bundle_fd, .files_fd = g->m.files_fd,
		    .out_fd = g->out_fd, .folder_fd = g->dir,
		    .first = g->begun};
		struct proc p = {.fd = -1};

		if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0,
		    pair) < 0)
			return err_sys(g->w.e, errno, "cannot make a socket");
		job.answer_fd = pair[1];
		r = proc_spawn(&p, git_reader_main, &job, (const int[]){
		    job.bundle_fd, job.files_fd, job.out_fd, job.answer_fd,
		    job.folder_fd}, 5, 0, g->w.e);
		(void)close(pair[1]);
		done = r < 0 ? r : serve(g, &p, pair[0], path);
		(void)close(pair[0]);
		if (done == 0 && g->begun == job.first)
			return ERR_CHILD;	/* it read none */
		if (done == 0)
			done = tell_failed(g, "the process that reads a "
			    "repository was ended");
	}
	return done;
}

static int
read_all(struct git_work *g)
{
	const char *tmp = getenv("TMPDIR");
	char path[LIMIT_PATH];
	int r, len;

	len = snprintf(path, sizeof(path), "%s/exhibit-git-XXXXXX",
	    tmp != NULL && *tmp != '\0' ? tmp : "/var/tmp");
	if (len < 0 || len >= (int)sizeof(path) || mkdtemp(path) == NULL)
		return err_sys(g->w.e, errno, "cannot make a folder");
	if ((g->dir = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)) < 0) {
		r = err_sys(g->w.e, errno, "cannot open a folder");
	} else {
		r = read_with(g, path);
		(void)close(g->dir);
	}
	(void)rmdir(path);
	return r;
}

int
git_worker_main(void *arg, int out_fd)
{
	struct err e = ERR_INIT;
	struct git_work g = {.out_fd = out_fd, .dir = -1, .copy = -1,
	    .why = ERR_INIT};
	int r;

	g.w.m = &g.m;
	g.w.e = &e;
	if (members_receive(&g.m, arg, &e) < 0)
		return 2;
	outbox_init(&g.w.out, out_fd);
	regwire_events(&g.w, &g.ev);
	r = read_all(&g);
	outbox_release(&g.w.out);
	members_release(&g.m);
	return r < 0 ? 1 : 0;
}
