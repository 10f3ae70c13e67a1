#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "analyzer/policy.h"
#include "analyzer/scan.h"
#include "analyzer/scan_group.h"
#include "analyzer/sibling.h"
#include "analyzer/sink.h"
#include "analyzer/targets.h"
#include "base/bug.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/limits.h"
#include "custody/anydigest.h"
#include "custody/digest.h"

/*
 * The scheduler.  Files are opened a few ahead of the one whose rows are due
 * (GROUPS_AHEAD), their jobs' tasks run in order as slots come free, and
 * one poll loop reads from all workers.
 */
#define SLOTS_MAX 64
#define GROUPS_AHEAD 32

struct slot {
	struct task *task;	/* NULL: free */
	struct job *job;
};

struct scan {
	const struct scan_options *o;
	struct targets targets;
	size_t next;		/* target to open */
	struct group *first, *last;
	unsigned groups;
	struct slot slots[SLOTS_MAX];
	unsigned nslots, running;
	struct worker_job proto;
	bool failed;
	uint64_t objects, bytes;	/* for progress */
};

static int
digest_str(struct digest *d, const char *s, struct err *e)
{
	return digest_put(d, s, strlen(s) + 1, e);
}

int
scan_rules_digest(uint8_t ret[32], struct err *e)
{
	const struct finding_info *f;
	const struct policy_row *p;
	struct digests out;
	struct digest *d;
	int r = 0;

	if ((d = digest_new(DIGEST_SHA256, e)) == NULL)
		return ERR_CRYPTO;
	for (unsigned i = 0; i < FINDING_COUNT && r >= 0; i++) {
		f = finding_info((enum finding_id)i);
		if ((r = digest_str(d, f->name, e)) >= 0 &&
		    (r = digest_str(d, severity_name(f->severity), e)) >= 0)
			r = digest_str(d, verdict_name(f->verdict), e);
	}
	for (size_t i = 0; i < policy_count() && r >= 0; i++) {
		p = policy_at(i);
		if ((r = digest_str(d, p->pattern, e)) >= 0 &&
		    (r = digest_str(d, severity_name(p->severity), e)) >= 0)
			r = digest_put(d, &p->cls, sizeof(p->cls), e);
		if (r >= 0 && p->shape != NULL)
			r = digest_str(d, p->shape, e);
	}
	if (r >= 0 && (r = digest_now(d, &out, e)) >= 0)
		memcpy(ret, out.sha256, 32);
	digest_free(d);
	return r;
}

static int
next_group(struct scan *s, struct err *e)
{
	const struct target *t = &s->targets.list[s->next++];
	struct err why = ERR_INIT;
	struct group *g;
	int r = 0;

	if ((g = group_new(t->path, t->root, e)) == NULL)
		return ERR_NOMEM;
	if (s->o->carve)
		g->carve_dir = s->o->carve_dir;
	if (t->link)
		r = group_problem(g, FINDING_LINK_NOT_FOLLOWED,
		    "symbolic link");
	else if (t->problem != NULL)
		r = group_problem(g, FINDING_UNREADABLE, t->problem);
	else if (t->registry && group_registry(g, t,
	    s->targets.count - (size_t)(t - s->targets.list), &s->proto,
	    &why) >= 0)
		r = 0;
	else if (t->folder && group_repository(g, t,
	    s->targets.count - (size_t)(t - s->targets.list), &s->proto,
	    &why) >= 0)
		r = 0;
	else if (t->folder || t->registry)
		r = group_problem(g, FINDING_UNREADABLE, why.msg);
	else if (group_open(g, t->path, &s->proto, s->o->hash, &why) < 0)
		r = group_problem(g, FINDING_UNREADABLE, why.msg);
	if (r < 0) {
		group_free(g);
		return err_set(e, ERR_NOMEM, "out of memory");
	}
	if (s->last != NULL)
		s->last->next = g;
	else
		s->first = g;
	s->last = g;
	s->groups++;
	return 0;
}

/* The next waiting task, in order of groups and jobs. */
static bool
find_task(struct scan *s, struct slot *ret)
{
	for (struct group *g = s->first; g != NULL; g = g->next) {
		while (g->cursor != NULL) {
			struct job *j = g->cursor;

			if (j->parse.state == TASK_WAITING) {
				*ret = (struct slot){&j->parse, j};
				return true;
			}
			if (j->hash.state == TASK_WAITING) {
				*ret = (struct slot){&j->hash, j};
				return true;
			}
			/* The last job may yet bring new ones. */
			if (j->next == NULL)
				break;
			g->cursor = j->next;
		}
	}
	return false;
}

static int
start_task(struct scan *s, const struct slot *what, struct err *e)
{
	struct job *j = what->job;
	bool parse = what->task == &j->parse;
	int keep[2] = {j->work.fd, -1}, pair[2] = {-1, -1};
	unsigned i;
	int r;

	for (i = 0; s->slots[i].task != NULL; i++)
		BUG_ON(i + 1 >= s->nslots);
	if (parse && (r = sibling_pair(pair, e)) < 0)
		return r;
	j->work.ask_fd = keep[1] = pair[1];
	r = proc_spawn(&what->task->proc,
	    parse ? worker_main : worker_hash_main, &j->work, keep,
	    parse ? 2 : 1, j->work.seconds, e);
	if (parse) {
		(void)close(pair[1]);
		j->ask_fd = pair[0];
	}
	if (r < 0)
		return r;
	what->task->state = TASK_RUNNING;
	s->slots[i] = *what;
	s->running++;
	return 0;
}

static int
fill_slots(struct scan *s, struct err *e)
{
	struct slot what;
	int r = 0;

	while (s->running < s->nslots && r >= 0) {
		if (find_task(s, &what)) {
			r = start_task(s, &what, e);
		} else if (s->next < s->targets.count &&
		    s->groups < GROUPS_AHEAD) {
			r = next_group(s, e);
		} else {
			break;
		}
	}
	return r;
}

/* The file's members are all told now. */
static void
members_known(struct group *g)
{
	group_answer_waiting(g);
	if (group_add_repositories(g) < 0 || group_add_registries(g) < 0)
		g->failed = true;
}

static void
finish(struct scan *s, struct slot *sl)
{
	enum proc_end end;
	int status;

	end = proc_wait(&sl->task->proc, &status);
	if (sl->task == &sl->job->parse) {
		job_parsed(sl->job, end, status);
		if (sl->job == sl->job->group->first)
			members_known(sl->job->group);
	} else {
		job_hashed(sl->job, end, status);
	}
	sl->task = NULL;
	s->running--;
}

/* Something to read from a worker, or its end, or its deadline. */
static void
serve(struct scan *s, struct slot *sl)
{
	static uint8_t chunk[64 * KIB];
	struct task *t = sl->task;
	size_t got;

	if (proc_read(&t->proc, chunk, sizeof(chunk), &got, NULL) < 0)
		got = 0;
	if (got == 0) {
		finish(s, sl);
		return;
	}
	t->received += got;
	buf_put(&t->in, chunk, got);
	if (t == &sl->job->parse && job_frames(sl->job) < 0) {
		proc_kill(&t->proc);
		finish(s, sl);
	}
}

static int
timeout_ms(const struct scan *s)
{
	int64_t now = clock_mono_ns(), least = 1000000000, left;

	for (unsigned i = 0; i < s->nslots; i++) {
		if (s->slots[i].task == NULL)
			continue;
		left = s->slots[i].task->proc.deadline - now;
		if (s->slots[i].task->proc.deadline > 0 && left < least)
			least = left > 0 ? left : 0;
	}
	return (int)(least / 1000000) + 1;
}

static int
wait_workers(struct scan *s, struct err *e)
{
	struct pollfd pfd[SLOTS_MAX];
	unsigned at[SLOTS_MAX], n = 0;
	int64_t now;

	for (unsigned i = 0; i < s->nslots; i++)
		if (s->slots[i].task != NULL) {
			pfd[n].fd = s->slots[i].task->proc.fd;
			pfd[n].events = POLLIN;
			pfd[n].revents = 0;
			at[n++] = i;
		}
	if (poll(pfd, n, timeout_ms(s)) < 0 && errno != EINTR)
		return err_sys(e, errno, "cannot wait for workers");
	now = clock_mono_ns();
	for (unsigned i = 0; i < n; i++) {
		struct slot *sl = &s->slots[at[i]];

		if (pfd[i].revents != 0 || (sl->task->proc.deadline > 0 &&
		    now >= sl->task->proc.deadline))
			serve(s, sl);
	}
	return 0;
}

static int
emit_done(struct scan *s, struct sink *sink, struct result_summary *sum,
    struct err *e)
{
	struct group *g;
	int r = 0;

	while ((g = s->first) != NULL && r >= 0 && group_done(g)) {
		r = group_emit(g, sink, sum, e);
		s->failed = s->failed || g->failed;
		if (s->o->progress != NULL)
			s->o->progress(s->o->progress_ctx, sum->objects,
			    sum->bytes, g->first->path);
		s->first = g->next;
		if (s->first == NULL)
			s->last = NULL;
		s->groups--;
		group_free(g);
	}
	return r;
}

static int
run(struct scan *s, struct sink *sink, struct result_summary *sum,
    struct err *e)
{
	int r;

	do {
		if ((r = fill_slots(s, e)) < 0 ||
		    (s->running > 0 && (r = wait_workers(s, e)) < 0) ||
		    (r = emit_done(s, sink, sum, e)) < 0)
			return r;
	} while (s->first != NULL || s->next < s->targets.count);
	return 0;
}

static void
scan_release(struct scan *s)
{
	struct group *g;
	int status;

	for (unsigned i = 0; i < s->nslots; i++)
		if (s->slots[i].task != NULL) {
			proc_kill(&s->slots[i].task->proc);
			(void)proc_wait(&s->slots[i].task->proc, &status);
		}
	while ((g = s->first) != NULL) {
		s->first = g->next;
		group_free(g);
	}
	targets_release(&s->targets);
}

static int
write_header(struct scan *s, struct sink *sink, int64_t started,
    struct err *e)
{
	struct result_header h = {0};
	int r;

	h.command = s->o->command;
	h.started_ns = started;
	h.hashed = s->o->hash;
	if ((r = scan_rules_digest(h.rules_digest, e)) < 0)
		return r;
	if (s->o->policy_digest != NULL) {
		h.has_policy = true;
		memcpy(h.policy_digest, s->o->policy_digest, 32);
	}
	if (s->o->yara_digest != NULL) {
		h.has_yara = true;
		memcpy(h.yara_digest, s->o->yara_digest, 32);
	}
	if (s->o->fence)
		sandbox_probe(&h.sandbox);
	return sink_header(sink, &h, e);
}

static unsigned
count_slots(unsigned wanted)
{
	long n = sysconf(_SC_NPROCESSORS_ONLN);

	if (wanted == 0)
		wanted = n > 0 ? (unsigned)n : 1;
	return wanted < SLOTS_MAX ? wanted : SLOTS_MAX;
}

/*
 * The deep pass reads every byte of every tensor: above LIMIT_DEEP in all it
 * waits until somebody asks for it.
 */
static bool
deep_wanted(const struct scan *s, struct result_summary *sum)
{
	static const char what[] = "data hidden in weights";

	if (s->o->deep == SCAN_DEEP_NEVER) {
		sum->skips[sum->nskips++] = (struct result_skip){what,
		    "--no-deep"};
		return false;
	}
	if (s->o->deep == SCAN_DEEP_ALWAYS ||
	    targets_size(&s->targets, LIMIT_DEEP) <= LIMIT_DEEP)
		return true;
	sum->skips[sum->nskips++] = (struct result_skip){what,
	    "more than 4 GiB in all; --deep looks into them"};
	return false;
}

/* What no scan of one file can see in the weights that it looked into. */
static void
say_limits(struct result_summary *sum)
{
	if (sum->tensors > 0)
		sum->skips[sum->nskips++] = (struct result_skip){
		    "in weights: encrypted bytes in the lowest one or two of "
		    "a float32, spread spectrum, quantised blocks",
		    "one file cannot show them; a reference copy does"};
}

int
scan_run(const char *const *paths, size_t n, const struct scan_options *o,
    struct sink *sink, struct result_summary *sum, bool *failed,
    struct err *e)
{
	struct scan s = {.o = o};
	int64_t began = clock_mono_ns(), started = clock_real_ns();
	int r;

	memset(sum, 0, sizeof(*sum));
	s.nslots = count_slots(o->workers);
	s.proto.hash = o->hash;
	s.proto.deep = true;
	s.proto.fence = o->fence;
	s.proto.magic = o->magic;
	s.proto.yara = o->yara;
	s.proto.program = o->program;
	s.proto.carve = o->carve;
	s.proto.extra = o->extra;
	if ((r = anydigest_start(e)) < 0)
		goto out;
	for (size_t i = 0; i < n; i++) {
		size_t first = s.targets.count;

		if ((r = targets_add(&s.targets, paths[i], e)) < 0 ||
		    (r = targets_add_registry(&s.targets, first, e)) < 0)
			goto out;
	}
	if (!deep_wanted(&s, sum))
		s.proto.deep = false;
	if ((r = write_header(&s, sink, started, e)) < 0 ||
	    (r = run(&s, sink, sum, e)) < 0)
		goto out;
	say_limits(sum);
	if (!o->hash)
		sum->skips[sum->nskips++] = (struct result_skip){
		    "digests of objects and of bundle members", "--no-hash"};
	sum->seconds = (double)(clock_mono_ns() - began) / 1e9;
	r = sink_summary(sink, sum, e);
	*failed = s.failed;
out:
	scan_release(&s);
	return r;
}
