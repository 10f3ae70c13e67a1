#ifndef FORMATS_REG_REGB64_H_
#define FORMATS_REG_REGB64_H_

#include <stddef.h>
#include <stdint.h>

struct arena;

/*
 * Base64 (RFC 4648 section 4), strictly: its alphabet, padded, no blanks, no
 * bits left over.  *ret is in the arena, NUL behind it.  0, ERR_FORMAT or
 * ERR_NOMEM.
 */
int regb64_decode(const char *s, size_t n, struct arena *a,
    const uint8_t **ret, size_t *len);

#endif /* !FORMATS_REG_REGB64_H_ */
