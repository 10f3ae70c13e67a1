#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "analyzer/scan_carve.h"
#include "analyzer/wire.h"
#include "base/err.h"
#include "base/fsio.h"

void
carve_init(struct carve_file *c)
{
	memset(c, 0, sizeof(*c));
	c->fd = -1;
}

void
carve_name(char dst[CARVE_NAME], const uint8_t sha256[32])
{
	digest_hex(dst, sha256, 32);
	memcpy(dst + 64, ".bin", 5);
}

static int
begin(struct carve_file *c, int dir, const struct wire_carve *w,
    struct err *e)
{
	static unsigned serial;

	c->object = w->object;
	c->off = w->off;
	c->len = 0;
	(void)snprintf(c->tmp, sizeof(c->tmp), ".carving-%d-%u", (int)getpid(),
	    serial++);
	if ((c->digest = digest_new(DIGEST_SHA256, e)) == NULL)
		return ERR_CRYPTO;
	if ((c->fd = fsio_create(dir, c->tmp, 0600, e)) < 0) {
		int r = c->fd;

		c->fd = -1;
		digest_free(c->digest);
		c->digest = NULL;
		return r;
	}
	return 0;
}

int
carve_put(struct carve_file *c, int dir, const struct wire_carve *w,
    struct err *e)
{
	int r;

	if (c->fd < 0 && (r = begin(c, dir, w, e)) < 0)
		return r;
	if ((r = fsio_write_all(c->fd, w->p, w->n, e)) < 0 ||
	    (r = digest_put(c->digest, w->p, w->n, e)) < 0)
		return r;
	c->len += w->n;
	return 0;
}

int
carve_end(struct carve_file *c, int dir, uint8_t sha256[32], struct err *e)
{
	char name[CARVE_NAME];
	struct digests out;
	int r;

	if ((r = digest_now(c->digest, &out, e)) < 0)
		goto out;
	if (fsync(c->fd) < 0) {
		r = err_sys(e, errno, "cannot write a carved file");
		goto out;
	}
	carve_name(name, out.sha256);
	r = fsio_publish(dir, c->tmp, name, NULL, e);
	if (r == ERR_EXISTS) {
		/* Its name says that the bytes are the same. */
		err_reset(e);
		r = unlinkat(dir, c->tmp, 0) == 0 ? 0 :
		    err_sys(e, errno, "cannot remove a carved file");
	}
out:
	if (r < 0) {
		carve_drop(c, dir);
		return r;
	}
	memcpy(sha256, out.sha256, 32);
	(void)close(c->fd);
	c->fd = -1;
	digest_free(c->digest);
	c->digest = NULL;
	return 0;
}

void
carve_drop(struct carve_file *c, int dir)
{
	if (c->fd < 0)
		return;
	(void)close(c->fd);
	(void)unlinkat(dir, c->tmp, 0);
	c->fd = -1;
	digest_free(c->digest);
	c->digest = NULL;
}
