#ifndef ANALYZER_SCAN_GROUP_H_
#define ANALYZER_SCAN_GROUP_H_

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "analyzer/finding.h"
#include "analyzer/result.h"
#include "analyzer/scan_carve.h"
#include "analyzer/worker.h"
#include "base/buf.h"
#include "base/proc.h"

struct arena;
struct err;
struct frame;
struct sink;
struct wire_carve;

/*
 * A group is one file that was asked for, with everything inside it: the
 * parent's side of scanning.  It has one job for the file and one for each
 * member that got a worker of its own; a job has a parsing worker and a
 * hashing worker.  What workers say is checked here before it is believed.
 */
struct node {			/* an object: one row of the result */
	struct result_object row;
	uint32_t parent;	/* in the same job; WIRE_NONE for its first */
	bool ended;		/* its END frame came */
	bool complete;		/* it alone */
	struct node_finding *first, *last;
	unsigned count;
	struct node_call *first_call, *last_call;
	bool carve_failed;
	struct result_carved carved;	/* file NULL: nothing was */
};

enum task_state { TASK_NONE, TASK_WAITING, TASK_RUNNING, TASK_DONE };

struct task {
	enum task_state state;
	struct proc proc;
	struct buf in;		/* bytes of frames not yet whole */
	uint64_t received;
};

struct job {
	struct group *group;
	struct job *next;	/* in the group's order */
	struct worker_job work;
	const char *path;	/* printable */
	unsigned depth;
	struct task parse, hash;
	struct node *nodes;
	uint32_t count, cap;
	int ask_fd;		/* our end of sibling.h's pair, or -1 */
	const char *raw;	/* the member's name as stored; "" the file */
	const char *asked;	/* a question that waits for the members */
	size_t asked_len;
	uint32_t asks;
	struct carve_file carve;/* that its worker is sending */
	bool repository;	/* the object is a list of a folder's files */
	bool list_cut;		/* that has more than LIMIT_REPOSITORY */
	int list_fd;		/* where it is, or -1 */
	bool absent;		/* what the list is for is not there */
	bool has_status, done;	/* frames seen */
	bool misbehaved;
	bool has_expected;	/* the bundle's manifest states a digest */
	uint8_t expected[32];
};

struct group {
	struct group *next;
	struct arena *arena;	/* everything below */
	int fd;
	int carve_dir;		/* -1: nothing is carved */
	uint64_t size;
	struct job *first, *last;
	uint32_t jobs;
	const char *root;	/* the folder that nothing may leave */
	const char *folder;	/* of the file, below root: "", "a/b" */
	struct job **members;	/* by raw, once the first job is done */
	uint32_t nmembers;
	struct job *cursor;	/* next job that has a waiting task */
	struct sandbox_status sandbox;
	bool has_sandbox;
	bool failed;		/* our side failed somewhere in it */
};

/*
 * group_new: the first ${root} bytes of the path are the folder that its
 * siblings may not leave; 0 is the current one.
 */
struct group *group_new(const char *path, size_t root, struct err *e);
void group_free(struct group *g);
/* group_problem: the group is one row that says why it was not examined. */
int group_problem(struct group *g, enum finding_id id, const char *why);
/* group_open: open the file and make its first job. */
int group_open(struct group *g, const char *raw_path,
    const struct worker_job *proto, bool hash, struct err *e);

/*
 * group_repository: the group's object is the list of a folder's files,
 * records of decimal size, space, name, NUL.  group_add_repositories: one job
 * for each folder among the members that holds a marker (targets.h).
 */
struct target;
int group_repository(struct group *g, const struct target *t, size_t n,
    const struct worker_job *proto, struct err *e);
int group_add_repositories(struct group *g);
/* group_list: ${b}, a list that a descriptor can name, is what ${j} reads. */
int group_list(struct job *j, struct buf *b, const char *format,
    const struct worker_job *proto, struct err *e);

/*
 * group_registry, group_add_registries: the same for registries of models,
 * by the names of all files (formats/modelreg.c has the list's form).
 */
int group_registry(struct group *g, const struct target *t, size_t n,
    const struct worker_job *proto, struct err *e);
int group_add_registries(struct group *g);

/* group_is_bag: its members' names are escaped; once the first job is done. */
bool group_is_bag(const struct group *g);
/* group_members: index the members by name; after that the first job's. */
int group_members(struct group *g);

/*
 * job_frames(j): take the whole frames out of j->parse.in.  Negative when
 * the worker must be ended (j->misbehaved then).
 */
int job_frames(struct job *j);
/* job_parsed, job_hashed: the worker has ended; notes how. */
void job_parsed(struct job *j, enum proc_end end, int status);
void job_hashed(struct job *j, enum proc_end end, int status);

/*
 * job_ask: the worker asks for a sibling; ERR_FORMAT when it may not.
 * group_answer_waiting: the file's members are known now.
 */
int job_ask(struct job *j, const uint8_t *name, size_t n);
void group_answer_waiting(struct group *g);

/*
 * job_carve: a piece of what the worker carves.  job_carved: no more pieces
 * of that object can come.  ERR_FORMAT when the worker breaks the rules; a
 * file that cannot be written is said about the object.
 */
int job_carve(struct job *j, const struct wire_carve *w);
int job_carved(struct job *j);

bool group_done(const struct group *g);
/*
 * group_emit: roll up verdicts and hand the rows to the sink; adds to the
 * summary.  A registry that names alone promised and that its worker did not
 * find has no row, unless something was in the way.
 */
int group_emit(struct group *g, struct sink *s, struct result_summary *sum,
    struct err *e);

/* For scan_emit.c and scan_job.c. */
struct node_finding {
	struct node_finding *next;
	struct finding f;
};
struct node_call {
	struct node_call *next;
	struct result_call c;
};
int node_add(struct group *g, struct node *n, const struct finding *f);
int job_say(struct job *j, uint32_t node, enum finding_id id,
    const char *key, const char *text);
struct job *group_add_job(struct group *g, const char *path, unsigned depth);
const char *group_member_path(struct group *g, const char *parent,
    const uint8_t *name, size_t n);

#endif /* !ANALYZER_SCAN_GROUP_H_ */
