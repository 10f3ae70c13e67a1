#ifndef BASE_TEXT_H_
#define BASE_TEXT_H_

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct buf;

/*
 * Text that is safe to print.
 *
 * Names and strings in evidence are bytes chosen by an attacker: terminal
 * escapes, bidirectional overrides, invisible characters.  They reach a
 * terminal, JSON or HTML only in the form that text_printable gives:
 * printable UTF-8 (RFC 3629) stays; each byte of anything else becomes \xHH
 * (upper hex): C0 and C1 controls, DEL, ill-formed sequences, surrogates,
 * noncharacters, code points over 10FFFF, line and paragraph separators
 * (2028, 2029), bidi controls (061C 200E 200F 202A-202E 2066-2069),
 * zero-width and format characters (00AD 180E 200B-200D 2060-2064 206A-206F
 * FEFF FFF9-FFFB), variation selectors (FE00-FE0F E0100-E01EF), tag
 * characters (E0000-E007F), private use.  A backslash becomes \x5C, so the
 * form is injective.  With TEXT_PATH, '!' becomes \x21: it separates the
 * levels of a path in results.
 */
enum text_flags {
	TEXT_PLAIN = 0,
	TEXT_PATH = 1 << 0,	/* escape '!' as well */
	TEXT_LINES = 1 << 1,	/* keep LF and TAB as they are */
};

/* The most that one input byte can become. */
#define TEXT_GROWTH 4

/*
 * The contract's words.
 *
 * text_wf: p[o..o+len) is a well-formed sequence (RFC 3629 section 4) and
 * text_cp its code point.  text_shown: the code point is printable.
 *
 * The rest say what a printable form d[0..n) is made of (d is signed: bytes
 * from 80 on are negative).  text_low: an ASCII byte is printable, or LF or
 * TAB under TEXT_LINES.  text_escapes: a backslash begins a whole escape.
 * text_leads: a first byte begins a whole, well-formed, printable character.
 * text_conts: any other byte is a later one of such a character.  So the form
 * is UTF-8, and no character of it is hidden.
 */
/*@ predicate text_cont(integer b) = 0x80 <= b <= 0xbf;
  @ logic integer text_seq(integer b) =
  @   b < 0x80 ? 1 : b < 0xc2 ? 0 : b < 0xe0 ? 2 : b < 0xf0 ? 3 :
  @   b <= 0xf4 ? 4 : 0;
  @ predicate text_wf2(integer a, integer b) =
  @   text_seq(a) == 2 && text_cont(b);
  @ predicate text_wf3(integer a, integer b, integer c) =
  @   text_seq(a) == 3 && text_cont(b) && text_cont(c) &&
  @   (a == 0xe0 ==> b >= 0xa0) && (a == 0xed ==> b <= 0x9f);
  @ predicate text_wf4(integer a, integer b, integer c, integer d) =
  @   text_seq(a) == 4 && text_cont(b) && text_cont(c) && text_cont(d) &&
  @   (a == 0xf0 ==> b >= 0x90) && (a == 0xf4 ==> b <= 0x8f);
  @ logic integer text_cp2(integer a, integer b) =
  @   0x40 * (a - 0xc0) + (b - 0x80);
  @ logic integer text_cp3(integer a, integer b, integer c) =
  @   0x1000 * (a - 0xe0) + 0x40 * (b - 0x80) + (c - 0x80);
  @ logic integer text_cp4(integer a, integer b, integer c, integer d) =
  @   0x40000 * (a - 0xf0) + 0x1000 * (b - 0x80) + 0x40 * (c - 0x80) +
  @   (d - 0x80);
  @ predicate text_hidden(integer cp) =
  @   cp < 0x20 || 0x7f <= cp <= 0x9f || cp == 0xad || cp == 0x61c ||
  @   cp == 0x180e || 0x200b <= cp <= 0x200f || 0x2028 <= cp <= 0x202e ||
  @   0x2060 <= cp <= 0x2064 || 0x2066 <= cp <= 0x206f ||
  @   0xd800 <= cp <= 0xf8ff || 0xfdd0 <= cp <= 0xfdef ||
  @   0xfe00 <= cp <= 0xfe0f || cp == 0xfeff || 0xfff9 <= cp <= 0xfffb ||
  @   0xe0000 <= cp <= 0xe007f || 0xe0100 <= cp <= 0xe01ef ||
  @   cp >= 0xf0000 || cp % 0x10000 >= 0xfffe;
  @ predicate text_shown(integer cp) = !text_hidden(cp);
  @ predicate text_ascii(integer b, integer flags) =
  @   (0x20 <= b <= 0x7e && !(b == '!' && (flags & TEXT_PATH) != 0)) ||
  @   ((b == 0x0a || b == 0x09) && (flags & TEXT_LINES) != 0);
  @ predicate text_upper_hex(integer b) =
  @   0x30 <= b <= 0x39 || 0x41 <= b <= 0x46;
  @ predicate text_low{L}(char *d, integer n, integer flags) =
  @   \forall integer k; 0 <= k < n ==>
  @     d[k] >= 0 ==> text_ascii(d[k], flags);
  @ predicate text_escapes{L}(char *d, integer n) =
  @   \forall integer k; 0 <= k < n ==>
  @     d[k] == 0x5c ==> k + 3 < n && d[k + 1] == 0x78 &&
  @       text_upper_hex(d[k + 2]) && text_upper_hex(d[k + 3]);
  @ predicate text_leads2{L}(char *d, integer n) =
  @   \forall integer k; 0 <= k < n ==>
  @     text_seq(d[k] + 0x100) == 2 ==> k + 1 < n &&
  @       text_wf2(d[k] + 0x100, d[k + 1] + 0x100) &&
  @       text_shown(text_cp2(d[k] + 0x100, d[k + 1] + 0x100));
  @ predicate text_leads3{L}(char *d, integer n) =
  @   \forall integer k; 0 <= k < n ==>
  @     text_seq(d[k] + 0x100) == 3 ==> k + 2 < n &&
  @       text_wf3(d[k] + 0x100, d[k + 1] + 0x100, d[k + 2] + 0x100) &&
  @       text_shown(text_cp3(d[k] + 0x100, d[k + 1] + 0x100,
  @         d[k + 2] + 0x100));
  @ predicate text_leads4{L}(char *d, integer n) =
  @   \forall integer k; 0 <= k < n ==> d[k] < 0 ==>
  @     text_seq(d[k] + 0x100) == 4 ==> k + 3 < n &&
  @       text_wf4(d[k] + 0x100, d[k + 1] + 0x100, d[k + 2] + 0x100,
  @         d[k + 3] + 0x100) &&
  @       text_shown(text_cp4(d[k] + 0x100, d[k + 1] + 0x100,
  @         d[k + 2] + 0x100, d[k + 3] + 0x100));
  @ predicate text_conts{L}(char *d, integer n) =
  @   \forall integer k; 0 <= k < n ==> d[k] < 0 ==>
  @     text_seq(d[k] + 0x100) == 0 ==> text_cont(d[k] + 0x100) &&
  @       ((k >= 1 && d[k - 1] < 0 && text_seq(d[k - 1] + 0x100) >= 2) ||
  @        (k >= 2 && d[k - 2] < 0 && text_seq(d[k - 2] + 0x100) >= 3) ||
  @        (k >= 3 && d[k - 3] < 0 && text_seq(d[k - 3] + 0x100) >= 4));
  @*/

/*
 * text_printable(dst, cap, src, n, flags, used): write the printable form of
 * src[0..n) to dst[0..cap), never splitting an escape or a character, and
 * return how many bytes were written; *used is how many of src they stand
 * for (n when all fitted).  Adds no NUL.  dst and src must not overlap.
 */
/*@ requires \valid(dst + (0 .. cap - 1)) && \valid(used);
  @ requires \valid_read(src + (0 .. n - 1));
  @ requires \separated(dst + (0 .. cap - 1), src + (0 .. n - 1), used);
  @ assigns dst[0 .. cap - 1], *used;
  @ ensures \result <= cap && *used <= n;
  @ ensures *used <= \result <= TEXT_GROWTH * *used;
  @ ensures *used < n ==> cap - \result < TEXT_GROWTH;
  @ ensures text_low(dst, \result, flags) && text_escapes(dst, \result);
  @ ensures text_leads2(dst, \result) && text_leads3(dst, \result);
  @ ensures text_leads4(dst, \result) && text_conts(dst, \result);
  @*/
size_t text_printable(char *dst, size_t cap, const uint8_t *src, size_t n,
    unsigned flags, size_t *used);

/*
 * text_utf8_len(src, n): length 1..4 of the well-formed UTF-8 sequence at
 * src[0..n), or 0 when ill-formed or n is 0.  *cp is its code point.
 */
/*@ requires \valid_read(src + (0 .. n - 1)) && \valid(cp);
  @ requires \separated(cp, src + (0 .. n - 1));
  @ assigns *cp;
  @ ensures \result <= 4 && \result <= n;
  @ ensures \result == 1 <==> n >= 1 && src[0] < 0x80;
  @ ensures \result == 2 <==> n >= 2 && text_wf2(src[0], src[1]);
  @ ensures \result == 3 <==> n >= 3 && text_wf3(src[0], src[1], src[2]);
  @ ensures \result == 4 <==>
  @   n >= 4 && text_wf4(src[0], src[1], src[2], src[3]);
  @ ensures \result == 0 ==> *cp == \old(*cp);
  @ ensures \result == 1 ==> *cp == src[0];
  @ ensures \result == 2 ==> *cp == text_cp2(src[0], src[1]);
  @ ensures \result == 3 ==> *cp == text_cp3(src[0], src[1], src[2]);
  @ ensures \result == 4 ==>
  @   *cp == text_cp4(src[0], src[1], src[2], src[3]);
  @*/
size_t text_utf8_len(const uint8_t *src, size_t n, uint32_t *cp);

/* text_is_utf8(src, n): well-formed sequences only, to the end? */
/*@ inductive text_utf8{L}(uint8_t *p, integer i, integer n) {
  @   case end{L}: \forall uint8_t *p, integer n; text_utf8(p, n, n);
  @   case one{L}: \forall uint8_t *p, integer i, n;
  @     i + 1 <= n ==> p[i] < 0x80 ==> text_utf8(p, i + 1, n) ==>
  @     text_utf8(p, i, n);
  @   case two{L}: \forall uint8_t *p, integer i, n;
  @     i + 2 <= n ==> text_wf2(p[i], p[i + 1]) ==>
  @     text_utf8(p, i + 2, n) ==> text_utf8(p, i, n);
  @   case three{L}: \forall uint8_t *p, integer i, n;
  @     i + 3 <= n ==> text_wf3(p[i], p[i + 1], p[i + 2]) ==>
  @     text_utf8(p, i + 3, n) ==> text_utf8(p, i, n);
  @   case four{L}: \forall uint8_t *p, integer i, n;
  @     i + 4 <= n ==> text_wf4(p[i], p[i + 1], p[i + 2], p[i + 3]) ==>
  @     text_utf8(p, i + 4, n) ==> text_utf8(p, i, n);
  @ }
  @*/
/*@ requires \valid_read(src + (0 .. n - 1));
  @ assigns \nothing;
  @ ensures \result == \true <==> text_utf8(src, 0, n);
  @*/
bool text_is_utf8(const uint8_t *src, size_t n);

/* text_cp_printable(cp): may the code point be shown as it is? */
/*@ assigns \nothing;
  @ ensures \result == \true <==> text_shown(cp);
  @*/
bool text_cp_printable(uint32_t cp);

/* text_put(b, src, n, flags): append the printable form to a buf. */
void text_put(struct buf *b, const void *src, size_t n, unsigned flags);
/*
 * text_put_literal: of text whose writer has escaped it already: what is not
 * printable is escaped as above, backslashes are kept as they are.
 */
void text_put_literal(struct buf *b, const void *src, size_t n);

/*
 * text_z(dst, cap, src, n): printable form as a C string, cut with "..." when
 * it does not fit; for messages.  cap >= 8.  Returns dst.
 */
const char *text_z(char *dst, size_t cap, const void *src, size_t n);

/*
 * text_u64(s, n, base, max, ret): parse all n bytes as digits of ${base} (2
 * to 16, no sign, no blank, no prefix, at least one digit) not over ${max}.
 */
bool text_u64(const char *s, size_t n, unsigned base, uint64_t max,
    uint64_t *ret);

/* text_unhex(dst, s, n): decode n lower-case hex digits (n even). */
bool text_unhex(uint8_t *dst, const char *s, size_t n);

#endif /* !BASE_TEXT_H_ */
