#ifndef FORMATS_BASE64_H_
#define FORMATS_BASE64_H_

#include <stddef.h>
#include <stdint.h>

struct arena;

/*
 * Base64 (RFC 4648) into an arena, a NUL behind it.
 *
 * BASE64_STRICT: section 4 to the letter: its alphabet, padded, no blanks, no
 * bits left over.  BASE64_MILD: either alphabet, with or without padding, line
 * ends and blanks within are passed; strict about all else.
 */
enum base64_how { BASE64_STRICT, BASE64_MILD };

/* base64_digit: of either alphabet, 0 to 63, or -1. */
int base64_digit(uint8_t c);
/* base64_decode: 0, ERR_FORMAT or ERR_NOMEM. */
int base64_decode(struct arena *a, const void *p, size_t n,
    enum base64_how how, const uint8_t **ret, size_t *len);

#endif /* !FORMATS_BASE64_H_ */
