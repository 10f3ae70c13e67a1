#ifndef FORMATS_TARSTREAM_H_
#define FORMATS_TARSTREAM_H_

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct arena;
struct bytesrc;
struct err;

/*
 * A foreign tar as a stream, entry by entry, for taking evidence out of it
 * (tar.c judges one that lies whole before it).  Written by anybody: POSIX
 * ustar and pax, GNU, star, pre-POSIX; damaged, cut or made to deceive.
 * Nothing is passed over in silence: what is no header comes as an entry of
 * its own (TARSTREAM_UNPARSED), and whatever is odd is noted.
 *
 * Content is read by the caller from ${src} at data_offset (but for its head,
 * below), before the next call; what is not read is passed over.  An entry is valid until then.
 */
enum tarstream_kind {
	TARSTREAM_FILE,		/* '0', NUL, '7', 'S'; and a type that is not
				 * known but has content */
	TARSTREAM_HARD_LINK,
	TARSTREAM_SYMLINK,
	TARSTREAM_CHARACTER,
	TARSTREAM_BLOCK,
	TARSTREAM_DIRECTORY,
	TARSTREAM_FIFO,
	TARSTREAM_OTHER,	/* a type that is not known */
	TARSTREAM_UNPARSED,	/* bytes where a header should be */
	TARSTREAM_KINDS
};

enum tarstream_note {
	TARSTREAM_ABSOLUTE = 1 << 0,	/* the name starts with "/" */
	TARSTREAM_DOTDOT = 1 << 1,	/* ".." is a component */
	TARSTREAM_LONE_ZERO = 1 << 2,	/* a single zero block before it */
	TARSTREAM_BEHIND_END = 1 << 3,	/* it stands behind the end */
	TARSTREAM_GLOBAL = 1 << 4,	/* a global pax header before it */
	TARSTREAM_TYPE = 1 << 5,	/* the type is not known */
	TARSTREAM_NUMBER = 1 << 6,	/* a number makes no sense: 0 */
	TARSTREAM_RECORD = 1 << 7,	/* a pax or long name record is damaged */
	TARSTREAM_LONG = 1 << 8,	/* a record is too long: not read */
	TARSTREAM_NO_NAME = 1 << 9,
	TARSTREAM_SPARSE = 1 << 10,	/* with holes: map and pieces follow */
	TARSTREAM_SPARSE_BAD = 1 << 11,	/* its map makes no sense */
	TARSTREAM_LINK_CONTENT = 1 << 12,/* content where none should be */
	TARSTREAM_NOTES = (1 << 13) - 1,
};

/* A piece of a sparse file: ${n} bytes of the content belong at ${off}. */
struct tarstream_piece {
	uint64_t off, n;
};

struct tarstream_entry {
	enum tarstream_kind kind;
	uint8_t type;			/* the byte of the header */
	unsigned notes;			/* enum tarstream_note */
	const uint8_t *name, *link, *user, *group;	/* NULL: none */
	size_t name_len, link_len, user_len, group_len;
	uint64_t mode, uid, gid, dev_major, dev_minor;
	int64_t mtime;
	uint32_t mtime_ns;
	uint64_t offset;		/* of the first record or header */
	uint64_t data_offset, size;	/* of the content in the stream */
	uint64_t real_size;		/* of the file; size unless sparse */
	const struct tarstream_piece *piece;	/* of a sparse file */
	size_t npieces;
	/* The content's first bytes, where ${src} has passed them already. */
	const uint8_t *head;
	size_t head_len;
	const uint8_t *pax;		/* all pax records as they stand */
	size_t pax_len;
};

/* How the stream ended. */
enum tarstream_end {
	TARSTREAM_ENDED,	/* two zero blocks, then zeros alone */
	TARSTREAM_NO_END,	/* behind an entry, without zero blocks */
	TARSTREAM_CUT,		/* within a header, a record or content */
};

struct tarstream;
/* tarstream_new: ${src} may be a stream (bytesrc.h). */
int tarstream_new(const struct bytesrc *src, struct arena *a,
    struct tarstream **ret, struct err *e);
/*
 * tarstream_next: 1 and *ret; 0 at the end, *end then says how.  ERR_FORMAT
 * when the first block is no header: no tar at all.
 */
int tarstream_next(struct tarstream *t, const struct tarstream_entry **ret,
    enum tarstream_end *end, struct err *e);

/* "absolute name" and so on, for one bit. */
const char *tarstream_note_text(unsigned bit);

#endif /* !FORMATS_TARSTREAM_H_ */
