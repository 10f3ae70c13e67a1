#include <stdalign.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"

/*
 * Method.  A list of zeroed chunks; the first of the list is filled from its
 * start.  What is counted against the cap is every byte handed out, rounded
 * up for alignment, and the tail of each chunk that is left behind.  A chunk
 * is never larger than what is left, so the chunks together never exceed the
 * cap (their small headers apart).
 *
 * A large request gets a chunk of its own, placed second: the chunk being
 * filled stays first, and its tail is not lost.
 */
#define ARENA_CHUNK ((size_t)64 * 1024)
#define ARENA_LARGE (ARENA_CHUNK / 4)
#define ARENA_ALIGN alignof(max_align_t)

struct chunk {
	struct chunk *next;
	size_t size;
	size_t used;
	alignas(max_align_t) unsigned char data[];
};

struct arena {
	struct chunk *first;
	size_t cap;
	size_t used;
};

struct arena *
arena_new(size_t cap)
{
	struct arena *a;

	if ((a = calloc(1, sizeof(*a))) != NULL)
		a->cap = cap;
	return a;
}

void
arena_free(struct arena *a)
{
	struct chunk *c, *next;

	if (a == NULL)
		return;
	for (c = a->first; c != NULL; c = next) {
		next = c->next;
		free(c);
	}
	free(a);
}

static struct chunk *
chunk_new(size_t size)
{
	struct chunk *c;

	if (size > SIZE_MAX - sizeof(*c) ||
	    (c = calloc(1, sizeof(*c) + size)) == NULL)
		return NULL;
	c->size = size;
	return c;
}

static void *
take(struct arena *a, struct chunk *c, size_t n)
{
	void *p = c->data + c->used;

	c->used += n;
	a->used += n;
	return p;
}

void *
arena_alloc(struct arena *a, size_t n)
{
	struct chunk *c = a->first;
	size_t left = a->cap - a->used;
	size_t tail = c == NULL ? 0 : c->size - c->used;

	if (n == 0)
		n = 1;
	if (n > SIZE_MAX - (ARENA_ALIGN - 1))
		return NULL;
	n = (n + ARENA_ALIGN - 1) / ARENA_ALIGN * ARENA_ALIGN;
	if (n <= tail)
		return take(a, c, n);
	/* The tail of the first chunk is held already, used or not. */
	if (tail > left || n > left - tail)
		return NULL;
	if (n >= ARENA_LARGE && c != NULL) {
		struct chunk *own;

		if ((own = chunk_new(n)) == NULL)
			return NULL;
		own->next = c->next;
		c->next = own;
		return take(a, own, n);
	}
	left -= tail;
	if ((c = chunk_new(n > ARENA_CHUNK || left < ARENA_CHUNK ?
	    n : ARENA_CHUNK)) == NULL)
		return NULL;
	a->used += tail;
	c->next = a->first;
	a->first = c;
	return take(a, c, n);
}

void *
arena_array(struct arena *a, size_t count, size_t size)
{
	if (size != 0 && count > SIZE_MAX / size)
		return NULL;
	return arena_alloc(a, count * size);
}

char *
arena_dup(struct arena *a, const void *p, size_t n)
{
	char *copy;

	if (n == SIZE_MAX || (copy = arena_alloc(a, n + 1)) == NULL)
		return NULL;
	if (n != 0)
		memcpy(copy, p, n);
	copy[n] = '\0';
	return copy;
}

size_t
arena_used(const struct arena *a)
{
	return a->used;
}

size_t
arena_left(const struct arena *a)
{
	return a->cap - a->used;
}
