#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "analyzer/scan_group.h"
#include "analyzer/targets.h"
#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/limits.h"
#include "custody/bag.h"
#include "formats/reg/reg.h"

/*
 * Registries of models: what a folder or a bundle says about its own files.
 *
 * The parent makes a list of all the names (formats/modelreg.c has its form)
 * and gives it to one worker; whether there is a registry at all is asked by
 * the names alone, so the parent opens nothing for it.
 */
#define LIST_MAX (LIMIT_REPOSITORY_FILES * (LIMIT_PATH + 32))

static void
put_name(struct buf *b, const void *name, size_t n)
{
	buf_put(b, name, n);
	buf_putc(b, '\0');
}

static void
put_file(struct buf *b, uint64_t size, const void *name, size_t n)
{
	buf_printf(b, "f %llu ", (unsigned long long)size);
	put_name(b, name, n);
}

/* A link that cannot be read is left out: its own row says so. */
static void
put_link(struct buf *b, const char *path, const char *name)
{
	char target[LIMIT_PATH];
	ssize_t n = readlink(path, target, sizeof(target));

	if (n <= 0 || (size_t)n == sizeof(target))
		return;
	buf_puts(b, "l ");
	put_name(b, name, strlen(name));
	put_name(b, target, (size_t)n);
}

/* Digests are made of files that have ${bytes} in all. */
static void
allow(struct job *j, uint64_t bytes)
{
	j->work.registry = true;
	j->work.seconds = worker_seconds(bytes);
}

int
group_registry(struct group *g, const struct target *t, size_t n,
    const struct worker_job *proto, struct err *e)
{
	uint64_t bytes = 0;
	unsigned files = 0;
	const char *prefix;
	struct stat st;
	struct buf b;
	size_t len;
	int r;

	g->folder = "";
	buf_init(&b, LIST_MAX);
	prefix = targets_prefix(t, &len);
	put_name(&b, prefix, len);
	for (size_t i = 1; i < n && t[i].below && t[i].root == t->root &&
	    strncmp(t[i].path, t->path, t->root) == 0; i++) {
		const char *name = targets_below(&t[i]);

		if (t[i].folder || t[i].problem != NULL ||
		    lstat(t[i].path, &st) < 0)
			continue;
		if (files++ == LIMIT_REPOSITORY_FILES) {
			g->first->list_cut = true;
			break;
		}
		if (t[i].link) {
			put_link(&b, t[i].path, name);
			continue;
		}
		put_file(&b, (uint64_t)st.st_size, name, strlen(name));
		bytes += (uint64_t)st.st_size;
	}
	r = group_list(g->first, &b, "registry", proto, e);
	allow(g->first, bytes);
	return r;
}

/* --- in a bundle or a tar --- */

/* Members [first, end) of one class, by their sources' names. */
struct members {
	struct group *g;
	struct reg_file *file;
	uint32_t first, end;
	size_t files;		/* once they are in order */
};

static bool
is_below(const char *raw, const char *folder)
{
	return strncmp(raw, folder, strlen(folder)) == 0;
}

static int
name_member(struct members *m, uint32_t i, bool bag)
{
	struct reg_file *f = &m->file[i - m->first];
	const char *raw = m->g->members[i]->raw;
	struct buf plain;
	char *path;

	buf_init(&plain, LIMIT_PATH + 1);
	if (!bag || !bag_member_path(&plain, raw, strlen(raw)) ||
	    buf_failed(&plain) < 0 || plain.len < 2) {
		buf_clear(&plain);
		buf_put(&plain, "/", 1);
		buf_put(&plain, raw, strlen(raw));
	}
	path = buf_failed(&plain) < 0 ? NULL :
	    arena_dup(m->g->arena, plain.p + 1, plain.len - 1);
	f->path = path;
	f->path_len = path != NULL ? strlen(path) : 0;
	f->size = m->g->members[i]->work.len;
	buf_release(&plain);
	return path != NULL ? 0 : ERR_NOMEM;
}

/* ${raw}: "data/CLASS/" in a bag, "" in a tar. */
static int
add_registry(struct members *m, const char *raw, bool bag)
{
	struct group *g = m->g;
	const struct worker_job proto = g->first->work;
	uint64_t bytes = 0;
	const char *path;
	struct job *j;
	struct buf b;
	size_t n = strlen(raw);
	int r;

	path = group_member_path(g, g->first->path, (const uint8_t *)raw,
	    n > 0 ? n - 1 : 0);
	if (path == NULL || (j = group_add_job(g, path, 1)) == NULL ||
	    (j->raw = arena_dup(g->arena, raw, n)) == NULL)
		return ERR_NOMEM;
	buf_init(&b, LIST_MAX);
	put_name(&b, "", 0);
	if (bag) {
		buf_puts(&b, "t ");
		put_name(&b, BAG_FILES, strlen(BAG_FILES));
	}
	for (size_t i = 0; i < m->files; i++) {
		if (i == LIMIT_REPOSITORY_FILES) {
			j->list_cut = true;
			break;
		}
		put_file(&b, m->file[i].size, m->file[i].path,
		    m->file[i].path_len);
		bytes += m->file[i].size;
	}
	r = group_list(j, &b, "registry", &proto, NULL);
	allow(j, bytes);
	return r;
}

/* The members below ${raw}, when there is a registry among them. */
static int
look(struct group *g, const char *raw, bool bag)
{
	struct members m = {g, NULL, 0, 0, 0};
	struct reg_tree t = {0};

	while (m.first < g->nmembers &&
	    !is_below(g->members[m.first]->raw, raw))
		m.first++;
	for (m.end = m.first; m.end < g->nmembers &&
	    is_below(g->members[m.end]->raw, raw); m.end++)
		;
	if (m.first == m.end)
		return 0;
	m.file = arena_array(g->arena, m.end - m.first, sizeof(*m.file));
	if (m.file == NULL)
		return ERR_NOMEM;
	for (uint32_t i = m.first; i < m.end; i++)
		if (name_member(&m, i, bag) < 0)
			return ERR_NOMEM;
	m.files = reg_sort(m.file, m.end - m.first);
	t.file = m.file;
	t.files = m.files;
	return reg_any(&t) ? add_registry(&m, raw, bag) : 0;
}

int
group_add_registries(struct group *g)
{
	char raw[64];
	int r;

	if (g->first->next == NULL || g->first->repository)
		return 0;
	if ((r = group_members(g)) < 0 || !group_is_bag(g))
		return r < 0 ? r : look(g, "", false);
	for (unsigned c = 0; c < BAG_CLASSES && r >= 0; c++) {
		const char *name = bag_class_name((enum bag_class)c);

		if (strlen(name) + strlen(BAG_DATA) + 2 > sizeof(raw))
			continue;
		(void)snprintf(raw, sizeof(raw), "%s%s/", BAG_DATA, name);
		r = look(g, raw, true);
	}
	return r;
}
