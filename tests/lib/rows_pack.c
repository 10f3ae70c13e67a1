#include <archive.h>
#include <archive_entry.h>
#include <stdlib.h>
#include <string.h>

#include "base/limits.h"
#include "tests/lib/rows_pack.h"

#define ROOM (4 * MIB)

static void
need(bool ok)
{
	if (!ok)
		abort();
}

static void
put(struct archive *a, const char *name, const void *p, size_t n, bool pax)
{
	struct archive_entry *en = archive_entry_new();

	need(en != NULL);
	archive_entry_set_pathname(en, name);
	archive_entry_set_filetype(en, name[strlen(name) - 1] == '/' ?
	    AE_IFDIR : AE_IFREG);
	archive_entry_set_perm(en, 0644);
	archive_entry_set_size(en, (la_int64_t)n);
	archive_entry_set_mtime(en, 1700000000, pax ? 500000000 : 0);
	need(archive_write_header(a, en) == ARCHIVE_OK);
	need(n == 0 || archive_write_data(a, p, n) == (la_ssize_t)n);
	archive_entry_free(en);
}

static uint8_t *
finish(struct archive *a, uint8_t *buf)
{
	need(archive_write_close(a) == ARCHIVE_OK);
	(void)archive_write_free(a);
	return buf;
}

static uint8_t *
begin(struct archive *a, size_t *n)
{
	uint8_t *buf = malloc(ROOM);

	need(a != NULL && buf != NULL);
	(void)archive_write_set_bytes_in_last_block(a, 1);
	need(archive_write_open_memory(a, buf, ROOM, n) == ARCHIVE_OK);
	return buf;
}

uint8_t *
rows_pack_tar(const struct rows_case_file *f, size_t files, bool pax,
    size_t *n)
{
	struct archive *a = archive_write_new();
	uint8_t *buf;

	need(a != NULL);
	need((pax ? archive_write_set_format_pax(a) :
	    archive_write_set_format_ustar(a)) == ARCHIVE_OK);
	buf = begin(a, n);
	for (size_t i = 0; i < files; i++)
		put(a, f[i].name, f[i].p, f[i].n, pax);
	return finish(a, buf);
}

uint8_t *
rows_pack_zip(const struct rows_case_file *f, size_t files, bool deflate,
    size_t *n)
{
	struct archive *a = archive_write_new();
	uint8_t *buf;

	need(a != NULL && archive_write_set_format_zip(a) == ARCHIVE_OK);
	need((deflate ? archive_write_zip_set_compression_deflate(a) :
	    archive_write_zip_set_compression_store(a)) == ARCHIVE_OK);
	buf = begin(a, n);
	for (size_t i = 0; i < files; i++)
		put(a, f[i].name, f[i].p, f[i].n, false);
	return finish(a, buf);
}

uint8_t *
rows_pack_filter(const void *p, size_t len, const char *filter, size_t *n)
{
	struct archive *a = archive_write_new();
	uint8_t *buf;

	need(a != NULL && archive_write_set_format_raw(a) == ARCHIVE_OK);
	need(archive_write_add_filter_by_name(a, filter) == ARCHIVE_OK);
	buf = begin(a, n);
	put(a, "content", p, len, false);
	return finish(a, buf);
}
