#ifndef COLLECTOR_RUN_H_
#define COLLECTOR_RUN_H_

#include <stdbool.h>
#include <stdint.h>
#include <sys/stat.h>

#include "base/buf.h"
#include "base/err.h"
#include "collector/collect.h"
#include "collector/mounts.h"
#include "collector/throttle.h"
#include "custody/evidence_write.h"

struct jline;
struct json_write;
struct survey;

/*
 * Records are written while payload passes and come behind it in the bundle:
 * they wait in unlinked files in TMPDIR (or /tmp), never on a source; or in
 * memory alone, where nothing may be written.
 */
struct record_file {
	int fd;
	struct buf b;
	size_t line;		/* where the line in b begins */
};

/* What was asked for against what was visited, for completion.json. */
struct coverage {
	struct buf asked, mounts;	/* elements of arrays */
	uint64_t entered, skipped;	/* mounts */
	uint64_t excluded;
	struct collect_totals before;	/* the source began */
};

/* Files that processes hold, against what lies on disk. */
struct served {
	uint64_t processes, ended;	/* looked at; gone before the end */
	uint64_t files, same, deleted, replaced, unreachable;
	uint64_t replaced_equal;	/* another inode with the same bytes */
	uint64_t recovered, not_recovered;
	uint64_t libraries;
	struct process_cache *cache;	/* process_digest.c */
};

/* One collection in progress.  Private to the folder. */
struct collect {
	const struct collect_options *o;
	struct evidence_writer *w;	/* NULL: a survey */
	const struct survey *survey;
	struct record_file files, errors, log;
	struct record_file processes;	/* opened by the first one */
	bool received;		/* the records are another machine's */
	struct served served;
	struct collect_totals totals;
	struct coverage coverage;
	struct throttle rate;
	const struct collect_source *source;	/* the one in progress */
	struct mounts_facts mount;	/* of the object before this one */
	size_t number;		/* of that source, from 0 */
	bool names_seen;	/* every object was seen by this process */
	unsigned classes;	/* 1 << enum bag_class of what is stored */
	uint64_t synced;	/* bytes of the bundle on the disk */
	int64_t began_ns, began_real_ns;
	const char *how;	/* how paths are resolved beneath a root */
	struct statx out;	/* the bundle's directory; no inode: none */
	struct err *e;
};

/* An object that the walk found. */
struct object {
	int dir;		/* open directory that holds it */
	const char *name;	/* in that directory */
	const char *path;	/* absolute, raw bytes */
	enum bag_class class;
	struct statx st;	/* before it was opened */
	unsigned depth;
	bool magic;		/* a link of /proc that leads to an inode */
};

/* take.c: what reading one regular file came to. */
struct taken {
	struct statx before, after;
	struct evidence_place place;
	const char *flags;	/* how it was opened */
	bool noatime;
	uint64_t short_by, grew_by;
	bool changed, stored;
	bool dense;		/* not a hole in it */
	bool bare;		/* not an extended attribute on it */
	bool double_equal, doubled;
	unsigned read_errors;
	uint64_t read_error_off, read_error_len;
	int read_errno;
	int64_t ns;
	uint64_t from;		/* of a file that was cut: taken before */
	uint64_t checkpoint;	/* bytes that the journal knows of */
};
int take_file(struct collect *c, const struct object *o, const char *member,
    struct taken *ret);
/* take_open: as take_file does; -1 and errno. */
int take_open(const struct object *o, struct taken *t);
/* take_prefix: SHA-256 of the first ${n} bytes; ERR_VERIFY: it has fewer. */
int take_prefix(int fd, uint64_t n, uint8_t sha256[32], struct err *e);
/* take_rest: of a member that the writer holds open, from t->from on. */
int take_rest(struct collect *c, const struct object *o, int fd,
    const char *member, struct taken *t);

/*
 * member.c: bytes that are in memory, as the member that ${path} has; its
 * name is appended to ${name}.  Counted, and the record is the caller's.
 * ERR_EXISTS, ERR_LIMIT: nothing was written.
 */
struct member_bytes {
	enum bag_class class;
	const char *path;
	const void *p;
	size_t n;
	int64_t mtime;		/* seconds, of its header */
};
int member_bytes(struct collect *c, const struct member_bytes *m,
    struct buf *name, struct evidence_place *at);

/* collect.c: one source, of whatever kind. */
int collect_source(struct collect *c, const struct collect_source *s);

/* walk.c */
int walk_source(struct collect *c, const struct collect_source *s);
/*
 * walk_resolve: the folder that what was given lies in, and its name there;
 * both are the caller's, on failure too.  0, errno, or negative.
 */
int walk_resolve(struct collect *c, const char *given, char **dir,
    char **name);

/* slice.c: of a data set the records that a slice takes. */
int slice_source(struct collect *c, const struct collect_source *s);

/*
 * scope.c: the bounds of what was asked for.
 *
 * scope_enter: shall what the walk found below ${dir} be taken?  1 yes; 0 no
 * (excluded, or on a mount that is not to be followed), and the record says
 * so; negative as elsewhere.  scope_fits: has the source's limit of bytes
 * room for the file?
 */
int scope_enter(struct collect *c, const struct object *dir,
    const struct object *o);
bool scope_fits(const struct collect *c, const struct object *o);
void scope_open(struct collect *c);
void scope_close(struct collect *c);
/* A source begins; it ended, and this is what it came to. */
void scope_begin(struct collect *c, const struct collect_source *s);
void scope_end(struct collect *c);
void scope_put_coverage(struct json_write *w, struct collect *c);

/* facts_host.c, facts_clock.c: the machine, the tool, the clocks. */
void facts_host(struct json_write *w);
void facts_tool(struct json_write *w, const struct collect *c);
void facts_clock(struct json_write *w, const char *key);
void facts_zone(struct json_write *w, const struct collect *c);
/* facts_scope.c: who allowed it, the plan, the bounds; a text or null. */
void facts_said(struct json_write *w, const char *key, const char *s);
void facts_scope(struct json_write *w, const struct collect *c);
void facts_source(struct json_write *w, const struct collect_source *s);

/* process.c, process_find.c: sources that are processes. */
int process_source(struct collect *c, const struct collect_source *s);
int process_of_source(struct collect *c, const struct collect_source *s);
int process_store(struct collect *c);
/* The record of processes, opened when it is not; and a line of it again. */
int process_record(struct collect *c);
void process_again(struct collect *c, const struct jline *l);
void process_release(struct collect *c);
void process_put_served(struct json_write *w, const struct collect *c);

/* beside.c: what belongs to a registry and lies beside its path. */
int beside_take(struct collect *c, const struct collect_source *s);

/* survey.c: instead of taking and recording. */
int survey_file(struct collect *c, const struct object *o);
int survey_error(struct collect *c, const char *path, const char *what,
    int errnum);
int survey_mount(struct collect *c, const char *path, bool entered);

/* record.c: lines of files.jsonl, errors.jsonl, log.jsonl. */
int record_open(struct record_file *f, struct err *e);
int record_open_memory(struct record_file *f, struct err *e);
void record_close(struct record_file *f);
/* record_store: the whole file as a tag file of the bundle. */
int record_store(struct collect *c, struct record_file *f, const char *name);
/* record_line: a line that is made already; record_flush: into the file. */
int record_line(struct collect *c, struct record_file *f, const void *p,
    size_t n);
int record_flush(struct collect *c, struct record_file *f);
/* record_put_place: digests and offsets, as members of its object. */
void record_put_place(struct json_write *w, const struct collect *c,
    const struct evidence_place *at);
int record_object(struct collect *c, const struct object *o,
    const char *member, const struct taken *t, const char *link,
    size_t link_n, const char *note);
int record_error(struct collect *c, const char *path, const char *what,
    int errnum);
int record_log(struct collect *c, const char *what, const char *path);
/* record_resumed: ${json}, an object, in a line of the log. */
int record_resumed(struct collect *c, const char *json);

/*
 * checkpoint.c: what was done so far into the journal, when it is time.
 * checkpoint_now: in any case.  checkpoint_inside: ${off} bytes of the
 * content were put.  Nothing happens without a journal.
 */
int checkpoint(struct collect *c);
int checkpoint_now(struct collect *c);
int checkpoint_before(struct collect *c, uint64_t size);
int checkpoint_inside(struct collect *c, const struct object *o,
    struct taken *t, uint64_t off);
/*
 * checkpoint_source: source ${i} begins; 1: a run before this one finished
 * it.  ${whole}: it is not taken object by object as the walk does, so when
 * it is cut it is taken again from its beginning.
 */
int checkpoint_source(struct collect *c, size_t i, bool whole);
int checkpoint_source_end(struct collect *c);

/*
 * collect.c: the records of a collection, and its last files.
 * collect_records: behind the payload, what it means, the records, and what
 * it came to.
 */
int collect_open(struct collect *c);
void collect_close(struct collect *c);
int collect_records(struct collect *c);
int collect_certificates(struct collect *c);
/* A line of another record: written to f->b, and now ended. */
int record_end(struct collect *c, struct record_file *f);

/* facts.c */
/* facts_here: clock, host and tool of this process, as members. */
void facts_here(struct json_write *w, const struct collect *c);
int facts_store(struct collect *c, const char *name, struct buf *b);
void facts_ledger(struct json_write *w, const struct collect *c);
/* facts_examiner: the name and the certificate, as members. */
void facts_examiner(struct json_write *w, const struct collect *c);
void facts_time_stamp(struct json_write *w, const struct collect *c);
int facts_acquisition(struct collect *c);
int facts_completion(struct collect *c);

/*
 * meta.c: extended attributes and holes, as JSON members.  meta_xattrs is
 * false when values were left out because together they pass
 * LIMIT_XATTR_BYTES.
 */
bool meta_xattrs(struct json_write *w, const struct object *o,
    const struct taken *t);
void meta_holes(struct json_write *w, const struct object *o,
    const struct taken *t);

#endif /* !COLLECTOR_RUN_H_ */
