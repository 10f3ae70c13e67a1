#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "analyzer/diff/session_parts.h"
#include "analyzer/targets.h"
#include "analyzer/triggers/datajob.h"
#include "base/arena.h"
#include "base/err.h"
#include "base/fdpass.h"
#include "base/limits.h"

/*
 * The parent's side of the search for data sets: it lists and opens files,
 * and reads none.  A file is opened when the worker asks for it, and only
 * while it is the one that was listed.
 *
 * A worker keeps few files open (lazyfiles.h) and reads a set several times;
 * one that asks more often than that is no honest one.
 */
#define ASKS 1000
#define ASKS_FILE 1000

struct data {
	struct session *s;
	struct datajob job;
	struct datajob_file *file;
	struct known {
		const char *path;
		dev_t dev;
		ino_t ino;
		bool told;	/* that it cannot be opened */
	} *known;
	uint64_t asks;
	int sock[2];
};

static int
problem(struct data *d, const char *path, enum finding_id id,
    const char *why)
{
	char *shown = session_shown(d->s, path);

	return shown == NULL ? err_set(d->s->e, ERR_NOMEM, "out of memory") :
	    session_say(d->s, shown, id, "reason", why);
}

static int
add(struct data *d, const struct target *t)
{
	const char *name = targets_below(t);
	struct stat st;

	/* Rows that stand for folders as a whole are no files. */
	if (t->folder || t->registry)
		return 0;
	if (t->link)
		return problem(d, t->path, FINDING_LINK_NOT_FOLLOWED,
		    "a symbolic link below what was given");
	if (t->problem != NULL)
		return problem(d, t->path, FINDING_TRIG_UNREAD, t->problem);
	if (stat(t->path, &st) < 0)
		return problem(d, t->path, FINDING_TRIG_UNREAD,
		    strerror(errno));
	if (!S_ISREG(st.st_mode))
		return 0;
	d->file[d->job.files] = (struct datajob_file){name,
	    (uint64_t)st.st_size};
	d->known[d->job.files] = (struct known){t->path, st.st_dev,
	    st.st_ino, false};
	d->job.bytes += (uint64_t)st.st_size;
	d->job.files++;
	return 0;
}

static int
list(struct data *d, const struct targets *t)
{
	struct arena *a = d->s->arena;
	int r = 0;

	if ((d->file = arena_array(a, t->count + 1, sizeof(*d->file))) ==
	    NULL || (d->known = arena_array(a, t->count + 1,
	    sizeof(*d->known))) == NULL)
		return err_set(d->s->e, ERR_NOMEM, "out of memory");
	for (size_t i = 0; i < t->count && r >= 0; i++) {
		d->job.folder = d->job.folder || t->list[i].below;
		r = add(d, &t->list[i]);
	}
	d->job.file = d->file;
	return r;
}

static int
open_known(const struct known *k)
{
	const int flags = O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK;
	int fd = open(k->path, flags | O_NOATIME);
	struct stat st;

	if (fd < 0 && errno == EPERM)
		fd = open(k->path, flags);
	if (fd < 0)
		return -1;
	if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode) &&
	    st.st_dev == k->dev && st.st_ino == k->ino)
		return fd;
	(void)close(fd);
	errno = ESTALE;
	return -1;
}

static int
on_ask(void *ctx, uint32_t number)
{
	struct session *s = ctx;
	struct data *d = s->asked;
	struct datajob_answer a = {.file = number};
	struct known *k;
	int fd, r = 0;

	if (number >= d->job.files ||
	    ++d->asks > ASKS + ASKS_FILE * (uint64_t)d->job.files)
		return ERR_FORMAT;
	k = &d->known[number];
	if ((fd = open_known(k)) < 0 && !k->told) {
		r = problem(d, k->path, FINDING_TRIG_UNREAD, strerror(errno));
		k->told = true;
	}
	a.open = fd >= 0;
	/* A worker that is gone is told of by its end. */
	(void)fdpass_send(d->sock[0], &a, sizeof(a), &fd, fd >= 0 ? 1 : 0);
	if (fd >= 0)
		(void)close(fd);
	return r < 0 ? r : 0;
}

static int
work(struct data *d)
{
	struct session *s = d->s;
	struct session_worker w = {0};
	struct session_events ev;
	const struct session_task t = {.main = s->o->data_worker,
	    .arg = &d->job, .fds = &d->sock[1], .nfds = 1,
	    .seconds = d->job.seconds / d->job.threads,
	    .limit = LIMIT_DIFF_FRAMES};
	int r;

	session_events(s, &ev);
	rows_refuse(&ev.rows, ROWS_TENSOR | ROWS_CONCLUSION | ROWS_CHANGE);
	ev.ask = on_ask;
	s->asked = d;
	s->origin = JOIN_DATA;
	s->now = d->job.given;
	if ((r = session_worker_start(&w, &t, &ev, s->e)) >= 0) {
		while ((r = session_worker_read(&w, s->e)) > 0)
			;
		if (r >= 0)
			r = session_end_worker(s, &w, d->job.given);
	}
	session_worker_drop(&w);
	s->origin = JOIN_PAIR;
	s->now = NULL;
	s->asked = NULL;
	return r;
}

int
session_data(struct session *s, const char *path, const struct targets *t,
    enum session_holds *found)
{
	struct data d = {.s = s, .job = {.fields = s->o->fields,
	    .fence = s->o->fence, .threads = session_threads(s)}};
	uint64_t before = s->sum->sums.inputs, gib;
	int r;

	*found = HOLDS_NO_DATA;
	s->within = false;
	if ((d.job.given = session_shown(s, path)) == NULL)
		return err_set(s->e, ERR_NOMEM, "out of memory");
	if ((r = list(&d, t)) < 0)
		return r;
	if (d.job.files == 0)
		return problem(&d, path, FINDING_TRIG_UNREAD,
		    "no regular file in it");
	gib = d.job.bytes / GIB < 10000 ? d.job.bytes / GIB : 10000;
	d.job.seconds = (LIMIT_DIFF_SECONDS + (unsigned)gib *
	    LIMIT_DIFF_SECONDS_PER_GIB) * d.job.threads;
	if ((r = fdpass_pair(d.sock, s->e)) < 0)
		return r;
	d.job.sock = d.sock[1];
	r = work(&d);
	(void)close(d.sock[0]);
	(void)close(d.sock[1]);
	if (s->sum->sums.inputs > before)
		*found = s->within ? HOLDS_DATA_WITHIN : HOLDS_IT_IS_DATA;
	return r;
}
