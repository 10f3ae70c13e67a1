#include <stdio.h>
#include <string.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/limits.h"
#include "formats/doc.h"
#include "formats/reg/dvc.h"
#include "formats/reg/regdoc.h"

/*
 * One output or dependency of DVC: a file or a folder in the work tree, its
 * object in the cache, or neither (it was not fetched).
 */

/* The work tree's own file or folder; false: nothing is there. */
static bool
is_there(struct reg_parse *p, const struct dvc_out *o,
    const struct reg_file **file)
{
	size_t first, end;

	*file = reg_find(p->tree, o->path, o->n);
	if (*file != NULL && (*file)->type != REG_FOLDER)
		return true;
	*file = NULL;
	reg_below(p->tree, o->path, o->n, &first, &end);
	return first < end;
}

/* --- folders, entry by entry --- */

struct entry {
	const struct dvc_out *o;
	const char *path;	/* in the tree */
	size_t n;
	const struct reg_file *list;
};

static int
check_entry(struct reg_parse *p, const struct entry *at, const char *md5)
{
	const struct reg_file *f = reg_find(p->tree, at->path, at->n);
	struct claim c = {CLAIM_MD5, md5, 32, false, 0, at->list, at->path,
	    at->n};
	char hex[CLAIM_HEX];
	struct reg_row row;
	int r;

	reg_row_init(p, at->list, &row);
	reg_set(&row, REG_TYPE, "artifact");
	fields_text(&row.v[REG_ARTIFACT], at->path, at->n);
	if (f == NULL || f->type == REG_FOLDER)
		return claim_check(p, NULL, &c, &row);
	if ((r = dvc_matches(p, f, md5, at->o->modern, hex)) != 0)
		return r < 0 ? r : 0;
	return claim_settle(p, f, &c, hex, f->size, &row);
}

/* Files of the folder that the list does not have; ${seen} of its files. */
static int
tell_extra(struct reg_parse *p, const bool *seen, size_t first, size_t end)
{
	int r = 0;

	for (size_t i = first; i < end && r >= 0; i++)
		if (!seen[i - first] &&
		    p->tree->file[i].type != REG_FOLDER)
			r = reg_tell(p, REG_PROBLEM_EXTRA, &p->tree->file[i],
			    NULL, 0);
	return r;
}

static int
check_entries(struct reg_parse *p, const struct dvc_out *o,
    const struct reg_file *list, const struct doc *d)
{
	char path[LIMIT_PATH];
	size_t first, end;
	bool *seen;
	int r = 0;

	reg_below(p->tree, o->path, o->n, &first, &end);
	if ((seen = arena_array(p->arena, end - first, sizeof(*seen))) == NULL)
		return err_set(p->e, ERR_NOMEM, "out of memory");
	for (const struct doc *k = doc_kids(d); k != NULL && r >= 0;
	    k = k->next) {
		struct entry at = {o, path, 0, list};
		const struct reg_file *f;
		size_t md5_len, n;
		const char *md5 = doc_str(doc_key(k, "md5"), &md5_len);
		const char *rel = doc_str(doc_key(k, "relpath"), &n);

		if (md5 == NULL || rel == NULL || md5_len != 32 ||
		    !claim_is_hex(md5, 32) ||
		    n >= sizeof(path) - o->n - 1) {
			r = reg_bad(p, list, k->off, "not an entry");
			continue;
		}
		memcpy(path, o->path, o->n);
		path[o->n] = '/';
		memcpy(path + o->n + 1, rel, n);
		at.n = o->n + 1 + n;
		if ((f = reg_find(p->tree, path, at.n)) != NULL &&
		    f >= p->tree->file + first && f < p->tree->file + end)
			seen[(size_t)(f - p->tree->file) - first] = true;
		r = check_entry(p, &at, md5);
	}
	return r < 0 ? r : tell_extra(p, seen, first, end);
}

/*
 * A folder: its whole digest first; when that differs, the cache's list says
 * which files do.
 */
static int
check_folder(struct reg_parse *p, const struct dvc_out *o,
    struct claim *c, struct reg_row *row)
{
	const struct reg_file *list = dvc_object(p, c->digest, c->digest_len);
	const struct doc *d = NULL;
	char hex[CLAIM_HEX];
	bool same;
	int r;

	if ((r = dvc_directory(p, o->path, o->n, hex)) != 0)
		return r < 0 ? r : reg_send(p, row);
	same = c->digest_len == 36 && memcmp(hex, c->digest, 36) == 0;
	reg_set(row, REG_ALGORITHM, "md5");
	fields_text(&row->v[REG_DIGEST], c->digest, c->digest_len);
	reg_set(row, REG_RECOMPUTED, hex);
	fields_text(&row->v[REG_MEMBER], o->path, o->n);
	if (same || o->modern || list == NULL)
		fields_bool(&row->v[REG_AGREES], same);
	if ((r = reg_send(p, row)) < 0 || same || o->dependency)
		return r;
	if (list != NULL && (r = regdoc_json(p, list, &d)) != 0)
		return r < 0 ? r : 0;
	if (list != NULL)
		return check_entries(p, o, list, d);
	if (!o->modern)
		return 0;	/* which of the two digests is not known */
	const struct reg_fact fact[] = {{"registry", c->digest,
	    c->digest_len}, {"found", hex, 36}, {"named", o->path, o->n}};

	return reg_tell(p, REG_PROBLEM_DIGEST, o->by, fact, 3);
}

static int
check_file(struct reg_parse *p, const struct dvc_out *o,
    const struct reg_file *f, struct claim *c, struct reg_row *row)
{
	char hex[CLAIM_HEX];
	int r;

	if (c->digest_len != 32 || !claim_is_hex(c->digest, 32)) {
		r = reg_bad(p, o->by, o->d->off, "not a digest");
		return r < 0 ? r : reg_send(p, row);
	}
	if ((r = dvc_matches(p, f, c->digest, o->modern, hex)) != 0)
		return r < 0 ? r : reg_send(p, row);
	if (!o->dependency || memcmp(hex, c->digest, 32) == 0)
		return claim_settle(p, f, c, hex, reg_follow(p->tree,
		    f)->size, row);
	fields_text(&row->v[REG_MEMBER], f->path, f->path_len);
	reg_set(row, REG_ALGORITHM, "md5");
	fields_text(&row->v[REG_DIGEST], c->digest, c->digest_len);
	reg_set(row, REG_RECOMPUTED, hex);
	fields_bool(&row->v[REG_AGREES], false);
	reg_set(row, REG_STATUS, "changed since the stage ran");
	return reg_send(p, row);
}

/* Not in the work tree: the cache may have it. */
static int
check_absent(struct reg_parse *p, const struct dvc_out *o, struct claim *c,
    struct reg_row *row)
{
	const struct reg_file *f = dvc_object(p, c->digest, c->digest_len);
	int r;

	reg_set(row, REG_ALGORITHM, "md5");
	fields_text(&row->v[REG_DIGEST], c->digest, c->digest_len);
	reg_set(row, REG_STATUS, f != NULL ? "in the cache" : "missing");
	if (f != NULL)
		fields_text(&row->v[REG_MEMBER], f->path, f->path_len);
	if ((r = reg_send(p, row)) < 0 || f != NULL || o->dependency)
		return r;
	const struct reg_fact fact = {"named", o->path, o->n};

	return reg_tell(p, REG_PROBLEM_MISSING, o->by, &fact, 1);
}

int
dvc_check_out(struct reg_parse *p, const struct dvc_out *o,
    const char *stage, size_t stage_len)
{
	struct claim c = {.hash = CLAIM_MD5, .by = o->by, .name = o->path,
	    .name_len = o->n};
	const struct reg_file *f = NULL;
	struct reg_row row;
	bool there = is_there(p, o, &f);

	c.digest = doc_str(doc_key(o->d, "md5"), &c.digest_len);
	c.sized = doc_u64(doc_key(o->d, "size"), &c.size);
	reg_row_init(p, o->by, &row);
	reg_set(&row, REG_TYPE, o->dependency ? "dataset" : "artifact");
	fields_text(&row.v[REG_ARTIFACT], o->path, o->n);
	fields_text(&row.v[REG_RUN], stage, stage_len);
	regdoc_text(&row.v[REG_DESCRIPTION], doc_key(o->d, "desc"));
	regdoc_text(&row.v[REG_REPOSITORY], doc_get(o->d, "repo.url"));
	regdoc_text(&row.v[REG_COMMIT], doc_get(o->d, "repo.rev_lock"));
	if (c.sized)
		fields_u64(&row.v[REG_SIZE], c.size);
	if (c.digest == NULL)
		return reg_send(p, &row);	/* cache: false, a cloud's etag */
	if (!there)
		return check_absent(p, o, &c, &row);
	/* DVC 2 wrote other sizes for text; the digest decides. */
	c.sized = c.sized && o->modern;
	return f != NULL ? check_file(p, o, f, &c, &row) :
	    check_folder(p, o, &c, &row);
}
