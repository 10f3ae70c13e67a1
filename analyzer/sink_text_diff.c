#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "analyzer/result_diff.h"
#include "analyzer/sink_rows.h"
#include "analyzer/sink_text_diff.h"
#include "analyzer/sink_text_parts.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/fsio.h"
#include "base/limits.h"
#include "base/text.h"

/* What is shown of a section without -v. */
#define LINES 40
#define LINE_MAX_BYTES (64 * KIB)
#define SECTION_MAX (8 * MIB)
#define FIRST SINK_TEXT_FIRST

static const char *const titles[SECTIONS] = {"Known versions, closest first",
    "Callers", "Conclusions", "Changed around the weights", "Candidates and leads",
    "Detectors", "Findings", "Inputs"};

void
sink_text_diff_free(struct sink_text_diff *t)
{
	if (t == NULL)
		return;
	for (unsigned i = 0; i < SECTIONS; i++)
		buf_release(&t->section[i]);
	for (unsigned k = 0; k < ROW_STATUS_COUNT; k++)
		for (unsigned i = 0; i < t->nfirst[k]; i++)
			free(t->first[k][i].line);
	buf_release(&t->line);
	if (t->spool >= 0)
		(void)close(t->spool);
	free(t);
}

static int
no_memory(struct err *e)
{
	return err_set(e, ERR_NOMEM, "out of memory for a result");
}

int
sink_text_diff_begin(struct sink *s, const struct result_header *h,
    struct err *e)
{
	struct sink_text_diff *t = calloc(1, sizeof(*t));
	struct buf b;

	if (t == NULL)
		return no_memory(e);
	s->text = t;
	t->spool = -1;
	for (unsigned i = 0; i < SECTIONS; i++)
		buf_init(&t->section[i], SECTION_MAX);
	buf_init(&t->line, LINE_MAX_BYTES);
	if (s->verbose && !s->quiet && (t->spool = fsio_spool(e)) < 0)
		return t->spool;
	if (s->quiet)
		return 0;
	buf_init(&b, 64 * KIB);
	if (h->old != NULL)
		buf_printf(&b, "old  %s\n", h->old);
	if (h->new != NULL)
		buf_printf(&b, "new  %s\n", h->new);
	return sink_flush(s, &b, e);
}

void
sink_text_diff_keep(const struct sink *s, enum section k)
{
	struct sink_text_diff *t = s->text;
	struct buf *to = &t->section[k];

	if (buf_failed(&t->line) == 0 &&
	    (s->verbose || t->lines[k] < LINES) &&
	    t->line.len < SECTION_MAX - to->len) {
		buf_put(to, t->line.p, t->line.len);
		t->lines[k]++;
	} else {
		t->hidden[k]++;
	}
}

static void
put_type(struct buf *b, const struct row_tensor *r)
{
	const struct row_half *x = &r->half[ROW_OLD], *y = &r->half[ROW_NEW];
	char text[96];
	size_t n;

	if (x->there && y->there && strcmp(x->dtype, y->dtype) != 0)
		n = (size_t)snprintf(text, sizeof(text), "%.20s>%.20s",
		    x->dtype, y->dtype);
	else
		n = (size_t)snprintf(text, sizeof(text), "%.20s",
		    y->there ? y->dtype : x->dtype);
	(void)n;
	buf_printf(b, "%-10s ", text);
	x = y->there ? y : x;
	n = b->len;
	for (unsigned i = 0; i < x->rank; i++)
		buf_printf(b, "%s%llu", i > 0 ? "x" : "",
		    (unsigned long long)x->shape[i]);
	if (b->len - n < 14)
		buf_printf(b, "%*s", (int)(14 - (b->len - n)), "");
}

static void
make_tensor(struct buf *b, const struct row_tensor *r)
{
	if (r->measured)
		buf_printf(b, "  %7.3f %%  %-9.3g %-10.6g ",
		    r->elements > 0 ? 100 * (double)r->changed /
		    (double)r->elements : 0, r->rel_l2, r->cosine);
	else
		buf_printf(b, "  %9s  %-9s %-10s ", "-", "-", "-");
	put_type(b, r);
	buf_puts(b, "  ");
	sink_text_lines_name(b, r->name, 400);
	if (r->status == ROW_RENAMED && r->half[ROW_OLD].there) {
		buf_puts(b, "  (was ");
		sink_text_lines_name(b, r->half[ROW_OLD].name, 400);
		buf_putc(b, ')');
	}
	buf_putc(b, '\n');
}

/* The FIRST heaviest of a status, of equal ones those that came first. */
static int
rank(struct sink_text_diff *t, const struct row_tensor *r, struct err *e)
{
	struct ranked *v = t->first[r->status], x;
	unsigned *n = &t->nfirst[r->status], at;

	x.weight = r->measured && isfinite(r->rel_l2) ? r->rel_l2 : -1;
	if (*n == FIRST && x.weight <= v[FIRST - 1].weight)
		return 0;
	if ((x.line = strdup(buf_str(&t->line))) == NULL)
		return no_memory(e);
	if (*n == FIRST)
		free(v[FIRST - 1].line);
	else
		(*n)++;
	for (at = *n - 1; at > 0 && v[at - 1].weight < x.weight; at--)
		v[at] = v[at - 1];
	v[at] = x;
	return 0;
}

static int
line_tensor(struct sink *s, const struct row_tensor *r, struct err *e)
{
	struct sink_text_diff *t = s->text;

	if (r->status == ROW_IDENTICAL && t->spool < 0)
		return 0;
	if (t->spool >= 0)
		buf_printf(&t->line, "  %-9s", row_status_name(r->status));
	make_tensor(&t->line, r);
	if (buf_failed(&t->line) < 0)
		return no_memory(e);
	return t->spool >= 0 ? fsio_write_all(t->spool, t->line.p,
	    t->line.len, e) : rank(t, r, e);
}

int
sink_text_diff_row(struct sink *s, const struct result_diff *d,
    struct err *e)
{
	if (s->quiet)
		return 0;
	buf_clear(&s->text->line);
	if (d->type == DIFF_ROW_TENSOR)
		return line_tensor(s, d->row.tensor, e);
	sink_text_lines_row(s, d);
	return 0;
}

int
sink_text_diff_finding(struct sink *s, struct buf *b, struct err *e)
{
	struct sink_text_diff *t = s->text;
	int r = buf_failed(b);

	buf_release(&t->line);
	t->line = *b;
	sink_text_diff_keep(s, SECTION_FINDINGS);
	return r < 0 ? no_memory(e) : 0;
}

static void
put_title(const struct sink *s, struct buf *b, const char *title)
{
	buf_printf(b, "\n%s%s%s\n", s->colour ? "\033[1m" : "", title,
	    s->colour ? "\033[0m" : "");
}

static int
copy_spool(struct sink *s, int fd, struct err *e)
{
	char chunk[16 * KIB];
	off_t at = 0;
	ssize_t n;
	int r = 0;

	while (r >= 0 && (n = pread(fd, chunk, sizeof(chunk), at)) != 0) {
		if (n < 0)
			return err_set(e, ERR_IO, "cannot read a spool file");
		r = fsio_write_all(s->fd, chunk, (size_t)n, e);
		at += n;
	}
	return r;
}

#define COLUMNS \
	"changed    rel L2    cosine     type       shape           name"

static int
write_tensors(struct sink *s, const struct diff_sums *d, struct err *e)
{
	struct sink_text_diff *t = s->text;
	struct buf b;
	int r;

	buf_init(&b, 16 * MIB);
	if (t->spool >= 0 && lseek(t->spool, 0, SEEK_END) > 0) {
		put_title(s, &b, "Tensors");
		buf_puts(&b, "             " COLUMNS "\n");
		if ((r = sink_flush(s, &b, e)) < 0)
			return r;
		return copy_spool(s, t->spool, e);
	}
	for (unsigned k = 0; k < ROW_STATUS_COUNT; k++) {
		if (t->nfirst[k] == 0)
			continue;
		buf_printf(&b, "\n%llu tensors %s\n    " COLUMNS "\n",
		    (unsigned long long)d->tensors[k],
		    row_status_name((enum row_status)k));
		for (unsigned i = 0; i < t->nfirst[k]; i++)
			buf_puts(&b, t->first[k][i].line);
		if (d->tensors[k] > t->nfirst[k])
			buf_printf(&b, "  ... %llu more; -v shows all\n",
			    (unsigned long long)(d->tensors[k] -
			    t->nfirst[k]));
	}
	return sink_flush(s, &b, e);
}

static void
put_log_totals(struct buf *b, const struct diff_sums *d)
{
	buf_printf(b, "\n%llu records (%llu undated, %llu outside of the "
	    "window); %llu callers, %llu with a verdict\n"
	    "candidates: %llu, leads: %llu; %llu of %llu detectors applied\n",
	    (unsigned long long)d->records, (unsigned long long)d->undated,
	    (unsigned long long)d->outside, (unsigned long long)d->callers,
	    (unsigned long long)d->flagged, (unsigned long long)d->candidates,
	    (unsigned long long)d->leads, (unsigned long long)d->applied,
	    (unsigned long long)d->detectors);
}

static void
put_totals(struct buf *b, const struct diff_sums *d)
{
	bool any = false;

	if (d->logs) {
		put_log_totals(b, d);
		return;
	}
	buf_puts(b, "\ntensors:");
	for (unsigned k = 0; k < ROW_STATUS_COUNT; k++)
		if (d->tensors[k] > 0) {
			buf_printf(b, "%s %llu %s", any ? "," : "",
			    (unsigned long long)d->tensors[k],
			    row_status_name((enum row_status)k));
			any = true;
		}
	buf_puts(b, any ? "\n" : " none were compared\n");
	if (d->has_data)
		buf_printf(b, "data sets: %s\n",
		    sink_model_verdict(d->data_verdict));
	if (d->has_traffic)
		buf_printf(b, "logs: %s\n",
		    sink_model_verdict(d->traffic_verdict));
	if (d->detectors > 0)
		buf_printf(b, "%s: %s (%llu candidates, %llu leads; "
		    "%llu of %llu detectors applied)\n",
		    d->has_data ? "models" : "triggers",
		    sink_model_verdict(d->verdict),
		    (unsigned long long)d->candidates,
		    (unsigned long long)d->leads,
		    (unsigned long long)d->applied,
		    (unsigned long long)d->detectors);
}

int
sink_text_diff_end(struct sink *s, const struct result_summary *r,
    struct err *e)
{
	struct sink_text_diff *t = s->text;
	struct buf b;
	int res;

	buf_init(&b, (size_t)SECTIONS * SECTION_MAX + MIB);
	for (unsigned k = 0; k < SECTIONS; k++) {
		if (t->lines[k] + t->hidden[k] == 0)
			continue;
		put_title(s, &b, titles[k]);
		buf_put(&b, t->section[k].p, t->section[k].len);
		if (t->hidden[k] > 0)
			buf_printf(&b, "  ... %llu more%s\n",
			    (unsigned long long)t->hidden[k],
			    s->verbose ? "" : "; -v shows all");
	}
	if ((res = sink_flush(s, &b, e)) < 0 ||
	    (res = write_tensors(s, r->diff, e)) < 0)
		return res;
	buf_init(&b, 4 * KIB);
	put_totals(&b, r->diff);
	return sink_flush(s, &b, e);
}
