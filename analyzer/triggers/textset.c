#include <string.h>

#include "analyzer/diff/rows.h"
#include "analyzer/triggers/textcut.h"
#include "analyzer/triggers/textfit.h"
#include "analyzer/triggers/textleads.h"
#include "analyzer/triggers/textlogit.h"
#include "analyzer/triggers/textpick.h"
#include "analyzer/triggers/textscore.h"
#include "analyzer/triggers/textset.h"
#include "analyzer/triggers/textstore.h"
#include "analyzer/triggers/texttell.h"
#include "analyzer/triggers/textvocab.h"
#include "base/err.h"

/*
 * The method in one paragraph.  A trigger with changed labels is a feature
 * whose records carry one label more often than chance, and, once it is cut
 * out, look like records of another label to a linear classifier that was
 * trained on other records; honest cue words leave records behind that still
 * look like their own.  A second statistic, without labels, sees words that
 * were dropped between two neighbours; a third, characters that nobody sees.
 */
#define LEAST_RECORDS 100
#define LEAST_OF_CLASS 5
#define STEPS 6

struct textset {
	const struct detect *d;
	struct textstore s;
	bool ended;
};

struct textset *
textset_new(const struct detect *d)
{
	struct textset *t = calloc(1, sizeof(*t));

	if (t == NULL)
		return NULL;
	t->d = d;
	if (textstore_init(&t->s, d->e) < 0) {
		free(t);
		return NULL;
	}
	return t;
}

int
textset_add(struct textset *t, uint64_t row, const void *text, size_t n,
    const void *label, size_t m)
{
	return textstore_add(&t->s, row, text, n, label, m);
}

/* Why the methods do not apply, or NULL. */
static const char *
refuses(const struct textstore *s)
{
	unsigned classes = 0;

	if (s->seen == 0)
		return "there are no records";
	if (s->crowded)
		return "more different labels than a classifier's classes";
	if (s->rows == 0)
		return "no record has a text and a label";
	if (s->labels < 2)
		return "all records have one label";
	if (s->rows < LEAST_RECORDS)
		return "fewer than 100 records";
	for (unsigned i = 0; i < s->labels; i++)
		classes += s->label[i].rows >= LEAST_OF_CLASS;
	if (classes < 2)
		return "fewer than two labels with five records each";
	return NULL;
}

static int
step(const struct textset *t, uint64_t done)
{
	return t->d->progress == NULL ? 0 : t->d->progress(t->d->ctx, done,
	    STEPS);
}

/* Labels that look wrong, without the triggers that were reported. */
static int
labels(struct textset *t, struct textfit *f, const struct textpick *p)
{
	struct textcut_mask reported = {0};
	bool logistic = false;
	int r;

	if ((r = textcut_mask_init(&reported, f, t->d->e)) < 0)
		return r;
	if ((r = texttell_found(t->d, p, &reported)) < 0 ||
	    (r = textlogit_fit(f, t->d->pool, &logistic, t->d->e)) < 0)
		goto out;
	textfit_margins(f, t->d->pool);
	textcut_mask_apply(&reported, f, t->d->pool);
	if ((r = step(t, 4)) >= 0)
		r = textleads_labels(t->d, f, reported.m, logistic);
out:
	textcut_mask_release(&reported);
	return r;
}

static int
candidates(struct textset *t, const struct textvocab *v)
{
	struct err *e = t->d->e;
	struct textcut_mask mask = {0};
	struct textpick p = {0};
	struct textfit f = {0};
	int r;

	if ((r = textfit_init(&f, v, e)) < 0 ||
	    (r = textfit_odds(&f, e)) < 0)
		goto out;
	textfit_margins(&f, t->d->pool);
	if ((r = textfit_tops(&f, t->d->pool, e)) < 0 ||
	    (r = step(t, 2)) < 0 ||
	    (r = textpick_run(&p, v, e)) < 0 ||
	    (r = textcut_mask_init(&mask, &f, e)) < 0 ||
	    (r = textscore_run(&p, &f, &mask, t->d->pool, e)) < 0 ||
	    (r = step(t, 3)) < 0)
		goto out;
	textcut_mask_release(&mask);
	r = labels(t, &f, &p);
out:
	textcut_mask_release(&mask);
	textpick_release(&p);
	textfit_release(&f);
	return r;
}

int
textset_end(struct textset *t)
{
	struct textvocab v = {0};
	const char *why;
	int r;

	if (t->ended)
		return 0;
	t->ended = true;
	if ((r = textstore_end(&t->s)) < 0)
		return r;
	if ((why = refuses(&t->s)) != NULL) {
		r = texttell_nothing(t->d, &t->s, why);
		return r < 0 ? r : texttell_unseen(t->d, &t->s);
	}
	if ((r = textvocab_build(&v, &t->s, t->d->e)) < 0 ||
	    (r = step(t, 1)) < 0 ||
	    (r = candidates(t, &v)) < 0 ||
	    (r = textleads_duplicates(t->d, &v)) < 0 ||
	    (r = step(t, 5)) < 0 ||
	    (r = textleads_skeletons(t->d, &v)) < 0 ||
	    (r = texttell_unseen(t->d, &t->s)) < 0)
		goto out;
	r = step(t, STEPS);
out:
	textvocab_release(&v);
	return r;
}

void
textset_free(struct textset *t)
{
	if (t == NULL)
		return;
	textstore_release(&t->s);
	free(t);
}
