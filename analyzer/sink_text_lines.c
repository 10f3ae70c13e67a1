#include <math.h>

#include "analyzer/sink_text_parts.h"
#include "base/clock.h"
#include "base/limits.h"
#include "base/text.h"

/* The lines of rows for a person, tensors left out. */
#define LEADS 5		/* of a list of them, without -v */

void
sink_text_lines_name(struct buf *b, struct row_text t, size_t max)
{
	if (t.p == NULL) {
		buf_puts(b, "-");
		return;
	}
	text_put(b, t.p, t.n < max ? t.n : max, TEXT_PLAIN);
	if (t.n > max)
		buf_puts(b, "...");
}

static void
put_evidence(struct buf *b, struct basis *s, size_t max)
{
	const uint8_t *p;
	size_t n;

	if (s == NULL)
		return;
	p = basis_bytes(s, &n);
	if (basis_paragraph(p, n, max, b))
		buf_puts(b, "      ... (-v shows all)\n");
}

static size_t
most(const struct sink *s)
{
	return s->verbose ? 16 * KIB : 600;
}

static void
line_input(const struct sink *s, const struct result_diff *d)
{
	const struct row_input *r = d->row.input;

	if (!s->verbose && r->complete)
		return;
	buf_printf(&s->text->line, "  %s%s  [%s, %llu %s]%s\n",
	    r->has_records ? "" : r->side == ROW_OLD ? "old  " : "new  ",
	    d->path, r->format, (unsigned long long)(r->has_records ?
	    r->records : r->tensors), r->has_records ? "records" : "tensors",
	    r->complete ? "" : "  not read to its end");
	sink_text_diff_keep(s, SECTION_INPUTS);
}

static void
line_conclusion(const struct sink *s, const struct result_diff *d)
{
	const struct row_conclusion *r = d->row.conclusion;
	struct buf *b = &s->text->line;

	buf_printf(b, "  %s%s%s  (%s, tensors: %llu)\n    %s\n",
	    s->colour ? "\033[1m" : "", conclusion_name(r->kind),
	    s->colour ? "\033[0m" : "", confidence_name(r->confidence),
	    (unsigned long long)r->tensors_in_all,
	    conclusion_meaning(r->kind));
	put_evidence(b, r->evidence, most(s));
	for (size_t i = 0; i < r->ntensors && (s->verbose || i < 3); i++) {
		buf_puts(b, i == 0 ? "    in " : ", ");
		sink_text_lines_name(b, r->tensors[i], 120);
	}
	if (r->tensors_in_all > 3 && !s->verbose)
		buf_puts(b, ", ...");
	buf_puts(b, r->ntensors > 0 ? "\n" : "");
	for (unsigned i = 0; i < r->nalternatives; i++)
		buf_printf(b, "    or: %s\n", r->alternatives[i]);
	sink_text_diff_keep(s, SECTION_CONCLUSIONS);
}

static void
line_candidate(const struct sink *s, const struct result_diff *d)
{
	const struct row_candidate *r = d->row.candidate;
	struct buf *b = &s->text->line;

	if (r->lead && r->rank > LEADS && !s->verbose) {
		s->text->hidden[SECTION_CANDIDATES]++;
		return;
	}
	buf_printf(b, "  %-9s #%u %s '", r->lead ? "lead" : "candidate",
	    r->rank, r->kind);
	sink_text_lines_name(b, r->value, 200);
	buf_printf(b, "'  score %.4g", r->score);
	if (r->has_q)
		buf_printf(b, ", q %.3g", r->q);
	if (r->target.p != NULL) {
		buf_puts(b, ", to '");
		sink_text_lines_name(b, r->target, 200);
		buf_putc(b, '\'');
	}
	buf_printf(b, "  [%s]\n", r->method);
	if (s->verbose || (!r->lead && r->rank == 1))
		put_evidence(b, r->evidence, most(s));
	sink_text_diff_keep(s, SECTION_CANDIDATES);
}

static void
line_change(const struct sink *s, const struct result_diff *d)
{
	const struct row_change *r = d->row.change;
	struct buf *b = &s->text->line;
	size_t max = s->verbose ? 4 * KIB : 100;

	buf_printf(b, "  %-12s %-8s ", change_area_name(r->area),
	    change_what_name(r->what));
	if (r->key.p != NULL)
		sink_text_lines_name(b, r->key, 200);
	if (r->old.p != NULL || r->new.p != NULL) {
		buf_puts(b, ": ");
		sink_text_lines_name(b, r->old, max);
		buf_puts(b, " -> ");
		sink_text_lines_name(b, r->new, max);
	}
	buf_printf(b, "  [%s]\n", d->path);
	if (s->verbose)
		put_evidence(b, r->more, most(s));
	sink_text_diff_keep(s, SECTION_CHANGES);
}

static void
line_detector(const struct sink *s, const struct result_diff *d)
{
	const struct row_detector *r = d->row.detector;
	struct buf *b = &s->text->line;

	buf_printf(b, "  %-20s %s%s%s\n", r->method,
	    r->applied ? "applied" : "no verdict",
	    r->reason != NULL ? ": " : "", r->reason != NULL ? r->reason : "");
	if (s->verbose)
		put_evidence(b, r->evidence, most(s));
	sink_text_diff_keep(s, SECTION_DETECTORS);
}

static void
line_version(const struct sink *s, const struct result_diff *d)
{
	const struct row_version *r = d->row.version;
	struct buf *b = &s->text->line;

	buf_printf(b, "  %3u. ", r->rank);
	if (isnan(r->distance))
		buf_puts(b, "nothing shared ");
	else
		buf_printf(b, "distance %-9.3g", r->distance);
	buf_printf(b, "  %llu of %llu shared tensors identical  %s%s%s\n",
	    (unsigned long long)r->identical, (unsigned long long)r->shared,
	    d->path, r->parent ? "  (most likely what NEW came from)" : "",
	    r->rollback ? "  (the version to roll back to)" : "");
	if (s->verbose)
		put_evidence(b, r->evidence, most(s));
	sink_text_diff_keep(s, SECTION_VERSIONS);
}

static void
put_when(struct buf *b, const struct row_caller *r)
{
	char first[CLOCK_TEXT], last[CLOCK_TEXT];

	if (r->has_times)
		buf_printf(b, ", %s to %s",
		    clock_rfc3339(first, r->first_ns, 0),
		    clock_rfc3339(last, r->last_ns, 0));
}

/* Those of whom nothing is said appear with -v. */
static void
line_caller(const struct sink *s, const struct result_diff *d)
{
	const struct row_caller *r = d->row.caller;
	struct buf *b = &s->text->line;

	if (r->nverdicts == 0 && !s->verbose)
		return;
	buf_printf(b, "  %s", s->colour && r->nverdicts > 0 ? "\033[1m" : "");
	if (r->caller.p != NULL)
		sink_text_lines_name(b, r->caller, 200);
	else
		buf_puts(b, "(no caller named)");
	buf_printf(b, "%s  %llu requests",
	    s->colour && r->nverdicts > 0 ? "\033[0m" : "",
	    (unsigned long long)r->requests);
	if (r->endpoint.p != NULL) {
		buf_puts(b, " to ");
		sink_text_lines_name(b, r->endpoint, 200);
	}
	put_when(b, r);
	buf_putc(b, '\n');
	for (unsigned i = 0; i < r->nverdicts; i++)
		buf_printf(b, "    %s: %s\n", r->verdicts[i],
		    caller_verdict_meaning(caller_verdict_find(
		    r->verdicts[i])));
	put_evidence(b, r->statistics, most(s));
	sink_text_diff_keep(s, SECTION_CALLERS);
}

void
sink_text_lines_row(const struct sink *s, const struct result_diff *d)
{
	static void (*const lines[DIFF_ROWS])(const struct sink *,
	    const struct result_diff *) = {line_input, NULL, line_conclusion,
	    line_candidate, line_change, line_detector, line_version,
	    line_caller};

	lines[d->type](s, d);
}
