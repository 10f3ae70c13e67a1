#include <string.h>

#include "analyzer/examine.h"
#include "analyzer/examine_parts.h"
#include "analyzer/rules.h"
#include "base/bytesrc.h"
#include "base/err.h"
#include "formats/yara.h"

/*
 * --rules: a rule that holds is a finding.  The rule's own meta "severity"
 * (info, low, medium, high, critical) is taken, medium without; a note (info)
 * judges nothing.
 */
static int
on_match(void *ctx, const struct yara_match *m)
{
	struct finding f = {.id = FINDING_YARA_MATCH,
	    .confidence = CONFIDENCE_CERTAIN, .off = m->off, .len = m->len};
	char preview[2 * ATTEMPT_PREVIEW];
	struct exam *ex = ctx;

	if (!severity_parse(m->severity, &f.severity))
		f.severity = finding_info(f.id)->severity;
	if (f.severity == SEVERITY_INFO)
		f.id = FINDING_YARA_NOTE;
	rule_detail_text(&f, "rule", m->rule, strlen(m->rule));
	if (*m->tags != '\0')
		rule_detail_text(&f, "tags", m->tags, strlen(m->tags));
	if (*m->description != '\0')
		rule_detail_text(&f, "description", m->description,
		    strlen(m->description));
	if (*m->string != '\0') {
		rule_detail_text(&f, "string", m->string, strlen(m->string));
		rule_detail_num(&f, "occurrences", m->count);
		attempt_preview(&f, ex->m->src, m->off, m->len, preview);
	}
	return wire_send_finding(ex->x->wire, ex->index, &f, ex->e);
}

int
examine_yara(struct exam *ex)
{
	const struct worker_job *job = ex->x->job;
	struct finding f = {.id = FINDING_LIMIT,
	    .severity = finding_info(FINDING_LIMIT)->severity,
	    .confidence = CONFIDENCE_CERTAIN};
	int r;

	if (job->yara == NULL)
		return 0;
	r = yara_scan(job->yara, ex->m->src, job->seconds, on_match, ex,
	    ex->e);
	if (r != 1)
		return r;
	rule_detail_text(&f, "limit", "rules of --rules", 16);
	return wire_send_finding(ex->x->wire, ex->index, &f, ex->e);
}
