#ifndef FORMATS_REG_HFTREE_H_
#define FORMATS_REG_HFTREE_H_

#include <stdbool.h>
#include <stddef.h>

#include "formats/reg/claim.h"

struct doc;

/*
 * trees/<commit>.json of a Hugging Face cache (huggingface_hub,
 * _tree_cache.py): every file of a commit as the Hub listed them.
 *
 *	{"format_version":1,"files":{PATH:{"size":N,"blob_id":GIT-SHA1,
 *	 "lfs_sha256":SHA256,"lfs_size":N,"xet_hash":...}}}
 */

/*
 * hftree_load: 0 and the map of the files, 1 when it is no such list (told),
 * or negative.
 */
int hftree_load(struct reg_parse *p, const struct reg_file *f,
    const struct doc **ret);
/* hftree_claim: what it says of this file; false: it has no such entry. */
bool hftree_claim(const struct doc *files, const char *path, size_t n,
    struct claim *c);

/* hf_etag: the digest that a name of 64 or 40 digits is, or CLAIM_NONE. */
enum claim_hash hf_etag(const char *s, size_t n);
/*
 * hf_compute: the digest of the file in ${hex} and how it was made in *h, for
 * an etag for which hf_etag says *h.  The Hub gives the id of git's object;
 * a proxy before it that makes etags of its own (Artifactory) gives the plain
 * SHA-1 of the bytes, and such a cache is in order, too: *h is CLAIM_SHA1
 * when that is what agrees.  0, 1 when the bytes are not at hand (told), or
 * negative.
 */
int hf_compute(struct reg_parse *p, const struct reg_file *f,
    const char *etag, size_t n, enum claim_hash *h, char hex[CLAIM_HEX]);
/* hf_is_commit: 40 hexadecimal digits. */
bool hf_is_commit(const char *s, size_t n);
/*
 * hf_repository: the id that the folder's name stands for: "acme/tiny" of
 * "models--acme--tiny", in the arena; *dataset when it is one.  NULL: no
 * such name.
 */
const char *hf_repository(struct reg_parse *p, const char *name, size_t n,
    bool *dataset);
bool hf_is_folder(const char *name, size_t n);

#endif /* !FORMATS_REG_HFTREE_H_ */
