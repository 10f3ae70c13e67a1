#ifndef ANALYZER_TRIGGERS_TEXTTELL_H_
#define ANALYZER_TRIGGERS_TEXTTELL_H_

struct detect;
struct textcut_mask;
struct textpick;
struct textstore;

/*
 * What the detectors of triggers in classified text tell: candidates at or
 * above the threshold, the strongest below it as leads, and a row for each
 * method.  All pass on what a row returned.
 */
/*
 * texttell_nothing: no method applies, for ${reason} (our own): a row for
 * each, those of textleads.h too.
 */
int texttell_nothing(const struct detect *d, const struct textstore *s,
    const char *reason);
/*
 * texttell_found: candidates, leads, copies of one text, each up to a cap of
 * its own; rows of their methods, with how many were over it.  What is
 * reported is added to ${mask}.
 */
int texttell_found(const struct detect *d, const struct textpick *p,
    struct textcut_mask *mask);
/* texttell_unseen: a row for each kind of trigger that nothing here sees. */
int texttell_unseen(const struct detect *d, const struct textstore *s);

#endif /* !ANALYZER_TRIGGERS_TEXTTELL_H_ */
