#ifndef ANALYZER_DIFF_SIDES_H_
#define ANALYZER_DIFF_SIDES_H_

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "analyzer/diff/job.h"
#include "analyzer/finding.h"

struct arena;
struct buf;
struct err;

/*
 * A side of a comparison, from a path as a person gives it:
 *
 *   a directory    every regular file below it, in byte order of the paths.
 *                  Links are noted, not followed; .git is left out, which is
 *                  noted too.
 *   a shard        x-00001-of-00003.safetensors, or x.safetensors.index.json:
 *                  the whole set; a missing one is noted.  Which file has
 *                  which tensor the worker reads from the files themselves.
 *   a file         itself.
 *   BUNDLE!member  that file; the worker looks inside.  The path is split at
 *                  the first '!' behind which an existing file ends; it may
 *                  be given as results print it, with \xHH escapes.
 *
 * A file or a set is accompanied by what lies beside it and may belong to it
 * (PART_BESIDE): configuration, tokenizer, external data; not by other
 * models.
 *
 * Files are opened once, read only, no link followed below what was given,
 * access times left alone where the kernel lets us.  Nothing is read.
 * A side holds up to LIMIT_DIFF_PARTS descriptors: sides_open raises the soft
 * limit of the process when it must.
 */
enum sides_what {
	SIDES_ALONE = 0,
	SIDES_BESIDE = 1 << 0,	/* with what lies beside a file */
};

struct side_note {
	const char *path;	/* raw, below the side; "": itself */
	enum finding_id id;
	const char *why;	/* printable */
};

struct side {
	struct job_side job;	/* for the worker */
	const char *given;	/* the path, printable, as results show it */
	const char *file;	/* the same without the member */
	const char *folder;	/* raw: where part paths begin; "" or ends "/" */
	uint64_t bytes;		/* of the parts that are the side's own */
	int64_t modified_ns;	/* the latest of its parts' times */
	bool history;		/* a .git was left out */
	struct side_note *notes;
	size_t nnotes;
	struct job_part *parts;
	size_t cap, note_cap;
	struct arena *arena;	/* everything above */
};

/*
 * sides_open: ERR_NOTFOUND and the like when ${path} itself cannot be opened;
 * what fails below becomes a note.  sides_close also after a failure; a
 * zeroed side may be closed.
 */
int sides_open(struct side *s, const char *path, unsigned what,
    struct err *e);
void sides_close(struct side *s);

/*
 * sides_apart: of two models in one folder neither lies beside the other as
 * a part of it.  For both orders, once both sides are open.
 */
void sides_apart(struct side *s, const struct side *other);

/*
 * sides_path: append the path of something in a side as results show it.
 * ${path} is one of a row (rows.h).
 */
void sides_path(struct buf *b, const struct side *s, const char *path,
    size_t n);
/* sides_raw_path: the same of the raw path of a part. */
void sides_raw_path(struct buf *b, const struct side *s, const char *path);

/*
 * By name alone (sides_names.c).
 *
 * sides_shard: is it one of a set, as "x-00001-of-00003.bin"?  Then *stem
 * bytes come before the number, *total is the second number and the tail
 * begins at *tail.  sides_index: is it the index of a set?  *stem is as
 * above, and the tail of a shard begins at *tail and has *tail_len bytes.
 */
struct sides_shard {
	size_t stem, tail, tail_len;
	uint64_t number, total;	/* 0 in an index */
};
bool sides_shard(const char *name, struct sides_shard *ret);
bool sides_index(const char *name, struct sides_shard *ret);
/* sides_model: does a file of this name hold a model of its own? */
bool sides_model(const char *name);
/* sides_beside: may ${name} belong to ${given}, which lies beside it? */
bool sides_beside(const char *given, const char *name);
/* sides_history: is one of the path's components ".git"? */
bool sides_history(const char *path);
/* sides_unescape: ${n} bytes without \xHH; false when it holds none. */
bool sides_unescape(char *dst, size_t cap, const char *src, size_t n);

#endif /* !ANALYZER_DIFF_SIDES_H_ */
