#include "custody/tarhdr.h"

/*
 * Method.  A canonical header is a function from a place, 0..511, to a byte:
 * header_byte.  tarhdr_write stores it, tarhdr_read reads the few fields
 * that carry information and then compares all 512 places with it.  So there
 * is no second description of the format that could disagree, and no byte
 * that is not looked at.
 *
 *   off  len  field
 *     0  100  name, NUL-padded; no NUL when it has 100 bytes
 *   100    8  mode      "0000444" NUL
 *   108   16  uid, gid  "0000000" NUL each
 *   124   12  size      11 octal digits NUL; 12 digits; 0x80 and base 256
 *   136   12  mtime     11 octal digits NUL
 *   148    8  chksum    6 octal digits NUL space
 *   156    1  typeflag
 *   157  100  linkname  zero
 *   257    8  magic, version  "ustar" NUL "00"
 *   265   64  uname, gname    zero
 *   329   16  devmajor, devminor  "0000000" NUL each
 *   345  167  prefix, padding     zero
 */
#define SIZE_11_DIGITS 0x200000000U	/* 8 GiB */
#define SIZE_12_DIGITS 0x1000000000U	/* 64 GiB */
#define MTIME_MAX 077777777777U

/*@ requires k < digits <= 12;
  @ assigns \nothing;
  @ ensures \result == tarhdr_octal(v, digits, k);
  @*/
static uint8_t
octal_byte(uint64_t v, size_t digits, size_t k)
{
	return (uint8_t)('0' + (v >> (3 * (digits - 1 - k))) % 8);
}

/*@ requires k < 12;
  @ assigns \nothing;
  @ ensures \result == tarhdr_size(size, k);
  @*/
static uint8_t
size_byte(uint64_t size, size_t k)
{
	if (size < SIZE_11_DIGITS)
		return k < 11 ? octal_byte(size, 11, k) : 0;
	if (size < SIZE_12_DIGITS)
		return octal_byte(size, 12, k);
	if (k < 4)
		return k == 0 ? 0x80 : 0;
	return (uint8_t)((size >> (8 * (11 - k))) & 0xff);
}

/* Two fields of seven zero digits and a NUL. */
/*@ requires k < 16;
  @ assigns \nothing;
  @ ensures \result == (k == 7 || k == 15 ? 0 : 0x30);
  @*/
static uint8_t
zero_digits(size_t k)
{
	return k == 7 || k == 15 ? 0 : '0';
}

/*@ requires k < 8;
  @ assigns \nothing;
  @ ensures \result == (k < 4 ? 0x30 : k < 7 ? 0x34 : 0);
  @*/
static uint8_t
mode_byte(size_t k)
{
	if (k == 7)
		return 0;
	return k < 4 ? '0' : '4';
}

/* "ustar" NUL "00" */
/*@ requires k < 8;
  @ assigns \nothing;
  @ ensures \result == (k == 0 ? 0x75 : k == 1 ? 0x73 : k == 2 ? 0x74 :
  @   k == 3 ? 0x61 : k == 4 ? 0x72 : k == 5 ? 0 : 0x30);
  @*/
static uint8_t
magic_byte(size_t k)
{
	switch (k) {
	case 0:
		return 'u';
	case 1:
		return 's';
	case 2:
		return 't';
	case 3:
		return 'a';
	case 4:
		return 'r';
	case 5:
		return 0;
	default:
		return '0';
	}
}

/*@ requires k < 8;
  @ assigns \nothing;
  @ ensures \result == (k < 6 ? tarhdr_octal(sum, 6, k) :
  @   k == 6 ? 0 : 0x20);
  @*/
static uint8_t
sum_byte(uint32_t sum, size_t k)
{
	if (k < 6)
		return octal_byte(sum, 6, k);
	return k == 6 ? 0 : ' ';
}

/*@ requires \valid_read(h) && name_len <= 100 && i < TARHDR_SIZE;
  @ assigns \nothing;
  @ ensures \result == tarhdr_byte(&h->name[0], name_len, h->size, h->mtime,
  @   h->type, sum, i);
  @*/
static inline __attribute__((always_inline)) uint8_t
header_byte(const struct tarhdr *h, size_t name_len, uint32_t sum, size_t i)
{
	if (i < 100)
		return i < name_len ? (uint8_t)h->name[i] : 0;
	if (i < 108)
		return mode_byte(i - 100);
	if (i < 124)
		return zero_digits(i - 108);
	if (i < 136)
		return size_byte(h->size, i - 124);
	if (i < 148)
		return i < 147 ? octal_byte(h->mtime, 11, i - 136) : 0;
	if (i < 156)
		return sum_byte(sum, i - 148);
	if (i == 156)
		return h->type;
	if (i >= 257 && i < 265)
		return magic_byte(i - 257);
	if (i >= 329 && i < 345)
		return zero_digits(i - 329);
	return 0;
}

/*
 * A header is written, summed and compared by regions: within one of them
 * the compiler sees which of header_byte's cases holds, and that most places
 * are zero.  In one loop over all places the cases cost more than the digest.
 */
#define REGIONS(each) \
	each(0, 100); each(100, 108); each(108, 124); each(124, 136); \
	each(136, 148); each(148, 156); each(156, 157); each(157, 257); \
	each(257, 265); each(265, 329); each(329, 345); each(345, 512)
#define ALWAYS_INLINE static inline __attribute__((always_inline))

/* The sum of the places before ${end}, those before ${i} being ${sum}. */
/*@ requires \valid_read(h) && name_len <= 100 && i <= end <= TARHDR_SIZE;
  @ requires sum <= 255 * i;
  @ requires sum == tarhdr_sum(&h->name[0], name_len, h->size, h->mtime,
  @   h->type, i);
  @ assigns \nothing;
  @ ensures \result <= 255 * end;
  @ ensures \result == tarhdr_sum(&h->name[0], name_len, h->size, h->mtime,
  @   h->type, end);
  @*/
ALWAYS_INLINE uint32_t
sum_region(const struct tarhdr *h, size_t name_len, uint32_t sum, size_t i,
    size_t end)
{
	/*@ loop invariant \at(i, Pre) <= i <= end && sum <= 255 * i;
	  @ loop invariant sum == tarhdr_sum(&h->name[0], name_len, h->size,
	  @   h->mtime, h->type, i);
	  @ loop assigns i, sum;
	  @ loop variant end - i;
	  @*/
	for (; i < end; i++) {
		if (i >= 148 && i < 156)
			sum += ' ';
		else
			sum += header_byte(h, name_len, 0, i);
	}
	return sum;
}

/* The sum of all bytes, those of the sum itself counted as blanks. */
/*@ requires \valid_read(h) && name_len <= 100;
  @ assigns \nothing;
  @ ensures \result == tarhdr_sum(&h->name[0], name_len, h->size, h->mtime,
  @   h->type, TARHDR_SIZE);
  @*/
static uint32_t
header_sum(const struct tarhdr *h, size_t name_len)
{
	uint32_t sum = 0;

#define SUM(from, to) sum = sum_region(h, name_len, sum, from, to)
	REGIONS(SUM);
#undef SUM
	return sum;
}

/* 1..100, or 0 when there is no name or no end of it. */
/*@ requires \valid_read(h);
  @ assigns \nothing;
  @ ensures \result <= 100;
  @ ensures \result > 0 ==> \result == tarhdr_len(&h->name[0], 0);
  @ ensures \result == 0 ==> tarhdr_len(&h->name[0], 0) == 0 ||
  @   tarhdr_len(&h->name[0], 0) == 101;
  @*/
static size_t
name_length(const struct tarhdr *h)
{
	size_t n;

	/*@ loop invariant 0 <= n <= 101;
	  @ loop invariant tarhdr_len(&h->name[0], 0) ==
	  @   tarhdr_len(&h->name[0], n);
	  @ loop assigns n;
	  @ loop variant 101 - n;
	  @*/
	for (n = 0; n <= TARHDR_NAME_MAX; n++)
		if (h->name[n] == '\0')
			return n;
	return 0;
}

/*@ assigns \nothing;
  @ ensures \result == \true <==> type == 0x30 || type == 0x78;
  @*/
static bool
is_type(uint8_t type)
{
	return type == '0' || type == 'x';
}

/* The places [i, end) of out[], those before ${i} being written. */
/*@ requires \valid(out + (0 .. TARHDR_SIZE - 1)) && \valid_read(h);
  @ requires \separated(out + (0 .. TARHDR_SIZE - 1), h);
  @ requires name_len <= 100 && i <= end <= TARHDR_SIZE;
  @ requires \forall integer k; 0 <= k < i ==>
  @   out[k] == tarhdr_byte(&h->name[0], name_len, h->size, h->mtime,
  @     h->type, sum, k);
  @ assigns out[0 .. TARHDR_SIZE - 1];
  @ ensures \forall integer k; 0 <= k < end ==>
  @   out[k] == tarhdr_byte(&h->name[0], name_len, h->size, h->mtime,
  @     h->type, sum, k);
  @*/
ALWAYS_INLINE void
write_region(uint8_t *out, const struct tarhdr *h, size_t name_len,
    uint32_t sum, size_t i, size_t end)
{
	/*@ loop invariant \at(i, Pre) <= i <= end;
	  @ loop invariant \forall integer k; 0 <= k < i ==>
	  @   out[k] == tarhdr_byte(&h->name[0], name_len, h->size, h->mtime,
	  @     h->type, sum, k);
	  @ loop assigns i, out[0 .. TARHDR_SIZE - 1];
	  @ loop variant end - i;
	  @*/
	for (; i < end; i++)
		out[i] = header_byte(h, name_len, sum, i);
}

bool
tarhdr_write(uint8_t out[TARHDR_SIZE], const struct tarhdr *h)
{
	size_t name_len = name_length(h);
	uint32_t sum;

	if (name_len == 0 || !is_type(h->type) || h->mtime > MTIME_MAX)
		return false;
	sum = header_sum(h, name_len);
#define WRITE(from, to) write_region(out, h, name_len, sum, from, to)
	REGIONS(WRITE);
#undef WRITE
	return true;
}

/*
 * The value of the octal digits up to the first other byte, and of the base
 * 256 or octal size.  Whether they are right is not asked here: a wrong value
 * gives another header.
 */
/*@ requires digits <= 12 && off <= TARHDR_SIZE - 12;
  @ requires \valid_read(in + (0 .. TARHDR_SIZE - 1));
  @ assigns \nothing;
  @*/
static uint64_t
octal_value(const uint8_t *in, size_t off, size_t digits)
{
	uint64_t v = 0;
	size_t i;

	/*@ loop invariant 0 <= i <= digits;
	  @ loop assigns i, v;
	  @ loop variant digits - i;
	  @*/
	for (i = 0; i < digits; i++) {
		if (in[off + i] < '0' || in[off + i] > '7')
			break;
		v = v % 0x10000000000 * 8 + (uint64_t)(in[off + i] - '0');
	}
	return v;
}

/*@ requires \valid_read(in + (0 .. TARHDR_SIZE - 1));
  @ assigns \nothing;
  @*/
static uint64_t
size_value(const uint8_t *in)
{
	uint64_t v = 0;
	size_t i;

	if (in[124] != 0x80)
		return octal_value(in, 124, 12);
	/*@ loop invariant 128 <= i <= 136;
	  @ loop assigns i, v;
	  @ loop variant 136 - i;
	  @*/
	for (i = 128; i < 136; i++)
		v = v % 0x100000000000000 * 256 + in[i];
	return v;
}

/* The fields of in[] as they seem to be. */
/*@ requires \valid_read(in + (0 .. TARHDR_SIZE - 1)) && \valid(h);
  @ requires \separated(in + (0 .. TARHDR_SIZE - 1), h);
  @ assigns *h;
  @*/
static void
guess(const uint8_t *in, struct tarhdr *h)
{
	size_t i;

	/*@ loop invariant 0 <= i <= TARHDR_NAME_MAX;
	  @ loop assigns i, h->name[0 .. TARHDR_NAME_MAX - 1];
	  @ loop variant TARHDR_NAME_MAX - i;
	  @*/
	for (i = 0; i < TARHDR_NAME_MAX; i++)
		h->name[i] = (char)in[i];
	h->name[TARHDR_NAME_MAX] = '\0';
	h->size = size_value(in);
	h->mtime = octal_value(in, 136, 11);
	h->type = in[156];
}

/* Are the places [i, end) of in[] the header's? */
/*@ requires \valid_read(in + (0 .. TARHDR_SIZE - 1)) && \valid_read(h);
  @ requires name_len <= 100 && i <= end <= TARHDR_SIZE;
  @ assigns \nothing;
  @ ensures \result == \true <==> (\forall integer k; i <= k < end ==>
  @   in[k] == tarhdr_byte(&h->name[0], name_len, h->size, h->mtime,
  @     h->type, sum, k));
  @*/
ALWAYS_INLINE bool
same_region(const uint8_t *in, const struct tarhdr *h, size_t name_len,
    uint32_t sum, size_t i, size_t end)
{
	/*@ loop invariant \at(i, Pre) <= i <= end;
	  @ loop invariant \forall integer k; \at(i, Pre) <= k < i ==>
	  @   in[k] == tarhdr_byte(&h->name[0], name_len, h->size, h->mtime,
	  @     h->type, sum, k);
	  @ loop assigns i;
	  @ loop variant end - i;
	  @*/
	for (; i < end; i++)
		if (in[i] != header_byte(h, name_len, sum, i))
			return false;
	return true;
}

/* Is in[] the one header of h? */
/*@ requires \valid_read(in + (0 .. TARHDR_SIZE - 1)) && \valid_read(h);
  @ assigns \nothing;
  @ ensures \result == \true <==> tarhdr_ok(h) && tarhdr_is(in, h);
  @*/
static bool
is_header_of(const uint8_t *in, const struct tarhdr *h)
{
	size_t name_len = name_length(h);
	uint32_t sum;

	if (name_len == 0 || !is_type(h->type) || h->mtime > MTIME_MAX)
		return false;
	sum = header_sum(h, name_len);
#define SAME(from, to) \
	do { \
		if (!same_region(in, h, name_len, sum, from, to)) \
			return false; \
	} while (0)
	REGIONS(SAME);
#undef SAME
	return true;
}

/*
 * The prover cannot see that two equal names have equal lengths and sums:
 * that is an induction, which the loops of ghost code (not compiled, it
 * changes nothing) go through.
 */
/*@ requires \valid_read(from) && \valid(to) && \separated(from, to);
  @ assigns *to;
  @ ensures to->size == \old(from->size) && to->mtime == \old(from->mtime);
  @ ensures to->type == \old(from->type);
  @ ensures \forall integer k; 0 <= k <= 100 ==>
  @   to->name[k] == \old(from->name[k]);
  @ ensures tarhdr_len(&to->name[0], 0) ==
  @   tarhdr_len{Old}(&from->name[0], 0);
  @ ensures \forall integer n; 0 <= n <= 100 ==>
  @   tarhdr_sum(&to->name[0], n, to->size, to->mtime, to->type,
  @     TARHDR_SIZE) ==
  @   tarhdr_sum{Old}(&from->name[0], n, to->size, to->mtime, to->type,
  @     TARHDR_SIZE);
  @*/
static void
copy(struct tarhdr *to, const struct tarhdr *from)
{
	size_t i;

	to->size = from->size;
	to->mtime = from->mtime;
	to->type = from->type;
	/*@ loop invariant 0 <= i <= 101;
	  @ loop invariant \forall integer k; 0 <= k < i ==>
	  @   to->name[k] == \at(from->name[k], Pre);
	  @ loop invariant \forall integer k; 0 <= k <= 100 ==>
	  @   from->name[k] == \at(from->name[k], Pre);
	  @ loop assigns i, to->name[0 .. 100];
	  @ loop variant 101 - i;
	  @*/
	for (i = 0; i <= TARHDR_NAME_MAX; i++)
		to->name[i] = from->name[i];
	/*@ ghost
	  /@ loop invariant 0 <= j <= 101;
	    @ loop invariant tarhdr_len(&to->name[0], j) ==
	    @   tarhdr_len{Pre}(&from->name[0], j);
	    @ loop assigns j;
	    @ loop variant j;
	    @/
	  for (size_t j = 101; j > 0; j--)
		  ;
	  */
	/*@ ghost
	  /@ loop invariant 0 <= m <= TARHDR_SIZE;
	    @ loop invariant \forall integer n; 0 <= n <= 100 ==>
	    @   tarhdr_sum(&to->name[0], n, to->size, to->mtime, to->type, m)
	    @   == tarhdr_sum{Pre}(&from->name[0], n, to->size, to->mtime,
	    @     to->type, m);
	    @ loop assigns m;
	    @ loop variant TARHDR_SIZE - m;
	    @/
	  for (size_t m = 0; m < TARHDR_SIZE; m++)
		  ;
	  */
}

bool
tarhdr_read(const uint8_t in[TARHDR_SIZE], struct tarhdr *ret)
{
	struct tarhdr h;

	guess(in, &h);
	if (!is_header_of(in, &h))
		return false;
	copy(ret, &h);
	return true;
}

bool
tarhdr_zero(const uint8_t in[TARHDR_SIZE])
{
	size_t i;

	/*@ loop invariant 0 <= i <= TARHDR_SIZE;
	  @ loop invariant \forall integer k; 0 <= k < i ==> in[k] == 0;
	  @ loop assigns i;
	  @ loop variant TARHDR_SIZE - i;
	  @*/
	for (i = 0; i < TARHDR_SIZE; i++)
		if (in[i] != 0)
			return false;
	return true;
}

uint32_t
tarhdr_padding(uint64_t size)
{
	uint32_t part = (uint32_t)(size % TARHDR_SIZE);

	return part == 0 ? 0 : TARHDR_SIZE - part;
}
