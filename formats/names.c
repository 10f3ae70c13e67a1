#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/text.h"
#include "formats/names.h"

/*
 * A name as a path, read twice: as it stands, and as it would be if every
 * character that looks like a dot or a slash were one.  The second reading is
 * what a tool does that normalises (NFKC), decodes percent escapes, or has a
 * lax UTF-8 decoder.
 */
enum shape { SHAPE_OTHER, SHAPE_DOT, SHAPE_TWO_DOTS, SHAPE_SLASH };

static const struct {
	const char *bytes;
	enum shape shape;
} lookalikes[] = {
    {"\xef\xbc\x8e", SHAPE_DOT},	/* U+FF0E fullwidth full stop */
    {"\xef\xb9\x92", SHAPE_DOT},	/* U+FE52 small full stop */
    {"\xe2\x80\xa4", SHAPE_DOT},	/* U+2024 one dot leader */
    {"\xe2\x80\xa5", SHAPE_TWO_DOTS},	/* U+2025 two dot leader */
    {"\xc0\xae", SHAPE_DOT},		/* overlong */
    {"\xe0\x80\xae", SHAPE_DOT},
    {"%2e", SHAPE_DOT},
    {"%2E", SHAPE_DOT},
    {"\xef\xbc\x8f", SHAPE_SLASH},	/* U+FF0F fullwidth solidus */
    {"\xe2\x81\x84", SHAPE_SLASH},	/* U+2044 fraction slash */
    {"\xe2\x88\x95", SHAPE_SLASH},	/* U+2215 division slash */
    {"\xe2\xa7\xb8", SHAPE_SLASH},	/* U+29F8 big solidus */
    {"\xef\xbc\xbc", SHAPE_SLASH},	/* U+FF3C fullwidth backslash */
    {"\xef\xb9\xa8", SHAPE_SLASH},	/* U+FE68 small backslash */
    {"\xe2\x88\x96", SHAPE_SLASH},	/* U+2216 set minus */
    {"\xc0\xaf", SHAPE_SLASH},		/* overlong */
    {"\xe0\x80\xaf", SHAPE_SLASH},
    {"\xc1\x9c", SHAPE_SLASH},
    {"%2f", SHAPE_SLASH},
    {"%2F", SHAPE_SLASH},
    {"%5c", SHAPE_SLASH},
    {"%5C", SHAPE_SLASH},
};

static bool
is_slash(char c)
{
	return c == '/' || c == '\\';
}

static bool
is_letter(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

/* The shape of what stands at p[0..n), n > 0; *len is how long it is. */
static enum shape
shape_at(const char *p, size_t n, bool loose, size_t *len)
{
	*len = 1;
	if (is_slash(*p))
		return SHAPE_SLASH;
	if (*p == '.')
		return SHAPE_DOT;
	if (!loose || (*p != '%' && (uint8_t)*p < 0xc0))
		return SHAPE_OTHER;
	for (size_t i = 0; i < sizeof(lookalikes) / sizeof(lookalikes[0]);
	    i++) {
		size_t k = strlen(lookalikes[i].bytes);

		if (k <= n && memcmp(p, lookalikes[i].bytes, k) == 0) {
			*len = k;
			return lookalikes[i].shape;
		}
	}
	return SHAPE_OTHER;
}

/* Absolute, or with a component that is two dots? */
static unsigned
path_oddities(const char *name, size_t n, bool loose)
{
	unsigned dots = 0, odd = 0;
	bool other = false;
	enum shape shape;
	size_t len;

	for (size_t i = 0; i < n; i += len) {
		shape = shape_at(name + i, n - i, loose, &len);
		dots += shape == SHAPE_DOT ? 1U : shape == SHAPE_TWO_DOTS ?
		    2U : 0U;
		other |= shape == SHAPE_OTHER;
		if (shape != SHAPE_SLASH)
			continue;
		if (i == 0)
			odd |= NAMES_ABSOLUTE;
		if (dots == 2 && !other)
			odd |= NAMES_TRAVERSAL;
		dots = 0;
		other = false;
	}
	if (dots == 2 && !other)
		odd |= NAMES_TRAVERSAL;
	if (n > 2 && is_letter(name[0]) && name[1] == ':' &&
	    shape_at(name + 2, n - 2, loose, &len) == SHAPE_SLASH)
		odd |= NAMES_ABSOLUTE;
	return odd;
}

static bool
is_deceptive(const char *name, size_t n)
{
	const uint8_t *p = (const uint8_t *)name;
	uint32_t cp;
	size_t len;

	for (size_t i = 0; i < n; i += len) {
		/* Another encoding than UTF-8 is old, not deceptive. */
		if ((len = text_utf8_len(p + i, n - i, &cp)) == 0)
			len = 1;
		else if (cp != 0 && !text_cp_printable(cp))
			return true;
	}
	return false;
}

/* CON, NUL, COM1, ... with any extension, in any case. */
static bool
is_device(const char *p, size_t n)
{
	static const char *const names[] = {"con", "prn", "aux", "nul", "com",
	    "lpt"};
	size_t stem = 0;

	while (stem < n && p[stem] != '.' && p[stem] != ' ')
		stem++;
	for (unsigned i = 0; i < 6; i++) {
		const size_t want = i < 4 ? 3 : 4;
		size_t k = 0;

		while (k < 3 && k < stem && (p[k] | 0x20) == names[i][k])
			k++;
		if (k == 3 && stem == want && (i < 4 ||
		    (p[3] >= '1' && p[3] <= '9')))
			return true;
	}
	return false;
}

static bool
is_windows(const char *name, size_t n)
{
	size_t start = 0, len;

	if (memchr(name, '\\', n) != NULL || memchr(name, ':', n) != NULL)
		return true;
	for (size_t i = 0; i <= n; i++) {
		if (i < n && name[i] != '/')
			continue;
		len = i - start;
		if (len > 2 && (name[i - 1] == '.' || name[i - 1] == ' '))
			return true;
		if (is_device(name + start, len))
			return true;
		start = i + 1;
	}
	return false;
}

unsigned
names_oddities(const char *name, size_t n)
{
	unsigned odd, loose;

	if (n == 0)
		return 0;
	odd = path_oddities(name, n, false);
	loose = path_oddities(name, n, true);
	if ((loose & ~odd) != 0)
		odd |= NAMES_LOOKALIKE;
	if (is_deceptive(name, n))
		odd |= NAMES_DECEPTIVE;
	if (memchr(name, '\0', n) != NULL)
		odd |= NAMES_NUL;
	if (is_windows(name, n))
		odd |= NAMES_WINDOWS;
	return odd;
}

static char
fold(char c)
{
	return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

/* By folded name, then by name, then by place. */
static int
compare(const void *a, const void *b)
{
	const struct names_view *x = a, *y = b;
	size_t n = x->n < y->n ? x->n : y->n;
	int c;

	for (size_t i = 0; i < n; i++)
		if ((c = fold(x->p[i]) - fold(y->p[i])) != 0)
			return c;
	if (x->n != y->n)
		return x->n < y->n ? -1 : 1;
	if (n > 0 && (c = memcmp(x->p, y->p, n)) != 0)
		return c;
	return (x->off > y->off) - (x->off < y->off);
}

static bool
folded_equal(const struct names_view *x, const struct names_view *y)
{
	if (x->n != y->n)
		return false;
	for (size_t i = 0; i < x->n; i++)
		if (fold(x->p[i]) != fold(y->p[i]))
			return false;
	return true;
}

int
names_twins(struct parse *p, const struct names_view *v, size_t count,
    enum anomaly same, enum anomaly twin)
{
	struct names_view *s;
	int r = 0;

	if (count < 2)
		return 0;
	if ((s = arena_array(p->arena, count, sizeof(*s))) == NULL)
		return err_set(p->e, ERR_NOMEM, "out of memory for names");
	memcpy(s, v, count * sizeof(*s));
	qsort(s, count, sizeof(*s), compare);
	for (size_t i = 1; i < count && r >= 0; i++) {
		const struct fact facts[] = {
		    FACT_TEXT("name", s[i].p, s[i].n),
		    FACT_TEXT("other", s[i - 1].p, s[i - 1].n),
		    FACT_NUM("other_offset", s[i - 1].off)};
		bool equal;

		if (!folded_equal(&s[i - 1], &s[i]))
			continue;
		equal = s[i].n == 0 ||
		    memcmp(s[i - 1].p, s[i].p, s[i].n) == 0;
		if (!equal && twin == ANOMALY_COUNT)
			continue;
		r = format_anomaly(p, equal ? same : twin, s[i].off, s[i].n,
		    facts, 3);
	}
	return r;
}
