#include <string.h>

#include "base/arena.h"
#include "base/bytesrc.h"
#include "base/ckd.h"
#include "base/err.h"
#include "base/limits.h"
#include "base/text.h"
#include "formats/pickle.h"
#include "formats/zip.h"
#include "formats/zip_end.h"

/* The central directory: one header (APPNOTE 4.3.12) for each member. */
#define CENTRAL 46

static const uint8_t sig_central[] = {'P', 'K', 1, 2};

int
zip_zip64(struct parse *p, uint64_t off, uint64_t len, const char *what)
{
	const struct fact f[] = {FACT_TEXT("what", what, strlen(what))};

	return format_anomaly(p, ANOMALY_ZIP_ZIP64, off, len, f, 1);
}

/*
 * Extended information (4.5.3): the fields that are all ones, in order.  A
 * field that none of them needs must say what the header says; who reads the
 * field first believes it.
 */
static int
read_extra64(struct parse *p, struct cursor extra, struct zip_member *m)
{
	const bool size = m->size == UINT32_MAX;
	const bool packed = m->packed == UINT32_MAX;
	const bool local = m->local == UINT32_MAX;
	uint64_t at = m->central, v[2] = {m->size, m->packed};
	struct cursor field;

	if (!zip_extra_zip64(extra, &field))
		return size || packed || local ? zip_zip64(p, at, CENTRAL,
		    "all ones without a zip64 field") : 0;
	if (!size && !packed && !local) {
		(void)(cursor_u64le(&field, &v[0]) &&
		    cursor_u64le(&field, &v[1]));
		return v[0] == m->size && v[1] == m->packed ? 0 :
		    zip_zip64(p, at, CENTRAL, "a zip64 field that differs");
	}
	if ((!size || cursor_u64le(&field, &m->size)) &&
	    (!packed || cursor_u64le(&field, &m->packed)) &&
	    (!local || cursor_u64le(&field, &m->local)))
		return 0;
	return zip_zip64(p, at, CENTRAL, "a zip64 field that is too short");
}

static bool
is_text(const uint8_t *p, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (p[i] < 0x20 && p[i] != '\n' && p[i] != '\r' &&
		    p[i] != '\t')
			return false;
	return text_is_utf8(p, n);
}

/* A short text is a note; what else could be meant to be read by a person? */
#define COMMENT_TEXT 4096

static int
check_comment(struct parse *p, uint64_t off, const uint8_t *text, size_t n)
{
	const struct fact f[] = {FACT_TEXT("comment", text, n < 256 ? n :
	    256)};

	if (n == 0)
		return 0;
	return format_anomaly(p, n <= COMMENT_TEXT && is_text(text, n) ?
	    ANOMALY_ZIP_COMMENT : ANOMALY_ZIP_COMMENT_DATA, off, n, f, 1);
}

/*
 * A central header (4.3.12): 46 bytes, name, extra, comment.
 * 1 and *m, 0 when it is none.
 */
static int
read_central(struct parse *p, struct cursor *c, struct zip_member *m)
{
	uint16_t extra_n, comment_n, name_n, disk, attr;
	uint32_t time, packed, size, local;
	struct cursor name, extra, comment;
	int r;

	m->central = cursor_tell(c);
	if (!cursor_match(c, sig_central, 4) || !cursor_u16le(c, &m->made) ||
	    !cursor_u16le(c, &m->version) || !cursor_u16le(c, &m->flags) ||
	    !cursor_u16le(c, &m->method) || !cursor_u32le(c, &time) ||
	    !cursor_u32le(c, &m->crc) || !cursor_u32le(c, &packed) ||
	    !cursor_u32le(c, &size) || !cursor_u16le(c, &name_n) ||
	    !cursor_u16le(c, &extra_n) || !cursor_u16le(c, &comment_n) ||
	    !cursor_u16le(c, &disk) || !cursor_u16le(c, &attr) ||
	    !cursor_u32le(c, &m->attributes) || !cursor_u32le(c, &local) ||
	    !cursor_sub(c, name_n, &name) || !cursor_sub(c, extra_n, &extra) ||
	    !cursor_sub(c, comment_n, &comment))
		return 0;
	m->packed = packed;
	m->size = size;
	m->local = local;
	m->name_len = name_n;
	if ((m->name = arena_dup(p->arena, name.buf, name_n)) == NULL)
		return err_set(p->e, ERR_NOMEM, "out of memory");
	if ((r = read_extra64(p, extra, m)) < 0 ||
	    (r = zip_extra_check(p, extra, m)) < 0 ||
	    (r = check_comment(p, comment.base, comment.buf,
	    comment.len)) < 0)
		return r;
	return 1;
}

static int
malformed(struct parse *p, uint64_t off, uint64_t len, const char *what)
{
	const struct fact facts[] = {FACT_TEXT("what", what, strlen(what))};

	return format_anomaly(p, ANOMALY_MALFORMED, off, len, facts, 1);
}

static int
read_members(struct parse *p, const struct zip_end *e, struct zip_dir *d)
{
	uint64_t most = e->size / CENTRAL;
	struct cursor c;
	uint8_t *buf;
	size_t n, i;
	int r;

	if (most > LIMIT_MEMBERS * 4ULL || !ckd_size(&n, e->size))
		return format_anomaly(p, ANOMALY_LIMIT, d->cd_off, e->size,
		    NULL, 0) < 0 ? ERR_STOP : 1;
	if ((buf = arena_alloc(p->arena, n)) == NULL ||
	    (d->m = arena_array(p->arena, (size_t)most + 1,
	    sizeof(*d->m))) == NULL)
		return err_set(p->e, ERR_NOMEM, "out of memory");
	if ((r = bytesrc_read(p->src, d->cd_off, buf, n, p->e)) < 0)
		return r;
	cursor_init(&c, buf, n, d->cd_off);
	for (i = 0; !cursor_at_end(&c) && i < most; i++) {
		if ((r = read_central(p, &c, &d->m[i])) < 0)
			return r;
		if (r == 0)
			break;
	}
	d->count = i;
	if (!cursor_at_end(&c) && (r = malformed(p, cursor_tell(&c),
	    cursor_left(&c), "central directory")) < 0)
		return r;
	if (d->count != e->entries)
		return malformed(p, e->off, ZIP_END, "number of entries");
	return 0;
}

static int
no_directory(struct parse *p, struct zip_dir *d)
{
	/* What local headers say is all there is. */
	d->none = true;
	d->cd_off = d->cd_end = d->end = d->tail_off = p->size;
	return format_anomaly(p, ANOMALY_TRUNCATED, p->size, 0, NULL, 0);
}

static int
check_end_comment(struct parse *p, const struct zip_end *e)
{
	uint8_t *text;
	int r;

	if ((text = arena_alloc(p->arena, e->comment)) == NULL)
		return err_set(p->e, ERR_NOMEM, "out of memory");
	if ((r = bytesrc_read(p->src, e->off + ZIP_END, text, e->comment,
	    p->e)) < 0 ||
	    (r = check_comment(p, e->off + ZIP_END, text, e->comment)) < 0)
		return r;
	return pickle_embedded(p, e->off + ZIP_END, e->comment, "comment",
	    PICKLE_IN_TEXT);
}

int
zip_dir_read(struct parse *p, struct zip_dir *ret)
{
	struct zip_dir d = *ret;
	struct zip_end e = {0};
	unsigned count;
	int r;

	if ((r = zip_end_find(p, &e, &count)) < 0)
		return r;
	if (count == 0) {
		r = no_directory(p, &d);
		*ret = d;
		return r;
	}
	if (count > 1) {
		const struct fact facts[] = {FACT_NUM("records", count)};

		if ((r = format_anomaly(p, ANOMALY_ZIP_MULTIPLE_EOCD, e.off,
		    ZIP_END, facts, 1)) < 0)
			return r;
	}
	d.cd_off = e.records - e.size;
	d.cd_end = e.records;
	d.prefix = d.cd_off - e.cd;
	d.tail_off = e.records;
	d.end = e.off + ZIP_END + e.comment;
	if ((r = format_cover(p, d.cd_off, d.end - d.cd_off)) < 0 ||
	    (r = zip_end_check(p, &e, d.prefix)) < 0 ||
	    (r = check_end_comment(p, &e)) < 0 ||
	    (r = read_members(p, &e, &d)) != 0)
		return r;
	*ret = d;
	return 0;
}
