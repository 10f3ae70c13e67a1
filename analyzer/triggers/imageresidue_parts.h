#ifndef ANALYZER_TRIGGERS_IMAGERESIDUE_PARTS_H_
#define ANALYZER_TRIGGERS_IMAGERESIDUE_PARTS_H_

#include <stdbool.h>
#include <stdint.h>

#include "analyzer/triggers/imageresidue.h"

/*
 * What imageresidue.c finds class by class, and imageresidue_gather.c makes
 * finds of.
 */
#define RESIDUE_KEPT 0.5	/* a score that is told at all */

struct residue_result {
	struct residue_score r;
	struct cluster_score c;
	double spec;
	bool everywhere;
	enum plane_kind kind;
	unsigned rview, cview;
	float *rshape, *cshape;
	uint64_t *rbits, *cbits;
	uint32_t rows, cut;	/* of the class; images left out */
	bool judged, failed;
	bool clustered;		/* and large enough for two clusters */
};

struct residue_work {
	struct imageset *t;
	struct plane_sums total[VIEWS][PLANE_KINDS];
	struct plane_sums *part;	/* one a thread */
	struct residue_space *space;	/* one a thread */
	struct residue_result *result;		/* one a class */
	unsigned view;
	enum plane_kind kind;
	uint32_t base;			/* the first class of a run */
	bool weak;
};

/* residue_gather: results as finds of the set; 0 or negative. */
int residue_gather(struct residue_work *w);

#endif /* !ANALYZER_TRIGGERS_IMAGERESIDUE_PARTS_H_ */
