#ifndef CUSTODY_CASE_SUMMARY_H_
#define CUSTODY_CASE_SUMMARY_H_

#include <stdbool.h>

struct buf;
struct case_body;

/* A longer line ends with "...": the body has the rest. */
#define CASE_SUMMARY_MAX 480

/*
 * case_summary(b, kind, body): append one printable line that says what an
 * event's data say.
 */
void case_summary(struct buf *b, const char *kind,
    const struct case_body *body);

/* case_summary_streamed: does a seal say that nothing was re-read? */
bool case_summary_streamed(const struct case_body *body);

#endif /* !CUSTODY_CASE_SUMMARY_H_ */
