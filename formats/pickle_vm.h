#ifndef FORMATS_PICKLE_VM_H_
#define FORMATS_PICKLE_VM_H_

#include "formats/pickle.h"

struct buf;

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

struct pickle_ext {
	struct pickle_ext *next;
	uint64_t code;
	struct pv *global;
};

struct pickle_vm {
	struct parse *p;
	struct reader *r;
	const struct pickle_hooks *hooks;
	struct pv **stack;
	size_t sp, stack_cap;
	size_t *mark;
	size_t marks, mark_cap;
	struct pv **memo;	/* dense */
	size_t memo_cap, memo_count;
	struct pickle_sparse *sparse;
	struct pickle_ext *ext;
	unsigned proto, stream;
	uint64_t frame_end;	/* 0: no frame */
	bool frame_told, trick_told;
	uint64_t ops, calls;
	unsigned nesting;	/* pickles inside pickles (joblib) */
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
int pickle_text_int(struct pickle_vm *vm, struct pickle_op *op, bool is_long,
    struct pv **ret);
bool pickle_text_index(struct pickle_vm *vm, const struct pickle_op *op,
    uint64_t *ret);
int pickle_text_string(struct pickle_vm *vm, const struct pickle_op *op,
    struct pv **ret);
int pickle_text_unicode(struct pickle_vm *vm, const struct pickle_op *op,
    struct pv **ret);

/* pickle_vm.c */
int pickle_fail(struct pickle_vm *vm, enum anomaly id,
    const struct pickle_op *op);
int pickle_push(struct pickle_vm *vm, struct pv *v,
    const struct pickle_op *op);
struct pv *pickle_pop(struct pickle_vm *vm);	/* NULL: nothing to pop */
struct pv *pickle_top(const struct pickle_vm *vm);
bool pickle_pop_mark(struct pickle_vm *vm, size_t *at);
int pickle_memo_put(struct pickle_vm *vm, uint64_t i, struct pv *v,
    const struct pickle_op *op);
struct pv *pickle_memo_get(const struct pickle_vm *vm, uint64_t i);

/* pickle_ops.c */
int pickle_step(struct pickle_vm *vm, struct pickle_op *op);

/* pickle_value.c: NULL when the arena is full. */
struct pv *pv_new(struct pickle_vm *vm, enum pv_kind kind);
struct pv *pv_text(struct pickle_vm *vm, enum pv_kind kind, const void *p,
    size_t n);
struct pv *pv_int(struct pickle_vm *vm, int64_t v);
bool pv_add(struct pickle_vm *vm, struct pv *to, struct pv *item);
struct pv *pv_of_stack(struct pickle_vm *vm, enum pv_kind kind, size_t from);

/* pickle_render.c */
void pickle_render(struct buf *b, const struct pv *v);
void pickle_render_args(struct buf *b, const struct pv *args);

/* pickle_call.c */
int pickle_global(struct pickle_vm *vm, const struct pickle_op *op,
    const uint8_t *module, size_t mn, const uint8_t *name, size_t nn,
    struct pv **ret);
int pickle_call(struct pickle_vm *vm, const struct pickle_op *op,
    struct pv *callee, const char *method, struct pv *args,
    struct pv **ret);
/* The python 3 name of a python 2 one; false: nothing to map. */
bool pickle_compat(const char *module, const char *name, const char **ret,
    bool *whole);

/* pickle_joblib.c: after a BUILD; 0, or as an opcode. */
int pickle_joblib(struct pickle_vm *vm, const struct pickle_op *op);

#endif /* !FORMATS_PICKLE_VM_H_ */
