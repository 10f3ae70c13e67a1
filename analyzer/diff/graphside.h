#ifndef ANALYZER_DIFF_GRAPHSIDE_H_
#define ANALYZER_DIFF_GRAPHSIDE_H_

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "formats/onnx_outline.h"

struct arena;
struct doc;
struct err;

/*
 * One of two ONNX graphs that are compared: its outline, what each name
 * stands for, and labels of its nodes.  All memory is the arena's.
 *
 * A label of radius r is a hash of what a node is and of what stands up to r
 * steps around it (Weisfeiler and Lehman, 1968): operator, domain, attributes
 * but those for people, types of weights and inputs, order of inputs, who
 * takes its outputs.  No name but those of the schema goes into it, so two
 * exports of one model have equal labels.  Equal labels suggest a pair and
 * prove nothing: whoever uses them compares what they stand for.
 */
#define GRAPH_RADII 4		/* 0, 1, 3 and 8 */

enum graph_source_kind {
	GRAPH_NOTHING,		/* the input is left out */
	GRAPH_NODE,		/* output ${out} of node ${index} */
	GRAPH_INPUT,		/* entry ${index} of ios */
	GRAPH_INITIALIZER,	/* the same */
	GRAPH_UNKNOWN,		/* a name that nothing defines */
};

struct graph_source {
	enum graph_source_kind kind;
	uint32_t index, out;
};

struct graph_def {
	uint32_t scope, name;
	struct graph_source what;
};

struct graph_consumer {
	uint32_t node, place, out;
};

struct graph_side {
	const struct doc *doc;
	struct onnx_outline o;
	struct graph_def *def;		/* by scope and name */
	size_t defs;
	struct graph_source *source;	/* of each use */
	uint64_t *scope_key;		/* which graph in which node */
	uint64_t *label[GRAPH_RADII];
	uint32_t *consumers;		/* of node i: from [i] to [i + 1] */
	struct graph_consumer *consumer;
	uint32_t *match;		/* node of the other side; 0: none */
};

/* graphside_read: ${names} is for both sides.  0, or negative. */
int graphside_read(struct graph_side *s, const struct doc *doc,
    struct outline_names *names, struct arena *a, struct err *e);

/* graphside_find: what a name is in a scope, or in those around it. */
struct graph_source graphside_find(const struct graph_side *s,
    uint32_t scope, uint32_t name);

/* graphside_mix: one more word into a hash. */
uint64_t graphside_mix(uint64_t h, uint64_t v);

/* Attributes for people alone: doc_string, metadata. */
bool graphside_is_note(const struct graph_side *s,
    const struct outline_attr *attr);

#define GRAPH_NODE_AT(s, i) OUTLINE_AT(outline_node, &(s)->o.nodes, (i))
#define GRAPH_USE_AT(s, i) OUTLINE_AT(outline_use, &(s)->o.uses, (i))
#define GRAPH_IO_AT(s, i) OUTLINE_AT(outline_io, &(s)->o.ios, (i))
#define GRAPH_ATTR_AT(s, i) OUTLINE_AT(outline_attr, &(s)->o.attrs, (i))
#define GRAPH_SCOPE_AT(s, i) OUTLINE_AT(outline_scope, &(s)->o.scopes, (i))

#endif /* !ANALYZER_DIFF_GRAPHSIDE_H_ */
