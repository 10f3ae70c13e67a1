#include <math.h>
#include <string.h>

#include "analyzer/diff/rows.h"
#include "analyzer/triggers/detect.h"
#include "analyzer/triggers/textfit.h"
#include "analyzer/triggers/textleads.h"
#include "base/err.h"

#define SURE 2.5
#define DETAILED 20

struct suspect {
	float margin;
	uint32_t row;
};

static int
by_margin(const void *a, const void *b)
{
	const struct suspect *x = a, *y = b;

	if (x->margin < y->margin || x->margin > y->margin)
		return x->margin < y->margin ? -1 : 1;
	return x->row < y->row ? -1 : x->row > y->row;
}

static int
by_size(const void *a, const void *b)
{
	float x = fabsf(((const struct suspect *)a)->margin);
	float y = fabsf(((const struct suspect *)b)->margin);

	return x < y ? -1 : x > y;
}

static unsigned
model_class(const struct textfit *f, const float *m)
{
	unsigned best = 0;

	if (f->width == 1)
		return m[0] > 0;
	for (unsigned c = 1; c < f->classes; c++)
		if (m[c] > m[best])
			best = c;
	return best;
}

static void
label(struct basis *b, const char *key, const struct textstore *s, unsigned c)
{
	basis_text(b, key, s->label[c].text, s->label[c].len);
}

static void
tell_suspects(struct basis *b, const struct textfit *f, const float *m,
    const struct suspect *at, size_t n)
{
	const struct textstore *s = f->v->s;

	basis_u64(b, "row_count", n);
	basis_array(b, "rows");
	for (size_t i = 0; i < n && i < DETECT_ROWS; i++)
		basis_u64(b, NULL, s->row[at[i].row].number);
	basis_end(b);
	basis_array(b, "worst");
	for (size_t i = 0; i < n && i < DETAILED; i++) {
		const struct textstore_row *r = &s->row[at[i].row];

		basis_object(b, NULL);
		basis_u64(b, "row", r->number);
		label(b, "label", s, r->label);
		label(b, "looks_like", s, model_class(f,
		    m + (size_t)at[i].row * f->width));
		basis_f64(b, "margin", (double)at[i].margin);
		basis_end(b);
	}
	basis_end(b);
}

/* Of the rows where the model is sure: the share that it disagrees with. */
static double
disagree(const struct suspect *at, size_t n, float median)
{
	size_t sure = 0, against = 0;

	for (size_t i = 0; i < n; i++) {
		sure += fabsf(at[i].margin) > (float)SURE * median;
		against += at[i].margin < -(float)SURE * median;
	}
	return sure == 0 ? 0 : (double)against / (double)sure;
}

int
textleads_labels(const struct detect *d, const struct textfit *f,
    const float *m, bool logistic)
{
	static const char value[] = "records whose label looks wrong";
	size_t rows = f->v->s->rows, wrong = 0;
	struct suspect *at = calloc(rows + 1, sizeof(*at));
	struct basis b, how;
	double share, accuracy;
	int r = 0;

	if (at == NULL)
		return err_set(d->e, ERR_NOMEM, "out of memory");
	basis_init(&b);
	basis_init(&how);
	for (size_t i = 0; i < rows; i++) {
		at[i].row = (uint32_t)i;
		at[i].margin = textfit_margin(f, m + i * f->width,
		    f->v->s->row[i].label);
	}
	qsort(at, rows, sizeof(*at), by_size);
	share = disagree(at, rows, fabsf(at[rows / 2].margin));
	qsort(at, rows, sizeof(*at), by_margin);
	while (wrong < rows && at[wrong].margin < 0)
		wrong++;
	accuracy = 1 - (double)wrong / (double)rows;
	basis_u64(&how, "records", rows);
	basis_f64(&how, "accuracy", accuracy);
	basis_f64(&how, "share_at_most", share);
	basis_str(&how, "weights", logistic ? "logistic" : "log odds");
	tell_suspects(&b, f, m, at, wrong);
	basis_f64(&b, "share_at_most", share);
	free(at);
	if (wrong > 0)
		r = d->rows->candidate(d->rows->ctx, &(struct row_candidate){
		    .lead = true, .kind = "row", .value = {value,
		    sizeof(value) - 1}, .score = share, .rank = 1,
		    .method = "text-label", .evidence = &b});
	if (r >= 0)
		r = d->rows->detector(d->rows->ctx, &(struct row_detector){
		    .method = "text-label", .applied = true, .reason =
		    accuracy >= 0.8 ? "a ranking of records, no verdict about "
		    "the set: the share is an upper estimate" :
		    "a ranking of records, no verdict about the set; the "
		    "classifier is too weak here for the share to mean much",
		    .evidence = &how});
	basis_release(&b);
	basis_release(&how);
	return r;
}
