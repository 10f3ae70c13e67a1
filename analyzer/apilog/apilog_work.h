#ifndef ANALYZER_APILOG_APILOG_WORK_H_
#define ANALYZER_APILOG_APILOG_WORK_H_

#include "analyzer/apilog/apilog_alarm.h"
#include "analyzer/apilog/apilog_job.h"
#include "analyzer/apilog/apilog_record.h"
#include "analyzer/apilog/apilog_spool.h"
#include "analyzer/diff/diff_wire.h"
#include "analyzer/traffic/traffic.h"
#include "base/err.h"
#include "formats/logs/logs.h"

struct arena;
struct digest;
struct pool;

/*
 * For apilog_*.c alone: the worker while it runs.
 *
 *   apilog_worker.c   the order of things
 *   apilog_read.c     files and members of bundles through formats/logs
 *   apilog_tell.c     what became of each file
 *   apilog_watch.c    candidates of earlier results
 *   apilog_record.c, apilog_input.c   from a request to a record of traffic
 *   apilog_pack.c, apilog_spool.c     records in the order of time
 *   apilog_alarm.c    from rows to findings
 */
struct apilog_place {
	uint64_t line, off, len;
	const char *what;	/* our own words, or NULL */
};

struct apilog_work {
	const struct apilog_job *job;
	struct diff_wire wire;
	struct rowtap alarm;
	const struct rows *rows;
	struct pool *pool;
	struct digest *digest;	/* one for all: made before the fence */
	struct logs *logs;
	struct traffic *traffic;
	struct apilog_spool *spool;
	struct apilog_record record;
	struct arena *watched;	/* values of --candidates */
	struct err e;
	/* the file that is read */
	const struct apilog_file *file;
	struct buf path;	/* as rows name it */
	uint64_t size;
	struct apilog_place first[LOGS_PROBLEMS];	/* line 0: none */
	bool told[LOGS_PROBLEMS];
	/* all of them */
	uint64_t bytes, before;	/* to be read; of files that were */
	uint64_t fed, full;	/* records that are judged; without a place */
	uint64_t waited_outside;
};

/* apilog_read_all: every file; 0 or negative. */
int apilog_read_all(struct apilog_work *w);

/* apilog_tell.c */
int apilog_tell_problem(void *ctx, const struct logs_told *t);
int apilog_tell_account(void *ctx, const struct logs_account *a);
/* apilog_tell_rest: what was left out of the log as a whole. */
int apilog_tell_rest(struct apilog_work *w);
/* apilog_tell_finding: of the file that is read; ${key} and ${text} our own,
 * or NULL. */
int apilog_tell_finding(struct apilog_work *w, enum finding_id id,
    const char *key, const char *text);

/* apilog_watch_load: what to look for, to w->traffic. */
int apilog_watch_load(struct apilog_work *w);

#endif /* !ANALYZER_APILOG_APILOG_WORK_H_ */
