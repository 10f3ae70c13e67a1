#ifndef FORMATS_NAMES_H_
#define FORMATS_NAMES_H_

#include <stddef.h>

#include "formats/format.h"

/*
 * What is odd about a member's name by itself, the same for every archive.
 * What it does among the other members is vtree.h's.
 */
enum names_oddity {
	/* A component "..", in either slash. */
	NAMES_TRAVERSAL = 1 << 0,
	/* Begins with a slash of either kind, or a drive. */
	NAMES_ABSOLUTE = 1 << 1,
	/* Control, bidirectional or invisible characters. */
	NAMES_DECEPTIVE = 1 << 2,
	/* One of the first two, once fullwidth and similar dots and slashes,
	 * overlong UTF-8 or percent escapes are read as what they look like. */
	NAMES_LOOKALIKE = 1 << 3,
	/* A NUL: readers in C and others see two names. */
	NAMES_NUL = 1 << 4,
	/* Means something else on Windows: a device's name, a dot or blank at
	 * the end of a component, a stream (":"), a backslash. */
	NAMES_WINDOWS = 1 << 5,
};
unsigned names_oddities(const char *name, size_t n);

/*
 * names_twins: for names that are no paths (tensors'): tell ${same} for each
 * name that occurs again, and ${twin} for names that differ by ASCII case
 * alone (ANOMALY_COUNT: that is fine here).
 */
struct names_view {
	const char *p;
	size_t n;
	uint64_t off;
};
int names_twins(struct parse *p, const struct names_view *v, size_t count,
    enum anomaly same, enum anomaly twin);

#endif /* !FORMATS_NAMES_H_ */
