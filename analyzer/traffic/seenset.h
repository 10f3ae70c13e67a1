#ifndef ANALYZER_TRAFFIC_SEENSET_H_
#define ANALYZER_TRAFFIC_SEENSET_H_

#include <stdbool.h>
#include <stdint.h>

/*
 * Which inputs a caller sent before: a table of 32-bit marks whose place
 * gives the rest of the hash; a wrong "seen" is one in a thousand million.
 * Once it is full nothing more is kept, and repetitions of what came after
 * are not known as such.
 */
struct seenset;

/* seenset_new: for ${expected} inputs; NULL: out of memory. */
struct seenset *seenset_new(uint64_t expected);
void seenset_free(struct seenset *s);
/* seenset_again: was it there already?  Now it is. */
bool seenset_again(struct seenset *s, uint64_t hash);
uint64_t seenset_dropped(const struct seenset *s);

#endif /* !ANALYZER_TRAFFIC_SEENSET_H_ */
