#ifndef ANALYZER_TRAFFIC_TEXTPROBE_H_
#define ANALYZER_TRAFFIC_TEXTPROBE_H_

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "analyzer/traffic/clusters.h"

struct answer;
struct wordrun;

/*
 * The texts of one caller: each is compared with the latest different ones
 * before it, for one that differs by one word.
 *
 * Two runs of words differ by one substitution when what they share at their
 * heads and at their tails leaves one word in each, and by one insertion when
 * it leaves one in the longer alone: two comparisons that end at the first
 * difference, so forty texts cost less than looking up all words in a table.
 */
struct textprobe;

struct textprobe_figures {
	uint64_t requests, distinct, joined, max_cluster;
	double exact_dup, cov, cov_char, short_, sub_one, flip;
};

/* NULL: out of memory.  ${several}: as in imageprobe.h. */
struct textprobe *textprobe_new(bool several);
void textprobe_free(struct textprobe *p);
/* textprobe_again: an exact repetition, of ${words} words. */
void textprobe_again(struct textprobe *p, uint64_t words);
/* ${source}: below 64, whose it is, of several. */
int textprobe_add(struct textprobe *p, const struct wordrun *w,
    uint64_t number, unsigned source, const struct answer *a);
void textprobe_figures(const struct textprobe *p,
    struct textprobe_figures *ret);
/* textprobe_near: was the last text that was added near an earlier one? */
bool textprobe_near(const struct textprobe *p);
uint64_t textprobe_requests(const struct textprobe *p);
const struct clusters *textprobe_clusters(const struct textprobe *p);

#endif /* !ANALYZER_TRAFFIC_TEXTPROBE_H_ */
