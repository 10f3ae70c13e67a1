#ifndef CUSTODY_TARITEM_H_
#define CUSTODY_TARITEM_H_

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/limits.h"
#include "custody/tarhdr.h"

struct err;

/*
 * What stands before a member's content in the tar: its header, and before
 * that a pax record where the header cannot say it (docs/FORMAT.md 4).  The
 * writer stores what this gives; the reader regenerates it and compares.
 * Read side.
 */

/* From here on the size also stands in a pax record. */
#define TARITEM_BIG 0x200000000U	/* 8 GiB */

/* "4116 path=" + path + LF + "30 size=18446744073709551615" LF */
#define TARITEM_RECORD_MAX (LIMIT_MEMBER_NAME + 64)
#define TARITEM_MAX (2 * TARHDR_SIZE + TARITEM_RECORD_MAX + TARHDR_SIZE)

struct taritem {
	const char *path;	/* "BAG/name", no NUL within */
	size_t n;		/* 1 to LIMIT_MEMBER_NAME bytes */
	uint64_t size, mtime;
};

/* taritem_plain: does the header alone say it, without a pax record? */
bool taritem_plain(const struct taritem *t);

/*
 * taritem_put: the bytes for a member; *n is 512 without a pax record, a
 * larger multiple of 512 with one.  ERR_ARG, ERR_CRYPTO.
 */
int taritem_put(uint8_t out[TARITEM_MAX], const struct taritem *t, size_t *n,
    struct err *e);

/*
 * taritem_path: the value of the "path" record at the start of a pax
 * record's content; NULL when it does not start with one.  Only a guess: the
 * caller regenerates and compares.
 */
const char *taritem_path(const uint8_t *record, size_t n, size_t *path_len);

#endif /* !CUSTODY_TARITEM_H_ */
