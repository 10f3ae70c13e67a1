#ifndef FORMATS_ZIP_END_H_
#define FORMATS_ZIP_END_H_

#include <stdbool.h>
#include <stdint.h>

struct parse;

/*
 * The end of a zip: the end record, and before it the 64-bit one with its
 * locator.  Private to zip*.c.
 */
#define ZIP_END 22

struct zip_end {
	uint64_t off;		/* of the 32-bit record */
	uint64_t entries, size, cd;	/* as stated; the 64-bit record wins */
	uint64_t records;	/* offset of the first end record (64 or 32) */
	uint64_t stated;	/* where the locator says that it is */
	uint64_t length;	/* what the 64-bit record says of itself */
	uint16_t comment;
	bool wide;		/* there is a 64-bit record */
	bool differs;		/* both records state a field, and differ */
	bool wants;		/* all ones, but no 64-bit record */
	bool split;		/* disk numbers */
};

/*
 * zip_end_find: the last plausible record, and how many there are.  0, or
 * negative: our side.
 */
int zip_end_find(struct parse *p, struct zip_end *ret, unsigned *count);

/* zip_end_check: what is odd about it; ${prefix} stands before the archive. */
int zip_end_check(struct parse *p, const struct zip_end *e, uint64_t prefix);

#endif /* !FORMATS_ZIP_END_H_ */
