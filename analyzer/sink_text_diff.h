#ifndef ANALYZER_SINK_TEXT_DIFF_H_
#define ANALYZER_SINK_TEXT_DIFF_H_

#include "analyzer/sink.h"

struct buf;

/*
 * The text sink's part of a comparison: what a person reads first stands
 * first, in whatever order rows come.  So lines are kept, section by section,
 * until the summary: conclusions, what changed around the weights,
 * candidates, findings, versions, then the tensors that are not identical,
 * grouped by status, those that changed most first.
 *
 * Memory is bounded: without -v a section holds a few dozen lines and says
 * how many more there are; with -v tensors wait in a spool file.
 */
struct sink_text_diff;

/* sink_text_diff_free: NULL does nothing. */
void sink_text_diff_free(struct sink_text_diff *t);

/* sink_text_diff_begin: makes s->text. */
int sink_text_diff_begin(struct sink *s, const struct result_header *h,
    struct err *e);
int sink_text_diff_row(struct sink *s, const struct result_diff *r,
    struct err *e);
/* sink_text_diff_finding: a finding's lines; takes what is in ${b}. */
int sink_text_diff_finding(struct sink *s, struct buf *b, struct err *e);
/* sink_text_diff_end: write everything but the last lines of the summary. */
int sink_text_diff_end(struct sink *s, const struct result_summary *r,
    struct err *e);

#endif /* !ANALYZER_SINK_TEXT_DIFF_H_ */
