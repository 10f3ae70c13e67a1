#ifndef ANALYZER_DIFF_SESSION_PARTS_H_
#define ANALYZER_DIFF_SESSION_PARTS_H_

#include "analyzer/diff/session.h"
#include "analyzer/diff/session_worker.h"
#include "analyzer/diff/sides.h"
#include "analyzer/scan_carve.h"
#include "base/buf.h"

struct arena;

/*
 * For session*.c alone: a comparison while it runs.
 *
 *   session.c          the order of things, how a worker ended
 *   session_rows.c     rows and findings to the sink, and the counts
 *   session_lineage.c  --against: known versions, by closeness
 *   session_versions.c what the known versions are
 *   session_alone.c    triggers without a base
 *   session_worker.c   one worker
 */
struct session {
	const struct diff_options *o;
	struct sink *sink;
	struct diff_summary *sum;
	struct err *e;
	struct arena *arena;	/* texts that outlive a row */
	struct side side[ROW_SIDES];
	struct side tokenizer, adapter;
	struct carve_file carve;
	uint64_t carved;
	struct buf path[ROW_SIDES];	/* that a row shows */
	uint64_t told[FINDING_COUNT];
	uint64_t cut;		/* findings that were not told */
	bool failed;
};

/* session_rows.c */
void session_events(struct session *s, struct session_events *ret);
/*
 * session_finding: about ${path} of a side, as in rows; session_finding_at:
 * about a printable path.  session_say: one with one text of evidence.
 */
int session_finding(struct session *s, enum row_side side,
    struct row_text path, const struct finding *f);
int session_finding_at(struct session *s, const char *path,
    const struct finding *f);
int session_say(struct session *s, const char *path, enum finding_id id,
    const char *key, const char *text);
int session_emit(struct session *s, const struct result_diff *r);
int session_skip(struct session *s, const char *what, const char *why);

/* session.c */
int session_open(struct session *s, enum row_side side, const char *path);
/* A job for both sides: limits and time by their size. */
void session_job(const struct session *s, const struct side *old,
    const struct side *new, struct diff_job *ret);

unsigned session_threads(const struct session *s);

/*
 * session_versions: paths of the known versions, in byte order, in s->arena;
 * ERR_NOTFOUND when there is none.
 */
int session_versions(struct session *s, const char ***list, size_t *ret);

/*
 * session_lineage: tell the known versions and set *closest to the path of
 * the one to compare with (in s->arena), or NULL when there is none.
 */
int session_lineage(struct session *s, const char **closest);

/* session_alone: what can be said of one model without another. */
int session_alone(struct session *s);

#endif /* !ANALYZER_DIFF_SESSION_PARTS_H_ */
