#ifndef ANALYZER_DIFF_SESSION_PARTS_H_
#define ANALYZER_DIFF_SESSION_PARTS_H_

#include "analyzer/diff/session.h"
#include "analyzer/diff/session_worker.h"
#include "analyzer/diff/sides.h"
#include "analyzer/diff/tally.h"
#include "analyzer/scan_carve.h"
#include "analyzer/triggers/join.h"
#include "base/buf.h"

struct arena;

/*
 * For session*.c alone: a comparison while it runs.
 *
 *   session.c          the order of things, how a worker ended
 *   session_rows.c     rows and findings to the sink, and the counts
 *   session_lineage.c  --against: known versions, by closeness
 *   session_versions.c what the known versions are
 *   session_triggers.c triggers: models and data sets, joined
 *   session_data.c     data sets in what was given
 *   session_logs.c     the candidates in what callers sent
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
	struct tally tally;
	bool failed;
	/*
	 * Triggers: candidates are gathered, and told at the end.  Those of
	 * data sets and of traffic have whole paths in their rows.
	 */
	bool joining;
	enum join_origin origin;	/* whose rows come now */
	void *asked;		/* session_data.c's, while its worker runs */
	const char *now;	/* what is looked at, for the progress line */
	bool within;		/* a data set lies in it: it is more than that */
	struct join join;
	struct session_verdict {
		uint64_t applied, candidates;
	} about[JOIN_ORIGINS];
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
int session_compare(struct session *s);
/* session_end_worker: how it ended: bytes, or a finding about ${path}. */
int session_end_worker(struct session *s, struct session_worker *w,
    const char *path);
int session_open(struct session *s, enum row_side side, const char *path);
/* A job for both sides: limits and time by their size. */
void session_job(const struct session *s, const struct side *old,
    const struct side *new, struct diff_job *ret);

/* session_shown: a path as results show it, in s->arena; NULL: no memory. */
char *session_shown(struct session *s, const char *path);

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

/* session_triggers: everything of s->o->paths. */
int session_triggers(struct session *s);

/*
 * session_data: the data sets of what a person named, in ${t}; *found tells
 * what of them was read.
 */
struct targets;
enum session_holds {
	HOLDS_NO_DATA,
	HOLDS_IT_IS_DATA,	/* it is a data set */
	HOLDS_DATA_WITHIN	/* a folder, a bundle: and other things maybe */
};
int session_data(struct session *s, const char *path,
    const struct targets *t, enum session_holds *found);

/* session_logs: the candidates so far, in the traffic of s->o->logs. */
int session_logs(struct session *s);

/* session_alone: what can be said of one model without another. */
int session_alone(struct session *s);

#endif /* !ANALYZER_DIFF_SESSION_PARTS_H_ */
