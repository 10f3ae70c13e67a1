#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "analyzer/intake/unixtext.h"
#include "base/bytesrc.h"
#include "base/err.h"

struct unixtext {
	const struct bytesrc *src;
	uint64_t size;		/* of src */
	uint64_t in, out;	/* the next byte of both */
	uint64_t start;		/* of buf in src */
	size_t have;
	uint8_t buf[16384];
};

static int
byte_at(struct unixtext *u, uint64_t at, uint8_t *b, struct err *e)
{
	int r;

	if (at < u->start || at - u->start >= u->have) {
		u->start = at;
		u->have = 0;
		if ((r = bytesrc_read_some(u->src, at, u->buf,
		    sizeof(u->buf), &u->have, e)) < 0)
			return r;
		if (u->have == 0)
			return err_set(e, ERR_TRUNC, "a file ends early");
	}
	*b = u->buf[at - u->start];
	return 0;
}

/* The next byte of the text; u->in < u->size. */
static int
next_byte(struct unixtext *u, uint8_t *b, struct err *e)
{
	uint8_t after = 0;
	int r;

	if ((r = byte_at(u, u->in, b, e)) < 0)
		return r;
	u->in++;
	if (*b == '\r' && u->in < u->size) {
		if ((r = byte_at(u, u->in, &after, e)) < 0)
			return r;
		if (after == '\n') {
			*b = after;
			u->in++;
		}
	}
	u->out++;
	return 0;
}

static int
read_text(void *ctx, uint64_t off, void *dst, size_t n, struct err *e)
{
	struct unixtext *u = ctx;
	uint8_t *p = dst, skipped;
	int r = 0;

	if (off < u->out)
		u->in = u->out = 0;
	while (u->out < off && r >= 0)
		r = u->in < u->size ? next_byte(u, &skipped, e) :
		    err_set(e, ERR_TRUNC, "a file ends early");
	for (size_t i = 0; i < n && r >= 0; i++)
		r = u->in < u->size ? next_byte(u, &p[i], e) :
		    err_set(e, ERR_TRUNC, "a file ends early");
	return r;
}

static void
done(void *ctx)
{
	free(ctx);
}

/* u->out is the text's length when it has been gone through. */
static int
measure(struct unixtext *u, bool *text, struct err *e)
{
	uint8_t b;
	int r;

	*text = true;
	while (u->in < u->size && *text) {
		if ((r = next_byte(u, &b, e)) < 0)
			return r;
		*text = b != '\0';
	}
	*text = *text && u->out < u->size;
	return 0;
}

int
unixtext(const struct bytesrc *src, struct bytesrc **ret, struct err *e)
{
	struct unixtext *u = calloc(1, sizeof(*u));
	uint64_t size;
	bool text;
	int r;

	if (u == NULL)
		return err_set(e, ERR_NOMEM, "out of memory for a text");
	u->src = src;
	u->size = bytesrc_size(src);
	if ((r = measure(u, &text, e)) < 0 || !text) {
		free(u);
		return r < 0 ? r : 1;
	}
	size = u->out;
	u->in = u->out = 0;
	*ret = bytesrc_call(read_text, done, u, size, e);
	return *ret != NULL ? 0 : ERR_NOMEM;
}
