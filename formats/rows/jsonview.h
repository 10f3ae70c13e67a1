#ifndef FORMATS_ROWS_JSONVIEW_H_
#define FORMATS_ROWS_JSONVIEW_H_

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct buf;
struct rows_value;

/*
 * One JSON document (RFC 8259) in memory, looked at without building
 * anything: for records by the million.  As strict as base/json_read.h, which
 * streams: UTF-8 checked, control characters and lone surrogates refused,
 * depth at most LIMIT_JSON_DEPTH.
 *
 * jsonview_check comes first; the others must be given what it has let pass.
 */

/*
 * jsonview_check: is p[0..n) one value, blanks around it aside?  Otherwise
 * *bad is where it is not.
 */
bool jsonview_check(const uint8_t *p, size_t n, size_t *bad);

/*
 * jsonview_get: the value at a dotted path: object keys, elements of lists
 * by number.  The whole rest of the path as one key is tried before its first
 * part.  Of equal keys the last one counts, as for most readers; *twice says
 * that there were some on the way.  Texts and trees may be made in
 * ${scratch}, which is cleared first; then v points there.  Numbers: INT and
 * UINT when written without fraction and exponent and in range, else REAL.
 */
void jsonview_get(const uint8_t *p, size_t n, const char *path,
    struct rows_value *v, bool *twice, struct buf *scratch);

/*
 * jsonview_value: the same of bytes that may be no document; the whole of it,
 * as a tree, when ${path} is empty.  False, and v is absent: they are none.
 */
bool jsonview_value(const uint8_t *p, size_t n, const char *path,
    struct rows_value *v, bool *twice, struct buf *scratch);

/*
 * jsonview_compact: the same document in one line: no blanks outside of
 * strings, what is not printable escaped.
 */
void jsonview_compact(struct buf *b, const uint8_t *p, size_t n);

/* jsonview_is_object: does it begin with a brace? */
bool jsonview_is_object(const uint8_t *p, size_t n);

/*
 * jsonview_keys: each key of an object (nothing for other values), with the
 * type of its value: "object", "array", "string", "number", "boolean",
 * "null".  The key is printable text.
 */
void jsonview_keys(const uint8_t *p, size_t n, void (*each)(void *ctx,
    const char *name, const char *type), void *ctx);

#endif /* !FORMATS_ROWS_JSONVIEW_H_ */
