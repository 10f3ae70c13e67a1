#ifndef ANALYZER_SINK_H_
#define ANALYZER_SINK_H_

#include <stdbool.h>

#include "analyzer/result.h"

struct buf;
struct err;
struct result_diff;
struct sink_text_diff;

/*
 * Where results go.  A sink receives header, then objects each followed by
 * its findings, its calls and what was carved of it, then the summary, and
 * writes them to a descriptor; of a comparison, rows of result_diff.h and
 * findings instead.  It cannot fail silently: every call returns 0 or the
 * first write error, and a result without its summary is recognisably cut.
 *
 * Adding a sink: sink_foo.c with `const struct sink_ops sink_foo`, one row
 * in sinks.def.
 */
struct sink {
	const struct sink_ops *ops;
	int fd;
	bool verbose;		/* text: notes and evidence in full */
	bool quiet;		/* text: findings at the threshold only */
	bool colour;		/* text: a terminal without NO_COLOR */
	enum severity threshold;/* --fail-on */
	bool first;		/* nothing written yet */
	unsigned pending;	/* of the sink's own use */
	struct sink_text_diff *text;	/* the text sink's, of a comparison */
};

struct sink_ops {
	const char *name;	/* as in --format */
	int (*header)(struct sink *s, const struct result_header *h,
	    struct err *e);
	int (*object)(struct sink *s, const struct result_object *o,
	    struct err *e);
	int (*finding)(struct sink *s, const struct result_finding *f,
	    struct err *e);
	int (*call)(struct sink *s, const struct result_call *c,
	    struct err *e);
	int (*carved)(struct sink *s, const struct result_carved *c,
	    struct err *e);
	int (*summary)(struct sink *s, const struct result_summary *r,
	    struct err *e);
	/* NULL: rows of a comparison are not shown. */
	int (*diff)(struct sink *s, const struct result_diff *r,
	    struct err *e);
};

const struct sink_ops *sink_find(const char *name);	/* NULL: no such */
int sink_header(struct sink *s, const struct result_header *h, struct err *e);
int sink_object(struct sink *s, const struct result_object *o, struct err *e);
int sink_finding(struct sink *s, const struct result_finding *f,
    struct err *e);
int sink_call(struct sink *s, const struct result_call *c, struct err *e);
int sink_carved(struct sink *s, const struct result_carved *c,
    struct err *e);
int sink_diff(struct sink *s, const struct result_diff *r, struct err *e);
int sink_summary(struct sink *s, const struct result_summary *r,
    struct err *e);

/* sink_release: of a run that ended before its summary, too. */
void sink_release(struct sink *s);

/* sink_flush: write what is in ${b} and release it. */
int sink_flush(struct sink *s, struct buf *b, struct err *e);

/* sink_program_line: a call as sinks for a person show it. */
void sink_program_line(struct buf *b, const struct sink *s,
    const struct result_call *c, unsigned indent);

#endif /* !ANALYZER_SINK_H_ */
