#include <archive.h>
#include <archive_entry.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include "base/bytesrc.h"
#include "base/cursor.h"
#include "base/err.h"
#include "base/limits.h"
#include "formats/unpack_stream.h"

#define BLOCK (64 * KIB)

struct unpack_stream {
	const struct bytesrc *src;
	uint64_t off;		/* of the next byte that is fed */
	struct archive *ar;	/* NULL: gzip */
	z_stream z;
	bool gzip, ended, rest;
	int io;			/* what a read of the source failed with */
	uint8_t block[BLOCK];
};

static bool
is_gzip(struct cursor c)
{
	return cursor_match(&c, (const uint8_t *)"\x1f\x8b\x08", 3);
}

static bool
is_bzip2(struct cursor c)
{
	uint8_t level;

	return cursor_match(&c, (const uint8_t *)"BZh", 3) &&
	    cursor_u8(&c, &level) && level >= '1' && level <= '9' &&
	    (cursor_match(&c, (const uint8_t *)"1AY&SY", 6) ||
	    cursor_match(&c, (const uint8_t *)"\x17rE8P\x90", 6));
}

bool
unpack_stream_is(const uint8_t *head, size_t n)
{
	static const struct {
		const char *bytes;
		size_t n;
	} magics[] = {{"\xfd" "7zXZ\0", 6}, {"\x28\xb5\x2f\xfd", 4},
	    {"\x04\x22\x4d\x18", 4}};
	struct cursor c;

	cursor_init(&c, head, n, 0);
	for (size_t i = 0; i < sizeof(magics) / sizeof(magics[0]); i++) {
		struct cursor d = c;

		if (cursor_match(&d, (const uint8_t *)magics[i].bytes,
		    magics[i].n))
			return true;
	}
	return is_gzip(c) || is_bzip2(c);
}

/* The next block of the source. */
static int
feed(struct unpack_stream *s, size_t *n, struct err *e)
{
	int r = bytesrc_read_some(s->src, s->off, s->block, sizeof(s->block),
	    n, e);

	if (r < 0)
		s->io = r;
	else
		s->off += *n;
	return r;
}

static la_ssize_t
feed_archive(struct archive *ar, void *ctx, const void **ret)
{
	struct unpack_stream *s = ctx;
	size_t n;

	(void)ar;
	if (feed(s, &n, NULL) < 0)
		return -1;
	*ret = s->block;
	return (la_ssize_t)n;
}

static int
start_archive(struct unpack_stream *s, struct err *e)
{
	struct archive_entry *en;

	if ((s->ar = archive_read_new()) == NULL)
		return err_set(e, ERR_NOMEM, "out of memory");
	(void)archive_read_support_format_raw(s->ar);
	(void)archive_read_support_filter_bzip2(s->ar);
	(void)archive_read_support_filter_xz(s->ar);
	(void)archive_read_support_filter_zstd(s->ar);
	(void)archive_read_support_filter_lz4(s->ar);
	(void)archive_read_set_read_callback(s->ar, feed_archive);
	(void)archive_read_set_callback_data(s->ar, s);
	/* A stream of nothing has no entry either. */
	if (archive_read_open1(s->ar) != ARCHIVE_OK)
		return s->io < 0 ? s->io : err_set(e, ERR_FORMAT,
		    "the compressed stream cannot be read");
	s->ended = archive_read_next_header(s->ar, &en) == ARCHIVE_EOF;
	return 0;
}

int
unpack_stream_open(const struct bytesrc *src, struct unpack_stream **ret,
    struct err *e)
{
	struct unpack_stream *s;
	uint8_t head[3];
	struct cursor c;
	size_t n;
	int r;

	if ((s = calloc(1, sizeof(*s))) == NULL)
		return err_set(e, ERR_NOMEM, "out of memory");
	s->src = src;
	if ((r = bytesrc_read_some(src, 0, head, sizeof(head), &n, e)) < 0)
		goto fail;
	cursor_init(&c, head, n, 0);
	s->gzip = is_gzip(c);
	if (s->gzip && inflateInit2(&s->z, 15 + 16) != Z_OK) {
		s->gzip = false;
		r = err_set(e, ERR_NOMEM, "out of memory");
		goto fail;
	}
	if (!s->gzip && (r = start_archive(s, e)) < 0)
		goto fail;
	*ret = s;
	return 0;
fail:
	unpack_stream_close(s);
	return r;
}

void
unpack_stream_close(struct unpack_stream *s)
{
	if (s == NULL)
		return;
	if (s->gzip)
		(void)inflateEnd(&s->z);
	if (s->ar != NULL)
		(void)archive_read_free(s->ar);
	free(s);
}

/*
 * Behind a member of gzip: another one, zeros that fill up a block (gzip(1)
 * passes over them), or something else.
 */
static int
next_member(struct unpack_stream *s, struct err *e)
{
	size_t n;
	int r;

	for (;;) {
		while (s->z.avail_in > 0 && *s->z.next_in == 0) {
			s->z.next_in++;
			s->z.avail_in--;
		}
		if (s->z.avail_in > 0)
			break;
		if ((r = feed(s, &n, e)) < 0)
			return r;
		if (n == 0) {
			s->ended = true;
			return 0;
		}
		s->z.next_in = s->block;
		s->z.avail_in = (uInt)n;
	}
	s->ended = s->rest = *s->z.next_in != 0x1f;
	if (!s->ended && inflateReset(&s->z) != Z_OK)
		return err_set(e, ERR_NOMEM, "out of memory");
	return 0;
}

static int
read_gzip(struct unpack_stream *s, void *dst, size_t n, size_t *got,
    struct err *e)
{
	size_t in;
	int r, z;

	s->z.next_out = dst;
	s->z.avail_out = (uInt)(n < 1U << 30 ? n : 1U << 30);
	*got = 0;
	while (*got == 0 && !s->ended) {
		/* It may still hold bytes of what it was fed. */
		z = inflate(&s->z, Z_NO_FLUSH);
		*got = (size_t)(s->z.next_out - (Bytef *)dst);
		if (z == Z_STREAM_END && (r = next_member(s, e)) < 0)
			return r;
		if (z == Z_MEM_ERROR)
			return err_set(e, ERR_NOMEM, "out of memory");
		if (z != Z_OK && z != Z_STREAM_END && z != Z_BUF_ERROR)
			return *got > 0 ? 0 : err_set(e, ERR_FORMAT,
			    "the compressed stream breaks");
		if (*got > 0 || s->ended || s->z.avail_in > 0)
			continue;
		if ((r = feed(s, &in, e)) < 0)
			return r;
		if (in == 0)
			return err_set(e, ERR_TRUNC,
			    "the compressed stream is cut");
		s->z.next_in = s->block;
		s->z.avail_in = (uInt)in;
	}
	return 0;
}

int
unpack_stream_read(struct unpack_stream *s, void *dst, size_t n, size_t *got,
    struct err *e)
{
	la_ssize_t k;

	*got = 0;
	if (s->ended || n == 0)
		return 0;
	if (s->gzip)
		return read_gzip(s, dst, n, got, e);
	k = archive_read_data(s->ar, dst, n);
	if (k < 0 && s->io < 0)
		return err_set(e, (enum err_code)s->io, "cannot read");
	if (k < 0)
		return err_set(e, s->off >= bytesrc_size(s->src) ? ERR_TRUNC :
		    ERR_FORMAT, "the compressed stream breaks");
	s->ended = k == 0;
	*got = (size_t)k;
	return 0;
}

uint64_t
unpack_stream_used(const struct unpack_stream *s)
{
	return s->off - (s->gzip ? s->z.avail_in : 0);
}

bool
unpack_stream_rest(const struct unpack_stream *s)
{
	return s->rest;
}
