#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/err.h"
#include "base/limits.h"
#include "collector/journal.h"
#include "custody/digest.h"

/*
 * Lines out of a file, through one window that holds the longest of them.
 */
#define CHUNK (256 * KIB)

struct lines {
	int fd;
	uint8_t *p;
	size_t have, pos;
	uint64_t off;		/* in the file, of p[pos] */
	uint64_t left;		/* bytes that may still be read */
	struct digest *chain;
};

/* More bytes behind those that are there; 0 at the end. */
static int
fill(struct lines *l, struct err *e)
{
	size_t room;
	ssize_t n;

	if (l->pos > 0) {
		memmove(l->p, l->p + l->pos, l->have - l->pos);
		l->have -= l->pos;
		l->pos = 0;
	}
	room = LIMIT_JOURNAL_LINE + CHUNK - l->have;
	if (room > CHUNK)
		room = CHUNK;
	if (room > l->left)
		room = (size_t)l->left;
	if (room == 0)
		return 0;
	do
		n = pread(l->fd, l->p + l->have, room,
		    (off_t)(l->off + l->have));
	while (n < 0 && errno == EINTR);
	if (n < 0)
		return err_sys(e, errno, "cannot read the journal");
	l->have += (size_t)n;
	l->left -= (size_t)n;
	return n > 0;
}

/* The next whole line: 1, 0 when there is none, negative. */
static int
next_line(struct lines *l, size_t *n, struct err *e)
{
	const uint8_t *lf = NULL;
	size_t seen = 0;
	int r;

	for (;;) {
		if (l->have - l->pos > seen)
			lf = memchr(l->p + l->pos + seen, '\n',
			    l->have - l->pos - seen);
		if (lf != NULL)
			break;
		seen = l->have - l->pos;
		if (seen > LIMIT_JOURNAL_LINE)
			return 0;
		if ((r = fill(l, e)) <= 0)
			return r;
	}
	*n = (size_t)(lf - (l->p + l->pos));
	return 1;
}

/* {"j":"KIND", */
static void
find_kind(struct journal_line *l)
{
	static const char before[] = "{\"j\":\"";
	const size_t skip = sizeof(before) - 1;
	size_t n = 0;

	l->kind[0] = '\0';
	if (l->n < skip || memcmp(l->text, before, skip) != 0)
		return;
	while (skip + n < l->n && l->text[skip + n] != '"' &&
	    n < sizeof(l->kind))
		n++;
	if (n == sizeof(l->kind) || skip + n == l->n)
		return;
	memcpy(l->kind, l->text + skip, n);
	l->kind[n] = '\0';
}

static int
give(struct lines *in, size_t n,
    int (*fn)(void *ctx, const struct journal_line *l, struct err *e),
    void *ctx, struct err *e)
{
	struct journal_line l = {.text = (const char *)in->p + in->pos,
	    .n = n, .off = in->off, .next = in->off + n + 1};
	struct digests before = {0};
	int r;

	find_kind(&l);
	/* Only a commit asks for it. */
	if (strcmp(l.kind, "commit") == 0 &&
	    (r = digest_now(in->chain, &before, e)) < 0)
		return r;
	memcpy(l.before, before.sha256, 32);
	if ((r = digest_put(in->chain, l.text, n + 1, e)) < 0 ||
	    (r = fn(ctx, &l, e)) != 0)
		return r;
	in->pos += n + 1;
	in->off = l.next;
	return 0;
}

int
journal_each(int fd, uint64_t upto,
    int (*fn)(void *ctx, const struct journal_line *l, struct err *e),
    void *ctx, struct err *e)
{
	struct lines in = {.fd = fd, .left = upto};
	size_t n = 0;
	int r = 0;

	if ((in.chain = digest_new(DIGEST_SHA256, e)) == NULL)
		return ERR_CRYPTO;
	if ((in.p = malloc(LIMIT_JOURNAL_LINE + CHUNK)) == NULL)
		r = err_set(e, ERR_NOMEM, "out of memory");
	while (r == 0 && (r = next_line(&in, &n, e)) > 0)
		r = give(&in, n, fn, ctx, e);
	free(in.p);
	digest_free(in.chain);
	return r;
}
