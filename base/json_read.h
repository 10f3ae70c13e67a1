#ifndef BASE_JSON_READ_H_
#define BASE_JSON_READ_H_

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/limits.h"

struct arena;
struct err;
struct reader;

/*
 * A strict pull reader for JSON (RFC 8259) over a buffered reader.
 *
 * Strict: no comments, no trailing commas, no NaN, no leading zeros, no BOM,
 * control characters in strings refused, UTF-8 checked, lone surrogates
 * refused, depth at most LIMIT_JSON_DEPTH.  Strings are unescaped into the
 * arena (they may hold NUL: use the length).  Duplicate keys are the
 * consumer's to see: each key is delivered.
 *
 * json_next returns 0 and *t, or ERR_FORMAT (malformed, e->off says where),
 * ERR_TRUNC, ERR_LIMIT, ERR_NOMEM, ERR_IO.  After the outermost value
 * JSON_END is delivered; what follows it in the source is not looked at
 * (json_trailing asks).
 */
enum json_type {
	JSON_END,
	JSON_OBJECT,	/* { */
	JSON_OBJECT_END,
	JSON_ARRAY,	/* [ */
	JSON_ARRAY_END,
	JSON_KEY,
	JSON_STRING,
	JSON_NUMBER,
	JSON_TRUE,
	JSON_FALSE,
	JSON_NULL,
};

struct json_token {
	enum json_type type;
	uint64_t off;		/* of its first byte in the source */
	const char *str;	/* KEY, STRING, NUMBER: text, NUL after it */
	size_t len;
	bool escaped;		/* the source wrote it with an escape */
	bool is_u64;		/* NUMBER without sign, fraction, exponent */
	uint64_t u64;		/* its value */
	unsigned depth;		/* nesting of the value: 0 outermost */
};

struct json {
	struct reader *r;
	struct arena *a;
	unsigned depth;
	uint8_t kind[LIMIT_JSON_DEPTH + 1];	/* '{' or '[' */
	uint8_t state;
};

void json_open(struct json *j, struct reader *r, struct arena *a);
int json_next(struct json *j, struct json_token *t, struct err *e);
/*
 * json_skip(j, t, e): having got ${t}, pass over the rest of that value
 * (nothing for a scalar; after a KEY, its whole value).
 */
int json_skip(struct json *j, const struct json_token *t, struct err *e);
/*
 * json_trailing(j, blanks_only, e): bytes left after JSON_END; *blanks_only
 * tells whether they are all JSON white space.
 */
int json_trailing(struct json *j, uint64_t *n, bool *blanks_only,
    struct err *e);

#endif /* !BASE_JSON_READ_H_ */
