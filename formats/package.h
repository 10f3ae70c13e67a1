#ifndef FORMATS_PACKAGE_H_
#define FORMATS_PACKAGE_H_

#include <stddef.h>
#include <stdint.h>

#include "formats/format.h"

/*
 * Programs in archives, with what the archive is for.  Its members' names
 * say that: an archive of tensors (PyTorch, .npz, Keras, skops) holds no
 * program; a folder with weights in it may hold scripts, but no machine code;
 * a wheel, a jar or a model archive with code holds what it holds.  Names can
 * lie, so nothing is called harmless here: each program is an object of its
 * own with its own findings; this only adds what is out of place.
 *
 * Told at the end, when all names are known: EXE_MISPLACED, EXE_IN_MODEL.
 */
struct package;

struct package *package_new(struct parse *p);	/* NULL: out of memory */
/* package_member: a member as it is told; ${src} of it may be NULL. */
int package_member(struct package *k, const struct ev_member *m);
int package_end(struct package *k);

#endif /* !FORMATS_PACKAGE_H_ */
