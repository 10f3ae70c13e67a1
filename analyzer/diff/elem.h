#ifndef ANALYZER_DIFF_ELEM_H_
#define ANALYZER_DIFF_ELEM_H_

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * What a tensor's elements are, and what they are worth as float.
 *
 * F16, BF16, F8 and integers below 2^24 become float exactly; F64 and longer
 * integers are rounded, so only their bytes tell whether they are equal.
 * Blocks become code times scale in single precision, as ggml reads them.
 */
enum elem {
#define ELEM(id, name, kind, block, bytes, mantissa) ELEM_##id,
#include "analyzer/diff/elem.def"
#undef ELEM
	ELEM_COUNT
};

enum elem_kind { ELEM_FLOAT, ELEM_INT, ELEM_BLOCKS, ELEM_OPAQUE };

struct elem_info {
	const char *name;
	enum elem_kind kind;
	unsigned block;		/* elements stored together */
	unsigned bytes;		/* ... in so many bytes */
	unsigned mantissa;	/* explicit bits; 0: no float */
};

const struct elem_info *elem_info(enum elem t);

/* elem_find: by a parser's name; ELEM_BYTES for what we cannot read. */
enum elem elem_find(const char *dtype);

/*
 * elem_load(t, p, n, dst): n elements (a multiple of the block) from p, which
 * need not be aligned.  ELEM_BYTES is read as unsigned bytes.
 */
void elem_load(enum elem t, const uint8_t *p, size_t n, float *dst);

/*
 * elem_bits: the raw bits of element i, for types of one element a block;
 * big-endian ones in the host's order.
 */
uint64_t elem_bits(enum elem t, const uint8_t *p, uint64_t i);

/* IEEE binary16 and back, round to nearest even, gradual underflow. */
float elem_from_f16(uint16_t h);
uint16_t elem_to_f16(float f);

#endif /* !ANALYZER_DIFF_ELEM_H_ */
