#include <math.h>
#include <string.h>

#include "analyzer/triggers/textalike.h"
#include "analyzer/triggers/textpick.h"
#include "base/err.h"
#include "base/limits.h"

#define ROWS 300		/* of a candidate */
#define USUAL 800		/* of the whole set */

struct alike {
	const struct textpick *p;
	const uint8_t *masked;	/* by word */
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
			if (!(v > 0) || w[j] == 0 || t->masked[w[j]] ||
			    closes(c, w[j]))
				continue;
			weight = log((double)s->rows / s->word[w[j]].rows);
			both += weight * v * (v - 1);
			one += weight * v;
		}
	}
	return one > 0 && m > 1 ? both / (one * (m - 1.0)) : 0;
}

/* Of rows of the whole set, or of those without the label ${not}. */
static double
usual(const struct alike *t, unsigned not)
{
	const struct textstore *s = t->p->v->s;
	size_t fit = s->rows, step, k = 0;
	uint32_t row[USUAL], n = 0;

	if (not < s->labels)
		fit -= s->label[not].rows;
	step = fit / USUAL + 1;
	for (size_t i = 0; i < s->rows && n < USUAL; i++)
		if (s->row[i].label != not && k++ % step == 0)
			row[n++] = (uint32_t)i;
	return overlap(t, row, n, NULL);
}

int
textalike_run(struct textpick *p, double least, const uint8_t *masked,
    struct err *e)
{
	const struct textstore *s = p->v->s;
	struct alike t = {p, masked, calloc(s->words, sizeof(*t.seen)),
	    calloc(s->words, sizeof(*t.last))};
	uint32_t row[ROWS], n = 0;
	double all, others[LIMIT_TRIGGER_CLASSES] = {0}, base;
	int r = 0;

	if (t.seen == NULL || t.last == NULL) {
		r = err_set(e, ERR_NOMEM, "out of memory");
		goto out;
	}
	all = usual(&t, UINT32_MAX);
	for (size_t i = 0; i < p->n; i++) {
		struct textpick_candidate *c = &p->c[i];

		if (c->score < least)
			continue;
		n = 0;
		for (uint32_t j = 0; j < c->posts && n < ROWS; j++)
			if (s->row[c->post[j]].label == c->label)
				row[n++] = c->post[j];
		if (!(others[c->label] > 0))
			others[c->label] = usual(&t, c->label);
		base = fmax(all, others[c->label]);
		c->alike = base > 0 ? overlap(&t, row, n, c) / base : 0;
	}
out:
	free(t.seen);
	free(t.last);
	return r;
}
