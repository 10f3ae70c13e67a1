#ifndef FORMATS_REG_REG_H_
#define FORMATS_REG_REG_H_

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/fields.h"

struct arena;
struct bytesrc;
struct err;

/*
 * Registries of models, as a tree of files: MLflow (file store, SQLite, REST
 * pages), Hugging Face caches and repositories, DVC, OCI layouts, W&B runs,
 * serving manifests.  A reader turns the files of one registry into rows of
 * one normal form (registry.def) and tells what does not agree: every digest
 * that the registry carries is recomputed from the files that are there.
 *
 * Pure like every format: the tree is given, files are opened through it, no
 * clock, no environment.  The same readers serve collect (over the members
 * that were just taken) and scan (over a folder or a bundle).
 *
 * Adding a registry: formats/reg/foo.c with `const struct reg_reader
 * reg_foo`, one row in readers.def.
 */
enum reg_type { REG_FILE, REG_FOLDER, REG_LINK };

struct reg_file {
	const char *path;	/* relative to the tree, '/' between parts,
				 * raw bytes, NUL behind */
	size_t path_len;
	enum reg_type type;
	uint64_t size;		/* of a REG_FILE */
	const char *link;	/* target of a REG_LINK, raw bytes */
	size_t link_len;
	int64_t mtime_ns;	/* 0: not known */
	bool has_sha256;	/* known already, from the copy that was made */
	uint8_t sha256[32];
	bool absent;		/* it was seen, its bytes are not at hand */
	void *ctx;		/* the provider's own */
};

enum reg_algorithm { REG_SHA256, REG_SHA512, REG_SHA1, REG_MD5, REG_BLAKE2B };

struct reg_tree {
	const struct reg_file *file;	/* in byte order of the paths */
	size_t files;
	/*
	 * open: *ret is the caller's to free; ERR_NOTFOUND when the bytes are
	 * not at hand (never for want of trying).
	 */
	int (*open)(void *ctx, const struct reg_file *f, struct bytesrc **ret,
	    struct err *e);
	/*
	 * digest: of ${prefix} and all bytes of ${src}; out[] holds the
	 * algorithm's size.
	 */
	int (*digest)(void *ctx, enum reg_algorithm a, const void *prefix,
	    size_t n, const struct bytesrc *src, uint8_t out[64],
	    struct err *e);
	void *ctx;
};

/* One row of the normal form: field i is column i of registry.def. */
enum reg_column {
#define COLUMN(id, key, type, meaning) REG_##id,
#include "formats/reg/registry.def"
#undef COLUMN
	REG_COLUMNS
};
extern const struct field_def reg_columns[REG_COLUMNS];

struct reg_row {
	struct field v[REG_COLUMNS];	/* valid during the call */
};

/* What does not agree, or cannot be read: rows of problems.def. */
enum reg_problem {
#define PROBLEM(id, meaning) REG_PROBLEM_##id,
#include "formats/reg/problems.def"
#undef PROBLEM
	REG_PROBLEMS
};

struct reg_fact {
	const char *key;	/* our own constant, [a-z][a-z0-9_]*, once in
				 * a problem; not "file" or "offset", which
				 * are the problem's own (formats/modelreg.c) */
	const void *p;		/* bytes from anywhere */
	size_t n;
};

struct reg_told {
	enum reg_problem id;
	const char *path;	/* of the file that it is about, in the tree */
	size_t path_len;
	uint64_t off;		/* in that file; 0 when it is the whole file */
	const struct reg_fact *fact;	/* at most REG_FACTS */
	unsigned facts;
};
#define REG_FACTS 6

struct reg_events {
	/* Negative stops the reader, and is passed on. */
	int (*row)(void *ctx, const struct reg_row *row);
	int (*problem)(void *ctx, const struct reg_told *t);
	void *ctx;
};

struct reg_reader;

struct reg_parse {
	const struct reg_tree *tree;
	const struct reg_reader *reader;
	const char *root;	/* the registry's folder in the tree: "" or
				 * "a/b" without a slash at the end */
	size_t root_len;
	const struct reg_events *ev;
	struct arena *arena;	/* this registry's own */
	struct err *e;
	bool unread;		/* reg_tell has told UNREAD or MALFORMED */
};

struct reg_reader {
	const char *id;		/* "mlflow-files", "hf-cache", ... */
	/*
	 * find: is this file the marker of a registry of this kind ("meta.yaml
	 * below models/", "oci-layout")?  Then the registry's root in *root
	 * bytes of f->path (0: the tree itself).  Asked of every file in turn,
	 * by its name first; where the name is one that others have, too,
	 * by the file's first bytes (reg_peek).  A tree that has no operations
	 * (t->open is NULL, sizes are 0) is asked by names alone, and true
	 * then means perhaps; so it does when the bytes cannot be read, and
	 * read tells that.
	 */
	bool (*find)(const struct reg_tree *t, const struct reg_file *f,
	    size_t *root);
	/*
	 * read: 0, 1 when something could not be read (told), REG_NONE when
	 * what find took for a registry is none (nothing is told), negative.
	 * When its arena is full (ERR_NOMEM, ERR_LIMIT) reg_run tells UNREAD,
	 * and the other registries are read.
	 */
	int (*read)(struct reg_parse *p);
};

/*
 * reg_run: every registry in the tree, each once; rows and problems in a
 * deterministic order.  0, 1 when something could not be read (told),
 * REG_NONE when there is no registry, or negative.  ${only}: the id of one
 * reader, NULL for all.
 */
#define REG_NONE 2
int reg_run(const struct reg_tree *t, const char *only,
    const struct reg_events *ev, struct arena *a, struct err *e);

/* reg_sort: the order that a tree has; of equal paths the first stays. */
size_t reg_sort(struct reg_file *file, size_t n);
/*
 * reg_any: may there be a registry of any kind?  By names alone when the
 * tree has no operations; then true means perhaps, and reg_run knows.
 */
bool reg_any(const struct reg_tree *t);

/* --- for readers (reg.c) --- */

/* reg_find: by its whole path in the tree, NULL when it is not there. */
const struct reg_file *reg_find(const struct reg_tree *t, const char *path,
    size_t n);
/*
 * reg_follow: what a link leads to within the tree, by the text of the links
 * alone; ${f} itself when it is none, NULL when that is not in the tree.
 */
const struct reg_file *reg_follow(const struct reg_tree *t,
    const struct reg_file *f);
/*
 * reg_join: ${path}, of *n bytes so far ("" or "a/b"), and ${rel} below it:
 * without ".", ".." and empty parts, no NUL behind.  False when it is
 * absolute, leads above the tree or is too long; *n is not defined then.
 */
bool reg_join(char path[], size_t *n, const char *rel, size_t rel_len);
/* reg_at: the file ${rel} below the registry's root, NULL likewise. */
const struct reg_file *reg_at(const struct reg_parse *p, const char *rel);
/*
 * reg_below(t, dir, n, first, end): the run of files whose path lies below
 * the folder: [*first, *end) of t->file.
 */
void reg_below(const struct reg_tree *t, const char *dir, size_t n,
    size_t *first, size_t *end);
/*
 * reg_relative: the path of ${f} below the registry's root, ${f} being below
 * it; reg_name: its last part; reg_ends: does the path end so?
 */
const char *reg_relative(const struct reg_parse *p, const struct reg_file *f,
    size_t *n);
const char *reg_name(const struct reg_file *f, size_t *n);
bool reg_ends(const struct reg_file *f, const char *tail);
/*
 * reg_open: 0 and *ret (bytesrc_free it), 1 when the bytes are not at hand
 * (told), or negative.  A link is followed.
 */
int reg_open(struct reg_parse *p, const struct reg_file *f,
    struct bytesrc **ret);
/*
 * reg_peek: the first bytes of a file, for find: *n of them, ${cap} at most.
 * False when nobody can say what they are: the tree has no operations, or the
 * bytes cannot be read.
 */
bool reg_peek(const struct reg_tree *t, const struct reg_file *f, void *head,
    size_t cap, size_t *n);
/*
 * reg_bytes: a whole small file into the arena, NUL behind it.  0, 1 when it
 * is not at hand or over ${max} (told), negative.
 */
int reg_bytes(struct reg_parse *p, const struct reg_file *f, size_t max,
    const char **ret, size_t *n);
/*
 * reg_unread: UNREAD with the name of ${code}, which is not kept; 1 or
 * negative.  What is our own failure is passed on: ${code}.
 */
int reg_unread(struct reg_parse *p, const struct reg_file *f, int code);
/*
 * reg_tell: a problem about ${f} (or NULL: the registry's root); reg_tell_off:
 * about one place in it.
 */
int reg_tell(struct reg_parse *p, enum reg_problem id,
    const struct reg_file *f, const struct reg_fact *fact, unsigned facts);
int reg_tell_off(struct reg_parse *p, enum reg_problem id,
    const struct reg_file *f, uint64_t off, const struct reg_fact *fact,
    unsigned facts);
/* reg_bad: MALFORMED at ${off}, with a constant reason; 1 or negative. */
int reg_bad(struct reg_parse *p, const struct reg_file *f, uint64_t off,
    const char *why);
/* reg_row_init: an empty row of this registry: system, root, source path. */
void reg_row_init(struct reg_parse *p, const struct reg_file *f,
    struct reg_row *row);
/* reg_set: a column of text that ends with a NUL; NULL leaves it empty. */
void reg_set(struct reg_row *row, enum reg_column c, const char *text);
/* reg_send: the row to the consumer. */
int reg_send(struct reg_parse *p, const struct reg_row *row);

#endif /* !FORMATS_REG_REG_H_ */
