#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "analyzer/diff/pool.h"
#include "analyzer/triggers/imagecount.h"
#include "analyzer/triggers/imagekeys.h"
#include "base/err.h"

#define PARTS 16
#define PART(key) ((unsigned)((key) >> 60))
#define CHUNKS 8		/* of a batch of images */
#define BATCH_KEYS ((size_t)1 << 20)
#define BATCH_IMAGES 2048	/* fewer than 12 bits can number */
#define SLOTS_LEAST 12		/* log2 of counters of a part */
#define SLOTS_MOST 24
#define ENTRIES ((size_t)1 << 16)	/* of a part in step 2 */
#define ENTRIES_FULL (ENTRIES / 4 * 3)
#define ONE_ROUND 40000000	/* keys that are counted together */
#define WANTED_SLOTS ((size_t)1 << 14)
#define AHEAD 12		/* keys, for memory to answer */

struct entry {
	uint64_t key;		/* 0: free */
	uint32_t last, count, cls, votes;	/* last: image + 1 */
};

struct chunk {
	uint64_t *keys;		/* sorted by part */
	uint64_t *raw;
	size_t at[PARTS + 1];
	uint32_t first, images;
};

struct work {
	const struct imageset *t;
	unsigned tags, all;	/* of this round; of all */
	unsigned views;		/* that are looked at */
	size_t most;		/* keys of an image */
	uint32_t batch;		/* images of a batch */
	uint32_t base;		/* the first image of this one */
	struct chunk chunk[CHUNKS];
	uint64_t *space;
	struct imagekeys *scratch;	/* one a thread */
	unsigned bits;		/* log2 of counters of a part */
	uint8_t *counters;
	struct entry *entries;
	size_t used[PARTS];
	uint64_t counted[PARTS], dropped[PARTS];
	bool counting;		/* step 1 */
	/* step 3 */
	struct imagecount *c;
	uint32_t *wanted;	/* index + 1 */
	uint64_t seen[1024];	/* a first look: 16 bits of a key */
};

static size_t
image_keys(struct work *w, uint32_t image, unsigned thread, uint64_t *out)
{
	const struct imageset *t = w->t;
	size_t n = 0;

	for (unsigned i = 0; i < t->nviews; i++) {
		struct imagekeys_view v = {.p = imageset_view(t, image, i),
		    .w = t->view[i].w, .h = t->view[i].h, .ch = t->ch,
		    .number = i, .sharp = t->sharp};

		/* Means of pixels are no pixels. */
		if (!t->view[i].means)
			n += imagekeys_of(&w->scratch[thread], &v, w->tags,
			    out + n, NULL);
	}
	return n;
}

/* Keys of a chunk of images, sorted by part and within it as they came. */
static void
gather(void *ctx, size_t i, unsigned thread)
{
	struct work *w = ctx;
	struct chunk *c = &w->chunk[i];
	size_t n = 0, at[PARTS] = {0}, sum = 0;

	for (uint32_t k = 0; k < c->images; k++) {
		size_t m = image_keys(w, c->first + k, thread, c->raw + n);

		for (size_t j = n; j < n + m; j++) {
			c->raw[j] |= c->first + k - w->base;
			at[PART(c->raw[j])]++;
		}
		n += m;
	}
	for (unsigned p = 0; p < PARTS; p++) {
		size_t m = at[p];

		c->at[p] = at[p] = sum;
		sum += m;
	}
	c->at[PARTS] = sum;
	for (size_t j = 0; j < n; j++)
		c->keys[at[PART(c->raw[j])]++] = c->raw[j];
}

static inline size_t
counter_of(const struct work *w, uint64_t key)
{
	return (size_t)(key << 4 >> (64 - w->bits));
}

/* A counter of two bits, which stays at 3. */
static inline void
raise(uint8_t *counters, size_t at)
{
	unsigned shift = (unsigned)(at & 3) * 2;
	unsigned v = counters[at >> 2] >> shift & 3;

	if (v < 3)
		counters[at >> 2] = (uint8_t)(counters[at >> 2] +
		    (1U << shift));
}

static void
enter(struct work *w, unsigned part, uint64_t head, uint32_t image)
{
	struct entry *all = w->entries + part * ENTRIES, *e;
	uint32_t cls = w->t->cls[image];
	size_t at = (size_t)(image_mix(head) & (ENTRIES - 1));

	while (all[at].key != 0 && all[at].key != head)
		at = (at + 1) & (ENTRIES - 1);
	e = &all[at];
	if (e->key == 0) {
		if (w->used[part] >= ENTRIES_FULL) {
			w->dropped[part]++;
			return;
		}
		w->used[part]++;
		e->key = head;
	}
	if (e->last == image + 1)
		return;
	e->last = image + 1;
	e->count++;
	if (e->votes == 0) {
		e->cls = cls;
		e->votes = 1;
	} else if (e->cls == cls) {
		e->votes++;
	} else {
		e->votes--;
	}
}

static void
consume(void *ctx, size_t p, unsigned thread)
{
	struct work *w = ctx;
	unsigned part = (unsigned)p;
	uint8_t *counters = w->counters + (p << w->bits >> 2);

	(void)thread;
	for (unsigned i = 0; i < CHUNKS; i++) {
		const struct chunk *c = &w->chunk[i];
		const uint64_t *k = c->keys + c->at[p];
		size_t n = c->at[p + 1] - c->at[p];

		w->counted[p] += w->counting ? n : 0;
		for (size_t j = 0; j < n; j++) {
			uint64_t head = IMAGEKEYS_HEAD(k[j]);
			size_t at = counter_of(w, head);

			if (j + AHEAD < n)
				__builtin_prefetch(counters + (counter_of(w,
				    k[j + AHEAD]) >> 2), 1);
			if (w->counting)
				raise(counters, at);
			else if ((counters[at >> 2] >> (at & 3) * 2 & 3) == 3)
				enter(w, part, head, w->base +
				    (uint32_t)(k[j] & 0xfff));
		}
	}
}

/* Cut ${n} images from ${base} on into chunks. */
static void
cut(struct work *w, uint32_t base, uint32_t n)
{
	uint32_t each = (w->batch + CHUNKS - 1) / CHUNKS, at = 0;

	w->base = base;
	for (unsigned i = 0; i < CHUNKS; i++) {
		uint32_t k = n - at < each ? n - at : each;

		w->chunk[i].first = base + at;
		w->chunk[i].images = k;
		w->chunk[i].raw = w->space + 2 * i * each * w->most;
		w->chunk[i].keys = w->chunk[i].raw + each * w->most;
		at += k;
	}
}

static int
sweep(struct work *w)
{
	const struct imageset *t = w->t;

	for (uint32_t base = 0; base < t->n; base += w->batch) {
		uint32_t n = t->n - base < w->batch ? t->n - base : w->batch;
		int r;

		cut(w, base, n);
		pool_run(t->d->pool, gather, w, CHUNKS);
		pool_run(t->d->pool, consume, w, PARTS);
		if (t->d->progress != NULL && (r = t->d->progress(t->d->ctx,
		    base, t->n)) < 0)
			return r;
	}
	return 0;
}

/* More of one label weighs more where the label is rare. */
static double
weight(const struct imageset *t, const struct imagecount_key *k)
{
	double share = (double)t->classes[k->cls].count / (double)t->n;

	return -log10(share) * (double)k->votes;
}

struct ranked {
	struct imagecount_key k;
	double weight;
};

static int
by_rank(const void *x, const void *y)
{
	const struct ranked *a = x, *b = y;
	unsigned s = IMAGEKEYS_TAG(a->k.key), u = IMAGEKEYS_TAG(b->k.key);

	if (s != u)
		return s < u ? -1 : 1;
	if (a->weight != b->weight)
		return a->weight > b->weight ? -1 : 1;
	if (a->k.count != b->k.count)
		return a->k.count > b->k.count ? -1 : 1;
	return (a->k.key > b->k.key) - (a->k.key < b->k.key);
}

/* The best of each family of this round, behind those of earlier ones. */
static int
choose(struct work *w)
{
	struct ranked *all;
	unsigned of[IMAGEKEYS_FAMILIES] = {0};
	size_t n = 0;

	for (size_t i = 0; i < PARTS * ENTRIES; i++)
		n += w->entries[i].count >= IMAGECOUNT_LEAST;
	if ((all = calloc(n + 1, sizeof(*all))) == NULL)
		return ERR_NOMEM;
	n = 0;
	for (size_t i = 0; i < PARTS * ENTRIES; i++) {
		const struct entry *e = &w->entries[i];

		if (e->count < IMAGECOUNT_LEAST)
			continue;
		all[n].k = (struct imagecount_key){.key = e->key,
		    .count = e->count, .votes = e->votes, .cls = e->cls};
		all[n].weight = weight(w->t, &all[n].k);
		n++;
	}
	qsort(all, n, sizeof(*all), by_rank);
	for (size_t i = 0; i < n; i++)
		if (of[IMAGEKEYS_TAG(all[i].k.key)]++ < IMAGECOUNT_WANTED)
			w->c->keys[w->c->n++] = all[i].k;
		else
			w->c->unwanted++;
	free(all);
	return 0;
}

static int
count_round(struct work *w)
{
	int r;

	memset(w->counters, 0, (size_t)PARTS << w->bits >> 2);
	memset(w->entries, 0, PARTS * ENTRIES * sizeof(*w->entries));
	memset(w->used, 0, sizeof(w->used));
	w->counting = true;
	if ((r = sweep(w)) < 0)
		return r;
	w->counting = false;
	if ((r = sweep(w)) < 0)
		return r;
	return choose(w);
}

static void
want(struct work *w)
{
	for (size_t i = 0; i < w->c->n; i++) {
		uint64_t k = w->c->keys[i].key;
		size_t at = (size_t)(image_mix(k) & (WANTED_SLOTS - 1));

		while (w->wanted[at] != 0)
			at = (at + 1) & (WANTED_SLOTS - 1);
		w->wanted[at] = (uint32_t)i + 1;
		w->seen[k >> 54] |= (uint64_t)1 << (k >> 48 & 63);
	}
}

/* Images of 64 bits of every key: no two tasks write the same word. */
static void
hold(void *ctx, size_t i, unsigned thread)
{
	struct work *w = ctx;
	struct chunk *c = &w->chunk[i];

	for (uint32_t k = 0; k < c->images; k++) {
		uint32_t image = c->first + k;
		size_t n = image_keys(w, image, thread, c->raw);

		for (size_t j = 0; j < n; j++) {
			uint64_t key = c->raw[j];
			size_t at;

			if ((w->seen[key >> 54] >> (key >> 48 & 63) & 1) == 0)
				continue;
			at = (size_t)(image_mix(key) & (WANTED_SLOTS - 1));
			for (; w->wanted[at] != 0; at = (at + 1) &
			    (WANTED_SLOTS - 1)) {
				struct imagecount_key *q =
				    &w->c->keys[w->wanted[at] - 1];

				if (q->key != key)
					continue;
				q->bits[image / 64] |= (uint64_t)1 <<
				    image % 64;
				break;
			}
		}
	}
}

static int
find_holders(struct work *w)
{
	const struct imageset *t = w->t;
	size_t words = image_words(t);

	if ((w->c->bits = calloc(w->c->n * words + 1, sizeof(uint64_t))) ==
	    NULL)
		return ERR_NOMEM;
	for (size_t i = 0; i < w->c->n; i++)
		w->c->keys[i].bits = w->c->bits + i * words;
	want(w);
	w->tags = w->all;
	for (uint32_t base = 0; base < t->n; base += 64 * CHUNKS) {
		uint32_t at = base;

		for (unsigned i = 0; i < CHUNKS; i++) {
			w->chunk[i].first = at;
			w->chunk[i].images = t->n - at < 64 ? t->n - at : 64;
			w->chunk[i].raw = w->space + i * w->most;
			at += w->chunk[i].images;
		}
		pool_run(t->d->pool, hold, w, CHUNKS);
	}
	return 0;
}

static int
allocate(struct work *w, uint64_t *expected)
{
	const struct imageset *t = w->t;
	uint32_t each;

	w->most = 0;
	for (unsigned i = 0; i < t->nviews; i++)
		w->most += IMAGEKEYS_MOST((size_t)t->view[i].w *
		    t->view[i].h);
	*expected = w->most / IMAGEKEYS_FAMILIES * 3 * (uint64_t)t->n;
	w->batch = (uint32_t)(BATCH_KEYS / w->most) + 1;
	if (w->batch > BATCH_IMAGES)
		w->batch = BATCH_IMAGES;
	each = (w->batch + CHUNKS - 1) / CHUNKS;
	w->bits = SLOTS_LEAST;
	while (w->bits < SLOTS_MOST && ((uint64_t)PARTS << w->bits) <
	    6 * *expected)
		w->bits++;
	w->space = malloc(2 * CHUNKS * each * w->most * sizeof(uint64_t));
	w->scratch = calloc(pool_threads(t->d->pool), sizeof(*w->scratch));
	w->counters = malloc((size_t)PARTS << w->bits >> 2);
	w->entries = malloc(PARTS * ENTRIES * sizeof(*w->entries));
	w->wanted = calloc(WANTED_SLOTS, sizeof(*w->wanted));
	w->c->keys = calloc((size_t)IMAGECOUNT_WANTED * IMAGEKEYS_FAMILIES,
	    sizeof(*w->c->keys));
	return w->space == NULL || w->scratch == NULL || w->counters == NULL ||
	    w->entries == NULL || w->wanted == NULL || w->c->keys == NULL ?
	    ERR_NOMEM : 0;
}

int
imagecount_run(const struct imageset *t, struct imagecount *ret)
{
	const unsigned all = t->e0 >= IMAGE_ALIKE ?
	    (1U << IMAGEKEYS_FAMILIES) - 1 : (1U << IMAGEKEYS_PLACED) - 1;
	const unsigned last = 1U << (IMAGEKEYS_PLACED - 1);
	struct work *w = calloc(1, sizeof(*w));
	uint64_t expected = 0;
	int r = ERR_NOMEM;

	memset(ret, 0, sizeof(*ret));
	if (w == NULL)
		goto out;
	w->t = t;
	w->c = ret;
	if ((r = allocate(w, &expected)) < 0)
		goto out;
	w->all = all;
	w->tags = expected <= ONE_ROUND ? all : all & ~last;
	if ((r = count_round(w)) < 0)
		goto out;
	w->tags = all & ~w->tags;
	if (w->tags != 0 && (r = count_round(w)) < 0)
		goto out;
	for (unsigned i = 0; i < PARTS; i++) {
		ret->counted += w->counted[i];
		ret->dropped += w->dropped[i];
	}
	r = find_holders(w);
out:
	if (w != NULL) {
		free(w->space);
		free(w->scratch);
		free(w->counters);
		free(w->entries);
		free(w->wanted);
		free(w);
	}
	if (r == ERR_NOMEM)
		(void)err_set(t->d->e, ERR_NOMEM, "no memory for images");
	return r;
}

void
imagecount_release(struct imagecount *c)
{
	free(c->keys);
	free(c->bits);
	memset(c, 0, sizeof(*c));
}
