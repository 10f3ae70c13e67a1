#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "analyzer/intake/git_worker.h"
#include "analyzer/intake/gitrepo.h"
#include "analyzer/intake/members.h"
#include "analyzer/intake/regwire.h"
#include "base/arena.h"
#include "base/bytesrc.h"
#include "base/err.h"
#include "base/fsio.h"
#include "base/limits.h"
#include "base/sandbox.h"
#include "custody/anydigest.h"

#define CLASSES (1U << BAG_WEIGHTS | 1U << BAG_REGISTRY | \
	1U << BAG_TRAINING | 1U << BAG_OTHER)
/* Packs, objects, references, logs, the index, and what else is mapped. */
#define OPEN_FILES 512

static const struct reg_reader git_reader = {.id = "git"};

struct git_work {
	struct regwire w;
	struct members m;
	struct reg_tree tree;
	struct reg_events ev;
	int out_fd;
};

/* --- which folders are repositories --------------------------------------- */

/* "a/.git/HEAD", or "a/HEAD" beside "a/objects" and "a/refs": bytes of the
 * repository's own folder, or 0. */
static size_t
repository_of(const struct reg_tree *t, const struct reg_file *f)
{
	static const char *const beside[] = {"objects", "refs"};
	static const char tail[] = "/HEAD";
	size_t n = sizeof(tail) - 1;
	char path[LIMIT_PATH];

	if (f->type != REG_FILE || f->absent || f->path_len <= n ||
	    memcmp(f->path + f->path_len - n, tail, n) != 0)
		return 0;
	n = f->path_len - n;
	for (size_t i = 0; i < 2; i++) {
		int len = snprintf(path, sizeof(path), "%.*s/%s", (int)n,
		    f->path, beside[i]);
		const struct reg_file *o;

		if (len < 0 || len >= (int)sizeof(path) ||
		    (o = reg_find(t, path, (size_t)len)) == NULL ||
		    o->type != REG_FOLDER)
			return 0;
	}
	return n;
}

/* --- the copy ------------------------------------------------------------- */

static int
copy_bytes(struct git_work *g, const struct reg_file *f, int fd)
{
	static uint8_t chunk[LIMIT_COPY_CHUNK];
	struct bytesrc *src;
	uint64_t off = 0;
	size_t got;
	int r;

	if ((r = members_open(&g->m, f->ctx, &src, g->w.e)) < 0)
		return r;
	do
		if ((r = bytesrc_read_some(src, off, chunk, sizeof(chunk),
		    &got, g->w.e)) >= 0 && got > 0)
			r = fsio_write_all(fd, chunk, got, g->w.e);
	while (r >= 0 && got > 0 && (off += got) > 0);
	bytesrc_free(src);
	return r;
}

/*
 * ${rel} in the copy.  Every folder there was made by us and no link is, so
 * that a path below leads nowhere else; a name that goes up is no name of a
 * folder's entry and is refused.
 */
static int
copy_one(struct git_work *g, int dir, const struct reg_file *f,
    const char *rel)
{
	int fd, r;

	if (strncmp(rel, "../", 3) == 0 || strstr(rel, "/../") != NULL)
		return err_set(g->w.e, ERR_DENIED, "a path that goes up");
	if (f->type == REG_FOLDER)
		return mkdirat(dir, rel, 0700) == 0 || errno == EEXIST ? 0 :
		    err_sys(g->w.e, errno, "cannot copy a repository");
	if (f->type != REG_FILE || f->absent)
		return 0;
	fd = openat(dir, rel, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW |
	    O_CLOEXEC, 0600);
	if (fd < 0)
		return err_sys(g->w.e, errno, "cannot copy a repository");
	r = copy_bytes(g, f, fd);
	(void)close(fd);
	return r;
}

/*
 * What libgit2 is not given: settings, which name other files and programs,
 * and what leads elsewhere; and content that git itself does not read.
 */
static bool
left_out(const char *rel)
{
	static const char *const names[] = {"config", "config.worktree",
	    "commondir", "gitdir", "objects/info/alternates",
	    "objects/info/http-alternates"};
	static const char *const folders[] = {"lfs", "modules", "annex",
	    "hooks"};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (strcmp(rel, names[i]) == 0)
			return true;
	for (size_t i = 0; i < sizeof(folders) / sizeof(folders[0]); i++) {
		size_t n = strlen(folders[i]);

		if (strncmp(rel, folders[i], n) == 0 &&
		    (rel[n] == '\0' || rel[n] == '/'))
			return true;
	}
	return false;
}

/* Settings of ours: none. */
static int
put_config(struct git_work *g, int dir)
{
	static const char text[] =
	    "[core]\n\trepositoryformatversion = 0\n\tbare = true\n";

	return fsio_write_new(dir, "config", 0600, text, sizeof(text) - 1,
	    g->w.e);
}

static int
copy_all(struct git_work *g, int dir, const char *own, size_t n)
{
	uint64_t bytes = 0;
	size_t i, end;
	int r = 0;

	reg_below(&g->tree, own, n, &i, &end);
	for (; i < end && r >= 0; i++) {
		const struct reg_file *f = &g->tree.file[i];
		const char *rel = f->path + n + 1;

		if (left_out(rel))
			continue;
		bytes += f->type == REG_FILE ? f->size : 0;
		r = bytes > LIMIT_GIT_COPY ? err_set(g->w.e, ERR_LIMIT,
		    "the repository is too large") :
		    copy_one(g, dir, f, rel);
	}
	return r < 0 ? r : put_config(g, dir);
}

static int
remove_entry(const char *path, const struct stat *st, int type,
    struct FTW *ftw)
{
	(void)st;
	(void)ftw;
	(void)(type == FTW_DP ? rmdir(path) : unlink(path));
	return 0;
}

/* --- the process that reads ----------------------------------------------- */

static int
read_fenced(struct git_work *g, int dir, const char *own, size_t n)
{
	static const char dot[] = "/.git";
	struct sandbox_policy policy = {.out_fd = {g->out_fd, -1},
	    .max_as = LIMIT_INTAKE_AS, .descriptors = OPEN_FILES,
	    .folder = true, .folder_fd = dir};
	struct reg_parse p = {.tree = &g->tree, .reader = &git_reader,
	    .root = own, .root_len = n, .ev = &g->ev, .e = g->w.e,
	    .arena = arena_new(LIMIT_REG_ARENA)};
	struct gitrepo repo = {.p = &p, .bare = true};
	struct sandbox_status st = {0};
	int r;

	(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (p.arena == NULL || (repo.dot_git = arena_dup(p.arena, own, n)) ==
	    NULL || fchdir(dir) < 0)
		return 2;
	if (n > sizeof(dot) - 1 && memcmp(own + n - (sizeof(dot) - 1), dot,
	    sizeof(dot) - 1) == 0) {
		p.root_len -= sizeof(dot) - 1;
		repo.bare = false;
	}
	if (gitrepo_start(g->w.e) < 0 || anydigest_start(g->w.e) < 0 ||
	    sandbox_enter(&policy, &st, g->w.e) < 0 || !st.seccomp)
		return 2;
	r = gitrepo_read(&repo);
	if (r >= 0)
		r = outbox_flush(&g->w.out, g->w.e);
	arena_free(p.arena);
	return r < 0 ? 1 : 0;
}

static int
run_child(struct git_work *g, int dir, const char *own, size_t n)
{
	pid_t pid = fork();
	int status;

	if (pid < 0)
		return err_sys(g->w.e, errno, "cannot start a process");
	if (pid == 0)
		_exit(read_fenced(g, dir, own, n));
	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return err_sys(g->w.e, errno, "cannot wait");
	return WIFEXITED(status) && WEXITSTATUS(status) == 0 ? 0 :
	    err_set(g->w.e, ERR_CHILD, "the process that reads a repository "
	    "was ended");
}

/* --- one after the other --------------------------------------------------- */

static int
read_copy(struct git_work *g, const char *own, size_t n)
{
	const char *tmp = getenv("TMPDIR");
	char path[LIMIT_PATH];
	int dir, r, len;

	len = snprintf(path, sizeof(path), "%s/exhibit-git-XXXXXX",
	    tmp != NULL && *tmp != '\0' ? tmp : "/var/tmp");
	if (len < 0 || len >= (int)sizeof(path) || mkdtemp(path) == NULL)
		return err_sys(g->w.e, errno, "cannot make a folder");
	if ((dir = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)) < 0)
		r = err_sys(g->w.e, errno, "cannot open a folder");
	else if ((r = copy_all(g, dir, own, n)) >= 0)
		r = run_child(g, dir, own, n);
	if (dir >= 0)
		(void)close(dir);
	(void)nftw(path, remove_entry, 32, FTW_DEPTH | FTW_PHYS);
	return r;
}

/* What cannot be copied or read is told, and the next is tried. */
static int
tell_failed(struct git_work *g, const char *own, size_t n)
{
	struct reg_parse p = {.tree = &g->tree, .reader = &git_reader,
	    .root = own, .root_len = n, .ev = &g->ev, .e = g->w.e};
	char why[sizeof(g->w.e->msg)];
	struct reg_fact fact = {"why", why, 0};
	int r;

	(void)snprintf(why, sizeof(why), "%s", g->w.e->msg);
	fact.n = strlen(why);
	err_reset(g->w.e);
	if ((r = reg_tell(&p, REG_PROBLEM_UNREAD, NULL, &fact, 1)) >= 0)
		r = outbox_flush(&g->w.out, g->w.e);
	return r;
}

static int
read_all(struct git_work *g)
{
	unsigned repositories = 0;
	int r = 0;

	for (size_t i = 0; i < g->tree.files && r >= 0; i++) {
		const struct reg_file *f = &g->tree.file[i];
		size_t n = repository_of(&g->tree, f);

		if (n == 0)
			continue;
		if (++repositories > LIMIT_GIT_REPOSITORIES)
			r = err_set(g->w.e, ERR_LIMIT,
			    "more repositories than are looked at");
		else
			r = read_copy(g, f->path, n);
		if (r < 0 && g->w.e->code != ERR_OK)
			r = tell_failed(g, f->path, n);
	}
	return r;
}

int
git_worker_main(void *arg, int out_fd)
{
	struct err e = ERR_INIT;
	struct git_work g = {.out_fd = out_fd};
	int r;

	g.w.m = &g.m;
	g.w.e = &e;
	if (members_receive(&g.m, arg, &e) < 0 ||
	    (g.w.arena = arena_new(LIMIT_INTAKE_ARENA)) == NULL)
		return 2;
	outbox_init(&g.w.out, out_fd);
	regwire_events(&g.w, &g.ev);
	if ((r = members_load(&g.m, CLASSES, g.w.arena, &e)) >= 0 &&
	    (r = regwire_tree(&g.w, &g.tree)) >= 0 &&
	    (r = read_all(&g)) >= 0)
		r = outbox_flush(&g.w.out, &e);
	outbox_release(&g.w.out);
	members_release(&g.m);
	arena_free(g.w.arena);
	return r < 0 ? 1 : 0;
}
