#ifndef COLLECTOR_PAGE_H_
#define COLLECTOR_PAGE_H_

#include <stddef.h>
#include <stdint.h>

#include "custody/bag.h"

struct collect;

/*
 * Bytes that came from elsewhere than a file, as a member with a row of its
 * own in files.jsonl: type file, note "fetched", and below "fetched" where
 * from, how, and when.
 */
struct page {
	enum bag_class class;
	const char *path;	/* what it is called: "/HOST/..." */
	const void *p;
	size_t n;
	const char *url, *method;
	const char *request;	/* body of the question, or NULL */
	const char *peer;	/* address that answered */
	long status;
	int64_t asked_ns, came_ns;
};

/*
 * page_take: 0 with the digest (zeros when the name was taken: an error of
 * the record), negative when the bundle cannot be written.
 */
int page_take(struct collect *c, const struct page *p, uint8_t sha256[32]);

#endif /* !COLLECTOR_PAGE_H_ */
