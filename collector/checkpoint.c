#include "base/err.h"
#include "base/limits.h"
#include "collector/journal.h"
#include "collector/resume.h"
#include "collector/run.h"
#include "custody/evidence_write.h"

/*
 * When the journal is written.
 *
 * Between objects, and inside a large one: never while a member waits for its
 * record, or the journal would have the one and not the other.  The bundle's
 * bytes are passed to the kernel before the journal's line about them; to the
 * disk only now and then.  After a power failure the journal may know more
 * than the disk: resume.h compares, and goes back to what is there.
 */
static int
commit(struct collect *c, const struct journal_cut *cut)
{
	const uint64_t end = evidence_written(c->w);
	const bool disk = end - c->synced >= journal_checkpoint();
	const struct journal_state s = {end, &c->totals, cut, disk};
	int r;

	/* Inside a member only with its cut; behind the payload never. */
	if (evidence_between(c->w) != (cut == NULL))
		return 0;
	if ((r = evidence_sync(c->w, disk, c->e)) < 0)
		return r;
	if (disk)
		c->synced = end;
	return journal_commit(c->o->journal, &s, c->e);
}

int
checkpoint_now(struct collect *c)
{
	return c->o->journal == NULL ? 0 : commit(c, NULL);
}

int
checkpoint(struct collect *c)
{
	struct journal *j = c->o->journal;

	if (j == NULL || !journal_ready(j) ||
	    !journal_due(j, evidence_written(c->w)))
		return 0;
	return commit(c, NULL);
}

int
checkpoint_before(struct collect *c, uint64_t size)
{
	struct journal *j = c->o->journal;

	if (j == NULL || size < LIMIT_JOURNAL_BYTES || !journal_ready(j) ||
	    !journal_waiting(j))
		return 0;
	return commit(c, NULL);
}

int
checkpoint_inside(struct collect *c, const struct object *o,
    struct taken *t, uint64_t off)
{
	struct journal_cut cut = {.class = o->class, .path = o->path,
	    .st = &t->before, .from = off};
	int r;

	/* What could not be read will be read again from the beginning. */
	if (c->o->journal == NULL || t->read_errors > 0 ||
	    off - t->checkpoint < journal_checkpoint())
		return 0;
	if ((r = evidence_inside(c->w, &cut.member, c->e)) < 0 ||
	    (r = commit(c, &cut)) < 0)
		return r;
	t->checkpoint = off;
	return 0;
}

int
checkpoint_source(struct collect *c, size_t i, bool whole)
{
	struct journal *j = c->o->journal;
	int r;

	c->number = i;
	if (resume_has_source(c->o->resume, i))
		return 1;
	if (j == NULL)
		return 0;
	if (journal_waiting(j) && (r = commit(c, NULL)) < 0)
		return r;
	return journal_source(j, i, whole, c->e);
}

int
checkpoint_source_end(struct collect *c)
{
	struct journal *j = c->o->journal;
	int r;

	if (j == NULL)
		return 0;
	if ((r = journal_source_end(j, c->number, c->e)) < 0)
		return r;
	return commit(c, NULL);
}
