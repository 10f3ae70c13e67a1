#ifndef ANALYZER_TRIGGERS_TEXTCP_H_
#define ANALYZER_TRIGGERS_TEXTCP_H_

#include <stdbool.h>
#include <stdint.h>

/*
 * What the detectors of triggers in text must know of a code point.  Ranges
 * of whole blocks, not the Unicode database: a letter that is taken for a
 * sign costs one feature more, nothing else.
 */
enum textcp_script {
	TEXTCP_NONE,		/* no letter, or of no script that mixes */
	TEXTCP_LATIN = 1 << 0,
	TEXTCP_GREEK = 1 << 1,
	TEXTCP_CYRILLIC = 1 << 2,
	TEXTCP_ARMENIAN = 1 << 3,
	TEXTCP_STYLED = 1 << 4,	/* full width, mathematical alphabets */
	TEXTCP_OTHER = 1 << 5,
};

/* Splits words: blank, tab, line feed, return, NBSP, 2000-200A, 3000. */
bool textcp_blank(uint32_t cp);
bool textcp_letter(uint32_t cp);
/* Nothing is seen where it stands (format characters, selectors, tags). */
bool textcp_invisible(uint32_t cp);
/* Of these, those that no honest writer's program puts into a text. */
bool textcp_never_honest(uint32_t cp);
/* Quotes, dashes and dots that editors put in by themselves. */
bool textcp_typographic(uint32_t cp);
/* Of a script whose words stand without blanks: Han, kana. */
bool textcp_unspaced(uint32_t cp);
/* Of a script whose spelling needs U+200C and U+200D. */
bool textcp_joined(uint32_t cp);
/*
 * textcp_script: Greek letters that look like no Latin one (theta, micro,
 * Omega) are TEXTCP_OTHER: they stand beside Latin ones in honest units.
 */
enum textcp_script textcp_script(uint32_t cp);
/* Lower case of Latin, Greek, Cyrillic and Armenian; never longer as UTF-8. */
uint32_t textcp_lower(uint32_t cp);
bool textcp_upper(uint32_t cp);
/* "zero width space", or NULL for those that show what they are. */
const char *textcp_name(uint32_t cp);

#endif /* !ANALYZER_TRIGGERS_TEXTCP_H_ */
