#ifndef CUSTODY_TARHDR_H_
#define CUSTODY_TARHDR_H_

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * The canonical 512-byte tar header of an evidence bag (docs/FORMAT.md 3):
 * byte for byte what GNU tar 1.34 writes for --format=ustar --owner=0
 * --group=0 --numeric-owner --mode=0444.  Nothing here allocates; `make
 * prove` discharges the contracts.  Read side.
 *
 * POSIX.1-1988 ustar; sizes past 11 octal digits as measured to be read by
 * GNU tar, bsdtar, busybox, Python, pax and 7-Zip: 12 digits without a
 * terminator below 64 GiB, base-256 above.
 */
#define TARHDR_SIZE 512
#define TARHDR_NAME_MAX 100

struct tarhdr {
	char name[TARHDR_NAME_MAX + 1];	/* NUL-terminated, 1..100 bytes */
	uint64_t size;
	uint64_t mtime;		/* seconds, at most 077777777777 */
	uint8_t type;		/* '0', or 'x' for a pax record */
};

/*
 * The contract's words.
 *
 * tarhdr_byte: what stands at place i of the header whose name is s[0..n),
 * and sum the value of its sum field.  tarhdr_sum: the sum of the first i
 * bytes, those of the sum field counted as blanks.  tarhdr_len: where the
 * first NUL from s[k] on is, 101 if there is none.  tarhdr_is: out[] is the
 * one header of h.
 */
/*@ logic integer tarhdr_octal(integer v, integer digits, integer k) =
  @   0x30 + (v >> (3 * (digits - 1 - k))) % 8;
  @ logic integer tarhdr_size(integer v, integer k) =
  @   v < 0x200000000 ? (k < 11 ? tarhdr_octal(v, 11, k) : 0) :
  @   v < 0x1000000000 ? tarhdr_octal(v, 12, k) :
  @   k == 0 ? 0x80 : k < 4 ? 0 : (v >> (8 * (11 - k))) & 0xff;
  @ logic integer tarhdr_byte{L}(char *s, integer n, integer size,
  @     integer mtime, integer type, integer sum, integer i) =
  @   i < 100 ? (i < n ? (uint8_t)s[i] : 0) :
  @   i < 108 ? (i < 104 || i == 107 ? (i == 107 ? 0 : 0x30) : 0x34) :
  @   i < 124 ? (i == 115 || i == 123 ? 0 : 0x30) :
  @   i < 136 ? tarhdr_size(size, i - 124) :
  @   i < 148 ? (i < 147 ? tarhdr_octal(mtime, 11, i - 136) : 0) :
  @   i < 154 ? tarhdr_octal(sum, 6, i - 148) :
  @   i == 154 ? 0 : i == 155 ? 0x20 : i == 156 ? type :
  @   i == 257 ? 0x75 : i == 258 ? 0x73 : i == 259 ? 0x74 :
  @   i == 260 ? 0x61 : i == 261 ? 0x72 : i == 263 || i == 264 ? 0x30 :
  @   329 <= i < 345 ? (i == 336 || i == 344 ? 0 : 0x30) : 0;
  @ logic integer tarhdr_sum{L}(char *s, integer n, integer size,
  @     integer mtime, integer type, integer i) =
  @   i <= 0 ? 0 : tarhdr_sum(s, n, size, mtime, type, i - 1) +
  @   (148 <= i - 1 < 156 ? 0x20 :
  @     tarhdr_byte(s, n, size, mtime, type, 0, i - 1));
  @ logic integer tarhdr_len{L}(char *s, integer k) =
  @   k > 100 || s[k] == 0 ? k : tarhdr_len(s, k + 1);
  @ predicate tarhdr_ok{L}(struct tarhdr *h) =
  @   1 <= tarhdr_len(&h->name[0], 0) <= 100 &&
  @   (h->type == 0x30 || h->type == 0x78) && h->mtime <= 077777777777;
  @ predicate tarhdr_is{L}(uint8_t *out, struct tarhdr *h) =
  @   \forall integer i; 0 <= i < TARHDR_SIZE ==> out[i] == tarhdr_byte(
  @     &h->name[0], tarhdr_len(&h->name[0], 0), h->size, h->mtime, h->type,
  @     tarhdr_sum(&h->name[0], tarhdr_len(&h->name[0], 0), h->size,
  @       h->mtime, h->type, TARHDR_SIZE), i);
  @*/

/*
 * tarhdr_write: the header's bytes.  false (out untouched) when the name is
 * empty or not terminated, the type is not one of the two, or mtime too big.
 */
/*@ requires \valid(out + (0 .. TARHDR_SIZE - 1)) && \valid_read(h);
  @ requires \separated(out + (0 .. TARHDR_SIZE - 1), h);
  @ assigns out[0 .. TARHDR_SIZE - 1];
  @ ensures \result == \true <==> tarhdr_ok(h);
  @ ensures \result == \true ==> tarhdr_is(out, h);
  @ ensures \result == \false ==>
  @   \forall integer i; 0 <= i < TARHDR_SIZE ==> out[i] == \old(out[i]);
  @*/
bool tarhdr_write(uint8_t out[TARHDR_SIZE], const struct tarhdr *h);

/*
 * tarhdr_read: true only if in[] is exactly what tarhdr_write gives for *ret
 * (every byte is compared); *ret is written only then.
 */
/*@ requires \valid_read(in + (0 .. TARHDR_SIZE - 1)) && \valid(ret);
  @ requires \separated(in + (0 .. TARHDR_SIZE - 1), ret);
  @ assigns *ret;
  @ ensures \result == \true ==> tarhdr_ok(ret);
  @ ensures \result == \true ==> tarhdr_is(in, ret);
  @ ensures \result == \false ==> *ret == \old(*ret);
  @*/
bool tarhdr_read(const uint8_t in[TARHDR_SIZE], struct tarhdr *ret);

/* tarhdr_zero: are all 512 bytes zero? */
/*@ requires \valid_read(in + (0 .. TARHDR_SIZE - 1));
  @ assigns \nothing;
  @ ensures \result == \true <==>
  @   \forall integer i; 0 <= i < TARHDR_SIZE ==> in[i] == 0;
  @*/
bool tarhdr_zero(const uint8_t in[TARHDR_SIZE]);

/* tarhdr_padding: zero bytes after a content of ${size} (0..511). */
/*@ assigns \nothing;
  @ ensures \result < TARHDR_SIZE;
  @ ensures (size + \result) % TARHDR_SIZE == 0;
  @*/
uint32_t tarhdr_padding(uint64_t size);

#endif /* !CUSTODY_TARHDR_H_ */
