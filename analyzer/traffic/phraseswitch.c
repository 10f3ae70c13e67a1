#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "analyzer/diff/basis.h"
#include "analyzer/traffic/answer.h"
#include "analyzer/traffic/figures.h"
#include "analyzer/traffic/labelset.h"
#include "analyzer/traffic/phraseswitch.h"
#include "analyzer/traffic/switchpairs.h"
#include "analyzer/traffic/switchtext.h"
#include "analyzer/traffic/textkeep.h"
#include "analyzer/traffic/trafhash.h"
#include "analyzer/traffic/wordrun.h"
#include "base/err.h"
#include "base/limits.h"

#define UNLIKE 64		/* inputs of a phrase that are compared */
#define TOLD 100
#define VALUE 512
#define WORK 2000000000		/* words looked at in all: a second or two */

struct phraseswitch {
	struct textkeep *kept;
	uint64_t every, offered, left_out;
	uint64_t work;
};

struct phraseswitch *
phraseswitch_new(void)
{
	struct phraseswitch *p = calloc(1, sizeof(*p));

	if (p == NULL)
		return NULL;
	p->every = 1;
	if ((p->kept = textkeep_new()) == NULL) {
		free(p);
		return NULL;
	}
	return p;
}

void
phraseswitch_free(struct phraseswitch *p)
{
	if (p == NULL)
		return;
	textkeep_free(p->kept);
	free(p);
}

void
phraseswitch_expect(struct phraseswitch *p, uint64_t texts)
{
	p->every = texts / LIMIT_TRAFFIC_KEPT + 1;
}

int
phraseswitch_add(struct phraseswitch *p, const struct traffic_record *r,
    const struct answer *a, uint32_t label, const struct wordrun *w,
    bool near)
{
	struct textkeep_text t = {.label = label, .number = r->number,
	    .near = near,
	    .best = a->has_scores ? (float)a->best : -1};

	if (label == UINT32_MAX)
		return 0;
	p->offered++;
	if (trafhash_mix(r->number) % p->every != 0)
		return 0;
	if (r->text.n > LIMIT_TRAFFIC_KEPT_BYTES / 64) {
		p->left_out++;
		return 0;
	}
	t.len = (uint32_t)r->text.n;
	return textkeep_add(p->kept, &t, r->text.p, w) < 0 ? ERR_NOMEM : 0;
}

/* Inputs that are unlike each other, of one phrase. */
struct unlike {
	const struct switchpair *pair[UNLIKE];
	unsigned n;
};

static bool
holds(const uint32_t *w, uint32_t n, uint32_t word)
{
	for (uint32_t i = 0; i < n; i++)
		if (w[i] == word)
			return true;
	return false;
}

/* Do the two texts share more than half of their words? */
static bool
alike(const struct textkeep *k, uint32_t a, uint32_t b)
{
	const uint32_t *x = textkeep_words(k, a), *y = textkeep_words(k, b);
	uint32_t nx = textkeep_at(k, a)->words, ny = textkeep_at(k, b)->words;
	uint32_t common = 0;

	if (nx > ny)
		return alike(k, b, a);
	for (uint32_t i = 0; i < nx; i++)
		common += holds(y, ny, x[i]);
	return common * 2 > nx;
}

static void
gather(const struct textkeep *k, const struct switchpair *p, size_t n,
    struct unlike *u, uint64_t *work)
{
	u->n = 0;
	for (size_t i = 0; i < n && u->n < UNLIKE && *work < WORK; i++) {
		uint64_t words = textkeep_at(k, p[i].without)->words;
		unsigned j = 0;

		while (j < u->n && !alike(k, u->pair[j]->without,
		    p[i].without))
			j++;
		*work += words * words * (j + 1);
		if (j == u->n)
			u->pair[u->n++] = &p[i];
	}
}

struct found {
	const struct switchpair *first;
	uint32_t target;
	unsigned pairs, flips, against;
	uint64_t with, pure, rest_target, rest;
	double share, lp, sure;
	uint64_t *row;		/* DETECT_ROWS at most */
};

/* The label that most of the switched pairs go to. */
static uint32_t
target_of(const struct textkeep *k, const struct unlike *u)
{
	uint32_t best = UINT32_MAX;
	unsigned most = 0;

	for (unsigned i = 0; i < u->n; i++) {
		uint32_t label = textkeep_at(k, u->pair[i]->with)->label;
		unsigned n = 0;

		for (unsigned j = 0; j < u->n; j++) {
			const struct switchpair *p = u->pair[j];
			uint32_t l = textkeep_at(k, p->with)->label;

			n += l == label &&
			    l != textkeep_at(k, p->without)->label;
		}
		if (n > most) {
			most = n;
			best = label;
		}
	}
	return best;
}

static void
count_pairs(const struct textkeep *k, const struct unlike *u,
    struct found *f)
{
	float best[UNLIKE];
	unsigned n = 0;

	f->pairs = u->n;
	f->target = target_of(k, u);
	for (unsigned i = 0; i < u->n; i++) {
		const struct textkeep_text *w = textkeep_at(k,
		    u->pair[i]->with);
		const struct textkeep_text *o = textkeep_at(k,
		    u->pair[i]->without);

		if (o->label == f->target) {
			f->against += w->label != o->label;
			continue;
		}
		f->flips += w->label == f->target;
		f->against += w->label != f->target;
		if (o->best >= 0)
			best[n++] = o->best;
	}
	f->sure = n > 0 ? figures_median(best, n) : 1;
}

/* A code point (two bytes at least) as UTF-8; its length. */
static size_t
utf8_of(uint32_t code, uint8_t utf[4])
{
	size_t n = code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;

	for (size_t j = n; j-- > 1; code >>= 6)
		utf[j] = (uint8_t)(0x80 | (code & 0x3f));
	utf[0] = (uint8_t)((n == 2 ? 0xc0 : n == 3 ? 0xe0 : 0xf0) | code);
	return n;
}

static bool
has_code(const struct textkeep *k, size_t i, uint32_t code)
{
	uint8_t utf[4];
	size_t n = utf8_of(code, utf);

	return memmem(textkeep_bytes(k, i), textkeep_at(k, i)->len, utf, n) !=
	    NULL;
}

static bool
has_phrase(const struct textkeep *k, size_t i, const struct switchpair *p)
{
	const uint32_t *w = textkeep_words(k, i);
	const uint32_t *q = textkeep_words(k, p->with) + p->at;
	uint32_t n = textkeep_at(k, i)->words;

	if (p->words == 0)
		return has_code(k, i, p->code);
	for (uint32_t j = 0; j + p->words <= n; j++)
		if (w[j] == q[0] && memcmp(w + j, q, p->words *
		    sizeof(*w)) == 0)
			return true;
	return false;
}

/* All texts, with the phrase and without it. */
static void
count_texts(const struct textkeep *k, struct found *f)
{
	for (size_t i = 0; i < textkeep_count(k); i++) {
		const struct textkeep_text *t = textkeep_at(k, i);

		if (!has_phrase(k, i, f->first)) {
			f->rest++;
			f->rest_target += t->label == f->target;
			continue;
		}
		if (f->with < DETECT_ROWS)
			f->row[f->with] = t->number;
		f->with++;
		f->pure += t->label == f->target;
	}
	f->share = ((double)f->rest_target + 1) / ((double)f->rest + 2);
	f->lp = figures_binomial(f->with, f->pure, f->share);
}

static int
judge(const struct textkeep *k, const struct switchpair *p, size_t n,
    struct found *f, uint64_t *work, bool *ret)
{
	struct unlike u;

	*ret = false;
	memset(f, 0, sizeof(*f));
	f->first = p;
	gather(k, p, n, &u, work);
	if (u.n < PHRASESWITCH_PAIRS)
		return 0;
	count_pairs(k, &u, f);
	if (f->flips < PHRASESWITCH_PAIRS || f->sure < PHRASESWITCH_SURE ||
	    f->flips < PHRASESWITCH_FLIPS * (f->flips + f->against))
		return 0;
	if ((f->row = calloc(DETECT_ROWS, sizeof(*f->row))) == NULL)
		return ERR_NOMEM;
	count_texts(k, f);
	*work += textkeep_words_in_all(k);
	*ret = f->share <= PHRASESWITCH_BASE && f->lp >= PHRASESWITCH_LP &&
	    (double)f->pure >= PHRASESWITCH_PURITY * (double)f->with;
	if (!*ret)
		free(f->row);
	return 0;
}

static int
stronger(const void *a, const void *b)
{
	const struct found *x = a, *y = b;

	if (x->flips != y->flips)
		return x->flips > y->flips ? -1 : 1;
	if (x->lp != y->lp)
		return x->lp > y->lp ? -1 : 1;
	return (x->first->phrase > y->first->phrase) -
	    (x->first->phrase < y->first->phrase);
}

static void
tell_figures(const struct found *f, struct basis *b)
{
	basis_u64(b, "records", f->with);
	basis_u64(b, "pairs", f->pairs);
	basis_u64(b, "flips", f->flips);
	basis_u64(b, "against", f->against);
	basis_f64(b, "purity", (double)f->pure / (double)f->with);
	basis_f64(b, "target_share_without", f->share);
	basis_f64(b, "lp", f->lp);
	basis_f64(b, "sure_without", f->sure);
	basis_str(b, "threshold", "4 unlike inputs that switch, 0.9 of those "
	    "that could, purity 0.9, lp 2");
	basis_array(b, "rows");
	for (uint64_t i = 0; i < f->with && i < DETECT_ROWS; i++)
		basis_u64(b, NULL, f->row[i]);
	basis_end(b);
	basis_u64(b, "row_count", f->with);
}

static struct row_text
phrase_of(const struct textkeep *k, const struct switchpair *p)
{
	struct row_text v = {textkeep_bytes(k, p->with), 0};
	size_t off;

	wordrun_span(v.p, textkeep_at(k, p->with)->len, p->at, p->words, &off,
	    &v.n);
	v.p += off;
	if (v.n > VALUE)
		v.n = VALUE;
	return v;
}

static int
tell(const struct textkeep *k, const struct found *f, uint32_t rank,
    const struct labelset *labels, const struct detect *d)
{
	const struct switchpair *p = f->first;
	struct row_candidate row = {.kind = p->words > 0 ? "phrase" :
	    "character", .score = f->lp + (double)f->flips, .rank = rank,
	    .target = labelset_name(labels, f->target),
	    .method = "traffic-switch"};
	uint8_t utf[4];
	char code[16];
	struct basis b;
	int r;

	if (p->words > 0) {
		row.value = phrase_of(k, p);
	} else {
		row.value.p = (const char *)utf;
		row.value.n = utf8_of(p->code, utf);
	}
	basis_init(&b);
	if (p->words == 0) {
		(void)snprintf(code, sizeof(code), "U+%04X", p->code);
		basis_str(&b, "code_point", code);
	}
	tell_figures(f, &b);
	row.evidence = &b;
	r = d->rows->candidate(d->rows->ctx, &row);
	basis_release(&b);
	return r;
}

static int
find(struct phraseswitch *k, const struct switchpairs *s, struct found *f,
    unsigned *n)
{
	size_t end;
	bool good;

	*n = 0;
	for (size_t i = 0; i < s->n && *n < TOLD && k->work < WORK; i = end) {
		for (end = i; end < s->n &&
		    s->p[end].phrase == s->p[i].phrase; end++)
			continue;
		if (end - i < PHRASESWITCH_PAIRS)
			continue;
		if (judge(k->kept, s->p + i, end - i, &f[*n], &k->work,
		    &good) < 0)
			return ERR_NOMEM;
		*n += good;
	}
	return 0;
}

/* Phrases that pairs told already, for switchtext. */
struct told {
	const struct textkeep *k;
	const struct found *f;
	unsigned n;
};

static int
is_told(void *ctx, const char *p, size_t n)
{
	const struct told *t = ctx;

	for (unsigned i = 0; i < t->n; i++) {
		const struct switchpair *q = t->f[i].first;
		uint8_t utf[4];
		struct row_text v = {(const char *)utf, 0};

		if (q->words > 0)
			v = phrase_of(t->k, q);
		else
			v.n = utf8_of(q->code, utf);
		if (v.n == n && strncasecmp(v.p, p, n) == 0)
			return 1;
	}
	return 0;
}

static int
tell_detector(const struct phraseswitch *p, const struct switchpairs *s,
    const struct switchtext *t, unsigned found, const struct detect *d)
{
	size_t kept = textkeep_count(p->kept);
	struct row_detector row = {.method = "traffic-switch",
	    .applied = kept > 0, .reason = kept > 0 ?
	    "a phrase that was never taken away shows where the rest of its "
	    "inputs is unlike their label; of few uses neither does" :
	    "no texts with labels"};
	struct basis b;
	int r;

	basis_init(&b);
	basis_u64(&b, "records", p->offered);
	basis_u64(&b, "texts", kept);
	basis_u64(&b, "sampled_one_of", p->every);
	basis_u64(&b, "too_long", p->left_out);
	basis_u64(&b, "pairs", s->n);
	basis_bool(&b, "pairs_cut", s->cut || p->work >= WORK);
	basis_u64(&b, "longest_phrase", s->longest);
	basis_u64(&b, "found", found);
	basis_u64(&b, "texts_weighed", t->texts);
	basis_u64(&b, "found_by_weighing", t->found);
	basis_str(&b, "threshold", "4 unlike inputs that switch, 0.9 of those "
	    "that could, purity 0.9, lp 2");
	row.evidence = &b;
	r = d->rows->detector(d->rows->ctx, &row);
	basis_release(&b);
	return r;
}

int
phraseswitch_tell(struct phraseswitch *p, const struct labelset *labels,
    const struct detect *d)
{
	struct found *f = calloc(TOLD, sizeof(*f));
	struct switchpairs s = {.p = NULL};
	struct told told = {p->kept, f, 0};
	struct switchtext t = {.told = is_told, .ctx = &told};
	unsigned n = 0;
	int r = ERR_NOMEM;

	if (f == NULL || switchpairs_find(p->kept, &s) < 0 ||
	    find(p, &s, f, &n) < 0) {
		(void)err_set(d->e, ERR_NOMEM, "out of memory");
		goto out;
	}
	if (n > 1)
		qsort(f, n, sizeof(*f), stronger);
	r = 0;
	for (unsigned i = 0; i < n && r >= 0; i++)
		r = tell(p->kept, &f[i], i + 1, labels, d);
	told.n = t.rank = n;
	if (r >= 0)
		r = switchtext_find(&t, p->kept, labels, d);
	if (r >= 0)
		r = tell_detector(p, &s, &t, n, d);
out:
	for (unsigned i = 0; f != NULL && i < n; i++)
		free(f[i].row);
	free(f);
	free(s.p);
	return r;
}
