#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "analyzer/policy.h"
#include "base/bug.h"

static const struct policy_row builtin[] = {
#define GLOBAL(pattern, cls, severity, shape, why) \
	{pattern, POLICY_##cls, SEVERITY_##severity, shape, why},
#define ANY NULL
#include "analyzer/globals.def"
#include "analyzer/globals_ml.def"
#undef ANY
#undef GLOBAL
};

#define BUILTIN (sizeof(builtin) / sizeof(builtin[0]))

/*
 * A set of rows, sorted by what is looked up: whole names, and prefixes
 * without their ".*" or ".^".  Lookups are binary searches, one for the name
 * and one for each of its prefixes: calls come by the hundred thousand.
 */
#define SET_MAX 8192

struct set {
	const struct policy_row **row;
	size_t n;
};

static const struct policy_row *builtin_index[BUILTIN];
static const struct policy_row *own_index[SET_MAX];
static struct set sets[2] = {{own_index, 0}, {builtin_index, 0}};

/* '*', '^', or 0 for a whole name. */
static char
kind_of(const char *pattern, size_t *n)
{
	size_t m = strlen(pattern);
	char last = m > 2 && pattern[m - 2] == '.' ? pattern[m - 1] : '\0';

	*n = last == '*' || last == '^' ? m - 2 : m;
	return last == '*' || last == '^' ? last : '\0';
}

/* By name, then kind: whole names before prefixes. */
static int
compare_key(const char *a, size_t an, char ak, const char *b, size_t bn,
    char bk)
{
	int c = memcmp(a, b, an < bn ? an : bn);

	if (c == 0)
		c = (an > bn) - (an < bn);
	return c != 0 ? c : (ak > bk) - (ak < bk);
}

static int
compare(const void *x, const void *y)
{
	const char *a = (*(const struct policy_row *const *)x)->pattern;
	const char *b = (*(const struct policy_row *const *)y)->pattern;
	size_t an, bn;
	char ak = kind_of(a, &an), bk = kind_of(b, &bn);

	return compare_key(a, an, ak, b, bn, bk);
}

static void
fill(struct set *s, const struct policy_row *rows, size_t n)
{
	for (size_t i = 0; i < n; i++)
		s->row[i] = &rows[i];
	s->n = n;
	qsort(s->row, n, sizeof(s->row[0]), compare);
}

void
policy_use(const struct policy_row *rows, size_t n)
{
	BUG_ON(n > SET_MAX);
	fill(&sets[0], rows, n);
}

static const struct policy_row *
find(const struct set *s, const char *name, size_t n, char kind)
{
	size_t from = 0, to = s->n, mid, m;
	char k;
	int c;

	while (from < to) {
		mid = from + (to - from) / 2;
		k = kind_of(s->row[mid]->pattern, &m);
		c = compare_key(s->row[mid]->pattern, m, k, name, n, kind);
		if (c == 0)
			return s->row[mid];
		if (c < 0)
			from = mid + 1;
		else
			to = mid;
	}
	return NULL;
}

static bool
is_class_name(const char *name, size_t n)
{
	size_t last = n;

	while (last > 0 && name[last - 1] != '.')
		last--;
	while (last < n && name[last] == '_')
		last++;
	return last < n && name[last] >= 'A' && name[last] <= 'Z';
}

/* Of two rows for the same prefix, the graver one. */
static const struct policy_row *
find_prefix(const struct set *s, const char *name, size_t n, size_t prefix,
    bool class_name)
{
	const struct policy_row *any = find(s, name, prefix, '*');
	const struct policy_row *cls = class_name && prefix < n ?
	    find(s, name, prefix, '^') : NULL;

	if (any == NULL || (cls != NULL && cls->cls > any->cls))
		return cls;
	return any;
}

static const struct policy_row *
judge_in(const struct set *s, const char *name, size_t n)
{
	const struct policy_row *row;
	bool class_name;

	if (s->n == 0)
		return NULL;
	if ((row = find(s, name, n, '\0')) != NULL)
		return row;
	class_name = is_class_name(name, n);
	for (size_t prefix = n; prefix > 0 && row == NULL; prefix--)
		if (prefix == n || name[prefix] == '.')
			row = find_prefix(s, name, n, prefix, class_name);
	return row;
}

const struct policy_row *
policy_judge(const char *name, size_t n)
{
	const struct policy_row *row;

	if (sets[1].n == 0)
		fill(&sets[1], builtin, BUILTIN);
	if ((row = judge_in(&sets[0], name, n)) == NULL)
		row = judge_in(&sets[1], name, n);
	return row != NULL && row->cls != POLICY_UNKNOWN ? row : NULL;
}

size_t
policy_count(void)
{
	return BUILTIN;
}

const struct policy_row *
policy_at(size_t i)
{
	return i < BUILTIN ? &builtin[i] : NULL;
}
