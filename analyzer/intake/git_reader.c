#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "analyzer/intake/git_reader.h"
#include "analyzer/intake/gitrepo.h"
#include "analyzer/intake/members.h"
#include "analyzer/intake/regwire.h"
#include "base/arena.h"
#include "base/err.h"
#include "base/limits.h"
#include "base/sandbox.h"
#include "custody/anydigest.h"

#define CLASSES (1U << BAG_WEIGHTS | 1U << BAG_REGISTRY | \
	1U << BAG_TRAINING | 1U << BAG_OTHER)
/* Packs, objects, references, logs, the index, and what else is mapped. */
#define OPEN_FILES 512

const struct field_def git_reader_columns[GIT_A_COLUMNS] = {
    [GIT_A_PATH] = {"path", FIELD_TEXT}, [GIT_A_OFF] = {"offset", FIELD_U64},
    [GIT_A_SIZE] = {"size", FIELD_U64}};
const struct reg_reader git_reader_reg = {.id = "git"};

struct reading {
	const struct git_reader *job;
	struct members m;
	struct regwire w;	/* what repositories say */
	struct outbox ask;
	struct reg_tree tree;
	struct reg_events ev;
	unsigned number;
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

/* --- the list for the copy ------------------------------------------------ */

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

static int
ask(struct reading *g, enum git_ask type, const char *path, size_t n,
    const struct member *content)
{
	struct field v[GIT_A_COLUMNS] = {{0}};

	fields_text(&v[GIT_A_PATH], path, n);
	if (content != NULL) {
		fields_u64(&v[GIT_A_OFF], content->off);
		fields_u64(&v[GIT_A_SIZE], content->size);
	}
	return outbox_send(&g->ask, (uint8_t)type, git_reader_columns,
	    GIT_A_COLUMNS, v, g->w.e);
}

/* 1: it was copied; 0: it could not be. */
static int
ask_for_copy(struct reading *g, const char *own, size_t n)
{
	uint8_t answer;
	size_t i, end;
	ssize_t got;
	int r;

	reg_below(&g->tree, own, n, &i, &end);
	r = ask(g, GIT_REPOSITORY, own, n, NULL);
	for (; i < end && r >= 0; i++) {
		const struct reg_file *f = &g->tree.file[i];
		const char *rel = f->path + n + 1;

		if (left_out(rel))
			continue;
		if (f->type == REG_FOLDER)
			r = ask(g, GIT_FOLDER, rel, strlen(rel), NULL);
		else if (f->type == REG_FILE && !f->absent)
			r = ask(g, GIT_FILE, rel, strlen(rel), f->ctx);
	}
	if (r < 0 || (r = ask(g, GIT_READY, NULL, 0, NULL)) < 0 ||
	    (r = outbox_flush(&g->ask, g->w.e)) < 0)
		return r;
	while ((got = read(g->job->answer_fd, &answer, 1)) < 0 &&
	    errno == EINTR)
		;
	return got == 1 ? answer == 0 : err_set(g->w.e, ERR_CHILD,
	    "the process that copies has ended");
}

/* --- one after the other -------------------------------------------------- */

/* What cannot be read is told, and the next is tried. */
static int
tell_failed(struct reading *g, const char *own, size_t n)
{
	struct reg_parse p = {.tree = &g->tree, .reader = &git_reader_reg,
	    .root = own, .root_len = n, .ev = &g->ev, .e = g->w.e};
	char why[sizeof(g->w.e->msg)];
	struct reg_fact fact = {"why", why, 0};

	(void)snprintf(why, sizeof(why), "%s", g->w.e->msg);
	fact.n = strlen(why);
	err_reset(g->w.e);
	return reg_tell(&p, REG_PROBLEM_UNREAD, NULL, &fact, 1);
}

static int
read_one(struct reading *g, const char *own, size_t n)
{
	static const char dot[] = "/.git";
	struct reg_parse p = {.tree = &g->tree, .reader = &git_reader_reg,
	    .root = own, .root_len = n, .ev = &g->ev, .e = g->w.e,
	    .arena = arena_new(LIMIT_REG_ARENA)};
	char path[16];
	struct gitrepo repo = {.p = &p, .bare = true, .path = path};
	int r;

	(void)snprintf(path, sizeof(path), "%u", g->number);
	if (p.arena == NULL || (repo.dot_git = arena_dup(p.arena, own, n)) ==
	    NULL) {
		arena_free(p.arena);
		return err_set(g->w.e, ERR_NOMEM, "out of memory");
	}
	if (n > sizeof(dot) - 1 && memcmp(own + n - (sizeof(dot) - 1), dot,
	    sizeof(dot) - 1) == 0) {
		p.root_len -= sizeof(dot) - 1;
		repo.bare = false;
	}
	r = gitrepo_read(&repo);
	arena_free(p.arena);
	return r;
}

static int
take_one(struct reading *g, const char *own, size_t n)
{
	int r;

	if (g->number >= LIMIT_GIT_REPOSITORIES)
		return err_set(g->w.e, ERR_LIMIT,
		    "more repositories than are looked at");
	if ((r = ask_for_copy(g, own, n)) > 0)
		r = read_one(g, own, n);
	return r;
}

static int
read_all(struct reading *g)
{
	int r = 0;

	for (size_t i = 0; i < g->tree.files && r >= 0; i++) {
		const struct reg_file *f = &g->tree.file[i];
		size_t n = repository_of(&g->tree, f);

		if (n == 0)
			continue;
		if (g->number >= g->job->first) {
			r = take_one(g, f->path, n);
			if (r < 0 && g->w.e->code != ERR_OK)
				r = tell_failed(g, f->path, n);
			if (r >= 0)
				r = outbox_flush(&g->w.out, g->w.e);
		}
		g->number++;
	}
	return r;
}

static int
load(struct reading *g)
{
	int r;

	if ((g->w.arena = arena_new(LIMIT_INTAKE_ARENA)) == NULL)
		return err_set(g->w.e, ERR_NOMEM, "out of memory");
	if ((r = members_load(&g->m, CLASSES, g->w.arena, g->w.e)) < 0)
		return r;
	return regwire_tree(&g->w, &g->tree);
}

int
git_reader_main(void *arg, int ask_fd)
{
	const struct git_reader *job = arg;
	struct sandbox_policy policy = {.out_fd = {job->out_fd, ask_fd},
	    .max_as = LIMIT_INTAKE_AS, .descriptors = OPEN_FILES,
	    .folder = true, .folder_fd = job->folder_fd};
	struct err e = ERR_INIT;
	struct reading g = {.job = job, .m = {.go = job->go,
	    .bundle_fd = job->bundle_fd, .files_fd = job->files_fd}};
	struct sandbox_status st = {0};
	int r;

	g.w.m = &g.m;
	g.w.e = &e;
	if (fchdir(job->folder_fd) < 0 || gitrepo_start(&e) < 0 ||
	    anydigest_start(&e) < 0 || sandbox_enter(&policy, &st, &e) < 0 ||
	    !st.seccomp)
		return 2;
	outbox_init(&g.w.out, job->out_fd);
	outbox_init(&g.ask, ask_fd);
	regwire_events(&g.w, &g.ev);
	if ((r = load(&g)) >= 0)
		r = read_all(&g);
	outbox_release(&g.w.out);
	outbox_release(&g.ask);
	members_release(&g.m);
	arena_free(g.w.arena);
	return r < 0 ? 1 : 0;
}
