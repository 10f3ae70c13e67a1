#ifndef CUSTODY_BAGTEXT_H_
#define CUSTODY_BAGTEXT_H_

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "custody/digest.h"

struct buf;

/*
 * The texts of a bundle that follow from its other bytes: container.json,
 * bag-info.txt, seal.txt and tag manifests.  The writer writes what these
 * functions give; the verifier regenerates and compares, so there is one
 * description of each and no parser for it.  Read side.
 */

/* Members under metadata/, container.json not counted; and all tag files. */
#define BAGTEXT_METADATA 64
#define BAGTEXT_TAGS (BAGTEXT_METADATA + 12)
#define BAGTEXT_NAME 100

struct bagtext_tag {
	char name[BAGTEXT_NAME + 1];	/* below BAG/ */
	struct digests digests;
};

struct bagtext_container {
	const char *bag;
	unsigned digests;		/* enum digest_set */
	uint64_t header_mtime;
	uint64_t members;		/* payload members */
	uint64_t payload_bytes;
	uint64_t prefix_len;		/* offset of container.json's header */
	uint8_t prefix_sha256[32];
	uint8_t merkle_root[32];
	bool token;			/* is there a seal.txt.p7s.tsr? */
};
void bagtext_container(struct buf *b, const struct bagtext_container *c);

/* tool and external_id: printable, without line feed. */
struct bagtext_info {
	const char *tool, *external_id;
	size_t tool_len, external_id_len;
	uint64_t header_mtime, members, payload_bytes;
};
void bagtext_info(struct buf *b, const struct bagtext_info *i);

/*
 * bagtext_info_read: the two free values out of a bag-info.txt; false when
 * it does not have the four lines.  They point into ${p}.
 */
bool bagtext_info_read(const uint8_t *p, size_t n, struct bagtext_info *ret);

/*
 * body-end.txt: that a body is whole, and what its collection came to.
 * ${records}: every byte before the first manifest's header.
 */
struct bagtext_body {
	uint64_t records_len;
	uint8_t records_sha256[32];
	uint64_t objects, stored, bytes, errors, changed, duplicates;
};
void bagtext_body(struct buf *b, const struct bagtext_body *t);
/* bagtext_body_read: false unless bagtext_body could have written it. */
bool bagtext_body_read(const uint8_t *p, size_t n, struct bagtext_body *ret);

/* bagtext_lines: manifest lines of tags, in order. */
void bagtext_lines(struct buf *b, const struct bagtext_tag *t, size_t n,
    enum digest_set which);

#endif /* !CUSTODY_BAGTEXT_H_ */
