#include <git2.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "analyzer/intake/gitrepo.h"
#include "base/err.h"

static const char *const patterns[] = {"*.safetensors", "*.bin", "*.pt",
    "*.pth", "*.ckpt", "*.onnx", "*.gguf", "*.ggml", "*.h5", "*.hdf5",
    "*.keras", "*.pkl", "*.pickle", "*.joblib", "*.npy", "*.npz", "*.tflite",
    "*.pb", "*.msgpack", "*.model", "*.mar", "*.engine", "*.plan",
    "*.mlmodel", "*MLmodel", "*.jinja", "*config.json", "*tokenizer.json",
    "*.index.json"};

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

	for (size_t i = 0; i < sizeof(patterns) / sizeof(patterns[0]); i++) {
		len = strlen(patterns[i]) - 1;
		if (n >= len && strcmp(path + n - len, patterns[i] + 1) == 0)
			return true;
	}
	return false;
}

const char *const *
gitrepo_patterns(size_t *n)
{
	*n = sizeof(patterns) / sizeof(patterns[0]);
	return patterns;
}

/*
 * "version https://git-lfs.github.com/spec/v1", then keys in order, among
 * them "oid sha256:" and "size"; below 1024 bytes.
 */
#define POINTER_MAX 1024
#define POINTER_BEGIN "version https://git-lfs.github.com/spec/v1\n"

static bool
parse_pointer(const char *text, struct gitrepo_pointer *ret)
{
	const char *oid = strstr(text, "\noid sha256:");
	const char *size = strstr(text, "\nsize ");
	char *end;

	if (strncmp(text, POINTER_BEGIN, strlen(POINTER_BEGIN)) != 0 ||
	    oid == NULL || size == NULL)
		return false;
	oid += strlen("\noid sha256:");
	if (strspn(oid, "0123456789abcdef") != 64)
		return false;
	memcpy(ret->sha256, oid, 64);
	ret->sha256[64] = '\0';
	ret->size = strtoull(size + strlen("\nsize "), &end, 10);
	return *end == '\n' || *end == '\0';
}

int
gitrepo_pointer(struct gitrepo *g, const struct git_oid *blob,
    struct gitrepo_pointer *ret)
{
	char text[POINTER_MAX + 1];
	git_object_t type;
	git_odb *odb = NULL;
	git_blob *b = NULL;
	size_t size;
	int r = 0;

	/* The header first: a blob of many gigabytes is not loaded. */
	if (git_repository_odb(&odb, g->repo) == 0 &&
	    git_odb_read_header(&size, &type, odb, blob) == 0 &&
	    type == GIT_OBJECT_BLOB && size < POINTER_MAX &&
	    git_blob_lookup(&b, g->repo, blob) == 0) {
		size = (size_t)git_blob_rawsize(b);
		memcpy(text, git_blob_rawcontent(b), size);
		text[size] = '\0';
		r = parse_pointer(text, ret);
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
