#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "analyzer/rules.h"
#include "analyzer/scan_group.h"
#include "analyzer/wire.h"
#include "base/arena.h"
#include "base/err.h"
#include "base/limits.h"
#include "base/text.h"

/* What the parent may hold for one file's results. */
#define GROUP_ARENA (2 * GIB)

/* The root, and the file's folder below it. */
static int
set_folder(struct group *g, const char *path, size_t root)
{
	const char *rest = path + root + strspn(path + root, "/");
	const char *slash = strrchr(rest, '/');

	g->root = root > 0 ? arena_dup(g->arena, path, root) : ".";
	g->folder = slash != NULL ?
	    arena_dup(g->arena, rest, (size_t)(slash - rest)) : "";
	return g->root != NULL && g->folder != NULL ? 0 : ERR_NOMEM;
}

struct group *
group_new(const char *path, size_t root, struct err *e)
{
	struct group *g;
	const char *shown;
	struct job *j;

	if ((g = calloc(1, sizeof(*g))) == NULL ||
	    (g->arena = arena_new(GROUP_ARENA)) == NULL) {
		free(g);
		(void)err_set(e, ERR_NOMEM, "out of memory");
		return NULL;
	}
	g->fd = -1;
	shown = group_member_path(g, NULL, (const uint8_t *)path,
	    strlen(path));
	if (shown == NULL || (j = group_add_job(g, shown, 0)) == NULL ||
	    set_folder(g, path, root) < 0) {
		group_free(g);
		(void)err_set(e, ERR_NOMEM, "out of memory");
		return NULL;
	}
	g->cursor = j;
	return g;
}

void
group_free(struct group *g)
{
	if (g == NULL)
		return;
	for (struct job *j = g->first; j != NULL; j = j->next) {
		buf_release(&j->parse.in);
		buf_release(&j->hash.in);
		if (j->ask_fd >= 0)
			(void)close(j->ask_fd);
	}
	if (g->fd >= 0)
		(void)close(g->fd);
	arena_free(g->arena);
	free(g);
}

struct job *
group_add_job(struct group *g, const char *path, unsigned depth)
{
	struct job *j;

	if ((j = arena_alloc(g->arena, sizeof(*j))) == NULL)
		return NULL;
	j->group = g;
	j->path = path;
	j->depth = depth;
	j->raw = "";
	j->parse.proc.fd = j->hash.proc.fd = j->ask_fd = -1;
	buf_init(&j->parse.in, 2 * LIMIT_FRAME);
	buf_init(&j->hash.in, 64);
	if (g->last != NULL)
		g->last->next = j;
	else
		g->first = j;
	g->last = j;
	g->jobs++;
	return j;
}

/* parent + "!" + name, printable; ${parent} NULL: the name alone. */
const char *
group_member_path(struct group *g, const char *parent, const uint8_t *name,
    size_t n)
{
	size_t before = parent != NULL ? strlen(parent) + 1 : 0, used, len;
	char *p, *cut;

	if (n > WIRE_NAME_MAX)
		n = WIRE_NAME_MAX;
	if ((p = arena_alloc(g->arena, before + n * TEXT_GROWTH + 1)) == NULL)
		return NULL;
	if (parent != NULL) {
		memcpy(p, parent, before - 1);
		p[before - 1] = '!';
	}
	len = text_printable(p + before, n * TEXT_GROWTH, name, n, TEXT_PATH,
	    &used);
	cut = p + before + len;
	*cut = '\0';
	return p;
}

int
node_add(struct group *g, struct node *n, const struct finding *f)
{
	struct node_finding *nf;
	uint8_t *text;
	char *key;

	if (n->count >= 2 * LIMIT_FINDINGS_PER_OBJECT)
		return ERR_LIMIT;
	if ((nf = arena_alloc(g->arena, sizeof(*nf))) == NULL)
		return ERR_NOMEM;
	nf->f = *f;
	for (unsigned i = 0; i < f->ndetails; i++) {
		struct detail *d = &nf->f.details[i];

		if ((key = arena_dup(g->arena, d->key, strlen(d->key))) ==
		    NULL)
			return ERR_NOMEM;
		d->key = key;
		if (d->text == NULL)
			continue;
		if ((text = (uint8_t *)arena_dup(g->arena, d->text,
		    d->len)) == NULL)
			return ERR_NOMEM;
		d->text = text;
	}
	if (n->last != NULL)
		n->last->next = nf;
	else
		n->first = nf;
	n->last = nf;
	n->count++;
	return 0;
}

int
group_problem(struct group *g, enum finding_id id, const char *why)
{
	struct job *j = g->first;

	if ((j->nodes = arena_array(g->arena, 1, sizeof(*j->nodes))) == NULL)
		return ERR_NOMEM;
	j->count = j->cap = 1;
	j->nodes[0].row.path = j->path;
	j->nodes[0].row.format = "unknown";
	j->nodes[0].parent = WIRE_NONE;
	j->nodes[0].complete = id == FINDING_LINK_NOT_FOLLOWED;
	j->done = j->nodes[0].ended = true;
	j->parse.state = TASK_DONE;
	if (id == FINDING_LINK_NOT_FOLLOWED)
		j->nodes[0].row.format = "symlink";
	return job_say(j, 0, id, "reason", why);
}

int
group_open(struct group *g, const char *raw_path,
    const struct worker_job *proto, bool hash, struct err *e)
{
	struct job *j = g->first;
	struct stat st;

	g->fd = open(raw_path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	if (g->fd < 0 || fstat(g->fd, &st) < 0)
		return err_sys(e, errno, "cannot open");
	if (!S_ISREG(st.st_mode))
		return err_set(e, ERR_UNSUPPORTED, "not a regular file");
	g->size = (uint64_t)st.st_size;
	j->work = *proto;
	j->work.ask_fd = -1;
	j->work.fd = g->fd;
	j->work.off = 0;
	j->work.len = g->size;
	j->work.seconds = worker_seconds(g->size);
	j->work.delegate = true;
	j->parse.state = TASK_WAITING;
	j->hash.state = hash ? TASK_WAITING : TASK_NONE;
	return 0;
}

bool
group_done(const struct group *g)
{
	for (const struct job *j = g->first; j != NULL; j = j->next)
		if (j->parse.state != TASK_DONE ||
		    (j->hash.state != TASK_DONE && j->hash.state != TASK_NONE))
			return false;
	return true;
}
