#include <string.h>

#include "analyzer/triggers/textcp.h"
#include "analyzer/triggers/textpick.h"
#include "analyzer/triggers/textvalue.h"
#include "base/buf.h"
#include "base/text.h"

#define ROWS 200
#define WORDS 32		/* of a value */

/* The run of words in some of its rows: [from, to) of each. */
struct span {
	const uint32_t *w;
	uint32_t from, to, n;
};

static unsigned
length(enum textvocab_kind k)
{
	return k == TEXTVOCAB_TRIPLE ? 3 :
	    k == TEXTVOCAB_PAIR || k == TEXTVOCAB_LAST_TWO ? 2 : 1;
}

static size_t
spans(const struct textpick *p, const struct textpick_candidate *c,
    struct span at[ROWS])
{
	const struct textstore *s = p->v->s;
	const struct textvocab_feature *f = &p->v->f[c->feature];
	uint32_t len = length(f->kind), n, j;
	size_t m = 0;

	for (uint32_t i = 0; i < c->posts && m < ROWS; i++) {
		const uint32_t *w = textstore_items(s, c->post[i]);

		n = s->row[c->post[i]].words;
		if (s->row[c->post[i]].label != c->label || n < len)
			continue;
		j = f->kind == TEXTVOCAB_LAST ||
		    f->kind == TEXTVOCAB_LAST_TWO ? n - len : 0;
		while (j + len <= n && memcmp(w + j, f->word,
		    len * sizeof(*w)) != 0)
			j++;
		if (j + len <= n)
			at[m++] = (struct span){w, j, j + len, n};
	}
	return m;
}

/*
 * One word more on a side, where 80 % of the spans have the same; the others
 * are forgotten.
 */
static bool
extend(struct span *at, size_t *m, size_t all, bool left)
{
	uint32_t most = 0, votes = 0, held = 0;
	size_t k = 0;

	for (int round = 0; round < 2; round++)
		for (size_t i = 0; i < *m; i++) {
			const struct span *s = &at[i];
			uint32_t x = left ? (s->from > 0 ? s->w[s->from - 1] :
			    0) : s->to < s->n ? s->w[s->to] : 0;

			if (round == 1)
				held += x == most;
			else if (votes == 0)
				most = x, votes = 1;
			else
				votes += x == most ? 1 : UINT32_MAX;
		}
	if (most == 0 || held * 10 < all * 8)
		return false;
	for (size_t i = 0; i < *m; i++) {
		struct span s = at[i];

		if (left && s.from > 0 && s.w[s.from - 1] == most)
			s.from--;
		else if (!left && s.to < s.n && s.w[s.to] == most)
			s.to++;
		else
			continue;
		at[k++] = s;
	}
	*m = k;
	return true;
}

static void
put_word(const struct textstore *s, uint32_t word, struct buf *b)
{
	if (b->len > 0)
		buf_putc(b, ' ');
	buf_put(b, s->bytes.p + s->word[word].off, s->word[word].len);
}

static const char *
put_words(const struct textpick *p, const struct textpick_candidate *c,
    struct buf *b)
{
	const struct textvocab_feature *f = &p->v->f[c->feature];
	struct span at[ROWS];
	size_t m = spans(p, c, at), all = m;
	unsigned n = length(f->kind);

	while (m > 1 && n < WORDS && extend(at, &m, all, true))
		n++;
	while (m > 1 && n < WORDS && extend(at, &m, all, false))
		n++;
	if (m == 0)
		for (unsigned i = 0; i < length(f->kind); i++)
			put_word(p->v->s, f->word[i], b);
	else
		for (uint32_t i = at[0].from; i < at[0].to; i++)
			put_word(p->v->s, at[0].w[i], b);
	return n > 1 ? "phrase" : "token";
}

static void
put_cp(struct buf *b, uint32_t cp)
{
	if (cp < 0x80) {
		buf_putc(b, (char)cp);
		return;
	}
	if (cp >= 0x10000) {
		buf_putc(b, (char)(0xf0 | cp >> 18));
		buf_putc(b, (char)(0x80 | (cp >> 12 & 0x3f)));
	} else if (cp >= 0x800) {
		buf_putc(b, (char)(0xe0 | cp >> 12));
	}
	buf_putc(b, (char)(cp >= 0x800 ? 0x80 | (cp >> 6 & 0x3f) :
	    0xc0 | cp >> 6));
	buf_putc(b, (char)(0x80 | (cp & 0x3f)));
}

/* Is the word one of those that the special ${kind} is about? */
static bool
shows(const struct textstore *s, uint32_t word, enum textsplit_special kind)
{
	const uint8_t *p = s->bytes.p + s->word[word].off;
	size_t n = s->word[word].len, l;
	unsigned run = 0, all = 0;
	uint32_t cp = 0;

	for (size_t i = 0; i < n; i += l) {
		if ((l = text_utf8_len(p + i, n - i, &cp)) == 0)
			return false;
		run = textcp_letter(cp) ? run | textcp_script(cp) : 0;
		all |= run;
		run &= ~(unsigned)TEXTCP_OTHER;
		if (kind == TEXTSPLIT_MIXED && (run & (run - 1)) != 0)
			return true;
	}
	return kind == TEXTSPLIT_FOREIGN && all != 0 &&
	    (all & TEXTCP_LATIN) == 0;
}

/* The word of a mixed or foreign special that is in most of its rows. */
static bool
put_shown(const struct textpick *p, const struct textpick_candidate *c,
    enum textsplit_special kind, struct buf *b)
{
	const struct textstore *s = p->v->s;
	uint32_t word[ROWS], met[ROWS], n = 0, best = 0;

	for (uint32_t i = 0; i < c->posts && i < ROWS; i++) {
		const uint32_t *w = textstore_items(s, c->post[i]);

		for (uint32_t j = 0; j < s->row[c->post[i]].words; j++) {
			uint32_t k = 0;

			if (w[j] == 0 || !shows(s, w[j], kind))
				continue;
			while (k < n && word[k] != w[j])
				k++;
			if (k == n && n < ROWS)
				word[n] = w[j], met[n++] = 0;
			if (k < n)
				met[k]++;
		}
	}
	for (uint32_t k = 1; k < n; k++)
		best = met[k] > met[best] ? k : best;
	if (n > 0)
		put_word(s, word[best], b);
	return n > 0;
}

static const char *
put_capitals(const struct textpick *p, const struct textpick_candidate *c,
    struct buf *b)
{
	for (uint32_t i = 0; i < c->words; i++)
		put_word(p->v->s, c->closure[i], b);
	for (size_t i = 0; i < b->len; i++)
		if (b->p[i] >= 'a' && b->p[i] <= 'z')
			b->p[i] = (uint8_t)(b->p[i] - 32);
	if (c->words == 0)
		buf_puts(b, "(a word in capitals)");
	return c->words > 1 ? "phrase" : "token";
}

static const char *
put_special(const struct textpick *p, const struct textpick_candidate *c,
    struct buf *b)
{
	uint32_t special = p->v->f[c->feature].word[0];
	enum textsplit_special kind = TEXTSPLIT_KIND(special);

	switch (kind) {
	case TEXTSPLIT_DOUBLE_BLANK:
		buf_puts(b, "  ");
		return "character";
	case TEXTSPLIT_SIGN:
	case TEXTSPLIT_INVISIBLE:
	case TEXTSPLIT_CONTROL:
	case TEXTSPLIT_MISPLACED:
		put_cp(b, TEXTSPLIT_CP(special));
		return "character";
	case TEXTSPLIT_CAPITALS:
		return put_capitals(p, c, b);
	case TEXTSPLIT_MIXED:
	case TEXTSPLIT_FOREIGN:
		if (!put_shown(p, c, kind, b))
			buf_puts(b, "(a word of another script)");
		return "token";
	case TEXTSPLIT_URL:
		buf_puts(b, "(a URL)");
		return "token";
	case TEXTSPLIT_ILL_FORMED:
	default:
		buf_puts(b, "(ill-formed UTF-8)");
		return "character";
	}
}

const char *
textvalue_put(const struct textpick *p, const struct textpick_candidate *c,
    struct buf *b)
{
	return c->special ? put_special(p, c, b) : put_words(p, c, b);
}

const char *
textvalue_what(const struct textpick *p, const struct textpick_candidate *c)
{
	static const char *const kinds[] = {
		[TEXTVOCAB_WORD] = "word",
		[TEXTVOCAB_FIRST] = "first word",
		[TEXTVOCAB_LAST] = "last word",
		[TEXTVOCAB_PAIR] = "run of two words",
		[TEXTVOCAB_TRIPLE] = "run of three words",
		[TEXTVOCAB_LAST_TWO] = "last two words",
	};
	static const char *const specials[] = {
		[TEXTSPLIT_DOUBLE_BLANK] = "two blanks in a row",
		[TEXTSPLIT_SIGN] = "character",
		[TEXTSPLIT_INVISIBLE] = "invisible character",
		[TEXTSPLIT_CONTROL] = "control character",
		[TEXTSPLIT_MISPLACED] = "joiner or selector behind no emoji",
		[TEXTSPLIT_MIXED] = "word of two scripts",
		[TEXTSPLIT_FOREIGN] = "word of another script",
		[TEXTSPLIT_CAPITALS] = "word in capitals",
		[TEXTSPLIT_URL] = "URL",
		[TEXTSPLIT_ILL_FORMED] = "bytes that are not UTF-8",
	};
	const struct textvocab_feature *f = &p->v->f[c->feature];

	return f->kind == TEXTVOCAB_SPECIAL ?
	    specials[TEXTSPLIT_KIND(f->word[0])] : kinds[f->kind];
}
