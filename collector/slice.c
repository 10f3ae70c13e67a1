#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/fdpass.h"
#include "base/limits.h"
#include "collector/slice.h"
#include "collector/slice_parts.h"
#include "custody/digest.h"
#include "custody/spool.h"

#define SPOOL_MEMORY (1 * MIB)
#define TOLD_BYTES (1 * MIB)

int
slicer_new(int (*main)(void *arg, int out_fd), struct slicer **ret,
    struct err *e)
{
	struct slicer *s = calloc(1, sizeof(*s));

	if (s == NULL)
		return err_set(e, ERR_NOMEM, "out of memory");
	s->main = main;
	*ret = s;
	return 0;
}

int
slicer_add(struct slicer *s, size_t source, struct dataset_ids *ids,
    size_t nids, struct err *e)
{
	struct slice_one *o = &s->one[s->n];
	int fd[2], r;

	if (s->n == LIMIT_SLICES)
		r = err_set(e, ERR_ARG, "more slices than %d in one "
		    "collection", LIMIT_SLICES);
	else
		r = fdpass_pair(fd, e);
	if (r < 0) {
		dataset_ids_free(ids, nids);
		return r;
	}
	*o = (struct slice_one){.sock = fd[0], .source = source, .ids = ids,
	    .nids = nids};
	s->n++;
	/* The child copies the argument by forking. */
	r = proc_spawn(&o->proc, s->main, &fd[1], &fd[1], 1, 0, e);
	(void)close(fd[1]);
	return r;
}

static void
end_one(struct slice_one *o)
{
	int status;

	if (o->sock >= 0)
		(void)close(o->sock);
	if (o->proc.pid > 0) {
		proc_kill(&o->proc);
		(void)proc_wait(&o->proc, &status);
	}
	dataset_ids_free(o->ids, o->nids);
}

void
slicer_free(struct slicer *s)
{
	for (size_t i = 0; s != NULL && i < s->n; i++)
		end_one(&s->one[i]);
	free(s);
}

/* --- one source ----------------------------------------------------------- */

static int
tell(void *ctx, const char *path, const char *what, int errnum)
{
	struct slice *s = ctx;

	return errnum != 0 ? record_error(s->c, path, what, errnum) :
	    record_log(s->c, what, path);
}

static int
enter(void *ctx, int dir, const char *name, const char *path,
    const struct statx *up, const struct statx *st)
{
	struct slice *s = ctx;
	const struct object above = {.st = *up};
	const struct object o = {.dir = dir, .name = name, .path = path,
	    .class = s->s->class, .st = *st};

	return scope_enter(s->c, &above, &o);
}

static int
survey(struct slice *s)
{
	struct collect *c = s->c;
	struct buf path;
	int r = 0;

	for (size_t i = 0; i < s->d.n && r >= 0; i++) {
		c->totals.objects++;
		if (faccessat(s->d.dir, s->d.v[i].name, R_OK, AT_EACCESS |
		    AT_SYMLINK_NOFOLLOW) == 0) {
			c->totals.stored++;
			c->totals.bytes += s->d.v[i].size;
			continue;
		}
		buf_init(&path, 2 * LIMIT_PATH);
		dataset_path(&s->d, i, &path);
		r = record_error(c, buf_str(&path), "cannot open", errno);
		buf_release(&path);
	}
	return r;
}

/* The whole of a file, into its digest. */
static int
digest_file(struct slice *s, size_t i, uint8_t sha256[32], int *errnum)
{
	static uint8_t chunk[LIMIT_COPY_CHUNK];
	struct collect *c = s->c;
	uint64_t size = s->d.v[i].size;
	struct digests out;
	ssize_t n;
	int fd, r;

	if ((r = digest_reset(s->digest, c->e)) < 0)
		return r;
	if ((fd = slice_fd(s, i)) < 0) {
		*errnum = errno;
		return 0;
	}
	for (uint64_t off = 0; off < size; off += (uint64_t)n) {
		n = slice_pread(fd, off, chunk, size - off < sizeof(chunk) ?
		    (size_t)(size - off) : sizeof(chunk));
		if (n <= 0) {
			*errnum = n < 0 ? errno : ESTALE;
			return 0;
		}
		if ((r = digest_put(s->digest, chunk, (size_t)n, c->e)) < 0)
			return r;
		throttle_wait(&c->rate, (size_t)n);
		if (c->o->progress != NULL)
			c->o->progress(c->o->progress_ctx, &c->totals,
			    s->d.path);
	}
	if ((r = digest_now(s->digest, &out, c->e)) >= 0)
		memcpy(sha256, out.sha256, 32);
	return r;
}

/* One that cannot be read is said, and has no digest. */
static int
digest_one(struct slice *s, size_t i)
{
	struct dataset_file *f = &s->d.v[i];
	uint8_t again[32];
	struct buf path;
	int r, errnum = 0;

	if ((r = digest_file(s, i, f->sha256, &errnum)) < 0)
		return r;
	f->has_sha256 = errnum == 0;
	if (f->has_sha256 && s->c->o->double_read) {
		if ((r = digest_file(s, i, again, &errnum)) < 0)
			return r;
		if (errnum != 0 || memcmp(again, f->sha256, 32) != 0)
			s->double_equal = false;
	}
	s->noatime = s->noatime && f->noatime;
	if (errnum == 0)
		return 0;
	s->read_errors++;
	buf_init(&path, 2 * LIMIT_PATH);
	dataset_path(&s->d, i, &path);
	r = record_error(s->c, buf_str(&path), "cannot be read whole for its "
	    "digest", errnum);
	buf_release(&path);
	return r;
}

static struct spool *
new_spool(struct slice *s)
{
	struct spool *p = spool_new(SPOOL_MEMORY, s->c->e);

	if (p != NULL && s->c->o->in_memory)
		spool_in_memory(p);
	return p;
}

static int
prepare(struct slice *s)
{
	s->began_ns = clock_mono_ns();
	s->fd = -1;
	s->noatime = true;
	s->doubled = s->double_equal = s->c->o->double_read;
	buf_init(&s->fields, TOLD_BYTES);
	buf_init(&s->told, TOLD_BYTES);
	buf_init(&s->undecided, TOLD_BYTES);
	s->digest = digest_new(DIGEST_SHA256, s->c->e);
	s->entries = new_spool(s);
	s->bytes[SLICE_ROW] = new_spool(s);
	s->bytes[SLICE_UNPACKED] = new_spool(s);
	s->lines_out = new_spool(s);
	s->sources = new_spool(s);
	if (s->digest == NULL || s->entries == NULL || s->sources == NULL ||
	    s->lines_out == NULL || s->bytes[SLICE_ROW] == NULL ||
	    s->bytes[SLICE_UNPACKED] == NULL)
		return err_set(s->c->e, ERR_NOMEM, "out of memory");
	for (size_t i = 0; i < s->c->o->slicer->n; i++)
		if (s->c->o->slicer->one[i].source == s->c->number)
			s->one = &s->c->o->slicer->one[i];
	return 0;
}

static void
release(struct slice *s)
{
	if (s->fd >= 0)
		(void)close(s->fd);
	free(s->member.name);
	free(s->member.path);
	for (unsigned i = 0; i < SLICE_HOWS; i++)
		spool_free(s->bytes[i]);
	spool_free(s->entries);
	spool_free(s->lines_out);
	spool_free(s->sources);
	digest_free(s->digest);
	buf_release(&s->fields);
	buf_release(&s->told);
	buf_release(&s->undecided);
}

static int
take(struct slice *s)
{
	int r;

	if ((r = prepare(s)) < 0)
		return r;
	if (s->one == NULL || s->one->sock < 0)
		return record_error(s->c, s->d.path, "no process was started "
		    "that finds the records of the slice", 0);
	for (size_t i = 0; i < s->d.n; i++)
		if ((r = digest_one(s, i)) < 0)
			return r;
	if ((r = slice_read(s)) < 0)
		return r;
	return slice_store(s);
}

int
slice_source(struct collect *c, const struct collect_source *source)
{
	struct slice *s;
	char *dir = NULL, *name = NULL;
	int r;

	if (c->survey == NULL && c->o->slicer == NULL)
		return record_error(c, source->path, "no slice is taken here: "
		    "this program cannot read data sets", 0);
	if ((s = calloc(1, sizeof(*s))) == NULL)
		return err_set(c->e, ERR_NOMEM, "out of memory");
	s->c = c;
	s->s = source;
	s->fd = -1;
	s->d = (struct dataset){.dir = -1, .tell = tell, .enter = enter,
	    .ctx = s};
	if ((r = walk_resolve(c, source->path, &dir, &name)) > 0)
		r = record_error(c, source->path, "cannot resolve", r);
	else if (r == 0 && (r = dataset_open(&s->d, dir, name, c->e)) > 0)
		r = c->survey != NULL ? survey(s) : take(s);
	free(dir);
	free(name);
	release(s);
	dataset_release(&s->d);
	free(s);
	return r;
}
