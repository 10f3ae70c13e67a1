#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "analyzer/scan_group.h"
#include "analyzer/sibling.h"
#include "analyzer/wire.h"
#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/fsio.h"
#include "base/limits.h"
#include "custody/bag.h"
#include "formats/format.h"

/*
 * The parent's answer to a worker that asks for a file beside its object.
 *
 * Of a file that was given, it is a regular file beneath the folder that was
 * given with it; of a member of a bundle or tar, another member of the same.
 * What a member may ask for is known only when its container was walked to
 * its end, so such a question waits until then.
 */
static int
compare_members(const void *a, const void *b)
{
	const struct job *const *x = a;
	const struct job *const *y = b;

	return strcmp((*x)->raw, (*y)->raw);
}

int
group_members(struct group *g)
{
	uint32_t n = 0;

	if (g->members != NULL)
		return 0;
	if ((g->members = arena_array(g->arena, g->jobs,
	    sizeof(*g->members))) == NULL)
		return ERR_NOMEM;
	for (struct job *j = g->first->next; j != NULL; j = j->next)
		if (!j->repository)
			g->members[n++] = j;
	g->nmembers = n;
	qsort(g->members, n, sizeof(*g->members), compare_members);
	return 0;
}

bool
group_is_bag(const struct group *g)
{
	return g->first->count > 0 &&
	    strcmp(g->first->nodes[0].row.format, "evidence-bag") == 0;
}

/* "a/b" of "a/b/name", "" of "name"; a repository is its folder. */
static bool
member_folder(const struct job *j, const char *path, char *dst, size_t cap)
{
	const char *slash = strrchr(path, '/');
	size_t n = j->repository ? strlen(path) :
	    slash != NULL ? (size_t)(slash - path) : 0;

	if (n >= cap)
		return false;
	memcpy(dst, path, n);
	dst[n] = '\0';
	return true;
}

/* Which class a member of a bag is in; BAG_CLASSES: none. */
static enum bag_class
class_of(const char *raw)
{
	enum bag_class c;

	return bag_member_class(raw, strlen(raw), &c) ? c : BAG_CLASSES;
}

/*
 * A registry of a bag: names are those of the sources, below "/"; and the one
 * tag file that says where its links lead.
 */
static bool
bag_registry(const struct job *j, const void *name, size_t n, char *dst,
    size_t cap)
{
	char path[2 * LIMIT_PATH + 2] = "/";
	enum bag_class c = class_of(j->raw);
	struct buf escaped;
	bool ok;

	if (n == strlen(BAG_FILES) && memcmp(name, BAG_FILES, n) == 0) {
		memcpy(dst, BAG_FILES, n + 1);
		return true;
	}
	buf_init(&escaped, LIMIT_MEMBER_NAME);
	ok = c != BAG_CLASSES && sibling_path("", name, n, path + 1,
	    sizeof(path) - 1) && bag_member_name(&escaped, c, path,
	    strlen(path), NULL) >= 0 && escaped.len < cap;
	if (ok) {
		memcpy(dst, escaped.p, escaped.len);
		dst[escaped.len] = '\0';
	}
	buf_release(&escaped);
	return ok;
}

/*
 * In a bag: from the member's name to its source's path, to the sibling's, and
 * to the name that it has in the bag.  It stays in the member's class.
 */
static bool
bag_sibling(const struct job *j, const void *name, size_t n, char *dst,
    size_t cap)
{
	char folder[LIMIT_PATH + 1], path[2 * LIMIT_PATH + 2] = "/";
	enum bag_class c = class_of(j->raw);
	struct buf source, escaped;
	bool ok;

	buf_init(&source, LIMIT_PATH + 1);
	buf_init(&escaped, LIMIT_MEMBER_NAME);
	ok = c != BAG_CLASSES &&
	    bag_member_path(&source, j->raw, strlen(j->raw));
	buf_putc(&source, '\0');
	ok = ok && buf_failed(&source) >= 0 &&
	    member_folder(j, (const char *)source.p + 1, folder,
	    sizeof(folder)) &&
	    sibling_path(folder, name, n, path + 1, sizeof(path) - 1) &&
	    bag_member_name(&escaped, c, path, strlen(path), NULL) >= 0 &&
	    escaped.len < cap;
	if (ok) {
		memcpy(dst, escaped.p, escaped.len);
		dst[escaped.len] = '\0';
	}
	buf_release(&source);
	buf_release(&escaped);
	return ok;
}

/* The list of a registry has the members' own names: "./a" is one. */
static bool
tar_sibling(const struct job *j, const void *name, size_t n, char *dst,
    size_t cap)
{
	char folder[WIRE_NAME_MAX + 1];

	if (j->work.registry) {
		if (n >= cap || memchr(name, '\0', n) != NULL)
			return false;
		memcpy(dst, name, n);
		dst[n] = '\0';
		return true;
	}
	return member_folder(j, j->raw, folder, sizeof(folder)) &&
	    sibling_path(folder, name, n, dst, cap);
}

static int
answer_member(struct job *j, const char *path)
{
	struct group *g = j->group;
	struct job key = {.raw = path}, *k = &key, **hit;

	if (group_members(g) < 0)
		return ERR_NOMEM;
	hit = bsearch(&k, g->members, g->nmembers, sizeof(*g->members),
	    compare_members);
	if (hit == NULL)
		return sibling_answer(j->ask_fd, SIBLING_NONE, -1, 0, 0);
	return sibling_answer(j->ask_fd, SIBLING_OPEN, g->fd,
	    (*hit)->work.off, (*hit)->work.len);
}

static int
answer_file(struct job *j, const char *path)
{
	int root = open(j->group->root, O_PATH | O_DIRECTORY | O_CLOEXEC);
	struct stat st;
	int fd, r;

	fd = root < 0 ? ERR_DENIED : fsio_open_beneath(root, path, NULL);
	if (root >= 0)
		(void)close(root);
	if (fd < 0)
		return sibling_answer(j->ask_fd, fd == ERR_NOTFOUND ?
		    SIBLING_NONE : SIBLING_REFUSED, -1, 0, 0);
	r = fstat(fd, &st) == 0 && st.st_size >= 0 ?
	    sibling_answer(j->ask_fd, SIBLING_OPEN, fd, 0,
	    (uint64_t)st.st_size) :
	    sibling_answer(j->ask_fd, SIBLING_REFUSED, -1, 0, 0);
	(void)close(fd);
	return r;
}

static int
answer(struct job *j, const char *name, size_t n)
{
	struct group *g = j->group;
	char path[2 * LIMIT_PATH];
	bool ok;

	if (j == g->first)
		ok = sibling_path(g->folder, name, n, path, sizeof(path));
	else if (group_is_bag(g) && j->work.registry)
		ok = bag_registry(j, name, n, path, sizeof(path));
	else if (group_is_bag(g))
		ok = bag_sibling(j, name, n, path, sizeof(path));
	else
		ok = tar_sibling(j, name, n, path, sizeof(path));
	if (!ok)
		return sibling_answer(j->ask_fd, SIBLING_REFUSED, -1, 0, 0);
	return j == g->first ? answer_file(j, path) : answer_member(j, path);
}

int
job_ask(struct job *j, const uint8_t *name, size_t n)
{
	struct group *g = j->group;

	/* One question at a time, and only of who was given the socket. */
	if (j->ask_fd < 0 || j->asked != NULL || ++j->asks >
	    (j->work.registry ? LIMIT_REG_ASKS : LIMIT_SIBLINGS))
		return ERR_FORMAT;
	if (j == g->first || g->first->parse.state == TASK_DONE)
		return answer(j, (const char *)name, n);
	if ((j->asked = arena_dup(g->arena, name, n)) == NULL)
		return ERR_NOMEM;
	j->asked_len = n;
	return 0;
}

void
group_answer_waiting(struct group *g)
{
	for (struct job *j = g->first; j != NULL; j = j->next) {
		if (j->asked == NULL)
			continue;
		/* One that does not listen any more ends by itself. */
		(void)answer(j, j->asked, j->asked_len);
		j->asked = NULL;
	}
}
