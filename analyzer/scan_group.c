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
	g->fd = g->carve_dir = -1;
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
		if (j->list_fd >= 0)
			(void)close(j->list_fd);
		carve_drop(&j->carve, g->carve_dir);
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
	carve_init(&j->carve);
	j->parse.proc.fd = j->hash.proc.fd = j->ask_fd = j->list_fd = -1;
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

/* What is wrong on our side is said about the object; the scan goes on. */
static void
carve_failed(struct job *j, uint32_t object, const struct err *why)
{
	j->group->failed = true;
	j->nodes[object].carve_failed = true;
	carve_drop(&j->carve, j->group->carve_dir);
	(void)job_say(j, object, FINDING_CARVE_FAILED, "reason", why->msg);
}

int
job_carve(struct job *j, const struct wire_carve *w)
{
	struct carve_file *c = &j->carve;
	struct err why = ERR_INIT;
	uint64_t have = c->fd >= 0 ? c->len : 0;

	/* The object that began last, and one at a time. */
	if (j->group->carve_dir < 0 || j->count == 0 ||
	    w->object != j->count - 1 || j->nodes[w->object].ended ||
	    (c->fd >= 0 && (c->object != w->object || c->off != w->off)) ||
	    w->n > j->nodes[w->object].row.size - have)
		return ERR_FORMAT;
	if (!j->nodes[w->object].carve_failed &&
	    carve_put(c, j->group->carve_dir, w, &why) < 0)
		carve_failed(j, w->object, &why);
	return 0;
}

int
job_carved(struct job *j)
{
	struct carve_file *c = &j->carve;
	struct err why = ERR_INIT;
	char name[CARVE_NAME];
	struct node *n;

	if (c->fd < 0)
		return 0;
	n = &j->nodes[c->object];
	if (c->len != n->row.size)
		return ERR_FORMAT;
	if (carve_end(c, j->group->carve_dir, n->carved.sha256, &why) < 0) {
		carve_failed(j, c->object, &why);
		return 0;
	}
	carve_name(name, n->carved.sha256);
	n->carved.path = n->row.path;
	n->carved.off = c->off;
	n->carved.len = c->len;
	n->carved.file = arena_dup(j->group->arena, name, strlen(name));
	return n->carved.file != NULL ? 0 : ERR_NOMEM;
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
