#ifndef COLLECTOR_INTAKE_H_
#define COLLECTOR_INTAKE_H_

#include <stddef.h>
#include <stdint.h>

struct buf;
struct collect;
struct err;
struct frame;
struct json_write;

/*
 * Making sense of what was taken: registries, API logs, git history.
 *
 * The bytes are copied and digested first.  Then a worker, which enters the
 * fence before its first byte, reads the members in the bundle that is being
 * written and says what they mean, in frames; the parent makes a line of JSON
 * of each frame and stores the lines as tag files beside the payload.  The
 * collector knows none of the parsers: cli hands this table down, and a
 * program without it (exhibit-collect) ships bytes.
 *
 * The workers are started before keys are loaded and before there are
 * threads; they wait for the message of custody/derive.h on a socket whose
 * descriptor is their argument.
 */
struct intake_kind {
	const char *name;	/* "registry": in records */
	unsigned classes;	/* 1 << enum bag_class: if any was stored */
	const char *mark;	/* and an object of this name was seen; NULL:
				 * any will do */
	int (*main)(void *arg, int out_fd);	/* ${arg}: const int *socket */
	/*
	 * line: what a frame says, without a line feed.  0 and the tag file in
	 * *name (a constant), or ERR_FORMAT: no such worker sends that.
	 */
	int (*line)(const struct frame *f, const char **name, struct buf *b,
	    struct err *e);
};

struct intake;

/* intake_start: a worker for each row; they wait. */
int intake_start(const struct intake_kind *kinds, size_t n,
    struct intake **ret, struct err *e);
void intake_free(struct intake *in);	/* NULL does nothing; ends workers */

/* intake_mark: an object of this name was seen (collect.names_seen). */
void intake_mark(struct intake *in, const char *name);

/*
 * intake_run: after the last payload member, before files.jsonl is stored:
 * the derived tag files.  A worker that is ended, sends what it may not or
 * passes a limit is recorded as an error of the collection, and what it said
 * before stands; negative only when the bundle cannot be written.
 *
 * Of a collection that another machine has made (c->received), the same once
 * its records have come: no record is added to them, errors are counted, and
 * intake_facts goes to transport.json.
 */
int intake_run(struct intake *in, struct collect *c);

/* intake_facts: the key "derived" of completion.json, or transport.json; ${in}
 * may be NULL. */
void intake_facts(const struct intake *in, struct json_write *w);

#endif /* !COLLECTOR_INTAKE_H_ */
