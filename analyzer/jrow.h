#ifndef ANALYZER_JROW_H_
#define ANALYZER_JROW_H_

#include <stddef.h>
#include <stdint.h>

struct arena;
struct err;
struct reader;

/*
 * A line of JSON Lines as a flat list: {"a":{"b":1},"c":["x","y"]} is
 * a.b=1, c.0=x, c.1=y.  Values are text as it stands in JSON (strings
 * unescaped, numbers and literals as written).  Everything lies in the arena.
 */
struct jpair {
	const char *key;
	const char *val;
	size_t len;
};

struct jrow {
	struct jpair *pairs;
	size_t count;
	struct jrow *next;
};

/*
 * jrow_read: the next line.  1 and *ret, 0 at the end, ERR_FORMAT when a
 * line is not one JSON object (an unfinished last line too).
 */
int jrow_read(struct reader *r, struct arena *a, struct jrow **ret,
    struct err *e);

/* jrow_copy: the row in another arena; NULL when that is full. */
struct jrow *jrow_copy(const struct jrow *r, struct arena *a);

/* jrow_get: the value, or "" when there is none. */
const char *jrow_get(const struct jrow *r, const char *key);
const struct jpair *jrow_find(const struct jrow *r, const char *key);
uint64_t jrow_u64(const struct jrow *r, const char *key);

#endif /* !ANALYZER_JROW_H_ */
