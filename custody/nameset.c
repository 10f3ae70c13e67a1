#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "base/arena.h"
#include "base/err.h"
#include "custody/digest.h"
#include "custody/nameset.h"

/*
 * Open addressing with linear steps in a table of a power of two.  A slot of
 * all zeros is free; a name whose digest begins so (2^-128) is moved to 1.
 */
#define FIRST 256

struct slot {
	uint64_t a, b;
};

struct nameset {
	struct arena *arena;
	struct slot *slot;
	size_t count, size;
};

struct nameset *
nameset_new(struct arena *a)
{
	struct nameset *s;

	if ((s = arena_alloc(a, sizeof(*s))) == NULL ||
	    (s->slot = arena_array(a, FIRST, sizeof(*s->slot))) == NULL)
		return NULL;
	s->arena = a;
	s->size = FIRST;
	return s;
}

/* Where the key is or may be put. */
static struct slot *
place(struct slot *slot, size_t size, const struct slot *key)
{
	size_t i = (size_t)key->a & (size - 1);

	while ((slot[i].a != 0 || slot[i].b != 0) &&
	    (slot[i].a != key->a || slot[i].b != key->b))
		i = (i + 1) & (size - 1);
	return &slot[i];
}

static bool
grow(struct nameset *s)
{
	struct slot *bigger;

	if (s->size > SIZE_MAX / 2 || (bigger = arena_array(s->arena,
	    s->size * 2, sizeof(*bigger))) == NULL)
		return false;
	for (size_t i = 0; i < s->size; i++)
		if (s->slot[i].a != 0 || s->slot[i].b != 0)
			*place(bigger, s->size * 2, &s->slot[i]) = s->slot[i];
	s->slot = bigger;
	s->size *= 2;
	return true;
}

static int
make_key(struct slot *key, const char *name, size_t n, struct err *e)
{
	struct digests d;
	int r;

	if ((r = digest_mem(name, n, DIGEST_SHA256, &d, e)) < 0)
		return r;
	memcpy(&key->a, d.sha256, 8);
	memcpy(&key->b, d.sha256 + 8, 8);
	if (key->a == 0 && key->b == 0)
		key->b = 1;
	return 0;
}

int
nameset_has(const struct nameset *s, const char *name, size_t n,
    struct err *e)
{
	const struct slot *at;
	struct slot key;
	int r;

	if ((r = make_key(&key, name, n, e)) < 0)
		return r;
	at = place(s->slot, s->size, &key);
	return at->a != 0 || at->b != 0;
}

int
nameset_add(struct nameset *s, const char *name, size_t n, struct err *e)
{
	struct slot key, *at;
	int r;

	if ((r = make_key(&key, name, n, e)) < 0)
		return r;
	at = place(s->slot, s->size, &key);
	if (at->a != 0 || at->b != 0)
		return 0;
	/* At three quarters full, twice the size; without room, to 7/8. */
	if (s->count >= s->size / 4 * 3) {
		if (grow(s))
			at = place(s->slot, s->size, &key);
		else if (s->count >= s->size / 8 * 7)
			return err_set(e, ERR_LIMIT, "more than %zu members",
			    s->count);
	}
	*at = key;
	s->count++;
	return 1;
}
