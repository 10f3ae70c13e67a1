#ifndef ANALYZER_WEIGHTS_TYPE_H_
#define ANALYZER_WEIGHTS_TYPE_H_

#include <stddef.h>

/*
 * Data types as the deep pass sees them: a width, and which statistics make
 * sense of the bits.  Integers may be anything a program stores (states of
 * generators, hash tables): they are carved, nothing is expected of them.
 */
enum weights_class {
	WEIGHTS_BYTES,		/* integers, booleans, quantised blocks */
	WEIGHTS_F16,
	WEIGHTS_BF16,
	WEIGHTS_F32,
	WEIGHTS_F64,
};

struct weights_type {
	const char *name;
	enum weights_class cls;
	unsigned width;		/* bytes of an element */
};

/*
 * weights_type_find: by a safetensors name ("F32") or a NumPy descr ("<f4");
 * never NULL: what we do not know is bytes.  Floats stored with their high
 * byte first are bytes, too: their lanes are carved in both orders anyway.
 */
const struct weights_type *weights_type_find(const char *dtype);

#endif /* !ANALYZER_WEIGHTS_TYPE_H_ */
