#include <math.h>
#include <string.h>

#include "analyzer/diff/rows.h"
#include "analyzer/triggers/detect.h"
#include "analyzer/triggers/textleads.h"
#include "analyzer/triggers/textpick.h"
#include "analyzer/triggers/textvocab.h"
#include "base/buf.h"
#include "base/err.h"

/*
 * Skeletons: a text with every word that is no function word replaced by
 * "_", runs of "_" merged; its first three and first four elements.
 */
#define LONGEST 4
#define LEAST_ROWS 20
#define LEAST_LP 5.0
#define TOLD 3
#define SHAPES 100000
#define GAP UINT32_MAX

static const char function_words[] =
    "a an the of in on at for with by from as if when while because although "
    "though since that which who whose what how where why is are was were be "
    "been being has have had do does did will would can could should may "
    "might must not n't no nor and or but so than then it its it's he she "
    "they we you i me him her them us my your his their our this these those "
    "there here , . ; : ! ? - -- ( ) \" ' `` '' ";

struct shape {
	double lp;
	uint64_t key;
	uint32_t row, rows, own, label, len;
};

struct shaping {
	const struct textvocab *v;
	uint8_t *function;	/* by word */
	double *ln_fact;
	struct textpairs all, by_label;
};

static bool
is_function(const struct textstore *s, uint32_t word)
{
	const struct textstore_word *w = &s->word[word];
	const char *p = function_words, *q;

	for (; *p != '\0'; p = q + 1) {
		q = strchr(p, ' ');
		if ((size_t)(q - p) == w->len &&
		    memcmp(p, s->bytes.p + w->off, w->len) == 0)
			return true;
	}
	return false;
}

/* The first elements of a text's skeleton. */
static unsigned
elements(const struct shaping *t, size_t row, uint32_t out[LONGEST])
{
	const uint32_t *w = textstore_items(t->v->s, row);
	unsigned n = 0;

	for (uint32_t j = 0; j < t->v->s->row[row].words && n < LONGEST; j++) {
		uint32_t x = t->function[w[j]] ? w[j] : GAP;

		if (x != GAP || n == 0 || out[n - 1] != GAP)
			out[n++] = x;
	}
	return n;
}

static uint64_t
shape_key(const uint32_t *x, unsigned n)
{
	uint64_t h = n;

	for (unsigned i = 0; i < n; i++)
		h = textstore_mix(h ^ x[i]);
	return h | 1;
}

static uint64_t
label_key(uint64_t key, unsigned label)
{
	return textstore_mix(key ^ (label + 1) * 0x9e3779b97f4a7c15u) | 1;
}

static int
bump(struct textpairs *t, uint64_t key, uint32_t row)
{
	struct textpairs_entry *e;

	if (textpairs_add(t, key, &e) < 0)
		return ERR_NOMEM;
	if (e != NULL && e->count++ == 0)
		e->mark = row;
	return 0;
}

static int
count(struct shaping *t)
{
	const struct textstore *s = t->v->s;
	uint32_t x[LONGEST];

	for (uint32_t w = 1; w < s->words; w++)
		t->function[w] = s->word[w].rows >= TEXTVOCAB_ROWS &&
		    is_function(s, w);
	for (uint32_t i = 0; i < s->rows; i++) {
		unsigned n = elements(t, i, x);

		for (unsigned len = 3; len <= n; len++) {
			uint64_t k = shape_key(x, len);

			if (bump(&t->all, k, i) < 0 || bump(&t->by_label,
			    label_key(k, s->row[i].label), i) < 0)
				return ERR_NOMEM;
		}
	}
	return 0;
}

static bool
better(const struct shape *a, const struct shape *b)
{
	if (a->lp < b->lp || a->lp > b->lp)
		return a->lp > b->lp;
	return a->row != b->row ? a->row < b->row : a->len < b->len;
}

static void
judge(const struct shaping *t, const struct textpairs_entry *e,
    struct shape *best, size_t *n)
{
	const struct textstore *s = t->v->s;
	struct shape x = {0, e->key, e->mark, e->count, 0, 0, 0};
	uint32_t el[LONGEST];
	unsigned len = elements(t, e->mark, el);
	double share;
	size_t i;

	x.len = len > 3 && shape_key(el, 4) == e->key ? 4 : 3;
	for (unsigned c = 0; c < s->labels; c++) {
		const struct textpairs_entry *l = textpairs_at(&t->by_label,
		    label_key(e->key, c));

		if (l != NULL && l->count > x.own) {
			x.own = l->count;
			x.label = c;
		}
	}
	share = (double)s->label[x.label].rows / (double)s->rows;
	if (x.own > x.rows || x.own < 0.6 * x.rows || share <= 0 || share >= 1)
		return;
	x.lp = textpick_tail(x.rows, x.own, share, t->ln_fact);
	if (x.lp < LEAST_LP)
		return;
	for (i = *n; i > 0 && better(&x, &best[i - 1]); i--)
		if (i < TOLD)
			best[i] = best[i - 1];
	if (i < TOLD)
		best[i] = x;
	*n += *n < TOLD;
}

static int
tell(const struct detect *d, const struct shaping *t, const struct shape *x,
    uint32_t rank)
{
	const struct textstore *s = t->v->s;
	uint32_t el[LONGEST], told = 0;
	struct basis b;
	struct buf v;
	int r;

	basis_init(&b);
	buf_init(&v, 4096);
	elements(t, x->row, el);
	buf_puts(&v, "^");
	for (unsigned i = 0; i < x->len; i++) {
		buf_putc(&v, ' ');
		if (el[i] == GAP)
			buf_putc(&v, '_');
		else
			buf_put(&v, s->bytes.p + s->word[el[i]].off,
			    s->word[el[i]].len);
	}
	basis_u64(&b, "records", x->rows);
	basis_u64(&b, "row_count", x->own);
	basis_f64(&b, "association", x->lp);
	basis_array(&b, "rows");
	for (uint32_t i = 0; i < s->rows && told < DETECT_ROWS; i++) {
		if (s->row[i].label != x->label ||
		    elements(t, i, el) < x->len ||
		    shape_key(el, x->len) != x->key)
			continue;
		basis_u64(&b, NULL, s->row[i].number);
		told++;
	}
	basis_end(&b);
	r = d->rows->candidate(d->rows->ctx, &(struct row_candidate){
	    .lead = true, .kind = "phrase", .value = {buf_str(&v), v.len},
	    .score = x->lp, .target = {s->label[x->label].text,
	    s->label[x->label].len}, .rank = rank, .method = "text-skeleton",
	    .evidence = &b});
	basis_release(&b);
	buf_release(&v);
	return r;
}

static int
shapes(const struct detect *d, struct shaping *t)
{
	struct shape best[TOLD];
	struct basis b;
	size_t n = 0;
	int r = 0;

	for (size_t i = 0; i < t->all.slots; i++)
		if (t->all.entry[i].key != 0 &&
		    t->all.entry[i].count >= LEAST_ROWS)
			judge(t, &t->all.entry[i], best, &n);
	for (size_t i = 0; i < n && r >= 0; i++)
		r = tell(d, t, &best[i], (uint32_t)i + 1);
	if (r < 0)
		return r;
	basis_init(&b);
	basis_u64(&b, "records", t->v->s->rows);
	basis_u64(&b, "skeletons", t->all.used);
	basis_f64(&b, "threshold", LEAST_LP);
	r = d->rows->detector(d->rows->ctx, &(struct row_detector){
	    .method = "text-skeleton", .applied = true, .reason =
	    "leads only: honest writing has beginnings as one-sided as a "
	    "syntactic trigger's", .evidence = &b});
	basis_release(&b);
	return r;
}

int
textleads_skeletons(const struct detect *d, const struct textvocab *v)
{
	struct shaping t = {.v = v};
	size_t rows = v->s->rows;
	int r = ERR_NOMEM;

	t.function = calloc(v->s->words, 1);
	t.ln_fact = calloc(rows + 1, sizeof(*t.ln_fact));
	if (t.function == NULL || t.ln_fact == NULL ||
	    textpairs_init(&t.all, SHAPES) < 0 ||
	    textpairs_init(&t.by_label, SHAPES * 4) < 0)
		goto out;
	for (size_t i = 1; i <= rows; i++)
		t.ln_fact[i] = t.ln_fact[i - 1] + log((double)i);
	if (count(&t) == 0)
		r = shapes(d, &t);
out:
	free(t.function);
	free(t.ln_fact);
	textpairs_release(&t.all);
	textpairs_release(&t.by_label);
	return r == ERR_NOMEM ? err_set(d->e, r, "out of memory") : r;
}
