#ifndef ANALYZER_DIFF_BASIS_H_
#define ANALYZER_DIFF_BASIS_H_

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"

struct json_write;

/*
 * The numbers that led to something: a small tree of keys and values, built
 * by a worker, checked by its parent, printed as JSON or text.
 *
 * On the wire it is a run of items
 *   u8 kind, u8 key length, key ([a-z][a-z0-9_]{0,31}; none in an array),
 *   u64le (numbers, the bits of a double), or u32le length and bytes (text)
 * where an object or array is closed by END.  Depth is at most BASIS_DEPTH.
 * A key is in its object once: whoever reads JSON would take the first or the
 * last of two.
 */
#define BASIS_DEPTH 4
#define BASIS_KEYS 64		/* of one object */
#define BASIS_LONG (16 * 1024)	/* the longest text; most are cut before */
#define BASIS_MAX (64 * 1024)	/* of a row's: beyond it nothing is added */

struct basis {
	struct buf b;
	unsigned depth;
	bool array[BASIS_DEPTH + 1];
};

void basis_init(struct basis *s);
void basis_release(struct basis *s);

/* ${key} is NULL inside an array, and only there. */
void basis_u64(struct basis *s, const char *key, uint64_t v);
void basis_f64(struct basis *s, const char *key, double v); /* NaN: null */
void basis_bool(struct basis *s, const char *key, bool v);
void basis_null(struct basis *s, const char *key);
void basis_str(struct basis *s, const char *key, const char *v);
void basis_text(struct basis *s, const char *key, const void *p, size_t n);
/* basis_long: a text of ours that is not cut before BASIS_LONG bytes. */
void basis_long(struct basis *s, const char *key, const void *p, size_t n);
void basis_object(struct basis *s, const char *key);
void basis_array(struct basis *s, const char *key);
void basis_end(struct basis *s);

/*
 * basis_bytes: what was built, or what was built up to the last item that
 * fitted, with everything closed; *n its length.
 */
const uint8_t *basis_bytes(struct basis *s, size_t *n);

/* basis_check: is p[0..n) well formed?  The parent's gate. */
bool basis_check(const uint8_t *p, size_t n);

/*
 * basis_find: is ${key} there, at the top?  *text is its text, or NULL when
 * it is something else.  PRE: basis_check.
 */
bool basis_find(const uint8_t *p, size_t n, const char *key,
    const char **text, size_t *len);

/* basis_true: is it there, and true? */
bool basis_true(const uint8_t *p, size_t n, const char *key);
/* basis_number: the same of a number; false when it is none. */
bool basis_number(const uint8_t *p, size_t n, const char *key, double *ret);

/* PRE for both: basis_check.  basis_json writes members of an open object. */
void basis_json(const uint8_t *p, size_t n, struct json_write *w);
/*
 * basis_line: "key value, key value, key [1, 2]", printable.  A picture and its
 * size at the top are left out.
 */
void basis_line(const uint8_t *p, size_t n, struct buf *b);

/*
 * basis_paragraph: the first ${max} bytes of that line, folded at 76 columns
 * between items and indented by six.  True when there is more.
 */
bool basis_paragraph(const uint8_t *p, size_t n, size_t max, struct buf *b);

#endif /* !ANALYZER_DIFF_BASIS_H_ */
