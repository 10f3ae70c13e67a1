#ifndef ANALYZER_DIFF_GRAPHTELL_H_
#define ANALYZER_DIFF_GRAPHTELL_H_

#include "analyzer/diff/graphside.h"
#include "analyzer/diff/rows.h"
#include "base/buf.h"

struct err;

/* Rows of CHANGE_GRAPH.  Private to around_graph.c and graphnodes.c. */
struct graphtell {
	struct graph_side *side[ROW_SIDES];
	const struct rows *rows;
	struct err *e;
	struct row_text path;
	struct buf key, text[ROW_SIDES];	/* of the row that is made */
	uint64_t listed, in_all[CHANGE_WHATS];	/* rows of nodes */
	uint64_t renamed, pairs;
};

/*
 * graphtell_row: key and texts from the buffers; a text whose ${has} is false
 * is absent.  The buffers are empty afterwards.
 */
int graphtell_row(struct graphtell *t, enum change_what what, bool has_old,
    bool has_new, struct basis *more);
/* ... of a node: counted, and told up to AROUND_GRAPH_ROWS. */
int graphtell_node(struct graphtell *t, enum change_what what, bool has_old,
    bool has_new);

void graphtell_name(struct buf *b, const struct graph_side *s, uint32_t name);
/* A node as people find it: its name, or its first output, or its number. */
void graphtell_node_name(struct buf *b, const struct graph_side *s,
    uint32_t i);
/* "conv1 (Conv)", "conv1:1 (Split)", "input x", "initializer w F32[3]". */
void graphtell_source(struct buf *b, const struct graph_side *s,
    const struct graph_source *g);

/* graphtell_same_source: do both stand for the same thing? */
bool graphtell_same_source(const struct graphtell *t,
    const struct graph_source *x, const struct graph_source *y);

/* graphnodes.c: all rows of nodes. */
int graphnodes(struct graphtell *t);

#endif /* !ANALYZER_DIFF_GRAPHTELL_H_ */
