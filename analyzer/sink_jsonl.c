#include <stdio.h>
#include <string.h>

#include "analyzer/coverage.h"
#include "analyzer/sink.h"
#include "analyzer/sink_rows.h"
#include "base/buf.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/fsio.h"
#include "base/json_write.h"
#include "base/limits.h"
#include "base/text.h"
#include "base/version.h"

/*
 * JSON Lines, and the same rows as one JSON array.  The schema of each row
 * is in schemas/; `type` comes first, rows are compact.
 */

static void
row_time(struct json_write *w, const char *key, int64_t ns)
{
	char text[CLOCK_TEXT];

	json_kstr(w, key, clock_rfc3339(text, ns, 3));
}

void
sink_row_header(struct json_write *w, const struct result_header *h)
{
	json_begin_object(w);
	json_kstr(w, "type", "header");
	json_kstr(w, "tool", "exhibit");
	json_kstr(w, "version", EXHIBIT_VERSION);
	json_kstr(w, "command", h->command);
	row_time(w, "started", h->started_ns);
	json_khex(w, "rules_digest", h->rules_digest, 32);
	if (h->has_policy)
		json_khex(w, "policy_digest", h->policy_digest, 32);
	else
		json_knull(w, "policy_digest");
	if (h->has_yara)
		json_khex(w, "yara_digest", h->yara_digest, 32);
	else
		json_knull(w, "yara_digest");
	json_key(w, "sandbox");
	json_begin_object(w);
	json_kbool(w, "seccomp", h->sandbox.seccomp);
	json_ku64(w, "landlock_abi",
	    h->sandbox.landlock_abi > 0 ? (uint64_t)h->sandbox.landlock_abi :
	    0);
	json_kbool(w, "rlimits", h->sandbox.rlimits);
	json_end_object(w);
	if (h->diff && !h->logs) {
		json_kstr(w, "old", h->old);
		json_kstr(w, "new", h->new);
	}
	json_end_object(w);
}

static void
row_ranges(struct json_write *w, const char *key,
    const struct coverage_sum *s, bool padding)
{
	json_key(w, key);
	json_begin_array(w);
	for (unsigned i = 0; s != NULL && i < s->nbare; i++) {
		if (s->bare[i].padding != padding)
			continue;
		json_begin_array(w);
		json_u64(w, s->bare[i].off);
		json_u64(w, s->bare[i].len);
		json_end_array(w);
	}
	json_end_array(w);
}

/* What is complete and was not mapped is explained whole. */
static void
row_coverage(struct json_write *w, const struct result_object *o)
{
	const struct coverage_sum *s = o->cover;

	if (s == NULL && !o->parsed) {
		json_knull(w, "coverage");
		return;
	}
	json_key(w, "coverage");
	json_begin_object(w);
	json_ku64(w, "explained", s != NULL ?
	    s->bytes[COVERAGE_EXPLAINED] : o->size);
	json_ku64(w, "padding", s != NULL ? s->bytes[COVERAGE_PADDING] : 0);
	json_ku64(w, "unexplained", s != NULL ?
	    s->bytes[COVERAGE_UNEXPLAINED] : 0);
	row_ranges(w, "padding_ranges", s, true);
	row_ranges(w, "unexplained_ranges", s, false);
	json_ku64(w, "ranges_not_listed", s != NULL ?
	    s->ranges[COVERAGE_PADDING] + s->ranges[COVERAGE_UNEXPLAINED] -
	    s->nbare : 0);
	json_end_object(w);
}

void
sink_row_object(struct json_write *w, const struct result_object *o)
{
	json_begin_object(w);
	json_kstr(w, "type", "object");
	json_kstr(w, "path", o->path);
	json_ku64(w, "depth", o->depth);
	if (o->has_sha256)
		json_khex(w, "sha256", o->sha256, 32);
	else
		json_knull(w, "sha256");
	json_ku64(w, "size", o->size);
	json_kstr(w, "format", o->format);
	json_kstr(w, "magic", o->magic);
	json_kstr(w, "verdict", verdict_name(o->verdict));
	json_kbool(w, "complete", o->complete);
	json_ku64(w, "calls", o->calls);
	row_coverage(w, o);
	json_end_object(w);
}

/* "AML.T0011,AML.T0018" to an array of strings. */
static void
row_list(struct json_write *w, const char *key, const char *list)
{
	char item[64];
	size_t n;

	json_key(w, key);
	json_begin_array(w);
	while (*list != '\0') {
		n = strcspn(list, ",");
		(void)snprintf(item, sizeof(item), "%.*s", (int)n, list);
		json_str(w, item);
		list += n;
		list += *list == ',';
	}
	json_end_array(w);
}

static void
row_evidence(struct json_write *w, const struct finding *f)
{
	json_key(w, "evidence");
	json_begin_object(w);
	for (unsigned i = 0; i < f->ndetails; i++) {
		const struct detail *d = &f->details[i];

		if (d->text != NULL && finding_detail_literal(d)) {
			json_key(w, d->key);
			json_literal(w, d->text, d->len);
		} else if (d->text != NULL)
			json_ktext(w, d->key, d->text, d->len);
		else
			json_ku64(w, d->key, d->num);
	}
	json_end_object(w);
}

void
sink_row_finding(struct json_write *w, const struct result_finding *r)
{
	const struct finding *f = r->finding;
	const struct finding_info *info = finding_info(f->id);

	json_begin_object(w);
	json_kstr(w, "type", "finding");
	json_kstr(w, "rule", info->name);
	json_kstr(w, "severity", severity_name(f->severity));
	json_kstr(w, "confidence", confidence_name(f->confidence));
	json_kstr(w, "path", r->path);
	json_ku64(w, "offset", f->off);
	json_ku64(w, "length", f->len);
	json_kstr(w, "title", info->title);
	row_evidence(w, f);
	json_key(w, "references");
	json_begin_object(w);
	row_list(w, "atlas", info->atlas);
	row_list(w, "attack", info->attack);
	row_list(w, "cwe", info->cwe);
	row_list(w, "owasp_ml", info->owasp);
	json_end_object(w);
	json_end_object(w);
}

void
sink_row_call(struct json_write *w, const struct result_call *c)
{
	static const char *const flags[] = {"implicit", "deferred",
	    "unframed", "carved"};

	json_begin_object(w);
	json_kstr(w, "type", "call");
	json_kstr(w, "path", c->path);
	json_ku64(w, "call", c->index);
	json_ku64(w, "stream", c->stream);
	json_ku64(w, "offset", c->off);
	json_kstr(w, "opcode", c->opcode);
	json_key(w, "callee");
	json_literal(w, c->callee, c->callee_len);
	json_key(w, "arguments");
	json_literal(w, c->args, c->args_len);
	json_kstr(w, "class", c->cls);
	json_key(w, "flags");
	json_begin_array(w);
	for (unsigned i = 0; i < 4; i++)
		if ((c->flags & 1U << i) != 0)
			json_str(w, flags[i]);
	json_end_array(w);
	json_end_object(w);
}

void
sink_row_carved(struct json_write *w, const struct result_carved *c)
{
	json_begin_object(w);
	json_kstr(w, "type", "carved");
	json_kstr(w, "path", c->path);
	json_ku64(w, "offset", c->off);
	json_ku64(w, "length", c->len);
	json_khex(w, "sha256", c->sha256, 32);
	json_kstr(w, "file", c->file);
	json_end_object(w);
}

static void
row_counts(struct json_write *w, const char *key, const uint64_t *n,
    unsigned count, const char *(*name)(unsigned))
{
	json_key(w, key);
	json_begin_object(w);
	for (unsigned i = count; i-- > 0;)
		json_ku64(w, name(i), n[i]);
	json_end_object(w);
}

static const char *
name_of_verdict(unsigned i)
{
	return verdict_name((enum verdict)i);
}

static const char *
name_of_severity(unsigned i)
{
	return severity_name((enum severity)i);
}

void
sink_row_summary(struct json_write *w, const struct result_summary *r)
{
	json_begin_object(w);
	json_kstr(w, "type", "summary");
	if (r->diff != NULL) {
		sink_row_sums(w, r->diff);
	} else {
		json_ku64(w, "objects", r->objects);
		row_counts(w, "verdicts", r->verdicts, VERDICT_COUNT,
		    name_of_verdict);
		row_counts(w, "top_verdicts", r->top_verdicts, VERDICT_COUNT,
		    name_of_verdict);
	}
	json_ku64(w, "findings", r->findings);
	row_counts(w, "severities", r->severities, SEVERITY_COUNT,
	    name_of_severity);
	json_ku64(w, "incomplete", r->incomplete);
	json_ku64(w, "bytes", r->bytes);
	json_key(w, "seconds");
	json_double(w, r->seconds);
	json_key(w, "skipped");
	json_begin_array(w);
	for (unsigned i = 0; i < r->nskips; i++) {
		json_begin_object(w);
		json_kstr(w, "what", r->skips[i].what);
		json_kstr(w, "why", r->skips[i].why);
		json_end_object(w);
	}
	json_end_array(w);
	json_end_object(w);
}

/*
 * Write one row.  In an array, "[" or "," and a line feed come before it and
 * the summary closes the array.
 */
static int
row_write(struct sink *s, struct buf *b, bool array, bool last,
    struct err *e)
{
	const char *before = array ? (s->first ? "[\n" : ",\n") : "";
	const char *after = array ? (last ? "\n]\n" : "") : "\n";
	int r;

	s->first = false;
	buf_puts(b, after);
	if ((r = buf_failed(b)) < 0) {
		r = err_set(e, (enum err_code)r, "cannot write a result row");
	} else if ((r = fsio_write_all(s->fd, before, strlen(before), e)) >=
	    0) {
		r = fsio_write_all(s->fd, b->p, b->len, e);
	}
	buf_release(b);
	return r;
}

#define SINK_ROW_FN(style, array, row, last) \
	static int style##_##row(struct sink *s, \
	    const struct result_##row *x, struct err *e) \
	{ \
		struct json_write w; \
		struct buf b; \
\
		buf_init(&b, 4 * MIB); \
		json_init(&w, &b, JSON_COMPACT); \
		sink_row_##row(&w, x); \
		return row_write(s, &b, array, last, e); \
	}

SINK_ROW_FN(jsonl, false, header, false)
SINK_ROW_FN(jsonl, false, object, false)
SINK_ROW_FN(jsonl, false, finding, false)
SINK_ROW_FN(jsonl, false, call, false)
SINK_ROW_FN(jsonl, false, carved, false)
SINK_ROW_FN(jsonl, false, diff, false)
SINK_ROW_FN(jsonl, false, summary, true)
SINK_ROW_FN(json, true, header, false)
SINK_ROW_FN(json, true, object, false)
SINK_ROW_FN(json, true, finding, false)
SINK_ROW_FN(json, true, call, false)
SINK_ROW_FN(json, true, carved, false)
SINK_ROW_FN(json, true, diff, false)
SINK_ROW_FN(json, true, summary, true)

const struct sink_ops sink_jsonl = {
    "jsonl", jsonl_header, jsonl_object, jsonl_finding, jsonl_call,
    jsonl_carved, jsonl_summary, jsonl_diff};
const struct sink_ops sink_json = {
    "json", json_header, json_object, json_finding, json_call,
    json_carved, json_summary, json_diff};
