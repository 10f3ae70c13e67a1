#ifndef COLLECTOR_GLOB_H_
#define COLLECTOR_GLOB_H_

#include <stdbool.h>

/*
 * Patterns of --exclude and of a plan's scope, over bytes, without a locale:
 * "*" is any bytes (slashes too), "?" one byte, "[a-z]" and "[!a-z]" one of a
 * set, and a backslash takes the next byte as it is.
 *
 * A pattern without a slash is compared with the last component, one with a
 * slash with the whole absolute path; a slash at its end is left away.
 *
 * The time is bounded by the product of both lengths: names are chosen by
 * whom we examine (the C library's fnmatch is exponential in the stars).
 */
bool glob_match(const char *pattern, const char *text);
bool glob_excludes(const char *pattern, const char *path);

/* glob_ok: could it match anything?  Not "", no open "[", no last "\". */
bool glob_ok(const char *pattern);

#endif /* !COLLECTOR_GLOB_H_ */
