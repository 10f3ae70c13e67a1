#ifndef FORMATS_DOC_BUILD_H_
#define FORMATS_DOC_BUILD_H_

#include "base/limits.h"
#include "formats/doc.h"

/*
 * Building the tree of doc.h from the events of a parser, in order: open,
 * close, key, leaf, copy.  A key precedes each child of a map.
 *
 * Functions return 0, or a negative err_code; of ERR_LIMIT and ERR_FORMAT
 * ${what} says why.  The caller knows where.
 */
struct doc_build {
	struct arena *a;
	unsigned max_depth;
	unsigned depth;
	uint32_t nodes;
	struct doc *open[LIMIT_JSON_DEPTH + 2];
	struct doc *last[LIMIT_JSON_DEPTH + 2];	/* their last children */
	const char *key;
	size_t key_len;
	uint64_t key_off;
	struct doc *root;
	const char *what;
};

/* ${max_depth}: open containers, at most LIMIT_JSON_DEPTH + 2. */
void doc_build_init(struct doc_build *b, struct arena *a, unsigned max_depth);

/* doc_build_key: ${key} stays the caller's, in the arena. */
int doc_build_key(struct doc_build *b, const char *key, size_t n,
    uint64_t off);
int doc_build_open(struct doc_build *b, enum doc_type t, uint64_t off,
    struct doc **ret);
int doc_build_close(struct doc_build *b);
/* doc_build_leaf: a string; the caller may turn it into something else. */
int doc_build_leaf(struct doc_build *b, const char *str, size_t n,
    uint64_t off, struct doc **ret);
/* doc_build_copy: a node that is complete, under another name. */
int doc_build_copy(struct doc_build *b, const struct doc *of, uint64_t off,
    const char *alias);

/* doc_build_done: is a node complete? */
bool doc_build_done(const struct doc *d);

/*
 * doc_build_number: make a leaf a number by its text: an integer when it is
 * [+-]?[0-9]+, else a real by strtod.
 */
void doc_build_number(struct doc *d);
/* doc_build_int: an integer of digits in this base, without its sign. */
bool doc_build_int(struct doc *d, bool minus, const char *digits, size_t n,
    unsigned base);

/* doc_build_fault: line and column of ${off} in p[0..n). */
void doc_build_fault(struct doc_fault *at, const void *p, size_t n,
    uint64_t off, const char *what);

#endif /* !FORMATS_DOC_BUILD_H_ */
