#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "analyzer/traffic/answer.h"
#include "analyzer/traffic/textprobe.h"
#include "analyzer/traffic/wordrun.h"
#include "base/err.h"

#define SHORT_WORDS 3
#define LEAST_WORDS 3
#define HUB 3

struct past {
	uint64_t *shape;	/* n of them, then n hashes */
	uint32_t n;
	uint64_t number, label;
	struct clusters_mark mark;
	unsigned source;
	unsigned near;		/* later texts that are near it */
};

struct textprobe {
	struct past past[LIMIT_TRAFFIC_TEXTS];	/* a ring */
	unsigned first, count;
	size_t bytes;
	uint64_t requests, distinct, joined, brief, substituted;
	uint64_t labelled, flips;
	struct clusters clusters;
	uint32_t no_series;
	bool several, last_near;
};

struct textprobe *
textprobe_new(bool several)
{
	struct textprobe *p = calloc(1, sizeof(*p));

	if (p == NULL)
		return NULL;
	p->several = several;
	clusters_init(&p->clusters, &p->no_series);
	return p;
}

void
textprobe_free(struct textprobe *p)
{
	if (p == NULL)
		return;
	for (unsigned i = 0; i < LIMIT_TRAFFIC_TEXTS; i++)
		free(p->past[i].shape);
	clusters_release(&p->clusters);
	free(p);
}

static const uint32_t *
hashes(const struct past *t)
{
	return (const uint32_t *)(const void *)(t->shape + t->n);
}

static uint32_t
head(const uint32_t *a, const uint32_t *b, uint32_t n)
{
	uint32_t i = 0;

	while (i < n && a[i] == b[i])
		i++;
	return i;
}

static uint32_t
tail(const uint32_t *a, uint32_t na, const uint32_t *b, uint32_t nb,
    uint32_t n)
{
	uint32_t i = 0;

	while (i < n && a[na - 1 - i] == b[nb - 1 - i])
		i++;
	return i;
}

struct hit {
	uint32_t at;
	bool substitution, alike;
	bool hub;		/* one of its neighbours has HUB of them */
};

static bool
one_word(const struct past *t, const struct wordrun *w, struct hit *h)
{
	const uint32_t *old = hashes(t);
	uint32_t few = t->n < w->n ? t->n : w->n;
	uint32_t many = t->n < w->n ? w->n : t->n;

	if (many < LEAST_WORDS || many - few > 1)
		return false;
	h->at = head(old, w->hash, few);
	h->substitution = many == few;
	h->alike = false;
	/* The same words; or one at the very end, as when somebody types. */
	if (h->at == few || tail(old, t->n, w->hash, w->n, few - h->at) <
	    (h->substitution ? few - h->at - 1 : few - h->at))
		return false;
	if (h->substitution)
		h->alike = wordrun_alike(t->shape[h->at], w->shape[h->at]);
	return true;
}

static void
forget(struct textprobe *p)
{
	struct past *t = &p->past[p->first];

	p->bytes -= t->n * (sizeof(*t->shape) + sizeof(uint32_t));
	free(t->shape);
	t->shape = NULL;
	p->first = (p->first + 1) % LIMIT_TRAFFIC_TEXTS;
	p->count--;
}

static int
keep(struct textprobe *p, const struct wordrun *w, uint64_t number,
    uint64_t label, struct clusters_mark mark, unsigned source)
{
	size_t need = w->n * (sizeof(uint64_t) + sizeof(uint32_t));
	struct past *t;

	while (p->count == LIMIT_TRAFFIC_TEXTS || (p->count > 0 &&
	    p->bytes + need > LIMIT_TRAFFIC_TEXT_BYTES))
		forget(p);
	t = &p->past[(p->first + p->count) % LIMIT_TRAFFIC_TEXTS];
	if ((t->shape = malloc(need + 1)) == NULL)
		return ERR_NOMEM;
	t->n = w->n;
	memcpy(t->shape, w->shape, w->n * sizeof(*t->shape));
	memcpy(t->shape + t->n, w->hash, w->n * sizeof(w->hash[0]));
	t->number = number;
	t->label = label;
	t->mark = mark;
	t->source = source;
	t->near = 0;
	p->count++;
	p->bytes += need;
	return 0;
}

static int
join(struct textprobe *p, struct past *with, const struct hit *h,
    uint64_t number, unsigned source, const struct answer *a)
{
	struct cluster *c = clusters_of(&p->clusters, with->mark);
	unsigned at = h->at < 127 ? h->at : 127;

	if (c == NULL && (c = clusters_begin(&p->clusters, with->number,
	    &with->mark)) == NULL)
		return ERR_NOMEM;
	c->size++;
	c->last = number;
	c->sources |= (uint64_t)1 << source | (uint64_t)1 << with->source;
	c->crossed += source != with->source;
	if (p->several && source == with->source)
		return 0;
	p->joined++;
	p->substituted += h->substitution;
	if (a->has_label) {
		p->labelled++;
		p->flips += with->label != a->label;
	}
	c->hits++;
	c->hubbed += h->hub;
	c->alike += h->alike;
	c->positions[at / 64] |= (uint64_t)1 << at % 64;
	return 0;
}

void
textprobe_again(struct textprobe *p, uint64_t words)
{
	p->requests++;
	p->brief += words <= SHORT_WORDS;
}

/* The newest text near ${w}, or NULL. */
static struct past *
nearest(struct textprobe *p, const struct wordrun *w, struct hit *h)
{
	struct past *found = NULL;
	bool hub = false;

	for (unsigned i = p->count; i-- > 0;) {
		struct past *t = &p->past[(p->first + i) %
		    LIMIT_TRAFFIC_TEXTS];
		struct hit one;

		if (!one_word(t, w, &one))
			continue;
		hub |= ++t->near >= HUB;
		if (found == NULL) {
			found = t;
			*h = one;
		}
	}
	h->hub = hub;
	return found;
}

int
textprobe_add(struct textprobe *p, const struct wordrun *w, uint64_t number,
    unsigned source, const struct answer *a)
{
	struct clusters_mark mark = {0, 0};
	struct past *t;
	struct hit h;
	int r;

	p->requests++;
	p->distinct++;
	p->brief += w->words <= SHORT_WORDS;
	t = nearest(p, w, &h);
	p->last_near = t != NULL;
	if (t != NULL) {
		if ((r = join(p, t, &h, number, source, a)) < 0)
			return r;
		mark = t->mark;
	}
	return keep(p, w, number, a->has_label ? a->label : 0, mark, source);
}

void
textprobe_figures(const struct textprobe *p, struct textprobe_figures *ret)
{
	double n = p->requests > 0 ? (double)p->requests : 1;
	struct cluster top[CLUSTERS_TOP];
	uint64_t hits, alike;

	clusters_covered(&p->clusters, &hits, &alike);
	*ret = (struct textprobe_figures){.requests = p->requests,
	    .distinct = p->distinct, .joined = p->joined,
	    .max_cluster = clusters_top(&p->clusters, top) > 0 ?
	    top[0].size : p->distinct > 0,
	    .exact_dup = 1 - (double)p->distinct / n,
	    .cov = (double)hits / n, .cov_char = (double)alike / n,
	    .short_ = (double)p->brief / n,
	    .sub_one = (double)p->substituted / n,
	    .flip = p->labelled > 0 ?
	    (double)p->flips / (double)p->labelled : (double)NAN};
}

bool
textprobe_near(const struct textprobe *p)
{
	return p->last_near;
}

uint64_t
textprobe_requests(const struct textprobe *p)
{
	return p->requests;
}

const struct clusters *
textprobe_clusters(const struct textprobe *p)
{
	return &p->clusters;
}
