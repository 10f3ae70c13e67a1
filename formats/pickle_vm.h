#ifndef FORMATS_PICKLE_VM_H_
#define FORMATS_PICKLE_VM_H_

#include "formats/pickle.h"

struct buf;
struct pickle_known;

/* The machine.  Private to pickle*.c. */
struct pickle_op {
	uint8_t code;
	uint64_t off, end;	/* of the opcode and behind its argument */
	uint64_t num;		/* U1..U8, N*: the length */
	int64_t inum;		/* I4, INT */
	double real;
	const uint8_t *p, *p2;	/* bytes kept (NUL behind), or NULL */
	size_t n, n2;
};

enum pickle_arg { ARG_NO, ARG_U1, ARG_U2, ARG_U4, ARG_U8, ARG_I4, ARG_F8,
	ARG_N1, ARG_N4, ARG_N4S, ARG_N8, ARG_LINE, ARG_LINES, ARG_BAD };

struct pickle_opinfo {
	const char *name;	/* NULL: no opcode */
	enum pickle_arg arg;
};
const struct pickle_opinfo *pickle_opinfo(uint8_t code);

/* A global or module: the name is kept once, and so is its value. */
struct pickle_name {
	struct pickle_name *next;	/* of the same bucket */
	const struct pickle_known *known;
	uint32_t split;		/* length of the module part */
	bool told;		/* as a global of this object */
	struct pv v;
};

/* An attribute or item that the pickle itself set. */
struct pickle_patch {
	struct pickle_patch *next;
	const struct pv *owner;
	const char *name;
	size_t n;
	struct pv *value;
};

struct pickle_ext {
	struct pickle_ext *next;
	uint64_t code;
	struct pv *global;
};

/* What outlives a pickle: the state of the process that loads. */
#define PICKLE_BUCKETS 1024
#define PICKLE_SMALL 256
struct pickle_world {
	struct pickle_name *bucket[PICKLE_BUCKETS];
	uint32_t names;
	struct pickle_patch *patch;
	struct pickle_ext *ext;
	unsigned patches, exts;
	struct pv *slab, *slab_end, *free;	/* values to hand out */
	struct pv small[PICKLE_SMALL];		/* numbers, each made once */
	struct pv truth[2], none, unit;		/* False, True, None, () */
	size_t folded;		/* bytes that folding has made */
	uint64_t ops, calls;
	unsigned nested;	/* streams that were told as members */
};

struct pickle_vm {
	struct parse *p;
	struct reader *r;
	const struct pickle_hooks *hooks;
	struct pickle_world *w;
	struct pv **stack;
	size_t sp, stack_cap;
	size_t *mark;
	size_t marks, mark_cap;
	struct pv **memo;	/* dense */
	size_t memo_cap, memo_count;
	struct pickle_sparse *sparse;	/* the rest */
	unsigned far;		/* entries of it */
	unsigned proto, stream;
	unsigned flags;		/* CALL_UNFRAMED, CALL_CARVED for its calls */
	uint64_t frame_end;	/* 0: no frame */
	bool frame_told, trick_told, memo_told, far_told;
	uint64_t frame_off;	/* where the views part */
	uint64_t tell_from;	/* calls before this were told already */
	uint64_t broke;		/* behind the opcode that could not go on */
	unsigned nesting;	/* pickles inside pickles (joblib) */
	unsigned depth;		/* of calls that make calls */
	struct pv *result;
	uint64_t start;		/* offset of this pickle */
};

/*
 * What an opcode came to: 0 go on; PICKLE_STOP; PICKLE_END: it could not go
 * on and has told why; negative: our side, or the consumer.
 */
enum { PICKLE_GO = 0, PICKLE_STOP = 1, PICKLE_END = 2 };

/* pickle_read.c */
int pickle_read_op(struct pickle_vm *vm, struct pickle_op *op);
int pickle_trick(struct pickle_vm *vm, const struct pickle_op *op);

/* pickle_text.c: ERR_FORMAT when the C unpickler refuses. */
int pickle_text_int(struct pickle_vm *vm, struct pickle_op *op, bool is_long,
    struct pv **ret);
bool pickle_text_index(struct pickle_vm *vm, const struct pickle_op *op,
    uint64_t *ret);
int pickle_text_string(struct pickle_vm *vm, const struct pickle_op *op,
    struct pv **ret);
int pickle_text_unicode(struct pickle_vm *vm, const struct pickle_op *op,
    struct pv **ret);
bool pickle_text_float(const struct pickle_op *op, double *ret);

/* pickle_vm.c */
int pickle_fail(struct pickle_vm *vm, enum anomaly id,
    const struct pickle_op *op);
int pickle_push(struct pickle_vm *vm, struct pv *v,
    const struct pickle_op *op);
struct pv *pickle_pop(struct pickle_vm *vm);	/* NULL: nothing to pop */
struct pv *pickle_top(const struct pickle_vm *vm);
size_t pickle_floor(const struct pickle_vm *vm);	/* of the stack */
bool pickle_pop_mark(struct pickle_vm *vm, size_t *at);
int pickle_memo_put(struct pickle_vm *vm, uint64_t i, struct pv *v,
    const struct pickle_op *op);
struct pv *pickle_memo_get(struct pickle_vm *vm, uint64_t i);

/* pickle_ops.c, pickle_build.c */
int pickle_step(struct pickle_vm *vm, struct pickle_op *op);
int pickle_fill(struct pickle_vm *vm, const struct pickle_op *op);
int pickle_set_item(struct pickle_vm *vm, const struct pickle_op *op,
    struct pv *to, struct pv *key, struct pv *value);
int pickle_tell_fill(struct pickle_vm *vm, struct pv *to,
    struct pv *const *item, size_t n, enum pv_kind kind);
int pickle_build(struct pickle_vm *vm, const struct pickle_op *op);

/* pickle_value.c: NULL when the arena is full. */
struct pv *pv_new(struct pickle_vm *vm, enum pv_kind kind);
void pv_drop(struct pickle_vm *vm, struct pv *v);	/* if nobody has it */
struct pv *pv_text(struct pickle_vm *vm, enum pv_kind kind, const void *p,
    size_t n);
struct pv *pv_int(struct pickle_vm *vm, int64_t v);
/* pv_one, pv_pair: of an item, of two; NULL also when one of them is. */
struct pv *pv_one(struct pickle_vm *vm, enum pv_kind kind, struct pv *a);
struct pv *pv_pair(struct pickle_vm *vm, enum pv_kind kind, struct pv *a,
    struct pv *b);
struct pv *pv_bool(struct pickle_vm *vm, bool v);
struct pv *pv_empty(struct pickle_vm *vm, enum pv_kind kind);	/* None, () */
bool pv_add(struct pickle_vm *vm, struct pv *to, struct pv *item);
struct pv *pv_of_stack(struct pickle_vm *vm, enum pv_kind kind, size_t from);
/* pv_arg: argument i as one that may be kept elsewhere too, or NULL. */
struct pv *pv_arg(const struct pv *args, size_t i);
struct pv *pv_tail(struct pickle_vm *vm, const struct pv *args, size_t from);
bool pv_is_name(const struct pv *v, const char *path);	/* a global */
bool pv_same_text(const struct pv *v, const char *p, size_t n);
bool pv_is_kept_text(const struct pv *v);	/* text, and we have it */
bool pv_is_kept_bytes(const struct pv *v);	/* bytes or bytearray */

/* pickle_render.c */
void pickle_render(struct buf *b, const struct pv *v);
void pickle_render_args(struct buf *b, const struct pv *args);

/*
 * pickle_name.c.  Values of names are never NULL but when the arena is full.
 *
 * pickle_module: by its import name, after what was planted in sys.modules.
 * pickle_attr: what getattr(of, name) gives; a name that nothing is known of
 * gives PV_GLOBAL (of modules, classes, functions) or PV_METHOD (of values).
 * pickle_path: the same for "a.b.c".  pickle_item: what of[key] gives, or
 * NULL when that is not known.
 */
struct pv *pickle_module(struct pickle_vm *vm, const char *p, size_t n);
struct pv *pickle_attr(struct pickle_vm *vm, struct pv *of, const char *p,
    size_t n);
struct pv *pickle_path(struct pickle_vm *vm, struct pv *of, const char *p,
    size_t n);
struct pv *pickle_item(struct pickle_vm *vm, struct pv *of,
    const struct pv *key);
bool pickle_plant(struct pickle_vm *vm, const struct pv *owner,
    const char *name, size_t n, struct pv *value);
struct pv *pickle_planted(const struct pickle_vm *vm, const struct pv *owner,
    const char *name, size_t n);
bool pickle_register(struct pickle_vm *vm, uint64_t code, const struct pv *m,
    const struct pv *name);
struct pickle_name *pickle_name_of(const struct pv *v);	/* global, module */

bool pickle_register_value(struct pickle_vm *vm, uint64_t code,
    struct pv *value);

/* pickle_class.c: what opcodes name. */
struct pv *pickle_find_class(struct pickle_vm *vm, const char *module,
    size_t mn, const char *name, size_t nn);
/* "a.b.c" or "a.b:c.d" as pkgutil.resolve_name and its kin read it. */
struct pv *pickle_resolve(struct pickle_vm *vm, const char *p, size_t n);
/* The python 3 name of a python 2 one; false: nothing to map. */
bool pickle_compat(const char *module, const char *name, const char **ret,
    bool *whole);

/*
 * pickle_apply.c: what calling ${callee} does and gives; 0, or as an opcode.
 * ${flags} of enum call_flags.  Effects are told as calls, in the order in
 * which they would run.
 */
int pickle_apply(struct pickle_vm *vm, const struct pickle_op *op,
    struct pv *callee, struct pv *args, unsigned flags, struct pv **ret);
/* The method of a value that an opcode looks up by itself. */
int pickle_implicit(struct pickle_vm *vm, const struct pickle_op *op,
    struct pv *of, const char *method, struct pv *args);

/*
 * pickle_known.c: a row of pickle_known.def.  eval works out what the call
 * gives (*ret stays NULL when that is not known); after tells what it makes
 * others do, once the call itself is told.  Both 0, or as an opcode.
 */
struct pickle_known {
	const char *path;
	int (*eval)(struct pickle_vm *vm, const struct pickle_op *op,
	    const struct pickle_known *k, struct pv *args, struct pv **ret);
	int (*after)(struct pickle_vm *vm, const struct pickle_op *op,
	    const struct pickle_known *k, struct pv *args, struct pv *result);
	unsigned a, b;		/* meaning depends on the functions */
};
const struct pickle_known *pickle_known_find(const char *path, size_t n);
int pickle_known_method(struct pickle_vm *vm, const struct pickle_op *op,
    struct pv *self, const char *name, size_t n, struct pv *args,
    struct pv **ret);

/* pickle_callers.c: for rows of pickle_known.def. */
int pickle_callers_plain(struct pickle_vm *vm, const struct pickle_op *op,
    const struct pickle_known *k, struct pv *args, struct pv *result);
int pickle_callers_keyword(struct pickle_vm *vm, const struct pickle_op *op,
    const struct pickle_known *k, struct pv *args, struct pv *result);
int pickle_callers_key(struct pickle_vm *vm, const struct pickle_op *op,
    const struct pickle_known *k, struct pv *args, struct pv *result);
int pickle_callers_sentinel(struct pickle_vm *vm, const struct pickle_op *op,
    const struct pickle_known *k, struct pv *args, struct pv *result);
int pickle_callers_method(struct pickle_vm *vm, const struct pickle_op *op,
    const struct pickle_known *k, struct pv *args, struct pv *result);
int pickle_callers_map(struct pickle_vm *vm, const struct pickle_op *op,
    const struct pickle_known *k, struct pv *args, struct pv **ret);
int pickle_callers_factory(struct pickle_vm *vm, const struct pickle_op *op,
    const struct pickle_known *k, struct pv *args, struct pv *result);

/* pickle_code.c: for rows of pickle_known.def. */
int pickle_code_after(struct pickle_vm *vm, const struct pickle_op *op,
    const struct pickle_known *k, struct pv *args, struct pv *result);

/*
 * pickle_fold.c: the value of a pure function, or *ret NULL.  ${name} is
 * "base64.b64decode" and the like, or a method's ("join") with ${self}.
 * Output is bounded for the whole object by LIMIT_PICKLE_FOLD.
 */
int pickle_fold(struct pickle_vm *vm, const char *name, size_t n,
    struct pv *args, struct pv **ret);
int pickle_fold_method(struct pickle_vm *vm, const struct pv *self,
    const char *name, size_t n, struct pv *args, struct pv **ret);

/* pickle_call.c */
int pickle_tell_global(struct pickle_vm *vm, const struct pickle_op *op,
    const struct pv *v);
int pickle_tell_call(struct pickle_vm *vm, const struct pickle_op *op,
    const struct pv *callee, const char *method, const struct pv *args,
    unsigned flags, const struct pv *result);
int pickle_tell_stream(struct pickle_vm *vm, const struct pickle_op *op,
    const char *what, const struct pv *bytes, const char *format,
    unsigned flags);

/* pickle_carve.c: from ${off} to the end; 0, or negative. */
int pickle_carve(struct pickle_vm *vm, uint64_t off);

/* pickle_joblib.c: after a BUILD; 0, or as an opcode. */
int pickle_joblib(struct pickle_vm *vm, const struct pickle_op *op);

#endif /* !FORMATS_PICKLE_VM_H_ */
