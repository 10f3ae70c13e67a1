#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/err.h"
#include "base/limits.h"
#include "collector/run.h"

/*
 * What belongs to a registry and does not lie below its path, by name alone.
 *
 * SQLite keeps what was committed last in FILE-wal (with FILE-shm), and what
 * must be undone in FILE-journal: the file without them is another database.
 * A snapshot of a Hugging Face cache is links to ../../blobs.
 */
static int
take(struct collect *c, const struct collect_source *s, const char *path)
{
	struct collect_source more = *s;
	struct stat st;
	int r;

	if (strlen(path) >= LIMIT_PATH)
		return record_error(c, path, "the path is too long", 0);
	if (lstat(path, &st) < 0)
		/* ENAMETOOLONG: no file can have that name. */
		return errno == ENOENT || errno == ENAMETOOLONG ? 0 :
		    record_error(c, path, "cannot stat", errno);
	more.path = path;
	if ((r = record_log(c, "belongs to the source", path)) < 0)
		return r;
	return walk_source(c, &more);
}

static int
take_name(struct collect *c, const struct collect_source *s,
    const char *front, const char *back)
{
	char *path;
	int r;

	if (asprintf(&path, "%s%s", front, back) < 0)
		return err_set(c->e, ERR_NOMEM, "out of memory");
	r = take(c, s, path);
	free(path);
	return r;
}

static int
take_all(struct collect *c, const struct collect_source *s,
    const char *front, const char *const *backs)
{
	int r = 0;

	for (; r >= 0 && *backs != NULL; backs++)
		r = take_name(c, s, front, *backs);
	return r;
}

/* ".../snapshots/COMMIT" to "...", else NULL. */
static char *
hub_repository(const char *path)
{
	static const char snapshots[] = "/snapshots";
	char *real = realpath(path, NULL), *slash;
	size_t n;

	if (real == NULL)
		return NULL;
	slash = strrchr(real, '/');
	*slash = '\0';
	n = strlen(real);
	if (n > sizeof(snapshots) - 1 && strcmp(real + n -
	    (sizeof(snapshots) - 1), snapshots) == 0) {
		real[n - (sizeof(snapshots) - 1)] = '\0';
		return real;
	}
	free(real);
	return NULL;
}

int
beside_take(struct collect *c, const struct collect_source *s)
{
	static const char *const sqlite[] = {"-wal", "-shm", "-journal",
	    NULL};
	static const char *const hub[] = {"/blobs", "/refs", "/trees",
	    "/.no_exist", NULL};
	struct stat st;
	char *front;
	int r;

	if (s->class != BAG_REGISTRY || lstat(s->path, &st) < 0)
		return 0;
	if (S_ISREG(st.st_mode))
		return take_all(c, s, s->path, sqlite);
	if (s->kind != SOURCE_HF || (front = hub_repository(s->path)) == NULL)
		return 0;
	r = take_all(c, s, front, hub);
	free(front);
	return r;
}
