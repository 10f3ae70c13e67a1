#ifndef CUSTODY_NAMESET_H_
#define CUSTODY_NAMESET_H_

#include <stddef.h>

struct arena;
struct err;

/*
 * Which names were there already?  Keeps the first 16 bytes of the SHA-256
 * of each name, so that millions of members take 20 to 40 bytes each,
 * whatever their names' length.  Two different names that collide (2^64
 * trials to find a pair) would be taken for a duplicate and refused; none is
 * ever let pass.  Read side.
 *
 * The table comes from the arena and is replaced by one of twice the size as
 * it fills: the arena's cap bounds it (1 GiB: 25 million names).
 */
struct nameset;

/* nameset_new: NULL when out of memory. */
struct nameset *nameset_new(struct arena *a);

/*
 * nameset_add: 1 the name is new, 0 it was there; ERR_LIMIT when the arena's
 * cap is reached, ERR_CRYPTO.
 */
int nameset_add(struct nameset *s, const char *name, size_t n,
    struct err *e);
/* nameset_has: 1 or 0; adds nothing.  ERR_CRYPTO. */
int nameset_has(const struct nameset *s, const char *name, size_t n,
    struct err *e);

#endif /* !CUSTODY_NAMESET_H_ */
