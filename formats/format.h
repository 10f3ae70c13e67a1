#ifndef FORMATS_FORMAT_H_
#define FORMATS_FORMAT_H_

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/cursor.h"

struct arena;
struct buf;
struct bytesrc;
struct err;

/*
 * A format turns bytes into events, and does nothing else: no files, no
 * clock, no environment, no state between calls.  Same bytes in, same
 * events out.  What an event means is the analyzer's business.
 *
 * Adding a format: formats/foo.c with `const struct format format_foo`, one
 * row in formats.def.  `make check-catalogue` then asks for
 * tests/unit/test_foo.c, tests/fuzz/foo.dict, samples/foo/ and a section in
 * docs/FORMATS.md.
 *
 * bid(head, size): how sure is it, in verified bits (libarchive's manner):
 * 0 not mine; a 4-byte magic is 32.  head is the first FORMAT_HEAD bytes (or
 * the whole object, if shorter), size that of the whole object.  EVERY
 * plausible bid is parsed; see registry.h.
 *
 * parse(p): read p->src, tell p->ev.  Returns 0 when it has understood the
 * object to its end (having told what is wrong with it as anomalies), 1
 * when it could not go on (it has told why by an anomaly; the object is
 * incomplete), or a negative err_code when our side failed.  ERR_STOP from
 * an event is passed on at once.
 */
#define FORMAT_HEAD 4096
#define FORMAT_TAIL (22 + 65535)

/* What a format says is odd: a fact, with its place. */
enum anomaly {
#define ANOMALY(id, meaning) ANOMALY_##id,
#include "formats/anomalies.def"
#undef ANOMALY
	ANOMALY_COUNT
};

/* Parts of an anomaly's or call's evidence, given as key and value. */
struct fact {
	const char *key;	/* our own constant, [a-z_]+ */
	const void *text;	/* bytes from anywhere, or NULL for a number */
	size_t len;
	uint64_t num;
};
#define FACT_TEXT(k, p, n) {(k), (p), (n), 0}
#define FACT_NUM(k, v) {(k), NULL, 0, (v)}
#define FACT_MAX 8

struct ev_anomaly {
	enum anomaly id;
	uint64_t off, len;	/* within the object */
	const struct fact *facts;
	unsigned nfacts;	/* at most FACT_MAX */
};

/* An object inside the object. */
enum member_flags {
	MEMBER_PLAIN = 0,
	MEMBER_STORED = 1 << 0,	/* a range of the container: no copy made */
	MEMBER_STORAGE = 1 << 1,/* raw tensor bytes by its container's rules:
				 * only its head is looked at, unless --deep */
	MEMBER_VIRTUAL = 1 << 2,/* not a file: a part that we carved */
	MEMBER_TAG = 1 << 3,	/* a tag file of an evidence bundle */
	MEMBER_DORMANT = 1 << 4,/* nothing is known to load it: what it would
				 * run is a note about it, not a verdict */
	MEMBER_CARVED = 1 << 5,	/* bytes that no reader shows: its format is
				 * what is certain, and --carve writes it */
};

struct ev_member {
	const char *name;	/* raw bytes as stored */
	size_t name_len;
	uint64_t off;		/* of its data in the container, if stored */
	uint64_t size;		/* of its content */
	unsigned flags;		/* enum member_flags */
	const struct bytesrc *src; /* its content; valid during the call */
	const char *format;	/* the format that must parse it, or NULL: bid */
};

/* A global that the object names (pickle: module and dotted name). */
struct ev_global {
	const char *module;	/* after python-2 mapping */
	size_t module_len;
	const char *name;
	size_t name_len;
	uint64_t off;
	const char *opcode;	/* "GLOBAL", "STACK_GLOBAL", "INST", "EXT1" */
	bool called;		/* known already to be called */
	bool resolved;		/* false: the names could not be computed */
};

/*
 * A call that loading the object would make.
 *
 * sig has one letter for each argument: n None, b bool, i an integer of 64
 * bits, I a longer one, f float, s text of at most CALL_SHORT bytes, S longer
 * text, y bytes, g a global or module, o what another call gave, p a
 * persistent id, u a buffer, t tuple, l list, d dict, e set or frozenset, x
 * anything else.  A container that is not empty has the letters of its
 * elements, each once, behind it in braces: "l{t}" is a list of tuples.  "/"
 * stands before keyword arguments, "+" at the end of a signature that was cut
 * at CALL_SIG.
 */
#define CALL_SHORT 64
#define CALL_SIG 64

enum call_flags {
	CALL_IMPLICIT = 1 << 0,	/* a method that the opcode looks up itself:
				 * __setstate__, append, __setitem__, ... */
	CALL_DEFERRED = 1 << 1,	/* handed to something that calls it: map,
				 * atexit.register, ... */
	CALL_UNFRAMED = 1 << 2,	/* only for readers that drop a frame's rest */
	CALL_CARVED = 1 << 3,	/* found where no pickle was announced */
};

struct ev_call {
	const char *callee;	/* "os.system", printable, resolved path */
	size_t callee_len;
	uint32_t callee_id;	/* same number, same callee in one parse */
	const char *sig;
	const char *target;	/* what it gives, if that is a global by name:
				 * getattr(os, 'system') gives os.system */
	size_t target_len;	/* 0: no name */
	uint64_t off;		/* of the opcode that calls */
	const char *opcode;	/* "REDUCE", "BUILD", ... */
	uint64_t index;		/* 0, 1, ... order of execution */
	unsigned stream;	/* which stacked pickle, 0-based */
	unsigned flags;		/* enum call_flags */
	bool resolved;		/* the callee is a known global */
	const void *args;	/* for format_call_args alone */
	void (*render)(const void *args, struct buf *b);
	uint64_t (*digest)(const void *args);
};

/*
 * format_call_args: the arguments as text, within what ${b} may hold: text
 * and bytes as quoted literals, globals as bare dotted names.  Rendering
 * costs more than all else about a call, so only who wants it asks.
 */
void format_call_args(const struct ev_call *c, struct buf *b);
/*
 * format_call_digest: a hash of text and bytes among the arguments themselves
 * (not inside containers), whole, where rendering shows a part of a long one.
 * Not keyed: equal digests mean equal arguments unless somebody made them so.
 */
uint64_t format_call_digest(const struct ev_call *c);

struct ev_tensor {
	const char *name;
	size_t name_len;
	const char *dtype;	/* "F32", "BF16", ... safetensors' names */
	const uint64_t *shape;
	unsigned rank;
	uint64_t off, len;	/* its bytes; len 0: they are not at hand */
	const struct bytesrc *src; /* where those are, valid during the call;
				 * NULL: in the object itself */
};

/*
 * A tensor as the program sees it: a name, and a view into a storage that
 * others may share.  Formats whose tensors are named ranges of bytes tell
 * those alone (ev_tensor); one that keeps names and bytes apart (torch) tells
 * its storages as tensors and what is made of them as views.
 */
struct ev_view {
	const char *name;	/* keys from the top, joined by '.' */
	size_t name_len;
	const char *dtype;
	const uint64_t *shape, *stride;	/* rank each; strides in elements */
	unsigned rank;
	uint64_t off, len;	/* the storage's bytes; len 0: not at hand */
	uint64_t first;		/* element of the storage that comes first */
	const struct bytesrc *src; /* where they are, valid during the call;
				 * NULL: in the object itself */
	uint64_t storage;	/* its number: equal numbers share bytes */
};

struct ev_meta {
	const char *key;
	size_t key_len;
	const char *value;
	size_t value_len;
	uint64_t off;
};

/*
 * What a parser can say of a range of its object.  Ranges may come in any
 * order and overlap.  A parser that tells none has explained all when it
 * returns 0; one that tells any leaves the rest unexplained, and the analyzer
 * looks at those bytes: non-zero ones are a finding, and so are non-zero
 * bytes of padding.  Bytes that a parser told as an anomaly of their own
 * (TRAILING, LEADING, a gap) need not be told here: they count as unexplained
 * and get no second finding.
 */
enum cover {
	COVER_EXPLAINED,	/* a structure, or what a structure points to */
	COVER_PADDING,		/* filler that no reader looks at */
};

/*
 * A file beside the object: external data, a shard, a tokenizer.  The name is
 * relative to the object's folder, as the object spells it, in raw bytes;
 * whoever opens it follows no link and does not leave the root of the scan.
 */
enum sibling {
	SIBLING_OPEN,		/* *ret is the file; bytesrc_free it */
	SIBLING_NONE,		/* no such file */
	SIBLING_REFUSED,	/* a link, no regular file, outside the root */
	SIBLING_UNKNOWN,	/* the object has no folder, or a limit */
};

/*
 * The consumer.  Each returns 0 to go on, or negative (ERR_STOP, or its own
 * failure), which parse passes on.  A NULL entry is not called: use the
 * format_* helpers below, which check.
 */
struct events {
	int (*member)(void *ctx, const struct ev_member *m);
	int (*global)(void *ctx, const struct ev_global *g);
	int (*call)(void *ctx, const struct ev_call *c);
	int (*tensor)(void *ctx, const struct ev_tensor *t);
	int (*view)(void *ctx, const struct ev_view *v);
	int (*meta)(void *ctx, const struct ev_meta *m);
	int (*anomaly)(void *ctx, const struct ev_anomaly *a);
	/* The object is more than its container: "torch_zip", not "zip". */
	int (*name)(void *ctx, const char *format);
	int (*cover)(void *ctx, uint64_t off, uint64_t len, enum cover kind);
	/* An enum sibling, or negative; *ret is set on SIBLING_OPEN alone. */
	int (*sibling)(void *ctx, const char *name, size_t n,
	    struct bytesrc **ret);
	/* As reg_tree.digest (formats/reg/reg.h), ${a} an enum reg_algorithm. */
	int (*digest)(void *ctx, unsigned a, const void *prefix, size_t n,
	    const struct bytesrc *src, uint8_t out[64]);
};

struct parse {
	const struct bytesrc *src;
	uint64_t size;		/* bytesrc_size(src) */
	struct arena *arena;	/* all memory comes from here */
	const struct events *ev;
	void *ctx;
	struct err *e;
	size_t window;		/* reader window; 0: default.  Tests vary it */
	unsigned depth;		/* nesting of this object, 0 outermost */
	/* What nested objects may still have together, told or not; it sinks
	 * with each member that is given.  NULL: nobody counts. */
	const uint64_t *room;
};

enum format_kind {
	FORMAT_MODEL,		/* carries weights or code */
	FORMAT_CONTAINER,	/* carries other objects */
	FORMAT_DATA,		/* text, tables, images */
};

struct format {
	const char *name;	/* as printed in "format" */
	enum format_kind kind;
	unsigned (*bid)(struct cursor head, uint64_t size);
	/* NULL, or a bid by the last FORMAT_TAIL bytes: formats that are read
	 * from their end can stand behind another. */
	unsigned (*bid_tail)(struct cursor tail, uint64_t size);
	int (*parse)(struct parse *p);
	/* NULL, or the format that this one is written in: it reads all that
	 * the other would, so the other's bid is dropped. */
	const char *over;
};

/* Helpers for parsers. */
int format_anomaly(struct parse *p, enum anomaly id, uint64_t off,
    uint64_t len, const struct fact *facts, unsigned nfacts);
int format_member(struct parse *p, const struct ev_member *m);
/* format_member_range: the member is the object's own bytes at m->off. */
int format_member_range(struct parse *p, const struct ev_member *m);
/*
 * format_trailing: what is behind ${off}, as TRAILING, or as TRAILING_ZERO
 * when it is filler that a reader of the format passes over.
 */
int format_trailing(struct parse *p, uint64_t off);
/* format_head: the first bytes, up to ${cap}, in ${buf}; *ret walks them. */
int format_head(struct parse *p, uint8_t *buf, size_t cap,
    struct cursor *ret);
/*
 * format_name: what the object is more than its container.  FORMAT_NONE, of a
 * list that the scan's own side made by names: the object is not there.
 */
#define FORMAT_NONE "none"
int format_name(struct parse *p, const char *format);
int format_global(struct parse *p, const struct ev_global *g);
int format_call(struct parse *p, const struct ev_call *c);
int format_tensor(struct parse *p, const struct ev_tensor *t);
int format_view(struct parse *p, const struct ev_view *v);
int format_meta(struct parse *p, const char *key, size_t key_len,
    const char *value, size_t value_len, uint64_t off);

int format_cover(struct parse *p, uint64_t off, uint64_t len);
int format_padding(struct parse *p, uint64_t off, uint64_t len);
/* format_room: how much may be decompressed for one member: at most ${max}. */
size_t format_room(const struct parse *p, size_t max);
/* format_sibling: SIBLING_UNKNOWN when nobody answers. */
int format_sibling(struct parse *p, const char *name, size_t n,
    struct bytesrc **ret);

#endif /* !FORMATS_FORMAT_H_ */
