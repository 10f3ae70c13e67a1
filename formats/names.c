#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/text.h"
#include "formats/names.h"

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

static bool
has_dotdot(const char *name, size_t n)
{
	size_t start = 0;

	for (size_t i = 0; i <= n; i++)
		if (i == n || is_slash(name[i])) {
			if (i - start == 2 && name[start] == '.' &&
			    name[start + 1] == '.')
				return true;
			start = i + 1;
		}
	return false;
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
		else if (!text_cp_printable(cp))
			return true;
	}
	return false;
}

unsigned
names_oddities(const char *name, size_t n)
{
	unsigned odd = 0;

	if (has_dotdot(name, n))
		odd |= NAMES_TRAVERSAL;
	if (n > 0 && (is_slash(name[0]) ||
	    (n > 2 && is_letter(name[0]) && name[1] == ':' &&
	    is_slash(name[2]))))
		odd |= NAMES_ABSOLUTE;
	if (is_deceptive(name, n))
		odd |= NAMES_DECEPTIVE;
	return odd;
}

int
names_check(struct parse *p, const char *name, size_t n, uint64_t off)
{
	static const struct {
		unsigned odd;
		enum anomaly id;
	} rows[] = {{NAMES_TRAVERSAL, ANOMALY_NAME_TRAVERSAL},
	    {NAMES_ABSOLUTE, ANOMALY_NAME_ABSOLUTE},
	    {NAMES_DECEPTIVE, ANOMALY_NAME_DECEPTIVE}};
	const struct fact facts[] = {FACT_TEXT("name", name, n)};
	unsigned odd = names_oddities(name, n);
	int r = 0;

	for (unsigned i = 0; i < 3 && r >= 0; i++)
		if (odd & rows[i].odd)
			r = format_anomaly(p, rows[i].id, off, n, facts, 1);
	return r;
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
