#include <stdlib.h>
#include <string.h>

#include "analyzer/weights_carve.h"
#include "analyzer/weights_filter.h"
#include "analyzer/weights_plane.h"
#include "base/bug.h"
#include "base/err.h"
#include "base/limits.h"

/*
 * Method
 *
 * The filter finds pairs of bytes that begin something, in all lane streams
 * by one look at the block (weights_filter.h), in planes and in differences
 * of neighbours by one look at each.  A pair is followed by its prefix, by
 * WEIGHTS_PEEK bytes, by WEIGHTS_HEAD bytes; each step turns away nearly all.
 *
 * What an attacker could try: fill a tensor with beginnings, so that the
 * looks cost more than the bytes; or ten thousand small tensors.  Pairs are
 * bounded in each block, peeks and heads in the whole object, in proportion to
 * its tensors' lengths.
 */
#define HITS_MAX 16384		/* pairs of one look at one block */
#define PEEKS_LEAST 4096
#define PEEK_EACH 16		/* bytes of tensor for one more */
#define HEADS_LEAST 256
#define HEAD_EACH (1024 * 1024)
#define LANE_STREAMS 18
#define PLANES 3
#define VIEWS (LANE_STREAMS + PLANES * 2 * 8 + 2)

/* A lane stream that a rule's byte belongs to. */
struct link {
	uint8_t stream, place;	/* and which of its lanes it is */
};

struct weights_carve {
	struct weights_filter filter, differ, turned[PLANES];
	const struct weights_at *at;
	int (*carved)(void *ctx, const struct weights_carved *x);
	void *ctx;
	const struct weights_stream *lanes;
	unsigned nlanes, nrules;
	struct weights_rule rule[WEIGHTS_RULES_MAX];
	struct link link[WEIGHTS_RULES_MAX][WEIGHTS_LANES_MAX][LANE_STREAMS];
	uint8_t nlinks[WEIGHTS_RULES_MAX][WEIGHTS_LANES_MAX];
	uint64_t until[VIEWS];	/* bytes before that were carved */
	uint64_t peeks, heads;	/* that may still be done */
	unsigned found;
	bool cut;
	struct weights_hit hits[HITS_MAX];
	uint8_t low[WEIGHTS_FILTER_MAX + 8];
	uint8_t made[WEIGHTS_FILTER_MAX + 8];
	uint8_t head[WEIGHTS_HEAD];
};

struct weights_carve *
weights_carve_new(struct err *e)
{
	struct weights_carve *c;

	if ((c = calloc(1, sizeof(*c))) == NULL) {
		(void)err_set(e, ERR_NOMEM, "out of memory");
		return NULL;
	}
	c->peeks = PEEKS_LEAST;
	c->heads = HEADS_LEAST;
	weights_magic_filter(&c->filter);
	weights_magic_filter_xor(&c->differ);
	for (unsigned k = 0; k < PLANES; k++)
		weights_magic_filter_turned(&c->turned[k], 1u << k);
	return c;
}

void
weights_carve_free(struct weights_carve *c)
{
	free(c);
}

bool
weights_carve_cut(const struct weights_carve *c)
{
	return c->cut;
}

static unsigned
rule_for(struct weights_carve *c, int second, int third)
{
	unsigned k = 0;

	while (k < c->nrules && (c->rule[k].second != second ||
	    c->rule[k].third != third))
		k++;
	if (k == c->nrules) {
		BUG_ON(k == WEIGHTS_RULES_MAX);
		c->rule[c->nrules++] = (struct weights_rule){second, third,
		    0};
	}
	return k;
}

/* From byte ${i} of an element in this stream, how far to the one behind? */
static int
distance(const struct weights_stream *s, unsigned i, unsigned behind,
    unsigned width)
{
	unsigned to = i + behind;

	return (int)(s->order[to % s->n] + to / s->n * width) -
	    (int)s->order[i];
}

/* From the lane streams of this width: which distances, in which lanes. */
static void
make_rules(struct weights_carve *c, unsigned width)
{
	c->nrules = 0;
	memset(c->nlinks, 0, sizeof(c->nlinks));
	for (unsigned s = 0; s < c->nlanes; s++) {
		const struct weights_stream *x = &c->lanes[s];

		for (unsigned i = 0; i < x->n; i++) {
			unsigned lane = x->order[i], k;

			k = rule_for(c, distance(x, i, 1, width),
			    distance(x, i, 2, width));
			c->rule[k].lanes |= 1u << lane;
			c->link[k][lane][c->nlinks[k][lane]++] =
			    (struct link){(uint8_t)s, (uint8_t)i};
		}
	}
}

void
weights_carve_begin(struct weights_carve *c, const struct weights_at *at,
    int (*carved)(void *ctx, const struct weights_carved *x), void *ctx)
{
	uint64_t bytes = at->n * at->type->width;

	c->at = at;
	c->carved = carved;
	c->ctx = ctx;
	c->lanes = weights_streams_lanes(at->type->width, &c->nlanes);
	make_rules(c, at->type->width);
	memset(c->until, 0, sizeof(c->until));
	c->peeks += bytes / PEEK_EACH;
	c->heads += bytes / HEAD_EACH;
	c->found = 0;
	c->cut = false;
}

/* Carve it: the bytes go on, the stream is searched behind them. */
static int
take(struct weights_carve *c, const struct weights_view *v, unsigned id,
    uint64_t k, const struct weights_found *found, struct err *e)
{
	struct weights_carved x = {.view = v, .first = k, .found = found};
	uint64_t left = weights_view_size(v) - k;
	size_t n = left < LIMIT_WEIGHTS_CARVE ? (size_t)left :
	    LIMIT_WEIGHTS_CARVE;
	uint8_t *p = malloc(n);
	int r;

	if (p == NULL)
		return err_set(e, ERR_NOMEM, "out of memory");
	if ((r = weights_view_read(v, k, p, n, &n, e)) < 0)
		goto out;
	x.p = p;
	x.n = weights_magic_length(found, p, n);
	x.whole = x.n < n || n == left;
	c->until[id] = k + x.n;
	r = c->carved(c->ctx, &x);
	if (++c->found >= WEIGHTS_CARVES)
		c->cut = true;
out:
	free(p);
	return r;
}

/*
 * What the block shows of a stream from one of its bytes on: bytes of a plane
 * or of differences lie in a row, those of lanes do not.
 */
struct shown {
	const uint8_t *p;
	size_t n;		/* bytes, or elements of ${width} */
	unsigned width;		/* 0: in a row */
	uint64_t first;		/* element that stands first in p */
	unsigned turn;		/* bits of a plane, high ones first */
};

static size_t
show(const struct shown *s, const struct weights_view *v, uint64_t k,
    uint8_t *dst, size_t n)
{
	const struct weights_stream *x = v->s;
	size_t i;

	for (i = 0; i < n; i++) {
		uint64_t at = s->width > 0 ? (k + i) / x->n - s->first : i;

		if (at >= s->n)
			break;
		dst[i] = s->width > 0 ? s->p[at * s->width +
		    x->order[(k + i) % x->n]] : s->turn > 0 ?
		    weights_plane_turn(s->turn, s->p[i]) : s->p[i];
	}
	return i;
}

/* From the block if it is all there, else from the tensor. */
static int
peek(struct weights_carve *c, const struct shown *s,
    const struct weights_view *v, uint64_t k, size_t *n, struct err *e)
{
	*n = show(s, v, k, c->head, WEIGHTS_PEEK);
	if (*n < WEIGHTS_PEEK)
		return weights_view_read(v, k, c->head, WEIGHTS_PEEK, n, e);
	for (size_t i = 0; i < *n; i++)
		c->head[i] ^= v->key;
	return 0;
}

/* A row's prefix fits: look closer.  1 when it was carved. */
static int
follow(struct weights_carve *c, const struct shown *s,
    const struct weights_view *v, unsigned id, uint64_t k, int row,
    struct err *e)
{
	uint64_t left = weights_view_size(v) - k;
	struct weights_found found;
	size_t n;
	int r;

	if (c->peeks == 0 || c->heads == 0) {
		c->cut = true;
		return 0;
	}
	c->peeks--;
	if ((r = peek(c, s, v, k, &n, e)) < 0 ||
	    !weights_magic_peek(row, c->head, n, left))
		return r;
	if ((r = weights_view_read(v, k, c->head, WEIGHTS_LOOK, &n, e)) < 0 ||
	    !weights_magic_look(row, c->head, n))
		return r;
	c->heads--;
	if ((r = weights_view_read(v, k, c->head, sizeof(c->head), &n,
	    e)) < 0 ||
	    (r = weights_magic_judge(row, c->head, n, left, &found, e)) <= 0)
		return r;
	r = take(c, v, id, k, &found, e);
	return r < 0 ? r : 1;
}

/* Byte ${k} of the stream may begin something. */
static int
candidate(struct weights_carve *c, const struct shown *s,
    struct weights_view *v, unsigned id, uint64_t k, bool xored,
    struct err *e)
{
	uint8_t p[WEIGHTS_PREFIX];
	size_t n;
	int row = -1, r = 0;

	if (k < c->until[id] || c->found >= WEIGHTS_CARVES)
		return 0;
	n = show(s, v, k, p, sizeof(p));
	/* At the edge of the block. */
	if (n < sizeof(p) && (r = weights_view_read(v, k, p, sizeof(p), &n,
	    e)) < 0)
		return r;
	while (r == 0) {
		row = xored ? weights_magic_prefix_xor(p, n, row + 1,
		    &v->key) : weights_magic_prefix(p, n, row + 1);
		if (row < 0)
			break;
		r = follow(c, s, v, id, k, row, e);
	}
	return r < 0 ? r : 0;
}

static int
lane_hit(struct weights_carve *c, const struct weights_hit *h,
    const uint8_t *p, size_t n, uint64_t first, struct err *e)
{
	const unsigned width = c->at->type->width;
	const struct shown s = {p, n, width, first, 0};
	unsigned lane = h->pos % width;
	int r = 0;

	for (unsigned i = 0; i < c->nlinks[h->rule][lane] && r >= 0; i++) {
		const struct link *l = &c->link[h->rule][lane][i];
		struct weights_view v = {c->at, &c->lanes[l->stream], 0, 0};

		r = candidate(c, &s, &v, l->stream, (first + h->pos / width) *
		    v.s->n + l->place, false, e);
	}
	return r;
}

static size_t
bounded(struct weights_carve *c, size_t n)
{
	if (n <= HITS_MAX)
		return n;
	c->cut = true;
	return HITS_MAX;
}

static int
lanes(struct weights_carve *c, const uint8_t *p, size_t n, uint64_t first,
    size_t to, struct err *e)
{
	const unsigned width = c->at->type->width;
	size_t hits;
	int r = 0;

	hits = bounded(c, weights_filter_run(&c->filter, c->rule, c->nrules,
	    width, p, to * width, n * width, c->hits, HITS_MAX));
	for (size_t i = 0; i < hits && r >= 0; i++)
		r = lane_hit(c, &c->hits[i], p, n, first, e);
	return r;
}

static const struct weights_rule next_byte = {1, 2, ~0u};

/*
 * A byte stream of its own (c->made holds its differences): where all bytes
 * are XORed with one key, differences of neighbours are as without.
 */
static int
differences(struct weights_carve *c, const struct weights_stream *s,
    unsigned id, const uint8_t *p, size_t n, uint64_t first, size_t to,
    struct err *e)
{
	size_t hits;
	int r = 0;

	if (n < 3)
		return 0;
	weights_plane_differ(p, n, c->made);
	hits = bounded(c, weights_filter_run(&c->differ, &next_byte, 1, 1,
	    c->made, to, n - 1, c->hits, HITS_MAX));
	for (size_t i = 0; i < hits && r >= 0; i++) {
		size_t pos = c->hits[i].pos;
		const struct shown x = {p + pos, n - pos, 0, 0, 0};
		struct weights_view v = {c->at, s, 0, 0};

		r = candidate(c, &x, &v, id, first + pos, true, e);
	}
	return r;
}

/* c->made holds ${n} bytes of a plane, the first element lowest. */
static int
plane(struct weights_carve *c, unsigned log, unsigned align, size_t n,
    uint64_t first, size_t to, struct err *e)
{
	const unsigned bits = 1u << log, per = 8 / bits;
	size_t hits;
	int r = 0;

	hits = bounded(c, weights_filter_row2(&c->filter, &c->turned[log],
	    c->made, (to + per - 1) / per, n, c->hits, HITS_MAX));
	for (size_t i = 0; i < hits && r >= 0; i++) {
		const unsigned high = c->hits[i].rule;
		size_t pos = c->hits[i].pos;
		const struct shown s = {c->made + pos, n - pos, 0, 0,
		    high ? bits : 0};
		struct weights_view v = {c->at,
		    weights_stream_plane(bits, high), align, 0};

		r = candidate(c, &s, &v, LANE_STREAMS + (2 * log + high) * 8 +
		    align, first / per + pos, false, e);
	}
	return r;
}

/* c->low holds the lowest bytes of n elements. */
static int
planes(struct weights_carve *c, size_t n, uint64_t first, size_t to,
    struct err *e)
{
	size_t bytes;
	int r;

	for (unsigned log = 0; log < PLANES; log++)
		for (unsigned a = 0; a < 8u >> log && a < n; a++) {
			bytes = weights_plane_pack(1u << log, c->low + a,
			    n - a, c->made);
			if ((r = plane(c, log, a, bytes, first, to, e)) < 0)
				return r;
		}
	return 0;
}

int
weights_carve_block(struct weights_carve *c, const uint8_t *p, size_t n,
    uint64_t first, bool last, struct err *e)
{
	const unsigned width = c->at->type->width;
	size_t to = last || n < WEIGHTS_CARRY ? n : n - WEIGHTS_CARRY;
	int r;

	weights_plane_low(p, width, n, c->low);
	if ((r = lanes(c, p, n, first, to, e)) < 0 ||
	    (r = differences(c, &c->lanes[0], VIEWS - 2, p, n * width,
	    first * width, to * width, e)) < 0)
		return r;
	/* lane0 of single bytes is raw. */
	if (width > 1 && (r = differences(c, weights_streams_lane0(width),
	    VIEWS - 1, c->low, n, first, to, e)) < 0)
		return r;
	return planes(c, n, first, to, e);
}
