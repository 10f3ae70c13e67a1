#include <stdlib.h>
#include <string.h>

#include "analyzer/bundle.h"
#include "analyzer/bundle_index.h"
#include "analyzer/diff/rows.h"
#include "analyzer/rules.h"
#include "analyzer/srcdigest.h"
#include "analyzer/triggers/databag.h"
#include "base/arena.h"
#include "base/buf.h"
#include "base/bytesrc.h"
#include "base/err.h"
#include "base/limits.h"
#include "custody/bag.h"
#include "custody/evidence_read.h"
#include "formats/rows/rows.h"

struct load {
	struct databag *b;
	const struct bytesrc *src;
	const struct rows *to;
	const struct bundle_index *x;
	struct buf path;
	struct err *e;
};

bool
databag_is(const struct bytesrc *src, struct err *e)
{
	uint8_t head[1024];
	size_t n;

	return bytesrc_read_some(src, 0, head, sizeof(head), &n, e) >= 0 &&
	    bundle_is(head, n);
}

static int
say(struct load *l, const char *member, enum finding_id id, const char *key,
    const char *text)
{
	struct finding f = {.id = id,
	    .severity = finding_info(id)->severity,
	    .confidence = CONFIDENCE_CERTAIN};

	rule_detail_text(&f, key, text, strlen(text));
	return l->to->finding(l->to->ctx, ROW_NEW,
	    (struct row_text){member, strlen(member)}, &f);
}

/*
 * The name by which a slice's records are read: "x.csv.slice-1/records" is a
 * part of x.csv; what describes the slice is no data.
 */
static bool
unslice(struct buf *path)
{
	static const char mark[] = ".slice-";
	char *s = (char *)path->p, *at = NULL, *slash;
	size_t n;

	for (char *p = s; (p = strstr(p, mark)) != NULL; p++)
		at = p;
	if (at == NULL || (slash = strchr(at, '/')) == NULL)
		return true;
	n = strspn(at + sizeof(mark) - 1, "0123456789");
	if (n == 0 || at + sizeof(mark) - 1 + n != slash)
		return true;
	if (strcmp(slash, "/rows.jsonl") == 0)
		return true;
	if (strcmp(slash, "/records") != 0 && strcmp(slash, "/unpacked") != 0)
		return false;
	*at = '\0';
	path->len = (size_t)(at - s);
	return true;
}

static int
check(struct load *l, const struct evidence_member *m,
    const struct bytesrc *src)
{
	const uint8_t *stated = bundle_index_find(l->x, m->name, m->name_len);
	uint8_t sum[32];
	int r;

	if (stated == NULL)
		return l->x->whole ? say(l, m->name, FINDING_BUNDLE_UNLISTED,
		    "member", m->name) : 0;
	if ((r = srcdigest(src, sum, l->e)) < 0)
		return r;
	return memcmp(sum, stated, 32) == 0 ? 0 : say(l, m->name,
	    FINDING_BUNDLE_DIGEST, "member", m->name);
}

static struct rows_file *
next_place(struct databag *b)
{
	size_t cap = b->cap == 0 ? 64 : 2 * b->cap;
	struct rows_file *v;

	if (b->n == b->cap) {
		if ((v = arena_array(b->arena, cap, sizeof(*v))) == NULL)
			return NULL;
		if (b->n > 0)
			memcpy(v, b->file, b->n * sizeof(*v));
		b->file = v;
		b->cap = cap;
	}
	return &b->file[b->n];
}

static int
member(struct load *l, const struct evidence_member *m)
{
	struct rows_file *f;
	enum bag_class class;
	struct bytesrc *src;
	const char *name;
	int r;

	if (!bag_member_class(m->name, m->name_len, &class) ||
	    class != BAG_TRAINING)
		return 0;
	buf_clear(&l->path);
	name = m->name + strlen("data/training/");
	if (!bag_member_path(&l->path, name, m->name_len -
	    (size_t)(name - m->name)))
		buf_puts(&l->path, name);
	buf_putc(&l->path, '\0');
	if (buf_failed(&l->path) != 0)
		return err_set(l->e, ERR_NOMEM, "out of memory");
	l->path.len--;
	if (!unslice(&l->path))
		return 0;
	if ((f = next_place(l->b)) == NULL || (name = arena_dup(l->b->arena,
	    buf_str(&l->path), l->path.len)) == NULL)
		return err_set(l->e, ERR_NOMEM, "out of memory");
	src = bytesrc_range(l->src, m->data_offset, m->size, l->e);
	if (src == NULL)
		return 0;	/* the walk told that the bundle is cut */
	*f = (struct rows_file){name, strlen(name), src};
	l->b->n++;
	if ((r = check(l, m, src)) < 0)
		return r;
	return 0;
}

static int
by_name(const void *a, const void *b)
{
	const struct rows_file *x = a, *y = b;

	return strcmp(x->name, y->name);
}

int
databag_load(struct databag *b, const struct bytesrc *src, struct arena *a,
    const struct rows *to, struct err *e)
{
	struct bundle_index x;
	struct load l = {b, src, to, &x, {0}, e};
	struct err why = ERR_INIT;
	struct evidence_walk *w;
	struct evidence_member m;
	int r;

	memset(b, 0, sizeof(*b));
	b->arena = a;
	if ((r = bundle_index_load(src, a, NULL, &x, e)) < 0)
		return r;
	if (x.problem != NULL && (r = say(&l, "", FINDING_BUNDLE_STRUCTURE,
	    "reason", x.problem)) < 0)
		return r;
	/* What ends the walk early was said when the index was made. */
	if (evidence_walk_new(src, a, &w, &why) < 0)
		return 0;
	buf_init(&l.path, 16 * LIMIT_PATH);
	while (r >= 0 && evidence_walk_next(w, &m, &why) > 0)
		r = member(&l, &m);
	buf_release(&l.path);
	if (r >= 0 && b->n > 0)
		qsort(b->file, b->n, sizeof(*b->file), by_name);
	return r < 0 ? r : 0;
}

void
databag_close(struct databag *b)
{
	for (size_t i = 0; i < b->n; i++)
		bytesrc_free((struct bytesrc *)(uintptr_t)b->file[i].src);
	b->n = 0;
}
