#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/limits.h"
#include "collector/inode.h"
#include "collector/run.h"
#include "custody/digest.h"

/*
 * One regular file: opened, compared with what the walk saw, read once from
 * beginning to end into the bundle, compared again.
 *
 * The member's size is that of fstat.  A file that shrinks is filled with
 * zeros and marked, one that grows is cut there and marked; a range that
 * cannot be read is filled with zeros and marked.
 */
#define READ_FLAGS (O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC)
#define RETRIES 2

static int
open_beneath(const struct object *o, int flags)
{
	const struct open_how how = {.flags = (unsigned)flags,
	    .resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS |
	    RESOLVE_NO_MAGICLINKS};
	long fd;

	/* What a process holds: take_file asks whether it is that inode. */
	if (o->magic)
		return openat(o->dir, o->name, flags & ~O_NOFOLLOW);
	fd = syscall(SYS_openat2, o->dir, o->name, &how, sizeof(how));

	/* One component, no link followed: the same without openat2. */
	if (fd < 0 && (errno == ENOSYS || errno == EPERM))
		return openat(o->dir, o->name, flags);
	return (int)fd;
}

int
take_open(const struct object *o, struct taken *t)
{
	int fd = open_beneath(o, READ_FLAGS | O_NOATIME);

	t->noatime = fd >= 0;
	t->flags = "O_RDONLY|O_NOFOLLOW|O_NOATIME";
	if (fd < 0 && errno == EPERM) {
		/* Neither the owner nor CAP_FOWNER: the atime may change. */
		fd = open_beneath(o, READ_FLAGS);
		t->flags = "O_RDONLY|O_NOFOLLOW (O_NOATIME: EPERM)";
	}
	return fd;
}

static bool
differs(const struct statx *a, const struct statx *b)
{
	return a->stx_size != b->stx_size || a->stx_ino != b->stx_ino ||
	    a->stx_mode != b->stx_mode ||
	    !inode_same_time(&a->stx_mtime, &b->stx_mtime) ||
	    !inode_same_time(&a->stx_ctime, &b->stx_ctime);
}

/* One chunk at ${off}; *got 0 at the end of the file. */
static int
read_chunk(int fd, uint64_t off, uint8_t *dst, size_t n, size_t *got)
{
	ssize_t r;

	*got = 0;
	for (unsigned try = 0; try <= RETRIES; try++) {
		do
			r = pread(fd, dst, n, (off_t)off);
		while (r < 0 && errno == EINTR);
		if (r >= 0) {
			*got = (size_t)r;
			return 0;
		}
	}
	return errno;
}

static int
copy(struct collect *c, const struct object *o, int fd, uint64_t size,
    struct taken *t)
{
	static uint8_t chunk[LIMIT_COPY_CHUNK];
	uint64_t off = t->from;
	size_t n, got;
	int errnum, r;

	while (off < size) {
		n = size - off < sizeof(chunk) ? (size_t)(size - off) :
		    sizeof(chunk);
		if ((errnum = read_chunk(fd, off, chunk, n, &got)) != 0) {
			if (t->read_errors++ == 0) {
				t->read_error_off = off;
				t->read_errno = errnum;
			}
			t->read_error_len += n;
			memset(chunk, 0, n);
			got = n;
		}
		if (got == 0)
			break;	/* shorter than it was */
		if ((r = evidence_put(c->w, chunk, got, c->e)) < 0)
			return r;
		throttle_wait(&c->rate, got);
		off += got;
		c->totals.bytes += got;
		if ((r = checkpoint_inside(c, o, t, off)) < 0)
			return r;
		if (c->o->progress != NULL)
			c->o->progress(c->o->progress_ctx, &c->totals,
			    o->path);
	}
	return 0;
}

/* A second reading must give the same bytes. */
static int
read_again(struct collect *c, int fd, uint64_t size, struct taken *t)
{
	static uint8_t chunk[LIMIT_COPY_CHUNK];
	struct digests out;
	struct digest *d;
	uint64_t off = 0;
	size_t n, got;
	int r = 0;

	if ((d = digest_new(DIGEST_SHA256, c->e)) == NULL)
		return ERR_CRYPTO;
	while (off < size && r >= 0) {
		n = size - off < sizeof(chunk) ? (size_t)(size - off) :
		    sizeof(chunk);
		if (read_chunk(fd, off, chunk, n, &got) != 0 || got == 0) {
			memset(chunk, 0, n);
			got = n;
		}
		r = digest_put(d, chunk, got, c->e);
		throttle_wait(&c->rate, got);
		off += got;
	}
	if (r >= 0 && (r = digest_now(d, &out, c->e)) >= 0) {
		t->doubled = true;
		t->double_equal = memcmp(out.sha256,
		    t->place.digests.sha256, 32) == 0;
	}
	digest_free(d);
	return r;
}

int
take_prefix(int fd, uint64_t n, uint8_t sha256[32], struct err *e)
{
	static uint8_t chunk[LIMIT_COPY_CHUNK];
	struct digests out;
	struct digest *d;
	size_t part, got;
	int r = 0;

	if ((d = digest_new(DIGEST_SHA256, e)) == NULL)
		return ERR_CRYPTO;
	for (uint64_t off = 0; off < n && r >= 0; off += got) {
		part = n - off < sizeof(chunk) ? (size_t)(n - off) :
		    sizeof(chunk);
		if (read_chunk(fd, off, chunk, part, &got) != 0 || got == 0)
			r = err_set(e, ERR_VERIFY, "it is not readable");
		else
			r = digest_put(d, chunk, got, e);
	}
	if (r >= 0 && (r = digest_now(d, &out, e)) >= 0)
		memcpy(sha256, out.sha256, 32);
	digest_free(d);
	return r;
}

static int
read_whole(struct collect *c, const struct object *o, int fd,
    const char *member, struct taken *t)
{
	uint64_t size = t->before.stx_size;
	uint8_t more;
	size_t got;
	int r;

	if (size > LIMIT_COPY_CHUNK)
		(void)posix_fadvise(fd, 0, 0, POSIX_FADV_SEQUENTIAL);
	if (t->from == 0 && ((r = checkpoint_before(c, size)) < 0 ||
	    (r = evidence_begin(c->w, member, size,
	    t->before.stx_mtime.tv_sec, c->e)) < 0))
		return r;
	if ((r = copy(c, o, fd, size, t)) < 0 ||
	    (r = evidence_end(c->w, &t->place, &t->short_by, c->e)) < 0)
		return r;
	t->stored = true;
	t->dense = size > 0 && size <= INT64_MAX &&
	    lseek(fd, 0, SEEK_HOLE) == (off_t)size;
	t->bare = flistxattr(fd, NULL, 0) == 0;
	if (read_chunk(fd, size, &more, 1, &got) == 0 && got == 1)
		t->grew_by = 1;
	return c->o->double_read ? read_again(c, fd, size, t) : 0;
}

/* What the record alone must not have to say. */
static int
tell(struct collect *c, const struct object *o, const struct taken *t)
{
	int r = 0;

	if (t->read_errors > 0)
		r = record_error(c, o->path,
		    "a range could not be read and is zeros in the bundle",
		    t->read_errno);
	if (r >= 0 && t->short_by > 0)
		r = record_error(c, o->path, "the file shrank while it was "
		    "read: what was missing is zeros in the bundle", 0);
	if (r >= 0 && t->grew_by > 0 && t->before.stx_size == 0)
		r = record_error(c, o->path, "the file has no size, but it has "
		    "content: none of it is in the bundle", 0);
	return r;
}

int
take_file(struct collect *c, const struct object *o, const char *member,
    struct taken *ret)
{
	int fd, errnum;

	memset(ret, 0, sizeof(*ret));
	if ((fd = take_open(o, ret)) < 0)
		return record_error(c, o->path, "cannot open", errno);
	if (statx(fd, "", AT_EMPTY_PATH, STATX_BASIC_STATS | STATX_BTIME,
	    &ret->before) < 0) {
		errnum = errno;
		(void)close(fd);
		return record_error(c, o->path, "cannot stat", errnum);
	}
	if (!S_ISREG(ret->before.stx_mode) ||
	    !inode_same(&ret->before, &o->st)) {
		(void)close(fd);
		return record_error(c, o->path,
		    "was replaced between the look and the opening", 0);
	}
	return take_rest(c, o, fd, member, ret);
}

int
take_rest(struct collect *c, const struct object *o, int fd,
    const char *member, struct taken *ret)
{
	int64_t began = clock_mono_ns();
	int r = read_whole(c, o, fd, member, ret);

	if (r >= 0 && statx(fd, "", AT_EMPTY_PATH, STATX_BASIC_STATS |
	    STATX_BTIME, &ret->after) < 0)
		r = record_error(c, o->path, "cannot stat after the read",
		    errno);
	(void)close(fd);
	if (r < 0)
		return r;
	if (ret->after.stx_size > ret->before.stx_size)
		ret->grew_by = ret->after.stx_size - ret->before.stx_size;
	ret->changed = differs(&ret->before, &ret->after) ||
	    ret->short_by > 0 || ret->grew_by > 0 ||
	    (ret->doubled && !ret->double_equal);
	ret->ns = clock_mono_ns() - began;
	c->totals.stored++;
	c->classes |= 1U << o->class;
	c->totals.changed += ret->changed;
	return tell(c, o, ret);
}
