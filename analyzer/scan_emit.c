#include <string.h>

#include "analyzer/contradict.h"
#include "analyzer/rules.h"
#include "analyzer/scan_group.h"
#include "analyzer/sink.h"
#include "analyzer/wire.h"
#include "base/err.h"

/*
 * From checked facts to rows: digests are set and compared, verdicts are
 * rolled up from the innermost objects to the file, rows go out in order.
 */

static void
set_digest(struct job *j)
{
	static const char digits[] = "0123456789abcdef";
	struct node *n = &j->nodes[0];
	struct finding f = {.id = FINDING_BUNDLE_DIGEST,
	    .severity = finding_info(FINDING_BUNDLE_DIGEST)->severity,
	    .confidence = CONFIDENCE_CERTAIN};
	char hex[65];

	if (j->hash.state == TASK_NONE)
		return;
	if (j->hash.in.len != 32) {
		n->complete = false;
		if (job_say(j, 0, FINDING_UNREADABLE, "reason",
		    "the digest could not be computed") < 0)
			j->group->failed = true;
		return;
	}
	n->row.has_sha256 = true;
	memcpy(n->row.sha256, j->hash.in.p, 32);
	if (!j->has_expected || memcmp(n->row.sha256, j->expected, 32) == 0)
		return;
	for (unsigned i = 0; i < 32; i++) {
		hex[2 * i] = digits[j->expected[i] >> 4];
		hex[2 * i + 1] = digits[j->expected[i] & 15];
	}
	f.len = n->row.size;
	rule_detail_text(&f, "stated_sha256", hex, 64);
	if (node_add(j->group, n, &f) < 0)
		j->group->failed = true;
}

/* Name, label and parser against each other. */
static void
compare(struct group *g, struct node *n)
{
	struct finding f;

	if (contradict_label(n->row.format, n->row.magic, &f) &&
	    node_add(g, n, &f) < 0)
		g->failed = true;
	if (contradict_name(n->row.path, n->row.format, &f) &&
	    node_add(g, n, &f) < 0)
		g->failed = true;
}

static enum verdict
own_verdict(struct node *n)
{
	enum verdict v = VERDICT_CLEAN;

	for (const struct node_finding *f = n->first; f != NULL; f = f->next) {
		enum verdict fv = finding_info(f->f.id)->verdict;

		if (fv == VERDICT_INCOMPLETE)
			n->complete = false;
		if (fv > v)
			v = fv;
	}
	if (!n->complete && v == VERDICT_CLEAN)
		v = VERDICT_INCOMPLETE;
	return v;
}

static void
worse(struct node *n, const struct node *child)
{
	if (child->row.verdict > n->row.verdict)
		n->row.verdict = child->row.verdict;
	if (!child->row.complete) {
		n->row.complete = false;
		if (n->row.verdict == VERDICT_CLEAN)
			n->row.verdict = VERDICT_INCOMPLETE;
	}
}

/* Members come after their container: from the end, each into its parent. */
static void
roll_up_job(struct job *j)
{
	struct node *n;

	for (uint32_t i = 0; i < j->count; i++) {
		n = &j->nodes[i];
		compare(j->group, n);
		n->row.verdict = own_verdict(n);
		n->row.complete = n->row.parsed = n->complete;
		n->row.findings = n->count;
	}
	for (uint32_t i = j->count; i-- > 1;)
		worse(&j->nodes[j->nodes[i].parent], &j->nodes[i]);
}

static int
emit_node(const struct node *n, struct sink *s, struct result_summary *sum,
    struct err *e)
{
	struct result_finding rf = {NULL, n->row.path};
	int r;

	sum->objects++;
	sum->tensors += n->row.tensors;
	sum->verdicts[n->row.verdict]++;
	if (n->row.depth == 0) {
		sum->top_verdicts[n->row.verdict]++;
		sum->bytes += n->row.size;
	}
	if (!n->row.complete)
		sum->incomplete++;
	if ((r = sink_object(s, &n->row, e)) < 0)
		return r;
	for (const struct node_finding *f = n->first; f != NULL && r >= 0;
	    f = f->next) {
		rf.finding = &f->f;
		sum->findings++;
		sum->severities[f->f.severity]++;
		r = sink_finding(s, &rf, e);
	}
	for (const struct node_call *c = n->first_call; c != NULL && r >= 0;
	    c = c->next)
		r = sink_call(s, &c->c, e);
	if (r >= 0 && n->carved.file != NULL)
		r = sink_carved(s, &n->carved, e);
	return r;
}

/* Whatever was in the way is a finding, or makes it incomplete. */
static bool
is_absent(const struct job *j)
{
	return j->absent && j->count == 1 && j->nodes[0].row.complete &&
	    j->nodes[0].count == 0;
}

int
group_emit(struct group *g, struct sink *s, struct result_summary *sum,
    struct err *e)
{
	struct job *top = g->first;
	int r = 0;

	for (struct job *j = top; j != NULL; j = j->next) {
		if (j->count == 0)
			return err_set(e, ERR_NOMEM, "a result was lost");
		set_digest(j);
		if (j->repository)
			j->nodes[0].row.size = 0;
		roll_up_job(j);
		if (j != top)
			worse(&top->nodes[0], &j->nodes[0]);
	}
	for (struct job *j = top; j != NULL && r >= 0; j = j->next)
		for (uint32_t i = 0; i < j->count && r >= 0 &&
		    !is_absent(j); i++)
			r = emit_node(&j->nodes[i], s, sum, e);
	return r;
}
