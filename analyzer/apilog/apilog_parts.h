#ifndef ANALYZER_APILOG_APILOG_PARTS_H_
#define ANALYZER_APILOG_APILOG_PARTS_H_

#include "analyzer/apilog/apilog.h"
#include "analyzer/apilog/apilog_job.h"
#include "analyzer/diff/session_worker.h"
#include "analyzer/diff/sides.h"
#include "analyzer/diff/tally.h"
#include "base/buf.h"

struct arena;

/*
 * For apilog.c (the order of things) and apilog_rows.c (rows to the sink)
 * alone: a look at logs while it runs.
 */
struct apilog {
	const struct apilog_options *o;
	struct sink *sink;
	struct apilog_summary *sum;
	struct err *e;
	struct arena *arena;	/* texts that outlive a row */
	struct side *side;	/* operands, then files of candidates */
	size_t nside;
	struct apilog_file *file;
	size_t nfile, nwatch;
	uint64_t twice;		/* files that were listed before */
	struct buf path;	/* that a row shows */
	struct tally tally;
	bool failed;
};

void apilog_rows_events(struct apilog *a, struct session_events *ret);
int apilog_rows_finding(struct apilog *a, const char *path,
    const struct finding *f);
/* apilog_rows_say: one with one text of evidence. */
int apilog_rows_say(struct apilog *a, const char *path, enum finding_id id,
    const char *key, const char *text);
int apilog_rows_skip(struct apilog *a, const char *what, const char *why);

#endif /* !ANALYZER_APILOG_APILOG_PARTS_H_ */
