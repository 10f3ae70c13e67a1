#include <stdlib.h>
#include <string.h>

#include "analyzer/diff/compare.h"
#include "analyzer/diff/hand.h"
#include "analyzer/diff/hidden.h"
#include "analyzer/diff/table.h"
#include "analyzer/diff/tensor.h"
#include "analyzer/rules.h"
#include "base/err.h"
#include "base/limits.h"

/*
 * Data in the lowest bits: each changed pair is asked, in the order of the
 * files of NEW, as a payload may run on into the next tensor.
 */
#define PIECE (64 * KIB)

/*
 * Where nothing in the bytes tells their order and where the first of them
 * begins (encrypted data), all readings are carved, one behind the other:
 * the bits of a byte from either end, those of an element too, and a start
 * up to seven elements before the first that changed, as the first bits may
 * have been there already.  Larger payloads are carved as they were guessed.
 */
#define STARTS 8
#define READINGS_MAX (2 * 2 * STARTS)
#define READINGS_BYTES (64 * MIB)

struct suspects {
	struct pair **pair;
	const struct tensor **b;
	struct hidden *found;
	size_t n;
};

static int
compare(const void *a, const void *b)
{
	const struct pair *x = *(struct pair *const *)a;
	const struct pair *y = *(struct pair *const *)b;

	if (x->b->input != y->b->input)
		return x->b->input < y->b->input ? -1 : 1;
	return (x->b->off > y->b->off) - (x->b->off < y->b->off);
}

static bool
is_suspect(const struct pair *p)
{
	return p->measured && p->shared == 0 && p->sums.changed > 0 &&
	    !compare_same(p);
}

static void
suspects_release(struct suspects *s)
{
	free(s->pair);
	free(s->b);
	free(s->found);
}

static int
suspects_find(struct hand *h, struct suspects *s)
{
	size_t cap = h->c->pairs->n + 1;
	int r = 0;

	memset(s, 0, sizeof(*s));
	s->pair = calloc(cap, sizeof(struct pair *));
	s->b = calloc(cap, sizeof(const struct tensor *));
	if (s->pair == NULL || s->b == NULL)
		return err_set(h->e, ERR_NOMEM, "out of memory");
	for (size_t i = 0; i < h->c->pairs->n; i++)
		if (is_suspect(&h->c->pairs->v[i]))
			s->pair[s->n++] = &h->c->pairs->v[i];
	qsort(s->pair, s->n, sizeof(struct pair *), compare);
	if ((s->found = calloc(s->n + 1, sizeof(*s->found))) == NULL)
		return err_set(h->e, ERR_NOMEM, "out of memory");
	for (size_t i = 0; i < s->n && r >= 0; i++) {
		struct pair *p = s->pair[i];
		const struct delta d = {p->a, p->b, p->relation != NULL ?
		    p->relation->cast : CAST_NONE};

		s->b[i] = p->b;
		r = hidden_find(h->c->pool, &d, &p->sums, &s->found[i],
		    h->e);
	}
	return r < 0 ? r : hidden_join(s->b, s->found, s->n, h->e);
}

static int
carve_reading(struct hand *h, const struct hidden *x,
    const struct tensor *const *b, uint8_t *p)
{
	uint64_t at = 0;
	size_t n;
	int r = 0;

	while (r >= 0 && at < x->len &&
	    (n = hidden_read(x, b, at, p, PIECE)) > 0) {
		r = h->carve(h->carve_ctx, p, n);
		at += n;
	}
	return r;
}

static bool
has_readings(const struct hidden *x)
{
	return x->what == NULL && x->len <= READINGS_BYTES / READINGS_MAX;
}

/* How many readings there are; 1: the one that was found. */
static unsigned
readings_of(const struct hidden *x, struct hidden v[READINGS_MAX])
{
	unsigned groups = x->layout.bits > 1 ? 2 : 1, n = 0;

	if (!has_readings(x)) {
		v[0] = *x;
		return 1;
	}
	for (unsigned byte = 0; byte < 2; byte++)
		for (unsigned group = 0; group < groups; group++)
			for (unsigned back = 0; back < STARTS; back++) {
				if (back > x->span_first)
					continue;
				v[n] = *x;
				v[n].layout.byte_high = byte == 1;
				v[n].layout.group_high = group == 1;
				v[n].layout.first = x->span_first - back;
				v[n].len++;	/* for the last bits */
				n++;
			}
	return n;
}

static int
carve(struct hand *h, const struct hidden *x, const struct tensor *const *b)
{
	static struct hidden v[READINGS_MAX];
	unsigned n;
	uint8_t *p;
	int r = 0;

	if (h->carve == NULL || x->len == 0)
		return 0;
	if ((p = malloc(PIECE)) == NULL)
		return err_set(h->e, ERR_NOMEM, "out of memory");
	n = readings_of(x, v);
	for (unsigned i = 0; i < n && r >= 0; i++)
		r = carve_reading(h, &v[i], b, p);
	free(p);
	return r;
}

static enum confidence
sure(const struct hidden *x)
{
	if (x->kind == HIDDEN_LATTICE || x->kind == HIDDEN_MARKS)
		return CONFIDENCE_WEAK;
	return x->kind == HIDDEN_PAYLOAD || x->what != NULL ?
	    CONFIDENCE_CERTAIN : CONFIDENCE_STRONG;
}

static int
tell_finding(struct hand *h, const struct hidden *x, const struct pair *p)
{
	struct finding f = {.id = FINDING_DIFF_PAYLOAD,
	    .severity = finding_info(FINDING_DIFF_PAYLOAD)->severity,
	    .confidence = sure(x)};
	const struct table_input *in = table_input_of(h->side[1], p->b);

	f.off = p->b->off;
	f.len = p->b->len;
	rule_detail_text(&f, "tensor", p->b->name, p->b->name_len);
	rule_detail_text(&f, "kind", hidden_name(x->kind),
	    strlen(hidden_name(x->kind)));
	rule_detail_num(&f, "bytes", x->len);
	if (x->what != NULL)
		rule_detail_text(&f, "content", x->what, strlen(x->what));
	return h->rows->finding(h->rows->ctx, ROW_NEW,
	    (struct row_text){in->leaf->path, in->leaf->path_len}, &f);
}

static int
tell(struct hand *h, struct suspects *s, size_t i)
{
	static const char *const other[] = {
	    "a watermark in the lowest bits",
	    "stochastic rounding, which seldom keeps to so few bits", NULL};
	const struct hidden *x = &s->found[i];
	uint32_t spans = x->spans > 0 ? x->spans : 1;
	struct hand_list list;
	struct basis b;
	int r;

	if ((list.v = calloc(spans, sizeof(const struct pair *))) == NULL)
		return err_set(h->e, ERR_NOMEM, "out of memory");
	list.n = 0;
	for (uint32_t k = 0; k < spans && i + k < s->n; k++) {
		list.v[list.n++] = s->pair[i + k];
		s->pair[i + k]->told = true;
	}
	basis_init(&b);
	hidden_basis(x, &b);
	if (h->carve != NULL && x->len > 0 && has_readings(x))
		basis_str(&b, "carved", "all readings, one behind the "
		    "other: bits from either end, 8 starts each");
	r = hand_conclude(h, CONCLUSION_HIDDEN_PAYLOAD, sure(x), &list, &b,
	    other);
	if (r >= 0 && (r = carve(h, x, s->b + i)) >= 0)
		r = tell_finding(h, x, s->pair[i]);
	free(list.v);
	return r;
}

int
hand_payload(struct hand *h)
{
	struct suspects s;
	int r;

	if ((r = suspects_find(h, &s)) >= 0)
		for (size_t i = 0; i < s.n && r >= 0; i++)
			if (s.found[i].kind != HIDDEN_NONE)
				r = tell(h, &s, i);
	suspects_release(&s);
	return r;
}
