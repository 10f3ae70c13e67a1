#include <stdlib.h>
#include <string.h>

#include "analyzer/bundle.h"
#include "analyzer/bundle_index.h"
#include "analyzer/diff/leaves.h"
#include "analyzer/diff/spill.h"
#include "analyzer/rules.h"
#include "analyzer/sibling.h"
#include "base/arena.h"
#include "base/buf.h"
#include "base/bytesrc.h"
#include "base/err.h"
#include "base/limits.h"
#include "base/text.h"
#include "custody/evidence_read.h"
#include "formats/registry.h"

/*
 * One walk down.  A container's parser tells members by events; those that
 * are ranges of a file stay ranges, what exists in memory only during the
 * event is copied into the spill.  Whether a zip is an archive or a torch
 * model is known when its parser names itself, before its first member.
 */
struct walk {
	struct leaves *l;
	const char *member;	/* which leaves are wanted; NULL: all */
	const struct leaf *box;	/* that is being walked */
	unsigned depth;
	bool model;		/* it is a model: a leaf, no container */
	bool incomplete;	/* its parser said that something is missing */
	bool crowded;		/* a limit left members out, and it was told */
	unsigned members;
	struct err *e;
};

/* A path, all its levels: what no terminal shows takes four bytes for one. */
#define PATH_ROOM (16 * LIMIT_PATH)

/* Containers that are seen through, by the name of their format. */
static const char *const boxes[] = {"tar", "zip", "compressed"};

static int walk_leaf(struct walk *w, const struct leaf *leaf);

static int
say(const struct leaves *l, const struct leaf *at, enum finding_id id,
    const char *key, const void *text, size_t n)
{
	struct finding f = {.id = id,
	    .severity = finding_info(id)->severity,
	    .confidence = CONFIDENCE_CERTAIN};

	rule_detail_text(&f, key, text, n);
	return l->rows->finding(l->rows->ctx, l->side,
	    (struct row_text){at->path, at->path_len}, &f);
}

/* Is the leaf what was asked for, or inside it? */
static bool
wanted(const struct walk *w, const struct leaf *leaf)
{
	size_t n;

	if (w->member == NULL)
		return true;
	n = strlen(w->member);
	return leaf->path_len >= n && memcmp(leaf->path, w->member, n) == 0 &&
	    (leaf->path_len == n || leaf->path[n] == '!' ||
	    leaf->path[n] == '/');
}

/* ... or may it hold what was asked for? */
static bool
leads(const struct walk *w, const struct leaf *leaf)
{
	size_t n = leaf->path_len;

	return wanted(w, leaf) || n == 0 || (strlen(w->member) > n &&
	    memcmp(w->member, leaf->path, n) == 0 && w->member[n] == '!');
}

static int
keep(struct walk *w, const struct leaf *leaf)
{
	struct leaves *l = w->l;
	struct leaf *v;
	size_t cap;

	if (l->n == LIMIT_DIFF_LEAVES) {
		if (l->cut)
			return 0;
		l->cut = true;
		return say(l, leaf, FINDING_LIMIT, "limit", "files", 5);
	}
	if (l->n == l->cap) {
		cap = l->cap == 0 ? 64 : 2 * l->cap;
		if ((v = reallocarray(l->v, cap, sizeof(*v))) == NULL)
			return err_set(w->e, ERR_NOMEM, "out of memory");
		l->v = v;
		l->cap = cap;
	}
	l->v[l->n] = *leaf;
	l->v[l->n].src = bytesrc_fd(leaf->fd, leaf->off, leaf->size, w->e);
	if (l->v[l->n].src == NULL)
		return ERR_NOMEM;
	l->n++;
	return 0;
}

/*
 * The path of ${name} in the box that is walked, printable, in the arena; 1
 * when it is too long, or there are too many: one member's name is no reason
 * to compare nothing at all.
 */
static int
join_path(struct walk *w, const char *name, size_t n, struct leaf *ret)
{
	const struct leaf *box = w->box;
	struct buf b;
	int r = 0;

	buf_init(&b, PATH_ROOM);
	if (box->path_len > 0) {
		buf_put(&b, box->path, box->path_len);
		buf_putc(&b, '!');
	}
	text_put(&b, name, n, TEXT_PATH);
	ret->path_len = b.len;
	ret->box = box->path;
	ret->box_len = box->path_len;
	ret->inner_len = n;
	if (buf_failed(&b) < 0 ||
	    (ret->path = arena_dup(w->l->arena, b.p, b.len)) == NULL ||
	    (ret->inner = arena_dup(w->l->arena, name, n)) == NULL)
		r = 1;
	buf_release(&b);
	return r;
}

/* Said once of each container: what is left out is not compared. */
static int
crowd(struct walk *w, const void *name, size_t n)
{
	if (w->crowded)
		return 0;
	w->crowded = true;
	return say(w->l, w->box, FINDING_LIMIT, "member", name, n);
}

/* A member's bytes as a range of a file. */
static int
place(struct walk *w, const struct bytesrc *src, struct leaf *ret)
{
	int r;

	ret->size = bytesrc_size(src);
	ret->fd = bytesrc_file(src);
	if (ret->fd >= 0) {
		(void)bytesrc_origin(src, 0, &ret->off);
		return 0;
	}
	ret->fd = spill_file(w->l->spill);
	if ((r = spill_copy(w->l->spill, src, &ret->off, w->e)) > 0) {
		r = say(w->l, ret, FINDING_LIMIT, "limit", "unpacked bytes",
		    14);
		return r < 0 ? r : 1;
	}
	return r;
}

static int
enter(struct walk *w, const struct leaf *leaf)
{
	struct walk in = *w;

	in.box = leaf;
	in.depth = w->depth + 1;
	in.members = 0;
	in.model = in.incomplete = in.crowded = false;
	return walk_leaf(&in, leaf);
}

static int
on_name(void *ctx, const char *format)
{
	struct walk *w = ctx;

	w->model = strcmp(format, "zip") != 0;
	return w->model ? ERR_STOP : 0;
}

static int
on_member(void *ctx, const struct ev_member *m)
{
	struct walk *w = ctx;
	struct leaf leaf = {.flags = w->box->flags};
	int r;

	if ((m->flags & (MEMBER_CARVED | MEMBER_DORMANT | MEMBER_STORAGE)) !=
	    0 || m->src == NULL)
		return 0;
	if (++w->members > LIMIT_MEMBERS ||
	    join_path(w, m->name, m->name_len, &leaf) != 0)
		return crowd(w, m->name, m->name_len);
	if (!leads(w, &leaf))
		return 0;
	if (bytesrc_file(m->src) < 0) {
		if (m->size > w->l->room)
			return crowd(w, m->name, m->name_len);
		w->l->room -= m->size;
	}
	if ((r = place(w, m->src, &leaf)) != 0)
		return r < 0 ? r : 0;
	return enter(w, &leaf);
}

static int
on_anomaly(void *ctx, const struct ev_anomaly *a)
{
	struct walk *w = ctx;

	if (finding_info(finding_of_anomaly(a->id))->verdict ==
	    VERDICT_INCOMPLETE)
		w->incomplete = true;
	return 0;
}

static const struct events events = {.member = on_member, .name = on_name,
    .anomaly = on_anomaly};

/* A member of a bundle: only what the manifest vouches for is compared. */
static int
bag_member(struct walk *w, const struct bundle_index *x,
    const struct evidence_member *m)
{
	struct leaf leaf = {.fd = w->box->fd, .flags = w->box->flags,
	    .off = w->box->off + m->data_offset, .size = m->size};
	const uint8_t *stated;
	int r;

	if (strncmp(m->name, "data/", 5) != 0)
		return 0;
	if (join_path(w, m->name, m->name_len, &leaf) != 0)
		return crowd(w, m->name, m->name_len);
	if (!leads(w, &leaf))
		return 0;
	stated = bundle_index_find(x, m->name, m->name_len);
	if (stated != NULL) {
		leaf.has_sha256 = true;
		memcpy(leaf.sha256, stated, 32);
	} else if (x->whole && (r = say(w->l, &leaf, FINDING_BUNDLE_UNLISTED,
	    "member", m->name, m->name_len)) < 0) {
		return r;
	}
	return enter(w, &leaf);
}

static int
walk_bag(struct walk *w, const struct bytesrc *src, struct arena *a)
{
	struct err why = ERR_INIT;
	struct bundle_index x;
	struct evidence_walk *ew;
	struct evidence_member m;
	int r;

	if ((r = bundle_index_load(src, a, NULL, &x, w->e)) < 0)
		return r;
	if (x.problem != NULL && (r = say(w->l, w->box,
	    FINDING_BUNDLE_STRUCTURE, "reason", x.problem,
	    strlen(x.problem))) < 0)
		return r;
	/* What ends the walk early was said when the index was made. */
	if (evidence_walk_new(src, a, &ew, &why) < 0)
		return 0;
	while (r >= 0 && evidence_walk_next(ew, &m, &why) > 0)
		r = bag_member(w, &x, &m);
	return r;
}

static int
walk_box(struct walk *w, const struct format *f, const struct bytesrc *src,
    struct arena *a)
{
	struct err why = ERR_INIT;
	struct parse p = {.src = src, .size = bytesrc_size(src), .arena = a,
	    .ev = &events, .ctx = w, .e = &why, .depth = w->depth,
	    .room = &w->l->room};
	int r = f->parse(&p);

	if (w->model)
		return 0;
	if (r < 0 && r != ERR_TRUNC)
		return err_set(w->e, (enum err_code)r, "%s", why.msg);
	if (r < 0)
		err_reset(w->e);
	/* What it holds behind that place is not compared. */
	return r != 0 || w->incomplete ? say(w->l, w->box, FINDING_DIFF_UNREAD, "format",
	    f->name, strlen(f->name)) : 0;
}

static bool
is_box(const struct format *f)
{
	for (size_t i = 0; i < sizeof(boxes) / sizeof(boxes[0]); i++)
		if (strcmp(f->name, boxes[i]) == 0)
			return true;
	return false;
}

/* The best bid, or NULL. */
static int
best_bid(const struct bytesrc *src, uint8_t head[FORMAT_HEAD], size_t *n,
    const struct format **ret, struct err *e)
{
	struct bid bids[16];
	struct cursor c;
	int r;

	if ((r = bytesrc_read_some(src, 0, head, FORMAT_HEAD, n, e)) < 0)
		return r;
	cursor_init(&c, head, *n, 0);
	if ((r = registry_claims(src, bytesrc_size(src), c, bids,
	    sizeof(bids) / sizeof(bids[0]), e)) < 0)
		return r;
	*ret = r > 0 ? bids[0].format : NULL;
	return 0;
}

static int
look(struct walk *w, struct leaf *leaf, const struct bytesrc *src)
{
	const struct format *f = NULL;
	uint8_t head[FORMAT_HEAD];
	struct arena *a;
	size_t n = 0;
	int r;

	if ((r = best_bid(src, head, &n, &f, w->e)) < 0)
		return r;
	leaf->format = f != NULL ? f->name : "unknown";
	/* Archives that merely stand beside a model are not looked into. */
	if ((leaf->flags & PART_BESIDE) != 0)
		return keep(w, leaf);
	if (!bundle_is(head, n) && (f == NULL || !is_box(f)))
		return wanted(w, leaf) ? keep(w, leaf) : 0;
	if (w->depth >= LIMIT_DEPTH)
		return say(w->l, leaf, FINDING_DEPTH, "format", f != NULL ?
		    f->name : "evidence-bag", f != NULL ? strlen(f->name) :
		    12);
	if ((a = arena_new(LIMIT_ARENA)) == NULL)
		return err_set(w->e, ERR_NOMEM, "out of memory");
	if (bundle_is(head, n))
		r = walk_bag(w, src, a);
	else
		r = walk_box(w, f, src, a);
	arena_free(a);
	if (r >= 0 && w->model && wanted(w, leaf))
		r = keep(w, leaf);
	return r;
}

static int
walk_leaf(struct walk *w, const struct leaf *leaf)
{
	struct leaf copy = *leaf;
	struct bytesrc *src;
	int r;

	if ((src = bytesrc_fd(leaf->fd, leaf->off, leaf->size, w->e)) == NULL)
		return ERR_NOMEM;
	r = look(w, &copy, src);
	bytesrc_free(src);
	if (r == ERR_TRUNC) {
		err_reset(w->e);
		r = say(w->l, leaf, FINDING_DIFF_SHRANK, "format",
		    "unknown", 7);
	}
	return r;
}

static int
compare(const void *a, const void *b)
{
	const struct leaf *x = a;
	const struct leaf *y = b;
	size_t n = x->path_len < y->path_len ? x->path_len : y->path_len;
	int c = memcmp(x->path, y->path, n);

	if (c != 0)
		return c;
	if (x->path_len != y->path_len)
		return x->path_len < y->path_len ? -1 : 1;
	return (x->off > y->off) - (x->off < y->off);
}

static int
walk_part(struct leaves *l, const struct job_part *p, const char *member,
    struct err *e)
{
	struct walk w = {.l = l, .e = e,
	    .member = (p->flags & PART_BESIDE) != 0 ? NULL : member};
	struct leaf leaf = {.flags = p->flags, .fd = p->fd, .size = p->size,
	    .inner_len = strlen(p->path)};
	struct leaf root = {.path = "", .box = NULL};

	leaf.inner = p->path;
	w.box = &root;
	if (join_path(&w, p->path, leaf.inner_len, &leaf) != 0)
		return err_set(e, ERR_NOMEM, "out of memory");
	leaf.box = NULL;
	w.box = &leaf;
	return walk_leaf(&w, &leaf);
}

int
leaves_find(struct leaves *l, const struct job_side *job, struct err *e)
{
	uint64_t total = 0;
	int r = 0;

	for (size_t i = 0; i < job->n; i++)
		if (job->v[i].size <= UINT64_MAX - total)
			total += job->v[i].size;
	l->room = total > (UINT64_MAX - LIMIT_NESTED) / LIMIT_NESTED_RATIO ?
	    UINT64_MAX : LIMIT_NESTED + LIMIT_NESTED_RATIO * total;
	for (size_t i = 0; i < job->n && r >= 0; i++)
		r = walk_part(l, &job->v[i], job->member, e);
	if (l->n > 0)
		qsort(l->v, l->n, sizeof(*l->v), compare);
	return r;
}

void
leaves_release(struct leaves *l)
{
	for (size_t i = 0; i < l->n; i++)
		bytesrc_free(l->v[i].src);
	free(l->v);
	l->v = NULL;
	l->n = l->cap = 0;
}

/* "a/b" of "a/b/name". */
static size_t
folder_len(const char *path, size_t n)
{
	while (n > 0 && path[n - 1] != '/')
		n--;
	return n > 0 ? n - 1 : 0;
}

const struct leaf *
leaves_beside(const struct leaves *l, const struct leaf *from,
    const char *name, size_t n)
{
	char folder[LIMIT_PATH], path[LIMIT_PATH];
	size_t len = folder_len(from->inner, from->inner_len);

	if (len >= sizeof(folder))
		return NULL;
	memcpy(folder, from->inner, len);
	folder[len] = '\0';
	if (!sibling_path(folder, name, n, path, sizeof(path)))
		return NULL;
	len = strlen(path);
	for (size_t i = 0; i < l->n; i++) {
		const struct leaf *x = &l->v[i];

		if (x->inner_len == len &&
		    memcmp(x->inner, path, len) == 0 &&
		    x->box_len == from->box_len && (x->box_len == 0 ||
		    memcmp(x->box, from->box, x->box_len) == 0))
			return x;
	}
	return NULL;
}
