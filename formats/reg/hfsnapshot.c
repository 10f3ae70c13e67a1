#include <stdio.h>
#include <string.h>

#include "base/bytesrc.h"
#include "base/err.h"
#include "base/limits.h"
#include "formats/doc.h"
#include "formats/reg/hfcache.h"
#include "formats/reg/hftree.h"

/* One commit: its files, and its tree when there is one. */
struct revision {
	const char *commit;
	size_t n;
	size_t first, end;
	const struct reg_file *list;
	const struct doc *tree;
	bool links;
};

/*
 * A cache that was copied without links has the text of each link as a file;
 * such a copy holds no model, and that is no tampering.
 */
static bool
is_flat_link(const struct hfcache *k, const struct reg_file *f)
{
	char text[256];
	size_t n;

	if (f->type != REG_FILE || f->absent || f->size >= sizeof(text) ||
	    !reg_peek(k->p->tree, f, text, sizeof(text) - 1, &n))
		return false;
	text[n] = '\0';
	return n > 9 && memcmp(text, "../", 3) == 0 &&
	    strstr(text, "/blobs/") != NULL && strchr(text, '\n') == NULL;
}

static int
tell_link(const struct hfcache *k, enum reg_problem id,
    const struct reg_file *f)
{
	struct reg_fact fact = {"link", f->link, f->link_len};

	return reg_tell(k->p, id, f, &fact, 1);
}

/* A link whose blob has been looked at, and no tree that says more. */
static int
send_blob(const struct hfcache *k, const struct reg_file *at,
    struct reg_row *row)
{
	const struct hfcache_blob *b =
	    &k->blob[at - &k->p->tree->file[k->first]];
	size_t n;
	const char *name = reg_name(at, &n);

	fields_text(&row->v[REG_MEMBER], at->path, at->path_len);
	fields_u64(&row->v[REG_SIZE], at->size);
	if (b->hash != CLAIM_NONE) {
		reg_set(row, REG_ALGORITHM, claim_name(b->hash));
		fields_text(&row->v[REG_DIGEST], name, n);
	}
	if (b->known) {
		reg_set(row, REG_RECOMPUTED, b->hex);
		fields_bool(&row->v[REG_AGREES], strlen(b->hex) == n &&
		    memcmp(b->hex, name, n) == 0);
	}
	return reg_send(k->p, row);
}

static bool
is_blob(const struct hfcache *k, const struct reg_file *at)
{
	const struct reg_file *base = k->p->tree->file;

	return at >= base + k->first && at < base + k->end;
}

static int
read_link(const struct hfcache *k, const struct reg_file *f,
    const struct claim *c, bool listed, struct reg_row *row)
{
	const struct reg_file *at = reg_follow(k->p->tree, f);
	size_t n;
	const char *name;
	int r;

	if (at == NULL || !is_blob(k, at)) {
		reg_set(row, REG_STATUS, at == NULL ? "link leads nowhere" :
		    "link leads elsewhere");
		if ((r = tell_link(k, at == NULL ? REG_PROBLEM_MISSING :
		    REG_PROBLEM_DISAGREES, f)) < 0)
			return r;
		return at != NULL && listed ? claim_check(k->p, f, c, row) :
		    reg_send(k->p, row);
	}
	name = reg_name(at, &n);
	if (listed && c->hash != CLAIM_NONE && (n != c->digest_len ||
	    memcmp(name, c->digest, n) != 0))
		return claim_check(k->p, f, c, row);
	return send_blob(k, at, row);
}

static int
read_file(const struct hfcache *k, const struct revision *v,
    const struct reg_file *f)
{
	static const struct reg_fact among = {"reason",
	    "a file among links", 18};
	struct claim c = {0};
	struct reg_row row;
	const char *rel;
	bool listed;
	size_t n;
	int r;

	rel = reg_relative(k->p, f, &n);
	rel += strlen("snapshots/") + v->n + 1;
	n -= strlen("snapshots/") + v->n + 1;
	c.by = v->list;
	c.name = rel;
	c.name_len = n;
	listed = v->tree != NULL && hftree_claim(v->tree, rel, n, &c);
	hfcache_begin(k, f, "artifact", &row);
	hfcache_commit(&row, v->commit, v->n);
	fields_text(&row.v[REG_ARTIFACT], rel, n);
	if (v->tree != NULL && !listed &&
	    (r = reg_tell(k->p, REG_PROBLEM_EXTRA, f, NULL, 0)) < 0)
		return r;
	if (f->type == REG_LINK)
		return read_link(k, f, &c, listed, &row);
	if (is_flat_link(k, f)) {
		reg_set(&row, REG_STATUS, "the text of a link");
		if ((r = reg_send(k->p, &row)) < 0)
			return r;
		return reg_tell(k->p, REG_PROBLEM_POINTER, f, NULL, 0);
	}
	if (listed)
		return claim_check(k->p, f, &c, &row);
	fields_text(&row.v[REG_MEMBER], f->path, f->path_len);
	fields_u64(&row.v[REG_SIZE], f->size);
	if ((r = reg_send(k->p, &row)) < 0 || !v->links || v->tree != NULL)
		return r;
	return reg_tell(k->p, REG_PROBLEM_EXTRA, f, &among, 1);
}

/*
 * Files of the tree that are not in the snapshot: who downloads a part of a
 * repository has such, so all of them are one statement.
 */
static int
tell_missing(const struct hfcache *k, const struct revision *v)
{
	char rel[LIMIT_PATH], count[24];
	struct reg_fact fact[2];
	uint64_t missing = 0;

	for (const struct doc *d = doc_kids(v->tree); d != NULL;
	    d = d->next) {
		int n = snprintf(rel, sizeof(rel), "snapshots/%.*s/%s",
		    (int)v->n, v->commit, d->key);

		if (n > 0 && (size_t)n < sizeof(rel) &&
		    reg_at(k->p, rel) != NULL)
			continue;
		if (missing++ == 0)
			fact[0] = (struct reg_fact){"first", d->key,
			    d->key_len};
	}
	if (missing == 0)
		return 0;
	(void)snprintf(count, sizeof(count), "%llu",
	    (unsigned long long)missing);
	fact[1] = (struct reg_fact){"files", count, strlen(count)};
	return reg_tell(k->p, REG_PROBLEM_MISSING, v->list, fact, 2);
}

static int
read_revision(const struct hfcache *k, struct revision *v)
{
	const struct reg_tree *t = k->p->tree;
	struct reg_row row;
	char rel[LIMIT_PATH];
	int r;

	(void)snprintf(rel, sizeof(rel), "trees/%.*s.json", (int)v->n,
	    v->commit);
	v->list = reg_at(k->p, rel);
	if (v->list != NULL && (r = hftree_load(k->p, v->list,
	    &v->tree)) < 0)
		return r;
	hfcache_begin(k, v->list, "revision", &row);
	hfcache_commit(&row, v->commit, v->n);
	if ((r = reg_send(k->p, &row)) < 0)
		return r;
	for (size_t i = v->first; i < v->end; i++)
		v->links = v->links || t->file[i].type == REG_LINK;
	for (size_t i = v->first; i < v->end && r >= 0; i++)
		if (t->file[i].type != REG_FOLDER)
			r = read_file(k, v, &t->file[i]);
	return r < 0 || v->tree == NULL ? r : tell_missing(k, v);
}

int
hfcache_snapshots(const struct hfcache *k, size_t first, size_t end)
{
	const struct reg_tree *t = k->p->tree;
	size_t skip = k->p->root_len + strlen("/snapshots/"), stop;
	int r = 0;

	for (size_t i = first; i < end && r >= 0; i = stop) {
		const struct reg_file *f = &t->file[i];
		struct revision v = {f->path + skip, 0, i, i, NULL, NULL,
		    false};

		stop = i + 1;
		v.n = hfcache_part(f, skip) - skip;
		if (skip + v.n == f->path_len) {
			if (f->type != REG_FOLDER)
				r = reg_tell(k->p, REG_PROBLEM_EXTRA, f,
				    NULL, 0);
			continue;
		}
		while (stop < end && t->file[stop].path_len > skip + v.n &&
		    memcmp(t->file[stop].path, f->path, skip + v.n + 1) == 0)
			stop++;
		v.end = stop;
		r = read_revision(k, &v);
	}
	return r;
}
