#include <stdio.h>
#include <string.h>

#include "analyzer/html.h"
#include "analyzer/jrow.h"
#include "analyzer/report.h"
#include "base/buf.h"

/*
 * What comparisons and looks at logs found, one section for each result: the
 * conclusions with the numbers that led to them and what else would look like
 * this, what
 * changed around the weights, candidates with the detectors that did and did
 * not apply, known versions, and where the weights changed.
 */
#define ROWS_MAX 2000
#define MEMBERS_MAX 200	/* rows of evidence */

static bool
is_type(const struct jrow *row, const char *type)
{
	return strcmp(jrow_get(row, "type"), type) == 0;
}

static bool
is_diff(const struct report_source *s)
{
	const char *command = s->header != NULL ?
	    jrow_get(s->header, "command") : "";

	return strcmp(command, "diff") == 0 ||
	    strcmp(command, "triggers") == 0 ||
	    strcmp(command, "logs") == 0;
}

static bool
is_logs(const struct report_source *s)
{
	return strcmp(jrow_get(s->header, "command"), "logs") == 0;
}

static void
shown(struct buf *b, const char *s)
{
	html_shown(b, s, strlen(s));
}

static void
cell(struct buf *b, const char *cls, const char *text)
{
	html_el(b, "td", cls, text);
}

/* Bytes of a key before its place in an array: "a.b.12" has 3. */
static size_t
array_of(const char *key)
{
	const char *dot = strrchr(key, '.');

	return dot != NULL && dot[1] != '\0' &&
	    strspn(dot + 1, "0123456789") == strlen(dot + 1) ?
	    (size_t)(dot - key) : strlen(key);
}

/* Are both elements of one array? */
static bool
same_array(const char *a, const char *b)
{
	size_t n = array_of(a);

	return a[n] == '.' && array_of(b) == n && memcmp(a, b, n) == 0;
}

/* What is shown of a key behind its prefix; a file may lie about arrays. */
static size_t
shown_len(const char *key, size_t prefix)
{
	size_t n = array_of(key);

	return (n > prefix ? n : strlen(key)) - prefix;
}

/* Members whose keys begin with ${prefix}, as a table; an array is a row. */
static void
write_members(const struct jrow *f, const char *prefix, struct buf *b)
{
	size_t n = strlen(prefix), rows = 0;
	const struct jpair *last = NULL;

	html_open(b, "table", NULL);
	for (size_t i = 0; i < f->count && rows < MEMBERS_MAX; i++) {
		const struct jpair *p = &f->pairs[i];

		if (strncmp(p->key, prefix, n) != 0)
			continue;
		if (last != NULL && same_array(last->key, p->key)) {
			buf_puts(b, ", ");
		} else {
			if (last != NULL)
				buf_puts(b, "</td></tr>\n");
			rows++;
			html_open(b, "tr", NULL);
			html_open(b, "th", NULL);
			html_shown(b, p->key + n, shown_len(p->key, n));
			html_close(b, "th");
			html_open(b, "td", "m");
		}
		html_shown(b, p->val, p->len);
		last = p;
	}
	if (last != NULL)
		buf_puts(b, "</td></tr>\n");
	html_close(b, "table");
	if (rows == MEMBERS_MAX)
		html_el(b, "p", NULL, "More stands in the result file.");
}

/* Elements of an array of texts, the first ${max} of them. */
static void
write_list(const struct jrow *f, const char *prefix, unsigned max,
    const char *tag, struct buf *b)
{
	size_t n = strlen(prefix);
	unsigned k = 0;

	for (size_t i = 0; i < f->count && k < max; i++) {
		const struct jpair *p = &f->pairs[i];

		if (strncmp(p->key, prefix, n) != 0)
			continue;
		k++;
		html_open(b, tag, NULL);
		html_shown(b, p->val, p->len);
		html_close(b, tag);
	}
}

static void
write_conclusion(const struct jrow *c, struct buf *b)
{
	html_open(b, "div", "card");
	html_el(b, "b", NULL, jrow_get(c, "kind"));
	buf_puts(b, " (");
	html_str(b, jrow_get(c, "confidence"));
	buf_puts(b, "): ");
	html_str(b, jrow_get(c, "meaning"));
	buf_puts(b, "<br>It rests on ");
	html_str(b, jrow_get(c, "tensors_in_all"));
	buf_puts(b, " tensors: ");
	html_open(b, "div", "m");
	write_list(c, "tensors.", 12, "span", b);
	if (jrow_u64(c, "tensors_in_all") > 12)
		buf_puts(b, "...");
	html_close(b, "div");
	write_members(c, "evidence.", b);
	if (jrow_find(c, "alternatives.0") != NULL) {
		buf_puts(b, "What else would look like this:");
		html_open(b, "ul", NULL);
		write_list(c, "alternatives.", 8, "li", b);
		html_close(b, "ul");
	}
	html_close(b, "div");
}

static void
write_change(const struct jrow *c, struct buf *b)
{
	html_open(b, "tr", NULL);
	cell(b, NULL, jrow_get(c, "area"));
	cell(b, NULL, jrow_get(c, "what"));
	html_open(b, "td", "m");
	shown(b, jrow_get(c, "path"));
	buf_puts(b, "<br>");
	shown(b, jrow_get(c, "key"));
	html_close(b, "td");
	cell(b, "m", jrow_get(c, "old"));
	cell(b, "m", jrow_get(c, "new"));
	html_close(b, "tr");
}

/* What a candidate from images looks like. */
#define PICTURE_SHOWN 96
static void
write_picture(const struct jrow *c, struct buf *b)
{
	const struct jpair *p = jrow_find(c, "evidence.picture");

	if (p == NULL)
		return;
	buf_puts(b, "<br>");
	if (!html_picture(b, p->val, p->len,
	    jrow_u64(c, "evidence.picture_width"),
	    jrow_u64(c, "evidence.picture_height"), PICTURE_SHOWN,
	    jrow_get(c, "value")))
		buf_puts(b, "(the picture in the results is no PNG)");
}

/* What supports a candidate: evidence, detector, score, file. */
static void
write_supports(const struct jrow *c, struct buf *b)
{
	static const char *const parts[] = {"evidence", "method", "score",
	    "source"};
	char key[64];

	for (unsigned i = 0; i < 16; i++) {
		(void)snprintf(key, sizeof(key),
		    "evidence.supported_by.%u.method", i);
		if (jrow_find(c, key) == NULL)
			break;
		buf_puts(b, i == 0 ? "<br>supported by: " : "; ");
		for (size_t k = 0; k < sizeof(parts) / sizeof(parts[0]);
		    k++) {
			(void)snprintf(key, sizeof(key),
			    "evidence.supported_by.%u.%s", i, parts[k]);
			buf_puts(b, k == 0 ? "" : " ");
			shown(b, jrow_get(c, key));
		}
	}
}

/* Numbers and texts of the evidence; lists stay in the results. */
#define FIGURES 24
static void
write_figures(const struct jrow *c, struct buf *b)
{
	static const char prefix[] = "evidence.";
	unsigned n = 0;

	html_open(b, "tr", NULL);
	buf_puts(b, "<td></td><td colspan=\"7\">");
	for (size_t i = 0; i < c->count && n < FIGURES; i++) {
		const struct jpair *p = &c->pairs[i];
		const char *key = p->key + sizeof(prefix) - 1;

		if (strncmp(p->key, prefix, sizeof(prefix) - 1) != 0 ||
		    strchr(key, '.') != NULL ||
		    strncmp(key, "picture", 7) == 0)
			continue;
		buf_puts(b, n++ > 0 ? ", " : "");
		html_str(b, key);
		buf_puts(b, " ");
		shown(b, p->val);
	}
	write_supports(c, b);
	buf_puts(b, "</td>");
	html_close(b, "tr");
}

static void
write_candidate(const struct jrow *c, struct buf *b)
{
	html_open(b, "tr", NULL);
	cell(b, NULL, jrow_get(c, "type"));
	cell(b, "n", jrow_get(c, "rank"));
	cell(b, NULL, jrow_get(c, "kind"));
	html_open(b, "td", "m");
	shown(b, jrow_get(c, "value"));
	write_picture(c, b);
	html_close(b, "td");
	cell(b, "n", jrow_get(c, "score"));
	cell(b, "n", jrow_get(c, "q"));
	cell(b, NULL, jrow_get(c, "target"));
	cell(b, NULL, jrow_get(c, "method"));
	html_close(b, "tr");
	if (is_type(c, "candidate"))
		write_figures(c, b);
}

static void
write_detector(const struct jrow *c, struct buf *b)
{
	html_open(b, "tr", NULL);
	cell(b, NULL, jrow_get(c, "method"));
	cell(b, NULL, strcmp(jrow_get(c, "applied"), "true") == 0 ?
	    "applied" : "no verdict");
	cell(b, NULL, jrow_get(c, "reason"));
	html_close(b, "tr");
}

static void
write_version(const struct jrow *c, struct buf *b)
{
	html_open(b, "tr", NULL);
	cell(b, "n", jrow_get(c, "rank"));
	cell(b, "m", jrow_get(c, "path"));
	cell(b, "n", *jrow_get(c, "distance") != '\0' ?
	    jrow_get(c, "distance") : "nothing shared");
	cell(b, "n", jrow_get(c, "shared"));
	cell(b, "n", jrow_get(c, "identical"));
	cell(b, NULL, jrow_get(c, "evidence.modified"));
	html_open(b, "td", NULL);
	if (strcmp(jrow_get(c, "parent"), "true") == 0)
		buf_puts(b, "most likely parent ");
	if (strcmp(jrow_get(c, "rollback"), "true") == 0)
		buf_puts(b, "to roll back to");
	html_close(b, "td");
	html_close(b, "tr");
}

static void
write_caller(const struct jrow *c, struct buf *b)
{
	html_open(b, "tr", NULL);
	html_open(b, "td", "m");
	shown(b, *jrow_get(c, "caller") != '\0' ? jrow_get(c, "caller") :
	    "(none was named)");
	if (*jrow_get(c, "endpoint") != '\0') {
		buf_puts(b, "<br>");
		shown(b, jrow_get(c, "endpoint"));
	}
	html_close(b, "td");
	cell(b, "n", jrow_get(c, "requests"));
	html_open(b, "td", NULL);
	write_list(c, "verdicts.", 8, "div", b);
	html_close(b, "td");
	cell(b, NULL, jrow_get(c, "first"));
	cell(b, NULL, jrow_get(c, "last"));
	html_open(b, "td", NULL);
	if (jrow_find(c, "verdicts.0") != NULL)
		write_members(c, "statistics.", b);
	html_close(b, "td");
	html_close(b, "tr");
}

static void
write_input(const struct jrow *c, struct buf *b)
{
	html_open(b, "tr", NULL);
	cell(b, NULL, jrow_get(c, "side"));
	html_open(b, "td", "m");
	shown(b, jrow_get(c, "path"));
	if (*jrow_get(c, "sha256") != '\0') {
		buf_puts(b, "<br>");
		html_str(b, jrow_get(c, "sha256"));
	}
	html_close(b, "td");
	cell(b, NULL, jrow_get(c, "format"));
	cell(b, "n", jrow_get(c, "size"));
	cell(b, "n", jrow_get(c, jrow_find(c, "records") != NULL ?
	    "records" : "tensors"));
	cell(b, NULL, strcmp(jrow_get(c, "complete"), "true") == 0 ? "" :
	    "not to its end");
	html_close(b, "tr");
}

/* A part of the section: rows of one or two types below a heading. */
struct part {
	const char *types[2];
	const char *title;
	const char *head;	/* of its table, or NULL */
	void (*write)(const struct jrow *c, struct buf *b);
	const char *note;	/* below the title, or NULL */
};

static const struct part parts[] = {
	{{"version", NULL}, "Known versions, by closeness",
	    "<tr><th>#</th><th>version</th><th>distance</th><th>shared</th>"
	    "<th>identical</th><th>modified</th><th></th></tr>\n",
	    write_version, "That these versions are clean is the claim of "
	    "whoever keeps them. Distance is relative L2 over what both "
	    "have; of equal ones the later modified comes first."},
	{{"caller", NULL}, "Callers",
	    "<tr><th>caller, endpoint</th><th>requests</th><th>verdicts</th>"
	    "<th>first</th><th>last</th><th>numbers</th></tr>\n",
	    write_caller, "A verdict says that requests look like an attack "
	    "of this kind; who is behind a caller's name the log does not "
	    "prove."},
	{{"conclusion", NULL}, "What was done to the weights", NULL,
	    write_conclusion, NULL},
	{{"change", NULL}, "Changed around the weights",
	    "<tr><th>area</th><th>what</th><th>where</th><th>old</th>"
	    "<th>new</th></tr>\n", write_change, NULL},
	{{"candidate", "lead"}, "Candidates and leads",
	    "<tr><th></th><th>#</th><th>kind</th><th>value</th>"
	    "<th>score</th><th>q</th><th>target</th><th>method</th></tr>\n",
	    write_candidate, "A candidate is for a person to test, no proof: "
	    "names of products and watermarks stand out as well. A lead may "
	    "make no claim."},
	{{"detector", NULL}, "Detectors",
	    "<tr><th>detector</th><th></th><th>why, or what it cannot see"
	    "</th></tr>\n", write_detector, NULL},
	{{"input", NULL}, "What was read",
	    "<tr><th>side</th><th>path</th><th>format</th><th>bytes</th>"
	    "<th>tensors or records</th><th></th></tr>\n", write_input, NULL},
};

static void
write_part(const struct report_source *s, const struct part *p,
    struct buf *b)
{
	uint64_t n = 0;

	for (const struct jrow *c = s->first; c != NULL; c = c->next) {
		if (!is_type(c, p->types[0]) && (p->types[1] == NULL ||
		    !is_type(c, p->types[1])))
			continue;
		if (n++ == 0) {
			html_el(b, "h3", NULL, p->title);
			if (p->note != NULL)
				html_el(b, "p", NULL, p->note);
			if (p->head != NULL) {
				html_open(b, "table", NULL);
				buf_puts(b, p->head);
			}
		}
		if (n <= ROWS_MAX)
			p->write(c, b);
	}
	if (n > 0 && p->head != NULL)
		html_close(b, "table");
	if (n > ROWS_MAX)
		html_el(b, "p", "warn", "More stand in the result file.");
}

/* "148 changed, 2 added": the counts of the summary. */
static void
write_log_counts(const struct report_source *s, struct buf *b)
{
	static const char *const keys[][2] = {{"records", " records, "},
	    {"undated", " of them undated, "}, {"outside",
	    " outside of the window; "}, {"callers", " callers, "},
	    {"flagged", " with a verdict."}};

	html_open(b, "p", NULL);
	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
		html_str(b, jrow_get(s->summary, keys[i][0]));
		buf_puts(b, keys[i][1]);
	}
	html_close(b, "p");
}

static void
write_counts(const struct report_source *s, struct buf *b)
{
	static const char prefix[] = "tensors.";
	bool any = false;

	if (s->summary == NULL)
		return;
	if (is_logs(s)) {
		write_log_counts(s, b);
		return;
	}
	html_open(b, "p", NULL);
	buf_puts(b, "Tensors: ");
	for (size_t i = 0; i < s->summary->count; i++) {
		const struct jpair *p = &s->summary->pairs[i];

		if (strncmp(p->key, prefix, sizeof(prefix) - 1) != 0 ||
		    strcmp(p->val, "0") == 0)
			continue;
		buf_puts(b, any ? ", " : "");
		html_shown(b, p->val, p->len);
		buf_puts(b, " ");
		html_str(b, p->key + sizeof(prefix) - 1);
		any = true;
	}
	buf_puts(b, any ? "." : "none were compared.");
	buf_puts(b, " Detectors of triggers: ");
	html_str(b, jrow_get(s->summary, "model_verdict"));
	if (*jrow_get(s->summary, "dataset_verdict") != '\0') {
		buf_puts(b, "; in data sets: ");
		html_str(b, jrow_get(s->summary, "dataset_verdict"));
	}
	buf_puts(b, ".");
	html_close(b, "p");
}

static void
write_sides(const struct report_source *s, struct buf *b)
{
	html_open(b, "p", "m");
	buf_puts(b, "old ");
	shown(b, *jrow_get(s->header, "old") != '\0' ?
	    jrow_get(s->header, "old") : "(none was named)");
	buf_puts(b, "<br>new ");
	shown(b, jrow_get(s->header, "new"));
	html_close(b, "p");
}

void
report_write_diffs(const struct report *r, struct buf *b)
{
	for (const struct report_source *s = r->sources; s != NULL;
	    s = s->next) {
		if (!is_diff(s))
			continue;
		html_el(b, "h2", NULL, is_logs(s) ? "API logs" : "Comparison");
		if (!is_logs(s))
			write_sides(s, b);
		write_counts(s, b);
		for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
			write_part(s, &parts[i], b);
			if (parts[i].write == write_conclusion)
				report_heat_write(s->heat, b);
		}
	}
}
