#include <string.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/limits.h"
#include "formats/names.h"
#include "formats/vtree_node.h"

/*
 * How a member gets its place.  All but the last component of its name are
 * walked and made; where one is a link, the walk goes on at its target, and
 * what lies beyond is not made but judged.  The last component is compared
 * with what is there already.
 *
 * An absolute name is placed as if its slash were not there, which is what
 * tools do that do not refuse it; the slash itself is told.
 */

static int
tell(struct vtree *t, enum anomaly id, const struct vtree_member *m,
    const struct vnode *other)
{
	struct fact f[4];
	unsigned n = 0;

	f[n++] = (struct fact)FACT_TEXT("name", m->name, m->name_len);
	if (m->link_len > 0)
		f[n++] = (struct fact)FACT_TEXT("link", m->link, m->link_len);
	if (other != NULL) {
		f[n++] = (struct fact)FACT_TEXT("other", other->name,
		    other->n);
		f[n++] = (struct fact)FACT_NUM("other_offset", other->off);
	}
	return format_anomaly(t->p, id, m->off, 0, f, n);
}

/* Once: the tree does not grow any more, or links are not followed. */
static int
tell_full(struct vtree *t, uint64_t off)
{
	const struct fact f[] = {FACT_TEXT("limit", "names", 5)};

	if (t->full)
		return 0;
	t->full = true;
	return format_anomaly(t->p, ANOMALY_LIMIT, off, 0, f, 1);
}

struct vtree *
vtree_new(struct parse *p, enum anomaly duplicate)
{
	struct vtree *t = arena_alloc(p->arena, sizeof(*t));

	if (t == NULL)
		return NULL;
	t->p = p;
	t->duplicate = duplicate;
	t->steps = LIMIT_VTREE_STEPS;
	return vnode_root(t) < 0 ? NULL : t;
}

int
vtree_name(struct vtree *t, const char *name, size_t n, uint64_t off)
{
	static const struct {
		unsigned odd;
		enum anomaly id;
	} rows[] = {{NAMES_TRAVERSAL, ANOMALY_NAME_TRAVERSAL},
	    {NAMES_ABSOLUTE, ANOMALY_NAME_ABSOLUTE},
	    {NAMES_DECEPTIVE, ANOMALY_NAME_DECEPTIVE},
	    {NAMES_LOOKALIKE, ANOMALY_NAME_LOOKALIKE},
	    {NAMES_NUL, ANOMALY_NAME_NUL}};
	const struct fact facts[] = {FACT_TEXT("name", name, n)};
	unsigned odd = names_oddities(name, n);
	int r = 0;

	for (unsigned i = 0; i < sizeof(rows) / sizeof(rows[0]) && r >= 0; i++)
		if ((odd & rows[i].odd) != 0)
			r = format_anomaly(t->p, rows[i].id, off, n, facts, 1);
	if ((odd & NAMES_WINDOWS) != 0 && t->windows_count++ == 0) {
		t->windows = name;
		t->windows_n = n;
		t->windows_off = off;
	}
	return r;
}

static int
check_special(struct vtree *t, const struct vtree_member *m)
{
	const bool owner = (m->mode & 06000) != 0 &&
	    m->kind != VTREE_FOLDER && m->kind != VTREE_SYMLINK;
	const char *kind = m->kind == VTREE_DEVICE ? "device" :
	    m->kind == VTREE_FIFO ? "fifo" : owner ? "setuid" : NULL;
	struct fact f[3];

	if (kind == NULL)
		return 0;
	f[0] = (struct fact)FACT_TEXT("name", m->name, m->name_len);
	f[1] = (struct fact)FACT_TEXT("kind", kind, strlen(kind));
	f[2] = (struct fact)FACT_NUM("mode", m->mode);
	return format_anomaly(t->p, ANOMALY_SPECIAL_MEMBER, m->off, 0, f, 3);
}

/* --- placing ------------------------------------------------------------ */

/*
 * Where the last component of a name begins; *n is its length.  Slashes and
 * "." at the end are not part of it.  A name of nothing else is the root.
 */
static size_t
last_component(const char *name, size_t len, size_t *n)
{
	size_t end = len, start;

	for (;;) {
		while (end > 0 && name[end - 1] == '/')
			end--;
		start = end;
		while (start > 0 && name[start - 1] != '/')
			start--;
		if (end - start != 1 || name[start] != '.')
			break;
		end = start;
	}
	*n = end - start;
	return start;
}

static bool
is_dots(const char *p, size_t n)
{
	return n == 2 && p[0] == '.' && p[1] == '.';
}

/* One component of the folder part: go there, or make it. */
static int
descend(struct vtree *t, struct vplace *at, const char *p, size_t n)
{
	uint32_t child, twin;
	int r;

	if (at->ghosts == 0 && !at->outside && !is_dots(p, n) &&
	    !(n == 1 && p[0] == '.') &&
	    vnode_find(t, at->node, p, n) == VTREE_NONE) {
		if ((r = vnode_add(t, at->node, p, n, &child, &twin)) < 0)
			return r;
		if (child == VTREE_NONE)
			at->lost = true;
		else
			at->node = child;
		return 0;
	}
	vplace_walk(t, at, p, n, true);
	return 0;
}

static int
walk_folders(struct vtree *t, struct vplace *at, const char *name, size_t n)
{
	size_t start = 0;
	int r;

	for (size_t i = 0; i <= n && !at->lost; i++) {
		if (i < n && name[i] != '/')
			continue;
		if (i > start && (r = descend(t, at, name + start,
		    i - start)) < 0)
			return r;
		start = i + 1;
	}
	return 0;
}

/* Follow the target of a link that stands in ${folder}. */
static struct vplace
follow(struct vtree *t, uint32_t folder, const char *link, size_t n,
    bool last)
{
	struct vplace at = {.node = folder, .via = VTREE_NONE};

	vplace_walk(t, &at, link, n, last);
	return at;
}

static int
check_symlink(struct vtree *t, uint32_t id, const struct vtree_member *m)
{
	struct vnode *v = &t->node[id];
	struct vplace at = follow(t, v->parent, v->link, v->link_n, true);
	struct vtree_member shown = *m;

	if (!at.outside || v->told)
		return 0;
	v->told = true;
	shown.link = v->link;
	shown.link_len = v->link_n;
	return tell(t, ANOMALY_LINK_OUTSIDE, &shown, NULL);
}

/*
 * A hard link's target is a name in the archive.  A hard link to a symbolic
 * one is that link in another folder, where its target leads elsewhere.
 */
static int
check_hardlink(struct vtree *t, uint32_t id, const struct vtree_member *m)
{
	struct vplace at = follow(t, VTREE_ROOT, m->link, m->link_len, false);
	struct vnode *v = &t->node[id];
	const struct vnode *to = &t->node[at.node];

	v->kind = VTREE_FILE;
	if (at.outside)
		return tell(t, ANOMALY_LINK_OUTSIDE, m, NULL);
	if (at.ghosts > 0)
		return tell(t, ANOMALY_LINK_DANGLING, m, NULL);
	if (to->kind != VTREE_SYMLINK || at.node == id)
		return 0;
	v->kind = VTREE_SYMLINK;
	v->link = to->link;
	v->link_n = to->link_n;
	return check_symlink(t, id, m);
}

/* What it means that there was something in this place. */
static int
check_replaced(struct vtree *t, const struct vnode *was,
    const struct vtree_member *m)
{
	bool folder = m->kind == VTREE_FOLDER;

	if (was->kind == VTREE_SYMLINK) {
		if (m->kind == VTREE_SYMLINK && m->link_len == was->link_n &&
		    (was->link_n == 0 || memcmp(m->link, was->link,
		    was->link_n) == 0))
			return 0;
		return tell(t, ANOMALY_LINK_REPLACED, m, was);
	}
	if (m->kind == VTREE_SYMLINK ||
	    (m->kind == VTREE_HARDLINK && was->kind == VTREE_FOLDER))
		return tell(t, ANOMALY_LINK_REPLACED, m, was);
	if (was->kind == VTREE_FOLDER && folder)
		return 0;
	/* Zip writers without folders: an empty member stands for one. */
	if (was->kind == VTREE_FOLDER)
		return m->empty ? 0 : tell(t, ANOMALY_NAME_CONFLICT, m, was);
	if (folder)
		return was->empty ? 0 : tell(t, ANOMALY_NAME_CONFLICT, m,
		    was);
	return tell(t, t->duplicate, m, was);
}

static bool
is_twin(const struct vnode *twin, const struct vtree_member *m)
{
	return twin->kind != VTREE_FOLDER || (m->kind != VTREE_FOLDER &&
	    !m->empty);
}

/* The last component, in the folder ${at}. */
static int
place(struct vtree *t, uint32_t at, const char *p, size_t n,
    const struct vtree_member *m)
{
	uint32_t id = vnode_find(t, at, p, n), twin;
	struct vnode *v;
	int r;

	if (id != VTREE_NONE) {
		if ((r = check_replaced(t, &t->node[id], m)) < 0)
			return r;
	} else {
		if ((r = vnode_add(t, at, p, n, &id, &twin)) < 0)
			return r;
		if (id == VTREE_NONE)
			return tell_full(t, m->off);
		if (twin != VTREE_NONE && is_twin(&t->node[twin], m) &&
		    (r = tell(t, ANOMALY_NAME_CASE_TWIN, m,
		    &t->node[twin])) < 0)
			return r;
	}
	v = &t->node[id];
	v->kind = (uint8_t)m->kind;
	v->stated = true;
	v->empty = m->empty;
	v->off = m->off;
	v->told = false;
	v->link = m->link;
	v->link_n = m->link_len;
	if (m->kind == VTREE_SYMLINK)
		return check_symlink(t, id, m);
	return m->kind == VTREE_HARDLINK ? check_hardlink(t, id, m) : 0;
}

int
vtree_add(struct vtree *t, const struct vtree_member *m)
{
	struct vplace at = {.node = VTREE_ROOT, .via = VTREE_NONE};
	size_t start, n;
	int r;

	if ((r = vtree_name(t, m->name, m->name_len, m->off)) < 0 ||
	    (r = check_special(t, m)) < 0)
		return r;
	start = last_component(m->name, m->name_len, &n);
	if ((r = walk_folders(t, &at, m->name, start)) < 0)
		return r;
	if (is_dots(m->name + start, n))
		return 0;	/* told by its name */
	if (at.via != VTREE_NONE && (r = tell(t, at.outside ?
	    ANOMALY_LINK_OUTSIDE : ANOMALY_LINK_THROUGH, m,
	    &t->node[at.via])) < 0)
		return r;
	if (at.lost)
		return t->steps == 0 || t->count >= LIMIT_VTREE_NODES ||
		    at.via == VTREE_NONE ? tell_full(t, m->off) : 0;
	if (at.outside || at.ghosts > 0)
		return 0;
	if (n == 0 && m->kind == VTREE_FOLDER)
		return 0;	/* the root itself: "./" */
	if (n == 0 && m->kind == VTREE_SYMLINK)
		return tell(t, ANOMALY_LINK_REPLACED, m, NULL);
	/* In a folder's place a file is a conflict, in a file's a member. */
	if (t->node[at.node].kind != VTREE_FOLDER &&
	    !t->node[at.node].empty && (r = tell(t, ANOMALY_NAME_CONFLICT, m,
	    &t->node[at.node])) < 0)
		return r;
	return place(t, at.node, m->name + start, n, m);
}

int
vtree_end(struct vtree *t)
{
	const struct fact f[] = {FACT_TEXT("name", t->windows, t->windows_n),
	    FACT_NUM("names", t->windows_count)};
	int r = 0;

	for (uint32_t i = 0; i < t->count && r >= 0; i++) {
		const struct vnode *v = &t->node[i];
		const struct vtree_member m = {.name = v->name,
		    .name_len = v->n, .off = v->off};

		if (v->kind == VTREE_SYMLINK)
			r = check_symlink(t, i, &m);
	}
	if (r >= 0 && t->windows_count > 0)
		r = format_anomaly(t->p, ANOMALY_NAME_WINDOWS, t->windows_off,
		    0, f, 2);
	return r >= 0 && t->steps == 0 ? tell_full(t, 0) : r;
}
