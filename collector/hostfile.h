#ifndef COLLECTOR_HOSTFILE_H_
#define COLLECTOR_HOSTFILE_H_

#include <stdbool.h>

struct buf;
struct json_write;

/*
 * Small files of the running system (proc, sysfs, etc), for the records.
 * What cannot be read is null there; nothing here is evidence.
 */

#define HOSTFILE_BOOT_ID "/proc/sys/kernel/random/boot_id"

/* hostfile_read: the whole file, up to what ${b} may hold; false if not. */
bool hostfile_read(const char *path, struct buf *b);

/* hostfile_put: its text under the key, the last line feed dropped. */
void hostfile_put(struct json_write *w, const char *key, const char *path);

/* hostfile_link: the target of a link; hostfile_digest: SHA-256, hex. */
void hostfile_link(struct json_write *w, const char *key, const char *path);
void hostfile_digest(struct json_write *w, const char *key,
    const char *path);

/* hostfile_line: what stands behind "${name}:" in a file of such lines. */
void hostfile_line(struct json_write *w, const char *key, const char *path,
    const char *name);

#endif /* !COLLECTOR_HOSTFILE_H_ */
