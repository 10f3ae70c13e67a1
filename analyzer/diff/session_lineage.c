#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "analyzer/diff/session_parts.h"
#include "base/arena.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/fsio.h"
#include "base/limits.h"

/*
 * Which known version did NEW come from, and which one to go back to?
 *
 * That known versions are clean is the claim of whoever gives the folder:
 * nothing here checks it.
 *
 * One worker each, as many at a time as threads are allowed, measures how
 * close NEW is (closeness.h).  Versions are ranked by distance; of equal ones
 * the later modified first, then by path.  The first is the one to roll back
 * to when anything is shared, and the likely parent when the distance is
 * below PARENT: two trainings of the same architecture from other beginnings
 * are further apart than what they are made of is large.
 */
#define PARENT 0.5
#define AT_ONCE 64

struct version {
	const char *path;	/* as given */
	const char *shown;
	int64_t modified_ns;
	struct side side;
	struct session_worker w;
	struct session_events ev;
	struct diff_job job;
	struct row_version row;
	struct basis evidence;
	bool over;		/* the worker has ended */
	bool told;
	uint64_t unread;	/* findings that say so */
};

static int
no_memory(struct session *s)
{
	return err_set(s->e, ERR_NOMEM, "too many known versions");
}

static int
on_version(void *ctx, const struct row_version *r)
{
	static const char *const own[] = {"modified", "parent_below",
	    "not_read"};
	struct version *v = ctx;
	const uint8_t *p;
	const char *text;
	size_t n, len;

	p = basis_bytes(r->evidence, &n);
	for (size_t i = 0; i < sizeof(own) / sizeof(own[0]); i++)
		if (basis_find(p, n, own[i], &text, &len))
			return ERR_FORMAT;
	if (v->told)
		return ERR_FORMAT;
	v->told = true;
	v->row = *r;
	buf_put(&v->evidence.b, p, n);
	return 0;
}

static int
on_finding(void *ctx, enum row_side side, struct row_text path,
    const struct finding *f)
{
	struct version *v = ctx;

	(void)path;
	/* A known version without tensors is far from everything. */
	v->unread += finding_info(f->id)->verdict == VERDICT_INCOMPLETE &&
	    !(f->id == FINDING_DIFF_NO_MODEL && side == ROW_OLD);
	return 0;
}

static int
no_skip(void *ctx, const char *what, const char *why)
{
	(void)ctx;
	(void)what;
	(void)why;
	return 0;
}

static int
no_carve(void *ctx, const struct wire_carve *w)
{
	(void)ctx;
	(void)w;
	return ERR_FORMAT;
}

static void
no_progress(void *ctx, uint64_t done, uint64_t total)
{
	(void)ctx;
	(void)done;
	(void)total;
}

/* It is said which versions could not be measured; the others stand. */
static int
not_measured(struct session *s, struct version *v, enum finding_id id,
    const char *why)
{
	v->told = false;
	s->sum->base.incomplete +=
	    finding_info(id)->verdict != VERDICT_INCOMPLETE;
	return session_say(s, v->shown, id, "reason", why);
}

/* One that cannot be opened is over at once. */
static int
start(struct session *s, struct version *v)
{
	struct rows rows = {.version = on_version, .finding = on_finding,
	    .ctx = v};
	struct err why = ERR_INIT;
	int r;

	/* Rows about two sides come when the closest one is compared. */
	rows_mute(&rows, ~(unsigned)ROWS_VERSION);
	v->ev = (struct session_events){rows, no_skip, no_carve, no_progress,
	    NULL, v};
	basis_init(&v->evidence);
	r = sides_open(&v->side, v->path, SIDES_ALONE, &why);
	if (v->side.given == NULL || (v->shown = arena_dup(s->arena,
	    v->side.given, strlen(v->side.given))) == NULL)
		return no_memory(s);
	v->over = r < 0;
	if (v->over)
		return not_measured(s, v, FINDING_DIFF_UNREAD, why.msg);
	for (size_t i = 0; i < v->side.nnotes; i++)
		v->unread += finding_info(v->side.notes[i].id)->verdict ==
		    VERDICT_INCOMPLETE;
	v->modified_ns = v->side.modified_ns;
	session_job(s, &v->side, &s->side[ROW_NEW], &v->job);
	v->job.mode = DIFF_CLOSENESS;
	v->job.seconds /= v->job.threads;
	v->job.threads = 1;
	v->job.spool_fd = fsio_spool(NULL);
	return session_worker_compare(&v->w, s->o->worker, &v->job, &v->ev,
	    s->e);
}

static void
release(struct version *v)
{
	session_worker_drop(&v->w);
	if (v->job.spool_fd >= 0)
		(void)close(v->job.spool_fd);
	v->job.spool_fd = -1;
	sides_close(&v->side);
}

static int
ended(struct session *s, struct version *v)
{
	enum finding_id id;
	char text[64];
	bool ours;
	int r = 0;

	if (v->w.ev == NULL)	/* it was not started */
		return 0;
	if (session_worker_end(&v->w, &id, text, sizeof(text), &ours)) {
		s->failed = s->failed || ours;
		r = not_measured(s, v, id, text);
	} else if (!v->told) {
		r = not_measured(s, v, FINDING_DIFF_UNREAD,
		    "it could not be compared");
	}
	release(v);
	return r;
}

/* Wait for any of those that run; its index. */
static int
wait_any(struct session *s, struct version *v, size_t n, size_t *ret)
{
	struct pollfd pfd[AT_ONCE];
	size_t at[AT_ONCE], k = 0;
	int64_t now;

	for (size_t i = 0; i < n; i++)
		if (!v[i].over) {
			pfd[k] = (struct pollfd){.fd = v[i].w.proc.fd,
			    .events = POLLIN};
			at[k++] = i;
		}
	for (;;) {
		if (poll(pfd, (nfds_t)k, 1000) < 0 && errno != EINTR)
			return err_sys(s->e, errno, "cannot wait for workers");
		now = clock_mono_ns();
		for (size_t i = 0; i < k; i++)
			if (pfd[i].revents != 0 ||
			    now >= v[at[i]].w.proc.deadline) {
				*ret = at[i];
				return 0;
			}
	}
}

/* As many as run at once: told in their order, whichever ends first. */
static int
measure(struct session *s, struct version *v, size_t n)
{
	size_t running = 0, i;
	int r = 0;

	for (i = 0; i < n && r >= 0; i++) {
		r = start(s, &v[i]);
		running += !v[i].over;
	}
	while (r >= 0 && running > 0) {
		if ((r = wait_any(s, v, n, &i)) < 0 ||
		    (r = session_worker_read(&v[i].w, s->e)) != 0)
			continue;
		v[i].over = true;
		running--;
	}
	for (i = 0; i < n && r >= 0; i++)
		r = ended(s, &v[i]);
	return r;
}

/* Closest first; what shares nothing, and what was not measured, last. */
static int
by_closeness(const void *a, const void *b)
{
	const struct version *x = a, *y = b;
	bool none_x = !x->told || isnan(x->row.distance);
	bool none_y = !y->told || isnan(y->row.distance);

	if (x->told != y->told)
		return x->told ? -1 : 1;
	if (none_x != none_y)
		return none_x ? 1 : -1;
	if (!none_x && x->row.distance != y->row.distance)
		return x->row.distance < y->row.distance ? -1 : 1;
	if (x->row.identical != y->row.identical)
		return x->row.identical > y->row.identical ? -1 : 1;
	if (x->modified_ns != y->modified_ns)
		return x->modified_ns > y->modified_ns ? -1 : 1;
	return strcmp(x->path, y->path);
}

static int
tell(struct session *s, struct version *v, uint32_t rank)
{
	const struct result_diff d = {.type = DIFF_ROW_VERSION,
	    .path = v->shown, .row.version = &v->row};
	bool shares = v->row.shared > 0 && !isnan(v->row.distance);
	char text[CLOCK_TEXT];

	v->row.path = (struct row_text){v->path, strlen(v->path)};
	v->row.rank = rank;
	v->row.rollback = rank == 1 && shares;
	v->row.parent = v->row.rollback && v->row.distance < PARENT;
	v->row.evidence = &v->evidence;
	basis_str(&v->evidence, "modified",
	    clock_rfc3339(text, v->modified_ns, 0));
	basis_f64(&v->evidence, "parent_below", PARENT);
	basis_u64(&v->evidence, "not_read", v->unread);
	s->sum->sums.versions++;
	return session_emit(s, &d);
}

/*
 * What is unread of the closest one, or of NEW, is told when the two are
 * compared in full.
 */
static int
tell_unread(struct session *s, const struct version *v, size_t n)
{
	uint64_t unread = 0;
	char text[128];

	for (size_t i = 0; i < n; i++)
		unread += v[i].told && v[i].unread > 0 && !v[i].row.rollback;
	if (unread == 0)
		return 0;
	(void)snprintf(text, sizeof(text), "known versions of which, or of "
	    "NEW, not all could be read: %" PRIu64 "; their ranks may be "
	    "wrong", unread);
	return session_say(s, s->side[ROW_NEW].given, FINDING_DIFF_UNREAD,
	    "reason", text);
}

static int
measure_all(struct session *s, struct version *v, size_t n)
{
	size_t most = session_threads(s), k;
	int r = 0;

	for (size_t i = 0; i < n && r >= 0; i += k) {
		if (s->o->progress != NULL)
			s->o->progress(s->o->progress_ctx, 0, 0,
			    s->side[ROW_NEW].given);
		k = n - i < most ? n - i : most;
		r = measure(s, v + i, k);
	}
	return r;
}

int
session_lineage(struct session *s, const char **closest)
{
	struct version *v;
	const char **list;
	size_t n;
	int r;

	*closest = NULL;
	if ((r = session_versions(s, &list, &n)) < 0)
		return r;
	if ((v = calloc(n, sizeof(*v))) == NULL)
		return no_memory(s);
	for (size_t i = 0; i < n; i++)
		v[i] = (struct version){.path = list[i],
		    .job.spool_fd = -1};
	if ((r = measure_all(s, v, n)) >= 0)
		qsort(v, n, sizeof(*v), by_closeness);
	for (size_t i = 0; i < n && r >= 0 && v[i].told; i++)
		r = tell(s, &v[i], (uint32_t)i + 1);
	if (r >= 0)
		r = tell_unread(s, v, n);
	if (r >= 0 && v[0].told && v[0].row.rollback)
		*closest = v[0].path;
	else if (r >= 0)
		r = session_skip(s, "the comparison with one version",
		    "no known version shares a tensor with NEW");
	for (size_t i = 0; i < n; i++) {
		release(&v[i]);
		basis_release(&v[i].evidence);
	}
	free(v);
	return r;
}
