#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/fsio.h"
#include "base/limits.h"
#include "collector/acquire_parts.h"
#include "custody/digest.h"

/* The names around a bundle: what must not be there, what comes beside it. */
#define SIDECAR ".sha256"

const char *
acquire_journal(const char *file, char ret[ACQUIRE_NAME])
{
	size_t n = strlen(file);
	int len;

	if (n > 4 && strcmp(file + n - 4, ".tar") == 0)
		n -= 4;
	len = snprintf(ret, ACQUIRE_NAME, "%.*s.journal", (int)n, file);
	if (len < 0 || len >= ACQUIRE_NAME)
		ret[0] = '\0';
	return ret;
}

bool
acquire_is_there(const struct acquire_params *p, const char *name)
{
	struct stat st;

	return fstatat(p->dir, name, &st, AT_SYMLINK_NOFOLLOW) == 0;
}

bool
acquire_resumable(const struct acquire_params *p)
{
	char name[ACQUIRE_NAME];

	return p->dir >= 0 && p->file != NULL &&
	    acquire_is_there(p, acquire_journal(p->file, name));
}

int
acquire_done(const struct acquire_params *p, struct err *e)
{
	char name[ACQUIRE_NAME];

	if (!acquire_resumable(p))
		return 0;
	if (unlinkat(p->dir, acquire_journal(p->file, name), 0) < 0)
		return err_sys(e, errno, "cannot remove '%s', which is no "
		    "longer needed", name);
	return 0;
}

int
acquire_never_replaced(const char *name, struct err *e)
{
	return err_set(e, ERR_EXISTS, "'%s' is there and is never replaced",
	    name);
}

/* Everything that could fail behind the publication, asked before it. */
int
acquire_check_names(const struct acquire_params *p, const char *journal,
    struct err *e)
{
	static const char *const suffixes[] = {"", SIDECAR,
	    SIDECAR ".partial"};
	char name[LIMIT_COMPONENT + 1];
	int n;

	for (size_t i = 0; i < sizeof(suffixes) / sizeof(*suffixes); i++) {
		n = snprintf(name, sizeof(name), "%s%s", p->file, suffixes[i]);
		if (n < 0 || n >= (int)sizeof(name))
			return err_set(e, ERR_ARG, "'%s' is too long: it needs "
			    "room for '%s'", p->file, suffixes[i]);
		if (acquire_is_there(p, name))
			return acquire_never_replaced(name, e);
	}
	if (journal[0] == '\0')
		return err_set(e, ERR_ARG, "'%s' is too long: it needs room "
		    "for a journal's name", p->file);
	if (acquire_is_there(p, journal))
		return err_set(e, ERR_EXISTS, "'%s' is there: a collection "
		    "was cut; --resume goes on with it", journal);
	return 0;
}

/* A run that was cut may have left the digest, or a part of it. */
static int
check_sidecar(const struct acquire_params *p, const char *name,
    const char *text, size_t n, struct err *e)
{
	struct buf b;
	int r;

	buf_init(&b, KIB);
	if ((r = fsio_read_file(p->dir, name, KIB, &b, e)) >= 0 &&
	    (b.len != n || memcmp(b.p, text, n) != 0))
		r = acquire_never_replaced(name, e);
	buf_release(&b);
	return r;
}

int
acquire_sidecar(const struct acquire_params *p, const struct acquired *a,
    struct err *e)
{
	char name[LIMIT_COMPONENT + 1], tmp[LIMIT_COMPONENT + 1];
	char text[LIMIT_COMPONENT + 80], hex[65];
	int n, r;

	digest_hex(hex, a->sealed.whole.sha256, 32);
	(void)snprintf(name, sizeof(name), "%s" SIDECAR, p->file);
	(void)snprintf(tmp, sizeof(tmp), "%s" SIDECAR ".partial",
	    p->file);
	n = snprintf(text, sizeof(text), "%s  %s\n", hex, p->file);
	if (p->resume && acquire_is_there(p, name))
		return check_sidecar(p, name, text, (size_t)n, e);
	if (p->resume)
		(void)unlinkat(p->dir, tmp, 0);
	/* Half a digest under its final name would look like tampering. */
	if ((r = fsio_write_new(p->dir, tmp, 0444, text, (size_t)n, e)) < 0)
		return r;
	return fsio_publish(p->dir, tmp, name, NULL, e);
}
