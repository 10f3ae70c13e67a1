#include <math.h>
#include <stdio.h>

#include "analyzer/result_diff.h"
#include "analyzer/sink.h"
#include "analyzer/sink_rows.h"
#include "base/clock.h"
#include "base/json_write.h"

/*
 * Rows of a comparison as JSON.  What was not measured is null; what a worker
 * spreads into a row (basis.h) repeats no key of the row: diff_wire.h refuses
 * such a frame.
 */
static void
text_or_null(struct json_write *w, const char *key, struct row_text t)
{
	if (t.p != NULL)
		json_ktext(w, key, t.p, t.n);
	else
		json_knull(w, key);
}

static void
kdouble(struct json_write *w, const char *key, bool there, double v)
{
	json_key(w, key);
	json_double(w, there ? v : (double)NAN);
}

static void
sha256(struct json_write *w, bool there, const uint8_t p[32])
{
	if (there)
		json_khex(w, "sha256", p, 32);
	else
		json_knull(w, "sha256");
}

static void
spread(struct json_write *w, struct basis *s)
{
	const uint8_t *p;
	size_t n;

	if (s == NULL)
		return;
	p = basis_bytes(s, &n);
	basis_json(p, n, w);
}

static void
evidence(struct json_write *w, struct basis *s)
{
	json_key(w, "evidence");
	json_begin_object(w);
	spread(w, s);
	json_end_object(w);
}

static void
row_input(struct json_write *w, const struct result_diff *d)
{
	const struct row_input *r = d->row.input;

	json_kstr(w, "side", r->side == ROW_OLD ? "old" : "new");
	json_kstr(w, "path", d->path);
	json_ku64(w, "size", r->size);
	json_kstr(w, "format", r->format);
	json_ku64(w, "tensors", r->tensors);
	if (r->has_records)
		json_ku64(w, "records", r->records);
	if (r->is_log) {
		json_ku64(w, "undated", r->undated);
		json_ku64(w, "outside", r->outside);
	}
	json_kbool(w, "complete", r->complete);
	sha256(w, r->has_sha256, r->sha256);
}

static void
half(struct json_write *w, const char *key, const struct row_half *h,
    const char *path)
{
	char digest[17];

	if (!h->there) {
		json_knull(w, key);
		return;
	}
	json_key(w, key);
	json_begin_object(w);
	text_or_null(w, "name", h->name);
	json_kstr(w, "path", path);
	json_kstr(w, "dtype", h->dtype);
	json_key(w, "shape");
	json_begin_array(w);
	for (unsigned i = 0; i < h->rank; i++)
		json_u64(w, h->shape[i]);
	json_end_array(w);
	(void)snprintf(digest, sizeof(digest), "%016llx",
	    (unsigned long long)h->digest);
	json_kstr(w, "digest", h->digested ? digest : NULL);
	sha256(w, h->has_sha256, h->sha256);
	json_end_object(w);
}

static void
row_tensor(struct json_write *w, const struct result_diff *d)
{
	const struct row_tensor *r = d->row.tensor;
	const uint8_t *p = NULL;
	const char *text;
	size_t n = 0, len;

	text_or_null(w, "name", r->name);
	json_kstr(w, "status", row_status_name(r->status));
	half(w, "old", &r->half[ROW_OLD], d->half[ROW_OLD]);
	half(w, "new", &r->half[ROW_NEW], d->half[ROW_NEW]);
	json_ku64(w, "elements", r->elements);
	if (r->measured)
		json_ku64(w, "changed", r->changed);
	else
		json_knull(w, "changed");
	kdouble(w, "rel_l2", r->measured, r->rel_l2);
	kdouble(w, "cosine", r->measured, r->cosine);
	kdouble(w, "max_abs", r->measured, r->max_abs);
	if (r->more != NULL)
		p = basis_bytes(r->more, &n);
	if (!basis_find(p, n, "rank", &text, &len))
		json_knull(w, "rank");
	spread(w, r->more);
}

static void
row_conclusion(struct json_write *w, const struct result_diff *d)
{
	const struct row_conclusion *r = d->row.conclusion;

	json_kstr(w, "kind", conclusion_name(r->kind));
	json_kstr(w, "meaning", conclusion_meaning(r->kind));
	json_key(w, "tensors");
	json_begin_array(w);
	for (size_t i = 0; i < r->ntensors; i++)
		json_text(w, r->tensors[i].p, r->tensors[i].n, 0);
	json_end_array(w);
	json_ku64(w, "tensors_in_all", r->tensors_in_all);
	json_kstr(w, "confidence", confidence_name(r->confidence));
	evidence(w, r->evidence);
	json_key(w, "alternatives");
	json_begin_array(w);
	for (unsigned i = 0; i < r->nalternatives; i++)
		json_str(w, r->alternatives[i]);
	json_end_array(w);
}

static void
row_candidate(struct json_write *w, const struct result_diff *d)
{
	const struct row_candidate *r = d->row.candidate;

	json_kstr(w, "kind", r->kind);
	text_or_null(w, "value", r->value);
	kdouble(w, "score", true, r->score);
	kdouble(w, "q", r->has_q, r->q);
	text_or_null(w, "target", r->target);
	json_ku64(w, "rank", r->rank);
	json_kstr(w, "method", r->method);
	evidence(w, r->evidence);
}

static void
row_change(struct json_write *w, const struct result_diff *d)
{
	const struct row_change *r = d->row.change;

	json_kstr(w, "area", change_area_name(r->area));
	json_kstr(w, "what", change_what_name(r->what));
	json_kstr(w, "path", d->path);
	text_or_null(w, "key", r->key);
	text_or_null(w, "old", r->old);
	text_or_null(w, "new", r->new);
	spread(w, r->more);
}

static void
row_detector(struct json_write *w, const struct result_diff *d)
{
	const struct row_detector *r = d->row.detector;

	json_kstr(w, "method", r->method);
	json_kbool(w, "applied", r->applied);
	json_kstr(w, "reason", r->reason);
	evidence(w, r->evidence);
}

static void
row_version(struct json_write *w, const struct result_diff *d)
{
	const struct row_version *r = d->row.version;

	json_kstr(w, "path", d->path);
	json_ku64(w, "rank", r->rank);
	kdouble(w, "distance", true, r->distance);
	json_ku64(w, "shared", r->shared);
	json_ku64(w, "identical", r->identical);
	json_kbool(w, "parent", r->parent);
	json_kbool(w, "rollback", r->rollback);
	evidence(w, r->evidence);
}

static void
ktime(struct json_write *w, const char *key, bool there, int64_t ns)
{
	char text[CLOCK_TEXT];

	json_kstr(w, key, there ? clock_rfc3339(text, ns, 3) : NULL);
}

static void
row_caller(struct json_write *w, const struct result_diff *d)
{
	const struct row_caller *r = d->row.caller;

	text_or_null(w, "caller", r->caller);
	text_or_null(w, "endpoint", r->endpoint);
	json_ku64(w, "requests", r->requests);
	json_key(w, "verdicts");
	json_begin_array(w);
	for (unsigned i = 0; i < r->nverdicts; i++)
		json_str(w, r->verdicts[i]);
	json_end_array(w);
	json_key(w, "statistics");
	json_begin_object(w);
	spread(w, r->statistics);
	json_end_object(w);
	ktime(w, "first", r->has_times, r->first_ns);
	ktime(w, "last", r->has_times, r->last_ns);
}

static const char *
type_of(const struct result_diff *d)
{
	static const char *const types[DIFF_ROWS] = {"input", "tensor",
	    "conclusion", "candidate", "change", "detector", "version",
	    "caller"};

	return d->type == DIFF_ROW_CANDIDATE && d->row.candidate->lead ?
	    "lead" : types[d->type];
}

void
sink_row_diff(struct json_write *w, const struct result_diff *d)
{
	static void (*const members[DIFF_ROWS])(struct json_write *,
	    const struct result_diff *) = {row_input, row_tensor,
	    row_conclusion, row_candidate, row_change, row_detector,
	    row_version, row_caller};

	json_begin_object(w);
	json_kstr(w, "type", type_of(d));
	members[d->type](w, d);
	json_end_object(w);
}

const char *
sink_model_verdict(enum model_verdict v)
{
	static const char *const names[] = {"candidates", "none",
	    "not-applicable"};

	return names[v];
}

static void
sums_of_tensors(struct json_write *w, const struct diff_sums *d)
{
	json_key(w, "tensors");
	json_begin_object(w);
	for (unsigned i = 0; i < ROW_STATUS_COUNT; i++)
		json_ku64(w, row_status_name((enum row_status)i),
		    d->tensors[i]);
	json_end_object(w);
	json_key(w, "conclusions");
	json_begin_object(w);
	for (unsigned i = 0; i < CONCLUSION_COUNT; i++)
		if (d->conclusions[i] > 0)
			json_ku64(w, conclusion_name((enum conclusion_kind)i),
			    d->conclusions[i]);
	json_end_object(w);
	json_key(w, "changes");
	json_begin_object(w);
	for (unsigned i = 0; i < CHANGE_AREAS; i++)
		if (d->changes[i] > 0)
			json_ku64(w, change_area_name((enum change_area)i),
			    d->changes[i]);
	json_end_object(w);
}

static void
sums_of_logs(struct json_write *w, const struct diff_sums *d)
{
	json_ku64(w, "records", d->records);
	json_ku64(w, "undated", d->undated);
	json_ku64(w, "outside", d->outside);
	json_ku64(w, "callers", d->callers);
	json_ku64(w, "flagged", d->flagged);
}

void
sink_row_sums(struct json_write *w, const struct diff_sums *d)
{
	json_ku64(w, "inputs", d->inputs);
	if (d->logs)
		sums_of_logs(w, d);
	else
		sums_of_tensors(w, d);
	json_ku64(w, "candidates", d->candidates);
	json_ku64(w, "leads", d->leads);
	if (!d->logs)
		json_ku64(w, "versions", d->versions);
	json_key(w, "detectors");
	json_begin_array(w);
	for (unsigned i = 0; i < d->ndetector; i++) {
		json_begin_object(w);
		json_kstr(w, "method", d->detector[i].method);
		json_kbool(w, "applied", d->detector[i].applied);
		json_kstr(w, "reason", d->detector[i].reason);
		json_end_object(w);
	}
	json_end_array(w);
	if (d->logs) {
		json_kstr(w, "log_verdict", sink_model_verdict(d->verdict));
		return;
	}
	json_kstr(w, "dataset_verdict", d->has_data ?
	    sink_model_verdict(d->data_verdict) : NULL);
	json_kstr(w, "model_verdict", sink_model_verdict(d->verdict));
	if (d->has_traffic)
		json_kstr(w, "log_verdict",
		    sink_model_verdict(d->traffic_verdict));
}
