#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fdpass.h"
#include "base/frame.h"
#include "base/json_write.h"
#include "base/limits.h"
#include "base/proc.h"
#include "collector/intake.h"
#include "collector/run.h"
#include "custody/derive.h"

/* Tag files of all kinds together. */
#define STREAMS 8

enum intake_end {
	INTAKE_IDLE,		/* nothing of its classes was stored */
	INTAKE_STREAM,		/* the bundle cannot be read while written */
	INTAKE_DONE,		/* the worker saw the end of its work */
	INTAKE_PARTLY,		/* it did not: an error says why */
};

struct intake_one {
	const struct intake_kind *kind;
	struct proc proc;
	int sock;		/* our end, -1 once it was given its work */
	enum intake_end end;
	bool marked;		/* a name of its mark was seen */
	const char *why;	/* it did not come to its end */
	uint64_t lines;
};

struct intake {
	size_t n;
	struct intake_one one[];
};

static void
end_one(struct intake_one *o)
{
	int status;

	if (o->sock >= 0)
		(void)close(o->sock);
	o->sock = -1;
	if (o->proc.pid > 0) {
		proc_kill(&o->proc);
		(void)proc_wait(&o->proc, &status);
	}
}

static int
start_one(struct intake_one *o, const struct intake_kind *kind,
    struct err *e)
{
	int fd[2], r;

	o->kind = kind;
	if ((r = fdpass_pair(fd, e)) < 0)
		return r;
	/* The child copies the argument by forking. */
	r = proc_spawn(&o->proc, kind->main, &fd[1], &fd[1], 1, 0, e);
	(void)close(fd[1]);
	if (r < 0)
		(void)close(fd[0]);
	else
		o->sock = fd[0];
	return r;
}

int
intake_start(const struct intake_kind *kinds, size_t n, struct intake **ret,
    struct err *e)
{
	struct intake *in = calloc(1, sizeof(*in) + n * sizeof(in->one[0]));
	int r;

	if (in == NULL)
		return err_set(e, ERR_NOMEM, "out of memory");
	in->n = n;
	for (size_t i = 0; i < n; i++)
		in->one[i].sock = -1;
	for (size_t i = 0; i < n; i++)
		if ((r = start_one(&in->one[i], &kinds[i], e)) < 0) {
			intake_free(in);
			return r;
		}
	*ret = in;
	return 0;
}

void
intake_free(struct intake *in)
{
	for (size_t i = 0; in != NULL && i < in->n; i++)
		end_one(&in->one[i]);
	free(in);
}

void
intake_mark(struct intake *in, const char *name)
{
	for (size_t i = 0; in != NULL && i < in->n; i++)
		in->one[i].marked |= in->one[i].kind->mark != NULL &&
		    strcmp(in->one[i].kind->mark, name) == 0;
}

/* --- the lines ------------------------------------------------------------ */

struct streams {
	const char *name[STREAMS];
	struct record_file file[STREAMS];
	unsigned n;
};

static int
stream_of(struct streams *s, const char *name, struct record_file **ret,
    struct err *e)
{
	int r;

	for (unsigned i = 0; i < s->n; i++)
		if (strcmp(s->name[i], name) == 0) {
			*ret = &s->file[i];
			return 0;
		}
	if (s->n == STREAMS)
		return err_set(e, ERR_LIMIT, "too many derived files");
	if ((r = record_open(&s->file[s->n], e)) < 0)
		return r;
	s->name[s->n] = name;
	*ret = &s->file[s->n++];
	return 0;
}

static int
take_line(struct collect *c, struct intake_one *o, struct streams *s,
    uint8_t type, const uint8_t *body, size_t n)
{
	struct record_file *file = NULL;
	struct err why = ERR_INIT;
	const char *name;
	struct frame f;
	struct buf b;
	int r;

	buf_init(&b, LIMIT_INTAKE_LINE);
	if (!frame_parse(&f, type, body, n) ||
	    o->kind->line(&f, &name, &b, &why) < 0 || buf_failed(&b) < 0)
		r = ERR_FORMAT;	/* the worker's fault, not ours */
	else if ((r = stream_of(s, name, &file, c->e)) >= 0)
		r = record_line(c, file, b.p, b.len);
	o->lines += r >= 0;
	buf_release(&b);
	return r;
}

static const char *
why_ended(enum proc_end end, int status)
{
	switch (end) {
	case PROC_EXITED:
		return status == 0 ? NULL :
		    "the process that reads them failed";
	case PROC_SIGNALED:
		return "the process that reads them was ended by a signal";
	case PROC_DEADLINE:
		return "the process that reads them passed its deadline";
	case PROC_KILLED:
		break;
	}
	return "the process that reads them sent what it may not, or too much";
}

/* Frames until the worker ends; *why is NULL when it came to its end. */
static int
read_frames(struct collect *c, struct intake_one *o, struct streams *s,
    const char **why)
{
	static uint8_t body[LIMIT_FRAME];
	struct err e = ERR_INIT;
	uint64_t bytes = 0;
	uint8_t type;
	enum proc_end end;
	int r, status = 0;
	size_t n;

	while ((r = proc_frame(&o->proc, &type, body, sizeof(body), &n,
	    &e)) > 0) {
		bytes += n;
		if (bytes > LIMIT_INTAKE_BYTES ||
		    (r = take_line(c, o, s, type, body, n)) == ERR_FORMAT) {
			proc_kill(&o->proc);
			break;
		}
		if (r < 0)
			return r;
	}
	if (r < 0)
		proc_kill(&o->proc);
	end = proc_wait(&o->proc, &status);
	*why = why_ended(end, status);
	return 0;
}

/*
 * The record so far, to be read: our own descriptor could be written to, and
 * moving its position would make us write over what is there.
 */
static int
open_files(struct collect *c)
{
	char path[40];
	int fd;

	(void)snprintf(path, sizeof(path), "/proc/self/fd/%d", c->files.fd);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	return fd >= 0 ? fd :
	    err_sys(c->e, errno, "cannot open a record again");
}

static int
give(struct collect *c, struct intake_one *o, const int fds[DERIVE_FDS])
{
	struct derive_go go = {.now_ns = c->began_real_ns,
	    .zone_seconds = c->o->zone_seconds,
	    .zone_given = c->o->zone_given, .mask = c->o->mask_content};
	struct stat st;
	int r;

	if (fstat(fds[0], &st) < 0)
		return err_sys(c->e, errno, "cannot look at the bundle");
	go.bundle_size = (uint64_t)st.st_size;
	if (fstat(fds[1], &st) < 0)
		return err_sys(c->e, errno, "cannot look at a record");
	go.files_size = (uint64_t)st.st_size;
	o->proc.deadline = clock_mono_ns() + 1000000000LL *
	    (LIMIT_INTAKE_SECONDS + (int64_t)(go.bundle_size / GIB) *
	    LIMIT_WORKER_SECONDS_PER_GIB);
	r = fdpass_send(o->sock, &go, sizeof(go), fds, DERIVE_FDS);
	(void)close(o->sock);
	o->sock = -1;
	return r < 0 ? ERR_CHILD : 0;
}

static int
give_work(struct collect *c, struct intake_one *o)
{
	int fds[DERIVE_FDS] = {c->o->bundle_fd, open_files(c)}, r;

	if (fds[1] < 0)
		return fds[1];
	r = give(c, o, fds);
	(void)close(fds[1]);
	return r;
}

/* Records that another machine has written are left as they are. */
static int
say(struct collect *c, const char *what, const struct intake_one *o)
{
	return c->received ? 0 : record_log(c, what, o->kind->name);
}

static int
say_partly(struct collect *c, const struct intake_one *o)
{
	if (!c->received)
		return record_error(c, o->kind->name, o->why, 0);
	c->totals.errors++;
	return 0;
}

/* Work for one, which it begins with, if there is any for it. */
static int
begin_one(struct collect *c, struct intake_one *o)
{
	int r;

	if ((c->classes & o->kind->classes) == 0 ||
	    (o->kind->mark != NULL && c->names_seen && !o->marked))
		return 0;
	if (c->o->bundle_fd < 0) {
		o->end = INTAKE_STREAM;
		return say(c, "not interpreted: the bundle is a stream", o);
	}
	if ((r = say(c, "interpreting", o)) < 0)
		return r;
	o->end = INTAKE_PARTLY;
	/* One that is gone already has an end that says why. */
	r = give_work(c, o);
	return r == ERR_CHILD ? 0 : r;
}

static int
finish_one(struct collect *c, struct intake_one *o, struct streams *s)
{
	int r;

	if (o->end != INTAKE_PARTLY)
		return 0;
	if ((r = read_frames(c, o, s, &o->why)) < 0)
		return r;
	if (o->why == NULL)
		o->end = INTAKE_DONE;
	return o->why == NULL ? 0 : say_partly(c, o);
}

int
intake_run(struct intake *in, struct collect *c)
{
	struct streams s = {.n = 0};
	int r;

	if ((r = record_flush(c, &c->files)) < 0 ||
	    (r = evidence_flush(c->w, c->e)) < 0)
		return r;
	/* All at once: there is more than one processor. */
	for (size_t i = 0; i < in->n && r >= 0; i++)
		r = begin_one(c, &in->one[i]);
	for (size_t i = 0; i < in->n && r >= 0; i++)
		r = finish_one(c, &in->one[i], &s);
	for (unsigned i = 0; i < s.n && r >= 0; i++)
		r = record_store(c, &s.file[i], s.name[i]);
	for (unsigned i = 0; i < s.n; i++)
		record_close(&s.file[i]);
	return r;
}

void
intake_facts(const struct intake *in, struct json_write *w)
{
	static const char *const ends[] = {
	    [INTAKE_IDLE] = "nothing of its kind was taken",
	    [INTAKE_STREAM] = "left to who reads the bundle: it was a stream",
	    [INTAKE_DONE] = "read to the end",
	    [INTAKE_PARTLY] = "incomplete"};

	json_key(w, "derived");
	if (in == NULL) {
		json_null(w);
		return;
	}
	json_begin_array(w);
	for (size_t i = 0; i < in->n; i++) {
		json_begin_object(w);
		json_kstr(w, "kind", in->one[i].kind->name);
		json_kstr(w, "result", ends[in->one[i].end]);
		json_kstr(w, "why", in->one[i].why);
		json_ku64(w, "lines", in->one[i].lines);
		json_end_object(w);
	}
	json_end_array(w);
}
