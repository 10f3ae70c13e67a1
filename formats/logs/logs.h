#ifndef FORMATS_LOGS_LOGS_H_
#define FORMATS_LOGS_LOGS_H_

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/fields.h"

struct arena;
struct bytesrc;
struct err;

/*
 * Logs of inference servers, gateways and what stands around them, as records
 * of one normal form (request.def).  docs/LOGS.md says what each shape tells
 * and what it does not.
 *
 * Files are given one after another; each is read once, from its beginning to
 * its end, as lines of JSON or text, JSON arrays, an HTTP dump, a table, or a
 * journal export.  Each record of a file finds its own shape (shapes.def),
 * because servers write several into one file.  What no shape knows is read
 * by names that are common (fieldmap.h), or by those that the caller gives.
 *
 * Pure: no clock, no environment, no digest of its own.  The raw bytes are
 * never changed; a record points into them.  Offsets are those of the file,
 * or, where it is compressed, of what it decompresses to ("decompressed"
 * names the codec).
 *
 * Requests and responses that come as two records become one of kind "pair"
 * when they share shape and req_id, through all files of one struct logs.
 * The first waits in a table of LIMIT_LOG_PENDING bytes; when that is full,
 * the oldest goes out alone, and that is told.  So records do not come in the
 * order of the file; equal input gives equal order.
 *
 * Memory: some 40 MiB for ordinary lines; with the longest records below 500
 * MiB, all of it from arenas.  A compressed file is held whole, at most
 * LIMIT_LOG_INFLATE of it.
 */
enum logs_column {
#define COLUMN(id, key, type, meaning) LOGS_##id,
#include "formats/logs/request.def"
#undef COLUMN
	LOGS_COLUMNS
};
extern const struct field_def logs_columns[LOGS_COLUMNS];

struct logs_name {
	const uint8_t *p;	/* as it stands in the log, escapes and all */
	size_t n;
};

struct logs_record {
	struct field v[LOGS_COLUMNS];	/* valid during the call */
	/*
	 * Names of the scores' classes, as many as there are scores; NULL: the
	 * log does not say, or the two came as halves.
	 */
	const struct logs_name *classes;
};

/* What cannot be read, or not as it stands: rows of problems.def. */
enum logs_problem {
#define PROBLEM(id, meaning) LOGS_PROBLEM_##id,
#include "formats/logs/problems.def"
#undef PROBLEM
	LOGS_PROBLEMS
};
const char *logs_problem_id(enum logs_problem p);	/* "MALFORMED" */
const char *logs_problem_meaning(enum logs_problem p);

struct logs_told {
	enum logs_problem id;
	const char *path;
	size_t path_len;
	uint64_t line, off, len;	/* where; 0 0 0: the file */
	const char *what;		/* our own words on it, or NULL */
};

/* A token, key or password that stands in a file. */
struct logs_secret {
	const char *kind;	/* secrets.def: "jwt" */
	const char *path;
	size_t path_len;
	uint64_t line, off, len;
	/*
	 * It stands in what the bytes at ${off} decode to (base64, escapes),
	 * where it was found in this column; NULL: those bytes are it.
	 */
	const char *column;
	const uint8_t *p;	/* the secret itself, for its digest */
	size_t n;
};

/* What became of one file. */
struct logs_account {
	const char *path;
	size_t path_len;
	const char *framing;	/* "lines", "json-array", ... */
	const char *decompressed;	/* "gzip", "xz", or NULL */
	uint64_t bytes;		/* that were read, decompressed */
	uint64_t records;	/* made of it, those out of the window too */
	uint64_t outside;	/* of them outside [since, until) */
	uint64_t undated;	/* of them without a time: never left out */
	uint64_t secrets;
	uint64_t problem[LOGS_PROBLEMS];	/* how often; the first
				 * LIMIT_LOG_TOLD of each are told */
	bool has_first;
	int64_t first_ns, last_ns;	/* least and greatest time */
	uint64_t shape[64];	/* records of each shape, by its row */
};

/* The calls that say what is found.  Negative stops, and is passed on. */
struct logs_events {
	int (*record)(void *ctx, const struct logs_record *r);
	int (*problem)(void *ctx, const struct logs_told *t);
	int (*secret)(void *ctx, const struct logs_secret *s);
	int (*account)(void *ctx, const struct logs_account *a);
	/*
	 * sha256: fills raw_sha256, input_sha256 and their like, and the
	 * digests of what is masked.  NULL: those columns stay unset, and
	 * what is masked is "[masked]".
	 */
	int (*sha256)(void *ctx, const void *p, size_t n, uint8_t out[32],
	    struct err *e);
	void *ctx;
};

/*
 * Content: what callers sent and got.  LOGS_KEEP keeps it, with secrets
 * replaced by "[masked sha256:...]"; LOGS_MASK replaces input, output and
 * message as a whole.  Secrets in other columns are always replaced.  Lengths
 * and digests of what was there stay in both.
 *
 * LOGS_BARE is for who looks at requests and writes none down: content is as
 * it stands, up to LIMIT_LOG_BARE (of halves of a pair LIMIT_LOG_CONTENT);
 * secrets are neither looked for nor told, but in the columns that say who
 * the caller is, where they are replaced; and of digests there are only those
 * of such secrets.
 */
enum logs_content { LOGS_KEEP, LOGS_MASK, LOGS_BARE };

struct logs_params {
	const struct logs_events *ev;
	enum logs_content content;
	/*
	 * Logs without a year: the year of the first record of each file; 0:
	 * found from the file's mtime, so that its last record is not later.
	 */
	unsigned year;
	/* Local times: minutes east of UTC; not given: taken for UTC. */
	bool zone_given;
	int zone_min;
	/*
	 * "time=ts,caller=client,input=request.text,label=...,scores=...,
	 * endpoint=...,shape=..." (fieldmap.h) for JSON objects of no known
	 * shape; NULL or "": by common names.
	 */
	const char *fields;
	size_t window;		/* bytes read at once; 0: the default */
	/* Of the table in which halves wait, 1 MiB at least; 0: the default. */
	size_t pending;
};

struct logs_file {
	const char *path;	/* raw bytes; the column "source" */
	size_t path_len;
	const struct bytesrc *src;
	int64_t mtime_ns;	/* 0: not known */
	/*
	 * The window [since, until).  Records whose time is known to lie
	 * outside are counted, not given.  A time that is only the file's
	 * mtime can lie before ${since} only.  A pair has its request's time.
	 */
	bool has_since, has_until;
	int64_t since_ns, until_ns;
};

struct logs;

/*
 * logs_new: NULL with ERR_ARG when ${fields} cannot be read, ERR_NOMEM.
 * ${p} and what it points to are borrowed until logs_free.
 */
struct logs *logs_new(const struct logs_params *p, struct err *e);
void logs_free(struct logs *l);		/* NULL does nothing */
/* logs_read: 0, 1 when something in it could not be read (told), negative. */
int logs_read(struct logs *l, const struct logs_file *f, struct err *e);
/* logs_end: what still waits for its other half goes out. */
int logs_end(struct logs *l, struct err *e);

/* The table of shapes: names for people and for log_shape. */
unsigned logs_shapes(void);
const char *logs_shape_name(unsigned i);

#endif /* !FORMATS_LOGS_LOGS_H_ */
