#ifndef BASE_CKD_H_
#define BASE_CKD_H_

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * Checked arithmetic on sizes.  Each function compares before it computes,
 * so nothing wraps even in between, returns true when the result is exact
 * and then alone writes *ret.  (Not __builtin_*_overflow: the prover has no
 * model of it, and what is proved is what is compiled.)
 */

/*@ requires \valid(ret);
  @ assigns *ret;
  @ behavior ok:
  @   assumes a + b <= UINT64_MAX;
  @   ensures \result == \true;
  @   ensures *ret == a + b;
  @ behavior no:
  @   assumes a + b > UINT64_MAX;
  @   ensures \result == \false;
  @   ensures *ret == \old(*ret);
  @ complete behaviors;
  @ disjoint behaviors;
  @*/
static inline bool
ckd_add64(uint64_t *ret, uint64_t a, uint64_t b)
{
	if (b > UINT64_MAX - a)
		return false;
	*ret = a + b;
	return true;
}

/*@ requires \valid(ret);
  @ assigns *ret;
  @ behavior ok:
  @   assumes a * b <= UINT64_MAX;
  @   ensures \result == \true;
  @   ensures *ret == a * b;
  @ behavior no:
  @   assumes a * b > UINT64_MAX;
  @   ensures \result == \false;
  @   ensures *ret == \old(*ret);
  @ complete behaviors;
  @ disjoint behaviors;
  @*/
static inline bool
ckd_mul64(uint64_t *ret, uint64_t a, uint64_t b)
{
	if (a != 0 && b > UINT64_MAX / a)
		return false;
	*ret = a * b;
	return true;
}

/*@ requires \valid(ret);
  @ assigns *ret;
  @ ensures \result == \true <==> v <= SIZE_MAX;
  @ ensures \result == \true ==> *ret == v;
  @ ensures \result == \false ==> *ret == \old(*ret);
  @*/
static inline bool
ckd_size(size_t *ret, uint64_t v)
{
#if SIZE_MAX < UINT64_MAX
	if (v > SIZE_MAX)
		return false;
#endif
	*ret = (size_t)v;
	return true;
}

/*
 * ckd_range(off, len, size): does [off, off + len) lie within [0, size)?
 * The empty range at ${size} does.
 */
/*@ assigns \nothing;
  @ ensures \result == \true <==> off + len <= size;
  @*/
static inline bool
ckd_range(uint64_t off, uint64_t len, uint64_t size)
{
	return off <= size && len <= size - off;
}

#endif /* !BASE_CKD_H_ */
