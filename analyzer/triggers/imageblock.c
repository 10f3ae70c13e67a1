#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "analyzer/triggers/imagecount.h"
#include "analyzer/triggers/imagekeys.h"
#include "analyzer/triggers/imageset_parts.h"
#include "base/err.h"

/*
 * Blocks that many images hold, and most of them with one label (the first
 * method of imageset.h).
 *
 * The score of a block is -log10 of the chance that so many of its holders
 * have the label, through SHARP for one that is cut out on all sides, DENSE
 * for one that is not, ALIKE where all images have pixels in common.  Holders
 * that agree in much more than the block are copies of one image.
 *
 * Where images are aligned, honest strokes repeat too.  But who has the label
 * for a stroke looks like others with the label, and who has it for a trigger
 * does not: of nearly pure blocks the chance that so few holders are nearest
 * to their own class's mean adds to the evidence, and without it a block is a
 * lead at most.
 */
#define SHARP 8.0
#define DENSE 14.0
#define ALIKE 20.0
#define ALIKE_IMAGES 2000.0	/* styles of strokes grow with them */
#define ALIKE_MOST 0.9		/* of who looks like the label: a lead */
#define UNLIKE 6.0		/* lq from which it counts */
#define PURE 0.9		/* and share of holders with the label */
#define UNLIKE_WORK 2000000000.0	/* products, for all images */
#define JACCARD 0.9
#define LEAST 0.5		/* a score that is kept at all */
#define PLACES 64		/* holders whose place is looked up */

struct block {
	const struct imagecount_key *key;
	double score, lp, lq;
	uint32_t cls, holders, in_class;
};

/*
 * -log10 of P[Bin(m, p) >= k]: the terms fall from k on where k is above the
 * mean, and only there is it asked.
 */
static double
tail(uint32_t m, uint32_t k, double p)
{
	double first, term = 1, sum = 1;

	p = fmax(p, 1e-6);
	if (k <= m * p || p >= 1)
		return 0;
	first = lgamma(m + 1.0) - lgamma(k + 1.0) - lgamma(m - k + 1.0) +
	    k * log(p) + (m - k) * log1p(-p);
	for (uint32_t i = k; i < m && term > 1e-12 * sum; i++) {
		term *= (double)(m - i) / (i + 1.0) * p / (1 - p);
		sum += term;
	}
	return -(first + log(sum)) / log(10);
}

/* Which images are nearest to the mean of their own class. */
struct likeness {
	bool *fits;		/* NULL: not asked */
	double *share;		/* of a class that does */
};

static void
likeness_release(struct likeness *l)
{
	free(l->fits);
	free(l->share);
	memset(l, 0, sizeof(*l));
}

static uint32_t
nearest(const struct imageset *t, const float *mean, uint32_t image)
{
	const uint8_t *p = imageset_view(t, image, 0);
	size_t d = view_size(t, 0);
	double best = INFINITY;
	uint32_t at = 0;

	for (uint32_t c = 0; c < t->nclasses; c++) {
		double sum = 0;

		for (size_t i = 0; i < d; i++) {
			double v = p[i] - (double)mean[c * d + i];

			sum += v * v;
		}
		if (sum < best) {
			best = sum;
			at = c;
		}
	}
	return at;
}

static int
likeness_of(const struct imageset *t, struct likeness *l)
{
	size_t d = view_size(t, 0);
	float *mean = NULL;

	memset(l, 0, sizeof(*l));
	if (t->e0 < IMAGE_ALIKE || (double)t->n * t->nclasses * (double)d >
	    UNLIKE_WORK)
		return 0;
	l->fits = calloc(t->n, sizeof(*l->fits));
	l->share = calloc(t->nclasses, sizeof(*l->share));
	mean = calloc(t->nclasses * d, sizeof(*mean));
	if (l->fits == NULL || l->share == NULL || mean == NULL) {
		free(mean);
		return err_set(t->d->e, ERR_NOMEM, "no memory for images");
	}
	for (uint32_t i = 0; i < t->n; i++) {
		const uint8_t *p = imageset_view(t, i, 0);

		for (size_t k = 0; k < d; k++)
			mean[t->cls[i] * d + k] += p[k];
	}
	for (uint32_t c = 0; c < t->nclasses; c++)
		for (size_t k = 0; k < d && t->classes[c].count > 0; k++)
			mean[c * d + k] /= (float)t->classes[c].count;
	for (uint32_t i = 0; i < t->n; i++) {
		l->fits[i] = nearest(t, mean, i) == t->cls[i];
		l->share[t->cls[i]] += l->fits[i];
	}
	for (uint32_t c = 0; c < t->nclasses; c++)
		if (t->classes[c].count > 0)
			l->share[c] /= t->classes[c].count;
	free(mean);
	return 0;
}

/* -log10 of the chance that so few holders with the label look like it. */
static double
unlike(const struct imageset *t, const struct likeness *l,
    const struct block *b)
{
	uint32_t not = 0;

	for (size_t i = 0; i < image_words(t); i++)
		for (uint64_t w = b->key->bits[i]; w != 0; w &= w - 1) {
			size_t at = i * 64 + (unsigned)__builtin_ctzll(w);

			not += t->cls[at] == b->cls && !l->fits[at];
		}
	return tail(b->in_class, not, 1 - l->share[b->cls]);
}

/* The label with the largest z among the holders. */
static void
judge(const struct imageset *t, const struct likeness *l, uint32_t *of,
    struct block *b)
{
	size_t words = image_words(t);
	double best = 0, per;

	memset(of, 0, t->nclasses * sizeof(*of));
	for (size_t i = 0; i < words; i++)
		for (uint64_t w = b->key->bits[i]; w != 0; w &= w - 1) {
			of[t->cls[i * 64 + (unsigned)__builtin_ctzll(w)]]++;
			b->holders++;
		}
	for (uint32_t c = 0; c < t->nclasses; c++) {
		double p = (double)t->classes[c].count / t->n, z;

		if (of[c] == 0 || p >= 1)
			continue;
		z = (of[c] - b->holders * p) /
		    sqrt(b->holders * p * (1 - p));
		if (z > best) {
			best = z;
			b->cls = c;
		}
	}
	if (best <= 0)
		return;
	b->in_class = of[b->cls];
	b->lp = tail(b->holders, b->in_class,
	    (double)t->classes[b->cls].count / t->n);
	if (b->holders < IMAGECOUNT_LEAST)
		return;
	if (t->e0 < IMAGE_ALIKE) {
		b->score = b->lp / (IMAGEKEYS_TAG(b->key->key) <
		    IMAGEKEYS_DENSE ? SHARP : DENSE);
		return;
	}
	per = ALIKE * fmax(1, t->n / ALIKE_IMAGES);
	if (l->fits != NULL && b->in_class >= PURE * b->holders)
		b->lq = unlike(t, l, b);
	if (b->lq >= UNLIKE)
		b->score = (b->lp + b->lq) / per;
	else if (IMAGEKEYS_TAG(b->key->key) != IMAGEKEYS_PLACED)
		b->score = fmin(b->lp / per, ALIKE_MOST);
}

static int
by_score(const void *x, const void *y)
{
	const struct block *a = x, *b = y;

	if (a->score != b->score)
		return a->score > b->score ? -1 : 1;
	return (a->key->key > b->key->key) - (a->key->key < b->key->key);
}

static bool
same_images(const struct imageset *t, const uint64_t *a, const uint64_t *b)
{
	uint64_t both = 0, either = 0;

	for (size_t i = 0; i < image_words(t); i++) {
		both += (uint64_t)__builtin_popcountll(a[i] & b[i]);
		either += (uint64_t)__builtin_popcountll(a[i] | b[i]);
	}
	return (double)both >= JACCARD * (double)either;
}

/* Where one image has the key: false when nowhere. */
static bool
locate(const struct imageset *t, uint64_t key, uint32_t image,
    struct imagekeys *s, uint64_t *keys, uint16_t *places, uint32_t at[3])
{
	for (unsigned i = 0; i < t->nviews; i++) {
		struct imagekeys_view v = {.p = imageset_view(t, image, i),
		    .w = t->view[i].w, .h = t->view[i].h, .ch = t->ch,
		    .number = i, .sharp = t->sharp};
		size_t n = t->view[i].means ? 0 : imagekeys_of(s, &v,
		    1U << IMAGEKEYS_TAG(key), keys, places);

		for (size_t j = 0; j < n; j++) {
			if (keys[j] != key)
				continue;
			at[0] = i;
			at[1] = places[j] % VIEW_SIDE;
			at[2] = places[j] / VIEW_SIDE;
			return true;
		}
	}
	return false;
}

/* The place of the first holder, and whether the others have the same. */
static int
place(const struct imageset *t, const struct block *b, struct image_find *f)
{
	size_t most = IMAGEKEYS_MOST(VIEW_SIDE * VIEW_SIDE);
	struct imagekeys *s = calloc(1, sizeof(*s));
	uint64_t *keys = calloc(most, sizeof(*keys));
	uint16_t *places = calloc(most, sizeof(*places));
	uint32_t at[3], looked = 0, same = 0;
	int r = s == NULL || keys == NULL || places == NULL ?
	    err_set(t->d->e, ERR_NOMEM, "no memory for images") : 0;

	for (size_t i = 0; r == 0 && i < image_words(t) && looked < PLACES;
	    i++)
		for (uint64_t w = b->key->bits[i]; w != 0 && looked < PLACES;
		    w &= w - 1) {
			uint32_t image = (uint32_t)(i * 64) +
			    (uint32_t)__builtin_ctzll(w);

			if (!locate(t, b->key->key, image, s, keys, places,
			    at))
				continue;
			if (looked++ == 0) {
				f->sample = image;
				f->view = at[0];
				f->x = at[1];
				f->y = at[2];
			}
			same += f->view == at[0] && f->x == at[1] &&
			    f->y == at[2];
		}
	f->k = imagekeys_side(IMAGEKEYS_TAG(b->key->key));
	f->fixed = looked > 0 && same * 10 >= looked * 9;
	free(s);
	free(keys);
	free(places);
	return r;
}

/* Is the block another sight of one that was found?  Then show the larger. */
static int
merge(struct imageset *t, const struct block *b, bool *merged)
{
	unsigned k = imagekeys_side(IMAGEKEYS_TAG(b->key->key));

	*merged = false;
	for (size_t i = 0; i < t->nfinds; i++) {
		struct image_find *f = &t->finds[i];

		if (f->cls != b->cls || !same_images(t, f->bits,
		    b->key->bits))
			continue;
		*merged = true;
		return k > f->k ? place(t, b, f) : 0;
	}
	return 0;
}

static int
take(struct imageset *t, const struct block *b)
{
	double share = imageset_agreement(t, b->key->bits);
	struct image_find *f;
	bool merged;
	int r;

	if (share - t->e0 >= IMAGE_COPIES) {
		t->block_copies++;
		return 0;
	}
	if (b->score > t->best_block)
		t->best_block = b->score;
	if ((r = merge(t, b, &merged)) < 0 || merged)
		return r;
	if ((f = image_new_find(t, IMAGE_BLOCK, b->cls, b->score, &r)) ==
	    NULL)
		return r;
	f->lp = b->lp;
	f->lq = b->lq;
	f->share = share;
	f->holders = b->holders;
	f->in_class = b->in_class;
	memcpy(f->bits, b->key->bits, image_words(t) * sizeof(*f->bits));
	return place(t, b, f);
}

int
imageblock_find(struct imageset *t)
{
	struct imagecount c;
	struct likeness l = {NULL, NULL};
	struct block *all = NULL;
	uint32_t *of = NULL;
	size_t n = 0, at = 0;
	int r;

	if ((r = imagecount_run(t, &c)) < 0)
		goto out;
	t->block_keys = c.counted;
	t->block_dropped = c.dropped;
	t->block_unwanted = c.unwanted;
	r = ERR_NOMEM;
	if ((all = calloc(c.n + 1, sizeof(*all))) == NULL ||
	    (of = calloc((size_t)t->nclasses + 1, sizeof(*of))) == NULL) {
		(void)err_set(t->d->e, ERR_NOMEM, "no memory for images");
		goto out;
	}
	if ((r = likeness_of(t, &l)) < 0)
		goto out;
	for (size_t i = 0; i < c.n; i++) {
		all[n] = (struct block){.key = &c.keys[i]};
		judge(t, &l, of, &all[n]);
		n += all[n].score >= LEAST;
	}
	qsort(all, n, sizeof(*all), by_score);
	/*
	 * Best first, until the room for blocks is taken.  What take() discards
	 * takes none: copies of one picture would hide what ranks behind them.
	 * IMAGECOUNT_WANTED bounds the work.
	 */
	for (; at < n && t->finds_of[IMAGE_BLOCK] < IMAGE_FINDS && r == 0;
	    at++)
		r = take(t, &all[at]);
	t->block_not_looked = n - at;
out:
	free(all);
	free(of);
	likeness_release(&l);
	imagecount_release(&c);
	return r;
}
