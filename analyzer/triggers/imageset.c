#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "analyzer/triggers/imagekeys.h"
#include "analyzer/triggers/imageset_parts.h"
#include "base/err.h"
#include "base/limits.h"

/* Intake: sizes, labels, and an even sample of what does not fit. */

#define SEED 0x696d616765736574U
#define PAIRS 200
#define COPIES_LOOKED 41	/* images: 40 pairs */

struct imageset *
imageset_new(const struct detect *d)
{
	struct imageset *t = calloc(1, sizeof(*t));

	if (t == NULL)
		return NULL;
	t->d = d;
	return t;
}

void
imageset_free(struct imageset *t)
{
	if (t == NULL)
		return;
	for (uint32_t i = 0; i < t->nclasses; i++)
		free(t->classes[i].name);
	for (size_t i = 0; i < t->nfinds; i++) {
		free(t->finds[i].bits);
		free(t->finds[i].shape);
	}
	free(t->finds);
	free(t->classes);
	free(t->slot);
	free(t->px);
	free(t->row);
	free(t->cls);
	free(t->order);
	free(t);
}

static int
no_memory(struct imageset *t)
{
	return err_set(t->d->e, ERR_NOMEM, "no memory for images");
}

static uint64_t
label_hash(const uint8_t *p, size_t n)
{
	uint64_t h = n;

	for (size_t i = 0; i < n; i++)
		h = image_mix(h ^ p[i]);
	return h;
}

static int
label_grow(struct imageset *t)
{
	uint32_t slots = t->slots == 0 ? 64 : t->slots * 2;
	uint32_t *slot = calloc(slots, sizeof(*slot));
	struct image_class *c;

	if (slot == NULL)
		return no_memory(t);
	free(t->slot);
	t->slot = slot;
	t->slots = slots;
	if ((c = realloc(t->classes, (slots / 2) * sizeof(*c))) == NULL)
		return no_memory(t);
	t->classes = c;
	for (uint32_t i = 0; i < t->nclasses; i++) {
		uint32_t at = (uint32_t)c[i].hash & (slots - 1);

		while (slot[at] != 0)
			at = (at + 1) & (slots - 1);
		slot[at] = i + 1;
	}
	return 0;
}

/* The label's number; 1 when there are too many, and *ret is not set. */
static int
label_find(struct imageset *t, const void *label, size_t m, uint32_t *ret)
{
	uint64_t h = label_hash(label, m);
	struct image_class *c;
	uint32_t at;
	char *name;
	int r;

	if (t->nclasses >= t->slots / 2 && t->slots / 2 <
	    LIMIT_IMAGES_CLASSES && (r = label_grow(t)) < 0)
		return r;
	at = (uint32_t)h & (t->slots - 1);
	while (t->slot[at] != 0) {
		c = &t->classes[t->slot[at] - 1];
		if (c->hash == h && c->len == m &&
		    memcmp(c->name, label, m) == 0) {
			*ret = t->slot[at] - 1;
			return 0;
		}
		at = (at + 1) & (t->slots - 1);
	}
	if (t->nclasses >= t->slots / 2)
		return 1;
	if ((name = malloc(m + 1)) == NULL)
		return no_memory(t);
	memcpy(name, label, m);
	name[m] = '\0';
	t->classes[t->nclasses] = (struct image_class){.name = name, .len = m,
	    .hash = h};
	t->slot[at] = ++t->nclasses;
	*ret = t->nclasses - 1;
	return 0;
}

/* The first image settles what is kept of all. */
static void
settle(struct imageset *t, const struct imageset_image *im)
{
	const uint32_t p = VIEW_PART;

	t->started = true;
	t->w = im->width;
	t->h = im->height;
	t->ch = im->channels;
	t->reduced = t->w > VIEW_SIDE || t->h > VIEW_SIDE;
	t->nviews = t->reduced ? VIEWS : 1;
	t->view[0] = (struct view){.w = t->w, .h = t->h};
	for (unsigned i = 0; t->reduced && i < VIEWS; i++) {
		t->view[i].w = t->w < p ? t->w : p;
		t->view[i].h = t->h < p ? t->h : p;
		t->view[i].x = (i & 1) != 0 ? t->w - t->view[i].w : 0;
		t->view[i].y = (i & 2) != 0 ? t->h - t->view[i].h : 0;
	}
	if (t->reduced) {
		t->view[VIEW_GRID].x = t->view[VIEW_GRID].y = 0;
		t->view[VIEW_GRID].means = true;
	}
	for (unsigned i = 0; i < t->nviews; i++) {
		t->view[i].off = t->bytes;
		t->bytes += view_size(t, i);
	}
	t->cap = (uint32_t)(LIMIT_IMAGES_BYTES / t->bytes);
	if (t->cap > LIMIT_IMAGES)
		t->cap = LIMIT_IMAGES;
}

static int
grow(struct imageset *t)
{
	uint32_t n = t->allocated < 512 ? 1024 : t->allocated * 2;
	void *p;

	if (n > t->cap)
		n = t->cap;
	if ((p = realloc(t->px, (size_t)n * t->bytes)) == NULL)
		return no_memory(t);
	t->px = p;
	if ((p = realloc(t->row, n * sizeof(*t->row))) == NULL)
		return no_memory(t);
	t->row = p;
	if ((p = realloc(t->cls, n * sizeof(*t->cls))) == NULL)
		return no_memory(t);
	t->cls = p;
	t->allocated = n;
	return 0;
}

/* One pixel of what was added, as the set has channels. */
static inline uint8_t
sample(const struct imageset *t, const struct imageset_image *im, size_t at,
    uint32_t c)
{
	return im->channels == t->ch ? im->p[at * t->ch + c] : im->p[at];
}

/* The mean of the part of the image that cell (x, y) of the grid covers. */
static void
put_mean(const struct imageset *t, const struct imageset_image *im,
    const struct view *v, uint32_t x, uint32_t y, uint8_t *dst)
{
	uint32_t x0 = (uint32_t)((uint64_t)x * t->w / v->w);
	uint32_t x1 = (uint32_t)((uint64_t)(x + 1) * t->w / v->w);
	uint32_t y0 = (uint32_t)((uint64_t)y * t->h / v->h);
	uint32_t y1 = (uint32_t)((uint64_t)(y + 1) * t->h / v->h);
	uint64_t n = (uint64_t)(x1 - x0) * (y1 - y0), sum[3] = {0};

	for (uint32_t i = y0; i < y1; i++)
		for (uint32_t k = x0; k < x1; k++)
			for (uint32_t c = 0; c < t->ch; c++)
				sum[c] += sample(t, im, (size_t)i * t->w + k,
				    c);
	for (uint32_t c = 0; c < t->ch; c++)
		dst[c] = (uint8_t)((sum[c] + n / 2) / n);
}

static void
put_views(const struct imageset *t, const struct imageset_image *im,
    uint8_t *dst)
{
	for (unsigned i = 0; i < t->nviews; i++) {
		const struct view *v = &t->view[i];

		for (uint32_t y = 0; y < v->h; y++)
			for (uint32_t x = 0; x < v->w; x++, dst += t->ch) {
				size_t at = (size_t)(v->y + y) * t->w + v->x +
				    x;

				if (v->means) {
					put_mean(t, im, v, x, y, dst);
					continue;
				}
				for (uint32_t c = 0; c < t->ch; c++)
					dst[c] = sample(t, im, at, c);
			}
	}
}

int
imageset_add(struct imageset *t, uint64_t row,
    const struct imageset_image *im, const void *label, size_t m)
{
	uint32_t cls = 0;
	uint64_t at;
	int r;

	t->seen++;
	if (!t->started && im->width > 0 && im->height > 0 &&
	    im->width <= LIMIT_PIXELS_SIDE && im->height <= LIMIT_PIXELS_SIDE)
		settle(t, im);
	if (!t->started || im->width != t->w || im->height != t->h ||
	    (im->channels != t->ch && im->channels != 1)) {
		t->other_size++;
		return 0;
	}
	r = m > LIMIT_IMAGES_LABEL ? 1 : label_find(t, label, m, &cls);
	if (r < 0)
		return r;
	if (r > 0) {
		t->no_class++;
		return 0;
	}
	at = t->classes[cls].seen++;
	t->lossy += im->lossy;
	at = t->seen - t->other_size - t->no_class - 1;
	if (t->n < t->cap) {
		if (t->n == t->allocated && (r = grow(t)) < 0)
			return r;
		at = t->n++;
	} else {
		/* Reservoir sampling: each has the same chance to stay. */
		at = image_mix(SEED ^ at) % (at + 1);
		if (at >= t->cap)
			return 0;
	}
	put_views(t, im, t->px + (size_t)at * t->bytes);
	for (size_t i = 0; i < t->bytes; i++)
		if (t->px[(size_t)at * t->bytes + i] > t->brightest)
			t->brightest = t->px[(size_t)at * t->bytes + i];
	t->row[at] = row;
	t->cls[at] = cls;
	return 0;
}

static const char *const method_id[IMAGE_METHODS] = {
	[IMAGE_BLOCK] = "image-block",
	[IMAGE_RESIDUE] = "image-residue",
	[IMAGE_CLUSTER] = "image-cluster",
};

/* The find of a method whose score is the lowest; the last of several. */
static struct image_find *
weakest(struct imageset *t, enum image_method m)
{
	struct image_find *f = NULL;

	for (size_t i = 0; i < t->nfinds; i++)
		if (t->finds[i].method == method_id[m] && (f == NULL ||
		    t->finds[i].score <= f->score))
			f = &t->finds[i];
	return f;
}

struct image_find *
image_new_find(struct imageset *t, enum image_method m, uint32_t cls,
    double score, int *r)
{
	bool full = t->finds_of[m] >= IMAGE_FINDS;
	struct image_find *f;
	uint64_t *bits;

	*r = 0;
	if (t->finds == NULL && (t->finds = calloc((size_t)IMAGE_FINDS *
	    IMAGE_METHODS, sizeof(*t->finds))) == NULL) {
		*r = no_memory(t);
		return NULL;
	}
	f = full ? weakest(t, m) : &t->finds[t->nfinds];
	t->left_out[m] += full;
	if (full && f->score >= score)
		return NULL;
	if ((bits = calloc(image_words(t), sizeof(*bits))) == NULL) {
		*r = no_memory(t);
		return NULL;
	}
	t->nfinds += !full;
	t->finds_of[m] += !full;
	free(f->bits);
	free(f->shape);
	*f = (struct image_find){.method = method_id[m], .cls = cls,
	    .score = score, .bits = bits};
	return f;
}

/* Images by class, ascending within it. */
static int
sort_classes(struct imageset *t)
{
	uint32_t at = 0;

	if ((t->order = calloc((size_t)t->n + 1, sizeof(*t->order))) == NULL)
		return no_memory(t);
	for (uint32_t i = 0; i < t->n; i++)
		t->classes[t->cls[i]].count++;
	for (uint32_t c = 0; c < t->nclasses; c++) {
		t->classes[c].first = at;
		at += t->classes[c].count;
		t->classes[c].count = 0;
	}
	for (uint32_t i = 0; i < t->n; i++) {
		struct image_class *c = &t->classes[t->cls[i]];

		t->order[c->first + c->count++] = i;
	}
	return 0;
}

static int
by_share(const void *x, const void *y)
{
	const double *a = x, *b = y;

	return (*a > *b) - (*a < *b);
}

/*
 * e0: photographs have no pixels in common, digits on black have many; there
 * the methods prove less.
 */
static void
measure_alike(struct imageset *t)
{
	size_t n = view_size(t, 0) / t->ch;
	double share[PAIRS];

	for (unsigned i = 0; i < PAIRS; i++) {
		uint32_t a = (uint32_t)(image_mix(SEED + 2 * i) % t->n);
		uint32_t b = (uint32_t)(image_mix(SEED + 2 * i + 1) %
		    (t->n - 1));
		const uint8_t *p = imageset_view(t, a, 0);
		const uint8_t *q = imageset_view(t, b + (b >= a), 0);
		size_t same = 0;

		for (size_t k = 0; k < n; k++)
			same += memcmp(p + k * t->ch, q + k * t->ch,
			    t->ch) == 0;
		share[i] = (double)same / (double)n;
	}
	qsort(share, PAIRS, sizeof(share[0]), by_share);
	t->e0 = (share[PAIRS / 2 - 1] + share[PAIRS / 2]) / 2;
}

double
imageset_agreement(const struct imageset *t, const uint64_t *bits)
{
	size_t n = view_size(t, 0) / t->ch, words = image_words(t);
	double share[COPIES_LOOKED];
	uint32_t last = UINT32_MAX;
	unsigned m = 0;

	for (size_t i = 0; i < words && m + 1 < COPIES_LOOKED; i++)
		for (uint64_t w = bits[i]; w != 0 && m + 1 < COPIES_LOOKED;
		    w &= w - 1) {
			uint32_t at = (uint32_t)(i * 64) +
			    (uint32_t)__builtin_ctzll(w);
			size_t same = 0;

			if (last != UINT32_MAX) {
				const uint8_t *p = imageset_view(t, last, 0);
				const uint8_t *q = imageset_view(t, at, 0);

				for (size_t k = 0; k < n; k++)
					same += memcmp(p + k * t->ch,
					    q + k * t->ch, t->ch) == 0;
				share[m++] = (double)same / (double)n;
			}
			last = at;
		}
	if (m == 0)
		return 0;
	qsort(share, m, sizeof(share[0]), by_share);
	return (share[(m - 1) / 2] + share[m / 2]) / 2;
}

/* The correlation of the values of two images. */
static double
correlation(const uint8_t *p, const uint8_t *q, size_t n)
{
	double sp = 0, sq = 0, pp = 0, qq = 0, pq = 0, d;

	for (size_t i = 0; i < n; i++) {
		sp += p[i];
		sq += q[i];
		pp += (double)p[i] * p[i];
		qq += (double)q[i] * q[i];
		pq += (double)p[i] * q[i];
	}
	d = (pp - sp * sp / (double)n) * (qq - sq * sq / (double)n);
	return d > 0 ? (pq - sp * sq / (double)n) / sqrt(d) : 0;
}

double
imageset_likeness(const struct imageset *t, const uint64_t *bits)
{
	size_t words = image_words(t);
	double all[COPIES_LOOKED];
	uint32_t last = UINT32_MAX;
	unsigned m = 0;

	for (size_t i = 0; i < words && m + 1 < COPIES_LOOKED; i++)
		for (uint64_t w = bits[i]; w != 0 && m + 1 < COPIES_LOOKED;
		    w &= w - 1) {
			uint32_t at = (uint32_t)(i * 64) +
			    (uint32_t)__builtin_ctzll(w);

			if (last != UINT32_MAX)
				all[m++] = correlation(imageset_view(t, last,
				    0), imageset_view(t, at, 0),
				    view_size(t, 0));
			last = at;
		}
	if (m == 0)
		return 0;
	qsort(all, m, sizeof(all[0]), by_share);
	return (all[(m - 1) / 2] + all[m / 2]) / 2;
}

int
imageset_end(struct imageset *t)
{
	int r;

	if (t->n >= IMAGE_FEWEST && t->nclasses >= 2) {
		measure_alike(t);
		t->sharp = (IMAGEKEYS_SHARP * (unsigned)t->brightest + 254) /
		    255;
		if (t->sharp < 2)
			t->sharp = 2;
		if ((r = sort_classes(t)) < 0 ||
		    (r = imageblock_find(t)) < 0 ||
		    (r = imageresidue_find(t)) < 0)
			return r;
	}
	return imagetell(t);
}
