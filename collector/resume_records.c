#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sysmacros.h>

#include "base/bug.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/json_write.h"
#include "base/limits.h"
#include "base/text.h"
#include "collector/inode.h"
#include "collector/resume_parts.h"
#include "custody/nameset.h"

/*
 * The records of the runs before, and which lines need not be written again.
 *
 * A line is known by its stream, the number of its source, the object's path
 * and what it says; of a file also by what stat said.  The keys are kept as
 * nameset.h keeps names: twice 20 to 40 bytes for each object.
 */
static void
key_begin(struct resume *r, char stream, size_t source, const void *p,
    size_t n)
{
	buf_clear(&r->key);
	buf_printf(&r->key, "%c%zu", stream, source);
	buf_putc(&r->key, '\0');
	buf_put(&r->key, p, n);
}

static void
key_more(struct resume *r, const char *s)
{
	buf_putc(&r->key, '\0');
	buf_puts(&r->key, s);
}

static int
key_add(struct resume *r, struct err *e)
{
	if (buf_failed(&r->key) < 0)
		return err_set(e, ERR_NOMEM, "out of memory");
	return nameset_add(r->known, (const char *)r->key.p, r->key.len, e);
}

static int
key_known(struct resume *r, struct err *e)
{
	if (buf_failed(&r->key) < 0)
		return err_set(e, ERR_NOMEM, "out of memory");
	return nameset_has(r->known, (const char *)r->key.p, r->key.len, e);
}

static void
key_stat(struct resume *r, uint64_t dev, uint64_t ino, uint64_t size,
    const char *mtime, const char *ctime)
{
	buf_printf(&r->key, "%c%" PRIu64 " %" PRIu64 " %" PRIu64 " %s %s",
	    '\0', dev, ino, size, mtime, ctime);
}

/* What goes on while the journal's lines are read again. */
struct again {
	struct collect *c;
	struct resume *r;
	struct evidence_note note;	/* the member that waits for its line */
	char *name;		/* and its name */
	size_t whole;		/* 1 + the source that is taken whole */
	size_t now;		/* 1 + the source that is taken */
	uint64_t before;	/* objects, when it began */
	struct collect_totals begun, last;	/* then, and so far */
};

static int
contradiction(struct err *e)
{
	return err_set(e, ERR_VERIFY, "the journal contradicts itself: what "
	    "it says of a member is not what its record says");
}

/* The record must say of its member what the bundle holds. */
static int
check_member(const struct again *a, const struct jline *l, struct err *e)
{
	const char *member = jline_str(l, "line.member");
	const struct evidence_note *m = &a->note;
	uint64_t header, data;
	uint8_t sha256[32];

	if (member == NULL || !jline_hex(l, "line.sha256", sha256, 32))
		return 0;	/* nothing was stored, or not now */
	if (a->name == NULL || strcmp(a->name, member) != 0 ||
	    memcmp(sha256, m->place.digests.sha256, 32) != 0 ||
	    !jline_u64(l, "line.header_offset", &header) ||
	    header != m->place.header_offset ||
	    !jline_u64(l, "line.data_offset", &data) ||
	    data != m->place.data_offset)
		return contradiction(e);
	return 0;
}

static int
known_object(struct again *a, const struct jline *l, size_t source,
    struct err *e)
{
	const char *path, *mtime, *ctime;
	struct resume *r = a->r;
	uint64_t dev, ino, size;
	size_t n;
	int rc;

	if ((path = jline_unhex(l, "line.path_hex", &n)) == NULL)
		return contradiction(e);
	key_begin(r, 'F', source, path, n);
	if ((rc = key_add(r, e)) < 0)
		return rc;
	r->objects += (uint64_t)rc;
	/* It was fetched: there is no inode to compare. */
	if (!jline_u64(l, "line.stat.dev", &dev))
		return 0;
	if (!jline_u64(l, "line.stat.ino", &ino) ||
	    !jline_u64(l, "line.stat.size", &size) ||
	    (mtime = jline_str(l, "line.stat.mtime")) == NULL ||
	    (ctime = jline_str(l, "line.stat.ctime")) == NULL)
		return contradiction(e);
	key_begin(r, 'S', source, path, n);
	key_stat(r, dev, ino, size, mtime, ctime);
	return key_add(r, e);
}

static void
key_statx(struct resume *r, size_t source, const char *path,
    const struct statx *st)
{
	char mtime[INODE_TIME], ctime[INODE_TIME];

	key_begin(r, 'S', source, path, strlen(path));
	key_stat(r, makedev(st->stx_dev_major, st->stx_dev_minor),
	    st->stx_ino, st->stx_size, inode_time(mtime, &st->stx_mtime),
	    inode_time(ctime, &st->stx_ctime));
}

int
resume_know(struct resume *r, size_t source, const struct object *o,
    const struct statx *st, struct err *e)
{
	int rc;

	key_begin(r, 'F', source, o->path, strlen(o->path));
	if ((rc = key_add(r, e)) < 0)
		return rc;
	r->objects += (uint64_t)rc;
	key_statx(r, source, o->path, st);
	return key_add(r, e);
}

static int
known_error(struct again *a, const struct jline *l, size_t source,
    struct err *e)
{
	const char *path, *what = jline_str(l, "line.what");
	size_t n;

	if ((path = jline_unhex(l, "line.path_hex", &n)) == NULL ||
	    what == NULL)
		return contradiction(e);
	key_begin(a->r, 'E', source, path, n);
	key_more(a->r, what);
	return key_add(a->r, e);
}

static int
known_log(struct again *a, const struct jline *l, size_t source,
    struct err *e)
{
	const char *path = jline_str(l, "line.path");
	const char *what = jline_str(l, "line.what");

	if (what == NULL)
		return contradiction(e);
	path = path != NULL ? path : "";
	key_begin(a->r, 'L', source, path, strlen(path));
	key_more(a->r, what);
	return key_add(a->r, e);
}

static void
note_class(struct collect *c, const struct jline *l)
{
	const char *name = jline_str(l, "line.class");
	enum bag_class class;

	c->names_seen = false;
	if (name != NULL && jline_str(l, "line.sha256") != NULL &&
	    bag_class_parse(name, strlen(name), &class))
		c->classes |= 1U << class;
}

static int
on_record(struct again *a, const char *kind, const struct jline *l,
    struct err *e)
{
	struct collect *c = a->c;
	struct record_file *f;
	uint64_t source;
	const char *p;
	size_t n;
	int r;

	if (!jline_u64(l, "source", &source) || source > SIZE_MAX ||
	    !jline_last(l, "line", &p, &n))
		return contradiction(e);
	if (strcmp(kind, "files") == 0) {
		f = &c->files;
		note_class(c, l);
		if ((r = check_member(a, l, e)) >= 0)
			r = known_object(a, l, source, e);
	} else if (strcmp(kind, "errors") == 0) {
		f = &c->errors;
		r = known_error(a, l, source, e);
	} else if (strcmp(kind, "processes") == 0) {
		f = &c->processes;
		process_again(c, l);
		r = process_record(c);
	} else {
		f = &c->log;
		r = known_log(a, l, source, e);
	}
	return r < 0 ? r : record_line(c, f, p, n);
}

/* What was counted since its source began belongs to that source. */
static void
fold(struct again *a)
{
	uint64_t *to, begun[RESUME_TOTALS], last[RESUME_TOTALS];

	if (a->now == 0)
		return;
	memcpy(begun, &a->begun, sizeof(begun));
	memcpy(last, &a->last, sizeof(last));
	to = a->r->counted + (a->now - 1) * RESUME_TOTALS;
	for (size_t i = 0; i < RESUME_TOTALS; i++)
		to[i] += last[i] - begun[i];
	a->begun = a->last;
}

static int
on_source(struct again *a, const char *kind, const struct jline *l)
{
	uint64_t number;

	if (!jline_u64(l, "number", &number) || number >= a->r->o->nsources)
		return 0;
	if (strcmp(kind, "source") == 0) {
		fold(a);
		a->now = number + 1;
		a->begun = a->last;
		a->before = a->r->objects;
		a->whole = jline_true(l, "whole") ? number + 1 : 0;
	} else if (a->whole == number + 1) {
		/* It is not looked at again, so nothing of it is missing. */
		a->r->ended[number] = true;
		a->r->met += a->r->objects - a->before;
	}
	return 0;
}

static int
on_parsed(struct again *a, const char *kind, const struct jline *l,
    struct err *e)
{
	const char *p;
	size_t n;

	if (strcmp(kind, "member") == 0) {
		if (!resume_note(l, "", 0, &a->note))
			return contradiction(e);
		free(a->name);
		a->name = strdup(a->note.name);
		return a->name != NULL ? 0 :
		    err_set(e, ERR_NOMEM, "out of memory");
	}
	if (strcmp(kind, "resumed") == 0 && jline_last(l, "line", &p, &n)) {
		if (a->r->list.len > 0)
			buf_putc(&a->r->list, ',');
		buf_put(&a->r->list, p, n);
		return 0;
	}
	if (strncmp(kind, "source", 6) == 0)
		return on_source(a, kind, l);
	if (strcmp(kind, "commit") == 0)
		return resume_totals(l, &a->last) ? 0 : contradiction(e);
	return on_record(a, kind, l, e);
}

static int
on_line(void *ctx, const struct journal_line *line, struct err *e)
{
	static const char *const wanted[] = {"member", "files", "errors",
	    "log", "processes", "resumed", "source", "source-end", "commit"};
	struct again *a = ctx;
	struct jline l;
	int r;

	for (size_t i = 0; i < sizeof(wanted) / sizeof(*wanted); i++) {
		if (strcmp(line->kind, wanted[i]) != 0)
			continue;
		if ((r = jline_read(&l, line->text, line->n, e)) < 0)
			return r;
		r = on_parsed(a, line->kind, &l, e);
		jline_release(&l);
		return r < 0 ? r : 0;
	}
	return 0;
}

/* This resumption: for the journal, the log and completion.json. */
static int
say_resumed(struct collect *c)
{
	struct resume *r = c->o->resume;
	const int64_t now = clock_real_ns();
	const uint64_t s = (uint64_t)(now / 1000000000);
	char at[CLOCK_TEXT];
	struct json_write w;
	struct buf b;
	int rc;

	buf_init(&b, 64 * KIB);
	json_init(&w, &b, JSON_COMPACT);
	json_begin_object(&w);
	json_kstr(&w, "at", clock_rfc3339(at, now, 3));
	json_ku64(&w, "gap_s", s > r->plan.seconds ? s - r->plan.seconds : 0);
	json_ktext(&w, "reason", r->reason, strlen(r->reason));
	json_ku64(&w, "kept_bytes", r->plan.end);
	json_ku64(&w, "kept_objects", r->objects);
	if (r->redone[0] != '\0')
		json_ktext(&w, "redone", r->redone, strlen(r->redone));
	else
		json_knull(&w, "redone");
	json_end_object(&w);
	if (r->list.len > 0)
		buf_putc(&r->list, ',');
	buf_put(&r->list, b.p, b.len);
	if (buf_failed(&b) < 0 || buf_failed(&r->list) < 0)
		rc = err_set(c->e, ERR_NOMEM, "out of memory");
	else if ((rc = journal_resumed(r->journal, buf_str(&b), b.len,
	    c->e)) >= 0)
		rc = record_resumed(c, buf_str(&b));
	buf_release(&b);
	return rc;
}

int
resume_records(struct collect *c)
{
	struct resume *r = c->o->resume;
	struct again a = {.c = c, .r = r};
	int rc;

	if (r == NULL)
		return 0;
	c->totals = r->plan.totals;
	rc = journal_each(r->jfd, r->plan.at, on_line, &a, c->e);
	free(a.name);
	fold(&a);
	return rc < 0 ? rc : 0;
}

int
resume_begins(struct collect *c)
{
	return c->o->resume == NULL ? 0 : say_resumed(c);
}

void
resume_before(const struct resume *r, size_t source,
    struct collect_totals *before)
{
	uint64_t v[RESUME_TOTALS];

	if (r == NULL)
		return;
	memcpy(v, before, sizeof(v));
	for (size_t i = 0; i < RESUME_TOTALS; i++)
		v[i] -= r->counted[source * RESUME_TOTALS + i];
	memcpy(before, v, sizeof(v));
}

bool
resume_has_source(const struct resume *r, size_t source)
{
	return r != NULL && r->ended[source];
}

int
resume_has_object(struct collect *c, const struct object *o)
{
	struct resume *r = c->o->resume;
	int rc;

	if (r == NULL)
		return 0;
	key_begin(r, 'F', c->number, o->path, strlen(o->path));
	if ((rc = key_known(r, c->e)) > 0)
		r->met++;
	return rc;
}

int
resume_has_error(struct collect *c, const char *path, const char *what)
{
	struct resume *r = c->o->resume;

	if (r == NULL)
		return 0;
	key_begin(r, 'E', c->number, path, strlen(path));
	key_more(r, what);
	return key_known(r, c->e);
}

int
resume_has_log(struct collect *c, const char *what, const char *path)
{
	struct resume *r = c->o->resume;

	if (r == NULL)
		return 0;
	key_begin(r, 'L', c->number, "", 0);
	if (path != NULL)
		text_put(&r->key, path, strlen(path), TEXT_PLAIN);
	key_more(r, what);
	return key_known(r, c->e);
}

int
resume_skips(struct collect *c, const struct object *o)
{
	struct resume *r = c->o->resume;
	int rc;

	if ((rc = resume_has_object(c, o)) <= 0)
		return rc;
	key_statx(r, c->number, o->path, &o->st);
	if ((rc = key_known(r, c->e)) == 0)
		rc = record_log(c, "was changed after it was taken and before "
		    "the collection was resumed: kept as taken", o->path);
	return rc < 0 ? rc : 1;
}

int
resume_ends(struct collect *c)
{
	struct resume *r = c->o->resume;
	char what[128];

	if (r == NULL || r->met >= r->objects)
		return 0;
	(void)snprintf(what, sizeof(what), "%" PRIu64 " objects that were "
	    "taken before the collection was resumed were no longer there",
	    r->objects - r->met);
	return record_log(c, what, NULL);
}

const char *
resume_list(struct resume *r)
{
	return r == NULL ? "" : buf_str(&r->list);
}
