#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "analyzer/traffic/imageprobe.h"
#include "analyzer/traffic/pixelpool.h"
#include "base/err.h"

#define RING_FIRST 64
#define SPARSE 0.02		/* share of pixels */
#define WHITE 0.25		/* autocorrelation of noise */
#define SOME_ENERGY 30.0
#define WHITE_PAIRS 0.9		/* of a cluster that is changed in place */
/* Joined pairs that are all compared; later one of EVERY is. */
#define COMPARE_ALL 1024
#define EVERY 8
/* A scene goes on: so many of 192 within so many grey levels. */
#define LAST 4
#define SAME_LEVELS 8
#define SAME_BLOCKS 96

struct past {
	uint64_t number, pixels;
	uint64_t label;
	float best;
	struct clusters_mark mark;
	unsigned source;
};

struct imageprobe {
	uint8_t *thumbs;	/* cap of them, a ring once it is full */
	struct past *past;
	size_t window, cap, count, next;
	uint64_t requests, distinct, joined, labelled, flips;
	uint64_t compared, sparse, lone, noise, continued;
	bool vectors, several;
	struct clusters clusters;
	struct figures_sample variation, confidence, margin;
};

struct imageprobe *
imageprobe_new(size_t window, bool several, uint32_t *series_left)
{
	struct imageprobe *p = calloc(1, sizeof(*p));

	if (p == NULL)
		return NULL;
	p->window = window;
	p->several = several;
	clusters_init(&p->clusters, series_left);
	return p;
}

void
imageprobe_free(struct imageprobe *p)
{
	if (p == NULL)
		return;
	clusters_release(&p->clusters);
	free(p->thumbs);
	free(p->past);
	free(p);
}

void
imageprobe_again(struct imageprobe *p)
{
	p->requests++;
}

static int
grow(struct imageprobe *p)
{
	size_t cap = p->cap == 0 ? RING_FIRST : p->cap * 2;
	uint8_t *thumbs;
	struct past *past;

	if (cap > p->window)
		cap = p->window;
	if ((thumbs = realloc(p->thumbs, cap * THUMB)) == NULL)
		return ERR_NOMEM;
	p->thumbs = thumbs;
	if ((past = realloc(p->past, cap * sizeof(*past))) == NULL)
		return ERR_NOMEM;
	p->past = past;
	p->cap = cap;
	return 0;
}

/* The i-th oldest place. */
static size_t
place(const struct imageprobe *p, size_t i)
{
	return p->count < p->cap || p->count == 0 ? i :
	    (p->next + i) % p->cap;
}

/* A cluster that grew large enough: what is known of its members so far. */
static void
begin_series(struct imageprobe *p, struct cluster *c)
{
	struct clusters_series *s = NULL;
	float v[THUMB];

	for (size_t i = 0; i < p->count; i++) {
		const struct past *past = &p->past[place(p, i)];
		const uint8_t *from = p->thumbs + place(p, i) * THUMB;
		struct answer_class chosen = {past->label, 0, UINT32_MAX};

		if (clusters_of(&p->clusters, past->mark) != c)
			continue;
		if (s == NULL && (s = clusters_series_begin(&p->clusters, c,
		    from, &chosen)) == NULL)
			return;
		for (unsigned k = 0; k < THUMB; k++)
			v[k] = (float)from[k];
		clusters_series_add(s, v, past->label == s->chosen.label ?
		    (double)past->best : (double)NAN);
	}
}

/* Of members that came before the series only the label is known. */
static void
learn_class(struct clusters_series *s, const struct answer *a)
{
	if (s->chosen.place == UINT32_MAX && a->label == s->chosen.label) {
		s->chosen.place = a->place;
		s->chosen.name = a->name;
	}
}

static void
add_series(struct imageprobe *p, struct cluster *c,
    const struct imageprobe_image *im)
{
	if (c->series == NULL && c->size == CLUSTERS_SERIES_FROM)
		begin_series(p, c);
	if (c->series == NULL)
		return;
	learn_class(c->series, im->answer);
	clusters_series_add(c->series, im->thumb->exact,
	    answer_probability(im->answer, &c->series->chosen));
}

static void
compare(struct imageprobe *p, const struct imageprobe_image *im,
    const struct past *with, const struct pixelpool *pool,
    struct cluster *c)
{
	struct pixelpool_pair pair;
	bool white;

	if (pool == NULL || im->pixels == 0 ||
	    (p->joined > COMPARE_ALL && p->joined % EVERY != 0) ||
	    !pixelpool_compare(pool, im->pixels, with->pixels, &pair))
		return;
	p->compared++;
	white = pair.lag_x < WHITE && pair.lag_y < WHITE;
	if (pair.touched < SPARSE) {
		p->sparse++;
		p->lone += white;
		c->cells |= pair.cells;
	}
	white = white && pair.energy > SOME_ENERGY;
	p->noise += white;
	c->compared++;
	c->white += white;
}

static int
join(struct imageprobe *p, size_t at, const struct imageprobe_image *im,
    const struct pixelpool *pool, struct clusters_mark *mark)
{
	struct past *with = &p->past[at];
	struct cluster *c = clusters_of(&p->clusters, with->mark);

	if (c == NULL && (c = clusters_begin(&p->clusters, with->number,
	    &with->mark)) == NULL)
		return ERR_NOMEM;
	if (!p->several || im->source != with->source) {
		p->joined++;
		if (im->answer->has_label) {
			p->labelled++;
			p->flips += with->label != im->answer->label;
		}
		compare(p, im, with, pool, c);
	}
	c->sources |= (uint64_t)1 << im->source |
	    (uint64_t)1 << with->source;
	c->crossed += im->source != with->source;
	add_series(p, c, im);
	c->size++;
	c->last = im->number;
	*mark = with->mark;
	return 0;
}

/* Are most blocks those of one of the last few? */
static bool
continues(const struct imageprobe *p, const uint8_t *v)
{
	for (size_t i = 0; i < LAST && i < p->count; i++) {
		size_t at = place(p, p->count - 1 - i);

		if (thumb_same(p->thumbs + at * THUMB, v, SAME_LEVELS) >=
		    SAME_BLOCKS)
			return true;
	}
	return false;
}

int
imageprobe_add(struct imageprobe *p, const struct imageprobe_image *im,
    const struct pixelpool *pool)
{
	struct clusters_mark mark = {0, 0};
	const struct answer *a = im->answer;
	uint32_t square;
	size_t at;
	int r;

	p->requests++;
	p->distinct++;
	p->vectors |= im->vector;
	if (p->count == p->cap && p->cap < p->window && (r = grow(p)) < 0)
		return r;
	at = thumb_nearest(p->thumbs, p->count, p->count < p->cap ?
	    p->count : p->next, im->thumb->v, &square);
	if (at < p->count && (r = join(p, at, im, pool, &mark)) < 0)
		return r;
	if (!im->vector)
		figures_sample_add(&p->variation, im->thumb->variation);
	if (a->has_scores) {
		figures_sample_add(&p->confidence, a->best);
		figures_sample_add(&p->margin, a->best - a->second);
	}
	p->continued += continues(p, im->thumb->v);
	at = p->count < p->cap ? p->count++ : p->next;
	p->next = (at + 1) % p->cap;
	memcpy(p->thumbs + at * THUMB, im->thumb->v, THUMB);
	p->past[at] = (struct past){.number = im->number,
	    .pixels = im->pixels, .label = a->has_label ? a->label : 0,
	    .best = (float)a->best, .mark = mark, .source = im->source};
	return 0;
}

/* Distance between the first tenth's mean and the last tenth's. */
static double
moved(const struct imageprobe *p, const struct cluster *c)
{
	const struct clusters_series *s = c->series;
	unsigned long want = s->seen / 10 > 0 ? s->seen / 10 : 1, n = 0;
	unsigned which = want > 20;
	float head[THUMB], tail[THUMB] = {0};

	for (size_t i = p->count; i-- > 0 && n < want;) {
		size_t at = place(p, i);

		if (clusters_of(&p->clusters, p->past[at].mark) != c)
			continue;
		for (unsigned k = 0; k < THUMB; k++)
			tail[k] += (float)p->thumbs[at * THUMB + k];
		n++;
	}
	if (n == 0)
		return 0;
	for (unsigned k = 0; k < THUMB; k++) {
		tail[k] /= (float)n;
		head[k] = s->head[which][k] / (which ? 40 : 8);
	}
	return thumb_apart(head, tail);
}

static double
towards(const struct clusters_series *s)
{
	float v[CLUSTERS_POINTS];
	uint32_t n = 0;

	for (uint32_t i = 0; i < s->kept; i++)
		if (s->probability[i] >= 0)
			v[n++] = -s->probability[i];
	return n >= CLUSTERS_SERIES_FROM ? figures_spearman(v, n) :
	    (double)NAN;
}

/* Things move in it: its pairs differ by more than noise. */
static bool
moves(const struct cluster *c)
{
	return c->compared >= CLUSTERS_SERIES_FROM &&
	    (double)c->white < WHITE_PAIRS * (double)c->compared;
}

static void
over_clusters(struct imageprobe *p, struct imageprobe_figures *ret)
{
	double weight = 0, drift = 0, dmag = 0, goal = 0, known = 0;

	for (uint32_t i = 0; i < p->clusters.count; i++) {
		const struct cluster *c = &p->clusters.c[i];
		double w = (double)c->size, g;
		unsigned cells = 0;

		for (uint64_t b = c->cells; b != 0; b &= b - 1)
			cells++;
		ret->cells = cells > ret->cells ? cells : ret->cells;
		ret->large |= c->size >= CLUSTERS_LARGE;
		if (c->size < CLUSTERS_LARGE || c->series == NULL ||
		    moves(c))
			continue;
		if (c->size > ret->still_cluster)
			ret->still_cluster = c->size;
		weight += w;
		drift += w * figures_spearman(c->series->distance,
		    c->series->kept);
		dmag += w * moved(p, c);
		g = towards(c->series);
		if (isfinite(g)) {
			goal += w * g;
			known += w;
		}
	}
	ret->drift = weight > 0 ? drift / weight : (double)NAN;
	ret->dmag = weight > 0 ? dmag / weight : (double)NAN;
	ret->goal = known > 0 ? goal / known : (double)NAN;
}

void
imageprobe_figures(struct imageprobe *p, struct imageprobe_figures *ret)
{
	double n = p->requests > 0 ? (double)p->requests : 1, pairs;
	struct cluster top[CLUSTERS_TOP];
	float v[FIGURES_SAMPLE];
	size_t k = figures_sample_count(&p->margin);

	memset(ret, 0, sizeof(*ret));
	ret->requests = p->requests;
	ret->distinct = p->distinct;
	ret->joined = p->joined;
	ret->roots = p->distinct - p->joined;
	ret->compared = p->compared;
	ret->max_cluster = clusters_top(&p->clusters, top) > 0 ?
	    top[0].size : p->distinct > 0;
	ret->exact_dup = 1 - (double)p->distinct / n;
	ret->near_dup = (double)p->joined / n;
	ret->sparse_diff = ret->noise_diff = (double)NAN;
	if (p->compared > 0) {
		pairs = (double)p->compared;
		ret->sparse_diff = ret->near_dup * (double)p->sparse / pairs;
		ret->noise_diff = ret->near_dup * (double)p->noise / pairs;
	} else if (p->joined == 0 && !p->vectors) {
		ret->sparse_diff = ret->noise_diff = 0;
	}
	ret->lone = p->sparse > 0 ? (double)p->lone / (double)p->sparse : 0;
	ret->continuity = p->distinct > 0 ?
	    (double)p->continued / (double)p->distinct : 0;
	over_clusters(p, ret);
	memcpy(v, p->margin.v, k * sizeof(v[0]));
	ret->margin = figures_median(v, k);
	ret->flip = p->labelled > 0 ?
	    (double)p->flips / (double)p->labelled : (double)NAN;
}

uint64_t
imageprobe_requests(const struct imageprobe *p)
{
	return p->requests;
}

const struct clusters *
imageprobe_clusters(const struct imageprobe *p)
{
	return &p->clusters;
}

struct figures_sample *
imageprobe_variation(struct imageprobe *p)
{
	return &p->variation;
}

struct figures_sample *
imageprobe_confidence(struct imageprobe *p)
{
	return &p->confidence;
}
