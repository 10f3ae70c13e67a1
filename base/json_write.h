#ifndef BASE_JSON_WRITE_H_
#define BASE_JSON_WRITE_H_

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct buf;

/*
 * JSON out, into a buf.  Commas and nesting are kept by the writer; misuse
 * (a value without a key in an object, unbalanced ends) is a BUG.
 *
 * Styles: JSON_COMPACT has no blanks (JSON Lines).  JSON_CANONICAL is compact
 * and also demands that keys come in ascending byte order (RFC 8785 for the
 * ASCII keys that we use) and refuses floating point: a key out of order is
 * a BUG.  JSON_PRETTY writes one key a line, indent 1, and ": ".
 *
 * Strings: json_text takes bytes from anywhere and writes their printable
 * form (text.h); json_str takes our own constant text.  Integers beyond
 * 2^53 - 1 are written as they are (our readers keep 64 bits).
 */
enum json_style { JSON_COMPACT, JSON_CANONICAL, JSON_PRETTY };

#define JSON_WRITE_DEPTH 32

struct json_write {
	struct buf *b;
	enum json_style style;
	unsigned depth;
	bool need_comma[JSON_WRITE_DEPTH];
	bool is_object[JSON_WRITE_DEPTH];
	bool after_key;
	char last_key[JSON_WRITE_DEPTH][64];
};

void json_init(struct json_write *w, struct buf *b, enum json_style style);
void json_begin_object(struct json_write *w);
void json_end_object(struct json_write *w);
void json_begin_array(struct json_write *w);
void json_end_array(struct json_write *w);
void json_key(struct json_write *w, const char *key);
void json_str(struct json_write *w, const char *s);	/* NULL gives null */
void json_text(struct json_write *w, const void *p, size_t n, unsigned flags);
/* json_literal: of text that is escaped already: backslashes stay single. */
void json_literal(struct json_write *w, const void *p, size_t n);
void json_u64(struct json_write *w, uint64_t v);
void json_i64(struct json_write *w, int64_t v);
void json_bool(struct json_write *w, bool v);
void json_null(struct json_write *w);
void json_double(struct json_write *w, double v); /* %.17g shortest; NaN null */
void json_hex(struct json_write *w, const void *p, size_t n);
void json_raw(struct json_write *w, const char *json); /* already JSON */

/* Key and value in one call. */
void json_kstr(struct json_write *w, const char *key, const char *s);
void json_ktext(struct json_write *w, const char *key, const void *p,
    size_t n);
void json_ku64(struct json_write *w, const char *key, uint64_t v);
void json_ki64(struct json_write *w, const char *key, int64_t v);
void json_kbool(struct json_write *w, const char *key, bool v);
void json_knull(struct json_write *w, const char *key);
void json_khex(struct json_write *w, const char *key, const void *p,
    size_t n);

#endif /* !BASE_JSON_WRITE_H_ */
