#ifndef ANALYZER_INTAKE_SLICEDERIVE_H_
#define ANALYZER_INTAKE_SLICEDERIVE_H_

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "custody/slicewire.h"
#include "formats/rows/rows.h"

struct buf;
struct bytesrc;
struct err;
struct rowset;
struct slicejob;
struct slicejob_ids;

/*
 * The records of a data set that a specification takes, in their order: what
 * a slice is taken with, and what it is checked with.  Inside the fence.
 *
 * A record that is no run of bytes of its file has the bytes of its JSON
 * line, without a line feed, as the bytes that are digested (for hash= too).
 */
struct slicederive_record {
	struct rows_record rec;
	enum slicewire_how how;
	bool damaged;
	/*
	 * VERBATIM, UNPACKED: the bytes are src[off, off+len), and may be in
	 * memory (slicederive_bytes).
	 */
	const struct bytesrc *src;
	struct rowset *rs;
	bool ends;		/* a line feed lies behind it */
	const struct buf *row;	/* ROW */
};

struct slicederive {
	struct slicejob *j;	/* its files */
	const char *spec;
	size_t spec_len;
	const struct slicejob_ids *ids;
	size_t nids;
	/* Negative ends it. */
	int (*begin)(void *ctx, struct rowset *rs, bool lines);
	int (*take)(void *ctx, const struct slicederive_record *r);
	int (*undecided)(void *ctx, const struct rows_record *r);
	void (*tell)(void *ctx, uint32_t file, uint64_t off,
	    const char *what);
	void *ctx;
	/* What it came to. */
	uint64_t seen, taken, undecided_count, damaged, broken;
	bool reached;		/* the last record of the data set */
	/* Our own. */
	struct rowset *rs;
	struct arena *arena;
	struct rows_slice *slice;
	struct buf *row;
	bool has_row, lines;
	struct err *e;
};

/* slicederive_start: before the fence: what digests need. */
int slicederive_start(struct err *e);
/* A data set that no reader knows is told, and is ${broken}. */
int slicederive_run(struct slicederive *d, struct err *e);
/*
 * slicederive_bytes: the record's bytes where they are in memory, as its
 * reader or as JSON has them, and *n; NULL: they are to be read from r->src.
 */
const uint8_t *slicederive_bytes(const struct slicederive_record *r,
    size_t *n);
/* slicederive_whole: of a file; slicederive_digest: of the record's bytes. */
int slicederive_whole(const struct bytesrc *src, uint8_t sha256[32],
    struct err *e);
int slicederive_digest(const struct slicederive_record *r, uint8_t sha256[32],
    struct err *e);

#endif /* !ANALYZER_INTAKE_SLICEDERIVE_H_ */
