#include <stdio.h>
#include <string.h>

#include "analyzer/html.h"
#include "analyzer/jrow.h"
#include "analyzer/report.h"
#include "base/buf.h"
#include "base/clock.h"
#include "base/version.h"

/*
 * The page: title and conclusion first, then what they rest on.  One reader
 * has five minutes, the other, years later, wants every digest.
 */
static const char style[] =
    "body{font:15px/1.45 system-ui,sans-serif;margin:2em auto;max-width:72em;"
    "padding:0 1em;color:#1b1f24;background:#fff}"
    "h1{margin:.2em 0}h2{margin-top:2em;border-bottom:1px solid #d0d7de}"
    "table{border-collapse:collapse;width:100%;margin:.6em 0}"
    "th,td{text-align:left;vertical-align:top;padding:.3em .6em;"
    "border-bottom:1px solid #e4e8ec}th{background:#f6f8fa}"
    ".n{text-align:right;font-variant-numeric:tabular-nums}"
    ".m{font-family:ui-monospace,monospace;font-size:12.5px;"
    "overflow-wrap:anywhere}.p{image-rendering:pixelated;margin:.4em 0}"
    ".b{display:inline-block;border-radius:.3em;padding:0 .5em;color:#fff;"
    "background:#57606a}"
    ".critical,.malicious,.fails{background:#b3121d}"
    ".high,.suspicious{background:#b35900}"
    ".medium,.incomplete,.not-checked{background:#8a6d00}"
    ".low{background:#0a6a83}.info{background:#57606a}"
    ".clean,.holds{background:#1a7f37}"
    ".card{border:1px solid #d0d7de;border-left:.4em solid #57606a;"
    "border-radius:.3em;padding:.6em 1em;margin:.8em 0}"
    ".c-critical{border-left-color:#b3121d}.c-high{border-left-color:#b35900}"
    ".c-medium{border-left-color:#8a6d00}.c-low{border-left-color:#0a6a83}"
    ".warn{background:#fff3cd;border:1px solid #e0c36a;padding:.5em 1em}"
    "table.g{width:auto;border-spacing:0}"
    "table.g td{width:11px;height:11px;padding:0;border:0}"
    "table.g th{padding:0 .6em 0 0;border:0;font-weight:normal}"
    ".h0{background:#f3f5f7}.h1{background:#dfeaf4}.h2{background:#c6dbee}"
    ".h3{background:#a6c8e6}.h4{background:#82b1db}.h5{background:#5f98cf}"
    ".h6{background:#417ebf}.h7{background:#2a64a8}.h8{background:#174a8c}"
    ".h9{background:#08306b}"
    "pre{white-space:pre-wrap;overflow-wrap:anywhere;background:#f6f8fa;"
    "padding:.5em;margin:.4em 0}"
    "@media print{body{max-width:none;margin:0}.card{break-inside:avoid}}";

static uint64_t
total(const struct report *r, const char *key)
{
	uint64_t n = 0;

	for (const struct report_source *s = r->sources; s != NULL;
	    s = s->next)
		if (s->summary != NULL)
			n += jrow_u64(s->summary, key);
	return n;
}

static void
write_head(const struct report *r, struct buf *b)
{
	char when[CLOCK_TEXT];
	const struct jrow *genesis = r->ledger != NULL ? r->ledger->first :
	    NULL;

	buf_puts(b, "<!DOCTYPE html>\n<html lang=\"en\"><head>"
	    "<meta charset=\"utf-8\">\n"
	    "<meta http-equiv=\"Content-Security-Policy\" content=\""
	    "default-src 'none'; style-src 'unsafe-inline'; "
	    "img-src data:\">\n"
	    "<meta name=\"viewport\" content=\"width=device-width\">\n"
	    "<title>");
	html_str(b, genesis != NULL ? jrow_get(genesis, "case") : "Results");
	buf_puts(b, " - exhibit report</title>\n<style>");
	buf_puts(b, style);
	buf_puts(b, "</style></head><body>\n");
	html_open(b, "h1", NULL);
	if (genesis != NULL) {
		buf_puts(b, "Case ");
		html_str(b, jrow_get(genesis, "case"));
	} else {
		buf_puts(b, total(r, "objects") == 0 &&
		    total(r, "inputs") > 0 ? "Comparison of models" :
		    "Scan report");
	}
	html_close(b, "h1");
	html_open(b, "p", NULL);
	if (genesis != NULL) {
		buf_puts(b, "Examiner: ");
		html_str(b, jrow_get(genesis, "actor.name"));
		buf_puts(b, ". ");
	}
	buf_printf(b, "Report made %s by %s.",
	    clock_rfc3339(when, r->o->now_ns, 0), EXHIBIT_TOOL);
	html_close(b, "p");
}

static void
write_problems(const struct report *r, struct buf *b)
{
	for (const struct report_source *s = r->sources; s != NULL;
	    s = s->next) {
		if (s->problem == NULL)
			continue;
		html_open(b, "p", "warn");
		buf_puts(b, "Not whole: ");
		html_str(b, s->name);
		buf_puts(b, ": ");
		html_str(b, s->problem);
		html_close(b, "p");
	}
	if (r->ledger != NULL && r->ledger->problem != NULL)
		html_el(b, "p", "warn",
		    "The ledger could not be read to its end.");
}

static void
badge_count(struct buf *b, const char *cls, uint64_t n)
{
	buf_printf(b, "<span class=\"b %s\">%llu %s</span> ", cls,
	    (unsigned long long)n, cls);
}

/* What comparisons say, in one line: details have a section below. */
static void
write_compared(const struct report *r, struct buf *b)
{
	static const char prefix[] = "conclusions.";

	for (const struct report_source *s = r->sources; s != NULL;
	    s = s->next)
		for (size_t i = 0; s->summary != NULL &&
		    i < s->summary->count; i++) {
			const char *key = s->summary->pairs[i].key;

			if (strncmp(key, prefix, sizeof(prefix) - 1) != 0)
				continue;
			html_open(b, "span", "b info");
			html_str(b, key + sizeof(prefix) - 1);
			html_close(b, "span");
		}
	if (total(r, "candidates") > 0)
		html_el(b, "p", NULL, "Detectors of triggers name "
		    "candidates: they are for a person to test, no proof.");
}

static void
write_conclusion(const struct report *r, struct buf *b)
{
	static const char *const verdicts[] = {"malicious", "suspicious",
	    "incomplete", "clean"};
	char key[64];

	html_el(b, "h2", NULL, "Conclusion");
	if (total(r, "objects") > 0 || total(r, "inputs") == 0) {
		html_open(b, "p", NULL);
		for (unsigned i = 0; i < 4; i++) {
			(void)snprintf(key, sizeof(key), "verdicts.%s",
			    verdicts[i]);
			badge_count(b, verdicts[i], total(r, key));
		}
		buf_printf(b, "of %llu objects examined.",
		    (unsigned long long)total(r, "objects"));
		html_close(b, "p");
	}
	write_compared(r, b);
	if (total(r, "verdicts.malicious") > 0)
		html_el(b, "p", NULL, "Loading at least one of these files "
		    "would run a dangerous call. The findings below say "
		    "which, where, and with what arguments.");
	if (total(r, "incomplete") > 0)
		html_el(b, "p", NULL, "Not everything could be examined; "
		    "what was left out is listed below. Unknown is not "
		    "clean.");
}

static void
method_row(struct buf *b, const char *label, const char *value)
{
	html_open(b, "tr", NULL);
	html_el(b, "th", NULL, label);
	html_el(b, "td", "m", value);
	html_close(b, "tr");
}

static void
write_method_source(const struct report_source *s, struct buf *b)
{
	const struct jrow *h = s->header;
	char line[160];

	html_open(b, "table", NULL);
	method_row(b, "result file", s->name);
	html_open(b, "tr", NULL);
	html_el(b, "th", NULL, "sha256");
	html_open(b, "td", "m");
	buf_hex(b, s->sha256, 32);
	html_close(b, "td");
	html_close(b, "tr");
	if (h != NULL) {
		(void)snprintf(line, sizeof(line), "%.40s %.40s, %.40s",
		    jrow_get(h, "tool"), jrow_get(h, "version"),
		    jrow_get(h, "command"));
		method_row(b, "made by", line);
		method_row(b, "started", jrow_get(h, "started"));
		method_row(b, "rules digest", jrow_get(h, "rules_digest"));
		if (*jrow_get(h, "policy_digest") != '\0')
			method_row(b, "own policy (--policy), sha256",
			    jrow_get(h, "policy_digest"));
		if (*jrow_get(h, "yara_digest") != '\0')
			method_row(b, "own YARA rules (--rules), sha256",
			    jrow_get(h, "yara_digest"));
		(void)snprintf(line, sizeof(line),
		    "seccomp %.8s, Landlock ABI %.8s, limits %.8s",
		    jrow_get(h, "sandbox.seccomp"),
		    jrow_get(h, "sandbox.landlock_abi"),
		    jrow_get(h, "sandbox.rlimits"));
		method_row(b, "sandbox", line);
	}
	html_close(b, "table");
}

static void
write_method(const struct report *r, struct buf *b)
{
	html_el(b, "h2", NULL, "Method and its limits");
	for (const struct report_source *s = r->sources; s != NULL;
	    s = s->next)
		write_method_source(s, b);
	html_el(b, "p", NULL, "Every object was read by a process of its own "
	    "in a sandbox, never loaded or run. The ledger and a time stamp "
	    "of a local authority prove nothing against the root user of the "
	    "machine that made them; a signature by a certificate that an "
	    "outside authority issued, and a time stamp by one, do. A "
	    "comparison of file metadata before and after reading cannot see "
	    "a writer through an already dirty mapping.");
}

void
report_write_html(const struct report *r, struct buf *b)
{
	write_head(r, b);
	write_problems(r, b);
	write_conclusion(r, b);
	report_write_diffs(r, b);
	report_write_findings(r, b);
	report_write_programs(r, b);
	report_write_bytes(r, b);
	report_write_objects(r, b);
	report_write_statements(r, b);
	report_write_custody(r, b);
	write_method(r, b);
	buf_puts(b, "</body></html>\n");
}
