#ifndef FORMATS_REG_CLAIM_H_
#define FORMATS_REG_CLAIM_H_

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "formats/lfs.h"
#include "formats/reg/reg.h"

struct bytesrc;

/*
 * What a registry claims about the bytes of a file, held against the bytes.
 */
enum claim_hash {
	CLAIM_NONE,		/* a size alone */
	CLAIM_SHA256,
	CLAIM_SHA512,
	CLAIM_SHA1,
	CLAIM_MD5,
	CLAIM_BLAKE2B,
	CLAIM_GIT,		/* SHA-1 of "blob SIZE\0" and the bytes */
};

struct claim {
	enum claim_hash hash;
	const char *digest;	/* as the registry says: hexadecimal */
	size_t digest_len;
	bool sized;
	uint64_t size;
	const struct reg_file *by;	/* the file that claims */
	const char *name;	/* of the file that it means, as it says */
	size_t name_len;
};
#define CLAIM_HEX 129		/* the longest digest in hex, and a NUL */

const char *claim_name(enum claim_hash h);	/* "sha256", "git-sha1" */
size_t claim_digits(enum claim_hash h);	/* hex digits; 0 for CLAIM_NONE */
bool claim_is_hex(const char *s, size_t n);	/* in lower case */

/*
 * claim_compute: the digest of the file's bytes, a link followed, in
 * lower-case hex.  0, 1 when they are not at hand (told), or negative.
 */
int claim_compute(struct reg_parse *p, const struct reg_file *f,
    enum claim_hash h, char hex[CLAIM_HEX]);

/*
 * claim_source: the same of bytes that are open; 0, or negative when they
 * cannot be read, too (nothing is told).
 */
int claim_source(struct reg_parse *p, const struct bytesrc *src,
    enum claim_hash h, char hex[CLAIM_HEX]);

/*
 * claim_check: does ${f} (NULL: it is not there) hold?  Fills MEMBER, SIZE,
 * ALGORITHM, DIGEST, RECOMPUTED and AGREES of ${row}, sends the row, and
 * tells one of MISSING, UNREAD, POINTER, DIGEST or SIZE, or MALFORMED when
 * what is claimed is no digest.  0 or negative.
 */
int claim_check(struct reg_parse *p, const struct reg_file *f,
    const struct claim *c, struct reg_row *row);

/*
 * claim_settle: the same when the digest is known: ${found} in hex, of
 * ${size} bytes.
 */
int claim_settle(struct reg_parse *p, const struct reg_file *f,
    const struct claim *c, const char *found, uint64_t size,
    struct reg_row *row);

/*
 * claim_pointer: is the file a pointer of Git LFS?  1 and *ret, 0 when it is
 * none or cannot be read (told), or negative.  claim_object: the object of
 * this name in the registry's lfs/objects, or NULL.
 */
int claim_pointer(struct reg_parse *p, const struct reg_file *f,
    struct lfs_pointer *ret);
const struct reg_file *claim_object(struct reg_parse *p, const char oid[65]);

#endif /* !FORMATS_REG_CLAIM_H_ */
