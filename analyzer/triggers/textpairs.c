#include <string.h>

#include "analyzer/triggers/textpairs.h"
#include "base/err.h"

#define PROBES 512
#define SIEVE_MAX ((size_t)1 << 26)

static uint64_t
mix(uint64_t v)
{
	v = (v ^ v >> 31) * 0x7fb5d329728ea185u;
	v = (v ^ v >> 27) * 0x81dadef4bc2dd44du;
	return v ^ v >> 33;
}

int
textpairs_init(struct textpairs *t, size_t max)
{
	memset(t, 0, sizeof(*t));
	t->slots = 1 << 12;
	t->max = max;
	t->entry = calloc(t->slots, sizeof(*t->entry));
	return t->entry == NULL ? ERR_NOMEM : 0;
}

void
textpairs_release(struct textpairs *t)
{
	free(t->entry);
	memset(t, 0, sizeof(*t));
}

static struct textpairs_entry *
find(struct textpairs_entry *entry, size_t slots, uint64_t key)
{
	size_t at = mix(key) & (slots - 1);

	for (unsigned i = 0; i < PROBES; i++, at = (at + 1) & (slots - 1))
		if (entry[at].key == key || entry[at].key == 0)
			return &entry[at];
	return NULL;
}

static int
enlarge(struct textpairs *t)
{
	size_t n = t->slots * 2;
	struct textpairs_entry *e = calloc(n, sizeof(*e)), *to;

	if (e == NULL)
		return ERR_NOMEM;
	for (size_t i = 0; i < t->slots; i++) {
		if (t->entry[i].key == 0)
			continue;
		if ((to = find(e, n, t->entry[i].key)) != NULL)
			*to = t->entry[i];
		else
			t->lost++;
	}
	free(t->entry);
	t->entry = e;
	t->slots = n;
	return 0;
}

int
textpairs_add(struct textpairs *t, uint64_t key, struct textpairs_entry **ret)
{
	struct textpairs_entry *e;

	*ret = NULL;
	if (t->used * 2 >= t->slots && t->used < t->max && enlarge(t) < 0)
		return ERR_NOMEM;
	if ((e = find(t->entry, t->slots, key)) == NULL ||
	    (e->key == 0 && t->used >= t->max)) {
		t->lost++;
		return 0;
	}
	if (e->key == 0) {
		e->key = key;
		t->used++;
	}
	*ret = e;
	return 0;
}

struct textpairs_entry *
textpairs_at(const struct textpairs *t, uint64_t key)
{
	struct textpairs_entry *e = find(t->entry, t->slots, key);

	return e == NULL || e->key == 0 ? NULL : e;
}

int
textpairs_sieve_init(struct textpairs_sieve *s, size_t expected)
{
	size_t n = 1 << 12;

	while (n < expected && n < SIEVE_MAX)
		n *= 2;
	s->mask = n - 1;
	s->seen = calloc(n, 1);
	return s->seen == NULL ? ERR_NOMEM : 0;
}

void
textpairs_sieve_add(struct textpairs_sieve *s, uint64_t key)
{
	uint8_t *p = &s->seen[mix(key) & s->mask];

	if (*p < 255)
		(*p)++;
}

unsigned
textpairs_sieve_get(const struct textpairs_sieve *s, uint64_t key)
{
	return s->seen[mix(key) & s->mask];
}

void
textpairs_sieve_release(struct textpairs_sieve *s)
{
	free(s->seen);
	s->seen = NULL;
}
