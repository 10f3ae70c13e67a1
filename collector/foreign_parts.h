#ifndef COLLECTOR_FOREIGN_PARTS_H_
#define COLLECTOR_FOREIGN_PARTS_H_

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/frame.h"
#include "base/limits.h"
#include "collector/run.h"
#include "custody/tar_frames.h"

struct arena;
struct nameset;

/* Shared by foreign.c and foreign_entry.c, and by nobody else. */

/* What a frame says of an entry; texts point into copies of ours. */
struct foreign_entry {
	uint32_t kind, type;
	struct buf name, link, user, group, ranges, pax, log, error;
	bool has_mode, has_device, has_pax_left_out;
	uint64_t size, stored, mode, uid, gid, mtime_ns;
	int64_t mtime;
	uint64_t dev_major, dev_minor, offset, data_offset, pax_left_out;
};
void foreign_entry_init(struct foreign_entry *n);
void foreign_entry_release(struct foreign_entry *n);
/* foreign_entry_take: false when no such worker sends that. */
bool foreign_entry_take(struct foreign_entry *n, const struct frame *f);

/* Its line in files.jsonl; ${member} and ${place} NULL: nothing is stored. */
struct foreign_stored {
	const char *member, *note;
	const struct evidence_place *place;
	uint64_t short_by;
};
int foreign_entry_record(struct collect *c, const struct foreign_entry *n,
    enum bag_class class, const char *path, size_t path_len,
    const struct foreign_stored *s);

/* foreign_names.c: which names may stand beside each other. */
struct foreign_names {
	struct arena *arena;
	struct nameset *files, *folders;
};
int foreign_names_init(struct foreign_names *f, struct err *e);
void foreign_names_release(struct foreign_names *f);
/* 1 the member may have this name, and has it from now on; 0 not. */
int foreign_names_take(struct foreign_names *f, const char *member,
    struct err *e);

#endif /* !COLLECTOR_FOREIGN_PARTS_H_ */
