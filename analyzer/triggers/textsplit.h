#ifndef ANALYZER_TRIGGERS_TEXTSPLIT_H_
#define ANALYZER_TRIGGERS_TEXTSPLIT_H_

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * One text as lower-case words and the specials that it holds.
 *
 * Words are what blanks separate (textcp_blank), with their punctuation; Han
 * and kana are words one by one.  A special is something about characters
 * that words do not show, once a text however often it occurs.
 */
enum textsplit_special {
	TEXTSPLIT_DOUBLE_BLANK = 1,
	TEXTSPLIT_SIGN,		/* no ASCII, no letter, visible; NBSP */
	TEXTSPLIT_INVISIBLE,
	TEXTSPLIT_CONTROL,
	TEXTSPLIT_MISPLACED,	/* a joiner or selector behind no emoji */
	TEXTSPLIT_MIXED,	/* letters of two scripts side by side */
	TEXTSPLIT_FOREIGN,	/* a word of letters, none of them Latin */
	TEXTSPLIT_CAPITALS,	/* a word of three capitals or more */
	TEXTSPLIT_URL,
	TEXTSPLIT_ILL_FORMED,	/* bytes that are not UTF-8 */
};

/* A special as one number: its kind above its code point (or 0). */
#define TEXTSPLIT_SPECIAL(kind, cp) ((uint32_t)(kind) << 24 | (cp))
#define TEXTSPLIT_KIND(s) ((enum textsplit_special)((s) >> 24))
#define TEXTSPLIT_CP(s) ((s) & 0xffffff)
/* Specials of a text; later ones are left out. */
#define TEXTSPLIT_SPECIALS 64

struct textsplit_word {
	uint32_t off, len;	/* of ${low} */
	uint64_t hash;
};

struct textsplit {
	uint8_t *low;		/* the text in lower case */
	size_t nlow;
	struct textsplit_word *word;
	size_t words;
	uint32_t special[TEXTSPLIT_SPECIALS];
	size_t specials;
	bool cut;		/* the middle of the text was left out */
};

/* textsplit_init: negative: out of memory. */
int textsplit_init(struct textsplit *s);
void textsplit_release(struct textsplit *s);
/* textsplit_run: of a text over LIMIT_TRIGGER_TEXT the two ends are read. */
void textsplit_run(struct textsplit *s, const uint8_t *p, size_t n);
/* Is it one of the kinds that need no second proof (invisible, mixed)? */
bool textsplit_odd(uint32_t special);
uint64_t textsplit_hash(const void *p, size_t n);

#endif /* !ANALYZER_TRIGGERS_TEXTSPLIT_H_ */
