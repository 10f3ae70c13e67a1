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
 * text_printable(dst, cap, src, n, flags, used): write the printable form of
 * src[0..n) to dst[0..cap), never splitting an escape or a character, and
 * return how many bytes were written; *used is how many of src they stand
 * for (n when all fitted).  Adds no NUL.  dst and src must not overlap.
 */
size_t text_printable(char *dst, size_t cap, const uint8_t *src, size_t n,
    unsigned flags, size_t *used);

/*
 * text_utf8_len(src, n): length 1..4 of the well-formed UTF-8 sequence at
 * src[0..n), or 0 when ill-formed or n is 0.  *cp is its code point.
 */
size_t text_utf8_len(const uint8_t *src, size_t n, uint32_t *cp);
bool text_is_utf8(const uint8_t *src, size_t n);
bool text_cp_printable(uint32_t cp);

/* text_put(b, src, n, flags): append the printable form to a buf. */
void text_put(struct buf *b, const void *src, size_t n, unsigned flags);

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
