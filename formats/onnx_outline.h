#ifndef FORMATS_ONNX_OUTLINE_H_
#define FORMATS_ONNX_OUTLINE_H_

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/limits.h"

struct arena;
struct bytesrc;
struct err;

/*
 * The outline of an ONNX model: its graph as tables, for who compares two
 * (onnx.h is for who looks for what is odd in one).  Nothing is judged here.
 *
 *   onnx_outline.c        messages to entries
 *   onnx_outline_io.c     inputs, outputs, initializers
 *   onnx_outline_entry.c  texts, pairs, operator sets
 *   onnx_outline_value.c  attributes, tensors and types as text
 *   onnx_outline_table.c  tables and names
 *
 * Entries are numbered from 1 in the order of the file; 0 is none.  Names are
 * numbers of a table that several outlines share, so equal numbers are equal
 * texts (who makes a thousand names collide gets unequal numbers for equal
 * texts, never the reverse); 0 is the empty name, and "ai.onnx" as a domain.
 *
 * A value is text that says all of it (${whole}: equal texts are equal
 * values), or what it is and where its bytes stand: then bytes are compared
 * (onnx_outline_same).  Numbers are written so that they can be read back.
 *
 * Limits: LIMIT_OUTLINE_*, and the arena, from which all memory comes.  What
 * was not read to its end, or passed a limit, has ${cut}.
 */
#define OUTLINE_TEXT 1024	/* of a value that is whole */

/* A table in blocks, so that growing copies nothing. */
#define OUTLINE_BLOCK 4096
#define OUTLINE_BLOCKS (LIMIT_OUTLINE_NAMES / OUTLINE_BLOCK)
struct outline_vec {
	uint8_t *block[OUTLINE_BLOCKS];
	uint32_t count, size, max;
};

static inline void *
onnx_outline_at(const struct outline_vec *v, uint32_t i)
{
	return v->block[i / OUTLINE_BLOCK] +
	    (size_t)(i % OUTLINE_BLOCK) * v->size;
}

struct outline_name {
	const char *p;
	uint32_t n;
};

struct outline_names {
	struct arena *a;
	struct outline_vec v;	/* struct outline_name */
	uint32_t *slot;
	uint32_t slots;
};

struct outline_value {
	const char *text;
	uint32_t len;
	bool whole;
	uint64_t off, size;	/* of the message or text in the file */
};

struct outline_attr {
	uint32_t name, next;
	bool graph;		/* a graph: its nodes are in a scope */
	struct outline_value value;
};

struct outline_use {
	uint32_t name, next;
};

struct outline_list {
	uint32_t first, last, count;
};

struct outline_node {
	uint32_t scope, op, domain, overload, name;
	struct outline_list in, out;	/* uses */
	struct outline_list attrs;
};

enum outline_io_kind { OUTLINE_INPUT, OUTLINE_OUTPUT, OUTLINE_INITIALIZER };

/* An input or output of a graph or function, or an initializer. */
struct outline_io {
	uint32_t scope, name;
	enum outline_io_kind kind;
	uint32_t place;		/* among those of its kind in the scope */
	struct outline_value type;
};

/* A graph, or the body of a function. */
struct outline_scope {
	uint32_t parent;	/* whose names it sees; 0: none */
	uint32_t node, attr;	/* that it is the value of */
	bool body;		/* of a function, by these names */
	uint32_t function, domain, overload;
	struct outline_list attrs;	/* its defaults, its operator sets */
	uint32_t count[3];	/* by enum outline_io_kind */
};

/* What is said of the model: "producer_name", "metadata_props[x]", ... */
struct outline_fact {
	struct outline_name key;
	struct outline_value value;
};

struct onnx_outline {
	struct arena *a;
	const struct bytesrc *src;
	struct outline_names *names;
	struct outline_vec nodes, attrs, uses, ios, scopes, facts;
	uint32_t main;		/* the scope of the model's graph */
	bool cut;
};

#define OUTLINE_AT(type, v, i) ((struct type *)onnx_outline_at((v), (i)))

/* onnx_outline_names: an empty table; ERR_NOMEM. */
int onnx_outline_names(struct outline_names *t, struct arena *a,
    struct err *e);
struct outline_name onnx_outline_name(const struct outline_names *t,
    uint32_t i);

/*
 * onnx_outline_read: the model in ${src}, which must outlive *ret.  0 (see
 * ${cut}), or negative: our side.
 */
int onnx_outline_read(const struct bytesrc *src, struct outline_names *names,
    struct arena *a, struct onnx_outline *ret, struct err *e);

/* onnx_outline_same: 1, 0, or negative when reading failed. */
int onnx_outline_same(const struct bytesrc *src_a,
    const struct outline_value *a, const struct bytesrc *src_b,
    const struct outline_value *b, struct err *e);

#endif /* !FORMATS_ONNX_OUTLINE_H_ */
