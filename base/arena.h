#ifndef BASE_ARENA_H_
#define BASE_ARENA_H_

#include <stddef.h>

/*
 * A bump allocator with a cap, freed at once.  Parsers allocate from
 * nothing else, so what an object can make us hold is bounded by the cap.
 * Memory is zeroed and aligned for any type.
 */
struct arena;

/* arena_new(cap): NULL when out of memory. */
struct arena *arena_new(size_t cap);
void arena_free(struct arena *a);	/* NULL does nothing */

/* arena_alloc(a, n): NULL over the cap or out of memory. n == 0 is 1. */
void *arena_alloc(struct arena *a, size_t n) __attribute__((malloc));
/* arena_array(a, count, size): NULL also when the product overflows. */
void *arena_array(struct arena *a, size_t count, size_t size);
/* arena_dup(a, p, n): a copy with a NUL after it. */
char *arena_dup(struct arena *a, const void *p, size_t n);
size_t arena_used(const struct arena *a);
size_t arena_left(const struct arena *a);

#endif /* !BASE_ARENA_H_ */
