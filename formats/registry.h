#ifndef FORMATS_REGISTRY_H_
#define FORMATS_REGISTRY_H_

#include <stdint.h>

#include "base/cursor.h"

struct bytesrc;
struct err;
struct format;

/*
 * All formats, and who claims an object.
 *
 * registry_bids writes every format whose bid is at least BID_PLAUSIBLE,
 * best first (ties in the order of formats.def), and returns how many.
 * ${head} and ${tail} are the object's first FORMAT_HEAD and last
 * FORMAT_TAIL bytes, or all of it.  All of them are parsed: which one a
 * loader would choose is not ours to guess.  Of the formats that claim by
 * looks (FORMAT_DATA) only the best is kept.
 */
#define BID_PLAUSIBLE 8
#define BID_STRONG 24
#define BID_MAGIC 32	/* four bytes and more that only this format has */

struct bid {
	const struct format *format;
	unsigned bits;
};

unsigned registry_bids(struct cursor head, struct cursor tail, uint64_t size,
    struct bid *ret, unsigned cap);
/*
 * registry_claims: registry_bids of an object of ${size} bytes in ${src} whose
 * first ones are at hand; the last ones are read here.  How many, or
 * negative.
 */
int registry_claims(const struct bytesrc *src, uint64_t size,
    struct cursor head, struct bid *ret, unsigned cap, struct err *e);
const struct format *registry_find(const char *name); /* NULL: no such */
unsigned registry_count(void);
const struct format *registry_at(unsigned i);

#endif /* !FORMATS_REGISTRY_H_ */
