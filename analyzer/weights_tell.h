#ifndef ANALYZER_WEIGHTS_TELL_H_
#define ANALYZER_WEIGHTS_TELL_H_

#include "analyzer/weights.h"
#include "analyzer/weights_carve.h"
#include "analyzer/weights_count.h"
#include "analyzer/weights_flag.h"

/* Findings of the deep pass, in the words of the catalogue. */
struct weights_teller {
	const struct weights_events *ev;
	void *ctx;
};

/* A detector's flag: "z": "0.4 < 3.5". */
int weights_tell_flag(const struct weights_teller *t,
    const struct weights_at *at, const struct weights_flag *f);

/*
 * What was carved: a finding, then the bytes as a member named
 * tensor#stream+element.  ${zeros}: the stream is one of signs of zeros.
 */
int weights_tell_carved(const struct weights_teller *t,
    const struct weights_carved *x, bool zeros, struct err *e);

/* Counts that are worth a note, if these are. */
int weights_tell_channels(const struct weights_teller *t,
    const struct weights_count *c);

/* A bound of the carver was reached in this tensor. */
int weights_tell_cut(const struct weights_teller *t,
    const struct weights_at *at);

#endif /* !ANALYZER_WEIGHTS_TELL_H_ */
