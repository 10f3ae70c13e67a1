#ifndef ANALYZER_TRIGGERS_PROMPTCHAR_H_
#define ANALYZER_TRIGGERS_PROMPTCHAR_H_

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * Code points of prompts and responses: which part words, which are words of
 * their own, which cannot be seen and have no business where they stand.
 */

/* A blank, TAB, LF, CR, and the blanks of Unicode that have a width. */
bool promptchar_blank(uint32_t cp);
/*
 * promptchar_alone: scripts that are written without blanks (Han, Kana, Thai
 * and its neighbours): each code point is a word.
 */
bool promptchar_alone(uint32_t cp);
/* Lower case of Latin, Greek and Cyrillic; others stay as they are. */
uint32_t promptchar_lower(uint32_t cp);
/* Marks that are stripped at both ends of a word of a response. */
bool promptchar_mark(uint32_t cp);

enum promptchar_script { PROMPTCHAR_NONE, PROMPTCHAR_LATIN, PROMPTCHAR_GREEK,
	PROMPTCHAR_CYRILLIC, PROMPTCHAR_ARMENIAN, PROMPTCHAR_OTHER };
enum promptchar_script promptchar_script(uint32_t cp);

/*
 * promptchar_odd: is ${cp} invisible, or a control, and does it stand where
 * spelling does not ask for it?  Joiners behind an emoji and inside scripts
 * that need them, marks of direction in texts that are written from right to
 * left (${rtl}), variation selectors behind ideographs, tags of flags and
 * fillers of Hangul are ordinary.  ${before}: the code point before, 0 at the
 * start.
 */
bool promptchar_odd(uint32_t cp, uint32_t before, bool rtl);
/* Hebrew, Arabic and their kin. */
bool promptchar_rtl(uint32_t cp);

/* promptchar_put: UTF-8 of ${cp} to dst[0..4); how many bytes. */
size_t promptchar_put(uint8_t *dst, uint32_t cp);

#endif /* !ANALYZER_TRIGGERS_PROMPTCHAR_H_ */
