#ifndef CUSTODY_EVIDENCE_READ_H_
#define CUSTODY_EVIDENCE_READ_H_

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct arena;
struct bytesrc;
struct err;

/*
 * Walk the members of a bundle: strict, byte-exact, nothing extracted.
 * Read side.  Call it inside the sandbox.
 *
 * evidence_walk_next returns 1 and *m, 0 at the two zero blocks (it then has
 * checked that they are the last bytes), or negative: ERR_FORMAT (with
 * e->off) where the bundle is not canonical, ERR_TRUNC, ERR_LIMIT (too many
 * members for the arena), ERR_IO.  The name is valid until the next call.
 */
struct evidence_member {
	const char *name;	/* below BAG/, NUL-terminated, escaped form */
	size_t name_len;
	uint64_t header_offset;	/* first header, the pax one if there */
	uint64_t data_offset;
	uint64_t size;
	uint64_t mtime;
};

struct evidence_walk;
int evidence_walk_new(const struct bytesrc *src, struct arena *a,
    struct evidence_walk **ret, struct err *e);
int evidence_walk_next(struct evidence_walk *w, struct evidence_member *m,
    struct err *e);
const char *evidence_walk_bag(const struct evidence_walk *w);

/*
 * evidence_walk_body: the same over an unsealed body (docs/FORMAT.md 10),
 * which ends with body-end.txt instead of the trailer.  ${src} may be a
 * stream: headers and padding are read forward, and content that the caller
 * has not read is passed over.
 */
int evidence_walk_body(const struct bytesrc *src, struct arena *a,
    struct evidence_walk **ret, struct err *e);

/*
 * evidence_is_bundle(head, n): does this start as a bundle does: a canonical
 * header of NAME/bagit.txt, 54 bytes of bagit.txt?  (First 1024 bytes.)
 */
bool evidence_is_bundle(const uint8_t *head, size_t n);

/*
 * evidence_find(src, a, name, m, e): the member's place.  1 found, 0 not,
 * negative as above.
 */
int evidence_find(const struct bytesrc *src, struct arena *a,
    const char *name, struct evidence_member *m, struct err *e);

#endif /* !CUSTODY_EVIDENCE_READ_H_ */
