#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/bytesrc.h"
#include "base/err.h"
#include "base/limits.h"
#include "base/sandbox.h"
#include "cli/bundle_open.h"
#include "custody/digest.h"
#include "custody/evidence_read.h"

static int
fence(int out_fd, struct err *e)
{
	struct sandbox_policy p = {.out_fd = {out_fd, STDERR_FILENO},
	    .write_files = true};
	struct sandbox_status st;
	int r;

	if ((r = sandbox_enter(&p, &st, e)) < 0)
		return r;
	if (!st.seccomp)
		(void)fprintf(stderr, "exhibit: no seccomp here: the bundle "
		    "is read without the sandbox\n");
	return 0;
}

int
bundle_open(struct bundle_open *b, const char *path, int out_fd,
    const struct bundle_seen *seen, struct err *e)
{
	uint8_t head[1024];
	struct stat st;
	size_t n;
	int r;

	*b = (struct bundle_open){.fd = -1};
	if ((b->fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY)) < 0 ||
	    fstat(b->fd, &st) < 0)
		return err_sys(e, errno, "cannot read '%s'", path);
	if (!S_ISREG(st.st_mode))
		return err_set(e, ERR_UNSUPPORTED,
		    "'%s' is not a regular file", path);
	if ((b->arena = arena_new(LIMIT_ARENA)) == NULL ||
	    (b->src = bytesrc_fd(b->fd, 0, (uint64_t)st.st_size, e)) == NULL)
		return err_set(e, ERR_NOMEM, "out of memory");
	if ((r = digest_start(e)) < 0 || (r = fence(out_fd, e)) < 0 ||
	    (r = bytesrc_read_some(b->src, 0, head, sizeof(head), &n, e)) < 0)
		return r;
	if (!evidence_is_bundle(head, n))
		return err_set(e, ERR_FORMAT, "'%s' is not a bundle", path);
	return bundle_index_load(b->src, b->arena, seen, &b->index, e);
}

void
bundle_open_release(struct bundle_open *b)
{
	bytesrc_free(b->src);
	arena_free(b->arena);
	if (b->fd >= 0)
		(void)close(b->fd);
}
