#ifndef ANALYZER_DIFF_WFIELD_H_
#define ANALYZER_DIFF_WFIELD_H_

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "analyzer/diff/rows.h"
#include "base/frame.h"

/*
 * Fields of a frame, checked, for diff_wire_read.c: false when a field has
 * not the type, size or range that is asked for.
 */
bool wfield_bool(const struct frame *f, uint8_t tag, bool *ret);
/* wfield_enum: a value below ${count}. */
bool wfield_enum(const struct frame *f, uint8_t tag, uint32_t count,
    unsigned *ret);
/* wfield_text: of evidence, any bytes, at most ${max}; absent: p NULL. */
bool wfield_text(const struct frame *f, uint8_t tag, size_t max,
    struct row_text *ret);
/*
 * wfield_own: a text of our own: there, not empty, printable ASCII, at most
 * ${max} bytes, copied to ${dst} with a NUL.  wfield_is_own: the same of
 * bytes.
 */
bool wfield_own(const struct frame *f, uint8_t tag, size_t max, char *dst);
bool wfield_is_own(struct cursor c, size_t max, char *dst);
bool wfield_sha256(const struct frame *f, uint8_t tag, bool *has,
    uint8_t ret[32]);
/* wfield_number: in [least, most], or NaN: there is none. */
bool wfield_number(const struct frame *f, uint8_t tag, double least,
    double most, double *ret);
/* wfield_in_range: the same of the bits of a double. */
bool wfield_in_range(uint64_t bits, double least, double most, double *ret);

#endif /* !ANALYZER_DIFF_WFIELD_H_ */
