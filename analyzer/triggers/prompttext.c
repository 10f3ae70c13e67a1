#include <string.h>

#include "analyzer/triggers/promptchar.h"
#include "analyzer/triggers/prompttext.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/limits.h"
#include "base/text.h"

/* A word of the text that is being cut. */
struct piece {
	size_t off, len;
	bool odd;
};

struct cutter {
	const uint8_t *p;
	size_t n, at;
	uint32_t before;	/* code point, 0 at the start */
	bool rtl;
	uint32_t odd[PROMPTTEXT_ODD];
	unsigned nodd;
	bool odd_cut;		/* there were more than that */
};

void
prompttext_init(struct prompttext *t)
{
	memset(t, 0, sizeof(*t));
	promptdict_init(&t->dict);
}

void
prompttext_release(struct prompttext *t)
{
	promptdict_release(&t->dict);
	free(t->r);
	free(t->word);
	free(t->odd);
	memset(t, 0, sizeof(*t));
}

static void
note_odd(struct cutter *c, uint32_t cp)
{
	for (unsigned i = 0; i < c->nodd; i++)
		if (c->odd[i] == cp)
			return;
	if (c->nodd < PROMPTTEXT_ODD)
		c->odd[c->nodd++] = cp;
	else
		c->odd_cut = true;
}

/* The code point at c->at and its length; invalid bytes are one each. */
static uint32_t
peek(const struct cutter *c, size_t *k)
{
	uint32_t cp = c->p[c->at];

	*k = 1;
	if (cp < 0x80)
		return cp;
	*k = text_utf8_len(&c->p[c->at], c->n - c->at, &cp);
	if (*k == 0) {
		*k = 1;
		return 0xfffd;
	}
	return cp;
}

/* Latin, Greek, Cyrillic or Armenian letters of two scripts in one word. */
static bool
mixed(unsigned scripts)
{
	scripts &= 1U << PROMPTCHAR_LATIN | 1U << PROMPTCHAR_GREEK |
	    1U << PROMPTCHAR_CYRILLIC | 1U << PROMPTCHAR_ARMENIAN;
	return (scripts & (scripts - 1)) != 0;
}

static bool
next_piece(struct cutter *c, struct piece *ret)
{
	unsigned scripts = 0;
	uint32_t cp = 0;
	size_t k = 1;

	while (c->at < c->n && promptchar_blank(cp = peek(c, &k))) {
		c->at += k;
		c->before = cp;
	}
	if (c->at == c->n)
		return false;
	ret->off = c->at;
	ret->odd = false;
	while (c->at < c->n && !promptchar_blank(cp = peek(c, &k))) {
		if (promptchar_alone(cp) && c->at > ret->off)
			break;
		c->at += k;
		scripts |= 1U << promptchar_script(cp);
		c->rtl |= promptchar_rtl(cp);
		if ((cp < 0x20 || cp >= 0x7f) &&
		    promptchar_odd(cp, c->before, c->rtl)) {
			note_odd(c, cp);
			ret->odd = true;
		}
		c->before = cp;
		if (promptchar_alone(cp))
			break;
	}
	ret->len = c->at - ret->off;
	if (mixed(scripts)) {
		note_odd(c, PROMPTTEXT_MIXED);
		ret->odd = true;
	}
	return true;
}

static int
put_word(struct prompttext *t, const uint8_t *p, const struct piece *w,
    struct err *e)
{
	uint32_t id, *v;
	size_t cap;
	int r;

	if ((r = promptdict_add(&t->dict, &p[w->off], w->len, w->odd, &id,
	    e)) < 0 || id == PROMPTDICT_LOST)
		return r;
	if (t->nword == t->word_cap) {
		cap = t->word_cap == 0 ? 65536 : t->word_cap +
		    t->word_cap / 2;
		if ((v = realloc(t->word, cap * sizeof(*v))) == NULL)
			return err_set(e, ERR_NOMEM, "words: out of memory");
		t->word = v;
		t->word_cap = cap;
	}
	t->word[t->nword++] = id;
	return 1;
}

/* The words of p[0..n), ${head} and then the last ${tail}; *gap as in row. */
static int
put_text(struct prompttext *t, struct cutter *c, size_t head, size_t tail,
    uint16_t *words, uint16_t *gap, bool *cut, struct err *e)
{
	struct piece w, ring[PROMPTTEXT_TAIL];
	size_t n = 0, more = 0;
	int r;

	*words = 0;
	*cut = false;
	while (next_piece(c, &w)) {
		if (n < head) {
			if ((r = put_word(t, c->p, &w, e)) < 0)
				return r;
			*words = (uint16_t)(*words + r);
			n++;
			continue;
		}
		*cut |= tail == 0 || more >= tail;
		if (tail == 0)
			break;
		ring[more++ % tail] = w;
	}
	*gap = *words;
	for (size_t i = more > tail ? more - tail : 0; i < more; i++) {
		if ((r = put_word(t, c->p, &ring[i % tail], e)) < 0)
			return r;
		*words = (uint16_t)(*words + r);
	}
	if (more <= tail)
		*gap = *words;
	return 0;
}

/* A text that is too long: its start and, for a prompt, its end. */
static int
put_prompt(struct prompttext *t, struct cutter *c, const uint8_t *p,
    size_t n, struct prompttext_row *r, bool *cut, struct err *e)
{
	uint16_t words, gap;
	bool more;
	int s;

	c->p = p;
	c->n = n < LIMIT_PROMPT_TEXT ? n : LIMIT_PROMPT_TEXT;
	if ((s = put_text(t, c, PROMPTTEXT_HEAD,
	    c->n == n ? PROMPTTEXT_TAIL : 0, &r->prompt, &r->gap, cut, e)) < 0)
		return s;
	if (c->n == n)
		return 0;
	*cut = true;
	c->p = &p[n - LIMIT_PROMPT_TEXT_END];
	c->n = LIMIT_PROMPT_TEXT_END;
	c->at = 0;
	c->before = ' ';
	s = put_text(t, c, 0, PROMPTTEXT_TAIL, &words, &gap, &more, e);
	r->gap = r->prompt;
	r->prompt = (uint16_t)(r->prompt + words);
	return s;
}

static int
put_odd(struct prompttext *t, struct prompttext_row *r,
    const struct cutter *c, struct err *e)
{
	uint32_t *v;
	size_t cap;

	r->odd_off = (uint32_t)t->nodd;
	if (t->nodd + c->nodd > t->odd_cap) {
		cap = t->odd_cap + t->odd_cap / 2 + 1024;
		if ((v = realloc(t->odd, cap * sizeof(*v))) == NULL)
			return err_set(e, ERR_NOMEM, "words: out of memory");
		t->odd = v;
		t->odd_cap = cap;
	}
	/* A mark of direction may stand before the first letter. */
	for (unsigned i = 0; i < c->nodd; i++)
		if (c->odd[i] == PROMPTTEXT_MIXED ||
		    promptchar_odd(c->odd[i], ' ', c->rtl))
			t->odd[t->nodd++] = c->odd[i];
	r->nodd = (uint16_t)(t->nodd - r->odd_off);
	return 0;
}

static bool
taken(const struct prompttext *t, uint64_t row)
{
	return (promptdict_mix(row + 0x51ed270b) &
	    (((uint64_t)1 << t->shift) - 1)) == 0;
}

static bool
full(const struct prompttext *t)
{
	return t->n >= LIMIT_PROMPT_ROWS ||
	    t->nword + (size_t)2 * (PROMPTTEXT_HEAD + PROMPTTEXT_TAIL) >
	    LIMIT_PROMPT_TOKENS;
}

/* Drop half of the records, their words, and the words nobody has now. */
static int
halve(struct prompttext *t, struct err *e)
{
	struct prompttext_row *r;
	uint32_t *map;
	size_t n = 0, words = 0, odd = 0, len;
	int s;

	t->shift++;
	for (size_t i = 0; i < t->n; i++) {
		if (!taken(t, t->r[i].row))
			continue;
		r = &t->r[n++];
		*r = t->r[i];
		len = (size_t)r->prompt + r->response;
		if (len > 0)
			memmove(&t->word[words], &t->word[r->off], len * 4);
		if (r->nodd > 0)
			memmove(&t->odd[odd], &t->odd[r->odd_off],
			    (size_t)r->nodd * 4);
		r->off = words;
		r->odd_off = (uint32_t)odd;
		words += len;
		odd += r->nodd;
	}
	t->n = n;
	t->nword = words;
	t->nodd = odd;
	for (size_t i = 0; i < words; i++)
		t->dict.w[t->word[i]].used = true;
	if ((map = malloc(((size_t)t->dict.n + 1) * sizeof(*map))) == NULL)
		return err_set(e, ERR_NOMEM, "words: out of memory");
	s = promptdict_keep(&t->dict, map, e);
	for (size_t i = 0; i < words; i++)
		t->word[i] = map[t->word[i]];
	free(map);
	return s;
}

int
prompttext_add(struct prompttext *t, uint64_t row, const uint8_t *prompt,
    size_t n, const uint8_t *response, size_t m, struct err *e)
{
	struct cutter c = {.before = 0}, a = {.before = 0};
	struct prompttext_row *r;
	bool cut = false, more = false;
	uint16_t gap;
	size_t words;
	int s;

	t->seen++;
	while ((full(t) || promptdict_full(&t->dict)) &&
	    t->shift < PROMPTTEXT_SHIFT)
		if ((s = halve(t, e)) < 0)
			return s;
	if (!taken(t, row) || full(t))
		return 0;
	if (t->n == t->cap) {
		t->cap = t->cap == 0 ? 1024 : t->cap + t->cap / 2;
		if ((r = realloc(t->r, t->cap * sizeof(*r))) == NULL)
			return err_set(e, ERR_NOMEM, "records: out of memory");
		t->r = r;
	}
	r = &t->r[t->n];
	memset(r, 0, sizeof(*r));
	r->row = row;
	r->off = words = t->nword;
	a.p = response;
	a.n = m < LIMIT_PROMPT_TEXT ? m : LIMIT_PROMPT_TEXT;
	if ((s = put_prompt(t, &c, prompt, n, r, &cut, e)) == 0)
		s = put_text(t, &a, PROMPTTEXT_HEAD, 0, &r->response, &gap,
		    &more, e);
	if (s == ERR_LIMIT) {
		/* The words ran out within this record. */
		err_reset(e);
		t->nword = words;
		if (t->shift >= PROMPTTEXT_SHIFT)
			return 0;
		t->seen--;
		if ((s = halve(t, e)) < 0)
			return s;
		return prompttext_add(t, row, prompt, n, response, m, e);
	}
	if (s < 0 || (s = put_odd(t, r, &c, e)) < 0)
		return s;
	t->cut += cut || more || a.n < m;
	t->odd_cut += c.odd_cut;
	t->n++;
	return 0;
}

void
prompttext_join(const struct prompttext *t, const uint32_t *v, size_t n,
    struct buf *b)
{
	const struct promptdict_word *w;
	bool alone = true, before = true;
	uint32_t cp = 0;

	for (size_t i = 0; i < n; i++) {
		if (v[i] >= t->dict.n)
			continue;
		w = &t->dict.w[v[i]];
		alone = text_utf8_len(&t->dict.bytes.p[w->off], w->len,
		    &cp) > 0 && promptchar_alone(cp);
		if (i > 0 && !(alone && before))
			buf_putc(b, ' ');
		buf_put(b, &t->dict.bytes.p[w->off], w->len);
		if (w->cut)
			buf_puts(b, "...");
		before = alone;
	}
}
