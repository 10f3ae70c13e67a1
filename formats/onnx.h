#ifndef FORMATS_ONNX_H_
#define FORMATS_ONNX_H_

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "formats/format.h"
#include "formats/pbwire.h"

/*
 * ONNX, read from the wire to its last byte (onnx.proto, IR version 14).
 *
 *   onnx.c            bid, the outermost message, what stands behind it
 *   onnx_walk.c       messages by the schema: unknown fields, fields twice
 *   onnx_table.c      tables, interned names, pairs
 *   onnx_text.c       text for people, metadata
 *   onnx_tensor.c     tensors: one value field, of the length that dims give
 *   onnx_sparse.c     sparse tensors: indices against dims
 *   onnx_external.c   keys of external data, and where a location leads
 *   onnx_files.c      the files that they name: ranges and what none covers
 *   onnx_node.c       nodes, attributes, scopes, functions
 *   onnx_domain.c     operators and domains, operator set imports
 *   onnx_graph.c      names to values: what is defined twice, what is unused
 *   onnx_bodies.c     graphs in nodes, and functions, as one flow
 *   onnx_flow.c       what each value depends on
 *   onnx_transfer.c   ... by operator
 *   onnx_trigger.c    architectural backdoors, by that
 *   onnx_const.c      the few constants that are looked into
 *
 * The bytes of a tensor are a range; nothing reads them here.  What is kept
 * lies in tables with a maximum each (LIMIT_ONNX_*); one that is full is told
 * as ANOMALY_LIMIT and what needs whole tables is left out.
 *
 * Index 0 of every table is "none": a scratch entry that a full table gives
 * to whoever adds, so that adding needs no check.
 */
#define ONNX_RANK 64
#define ONNX_CALLS 100	/* functions in functions: onnx refuses more */

enum onnx_message {
	ONNX_NONE,
#define MESSAGE(id, name) ONNX_##id,
#define FIELD(message, id, number, kind, count, of)
#include "formats/onnx_schema.def"
#undef MESSAGE
#undef FIELD
	ONNX_MESSAGES
};

/* ONNX_NODE_INPUT and so on: the numbers of the fields. */
enum onnx_number {
#define MESSAGE(id, name)
#define FIELD(message, id, number, kind, count, of) \
	ONNX_##message##_##id = number,
#include "formats/onnx_schema.def"
#undef MESSAGE
#undef FIELD
};

enum onnx_kind {
	ONNX_KIND_NONE,		/* no such field */
	ONNX_KIND_VARINT,
	ONNX_KIND_F32,
	ONNX_KIND_F64,
	ONNX_KIND_TEXT,
	ONNX_KIND_BYTES,
	ONNX_KIND_MSG,
};

/* TensorProto.DataType. */
enum onnx_type {
	ONNX_FLOAT = 1, ONNX_UINT8, ONNX_INT8, ONNX_UINT16, ONNX_INT16,
	ONNX_INT32, ONNX_INT64, ONNX_STRING, ONNX_BOOL, ONNX_FLOAT16,
	ONNX_DOUBLE, ONNX_UINT32, ONNX_UINT64, ONNX_COMPLEX64,
	ONNX_COMPLEX128, ONNX_BFLOAT16,
	ONNX_TYPES = 27
};

/* A table in blocks, so that growing copies nothing. */
#define ONNX_BLOCK 1024
#define ONNX_BLOCKS (LIMIT_ONNX_EDGES / ONNX_BLOCK)
struct onnx_table {
	uint32_t size;		/* of an entry */
	uint32_t count, max;
	void *block[ONNX_BLOCKS];
};

struct onnx_name {
	const char *p;
	uint32_t n;
	uint32_t chain;
	uint64_t off;		/* where it was first seen */
};

/* (kind, scope, name) to a number. */
struct onnx_pair {
	uint32_t kind, scope, name, value, chain;
};
enum onnx_pairs {
	ONNX_PAIR_VALUE,	/* scope, name: value */
	ONNX_PAIR_KEY,		/* message, key: seen */
	ONNX_PAIR_OPSET,	/* scope, domain: version + 1 */
	ONNX_PAIR_OVERLOAD,	/* domain, overload: a number for both */
	ONNX_PAIR_FUNCTION,	/* that number, name: function */
	ONNX_PAIR_NAMED,	/* 0, name: a binding or annotation has it */
	ONNX_PAIR_DOMAIN,	/* scope, domain: told */
	ONNX_PAIR_OP,		/* domain, operator: told */
	ONNX_PAIR_ORIGIN,	/* 0, value: a trigger that was told */
};

/* A use or a definition of a value, in the order of a node or a graph. */
struct onnx_edge {
	uint32_t name, value, next;
	uint8_t type;		/* of a graph's input; 0: not stated */
	uint8_t rank;		/* 255: not stated */
	bool single;		/* one element, by its stated shape */
};
struct onnx_list {
	uint32_t first, last, count;
};

/* An initialiser, or the tensor of a Constant. */
struct onnx_tensor {
	uint32_t name, scope;
	uint64_t elements;	/* UINT64_MAX: too many for 64 bits */
	uint64_t off, len;	/* its bytes in the object; len 0: not there */
	uint64_t at;		/* of its message */
	uint8_t type;
	uint8_t rank;
	bool initializer;
	bool vector;		/* one dim has all elements */
};

struct onnx_node {
	uint32_t scope, op, domain, overload, name;
	struct onnx_list in, out;
	uint32_t tensor;	/* the one of its attributes */
	uint32_t function;	/* the local one that it calls */
	uint32_t axes;		/* how many an attribute lists */
	int32_t arg;		/* axis, to: its one integer */
	uint64_t off;
	bool wide;		/* value_* of a Constant: several elements */
	uint8_t flow, data;	/* enum onnx_flow; see onnx_ops.def */
};

/* A graph, or the body of a function: where names live. */
struct onnx_scope {
	uint32_t parent;	/* whose names it sees; 0: none */
	uint32_t node;		/* the node that it is an attribute of */
	uint32_t attribute;	/* name of that */
	uint32_t function;
	uint32_t next;		/* of the same attribute, while it is read */
	struct onnx_list in, out;
	bool training;
	bool heavy;		/* it has weights of its own */
};

struct onnx_function {
	uint32_t domain, name, overload, scope;
	uint64_t off;
};

/*
 * A value: what a name stands for in a scope.  flags and what follows are the
 * state of onnx_flow.c.
 */
struct onnx_value {
	uint32_t name, scope;
	uint32_t node;		/* that gives it; 0: none */
	uint32_t tensor;	/* initialiser; 0: none */
	uint32_t out;		/* which output of the node, from 0 */
	uint16_t flags;		/* enum onnx_flags */
	int8_t net;		/* axes reduced, less axes added before */
	uint8_t dist;		/* cheap steps to an output of the model */
	uint8_t type, rank;	/* of an input of the model */
	bool input, single, used;
	uint32_t from;		/* where its truth value came from */
	uint32_t copy;		/* first onnx_copy that goes out */
	uint32_t back;		/* ... that comes in */
};

/* A value that is another one: in and out of graphs and functions. */
struct onnx_copy {
	uint32_t from, to, next, next_back;
};

/* A file that tensors name as their place. */
struct onnx_external {
	uint32_t location;	/* name */
	uint32_t tensor;	/* name */
	uint32_t type, rank;
	const uint64_t *dims;
	uint64_t off, len;
	uint64_t want;		/* bytes, by dims; UINT64_MAX: not known */
	uint64_t at;		/* of the tensor in the object */
	bool has_len;
};

/* What is kept of a message while it is read. */
struct onnx_frame_tensor {
	uint64_t dims[ONNX_RANK];
	unsigned rank;
	bool deep;		/* more than ONNX_RANK dims */
	bool negative;
	int64_t lo, hi;		/* of the integers in the typed field */
	uint64_t bits;		/* all that any of them has set */
	uint64_t type, location;
	uint32_t name;
	unsigned fields;	/* bit n: value field n has content */
	uint64_t count;		/* values in the typed field */
	unsigned runs;		/* pieces of it, or of raw_data */
	uint64_t off, len;	/* the first run */
	unsigned entries;	/* of external_data */
	uint32_t keys;		/* enum onnx_ext_key seen */
	uint32_t where;		/* location, as a name */
	uint64_t ext_off, ext_len;
};

struct onnx_frame_attribute {
	uint32_t name, ref;
	uint64_t type;
	uint32_t kinds;		/* bit t: a value of type t is there */
	uint32_t tensor;
	uint32_t scopes;	/* its graphs */
	uint64_t ints;		/* how many values a list has */
	int64_t first;
	uint64_t s_off, s_len;
};

struct onnx_frame {
	const struct onnx_row *row;
	enum onnx_message id;
	unsigned from;		/* the field of its parent that holds it */
	uint32_t serial;
	uint32_t scope;		/* where the names in it live */
	uint32_t seen;		/* bit n: field n occurred */
	bool oneof;		/* one of a ONEOF occurred */
	uint64_t off, at, len;
	union {
		struct onnx_frame_tensor tensor;
		struct onnx_frame_attribute attribute;
		struct {
			uint32_t index, op, domain;
			uint64_t context_off, context_len;
			bool embed;
		} node;
		struct {
			uint32_t index;
		} function;
		struct {
			uint32_t key;
			uint64_t off, len;
		} entry;
		struct {
			uint32_t domain;
			uint64_t version;
		} opset;
		struct {
			uint32_t name;
		} value;
		struct {
			bool one;
		} dimension;
		struct {
			uint64_t dims[ONNX_RANK];
			unsigned rank;
			uint64_t values;	/* how many */
			uint64_t indices, index_rank;
			uint32_t name;
			uint64_t off, len;	/* of the indices */
		} sparse;
	} u;
};

struct onnx {
	struct parse *p;
	struct pbwire w;
	struct onnx_frame *frame;	/* LIMIT_PB_DEPTH + 1 of them */
	uint32_t serial;
	struct onnx_table names, pairs, edges, nodes, tensors, scopes,
	    functions, externals, values, copies;
	uint32_t *name_bucket, *pair_bucket;
	size_t name_bytes;
	uint8_t *text;		/* LIMIT_ONNX_TEXT bytes of scratch */
	uint32_t main_scope;
	struct {
		uint8_t type, rank;
		bool single;
	} value;		/* of the ValueInfoProto that is read */
	uint64_t cover_from, cover_to;
	uint64_t odd_from;	/* the first of the unknown fields at the end */
	bool odd, graph, cut, full, nomem;
};

/* A field by the schema. */
struct onnx_field {
	const char *name;
	uint8_t kind;		/* enum onnx_kind */
	uint8_t count;
	uint8_t of;
};
enum onnx_count { ONNX_MANY, ONNX_ONE, ONNX_ONEOF };
enum onnx_text { ONNX_TEXT_DOC = ONNX_MESSAGES, ONNX_TEXT_NAME };

/*
 * What a message does: begin when it is entered, field for each of its fields
 * that is no message, end when it is left.  0, or negative.
 */
struct onnx_row {
	const char *name;
	int (*begin)(struct onnx *o, const struct onnx_frame *parent,
	    struct onnx_frame *f);
	int (*field)(struct onnx *o, struct onnx_frame *f,
	    const struct pb_field *w);
	int (*end)(struct onnx *o, struct onnx_frame *parent,
	    struct onnx_frame *f);
};

/* onnx_walk.c: 0 to go on, 1: the object could not be read to its end. */
int onnx_walk(struct onnx *o);
const struct onnx_field *onnx_field(enum onnx_message m, uint32_t number);
int onnx_tell(struct onnx *o, enum anomaly id, uint64_t off, uint64_t len,
    const struct fact *facts, unsigned n);
/* ... with one fact: a name. */
int onnx_tell_name(struct onnx *o, enum anomaly id, uint64_t off,
    const char *key, uint32_t name);
#define ONNX_FACT_NAME(o, key, id) FACT_TEXT((key), \
	onnx_text((o), (id)), onnx_text_len((o), (id)))

/* onnx_table.c */
int onnx_tables(struct onnx *o);
void *onnx_at(const struct onnx_table *t, uint32_t i);
void *onnx_add(struct onnx *o, struct onnx_table *t, uint32_t *i);
uint32_t onnx_intern(struct onnx *o, const void *p, size_t n, uint64_t off);
int onnx_intern_field(struct onnx *o, const struct pb_field *w,
    uint32_t *ret);
const char *onnx_text(const struct onnx *o, uint32_t name);
size_t onnx_text_len(const struct onnx *o, uint32_t name);
bool onnx_is(const struct onnx *o, uint32_t name, const char *text);
/* The entry of a pair; *fresh: it was made now, with value 0. */
struct onnx_pair *onnx_pair(struct onnx *o, enum onnx_pairs kind,
    uint32_t scope, uint32_t name, bool *fresh);
uint32_t onnx_find(const struct onnx *o, enum onnx_pairs kind,
    uint32_t scope, uint32_t name);
struct onnx_edge *onnx_append(struct onnx *o, struct onnx_list *l,
    uint32_t name);

#define ONNX_AT(type, t, i) ((struct type *)onnx_at((t), (i)))

/* onnx_text.c */
int onnx_doc(struct onnx *o, const struct onnx_frame *f,
    const struct pb_field *w);
extern const struct onnx_row onnx_row_entry;

/* onnx_tensor.c, onnx_sparse.c */
extern const struct onnx_row onnx_row_tensor, onnx_row_sparse;
const char *onnx_dtype(uint64_t type);	/* safetensors' name, or NULL */
unsigned onnx_bits(uint64_t type);	/* 0: of no fixed size */
/* Their product; false: beyond 2^63. */
bool onnx_elements(const uint64_t *dims, unsigned rank, uint64_t *ret);
bool onnx_bytes(uint64_t type, uint64_t elements, uint64_t *ret);
/* Are the bytes [off, off + len) of ${src} all zero?  Negative: ours. */
int onnx_zero(struct onnx *o, const struct bytesrc *src, uint64_t off,
    uint64_t len, bool *ret, uint64_t *first);
/* A long string: is it bytes?  Told as an object that nothing loads. */
int onnx_blob(struct onnx *o, uint64_t off, uint64_t len, const char *name,
    size_t name_len, bool tell);

/* onnx_external.c, onnx_files.c */
int onnx_external_entry(struct onnx *o, struct onnx_frame *tensor,
    const struct onnx_frame *entry);
/* A path that a reader would open, judged as it is spelled. */
int onnx_external_path(struct onnx *o, uint32_t path, uint64_t off);
int onnx_external_tensor(struct onnx *o, const struct onnx_frame *f);
int onnx_files(struct onnx *o);

/* onnx_node.c */
extern const struct onnx_row onnx_row_graph, onnx_row_node,
    onnx_row_attribute, onnx_row_function, onnx_row_value, onnx_row_opset,
    onnx_row_tensor_type, onnx_row_shape, onnx_row_dimension;

/* onnx_domain.c */
struct onnx_op {
	const char *name;
	uint8_t flow;		/* enum onnx_flow */
	uint8_t data;
	bool standard;
};
enum onnx_flow { ONNX_FLOW_HEAVY, ONNX_FLOW_CHEAP, ONNX_FLOW_MERGE,
	ONNX_FLOW_COMPARE, ONNX_FLOW_SATURATE, ONNX_FLOW_CAST,
	ONNX_FLOW_REDUCE, ONNX_FLOW_REDUCE_ONE, ONNX_FLOW_PICK, ONNX_FLOW_UNSQUEEZE,
	ONNX_FLOW_SHAPE, ONNX_FLOW_DYNAMIC, ONNX_FLOW_CONST, ONNX_FLOW_CONCAT,
	ONNX_FLOW_WIDEN, ONNX_FLOW_SELECT, ONNX_FLOW_SCATTER,
	ONNX_FLOW_BODY };
const struct onnx_op *onnx_op(const struct onnx *o, uint32_t name);
int onnx_check_op(struct onnx *o, const struct onnx_frame *f);
int onnx_check_function(struct onnx *o, uint32_t index);
int onnx_domains(struct onnx *o);

/* onnx_graph.c */
int onnx_graphs(struct onnx *o);
uint32_t onnx_lookup(const struct onnx *o, uint32_t scope, uint32_t name);

/* onnx_const.c */
/* Do the bytes look like what nothing computes with?  0, 1 or negative. */
int onnx_is_payload(struct onnx *o, const struct onnx_tensor *t);
/* More than one element, and not all of them the same.  0, 1, negative. */
int onnx_is_wide(struct onnx *o, const struct onnx_tensor *t);

/*
 * What a value depends on (onnx_flow.c).  None of RAW, GATE, HEAVY and
 * CONTROL: on no input, it is a constant.
 */
enum onnx_flags {
	ONNX_RAW = 1 << 0,	/* an input's content, by cheap operators */
	ONNX_GATE = 1 << 1,	/* ... by a comparison of it */
	ONNX_HEAVY = 1 << 2,	/* an input, through weights: the main path */
	ONNX_CONTROL = 1 << 3,	/* an input of one element: a switch */
	ONNX_WIDE = 1 << 4,	/* a constant of several different values */
	ONNX_MIX = 1 << 5,	/* a GATE that lets a wide constant through */
	ONNX_SCALED = 1 << 6,	/* ... a constant of one value */
	ONNX_PART = 1 << 7,	/* a constant stands beside the main path */
	ONNX_DYNAMIC = 1 << 8,	/* its size depends on the content */
	ONNX_SOFT = 1 << 9,	/* a GATE by saturation, not by comparison */
};
#define ONNX_INPUT (ONNX_RAW | ONNX_GATE | ONNX_HEAVY)

/* onnx_flow.c */
int onnx_flow(struct onnx *o);
/* The i-th input of a node; value 0 when it is not there. */
struct onnx_value *onnx_input(const struct onnx *o,
    const struct onnx_node *n, unsigned i);

/* onnx_transfer.c */
struct onnx_state {
	uint32_t flags;
	int net;
	uint32_t from;
};
struct onnx_state onnx_transfer(const struct onnx *o,
    const struct onnx_node *n);
/* ... of one output of a node that holds graphs. */
struct onnx_state onnx_transfer_body(const struct onnx *o,
    const struct onnx_node *n, const struct onnx_value *out);

/* onnx_bodies.c: copies in and out of graphs and functions. */
int onnx_bodies(struct onnx *o);
struct onnx_value *onnx_nth(const struct onnx *o,
    const struct onnx_list *l, unsigned i);

/* onnx_trigger.c */
int onnx_triggers(struct onnx *o);

#endif /* !FORMATS_ONNX_H_ */
