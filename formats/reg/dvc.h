#ifndef FORMATS_REG_DVC_H_
#define FORMATS_REG_DVC_H_

#include <stdbool.h>
#include <stddef.h>

#include "formats/reg/claim.h"

struct doc;

/*
 * DVC (dvc/schema.py, dvc-data hashfile).  Private to dvc*.c.
 *
 * MD5 everywhere.  Since DVC 3 ("hash: md5") it is that of the bytes; before,
 * of bytes whose CR LF had become LF where the file looked like text
 * ("md5-dos2unix"): both are tried where nothing says which.
 */
struct dvc_out {
	const struct doc *d;	/* of outs: or deps: */
	const struct reg_file *by;
	const char *path;	/* in the tree, "a/b" */
	size_t n;
	bool dependency;	/* one that differs is out of date, no more */
	bool modern;		/* hash: md5 */
};

/* dvc_check_out: 0 or negative. */
int dvc_check_out(struct reg_parse *p, const struct dvc_out *o,
    const char *stage, size_t stage_len);

/*
 * dvc_digest: of one file; legacy: as DVC 2 would.  0 and *hex, 1 when the
 * bytes are not at hand (told), or negative.
 */
int dvc_digest(struct reg_parse *p, const struct reg_file *f, bool legacy,
    char hex[CLAIM_HEX]);
/* dvc_matches: the one, or the other unless ${modern}; hex is the plain one. */
int dvc_matches(struct reg_parse *p, const struct reg_file *f,
    const char *digest, bool modern, char hex[CLAIM_HEX]);

/*
 * dvc_directory: the digest of a folder as DVC makes it: the MD5 of
 * [{"md5": "...", "relpath": "a/b"}, ...] by relpath as Python's json.dumps
 * writes it, with ".dir" behind.  1: something was not at hand (told).
 */
int dvc_directory(struct reg_parse *p, const char *folder, size_t n,
    char hex[CLAIM_HEX]);
/* dvc_object: the file of the cache with this digest, or NULL. */
const struct reg_file *dvc_object(const struct reg_parse *p,
    const char *digest, size_t n);

/* dvc_cache: hold every object of the cache against its name. */
int dvc_cache(struct reg_parse *p);

#endif /* !FORMATS_REG_DVC_H_ */
