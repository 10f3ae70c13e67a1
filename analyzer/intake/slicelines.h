#ifndef ANALYZER_INTAKE_SLICELINES_H_
#define ANALYZER_INTAKE_SLICELINES_H_

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/json_read.h"
#include "base/reader.h"

struct arena;
struct bytesrc;
struct err;

/*
 * Lines of JSON of a member of a bundle that we check, one object each:
 * values by key, of an object inside by "key.inner"; lists are passed over.
 */
#define SLICELINES_KEYS 48

struct slicelines {
	struct bytesrc *src;
	struct arena *keep;	/* the reader's window */
	struct arena *a;	/* of the current line */
	struct reader r;
	struct {
		const char *key;
		struct json_token t;
	} v[SLICELINES_KEYS];
	size_t n;
};

/* slicelines_open: ${src} becomes the lines', on failure too. */
int slicelines_open(struct slicelines *l, struct bytesrc *src,
    struct err *e);
void slicelines_close(struct slicelines *l);
/* 1, 0 at the end, or negative: ERR_FORMAT when it is no line of ours. */
int slicelines_next(struct slicelines *l, struct err *e);

/* Of the current line; false or NULL when the key is not there as that. */
bool slicelines_u64(const struct slicelines *l, const char *key,
    uint64_t *ret);
bool slicelines_true(const struct slicelines *l, const char *key);
const char *slicelines_str(const struct slicelines *l, const char *key);
/* Hex as bytes with a NUL behind, in ${a}. */
const char *slicelines_hex(const struct slicelines *l, const char *key,
    struct arena *a, size_t *n);

#endif /* !ANALYZER_INTAKE_SLICELINES_H_ */
