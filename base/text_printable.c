#include "base/text.h"

/*
 * The escaping itself, all of it proved; text.c holds what needs libc.
 *
 * Ill-formed UTF-8 is found by the table of RFC 3629 section 4:
 *
 *   00..7F
 *   C2..DF 80..BF
 *   E0     A0..BF 80..BF
 *   E1..EC 80..BF 80..BF
 *   ED     80..9F 80..BF          (no surrogates)
 *   EE..EF 80..BF 80..BF
 *   F0     90..BF 80..BF 80..BF
 *   F1..F3 80..BF 80..BF 80..BF
 *   F4     80..8F 80..BF 80..BF   (not over 10FFFF)
 *
 * A byte that begins no well-formed sequence is escaped alone, and so is
 * each byte of a character that is not printable: its continuation bytes
 * begin nothing either, so a form that was cut for want of room goes on with
 * the same bytes.
 */

/*@ assigns \nothing;
  @ ensures \result == \true <==> text_cont(b);
  @*/
static bool
cont(uint8_t b)
{
	return b >= 0x80 && b <= 0xbf;
}

/*@ requires n >= 1 && \valid_read(s + (0 .. n - 1)) && \valid(cp);
  @ requires \separated(cp, s + (0 .. n - 1));
  @ requires text_seq(s[0]) == 3;
  @ assigns *cp;
  @ ensures \result == 0 || \result == 3;
  @ ensures \result == 3 <==> n >= 3 && text_wf3(s[0], s[1], s[2]);
  @ ensures \result == 0 ==> *cp == \old(*cp);
  @ ensures \result == 3 ==> *cp == text_cp3(s[0], s[1], s[2]);
  @*/
static size_t
len3(const uint8_t *s, size_t n, uint32_t *cp)
{
	if (n < 3 || !cont(s[1]) || !cont(s[2]) ||
	    (s[0] == 0xe0 && s[1] < 0xa0) || (s[0] == 0xed && s[1] > 0x9f))
		return 0;
	*cp = 0x1000U * (s[0] - 0xe0U) + 0x40U * (s[1] - 0x80U) +
	    (s[2] - 0x80U);
	return 3;
}

/*@ requires n >= 1 && \valid_read(s + (0 .. n - 1)) && \valid(cp);
  @ requires \separated(cp, s + (0 .. n - 1));
  @ requires text_seq(s[0]) == 4;
  @ assigns *cp;
  @ ensures \result == 0 || \result == 4;
  @ ensures \result == 4 <==> n >= 4 && text_wf4(s[0], s[1], s[2], s[3]);
  @ ensures \result == 0 ==> *cp == \old(*cp);
  @ ensures \result == 4 ==> *cp == text_cp4(s[0], s[1], s[2], s[3]);
  @*/
static size_t
len4(const uint8_t *s, size_t n, uint32_t *cp)
{
	if (n < 4 || !cont(s[1]) || !cont(s[2]) || !cont(s[3]) ||
	    (s[0] == 0xf0 && s[1] < 0x90) || (s[0] == 0xf4 && s[1] > 0x8f))
		return 0;
	*cp = 0x40000U * (s[0] - 0xf0U) + 0x1000U * (s[1] - 0x80U) +
	    0x40U * (s[2] - 0x80U) + (s[3] - 0x80U);
	return 4;
}

size_t
text_utf8_len(const uint8_t *src, size_t n, uint32_t *cp)
{
	if (n == 0)
		return 0;
	if (src[0] < 0x80) {
		*cp = src[0];
		return 1;
	}
	if (src[0] < 0xc2 || src[0] > 0xf4)
		return 0;
	if (src[0] >= 0xf0)
		return len4(src, n, cp);
	if (src[0] >= 0xe0)
		return len3(src, n, cp);
	if (n < 2 || !cont(src[1]))
		return 0;
	*cp = 0x40U * (src[0] - 0xc0U) + (src[1] - 0x80U);
	return 2;
}

bool
text_is_utf8(const uint8_t *src, size_t n)
{
	size_t i = 0;
	size_t len;
	uint32_t cp = 0;

	/*@ loop invariant 0 <= i <= n;
	  @ loop invariant text_utf8(src, i, n) <==> text_utf8(src, 0, n);
	  @ loop assigns i, len, cp;
	  @ loop variant n - i;
	  @*/
	while (i < n) {
		len = text_utf8_len(src + i, n - i, &cp);
		if (len == 0)
			return false;
		i += len;
	}
	return true;
}

/*@ assigns \nothing;
  @ ensures \result == \true <==> first <= cp <= last;
  @*/
static bool
in(uint32_t cp, uint32_t first, uint32_t last)
{
	return cp >= first && cp <= last;
}

/* Bidi controls, zero-width and format characters, line separators. */
/*@ assigns \nothing;
  @ ensures \result == \true <==> cp == 0xad || cp == 0x61c ||
  @   cp == 0x180e || 0x200b <= cp <= 0x200f || 0x2028 <= cp <= 0x202e ||
  @   0x2060 <= cp <= 0x2064 || 0x2066 <= cp <= 0x206f ||
  @   0xfe00 <= cp <= 0xfe0f || cp == 0xfeff || 0xfff9 <= cp <= 0xfffb ||
  @   0xe0000 <= cp <= 0xe007f || 0xe0100 <= cp <= 0xe01ef;
  @*/
static bool
is_invisible(uint32_t cp)
{
	return cp == 0xad || cp == 0x61c || cp == 0x180e ||
	    in(cp, 0x200b, 0x200f) || in(cp, 0x2028, 0x202e) ||
	    in(cp, 0x2060, 0x2064) || in(cp, 0x2066, 0x206f) ||
	    in(cp, 0xfe00, 0xfe0f) || cp == 0xfeff ||
	    in(cp, 0xfff9, 0xfffb) || in(cp, 0xe0000, 0xe007f) ||
	    in(cp, 0xe0100, 0xe01ef);
}

bool
text_cp_printable(uint32_t cp)
{
	if (cp < 0x20 || in(cp, 0x7f, 0x9f) || is_invisible(cp))
		return false;
	if (in(cp, 0xd800, 0xdfff) || in(cp, 0xe000, 0xf8ff) ||
	    in(cp, 0xfdd0, 0xfdef) || cp >= 0xf0000)
		return false; /* surrogate, private, noncharacter, beyond */
	return cp % 0x10000 < 0xfffe;
}

/*@ requires 0 <= v < 16;
  @ assigns \nothing;
  @ ensures text_upper_hex(\result);
  @*/
static char
upper_hex(int v)
{
	return (char)(v < 10 ? '0' + v : 'A' + (v - 10));
}

/* The conversion that compilers do, spelled so that C defines it. */
/*@ assigns \nothing;
  @ ensures \result == (b < 0x80 ? b : b - 0x100);
  @*/
static char
as_char(uint8_t b)
{
	return (char)(b < 0x80 ? b : b - 0x100);
}

/* How many bytes from src[0] stay as they are; 0: escape the first. */
/*@ requires n >= 1 && \valid_read(src + (0 .. n - 1));
  @ assigns \nothing;
  @ ensures \result <= 4 && \result <= n;
  @ ensures \result == 1 <==> text_ascii(src[0], flags) && src[0] != 0x5c;
  @ ensures \result == 2 <==> n >= 2 && text_wf2(src[0], src[1]) &&
  @   text_shown(text_cp2(src[0], src[1]));
  @ ensures \result == 3 <==> n >= 3 && text_wf3(src[0], src[1], src[2]) &&
  @   text_shown(text_cp3(src[0], src[1], src[2]));
  @ ensures \result == 4 <==>
  @   n >= 4 && text_wf4(src[0], src[1], src[2], src[3]) &&
  @   text_shown(text_cp4(src[0], src[1], src[2], src[3]));
  @*/
static size_t
keeps(const uint8_t *src, size_t n, unsigned flags)
{
	uint32_t cp = 0;
	size_t len;

	len = text_utf8_len(src, n, &cp);
	if (len == 1 && (flags & TEXT_LINES) != 0 &&
	    (cp == '\n' || cp == '\t'))
		return 1;
	if (len == 0 || cp == '\\' || !text_cp_printable(cp) ||
	    ((flags & TEXT_PATH) != 0 && cp == '!'))
		return 0;
	return len;
}

/* Append the escape of one byte at dst[o]. */
/*@ requires o <= SIZE_MAX - 4 && \valid(dst + (0 .. o + 3));
  @ requires text_low(dst, o, flags);
  @ requires text_escapes(dst, o);
  @ requires text_leads2(dst, o);
  @ requires text_leads3(dst, o);
  @ requires text_leads4(dst, o);
  @ requires text_conts(dst, o);
  @ assigns dst[o .. o + 3];
  @ ensures text_low(dst, o + 4, flags);
  @ ensures text_escapes(dst, o + 4);
  @ ensures text_leads2(dst, o + 4);
  @ ensures text_leads3(dst, o + 4);
  @ ensures text_leads4(dst, o + 4);
  @ ensures text_conts(dst, o + 4);
  @*/
static void
escape(char *dst, size_t o, uint8_t b, unsigned flags)
{
	char *d = dst + o;

	(void)flags; /* for the contract */
	d[0] = '\\';
	d[1] = 'x';
	d[2] = upper_hex(b / 16);
	d[3] = upper_hex(b % 16);
}

/*
 * Append one character at dst[o], as it is: a function for each length, for
 * the prover meets no branch in them.
 */
/*@ requires o < SIZE_MAX && \valid(dst + (0 .. o));
  @ requires text_ascii(b, flags) && b != 0x5c;
  @ requires text_low(dst, o, flags) && text_escapes(dst, o);
  @ requires text_leads2(dst, o) && text_leads3(dst, o);
  @ requires text_leads4(dst, o) && text_conts(dst, o);
  @ assigns dst[o];
  @ ensures text_low(dst, o + 1, flags);
  @ ensures text_escapes(dst, o + 1);
  @ ensures text_leads2(dst, o + 1);
  @ ensures text_leads3(dst, o + 1);
  @ ensures text_leads4(dst, o + 1);
  @ ensures text_conts(dst, o + 1);
  @*/
static void
keep1(char *dst, size_t o, uint8_t b, unsigned flags)
{
	(void)flags; /* for the contract */
	dst[o] = as_char(b);
}

/*@ requires o <= SIZE_MAX - 2 && \valid(dst + (0 .. o + 1));
  @ requires \valid_read(s + (0 .. 1));
  @ requires \separated(dst + (0 .. o + 1), s + (0 .. 1));
  @ requires text_wf2(s[0], s[1]);
  @ requires text_shown(text_cp2(s[0], s[1]));
  @ requires text_low(dst, o, flags) && text_escapes(dst, o);
  @ requires text_leads2(dst, o) && text_leads3(dst, o);
  @ requires text_leads4(dst, o) && text_conts(dst, o);
  @ assigns dst[o .. o + 1];
  @ ensures text_low(dst, o + 2, flags);
  @ ensures text_escapes(dst, o + 2);
  @ ensures text_leads2(dst, o + 2);
  @ ensures text_leads3(dst, o + 2);
  @ ensures text_leads4(dst, o + 2);
  @ ensures text_conts(dst, o + 2);
  @*/
static void
keep2(char *dst, size_t o, const uint8_t *s, unsigned flags)
{
	char *d = dst + o;

	(void)flags;
	d[0] = as_char(s[0]);
	d[1] = as_char(s[1]);
}

/*@ requires o <= SIZE_MAX - 3 && \valid(dst + (0 .. o + 2));
  @ requires \valid_read(s + (0 .. 2));
  @ requires \separated(dst + (0 .. o + 2), s + (0 .. 2));
  @ requires text_wf3(s[0], s[1], s[2]);
  @ requires text_shown(text_cp3(s[0], s[1], s[2]));
  @ requires text_low(dst, o, flags) && text_escapes(dst, o);
  @ requires text_leads2(dst, o) && text_leads3(dst, o);
  @ requires text_leads4(dst, o) && text_conts(dst, o);
  @ assigns dst[o .. o + 2];
  @ ensures text_low(dst, o + 3, flags);
  @ ensures text_escapes(dst, o + 3);
  @ ensures text_leads2(dst, o + 3);
  @ ensures text_leads3(dst, o + 3);
  @ ensures text_leads4(dst, o + 3);
  @ ensures text_conts(dst, o + 3);
  @*/
static void
keep3(char *dst, size_t o, const uint8_t *s, unsigned flags)
{
	char *d = dst + o;

	(void)flags;
	d[0] = as_char(s[0]);
	d[1] = as_char(s[1]);
	d[2] = as_char(s[2]);
}

/*@ requires o <= SIZE_MAX - 4 && \valid(dst + (0 .. o + 3));
  @ requires \valid_read(s + (0 .. 3));
  @ requires \separated(dst + (0 .. o + 3), s + (0 .. 3));
  @ requires text_wf4(s[0], s[1], s[2], s[3]);
  @ requires text_shown(text_cp4(s[0], s[1], s[2], s[3]));
  @ requires text_low(dst, o, flags) && text_escapes(dst, o);
  @ requires text_leads2(dst, o) && text_leads3(dst, o);
  @ requires text_leads4(dst, o) && text_conts(dst, o);
  @ assigns dst[o .. o + 3];
  @ ensures text_low(dst, o + 4, flags);
  @ ensures text_escapes(dst, o + 4);
  @ ensures text_leads2(dst, o + 4);
  @ ensures text_leads3(dst, o + 4);
  @ ensures text_leads4(dst, o + 4);
  @ ensures text_conts(dst, o + 4);
  @*/
static void
keep4(char *dst, size_t o, const uint8_t *s, unsigned flags)
{
	char *d = dst + o;

	(void)flags;
	d[0] = as_char(s[0]);
	d[1] = as_char(s[1]);
	d[2] = as_char(s[2]);
	d[3] = as_char(s[3]);
}

/*@ requires 1 <= len <= 4 && o <= SIZE_MAX - len;
  @ requires \valid(dst + (0 .. o + len - 1));
  @ requires \valid_read(s + (0 .. len - 1));
  @ requires \separated(dst + (0 .. o + len - 1), s + (0 .. len - 1));
  @ requires len == 1 ==> text_ascii(s[0], flags) && s[0] != 0x5c;
  @ requires len == 2 ==> text_wf2(s[0], s[1]) &&
  @   text_shown(text_cp2(s[0], s[1]));
  @ requires len == 3 ==> text_wf3(s[0], s[1], s[2]) &&
  @   text_shown(text_cp3(s[0], s[1], s[2]));
  @ requires len == 4 ==> text_wf4(s[0], s[1], s[2], s[3]) &&
  @   text_shown(text_cp4(s[0], s[1], s[2], s[3]));
  @ requires text_low(dst, o, flags) && text_escapes(dst, o);
  @ requires text_leads2(dst, o) && text_leads3(dst, o);
  @ requires text_leads4(dst, o) && text_conts(dst, o);
  @ assigns dst[o .. o + len - 1];
  @ ensures text_low(dst, o + len, flags);
  @ ensures text_escapes(dst, o + len);
  @ ensures text_leads2(dst, o + len);
  @ ensures text_leads3(dst, o + len);
  @ ensures text_leads4(dst, o + len);
  @ ensures text_conts(dst, o + len);
  @*/
static void
keep(char *dst, size_t o, const uint8_t *s, size_t len, unsigned flags)
{
	if (len == 1)
		keep1(dst, o, s[0], flags);
	else if (len == 2)
		keep2(dst, o, s, flags);
	else if (len == 3)
		keep3(dst, o, s, flags);
	else
		keep4(dst, o, s, flags);
}

size_t
text_printable(char *dst, size_t cap, const uint8_t *src, size_t n,
    unsigned flags, size_t *used)
{
	size_t i = 0;
	size_t o = 0;
	size_t len;

	/*@ loop invariant 0 <= i <= n && 0 <= o <= cap;
	  @ loop invariant i <= o;
	  @ loop invariant o <= TEXT_GROWTH * i;
	  @ loop invariant text_low(dst, o, flags);
	  @ loop invariant text_escapes(dst, o);
	  @ loop invariant text_leads2(dst, o);
	  @ loop invariant text_leads3(dst, o);
	  @ loop invariant text_leads4(dst, o);
	  @ loop invariant text_conts(dst, o);
	  @ loop assigns i, o, len, dst[0 .. cap - 1];
	  @ loop variant n - i;
	  @*/
	while (i < n) {
		len = keeps(src + i, n - i, flags);
		if (cap - o < (len == 0 ? TEXT_GROWTH : len))
			break;
		if (len == 0) {
			escape(dst, o, src[i], flags);
			o += TEXT_GROWTH;
			i += 1;
		} else {
			keep(dst, o, src + i, len, flags);
			o += len;
			i += len;
		}
	}
	*used = i;
	return o;
}
