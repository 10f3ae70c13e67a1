#include <stdlib.h>
#include <string.h>

#include "analyzer/bundle_index.h"
#include "base/arena.h"
#include "base/bytesrc.h"
#include "base/err.h"
#include "base/limits.h"
#include "base/reader.h"
#include "base/text.h"
#include "custody/bag.h"
#include "custody/evidence_read.h"

static int
grow(struct bundle_index *x, struct arena *a)
{
	size_t cap = x->cap == 0 ? 64 : x->cap * 2;
	struct bundle_line *p;

	if ((p = arena_array(a, cap, sizeof(*p))) == NULL)
		return ERR_NOMEM;
	if (x->count > 0)
		memcpy(p, x->line, x->count * sizeof(*p));
	x->line = p;
	x->cap = cap;
	return 0;
}

/* "<64 hex>  <name>": a line of sha256sum's format. */
static int
add_line(struct bundle_index *x, struct arena *a, const uint8_t *p, size_t n)
{
	struct bundle_line *l;
	int r;

	if (n < 67 || p[64] != ' ' || p[65] != ' ')
		return ERR_FORMAT;
	if (x->count == x->cap && (r = grow(x, a)) < 0)
		return r;
	l = &x->line[x->count];
	if (!text_unhex(l->sha256, (const char *)p, 64))
		return ERR_FORMAT;
	l->name = (const char *)p + 66;
	l->n = n - 66;
	x->count++;
	return 0;
}

static int
read_manifest(struct bundle_index *x, const struct bytesrc *src,
    const struct evidence_member *m, struct arena *a, struct err *e)
{
	struct bytesrc *part;
	struct reader rd;
	const uint8_t *p;
	size_t n;
	int r;

	if ((part = bytesrc_range(src, m->data_offset, m->size, e)) == NULL)
		return ERR_NOMEM;
	r = reader_init(&rd, part, 0, 0, a, e);
	while (r >= 0 && reader_left(&rd) > 0) {
		r = reader_line(&rd, '\n', 2 * LIMIT_MEMBER_NAME, a, &p, &n,
		    e);
		if (r >= 0)
			r = add_line(x, a, p, n);
	}
	bytesrc_free(part);
	return r;
}

static int
compare_lines(const void *a, const void *b)
{
	const struct bundle_line *x = a, *y = b;
	size_t n = x->n < y->n ? x->n : y->n;
	int c = memcmp(x->name, y->name, n);

	return c != 0 ? c : (x->n > y->n) - (x->n < y->n);
}

static void
set_problem(struct bundle_index *x, struct arena *a, const char *why,
    uint64_t off)
{
	if (x->problem != NULL)
		return;
	x->problem = arena_dup(a, why, strlen(why));
	if (x->problem == NULL)
		x->problem = "the bundle is damaged";
	x->problem_off = off;
}

static int
load_manifest(struct bundle_index *x, const struct bytesrc *src,
    const struct evidence_member *m, struct arena *a, struct err *e)
{
	int r = read_manifest(x, src, m, a, e);

	if (r == ERR_FORMAT || r == ERR_TRUNC || r == ERR_LIMIT) {
		err_reset(e);
		set_problem(x, a, "a manifest is not in sha256sum's format",
		    m->data_offset);
		return 0;
	}
	return r;
}

static bool
is_manifest(const char *name)
{
	return strcmp(name, BAG_MANIFEST256) == 0 ||
	    strcmp(name, BAG_TAGMANIFEST256) == 0;
}

static int
pass_member(struct bundle_index *x, const struct bytesrc *src,
    const struct evidence_member *m, struct arena *a,
    const struct bundle_seen *seen, struct err *e)
{
	int r;

	if (seen != NULL && (r = seen->member(seen->ctx, m, e)) < 0)
		return r;
	return is_manifest(m->name) ? load_manifest(x, src, m, a, e) : 0;
}

int
bundle_index_load(const struct bytesrc *src, struct arena *a,
    const struct bundle_seen *seen, struct bundle_index *ret, struct err *e)
{
	struct bundle_index x = {0};
	struct err why = ERR_INIT;
	struct evidence_walk *w;
	struct evidence_member m;
	int got, r = 0;

	if ((got = evidence_walk_new(src, a, &w, &why)) >= 0)
		while (r >= 0 && (got = evidence_walk_next(w, &m, &why)) > 0)
			r = pass_member(&x, src, &m, a, seen, e);
	if (r < 0)
		return r;
	if (got == ERR_IO || got == ERR_NOMEM)
		return err_set(e, (enum err_code)got, "%s", why.msg);
	x.whole = got == 0;
	if (got < 0)
		set_problem(&x, a, why.msg, why.off);
	if (x.count > 0)
		qsort(x.line, x.count, sizeof(x.line[0]), compare_lines);
	*ret = x;
	return 0;
}

const uint8_t *
bundle_index_find(const struct bundle_index *x, const char *name, size_t n)
{
	const struct bundle_line want = {name, n, {0}};
	const struct bundle_line *l = NULL;

	if (x->count > 0)
		l = bsearch(&want, x->line, x->count, sizeof(want),
		    compare_lines);
	return l != NULL ? l->sha256 : NULL;
}

bool
bundle_index_unlisted(const char *name)
{
	return strcmp(name, BAG_TAGMANIFEST256) == 0 ||
	    strcmp(name, BAG_TAGMANIFEST512) == 0;
}
