#ifndef ANALYZER_APILOG_APILOG_PACK_H_
#define ANALYZER_APILOG_APILOG_PACK_H_

#include <stddef.h>
#include <stdint.h>

#include "analyzer/traffic/traffic.h"
#include "base/limits.h"

/*
 * A record as bytes, in our own memory and byte order: nothing of it comes
 * from elsewhere.  Its size is a multiple of eight, and where it stands must
 * be one too, so that doubles are read in place.
 */
struct apilog_pack_head {
	uint64_t size;		/* of all of it */
	int64_t key;		/* time, or that of the record before */
	uint64_t number;
};

/* Where the names of classes are listed when a record is unpacked. */
struct apilog_pack_space {
	struct row_text classes[LIMIT_LOG_SCORES];
};

/* apilog_pack_size: scores are at most LIMIT_LOG_SCORES. */
size_t apilog_pack_size(const struct traffic_record *r);
/* apilog_pack: ${size} bytes, which apilog_pack_size gave, to ${dst}. */
void apilog_pack(uint8_t *dst, const struct traffic_record *r, int64_t key,
    size_t size);
void apilog_pack_head(const uint8_t *p, struct apilog_pack_head *ret);
/* apilog_unpack: *ret points into ${p} and ${space}. */
void apilog_unpack(const uint8_t *p, struct traffic_record *ret,
    struct apilog_pack_space *space);

#endif /* !ANALYZER_APILOG_APILOG_PACK_H_ */
