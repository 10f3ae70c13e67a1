#include <stdio.h>
#include <string.h>

#include "base/err.h"
#include "base/limits.h"
#include "formats/reg/claim.h"

/*
 * Git LFS in a repository (git-lfs, docs/spec.md): pointers in the work tree,
 * where .gitattributes says "filter=lfs", and the objects that they name:
 *
 *	.git/lfs/objects/AA/BB/AABB...	the content, named by its SHA-256
 *	.git/lfs/incomplete/...		a download that did not end
 *
 * An object must have the digest that is its name.  A pointer whose object is
 * not there stands for weights that nobody has looked at.
 */
#define OBJECTS "lfs/objects/"
#define INCOMPLETE "lfs/incomplete/"

/* "lfs/objects/aa/bb/<64 digits>" at the end of the path; where it begins. */
static bool
is_object(const struct reg_file *f, size_t *at)
{
	size_t n = strlen(OBJECTS) + 6 + 64;
	const char *p;

	if (f->path_len < n)
		return false;
	p = f->path + f->path_len - n;
	if (memcmp(p, OBJECTS, strlen(OBJECTS)) != 0 ||
	    (p != f->path && p[-1] != '/') || p[14] != '/' || p[17] != '/' ||
	    !claim_is_hex(p + 18, 64))
		return false;
	*at = (size_t)(p - f->path);
	return true;
}

static bool
lfs_find(const struct reg_tree *t, const struct reg_file *f, size_t *root)
{
	size_t n, at;
	const char *name = reg_name(f, &n);

	(void)t;
	if (n == 14 && memcmp(name, ".gitattributes", 14) == 0) {
		*root = f->path_len - n;
		*root -= *root > 0;
		return true;
	}
	if (!is_object(f, &at))
		return false;
	/* Of a bare repository its own folder is the root. */
	if (at >= 5 && memcmp(f->path + at - 5, ".git/", 5) == 0 &&
	    (at == 5 || f->path[at - 6] == '/'))
		at -= 5;
	*root = at > 0 ? at - 1 : 0;
	return true;
}

static int
read_object(struct reg_parse *p, const struct reg_file *f, size_t at)
{
	const char *oid = f->path + at + 18;
	struct claim c = {CLAIM_SHA256, oid, 64, false, 0, f, NULL, 0};
	struct reg_fact fact = {"folder", oid - 6, 5};
	struct reg_row row;
	int r;

	reg_row_init(p, f, &row);
	reg_set(&row, REG_TYPE, "artifact");
	if ((r = claim_check(p, f, &c, &row)) < 0)
		return r;
	if (memcmp(oid - 6, oid, 2) == 0 && memcmp(oid - 3, oid + 2, 2) == 0)
		return 0;
	return reg_tell(p, REG_PROBLEM_DISAGREES, f, &fact, 1);
}

static int
read_pointer(struct reg_parse *p, const struct reg_file *f,
    const struct lfs_pointer *lfs)
{
	struct claim c = {CLAIM_SHA256, lfs->oid, 64, true, lfs->size, f,
	    NULL, 0};
	const struct reg_file *object = claim_object(p, lfs->oid);
	struct reg_fact fact = {"sha256", lfs->oid, 64};
	struct reg_row row;
	int r;

	reg_row_init(p, f, &row);
	reg_set(&row, REG_TYPE, "artifact");
	reg_set(&row, REG_STATUS, "pointer");
	c.name = reg_relative(p, f, &c.name_len);
	fields_text(&row.v[REG_ARTIFACT], c.name, c.name_len);
	if (object != NULL && object->size == lfs->size) {
		fields_text(&row.v[REG_MEMBER], object->path,
		    object->path_len);
	} else if (object != NULL) {
		c.hash = CLAIM_NONE;
		return claim_check(p, object, &c, &row);
	}
	reg_set(&row, REG_ALGORITHM, "sha256");
	fields_text(&row.v[REG_DIGEST], lfs->oid, 64);
	fields_u64(&row.v[REG_SIZE], lfs->size);
	if ((r = reg_send(p, &row)) < 0 || object != NULL)
		return r;
	return reg_tell(p, REG_PROBLEM_POINTER, f, &fact, 1);
}

/* The attributes of a folder further down speak for what lies there. */
static bool
has_nearer(struct reg_parse *p, const struct reg_file *f)
{
	char path[LIMIT_PATH];
	size_t end = f->path_len;

	while (end > p->root_len + (p->root_len > 0)) {
		const char *slash = memrchr(f->path, '/', end);

		end = slash != NULL ? (size_t)(slash - f->path) : 0;
		if (end <= p->root_len || end + 16 > sizeof(path))
			return false;
		memcpy(path, f->path, end);
		memcpy(path + end, "/.gitattributes", 15);
		if (reg_find(p->tree, path, end + 15) != NULL)
			return true;
	}
	return false;
}

static int
uses_lfs(struct reg_parse *p)
{
	const struct reg_file *f = reg_at(p, ".gitattributes");
	const char *text;
	size_t n;
	int r;

	if (f == NULL)
		return 0;
	if ((r = reg_bytes(p, f, MIB, &text, &n)) != 0)
		return r < 0 ? r : 0;
	return memmem(text, n, "filter=lfs", 10) != NULL;
}

static int
read_incomplete(struct reg_parse *p, const struct reg_file *f)
{
	struct reg_row row;

	reg_row_init(p, f, &row);
	reg_set(&row, REG_TYPE, "event");
	reg_set(&row, REG_KEY, "incomplete-download");
	fields_text(&row.v[REG_MEMBER], f->path, f->path_len);
	fields_u64(&row.v[REG_SIZE], f->size);
	return reg_send(p, &row);
}

static int
lfs_read(struct reg_parse *p)
{
	struct lfs_pointer lfs;
	size_t first, end, at;
	int uses = uses_lfs(p), r = uses;
	bool none = uses == 0;

	reg_below(p->tree, p->root, p->root_len, &first, &end);
	for (size_t i = first; i < end && r >= 0; i++) {
		const struct reg_file *f = &p->tree->file[i];
		size_t n;
		const char *rel = reg_relative(p, f, &n);
		bool git = n > 5 && memcmp(rel, ".git/", 5) == 0;

		if (git || (n > 4 && memcmp(rel, "lfs/", 4) == 0)) {
			rel += git ? 5 : 0;
			if (is_object(f, &at) && f->path + at == rel) {
				r = read_object(p, f, at);
				none = false;
			} else if (f->type == REG_FILE && memmem(f->path,
			    f->path_len, INCOMPLETE, strlen(INCOMPLETE)) ==
			    rel) {
				r = read_incomplete(p, f);
				none = false;
			}
			if (git)
				continue;
		}
		if (!uses || f->type != REG_FILE || has_nearer(p, f))
			continue;
		r = claim_pointer(p, f, &lfs);
		if (r > 0)
			r = read_pointer(p, f, &lfs);
	}
	return r < 0 ? r : none ? REG_NONE : 0;
}

const struct reg_reader reg_lfsstore = {"git-lfs", lfs_find, lfs_read};
