#include <stdlib.h>

#include "analyzer/diff/basis.h"
#include "analyzer/traffic/labelset.h"
#include "analyzer/traffic/pairset.h"
#include "analyzer/traffic/seenset.h"
#include "analyzer/traffic/trafstate.h"
#include "base/err.h"
#include "base/limits.h"

static void
tell_images(const struct callerset_caller *c, struct basis *b)
{
	if (c->image == NULL ||
	    imageprobe_requests(c->image) < LIMIT_TRAFFIC_LEAST)
		return;
	basis_object(b, c->image_figures.vectors ? "vectors" : "images");
	callerjudge_tell_images(&c->image_figures, b);
	callerjudge_tell_clusters(imageprobe_clusters(c->image), "clusters",
	    b);
	basis_end(b);
}

static void
tell_texts(const struct callerset_caller *c, struct basis *b)
{
	if (c->text == NULL ||
	    textprobe_requests(c->text) < LIMIT_TRAFFIC_LEAST)
		return;
	basis_object(b, "texts");
	callerjudge_tell_texts(&c->text_figures, b);
	callerjudge_tell_clusters(textprobe_clusters(c->text), "clusters", b);
	basis_end(b);
}

static int
tell(struct traffic *t, struct callerset_caller *c, unsigned quiet)
{
	struct row_caller row = {.caller = callerset_row(&c->name),
	    .requests = c->pace.requests, .nverdicts = c->verdicts.n};
	struct basis b;
	int r;

	basis_init(&b);
	if (!c->several_endpoints)
		row.endpoint = callerset_row(&c->endpoint);
	for (unsigned i = 0; i < c->verdicts.n; i++)
		row.verdicts[i] = c->verdicts.id[i];
	if (c->pace.timed > 0) {
		row.has_times = true;
		row.first_ns = c->pace.first_ns;
		row.last_ns = c->pace.last_ns;
	}
	tell_images(c, &b);
	tell_texts(c, &b);
	if (c->digests > 0)
		basis_u64(&b, "digests_only", c->digests);
	basis_f64(&b, "exact_dup", c->pace.requests > c->pace.errors ?
	    (double)c->again / (double)(c->pace.requests - c->pace.errors) :
	    0);
	pace_tell(&c->pace, quiet, t->labels == NULL ? 0 :
	    labelset_labels(t->labels) - 1, &b);
	row.statistics = &b;
	r = t->o->caller(t->o->ctx, &row);
	basis_release(&b);
	return r;
}

static void
tell_bounds(const struct traffic *t, struct basis *b)
{
	basis_u64(b, "callers", t->sum.callers);
	basis_u64(b, "callers_with_enough", t->sum.enough);
	basis_u64(b, "callers_examined", callerset_count(t->callers));
	if (t->sum.beyond > 0) {
		basis_u64(b, "requests_beyond_exact_counts", t->sum.beyond);
		basis_u64(b, "count_error_at_most", t->sum.error);
	}
	basis_u64(b, "least_requests", LIMIT_TRAFFIC_LEAST);
	basis_u64(b, "images_compared_with", t->window);
	basis_u64(b, "texts_compared_with", LIMIT_TRAFFIC_TEXTS);
	if (seenset_dropped(t->seen) > 0)
		basis_u64(b, "repetitions_not_known_of",
		    seenset_dropped(t->seen));
	if (t->pairs != NULL && pairset_level(t->pairs) > 0)
		basis_u64(b, "pairs_of_words_one_of",
		    (uint64_t)1 << pairset_level(t->pairs));
	if (t->series_left == 0)
		basis_str(b, "clusters", "some without a series: too many");
}

static int
tell_detector(struct traffic *t, uint64_t judged, uint64_t with,
    uint64_t told)
{
	struct row_detector row = {.method = "traffic-callers",
	    .applied = judged > 0};
	size_t images = 0, texts = 0;
	struct basis b;
	int r;

	basis_init(&b);
	for (size_t i = 0; i < callerset_count(t->callers); i++) {
		const struct callerset_caller *c = callerset_at(t->callers, i);

		images += c->image != NULL &&
		    imageprobe_requests(c->image) >= CALLERJUDGE_ENOUGH;
		texts += c->text != NULL &&
		    textprobe_requests(c->text) >= LIMIT_TRAFFIC_LEAST;
	}
	if (judged == 0)
		row.reason = "no caller has 50 requests";
	else if (images < CALLERJUDGE_CALLERS && texts < CALLERJUDGE_CALLERS)
		row.reason = "no population to compare with: rules that need "
		    "8 callers with 100 images or 50 texts rest";
	basis_u64(&b, "records", t->added.records);
	basis_u64(&b, "texts", t->added.texts);
	basis_u64(&b, "images", t->added.images);
	basis_u64(&b, "vectors", t->added.vectors);
	basis_u64(&b, "digests_only", t->added.digests);
	basis_u64(&b, "without_input", t->added.without_input);
	basis_u64(&b, "without_caller", t->added.without_caller);
	basis_u64(&b, "errors", t->added.errors);
	basis_u64(&b, "image_population", images);
	basis_u64(&b, "text_population", texts);
	tell_bounds(t, &b);
	basis_u64(&b, "judged", judged);
	basis_u64(&b, "with_verdicts", with);
	basis_u64(&b, "rows_left_out", judged - told);
	callerjudge_tell_rules(&b);
	row.evidence = &b;
	r = t->o->d.rows->detector(t->o->d.rows->ctx, &row);
	basis_release(&b);
	return r;
}

/* First those with verdicts, then the busiest: they are in this order. */
int
traftell_callers(struct traffic *t)
{
	size_t n = callerset_count(t->callers);
	unsigned quiet = pace_quiet(t->hour);
	uint64_t judged = 0, with = 0, told = 0;
	int r = 0;

	for (int pass = 0; pass < 2; pass++)
		for (size_t i = 0; i < n; i++) {
			struct callerset_caller *c = callerset_at(t->callers,
			    i);

			if (!c->seen || c->pace.requests <
			    LIMIT_TRAFFIC_LEAST ||
			    (c->verdicts.n > 0) != (pass == 0))
				continue;
			judged++;
			with += pass == 0;
			if (told == LIMIT_TRAFFIC_CALLERS && pass > 0)
				continue;
			told++;
			if ((r = tell(t, c, quiet)) < 0)
				return r;
		}
	return tell_detector(t, judged, with, told);
}
