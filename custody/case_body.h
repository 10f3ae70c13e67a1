#ifndef CUSTODY_CASE_BODY_H_
#define CUSTODY_CASE_BODY_H_

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/json_read.h"

struct arena;
struct err;

/*
 * A ledger event's body as a flat list: {"a":{"b":1},"c":["x"]} is a={,
 * a.b=1, c=[, c.0="x".  Read strictly: the JSON of json_read.h, keys of
 * [A-Za-z0-9_-] in ascending order (so none twice), nothing after the
 * object.  Pairs live until case_body_release.
 */
struct case_pair {
	const char *key;     /* dotted path */
	enum json_type type; /* a scalar's, JSON_OBJECT or JSON_ARRAY */
	const char *str;     /* STRING and NUMBER, else "" */
	size_t len;
	bool is_u64;
	uint64_t u64;
};

#define CASE_BODY_PAIRS 65536 /* more is ERR_LIMIT */
#define CASE_BODY_PATH 512    /* bytes of a dotted path */

struct case_body {
	struct arena *a;
	struct case_pair *pairs;
	size_t count, cap;
};

/* case_body_read: nothing to release when it fails. */
int case_body_read(struct case_body *b, const char *p, size_t n, struct err *e);
void case_body_release(struct case_body *b);

const struct case_pair *case_body_find(const struct case_body *b,
    const char *key);
/* case_body_str: a string without NUL in it, or NULL. */
const char *case_body_str(const struct case_body *b, const char *key);
bool case_body_u64(const struct case_body *b, const char *key, uint64_t *ret);
/* case_body_hash: a string of 64 lower-case hex digits. */
bool case_body_hash(const struct case_body *b, const char *key,
    uint8_t ret[32]);

#endif /* !CUSTODY_CASE_BODY_H_ */
