#include <stdlib.h>

#include "analyzer/diff/spill.h"
#include "base/bytesrc.h"
#include "base/err.h"
#include "base/fsio.h"
#include "base/limits.h"

#define ALIGN 64

struct spill {
	int fd;
	uint64_t end;
	uint8_t chunk[64 * KIB];
};

struct spill *
spill_new(int fd, struct err *e)
{
	struct spill *s;

	if ((s = calloc(1, sizeof(*s))) == NULL)
		(void)err_set(e, ERR_NOMEM, "out of memory");
	else
		s->fd = fd;
	return s;
}

void
spill_free(struct spill *s)
{
	free(s);
}

int
spill_file(const struct spill *s)
{
	return s->fd;
}

uint64_t
spill_size(const struct spill *s)
{
	return s->end;
}

/* The fence lets us write forward only, so alignment is written too. */
static int
align(struct spill *s, struct err *e)
{
	static const uint8_t zeros[ALIGN];
	size_t n = (size_t)((ALIGN - s->end % ALIGN) % ALIGN);
	int r;

	if (n > 0 && (r = fsio_write_all(s->fd, zeros, n, e)) < 0)
		return r;
	s->end += n;
	return 0;
}

int
spill_more(struct spill *s, const void *p, size_t n, struct err *e)
{
	int r;

	if (s->fd < 0 || n > LIMIT_DIFF_SPOOL - s->end)
		return 1;
	if ((r = fsio_write_all(s->fd, p, n, e)) < 0)
		return r;
	s->end += n;
	return 0;
}

int
spill_put(struct spill *s, const void *p, size_t n, uint64_t *off,
    struct err *e)
{
	int r;

	if (s->fd < 0 || n > LIMIT_DIFF_SPOOL - ALIGN ||
	    s->end > LIMIT_DIFF_SPOOL - ALIGN - n)
		return 1;
	if ((r = align(s, e)) < 0)
		return r;
	*off = s->end;
	return spill_more(s, p, n, e);
}

int
spill_copy(struct spill *s, const struct bytesrc *src, uint64_t *off,
    struct err *e)
{
	uint64_t size = bytesrc_size(src), at = 0;
	size_t got;
	int r;

	if (size > LIMIT_DIFF_SPOOL)
		return 1;
	if ((r = spill_put(s, NULL, 0, off, e)) != 0)
		return r;
	if (size > LIMIT_DIFF_SPOOL - s->end)
		return 1;
	while (at < size) {
		if ((r = bytesrc_read_some(src, at, s->chunk,
		    sizeof(s->chunk), &got, e)) < 0 ||
		    (r = spill_more(s, s->chunk, got, e)) != 0)
			return r;
		at += got;
	}
	return 0;
}
