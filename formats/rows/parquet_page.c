#include "base/bytesrc.h"
#include "base/ckd.h"
#include "base/err.h"
#include "base/limits.h"
#include "formats/codec.h"
#include "formats/rows/parquet.h"
#include "formats/rows/rows.h"
#include "formats/rows/thrift.h"

/*
 * PageHeader (parquet.thrift) and what stands behind it.
 *
 *	v1	codec(repetition levels, definition levels, values)
 *	v2	repetition levels, definition levels, codec(values)
 *
 * Sizes are int32 on the wire; a negative one is refused where it is read.
 */
#define HEAD_FIRST (4 * KIB)
#define PAGE_MAX ((int64_t)LIMIT_PARQUET_PAGE)

/* All that headers state, by the field ids of their structs. */
struct raw_page {
	int64_t type, plain, packed, crc;
	int64_t values, encoding, def_encoding, rep_encoding;
	int64_t nulls, rows, def_len, rep_len;
	bool has_crc, has_data, has_dict, has_data2, is_packed;
};

#define PAGE(field) offsetof(struct raw_page, field)
static const struct thrift_want page[] = {
    {1, 0, INT32_MAX, PAGE(type)}, {2, 0, INT32_MAX, PAGE(plain)},
    {3, 0, INT32_MAX, PAGE(packed)}};
static const struct thrift_want page_data[] = {
    {1, 0, INT32_MAX, PAGE(values)}, {2, 0, INT32_MAX, PAGE(encoding)},
    {3, 0, INT32_MAX, PAGE(def_encoding)},
    {4, 0, INT32_MAX, PAGE(rep_encoding)}};
static const struct thrift_want page_dict[] = {
    {1, 0, INT32_MAX, PAGE(values)}, {2, 0, INT32_MAX, PAGE(encoding)}};
static const struct thrift_want page_data2[] = {
    {1, 0, INT32_MAX, PAGE(values)}, {2, 0, INT32_MAX, PAGE(nulls)},
    {3, 0, INT32_MAX, PAGE(rows)}, {4, 0, INT32_MAX, PAGE(encoding)},
    {5, 0, INT32_MAX, PAGE(def_len)}, {6, 0, INT32_MAX, PAGE(rep_len)}};
#define COUNT(table) (sizeof(table) / sizeof(table[0]))

static bool
data2_field(struct thrift *t, const struct thrift_field *f, void *into)
{
	struct raw_page *r = into;

	return f->id == 7 ? thrift_bool(f, &r->is_packed) : thrift_skip(t, f);
}

/* A page's own header counts when it is of the page's type. */
static bool
page_field(struct thrift *t, const struct thrift_field *f, void *into)
{
	struct raw_page *r = into;

	if (f->id == 4)
		return r->has_crc = thrift_int(t, f, INT32_MIN, INT32_MAX,
		    &r->crc);
	if (f->id != 5 && f->id != 7 && f->id != 8)
		return thrift_skip(t, f);
	if (f->type != THRIFT_STRUCT)
		return false;
	if (f->id == 5 && r->type == PARQUET_PAGE_DATA) {
		r->has_data = true;
		return thrift_read(t, page_data, COUNT(page_data), r, NULL);
	}
	if (f->id == 7 && r->type == PARQUET_PAGE_DICT) {
		r->has_dict = true;
		return thrift_read(t, page_dict, COUNT(page_dict), r, NULL);
	}
	if (f->id == 8 && r->type == PARQUET_PAGE_DATA2) {
		r->has_data2 = true;
		return thrift_read(t, page_data2, COUNT(page_data2), r,
		    data2_field);
	}
	return thrift_skip(t, f);
}

static bool
read_head(struct thrift *t, struct raw_page *r)
{
	*r = (struct raw_page){.type = -1, .plain = -1, .packed = -1,
	    .values = -1, .encoding = -1, .def_encoding = -1,
	    .rep_encoding = -1, .is_packed = true};
	return thrift_read(t, page, COUNT(page), r, page_field) &&
	    r->type >= 0 && r->plain >= 0 && r->packed >= 0;
}

/* NULL, or what is wrong. */
static const char *
judge(const struct raw_page *r, uint64_t left)
{
	if ((uint64_t)r->packed > left)
		return "a page is longer than its column";
	if (r->type == PARQUET_PAGE_INDEX || r->type > PARQUET_PAGE_DATA2)
		return NULL;
	if (!r->has_data && !r->has_dict && !r->has_data2)
		return "a page has no header of its type";
	if (r->values < 0)
		return "a page states no number of values";
	if (r->plain > PAGE_MAX || r->packed > PAGE_MAX)
		return "a page is larger than is read";
	if (r->plain > (int64_t)LIMIT_PAGE_RATIO_FROM &&
	    r->plain / LIMIT_PAGE_RATIO > r->packed)
		return "a page would become too large for what it is";
	if (r->has_data2 && (r->def_len > r->packed - r->rep_len ||
	    r->def_len > r->plain - r->rep_len || r->nulls > r->values))
		return "the levels of a page are longer than the page";
	return NULL;
}

/* The header's bytes: most have fewer than HEAD_FIRST; 1: it makes no sense. */
static int
fetch(struct parquet_file *f, uint64_t off, uint64_t end,
    struct raw_page *raw, uint64_t *body, struct err *e)
{
	const struct bytesrc *src = f->p->file[0].src;
	struct thrift t;
	struct cursor c;
	size_t n;
	int r;

	for (size_t want = f->p->window > 0 ? f->p->window : HEAD_FIRST;;
	    want *= 16) {
		n = end - off < want ? (size_t)(end - off) : want;
		if (!grow_room(&f->head, n, 0))
			return err_set(e, ERR_LIMIT,
			    "no memory left for a page's header");
		if ((r = bytesrc_read(src, off, f->head.p, n, e)) < 0)
			return r;
		cursor_init(&c, f->head.p, n, off);
		thrift_init(&t, &c);
		if (read_head(&t, raw)) {
			*body = cursor_tell(&t.c);
			return 0;
		}
		if (n == end - off || want >= LIMIT_PARQUET_HEAD)
			return 1;
	}
}

int
parquet_page_head(struct parquet_file *f, uint64_t off, uint64_t end,
    struct parquet_page *ret, const char **why, struct err *e)
{
	struct raw_page raw;
	uint64_t body = 0;
	int r;

	if ((r = fetch(f, off, end, &raw, &body, e)) != 0) {
		*why = "the header of a page makes no sense";
		return r;
	}
	if ((*why = judge(&raw, end - body)) != NULL)
		return 1;
	*ret = (struct parquet_page){
	    .type = (enum parquet_page_type)raw.type,
	    .off = off,
	    .body = body,
	    .packed = (uint32_t)raw.packed,
	    .plain = (uint32_t)raw.plain,
	    .values = (uint32_t)raw.values,
	    .rows = (uint32_t)raw.rows,
	    .nulls = (uint32_t)raw.nulls,
	    .def_len = (uint32_t)raw.def_len,
	    .rep_len = (uint32_t)raw.rep_len,
	    .encoding = raw.encoding,
	    .def_encoding = raw.def_encoding,
	    .rep_encoding = raw.rep_encoding,
	    .crc = (uint32_t)raw.crc,
	    .has_crc = raw.has_crc,
	    .is_packed = raw.is_packed,
	};
	return 0;
}

int
parquet_page_load(struct parquet_file *f, const struct parquet_page *pg,
    enum page_codec codec, struct grow *into, const char **why,
    struct err *e)
{
	/* Levels of v2 stand before what is compressed. */
	size_t plain = pg->type == PARQUET_PAGE_DATA2 ?
	    (size_t)pg->def_len + pg->rep_len : 0;
	int r;

	if (!grow_room(&f->packed, pg->packed, 0) ||
	    !grow_room(into, pg->plain, 0))
		return err_set(e, ERR_LIMIT, "no memory left for a page");
	if ((r = bytesrc_read(f->p->file[0].src, pg->body, f->packed.p,
	    pg->packed, e)) < 0)
		return r;
	if (pg->has_crc && codec_crc_mem(f->packed.p, pg->packed) != pg->crc)
		rows_tell(f->p, 0, pg->body,
		    "the checksum of a page does not fit its bytes");
	if (!pg->is_packed)
		codec = PAGE_PLAIN;
	/* Of no bytes no decoder is asked: it would miss its header. */
	if (pg->packed == plain && pg->plain == plain)
		codec = PAGE_PLAIN;
	r = codec_pages_decode(&f->codecs, PAGE_PLAIN, f->packed.p, plain,
	    into->p, plain, why, e);
	if (r != 0)
		return r;
	return codec_pages_decode(&f->codecs, codec, f->packed.p + plain,
	    pg->packed - plain, into->p + plain, pg->plain - plain, why, e);
}

/* --- the offset index --- */

struct location {
	int64_t off, size, first;
};

static bool
read_location(struct thrift *t, struct location *ret)
{
	static const struct thrift_want want[] = {
	    {1, 0, INT64_MAX, offsetof(struct location, off)},
	    {2, 0, INT32_MAX, offsetof(struct location, size)},
	    {3, 0, INT64_MAX, offsetof(struct location, first)}};

	*ret = (struct location){-1, -1, -1};
	return thrift_read(t, want, COUNT(want), ret, NULL) && ret->off >= 0 &&
	    ret->size >= 0 && ret->first >= 0;
}

/* The last location that begins at or before ${row}; all must ascend. */
static bool
search(struct thrift *t, const struct thrift_field *f,
    const struct parquet_chunk *chunk, uint64_t row, struct location *ret)
{
	struct location l, before = {0, 0, -1};
	bool found = false;
	uint64_t n;
	uint8_t type;

	if (!thrift_list(t, f, &type, &n) || type != THRIFT_STRUCT)
		return false;
	for (uint64_t i = 0; i < n; i++) {
		if (!read_location(t, &l) || l.first <= before.first ||
		    l.off < before.off + before.size ||
		    (uint64_t)l.off < chunk->off ||
		    (uint64_t)l.off >= chunk->end || (i == 0 && l.first != 0))
			return false;
		before = l;
		if ((uint64_t)l.first <= row) {
			*ret = l;
			found = true;
		}
	}
	return found;
}

/* Does the page that stands there begin and end as the index says? */
static bool
fits(const struct parquet_page *pg, const struct location *l)
{
	return (pg->type == PARQUET_PAGE_DATA ||
	    pg->type == PARQUET_PAGE_DATA2) &&
	    pg->body - pg->off + pg->packed == (uint64_t)l->size;
}

/* OffsetIndex, and what is asked of it. */
struct raw_index {
	const struct parquet_chunk *chunk;
	uint64_t row;
	struct location at;
	bool found;
};

static bool
index_field(struct thrift *t, const struct thrift_field *f, void *into)
{
	struct raw_index *r = into;

	if (f->id != 1)
		return thrift_skip(t, f);
	return r->found = search(t, f, r->chunk, r->row, &r->at);
}

static int
no_index(struct parquet_file *f, const struct parquet_chunk *chunk,
    const char *why)
{
	rows_tell(f->p, 0, chunk->index, why);
	return 0;
}

int
parquet_page_find(struct parquet_file *f, const struct parquet_chunk *chunk,
    uint64_t row, uint64_t *off, uint64_t *first, struct err *e)
{
	const struct bytesrc *src = f->p->file[0].src;
	struct raw_index raw = {.chunk = chunk, .row = row};
	struct parquet_page pg;
	struct thrift t;
	struct cursor c;
	const char *why;
	int r;

	if (chunk->index == 0 || chunk->index_len == 0)
		return 0;
	if (!ckd_range(chunk->index, chunk->index_len, bytesrc_size(src)))
		return no_index(f, chunk,
		    "the offset index of a column lies outside of the file");
	if (chunk->index_len > LIMIT_PARQUET_HEAD)
		return no_index(f, chunk,
		    "the offset index of a column is longer than is read");
	if (!grow_room(&f->packed, (size_t)chunk->index_len, 0))
		return err_set(e, ERR_LIMIT, "no memory left for an index");
	if ((r = bytesrc_read(src, chunk->index, f->packed.p,
	    (size_t)chunk->index_len, e)) < 0)
		return r;
	cursor_init(&c, f->packed.p, (size_t)chunk->index_len, chunk->index);
	thrift_init(&t, &c);
	r = 1;
	if (thrift_read(&t, NULL, 0, &raw, index_field) && raw.found)
		r = parquet_page_head(f, (uint64_t)raw.at.off, chunk->end, &pg,
		    &why, e);
	if (r < 0)
		return r;
	if (r > 0 || !fits(&pg, &raw.at))
		return no_index(f, chunk,
		    "the offset index of a column does not fit its pages");
	*off = (uint64_t)raw.at.off;
	*first = (uint64_t)raw.at.first;
	return 1;
}
