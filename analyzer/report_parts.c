#include <stdio.h>
#include <string.h>

#include "analyzer/html.h"
#include "analyzer/jrow.h"
#include "analyzer/report.h"
#include "base/buf.h"

/* Rows of a table that a person can still leaf through. */
#define ROWS_MAX 10000

static bool
is_type(const struct jrow *row, const char *type)
{
	return strcmp(jrow_get(row, "type"), type) == 0;
}

static const char *
class_of(const char *word)
{
	static const char *const words[] = {"critical", "high", "medium",
	    "low", "info", "malicious", "suspicious", "incomplete", "clean",
	    "holds", "fails", "not-checked", NULL};

	for (const char *const *w = words; *w != NULL; w++)
		if (strcmp(*w, word) == 0)
			return *w;
	return "info";
}

static void
badge(struct buf *b, const char *word)
{
	buf_printf(b, "<span class=\"b %s\">", class_of(word));
	html_str(b, word);
	buf_puts(b, "</span> ");
}

static void
shown(struct buf *b, const char *s)
{
	html_shown(b, s, strlen(s));
}

static void
write_call(const struct jrow *f, struct buf *b)
{
	if (jrow_find(f, "evidence.callee") == NULL)
		return;
	html_open(b, "pre", "m");
	shown(b, jrow_get(f, "evidence.callee"));
	buf_puts(b, "(");
	shown(b, jrow_get(f, "evidence.arguments"));
	buf_puts(b, ")");
	html_close(b, "pre");
}

static void
write_evidence(const struct jrow *f, struct buf *b)
{
	html_open(b, "table", NULL);
	for (size_t i = 0; i < f->count; i++) {
		const struct jpair *p = &f->pairs[i];

		if (strncmp(p->key, "evidence.", 9) != 0 ||
		    strcmp(p->key, "evidence.callee") == 0 ||
		    strcmp(p->key, "evidence.arguments") == 0)
			continue;
		html_open(b, "tr", NULL);
		html_open(b, "th", NULL);
		html_str(b, p->key + 9);
		html_close(b, "th");
		html_open(b, "td", "m");
		html_shown(b, p->val, p->len);
		html_close(b, "td");
		html_close(b, "tr");
	}
	html_close(b, "table");
}

static void
write_references(const struct jrow *f, struct buf *b)
{
	bool any = false;

	for (size_t i = 0; i < f->count; i++) {
		const struct jpair *p = &f->pairs[i];

		if (strncmp(p->key, "references.", 11) != 0)
			continue;
		if (!any)
			html_open(b, "div", "m");
		else
			buf_puts(b, ", ");
		any = true;
		html_shown(b, p->val, p->len);
	}
	if (any)
		html_close(b, "div");
}

static void
write_finding(const struct jrow *f, struct buf *b)
{
	char cls[32];

	(void)snprintf(cls, sizeof(cls), "card c-%s",
	    class_of(jrow_get(f, "severity")));
	html_open(b, "div", cls);
	badge(b, jrow_get(f, "severity"));
	html_open(b, "b", NULL);
	html_str(b, jrow_get(f, "rule"));
	html_close(b, "b");
	buf_puts(b, " ");
	html_str(b, jrow_get(f, "title"));
	html_open(b, "div", "m");
	shown(b, jrow_get(f, "path"));
	buf_puts(b, " @ ");
	html_str(b, jrow_get(f, "offset"));
	html_close(b, "div");
	write_call(f, b);
	write_evidence(f, b);
	write_references(f, b);
	html_close(b, "div");
}

static void
write_findings_of(const struct report *r, const char *severity,
    struct buf *b, uint64_t *count)
{
	for (const struct report_source *s = r->sources; s != NULL;
	    s = s->next)
		for (const struct jrow *f = s->first; f != NULL; f = f->next) {
			if (!is_type(f, "finding") ||
			    strcmp(jrow_get(f, "severity"), severity) != 0)
				continue;
			if (++*count <= ROWS_MAX)
				write_finding(f, b);
		}
}

static void
write_more(uint64_t count, struct buf *b)
{
	if (count <= ROWS_MAX)
		return;
	html_open(b, "p", "warn");
	buf_printf(b, "%llu more stand in the result files.",
	    (unsigned long long)(count - ROWS_MAX));
	html_close(b, "p");
}

void
report_write_findings(const struct report *r, struct buf *b)
{
	static const char *const severities[] = {"critical", "high", "medium",
	    "low", "info", NULL};
	uint64_t count = 0;

	html_el(b, "h2", NULL, "Findings");
	for (const char *const *s = severities; *s != NULL; s++)
		write_findings_of(r, *s, b, &count);
	if (count == 0)
		html_el(b, "p", NULL, "None.");
	write_more(count, b);
}

static void
write_object(const struct jrow *o, struct buf *b)
{
	const char *label = jrow_get(o, "magic");

	html_open(b, "tr", NULL);
	html_open(b, "td", NULL);
	badge(b, jrow_get(o, "verdict"));
	if (strcmp(jrow_get(o, "complete"), "false") == 0 &&
	    strcmp(jrow_get(o, "verdict"), "incomplete") != 0)
		badge(b, "incomplete");
	html_close(b, "td");
	html_open(b, "td", "m");
	shown(b, jrow_get(o, "path"));
	buf_puts(b, "<br>");
	html_str(b, *jrow_get(o, "sha256") != '\0' ? jrow_get(o, "sha256") :
	    "not hashed");
	html_close(b, "td");
	html_open(b, "td", NULL);
	html_str(b, jrow_get(o, "format"));
	if (*label != '\0') {
		buf_puts(b, "<br><small>");
		shown(b, label);
		buf_puts(b, "</small>");
	}
	html_close(b, "td");
	html_cell_u64(b, jrow_u64(o, "size"));
	html_close(b, "tr");
}

static void
write_object_table(const struct report *r, bool complete, struct buf *b,
    uint64_t *count)
{
	const char *want = complete ? "true" : "false";

	html_open(b, "table", NULL);
	buf_puts(b, "<tr><th>verdict</th><th>object and sha256</th>"
	    "<th>format</th><th>bytes</th></tr>\n");
	for (const struct report_source *s = r->sources; s != NULL;
	    s = s->next)
		for (const struct jrow *o = s->first; o != NULL; o = o->next)
			if (is_type(o, "object") &&
			    strcmp(jrow_get(o, "complete"), want) == 0 &&
			    ++*count <= ROWS_MAX)
				write_object(o, b);
	html_close(b, "table");
	write_more(*count, b);
}

static void
write_skips(const struct report *r, struct buf *b)
{
	char what[64], why[64];

	for (const struct report_source *s = r->sources; s != NULL;
	    s = s->next)
		for (unsigned i = 0; s->summary != NULL && i < 64; i++) {
			(void)snprintf(what, sizeof(what), "skipped.%u.what",
			    i);
			(void)snprintf(why, sizeof(why), "skipped.%u.why", i);
			if (jrow_find(s->summary, what) == NULL)
				break;
			html_open(b, "p", "warn");
			buf_puts(b, "Left out: ");
			shown(b, jrow_get(s->summary, what));
			buf_puts(b, " (");
			shown(b, jrow_get(s->summary, why));
			buf_puts(b, ")");
			html_close(b, "p");
		}
}

void
report_write_objects(const struct report *r, struct buf *b)
{
	uint64_t n = 0;

	html_el(b, "h2", NULL, "Not examined, or not completely");
	write_skips(r, b);
	write_object_table(r, false, b, &n);
	if (n == 0)
		html_el(b, "p", NULL, "Every object was examined to its end.");
	n = 0;
	html_el(b, "h2", NULL, "Examined completely");
	write_object_table(r, true, b, &n);
}

void
report_write_statements(const struct report *r, struct buf *b)
{
	uint64_t n = 0;

	for (const struct report_source *s = r->sources; s != NULL;
	    s = s->next)
		for (const struct jrow *v = s->first; v != NULL; v = v->next) {
			if (!is_type(v, "statement"))
				continue;
			if (n++ == 0) {
				html_el(b, "h2", NULL,
				    "Verification of the evidence");
				html_open(b, "table", NULL);
			}
			html_open(b, "tr", NULL);
			html_open(b, "td", NULL);
			badge(b, jrow_get(v, "result"));
			html_close(b, "td");
			html_el(b, "td", NULL, jrow_get(v, "name"));
			html_el(b, "td", "m", jrow_get(v, "path"));
			html_el(b, "td", NULL, jrow_get(v, "reason"));
			html_close(b, "tr");
		}
	if (n > 0)
		html_close(b, "table");
}

/* The facts of an event: what stands in its data, key by key. */
static void
write_event_data(const struct jrow *ev, struct buf *b)
{
	for (size_t i = 0; i < ev->count; i++) {
		const struct jpair *p = &ev->pairs[i];

		if (strncmp(p->key, "data.", 5) != 0)
			continue;
		html_str(b, p->key + 5);
		buf_puts(b, " = ");
		html_shown(b, p->val, p->len);
		buf_puts(b, "<br>");
	}
}

void
report_write_custody(const struct report *r, struct buf *b)
{
	if (r->ledger == NULL)
		return;
	html_el(b, "h2", NULL, "Chain of custody");
	html_open(b, "table", NULL);
	buf_puts(b, "<tr><th>#</th><th>time (UTC)</th><th>event</th>"
	    "<th>exhibit</th><th>by</th><th>facts</th></tr>\n");
	for (const struct jrow *ev = r->ledger->first; ev != NULL;
	    ev = ev->next) {
		html_open(b, "tr", NULL);
		html_cell_u64(b, jrow_u64(ev, "seq"));
		html_el(b, "td", NULL, jrow_get(ev, "time.utc"));
		html_el(b, "td", NULL, jrow_get(ev, "kind"));
		html_el(b, "td", NULL, jrow_get(ev, "exhibit"));
		html_el(b, "td", NULL, jrow_get(ev, "actor.name"));
		html_open(b, "td", "m");
		write_event_data(ev, b);
		html_close(b, "td");
		html_close(b, "tr");
	}
	html_close(b, "table");
}
