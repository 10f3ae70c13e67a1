#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/bytesrc.h"
#include "base/err.h"
#include "base/limits.h"
#include "formats/reg/reg.h"

#define READER(id, file) extern const struct reg_reader reg_##id;
#include "formats/reg/readers.def"
#undef READER

static const struct reg_reader *const readers[] = {
#define READER(id, file) &reg_##id,
#include "formats/reg/readers.def"
#undef READER
    NULL};

const struct field_def reg_columns[REG_COLUMNS] = {
#define COLUMN(id, key, type, meaning) {key, type},
#include "formats/reg/registry.def"
#undef COLUMN
};

/* The consumer's events, and whether it was the consumer that said stop. */
struct run {
	const struct reg_tree *t;
	const struct reg_events *ev;
	int refused;
	int rc;			/* 0, 1 or REG_NONE so far */
	struct err *e;
};

static int
pass_row(void *ctx, const struct reg_row *row)
{
	struct run *r = ctx;
	int rc = r->ev->row != NULL ? r->ev->row(r->ev->ctx, row) : 0;

	if (rc < 0)
		r->refused = rc;
	return rc;
}

static int
pass_problem(void *ctx, const struct reg_told *t)
{
	struct run *r = ctx;
	int rc = r->ev->problem != NULL ? r->ev->problem(r->ev->ctx, t) : 0;

	if (rc < 0)
		r->refused = rc;
	return rc;
}

static int
read_one(struct run *r, const struct reg_reader *reader, const char *root,
    size_t n)
{
	const struct reg_events ev = {pass_row, pass_problem, r};
	struct reg_parse p = {r->t, reader, root, n, &ev, NULL, r->e, false};
	struct reg_fact why = {"limit", "memory", 6};
	int rc;

	if ((p.arena = arena_new(LIMIT_REG_ARENA)) == NULL)
		return err_set(r->e, ERR_NOMEM, "out of memory");
	rc = reader->read(&p);
	if ((rc == ERR_NOMEM || rc == ERR_LIMIT) && r->refused >= 0) {
		err_reset(r->e);
		rc = reg_tell(&p, REG_PROBLEM_UNREAD, NULL, &why, 1);
	}
	if (p.unread || rc == 1)
		r->rc = 1;
	else if (rc == 0 && r->rc == REG_NONE)
		r->rc = 0;
	arena_free(p.arena);
	return rc < 0 ? rc : 0;
}

struct place {
	const char *path;
	size_t n;
};

static int
compare(const char *a, size_t na, const char *b, size_t nb)
{
	size_t n = na < nb ? na : nb;
	int c = n > 0 ? memcmp(a, b, n) : 0;

	return c != 0 ? c : (na > nb) - (na < nb);
}

static int
by_path(const void *a, const void *b)
{
	const struct place *x = a, *y = b;

	return compare(x->path, x->n, y->path, y->n);
}

/* ${place} has room for every file. */
static int
read_all(struct run *r, const struct reg_reader *reader, struct place *place)
{
	size_t n = 0, root = 0;
	int rc = 0;

	for (size_t i = 0; i < r->t->files; i++) {
		const struct reg_file *f = &r->t->file[i];

		if (reader->find(r->t, f, &root) && root <= f->path_len)
			place[n++] = (struct place){f->path, root};
	}
	qsort(place, n, sizeof(*place), by_path);
	for (size_t i = 0; i < n && rc >= 0; i++)
		if (i == 0 || by_path(&place[i - 1], &place[i]) != 0)
			rc = read_one(r, reader, place[i].path, place[i].n);
	return rc;
}

int
reg_run(const struct reg_tree *t, const char *only,
    const struct reg_events *ev, struct arena *a, struct err *e)
{
	struct run r = {t, ev, 0, REG_NONE, e};
	struct place *place = arena_array(a, t->files, sizeof(*place));
	int rc = 0;

	if (place == NULL)
		return err_set(e, ERR_NOMEM, "out of memory for registries");
	for (const struct reg_reader *const *p = readers; *p != NULL &&
	    rc >= 0; p++)
		if (only == NULL || strcmp(only, (*p)->id) == 0)
			rc = read_all(&r, *p, place);
	return rc < 0 ? rc : r.rc;
}

static int
by_name(const void *a, const void *b)
{
	const struct reg_file *x = a, *y = b;

	return compare(x->path, x->path_len, y->path, y->path_len);
}

size_t
reg_sort(struct reg_file *file, size_t n)
{
	size_t kept = 0;

	if (n > 1)
		qsort(file, n, sizeof(*file), by_name);
	for (size_t i = 0; i < n; i++)
		if (kept == 0 || by_name(&file[kept - 1], &file[i]) != 0)
			file[kept++] = file[i];
	return kept;
}

bool
reg_any(const struct reg_tree *t)
{
	size_t root = 0;

	for (const struct reg_reader *const *p = readers; *p != NULL; p++)
		for (size_t i = 0; i < t->files; i++)
			if ((*p)->find(t, &t->file[i], &root))
				return true;
	return false;
}

/* --- names --- */

/* The first file that does not come before ${path}. */
static size_t
lower_bound(const struct reg_tree *t, const char *path, size_t n)
{
	size_t lo = 0, hi = t->files;

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;
		const struct reg_file *f = &t->file[mid];

		if (compare(f->path, f->path_len, path, n) < 0)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo;
}

const struct reg_file *
reg_find(const struct reg_tree *t, const char *path, size_t n)
{
	size_t i = lower_bound(t, path, n);

	return i < t->files && compare(t->file[i].path, t->file[i].path_len,
	    path, n) == 0 ? &t->file[i] : NULL;
}

void
reg_below(const struct reg_tree *t, const char *dir, size_t n, size_t *first,
    size_t *end)
{
	char path[LIMIT_PATH];

	*first = 0;
	*end = t->files;
	if (n == 0)
		return;
	if (n >= sizeof(path)) {
		*end = 0;
		return;
	}
	memcpy(path, dir, n);
	path[n] = '/';
	*first = lower_bound(t, path, n + 1);
	path[n] = '/' + 1;
	*end = lower_bound(t, path, n + 1);
}

const struct reg_file *
reg_at(const struct reg_parse *p, const char *rel)
{
	char path[LIMIT_PATH];
	size_t n = p->root_len, more = strlen(rel);

	if (n + 1 >= sizeof(path) || more >= sizeof(path) - n - 1)
		return NULL;
	if (n > 0) {
		memcpy(path, p->root, n);
		path[n++] = '/';
	}
	memcpy(path + n, rel, more);
	return reg_find(p->tree, path, n + more);
}

const char *
reg_relative(const struct reg_parse *p, const struct reg_file *f, size_t *n)
{
	size_t skip = p->root_len;

	if (skip > 0 && f->path_len > skip)
		skip++;
	if (skip > f->path_len)
		skip = f->path_len;
	*n = f->path_len - skip;
	return f->path + skip;
}

const char *
reg_name(const struct reg_file *f, size_t *n)
{
	const char *slash = memrchr(f->path, '/', f->path_len);
	const char *name = slash != NULL ? slash + 1 : f->path;

	*n = f->path_len - (size_t)(name - f->path);
	return name;
}

bool
reg_ends(const struct reg_file *f, const char *tail)
{
	size_t n = strlen(tail);

	return n <= f->path_len &&
	    memcmp(f->path + f->path_len - n, tail, n) == 0;
}

bool
reg_join(char path[], size_t *n, const char *target, size_t left)
{
	size_t part;

	if (left > 0 && target[0] == '/')
		return false;
	for (; left > 0; target += part, left -= part) {
		const char *slash = memchr(target, '/', left);

		part = slash != NULL ? (size_t)(slash - target) : left;
		if (part == 2 && memcmp(target, "..", 2) == 0) {
			if (*n == 0)
				return false;
			while (*n > 0 && path[*n - 1] != '/')
				--*n;
			*n -= *n > 0;
		} else if (part > 0 && !(part == 1 && target[0] == '.')) {
			if (part >= LIMIT_PATH - *n - 1)
				return false;
			if (*n > 0)
				path[(*n)++] = '/';
			memcpy(path + *n, target, part);
			*n += part;
		}
		part += slash != NULL;
	}
	return true;
}

const struct reg_file *
reg_follow(const struct reg_tree *t, const struct reg_file *f)
{
	char path[LIMIT_PATH];
	size_t n, name;

	for (int i = 0; f != NULL && f->type == REG_LINK; i++) {
		if (i == LIMIT_REG_LINKS || f->path_len >= sizeof(path))
			return NULL;
		(void)reg_name(f, &name);
		n = f->path_len - name;
		n -= n > 0;
		memcpy(path, f->path, n);
		if (!reg_join(path, &n, f->link, f->link_len))
			return NULL;
		f = reg_find(t, path, n);
	}
	return f;
}

/* --- bytes --- */

/* Not at hand, whatever the reason: that is said, and the rest goes on. */
int
reg_unread(struct reg_parse *p, const struct reg_file *f, int rc)
{
	struct reg_fact why = {"reason", NULL, 0};
	int r;

	if (rc != ERR_NOTFOUND && rc != ERR_TRUNC && rc != ERR_IO &&
	    rc != ERR_DENIED)
		return rc;
	why.p = err_name((enum err_code)rc);
	why.n = strlen(why.p);
	err_reset(p->e);
	r = reg_tell(p, REG_PROBLEM_UNREAD, f, &why, 1);
	return r < 0 ? r : 1;
}

int
reg_open(struct reg_parse *p, const struct reg_file *f, struct bytesrc **ret)
{
	const struct reg_file *at = reg_follow(p->tree, f);
	int r;

	if (at == NULL || at->type != REG_FILE || at->absent)
		return reg_unread(p, f, ERR_NOTFOUND);
	r = p->tree->open(p->tree->ctx, at, ret, p->e);
	return r < 0 ? reg_unread(p, f, r) : 0;
}

bool
reg_peek(const struct reg_tree *t, const struct reg_file *f, void *head,
    size_t cap, size_t *n)
{
	struct bytesrc *src = NULL;
	struct err e = ERR_INIT;
	bool read;

	if (t->open == NULL || t->open(t->ctx, f, &src, &e) < 0)
		return false;
	read = bytesrc_read_some(src, 0, head, cap, n, &e) >= 0;
	bytesrc_free(src);
	return read;
}

int
reg_bytes(struct reg_parse *p, const struct reg_file *f, size_t max,
    const char **ret, size_t *n)
{
	struct reg_fact why = {"limit", "size", 4};
	struct bytesrc *src = NULL;
	uint64_t size;
	char *copy;
	int r;

	if ((r = reg_open(p, f, &src)) != 0)
		return r;
	size = bytesrc_size(src);
	if (size > max) {
		r = reg_tell(p, REG_PROBLEM_UNREAD, f, &why, 1);
		r = r < 0 ? r : 1;
		goto out;
	}
	if ((copy = arena_alloc(p->arena, (size_t)size + 1)) == NULL) {
		r = err_set(p->e, ERR_NOMEM, "out of memory for a document");
		goto out;
	}
	r = bytesrc_read(src, 0, copy, (size_t)size, p->e);
	if (r < 0) {
		r = reg_unread(p, f, r);
		goto out;
	}
	*ret = copy;
	*n = (size_t)size;
out:
	bytesrc_free(src);
	return r;
}

/* --- telling --- */

int
reg_tell_off(struct reg_parse *p, enum reg_problem id,
    const struct reg_file *f, uint64_t off, const struct reg_fact *fact,
    unsigned facts)
{
	struct reg_told t = {id, p->root, p->root_len, off, fact,
	    facts < REG_FACTS ? facts : REG_FACTS};

	if (f != NULL) {
		t.path = f->path;
		t.path_len = f->path_len;
	}
	if (id == REG_PROBLEM_UNREAD || id == REG_PROBLEM_MALFORMED)
		p->unread = true;
	return p->ev->problem(p->ev->ctx, &t);
}

int
reg_tell(struct reg_parse *p, enum reg_problem id, const struct reg_file *f,
    const struct reg_fact *fact, unsigned facts)
{
	return reg_tell_off(p, id, f, 0, fact, facts);
}

int
reg_bad(struct reg_parse *p, const struct reg_file *f, uint64_t off,
    const char *why)
{
	struct reg_fact fact = {"reason", why, strlen(why)};
	int r = reg_tell_off(p, REG_PROBLEM_MALFORMED, f, off, &fact, 1);

	return r < 0 ? r : 1;
}

void
reg_row_init(struct reg_parse *p, const struct reg_file *f,
    struct reg_row *row)
{
	memset(row, 0, sizeof(*row));
	reg_set(row, REG_SYSTEM, p->reader->id);
	fields_text(&row->v[REG_ROOT], p->root, p->root_len);
	if (f != NULL)
		fields_text(&row->v[REG_SOURCE], f->path, f->path_len);
}

void
reg_set(struct reg_row *row, enum reg_column c, const char *text)
{
	fields_text(&row->v[c], text, text != NULL ? strlen(text) : 0);
}

int
reg_send(struct reg_parse *p, const struct reg_row *row)
{
	return p->ev->row(p->ev->ctx, row);
}
