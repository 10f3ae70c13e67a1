#include <git2.h>
#include <stdio.h>
#include <string.h>

#include "analyzer/intake/gitrepo.h"
#include "base/bytesrc.h"
#include "base/err.h"
#include "base/limits.h"

/*
 * HEAD's tree against the working folder that was taken, and the index
 * against HEAD's tree.
 */
struct head {
	struct gitrepo *g;
	git_tree *tree;
	size_t files;
	int r;
};

static const char hex_digits[] = "0123456789abcdef";

static void
to_hex(char *dst, const uint8_t *p, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		dst[2 * i] = hex_digits[p[i] >> 4];
		dst[2 * i + 1] = hex_digits[p[i] & 15];
	}
	dst[2 * n] = '\0';
}

/* What git would call these bytes, or their SHA-256; 1: not at hand. */
static int
digest_of(struct head *h, const struct reg_file *f, bool lfs, char hex[65])
{
	const struct reg_tree *t = h->g->p->tree;
	struct bytesrc *src;
	uint8_t out[64];
	char prefix[32];
	int n, r;

	if ((r = reg_open(h->g->p, f, &src)) != 0)
		return r;
	n = snprintf(prefix, sizeof(prefix), "blob %llu",
	    (unsigned long long)bytesrc_size(src));
	r = lfs ? t->digest(t->ctx, REG_SHA256, "", 0, src, out, h->g->p->e) :
	    t->digest(t->ctx, REG_SHA1, prefix, (size_t)n + 1, src, out,
	    h->g->p->e);
	bytesrc_free(src);
	if (r >= 0)
		to_hex(hex, out, lfs ? 32 : 20);
	return r;
}

struct wanted {
	const char *algorithm, *digest;
	const struct gitrepo_pointer *lfs;	/* NULL: an ordinary file */
};

static int
tell_artifact(struct head *h, const char *path, const struct reg_file *f,
    const struct wanted *w, const char *found)
{
	struct reg_row row;

	reg_row_init(h->g->p, NULL, &row);
	reg_set(&row, REG_TYPE, "artifact");
	reg_set(&row, REG_ALIAS, "HEAD");
	reg_set(&row, REG_ARTIFACT, path);
	if (f != NULL)
		reg_set(&row, REG_MEMBER, f->path);
	reg_set(&row, REG_ALGORITHM, w->algorithm);
	reg_set(&row, REG_DIGEST, w->digest);
	if (w->lfs != NULL)
		fields_u64(&row.v[REG_SIZE], w->lfs->size);
	if (found != NULL) {
		reg_set(&row, REG_RECOMPUTED, found);
		fields_bool(&row.v[REG_AGREES],
		    strcmp(found, w->digest) == 0);
	}
	return reg_send(h->g->p, &row);
}

static int
tell_differs(struct head *h, const struct reg_file *f,
    const struct wanted *w, const char *found)
{
	const struct reg_fact facts[] = {
	    {"algorithm", w->algorithm, strlen(w->algorithm)},
	    {"head", w->digest, strlen(w->digest)},
	    {"found", found, strlen(found)}};

	return reg_tell(h->g->p, w->lfs != NULL ? REG_PROBLEM_DIGEST :
	    REG_PROBLEM_DISAGREES, f, facts, 3);
}

/* One file of HEAD. */
static int
compare_file(struct head *h, const char *path, const git_oid *id)
{
	const struct reg_file *f = reg_at(h->g->p, path);
	const struct reg_fact fact = {"path", path, strlen(path)};
	struct gitrepo_pointer lfs;
	char blob[GITREPO_HEX], found[65];
	struct wanted w = {"git-sha1", gitrepo_hex(blob, id), NULL};
	bool model = gitrepo_is_model(path);
	int r;

	if (f == NULL) {
		r = reg_tell(h->g->p, REG_PROBLEM_MISSING, NULL, &fact, 1);
		return r < 0 || !model ? r : tell_artifact(h, path, NULL, &w,
		    NULL);
	}
	if (f->type != REG_FILE || f->absent)
		return 0;
	if ((r = digest_of(h, f, false, found)) != 0)
		return r;
	if (gitrepo_pointer(h->g, id, &lfs)) {
		model = true;
		/* The pointer itself may lie there: not fetched. */
		if (strcmp(found, w.digest) == 0)
			return reg_tell(h->g->p, REG_PROBLEM_POINTER, f, NULL,
			    0);
		w = (struct wanted){"sha256", lfs.sha256, &lfs};
		if ((r = digest_of(h, f, true, found)) != 0)
			return r;
	}
	if (strcmp(found, w.digest) != 0 &&
	    (r = tell_differs(h, f, &w, found)) < 0)
		return r;
	return model || strcmp(found, w.digest) != 0 ? tell_artifact(h, path,
	    f, &w, found) : 0;
}

static int
walk_entry(const char *root, const git_tree_entry *entry, void *ctx)
{
	struct head *h = ctx;
	char path[LIMIT_PATH];
	int n;

	if (git_tree_entry_type(entry) != GIT_OBJECT_BLOB ||
	    git_tree_entry_filemode(entry) == GIT_FILEMODE_LINK)
		return 0;
	if (++h->files > LIMIT_GIT_FILES) {
		h->r = gitrepo_bad(h->g, "more files than are looked at");
		return -1;
	}
	n = snprintf(path, sizeof(path), "%s%s", root,
	    git_tree_entry_name(entry));
	if (n < 0 || n >= (int)sizeof(path))
		h->r = gitrepo_bad(h->g, "a path is too long");
	else
		h->r = compare_file(h, path, git_tree_entry_id(entry));
	return h->r < 0 ? -1 : 0;
}

/* --- the index ------------------------------------------------------------ */

static int
tell_staged(struct head *h, const char *path, const git_oid *id,
    const char *status)
{
	char blob[GITREPO_HEX];
	struct reg_row row;

	reg_row_init(h->g->p, NULL, &row);
	reg_set(&row, REG_TYPE, "event");
	reg_set(&row, REG_KEY, "staged");
	reg_set(&row, REG_STATUS, status);
	reg_set(&row, REG_ARTIFACT, path);
	reg_set(&row, REG_ALGORITHM, "git-sha1");
	reg_set(&row, REG_DIGEST, gitrepo_hex(blob, id));
	return reg_send(h->g->p, &row);
}

static int
compare_index(struct head *h)
{
	git_index *index = NULL;
	git_tree_entry *have;
	char path[64];
	int r = 0;

	(void)snprintf(path, sizeof(path), "%s/index", h->g->path);
	if (reg_find(h->g->p->tree, h->g->dot_git, strlen(h->g->dot_git)) ==
	    NULL || git_index_open(&index, path) < 0)
		return gitrepo_bad(h->g, "the index cannot be read");
	for (size_t i = 0; i < git_index_entrycount(index) && r >= 0; i++) {
		const git_index_entry *e = git_index_get_byindex(index, i);

		have = NULL;
		if (h->tree == NULL || git_tree_entry_bypath(&have, h->tree,
		    e->path) < 0)
			r = tell_staged(h, e->path, &e->id, "added");
		else if (!git_oid_equal(git_tree_entry_id(have), &e->id))
			r = tell_staged(h, e->path, &e->id, "modified");
		git_tree_entry_free(have);
	}
	git_index_free(index);
	return r;
}

int
githead_read(struct gitrepo *g)
{
	struct head h = {.g = g};
	git_object *tree = NULL;
	git_reference *head = NULL;

	if (git_repository_head(&head, g->repo) == 0 &&
	    git_reference_peel(&tree, head, GIT_OBJECT_TREE) == 0) {
		h.tree = (git_tree *)tree;
		if (!g->bare && git_tree_walk(h.tree, GIT_TREEWALK_PRE,
		    walk_entry, &h) < 0 && h.r >= 0)
			h.r = gitrepo_bad(g, "HEAD's tree cannot be read");
	}
	if (h.r >= 0 && !g->bare)
		h.r = compare_index(&h);
	git_object_free(tree);
	git_reference_free(head);
	return h.r;
}
