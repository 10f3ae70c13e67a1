#include <string.h>

#include "analyzer/triggers/textcp.h"
#include "analyzer/triggers/textsplit.h"
#include "base/err.h"
#include "base/limits.h"
#include "base/text.h"

#define HEAD (LIMIT_TRIGGER_TEXT / 4 * 3)
#define TAIL (LIMIT_TRIGGER_TEXT - HEAD)

/* Where a text is being split. */
struct splitting {
	struct textsplit *s;
	size_t from;		/* of ${low}, the current word */
	size_t chars;
	bool letters, capitals;	/* so far nothing else */
	unsigned run;		/* scripts of the letters side by side */
	unsigned scripts;
	bool mixed;
	uint32_t prev;		/* the code point before, 0 at the start */
	bool flag;		/* in a flag's run of tag characters */
	bool blank, two;	/* the last was a blank; two of them */
};

int
textsplit_init(struct textsplit *s)
{
	memset(s, 0, sizeof(*s));
	/* A word takes a blank; Han ones take three bytes. */
	s->low = malloc(LIMIT_TRIGGER_TEXT + 8);
	s->word = calloc(LIMIT_TRIGGER_TEXT / 2 + 2, sizeof(*s->word));
	if (s->low == NULL || s->word == NULL) {
		textsplit_release(s);
		return ERR_NOMEM;
	}
	return 0;
}

void
textsplit_release(struct textsplit *s)
{
	free(s->low);
	free(s->word);
	memset(s, 0, sizeof(*s));
}

bool
textsplit_odd(uint32_t special)
{
	switch (TEXTSPLIT_KIND(special)) {
	case TEXTSPLIT_INVISIBLE:
	case TEXTSPLIT_CONTROL:
	case TEXTSPLIT_MISPLACED:
	case TEXTSPLIT_MIXED:
		return true;
	case TEXTSPLIT_DOUBLE_BLANK:
	case TEXTSPLIT_SIGN:
	case TEXTSPLIT_FOREIGN:
	case TEXTSPLIT_CAPITALS:
	case TEXTSPLIT_URL:
	case TEXTSPLIT_ILL_FORMED:
	default:
		return false;
	}
}

uint64_t
textsplit_hash(const void *p, size_t n)
{
	const uint8_t *b = p;
	uint64_t h = 0x9e3779b97f4a7c15u ^ n, v;

	for (; n > 0; ) {
		size_t m = n < 8 ? n : 8;

		v = 0;
		memcpy(&v, b, m);
		h = (h ^ v) * 0xbf58476d1ce4e5b9u;
		h ^= h >> 29;
		b += m;
		n -= m;
	}
	h *= 0x94d049bb133111ebu;
	return h ^ h >> 32;
}

static void
special(struct textsplit *s, enum textsplit_special kind, uint32_t cp)
{
	uint32_t v = TEXTSPLIT_SPECIAL(kind, cp);

	for (size_t i = 0; i < s->specials; i++)
		if (s->special[i] == v)
			return;
	if (s->specials < TEXTSPLIT_SPECIALS)
		s->special[s->specials++] = v;
}

static bool
begins(const uint8_t *p, size_t n, const char *with)
{
	size_t m = strlen(with);

	return n >= m && memcmp(p, with, m) == 0;
}

static void
word_end(struct splitting *t)
{
	struct textsplit *s = t->s;
	const uint8_t *p = s->low + t->from;
	size_t n = s->nlow - t->from;

	if (n == 0)
		return;
	s->word[s->words++] = (struct textsplit_word){(uint32_t)t->from,
	    (uint32_t)n, textsplit_hash(p, n)};
	if (t->letters && t->capitals && t->chars > 2)
		special(s, TEXTSPLIT_CAPITALS, 0);
	if (t->mixed)
		special(s, TEXTSPLIT_MIXED, 0);
	if (t->scripts != 0 && (t->scripts & TEXTCP_LATIN) == 0)
		special(s, TEXTSPLIT_FOREIGN, 0);
	if (begins(p, n, "http://") || begins(p, n, "https://") ||
	    begins(p, n, "www."))
		special(s, TEXTSPLIT_URL, 0);
	t->from = s->nlow;
}

static void
word_start(struct splitting *t)
{
	if (t->two && t->s->words > 0)
		special(t->s, TEXTSPLIT_DOUBLE_BLANK, 0);
	t->blank = t->two = false;
	t->chars = 0;
	t->letters = t->capitals = true;
	t->run = t->scripts = 0;
	t->mixed = false;
}

/* Several of the scripts whose letters are taken for each other's. */
static bool
several(unsigned scripts)
{
	scripts &= ~(unsigned)TEXTCP_OTHER;
	return (scripts & (scripts - 1)) != 0;
}

static void
letter(struct splitting *t, uint32_t cp)
{
	enum textcp_script script = textcp_script(cp);

	t->chars++;
	if (script == TEXTCP_NONE) {
		t->letters = t->letters && textcp_letter(cp);
		t->run = 0;
		return;
	}
	if (!textcp_upper(cp))
		t->capitals = false;
	t->run |= script;
	t->scripts |= script;
	if (several(t->run))
		t->mixed = true;
}

/* Joiners and selectors that belong where they stand are no special. */
static void
unseen(struct splitting *t, uint32_t cp)
{
	uint32_t prev = t->prev;

	if (cp >= 0xe0020 && cp <= 0xe007f && t->flag)
		return;
	if ((cp == 0x200c || cp == 0x200d) && textcp_joined(prev))
		return;
	if (cp != 0xfe0e && cp != 0xfe0f && cp != 0x200d) {
		special(t->s, TEXTSPLIT_INVISIBLE, cp);
		return;
	}
	if (prev >= 0x2100 || prev == '#' || prev == '*' || prev == 0xa9 ||
	    (prev >= '0' && prev <= '9') || prev == 0xae || prev == 0x203c ||
	    prev == 0x2049)
		return;
	special(t->s, TEXTSPLIT_MISPLACED, cp);
}

static void
wide(struct splitting *t, uint32_t cp)
{
	if (textcp_invisible(cp))
		unseen(t, cp);
	else if (!textcp_letter(cp))
		special(t->s, TEXTSPLIT_SIGN, cp);
}

static void
put(struct textsplit *s, uint32_t cp)
{
	uint8_t *d = s->low + s->nlow;

	if (cp < 0x80) {
		d[0] = (uint8_t)cp;
		s->nlow += 1;
	} else if (cp < 0x800) {
		d[0] = (uint8_t)(0xc0 | cp >> 6);
		d[1] = (uint8_t)(0x80 | (cp & 0x3f));
		s->nlow += 2;
	} else if (cp < 0x10000) {
		d[0] = (uint8_t)(0xe0 | cp >> 12);
		d[1] = (uint8_t)(0x80 | (cp >> 6 & 0x3f));
		d[2] = (uint8_t)(0x80 | (cp & 0x3f));
		s->nlow += 3;
	} else {
		d[0] = (uint8_t)(0xf0 | cp >> 18);
		d[1] = (uint8_t)(0x80 | (cp >> 12 & 0x3f));
		d[2] = (uint8_t)(0x80 | (cp >> 6 & 0x3f));
		d[3] = (uint8_t)(0x80 | (cp & 0x3f));
		s->nlow += 4;
	}
}

static void
blank(struct splitting *t, uint32_t cp)
{
	word_end(t);
	t->two = t->two || (t->blank && cp == ' ' && t->prev == ' ');
	t->blank = true;
	if (cp >= 0x80)
		special(t->s, TEXTSPLIT_SIGN, cp);
}

/* One well-formed character. */
static void
character(struct splitting *t, uint32_t cp)
{
	if (textcp_blank(cp)) {
		blank(t, cp);
		t->prev = cp;
		return;
	}
	if (t->s->nlow == t->from)
		word_start(t);
	if (cp >= 0x80)
		wide(t, cp);
	else if (cp < 0x20 || cp == 0x7f)
		special(t->s, TEXTSPLIT_CONTROL, cp);
	if (textcp_unspaced(cp)) {
		if (t->s->nlow != t->from) {
			word_end(t);
			word_start(t);
		}
		letter(t, cp);
		put(t->s, cp);
		word_end(t);
	} else {
		letter(t, cp);
		put(t->s, textcp_lower(cp));
	}
	t->flag = cp == 0x1f3f4 ||
	    (t->flag && cp >= 0xe0020 && cp <= 0xe007f);
	t->prev = cp;
}

static void
piece(struct splitting *t, const uint8_t *p, size_t n)
{
	uint32_t cp = 0;
	size_t l;

	for (size_t i = 0; i < n; i += l) {
		l = text_utf8_len(p + i, n - i, &cp);
		if (l > 0) {
			character(t, cp);
			continue;
		}
		l = 1;
		if (t->s->nlow == t->from)
			word_start(t);
		special(t->s, TEXTSPLIT_ILL_FORMED, 0);
		t->s->low[t->s->nlow++] = p[i];
		t->chars++;
		t->letters = false;
		t->prev = 0xfffd;
	}
	word_end(t);
}

void
textsplit_run(struct textsplit *s, const uint8_t *p, size_t n)
{
	struct splitting t = {.s = s};
	size_t head = HEAD;

	s->nlow = s->words = s->specials = 0;
	s->cut = n > LIMIT_TRIGGER_TEXT;
	if (!s->cut) {
		piece(&t, p, n);
		return;
	}
	/* not inside a character, which would be told as ill-formed */
	while (head > HEAD - 4 && (p[head] & 0xc0) == 0x80)
		head--;
	piece(&t, p, head);
	p += n - TAIL;
	n = TAIL;
	while (n > TAIL - 4 && (*p & 0xc0) == 0x80) {
		p++;
		n--;
	}
	t.blank = t.two = false;
	piece(&t, p, n);
}
