#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/limits.h"
#include "base/proc.h"
#include "base/text.h"
#include "collector/foreign_parts.h"
#include "collector/transport.h"

/*
 * The parent's side of a foreign tar.  What the worker says is what the tar
 * says, or what a tar made the worker say: names are escaped by our own
 * rules, sizes are counted here, nothing of it is a path that is opened.
 */
enum state { BETWEEN, IN_ENTRY, AT_DONE };

struct taking {
	struct collect c;
	const struct foreign *p;
	enum bag_class class;
	enum state state;
	bool stored;		/* the entry has a member */
	uint64_t left;
	uint64_t filled;	/* zeros for what the tar does not have */
	struct foreign_entry n;
	struct foreign_names names;
	struct buf path, member;
	const char *note;
	uint8_t *body;
};

static int
misbehaved(struct taking *t)
{
	proc_kill(t->p->worker);
	return err_set(t->c.e, ERR_CHILD, "the process that reads the tar sent "
	    "what no such process sends");
}

/* The path that the entry would have below "/". */
static int
make_path(struct taking *t)
{
	const struct buf *name = &t->n.name;
	size_t n = name->len;

	buf_clear(&t->path);
	if (n == 0) {
		buf_printf(&t->path, "/exhibit-tar/%llu",
		    (unsigned long long)t->n.offset);
		t->note = "without a name in the tar";
		return buf_failed(&t->path);
	}
	while (n > 1 && t->n.kind == TAR_KIND_DIRECTORY &&
	    name->p[n - 1] == '/')
		n--;
	if (name->p[0] != '/')
		buf_putc(&t->path, '/');
	buf_put(&t->path, name->p, n);
	return buf_failed(&t->path);
}

/* 1 the member may have this path's name, which is in t->member. */
static int
try_path(struct taking *t, const void *path, size_t n)
{
	struct err ignored = ERR_INIT;

	buf_clear(&t->member);
	/* Too long, or nothing but slashes: it gets the other name. */
	if (bag_member_name(&t->member, t->class, path, n, &ignored) < 0 ||
	    buf_failed(&t->member) != 0 ||
	    !bag_member_ok((const char *)t->member.p, t->member.len))
		return 0;
	return foreign_names_take(&t->names, buf_str(&t->member), t->c.e);
}

static int
choose_member(struct taking *t)
{
	char other[64];
	int r, n;

	if ((r = try_path(t, t->path.p, t->path.len)) != 0)
		return r;
	/* A tar may even have these names: then the next. */
	for (unsigned i = 0; i < 100; i++) {
		n = snprintf(other, sizeof(other), i == 0 ?
		    "/exhibit-tar/%llu" : "/exhibit-tar/%llu,%u",
		    (unsigned long long)t->n.offset, i);
		if ((r = try_path(t, other, (size_t)n)) != 0) {
			t->note = t->note != NULL ? t->note :
			    "its name was taken, or is no member's";
			return r;
		}
	}
	return err_set(t->c.e, ERR_EXISTS, "no name is free for a member");
}

static int
begin_member(struct taking *t)
{
	int r;

	if ((r = choose_member(t)) < 0)
		return r;
	t->stored = true;
	return evidence_begin(t->c.w, buf_str(&t->member), t->n.size,
	    t->n.mtime, t->c.e);
}

static int
take_entry(struct taking *t, const struct frame *f)
{
	if (t->state != BETWEEN || !foreign_entry_take(&t->n, f) ||
	    t->n.size > INT64_MAX / 2)
		return misbehaved(t);
	t->note = NULL;
	t->stored = false;
	t->left = t->n.size;
	t->state = IN_ENTRY;
	if (make_path(t) < 0)
		return misbehaved(t);
	if (t->n.kind == TAR_KIND_FILE || t->n.size > 0)
		return begin_member(t);
	return 0;
}

static int
take_data(struct taking *t, const struct frame *f)
{
	const struct cursor *b = &f->field[TAR_BYTES];
	struct collect *c = &t->c;

	if (t->state != IN_ENTRY || !frame_has(f, TAR_BYTES) ||
	    b->len > t->left)
		return misbehaved(t);
	t->left -= b->len;
	c->totals.bytes += b->len;
	if (c->o->progress != NULL)
		c->o->progress(c->o->progress_ctx, &c->totals,
		    buf_str(&t->path));
	return evidence_put(c->w, b->buf, b->len, c->e);
}

/* What went wrong with it goes among the errors. */
static int
tell(struct taking *t, const struct foreign_stored *s)
{
	const char *path = buf_str(&t->path);
	char text[300], shown[200];
	int r = 0;

	if (t->n.kind == TAR_KIND_UNPARSED)
		r = record_error(&t->c, path, "bytes where the tar should have "
		    "a header", 0);
	if (r >= 0 && t->n.error.len > 0) {
		(void)snprintf(text, sizeof(text), "in the tar: %s",
		    text_z(shown, sizeof(shown), t->n.error.p,
		    t->n.error.len));
		r = record_error(&t->c, path, text, 0);
	}
	if (r >= 0 && s->short_by > 0)
		r = record_error(&t->c, path, "the tar ends within it: what "
		    "is missing is zeros in the bundle", 0);
	return r;
}

static int
take_end(struct taking *t, const struct frame *f)
{
	struct foreign_stored s = {.note = t->note};
	struct evidence_place place;
	uint32_t cut;
	int r;

	if (t->state != IN_ENTRY || !frame_u32(f, TAR_SHORT, &cut) ||
	    (cut == 0 && t->left > 0))
		return misbehaved(t);
	t->state = BETWEEN;
	/* A header is 512 bytes, and may promise more than any disk has. */
	if (t->stored && t->left > LIMIT_TAR_HOLES - t->filled)
		return err_set(t->c.e, ERR_LIMIT, "the tar ends within a "
		    "member: %llu bytes that it promises are missing, and "
		    "are not filled with zeros", (unsigned long long)t->left);
	if (t->stored) {
		t->filled += t->left;
		if ((r = evidence_end(t->c.w, &place, &s.short_by,
		    t->c.e)) < 0)
			return r;
		t->c.totals.stored++;
		s.member = buf_str(&t->member);
		s.place = &place;
	}
	if ((r = foreign_entry_record(&t->c, &t->n, t->class,
	    (const char *)t->path.p, t->path.len, &s)) < 0)
		return r;
	return tell(t, &s);
}

static int
take_done(struct taking *t, const struct frame *f)
{
	uint32_t how;

	if (t->state != BETWEEN || !frame_u32(f, TAR_HOW, &how) ||
	    how >= TAR_END_COUNT)
		return misbehaved(t);
	t->state = AT_DONE;
	if (how == TAR_NO_END)
		return record_error(&t->c, t->p->t->from, "the tar has no end: "
		    "more may have followed", 0);
	if (how == TAR_CUT)
		return record_error(&t->c, t->p->t->from, "the tar is cut", 0);
	return record_log(&t->c, "the tar ended", NULL);
}

static int
take_failed(struct taking *t, const struct frame *f)
{
	char shown[200];

	if (!frame_has(f, TAR_TEXT))
		return misbehaved(t);
	return err_set(t->c.e, ERR_FORMAT, "cannot take in '%.64s': %s",
	    t->p->t->from, text_z(shown, sizeof(shown),
	    f->field[TAR_TEXT].buf, f->field[TAR_TEXT].len));
}

static int
take_frame(struct taking *t, uint8_t type, size_t n)
{
	struct frame f;

	if (t->state == AT_DONE || !frame_parse(&f, type, t->body, n))
		return misbehaved(t);
	switch (type) {
	case TAR_ENTRY:
		return take_entry(t, &f);
	case TAR_DATA:
		return take_data(t, &f);
	case TAR_END:
		return take_end(t, &f);
	case TAR_DONE:
		return take_done(t, &f);
	case TAR_FAILED:
		return take_failed(t, &f);
	default:
		return misbehaved(t);
	}
}

static int
take_all(struct taking *t)
{
	struct proc *p = t->p->worker;
	int r, got, status;
	uint8_t type;
	size_t n;

	while ((got = proc_frame(p, &type, t->body, LIMIT_FRAME, &n,
	    t->c.e)) > 0)
		if ((r = take_frame(t, type, n)) < 0)
			return r;
	if (got < 0)
		return got;
	if (t->state != AT_DONE || proc_wait(p, &status) != PROC_EXITED ||
	    status != 0)
		return err_set(t->c.e, ERR_CHILD, "the process that reads the "
		    "tar ended without a result");
	return pump_end(t->p->pump, &t->p->t->stream_size,
	    t->p->t->stream_sha256, t->c.e);
}

static int
run(struct taking *t)
{
	const struct collect_source *s = &t->c.o->sources[0];
	struct collect *c = &t->c;
	int r;

	if ((r = facts_acquisition(c)) < 0 ||
	    (r = record_log(c, "began", NULL)) < 0 ||
	    (r = record_log(c, "tar", s->path)) < 0)
		return r;
	scope_begin(c, s);
	r = take_all(t);
	scope_end(c);
	if (r < 0 || (r = collect_records(c)) < 0)
		return r;
	return transport_store(t->p->t, c->o, &c->totals, c->w, c->e);
}

int
foreign_tar(void *foreign, const struct collect_options *o,
    struct evidence_writer *w, struct collect_totals *ret, struct err *e)
{
	struct taking *t = calloc(1, sizeof(*t));
	int r;

	if (t == NULL || (t->body = malloc(LIMIT_FRAME)) == NULL) {
		free(t);
		return err_set(e, ERR_NOMEM, "out of memory");
	}
	t->p = foreign;
	t->class = o->sources[0].class;
	t->c = (struct collect){.o = o, .w = w, .e = e,
	    .how = "out of a tar: nothing was opened"};
	t->c.files.fd = t->c.errors.fd = t->c.log.fd = t->c.processes.fd = -1;
	foreign_entry_init(&t->n);
	buf_init(&t->path, LIMIT_TAR_NAME + 64);
	buf_init(&t->member, 4 * LIMIT_TAR_NAME);
	scope_open(&t->c);
	if ((r = foreign_names_init(&t->names, e)) >= 0 &&
	    (r = collect_open(&t->c)) >= 0 && (r = run(t)) >= 0)
		*ret = t->c.totals;
	collect_close(&t->c);
	scope_close(&t->c);
	foreign_names_release(&t->names);
	foreign_entry_release(&t->n);
	buf_release(&t->path);
	buf_release(&t->member);
	free(t->body);
	free(t);
	return r;
}
