#ifndef CUSTODY_MANIFEST_H_
#define CUSTODY_MANIFEST_H_

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/cursor.h"
#include "base/limits.h"
#include "base/reader.h"

struct arena;
struct buf;
struct bytesrc;
struct err;

/*
 * Lines of a manifest, of a tag manifest and of seal.txt, in the format of
 * sha256sum and sha512sum, and nothing else (docs/FORMAT.md 5):
 *
 *   hex digits of the digest, lower case; two blanks; the name; LF
 *
 * The name is one that bag_member_ok accepts, so neither sha256sum's
 * backslash rule nor BagIt's percent rule can apply.  Read side.
 */
#define MANIFEST_DIGEST_MAX 64
/* A line without its LF. */
#define MANIFEST_LINE_MAX \
	((size_t)2 * MANIFEST_DIGEST_MAX + 2 + LIMIT_MEMBER_NAME)

/* manifest_put: append one line; ${len} is 32 or 64. */
void manifest_put(struct buf *b, const uint8_t *digest, size_t len,
    const char *name, size_t n);

struct manifest_line {
	uint8_t digest[MANIFEST_DIGEST_MAX];
	const char *name;	/* points into the line; not terminated */
	size_t n;
};

/* manifest_parse: ${line} is a whole line without its LF.  Byte-exact. */
bool manifest_parse(struct cursor line, size_t len,
    struct manifest_line *ret);

/*
 * A walk through a manifest of any length in bounded memory.  The window
 * comes from the arena, once.
 */
struct manifest_walk {
	struct reader r;
	size_t len;		/* of a digest */
	uint64_t lines;		/* read so far */
	uint8_t text[MANIFEST_LINE_MAX];
};

int manifest_walk_init(struct manifest_walk *w, const struct bytesrc *src,
    size_t len, struct arena *a, struct err *e);

/*
 * manifest_walk_next: 1 and *ret (valid until the next call), 0 at the end,
 * ERR_FORMAT for a line that is not exactly as above (a last line without
 * LF included), or ERR_IO, ERR_TRUNC.
 */
int manifest_walk_next(struct manifest_walk *w, struct manifest_line *ret,
    struct err *e);

#endif /* !CUSTODY_MANIFEST_H_ */
