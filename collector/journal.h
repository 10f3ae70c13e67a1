#ifndef COLLECTOR_JOURNAL_H_
#define COLLECTOR_JOURNAL_H_

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>

#include "collector/collect.h"
#include "custody/evidence_write.h"

struct err;

/*
 * The journal beside a bundle that is being written (docs/FORMAT.md 11): what
 * must be known to take it up again when it is cut, as JSON Lines.
 *
 * Lines wait in memory and are written together with a line of kind "commit"
 * behind them, in one write; every few seconds they are synced.  A commit
 * says how many bytes of the bundle the lines before it stand for, and holds
 * the SHA-256 of every byte of the journal before it: a line counts only when a commit that holds comes
 * behind it.  So there are no half batches, and what was cut, changed or put
 * together from two journals ends at the last commit that holds.  It is not a
 * signature: whoever can write the journal can write another.  What it says
 * is therefore compared, with the bundle and with the sources, by resume.h.
 *
 * Private to the folder.
 */
struct journal;

struct journal_head {
	const char *bag;
	int64_t header_mtime;
	unsigned digests;	/* enum digest_set */
	const uint8_t *cert_sha256;	/* 32 bytes: who takes the evidence */
	const char *tool;
	const char *request;	/* one JSON object; see acquire.h */
};

/* A place inside a member: the file that is read, and how far. */
struct journal_cut {
	enum bag_class class;
	const char *path;	/* absolute, raw bytes */
	const struct statx *st;	/* before the read */
	struct evidence_note member;	/* digests: of what was read */
	uint64_t from;		/* bytes of content that were read */
};

struct journal_state {
	uint64_t end;		/* bytes of the bundle */
	const struct collect_totals *totals;
	const struct journal_cut *cut;	/* NULL: between members */
	bool sync;		/* to the disk now, not at its time */
};

/*
 * journal_create: the file must not exist.  Locked (flock) until it is freed.
 * journal_open: an existing one, locked, for reading; *fd.  ERR_NOTFOUND;
 * ERR_DENIED: another process writes it.
 * journal_continue: go on behind its first ${keep} bytes, which stand for
 * ${end} of the bundle; takes ${fd}.
 */
int journal_create(int dir, const char *name, const struct journal_head *h,
    struct journal **ret, struct err *e);
int journal_open(int dir, const char *name, struct err *e);
int journal_continue(int fd, uint64_t keep, uint64_t end, unsigned digests,
    struct journal **ret, struct err *e);
void journal_free(struct journal *j);

/* Lines, kept for the next commit. */
int journal_member(struct journal *j, const struct evidence_note *m,
    struct err *e);
/* journal_record: ${line} of a record, without its line feed. */
int journal_record(struct journal *j, const char *stream, const void *line,
    size_t n, struct err *e);
/*
 * journal_source: source ${number} begins; ${whole}: it cannot be taken up
 * in its middle, so that a cut goes back to here.  journal_source_end.
 */
int journal_source(struct journal *j, size_t number, bool whole,
    struct err *e);
int journal_source_end(struct journal *j, size_t number, struct err *e);
int journal_resumed(struct journal *j, const char *json, size_t n,
    struct err *e);
int journal_sealed(struct journal *j, const struct evidence_sealed *s,
    struct err *e);

/* journal_end: bytes of the bundle, at the last commit. */
uint64_t journal_end(const struct journal *j);
/* journal_due: is it time for a commit, with ${end} bytes written? */
bool journal_due(const struct journal *j, uint64_t end);
/* journal_ready: no member waits for its record. */
bool journal_ready(const struct journal *j);
/* journal_waiting: are there lines that no commit covers? */
bool journal_waiting(const struct journal *j);
int journal_commit(struct journal *j, const struct journal_state *s,
    struct err *e);
/*
 * journal_stop: forget what waits, and say why the collection ends here.
 * Best effort: the disk may be full.
 */
void journal_stop(struct journal *j, const char *reason);

/*
 * For tests: other distances between two commits than those of limits.h.
 */
void journal_tune(uint64_t checkpoint, int64_t interval_ns);
uint64_t journal_checkpoint(void);

/*
 * Reading.  journal_each(fd, upto, fn, ctx, e): the whole lines within the
 * first ${upto} bytes, in order, until ${fn} is not 0, which is returned; a
 * line without its end, or longer than LIMIT_JOURNAL_LINE, ends it (0).
 */
struct journal_line {
	const char *text;	/* without the line feed */
	size_t n;
	uint64_t off, next;	/* in the journal */
	char kind[16];		/* "" where it is not a line of ours */
	uint8_t before[32];	/* SHA-256 of all bytes before the line */
};
int journal_each(int fd, uint64_t upto,
    int (*fn)(void *ctx, const struct journal_line *l, struct err *e),
    void *ctx, struct err *e);

#endif /* !COLLECTOR_JOURNAL_H_ */
