#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "analyzer/diff/basis.h"
#include "analyzer/traffic/callerset.h"
#include "analyzer/traffic/spread.h"
#include "analyzer/traffic/trafhash.h"
#include "analyzer/traffic/wordrun.h"
#include "analyzer/triggers/detect.h"
#include "base/err.h"
#include "base/limits.h"

#define BEGIN_INPUTS 8
#define BEGIN_CALLERS 3
#define KNOWN 32		/* callers of a group that are counted */
#define LISTED 16
#define NAME 96
#define WINDOW 256
#define STEP 32
#define LEAST_WORDS 4

/* What may become a group. */
struct seed {
	uint64_t key;
	uint32_t inputs;
	uint32_t callers[BEGIN_CALLERS];	/* of their hashes */
	unsigned ncallers;
	uint32_t group;		/* 1 + its number, 0: none */
};

struct member {
	uint64_t caller, requests;
	char name[NAME];
	size_t len;
};

struct group {
	uint64_t key, last, first;
	uint64_t requests, unlisted;	/* of callers beyond KNOWN */
	struct member member[KNOWN];
	unsigned members;
	struct imageprobe *image;
	struct textprobe *text;
	struct callerjudge_verdicts verdicts;
	uint64_t searchers;	/* a bit for each member that takes part */
};

struct spread {
	struct seed *seed;	/* LIMIT_TRAFFIC_GROUPS, by key; the last to
				 * come takes the place */
	struct group *group;	/* LIMIT_TRAFFIC_SPREAD */
	unsigned groups;
	uint64_t dropped;	/* groups that made room */
	uint64_t inputs;
	uint32_t *series_left;
	unsigned found;
};

struct spread *
spread_new(uint32_t *series_left)
{
	struct spread *s = calloc(1, sizeof(*s));

	if (s == NULL)
		return NULL;
	s->series_left = series_left;
	s->seed = calloc(LIMIT_TRAFFIC_GROUPS, sizeof(*s->seed));
	s->group = calloc(LIMIT_TRAFFIC_SPREAD, sizeof(*s->group));
	if (s->seed == NULL || s->group == NULL) {
		spread_free(s);
		return NULL;
	}
	return s;
}

void
spread_free(struct spread *s)
{
	if (s == NULL)
		return;
	for (unsigned i = 0; i < s->groups; i++) {
		imageprobe_free(s->group[i].image);
		textprobe_free(s->group[i].text);
	}
	free(s->seed);
	free(s->group);
	free(s);
}

static uint64_t
key_of_thumb(const struct thumb *t)
{
	uint64_t h = 1;

	for (unsigned y = 0; y < 8; y += 2)
		for (unsigned x = 0; x < 8; x += 2) {
			unsigned sum = 0;

			for (unsigned i = 0; i < 4; i++) {
				unsigned at = (y + i / 2) * 8 + x + i % 2;

				sum += (unsigned)t->v[at * 3] +
				    t->v[at * 3 + 1] + t->v[at * 3 + 2];
			}
			h = trafhash_two(h, sum / 12 / STEP);
		}
	return h;
}

static uint64_t
key_of_words(const struct wordrun *w)
{
	uint64_t least = UINT64_MAX;

	for (uint32_t i = 0; i + 1 < w->n; i++) {
		uint64_t h = trafhash_two(w->hash[i], w->hash[i + 1]);

		least = h < least ? h : least;
	}
	return least;
}

static void
seed_caller(struct seed *e, uint64_t caller)
{
	for (unsigned i = 0; i < e->ncallers; i++)
		if (e->callers[i] == (uint32_t)caller)
			return;
	if (e->ncallers < BEGIN_CALLERS)
		e->callers[e->ncallers++] = (uint32_t)caller;
}

/* A place for a new group: where the longest quiet one was. */
static struct group *
place(struct spread *s)
{
	struct group *g = &s->group[0];

	if (s->groups < LIMIT_TRAFFIC_SPREAD)
		return &s->group[s->groups++];
	for (unsigned i = 1; i < s->groups; i++)
		if (s->group[i].last < g->last)
			g = &s->group[i];
	imageprobe_free(g->image);
	textprobe_free(g->text);
	memset(g, 0, sizeof(*g));
	s->dropped++;
	return g;
}

static struct group *
group_of(struct spread *s, uint64_t key, const struct spread_input *in)
{
	struct seed *e = &s->seed[key % LIMIT_TRAFFIC_GROUPS];
	struct group *g;

	if (e->group > 0 && e->key == key) {
		g = &s->group[e->group - 1];
		if (g->key == key)
			return g;
	}
	if (e->key != key || e->group > 0) {
		/* Groups that are searched stay; others lose their place. */
		if (e->key != key && e->inputs > 0) {
			e->inputs /= 2;
			return NULL;
		}
		memset(e, 0, sizeof(*e));
		e->key = key;
	}
	e->inputs++;
	seed_caller(e, in->caller);
	if (e->inputs < BEGIN_INPUTS || e->ncallers < BEGIN_CALLERS)
		return NULL;
	g = place(s);
	g->key = key;
	g->first = in->number;
	e->group = (uint32_t)(g - s->group) + 1;
	return g;
}

/* Its place, KNOWN for those that are not listed. */
static unsigned
note_member(struct group *g, const struct spread_input *in)
{
	struct member *m;

	for (unsigned i = 0; i < g->members; i++)
		if (g->member[i].caller == in->caller) {
			g->member[i].requests++;
			return i;
		}
	if (g->members == KNOWN) {
		g->unlisted++;
		return KNOWN;
	}
	m = &g->member[g->members++];
	m->caller = in->caller;
	m->requests = 1;
	m->len = in->name.p == NULL ? 0 :
	    in->name.n < NAME ? in->name.n : NAME;
	if (m->len > 0)
		memcpy(m->name, in->name.p, m->len);
	return g->members - 1;
}

int
spread_add(struct spread *s, const struct spread_input *in,
    const struct pixelpool *pool)
{
	struct imageprobe_image im = {.thumb = in->thumb,
	    .vector = in->vector, .pixels = in->pixels,
	    .number = in->number, .answer = in->answer};
	struct group *g;

	if (!in->several || (in->words != NULL && in->words->n < LEAST_WORDS))
		return 0;
	s->inputs++;
	g = group_of(s, in->words != NULL ? key_of_words(in->words) :
	    key_of_thumb(in->thumb), in);
	if (g == NULL)
		return 0;
	g->requests++;
	g->last = in->number;
	im.source = note_member(g, in);
	if (in->words != NULL) {
		if (g->text == NULL && (g->text = textprobe_new(true)) == NULL)
			return ERR_NOMEM;
		return textprobe_add(g->text, in->words, in->number,
		    im.source, in->answer);
	}
	if (g->image == NULL && (g->image = imageprobe_new(WINDOW,
	    true, s->series_left)) == NULL)
		return ERR_NOMEM;
	return imageprobe_add(g->image, &im, pool);
}

/*
 * A search of several callers: in its clusters neighbours come from different
 * ones as often as not.  Who searches alone has its own inputs beside it.
 */
static uint64_t
searchers(const struct group *g)
{
	const struct clusters *k = g->image != NULL ?
	    imageprobe_clusters(g->image) : textprobe_clusters(g->text);
	uint64_t all = 0;

	for (uint32_t i = 0; i < k->count; i++) {
		const struct cluster *c = &k->c[i];
		unsigned sources = 0;

		if (c->size < CLUSTERS_LARGE || c->crossed * 2 < c->size - 1)
			continue;
		for (uint64_t b = c->sources; b != 0; b &= b - 1)
			sources++;
		if (sources >= BEGIN_CALLERS)
			all |= c->sources;
	}
	return all;
}

static void
judge(struct group *g)
{
	struct callerjudge_images images = {.population = false};
	struct callerjudge_texts texts = {.population = false};

	if (g->image != NULL) {
		imageprobe_figures(g->image, &images.f);
		callerjudge_images(&images, &g->verdicts);
	} else if (g->text != NULL) {
		textprobe_figures(g->text, &texts.f);
		texts.f.short_ = 0;
		callerjudge_texts(&texts, &g->verdicts);
	}
}

int
spread_judge(struct spread *s, struct callerset *callers)
{
	for (unsigned i = 0; i < s->groups; i++) {
		struct group *g = &s->group[i];

		g->searchers = g->requests < LIMIT_TRAFFIC_LEAST ? 0 :
		    searchers(g);
		if (g->searchers == 0)
			continue;
		judge(g);
		s->found += g->verdicts.n > 0;
		for (unsigned k = 0; g->verdicts.n > 0 && k < g->members;
		    k++) {
			size_t c = callerset_find(callers,
			    g->member[k].caller);
			struct callerjudge_verdicts *v;

			if (c == callerset_count(callers) ||
			    (g->searchers >> k & 1) == 0)
				continue;
			v = &callerset_at(callers, c)->verdicts;
			if (v->n == 0 ||
			    strcmp(v->id[v->n - 1], "distributed") != 0)
				callerjudge_add(v, "distributed");
		}
	}
	return 0;
}

static void
tell_members(const struct group *g, struct basis *b)
{
	basis_u64(b, "callers", g->members);
	if (g->members == KNOWN)
		basis_u64(b, "requests_of_further_callers", g->unlisted);
	basis_array(b, "largest");
	for (unsigned i = 0, n = 0; i < g->members && n < LISTED; i++) {
		if ((g->searchers >> i & 1) == 0)
			continue;
		n++;
		basis_object(b, NULL);
		basis_text(b, "caller", g->member[i].name, g->member[i].len);
		basis_u64(b, "requests", g->member[i].requests);
		basis_end(b);
	}
	basis_end(b);
}

static int
tell(const struct group *g, uint32_t rank, const struct detect *d)
{
	char value[64];
	int n = snprintf(value, sizeof(value), "%s around record %llu",
	    g->image != NULL ? "images" : "texts",
	    (unsigned long long)g->first);
	struct row_candidate row = {.lead = true, .kind = "search",
	    .value = {value, n > 0 ? (size_t)n : 0},
	    .score = (double)g->requests, .rank = rank,
	    .method = "traffic-distributed"};
	struct basis b;
	int r;

	basis_init(&b);
	basis_u64(&b, "records", g->requests);
	basis_array(&b, "rules");
	for (unsigned i = 0; i < g->verdicts.n; i++)
		basis_str(&b, NULL, g->verdicts.id[i]);
	basis_end(&b);
	tell_members(g, &b);
	callerjudge_tell_clusters(g->image != NULL ?
	    imageprobe_clusters(g->image) : textprobe_clusters(g->text),
	    "clusters", &b);
	basis_str(&b, "threshold", "a caller's rule on inputs that look alike "
	    "of 3 callers or more, none with half of them");
	row.evidence = &b;
	r = d->rows->candidate(d->rows->ctx, &row);
	basis_release(&b);
	return r;
}

int
spread_tell(const struct spread *s, const struct detect *d)
{
	struct row_detector row = {.method = "traffic-distributed",
	    .applied = s->inputs > 0, .reason = s->inputs > 0 ?
	    "weaker than a caller's verdict: part of a search can fall "
	    "beside its group" : "no inputs of several callers"};
	struct basis b;
	uint32_t rank = 0;
	int r;

	for (unsigned i = 0; i < s->groups; i++)
		if (s->group[i].verdicts.n > 0 &&
		    (r = tell(&s->group[i], ++rank, d)) < 0)
			return r;
	basis_init(&b);
	basis_u64(&b, "inputs", s->inputs);
	basis_u64(&b, "groups", s->groups);
	basis_u64(&b, "groups_given_up", s->dropped);
	basis_u64(&b, "found", s->found);
	row.evidence = &b;
	r = d->rows->detector(d->rows->ctx, &row);
	basis_release(&b);
	return r;
}
