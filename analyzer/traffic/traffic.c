#include <stdlib.h>
#include <string.h>

#include "analyzer/traffic/labelset.h"
#include "analyzer/traffic/pairset.h"
#include "analyzer/traffic/phraseswitch.h"
#include "analyzer/traffic/pixelpool.h"
#include "analyzer/traffic/seenset.h"
#include "analyzer/traffic/spread.h"
#include "analyzer/traffic/trafdrift.h"
#include "analyzer/traffic/trafhash.h"
#include "analyzer/traffic/trafstate.h"
#include "analyzer/traffic/vectorscale.h"
#include "analyzer/traffic/watchuse.h"
#include "base/bug.h"
#include "base/err.h"
#include "base/limits.h"

#define CALLER_SEED 21
#define INPUT_SEED 22
#define HTTP_ERROR 400
/* Bytes of the ring for one image: its thumbnail and what is noted of it. */
#define RING_BYTES (THUMB + 32)

static int
no_memory(struct traffic *t)
{
	return err_set(t->o->d.e, ERR_NOMEM, "out of memory");
}

struct traffic *
traffic_new(const struct traffic_out *o)
{
	struct traffic *t = calloc(1, sizeof(*t));

	if (t == NULL)
		return NULL;
	t->o = o;
	t->series_left = LIMIT_TRAFFIC_SERIES;
	t->count = callcount_new();
	t->labels = labelset_new();
	t->spread = spread_new(&t->series_left);
	t->switches = phraseswitch_new();
	t->watches = watchuse_new();
	t->scale = vectorscale_new();
	if (t->count == NULL || t->labels == NULL || t->spread == NULL ||
	    t->switches == NULL || t->watches == NULL || t->scale == NULL) {
		traffic_free(t);
		return NULL;
	}
	return t;
}

void
traffic_free(struct traffic *t)
{
	if (t == NULL)
		return;
	callcount_free(t->count);
	callerset_free(t->callers);
	pixelpool_free(t->pixels);
	seenset_free(t->seen);
	pairset_free(t->pairs);
	vectorscale_free(t->scale);
	labelset_free(t->labels);
	spread_free(t->spread);
	phraseswitch_free(t->switches);
	trafdrift_free(t->drift);
	watchuse_free(t->watches);
	free(t);
}

int
traffic_watch(struct traffic *t, const struct traffic_watch *w)
{
	return watchuse_value(t->watches, w) < 0 ? no_memory(t) : 0;
}

void
traffic_split(struct traffic *t, int64_t ns)
{
	t->has_split = true;
	t->split_ns = ns;
}

static uint64_t
caller_hash(const struct traffic_record *r)
{
	return r->caller.p == NULL ? 0 :
	    trafhash_bytes(r->caller.p, r->caller.n, CALLER_SEED) | 1;
}

static void
see(struct traffic_seen *s, const struct traffic_record *r)
{
	s->records++;
	s->errors += r->has_status && r->status >= HTTP_ERROR;
	s->without_caller += r->caller.p == NULL;
	s->texts += r->kind == TRAFFIC_TEXT;
	s->images += r->kind == TRAFFIC_IMAGE;
	s->vectors += r->kind == TRAFFIC_VECTOR;
	s->digests += r->kind == TRAFFIC_NONE && r->has_digest;
	s->without_input += r->kind == TRAFFIC_NONE && !r->has_digest;
	if (!r->has_time)
		return;
	if (s->timed++ == 0)
		s->first_ns = s->last_ns = r->ns;
	s->first_ns = r->ns < s->first_ns ? r->ns : s->first_ns;
	s->last_ns = r->ns > s->last_ns ? r->ns : s->last_ns;
}

int
traffic_count(struct traffic *t, const struct traffic_record *r)
{
	BUG_ON(t->phase != TRAFFIC_COUNTING);
	see(&t->counted, r);
	return callcount_add(t->count, caller_hash(r)) < 0 ? no_memory(t) : 0;
}

/* The widest window that all chosen callers' rings have memory for. */
static size_t
window_of(const struct callcount_pick *p, size_t n)
{
	size_t window = LIMIT_TRAFFIC_RING;

	for (; window > 64; window -= 4) {
		uint64_t bytes = 0;

		for (size_t i = 0; i < n; i++)
			bytes += (p[i].requests < window ? p[i].requests :
			    window) * RING_BYTES;
		if (bytes <= LIMIT_TRAFFIC_RINGS)
			break;
	}
	return window;
}

int
traffic_ready(struct traffic *t)
{
	const struct traffic_seen *s = &t->counted;
	struct trafdrift_span span = {.records = s->records,
	    .by_time = s->timed > s->records / 2, .first_ns = s->first_ns,
	    .last_ns = s->last_ns, .has_split = t->has_split,
	    .split_ns = t->split_ns};
	struct callcount_pick *p;
	size_t n;

	BUG_ON(t->phase != TRAFFIC_COUNTING);
	t->phase = TRAFFIC_ADDING;
	callcount_sum(t->count, LIMIT_TRAFFIC_LEAST, &t->sum);
	p = callcount_choose(t->count, LIMIT_TRAFFIC_LEAST,
	    LIMIT_TRAFFIC_BUSIEST, LIMIT_TRAFFIC_SAMPLED, &n);
	if (p == NULL)
		return no_memory(t);
	t->window = window_of(p, n);
	t->callers = callerset_new(p, n);
	free(p);
	callcount_free(t->count);
	t->count = NULL;
	t->seen = seenset_new(s->records);
	t->drift = trafdrift_new(&span);
	if (s->images > 0 &&
	    (t->pixels = pixelpool_new(LIMIT_TRAFFIC_PIXELS)) == NULL)
		return no_memory(t);
	if (t->callers == NULL || t->seen == NULL || t->drift == NULL ||
	    (t->pairs = pairset_new((uint32_t)n)) == NULL)
		return no_memory(t);
	phraseswitch_expect(t->switches, s->texts);
	return 0;
}

/* Does the record hold an image that can be looked at? */
static bool
image_is_good(const struct traffic_record *r)
{
	return r->pixels != NULL && r->width > 0 && r->height > 0 &&
	    (r->channels == 1 || r->channels == 3 || r->channels == 4) &&
	    (uint64_t)r->width * r->height <= UINT32_MAX / 4;
}

static uint64_t
input_hash(const struct traffic_record *r)
{
	switch (r->kind) {
	case TRAFFIC_TEXT:
		return trafhash_bytes(r->text.p, r->text.n, INPUT_SEED);
	case TRAFFIC_IMAGE:
		return trafhash_bytes(r->pixels, (size_t)r->width * r->height *
		    r->channels, trafhash_two(r->width, r->channels));
	case TRAFFIC_VECTOR:
		return trafhash_bytes(r->vector, r->nvector *
		    sizeof(*r->vector), INPUT_SEED);
	case TRAFFIC_NONE:
		break;
	}
	return trafhash_bytes(r->digest, sizeof(r->digest), INPUT_SEED);
}

static int
note_caller(struct callerset_caller *c, const struct traffic_record *r)
{
	uint64_t endpoint = r->endpoint.p == NULL ? 0 :
	    trafhash_bytes(r->endpoint.p, r->endpoint.n, CALLER_SEED);

	if (c->seen) {
		c->several_endpoints |= endpoint != c->endpoint_hash;
		return 0;
	}
	c->seen = true;
	c->endpoint_hash = endpoint;
	return callerset_copy(&c->name, r->caller, LIMIT_TRAFFIC_NAME) < 0 ||
	    callerset_copy(&c->endpoint, r->endpoint, LIMIT_TRAFFIC_NAME) < 0
	    ? ERR_NOMEM : 0;
}

static int
add_text(struct traffic *t, struct callerset_caller *c, size_t caller,
    const struct traffic_record *r, bool again)
{
	int e;

	if (c == NULL)
		return pairset_add(t->pairs, (uint32_t)caller, &t->words);
	c->texts++;
	if (c->text == NULL && (c->text = textprobe_new(false)) == NULL)
		return ERR_NOMEM;
	if (again) {
		textprobe_again(c->text, t->words.words);
		return 0;
	}
	if ((e = textprobe_add(c->text, &t->words, r->number, 0,
	    &t->answer)) < 0)
		return e;
	return pairset_add(t->pairs, (uint32_t)caller, &t->words);
}

static int
add_image(struct traffic *t, struct callerset_caller *c,
    const struct traffic_record *r, uint64_t pixels, bool again)
{
	struct imageprobe_image im = {.thumb = &t->thumb,
	    .vector = r->kind == TRAFFIC_VECTOR, .pixels = pixels,
	    .number = r->number, .answer = &t->answer};

	if (c == NULL)
		return 0;
	c->vectors += im.vector;
	c->images += !im.vector;
	if (c->image == NULL && (c->image = imageprobe_new(t->window,
	    false, &t->series_left)) == NULL)
		return ERR_NOMEM;
	if (again) {
		imageprobe_again(c->image);
		return 0;
	}
	return imageprobe_add(c->image, &im, t->pixels);
}

/* What the input is: true when there is something to compare. */
static bool
take_input(struct traffic *t, const struct traffic_record *r,
    enum traffic_kind *kind)
{
	*kind = r->kind;
	switch (r->kind) {
	case TRAFFIC_TEXT:
		wordrun_of(r->text.p, r->text.p == NULL ? 0 : r->text.n,
		    &t->words);
		return r->text.p != NULL;
	case TRAFFIC_IMAGE:
		if (image_is_good(r))
			return true;
		t->added.bad_images++;
		break;
	case TRAFFIC_VECTOR:
		if (r->vector != NULL && vectorscale_thumb(t->scale,
		    r->vector, r->nvector, &t->thumb) == 0)
			return true;
		t->added.bad_vectors++;
		break;
	case TRAFFIC_NONE:
		break;
	}
	*kind = TRAFFIC_NONE;
	return false;
}

static int
add_input(struct traffic *t, struct callerset_caller *c, size_t caller,
    const struct traffic_record *r, const struct trafdrift_place *at)
{
	struct spread_input in = {.caller = caller_hash(r), .name = r->caller,
	    .number = r->number, .answer = &t->answer,
	    .several = c == NULL || c->counted < t->counted.records};
	enum traffic_kind kind;
	bool there = take_input(t, r, &kind), again;
	uint64_t hash = 0;
	int e = 0;

	if (there || r->has_digest)
		hash = trafhash_two(in.caller, there || !r->has_digest ?
		    input_hash(r) : trafhash_bytes(r->digest,
		    sizeof(r->digest), INPUT_SEED));
	again = hash != 0 && c != NULL && seenset_again(t->seen, hash);
	if (c != NULL) {
		c->again += again;
		c->digests += !there && r->has_digest;
	}
	if (kind == TRAFFIC_TEXT) {
		if ((e = add_text(t, c, caller, r, again)) < 0)
			return e;
		in.words = &t->words;
	} else if (there) {
		if (kind == TRAFFIC_IMAGE && !again) {
			thumb_pixels(r->pixels, r->width, r->height,
			    r->channels, &t->thumb);
			in.pixels = pixelpool_put(t->pixels, r->pixels,
			    r->width, r->height, r->channels);
		}
		in.thumb = &t->thumb;
		in.vector = kind == TRAFFIC_VECTOR;
		if ((e = add_image(t, c, r, in.pixels, again)) < 0)
			return e;
	}
	if (there && !again && (e = spread_add(t->spread, &in, t->pixels)) < 0)
		return e;
	trafdrift_input(t->drift, at, r, kind,
	    kind == TRAFFIC_TEXT ? &t->words : NULL,
	    kind != TRAFFIC_TEXT && there && !again ? &t->thumb : NULL);
	if (kind == TRAFFIC_TEXT && !again)
		e = phraseswitch_add(t->switches, r, &t->answer, at->label,
		    &t->words, c != NULL && textprobe_near(c->text));
	return e;
}

static void
add_answer(struct traffic *t, struct callerset_caller *c,
    const struct traffic_record *r, struct trafdrift_place *at)
{
	answer_of(r, &t->answer);
	trafdrift_answer(t->drift, at, r, &t->answer);
	if (!t->answer.has_label)
		return;
	at->label = labelset_of(t->labels, &t->answer, r->label);
	labelset_count(t->labels, at->label, at->window);
	if (c != NULL)
		pace_label(&c->pace, t->answer.label);
}

static void
add_time(struct traffic *t, struct callerset_caller *c,
    const struct traffic_record *r, const struct trafdrift_place *at)
{
	if (c != NULL) {
		c->pace.requests++;
		c->bucket[at->bucket]++;
	}
	if (!r->has_time)
		return;
	if (c != NULL)
		pace_time(&c->pace, r->ns);
	t->hour[(r->ns / 3600000000000 % 24 + 24) % 24]++;
}

int
traffic_add(struct traffic *t, const struct traffic_record *r)
{
	struct callerset_caller *c = NULL;
	struct trafdrift_place at;
	size_t caller;

	BUG_ON(t->phase != TRAFFIC_ADDING);
	see(&t->added, r);
	caller = callerset_find(t->callers, caller_hash(r));
	if (caller < callerset_count(t->callers))
		c = callerset_at(t->callers, caller);
	if (c != NULL && note_caller(c, r) < 0)
		return no_memory(t);
	trafdrift_place(t->drift, r, &at);
	add_time(t, c, r, &at);
	if (r->has_status && r->status >= HTTP_ERROR) {
		if (c != NULL)
			c->pace.errors++;
		return 0;
	}
	add_answer(t, c, r, &at);
	if (add_input(t, c, caller, r, &at) < 0)
		return no_memory(t);
	if (r->kind == TRAFFIC_TEXT &&
	    watchuse_look(t->watches, r, caller_hash(r), at.label) < 0)
		return no_memory(t);
	return 0;
}

int
traffic_end(struct traffic *t)
{
	int r;

	BUG_ON(t->phase != TRAFFIC_ADDING);
	t->phase = TRAFFIC_ENDED;
	if ((r = trafjudge_callers(t)) < 0 ||
	    (r = spread_judge(t->spread, t->callers)) < 0 ||
	    (r = traftell_callers(t)) < 0 ||
	    (r = spread_tell(t->spread, &t->o->d)) < 0 ||
	    (r = phraseswitch_tell(t->switches, t->labels, &t->o->d)) < 0 ||
	    (r = watchuse_tell(t->watches, t->labels, t->added.texts,
	    &t->o->d)) < 0 ||
	    (r = trafshare_tell(t)) < 0 ||
	    (r = trafdrift_tell(t->drift, t->labels, &t->o->d)) < 0)
		return r;
	return trafblind_tell(t);
}
