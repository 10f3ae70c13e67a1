#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/err.h"
#include "base/limits.h"
#include "collector/inode.h"
#include "collector/process.h"
#include "custody/digest.h"

/*
 * A server has many workers with the same libraries and the same model: each
 * inode is read once.
 */
#define SLOTS 8192

struct known {
	struct known *chain;
	struct statx st;
	uint8_t sha256[32];
	char *member;		/* NULL: not in the bundle */
};

struct process_cache {
	struct known *slot[SLOTS];
	size_t count;
};

static bool
same(const struct statx *a, const struct statx *b)
{
	return inode_same(a, b) && a->stx_size == b->stx_size &&
	    inode_same_time(&a->stx_mtime, &b->stx_mtime);
}

static struct known *
find(const struct collect *c, const struct statx *st)
{
	const struct process_cache *cache = c->served.cache;
	struct known *k = cache != NULL ? cache->slot[st->stx_ino % SLOTS] :
	    NULL;

	while (k != NULL && !same(&k->st, st))
		k = k->chain;
	return k;
}

static struct known *
add(struct collect *c, const struct statx *st, const uint8_t sha256[32])
{
	struct process_cache *cache = c->served.cache;
	struct known *k;

	if (cache == NULL &&
	    (cache = c->served.cache = calloc(1, sizeof(*cache))) == NULL)
		return NULL;
	if (cache->count >= LIMIT_PROC_FILES ||
	    (k = calloc(1, sizeof(*k))) == NULL)
		return NULL;
	cache->count++;
	k->st = *st;
	memcpy(k->sha256, sha256, 32);
	k->chain = cache->slot[st->stx_ino % SLOTS];
	cache->slot[st->stx_ino % SLOTS] = k;
	return k;
}

/* 0, or errno. */
static int
read_digest(struct collect *c, int fd, uint8_t ret[32])
{
	static uint8_t chunk[LIMIT_COPY_CHUNK];
	struct digest *d = digest_new(DIGEST_SHA256, NULL);
	struct digests out;
	int errnum = d == NULL ? ENOMEM : 0;
	ssize_t n = 1;

	while (errnum == 0 && n != 0) {
		if ((n = read(fd, chunk, sizeof(chunk))) < 0) {
			errnum = errno == EINTR ? 0 : errno;
		} else if (n > 0) {
			if (digest_put(d, chunk, (size_t)n, NULL) < 0)
				errnum = ENOMEM;
			throttle_wait(&c->rate, (uint64_t)n);
		}
	}
	if (errnum == 0 && digest_now(d, &out, NULL) < 0)
		errnum = ENOMEM;
	if (errnum == 0)
		memcpy(ret, out.sha256, 32);
	digest_free(d);
	return errnum;
}

int
process_digest(struct collect *c, int dir, const char *name,
    const struct statx *st, uint8_t ret[32])
{
	const int flags = O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC;
	struct known *k = find(c, st);
	struct statx now;
	int fd, errnum;

	if (k != NULL) {
		memcpy(ret, k->sha256, 32);
		return 0;
	}
	if ((fd = openat(dir, name, flags | O_NOATIME)) < 0 && errno == EPERM)
		fd = openat(dir, name, flags);
	if (fd < 0)
		return errno;
	if (statx(fd, "", AT_EMPTY_PATH, STATX_BASIC_STATS, &now) < 0)
		errnum = errno;
	else if (!S_ISREG(now.stx_mode) || !same(&now, st))
		errnum = ESTALE;
	else
		errnum = read_digest(c, fd, ret);
	(void)close(fd);
	if (errnum == 0)
		(void)add(c, st, ret);
	return errnum;
}

const char *
process_member(const struct collect *c, const struct statx *st)
{
	const struct known *k = find(c, st);

	return k != NULL ? k->member : NULL;
}

int
process_keep(struct collect *c, const struct statx *st, const char *member,
    const uint8_t sha256[32])
{
	struct known *k = find(c, st);

	if (k == NULL && (k = add(c, st, sha256)) == NULL)
		return 0;	/* too many: it is stored again */
	if (k->member == NULL && (k->member = strdup(member)) == NULL)
		return err_set(c->e, ERR_NOMEM, "out of memory");
	return 0;
}

void
process_release(struct collect *c)
{
	struct process_cache *cache = c->served.cache;
	struct known *k, *next;

	for (size_t i = 0; cache != NULL && i < SLOTS; i++)
		for (k = cache->slot[i]; k != NULL; k = next) {
			next = k->chain;
			free(k->member);
			free(k);
		}
	free(cache);
	c->served.cache = NULL;
}
