#ifndef FORMATS_NAMES_H_
#define FORMATS_NAMES_H_

#include <stdbool.h>
#include <stddef.h>

#include "formats/format.h"

/*
 * What is odd about a member's name, the same for every archive: a component
 * "..", in either slash; an absolute path or drive; control,
 * bidirectional or invisible characters, a NUL.
 */
enum names_oddity {
	NAMES_TRAVERSAL = 1 << 0,
	NAMES_ABSOLUTE = 1 << 1,
	NAMES_DECEPTIVE = 1 << 2,
};
unsigned names_oddities(const char *name, size_t n);

/* names_check: the oddities as anomalies at ${off}. */
int names_check(struct parse *p, const char *name, size_t n, uint64_t off);

/*
 * names_twins: tell ${same} for each name that occurs again, and ${twin} for
 * names that differ by ASCII case alone (ANOMALY_COUNT: that is fine here).
 */
struct names_view {
	const char *p;
	size_t n;
	uint64_t off;
};
int names_twins(struct parse *p, const struct names_view *v, size_t count,
    enum anomaly same, enum anomaly twin);

#endif /* !FORMATS_NAMES_H_ */
