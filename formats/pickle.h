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
 * stand for what would be built.  Nothing is called: a call is told, and what
 * it would give is worked out where that is a name, a text or bytes.
 *
 *   pickle_read.c    opcodes and their arguments
 *   pickle_text.c    text arguments: integers, strings, escapes
 *   pickle_value.c   values
 *   pickle_render.c  values as text, bounded
 *   pickle_vm.c      stack, marks, memo, the run of one pickle
 *   pickle_ops.c     what each opcode does
 *   pickle_build.c   opcodes that fill or change what lies on the stack
 *   pickle_name.c    names: modules, aliases, attributes, planted ones
 *   pickle_class.c   what opcodes name; python-2 names
 *   pickle_apply.c   what a call does and gives
 *   pickle_known.c   callables whose effect we know; rows in pickle_known.def
 *   pickle_callers.c those that call what they are given
 *   pickle_code.c    code objects that are put together
 *   pickle_fold.c    pure functions on text and bytes
 *   pickle_method.c  ... and methods
 *   pickle_decode.c  the codecs that they use
 *   pickle_call.c    globals, calls and nested streams as events
 *   pickle_carve.c   pickles behind a break
 *   pickle_joblib.c  arrays that joblib stores between opcodes
 *   pickle_tree.c    what lies in what, whole, for who asks for it
 *   pickle.c         bids, stacked pickles, both views of an object
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
	PV_STR,		/* p, n: UTF-8 with surrogates passed; p NULL: not kept */
	PV_BYTES,	/* p, n; p NULL: not kept */
	PV_BYTEARRAY,
	PV_TUPLE,
	PV_LIST,
	PV_DICT,	/* items: key, value, key, value */
	PV_SET,
	PV_FROZENSET,
	PV_GLOBAL,	/* p, n: canonical "module.name"; one value a name */
	PV_MODULE,	/* p, n: a module; one value a name */
	PV_NAMESPACE,	/* item 0: the module or function whose names it has */
	PV_METHOD,	/* item 0: of what, item 1: its name, text */
	PV_PARTIAL,	/* item 0: the callee, item 1: leading arguments */
	PV_GETTER,	/* item 0: the callee that made it, item 1: of what */
	PV_CALL,	/* item 0: the callee, item 1: its arguments, item 2:
			 * the state that BUILD gave, if PV_STATE */
	PV_PERSID,	/* item 0: the id */
	PV_BUFFER,
	PV_KINDS
};
#define PV_KEEP 512
#define PV_KEEP_TEXTS 65536	/* of a list of texts: names of storages */

enum pv_flags {
	PV_STATE = 1 << 0,	/* PV_CALL: item 2 is its state */
	PV_SHARED = 1 << 1,	/* the memo or a second place refers to it */
	PV_KEYWORDS = 1 << 2,	/* PV_TUPLE: the last item holds keywords */
};

struct pv {
	uint8_t kind;
	uint8_t flags;
	uint8_t cap;		/* of item: 4 << cap, or 255: as many as n */
	uint32_t more;		/* items that were not kept (saturating); of a
				 * global or module: its number */
	union {
		int64_t num;
		double real;
		const char *p;
		struct pv **item;
		struct pv *free;/* the next one that may be used again */
	} u;
	size_t n;		/* bytes, or items kept */
};

struct pickle_vm;

/*
 * Hooks of a container that gives persistent ids a meaning.  Negative stops;
 * each may be NULL.
 *
 * persid: each BINPERSID or PERSID with its value.
 * fill: ${to} (a list, a dictionary, an instance, what a call gave) is given
 * n items, with step 2 as key, value, key, value.  The items live on when
 * they are marked PV_SHARED.  Tuples of more than PV_KEEP items come so too.
 * result: what pickle number ${stream} left at STOP.  An object whose frames
 * are read in two ways is run twice; what comes last is what a reader of
 * files gets.
 */
struct pickle_hooks {
	int (*persid)(void *ctx, const struct pv *id, uint64_t off);
	void *ctx;
	int (*fill)(void *ctx, struct pv *to, struct pv *const *item,
	    size_t n, unsigned step);
	int (*result)(void *ctx, const struct pv *v, unsigned stream);
};

/*
 * pickle_parse_with: as format_pickle.parse, with hooks (NULL: a persistent
 * id is an anomaly).
 */
int pickle_parse_with(struct parse *p, const struct pickle_hooks *h);

/*
 * pickle_run_one: one pickle at the reader's place; 0 and *result at STOP, 1
 * when it could not go on (told).  ${stream} numbers stacked pickles.  The
 * machine may be used again: memo and stack begin anew; names, the extension
 * registry and what was planted on classes, functions and modules are kept,
 * as the process that loads keeps them.
 */
struct pickle_vm *pickle_vm_new(struct parse *p, struct reader *r,
    const struct pickle_hooks *h);
int pickle_run_one(struct pickle_vm *vm, unsigned stream,
    const struct pv **result);

/*
 * pickle_embedded: is [off, off + len) of the object, which is declared to be
 * something else (weights, a comment), a pickle by its head?  Then it is a
 * member that nothing is known to load (MEMBER_DORMANT).  ${bits} of
 * pickle_plausible are wanted: weights look like anything.
 */
#define PICKLE_IN_WEIGHTS 20
#define PICKLE_IN_TEXT 10
int pickle_embedded(struct parse *p, uint64_t off, uint64_t len,
    const char *name, unsigned bits);

/* pickle_plausible: would these bytes be read as a pickle?  Verified bits. */
unsigned pickle_plausible(struct cursor head, uint64_t size);

/* Helpers on values, for containers' hooks. */
const struct pv *pv_item(const struct pv *v, size_t i);	/* or NULL */
bool pv_is_text(const struct pv *v, const char *text);
const struct pv *pv_dict_get(const struct pv *dict, const char *key);

#endif /* !FORMATS_PICKLE_H_ */
