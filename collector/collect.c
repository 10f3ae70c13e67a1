#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/clock.h"
#include "collector/collect.h"
#include "collector/intake.h"
#include "collector/resume.h"
#include "collector/run.h"

static const char *
how_resolved(void)
{
	const struct open_how how = {.flags = O_PATH | O_CLOEXEC,
	    .resolve = RESOLVE_BENEATH};
	long fd = syscall(SYS_openat2, AT_FDCWD, ".", &how, sizeof(how));

	if (fd >= 0)
		(void)close((int)fd);
	return fd >= 0 ? "openat2 RESOLVE_BENEATH|NO_SYMLINKS|NO_MAGICLINKS" :
	    "openat O_NOFOLLOW by component (no openat2 here)";
}

int
collect_certificates(struct collect *c)
{
	const char *pem = c->o->examiner_pem, *tsa = c->o->tsa_pem;
	int r = 0;

	if (pem != NULL)
		r = evidence_tag(c->w, BAG_PKI "examiner.pem", pem,
		    strlen(pem), c->e);
	if (r >= 0 && tsa != NULL)
		r = evidence_tag(c->w, BAG_PKI "tsa.pem", tsa, strlen(tsa),
		    c->e);
	return r;
}

int
collect_source(struct collect *c, const struct collect_source *s)
{
	int r;

	if ((r = record_log(c, "source", s->path)) < 0)
		return r;
	scope_begin(c, s);
	if (s->kind == SOURCE_PROCESS) {
		r = process_source(c, s);
	} else if (s->kind == SOURCE_PROCESS_OF) {
		r = process_of_source(c, s);
	} else if (s->slice != NULL) {
		r = slice_source(c, s);
	} else if (!s->url) {
		if ((r = walk_source(c, s)) >= 0)
			r = beside_take(c, s);
	} else if (c->o->take_url != NULL && c->survey == NULL) {
		r = c->o->take_url(c, s);
	} else {
		r = record_error(c, s->path, c->survey != NULL ?
		    "a URL is not asked before it is taken" :
		    "a URL is not taken here", 0);
	}
	scope_end(c);
	return r;
}

static int
begin(struct collect *c)
{
	int r;

	if ((r = resume_records(c)) < 0 ||
	    ((c->o->resume == NULL || resume_fresh(c->o->resume)) &&
	    (r = facts_acquisition(c)) < 0) ||
	    (r = record_log(c, "began", NULL)) < 0 ||
	    (r = resume_begins(c)) < 0 ||
	    (r = resume_cut(c)) < 0)
		return r;
	return checkpoint_now(c);
}

/* With what the journal must know of it. */
static int
take_source(struct collect *c, size_t i)
{
	const struct collect_source *s = &c->o->sources[i];
	int r;

	if ((r = checkpoint_source(c, i, s->url || s->slice != NULL ||
	    s->kind >= SOURCE_PROCESS)) < 0)
		return r;
	if (r > 0) {
		/* A run before this one has taken it whole. */
		scope_begin(c, s);
		scope_end(c);
		return 0;
	}
	if ((r = collect_source(c, s)) < 0)
		return r;
	return checkpoint_source_end(c);
}

int
collect_records(struct collect *c)
{
	int r;

	if (c->o->intake != NULL && (r = intake_run(c->o->intake, c)) < 0)
		return r;
	if ((r = record_log(c, "ended", NULL)) < 0 ||
	    (r = record_store(c, &c->files, BAG_FILES)) < 0 ||
	    (r = record_store(c, &c->errors, BAG_ERRORS)) < 0 ||
	    (r = record_store(c, &c->log, BAG_LOG)) < 0 ||
	    (r = process_store(c)) < 0)
		return r;
	return facts_completion(c);
}

static int
run(struct collect *c)
{
	int r;

	if ((r = begin(c)) < 0)
		return r;
	for (size_t i = 0; i < c->o->nsources; i++)
		if ((r = take_source(c, i)) < 0)
			return r;
	if ((r = resume_ends(c)) < 0 || (r = checkpoint_now(c)) < 0 ||
	    (r = collect_records(c)) < 0)
		return r;
	if (c->o->plan != NULL && (r = evidence_tag(c->w, BAG_PLAN,
	    c->o->plan->bytes, c->o->plan->n, c->e)) < 0)
		return r;
	return collect_certificates(c);
}

int
collect_open(struct collect *c)
{
	int (*open)(struct record_file *, struct err *) = c->o->in_memory ?
	    record_open_memory : record_open;
	int r;

	c->files.fd = c->errors.fd = c->log.fd = c->processes.fd = -1;
	c->began_ns = clock_mono_ns();
	c->began_real_ns = clock_real_ns();
	if ((r = open(&c->files, c->e)) < 0 ||
	    (r = open(&c->errors, c->e)) < 0)
		return r;
	return open(&c->log, c->e);
}

void
collect_close(struct collect *c)
{
	record_close(&c->files);
	record_close(&c->errors);
	record_close(&c->log);
	record_close(&c->processes);
}

int
collect_run(const struct collect_options *o, struct evidence_writer *w,
    struct collect_totals *ret, struct err *e)
{
	struct collect c = {.o = o, .w = w, .e = e};
	int r;

	c.how = how_resolved();
	c.names_seen = true;
	c.rate.rate = o->limit_rate;
	if (o->out_dir != NULL && statx(*o->out_dir, "", AT_EMPTY_PATH,
	    STATX_INO, &c.out) < 0)
		c.out.stx_ino = 0;
	scope_open(&c);
	if ((r = collect_open(&c)) >= 0 && (r = run(&c)) >= 0)
		*ret = c.totals;
	collect_close(&c);
	process_release(&c);
	mounts_release(&c.mount);
	scope_close(&c);
	return r;
}
