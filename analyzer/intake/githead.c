#include <git2.h>
#include <stdio.h>
#include <string.h>

#include "analyzer/intake/gitrepo.h"
#include "analyzer/intake/unixtext.h"
#include "base/bytesrc.h"
#include "base/err.h"
#include "base/limits.h"
#include "formats/reg/claim.h"

/*
 * HEAD's tree against the working folder that was taken, and the index
 * against HEAD's tree.
 *
 * A text file that git checked out with CRLF is what HEAD has: where the
 * bytes are not, the bytes with LF are held against it, too.
 */
struct head {
	struct gitrepo *g;
	git_tree *tree;
	size_t entries;
	bool alone;		/* nothing of the working folder was taken */
	int r;
};

/* What git would call these bytes, or, where that is ${want}, with LF. */
static int
blob_or_text(struct head *h, const struct bytesrc *src, const char *want,
    char hex[CLAIM_HEX])
{
	struct bytesrc *text = NULL;
	char other[CLAIM_HEX];
	int r = claim_source(h->g->p, src, CLAIM_GIT, hex);

	if (r < 0 || strcmp(hex, want) == 0)
		return r;
	if ((r = unixtext(src, &text, h->g->p->e)) != 0)
		return r < 0 ? r : 0;
	r = claim_source(h->g->p, text, CLAIM_GIT, other);
	bytesrc_free(text);
	if (r >= 0 && strcmp(other, want) == 0)
		memcpy(hex, other, sizeof(other));
	return r;
}

/* ${lfs}: the SHA-256 of the bytes.  1: they are not at hand. */
static int
digest_of(struct head *h, const struct reg_file *f, bool lfs,
    const char *want, char hex[CLAIM_HEX])
{
	struct bytesrc *src;
	int r;

	if ((r = reg_open(h->g->p, f, &src)) != 0)
		return r;
	r = lfs ? claim_source(h->g->p, src, CLAIM_SHA256, hex) :
	    blob_or_text(h, src, want, hex);
	bytesrc_free(src);
	return r;
}

struct wanted {
	const char *algorithm, *digest;
	const struct lfs_pointer *lfs;	/* NULL: an ordinary file */
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

/* HEAD has a file there, and a link was taken: what it leads to is not it. */
static int
tell_link(struct head *h, const char *path, const struct reg_file *f,
    const struct wanted *w)
{
	const struct reg_fact facts[] = {
	    {"reason", "a link where HEAD has a file", 28},
	    {"head", w->digest, strlen(w->digest)},
	    {"link", f->link, f->link_len}};
	int r = reg_tell(h->g->p, REG_PROBLEM_DISAGREES, f, facts, 3);

	return r < 0 ? r : tell_artifact(h, path, f, w, NULL);
}

static int
tell_missing(struct head *h, const char *path, const struct wanted *w)
{
	const struct reg_fact fact = {"path", path, strlen(path)};
	int r = 0;

	if (!h->alone)
		r = reg_tell(h->g->p, REG_PROBLEM_MISSING, NULL, &fact, 1);
	return r < 0 || !gitrepo_is_model(path) ? r :
	    tell_artifact(h, path, NULL, w, NULL);
}

/* One file of HEAD. */
static int
compare_file(struct head *h, const char *path, const git_oid *id)
{
	const struct reg_file *f = reg_at(h->g->p, path);
	struct lfs_pointer lfs;
	char blob[GITREPO_HEX], found[CLAIM_HEX];
	struct wanted w = {"git-sha1", gitrepo_hex(blob, id), NULL};
	bool model = gitrepo_is_model(path);
	int r;

	if (f == NULL || f->type == REG_FOLDER)
		return tell_missing(h, path, &w);
	if (f->type == REG_LINK)
		return tell_link(h, path, f, &w);
	if ((r = digest_of(h, f, false, w.digest, found)) != 0)
		return r;
	if (gitrepo_pointer(h->g, id, &lfs)) {
		model = true;
		/* The pointer itself may lie there: not checked out, and,
		 * where its object is not there, not fetched. */
		if (strcmp(found, w.digest) == 0)
			return claim_object(h->g->p, lfs.oid) != NULL ? 0 :
			    reg_tell(h->g->p, REG_PROBLEM_POINTER, f, NULL, 0);
		w = (struct wanted){"sha256", lfs.oid, &lfs};
		if ((r = digest_of(h, f, true, w.digest, found)) != 0)
			return r;
	}
	if (strcmp(found, w.digest) != 0 &&
	    (r = tell_differs(h, f, &w, found)) < 0)
		return r;
	return model || strcmp(found, w.digest) != 0 ? tell_artifact(h, path,
	    f, &w, found) : 0;
}

/*
 * A link of HEAD: its target is the blob.  Where links cannot be made, git
 * writes a file with the target in it.
 */
static int
compare_link(struct head *h, const char *path, const git_oid *id)
{
	const struct reg_file *f = reg_at(h->g->p, path);
	char blob[GITREPO_HEX], found[CLAIM_HEX];
	struct wanted w = {"git-sha1", gitrepo_hex(blob, id), NULL};
	struct bytesrc *src;
	int r;

	if (f == NULL || f->type == REG_FOLDER)
		return tell_missing(h, path, &w);
	if (f->type == REG_FILE) {
		r = digest_of(h, f, false, w.digest, found);
	} else {
		if ((src = bytesrc_mem(f->link, f->link_len, h->g->p->e)) ==
		    NULL)
			return ERR_NOMEM;
		r = claim_source(h->g->p, src, CLAIM_GIT, found);
		bytesrc_free(src);
	}
	if (r != 0 || strcmp(found, w.digest) == 0)
		return r;
	if ((r = tell_differs(h, f, &w, found)) < 0)
		return r;
	return tell_artifact(h, path, f, &w, found);
}

static int
walk_entry(const char *root, const git_tree_entry *entry, void *ctx)
{
	struct head *h = ctx;
	char path[LIMIT_PATH];
	int n;

	/* Folders count, too: a tree may have itself below it, many times. */
	if (++h->entries > LIMIT_GIT_FILES) {
		h->r = gitrepo_bad(h->g, "more files than are looked at");
		return -1;
	}
	if (git_tree_entry_type(entry) != GIT_OBJECT_BLOB)
		return 0;
	n = snprintf(path, sizeof(path), "%s%s", root,
	    git_tree_entry_name(entry));
	if (n < 0 || n >= (int)sizeof(path))
		h->r = gitrepo_bad(h->g, "a path is too long");
	else if (git_tree_entry_filemode(entry) == GIT_FILEMODE_LINK)
		h->r = compare_link(h, path, git_tree_entry_id(entry));
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

/* Is there any file of the working folder?  Else one statement says so. */
static int
look_alone(struct head *h)
{
	const struct reg_fact why = {"reason",
	    "the working folder was not taken", 32};
	const struct reg_parse *p = h->g->p;
	size_t n = strlen(h->g->dot_git), first, end;

	reg_below(p->tree, p->root, p->root_len, &first, &end);
	for (size_t i = first; i < end; i++) {
		const struct reg_file *f = &p->tree->file[i];

		if (f->path_len < n || memcmp(f->path, h->g->dot_git, n) != 0)
			return 0;
	}
	h->alone = true;
	return reg_tell(h->g->p, REG_PROBLEM_MISSING, NULL, &why, 1);
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
		if (!g->bare)
			h.r = look_alone(&h);
		if (!g->bare && h.r >= 0 && git_tree_walk(h.tree,
		    GIT_TREEWALK_PRE, walk_entry, &h) < 0 && h.r >= 0)
			h.r = gitrepo_bad(g, "HEAD's tree cannot be read");
	}
	if (h.r >= 0 && !g->bare)
		h.r = compare_index(&h);
	git_object_free(tree);
	git_reference_free(head);
	return h.r;
}
