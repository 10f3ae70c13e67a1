#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "analyzer/traffic/pairset.h"
#include "analyzer/traffic/trafstate.h"
#include "base/err.h"
#include "base/limits.h"

#define OF_EACH 150	/* values of one caller in the population */

struct pool {
	float *v;
	size_t n;
};

typedef struct figures_sample *(*sample_of)(struct imageprobe *p);

static bool
usable(const struct callerset_caller *c, uint64_t least)
{
	return c->image != NULL && imageprobe_requests(c->image) >= least;
}

/* Values of all callers, sorted. */
static int
fill(struct traffic *t, sample_of of, struct pool *p)
{
	size_t n = callerset_count(t->callers);

	p->n = 0;
	if ((p->v = calloc(n * OF_EACH + 1, sizeof(*p->v))) == NULL)
		return err_set(t->o->d.e, ERR_NOMEM, "out of memory");
	for (size_t i = 0; i < n; i++) {
		const struct callerset_caller *c = callerset_at(t->callers, i);
		const struct figures_sample *s;
		size_t k;

		if (!usable(c, LIMIT_TRAFFIC_LEAST))
			continue;
		s = of(c->image);
		k = figures_sample_count(s);
		if (k > OF_EACH)
			k = OF_EACH;
		memcpy(p->v + p->n, s->v, k * sizeof(*p->v));
		p->n += k;
	}
	figures_sort(p->v, p->n);
	return 0;
}

/* The first places of a sample are a sample: they are what the pool has. */
static double
distance(const struct pool *p, const struct figures_sample *s)
{
	float own[FIGURES_SAMPLE], shared[OF_EACH];
	size_t n = figures_sample_count(s), k = n < OF_EACH ? n : OF_EACH;

	memcpy(own, s->v, n * sizeof(own[0]));
	memcpy(shared, s->v, k * sizeof(own[0]));
	figures_sort(own, n);
	figures_sort(shared, k);
	if (n == 0 || p->n <= k)
		return (double)NAN;
	return figures_ks(own, n, p->v, p->n, shared, k);
}

static int
judge_images(struct traffic *t)
{
	struct pool variation = {NULL, 0}, confidence = {NULL, 0};
	size_t n = callerset_count(t->callers), population = 0;
	int r = 0;

	for (size_t i = 0; i < n; i++)
		population += usable(callerset_at(t->callers, i),
		    CALLERJUDGE_ENOUGH);
	if (population >= CALLERJUDGE_CALLERS &&
	    ((r = fill(t, imageprobe_variation, &variation)) < 0 ||
	    (r = fill(t, imageprobe_confidence, &confidence)) < 0))
		goto out;
	for (size_t i = 0; i < n; i++) {
		struct callerset_caller *c = callerset_at(t->callers, i);
		struct callerjudge_images *f = &c->image_figures;

		if (!usable(c, LIMIT_TRAFFIC_LEAST))
			continue;
		imageprobe_figures(c->image, &f->f);
		f->vectors = c->vectors > c->images;
		f->population = population >= CALLERJUDGE_CALLERS;
		f->ks_tv = f->ks_conf = (double)NAN;
		if (f->population) {
			f->ks_tv = distance(&variation,
			    imageprobe_variation(c->image));
			f->ks_conf = distance(&confidence,
			    imageprobe_confidence(c->image));
		}
		callerjudge_images(f, &c->verdicts);
	}
out:
	free(variation.v);
	free(confidence.v);
	return r;
}

static bool
writes(const struct callerset_caller *c, uint64_t least)
{
	return c->text != NULL && textprobe_requests(c->text) >= least;
}

static int
judge_texts(struct traffic *t)
{
	size_t n = callerset_count(t->callers), k = 0;
	float *foreign = calloc(n + 1, sizeof(*foreign));
	float *brief = calloc(n + 1, sizeof(*brief));
	double usual = 0, spread = 0, usual_short = 0;
	int r = 0;

	if (foreign == NULL || brief == NULL) {
		r = err_set(t->o->d.e, ERR_NOMEM, "out of memory");
		goto out;
	}
	for (size_t i = 0; i < n; i++) {
		struct callerset_caller *c = callerset_at(t->callers, i);

		if (!writes(c, LIMIT_TRAFFIC_LEAST))
			continue;
		textprobe_figures(c->text, &c->text_figures.f);
		c->text_figures.unattested = pairset_foreign(t->pairs,
		    (uint32_t)i);
		c->text_figures.fresh = pairset_fresh(t->pairs, (uint32_t)i);
		brief[k] = (float)c->text_figures.f.short_;
		foreign[k++] = (float)c->text_figures.unattested;
	}
	if (k > 0) {
		usual_short = figures_median(brief, k);
		usual = figures_median(foreign, k);
		spread = figures_mad(foreign, k, usual);
	}
	for (size_t i = 0; i < n; i++) {
		struct callerset_caller *c = callerset_at(t->callers, i);
		struct callerjudge_texts *f = &c->text_figures;

		if (!writes(c, LIMIT_TRAFFIC_LEAST))
			continue;
		f->population = k >= CALLERJUDGE_CALLERS;
		f->usual = usual;
		f->spread = spread;
		f->usual_short = usual_short;
		callerjudge_texts(f, &c->verdicts);
	}
out:
	free(foreign);
	free(brief);
	return r;
}

int
trafjudge_callers(struct traffic *t)
{
	int r = judge_images(t);

	return r < 0 ? r : judge_texts(t);
}
