#ifndef ANALYZER_DIFF_PASS_KERNEL_H_
#define ANALYZER_DIFF_PASS_KERNEL_H_

#include <stddef.h>
#include <stdint.h>

/*
 * The inner loops of the first pass.  A block is at most PASS_BLOCK elements:
 * sums of it are made in single precision, with two vectors of accumulators
 * a sum, and added up in double by the caller (pass_block.c).  That also
 * looks for what a kernel does not: a sum that is not finite, or so small
 * that products were lost, is made again with care.
 *
 * Kernels run while subnormals are flushed; "changed" and ${xor_or} are of
 * the stored bits and know nothing of that.  Bytes need not be aligned.
 */
#define PASS_BLOCK 4096

/*
 * Ask for what is read ${PASS_AHEAD} bytes later, once a line of 64.  Files
 * are mapped in pages of 4 KiB, and at the end of each the hardware stops
 * looking ahead; this does not (40 to 60 % more from main memory).  What lies
 * beyond the tensor, or beyond the mapping, is asked for in vain.
 */
#define PASS_AHEAD 1024

static inline void
pass_ahead(const uint8_t *p, size_t i)
{
	if (i % 64 == 0)
		__builtin_prefetch((const void *)((uintptr_t)p + i +
		    PASS_AHEAD));
}

struct pass_part {
	float a2, b2, ab, d2, max_abs;
	uint32_t changed, xor_or;
};

struct pass_row {
	float d2, a2;
};

struct pass_kernel {
	/* n <= PASS_BLOCK */
	void (*sums)(const uint8_t *a, const uint8_t *b, size_t n,
	    struct pass_part *ret);
	/*
	 * D^2 and A^2 of each row in ${n} elements, of which the first has
	 * ${first} left (1 <= first <= cols) and the last may be cut off.
	 */
	void (*rows)(const uint8_t *a, const uint8_t *b, size_t n,
	    const size_t first_cols[2], struct pass_row *ret);
};

/* Both sides stored alike. */
enum pass_type { PASS_F32, PASS_BF16, PASS_F16, PASS_TYPES };

struct pass_kernels {
	const char *name;
	struct pass_kernel of[PASS_TYPES];
};

const struct pass_kernels *pass_portable(void);

/* NULL: not this machine. */
const struct pass_kernels *pass_avx2(void);

#endif /* !ANALYZER_DIFF_PASS_KERNEL_H_ */
