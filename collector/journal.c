#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/fsio.h"
#include "base/json_write.h"
#include "base/limits.h"
#include "base/text.h"
#include "collector/hostfile.h"
#include "collector/inode.h"
#include "collector/journal.h"
#include "custody/digest.h"

#define BATCH_TEXT MIB		/* lines of so many bytes are written */

struct journal {
	int fd;
	unsigned set;
	struct digest *chain;	/* of every byte that is in the file */
	struct buf b;		/* lines that wait */
	uint64_t size;		/* of the file: all of it is committed */
	uint64_t end;		/* of the bundle, at the last commit */
	int64_t at_ns;		/* when that was, monotonic */
	int64_t synced_ns;	/* when the file was last synced; 0 never */
	size_t source;
	bool open;		/* a member without its record waits */
};

static uint64_t checkpoint_bytes = LIMIT_JOURNAL_CHECKPOINT;
static int64_t interval = LIMIT_JOURNAL_MS * INT64_C(1000000);

void
journal_tune(uint64_t checkpoint, int64_t interval_ns)
{
	checkpoint_bytes = checkpoint;
	interval = interval_ns;
}

uint64_t
journal_checkpoint(void)
{
	return checkpoint_bytes;
}

void
journal_free(struct journal *j)
{
	if (j == NULL)
		return;
	buf_release(&j->b);
	digest_free(j->chain);
	if (j->fd >= 0)
		(void)close(j->fd);
	free(j);
}

static int
lock(int fd, struct err *e)
{
	int r;

	do
		r = flock(fd, LOCK_EX | LOCK_NB);
	while (r < 0 && errno == EINTR);
	if (r == 0)
		return 0;
	if (errno == EWOULDBLOCK)
		return err_set(e, ERR_DENIED, "the collection is still "
		    "running: another process writes its journal");
	/* File systems without locks: a person must take care. */
	if (errno == ENOSYS || errno == EOPNOTSUPP || errno == ENOLCK ||
	    errno == EINVAL)
		return 0;
	return err_sys(e, errno, "cannot lock the journal");
}

static int
make(int fd, unsigned digests, struct journal **ret, struct err *e)
{
	struct journal *j;

	if ((j = calloc(1, sizeof(*j))) == NULL) {
		(void)close(fd);
		return err_set(e, ERR_NOMEM, "out of memory");
	}
	j->fd = fd;
	j->set = digests;
	j->at_ns = clock_mono_ns();
	buf_init(&j->b, LIMIT_JOURNAL_BATCH);
	if ((j->chain = digest_new(DIGEST_SHA256, e)) == NULL) {
		journal_free(j);
		return ERR_CRYPTO;
	}
	*ret = j;
	return 0;
}

static int
check(struct journal *j, struct err *e)
{
	int r;

	if ((r = buf_failed(&j->b)) < 0)
		return err_set(e, (enum err_code)r,
		    "too much waits for the journal");
	return 0;
}

/* Complete the line in ${b}, or say that it does not fit. */
static int
finish_line(struct journal *j, struct json_write *w, struct err *e)
{
	json_end_object(w);
	buf_putc(&j->b, '\n');
	return check(j, e);
}

static void
begin_line(struct journal *j, struct json_write *w, const char *kind)
{
	json_init(w, &j->b, JSON_COMPACT);
	json_begin_object(w);
	json_kstr(w, "j", kind);
}

static int
write_head(struct journal *j, const struct journal_head *h, struct err *e)
{
	const struct collect_totals none = {0};
	const struct journal_state s = {0, &none, NULL, true};
	struct digests request;
	struct json_write w;
	int r;

	if ((r = digest_mem(h->request, strlen(h->request), DIGEST_SHA256,
	    &request, e)) < 0)
		return r;
	begin_line(j, &w, "head");
	json_ku64(&w, "version", 1);
	json_kstr(&w, "tool", h->tool);
	json_kstr(&w, "bag", h->bag);
	json_ku64(&w, "header_mtime", (uint64_t)h->header_mtime);
	json_ku64(&w, "digests", h->digests | DIGEST_SHA256);
	json_khex(&w, "certificate_sha256", h->cert_sha256, 32);
	hostfile_put(&w, "boot_id", HOSTFILE_BOOT_ID);
	json_khex(&w, "request_sha256", request.sha256, 32);
	json_key(&w, "request");
	json_raw(&w, h->request);
	if ((r = finish_line(j, &w, e)) < 0)
		return r;
	return journal_commit(j, &s, e);
}

int
journal_create(int dir, const char *name, const struct journal_head *h,
    struct journal **ret, struct err *e)
{
	struct journal *j = NULL;
	char shown[256];
	int fd, r;

	fd = openat(dir, name, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW |
	    O_APPEND | O_CLOEXEC, 0600);
	if (fd < 0)
		return err_sys(e, errno, "cannot create '%s'", text_z(shown,
		    sizeof(shown), name, strlen(name)));
	if ((r = make(fd, h->digests, &j, e)) < 0)
		return r;
	if ((r = lock(fd, e)) < 0 || (r = write_head(j, h, e)) < 0) {
		/* Nothing was begun, and it must not look so. */
		(void)unlinkat(dir, name, 0);
		journal_free(j);
		return r;
	}
	*ret = j;
	return 0;
}

int
journal_open(int dir, const char *name, struct err *e)
{
	char shown[256];
	int fd, r;

	fd = openat(dir, name, O_RDWR | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY |
	    O_APPEND | O_CLOEXEC);
	if (fd < 0)
		return err_sys(e, errno, "cannot open the journal '%s'",
		    text_z(shown, sizeof(shown), name, strlen(name)));
	if ((r = lock(fd, e)) < 0) {
		(void)close(fd);
		return r;
	}
	return fd;
}

struct taken_up {
	struct digest *chain;
	struct err *e;
};

static int
hash_line(void *ctx, const struct journal_line *l, struct err *e)
{
	struct taken_up *t = ctx;
	int r;

	if ((r = digest_put(t->chain, l->text, l->n, e)) < 0)
		return r;
	return digest_put(t->chain, "\n", 1, e);
}

int
journal_continue(int fd, uint64_t keep, uint64_t end, unsigned digests,
    struct journal **ret, struct err *e)
{
	struct journal *j = NULL;
	struct taken_up t;
	int r;

	if ((r = make(fd, digests, &j, e)) < 0)
		return r;
	t = (struct taken_up){j->chain, e};
	if ((r = journal_each(fd, keep, hash_line, &t, e)) < 0)
		goto out;
	if (ftruncate(fd, (off_t)keep) < 0) {
		r = err_sys(e, errno, "cannot cut the journal");
		goto out;
	}
	j->size = keep;
	j->end = end;
	*ret = j;
	j = NULL;
	r = 0;
out:
	journal_free(j);
	return r;
}

int
journal_member(struct journal *j, const struct evidence_note *m,
    struct err *e)
{
	struct json_write w;

	begin_line(j, &w, "member");
	json_kstr(&w, "name", m->name);
	json_ku64(&w, "header_offset", m->place.header_offset);
	json_ku64(&w, "data_offset", m->place.data_offset);
	json_ku64(&w, "size", m->size);
	json_ku64(&w, "mtime", m->mtime);
	json_khex(&w, "sha256", m->place.digests.sha256, 32);
	if ((j->set & DIGEST_SHA512) != 0)
		json_khex(&w, "sha512", m->place.digests.sha512, 64);
	j->open = strncmp(m->name, BAG_DATA, strlen(BAG_DATA)) == 0;
	return finish_line(j, &w, e);
}

int
journal_record(struct journal *j, const char *stream, const void *line,
    size_t n, struct err *e)
{
	buf_printf(&j->b, "{\"j\":\"%s\",\"source\":%zu,\"line\":", stream,
	    j->source);
	buf_put(&j->b, line, n);
	buf_puts(&j->b, "}\n");
	if (strcmp(stream, "files") == 0)
		j->open = false;
	return check(j, e);
}

int
journal_source(struct journal *j, size_t number, bool whole, struct err *e)
{
	struct json_write w;

	j->source = number;
	begin_line(j, &w, "source");
	json_ku64(&w, "number", number);
	json_kbool(&w, "whole", whole);
	return finish_line(j, &w, e);
}

int
journal_source_end(struct journal *j, size_t number, struct err *e)
{
	struct json_write w;

	begin_line(j, &w, "source-end");
	json_ku64(&w, "number", number);
	return finish_line(j, &w, e);
}

int
journal_resumed(struct journal *j, const char *json, size_t n,
    struct err *e)
{
	struct json_write w;

	begin_line(j, &w, "resumed");
	hostfile_put(&w, "boot_id", HOSTFILE_BOOT_ID);
	buf_puts(&j->b, ",\"line\":");
	buf_put(&j->b, json, n);
	return finish_line(j, &w, e);
}

int
journal_sealed(struct journal *j, const struct evidence_sealed *s,
    struct err *e)
{
	struct json_write w;

	begin_line(j, &w, "sealed");
	json_khex(&w, "sha256", s->whole.sha256, 32);
	json_khex(&w, "sha512", s->whole.sha512, 64);
	json_ku64(&w, "size", s->size);
	json_ku64(&w, "members", s->members);
	json_ku64(&w, "payload_bytes", s->payload_bytes);
	json_khex(&w, "seal_sha256", s->seal_sha256, 32);
	json_khex(&w, "p7s_sha256", s->p7s_sha256, 32);
	json_khex(&w, "merkle_root", s->merkle_root, 32);
	json_khex(&w, "manifest_sha256", s->manifest_sha256, 32);
	json_ku64(&w, "has_token", s->has_token);
	return finish_line(j, &w, e);
}

bool
journal_ready(const struct journal *j)
{
	return !j->open;
}

bool
journal_waiting(const struct journal *j)
{
	return j->b.len > 0;
}

uint64_t
journal_end(const struct journal *j)
{
	return j->end;
}

bool
journal_due(const struct journal *j, uint64_t end)
{
	return end - j->end >= LIMIT_JOURNAL_BYTES ||
	    j->b.len >= BATCH_TEXT ||
	    clock_mono_ns() - j->at_ns >= interval;
}

static void
put_stat(struct json_write *w, const struct statx *st)
{
	char text[INODE_TIME];

	json_key(w, "stat");
	json_begin_object(w);
	json_ku64(w, "dev", makedev(st->stx_dev_major, st->stx_dev_minor));
	json_ku64(w, "ino", st->stx_ino);
	json_ku64(w, "size", st->stx_size);
	json_kstr(w, "mtime", inode_time(text, &st->stx_mtime));
	json_kstr(w, "ctime", inode_time(text, &st->stx_ctime));
	json_end_object(w);
}

static void
put_cut(struct json_write *w, const struct journal_cut *c, size_t source)
{
	json_key(w, "cut");
	if (c == NULL) {
		json_null(w);
		return;
	}
	json_begin_object(w);
	json_ku64(w, "source", source);
	json_ku64(w, "class", c->class);
	json_khex(w, "path_hex", c->path, strlen(c->path));
	json_kstr(w, "member", c->member.name);
	json_ku64(w, "header_offset", c->member.place.header_offset);
	json_ku64(w, "data_offset", c->member.place.data_offset);
	json_ku64(w, "size", c->member.size);
	json_ku64(w, "mtime", c->member.mtime);
	json_ku64(w, "member_offset", c->from);
	json_khex(w, "sha256", c->member.place.digests.sha256, 32);
	put_stat(w, c->st);
	json_end_object(w);
}

static int
put_commit(struct journal *j, const struct journal_state *s, struct err *e)
{
	const size_t before = j->b.len;
	const int64_t now = clock_real_ns();
	uint64_t totals[sizeof(*s->totals) / sizeof(uint64_t)];
	char at[CLOCK_TEXT];
	struct digests chain;
	struct json_write w;
	int r;

	_Static_assert(sizeof(totals) == sizeof(*s->totals),
	    "totals are numbers alone");
	memcpy(totals, s->totals, sizeof(totals));
	if ((r = digest_put(j->chain, j->b.p, before, e)) < 0 ||
	    (r = digest_now(j->chain, &chain, e)) < 0)
		return r;
	begin_line(j, &w, "commit");
	json_ku64(&w, "end", s->end);
	json_kstr(&w, "at", clock_rfc3339(at, now, 3));
	json_ku64(&w, "seconds", (uint64_t)(now / 1000000000));
	json_key(&w, "totals");
	json_begin_array(&w);
	for (size_t i = 0; i < sizeof(totals) / sizeof(*totals); i++)
		json_u64(&w, totals[i]);
	json_end_array(&w);
	put_cut(&w, s->cut, j->source);
	json_khex(&w, "sha256", chain.sha256, 32);
	if ((r = finish_line(j, &w, e)) < 0)
		return r;
	return digest_put(j->chain, j->b.p + before, j->b.len - before, e);
}

int
journal_commit(struct journal *j, const struct journal_state *s,
    struct err *e)
{
	int r;

	if ((r = put_commit(j, s, e)) < 0)
		return r;
	if ((r = fsio_write_all(j->fd, j->b.p, j->b.len, e)) < 0)
		return r;
	j->size += j->b.len;
	j->end = s->end;
	j->at_ns = clock_mono_ns();
	buf_clear(&j->b);
	if (!s->sync && j->synced_ns != 0 && j->at_ns - j->synced_ns <
	    LIMIT_JOURNAL_SYNC_MS * INT64_C(1000000))
		return 0;
	if (fdatasync(j->fd) < 0)
		return err_sys(e, errno, "cannot write the journal to the "
		    "disk");
	j->synced_ns = clock_mono_ns();
	return 0;
}

void
journal_stop(struct journal *j, const char *reason)
{
	char at[CLOCK_TEXT];
	struct json_write w;

	buf_clear(&j->b);
	if (ftruncate(j->fd, (off_t)j->size) < 0)
		return;
	begin_line(j, &w, "stopped");
	json_kstr(&w, "at", clock_rfc3339(at, clock_real_ns(), 3));
	json_kstr(&w, "reason", reason);
	if (finish_line(j, &w, NULL) >= 0)
		(void)fsio_write_all(j->fd, j->b.p, j->b.len, NULL);
	buf_clear(&j->b);
}
