#include <stdlib.h>
#include <string.h>

#include "analyzer/traffic/switchpairs.h"
#include "analyzer/traffic/textkeep.h"
#include "analyzer/traffic/trafhash.h"
#include "analyzer/traffic/wordrun.h"
#include "base/err.h"
#include "base/text.h"

#define CODES 4			/* different ones of a text */
#define TEXT_MAX 8192

static int
add(struct switchpairs *s, const struct switchpair *p)
{
	size_t cap = s->cap == 0 ? 1024 : s->cap * 2;
	struct switchpair *to;

	if (s->n == SWITCHPAIRS_MAX) {
		s->cut = true;
		return 0;
	}
	if (s->n == s->cap) {
		if ((to = realloc(s->p, cap * sizeof(*to))) == NULL)
			return ERR_NOMEM;
		s->p = to;
		s->cap = cap;
	}
	s->p[s->n++] = *p;
	return 0;
}

/* Hash of the words a..b of a text, from the hashes of its heads. */
static uint64_t
part(const uint64_t *head, const uint64_t *power, uint32_t a, uint32_t b)
{
	return head[b] - head[a] * power[b - a];
}

/* Are the words of ${with} but for the phrase those of ${without}? */
static bool
same_rest(const struct textkeep *k, const struct switchpair *p)
{
	const struct textkeep_text *a = textkeep_at(k, p->with);
	const struct textkeep_text *b = textkeep_at(k, p->without);
	const uint32_t *x = textkeep_words(k, p->with);
	const uint32_t *y = textkeep_words(k, p->without);

	return a->words == b->words + p->words &&
	    memcmp(x, y, p->at * sizeof(*x)) == 0 &&
	    memcmp(x + p->at + p->words, y + p->at,
	    (b->words - p->at) * sizeof(*x)) == 0;
}

static int
look_words(const struct textkeep *k, uint32_t i, const uint64_t *power,
    struct switchpairs *s)
{
	const uint32_t *w = textkeep_words(k, i);
	uint32_t n = textkeep_at(k, i)->words;
	uint64_t head[WORDRUN_MAX + 1] = {0};

	for (uint32_t j = 0; j < n; j++)
		head[j + 1] = textkeep_step(head[j], w[j]);
	for (uint32_t m = 1; m <= s->longest && m + SWITCHPAIRS_REST <= n; m++)
		for (uint32_t at = 0; at + m <= n; at++) {
			struct switchpair p = {.with = i, .at = at,
			    .words = m};
			uint64_t rest = head[at] * power[n - at - m] +
			    part(head, power, at + m, n);
			size_t j = textkeep_find(k, rest);

			p.without = (uint32_t)j;
			/* Of "very very" one of both is enough. */
			if (j == textkeep_count(k) ||
			    (at > 0 && w[at - 1] == w[at + m - 1]) ||
			    !same_rest(k, &p))
				continue;
			p.phrase = trafhash_two(m,
			    part(head, power, at, at + m));
			if (add(s, &p) < 0)
				return ERR_NOMEM;
		}
	return 0;
}

bool
switchpairs_invisible(uint32_t c)
{
	return c == 0xad || c == 0x34f || c == 0x61c || c == 0x115f ||
	    c == 0x1160 || c == 0x17b4 || c == 0x17b5 || c == 0x180e ||
	    (c >= 0x200b && c <= 0x200f) || (c >= 0x202a && c <= 0x202e) ||
	    (c >= 0x2060 && c <= 0x2069) || c == 0x3164 || c == 0xfeff ||
	    c == 0xffa0 || (c >= 0xe0000 && c <= 0xe01ef);
}

/* The code points of a text that are drawn as nothing; how many. */
static unsigned
codes_of(const uint8_t *p, size_t n, uint32_t code[CODES])
{
	unsigned found = 0, j;
	uint32_t cp;

	for (size_t i = 0, m; i < n; i += m == 0 ? 1 : m) {
		if (p[i] < 0x80) {
			m = 1;
			continue;
		}
		m = text_utf8_len(p + i, n - i, &cp);
		if (m == 0 || !switchpairs_invisible(cp))
			continue;
		for (j = 0; j < found && code[j] != cp; j++)
			continue;
		if (j == found && found < CODES)
			code[found++] = cp;
	}
	return found;
}

static size_t
without(const uint8_t *p, size_t n, uint32_t code, char *to)
{
	size_t len = 0;
	uint32_t cp = 0;

	for (size_t i = 0, m; i < n; i += m) {
		m = text_utf8_len(p + i, n - i, &cp);
		if (m == 0)
			m = 1;
		else if (cp == code)
			continue;
		memcpy(to + len, p + i, m);
		len += m;
	}
	return len;
}

static int
look_codes(const struct textkeep *k, uint32_t i, struct switchpairs *s)
{
	const struct textkeep_text *t = textkeep_at(k, i);
	const uint8_t *p = (const uint8_t *)textkeep_bytes(k, i);
	uint32_t code[CODES];
	struct wordrun run;
	char rest[TEXT_MAX];
	unsigned n;

	if (t->len > TEXT_MAX)
		return 0;
	n = codes_of(p, t->len, code);
	for (unsigned c = 0; c < n; c++) {
		struct switchpair pair = {.with = i, .code = code[c],
		    .phrase = trafhash_two(0, code[c])};
		uint64_t hash = 0;
		size_t j;

		wordrun_of(rest, without(p, t->len, code[c], rest), &run);
		for (uint32_t w = 0; w < run.n; w++)
			hash = textkeep_step(hash, run.hash[w]);
		j = textkeep_find(k, hash);
		pair.without = (uint32_t)j;
		if (j == textkeep_count(k) || j == i ||
		    run.n != textkeep_at(k, j)->words ||
		    memcmp(run.hash, textkeep_words(k, j), run.n *
		    sizeof(run.hash[0])) != 0)
			continue;
		if (add(s, &pair) < 0)
			return ERR_NOMEM;
	}
	return 0;
}

static int
by_phrase(const void *a, const void *b)
{
	const struct switchpair *x = a, *y = b;

	if (x->phrase != y->phrase)
		return x->phrase < y->phrase ? -1 : 1;
	if (x->with != y->with)
		return x->with < y->with ? -1 : 1;
	return (x->at > y->at) - (x->at < y->at);
}

int
switchpairs_find(const struct textkeep *k, struct switchpairs *ret)
{
	uint64_t power[WORDRUN_MAX + 1] = {1};
	uint64_t words = textkeep_words_in_all(k) + 1;

	memset(ret, 0, sizeof(*ret));
	for (unsigned i = 0; i < WORDRUN_MAX; i++)
		power[i + 1] = power[i] * 0x9fb21c651e98df25U;
	ret->longest = SWITCHPAIRS_LOOKS / words < SWITCHPAIRS_WORDS ?
	    (unsigned)(SWITCHPAIRS_LOOKS / words) : SWITCHPAIRS_WORDS;
	for (uint32_t i = 0; i < textkeep_count(k); i++)
		if (look_words(k, i, power, ret) < 0 ||
		    look_codes(k, i, ret) < 0) {
			free(ret->p);
			ret->p = NULL;
			return ERR_NOMEM;
		}
	if (ret->n > 1)
		qsort(ret->p, ret->n, sizeof(*ret->p), by_phrase);
	return 0;
}
