#ifndef ANALYZER_POLICY_H_
#define ANALYZER_POLICY_H_

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "analyzer/finding.h"

/*
 * What it means that a pickle names or calls a global: one table,
 * globals.def, each row with its reason; and, before it, the rows of a
 * laboratory's own file (policy_file.c, docs/POLICY.md).
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

/*
 * shape: what an allowed callee is called with by honest writers, over the
 * letters of ev_call.sig: alternatives with '|' between them, "." any one
 * argument, "*" any that are left, "x?" perhaps an x; a container's letter
 * alone takes any content, "l{ti}" at most tuples and integers; "" no
 * argument.  NULL: anything.  An allowed callee with arguments of another
 * shape counts as unknown.
 */
struct policy_row {
	const char *pattern;
	enum policy_class cls;
	enum severity severity;	/* of a call, for POLICY_DANGEROUS */
	const char *shape;
	const char *why;
};

/*
 * policy_judge: the row for a dotted name, or NULL: unknown.  A row of class
 * POLICY_UNKNOWN (from a file) is the same as none.
 */
const struct policy_row *policy_judge(const char *name, size_t n);

bool policy_shape_ok(const char *shape, const char *sig);

/* Every built-in row, for digests and listings. */
size_t policy_count(void);
const struct policy_row *policy_at(size_t i);

/*
 * policy_use: put these rows before the built-in ones, in this process and
 * those forked later; they are borrowed.  For policy_file.c and tests.
 */
void policy_use(const struct policy_row *rows, size_t n);

/*
 * policy_evidence(args, n): does the rendered argument list of a call speak
 * against it?  NULL, or what it holds, the most telling first:
 *   dangerous-callable  a dangerous global handed on as a value
 *   denied-name         a literal that names a dangerous global or module
 *   shell-text, url, code, host-port, path
 */
const char *policy_evidence(const char *args, size_t n);

/*
 * policy_handed_on: the first dangerous global in the rendered arguments; its
 * place in them, and its length in *n; NULL: none.
 */
const char *policy_handed_on(const char *args, size_t args_n, size_t *n);

/*
 * policy_code: what the names and constants of a code object, both lists of
 * quoted literals, speak of.  Names of attributes are not told from those of
 * globals, so that "eval" may be a method of somebody's own: such names are
 * weak, unless the constants say more.
 */
struct policy_code {
	const char *sink;	/* the first of the gravest names; or NULL */
	bool sure;		/* it is not a common name of other things */
	const char *evidence;	/* of policy_evidence, in the constants */
	enum severity severity;	/* INFO: nothing to say */
};
void policy_code(const char *names, size_t names_n, const char *constants,
    size_t constants_n, struct policy_code *ret);

/* policy_names_allowed: is every global in the arguments an allowed one? */
bool policy_names_allowed(const char *args, size_t n);

#endif /* !ANALYZER_POLICY_H_ */
