#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "analyzer/apilog/apilog_work.h"
#include "analyzer/rules.h"

/*
 * What became of a file: an input row, and a finding for each kind of problem
 * with its count and the place of the first.  What makes a log incomplete is
 * LOGS-UNREAD; what only must be known to read the result is LOGS-NOTE.
 */
static bool
unread(enum logs_problem p)
{
	static const enum logs_problem bad[] = {LOGS_PROBLEM_MALFORMED,
	    LOGS_PROBLEM_CUT, LOGS_PROBLEM_TOO_LONG, LOGS_PROBLEM_COMPRESSED,
	    LOGS_PROBLEM_CODEC, LOGS_PROBLEM_PAYLOAD,
	    LOGS_PROBLEM_PAYLOAD_ELSEWHERE};

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		if (bad[i] == p)
			return true;
	return false;
}

static struct row_text
here(struct apilog_work *w)
{
	return (struct row_text){buf_str(&w->path), w->path.len};
}

int
apilog_tell_finding(struct apilog_work *w, enum finding_id id,
    const char *key, const char *text)
{
	struct finding f = {.id = id,
	    .severity = finding_info(id)->severity,
	    .confidence = CONFIDENCE_CERTAIN};

	if (key != NULL)
		rule_detail_text(&f, key, text, strlen(text));
	return w->rows->finding(w->rows->ctx, ROW_NEW, here(w), &f);
}

int
apilog_tell_problem(void *ctx, const struct logs_told *t)
{
	struct apilog_work *w = ctx;

	if (w->told[t->id])
		return 0;
	w->told[t->id] = true;
	w->first[t->id] = (struct apilog_place){t->line, t->off, t->len,
	    t->what};
	return 0;
}

static int
one_problem(struct apilog_work *w, enum logs_problem p, uint64_t n,
    bool bad)
{
	const char *id = logs_problem_id(p), *meaning = logs_problem_meaning(p);
	const struct apilog_place *at = &w->first[p];
	struct finding f = {.id = bad ? FINDING_LOGS_UNREAD :
	    FINDING_LOGS_NOTE, .confidence = CONFIDENCE_CERTAIN,
	    .off = at->off, .len = at->len};

	f.severity = finding_info(f.id)->severity;
	rule_detail_text(&f, "problem", id, strlen(id));
	rule_detail_text(&f, "reason", meaning, strlen(meaning));
	rule_detail_num(&f, "times", n);
	if (at->line > 0)
		rule_detail_num(&f, "first_line", at->line);
	if (at->what != NULL)
		rule_detail_text(&f, "what", at->what, strlen(at->what));
	return w->rows->finding(w->rows->ctx, ROW_NEW, here(w), &f);
}

/* A file that has lines and no request is none of this log's. */
static bool
is_foreign(const struct logs_account *a)
{
	return a->records == 0 && (a->problem[LOGS_PROBLEM_UNKNOWN] > 0 ||
	    a->problem[LOGS_PROBLEM_NO_REQUEST] > 0);
}

static int
problems(struct apilog_work *w, const struct logs_account *a, bool *whole)
{
	int r = 0;

	*whole = true;
	for (unsigned i = 0; i < LOGS_PROBLEMS && r >= 0; i++) {
		const enum logs_problem p = (enum logs_problem)i;
		const bool bad = unread(p) || (is_foreign(a) &&
		    (p == LOGS_PROBLEM_UNKNOWN ||
		    p == LOGS_PROBLEM_NO_REQUEST));

		/* Secrets are not looked for. */
		if (a->problem[i] == 0 || p == LOGS_PROBLEM_SECRETS_FULL)
			continue;
		*whole = *whole && !bad;
		r = one_problem(w, p, a->problem[i], bad);
	}
	return r;
}

int
apilog_tell_account(void *ctx, const struct logs_account *a)
{
	struct apilog_work *w = ctx;
	struct row_input in = {.side = ROW_NEW, .size = w->size,
	    .has_records = true, .records = a->records, .is_log = true,
	    .undated = a->undated, .outside = a->outside};
	char format[64];
	int r;

	if (w->file == NULL) {
		/* What waited for its other half until the end. */
		w->waited_outside += a->outside;
		return 0;
	}
	(void)snprintf(format, sizeof(format), "%s%s%s",
	    a->decompressed != NULL ? a->decompressed : "",
	    a->decompressed != NULL ? " " : "", a->framing);
	in.format = format;
	if ((r = problems(w, a, &in.complete)) < 0)
		return r;
	in.path = here(w);
	return w->rows->input(w->rows->ctx, &in);
}

static int
skip(struct apilog_work *w, const char *what, uint64_t n, const char *why)
{
	char text[128];

	if (n == 0)
		return 0;
	(void)snprintf(text, sizeof(text), "%s: %" PRIu64, what, n);
	return diff_wire_skip(&w->wire, text, why);
}

int
apilog_tell_rest(struct apilog_work *w)
{
	const struct apilog_record *x = &w->record;
	const struct {
		const char *what;
		uint64_t n;
		const char *why;
	} all[] = {
		{"events", x->events, "lines of a server that are no request"},
		{"answers", x->answers,
		    "their request is not in the log: nobody asked for them"},
		{"inputs that are masked", x->masked,
		    "only their digest is known"},
		{"inputs that are cut", x->cut,
		    "longer than what is held of one"},
		{"images that cannot be decoded", x->undecoded,
		    "their callers are judged by the rest"},
		{"images that were made smaller", x->smaller,
		    "they are over 4 MiB: differences of a few pixels do not "
		    "show"},
		{"requests outside of the window", w->waited_outside,
		    "their answer was never logged"},
	};
	int r = 0;

	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]) && r >= 0; i++)
		r = skip(w, all[i].what, all[i].n, all[i].why);
	buf_clear(&w->path);
	if (r >= 0 && w->full > 0)
		r = apilog_tell_finding(w, FINDING_LOGS_UNREAD, "reason",
		    "more records than can wait for their turn; the last "
		    "were not judged");
	if (r >= 0 && w->fed == 0)
		r = apilog_tell_finding(w, FINDING_LOGS_NO_RECORDS, NULL,
		    NULL);
	return r;
}
