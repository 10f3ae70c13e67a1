#ifndef FORMATS_ROWS_VALUE_H_
#define FORMATS_ROWS_VALUE_H_

#include <stddef.h>
#include <stdint.h>

struct buf;
struct rows_value;

/*
 * Values as JSON that is exact and safe to print: what text_printable
 * (base/text.h) would not show is written as \uXXXX, so the string is the
 * same and nothing hidden reaches a terminal.
 *
 *	TEXT	a string; one that is not UTF-8 as BYTES
 *	BYTES	{"base64":"..."}
 *	TIME	a string, RFC 3339 with nine digits
 *	REAL	a number; "NaN", "Infinity", "-Infinity" as strings
 *	TREE	as it is
 *	ABSENT	null
 */
void value_json(struct buf *b, const struct rows_value *v);

/* value_escape: one code point as \uXXXX, or two of them. */
void value_escape(struct buf *b, uint32_t cp);

/* value_utf8: a code point as UTF-8. */
void value_utf8(struct buf *b, uint32_t cp);

/* value_key: a JSON string and a colon; not UTF-8: as \u00XX. */
void value_key(struct buf *b, const uint8_t *p, size_t n);

#endif /* !FORMATS_ROWS_VALUE_H_ */
