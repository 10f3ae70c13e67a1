#ifndef FORMATS_LOGS_LINES_H_
#define FORMATS_LOGS_LINES_H_

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "formats/logs/jdoc.h"

struct arena;
struct bytesrc;
struct err;

/*
 * A file of records, whole records in memory one at a time.
 *
 * The buffer grows to LIMIT_LOG_RECORD and a little more, never beyond; a
 * record that is longer is passed over, and its place is known.  Results do
 * not depend on how many bytes are read at once.
 */
struct lines {
	const struct bytesrc *src;
	struct arena *a;
	uint8_t *buf;
	size_t cap, have, pos;	/* bytes in it, the next one */
	uint64_t off;		/* in the file, of buf[0] */
	uint64_t no;		/* lines that were passed */
	size_t window;
};

/* One record; p is valid until the next call. */
struct lines_record {
	const uint8_t *p;	/* NULL: too long */
	uint64_t n;
	uint64_t off, no;	/* no: its first line, from 1 */
	bool ended;		/* by a line end (or, a value, by its end) */
};

/* lines_init: from ${off} on; ${window} 0: the default. */
void lines_init(struct lines *l, const struct bytesrc *src, uint64_t off,
    size_t window, struct arena *a);
/* lines_next: up to a line feed; 1 and *ret, 0 at the end, negative. */
int lines_next(struct lines *l, struct lines_record *ret, struct err *e);
/*
 * lines_value: the JSON value that begins here (blanks are passed), parsed
 * into ${d}.  1; 0 at the end; 2: it is malformed, at ret->off + ret->n; 3:
 * the file ends within it; 4: over a limit.  After 2 to 4 nothing is passed.
 */
int lines_value(struct lines *l, struct jdoc *d, struct lines_record *ret,
    struct err *e);
/* lines_ready: at least n bytes at p + pos, or fewer at the end: *have. */
int lines_ready(struct lines *l, size_t n, size_t *have, struct err *e);
/* lines_pass: go on by n bytes, which are ready. */
void lines_pass(struct lines *l, size_t n);
/* lines_skip: go on by n bytes that need not be; less at the end. */
int lines_skip(struct lines *l, uint64_t n, struct err *e);
static inline uint64_t
lines_tell(const struct lines *l)
{
	return l->off + l->pos;
}

#endif /* !FORMATS_LOGS_LINES_H_ */
