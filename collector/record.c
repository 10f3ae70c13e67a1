#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fsio.h"
#include "base/json_write.h"
#include "base/limits.h"
#include "base/text.h"
#include "collector/inode.h"
#include "collector/intake.h"
#include "collector/journal.h"
#include "collector/resume.h"
#include "collector/run.h"

#define LINE_MAX_BYTES (1 * MIB)
#define FLUSH_AT (256 * KIB)

int
record_open_memory(struct record_file *f, struct err *e)
{
	buf_init(&f->b, FLUSH_AT + LINE_MAX_BYTES);
	f->fd = memfd_create("records", MFD_CLOEXEC);
	return f->fd >= 0 ? 0 :
	    err_sys(e, errno, "cannot get memory for records");
}

int
record_open(struct record_file *f, struct err *e)
{
	const char *dir = getenv("TMPDIR");
	char *name = NULL;

	if (dir == NULL || *dir == '\0')
		dir = "/tmp";
	buf_init(&f->b, FLUSH_AT + LINE_MAX_BYTES);
	f->fd = open(dir, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
	if (f->fd >= 0)
		return 0;
	if (asprintf(&name, "%s/exhibit-XXXXXX", dir) < 0)
		return err_set(e, ERR_NOMEM, "out of memory");
	if ((f->fd = mkostemp(name, O_CLOEXEC)) >= 0)
		(void)unlink(name);
	free(name);
	return f->fd >= 0 ? 0 :
	    err_sys(e, errno, "cannot make a temporary file in '%s'", dir);
}

void
record_close(struct record_file *f)
{
	if (f->fd >= 0)
		(void)close(f->fd);
	f->fd = -1;
	buf_release(&f->b);
}

int
record_flush(struct collect *c, struct record_file *f)
{
	int r;

	if ((r = buf_failed(&f->b)) < 0)
		return err_set(c->e, (enum err_code)r,
		    "a record is too long");
	r = fsio_write_all(f->fd, f->b.p, f->b.len, c->e);
	buf_clear(&f->b);
	f->line = 0;
	return r;
}

/* The line's end; what waits is written when it is much. */
static int
next_line(struct collect *c, struct record_file *f)
{
	buf_putc(&f->b, '\n');
	f->line = f->b.len;
	return f->b.len >= FLUSH_AT || buf_failed(&f->b) < 0 ?
	    record_flush(c, f) : 0;
}

static const char *
stream_name(const struct collect *c, const struct record_file *f)
{
	return f == &c->files ? "files" : f == &c->errors ? "errors" :
	    f == &c->log ? "log" : f == &c->processes ? "processes" : NULL;
}

int
record_end(struct collect *c, struct record_file *f)
{
	const char *name;
	int r;

	if (c->o->journal != NULL && buf_failed(&f->b) == 0 &&
	    (name = stream_name(c, f)) != NULL &&
	    (r = journal_record(c->o->journal, name, f->b.p + f->line,
	    f->b.len - f->line, c->e)) < 0)
		return r;
	return next_line(c, f);
}

int
record_line(struct collect *c, struct record_file *f, const void *p, size_t n)
{
	buf_put(&f->b, p, n);
	return next_line(c, f);
}

int
record_store(struct collect *c, struct record_file *f, const char *name)
{
	int r;

	if ((r = record_flush(c, f)) < 0)
		return r;
	return evidence_tag_fd(c->w, name, f->fd, c->e);
}

static void
put_time(struct json_write *w, const char *key,
    const struct statx_timestamp *t, bool known)
{
	char text[INODE_TIME];

	if (!known) {
		json_knull(w, key);
		return;
	}
	json_kstr(w, key, inode_time(text, t));
}

static const char *
type_name(uint16_t mode)
{
	switch (mode & S_IFMT) {
	case S_IFREG:
		return "file";
	case S_IFDIR:
		return "directory";
	case S_IFLNK:
		return "symlink";
	case S_IFIFO:
		return "fifo";
	case S_IFSOCK:
		return "socket";
	case S_IFCHR:
		return "character-device";
	case S_IFBLK:
		return "block-device";
	default:
		return "unknown";
	}
}

/* What statx said, as an object. */
static void
put_stat(struct json_write *w, const char *key, const struct statx *st)
{
	char mode[16];

	json_key(w, key);
	json_begin_object(w);
	json_ku64(w, "dev", makedev(st->stx_dev_major, st->stx_dev_minor));
	json_ku64(w, "ino", st->stx_ino);
	json_ku64(w, "nlink", st->stx_nlink);
	(void)snprintf(mode, sizeof(mode), "%06o", st->stx_mode);
	json_kstr(w, "mode", mode);
	json_ku64(w, "uid", st->stx_uid);
	json_ku64(w, "gid", st->stx_gid);
	json_ku64(w, "size", st->stx_size);
	json_ku64(w, "blocks", st->stx_blocks);
	put_time(w, "atime", &st->stx_atime, true);
	put_time(w, "mtime", &st->stx_mtime, true);
	put_time(w, "ctime", &st->stx_ctime, true);
	put_time(w, "btime", &st->stx_btime,
	    (st->stx_mask & STATX_BTIME) != 0);
	json_ku64(w, "attributes", st->stx_attributes);
	json_end_object(w);
}

static void
put_names(struct json_write *w, const struct collect *c,
    const struct statx *st)
{
	facts_said(w, "user", c->o->user_name != NULL ?
	    c->o->user_name(st->stx_uid) : NULL);
	facts_said(w, "group", c->o->group_name != NULL ?
	    c->o->group_name(st->stx_gid) : NULL);
}

/* The mount of the object, found once for a run of them. */
static const struct mounts_facts *
mount_of(struct collect *c, const struct object *o)
{
	if ((o->st.stx_mask & STATX_MNT_ID) == 0) {
		c->mount.known = false;
	} else if (!c->mount.known || c->mount.id != o->st.stx_mnt_id) {
		mounts_release(&c->mount);
		mounts_init(&c->mount);
		mounts_find(&c->mount, o->st.stx_mnt_id);
	}
	return &c->mount;
}

/* Equal in everything that put_stat writes. */
static bool
same_stat(const struct statx *a, const struct statx *b)
{
	return inode_same(a, b) && a->stx_nlink == b->stx_nlink &&
	    a->stx_mode == b->stx_mode && a->stx_uid == b->stx_uid &&
	    a->stx_gid == b->stx_gid && a->stx_size == b->stx_size &&
	    a->stx_blocks == b->stx_blocks &&
	    a->stx_attributes == b->stx_attributes &&
	    inode_same_time(&a->stx_atime, &b->stx_atime) &&
	    inode_same_time(&a->stx_mtime, &b->stx_mtime) &&
	    inode_same_time(&a->stx_ctime, &b->stx_ctime) &&
	    inode_same_time(&a->stx_btime, &b->stx_btime);
}

/* The strongest thing that can be said, docs/RECORDS.md. */
static const char *
guarantee(struct collect *c, const struct object *o, const struct taken *t)
{
	const struct mounts_facts *m = mount_of(c, o);

	if (t->changed)
		return "changed";
	if (m->known && m->snapshot)
		return "snapshot";
	if (m->known && m->read_only)
		return "read-only mount";
	return t->doubled ? "double-read equal" : "stat equal";
}

/* What makes sense of a collection reads lines up to here, and the stat. */
void
record_put_place(struct json_write *w, const struct collect *c,
    const struct evidence_place *at)
{
	json_khex(w, "sha256", at->digests.sha256, 32);
	if ((c->o->digests & DIGEST_SHA512) != 0)
		json_khex(w, "sha512", at->digests.sha512, 64);
	json_ku64(w, "header_offset", at->header_offset);
	json_ku64(w, "data_offset", at->data_offset);
}

static void
put_taken(struct json_write *w, struct collect *c, const struct object *o,
    const struct taken *t)
{
	json_kstr(w, "guarantee", guarantee(c, o, t));
	json_kbool(w, "changed_while_reading", t->changed);
	json_ku64(w, "short_by", t->short_by);
	json_ku64(w, "grew_by", t->grew_by);
	json_kstr(w, "open_flags", t->flags);
	json_kbool(w, "atime_may_have_changed", !t->noatime);
	if (t->doubled)
		json_kbool(w, "double_read_equal", t->double_equal);
	json_ku64(w, "read_errors", t->read_errors);
	if (t->read_errors > 0) {
		json_ku64(w, "read_error_offset", t->read_error_off);
		json_ku64(w, "read_error_length", t->read_error_len);
		json_kstr(w, "read_error", strerrorname_np(t->read_errno));
	}
	json_ku64(w, "read_ns", (uint64_t)t->ns);
	if (same_stat(&t->before, &t->after))
		json_kstr(w, "after", "as before");
	else
		put_stat(w, "after", &t->after);
}

/* The window of the object's source, for who reads times inside it. */
static void
put_window(struct json_write *w, const struct collect_source *s)
{
	char ns[32];

	if (s != NULL && s->window.has_since) {
		(void)snprintf(ns, sizeof(ns), "%lld",
		    (long long)s->window.since_ns);
		json_kstr(w, "since_ns", ns);
	}
	if (s != NULL && s->window.has_until) {
		(void)snprintf(ns, sizeof(ns), "%lld",
		    (long long)s->window.until_ns);
		json_kstr(w, "until_ns", ns);
	}
}

int
record_object(struct collect *c, const struct object *o, const char *member,
    const struct taken *t, const char *link, size_t link_n, const char *note)
{
	const struct statx *st = t != NULL && t->stored ? &t->before : &o->st;
	struct json_write w;
	bool whole;
	int r;

	if ((r = resume_has_object(c, o)) != 0)
		return r < 0 ? r : 0;
	c->totals.objects++;
	if (c->survey != NULL)
		return 0;
	intake_mark(c->o->intake, o->name);
	json_init(&w, &c->files.b, JSON_COMPACT);
	json_begin_object(&w);
	json_kstr(&w, "type", type_name(st->stx_mode));
	json_kstr(&w, "class", bag_class_name(o->class));
	json_ktext(&w, "path", o->path, strlen(o->path));
	json_khex(&w, "path_hex", o->path, strlen(o->path));
	json_kstr(&w, "member", member);
	json_kstr(&w, "note", note);
	put_window(&w, c->source);
	if (link != NULL) {
		json_ktext(&w, "link_target", link, link_n);
		json_khex(&w, "link_target_hex", link, link_n);
	}
	if (t != NULL && t->stored)
		record_put_place(&w, c, &t->place);
	put_stat(&w, "stat", st);
	put_names(&w, c, st);
	json_ku64(&w, "mount_id", st->stx_mnt_id);
	/* Reading a link's target updates the link's own atime. */
	if (link != NULL)
		json_kbool(&w, "atime_may_have_changed", true);
	if (S_ISREG(st->stx_mode) && st->stx_nlink > 1) {
		char group[48];

		(void)snprintf(group, sizeof(group), "%u:%u:%llu",
		    st->stx_dev_major, st->stx_dev_minor,
		    (unsigned long long)st->stx_ino);
		json_kstr(&w, "hard_link_group", group);
	}
	whole = meta_xattrs(&w, o, t);
	if (t != NULL && t->stored) {
		meta_holes(&w, o, t);
		put_taken(&w, c, o, t);
	}
	json_end_object(&w);
	if ((r = record_end(c, &c->files)) >= 0 && !whole)
		r = record_error(c, o->path,
		    "extended attributes beyond the limit were left out", 0);
	return r < 0 ? r : checkpoint(c);
}

int
record_error(struct collect *c, const char *path, const char *what,
    int errnum)
{
	struct json_write w;
	char when[CLOCK_TEXT];
	int r;

	if ((r = resume_has_error(c, path, what)) != 0)
		return r < 0 ? r : 0;
	c->totals.errors++;
	if (c->survey != NULL)
		return survey_error(c, path, what, errnum);
	json_init(&w, &c->errors.b, JSON_COMPACT);
	json_begin_object(&w);
	json_kstr(&w, "time", clock_rfc3339(when, clock_real_ns(), 3));
	json_ktext(&w, "path", path, strlen(path));
	json_khex(&w, "path_hex", path, strlen(path));
	json_kstr(&w, "what", what);
	json_kstr(&w, "errno", errnum != 0 ? strerrorname_np(errnum) : NULL);
	json_kstr(&w, "text", errnum != 0 ? strerrordesc_np(errnum) : NULL);
	json_end_object(&w);
	r = record_end(c, &c->errors);
	return r < 0 ? r : checkpoint(c);
}

int
record_log(struct collect *c, const char *what, const char *path)
{
	struct json_write w;
	char when[CLOCK_TEXT];
	int r;

	if (c->survey != NULL)
		return 0;
	if ((r = resume_has_log(c, what, path)) != 0)
		return r < 0 ? r : 0;
	json_init(&w, &c->log.b, JSON_COMPACT);
	json_begin_object(&w);
	json_kstr(&w, "time", clock_rfc3339(when, clock_real_ns(), 3));
	json_ku64(&w, "mono_ns", (uint64_t)clock_mono_ns());
	json_kstr(&w, "what", what);
	if (path != NULL)
		json_ktext(&w, "path", path, strlen(path));
	json_end_object(&w);
	return record_end(c, &c->log);
}

int
record_resumed(struct collect *c, const char *json)
{
	struct json_write w;
	char when[CLOCK_TEXT];

	json_init(&w, &c->log.b, JSON_COMPACT);
	json_begin_object(&w);
	json_kstr(&w, "time", clock_rfc3339(when, clock_real_ns(), 3));
	json_ku64(&w, "mono_ns", (uint64_t)clock_mono_ns());
	json_kstr(&w, "what", "resumed");
	json_key(&w, "resumed");
	json_raw(&w, json);
	json_end_object(&w);
	return record_end(c, &c->log);
}
