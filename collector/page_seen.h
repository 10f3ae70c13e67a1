#ifndef COLLECTOR_PAGE_SEEN_H_
#define COLLECTOR_PAGE_SEEN_H_

#include <stdint.h>

struct buf;

/*
 * Pages that came in one walk over a registry, one behind the other in a buf,
 * in the order of asking: by endpoint, then by number.
 */
struct page_seen {
	uint32_t endpoint, number;
	uint8_t sha256[32];
};

/*
 * page_seen_compare: *other pages are in both walks and not the same,
 * *alone in one walk only (the other was not answered, or there are more).
 */
void page_seen_compare(const struct buf *first, const struct buf *second,
    uint64_t *other, uint64_t *alone);

#endif /* !COLLECTOR_PAGE_SEEN_H_ */
