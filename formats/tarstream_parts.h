#ifndef FORMATS_TARSTREAM_PARTS_H_
#define FORMATS_TARSTREAM_PARTS_H_

#include "base/limits.h"
#include "formats/tar_header.h"
#include "formats/tarstream.h"

struct cursor;

/* Shared by tarstream*.c, and by nobody else. */
struct tarstream_text {
	uint8_t *p;		/* LIMIT_TAR_NAME bytes */
	size_t n;
	bool has;
};

/* What records say of the next entry. */
struct tarstream_said {
	struct tarstream_text name, link, user, group;
	bool has_size, has_uid, has_gid, has_mtime;
	uint64_t size, uid, gid;
	int64_t mtime;
	uint32_t mtime_ns;
	bool sparse, sparse_1_0, sparse_name, has_real;
	uint64_t real_size;
	size_t pax_len;
	uint8_t *pax;		/* LIMIT_TAR_RECORDS bytes */
};

struct tarstream {
	const struct bytesrc *src;
	uint64_t at;		/* of the next block */
	bool begun, ended, cut;
	unsigned zeros;		/* blocks in a row */
	unsigned notes;		/* for the next entry */
	uint64_t first;		/* of its first record; valid if has_first */
	bool has_first;
	struct tarstream_said said;
	struct tarstream_piece *piece;	/* LIMIT_TAR_PIECES */
	size_t npieces;
	uint8_t *unparsed;	/* LIMIT_TAR_UNPARSED; also a map's text */
	size_t head_len;	/* of that text, 0 when there is none */
	struct tar_header h;
	uint8_t block[TAR_BLOCK];
	char user[33], group[33];
	struct tarstream_entry e;
};

/* One block at t->at: 1, 0 at the end, 2 a part of one; negative. */
int tarstream_block(struct tarstream *t, size_t *got, struct err *e);

/* tarstream_pax.c: records. */
void tarstream_pax(struct tarstream *t, const uint8_t *p, size_t n);
/* tarstream_sparse.c: maps.  The pieces of an old GNU header ('S'): the blocks
 * behind it are read.  0, or negative. */
int tarstream_gnu_map(struct tarstream *t, struct err *e);
/* The map at the start of the content (1.0): *len of it, 0 when bad. */
int tarstream_map_1_0(struct tarstream *t, uint64_t off, uint64_t size,
    uint64_t *len, struct err *e);
void tarstream_add_piece(struct tarstream *t, uint64_t off, uint64_t n);
/* Do the pieces make sense for so much content and that file? */
bool tarstream_map_ok(const struct tarstream *t, uint64_t content,
    uint64_t real);

#endif /* !FORMATS_TARSTREAM_PARTS_H_ */
