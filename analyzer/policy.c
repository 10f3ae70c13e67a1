#include <stdbool.h>
#include <string.h>

#include "analyzer/policy.h"

static const struct policy_row rows[] = {
#define GLOBAL(pattern, cls, severity, why) \
	{pattern, POLICY_##cls, SEVERITY_##severity, why},
#include "analyzer/globals.def"
#undef GLOBAL
};

#define ROWS (sizeof(rows) / sizeof(rows[0]))

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

/*
 * How specific is this row for the name?  0: no match; an exact match beats
 * every prefix, a longer prefix a shorter one.
 */
static size_t
match(const char *pattern, const char *name, size_t n)
{
	size_t m = strlen(pattern);
	char kind = m > 2 ? pattern[m - 1] : '\0';

	if (kind != '*' && kind != '^')
		return m == n && memcmp(pattern, name, n) == 0 ? SIZE_MAX : 0;
	m -= 2;	/* without the dot and the mark */
	if (n < m || memcmp(pattern, name, m) != 0)
		return 0;
	if (kind == '*')
		return n == m || name[m] == '.' ? m : 0;
	return n > m && name[m] == '.' && is_class_name(name, n) ? m : 0;
}

const struct policy_row *
policy_judge(const char *name, size_t n)
{
	const struct policy_row *best = NULL;
	size_t score = 0;

	for (size_t i = 0; i < ROWS; i++) {
		size_t s = match(rows[i].pattern, name, n);

		/* Of two rows as specific, the graver one. */
		if (s > score || (s == score && s > 0 && best != NULL &&
		    rows[i].cls > best->cls)) {
			best = &rows[i];
			score = s;
		}
	}
	return best;
}

size_t
policy_count(void)
{
	return ROWS;
}

const struct policy_row *
policy_at(size_t i)
{
	return i < ROWS ? &rows[i] : NULL;
}
