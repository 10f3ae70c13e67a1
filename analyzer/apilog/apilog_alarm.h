#ifndef ANALYZER_APILOG_APILOG_ALARM_H_
#define ANALYZER_APILOG_APILOG_ALARM_H_

#include "analyzer/diff/rowtap.h"

/*
 * From callers and candidates to findings: a row says what was found; a
 * finding also has a severity, an advice and a place in the exit code.  Rows
 * go through unchanged; a caller with verdicts is followed by one finding for
 * each rule that they belong to (verdicts.def), as severe as the worst of
 * them, a candidate by one: of the method "traffic-use" that a trigger was
 * used, else that there is one.
 */
/* apilog_alarm_init: ${a} must outlive the use of a->rows. */
void apilog_alarm_init(struct rowtap *a, const struct rows *to);

#endif /* !ANALYZER_APILOG_APILOG_ALARM_H_ */
