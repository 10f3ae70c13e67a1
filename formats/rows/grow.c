#include <string.h>

#include "base/arena.h"
#include "formats/rows/grow.h"

#define GROW_FIRST 256

void
grow_init(struct grow *g, struct arena *a)
{
	g->a = a;
	g->p = NULL;
	g->cap = 0;
}

bool
grow_room(struct grow *g, size_t n, size_t keep)
{
	size_t cap = g->cap < GROW_FIRST ? GROW_FIRST : g->cap;
	uint8_t *p;

	if (n <= g->cap && g->p != NULL)
		return true;
	while (cap < n && cap <= SIZE_MAX / 2)
		cap *= 2;
	/* Close to the arena's cap, what is needed is better than nothing. */
	if (cap < n || cap > arena_left(g->a))
		cap = n;
	if ((p = arena_alloc(g->a, cap)) == NULL)
		return false;
	if (keep > 0)
		memcpy(p, g->p, keep);
	g->p = p;
	g->cap = cap;
	return true;
}
