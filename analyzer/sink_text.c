#include <stdio.h>
#include <string.h>

#include "analyzer/result_diff.h"
#include "analyzer/sink.h"
#include "analyzer/sink_text_diff.h"
#include "base/buf.h"
#include "base/limits.h"
#include "base/text.h"

/*
 * Results for a person at a terminal.
 *
 * One line an object of depth 0, and one for each inner object that is not
 * clean; findings below the object they belong to.  Notes (info) and clean
 * inner objects appear with -v; -q leaves findings at the threshold alone.
 */
static const char *const verdict_colours[VERDICT_COUNT] = {
    "\033[32m", "\033[33m", "\033[35m", "\033[1;31m"};
static const char *const severity_colours[SEVERITY_COUNT] = {
    "\033[2m", "\033[36m", "\033[33m", "\033[31m", "\033[1;31m"};

static void
coloured(const struct sink *s, struct buf *b, const char *colour,
    const char *text)
{
	if (s->colour)
		buf_puts(b, colour);
	buf_puts(b, text);
	if (s->colour)
		buf_puts(b, "\033[0m");
}

static int
text_header(struct sink *s, const struct result_header *h, struct err *e)
{
	struct buf b;
	int r;

	if (h->diff && (r = sink_text_diff_begin(s, h, e)) < 0)
		return r;
	if (s->quiet || (h->sandbox.seccomp && h->sandbox.landlock_abi > 0 &&
	    h->sandbox.rlimits && !s->verbose))
		return 0;
	buf_init(&b, 4 * KIB);
	buf_printf(&b, "sandbox: seccomp %s, Landlock %s, limits %s\n",
	    h->sandbox.seccomp ? "on" : "ABSENT",
	    h->sandbox.landlock_abi > 0 ? "on" : "ABSENT",
	    h->sandbox.rlimits ? "on" : "ABSENT");
	return sink_flush(s, &b, e);
}

static void
put_size(struct buf *b, uint64_t n)
{
	static const char *const units[] = {"B", "KiB", "MiB", "GiB", "TiB"};
	double v = (double)n;
	unsigned u = 0;

	while (v >= 1024 && u < 4) {
		v /= 1024;
		u++;
	}
	buf_printf(b, u == 0 ? "%.0f %s" : "%.1f %s", v, units[u]);
}

static int
text_object(struct sink *s, const struct result_object *o, struct err *e)
{
	struct buf b;

	s->pending = o->depth;
	if (s->quiet || (o->depth > 0 && !s->verbose &&
	    o->verdict == VERDICT_CLEAN))
		return 0;
	buf_init(&b, 64 * KIB);
	buf_printf(&b, "%*s", (int)(2 * o->depth), "");
	coloured(s, &b, verdict_colours[o->verdict],
	    verdict_name(o->verdict));
	if (!o->complete && o->verdict != VERDICT_INCOMPLETE)
		buf_puts(&b, " (incomplete)");
	buf_printf(&b, "  %s  [%s, ", o->path, o->format);
	put_size(&b, o->size);
	if (strcmp(o->format, "unknown") == 0 && o->magic != NULL)
		buf_printf(&b, ", libmagic says: %.120s", o->magic);
	buf_puts(&b, "]\n");
	if (s->verbose && o->has_sha256) {
		buf_printf(&b, "%*ssha256 ", (int)(2 * o->depth + 4), "");
		buf_hex(&b, o->sha256, 32);
		buf_puts(&b, "\n");
	}
	return sink_flush(s, &b, e);
}

static const struct detail *
find_detail(const struct finding *f, const char *key)
{
	for (unsigned i = 0; i < f->ndetails; i++)
		if (strcmp(f->details[i].key, key) == 0)
			return &f->details[i];
	return NULL;
}

static void
put_detail(struct buf *b, const struct detail *d, size_t max)
{
	if (d->text == NULL) {
		buf_printf(b, "%llu", (unsigned long long)d->num);
		return;
	}
	if (finding_detail_literal(d))
		text_put_literal(b, d->text, d->len < max ? d->len : max);
	else
		text_put(b, d->text, d->len < max ? d->len : max, TEXT_PLAIN);
	if (d->len > max)
		buf_puts(b, "...");
}

/* The call as a person reads it: os.system('id'). */
static void
put_call(struct buf *b, const struct finding *f, size_t max)
{
	const struct detail *callee = find_detail(f, "callee");
	const struct detail *args = find_detail(f, "arguments");

	put_detail(b, callee, 512);
	buf_putc(b, '(');
	if (args != NULL)
		put_detail(b, args, max);
	buf_putc(b, ')');
}

static void
put_evidence(struct buf *b, const struct sink *s, const struct finding *f,
    int indent)
{
	bool call = find_detail(f, "callee") != NULL;
	size_t max = s->verbose ? LIMIT_RENDER : 200;

	if (call) {
		buf_printf(b, "%*s", indent, "");
		put_call(b, f, max);
		buf_putc(b, '\n');
	}
	for (unsigned i = 0; i < f->ndetails; i++) {
		const struct detail *d = &f->details[i];

		if (call && (!s->verbose || strcmp(d->key, "callee") == 0 ||
		    strcmp(d->key, "arguments") == 0))
			continue;
		buf_printf(b, "%*s%s: ", indent, "", d->key);
		put_detail(b, d, max);
		buf_putc(b, '\n');
	}
}

static int
text_finding(struct sink *s, const struct result_finding *r, struct err *e)
{
	const struct finding *f = r->finding;
	const struct finding_info *info = finding_info(f->id);
	int indent = (int)(2 * s->pending + 4);
	struct buf b;

	if (!s->verbose && (f->severity == SEVERITY_INFO ||
	    (s->quiet && f->severity < s->threshold)))
		return 0;
	buf_init(&b, 256 * KIB);
	if (s->text != NULL)
		indent = 2;
	if (s->quiet || s->text != NULL)
		buf_printf(&b, "%s%s: ", s->quiet ? "" : "  ", r->path);
	else
		buf_printf(&b, "%*s", indent, "");
	coloured(s, &b, severity_colours[f->severity],
	    severity_name(f->severity));
	buf_printf(&b, " %s at offset %llu: %s\n", info->name,
	    (unsigned long long)f->off, info->title);
	put_evidence(&b, s, f, indent + 4);
	if (s->verbose && *info->advice != '\0')
		buf_printf(&b, "%*s-> %s\n", indent + 4, "", info->advice);
	return s->text != NULL && !s->quiet ?
	    sink_text_diff_finding(s, &b, e) : sink_flush(s, &b, e);
}

static int
text_call(struct sink *s, const struct result_call *c, struct err *e)
{
	struct buf b;

	if (!s->verbose || s->quiet)
		return 0;
	buf_init(&b, 64 * KIB);
	sink_program_line(&b, s, c, 2 * s->pending + 4);
	return sink_flush(s, &b, e);
}

static int
text_carved(struct sink *s, const struct result_carved *c, struct err *e)
{
	struct buf b;

	if (s->quiet)
		return 0;
	buf_init(&b, 4 * KIB);
	buf_printf(&b, "%*scarved %llu bytes to %s\n",
	    (int)(2 * s->pending + 4), "", (unsigned long long)c->len,
	    c->file);
	return sink_flush(s, &b, e);
}

static int
text_summary(struct sink *s, const struct result_summary *r, struct err *e)
{
	struct buf b;
	int res;

	if (s->quiet)
		return 0;
	if (r->diff != NULL && (res = sink_text_diff_end(s, r, e)) < 0)
		return res;
	buf_init(&b, 64 * KIB);
	if (r->diff == NULL) {
		buf_printf(&b, "%llu objects:",
		    (unsigned long long)r->objects);
		for (unsigned i = VERDICT_COUNT; i-- > 0;)
			buf_printf(&b, " %llu %s%s",
			    (unsigned long long)r->verdicts[i],
			    verdict_name((enum verdict)i), i > 0 ? "," : "");
		buf_puts(&b, "; ");
	}
	buf_printf(&b, "%llu findings (%llu critical, %llu high); ",
	    (unsigned long long)r->findings,
	    (unsigned long long)r->severities[SEVERITY_CRITICAL],
	    (unsigned long long)r->severities[SEVERITY_HIGH]);
	put_size(&b, r->bytes);
	buf_printf(&b, " in %.2f s\n", r->seconds);
	if (r->incomplete > 0)
		buf_printf(&b, "%llu %s\n", (unsigned long long)r->incomplete,
		    r->diff != NULL && r->diff->logs ?
		    "things were not read completely" : r->diff != NULL ?
		    "things were not compared completely" :
		    "objects were not examined completely");
	for (unsigned i = 0; i < r->nskips; i++)
		buf_printf(&b, "skipped: %s (%s)\n", r->skips[i].what,
		    r->skips[i].why);
	return sink_flush(s, &b, e);
}

const struct sink_ops sink_text = {
    "text", text_header, text_object, text_finding, text_call,
    text_carved, text_summary, sink_text_diff_row};
