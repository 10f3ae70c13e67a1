#ifndef COLLECTOR_INODE_H_
#define COLLECTOR_INODE_H_

#include <stdbool.h>

struct statx;
struct statx_timestamp;

/*
 * What statx says of an object, compared and written.
 *
 * inode_same: device and number are the same.  inode_is: what is open is
 * what was seen, and not put there since; false when it cannot be told.
 */
bool inode_same(const struct statx *a, const struct statx *b);
bool inode_is(int fd, const struct statx *seen);
bool inode_same_time(const struct statx_timestamp *a,
    const struct statx_timestamp *b);

/*
 * inode_time: "SECONDS.NANOSECONDS" since 1970, as the records and the
 * journal have it: text, since it passes 2^53.  Within dst.
 */
#define INODE_TIME 40
const char *inode_time(char dst[INODE_TIME],
    const struct statx_timestamp *t);

#endif /* !COLLECTOR_INODE_H_ */
