#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "analyzer/scan_group.h"
#include "analyzer/targets.h"
#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/fsio.h"
#include "base/limits.h"
#include "custody/bag.h"

/*
 * Repositories: what no single file shows (a shard that is missing, two chat
 * templates that differ, code that a configuration names) shows in a folder.
 *
 * The parent makes a list of the folder's files and gives it to a worker as
 * an object of the format "repository"; the worker asks for the files that it
 * wants (sibling.h).  A folder is one when it holds a marker (targets.h).
 */
#define LIST_MAX (LIMIT_REPOSITORY * (LIMIT_PATH + 32))
#define FOLDERS_MAX 1000	/* of one bundle */

static void
put_record(struct buf *b, uint64_t size, const void *name, size_t n)
{
	buf_printf(b, "%llu ", (unsigned long long)size);
	buf_put(b, name, n);
	buf_putc(b, '\0');
}

int
group_list(struct job *j, struct buf *b, const char *format,
    const struct worker_job *proto, struct err *e)
{
	int r = buf_failed(b);

	if (r < 0)
		r = err_set(e, ERR_NOMEM, "out of memory for a list");
	else if ((j->list_fd = memfd_create("list", MFD_CLOEXEC)) < 0)
		r = err_sys(e, errno, "cannot make a list");
	else
		r = fsio_write_all(j->list_fd, b->p, b->len, e);
	j->work = *proto;
	j->work.fd = j->list_fd;
	j->work.ask_fd = -1;
	j->work.off = 0;
	j->work.len = b->len;
	j->work.depth = j->depth;
	j->work.format = format;
	j->work.seconds = worker_seconds(0);
	j->work.delegate = false;
	j->work.magic = NULL;	/* it would label the list */
	j->repository = true;
	j->hash.state = TASK_NONE;
	if (r >= 0)
		j->parse.state = TASK_WAITING;
	buf_release(b);
	return r;
}

int
group_repository(struct group *g, const struct target *t, size_t n,
    const struct worker_job *proto, struct err *e)
{
	size_t prefix = strlen(t->path);
	const char *rest = t->path + t->root;
	unsigned files = 0;
	struct stat st;
	struct buf b;

	rest += strspn(rest, "/");
	g->folder = arena_dup(g->arena, rest, strlen(rest));
	if (g->folder == NULL)
		return err_set(e, ERR_NOMEM, "out of memory");
	prefix -= prefix > 1 && t->path[prefix - 1] == '/';
	buf_init(&b, LIST_MAX);
	for (size_t i = 1; i < n && strncmp(t[i].path, t->path, prefix) == 0 &&
	    t[i].path[prefix] == '/'; i++) {
		if (t[i].folder || t[i].link || t[i].problem != NULL ||
		    lstat(t[i].path, &st) < 0)
			continue;
		if (files++ == LIMIT_REPOSITORY) {
			g->first->list_cut = true;
			break;
		}
		put_record(&b, (uint64_t)st.st_size, t[i].path + prefix + 1,
		    strlen(t[i].path + prefix + 1));
	}
	return group_list(g->first, &b, "repository", proto, e);
}

/* The folder "a/b" of a marker "a/b/config.json". */
static bool
marks(const char *raw, size_t *n)
{
	const char *slash = strrchr(raw, '/');

	*n = slash != NULL ? (size_t)(slash - raw) : 0;
	return targets_is_marker(slash != NULL ? slash + 1 : raw);
}

static bool
is_below(const char *raw, const char *folder, size_t n)
{
	return n == 0 || (strncmp(raw, folder, n) == 0 && raw[n] == '/');
}

/* The last components of a path, as many as ${like} has. */
static const char *
last_parts(const char *path, const char *like)
{
	const char *p = path + strlen(path);
	unsigned parts = 1;

	for (; *like != '\0'; like++)
		parts += *like == '/';
	while (p > path && parts > 0)
		parts -= *--p == '/';
	return *p == '/' ? p + 1 : p;
}

/* In a bundle names are escaped, each component by itself (custody/bag.h). */
static void
put_member(struct buf *b, const struct job *m, size_t skip, bool bag)
{
	const char *name = m->raw + skip;
	struct buf plain;

	buf_init(&plain, LIMIT_PATH);
	if (bag && bag_member_path(&plain, m->raw, strlen(m->raw))) {
		buf_putc(&plain, '\0');
		if (buf_failed(&plain) >= 0)
			name = last_parts((const char *)plain.p, name);
	}
	put_record(b, m->work.len, name, strlen(name));
	buf_release(&plain);
}

static int
add_repository(struct group *g, const char *raw, size_t n, bool bag)
{
	const struct worker_job proto = g->first->work;
	unsigned files = 0;
	const char *path;
	struct job *j;
	struct buf b;

	path = group_member_path(g, g->first->path, (const uint8_t *)raw, n);
	if (path == NULL || (j = group_add_job(g, path, 1)) == NULL ||
	    (j->raw = arena_dup(g->arena, raw, n)) == NULL)
		return ERR_NOMEM;
	buf_init(&b, LIST_MAX);
	for (uint32_t i = 0; i < g->nmembers; i++) {
		if (!is_below(g->members[i]->raw, raw, n))
			continue;
		if (files++ == LIMIT_REPOSITORY) {
			j->list_cut = true;
			break;
		}
		put_member(&b, g->members[i], n > 0 ? n + 1 : 0, bag);
	}
	return group_list(j, &b, "repository", &proto, NULL);
}

/* Markers of one folder may have others' names between them. */
static bool
has_repository(const struct group *g, const char *raw, size_t n)
{
	for (const struct job *j = g->first; j != NULL; j = j->next)
		if (j->repository && strlen(j->raw) == n &&
		    memcmp(j->raw, raw, n) == 0)
			return true;
	return false;
}

int
group_add_repositories(struct group *g)
{
	bool bag = group_is_bag(g);
	unsigned folders = 0;
	size_t n;
	int r;

	if (g->first->next == NULL)
		return 0;
	if ((r = group_members(g)) < 0)
		return r;
	for (uint32_t i = 0; i < g->nmembers && r >= 0; i++) {
		const char *raw = g->members[i]->raw;

		if (!marks(raw, &n) || has_repository(g, raw, n))
			continue;
		if (folders++ == FOLDERS_MAX)
			return job_say(g->first, 0, FINDING_LIMIT, "limit",
			    "repositories in one bundle");
		r = add_repository(g, raw, n, bag);
	}
	return r;
}
