#ifndef FORMATS_ROWS_ROWS_H_
#define FORMATS_ROWS_ROWS_H_

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct arena;
struct buf;
struct bytesrc;
struct err;

/*
 * A data set as numbered records: what slices are cut from and what triggers
 * reads.
 *
 * A data set is one file, or several in byte order of their names (shards, an
 * image folder, a shard directory with its index).  Records are numbered from
 * 0 through all of them.  A record that is a run of bytes in its file is
 * ${verbatim}: those bytes, and no others, are the record, whatever the rest
 * of the format is for; of the others (Parquet, Arrow) ${off} and ${len} say
 * where the page or batch lies that holds it.
 *
 * Adding a format: formats/rows/foo.c with `const struct rows_format
 * rows_foo`, one row in readers.def of this folder.
 *
 * What is malformed is told (rows_params.tell) and never silently skipped:
 * a record that cannot be parsed still is a record, with ${damaged} set, when
 * its bounds are certain; where not even those are, rows_next ends with
 * ERR_FORMAT after telling, and what came before stands.
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
	ROWS_TEXT,		/* p, n: UTF-8 as the format promises, unchecked */
	ROWS_BYTES,		/* p, n */
	ROWS_TIME,		/* i: ns since 1970, UTC where the format knows */
	ROWS_TREE,		/* p, n: a list or map as compact JSON */
};

/* Points into the reader; valid until the next rows_next. */
struct rows_value {
	enum rows_value_type type;
	const uint8_t *p;
	size_t n;
	int64_t i;
	uint64_t u;
	double d;
};

struct rows_record {
	uint64_t index;
	uint32_t file;		/* number in rows_params.file */
	uint64_t off, len;	/* bytes of that file */
	bool verbatim;
	bool damaged;		/* it cannot be parsed; its bytes are certain */
};

struct rows_params {
	const struct rows_file *file;
	size_t files;
	const char *format;	/* an id of readers.def, or NULL: by bids */
	struct arena *arena;	/* for the whole reader; a limit is ERR_LIMIT */
	/*
	 * Something is wrong with the data set or a record: ${what} is a
	 * short constant sentence, the place is in ${file} at ${off}.
	 */
	void (*tell)(void *ctx, uint32_t file, uint64_t off,
	    const char *what);
	void *ctx;
};

struct rows;

struct rows_format {
	const char *id;		/* "jsonl", "parquet", ... */
	/*
	 * bid: how sure is it, in verified bits (formats/format.h), from the
	 * first file's name and first bytes; 0: not mine.
	 */
	unsigned (*bid)(const struct rows_file *first, const uint8_t *head,
	    size_t n);
	/* open: *self is the reader's own state, from p->arena. */
	int (*open)(const struct rows_params *p, void **self, struct err *e);
	/* next: as rows_next. */
	int (*next)(void *self, struct rows_record *ret, struct err *e);
	/* field: of the current record; ROWS_ABSENT when there is none. */
	int (*field)(void *self, const char *path, struct rows_value *ret,
	    struct err *e);
	/* json: the whole current record as one compact JSON object. */
	int (*json)(void *self, struct buf *b, struct err *e);
	/*
	 * seek: the next record is number ${index}, without reading those
	 * before it; NULL where only reading leads there.
	 */
	int (*seek)(void *self, uint64_t index, struct err *e);
	/* Names of fields, for people: calls ${each} once for each; or NULL. */
	int (*fields)(void *self, void (*each)(void *ctx, const char *name,
	    const char *type), void *ctx, struct err *e);
	void (*close)(void *self);	/* NULL: nothing to do */
};

/*
 * rows_open: 0 and *ret; ERR_NOTFOUND when no format bids, ERR_FORMAT (told)
 * when the data set cannot be read at all, or our side's errors.
 */
int rows_open(const struct rows_params *p, struct rows **ret, struct err *e);
void rows_close(struct rows *r);	/* NULL does nothing */
const char *rows_format_id(const struct rows *r);

/* rows_next: 1 and *ret, 0 at the end, or negative. */
int rows_next(struct rows *r, struct rows_record *ret, struct err *e);
/* rows_skip_to: the next record is number ${index} (or the end comes). */
int rows_skip_to(struct rows *r, uint64_t index, struct err *e);

/*
 * rows_field: of the current record, by dotted path ("meta.user.id", list
 * elements by number: "messages.0.content").  A field whose own name has a
 * dot is found first.
 */
int rows_field(struct rows *r, const char *path, struct rows_value *ret,
    struct err *e);
int rows_json(struct rows *r, struct buf *b, struct err *e);
int rows_fields(struct rows *r, void (*each)(void *ctx, const char *name,
    const char *type), void *ctx, struct err *e);

#endif /* !FORMATS_ROWS_ROWS_H_ */
