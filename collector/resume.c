#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/bug.h"
#include "base/err.h"
#include "base/limits.h"
#include "base/text.h"
#include "collector/hostfile.h"
#include "collector/resume_parts.h"
#include "custody/nameset.h"

#define KNOWN_ARENA GIB		/* some ten million objects */

void
resume_say(struct resume *r, const char *what)
{
	const size_t n = strlen(r->redone);

	(void)snprintf(r->redone + n, sizeof(r->redone) - n, "%s%.180s",
	    n > 0 ? "; " : "", what);
}

void
resume_free(struct resume *r)
{
	if (r == NULL)
		return;
	resume_close_file(r);
	journal_free(r->journal);
	if (r->jfd >= 0)
		(void)close(r->jfd);
	if (r->fd >= 0)
		(void)close(r->fd);
	arena_free(r->arena);
	free(r->ended);
	free(r->counted);
	buf_release(&r->list);
	buf_release(&r->key);
	free(r);
}

static void
find_reason(struct resume *r)
{
	struct buf b;

	if (r->reason[0] != '\0')
		return;
	buf_init(&b, KIB);
	(void)hostfile_read(HOSTFILE_BOOT_ID, &b);
	(void)snprintf(r->reason, sizeof(r->reason), "%s",
	    r->boot[0] != '\0' && b.len > 0 &&
	    strncmp(r->boot, buf_str(&b), b.len - 1) != 0 ?
	    "the machine was restarted" : "the process was ended");
	buf_release(&b);
}

static int
begin(const struct resume_params *p, struct resume **ret, struct err *e)
{
	struct resume *r;
	struct stat st;

	if ((r = calloc(1, sizeof(*r))) == NULL)
		return err_set(e, ERR_NOMEM, "out of memory");
	r->jfd = r->fd = r->file.fd = r->file.o.dir = -1;
	buf_init(&r->list, 16 * MIB);
	buf_init(&r->key, MIB);
	r->o = p->collect;
	r->dir = p->dir;
	r->partial = p->partial;
	r->limit = UINT64_MAX;
	r->no_seal = !p->sealed_ok;
	*ret = r;
	if ((r->arena = arena_new(KNOWN_ARENA)) == NULL ||
	    (r->known = nameset_new(r->arena)) == NULL ||
	    (r->ended = calloc(p->collect->nsources + 1,
	    sizeof(*r->ended))) == NULL ||
	    (r->counted = calloc(p->collect->nsources + 1,
	    sizeof(*r->counted) * RESUME_TOTALS)) == NULL)
		return err_set(e, ERR_NOMEM, "out of memory");
	if ((r->jfd = journal_open(p->dir, p->journal, e)) < 0)
		return r->jfd;
	if (fstat(r->jfd, &st) < 0)
		return err_sys(e, errno, "cannot read the journal");
	if (!S_ISREG(st.st_mode))
		return err_set(e, ERR_UNSUPPORTED,
		    "the journal is not a regular file");
	r->jsize = (uint64_t)st.st_size;
	return 0;
}

int
resume_open(const struct resume_params *p, struct resume **ret,
    struct err *e)
{
	struct resume *r = NULL;
	int rc;

	if ((rc = begin(p, &r, e)) >= 0 &&
	    (rc = resume_find(r, p->request, e)) >= 0) {
		find_reason(r);
		*ret = r;
		r = NULL;
		rc = 0;
	}
	resume_free(r);
	return rc;
}

struct request {
	struct buf *ret;
	bool whole;
};

static int
on_head(void *ctx, const struct journal_line *line, struct err *e)
{
	struct request *q = ctx;
	uint8_t before[32];
	struct jline l;
	const char *p;
	size_t n;
	int r;

	if ((r = jline_read(&l, line->text, line->n, e)) < 0) {
		if (r == ERR_NOMEM)
			return r;
		err_reset(e);
		return err_set(e, ERR_FORMAT, "the beginning of the journal "
		    "is damaged: collect again");
	}
	if (line->off == 0 && jline_last(&l, "request", &p, &n)) {
		buf_put(q->ret, p, n);
		r = buf_failed(q->ret);
	} else {
		/* Whole only with the commit behind it. */
		q->whole = line->off > 0 &&
		    strcmp(line->kind, "commit") == 0 &&
		    jline_hex(&l, "sha256", before, 32) &&
		    memcmp(before, line->before, 32) == 0;
		r = 1;
	}
	jline_release(&l);
	return r;
}

int
resume_request(int dir, const char *journal, struct buf *ret, struct err *e)
{
	struct request q = {.ret = ret};
	struct stat st;
	int fd, r;

	if ((fd = journal_open(dir, journal, e)) < 0)
		return fd;
	if (fstat(fd, &st) < 0)
		r = err_sys(e, errno, "cannot read the journal");
	else
		r = journal_each(fd, (uint64_t)st.st_size, on_head, &q, e);
	(void)close(fd);
	if (r < 0)
		return r;
	return q.whole ? 0 : err_set(e, ERR_FORMAT,
	    "'%.100s' is not a journal, or its beginning was never written",
	    journal);
}

bool
resume_sealed(const struct resume *r, struct evidence_sealed *sealed,
    struct collect_totals *totals)
{
	if (!r->plan.sealed)
		return false;
	*sealed = r->sealed;
	*totals = r->plan.totals;
	return true;
}

uint64_t
resume_kept(const struct resume *r)
{
	return r->plan.end;
}

const char *
resume_reason(const struct resume *r)
{
	return r->reason;
}

const char *
resume_redone(const struct resume *r)
{
	return r->redone;
}

struct journal *
resume_journal(struct resume *r)
{
	return r->journal;
}

int
resume_fd(const struct resume *r)
{
	return r->fd;
}

bool
resume_fresh(const struct resume *r)
{
	return r->plan.end == 0;
}

/* For reading and writing; read-only when it was about to be published. */
static int
open_partial(struct resume *r, struct err *e)
{
	const int flags = O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC;
	char shown[256];
	struct stat st;
	int fd;

	fd = openat(r->dir, r->partial, O_RDWR | flags);
	if (fd < 0 && errno == EACCES && (fd = openat(r->dir, r->partial,
	    O_RDONLY | flags)) >= 0) {
		if (fchmod(fd, 0600) < 0) {
			(void)close(fd);
			return err_sys(e, errno, "cannot make the partial "
			    "bundle writable");
		}
		(void)close(fd);
		fd = openat(r->dir, r->partial, O_RDWR | flags);
	}
	if (fd < 0 && errno == ENOENT && r->plan.end == 0)
		/* Cut between the journal's head and the first byte. */
		fd = openat(r->dir, r->partial, O_RDWR | O_CREAT | O_EXCL |
		    flags, 0600);
	(void)text_z(shown, sizeof(shown), r->partial, strlen(r->partial));
	if (fd < 0)
		return err_sys(e, errno, "cannot open '%s'", shown);
	r->fd = fd;
	if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode))
		return err_set(e, ERR_UNSUPPORTED,
		    "'%s' is not a regular file", shown);
	return 0;
}

bool
resume_note(const struct jline *l, const char *prefix, unsigned set,
    struct evidence_note *ret)
{
	static const char *const keys[] = {"name", "header_offset",
	    "data_offset", "size", "mtime", "sha256", "sha512"};
	struct evidence_note m = {0};
	char key[7][48];

	for (unsigned i = 0; i < 7; i++)
		(void)snprintf(key[i], sizeof(key[i]), "%s%s", prefix,
		    i == 0 && *prefix != '\0' ? "member" : keys[i]);
	if ((m.name = jline_str(l, key[0])) == NULL ||
	    !jline_u64(l, key[1], &m.place.header_offset) ||
	    !jline_u64(l, key[2], &m.place.data_offset) ||
	    !jline_u64(l, key[3], &m.size) ||
	    !jline_u64(l, key[4], &m.mtime) ||
	    !jline_hex(l, key[5], m.place.digests.sha256, 32) ||
	    ((set & DIGEST_SHA512) != 0 &&
	    !jline_hex(l, key[6], m.place.digests.sha512, 64)))
		return false;
	*ret = m;
	return true;
}

/* The writer is run over what the journal has; where it stands. */
struct again {
	struct resume *r;
	struct evidence_writer *w;
	uint64_t at;		/* the line that is looked at */
};

static int
differ(struct err *e, const char *what)
{
	return err_set(e, ERR_VERIFY, "%s", what);
}

static int
replay(struct again *a, const struct evidence_note *m, uint64_t n,
    struct err *e)
{
	const unsigned set = a->r->o->digests | DIGEST_SHA256;
	struct digests d;
	int r;

	if (evidence_written(a->w) > m->place.data_offset ||
	    n > a->r->plan.end)
		return differ(e, "the journal contradicts itself");
	if ((r = evidence_replay_member(a->w, m, n, &d, e)) < 0)
		return r;
	if (memcmp(d.sha256, m->place.digests.sha256, 32) != 0 ||
	    (n == m->size && (set & DIGEST_SHA512) != 0 &&
	    memcmp(d.sha512, m->place.digests.sha512, 64) != 0))
		return differ(e, "a member of the partial bundle is not what "
		    "the journal says");
	return 0;
}

static int
on_member(void *ctx, const struct journal_line *line, struct err *e)
{
	struct again *a = ctx;
	struct evidence_note m;
	struct jline l;
	int r;

	if (strcmp(line->kind, "member") != 0)
		return 0;
	a->at = line->off;
	if ((r = jline_read(&l, line->text, line->n, e)) < 0)
		return r;
	r = resume_note(&l, "", a->r->o->digests, &m) ?
	    replay(a, &m, m.size, e) :
	    differ(e, "the journal contradicts itself");
	jline_release(&l);
	return r;
}

static int
rebuild(struct resume *r, const struct evidence_params *ep,
    struct again *a, struct err *e)
{
	struct evidence_params p = *ep;
	struct stat st;
	int rc;

	p.fd = r->fd;
	p.header_mtime = r->mtime;
	p.replay = r->plan.end > 0;
	*a = (struct again){.r = r};
	if (!p.replay) {
		if (ftruncate(r->fd, 0) < 0)
			return err_sys(e, errno, "cannot cut the partial");
		return evidence_writer_new(&p, &a->w, e);
	}
	if (fstat(r->fd, &st) < 0)
		return err_sys(e, errno, "cannot read the partial");
	if ((rc = evidence_writer_new(&p, &a->w, e)) < 0 ||
	    (rc = journal_each(r->jfd, r->plan.at, on_member, a, e)) < 0)
		return rc;
	a->at = r->plan.at - 1;
	if (r->plan.cut && (rc = replay(a, &r->file.note, r->file.from,
	    e)) < 0) {
		r->refused = r->file.note.place.header_offset + 1;
		return rc;
	}
	if (evidence_written(a->w) != r->plan.end)
		return differ(e, "the journal contradicts itself");
	return evidence_replay_end(a->w, e);
}

/* Is it a thing that goes back to an earlier commit, and not our failure? */
static bool
goes_back(int rc)
{
	return rc == ERR_VERIFY || rc == ERR_FORMAT || rc == ERR_ARG ||
	    rc == ERR_EXISTS || rc == ERR_LIMIT;
}

static int
go_back(struct resume *r, const struct again *a, struct err *e)
{
	char why[RESUME_TEXT];

	(void)snprintf(why, sizeof(why), "%.150s", e->msg);
	err_reset(e);
	r->limit = a->at;
	if (a->at == 0)
		/* Not even its first bytes: whose file is it? */
		return err_set(e, ERR_VERIFY, "the partial bundle is not the "
		    "one of this journal; nothing was changed");
	resume_say(r, why);
	return resume_find(r, NULL, e);
}

int
resume_writer(struct resume *r, const struct evidence_params *ep,
    struct evidence_writer **ret, struct err *e)
{
	struct again a;
	int rc, fd;

	if ((rc = open_partial(r, e)) < 0)
		return rc;
	for (;;) {
		if ((rc = rebuild(r, ep, &a, e)) >= 0)
			break;
		evidence_writer_free(a.w);
		a.w = NULL;
		if (!goes_back(rc) || (rc = go_back(r, &a, e)) < 0)
			return rc;
	}
	/* One lock, two descriptors: the records are still to be read. */
	if ((fd = fcntl(r->jfd, F_DUPFD_CLOEXEC, 3)) < 0)
		rc = err_sys(e, errno, "cannot open the journal again");
	else
		rc = journal_continue(fd, r->plan.at, r->plan.end,
		    r->o->digests, &r->journal, e);
	if (rc < 0) {
		evidence_writer_free(a.w);
		return rc;
	}
	*ret = a.w;
	return 0;
}
