#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/fsio.h"
#include "base/limits.h"
#include "cli/cmd.h"
#include "custody/digest.h"

int
cmd_worse(int a, int b)
{
	static const int order[] = {EXIT_BUG, EXIT_USAGE, EXIT_UNVERIFIED,
	    EXIT_FOUND, EXIT_FAILED};

	for (size_t i = 0; i < sizeof(order) / sizeof(order[0]); i++)
		if (a == order[i] || b == order[i])
			return order[i];
	return EXIT_CLEAN;
}

int
cmd_fail(const struct err *e)
{
	(void)fprintf(stderr, "exhibit: %s\n",
	    e->msg[0] != '\0' ? e->msg : err_name(e->code));
	return e->code == ERR_ARG ? EXIT_USAGE : EXIT_FAILED;
}

bool
cmd_colour(int fd)
{
	const char *no = getenv("NO_COLOR");

	return isatty(fd) == 1 && (no == NULL || *no == '\0');
}

int
cmd_output_open(struct cmd_output *o, const char *path, struct err *e)
{
	*o = (struct cmd_output){.fd = STDOUT_FILENO};
	if (path == NULL || strcmp(path, "-") == 0)
		return 0;
	if ((o->path = strdup(path)) == NULL ||
	    asprintf(&o->tmp, "%s.XXXXXX", path) < 0) {
		free(o->path);
		*o = (struct cmd_output){.fd = -1};
		return err_set(e, ERR_NOMEM, "out of memory");
	}
	if ((o->fd = mkostemp(o->tmp, O_CLOEXEC)) < 0) {
		int r = err_sys(e, errno, "cannot create '%s'", path);

		free(o->path);
		free(o->tmp);
		*o = (struct cmd_output){.fd = -1};
		return r;
	}
	return 0;
}

int
cmd_output_commit(struct cmd_output *o, struct err *e)
{
	mode_t mask;
	int r = 0;

	if (o->path == NULL)
		return 0;
	mask = umask(0);
	(void)umask(mask);
	if (fchmod(o->fd, 0666 & ~mask) < 0 || fsync(o->fd) < 0)
		r = err_sys(e, errno, "cannot write '%s'", o->path);
	if (close(o->fd) < 0 && r == 0)
		r = err_sys(e, errno, "cannot write '%s'", o->path);
	o->fd = -1;
	if (r == 0)
		r = fsio_replace(AT_FDCWD, o->tmp, o->path, e);
	if (r < 0)
		(void)unlink(o->tmp);
	free(o->path);
	free(o->tmp);
	o->path = o->tmp = NULL;
	return r;
}

void
cmd_output_abandon(struct cmd_output *o)
{
	if (o->path == NULL)
		return;
	if (o->fd >= 0)
		(void)close(o->fd);
	(void)unlink(o->tmp);
	free(o->path);
	free(o->tmp);
	*o = (struct cmd_output){.fd = -1};
}

int
cmd_file_sha256(const char *path, uint8_t ret[32], struct err *e)
{
	static uint8_t chunk[LIMIT_COPY_CHUNK];
	struct digest *d = NULL;
	struct digests out;
	ssize_t n;
	int fd, r;

	if ((fd = open(path, O_RDONLY | O_CLOEXEC)) < 0)
		return err_sys(e, errno, "cannot read '%s'", path);
	if ((r = digest_start(e)) < 0)
		goto out;
	if ((d = digest_new(DIGEST_SHA256, e)) == NULL) {
		r = ERR_CRYPTO;
		goto out;
	}
	while (r >= 0 && (n = read(fd, chunk, sizeof(chunk))) != 0)
		r = n < 0 && errno == EINTR ? 0 : n < 0 ? err_sys(e, errno, "cannot read '%s'", path) :
		    digest_put(d, chunk, (size_t)n, e);
	if (r >= 0 && (r = digest_now(d, &out, e)) >= 0)
		memcpy(ret, out.sha256, 32);
out:
	digest_free(d);
	(void)close(fd);
	return r;
}

int
cmd_read_pem(const char *path, struct buf *b, struct err *e)
{
	return fsio_read_file(AT_FDCWD, path, MIB, b, e);
}
