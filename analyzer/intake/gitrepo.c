#include <git2.h>
#include <stdio.h>
#include <string.h>

#include "analyzer/intake/gitrepo.h"
#include "base/cursor.h"
#include "base/err.h"
#include "formats/lfs.h"

/* What the paths of models' files end with. */
static const char *const tails[] = {".safetensors", ".bin", ".pt", ".pth",
    ".ckpt", ".onnx", ".gguf", ".ggml", ".h5", ".hdf5", ".keras", ".pkl",
    ".pickle", ".joblib", ".npy", ".npz", ".tflite", ".pb", ".msgpack",
    ".model", ".mar", ".engine", ".plan", ".mlmodel", "MLmodel", ".jinja",
    "config.json", "tokenizer.json", ".index.json"};

int
gitrepo_start(struct err *e)
{
	static const int levels[] = {GIT_CONFIG_LEVEL_PROGRAMDATA,
	    GIT_CONFIG_LEVEL_SYSTEM, GIT_CONFIG_LEVEL_XDG,
	    GIT_CONFIG_LEVEL_GLOBAL};

	if (git_libgit2_init() < 0)
		return err_set(e, ERR_CHILD, "cannot start libgit2");
	/* No configuration of this machine, and none of its owner's. */
	for (size_t i = 0; i < sizeof(levels) / sizeof(levels[0]); i++)
		if (git_libgit2_opts(GIT_OPT_SET_SEARCH_PATH, levels[i],
		    "") < 0)
			return err_set(e, ERR_CHILD, "cannot set up libgit2");
	(void)git_libgit2_opts(GIT_OPT_SET_OWNER_VALIDATION, 0);
	(void)git_libgit2_opts(GIT_OPT_ENABLE_STRICT_HASH_VERIFICATION, 1);
	return 0;
}

const char *
gitrepo_hex(char dst[GITREPO_HEX], const struct git_oid *id)
{
	return git_oid_tostr(dst, GITREPO_HEX, id);
}

int
gitrepo_bad(struct gitrepo *g, const char *what)
{
	const git_error *why = git_error_last();
	const char *text = why != NULL ? why->message : "";
	const struct reg_fact facts[] = {{"why", what, strlen(what)},
	    {"library", text, strlen(text)}};
	int r = reg_tell(g->p, REG_PROBLEM_MALFORMED, reg_find(g->p->tree,
	    g->dot_git, strlen(g->dot_git)), facts, 2);

	return r < 0 ? r : 1;
}

bool
gitrepo_is_model(const char *path)
{
	size_t n = strlen(path), len;

	for (size_t i = 0; i < sizeof(tails) / sizeof(tails[0]); i++) {
		len = strlen(tails[i]);
		if (n >= len && strcmp(path + n - len, tails[i]) == 0)
			return true;
	}
	return false;
}

int
gitrepo_pointer(struct gitrepo *g, const struct git_oid *blob,
    struct lfs_pointer *ret)
{
	git_object_t type;
	git_odb *odb = NULL;
	git_blob *b = NULL;
	struct cursor c;
	size_t size;
	int r = 0;

	/* The header first: a blob of many gigabytes is not loaded. */
	if (git_repository_odb(&odb, g->repo) == 0 &&
	    git_odb_read_header(&size, &type, odb, blob) == 0 &&
	    type == GIT_OBJECT_BLOB && size <= LFS_POINTER_MAX &&
	    git_blob_lookup(&b, g->repo, blob) == 0) {
		cursor_init(&c, git_blob_rawcontent(b),
		    (size_t)git_blob_rawsize(b), 0);
		r = lfs_pointer(&c, ret);
	}
	git_blob_free(b);
	git_odb_free(odb);
	return r;
}

int
gitrepo_read(struct gitrepo *g)
{
	int r, rc;

	/* As if bare: there is no working folder in the copy. */
	if (git_repository_open_ext(&g->repo, g->path,
	    GIT_REPOSITORY_OPEN_NO_SEARCH | GIT_REPOSITORY_OPEN_BARE |
	    GIT_REPOSITORY_OPEN_NO_DOTGIT, NULL) < 0)
		return gitrepo_bad(g, "it cannot be opened");
	if ((r = gitlog_read(g)) >= 0 && (rc = githead_read(g)) != 0)
		r = rc;
	git_repository_free(g->repo);
	g->repo = NULL;
	return r;
}
