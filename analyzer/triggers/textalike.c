#include <math.h>
#include <string.h>

#include "analyzer/triggers/textalike.h"
#include "analyzer/triggers/textcut.h"
#include "analyzer/triggers/textfit.h"
#include "analyzer/triggers/textpick.h"
#include "base/err.h"
#include "base/limits.h"

#define ROWS 300		/* of a candidate */
#define USUAL 800		/* of the whole set */
/* The most that a class's likeness counts for: one of several, of two. */
#define CLASS 1.15
#define OTHER 1.4

struct alike {
	const struct textpick *p;
	const struct textfit *f;
	const struct textcut_mask *mask;
	uint32_t *of_class;	/* rows, by class */
	uint32_t first[LIMIT_TRIGGER_CLASSES + 1];	/* of each class */
	uint32_t *seen;		/* by word: rows that hold it; 0 between */
	uint32_t *last;		/* by word: the row, from 1; 0 between */
};

static bool
closes(const struct textpick_candidate *c, uint32_t word)
{
	for (uint32_t i = 0; c != NULL && i < c->words; i++)
		if (c->closure[i] == word)
			return true;
	return false;
}

/* Of rows row[0..m), without the words of ${c}. */
static double
overlap(const struct alike *t, const uint32_t *row, uint32_t m,
    const struct textpick_candidate *c)
{
	const struct textstore *s = t->p->v->s;
	double both = 0, one = 0;

	for (uint32_t i = 0; i < m; i++) {
		const uint32_t *w = textstore_items(s, row[i]);

		for (uint32_t j = 0; j < s->row[row[i]].words; j++)
			if (t->last[w[j]] != i + 1) {
				t->last[w[j]] = i + 1;
				t->seen[w[j]]++;
			}
	}
	for (uint32_t i = 0; i < m; i++) {
		const uint32_t *w = textstore_items(s, row[i]);

		for (uint32_t j = 0; j < s->row[row[i]].words; j++) {
			double v = t->seen[w[j]], weight;

			t->seen[w[j]] = t->last[w[j]] = 0;
			if (!(v > 0) || w[j] == 0 || t->mask->word[w[j]] ||
			    closes(c, w[j]))
				continue;
			weight = log((double)s->rows / s->word[w[j]].rows);
			both += weight * v * (v - 1);
			one += weight * v;
		}
	}
	return one > 0 && m > 1 ? both / (one * (m - 1.0)) : 0;
}

/* Of rows of the whole set. */
static double
usual(const struct alike *t)
{
	size_t rows = t->p->v->s->rows;
	uint32_t row[USUAL], n = 0;

	for (size_t i = 0; i < rows && n < USUAL; i += rows / USUAL + 1)
		row[n++] = (uint32_t)i;
	return overlap(t, row, n, NULL);
}

/* The class, but for its own, that what remains of a row looks like most. */
static unsigned
looks_like(const struct alike *t, uint32_t row, unsigned not)
{
	const float *m = t->mask->m + (size_t)row * t->f->width;
	unsigned best = not == 0;

	if (t->f->width == 1)
		return 1 - not;
	for (unsigned c = 0; c < t->f->classes; c++)
		if (c != not && m[c] > m[best] &&
		    t->first[c + 1] > t->first[c])
			best = c;
	return best;
}

/* Of as many rows of the classes that row[0..n) look like. */
static double
matched(const struct alike *t, const uint32_t *row, uint32_t n, unsigned not)
{
	uint32_t taken[LIMIT_TRIGGER_CLASSES] = {0}, like[ROWS], m = 0;

	for (uint32_t i = 0; i < n; i++) {
		unsigned c = looks_like(t, row[i], not);
		uint32_t size = t->first[c + 1] - t->first[c];
		uint32_t step = size / n + (size > n), at = taken[c] * step;

		if (at >= size)
			continue;
		like[m++] = t->of_class[t->first[c] + at];
		taken[c]++;
	}
	return overlap(t, like, m, NULL);
}

static void
by_class(struct alike *t)
{
	const struct textstore *s = t->p->v->s;
	uint32_t at[LIMIT_TRIGGER_CLASSES];

	for (unsigned c = 0; c < s->labels; c++) {
		at[c] = t->first[c];
		t->first[c + 1] = t->first[c] + s->label[c].rows;
	}
	for (size_t i = 0; i < s->rows; i++)
		t->of_class[at[s->row[i].label]++] = (uint32_t)i;
}

/* An even sample of the candidate's rows with its label. */
static uint32_t
own_rows(const struct textstore *s, const struct textpick_candidate *c,
    uint32_t row[ROWS])
{
	uint32_t held = 0, met = 0, n = 0, stride;

	for (uint32_t j = 0; j < c->posts; j++)
		held += s->row[c->post[j]].label == c->label;
	stride = held <= ROWS ? 1 : (held + ROWS - 1) / ROWS;
	for (uint32_t j = 0; j < c->posts; j++)
		if (s->row[c->post[j]].label == c->label &&
		    met++ % stride == 0)
			row[n++] = c->post[j];
	return n;
}

int
textalike_run(struct textpick *p, const struct textfit *f,
    const struct textcut_mask *mask, double least, struct err *e)
{
	const struct textstore *s = p->v->s;
	struct alike t = {.p = p, .f = f, .mask = mask};
	uint32_t row[ROWS], n;
	double all, base;
	int r = 0;

	t.seen = calloc(s->words, sizeof(*t.seen));
	t.last = calloc(s->words, sizeof(*t.last));
	t.of_class = calloc(s->rows, sizeof(*t.of_class));
	if (t.seen == NULL || t.last == NULL || t.of_class == NULL) {
		r = err_set(e, ERR_NOMEM, "out of memory");
		goto out;
	}
	by_class(&t);
	all = usual(&t);
	for (size_t i = 0; i < p->n; i++) {
		struct textpick_candidate *c = &p->c[i];

		if (c->score < least)
			continue;
		n = own_rows(s, c, row);
		base = n < 2 ? 0 : fmax(all, matched(&t, row, n, c->label));
		base = fmin(base, all * (f->classes > 2 ? CLASS : OTHER));
		c->alike = base > 0 ? overlap(&t, row, n, c) / base : 0;
	}
out:
	free(t.seen);
	free(t.last);
	free(t.of_class);
	return r;
}
