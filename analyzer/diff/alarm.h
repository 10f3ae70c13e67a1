#ifndef ANALYZER_DIFF_ALARM_H_
#define ANALYZER_DIFF_ALARM_H_

#include "analyzer/diff/rowtap.h"

/*
 * From conclusions, candidates and changes to findings: a conclusion says
 * what was done; a finding also has a severity, an advice and a place in the
 * exit code.  Rows go through unchanged; a candidate, and those that the
 * tables in alarm.c name, are followed by a finding about NEW.
 */
/* alarm_init: ${a} must outlive the use of a->rows. */
void alarm_init(struct rowtap *a, const struct rows *to);

/* alarm_candidate: the finding of a candidate. */
void alarm_candidate(const struct row_candidate *c, struct finding *f);

#endif /* !ANALYZER_DIFF_ALARM_H_ */
