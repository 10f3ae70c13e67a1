#include <string.h>

#include "analyzer/diff/pool.h"
#include "analyzer/triggers/promptfind.h"
#include "analyzer/triggers/promptflag.h"
#include "analyzer/triggers/promptgram.h"
#include "analyzer/triggers/promptlist.h"
#include "analyzer/triggers/promptmatch.h"
#include "analyzer/triggers/promptset.h"
#include "analyzer/triggers/prompttell.h"
#include "analyzer/triggers/prompttext.h"
#include "analyzer/triggers/promptweigh.h"
#include "base/err.h"

#define STEPS 5		/* of the work after the last record */

struct promptset {
	const struct detect *d;
	struct prompttext text;
	struct promptlists lists[2];	/* of prompts, of responses */
	int result[2];
	struct err err[2];
};

struct promptset *
promptset_new(const struct detect *d)
{
	struct promptset *t = calloc(1, sizeof(*t));

	if (t == NULL) {
		(void)err_set(d->e, ERR_NOMEM, "prompts: out of memory");
		return NULL;
	}
	t->d = d;
	prompttext_init(&t->text);
	promptlists_init(&t->lists[0]);
	promptlists_init(&t->lists[1]);
	return t;
}

void
promptset_free(struct promptset *t)
{
	if (t == NULL)
		return;
	prompttext_release(&t->text);
	promptlists_release(&t->lists[0]);
	promptlists_release(&t->lists[1]);
	free(t);
}

int
promptset_add(struct promptset *t, uint64_t row, const void *prompt, size_t n,
    const void *response, size_t m)
{
	return prompttext_add(&t->text, row, prompt, n, response, m,
	    t->d->e);
}

static void
gram_task(void *ctx, size_t side, unsigned thread)
{
	struct promptset *t = ctx;

	(void)thread;
	t->result[side] = side == 0 ?
	    promptgram_prompts(&t->text, &t->lists[0], &t->err[0]) :
	    promptgram_responses(&t->text, &t->lists[1], &t->err[1]);
}

static int
grams(struct promptset *t)
{
	pool_run(t->d->pool, gram_task, t, 2);
	for (unsigned i = 0; i < 2; i++)
		if (t->result[i] < 0)
			return err_set(t->d->e, t->err[i].code, "%s",
			    t->err[i].msg);
	return 0;
}

static int
step(const struct promptset *t, uint64_t done)
{
	return t->d->progress == NULL ? 0 :
	    t->d->progress(t->d->ctx, done, STEPS);
}

static void
measure(const struct promptset *t, struct prompttell *tell)
{
	tell->d = t->d;
	tell->seen = t->text.seen;
	tell->taken = t->text.n;
	tell->cut = t->text.cut;
	tell->odd_cut = t->text.odd_cut;
	tell->words_lost = t->text.dict.lost;
	tell->prompts = t->lists[0].n;
	tell->responses = t->lists[1].n;
	tell->features_left_out = t->lists[0].left_out +
	    t->lists[1].left_out;
}

/* Pairs, their evidence, what passed; then all of it is told. */
static int
look(struct promptset *t, struct prompttell *tell)
{
	struct promptweigh weigh = {.threads = 0};
	struct promptflag flag = {.pairs = NULL};
	struct promptmatch_work match = {.prompts = &t->lists[0],
	    .responses = &t->lists[1], .rows = t->text.n,
	    .pool = t->d->pool, .e = t->d->e};
	struct promptfind_work find = {.weigh = &weigh, .flag = &flag,
	    .pool = t->d->pool, .e = t->d->e};
	int r = ERR_NOMEM;

	match.best = malloc((t->lists[0].n + 1) * sizeof(*match.best));
	if (match.best == NULL) {
		(void)err_set(t->d->e, r, "pairs: out of memory");
		goto out;
	}
	if ((r = promptmatch_run(&match)) < 0 || (r = step(t, 2)) < 0 ||
	    (r = promptweigh_init(&weigh, &t->text, &t->lists[0],
	    &t->lists[1], t->d->pool, t->d->e)) < 0 ||
	    (r = promptflag_init(&flag, &weigh, t->d->pool, t->d->e)) < 0 ||
	    (r = step(t, 3)) < 0)
		goto out;
	find.match = match.best;
	if ((r = promptfind_run(&find)) < 0 || (r = step(t, 4)) < 0)
		goto out;
	tell->find = &find;
	tell->partners_left_out = match.skipped;
	tell->bands_left_out = match.crowded;
	r = prompttell_run(tell);
out:
	promptfind_release(&find);
	promptflag_release(&flag);
	promptweigh_release(&weigh);
	free(match.best);
	return r;
}

int
promptset_end(struct promptset *t)
{
	struct prompttell tell;
	int r;

	memset(&tell, 0, sizeof(tell));
	if (t->text.n < PROMPTTELL_LEAST) {
		measure(t, &tell);
		return prompttell_run(&tell);
	}
	if ((r = step(t, 0)) < 0 || (r = grams(t)) < 0 ||
	    (r = step(t, 1)) < 0)
		return r;
	measure(t, &tell);
	if ((r = look(t, &tell)) < 0)
		return r;
	return step(t, STEPS);
}
