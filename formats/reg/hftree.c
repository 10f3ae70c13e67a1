#include <string.h>

#include "base/arena.h"
#include "base/err.h"
#include "formats/doc.h"
#include "formats/reg/hftree.h"
#include "formats/reg/regdoc.h"

static const char *const prefixes[] = {"models--", "datasets--", "spaces--"};

enum claim_hash
hf_etag(const char *s, size_t n)
{
	if (!claim_is_hex(s, n))
		return CLAIM_NONE;
	return n == 64 ? CLAIM_SHA256 : n == 40 ? CLAIM_GIT : CLAIM_NONE;
}

static bool
agrees(const char *hex, const char *etag, size_t n)
{
	return strlen(hex) == n && memcmp(hex, etag, n) == 0;
}

int
hf_compute(struct reg_parse *p, const struct reg_file *f,
    const char *etag, size_t n, enum claim_hash *h, char hex[CLAIM_HEX])
{
	char plain[CLAIM_HEX];
	int r = claim_compute(p, f, *h, hex);

	if (r != 0 || *h != CLAIM_GIT || agrees(hex, etag, n))
		return r;
	if ((r = claim_compute(p, f, CLAIM_SHA1, plain)) == 0 &&
	    agrees(plain, etag, n)) {
		memcpy(hex, plain, sizeof(plain));
		*h = CLAIM_SHA1;
	}
	return r;
}

bool
hf_is_commit(const char *s, size_t n)
{
	return n == 40 && claim_is_hex(s, n);
}

static size_t
prefix_of(const char *name, size_t n)
{
	for (size_t i = 0; i < sizeof(prefixes) / sizeof(*prefixes); i++)
		if (n > strlen(prefixes[i]) &&
		    memcmp(name, prefixes[i], strlen(prefixes[i])) == 0)
			return strlen(prefixes[i]);
	return 0;
}

bool
hf_is_folder(const char *name, size_t n)
{
	return prefix_of(name, n) > 0;
}

const char *
hf_repository(struct reg_parse *p, const char *name, size_t n, bool *dataset)
{
	size_t skip = prefix_of(name, n);
	char *id, *mark;

	if (skip == 0 ||
	    (id = arena_dup(p->arena, name + skip, n - skip)) == NULL)
		return NULL;
	*dataset = name[0] == 'd';
	if ((mark = strstr(id, "--")) != NULL) {
		*mark = '/';
		memmove(mark + 1, mark + 2, strlen(mark + 2) + 1);
	}
	return id;
}

int
hftree_load(struct reg_parse *p, const struct reg_file *f,
    const struct doc **ret)
{
	const struct doc *d = NULL, *files;
	int r;

	if ((r = regdoc_json(p, f, &d)) != 0)
		return r;
	files = doc_key(d, "files");
	if (!doc_is(files, DOC_MAP))
		return reg_bad(p, f, 0, "no list of files");
	if (files->doubles > 0)
		return reg_bad(p, f, files->off, "a file stands twice");
	*ret = files;
	return 0;
}

bool
hftree_claim(const struct doc *files, const char *path, size_t n,
    struct claim *c)
{
	const struct doc *d = doc_keyn(files, path, n), *digest;

	if (d == NULL)
		return false;
	digest = doc_key(d, "lfs_sha256");
	c->hash = CLAIM_SHA256;
	if (!doc_is(digest, DOC_STRING)) {
		digest = doc_key(d, "blob_id");
		c->hash = CLAIM_GIT;
	}
	c->digest = doc_str(digest, &c->digest_len);
	if (c->digest == NULL)
		c->hash = CLAIM_NONE;
	c->sized = doc_u64(doc_key(d, c->hash == CLAIM_SHA256 &&
	    doc_key(d, "lfs_size") != NULL ? "lfs_size" : "size"), &c->size);
	c->name = path;
	c->name_len = n;
	return true;
}
