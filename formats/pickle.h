#ifndef FORMATS_PICKLE_H_
#define FORMATS_PICKLE_H_

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/reader.h"
#include "formats/format.h"

/*
 * Pickle on a symbolic machine: every opcode of protocols 0 to 5 by the
 * reading rules of CPython's C unpickler (Modules/_pickle.c), on values that
 * stand for what would be built.  Nothing is called: a call is told.
 *
 *   pickle_read.c    opcodes and their arguments
 *   pickle_value.c   values, in the arena
 *   pickle_render.c  values as text, bounded
 *   pickle_vm.c      stack, marks, memo, the run of one pickle
 *   pickle_ops.c     what each opcode does
 *   pickle_call.c    globals and calls as events
 *   pickle_joblib.c  arrays that joblib stores between opcodes
 *   pickle.c         bids, and stacked pickles in one object
 *
 * Bounds: LIMIT_PICKLE_* of base/limits.h; a limit that is reached ends the
 * pickle with ANOMALY_LIMIT.  Containers keep PV_KEEP elements each and count
 * the rest; constants longer than LIMIT_PICKLE_CONST are stepped over.
 */

/* What a value is. */
enum pv_kind {
	PV_NONE,
	PV_BOOL,
	PV_INT,		/* num */
	PV_LONG,	/* does not fit 64 bits: n bytes */
	PV_FLOAT,
	PV_STR,		/* p, n: UTF-8 with surrogates passed */
	PV_BYTES,	/* p, n; p NULL: not kept */
	PV_BYTEARRAY,
	PV_TUPLE,
	PV_LIST,
	PV_DICT,	/* items: key, value, key, value */
	PV_SET,
	PV_FROZENSET,
	PV_GLOBAL,	/* p, n: "module.name"; split: length of the module */
	PV_CALL,	/* item 0: the callee, item 1: its arguments */
	PV_PERSID,	/* item 0: the id */
	PV_BUFFER,
};
#define PV_KEEP 512

struct pv {
	uint8_t kind;
	bool state;		/* BUILD gave it a state (in item 2) */
	uint32_t split;
	union {
		int64_t num;
		double real;
		const char *p;
		struct pv **item;
	} u;
	size_t n;		/* bytes, or items kept */
	size_t cap;		/* of item */
	uint64_t total;		/* items in all */
};

struct pickle_vm;

/*
 * Hooks of a container that gives persistent ids a meaning: told of each
 * BINPERSID or PERSID with its value.  Negative stops.
 */
struct pickle_hooks {
	int (*persid)(void *ctx, const struct pv *id, uint64_t off);
	void *ctx;
};

/*
 * pickle_parse_with: as format_pickle.parse, with hooks (NULL: a persistent
 * id is an anomaly).
 */
int pickle_parse_with(struct parse *p, const struct pickle_hooks *h);

/*
 * pickle_run_one: one pickle at the reader's place; 0 and *result at STOP, 1
 * when it could not go on (told).  ${stream} numbers stacked pickles.  The
 * machine may be used again: memo and stack begin anew, the extension
 * registry is kept.
 */
struct pickle_vm *pickle_vm_new(struct parse *p, struct reader *r,
    const struct pickle_hooks *h);
int pickle_run_one(struct pickle_vm *vm, unsigned stream,
    const struct pv **result);

/* Bits of ev_call.shape: what the arguments are made of, at the top. */
enum arg_shape {
	ARGS_NONE = 1 << 0,	/* no argument */
	ARGS_TEXT = 1 << 1,
	ARGS_BYTES = 1 << 2,
	ARGS_NUMBER = 1 << 3,
	ARGS_GLOBAL = 1 << 4,
	ARGS_CALL = 1 << 5,
	ARGS_CONTAINER = 1 << 6,
	ARGS_PERSID = 1 << 7,
	ARGS_UNKNOWN = 1 << 8,	/* not a tuple: the C unpickler refuses */
};

/* pickle_plausible: would these bytes be read as a pickle?  Verified bits. */
unsigned pickle_plausible(struct cursor head, uint64_t size);

/* Helpers on values, for containers' hooks. */
const struct pv *pv_item(const struct pv *v, size_t i);	/* or NULL */
bool pv_is_text(const struct pv *v, const char *text);
const struct pv *pv_dict_get(const struct pv *dict, const char *key);

#endif /* !FORMATS_PICKLE_H_ */
