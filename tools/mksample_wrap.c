#include <archive.h>
#include <archive_entry.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include "base/limits.h"
#include "tools/mksample.h"

/* Bytes as something else: compressed, or written as text. */

static void
zlib_put(const struct stmt *s, int bits, struct buf *in, struct buf *out)
{
	uLong n = compressBound(in->len) + 64;
	z_stream zs;
	uint8_t *p = grow(NULL, n, 1);

	memset(&zs, 0, sizeof(zs));
	if (deflateInit2(&zs, 9, Z_DEFLATED, bits, 9, Z_DEFAULT_STRATEGY) !=
	    Z_OK)
		die(s, "deflate failed");
	zs.next_in = in->p;
	zs.avail_in = (uInt)in->len;
	zs.next_out = p;
	zs.avail_out = (uInt)n;
	if (deflate(&zs, Z_FINISH) != Z_STREAM_END)
		die(s, "deflate failed");
	buf_put(out, p, zs.total_out);
	(void)deflateEnd(&zs);
	free(p);
}

/* joblib before 0.10: "ZF", the length in hexadecimal, a zlib stream. */
static void
zf_put(const struct stmt *s, struct buf *in, struct buf *out)
{
	char head[32];

	(void)snprintf(head, sizeof(head), "ZF0x%-17zx", in->len);
	buf_puts(out, head);
	zlib_put(s, 15, in, out);
}

static int
set_filter(struct archive *a, const struct word *kind)
{
	if (word_is(kind, "7z"))
		return archive_write_set_format_7zip(a);
	if (archive_write_set_format_raw(a) != ARCHIVE_OK)
		return ARCHIVE_FATAL;
	if (word_is(kind, "bz2"))
		return archive_write_add_filter_bzip2(a);
	if (word_is(kind, "xz"))
		return archive_write_add_filter_xz(a);
	if (word_is(kind, "lzma"))
		return archive_write_add_filter_lzma(a);
	if (word_is(kind, "zstd"))
		return archive_write_add_filter_zstd(a);
	if (word_is(kind, "lz4"))
		return archive_write_add_filter_lz4(a);
	return ARCHIVE_FATAL;
}

static void
archive_put(const struct stmt *s, const struct word *kind, struct buf *in,
    struct buf *out)
{
	size_t n = in->len * 2 + MIB, used = 0;
	struct archive_entry *entry = archive_entry_new();
	struct archive *a = archive_write_new();
	uint8_t *p = grow(NULL, n, 1);

	if (a == NULL || entry == NULL || set_filter(a, kind) != ARCHIVE_OK)
		die(s, "no such kind of wrapping here");
	(void)archive_write_set_bytes_in_last_block(a, 1);
	archive_entry_set_pathname(entry, "data.bin");
	archive_entry_set_filetype(entry, AE_IFREG);
	archive_entry_set_size(entry, (la_int64_t)in->len);
	archive_entry_set_mtime(entry, 315532800, 0);
	if (archive_write_open_memory(a, p, n, &used) != ARCHIVE_OK ||
	    archive_write_header(a, entry) != ARCHIVE_OK ||
	    archive_write_data(a, in->p, in->len) != (la_ssize_t)in->len ||
	    archive_write_close(a) != ARCHIVE_OK)
		die(s, "cannot wrap");
	buf_put(out, p, used);
	(void)archive_write_free(a);
	archive_entry_free(entry);
	free(p);
}

void
wrap_put(const struct stmt *s, const struct word *kind, struct buf *in,
    struct buf *out)
{
	if (word_is(kind, "zlib"))
		zlib_put(s, 15, in, out);
	else if (word_is(kind, "gzip"))
		zlib_put(s, 15 + 16, in, out);
	else if (word_is(kind, "deflate"))
		zlib_put(s, -15, in, out);
	else if (word_is(kind, "zf"))
		zf_put(s, in, out);
	else if (word_is(kind, "hex"))
		buf_hex(out, in->p, in->len);
	else if (word_is(kind, "base64"))
		buf_base64(out, in->p, in->len);
	else if (word_is(kind, "none"))
		buf_put(out, in->p, in->len);
	else
		archive_put(s, kind, in, out);
}
