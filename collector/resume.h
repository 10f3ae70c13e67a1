#ifndef COLLECTOR_RESUME_H_
#define COLLECTOR_RESUME_H_

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "collector/collect.h"
#include "custody/evidence_write.h"

struct buf;
struct collect;
struct err;
struct object;

/*
 * A collection that was cut is taken up again.
 *
 * The journal (journal.h) says what was done; nothing of it is believed
 * alone.  Up to its last commit that holds, every byte of the partial bundle
 * is hashed again and compared: the writer is run over it once more
 * (evidence_write.h, replay).  What does not fit ends the journal there: what
 * comes behind is taken again from its source, and that is said.  Behind the
 * last byte that holds the partial is cut.
 *
 * A file in whose middle the cut fell is continued when it is the same file
 * (device, inode, size, mtime, ctime) and its first bytes still have the
 * digest of the journal; else its member is begun again.
 *
 * Then the same sources are walked again.  An object that the journal has is
 * passed over; when its file has changed since it was taken, or is no longer
 * there, it is kept as taken, and log.jsonl says so.
 */
struct resume;

struct resume_params {
	int dir;		/* where the three files are */
	const char *journal, *partial;
	const struct collect_options *collect;
	const char *request;	/* as journal_head's: must be equal */
	bool sealed_ok;		/* may the journal's bundle be complete? */
};

/*
 * resume_request(dir, journal, ret, e): the request that the journal holds,
 * appended; for who must know it before there are options.  ERR_FORMAT: not a
 * journal, or not whole.
 */
int resume_request(int dir, const char *journal, struct buf *ret,
    struct err *e);

/*
 * resume_open: everything up to the point where the collection goes on.
 * ERR_NOTFOUND: no journal, or no partial where one must be; ERR_DENIED:
 * another process writes them; ERR_VERIFY: the journal belongs to another
 * request, examiner, bag or bundle; ERR_FORMAT: nothing in it holds;
 * ERR_UNSUPPORTED: by another version.
 */
int resume_open(const struct resume_params *p, struct resume **ret,
    struct err *e);
void resume_free(struct resume *r);

/*
 * resume_sealed: the bundle was complete, only verifying and publishing are
 * left (then there is no writer and no partial is opened).
 */
bool resume_sealed(const struct resume *r, struct evidence_sealed *sealed,
    struct collect_totals *totals);
uint64_t resume_kept(const struct resume *r);	/* bytes of the bundle */
/* Why it had ended, and what had to be taken again; never NULL. */
const char *resume_reason(const struct resume *r);
const char *resume_redone(const struct resume *r);	/* "" nothing */

/*
 * resume_writer(r, ep, ret, e): the writer, and the journal to go on with;
 * ${ep} as for a new one, its fd is set here.  The descriptor belongs to r.
 */
int resume_writer(struct resume *r, const struct evidence_params *ep,
    struct evidence_writer **ret, struct err *e);
struct journal *resume_journal(struct resume *r);
int resume_fd(const struct resume *r);

/*
 * Inside of collect_run: the records of the runs before; this resumption in
 * the log; the file that was cut; what is no longer there.  Nothing where
 * the collection begins here.
 */
int resume_records(struct collect *c);
int resume_begins(struct collect *c);
int resume_cut(struct collect *c);
int resume_ends(struct collect *c);
/* resume_fresh: not even acquisition.json is there. */
bool resume_fresh(const struct resume *r);
/* resume_has_source: was it finished, and cannot be walked again? */
bool resume_has_source(const struct resume *r, size_t source);
/* resume_before: what the runs before counted of it, taken off. */
void resume_before(const struct resume *r, size_t source,
    struct collect_totals *before);
/* Does the journal have this line already?  1, 0, negative. */
int resume_has_object(struct collect *c, const struct object *o);
int resume_has_error(struct collect *c, const char *path, const char *what);
int resume_has_log(struct collect *c, const char *what, const char *path);
/* As resume_has_object, and says when the file is another by now. */
int resume_skips(struct collect *c, const struct object *o);
/* The members of "resumed" in completion.json: a list's elements. */
const char *resume_list(struct resume *r);

#endif /* !COLLECTOR_RESUME_H_ */
