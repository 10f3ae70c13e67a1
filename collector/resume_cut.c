#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "base/err.h"
#include "base/limits.h"
#include "base/text.h"
#include "collector/inode.h"
#include "collector/resume_parts.h"

/*
 * The file in whose middle a collection was cut.  It is opened once, compared
 * through that descriptor, and read on through it: what was compared is what
 * is read.  Its path has no link in it (the walk resolved it), and a link
 * that was put there since leads to another inode.
 */
void
resume_close_file(struct resume *r)
{
	struct resume_file *f = &r->file;

	if (f->fd >= 0)
		(void)close(f->fd);
	if (f->o.dir >= 0)
		(void)close(f->o.dir);
	free(f->path);
	free(f->member);
	*f = (struct resume_file){.fd = -1};
	f->o.dir = -1;
}

static bool
same_time(const struct jline *l, const char *key,
    const struct statx_timestamp *t)
{
	const char *was = jline_str(l, key);
	char now[INODE_TIME];

	return was != NULL && strcmp(was, inode_time(now, t)) == 0;
}

static bool
same_stat(const struct jline *l, const struct statx *st)
{
	uint64_t dev, ino, size;

	return jline_u64(l, "cut.stat.dev", &dev) &&
	    dev == makedev(st->stx_dev_major, st->stx_dev_minor) &&
	    jline_u64(l, "cut.stat.ino", &ino) && ino == st->stx_ino &&
	    jline_u64(l, "cut.stat.size", &size) && size == st->stx_size &&
	    same_time(l, "cut.stat.mtime", &st->stx_mtime) &&
	    same_time(l, "cut.stat.ctime", &st->stx_ctime);
}

/* What the line says, kept; false when it is not one of ours. */
static bool
keep(struct resume_file *f, const struct jline *l, size_t nsources)
{
	uint64_t source, class;
	const char *path;
	size_t n;

	if (!jline_u64(l, "cut.source", &source) || source >= nsources ||
	    !jline_u64(l, "cut.class", &class) || class >= BAG_CLASSES ||
	    !jline_u64(l, "cut.member_offset", &f->from) ||
	    (path = jline_unhex(l, "cut.path_hex", &n)) == NULL ||
	    strlen(path) != n || n < 2 || *path != '/' ||
	    !resume_note(l, "cut.", DIGEST_SHA256, &f->note) ||
	    f->from == 0 || f->from > f->note.size ||
	    (f->path = strdup(path)) == NULL ||
	    (f->member = strdup(f->note.name)) == NULL)
		return false;
	f->note.name = f->member;
	f->source = source;
	f->o.class = (enum bag_class)class;
	f->o.path = f->path;
	return true;
}

/* The directory and the file; a reason why not, or NULL. */
static const char *
open_again(struct resume_file *f, const struct jline *l)
{
	char *slash = strrchr(f->path, '/');
	char dir[LIMIT_PATH];
	size_t n = (size_t)(slash - f->path);

	if (n >= sizeof(dir))
		return "its path is too long";
	memcpy(dir, n > 0 ? f->path : "/", n > 0 ? n : 1);
	dir[n > 0 ? n : 1] = '\0';
	f->o.name = slash + 1;
	if ((f->o.dir = open(dir, O_PATH | O_DIRECTORY | O_CLOEXEC)) < 0 ||
	    statx(f->o.dir, f->o.name, AT_SYMLINK_NOFOLLOW |
	    AT_NO_AUTOMOUNT, STATX_BASIC_STATS | STATX_BTIME | STATX_MNT_ID,
	    &f->o.st) < 0 || !S_ISREG(f->o.st.stx_mode) ||
	    (f->fd = take_open(&f->o, &f->t)) < 0)
		return "it cannot be opened any more";
	if (statx(f->fd, "", AT_EMPTY_PATH, STATX_BASIC_STATS | STATX_BTIME |
	    STATX_MNT_ID, &f->t.before) < 0 || !same_stat(l, &f->t.before) ||
	    f->t.before.stx_size != f->note.size)
		return "it was changed meanwhile";
	return NULL;
}

int
resume_reopen(struct resume *r, const struct jline *l, struct err *e)
{
	struct resume_file *f = &r->file;
	char shown[96], text[RESUME_TEXT];
	const char *why = NULL;
	uint8_t now[32];
	uint64_t header;
	int rc = 0;

	resume_close_file(r);
	if (!keep(f, l, r->o->nsources))
		why = "the journal does not say which it is";
	else if ((why = open_again(f, l)) == NULL) {
		rc = take_prefix(f->fd, f->from, now, e);
		if (rc == ERR_VERIFY || (rc == 0 && memcmp(now,
		    f->note.place.digests.sha256, 32) != 0)) {
			err_reset(e);
			why = "its first bytes are not what was read";
		} else if (rc < 0) {
			return rc;
		}
	}
	if (why == NULL)
		return 0;
	if (!jline_u64(l, "cut.header_offset", &header))
		return err_set(e, ERR_FORMAT, "the journal contradicts "
		    "itself");
	(void)snprintf(text, sizeof(text), "'%s' is begun again: %s",
	    f->path == NULL ? "?" : text_z(shown, sizeof(shown), f->path,
	    strlen(f->path)), why);
	resume_say(r, text);
	r->refused = header + 1;
	resume_close_file(r);
	return 1;
}

int
resume_cut(struct collect *c)
{
	struct resume *r = c->o->resume;
	struct resume_file *f = r != NULL ? &r->file : NULL;
	int rc, fd;

	if (f == NULL || f->fd < 0)
		return 0;
	c->number = f->source;
	if ((rc = journal_source(c->o->journal, f->source, false, c->e)) < 0)
		return rc;
	f->t.from = f->t.checkpoint = f->from;
	fd = f->fd;
	f->fd = -1;	/* take_rest closes it */
	if ((rc = take_rest(c, &f->o, fd, f->member, &f->t)) >= 0)
		rc = record_object(c, &f->o, f->member, &f->t, NULL, 0, NULL);
	if (rc >= 0)
		rc = resume_know(r, f->source, &f->o, &f->t.before, c->e);
	resume_close_file(r);
	return rc;
}
