#ifndef ANALYZER_DIFF_SKETCH_PANEL_H_
#define ANALYZER_DIFF_SKETCH_PANEL_H_

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct delta;
struct err;
struct pool;

/*
 * D as a matrix, some rows at a time: the only place where it is ever in
 * memory.  A panel is at most 16 MiB, unless one row is longer.
 */
struct sketch_panel {
	struct pool *pool;
	const struct delta *d;
	uint64_t m, n;		/* rows and columns of all */
	float scale;		/* each element is multiplied by it */
	bool scrub;		/* and what is not finite becomes 0 */
	size_t rows;		/* of a whole panel */
	float *buf, *scratch;
	uint64_t from, to;	/* what buf holds */
};

/*
 * sketch_panel_init: ${top} is the largest finite |D|, which decides whether
 * there is need of a scale: squares must stay inside single precision.  ${d}
 * stays the caller's.  0, or negative on no memory; release in either case.
 */
int sketch_panel_init(struct sketch_panel *p, struct pool *pool,
    const struct delta *d, double top, struct err *e);
void sketch_panel_release(struct sketch_panel *p);

/* sketch_panel_rows: of a whole panel, at least 1. */
size_t sketch_panel_rows(uint64_t m, uint64_t n);

/* sketch_panel_load: rows [row, row + *rows), n floats each. */
const float *sketch_panel_load(struct sketch_panel *p, uint64_t row,
    size_t *rows);

#endif /* !ANALYZER_DIFF_SKETCH_PANEL_H_ */
