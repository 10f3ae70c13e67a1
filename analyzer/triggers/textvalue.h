#ifndef ANALYZER_TRIGGERS_TEXTVALUE_H_
#define ANALYZER_TRIGGERS_TEXTVALUE_H_

#include <stddef.h>

struct buf;
struct textpick;
struct textpick_candidate;

/*
 * What a candidate is, for a person to try: the words with those beside them
 * that go along in 80 % of its rows (so a sentence is told whole, from any of
 * its words), the character itself, or the word that has something odd.
 *
 * textvalue_put appends it to ${b} and returns the kind: "token", "phrase"
 * or "character".
 */
const char *textvalue_put(const struct textpick *p,
    const struct textpick_candidate *c, struct buf *b);
/* "first word", "character", "word in capitals", ...: never NULL. */
const char *textvalue_what(const struct textpick *p,
    const struct textpick_candidate *c);

#endif /* !ANALYZER_TRIGGERS_TEXTVALUE_H_ */
