#include <stdio.h>
#include <string.h>

#include "analyzer/diff/tally.h"
#include "analyzer/rules.h"
#include "analyzer/sink.h"
#include "base/arena.h"
#include "base/err.h"
#include "base/limits.h"

int
tally_finding(struct tally *t, const char *path, const struct finding *f)
{
	const struct result_finding r = {f, path};

	t->base->findings++;
	t->base->severities[f->severity]++;
	t->base->incomplete +=
	    finding_info(f->id)->verdict == VERDICT_INCOMPLETE;
	if (t->told[f->id]++ >= LIMIT_FINDINGS_PER_RULE) {
		t->cut++;
		return 0;
	}
	return sink_finding(t->sink, &r, t->e);
}

int
tally_say(struct tally *t, const char *path, enum finding_id id,
    const char *key, const char *text)
{
	struct finding f = {.id = id,
	    .severity = finding_info(id)->severity,
	    .confidence = CONFIDENCE_CERTAIN};

	rule_detail_text(&f, key, text, strlen(text));
	return tally_finding(t, path, &f);
}

int
tally_skip(struct tally *t, const char *what, const char *why)
{
	struct result_skip skip;

	if (t->base->nskips == RESULT_SKIPS)
		return 0;
	skip.what = arena_dup(t->arena, what, strlen(what));
	skip.why = arena_dup(t->arena, why, strlen(why));
	if (skip.what == NULL || skip.why == NULL)
		return err_set(t->e, ERR_NOMEM, "out of memory");
	t->base->skips[t->base->nskips++] = skip;
	return 0;
}

int
tally_detector(struct tally *t, const struct row_detector *r)
{
	struct diff_sums *sums = t->sums;
	struct diff_detector *d = &sums->detector[sums->ndetector];

	sums->detectors++;
	sums->applied += r->applied;
	if (sums->ndetector == DIFF_DETECTORS)
		return 0;
	d->applied = r->applied;
	d->method = arena_dup(t->arena, r->method, strlen(r->method));
	d->reason = r->reason != NULL ? arena_dup(t->arena, r->reason,
	    strlen(r->reason)) : NULL;
	if (d->method == NULL || (r->reason != NULL && d->reason == NULL))
		return err_set(t->e, ERR_NOMEM, "out of memory");
	sums->ndetector++;
	return 0;
}

int
tally_end(struct tally *t, const char *path)
{
	char text[32];

	if (t->cut == 0)
		return 0;
	(void)snprintf(text, sizeof(text), "%llu",
	    (unsigned long long)t->cut);
	return tally_say(t, path, FINDING_FINDINGS_CUT, "left_out", text);
}
