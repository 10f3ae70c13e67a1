#include <string.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/bytesrc.h"
#include "base/cursor.h"
#include "base/err.h"
#include "base/limits.h"
#include "formats/doc.h"
#include "formats/rows/mdsvalue.h"
#include "formats/rows/packed.h"
#include "formats/rows/rows.h"
#include "formats/rows/value.h"

/*
 * Mosaic's streaming format (mosaicml/streaming, base/format/mds): index.json
 * lists shards in order; a shard is
 *
 *	0 samples u32   4 offsets u32, samples + 1 of them   configuration
 *	at offset i, to offset i + 1: sample i
 *
 * with, in a sample, u32 for the size of each column that has no fixed one,
 * and then the columns.  All that is little-endian.
 *
 * A shard is looked up beside its index, as it is or compressed.  That it has
 * the size that the index states is checked here; its hashes are not (no
 * digests in this layer), which is told once when there are some.
 */
#define INDEX_MAX (64 * MIB)
#define COLUMNS_MAX 1024

struct shard {
	const char *name;	/* of the raw file, below the root */
	size_t name_len;
	uint64_t bytes;		/* stated of the raw file */
	uint64_t samples;
	uint64_t first;		/* index of its first sample */
	const struct doc *doc;
};

struct mds {
	const struct rows_params *p;
	uint32_t index;		/* the file that is the index */
	struct shard *shard;
	size_t shards;
	uint64_t total;
	/* The current shard. */
	size_t at;
	bool opened;
	uint32_t file;
	const struct bytesrc *src;
	struct bytesrc *unpacked;
	struct mdscolumn column[COLUMNS_MAX];
	size_t columns;
	uint64_t row;		/* the next one of it */
	uint64_t off;		/* of the current one */
	struct buf sample, scratch;
};

static bool
is_index(const struct rows_file *f)
{
	static const char name[] = "index.json";
	const size_t n = sizeof(name) - 1;

	return f->name_len >= n &&
	    memcmp(f->name + f->name_len - n, name, n) == 0 &&
	    (f->name_len == n || f->name[f->name_len - n - 1] == '/');
}

static unsigned
mds_bid(const struct rows_params *p, const uint8_t *head, size_t n)
{
	(void)head;
	(void)n;
	for (size_t i = 0; i < p->files; i++) {
		char text[1024];
		size_t got;

		if (!is_index(&p->file[i]) ||
		    bytesrc_read_some(p->file[i].src, 0, text, sizeof(text),
		    &got, NULL) < 0)
			continue;
		if (memmem(text, got, "\"shards\"", 8) != NULL)
			return 60;
	}
	return 0;
}

static const struct rows_file *
find_file(const struct mds *m, const char *name, size_t n, uint32_t *k)
{
	for (size_t i = 0; i < m->p->files; i++)
		if (m->p->file[i].name_len == n &&
		    memcmp(m->p->file[i].name, name, n) == 0) {
			*k = (uint32_t)i;
			return &m->p->file[i];
		}
	return NULL;
}

/* A name of the index, which is relative to the index's own folder. */
static int
beside(const struct mds *m, const struct doc *d, const char **name,
    size_t *n, struct err *e)
{
	const struct rows_file *f = &m->p->file[m->index];
	size_t folder = f->name_len - 10, len = 0;
	const char *base = doc_str(d, &len);
	char *full;

	*name = NULL;
	*n = 0;
	if (base == NULL)
		return 0;
	if ((full = arena_alloc(m->p->arena, folder + len + 1)) == NULL)
		return err_set(e, ERR_NOMEM, "out of memory");
	memcpy(full, f->name, folder);
	memcpy(full + folder, base, len);
	*name = full;
	*n = folder + len;
	return 0;
}

static int
add_shard(struct mds *m, const struct doc *d, struct err *e)
{
	struct shard *s = &m->shard[m->shards];
	const struct doc *raw = doc_key(d, "raw_data");

	s->doc = d;
	s->first = m->total;
	if (!doc_is_str(doc_key(d, "format"), "mds") ||
	    !doc_u64(doc_key(d, "samples"), &s->samples) ||
	    s->samples > UINT32_MAX ||
	    !doc_u64(doc_key(raw, "bytes"), &s->bytes))
		return rows_bad(m->p, m->index, d->off,
		    "the index has a shard that is not read", e);
	m->shards++;
	m->total += s->samples;
	return beside(m, doc_key(raw, "basename"), &s->name, &s->name_len,
	    e);
}

static int
read_index(struct mds *m, struct err *e)
{
	const struct rows_file *f = &m->p->file[m->index];
	uint64_t size = bytesrc_size(f->src);
	const struct doc *root, *list, *d;
	struct doc_fault at = {0};
	uint8_t *text;
	int r;

	if (size > INDEX_MAX)
		return rows_bad(m->p, m->index, 0, "the index is too long", e);
	if ((text = arena_alloc(m->p->arena, (size_t)size)) == NULL)
		return err_set(e, ERR_NOMEM, "out of memory");
	if ((r = bytesrc_read(f->src, 0, text, (size_t)size, e)) < 0)
		return r;
	if ((r = doc_json(text, (size_t)size, m->p->arena, &root, &at,
	    e)) == ERR_NOMEM)
		return r;
	if (r < 0)
		return rows_bad(m->p, m->index, at.off,
		    "the index is not JSON", e);
	list = doc_key(root, "shards");
	if (!doc_is(list, DOC_LIST))
		return rows_bad(m->p, m->index, 0,
		    "the index has no list of shards", e);
	if ((m->shard = arena_array(m->p->arena, list->n + 1U,
	    sizeof(m->shard[0]))) == NULL)
		return err_set(e, ERR_NOMEM, "out of memory");
	for (d = doc_kids(list); d != NULL; d = d->next)
		if ((r = add_shard(m, d, e)) < 0)
			return r;
	d = doc_get(list, "0.raw_data.hashes");
	if (d != NULL && d->n > 0)
		rows_tell(m->p, m->index, d->off,
		    "the hashes of shards are not checked");
	return 0;
}

static int
mds_open(const struct rows_params *p, void **self, struct err *e)
{
	struct mds *m;
	size_t i = 0;
	int r;

	if ((m = arena_alloc(p->arena, sizeof(*m))) == NULL)
		return err_set(e, ERR_NOMEM, "out of memory");
	m->p = p;
	while (i < p->files && !is_index(&p->file[i]))
		i++;
	if (i == p->files)
		return rows_bad(p, 0, 0, "there is no index", e);
	m->index = (uint32_t)i;
	if ((r = read_index(m, e)) < 0)
		return r;
	buf_init(&m->sample, LIMIT_LINE);
	buf_init(&m->scratch, 3 * LIMIT_LINE);
	*self = m;
	return 0;
}

static void
leave_shard(struct mds *m)
{
	bytesrc_free(m->unpacked);
	m->unpacked = NULL;
	m->opened = false;
	m->row = 0;
}

static void
mds_close(void *self)
{
	struct mds *m = self;

	leave_shard(m);
	buf_release(&m->sample);
	buf_release(&m->scratch);
}

/* Names, encodings and sizes of the columns; three lists side by side. */
static bool
read_columns(struct mds *m, const struct doc *d)
{
	const struct doc *name = doc_key(d, "column_names");
	const struct doc *code = doc_key(d, "column_encodings");
	const struct doc *size = doc_key(d, "column_sizes");

	if (!doc_is(name, DOC_LIST) || !doc_is(code, DOC_LIST) ||
	    !doc_is(size, DOC_LIST) || name->n != code->n ||
	    name->n != size->n || name->n > COLUMNS_MAX)
		return false;
	m->columns = 0;
	name = doc_kids(name);
	code = doc_kids(code);
	for (size = doc_kids(size); size != NULL; size = size->next) {
		struct mdscolumn *c = &m->column[m->columns++];
		uint64_t n = 0;

		c->name = doc_str(name, &c->name_len);
		c->fixed = doc_u64(size, &n);
		if (c->name == NULL || n > UINT32_MAX ||
		    (!c->fixed && !doc_is(size, DOC_NULL)))
			return false;
		c->size = (uint32_t)n;
		c->code = doc_str(code, &c->code_len);
		if (c->code == NULL)
			return false;
		name = name->next;
		code = code->next;
	}
	return true;
}

/* The shard's file, raw or compressed.  1: there is none (told). */
static int
find_shard(struct mds *m, const struct shard *s, struct err *e)
{
	const struct rows_file *f;
	const char *name;
	size_t n;
	int r;

	if (s->name != NULL &&
	    (f = find_file(m, s->name, s->name_len, &m->file)) != NULL) {
		m->src = f->src;
		return 0;
	}
	if ((r = beside(m, doc_get(s->doc, "zip_data.basename"), &name, &n,
	    e)) < 0)
		return r;
	if (name == NULL || find_file(m, name, n, &m->file) == NULL) {
		rows_tell(m->p, m->index, s->doc->off,
		    "a shard of the index is not there");
		return 1;
	}
	if ((r = packed_open(m->p, m->file, &m->unpacked, e)) < 0)
		return r;
	m->src = r > 0 ? m->unpacked : m->p->file[m->file].src;
	return 0;
}

/* The current shard: 0, or ERR_FORMAT (told). */
static int
enter_shard(struct mds *m, struct err *e)
{
	const struct shard *s = &m->shard[m->at];
	uint32_t samples;
	uint8_t head[4];
	struct cursor c;
	int r;

	if ((r = find_shard(m, s, e)) != 0)
		return r < 0 ? r : err_set(e, ERR_FORMAT,
		    "a shard of the index is not there");
	if (!read_columns(m, s->doc))
		return rows_bad(m->p, m->index, s->doc->off,
		    "the columns of a shard are not read", e);
	for (size_t i = 0; i < m->columns; i++)
		if (mdsvalue_is_code(&m->column[i]))
			rows_tell(m->p, m->index, s->doc->off,
			    "a column is pickles, which run code when they "
			    "are read");
	if (bytesrc_size(m->src) != s->bytes)
		rows_tell(m->p, m->file, 0,
		    "a shard has not the size that the index states");
	if (bytesrc_size(m->src) < 4)
		return rows_bad(m->p, m->file, 0, "a shard is cut", e);
	if ((r = bytesrc_read(m->src, 0, head, sizeof(head), e)) < 0)
		return r;
	cursor_init(&c, head, sizeof(head), 0);
	if (!cursor_u32le(&c, &samples) || samples != s->samples)
		return rows_bad(m->p, m->file, 0,
		    "a shard has not the samples that the index states", e);
	m->opened = true;
	return 0;
}

/* Where sample ${row} lies. */
static int
bounds(struct mds *m, uint64_t *off, uint64_t *len, struct err *e)
{
	const uint64_t samples = m->shard[m->at].samples;
	const uint64_t size = bytesrc_size(m->src), at = 4 * (1 + m->row);
	uint32_t from, to;
	uint8_t b[8];
	struct cursor c;
	int r;

	if (size < 8 || at > size - 8)
		return rows_bad(m->p, m->file, size, "a shard is cut", e);
	if ((r = bytesrc_read(m->src, at, b, sizeof(b), e)) < 0)
		return r;
	cursor_init(&c, b, sizeof(b), at);
	if (!cursor_u32le(&c, &from) || !cursor_u32le(&c, &to) ||
	    from > to || from < 4 * (2 + samples))
		return rows_bad(m->p, m->file, at,
		    "the offsets of a shard make no sense", e);
	if (to > size)
		return rows_bad(m->p, m->file, at, "a shard is cut", e);
	*off = from;
	*len = to - from;
	return 0;
}

/* The sample's bytes, and its columns in them.  False: damaged (told). */
static int
take_sample(struct mds *m, uint64_t off, uint64_t len, bool *ok,
    struct err *e)
{
	int r;

	*ok = false;
	if (len > LIMIT_LINE) {
		rows_tell(m->p, m->file, off,
		    "a record is too long to be parsed");
		return 0;
	}
	buf_clear(&m->sample);
	if ((r = rows_load(m->src, off, len, &m->sample, e)) < 0)
		return r;
	if (buf_failed(&m->sample))
		return err_set(e, ERR_NOMEM, "out of memory");
	*ok = mdsvalue_columns(m->sample.p, m->sample.len, m->column,
	    m->columns);
	if (!*ok)
		rows_tell(m->p, m->file, off,
		    "the columns of a record do not fit it");
	return 0;
}

static int
mds_next(void *self, struct rows_record *ret, struct err *e)
{
	struct mds *m = self;
	bool ok;
	int r = 0;

	while (m->at < m->shards && m->row == m->shard[m->at].samples) {
		leave_shard(m);
		m->at++;
	}
	if (m->at == m->shards)
		return 0;
	if ((!m->opened && (r = enter_shard(m, e)) < 0) ||
	    (r = bounds(m, &ret->off, &ret->len, e)) < 0 ||
	    (r = take_sample(m, ret->off, ret->len, &ok, e)) < 0)
		return r;
	m->off = ret->off;
	ret->file = m->file;
	ret->verbatim = m->unpacked == NULL;
	ret->damaged = !ok;
	if (m->unpacked != NULL) {
		ret->off = 0;
		ret->len = bytesrc_size(m->p->file[m->file].src);
	}
	m->row++;
	return 1;
}

static int
mds_seek(void *self, uint64_t index, struct err *e)
{
	struct mds *m = self;
	size_t to = 0;

	(void)e;
	while (index >= m->shard[to].first + m->shard[to].samples)
		to++;
	if (to != m->at)
		leave_shard(m);
	m->at = to;
	m->row = index - m->shard[to].first;
	return 0;
}

static int
mds_count(void *self, uint64_t *ret, struct err *e)
{
	(void)e;
	*ret = ((const struct mds *)self)->total;
	return 0;
}

static int
mds_field(void *self, const char *path, struct rows_value *ret,
    struct err *e)
{
	struct mds *m = self;
	const struct mdscolumn *best = NULL;
	bool twice;

	for (size_t i = 0; i < m->columns; i++) {
		const struct mdscolumn *c = &m->column[i];

		if (strncmp(path, c->name, c->name_len) == 0 &&
		    (path[c->name_len] == '\0' || path[c->name_len] == '.') &&
		    (best == NULL || c->name_len >= best->name_len))
			best = c;
	}
	if (best == NULL)
		return 0;
	path += best->name_len;
	if (!mdsvalue_get(best, m->sample.p, *path == '.' ? path + 1 : path,
	    ret, &twice, &m->scratch))
		return rows_bad(m->p, m->file, m->off, "a column is not JSON",
		    e);
	if (twice)
		rows_tell(m->p, m->file, m->off, "a key occurs twice");
	return buf_failed(&m->scratch) ? err_set(e,
	    (enum err_code)buf_failed(&m->scratch), "a value is too long") :
	    0;
}

static int
mds_json(void *self, struct buf *b, struct err *e)
{
	struct mds *m = self;
	struct rows_value v;
	bool twice;

	(void)e;
	buf_putc(b, '{');
	for (size_t i = 0; i < m->columns; i++) {
		buf_puts(b, i == 0 ? "" : ",");
		value_key(b, (const uint8_t *)m->column[i].name,
		    m->column[i].name_len);
		(void)mdsvalue_get(&m->column[i], m->sample.p, "", &v, &twice,
		    &m->scratch);
		value_json(b, &v);
	}
	buf_putc(b, '}');
	return 0;
}

static const uint8_t *
mds_raw(void *self)
{
	return ((const struct mds *)self)->sample.p;
}

const struct rows_format rows_mds = {
    .id = "mds",
    .flags = ROWS_WHOLE,
    .bid = mds_bid,
    .open = mds_open,
    .next = mds_next,
    .field = mds_field,
    .json = mds_json,
    .seek = mds_seek,
    .count = mds_count,
    .raw = mds_raw,
    .close = mds_close,
};
