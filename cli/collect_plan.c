#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "cli/collect_args.h"
#include "cli/collect_plan.h"

/* ${theirs} unless a flag says something else, which is noted. */
static void
text(struct plan *p, struct collect_merge *m, const char *key,
    const char **value, const char *theirs)
{
	if (*value == NULL)
		*value = theirs;
	else if (theirs != NULL)
		m->replaced[p->record.noverridden++] = key;
}

static bool
flag_wins(struct plan *p, struct collect_merge *m, const char *key,
    bool flag, bool theirs)
{
	if (flag && theirs)
		m->replaced[p->record.noverridden++] = key;
	return flag;
}

static void
limits(struct plan *p, struct collect_merge *m, const struct collect_args *a,
    struct collect_options *o)
{
	if (!flag_wins(p, m, "scope.follow-mounts", a->one_file_system ||
	    a->follow_mounts != NULL, p->has_mounts))
		o->mounts = p->mounts;
	if (!flag_wins(p, m, "limits.rate", a->limit_rate != NULL,
	    p->rate > 0))
		o->limit_rate = p->rate;
	if (!flag_wins(p, m, "limits.nice", o->has_nice, p->has_nice)) {
		o->has_nice = p->has_nice;
		o->nice = p->nice;
	}
}

/* Of API logs the window, of all the limit: a flag counts for each. */
static void
sources(struct plan *p, struct collect_merge *m, const struct collect_args *a,
    const struct collect_source *of_flags)
{
	bool window = false, bytes = false;

	for (size_t i = 0; i < p->nsources; i++) {
		struct collect_source *s = &p->sources[i];

		if (a->max_bytes != NULL) {
			bytes = bytes || s->max_bytes > 0;
			s->max_bytes = of_flags->max_bytes;
		}
		if (s->class != BAG_API_LOGS)
			continue;
		if (a->since != NULL) {
			window = window || s->window.has_since;
			s->window.has_since = true;
			s->window.since_ns = of_flags->window.since_ns;
		}
		if (a->until != NULL) {
			window = window || s->window.has_until;
			s->window.has_until = true;
			s->window.until_ns = of_flags->window.until_ns;
		}
	}
	(void)flag_wins(p, m, "sources.window", window, true);
	(void)flag_wins(p, m, "sources.max-bytes", bytes, true);
}

/* Theirs, then those of flags. */
static int
append(struct plan *p, struct collect_merge *m, struct collect_options *o,
    struct err *e)
{
	size_t ns = p->nsources + o->nsources;
	size_t nx = p->nexcludes + o->nexcludes;

	if ((m->sources = calloc(ns, sizeof(*m->sources))) == NULL ||
	    (m->excludes = calloc(nx + 1, sizeof(*m->excludes))) == NULL)
		return err_set(e, ERR_NOMEM, "out of memory");
	memcpy(m->sources, p->sources, p->nsources * sizeof(*m->sources));
	if (o->nsources > 0) {
		memcpy(m->sources + p->nsources, o->sources, o->nsources *
		    sizeof(*m->sources));
		m->added[p->record.nadded++] = "sources";
	}
	for (size_t i = 0; i < nx; i++)
		m->excludes[i] = i < p->nexcludes ? p->excludes[i] :
		    o->excludes[i - p->nexcludes];
	if (o->nexcludes > 0)
		m->added[p->record.nadded++] = "scope.exclude";
	o->sources = m->sources;
	o->nsources = ns;
	o->excludes = m->excludes;
	o->nexcludes = nx;
	return 0;
}

int
collect_merge(struct collect_merge *m, const char *path,
    const struct collect_args *a, struct collect_options *o, struct err *e)
{
	struct collect_source of_flags;
	struct plan *p;
	int r;

	*m = (struct collect_merge){0};
	if ((r = plan_read(path, &m->plan, e)) < 0) {
		if (e->code == ERR_FORMAT || e->code == ERR_LIMIT)
			e->code = ERR_ARG;
		return r;
	}
	p = m->plan;
	text(p, m, "purpose", &o->purpose, p->purpose);
	text(p, m, "authority", &o->authority, p->authority);
	text(p, m, "exhibit", &o->exhibit, p->exhibit);
	text(p, m, "organisation", &o->organisation, p->organisation);
	text(p, m, "contact", &o->contact, p->contact);
	text(p, m, "witness", &o->witness, p->witness);
	text(p, m, "write-blocker", &o->write_blocker, p->write_blocker);
	limits(p, m, a, o);
	if ((r = collect_args_defaults(a, &of_flags, e)) < 0)
		return r;
	sources(p, m, a, &of_flags);
	if ((r = append(p, m, o, e)) < 0)
		return r;
	p->record.overridden = m->replaced;
	p->record.added = m->added;
	o->plan = &p->record;
	return 0;
}

void
collect_merge_release(struct collect_merge *m)
{
	free(m->sources);
	free(m->excludes);
	plan_free(m->plan);
	*m = (struct collect_merge){0};
}
