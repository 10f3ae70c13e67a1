#ifndef COLLECTOR_SLICE_PARTS_H_
#define COLLECTOR_SLICE_PARTS_H_

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/limits.h"
#include "base/proc.h"
#include "collector/dataset.h"
#include "collector/run.h"
#include "custody/slicewire.h"

struct spool;

/* Private to slice*.c. */
struct slice_one {
	struct proc proc;
	int sock;		/* our end, -1 once it was used up */
	size_t source;
	struct dataset_ids *ids;
	size_t nids;
};

struct slicer {
	int (*main)(void *arg, int out_fd);
	struct slice_one one[LIMIT_SLICES];
	size_t n;
};

/* A record that was taken, on its way to records.jsonl. */
struct slice_entry {
	uint64_t index, file, off, len;
	uint64_t at, stored;	/* in its member */
	uint32_t how, damaged;	/* enum slicewire_how */
	uint8_t sha256[32];
	uint64_t zeros;		/* bytes that could not be read */
};

struct slice_member {
	char *name, *path;
	uint64_t size, short_by;
	struct evidence_place place;
};

struct slice {
	struct collect *c;
	const struct collect_source *s;
	struct slice_one *one;
	struct dataset d;
	/* What the worker said. */
	char format[64];
	bool has_format, lines, ended;
	uint64_t end[SLICE_E_COLUMNS];
	struct buf fields, told, undecided;	/* elements of arrays */
	uint64_t nfields, ntold, nundecided;
	const char *why;	/* it is incomplete, or NULL */
	/* Records, and of those that are no bytes of a file their own. */
	struct spool *entries, *bytes[SLICE_HOWS];
	uint64_t count, total[SLICE_HOWS];
	struct slice_entry now;	/* whose bytes are on their way */
	uint64_t left, digested;
	bool any;
	uint64_t next_index, last_file, last_end;
	struct digest *digest;
	/* The file at hand. */
	size_t file;
	int fd;
	/* What came of it. */
	unsigned number;	/* N of PATH.slice-N; 0: not chosen */
	struct slice_member member;	/* the one in progress, or the last */
	struct spool *lines_out, *sources;
	bool changed, doubled, double_equal, noatime;
	unsigned read_errors;
	int64_t began_ns;
};

/* slice_read.c: what the worker finds, until its end. */
int slice_read(struct slice *s);
/* slice_fd: file ${i}, kept open until the next; -1 and errno. */
int slice_fd(struct slice *s, size_t i);
/* slice_pread: up to ${n} bytes, fewer only at the end; or -1 and errno. */
ssize_t slice_pread(int fd, uint64_t off, uint8_t *dst, size_t n);

/* slice_store.c: the members. */
int slice_store(struct slice *s);

/* slice_json.c: a line of records.jsonl, of sources.jsonl; slice.json. */
void slice_put_record(struct buf *b, const struct slice_entry *en);
void slice_put_source(struct buf *b, const struct slice *s, size_t i);
void slice_put_json(struct buf *b, const struct slice *s);

#endif /* !COLLECTOR_SLICE_PARTS_H_ */
