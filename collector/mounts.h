#ifndef COLLECTOR_MOUNTS_H_
#define COLLECTOR_MOUNTS_H_

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"

struct cursor;
struct json_write;

/*
 * What lies below a path: its mount, as the kernel lists it (proc(5),
 * /proc/self/mountinfo), and the block device below that (sysfs).
 *
 * ${read_only} is the file system's own state: nobody can write to it, by
 * whichever mount; ${mount_read_only} that of this mount alone, and others
 * may write.  ${snapshot} is a state of the past by its own kind: a ZFS
 * snapshot, a checkpoint of NILFS.  Of LVM and of storage that snapshots by
 * itself nothing is visible from here.
 */
struct mounts_facts {
	bool known;
	uint64_t id;		/* of statx */
	unsigned major, minor;
	bool read_only, mount_read_only, snapshot;
	struct buf text;	/* holds the strings below, NUL behind each */
	size_t point, root, type, source, options, super;	/* offsets */
};

void mounts_init(struct mounts_facts *m);
void mounts_release(struct mounts_facts *m);

/*
 * mounts_find: the mount of this number; m->known says whether it was found.
 * The lines are read from /proc/self/mountinfo once for each call.
 */
void mounts_find(struct mounts_facts *m, uint64_t id);
/* mounts_parse: the same from bytes, for tests. */
void mounts_parse(struct mounts_facts *m, struct cursor lines, uint64_t id);

/* mounts_json: an object, or null when nothing is known. */
void mounts_json(struct json_write *w, const char *key,
    const struct mounts_facts *m);

#endif /* !COLLECTOR_MOUNTS_H_ */
