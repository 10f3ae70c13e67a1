#ifndef ANALYZER_DIFF_GRAPHMATCH_H_
#define ANALYZER_DIFF_GRAPHMATCH_H_

struct arena;
struct err;
struct graph_side;

/*
 * graphmatch: which node of ${old} is which of ${new}, into both sides'
 * match.  A node is in one pair at most.  Deterministic, n log n.  0, or
 * negative.
 */
int graphmatch(struct graph_side *old, struct graph_side *new,
    struct arena *a, struct err *e);

#endif /* !ANALYZER_DIFF_GRAPHMATCH_H_ */
