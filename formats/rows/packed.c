#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytesrc.h"
#include "base/err.h"
#include "base/limits.h"
#include "formats/rows/packed.h"
#include "formats/rows/rows.h"
#include "formats/unpack_stream.h"

/* What is told when the decompressed bytes end before they should. */
static const char bomb[] = "the file decompresses out of all proportion";
static const char cut[] = "the compressed file is cut";
static const char broken[] =
    "the compressed file breaks, or a check does not hold";
static const char unreadable[] = "the compressed file cannot be read";

/*
 * What was decompressed last is kept, so that whoever has read a window ahead
 * can look at a record in it again without decompressing all before it.
 */
#define CHUNK (64 * KIB)
#define KEPT (2 * CHUNK)
#define ROOM (2 * KEPT)

struct packed {
	const struct bytesrc *src;
	struct unpack_stream *s;
	uint64_t at;		/* decompressed bytes that ${s} has given */
	size_t have;		/* the last of them: last[0..have) */
	uint8_t last[ROOM];
};

static void
packed_free(void *ctx)
{
	struct packed *k = ctx;

	unpack_stream_close(k->s);
	free(k);
}

static int
rewind_stream(struct packed *k, struct err *e)
{
	unpack_stream_close(k->s);
	k->s = NULL;
	k->at = 0;
	k->have = 0;
	return unpack_stream_open(k->src, &k->s, e);
}

/*
 * More bytes behind those that are kept; *got is 0 at the end alone.  In steps
 * that are the same each time: a stream that breaks gives as much again.
 */
static int
fill(struct packed *k, size_t *got, struct err *e)
{
	int r;

	if (ROOM - k->have < CHUNK) {
		memmove(k->last, k->last + k->have - KEPT, KEPT);
		k->have = KEPT;
	}
	r = unpack_stream_read(k->s, k->last + k->have, CHUNK, got, e);
	k->have += *got;
	k->at += *got;
	return r;
}

static int
packed_read(void *ctx, uint64_t off, void *dst, size_t n, struct err *e)
{
	struct packed *k = ctx;
	uint8_t *to = dst;
	size_t got, some;
	int r;

	if ((k->s == NULL || off < k->at - k->have) &&
	    (r = rewind_stream(k, e)) < 0)
		return r;
	while (n > 0) {
		if (off >= k->at) {
			if ((r = fill(k, &got, e)) < 0)
				return r;
			if (got == 0)
				return err_set(e, ERR_TRUNC,
				    "the file is shorter than it was");
			continue;
		}
		some = k->at - off < n ? (size_t)(k->at - off) : n;
		memcpy(to, k->last + k->have - (size_t)(k->at - off), some);
		to += some;
		off += some;
		n -= some;
	}
	return 0;
}

/* Once to the end: how much there is, and what is wrong. */
static int
measure(struct packed *k, const struct rows_params *p, uint32_t file,
    uint64_t *size, struct err *e)
{
	uint64_t used;
	size_t got;
	int r;

	do {
		r = fill(k, &got, e);
		used = unpack_stream_used(k->s);
		if (k->at > LIMIT_INFLATE_RATIO_FROM &&
		    k->at / LIMIT_INFLATE_RATIO > used) {
			rows_tell(p, file, used, bomb);
			break;
		}
	} while (r == 0 && got > 0);
	*size = k->at;
	if (r == ERR_FORMAT || r == ERR_TRUNC) {
		rows_tell(p, file, used, r == ERR_TRUNC ? cut : broken);
		err_reset(e);
		r = 0;
	}
	if (r == 0 && unpack_stream_rest(k->s))
		rows_tell(p, file, used,
		    "something follows the compressed bytes");
	return r;
}

static bool
is_packed(const struct bytesrc *src)
{
	uint8_t head[16];
	size_t n;

	return bytesrc_read_some(src, 0, head, sizeof(head), &n, NULL) == 0 &&
	    unpack_stream_is(head, n);
}

int
packed_open(const struct rows_params *p, uint32_t file, struct bytesrc **ret,
    struct err *e)
{
	struct packed *k;
	struct bytesrc *src;
	uint64_t size = 0;
	int r;

	if (!is_packed(p->file[file].src))
		return 0;
	if ((k = calloc(1, sizeof(*k))) == NULL)
		return err_set(e, ERR_NOMEM, "out of memory");
	k->src = p->file[file].src;
	if ((r = rewind_stream(k, e)) == ERR_FORMAT) {
		rows_tell(p, file, 0, unreadable);
		err_reset(e);
		r = 0;
	} else if (r == 0) {
		r = measure(k, p, file, &size, e);
	}
	if (r < 0) {
		packed_free(k);
		return r;
	}
	if ((src = bytesrc_call(packed_read, packed_free, k, size, e)) == NULL)
		return ERR_NOMEM;
	*ret = src;
	return 1;
}

int
packed_peek(const struct bytesrc *src, uint8_t *dst, size_t cap, size_t *n,
    struct err *e)
{
	struct unpack_stream *s = NULL;
	size_t got = 1;
	int r;

	*n = 0;
	if (!is_packed(src))
		return 0;
	if ((r = unpack_stream_open(src, &s, e)) == 0)
		while (r == 0 && *n < cap && got > 0) {
			r = unpack_stream_read(s, dst + *n, cap - *n, &got, e);
			*n += got;
		}
	unpack_stream_close(s);
	if (r != ERR_FORMAT && r != ERR_TRUNC)
		return r < 0 ? r : 1;
	err_reset(e);
	return *n > 0;
}

size_t
packed_name(const struct rows_file *f)
{
	static const char *const suffixes[] = {".gz", ".xz", ".bz2", ".zst",
	    ".lz4"};

	for (size_t i = 0; i < sizeof(suffixes) / sizeof(suffixes[0]); i++)
		if (rows_named(f, suffixes[i]))
			return f->name_len - strlen(suffixes[i]);
	return f->name_len;
}

bool
packed_ends_early(const char *what)
{
	return what == bomb || what == cut || what == broken ||
	    what == unreadable;
}
