#ifndef ANALYZER_INTAKE_MEMBERS_H_
#define ANALYZER_INTAKE_MEMBERS_H_

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "custody/bag.h"
#include "custody/derive.h"

struct arena;
struct bytesrc;
struct err;

/*
 * A worker's view of the bundle that is being written (custody/derive.h): the
 * members that were taken, by the lines of files.jsonl, and their bytes where
 * they lie in the bundle.
 */
struct member {
	const char *path;	/* the source's, raw bytes, NUL behind */
	size_t path_len;
	enum bag_class class;
	char type;		/* 'f' file, 'd' folder, 'l' link */
	bool stored;		/* its bytes are in the bundle */
	uint64_t off, size;	/* of its bytes in the bundle */
	int64_t mtime_ns;
	int64_t since_ns, until_ns;	/* its source's window; INT64_MIN and
				 * INT64_MAX where it has none */
	const char *link;	/* target of a link, raw bytes */
	size_t link_len;
	bool has_sha256;
	uint8_t sha256[32];
};

struct members {
	struct member *v;	/* in byte order of the paths, none twice */
	size_t n, cap;
	struct derive_go go;
	int bundle_fd, files_fd;
	struct bytesrc *bundle;
	bool cut;		/* more than LIMIT_INTAKE_MEMBERS */
};

/*
 * members_receive: wait for the message; ${arg} is the worker's argument, a
 * const int * to the socket.  members_fence: no way back; ERR_DENIED when the
 * kernel has no seccomp: then nothing is to be read.  Between the two starts
 * what must start outside of the fence.
 */
int members_receive(struct members *m, const void *arg, struct err *e);
int members_fence(int out_fd, struct err *e);

/* members_load: the lines of these classes (1 << enum bag_class). */
int members_load(struct members *m, unsigned classes, struct arena *a,
    struct err *e);
void members_release(struct members *m);

/* members_open: the bytes of one; ERR_NOTFOUND when they are not stored. */
int members_open(const struct members *m, const struct member *f,
    struct bytesrc **ret, struct err *e);

#endif /* !ANALYZER_INTAKE_MEMBERS_H_ */
