#include <string.h>

#include "analyzer/apilog/apilog_alarm.h"
#include "analyzer/rules.h"
#include "base/clock.h"

static const struct {
	enum finding_id id;
	enum severity severity;
} verdicts[] = {
#define VERDICT(id, name, finding, severity, meaning) \
	{FINDING_##finding, SEVERITY_##severity},
#include "analyzer/traffic/verdicts.def"
#undef VERDICT
};

static int
tell(const struct rowtap *a, const struct finding *f)
{
	return a->to.finding(a->to.ctx, ROW_NEW, (struct row_text){"", 0}, f);
}

/* The verdicts of a caller that belong to one rule, as one finding. */
static int
tell_caller(const struct rowtap *a, const struct row_caller *r,
    enum finding_id id)
{
	struct finding f = {.id = id, .severity = SEVERITY_INFO,
	    .confidence = CONFIDENCE_STRONG};
	char first[CLOCK_TEXT], last[CLOCK_TEXT];
	unsigned n = 0;

	if (r->caller.p != NULL)
		rule_detail_text(&f, "caller", r->caller.p, r->caller.n);
	if (r->endpoint.p != NULL)
		rule_detail_text(&f, "endpoint", r->endpoint.p, r->endpoint.n);
	rule_detail_num(&f, "requests", r->requests);
	if (r->has_times) {
		(void)clock_rfc3339(first, r->first_ns, 3);
		(void)clock_rfc3339(last, r->last_ns, 3);
		rule_detail_text(&f, "first", first, strlen(first));
		rule_detail_text(&f, "last", last, strlen(last));
	}
	for (unsigned i = 0; i < r->nverdicts; i++) {
		const enum caller_verdict v =
		    caller_verdict_find(r->verdicts[i]);

		if (v >= CALLER_VERDICTS || verdicts[v].id != id)
			continue;
		if (verdicts[v].severity > f.severity)
			f.severity = verdicts[v].severity;
		if (n++ == 0)
			rule_detail_text(&f, "verdict", r->verdicts[i],
			    strlen(r->verdicts[i]));
	}
	if (n == 0)
		return 0;
	if (n > 1)
		rule_detail_num(&f, "more_verdicts", n - 1);
	/* Against the population: others may have other tasks. */
	if (f.severity < SEVERITY_HIGH)
		f.confidence = CONFIDENCE_WEAK;
	return tell(a, &f);
}

static int
on_caller(void *ctx, const struct row_caller *r)
{
	const struct rowtap *a = ctx;
	int rc;

	if ((rc = a->to.caller(a->to.ctx, r)) < 0 ||
	    (rc = tell_caller(a, r, FINDING_LOGS_EVASION)) < 0)
		return rc;
	return tell_caller(a, r, FINDING_LOGS_EXTRACTION);
}

static int
on_candidate(void *ctx, const struct row_candidate *c)
{
	const struct rowtap *a = ctx;
	const bool used = strcmp(c->method, "traffic-use") == 0;
	struct finding f = {.id = used ? FINDING_LOGS_TRIGGER_USED :
	    FINDING_LOGS_TRIGGER, .confidence = CONFIDENCE_STRONG};
	int r;

	if ((r = a->to.candidate(a->to.ctx, c)) < 0 || c->lead)
		return r;
	f.severity = finding_info(f.id)->severity;
	rule_detail_text(&f, "kind", c->kind, strlen(c->kind));
	rule_detail_text(&f, "value", c->value.p, c->value.n);
	rule_detail_text(&f, "method", c->method, strlen(c->method));
	if (c->target.p != NULL)
		rule_detail_text(&f, "target", c->target.p, c->target.n);
	rule_detail_num(&f, "rank", c->rank);
	return tell(a, &f);
}

void
apilog_alarm_init(struct rowtap *a, const struct rows *to)
{
	rowtap_init(a, to);
	a->rows.caller = on_caller;
	a->rows.candidate = on_candidate;
	/* A log has none of them. */
	rows_mute(&a->rows, ROWS_TENSOR | ROWS_CONCLUSION | ROWS_CHANGE |
	    ROWS_VERSION);
}
