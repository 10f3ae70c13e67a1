#ifndef FORMATS_PICKLE_FOLD_H_
#define FORMATS_PICKLE_FOLD_H_

#include "formats/pickle_vm.h"

/* Shared by pickle_fold.c and pickle_method.c, and by nobody else. */
struct fold {
	struct pickle_vm *vm;
	struct pv *args;
	struct pv **ret;
};

/* Room for n bytes of a result; NULL past the budget. */
char *pickle_fold_room(struct pickle_vm *vm, size_t n);
/* pickle_fold_give: the result; a NULL p gives nothing. */
void pickle_fold_give(const struct fold *f, enum pv_kind kind, const void *p,
    size_t n);
/* Text or bytes that we have; bytearray counts as bytes. */
bool pickle_fold_constant(const struct pv *v);
enum pv_kind pickle_fold_kind(const struct pv *v);

/*
 * 'a{}b{1}'.format(...) and 'a%sb' % (...): places that take text as it is
 * ("{}", "{0}", "%s"); anything else gives nothing.  ${with} is a tuple, or
 * one text.
 */
void pickle_fold_format(const struct fold *f, const struct pv *self,
    const struct pv *with, char style);

#endif /* !FORMATS_PICKLE_FOLD_H_ */
