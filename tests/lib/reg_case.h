#ifndef TESTS_LIB_REG_CASE_H_
#define TESTS_LIB_REG_CASE_H_

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "formats/reg/reg.h"

/*
 * A registry of files in memory, read by the readers of formats/reg, and what
 * they said as lines of text, for unit tests and fuzz targets:
 *
 *	artifact source=a/MLmodel model=m digest=00 agrees=false
 *	DIGEST path=a/model.pkl registry=00 found=01
 *
 * A row is its type, then each column that is set, system and root left out;
 * a problem is its id, its path, "off=" unless that is 0, then its facts.
 * Values are printable (text_put).  Digests are OpenSSL's (anydigest.h).
 */
#define REG_CASE_FILES 4096

struct reg_case {
	struct reg_file *file;	/* in order once it has been run */
	size_t files;
	struct buf out;		/* the lines, LF behind each */
	unsigned rows, problems;
	int rc;
	bool none;		/* there is no registry; rc is 0 */
	bool bad;		/* a row or a problem broke a law (see run) */
};

/* All assert that there is memory.  What is given is copied. */
void reg_case_init(struct reg_case *c);
void reg_case_release(struct reg_case *c);
/* A path that is there already gets other bytes. */
void reg_case_put(struct reg_case *c, const char *path, const void *p,
    size_t n);
void reg_case_text(struct reg_case *c, const char *path, const char *text);
void reg_case_link(struct reg_case *c, const char *path, const char *target);
/* It was seen, its bytes are not at hand. */
void reg_case_absent(struct reg_case *c, const char *path, uint64_t size);
/* It is there, and cannot be opened. */
void reg_case_refuse(struct reg_case *c, const char *path, uint64_t size);
void reg_case_drop(struct reg_case *c, const char *path);
/* Every file and link below the folder, under ${prefix} ("" or "a/b"). */
void reg_case_load(struct reg_case *c, const char *folder,
    const char *prefix);
/* The bytes of a file, which a test may change; NULL when there is none. */
uint8_t *reg_case_bytes(struct reg_case *c, const char *path, size_t *n);

/*
 * reg_case_run: c->rc and c->out.  Asserts nothing: c->bad is set when a
 * problem's path is not in the tree and no folder of it, a problem has more
 * than REG_FACTS facts, one with a key that no finding has or one that the
 * finding has already, or a row has no type or system.
 */
void reg_case_run(struct reg_case *c, const char *only);
/* has: is this a whole line?  Prints all of them if not. */
bool reg_case_has(const struct reg_case *c, const char *line);
/* count: lines that begin so. */
unsigned reg_case_count(const struct reg_case *c, const char *begin);

/*
 * sweep: for every length of the file's bytes, and for ${count} changes of
 * one byte from ${seed}: it ends without failure of ours, bad is not set, and
 * two runs say the same.  NULL, or what was broken.
 */
const char *reg_case_sweep(struct reg_case *c, const char *only,
    const char *path, unsigned count, uint32_t seed);

/* The hex of a digest, in a buffer of the library's own. */
const char *reg_case_digest(enum reg_algorithm a, const char *prefix,
    const void *p, size_t n);

#endif /* !TESTS_LIB_REG_CASE_H_ */
