#ifndef COLLECTOR_PROCESS_H_
#define COLLECTOR_PROCESS_H_

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>
#include <sys/types.h>

#include "base/buf.h"
#include "collector/run.h"

struct arena;
struct json_write;

/*
 * A running process, looked at from outside: nothing is traced, stopped or
 * written.  All of it goes through one descriptor of /proc/PID, which belongs
 * to that process for ever: when its number is used again, reads fail.  The
 * start time is compared all the same, and written down.
 *
 * What it holds comes through the links in fd/ and map_files/, which lead to
 * the inode whatever became of the name.  fd/ needs the right to trace the
 * process (ptrace(2), PTRACE_MODE_READ), map_files/ also CAP_SYS_ADMIN or
 * CAP_CHECKPOINT_RESTORE; what is refused is an error in the record.
 *
 * What lies on disk "now" is looked up in the process's own root, so that of
 * a container it is the container's.
 */
struct process {
	struct collect *c;
	const struct collect_source *s;
	char pid[16];
	int dir;		/* /proc/PID */
	int root;		/* /proc/PID/root, or -1 */
	struct statx st;	/* of /proc/PID */
	uint64_t ppid, start;	/* ticks since boot */
	struct buf maps, environ;
	bool has_environ;	/* process_facts has read it */
};

/* An inode that the process maps or holds, once. */
struct process_file {
	struct process_file *next, *chain;
	struct statx st;
	char *how;		/* "fd/7", "map_files/7f..-7f.." */
	char *path;		/* where the kernel says it is, raw */
	char *name;		/* the same without " (deleted)" */
	bool executable;	/* some mapping of it is */
	bool writable;		/* some descriptor of it is */
	unsigned fds, maps;	/* how often */
};

/* What lies under its name now. */
enum process_state {
	PROCESS_SAME,		/* that inode */
	PROCESS_REPLACED,	/* another one */
	PROCESS_DELETED,	/* nothing */
	PROCESS_UNREACHABLE,	/* it cannot be told */
	PROCESS_MEMORY,		/* shared memory without a name, no file */
};

struct process_count {
	enum process_state state;
	bool library, equal, stored;
};

/* process.c */
/* Into completion.json's counts. */
void process_count(struct served *s, const struct process_count *n);
/* "same", "replaced", ... */
const char *process_state_name(enum process_state s);
/* 1 open; 0 not there or not allowed, recorded; negative as elsewhere. */
int process_open(struct process *p, struct collect *c,
    const struct collect_source *s, const char *pid);
void process_close(struct process *p);
int process_take(struct process *p);
/* process_read: a whole text of /proc/PID; 0, or errno. */
int process_read(const struct process *p, const char *name, struct buf *b);
/* process_link: the target of a link; its length, or -1. */
ssize_t process_link(const struct process *p, const char *name, char *dst,
    size_t cap);
/* process_path: "/proc/PID/name" in dst. */
const char *process_path(const struct process *p, const char *name,
    char *dst, size_t cap);
int process_row(struct process *p, struct json_write *w, const char *type);
int process_row_end(struct process *p, struct json_write *w);
/* process_error: what could not be had, of /proc/PID/name. */
int process_error(const struct process *p, const char *name,
    const char *what, int errnum);

/* process_facts.c: its row, and its texts as members. */
int process_facts(struct process *p);

/* process_files.c: the inodes. */
int process_files(struct process *p, struct arena *a,
    struct process_file **ret);
/*
 * process_digest.c: of what a link leads to, read once for each inode while
 * neither its size nor its times change.  ${name}, of ${dir}, is opened.
 * 0 and *ret, or errno.  process_member: where the inode is in the bundle, or
 * NULL; process_keep: now it is there.
 */
int process_digest(struct collect *c, int dir, const char *name,
    const struct statx *st, uint8_t ret[32]);
const char *process_member(const struct collect *c, const struct statx *st);
int process_keep(struct collect *c, const struct statx *st,
    const char *member, const uint8_t sha256[32]);

/* process_served.c: each of them against its name; recovers. */
int process_served(struct process *p, struct process_file *list);
/* process_lookup: what ${name} is in the process's root; 0, or errno. */
int process_lookup(const struct process *p, const char *name,
    struct statx *st, int *fd);

/* process_python.c: packages by the names of their folders. */
int process_packages(struct process *p);

#endif /* !COLLECTOR_PROCESS_H_ */
