#ifndef FORMATS_ROWS_GROW_H_
#define FORMATS_ROWS_GROW_H_

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct arena;

/*
 * Memory that a reader uses again and again: a page, a row.  It comes from
 * the arena, which never takes anything back, so it grows by doubling and is
 * never given away: all that one grow ever took is less than four times the
 * most that was asked for.
 */
struct grow {
	struct arena *a;
	uint8_t *p;
	size_t cap;
};

void grow_init(struct grow *g, struct arena *a);

/*
 * grow_room: p[0..n) can be written, and the first ${keep} bytes are what
 * they were (keep <= the earlier n).  False over the arena's cap.
 */
bool grow_room(struct grow *g, size_t n, size_t keep);

#endif /* !FORMATS_ROWS_GROW_H_ */
