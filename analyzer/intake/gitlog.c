#include <git2.h>
#include <stdio.h>
#include <string.h>

#include "analyzer/intake/gitrepo.h"
#include "base/err.h"
#include "base/limits.h"
#include "formats/lfs.h"

/*
 * References, reflogs and commits, those too that only a reflog knows (what
 * was amended, rebased or reset away).  A commit is a row when its difference to
 * its first parent touches a path that looks like a model's, or adds a
 * pointer of LFS.
 */
static int64_t
when_ns(const git_signature *s)
{
	return s->when.time > INT64_MAX / 1000000000 ||
	    s->when.time < INT64_MIN / 1000000000 ? 0 :
	    s->when.time * 1000000000;
}

/* "Name <address>", as git shows it. */
struct person {
	char text[512];
};

static void
set_person(struct reg_row *row, struct person *room, const git_signature *s)
{
	if (s == NULL)
		return;
	(void)snprintf(room->text, sizeof(room->text), "%s <%s>", s->name,
	    s->email);
	reg_set(row, REG_USER, room->text);
}

/* --- references ----------------------------------------------------------- */

static int
tell_ref(struct gitrepo *g, git_reference *ref)
{
	const char *to = git_reference_symbolic_target(ref);
	git_object *commit = NULL;
	char hex[GITREPO_HEX];
	struct reg_row row;
	git_oid id;
	int r, rc;

	reg_row_init(g->p, NULL, &row);
	reg_set(&row, REG_TYPE, "alias");
	reg_set(&row, REG_ALIAS, git_reference_name(ref));
	if (to != NULL) {
		reg_set(&row, REG_KEY, "symbolic");
		reg_set(&row, REG_VALUE, to);
	}
	if ((rc = git_reference_peel(&commit, ref, GIT_OBJECT_COMMIT)) ==
	    0) {
		reg_set(&row, REG_COMMIT, gitrepo_hex(hex,
		    git_object_id(commit)));
		reg_set(&row, REG_VERSION, hex);
	} else {
		reg_set(&row, REG_STATUS, "leads to no commit");
	}
	r = reg_send(g->p, &row);
	git_object_free(commit);
	/* A branch may be unborn and a tag name a tree: all else is damage. */
	if (r >= 0 && rc < 0 && rc != GIT_EPEEL && rc != GIT_EINVALIDSPEC &&
	    git_reference_name_to_id(&id, g->repo,
	    git_reference_name(ref)) == 0)
		r = gitrepo_bad(g, "what a reference names cannot be read");
	return r;
}

static int
tell_entry(struct gitrepo *g, const char *name,
    const git_reflog_entry *entry)
{
	const git_signature *who = git_reflog_entry_committer(entry);
	const char *text = git_reflog_entry_message(entry);
	char old[GITREPO_HEX], new[GITREPO_HEX];
	struct person person;
	struct reg_row row;

	reg_row_init(g->p, NULL, &row);
	reg_set(&row, REG_TYPE, "event");
	reg_set(&row, REG_KEY, "reflog");
	reg_set(&row, REG_ALIAS, name);
	reg_set(&row, REG_VALUE, gitrepo_hex(old,
	    git_reflog_entry_id_old(entry)));
	reg_set(&row, REG_COMMIT, gitrepo_hex(new,
	    git_reflog_entry_id_new(entry)));
	reg_set(&row, REG_DESCRIPTION, text);
	set_person(&row, &person, who);
	if (who != NULL)
		fields_i64(&row.v[REG_CREATED], when_ns(who));
	return reg_send(g->p, &row);
}

static int
tell_reflog(struct gitrepo *g, git_revwalk *walk, const char *name)
{
	const git_reflog_entry *entry;
	git_reflog *log = NULL;
	size_t n;
	int r = 0;

	if (git_reflog_read(&log, g->repo, name) < 0)
		return gitrepo_bad(g, "a reflog cannot be read");
	n = git_reflog_entrycount(log);
	for (size_t i = 0; i < n && i < LIMIT_GIT_REFLOG && r >= 0; i++) {
		entry = git_reflog_entry_byindex(log, i);
		r = tell_entry(g, name, entry);
		/* History that no reference leads to; it may be gone. */
		(void)git_revwalk_push(walk, git_reflog_entry_id_new(entry));
		(void)git_revwalk_push(walk, git_reflog_entry_id_old(entry));
	}
	git_reflog_free(log);
	if (r >= 0 && n > LIMIT_GIT_REFLOG)
		r = gitrepo_bad(g, "more entries of a reflog than are told");
	return r;
}

static int
tell_refs(struct gitrepo *g, git_revwalk *walk)
{
	git_reference_iterator *it = NULL;
	git_reference *ref = NULL;
	int r = 0, rc = 0;

	if (git_reference_lookup(&ref, g->repo, "HEAD") == 0) {
		r = tell_ref(g, ref);
		git_reference_free(ref);
		/* Reading a log that is not there would make it. */
		if (r >= 0 && git_reference_has_log(g->repo, "HEAD") == 1)
			r = tell_reflog(g, walk, "HEAD");
		(void)git_revwalk_push_head(walk);
	} else {
		r = gitrepo_bad(g, "HEAD cannot be read");
	}
	if (r < 0 || git_reference_iterator_new(&it, g->repo) < 0)
		return r < 0 ? r : gitrepo_bad(g, "references cannot be read");
	while (r >= 0 && (rc = git_reference_next(&ref, it)) == 0) {
		if ((r = tell_ref(g, ref)) >= 0 &&
		    git_reference_has_log(g->repo,
		    git_reference_name(ref)) == 1)
			r = tell_reflog(g, walk, git_reference_name(ref));
		(void)git_revwalk_push_ref(walk, git_reference_name(ref));
		git_reference_free(ref);
	}
	git_reference_iterator_free(it);
	if (r >= 0 && rc != GIT_ITEROVER)
		r = gitrepo_bad(g, "references cannot be read");
	return r;
}

/* --- commits -------------------------------------------------------------- */

static const char *
signature_kind(struct gitrepo *g, const git_oid *id)
{
	git_buf sig = {0}, data = {0};
	git_oid copy = *id;
	const char *kind = "none";

	if (git_commit_extract_signature(&sig, &data, g->repo, &copy,
	    NULL) == 0)
		kind = strstr(sig.ptr, "BEGIN PGP") != NULL ? "pgp" :
		    strstr(sig.ptr, "BEGIN SSH") != NULL ? "ssh" :
		    strstr(sig.ptr, "BEGIN SIGNED") != NULL ? "x509" :
		    "unknown";
	git_buf_dispose(&sig);
	git_buf_dispose(&data);
	return kind;
}

static const char *
delta_word(git_delta_t status)
{
	switch ((int)status) {
	case GIT_DELTA_ADDED:
		return "added";
	case GIT_DELTA_DELETED:
		return "deleted";
	case GIT_DELTA_MODIFIED:
		return "modified";
	case GIT_DELTA_TYPECHANGE:
		return "type changed";
	default:
		return "changed";
	}
}

static int
tell_delta(struct gitrepo *g, git_commit *commit, const char *signature,
    const git_diff_delta *d)
{
	const git_diff_file *f = d->status == GIT_DELTA_DELETED ?
	    &d->old_file : &d->new_file;
	char hex[GITREPO_HEX], blob[GITREPO_HEX];
	struct lfs_pointer lfs;
	struct person person;
	struct reg_row row;

	reg_row_init(g->p, NULL, &row);
	reg_set(&row, REG_TYPE, "revision");
	reg_set(&row, REG_VERSION, gitrepo_hex(hex, git_commit_id(commit)));
	reg_set(&row, REG_COMMIT, hex);
	reg_set(&row, REG_STATUS, delta_word(d->status));
	reg_set(&row, REG_ARTIFACT, f->path);
	reg_set(&row, REG_ALGORITHM, "git-sha1");
	reg_set(&row, REG_DIGEST, gitrepo_hex(blob, &f->id));
	if (gitrepo_pointer(g, &f->id, &lfs)) {
		reg_set(&row, REG_ALGORITHM, "sha256");
		reg_set(&row, REG_DIGEST, lfs.oid);
		fields_u64(&row.v[REG_SIZE], lfs.size);
	}
	reg_set(&row, REG_KEY, "signature");
	reg_set(&row, REG_VALUE, signature);
	reg_set(&row, REG_DESCRIPTION, git_commit_summary(commit));
	set_person(&row, &person, git_commit_author(commit));
	fields_i64(&row.v[REG_CREATED], when_ns(git_commit_author(commit)));
	fields_i64(&row.v[REG_UPDATED],
	    when_ns(git_commit_committer(commit)));
	return reg_send(g->p, &row);
}

/* Against the first parent, or against nothing. */
static int
diff_commit(struct gitrepo *g, git_commit *commit, git_diff **ret)
{
	git_diff_options o;
	git_tree *old = NULL, *new = NULL;
	git_commit *parent = NULL;
	int r = -1;

	(void)git_diff_options_init(&o, GIT_DIFF_OPTIONS_VERSION);
	o.flags = GIT_DIFF_SKIP_BINARY_CHECK | GIT_DIFF_INCLUDE_TYPECHANGE;
	if (git_commit_tree(&new, commit) == 0 &&
	    (git_commit_parentcount(commit) == 0 ||
	    (git_commit_parent(&parent, commit, 0) == 0 &&
	    git_commit_tree(&old, parent) == 0)))
		r = git_diff_tree_to_tree(ret, g->repo, old, new, &o);
	git_tree_free(old);
	git_tree_free(new);
	git_commit_free(parent);
	return r;
}

static int
tell_commit(struct gitrepo *g, const git_oid *id)
{
	git_commit *commit = NULL;
	git_diff *diff = NULL;
	const char *signature = NULL;
	struct lfs_pointer lfs;
	int r = 0;

	if (git_commit_lookup(&commit, g->repo, id) < 0)
		return gitrepo_bad(g, "a commit cannot be read");
	if (diff_commit(g, commit, &diff) < 0)
		r = gitrepo_bad(g, "a commit's changes cannot be read");
	for (size_t i = 0; diff != NULL && i < git_diff_num_deltas(diff) &&
	    r >= 0; i++) {
		const git_diff_delta *d = git_diff_get_delta(diff, i);

		if (!gitrepo_is_model(d->new_file.path) &&
		    !gitrepo_pointer(g, &d->new_file.id, &lfs) &&
		    !gitrepo_pointer(g, &d->old_file.id, &lfs))
			continue;
		if (signature == NULL)
			signature = signature_kind(g, id);
		r = tell_delta(g, commit, signature, d);
	}
	git_diff_free(diff);
	git_commit_free(commit);
	return r;
}

int
gitlog_read(struct gitrepo *g)
{
	git_revwalk *walk = NULL;
	size_t commits = 0;
	int r, rc = 0;
	git_oid id;

	if (git_revwalk_new(&walk, g->repo) < 0)
		return gitrepo_bad(g, "commits cannot be walked");
	(void)git_revwalk_sorting(walk, GIT_SORT_TOPOLOGICAL | GIT_SORT_TIME);
	r = tell_refs(g, walk);
	while (r >= 0 && commits < LIMIT_GIT_COMMITS &&
	    (rc = git_revwalk_next(&id, walk)) == 0) {
		commits++;
		r = tell_commit(g, &id);
	}
	git_revwalk_free(walk);
	if (r >= 0 && rc != 0 && rc != GIT_ITEROVER)
		r = gitrepo_bad(g, "the history ends where an object is "
		    "missing");
	if (r >= 0 && commits == LIMIT_GIT_COMMITS)
		r = gitrepo_bad(g, "more commits than are looked at");
	return r;
}
