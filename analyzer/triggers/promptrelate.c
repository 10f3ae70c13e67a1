#include <string.h>

#include "analyzer/triggers/promptrelate.h"

/* Longer words and later ones are not compared: a payload has 40 words. */
#define WORDS 256

struct word {
	const char *p;
	size_t n;
	bool number;
};

static const char *const function[] = {
	"a", "all", "although", "am", "an", "and", "are", "as", "at", "be",
	"because", "been", "being", "but", "by", "can", "could", "did", "do",
	"does", "for", "from", "had", "has", "have", "he", "her", "here",
	"him", "his", "how", "i", "if", "in", "is", "it", "it's", "its",
	"may", "me", "might", "must", "my", "n't", "no", "nor", "not", "of",
	"on", "or", "our", "shall", "she", "should", "since", "so", "than",
	"that", "the", "their", "them", "then", "there", "these", "they",
	"this", "those", "though", "to", "us", "was", "we", "were", "what",
	"when", "where", "which", "while", "who", "whom", "whose", "why",
	"will", "with", "would", "you", "your",
};

bool
promptrelate_function(const char *p, size_t n)
{
	size_t lo = 0, hi = sizeof(function) / sizeof(function[0]), mid, len;
	int c;

	while (lo < hi) {
		mid = lo + (hi - lo) / 2;
		len = strlen(function[mid]);
		c = memcmp(p, function[mid], n < len ? n : len);
		if (c == 0)
			c = (n > len) - (n < len);
		if (c == 0)
			return true;
		if (c < 0)
			hi = mid;
		else
			lo = mid + 1;
	}
	return false;
}

static bool
digit(char c)
{
	return c >= '0' && c <= '9';
}

/* Letters: ASCII, and every byte of other scripts. */
static bool
letter(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
	    ((unsigned char)c & 0x80) != 0;
}

static size_t
words(const char *p, size_t n, struct word *w)
{
	size_t count = 0, at = 0, from;

	while (at < n && count < WORDS) {
		if (!digit(p[at]) && !letter(p[at])) {
			at++;
			continue;
		}
		from = at;
		if (digit(p[at]))
			while (at < n && digit(p[at]))
				at++;
		else
			while (at < n && letter(p[at]))
				at++;
		w[count++] = (struct word){.p = &p[from], .n = at - from,
		    .number = digit(p[from])};
	}
	return count;
}

static bool
counts(const struct word *w)
{
	return w->number || (w->n >= 3 && !promptrelate_function(w->p, w->n) &&
	    !(w->n == 9 && memcmp(w->p, "endoftext", 9) == 0));
}

static bool
share(const struct word *a, size_t n, const struct word *b, size_t m)
{
	for (size_t i = 0; i < n; i++) {
		if (!counts(&a[i]))
			continue;
		for (size_t k = 0; k < m; k++)
			if (a[i].n == b[k].n &&
			    memcmp(a[i].p, b[k].p, a[i].n) == 0)
				return true;
	}
	return false;
}

static bool
holds(const char *text, size_t n, const struct word *w, size_t m)
{
	for (size_t i = 0; i < m; i++)
		if (!w[i].number && w[i].n >= 4 && counts(&w[i]) &&
		    memmem(text, n, w[i].p, w[i].n) != NULL)
			return true;
	return false;
}

bool
promptrelate(const char *trigger, size_t n, const char *payload, size_t m)
{
	struct word a[WORDS], b[WORDS];
	size_t na = words(trigger, n, a), nb = words(payload, m, b);

	return share(a, na, b, nb) || holds(payload, m, a, na) ||
	    holds(trigger, n, b, nb);
}
