#ifndef FORMATS_ZIP_H_
#define FORMATS_ZIP_H_

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "formats/format.h"

/*
 * Zip (PKWARE APPNOTE 6.3.10), read as an attacker would hope that nobody
 * does: the central directory AND the local headers, compared field by
 * field; every byte of the file accounted for.  Private to zip*.c and
 * torch.c.
 *
 * Cost: directory and local headers are read, members' data are not: a
 * stored member is a range.  CRC-32 is checked where the content is read
 * anyway: deflated members, and stored ones up to ZIP_CRC_MAX.  (torch does
 * not check CRCs at all, so a wrong one hides nothing from a loader.)
 */
#define ZIP_CRC_MAX (1 << 20)

struct zip_member {
	const char *name;	/* of the central directory; raw bytes */
	size_t name_len;
	uint16_t made, version, flags, method;
	uint32_t crc, attributes;	/* the external ones */
	uint64_t packed, size;
	uint64_t local;		/* offset of its local header in the object */
	uint64_t data;		/* offset of its data; 0: no local header */
	uint64_t end;		/* behind data and descriptor */
	uint64_t central;	/* offset of its central header */
};

struct package;
struct vtree;

struct zip_dir {
	struct vtree *tree;
	struct package *package;
	struct zip_member *m;
	size_t count;
	uint64_t prefix;	/* bytes before the archive's own offset 0 */
	uint64_t cd_off, cd_end;/* the central directory in the object */
	uint64_t end;		/* behind the end record and its comment */
	uint64_t tail_off;	/* first of the end records */
	uint8_t *scratch;	/* 64 KiB: one local header's extra field */
	bool none;		/* no directory: local headers alone */
};

/*
 * zip_dir_read: find the end record and read the directory.  0, 1: there is
 * none (told as an anomaly), negative: our side.
 */
int zip_dir_read(struct parse *p, struct zip_dir *ret);

/*
 * zip_local_check: compare each member's local header, find its data, and
 * account for every byte between members.
 */
int zip_local_check(struct parse *p, struct zip_dir *d);

/*
 * zip_extra_check: an extra field of ${m}: fields nobody knows, filler that
 * is none, a second name.  zip_extra_zip64: the content of the zip64 field.
 */
int zip_extra_check(struct parse *p, struct cursor c,
    const struct zip_member *m);
bool zip_extra_zip64(struct cursor c, struct cursor *ret);

/* zip_zip64: the 64-bit fields lie; told with what they say. */
int zip_zip64(struct parse *p, uint64_t off, uint64_t len, const char *what);

/* zip_tree_check: names and links, replayed on d->tree. */
int zip_tree_check(struct parse *p, const struct zip_dir *d);

/* zip_emit: one member as an event; ${flags} of enum member_flags. */
int zip_emit(struct parse *p, const struct zip_dir *d,
    const struct zip_member *m, unsigned flags, const char *format);

/* zip_fact_name: an anomaly with the member's name as its evidence. */
int zip_fact_name(struct parse *p, enum anomaly id, uint64_t off,
    const struct zip_member *m);

#endif /* !FORMATS_ZIP_H_ */
