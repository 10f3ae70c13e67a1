#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "analyzer/diff/basis.h"
#include "analyzer/traffic/answer.h"
#include "analyzer/traffic/discrepancy.h"
#include "analyzer/traffic/figures.h"
#include "analyzer/traffic/labelset.h"
#include "analyzer/traffic/thumb.h"
#include "analyzer/traffic/trafdrift.h"
#include "analyzer/traffic/wordrun.h"
#include "base/err.h"

#define LEAST 100		/* values of a window */
#define KS_LEAST 0.2
#define KS_P 1e-6
#define PSI_LEAST 0.25
#define MMD_LEAST 0.02
#define MMD_P 0.005
#define DECILES 10

enum number {
	INPUT_BYTES, INPUT_WORDS, INPUT_VARIATION, OUTPUT_BYTES, CONFIDENCE,
	NUMBERS
};
static const char *const number_name[NUMBERS] = {"input_bytes",
    "input_words", "input_variation", "output_bytes", "confidence"};

enum points { TEXTS, IMAGES, VECTORS, POINTS };
static const char *const points_name[POINTS] = {"texts", "images",
    "vectors"};

struct bucket {
	uint64_t records, errors, scored, inputs;
	double confidence, bytes;
};

struct trafdrift {
	struct trafdrift_span span;
	uint64_t at;		/* records so far */
	uint64_t in[2];
	struct bucket bucket[TRAFDRIFT_BUCKETS];
	struct figures_sample number[NUMBERS][2];
	struct discrepancy *points[POINTS];
};

struct trafdrift *
trafdrift_new(const struct trafdrift_span *s)
{
	struct trafdrift *d = calloc(1, sizeof(*d));

	if (d == NULL)
		return NULL;
	d->span = *s;
	for (unsigned i = 0; i < POINTS; i++)
		if ((d->points[i] = discrepancy_new()) == NULL) {
			trafdrift_free(d);
			return NULL;
		}
	return d;
}

void
trafdrift_free(struct trafdrift *d)
{
	if (d == NULL)
		return;
	for (unsigned i = 0; i < POINTS; i++)
		discrepancy_free(d->points[i]);
	free(d);
}

void
trafdrift_place(struct trafdrift *d, const struct traffic_record *r,
    struct trafdrift_place *ret)
{
	const struct trafdrift_span *s = &d->span;
	double part = s->records > 0 ? (double)d->at / (double)s->records : 0;

	ret->window = part >= 0.5;
	if (s->by_time && r->has_time && s->last_ns > s->first_ns)
		part = ((double)r->ns - (double)s->first_ns) /
		    ((double)s->last_ns - (double)s->first_ns);
	if (s->has_split)
		ret->window = r->has_time && r->ns >= s->split_ns;
	part = part < 0 ? 0 : part * TRAFDRIFT_BUCKETS;
	ret->bucket = part >= TRAFDRIFT_BUCKETS ? TRAFDRIFT_BUCKETS - 1 :
	    (unsigned)part;
	ret->label = UINT32_MAX;
	d->at++;
	d->in[ret->window]++;
	d->bucket[ret->bucket].records++;
	d->bucket[ret->bucket].errors += r->has_status && r->status >= 400;
}

void
trafdrift_answer(struct trafdrift *d, const struct trafdrift_place *at,
    const struct traffic_record *r, const struct answer *a)
{
	struct bucket *b = &d->bucket[at->bucket];
	uint64_t bytes = r->output.p != NULL ? r->output.n : r->out_bytes;

	if (a->has_scores) {
		b->scored++;
		b->confidence += a->best;
		figures_sample_add(&d->number[CONFIDENCE][at->window],
		    a->best);
	}
	if (bytes > 0)
		figures_sample_add(&d->number[OUTPUT_BYTES][at->window],
		    (double)bytes);
}

void
trafdrift_input(struct trafdrift *d, const struct trafdrift_place *at,
    const struct traffic_record *r, enum traffic_kind kind,
    const struct wordrun *words, const struct thumb *thumb)
{
	struct bucket *b = &d->bucket[at->bucket];
	uint64_t bytes = kind == TRAFFIC_TEXT ? r->text.n : r->in_bytes;

	if (bytes > 0) {
		b->inputs++;
		b->bytes += (double)bytes;
		figures_sample_add(&d->number[INPUT_BYTES][at->window],
		    (double)bytes);
	}
	if (words != NULL) {
		figures_sample_add(&d->number[INPUT_WORDS][at->window],
		    (double)words->words);
		discrepancy_words(d->points[TEXTS], at->window, words);
	}
	if (thumb == NULL)
		return;
	if (kind == TRAFFIC_IMAGE)
		figures_sample_add(&d->number[INPUT_VARIATION][at->window],
		    thumb->variation);
	discrepancy_thumb(d->points[kind == TRAFFIC_IMAGE ? IMAGES : VECTORS],
	    at->window, thumb);
}

uint64_t
trafdrift_bucket(const struct trafdrift *d, unsigned bucket)
{
	return d->bucket[bucket].records;
}

static double
psi(const double *p, const double *q, size_t n)
{
	double np = 0, nq = 0, sum = 0;

	for (size_t i = 0; i < n; i++) {
		np += p[i] + 0.5;
		nq += q[i] + 0.5;
	}
	for (size_t i = 0; i < n; i++) {
		double a = (p[i] + 0.5) / np, b = (q[i] + 0.5) / nq;

		sum += (a - b) * log(a / b);
	}
	return sum;
}

/* Labels with less than a hundredth of the answers are one. */
static double
psi_labels(const struct labelset *l, uint64_t answers[2])
{
	double p[102] = {0}, q[102] = {0};
	uint64_t all = 0;
	size_t n = 1;

	answers[0] = answers[1] = 0;
	for (uint32_t i = 0; i < labelset_labels(l); i++) {
		answers[0] += labelset_answers(l, i, 0);
		answers[1] += labelset_answers(l, i, 1);
	}
	all = answers[0] + answers[1];
	for (uint32_t i = 0; i < labelset_labels(l); i++) {
		bool small = labelset_in_all(l, i) * 100 < all || i == 0;
		size_t at = small ? 0 : n;

		n += !small;
		p[at] += (double)labelset_answers(l, i, 0);
		q[at] += (double)labelset_answers(l, i, 1);
	}
	return psi(p, q, n);
}

/* By the tenths of the first window. */
static double
psi_numbers(const float *a, size_t na, const float *b, size_t nb)
{
	double p[DECILES] = {0}, q[DECILES] = {0}, edge[DECILES - 1];

	for (unsigned i = 0; i < DECILES - 1; i++)
		edge[i] = figures_quantile(a, na, (i + 1.0) / DECILES);
	for (unsigned side = 0; side < 2; side++)
		for (size_t i = 0; i < (side == 0 ? na : nb); i++) {
			double v = (double)(side == 0 ? a[i] : b[i]);
			unsigned k = 0;

			while (k < DECILES - 1 && v > edge[k])
				k++;
			(side == 0 ? p : q)[k]++;
		}
	return psi(p, q, DECILES);
}

static void
tell_line(const struct trafdrift *d, struct basis *b)
{
	basis_object(b, "time_line");
	basis_str(b, "by", d->span.by_time ? "time" : "records");
	basis_f64(b, "first_seconds", (double)d->span.first_ns / 1e9);
	basis_f64(b, "last_seconds", (double)d->span.last_ns / 1e9);
	basis_array(b, "records");
	for (unsigned i = 0; i < TRAFDRIFT_BUCKETS; i++)
		basis_u64(b, NULL, d->bucket[i].records);
	basis_end(b);
	basis_array(b, "errors");
	for (unsigned i = 0; i < TRAFDRIFT_BUCKETS; i++)
		basis_u64(b, NULL, d->bucket[i].errors);
	basis_end(b);
	basis_array(b, "confidence");
	for (unsigned i = 0; i < TRAFDRIFT_BUCKETS; i++)
		basis_f64(b, NULL, d->bucket[i].confidence /
		    (double)d->bucket[i].scored);
	basis_end(b);
	basis_array(b, "input_bytes");
	for (unsigned i = 0; i < TRAFDRIFT_BUCKETS; i++)
		basis_f64(b, NULL, d->bucket[i].bytes /
		    (double)d->bucket[i].inputs);
	basis_end(b);
	basis_end(b);
}

/* One comparison of the two windows. */
struct drift {
	const char *of, *measure;
	double value, p;
	bool has_p, above;
	double before, after;	/* medians, or values seen */
	bool medians;
};

#define DRIFTS (2 * NUMBERS + POINTS + 1)

struct drifts {
	struct drift d[DRIFTS];
	unsigned n;
};

static void
compare_numbers(struct trafdrift *d, struct drifts *all)
{
	for (unsigned i = 0; i < NUMBERS; i++) {
		struct figures_sample *a = &d->number[i][0];
		struct figures_sample *b = &d->number[i][1];
		size_t na = figures_sample_count(a);
		size_t nb = figures_sample_count(b);
		struct drift *k = &all->d[all->n], *l = k + 1;

		if (na < LEAST || nb < LEAST)
			continue;
		*k = (struct drift){.of = number_name[i], .measure = "ks",
		    .has_p = true, .medians = true,
		    .before = figures_median(a->v, na),
		    .after = figures_median(b->v, nb)};
		k->value = figures_ks(a->v, na, b->v, nb, NULL, 0);
		k->p = figures_ks_p(k->value, (double)na, (double)nb);
		k->above = k->value > KS_LEAST && k->p < KS_P;
		*l = *k;
		l->measure = "psi";
		l->has_p = false;
		l->value = psi_numbers(a->v, na, b->v, nb);
		l->above = l->value > PSI_LEAST;
		all->n += 2;
	}
}

static int
compare_points(struct trafdrift *d, struct drifts *all)
{
	for (unsigned i = 0; i < POINTS; i++) {
		struct drift *k = &all->d[all->n];
		int r;

		if (discrepancy_count(d->points[i], 0) < LEAST ||
		    discrepancy_count(d->points[i], 1) < LEAST)
			continue;
		*k = (struct drift){.of = points_name[i], .measure = "mmd",
		    .has_p = true};
		if ((r = discrepancy_test(d->points[i], &k->value, &k->p)) < 0)
			return r;
		k->above = k->value > MMD_LEAST && k->p <= MMD_P;
		all->n++;
	}
	return 0;
}

static void
compare_labels(const struct labelset *labels, struct drifts *all)
{
	struct drift *k = &all->d[all->n];
	uint64_t answers[2];
	double v = psi_labels(labels, answers);

	if (answers[0] < LEAST || answers[1] < LEAST)
		return;
	*k = (struct drift){.of = "labels", .measure = "psi", .value = v,
	    .above = v > PSI_LEAST};
	all->n++;
}

static int
tell_lead(const struct trafdrift *d, const struct drift *k, uint32_t rank,
    const struct detect *to)
{
	struct row_candidate row = {.lead = true, .kind = "drift",
	    .value = {k->of, strlen(k->of)}, .score = k->value, .rank = rank,
	    .method = "traffic-drift", .has_q = k->has_p, .q = k->p};
	struct basis b;
	int r;

	basis_init(&b);
	basis_str(&b, "measure", k->measure);
	basis_u64(&b, "before", d->in[0]);
	basis_u64(&b, "after", d->in[1]);
	if (k->medians) {
		basis_f64(&b, "median_before", k->before);
		basis_f64(&b, "median_after", k->after);
	}
	basis_str(&b, "threshold", strcmp(k->measure, "ks") == 0 ?
	    "ks > 0.2 and p < 1e-6" : strcmp(k->measure, "psi") == 0 ?
	    "psi > 0.25" : "mmd > 0.02 and p <= 0.005");
	row.evidence = &b;
	r = to->rows->candidate(to->rows->ctx, &row);
	basis_release(&b);
	return r;
}

static int
tell_detector(const struct trafdrift *d, const struct drifts *all,
    const struct detect *to)
{
	struct row_detector row = {.method = "traffic-drift",
	    .applied = all->n > 0, .reason = all->n > 0 ?
	    "records of one caller depend on each other: significance is "
	    "that of independent ones" :
	    "fewer than 100 values in a window"};
	struct basis b;
	int r;

	basis_init(&b);
	basis_u64(&b, "records", d->at);
	basis_str(&b, "windows", d->span.has_split ?
	    "before and after the given time" : "halves of the records");
	basis_u64(&b, "before", d->in[0]);
	basis_u64(&b, "after", d->in[1]);
	basis_array(&b, "compared");
	for (unsigned i = 0; i < all->n; i++) {
		basis_object(&b, NULL);
		basis_str(&b, "of", all->d[i].of);
		basis_str(&b, "measure", all->d[i].measure);
		basis_f64(&b, "value", all->d[i].value);
		if (all->d[i].has_p)
			basis_f64(&b, "p", all->d[i].p);
		basis_end(&b);
	}
	basis_end(&b);
	basis_str(&b, "threshold", "ks > 0.2 and p < 1e-6, psi > 0.25, "
	    "mmd > 0.02 and p <= 0.005");
	tell_line(d, &b);
	row.evidence = &b;
	r = to->rows->detector(to->rows->ctx, &row);
	basis_release(&b);
	return r;
}

int
trafdrift_tell(struct trafdrift *d, const struct labelset *labels,
    const struct detect *to)
{
	struct drifts all = {.n = 0};
	uint32_t rank = 0;
	int r;

	compare_labels(labels, &all);
	compare_numbers(d, &all);
	if ((r = compare_points(d, &all)) < 0)
		return err_set(to->e, ERR_NOMEM, "out of memory");
	for (unsigned i = 0; i < all.n; i++)
		if (all.d[i].above &&
		    (r = tell_lead(d, &all.d[i], ++rank, to)) < 0)
			return r;
	return tell_detector(d, &all, to);
}
