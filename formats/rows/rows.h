#ifndef FORMATS_ROWS_ROWS_H_
#define FORMATS_ROWS_ROWS_H_

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct arena;
struct buf;
struct bytesrc;
struct cursor;
struct err;

/*
 * A data set as numbered records: what slices are cut from and what triggers
 * reads.  This is the seam for readers of formats; who wants records includes
 * rowset.h.
 *
 * A data set is one file, or several in byte order of their names (shards, an
 * image folder, a shard directory with its index).  Records are numbered from
 * 0 through all of them.  A record that is a run of bytes in its file is
 * ${verbatim}: those bytes, and no others, are the record, whatever the rest
 * of the format is for; of the others (Parquet, Arrow) ${off} and ${len} say
 * where the page or batch lies that holds it.
 *
 * Adding a format: formats/rows/foo.c with `const struct rows_format
 * rows_foo`, one row in readers.def of this folder, tests/unit/
 * test_rows_foo.c; tests/fuzz/fuzz_rows.c finds it through the table.
 *
 * What is malformed is told (rows_tell) and never silently skipped: a record
 * that cannot be parsed still is a record, with ${damaged} set, when its
 * bounds are certain; where not even those are, next ends with ERR_FORMAT
 * after telling, and what came before stands.
 *
 * One reader reads one file, and rowset numbers through all of them, unless
 * the format says ROWS_WHOLE.
 */
struct rows_file {
	const char *name;	/* path below the data set's root; NUL behind */
	size_t name_len;
	const struct bytesrc *src;
};

enum rows_value_type {
	ROWS_ABSENT,		/* the record has no such field */
	ROWS_NULL,
	ROWS_BOOL,		/* i: 0 or 1 */
	ROWS_INT,		/* i */
	ROWS_UINT,		/* u: only beyond INT64_MAX */
	ROWS_REAL,		/* d */
	ROWS_TEXT,		/* p, n: UTF-8 by the format, unchecked */
	ROWS_BYTES,		/* p, n */
	ROWS_TIME,		/* i: ns since 1970, UTC where it is known */
	ROWS_TREE,		/* p, n: a list or map as compact JSON */
};

/* Points into the reader; valid until its next call. */
struct rows_value {
	enum rows_value_type type;
	const uint8_t *p;
	size_t n;
	int64_t i;
	uint64_t u;
	double d;
};

/*
 * A field that is an array of numbers, as its bytes stand in the file.
 * kind: b bool, i u integers, f real; size in bytes of an element.
 */
struct rows_array {
	char kind;
	bool big;		/* big-endian */
	unsigned size;
	unsigned rank;
	const uint64_t *shape;	/* within the record; slowest axis first */
	uint64_t count;		/* elements */
	const uint8_t *p;
};

struct rows_record {
	uint64_t index;		/* rowset's: readers leave it alone */
	uint32_t file;		/* number in rows_params.file; of a reader that
				 * is not ROWS_WHOLE, rowset's */
	uint64_t off, len;	/* bytes of that file */
	bool verbatim;
	bool damaged;		/* it cannot be parsed; its bytes are certain */
	bool unpacked;		/* rowset's: off and len count the bytes that
				 * the file holds compressed as a whole */
};

struct rows_params {
	const struct rows_file *file;
	size_t files;
	const char *format;	/* an id of readers.def, or NULL: by bids */
	struct arena *arena;	/* for the whole reader; a limit is ERR_LIMIT */
	size_t window;		/* of readers; 0: default.  Tests vary it */
	/* Tables: the first row is a record, and columns have numbers. */
	bool headless;
	/*
	 * Something is wrong with the data set or a record: ${what} is a
	 * short constant sentence, the place is in ${file} at ${off}.  May be
	 * NULL.
	 */
	void (*tell)(void *ctx, uint32_t file, uint64_t off,
	    const char *what);
	void *ctx;
};

/* rows_tell: p->tell, when there is one. */
void rows_tell(const struct rows_params *p, uint32_t file, uint64_t off,
    const char *what);
/* rows_bad: rows_tell, the same as an error at ${off}, and ERR_FORMAT. */
int rows_bad(const struct rows_params *p, uint32_t file, uint64_t off,
    const char *what, struct err *e);

/* rows_mark: is there a byte order mark (UTF-8)?  Then it is passed over. */
bool rows_mark(struct cursor *c);

/*
 * rows_load: ${n} bytes of the source at ${off}, behind what ${b} has; whether
 * they went into it is the caller's to ask.
 */
int rows_load(const struct bytesrc *src, uint64_t off, uint64_t n,
    struct buf *b, struct err *e);

/*
 * rows_named: does the file's name end in ${suffix} (".csv"; ASCII case does
 * not count)?  Of a compressed file the name is without ".gz" and the like.
 */
bool rows_named(const struct rows_file *f, const char *suffix);

enum rows_flags {
	ROWS_WHOLE = 1 << 0,	/* open gets all files, at once */
	ROWS_FORWARD = 1 << 1,	/* reads from the beginning to the end, so the
				 * file may be compressed as a whole: src is
				 * the decompressed bytes then, and reading
				 * back is possible, and slow.  A reader that
				 * is ROWS_WHOLE as well asks packed_open */
};

struct rows_format {
	const char *id;		/* "jsonl", "parquet", ... */
	unsigned flags;		/* enum rows_flags */
	/*
	 * bid: how sure is it, in verified bits (formats/format.h), from the
	 * name of p->file[0] and its first bytes (ROWS_HEAD, or all); 0: not
	 * mine.  All files are there to be looked at; nothing may be told.
	 * Of a compressed file (ROWS_FORWARD) ${src} is just a part.
	 */
	unsigned (*bid)(const struct rows_params *p, const uint8_t *head,
	    size_t n);
	/*
	 * open: *self is the reader's own state, from p->arena, which lives
	 * as long as the reader.  ${p} does too.  Of a format that is not
	 * ROWS_WHOLE, p->files is 1, and rows_tell's ${file} is 0.
	 * ERR_FORMAT (told) when it cannot be read at all.  On failure
	 * close is not called.
	 */
	int (*open)(const struct rows_params *p, void **self, struct err *e);
	/* next: 1 and *ret, 0 at the end, or negative. */
	int (*next)(void *self, struct rows_record *ret, struct err *e);
	/*
	 * field: of the current record, by dotted path; ROWS_ABSENT when
	 * there is none, ERR_FORMAT (told) when what the path leads into
	 * cannot be read.  Never called for a damaged record, nor are json
	 * and raw.
	 */
	int (*field)(void *self, const char *path, struct rows_value *ret,
	    struct err *e);
	/*
	 * array: of the current record, a field that is an array of numbers:
	 * 1 and *ret, or 0: it is none.  NULL: the format has no arrays.
	 */
	int (*array)(void *self, const char *name, struct rows_array *ret,
	    struct err *e);
	/* json: the whole current record as one compact JSON object. */
	int (*json)(void *self, struct buf *b, struct err *e);
	/*
	 * seek: the next record is number ${index} of what open was given,
	 * without reading those before it; count: how many there are, as far
	 * as the file's own words go.  Both, or both NULL where only reading
	 * leads there.  index < count.
	 */
	int (*seek)(void *self, uint64_t index, struct err *e);
	int (*count)(void *self, uint64_t *ret, struct err *e);
	/*
	 * raw: the bytes of the current record, which is verbatim, when they
	 * are in memory anyway (else NULL); may be NULL.
	 */
	const uint8_t *(*raw)(void *self);
	/* Names of fields, for people: calls ${each} once for each; or NULL. */
	int (*fields)(void *self, void (*each)(void *ctx, const char *name,
	    const char *type), void *ctx, struct err *e);
	void (*close)(void *self);	/* NULL: nothing to do */
};

#define ROWS_HEAD 4096

#endif /* !FORMATS_ROWS_ROWS_H_ */
