#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "analyzer/diff/pool.h"
#include "analyzer/triggers/imageresidue_parts.h"
#include "base/err.h"
#include "base/limits.h"

/*
 * The second and third method of imageset.h, class by class: each task has
 * one class, in every view and plane, and writes to the class's result alone.
 */
#define LEAST 40		/* images of a class, and of all others */
#define PIXELS_LEAST 64	/* of an image, for it to have a pattern */
#define CLUSTER_LEAST 150	/* images of a class, for two clusters */
#define SMOOTH_MOST 0.9		/* a cluster whose pattern is no mark */
#define ASK 1.2			/* from here on: is it this class alone? */
#define OTHERS 2000		/* images that are asked */
#define EVERYWHERE (1.0 / 3)
#define EVERYWHERE_SCORE 0.1	/* and less than what is told */
#define HP_EPSILON 0.009	/* 0.001 of a pixel's value, times 9 */
#define LOW_EPSILON 0.001
#define TOP_SHARE 0.01
#define TOP_ROWS 4
#define CHUNK 256		/* images of a task of totals */

static const double taus[] = {0.02, 0.10, 0.25};

static void
take(const struct imageset *t, uint32_t image, unsigned view,
    enum plane_kind kind, int16_t *out)
{
	if (kind == PLANE_LOW && t->e0 >= IMAGE_ALIKE)
		kind = PLANE_ALL_LOW;
	plane_take(kind, imageset_view(t, image, view), t->view[view].w,
	    t->view[view].h, t->ch, out);
}

static void
add_chunk(void *ctx, size_t i, unsigned thread)
{
	struct residue_work *w = ctx;
	uint32_t at = (uint32_t)i * CHUNK, end = at + CHUNK;

	if (end > w->t->n)
		end = w->t->n;
	for (; at < end; at++) {
		take(w->t, at, w->view, w->kind, w->space[thread].other);
		plane_sums_add(&w->part[thread], w->space[thread].other);
	}
}

/* Sums over all images; integers, so that it does not matter who adds. */
static int
totals(struct residue_work *w)
{
	unsigned threads = pool_threads(w->t->d->pool);

	for (w->view = 0; w->view < w->t->nviews; w->view++)
		for (w->kind = 0; w->kind < PLANE_KINDS; w->kind++) {
			size_t stride = plane_stride(view_size(w->t,
			    w->view));
			struct plane_sums *all =
			    &w->total[w->view][w->kind];

			if (plane_sums_init(all, stride) < 0)
				return ERR_NOMEM;
			for (unsigned i = 0; i < threads; i++)
				if (plane_sums_init(&w->part[i], stride) < 0)
					return ERR_NOMEM;
			pool_run(w->t->d->pool, add_chunk, w,
			    (w->t->n + CHUNK - 1) / CHUNK);
			for (unsigned i = 0; i < threads; i++) {
				plane_sums_join(all, &w->part[i]);
				plane_sums_release(&w->part[i]);
			}
		}
	return 0;
}

/* Row ${i} of the matrix of a class: all of them, or evenly spread. */
static uint32_t
image_of(const struct imageset *t, const struct image_class *c, uint32_t rows,
    uint32_t i)
{
	return t->order[c->first + (uint32_t)((uint64_t)i * c->count / rows)];
}

/* What a value is multiplied by, and what is taken off, by other classes. */
static void
scales(const struct plane_sums *all, const struct plane_sums *own, uint32_t n,
    double epsilon, struct residue_space *s)
{
	for (size_t i = 0; i < all->stride; i++) {
		double mean = (double)(all->sum[i] - own->sum[i]) / n;
		double square = (double)(all->square[i] - own->square[i]) / n;
		double sd = sqrt(fmax(square - mean * mean, 0));
		double scale = PLANE_ONE / (sd + epsilon);

		s->scale[i] = (float)scale;
		s->shift[i] = (float)(mean * scale);
	}
}

static int
by_dot(const void *x, const void *y)
{
	const int32_t *a = x, *b = y;

	return (*a > *b) - (*a < *b);
}

/*
 * The share of other classes that go along s->w[2] further than half way
 * between the class's middle and its top, over that of the class.
 */
static double
specificity(struct residue_work *w, const struct residue_matrix *m,
    struct residue_space *s, uint32_t cls, unsigned view,
    enum plane_kind kind, bool standard)
{
	const struct imageset *t = w->t;
	uint32_t top = (uint32_t)(TOP_SHARE * m->n);
	uint32_t own = 0, out = 0, asked = 0;
	double cut, sum = 0;

	top = top < TOP_ROWS ? TOP_ROWS : top;
	(void)plane_quantise(s->w[2], m->stride, PLANE_HP_MOST, s->q);
	for (uint32_t i = 0; i < m->n; i++)
		plane_dots(m->x + i * m->stride, s->q, m->stride, 1,
		    &s->dot[i]);
	qsort(s->dot, m->n, sizeof(*s->dot), by_dot);
	for (uint32_t i = 0; i < top; i++)
		sum += s->dot[m->n - 1 - i];
	cut = (s->dot[m->n / 2] + sum / top) / 2;
	for (uint32_t i = 0; i < m->n; i++)
		own += s->dot[i] > cut;
	for (uint32_t i = 0; i < 4 * OTHERS && asked < OTHERS; i++) {
		uint32_t image = (uint32_t)(image_mix(m->seed + i) % t->n);
		int32_t v;

		if (t->cls[image] == cls)
			continue;
		take(t, image, view, kind, s->other);
		if (standard)
			plane_standardise(s->other, s->scale, s->shift,
			    m->stride);
		plane_dots(s->other, s->q, m->stride, 1, &v);
		asked++;
		out += v > cut;
	}
	if (own == 0 || asked == 0)
		return 0;
	return ((double)out / asked) / ((double)own / m->n);
}

static float *
copy_shape(const float *w, size_t n, struct residue_result *r)
{
	float *p = malloc(n * sizeof(*p));

	if (p != NULL)
		memcpy(p, w, n * sizeof(*p));
	else
		r->failed = true;
	return p;
}

static uint64_t *
new_bits(const struct imageset *t, struct residue_result *r)
{
	uint64_t *p = calloc(image_words(t), sizeof(*p));

	r->failed |= p == NULL;
	return p;
}

static void
set_bit(uint64_t *bits, uint32_t image)
{
	bits[image / 64] |= (uint64_t)1 << image % 64;
}

static void
keep_residue(struct residue_work *w, const struct residue_matrix *m,
    struct residue_space *s, const struct image_class *c,
    struct residue_result *r)
{
	free(r->rshape);
	free(r->rbits);
	r->rshape = copy_shape(s->w[2], m->d, r);
	r->rbits = new_bits(w->t, r);
	for (uint32_t i = 0; r->rbits != NULL && i < m->n; i++)
		if (s->res[i] > r->r.t1 / 2)
			set_bit(r->rbits, image_of(w->t, c, m->n, i));
}

static void
try_directions(struct residue_work *w, const struct residue_matrix *m,
    struct residue_space *s, uint32_t cls, unsigned view,
    enum plane_kind kind)
{
	struct residue_result *r = &w->result[cls];

	residue_halves(m, s);
	for (size_t i = 0; i < sizeof(taus) / sizeof(taus[0]); i++) {
		struct residue_score q;
		bool everywhere = false;
		double spec = 0;

		residue_direction(m, s, taus[i], w->weak, &q);
		if (q.cs * fmax(q.t1 / 6, q.sep) >= ASK) {
			spec = specificity(w, m, s, cls, view, kind, true);
			everywhere = spec > EVERYWHERE;
			if (everywhere)
				q.score = fmin(q.score * EVERYWHERE_SCORE,
				    RESIDUE_KEPT / 2);
		}
		if (q.score <= r->r.score)
			continue;
		r->r = q;
		r->spec = spec;
		r->everywhere = everywhere;
		r->rview = view;
		r->kind = kind;
		if (q.score >= RESIDUE_KEPT)
			keep_residue(w, m, s, &w->t->classes[cls], r);
	}
}

/* The mean of the smaller cluster's values, less that of the others. */
static void
cluster_shape(const struct residue_matrix *m, struct residue_space *s)
{
	uint32_t n[2] = {0};

	memset(s->acc, 0, 2 * m->stride * sizeof(*s->acc));
	for (uint32_t i = 0; i < m->n; i++) {
		unsigned side = s->side[i];

		n[side]++;
		plane_add(s->acc + side * m->stride, m->x + i * m->stride,
		    m->stride);
	}
	for (size_t i = 0; i < m->d; i++)
		s->w[2][i] = (float)s->acc[m->stride + i] / (float)n[1] -
		    (float)s->acc[i] / (float)n[0];
	for (size_t i = m->d; i < m->stride; i++)
		s->w[2][i] = 0;
}

static void
try_clusters(struct residue_work *w, const struct residue_matrix *m,
    struct residue_space *s, uint32_t cls, unsigned view)
{
	struct residue_result *r = &w->result[cls];
	struct cluster_score q;

	r->clustered = true;
	residue_cluster(m, s, &q);
	if (q.score >= RESIDUE_KEPT) {
		struct residue_shape f;

		cluster_shape(m, s);
		q.spec = specificity(w, m, s, cls, view, PLANE_HP, false);
		residue_shape(s->w[2], m->w, m->h, m->ch, &f);
		if (q.spec > EVERYWHERE)
			q.score = RESIDUE_KEPT / 2;
		else if (!residue_placed(&f))
			q.score = fmin(q.score, SMOOTH_MOST);
	}
	if (q.score <= r->c.score)
		return;
	r->c = q;
	r->cview = view;
	if (q.score < RESIDUE_KEPT)
		return;
	free(r->cshape);
	free(r->cbits);
	r->cshape = copy_shape(s->w[2], m->d, r);
	r->cbits = new_bits(w->t, r);
	for (uint32_t i = 0; r->cbits != NULL && i < m->n; i++)
		if (s->side[i] != 0)
			set_bit(r->cbits, image_of(w->t,
			    &w->t->classes[cls], m->n, i));
}

static void
one_plane(struct residue_work *w, uint32_t cls, unsigned view,
    enum plane_kind kind, struct residue_space *s)
{
	const struct imageset *t = w->t;
	const struct image_class *c = &t->classes[cls];
	struct residue_matrix m = {.x = s->x, .n = w->result[cls].rows,
	    .d = view_size(t, view), .w = t->view[view].w,
	    .h = t->view[view].h, .ch = t->ch,
	    .low = kind == PLANE_LOW,
	    .seed = image_mix(cls * 16 + view * 2 + kind)};
	struct plane_sums *own = &s->sums;

	m.stride = plane_stride(m.d);
	own->stride = m.stride;
	memset(own->sum, 0, m.stride * sizeof(*own->sum));
	memset(own->square, 0, m.stride * sizeof(*own->square));
	for (uint32_t i = 0; i < m.n; i++)
		take(t, image_of(t, c, m.n, i), view, kind, m.x + i *
		    m.stride);
	/* All of the class are taken off the totals, sampled or not. */
	for (uint32_t i = 0; i < c->count; i++) {
		int16_t *x = m.n == c->count ? m.x + i * m.stride : s->other;

		if (m.n < c->count)
			take(t, t->order[c->first + i], view, kind, x);
		plane_sums_add(own, x);
	}
	plane_sums_flush(own);
	if (kind == PLANE_HP && !w->weak && m.n >= CLUSTER_LEAST)
		try_clusters(w, &m, s, cls, view);
	scales(&w->total[view][kind], own, t->n - c->count,
	    kind == PLANE_HP ? HP_EPSILON : LOW_EPSILON, s);
	for (uint32_t i = 0; i < m.n; i++)
		plane_standardise(m.x + i * m.stride, s->scale, s->shift,
		    m.stride);
	try_directions(w, &m, s, cls, view, kind);
}

static void
one_class(void *ctx, size_t i, unsigned thread)
{
	struct residue_work *w = ctx;
	uint32_t cls = w->base + (uint32_t)i;
	const struct image_class *c = &w->t->classes[cls];
	struct residue_space *s = &w->space[thread];
	struct residue_result *r = &w->result[cls];

	if (c->count < LEAST || w->t->n - c->count < LEAST ||
	    (uint64_t)w->t->w * w->t->h < PIXELS_LEAST)
		return;
	r->judged = true;
	r->rows = c->count < s->rows ? c->count : s->rows;
	r->cut = c->count - r->rows;
	for (unsigned v = 0; v < w->t->nviews; v++)
		for (enum plane_kind k = 0; k < PLANE_KINDS; k++)
			if (k == PLANE_HP || !w->t->view[v].means)
				one_plane(w, cls, v, k, s);
}

static int
allocate(struct residue_work *w)
{
	struct imageset *t = w->t;
	unsigned threads = pool_threads(t->d->pool);
	uint32_t rows = 4, most;
	size_t stride = 0;

	for (unsigned i = 0; i < t->nviews; i++)
		if (plane_stride(view_size(t, i)) > stride)
			stride = plane_stride(view_size(t, i));
	for (uint32_t i = 0; i < t->nclasses; i++)
		if (t->classes[i].count > rows)
			rows = t->classes[i].count;
	most = (uint32_t)(LIMIT_IMAGES_MATRIX / (stride * sizeof(int16_t)));
	if (rows > most)
		rows = most;
	w->part = calloc(threads, sizeof(*w->part));
	w->space = calloc(threads, sizeof(*w->space));
	w->result = calloc(t->nclasses, sizeof(*w->result));
	if (w->part == NULL || w->space == NULL || w->result == NULL)
		return ERR_NOMEM;
	for (unsigned i = 0; i < threads; i++)
		if (residue_space_init(&w->space[i], rows, stride) < 0)
			return ERR_NOMEM;
	return 0;
}

int
imageresidue_find(struct imageset *t)
{
	struct residue_work *w = calloc(1, sizeof(*w));
	unsigned threads = pool_threads(t->d->pool);
	int r = ERR_NOMEM;

	if (w == NULL)
		goto out;
	w->t = t;
	w->weak = t->e0 >= IMAGE_ALIKE;
	if ((r = allocate(w)) < 0 || (r = totals(w)) < 0)
		goto out;
	while (w->base < t->nclasses) {
		uint32_t n = t->nclasses - w->base;

		n = n < 8 * threads ? n : 8 * threads;
		pool_run(t->d->pool, one_class, w, n);
		w->base += n;
		if (t->d->progress != NULL && (r = t->d->progress(t->d->ctx,
		    w->base, t->nclasses)) < 0)
			goto out;
	}
	r = residue_gather(w);
out:
	for (unsigned i = 0; w != NULL && i < threads; i++) {
		if (w->part != NULL)
			plane_sums_release(&w->part[i]);
		if (w->space != NULL)
			residue_space_release(&w->space[i]);
	}
	for (unsigned i = 0; w != NULL && i < VIEWS * PLANE_KINDS; i++)
		plane_sums_release(&w->total[i / PLANE_KINDS][i %
		    PLANE_KINDS]);
	for (uint32_t i = 0; w != NULL && w->result != NULL &&
	    i < t->nclasses; i++) {
		free(w->result[i].rbits);
		free(w->result[i].rshape);
		free(w->result[i].cbits);
		free(w->result[i].cshape);
	}
	if (w != NULL) {
		free(w->part);
		free(w->space);
		free(w->result);
		free(w);
	}
	if (r == ERR_NOMEM)
		(void)err_set(t->d->e, ERR_NOMEM, "no memory for images");
	return r;
}
