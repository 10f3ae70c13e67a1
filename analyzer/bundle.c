#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "analyzer/bundle.h"
#include "analyzer/rules.h"
#include "analyzer/wire.h"
#include "base/arena.h"
#include "base/bytesrc.h"
#include "base/err.h"
#include "base/limits.h"
#include "base/reader.h"
#include "base/text.h"
#include "custody/bag.h"
#include "custody/evidence_read.h"

/*
 * Two walks: the first finds the manifests (they come last), whose lines
 * become a table sorted by name; the second hands out the members.
 */
struct line {
	const char *name;
	size_t n;
	uint8_t sha256[32];
};

struct table {
	struct line *line;
	size_t count, cap;
};

struct walk {
	const struct bytesrc *src;
	struct arena *arena;
	struct wire *wire;
	uint32_t index;
	struct table table;
	bool whole;		/* the walk came to the bundle's end */
	struct err *e;
};

bool
bundle_is(const uint8_t *head, size_t n)
{
	return evidence_is_bundle(head, n);
}

static int
say(struct walk *w, enum finding_id id, uint64_t off, const char *key,
    const char *text)
{
	struct finding f = {.id = id,
	    .severity = finding_info(id)->severity,
	    .confidence = CONFIDENCE_CERTAIN};

	f.off = off;
	rule_detail_text(&f, key, text, strlen(text));
	return wire_send_finding(w->wire, w->index, &f, w->e);
}

static int
table_grow(struct walk *w)
{
	size_t cap = w->table.cap == 0 ? 64 : w->table.cap * 2;
	struct line *p;

	if ((p = arena_array(w->arena, cap, sizeof(*p))) == NULL)
		return ERR_NOMEM;
	if (w->table.count > 0)
		memcpy(p, w->table.line, w->table.count * sizeof(*p));
	w->table.line = p;
	w->table.cap = cap;
	return 0;
}

/* "<64 hex>  <name>": a line of sha256sum's format. */
static int
add_line(struct walk *w, const uint8_t *p, size_t n)
{
	struct line *l;
	int r;

	if (n < 67 || p[64] != ' ' || p[65] != ' ')
		return ERR_FORMAT;
	if (w->table.count == w->table.cap && (r = table_grow(w)) < 0)
		return r;
	l = &w->table.line[w->table.count];
	if (!text_unhex(l->sha256, (const char *)p, 64))
		return ERR_FORMAT;
	l->name = (const char *)p + 66;
	l->n = n - 66;
	w->table.count++;
	return 0;
}

static int
read_manifest(struct walk *w, const struct evidence_member *m)
{
	struct bytesrc *src = NULL;
	struct reader rd;
	const uint8_t *p;
	size_t n;
	int r;

	if ((src = bytesrc_range(w->src, m->data_offset, m->size, w->e)) ==
	    NULL)
		return ERR_NOMEM;
	r = reader_init(&rd, src, 0, 0, w->arena, w->e);
	while (r >= 0 && reader_left(&rd) > 0) {
		r = reader_line(&rd, '\n', 2 * LIMIT_MEMBER_NAME, w->arena,
		    &p, &n, w->e);
		if (r >= 0)
			r = add_line(w, p, n);
	}
	bytesrc_free(src);
	return r;
}

static int
compare_lines(const void *a, const void *b)
{
	const struct line *x = a, *y = b;
	size_t n = x->n < y->n ? x->n : y->n;
	int c = memcmp(x->name, y->name, n);

	return c != 0 ? c : (x->n > y->n) - (x->n < y->n);
}

static bool
is_manifest(const struct evidence_member *m)
{
	return strcmp(m->name, BAG_MANIFEST256) == 0 ||
	    strcmp(m->name, BAG_TAGMANIFEST256) == 0;
}

/* Tag manifests are what nothing else lists. */
static bool
is_listed_nowhere(const char *name)
{
	return strcmp(name, BAG_TAGMANIFEST256) == 0 ||
	    strcmp(name, BAG_TAGMANIFEST512) == 0;
}

static int
hand_out(struct walk *w, const struct evidence_member *m)
{
	const struct line want = {m->name, m->name_len, {0}};
	const struct line *l = NULL;
	struct wire_member wm = {0};

	if (w->table.count > 0)
		l = bsearch(&want, w->table.line, w->table.count,
		    sizeof(want), compare_lines);
	wm.parent = w->index;
	wm.name = (const uint8_t *)m->name;
	wm.name_len = m->name_len;
	wm.off = m->data_offset;
	wm.size = m->size;
	wm.tag = strncmp(m->name, BAG_DATA, strlen(BAG_DATA)) != 0;
	if (l != NULL) {
		wm.has_sha256 = true;
		memcpy(wm.sha256, l->sha256, 32);
	} else if (w->whole && !is_listed_nowhere(m->name)) {
		int r = say(w, FINDING_BUNDLE_UNLISTED, m->header_offset,
		    "member", m->name);

		if (r < 0)
			return r;
	}
	return wire_send_member(w->wire, &wm, w->e);
}

/* One walk over all members; what stops it early is a finding once. */
static int
walk(struct walk *w, int (*fn)(struct walk *, const struct evidence_member *),
    bool tell)
{
	struct err why = ERR_INIT;
	struct evidence_walk *ew;
	struct evidence_member m;
	int r, got;

	if ((got = evidence_walk_new(w->src, w->arena, &ew, &why)) >= 0)
		while ((got = evidence_walk_next(ew, &m, &why)) > 0)
			if ((r = fn(w, &m)) < 0)
				return r;
	w->whole = got == 0;
	if (got >= 0 || !tell)
		return got == ERR_IO ? got : 0;
	return say(w, FINDING_BUNDLE_STRUCTURE, why.off, "reason", why.msg);
}

static int
collect_manifest(struct walk *w, const struct evidence_member *m)
{
	int r;

	if (!is_manifest(m))
		return 0;
	r = read_manifest(w, m);
	if (r == ERR_FORMAT || r == ERR_TRUNC || r == ERR_LIMIT) {
		err_reset(w->e);
		return say(w, FINDING_BUNDLE_STRUCTURE, m->data_offset,
		    "reason", "a manifest is not in sha256sum's format");
	}
	return r;
}

int
bundle_examine(const struct bytesrc *src, struct wire *wire, uint32_t index,
    struct wire_end *end, struct err *e)
{
	struct walk w = {.src = src, .wire = wire, .index = index, .e = e};
	int r;

	(void)snprintf(end->format, sizeof(end->format), "evidence-bag");
	if ((w.arena = arena_new(LIMIT_ARENA)) == NULL)
		return err_set(e, ERR_NOMEM, "out of memory");
	if ((r = walk(&w, collect_manifest, true)) >= 0) {
		if (w.table.count > 0)
			qsort(w.table.line, w.table.count,
			    sizeof(w.table.line[0]), compare_lines);
		end->complete = w.whole;
		r = walk(&w, hand_out, false);
	}
	arena_free(w.arena);
	return r;
}
