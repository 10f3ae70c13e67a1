#ifndef ANALYZER_POLICY_H_
#define ANALYZER_POLICY_H_

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "analyzer/finding.h"

/*
 * What it means that a pickle names or calls a global: one table,
 * globals.def, each row with its reason.
 *
 * A pattern is a dotted name ("os.system"), or everything below a prefix
 * ("subprocess.*": the module, its names and its submodules), or the classes
 * below a prefix ("sklearn.^": names whose last component begins with a
 * capital letter).  The most specific row wins: exact, then the longest
 * prefix.  What no row matches is unknown: never allowed, never dangerous.
 */
enum policy_class {
	POLICY_UNKNOWN,
	POLICY_ALLOW,	/* constructing or calling it runs nothing foreign */
	POLICY_JUDGE,	/* harmless or not by what it is given: see arguments */
	POLICY_DANGEROUS,
};

struct policy_row {
	const char *pattern;
	enum policy_class cls;
	enum severity severity;	/* of a call, for POLICY_DANGEROUS */
	const char *why;
};

/* policy_judge: the row for a dotted name, or NULL: unknown. */
const struct policy_row *policy_judge(const char *name, size_t n);

/* Every row, for digests and listings. */
size_t policy_count(void);
const struct policy_row *policy_at(size_t i);

/*
 * policy_evidence(args, n): does the rendered argument list of a call speak
 * against it?  NULL, or what it holds, the most telling first:
 *   dangerous-callable  a dangerous global handed on as a value
 *   denied-name         a literal that names a dangerous global or module
 *   shell-text, url, code, host-port, path
 */
const char *policy_evidence(const char *args, size_t n);

/* policy_names_allowed: is every global in the arguments an allowed one? */
bool policy_names_allowed(const char *args, size_t n);

#endif /* !ANALYZER_POLICY_H_ */
