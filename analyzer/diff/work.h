#ifndef ANALYZER_DIFF_WORK_H_
#define ANALYZER_DIFF_WORK_H_

#include "analyzer/diff/alarm.h"
#include "analyzer/diff/compare.h"
#include "analyzer/diff/diff_wire.h"
#include "analyzer/diff/job.h"
#include "analyzer/diff/tokentest.h"
#include "base/buf.h"
#include "base/err.h"

struct arena;
struct pool;
struct spill;
struct structure_model;
struct table;

/* All that the worker of a comparison holds; diff_worker.c and work.c. */
struct work {
	const struct diff_job *job;
	struct diff_wire wire;
	struct rowtap alarm;
	const struct rows *rows;
	struct pool *pool;
	struct arena *arena;
	struct spill *spill;
	struct table *side[ROW_SIDES];
	struct table *adapter;
	struct pairs pairs;
	struct compare compare;
	bool tired;		/* of match.h */
	struct tokentest tokens;
	struct buf word;	/* of the token that was asked for last */
	struct err e;
};

/* work_adapter: --adapter: was it merged, and with which scale? */
int work_adapter(struct work *w, const struct structure_model *m);
/* work_edits: what few matrices of low rank may be about. */
int work_edits(struct work *w, const struct structure_model *m);
/* work_around: everything but the weights. */
int work_around(struct work *w);

/* work_left_out: what was not compared, or not closely: nothing is silent. */
int work_left_out(struct work *w);

#endif /* !ANALYZER_DIFF_WORK_H_ */
