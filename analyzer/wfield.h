#ifndef ANALYZER_WFIELD_H_
#define ANALYZER_WFIELD_H_

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/frame.h"

/*
 * Fields of a frame that a worker sent, checked: false when a field has not
 * the type, size or range that is asked for.
 */
bool wfield_bool(const struct frame *f, uint8_t tag, bool *ret);
/* wfield_enum: a value below ${count}. */
bool wfield_enum(const struct frame *f, uint8_t tag, uint32_t count,
    unsigned *ret);
/* wfield_bytes: of evidence, any, at most ${max}; absent: *ret NULL. */
bool wfield_bytes(const struct frame *f, uint8_t tag, size_t max,
    const uint8_t **ret, size_t *n);
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

#endif /* !ANALYZER_WFIELD_H_ */
