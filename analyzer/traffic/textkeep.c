#include <stdlib.h>
#include <string.h>

#include "analyzer/traffic/textkeep.h"
#include "analyzer/traffic/trafhash.h"
#include "analyzer/traffic/wordrun.h"
#include "base/err.h"
#include "base/limits.h"

#define THERE 1048576
#define SLOTS ((size_t)LIMIT_TRAFFIC_KEPT * 2)
#define WORDS_MAX ((size_t)LIMIT_TRAFFIC_KEPT_BYTES / sizeof(uint32_t))

struct textkeep {
	struct textkeep_text *text;
	size_t count, text_cap;
	char *bytes;
	size_t used, cap;
	uint32_t *word;
	size_t words, word_cap;
	uint32_t *slot;		/* 1 + index */
	/* A bit for each hash: most that are looked for are not there. */
	uint64_t there[THERE / 64];
};

struct textkeep *
textkeep_new(void)
{
	struct textkeep *k = calloc(1, sizeof(*k));

	if (k == NULL)
		return NULL;
	if ((k->slot = calloc(SLOTS, sizeof(*k->slot))) == NULL) {
		free(k);
		return NULL;
	}
	return k;
}

void
textkeep_free(struct textkeep *k)
{
	if (k == NULL)
		return;
	free(k->text);
	free(k->bytes);
	free(k->word);
	free(k->slot);
	free(k);
}

/* Room for ${need} more of ${size} bytes. */
static int
room(void **p, size_t used, size_t *cap, size_t need, size_t size)
{
	size_t want = *cap == 0 ? 1024 : *cap;
	void *q;

	if (used + need <= *cap)
		return 0;
	while (want < used + need)
		want *= 2;
	if ((q = realloc(*p, want * size)) == NULL)
		return ERR_NOMEM;
	*p = q;
	*cap = want;
	return 0;
}

static size_t
slot_of(const struct textkeep *k, uint64_t hash)
{
	size_t at = (size_t)trafhash_mix(hash) & (SLOTS - 1);

	while (k->slot[at] != 0 && k->text[k->slot[at] - 1].hash != hash)
		at = (at + 1) & (SLOTS - 1);
	return at;
}

static int
make_room(struct textkeep *k, size_t bytes, size_t words)
{
	void *t = k->text, *b = k->bytes, *w = k->word;
	int r = 0;

	if (room(&t, k->count, &k->text_cap, 1, sizeof(*k->text)) < 0 ||
	    room(&b, k->used, &k->cap, bytes, 1) < 0 ||
	    room(&w, k->words, &k->word_cap, words, sizeof(*k->word)) < 0)
		r = ERR_NOMEM;
	k->text = t;
	k->bytes = b;
	k->word = w;
	return r;
}

int
textkeep_add(struct textkeep *k, const struct textkeep_text *t,
    const char *p, const struct wordrun *w)
{
	struct textkeep_text *to;
	uint64_t hash = 0;
	size_t at;

	for (uint32_t i = 0; i < w->n; i++)
		hash = textkeep_step(hash, w->hash[i]);
	at = slot_of(k, hash);
	if (k->slot[at] != 0 || k->count == LIMIT_TRAFFIC_KEPT ||
	    LIMIT_TRAFFIC_KEPT_BYTES - k->used < t->len ||
	    WORDS_MAX - k->words < w->n)
		return 0;
	if (make_room(k, t->len, w->n) < 0)
		return ERR_NOMEM;
	to = &k->text[k->count];
	*to = *t;
	to->off = k->used;
	to->word = k->words;
	to->words = w->n;
	to->hash = hash;
	if (t->len > 0)
		memcpy(k->bytes + k->used, p, t->len);
	memcpy(k->word + k->words, w->hash, w->n * sizeof(*k->word));
	k->used += t->len;
	k->words += w->n;
	k->slot[at] = (uint32_t)++k->count;
	at = (size_t)(hash >> 40) % THERE;
	k->there[at / 64] |= (uint64_t)1 << at % 64;
	return 1;
}

size_t
textkeep_count(const struct textkeep *k)
{
	return k->count;
}

const struct textkeep_text *
textkeep_at(const struct textkeep *k, size_t i)
{
	return &k->text[i];
}

const char *
textkeep_bytes(const struct textkeep *k, size_t i)
{
	return k->bytes + k->text[i].off;
}

const uint32_t *
textkeep_words(const struct textkeep *k, size_t i)
{
	return k->word + k->text[i].word;
}

uint64_t
textkeep_words_in_all(const struct textkeep *k)
{
	return k->words;
}

size_t
textkeep_find(const struct textkeep *k, uint64_t hash)
{
	size_t at = (size_t)(hash >> 40) % THERE;

	if ((k->there[at / 64] >> at % 64 & 1) == 0)
		return k->count;
	at = slot_of(k, hash);
	return k->slot[at] == 0 ? k->count : k->slot[at] - 1;
}
