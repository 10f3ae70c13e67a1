#ifndef COLLECTOR_JLINE_H_
#define COLLECTOR_JLINE_H_

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/json_read.h"

struct arena;
struct err;

/*
 * A line of the journal, read strictly, as pairs of a dotted path and a
 * value: {"a":{"b":1},"c":["x"]} is a.b=1, c.0="x".  Lists below "line" and
 * everything below "request" are passed over; of a line with more than
 * JLINE_PAIRS values the rest is.  A path that comes twice is ERR_FORMAT.
 */
#define JLINE_PAIRS 192
#define JLINE_PATH 160

struct jline {
	struct arena *a;
	const char *text;	/* borrowed */
	size_t n;
	struct jpair {
		const char *key;
		struct json_token t;
	} pair[JLINE_PAIRS];
	size_t count;
};

int jline_read(struct jline *l, const char *p, size_t n, struct err *e);
void jline_release(struct jline *l);

/* A string without NUL, or NULL. */
const char *jline_str(const struct jline *l, const char *key);
bool jline_u64(const struct jline *l, const char *key, uint64_t *ret);
bool jline_true(const struct jline *l, const char *key);
/* Exactly ${n} bytes, as hex digits. */
bool jline_hex(const struct jline *l, const char *key, uint8_t *ret,
    size_t n);
/* The bytes that hex digits stand for, NUL behind them, in the arena. */
const char *jline_unhex(const struct jline *l, const char *key, size_t *n);
/* The text of the object under the last key of the line. */
bool jline_last(const struct jline *l, const char *key, const char **p,
    size_t *n);

#endif /* !COLLECTOR_JLINE_H_ */
