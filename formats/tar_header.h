#ifndef FORMATS_TAR_HEADER_H_
#define FORMATS_TAR_HEADER_H_

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct parse;

/*
 * A tar header as writers in the wild make it (POSIX.1-1988 ustar, GNU,
 * pre-POSIX), and the records that speak of the next member.  Private to
 * tar*.c.
 *
 *	0 name 100  100 mode 8  124 size 12  136 mtime 12  148 chksum 8
 *	156 type  157 link 100  257 magic 6  263 version 2  345 prefix 155
 *	GNU: 386 four pairs of offset and length, 482 more follow
 */
#define TAR_BLOCK 512

struct tar_header {
	char name[257];		/* prefix + "/" + name */
	size_t name_len;
	char link[101];
	size_t link_len;
	size_t name_tail, link_tail;	/* bytes behind their NULs */
	uint64_t size;
	uint64_t mode;
	uint8_t type;
	bool magic;		/* ustar, in either spelling */
	bool posix;		/* ustar with its NUL: not GNU's */
	bool extended;		/* GNU sparse: another block of the map */
	bool checksum_ok;	/* signed or unsigned sum */
};

/* tar_header_read: false when a number makes no sense. */
bool tar_header_read(const uint8_t block[TAR_BLOCK], struct tar_header *ret);
/* tar_header_number: a field of ${n} bytes; false when it makes no sense. */
bool tar_header_number(const uint8_t *block, size_t off, size_t n,
    uint64_t *ret);
bool tar_is_zero(const uint8_t block[TAR_BLOCK]);
/* tar_map_continues: a block of a GNU sparse map: does another follow? */
bool tar_map_continues(const uint8_t block[TAR_BLOCK]);

/* What a pax header ('x'), or a GNU long name or link ('L', 'K'), says. */
struct tar_next {
	const char *name, *link;
	size_t name_len, link_len;
	uint64_t size;
	uint64_t off;		/* of the first record's header */
	bool has_name, has_link, has_size, any;
	bool sparse_name;	/* of GNU.sparse.name, which wins */
	bool sparse;		/* the content is a map and pieces */
};

bool tar_is_record(uint8_t type);	/* x, X, g, L, K */
/*
 * tar_record_read: the record's content at [off, off+size).  What it says
 * twice, or for all members, is told.  0, 1: malformed (told), negative.
 */
int tar_record_read(struct parse *p, uint8_t type, uint64_t off,
    uint64_t size, struct tar_next *next);

/*
 * tar_record_check: does the header say the same, as far as it could?  Told
 * as TAR_RECORD.
 */
int tar_record_check(struct parse *p, const struct tar_next *next,
    const struct tar_header *h, uint64_t off);

#endif /* !FORMATS_TAR_HEADER_H_ */
