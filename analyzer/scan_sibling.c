#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "analyzer/scan_group.h"
#include "analyzer/sibling.h"
#include "analyzer/wire.h"
#include "base/arena.h"
#include "base/err.h"
#include "base/fsio.h"
#include "base/limits.h"
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

static int
index_members(struct group *g)
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

/* "a/b" of "a/b/name"; "" of "name". */
static void
folder_of(const char *raw, char *dst)
{
	const char *slash = strrchr(raw, '/');
	size_t n = slash != NULL ? (size_t)(slash - raw) : 0;

	memcpy(dst, raw, n);
	dst[n] = '\0';
}

/* A repository's own path is the folder. */
static void
folder_of_job(const struct job *j, char *dst)
{
	if (j->repository)
		memcpy(dst, j->raw, strlen(j->raw) + 1);
	else
		folder_of(j->raw, dst);
}

static int
answer_member(struct job *j, const char *path)
{
	struct group *g = j->group;
	struct job key = {.raw = path}, *k = &key, **hit;

	if (index_members(g) < 0)
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
	char folder[LIMIT_PATH + WIRE_NAME_MAX], path[2 * LIMIT_PATH];
	bool file = j == g->first;

	if (file && strlen(g->folder) < sizeof(folder))
		memcpy(folder, g->folder, strlen(g->folder) + 1);
	else if (!file && strlen(j->raw) < sizeof(folder))
		folder_of_job(j, folder);
	else
		return sibling_answer(j->ask_fd, SIBLING_UNKNOWN, -1, 0, 0);
	if (!sibling_path(folder, name, n, path, sizeof(path)))
		return sibling_answer(j->ask_fd, SIBLING_REFUSED, -1, 0, 0);
	return file ? answer_file(j, path) : answer_member(j, path);
}

int
job_ask(struct job *j, const uint8_t *name, size_t n)
{
	struct group *g = j->group;

	/* One question at a time, and only of who was given the socket. */
	if (j->ask_fd < 0 || j->asked != NULL || ++j->asks > LIMIT_SIBLINGS)
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
