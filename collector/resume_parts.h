#ifndef COLLECTOR_RESUME_PARTS_H_
#define COLLECTOR_RESUME_PARTS_H_

#include "base/buf.h"
#include "collector/jline.h"
#include "collector/journal.h"
#include "collector/resume.h"
#include "collector/run.h"

struct arena;
struct nameset;

/* Shared by the resume*.c, and by nobody else. */
#define RESUME_TEXT 256
#define RESUME_TOTALS (sizeof(struct collect_totals) / sizeof(uint64_t))

/* A commit, and what it stands for. */
struct resume_plan {
	uint64_t at;		/* bytes of the journal up to and with it */
	uint64_t end;		/* bytes of the bundle */
	uint64_t seconds;	/* when, since 1970 */
	struct collect_totals totals;
	bool cut, sealed;
};

/* The file in whose middle the cut fell. */
struct resume_file {
	size_t source;
	char *path, *member;
	struct object o;
	struct taken t;
	struct evidence_note note;	/* of the journal */
	uint64_t from;
	int fd;			/* -1: not open */
};

struct resume {
	const struct collect_options *o;
	int dir, jfd, fd;
	const char *partial;
	uint64_t jsize;
	struct resume_plan plan;
	uint64_t limit;		/* commits behind it do not count */
	bool no_seal;		/* nor one that seals */
	uint64_t refused;	/* 1 + header offset of a refused cut */
	int64_t mtime;
	struct evidence_sealed sealed;
	struct resume_file file;
	struct journal *journal;
	struct arena *arena;
	struct nameset *known;
	uint64_t objects, met;	/* in the journal; of them seen again */
	bool *ended;		/* by source: taken whole, and finished */
	uint64_t *counted;	/* by source: its totals */
	char boot[64];		/* of the last run */
	char reason[RESUME_TEXT], redone[RESUME_TEXT];
	struct buf list;	/* for completion.json */
	struct buf key;
};

/*
 * resume_find: the last commit that may be used; the file of a cut is open
 * and compared.  ERR_FORMAT: none.  ${request}: NULL, or the only one.
 */
int resume_find(struct resume *r, const char *request, struct err *e);
/* resume_reopen: 0; 1: it is another by now, r->refused is set. */
int resume_reopen(struct resume *r, const struct jline *l, struct err *e);
void resume_close_file(struct resume *r);
/* resume_note: a member's line; false when it lacks something. */
bool resume_note(const struct jline *l, const char *prefix, unsigned set,
    struct evidence_note *ret);
/* resume_know: the object was taken; the walk passes it over. */
int resume_know(struct resume *r, size_t source, const struct object *o,
    const struct statx *st, struct err *e);
bool resume_totals(const struct jline *l, struct collect_totals *t);
/* resume_say: add to what had to be taken again. */
void resume_say(struct resume *r, const char *what);

#endif /* !COLLECTOR_RESUME_PARTS_H_ */
