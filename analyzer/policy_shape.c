#include <stdbool.h>
#include <string.h>

#include "analyzer/policy.h"

/*
 * Shapes of arguments: see policy.h for the pattern, formats/format.h for
 * the signature.  Both are short; the recursion is as deep as the pattern.
 */

/* The length of the argument at sig[0]: a letter, and its braces. */
static size_t
argument(const char *sig)
{
	const char *end;

	if (sig[0] == '\0' || sig[1] != '{')
		return sig[0] == '\0' ? 0 : 1;
	end = strchr(sig, '}');
	return end != NULL ? (size_t)(end - sig) + 1 : strlen(sig);
}

/* Are all letters between the signature's braces among the pattern's? */
static bool
content_ok(const char *pattern, const char *sig)
{
	const char *end = strchr(pattern, '}');

	if (sig[1] != '{' || end == NULL)
		return sig[1] != '{';	/* empty: of any content */
	for (const char *p = sig + 2; *p != '\0' && *p != '}'; p++)
		if (memchr(pattern, *p, (size_t)(end - pattern)) == NULL)
			return false;
	return true;
}

/* Does one alternative, up to '|' or the end, match? */
static bool
matches(const char *p, const char *sig)
{
	size_t step, arg;
	bool one;

	if (*p == '*')
		return true;
	if (*p == '\0' || *p == '|')
		return *sig == '\0';
	step = argument(p);
	arg = argument(sig);
	/* '+' says that the signature was cut, '/' that keywords follow. */
	one = arg > 0 && *sig != '+' && (*p == *sig ||
	    (*p == '.' && *sig != '/')) &&
	    (p[1] != '{' || content_ok(p + 2, sig));
	if (p[step] == '?')
		return (one && matches(p + step + 1, sig + arg)) ||
		    matches(p + step + 1, sig);
	return one && matches(p + step, sig + arg);
}

bool
policy_shape_ok(const char *shape, const char *sig)
{
	if (shape == NULL)
		return true;
	for (;;) {
		if (matches(shape, sig))
			return true;
		if ((shape = strchr(shape, '|')) == NULL)
			return false;
		shape++;
	}
}
