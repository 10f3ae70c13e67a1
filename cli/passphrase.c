#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/err.h"
#include "cli/passphrase.h"

#define PASSPHRASE_MAX 1024

int
passphrase_read(const char *path, char **ret, struct err *e)
{
	char *p = NULL, *end;
	size_t n = 0;
	ssize_t got;
	int fd = -1, r = 0;

	*ret = NULL;
	if (path == NULL)
		return 0;
	fd = strcmp(path, "-") == 0 ? STDIN_FILENO :
	    open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return err_sys(e, errno, "cannot read '%s'", path);
	if ((p = calloc(1, PASSPHRASE_MAX + 1)) == NULL)
		r = err_set(e, ERR_NOMEM, "out of memory");
	while (r == 0 && n < PASSPHRASE_MAX &&
	    (got = read(fd, p + n, PASSPHRASE_MAX - n)) != 0) {
		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			r = err_sys(e, errno, "cannot read '%s'", path);
		else
			n += (size_t)got;
	}
	if (fd != STDIN_FILENO)
		(void)close(fd);
	if (r == 0) {
		if ((end = memchr(p, '\n', n)) != NULL)
			*end = '\0';
		if (*p == '\0')
			r = err_set(e, ERR_ARG, "'%s' holds no passphrase",
			    path);
	}
	if (r < 0) {
		passphrase_free(p);
		return r;
	}
	*ret = p;
	return 0;
}

void
passphrase_free(char *p)
{
	if (p == NULL)
		return;
	explicit_bzero(p, PASSPHRASE_MAX + 1);
	free(p);
}
