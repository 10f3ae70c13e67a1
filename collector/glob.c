#include <stddef.h>
#include <string.h>

#include "base/limits.h"
#include "collector/glob.h"

/* Past a set that begins at p ("["); NULL when nothing closes it. */
static const char *
set_end(const char *p)
{
	p++;
	if (*p == '!')
		p++;
	if (*p == ']')
		p++;
	for (; *p != ']'; p++)
		if (*p == '\0')
			return NULL;
	return p + 1;
}

static bool
in_set(const char *p, const char *end, unsigned char c)
{
	bool no = p[1] == '!', hit = false;

	p += no ? 2 : 1;
	while (p < end - 1) {
		unsigned char from = (unsigned char)*p, to = from;

		if (p[1] == '-' && p + 2 < end - 1) {
			to = (unsigned char)p[2];
			p += 2;
		}
		hit = hit || (from <= c && c <= to);
		p++;
	}
	return hit != no;
}

/* One element of the pattern against one byte; *next is behind it. */
static bool
one(const char *p, unsigned char c, const char **next)
{
	if (*p == '?') {
		*next = p + 1;
		return true;
	}
	if (*p == '[' && (*next = set_end(p)) != NULL)
		return in_set(p, *next, c);
	if (*p == '\\' && p[1] != '\0')
		p++;
	*next = p + 1;
	return *p != '\0' && (unsigned char)*p == c;
}

/* A later star makes an earlier one's choice final: no recursion. */
bool
glob_match(const char *pattern, const char *text)
{
	const char *star = NULL, *kept = NULL, *next;

	while (*text != '\0') {
		if (*pattern == '*') {
			star = ++pattern;
			kept = text;
		} else if (*pattern != '\0' &&
		    one(pattern, (unsigned char)*text, &next)) {
			pattern = next;
			text++;
		} else if (star != NULL) {
			pattern = star;
			text = ++kept;
		} else {
			return false;
		}
	}
	while (*pattern == '*')
		pattern++;
	return *pattern == '\0';
}

bool
glob_excludes(const char *pattern, const char *path)
{
	char cut[LIMIT_PATH];
	size_t n = strlen(pattern);
	const char *slash;

	if (n > 1 && pattern[n - 1] == '/' && n < sizeof(cut)) {
		memcpy(cut, pattern, n - 1);
		cut[n - 1] = '\0';
		pattern = cut;
	}
	if (strchr(pattern, '/') == NULL &&
	    (slash = strrchr(path, '/')) != NULL)
		path = slash + 1;
	return glob_match(pattern, path);
}

bool
glob_ok(const char *pattern)
{
	if (*pattern == '\0' || strlen(pattern) >= LIMIT_PATH)
		return false;
	for (const char *p = pattern; *p != '\0'; p++) {
		if (*p == '\\') {
			if (*++p == '\0')
				return false;
		} else if (*p == '[') {
			if ((p = set_end(p)) == NULL)
				return false;
			p--;
		}
	}
	return true;
}
