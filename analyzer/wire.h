#ifndef ANALYZER_WIRE_H_
#define ANALYZER_WIRE_H_

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "analyzer/finding.h"
#include "base/buf.h"
#include "base/frame.h"
#include "base/limits.h"
#include "base/sandbox.h"

struct err;

/*
 * What a scanning worker says to its parent, in frames of base/frame.h:
 *
 *   STATUS   the fence stands; always first
 *   BEGIN    an object: index (0, 1, ... in order), parent, name, size
 *   FINDING  about an object that has begun
 *   MEMBER   a stored member that deserves a worker of its own
 *   ASK      for a file beside the worker's object; sibling.h answers
 *   CALL     one call of the program that an object runs
 *   CARVE    bytes of an object that no reader of its container shows
 *   END      an object: format, label, digest, complete
 *   DONE     the worker saw the end of its work; always last
 *
 * wire_read_* are the parent's gate: they accept only frames of which every
 * field has its right type, size and range, and return false otherwise (the
 * parent then ends the worker and that is a finding).  Text fields are raw
 * bytes: the parent makes them printable.
 */
enum wire_type {
	WIRE_STATUS = 1,
	WIRE_BEGIN,
	WIRE_FINDING,
	WIRE_MEMBER,
	WIRE_END,
	WIRE_DONE,
	WIRE_CALL,
	WIRE_ASK,
	WIRE_CARVE,
	WIRE_TYPES
};

#define WIRE_NONE UINT32_MAX	/* no parent: the worker's own object */
#define WIRE_NAME_MAX 4096
#define WIRE_LABEL_MAX 512
#define WIRE_FORMAT_MAX 32

struct wire_begin {
	uint32_t index, parent;
	const uint8_t *name;	/* points into the frame */
	size_t name_len;
	uint64_t size;
};

struct wire_finding {
	uint32_t object;
	struct finding f;	/* texts and keys point into frame and keys */
	char keys[FINDING_DETAILS][33];
};

struct wire_member {
	uint32_t parent;
	const uint8_t *name;
	size_t name_len;
	uint64_t off, size;	/* within the parent object */
	bool tag;		/* a tag file of a bundle */
	bool has_sha256;	/* what the bundle's manifest states */
	uint8_t sha256[32];
};

struct wire_call {
	uint32_t object;
	uint32_t cls;		/* enum policy_class */
	uint32_t stream, flags;
	uint64_t off, index;
	const uint8_t *opcode, *callee, *args;	/* point into the frame */
	size_t opcode_len, callee_len, args_len;
};

/* A piece of a carved object; pieces come in order, before its END. */
#define WIRE_CARVE_MAX (128 * KIB)

struct wire_carve {
	uint32_t object;
	uint64_t off;		/* of the object, in its container */
	const uint8_t *p;	/* points into the frame */
	size_t n;
};

struct coverage_sum;

struct wire_end {
	uint32_t index;
	const struct coverage_sum *cover; /* NULL: no map was made */
	uint64_t calls;		/* in all, whether told or not */
	uint64_t tensors;	/* that the deep pass looked into */
	bool complete;
	char format[WIRE_FORMAT_MAX + 1];
	const uint8_t *label;
	size_t label_len;	/* 0: none */
	bool has_sha256;
	uint8_t sha256[32];
};

/* The worker's side. */
struct wire {
	int fd;
	struct buf b;		/* the frame that is being made */
	struct buf out;		/* frames that were not written yet */
};
void wire_init(struct wire *w, int fd);
void wire_release(struct wire *w);

/*
 * BEGIN and END are kept back (a model has tens of thousands of storages, and
 * each write wakes the parent); every other frame goes out at once, with what
 * was kept back before it.  wire_flush writes what is kept back: call it
 * before hostile bytes are parsed, so that the parent knows where a worker
 * was when it died.
 */
int wire_flush(struct wire *w, struct err *e);
int wire_send_status(struct wire *w, const struct sandbox_status *st,
    struct err *e);
int wire_send_begin(struct wire *w, const struct wire_begin *x,
    struct err *e);
int wire_send_finding(struct wire *w, uint32_t object,
    const struct finding *f, struct err *e);
int wire_send_member(struct wire *w, const struct wire_member *x,
    struct err *e);
int wire_send_call(struct wire *w, const struct wire_call *x, struct err *e);
int wire_send_ask(struct wire *w, const char *name, size_t n,
    struct err *e);
int wire_send_carve(struct wire *w, const struct wire_carve *x,
    struct err *e);
int wire_send_end(struct wire *w, const struct wire_end *x, struct err *e);
int wire_send_done(struct wire *w, struct err *e);

/*
 * A finding's fields, for frames of others too: wire_put_finding puts tags
 * WIRE_FINDING_FIRST to WIRE_FINDING_LAST (0, or negative), wire_get_finding
 * checks them.
 */
#define WIRE_FINDING_FIRST 2
#define WIRE_FINDING_LAST 7
int wire_put_finding(struct buf *frame, const struct finding *f);
bool wire_get_finding(const struct frame *f, struct finding *ret,
    char keys[FINDING_DETAILS][33]);

/* The parent's side. */
bool wire_read_status(const struct frame *f, struct sandbox_status *ret);
bool wire_read_begin(const struct frame *f, struct wire_begin *ret);
bool wire_read_finding(const struct frame *f, struct wire_finding *ret);
bool wire_read_member(const struct frame *f, struct wire_member *ret);
bool wire_read_call(const struct frame *f, struct wire_call *ret);
bool wire_read_ask(const struct frame *f, const uint8_t **name, size_t *n);
bool wire_read_carve(const struct frame *f, struct wire_carve *ret);
/* ret->cover points to ${cover}, or is NULL. */
bool wire_read_end(const struct frame *f, struct wire_end *ret,
    struct coverage_sum *cover);

#endif /* !ANALYZER_WIRE_H_ */
