#include <string.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/bytesrc.h"
#include "base/err.h"
#include "base/limits.h"
#include "base/text.h"
#include "formats/rows/jsonview.h"
#include "formats/rows/rows.h"
#include "formats/rows/tarwalk.h"
#include "formats/rows/value.h"
#include "formats/tar_header.h"

/*
 * WebDataset (webdataset/tariterators.py): a tar whose consecutive members
 * "base.ext" with one base are a sample.  A record is the run of whole tar
 * blocks from the first header of its first member, records that speak of it
 * included, to the end of its last member's padding.
 *
 * What is no regular file, has no dot in its last component, or is named
 * __so__ belongs to no sample; when such a member stands inside of one, its
 * blocks are in the run.
 *
 * Fields: __key__, and each extension in lower case: json as a tree whose
 * values a path goes into, cls and index as a number, txt as text, all else
 * as bytes.  Of equal extensions the first counts (readers refuse the
 * second).
 */
#define MEMBERS_MAX 256

struct member {
	size_t ext, ext_len;	/* in names */
	size_t data, size;	/* in run */
};

struct webdataset {
	const struct rows_params *p;
	struct tarwalk tar;
	bool pending;		/* tar stands on a member not yet taken */
	int failed;		/* after the current sample */
	struct buf run, names, scratch;
	size_t key_len;		/* names begins with the key */
	struct member m[MEMBERS_MAX];
	size_t count;
	uint64_t off, end;	/* of the run so far */
};

static unsigned
webdataset_bid(const struct rows_params *p, const uint8_t *head, size_t n)
{
	struct tar_header h;

	if (n < TAR_BLOCK || !tar_header_read(head, &h) || !h.checksum_ok ||
	    tar_is_zero(head))
		return 0;
	return rows_named(&p->file[0], ".tar") ? 48 : h.magic ? 40 : 20;
}

static int
webdataset_open(const struct rows_params *p, void **self, struct err *e)
{
	struct webdataset *w;
	int r;

	if ((w = arena_alloc(p->arena, sizeof(*w))) == NULL)
		return err_set(e, ERR_NOMEM, "out of memory");
	w->p = p;
	if ((r = tarwalk_open(&w->tar, p, e)) < 0)
		return r;
	buf_init(&w->run, LIMIT_LINE);
	buf_init(&w->names, MEMBERS_MAX * (size_t)LIMIT_MEMBER_NAME);
	buf_init(&w->scratch, 3 * LIMIT_LINE);
	*self = w;
	return 0;
}

static void
webdataset_close(void *self)
{
	struct webdataset *w = self;

	tarwalk_close(&w->tar);
	buf_release(&w->run);
	buf_release(&w->names);
	buf_release(&w->scratch);
}

/*
 * ^((?:.*\/|)[^.]+)[.]([^/]*)$ : where the base ends, at its dot; 0: the name
 * is no sample's.
 */
static size_t
base_len(const char *name, size_t n)
{
	size_t slash = n, dot, before;

	while (slash > 0 && name[slash - 1] != '/')
		slash--;
	for (dot = slash; dot < n && name[dot] != '.'; dot++)
		;
	if (dot == n)
		return 0;
	if (dot > slash)
		return dot;
	/* A hidden file: the folder's own name may stand for the base. */
	for (before = dot; before > 0 && name[before - 1] != '.'; before--)
		;
	if (before == 0)
		return dot;
	while (before < dot && name[before] != '/')
		before++;
	return before + 1 < dot ? dot : 0;
}

static bool
is_sample(const struct tarwalk *t, size_t *base)
{
	const char *name = t->name;
	size_t n = t->name_len, from = n;

	if (!t->regular)
		return false;
	while (from > 0 && name[from - 1] != '/')
		from--;
	if (n - from > 4 && memcmp(name + from, "__", 2) == 0 &&
	    memcmp(name + n - 2, "__", 2) == 0)
		return false;
	*base = base_len(name, n);
	return *base > 0;
}

static bool
same_text(const struct buf *b, size_t off, size_t n, const char *p, size_t m)
{
	return n == m && (n == 0 || memcmp(b->p + off, p, n) == 0);
}

static const struct member *
find(const struct webdataset *w, const char *ext, size_t n)
{
	for (size_t i = 0; i < w->count; i++)
		if (same_text(&w->names, w->m[i].ext, w->m[i].ext_len, ext,
		    n))
			return &w->m[i];
	return NULL;
}

static bool
is_code(const char *ext, size_t n)
{
	static const char *const ends[] = {"pyd", "pickle", "pkl", "pth"};

	for (size_t i = 0; i < sizeof(ends) / sizeof(ends[0]); i++) {
		size_t len = strlen(ends[i]);

		if (n >= len && memcmp(ext + n - len, ends[i], len) == 0 &&
		    (n == len || ext[n - len - 1] == '.'))
			return true;
	}
	return false;
}

/* The member's extension, in lower case, as a field of the sample. */
static void
add_member(struct webdataset *w, size_t base, size_t data)
{
	const struct tarwalk *t = &w->tar;
	size_t at = w->names.len, n;
	const char *ext;

	for (size_t i = base + 1; i < t->name_len; i++)
		buf_putc(&w->names, t->name[i] >= 'A' && t->name[i] <= 'Z' ?
		    (char)(t->name[i] - 'A' + 'a') : t->name[i]);
	if (buf_failed(&w->names) || w->count == MEMBERS_MAX) {
		rows_tell(w->p, 0, t->off, "a sample has too many members");
		return;
	}
	n = w->names.len - at;
	ext = n > 0 ? (const char *)w->names.p + at : "";
	if (find(w, ext, n) != NULL) {
		rows_tell(w->p, 0, t->off,
		    "two members of a sample have one extension");
		w->names.len = at;
		return;
	}
	if (is_code(ext, n))
		rows_tell(w->p, 0, t->off,
		    "a member runs code when it is decoded");
	w->m[w->count++] = (struct member){at, n, data, (size_t)t->size};
}

/* The member's blocks, headers and all, behind the run. */
static int
take_blocks(struct webdataset *w, size_t *data, struct err *e)
{
	int r;

	buf_put(&w->run, w->tar.head.p, w->tar.head.len);
	*data = w->run.len;
	w->pending = false;
	if ((r = tarwalk_content(&w->tar, &w->run, e)) < 0)
		return r;
	return buf_failed(&w->run) == ERR_NOMEM ?
	    err_set(e, ERR_NOMEM, "out of memory") : 0;
}

/* The first member of the next sample: 1, 0: there is none, or negative. */
static int
find_first(struct webdataset *w, size_t *base, struct err *e)
{
	int r;

	for (;;) {
		if (!w->pending && (r = tarwalk_next(&w->tar, e)) <= 0)
			return r;
		w->pending = true;
		if (is_sample(&w->tar, base))
			return 1;
		w->pending = false;
		if ((r = tarwalk_content(&w->tar, NULL, e)) < 0)
			return r;
	}
}

/* The members after the first, while they are the same sample's. */
static int
take_rest(struct webdataset *w, struct err *e)
{
	size_t base = 0, data, kept = w->run.len;
	bool sample;
	int r;

	for (;;) {
		if ((r = tarwalk_next(&w->tar, e)) <= 0)
			break;
		w->pending = true;
		sample = is_sample(&w->tar, &base);
		if (sample && !same_text(&w->names, 0, w->key_len,
		    w->tar.name, base))
			break;
		if ((r = take_blocks(w, &data, e)) < 0)
			break;
		if (!sample)
			continue;
		add_member(w, base, data);
		w->end = tarwalk_tell(&w->tar);
		kept = w->run.len;
	}
	if (!buf_failed(&w->run))
		w->run.len = kept;
	return r < 0 ? r : 0;
}

static int
webdataset_next(void *self, struct rows_record *ret, struct err *e)
{
	struct webdataset *w = self;
	size_t base = 0, data;
	int r;

	if ((r = w->failed) < 0) {
		w->failed = 0;
		return err_set(e, (enum err_code)r, "the archive is broken");
	}
	if ((r = find_first(w, &base, e)) <= 0)
		return r;
	buf_clear(&w->run);
	buf_clear(&w->names);
	w->count = 0;
	w->off = w->tar.off;
	w->key_len = base;
	buf_put(&w->names, w->tar.name, base);
	if ((r = take_blocks(w, &data, e)) < 0)
		return r;
	add_member(w, base, data);
	w->end = tarwalk_tell(&w->tar);
	ret->off = w->off;
	ret->verbatim = true;
	if ((r = take_rest(w, e)) == ERR_FORMAT) {
		/* Who knows what it would have had. */
		err_reset(e);
		w->failed = r;
		ret->damaged = true;
	} else if (r < 0) {
		return r;
	}
	ret->len = w->end - w->off;
	if (buf_failed(&w->run)) {
		rows_tell(w->p, 0, w->off,
		    "a record is too long to be parsed");
		ret->damaged = true;
	}
	return 1;
}

static bool
ends_in(const struct webdataset *w, const struct member *m, const char *kind)
{
	const char *ext = (const char *)w->names.p + m->ext;
	size_t n = strlen(kind);

	return m->ext_len >= n &&
	    memcmp(ext + m->ext_len - n, kind, n) == 0 &&
	    (m->ext_len == n || ext[m->ext_len - n - 1] == '.');
}

/*
 * The member's value; ${path} goes on into json.  False: it would, and the
 * member is none.
 */
static bool
value_of(struct webdataset *w, const struct member *m, const char *path,
    struct rows_value *v, bool *twice)
{
	static const uint8_t nothing[1];
	const uint8_t *p = m->size > 0 ? w->run.p + m->data : nothing;
	const bool json = ends_in(w, m, "json");
	size_t n = m->size;
	uint64_t u;

	*twice = false;
	memset(v, 0, sizeof(*v));
	if (json && jsonview_value(p, n, path, v, twice, &w->scratch))
		return true;
	if (*path != '\0')
		return !json;
	v->p = p;
	v->n = n;
	v->type = ROWS_BYTES;
	if (ends_in(w, m, "txt") || ends_in(w, m, "text") ||
	    ends_in(w, m, "transcript"))
		v->type = ROWS_TEXT;
	if (!ends_in(w, m, "cls") && !ends_in(w, m, "cls2") &&
	    !ends_in(w, m, "index") && !ends_in(w, m, "inx"))
		return true;
	v->type = ROWS_TEXT;
	while (n > 0 && (p[n - 1] == '\n' || p[n - 1] == '\r' ||
	    p[n - 1] == ' '))
		n--;
	if (text_u64((const char *)p, n, 10, INT64_MAX, &u)) {
		v->type = ROWS_INT;
		v->i = (int64_t)u;
	}
	return true;
}

static int
webdataset_field(void *self, const char *path, struct rows_value *ret,
    struct err *e)
{
	struct webdataset *w = self;
	const struct member *m, *best = NULL;
	bool twice;

	if (strcmp(path, "__key__") == 0) {
		ret->type = ROWS_TEXT;
		ret->p = w->names.p;
		ret->n = w->key_len;
		return 0;
	}
	/* Extensions have dots: the longest that begins the path. */
	for (size_t n = strlen(path); best == NULL; n--) {
		if ((path[n] == '\0' || path[n] == '.') &&
		    (m = find(w, path, n)) != NULL)
			best = m;
		if (n == 0)
			break;
	}
	if (best == NULL)
		return 0;
	path += best->ext_len;
	if (!value_of(w, best, *path == '.' ? path + 1 : path, ret, &twice))
		return rows_bad(w->p, 0, w->off, "a member is not JSON", e);
	if (twice)
		rows_tell(w->p, 0, w->off, "a key occurs twice");
	return buf_failed(&w->scratch) ? err_set(e,
	    (enum err_code)buf_failed(&w->scratch), "a value is too long") :
	    0;
}

static int
webdataset_json(void *self, struct buf *b, struct err *e)
{
	struct webdataset *w = self;
	struct rows_value v;
	bool twice;

	(void)e;
	buf_puts(b, "{\"__key__\":");
	v.type = ROWS_TEXT;
	v.p = w->names.p;
	v.n = w->key_len;
	value_json(b, &v);
	for (size_t i = 0; i < w->count; i++) {
		buf_putc(b, ',');
		value_key(b, w->names.p + w->m[i].ext, w->m[i].ext_len);
		(void)value_of(w, &w->m[i], "", &v, &twice);
		value_json(b, &v);
	}
	buf_putc(b, '}');
	return 0;
}

static const uint8_t *
webdataset_raw(void *self)
{
	return ((const struct webdataset *)self)->run.p;
}

const struct rows_format rows_webdataset = {
    .id = "webdataset",
    .flags = ROWS_FORWARD,
    .bid = webdataset_bid,
    .open = webdataset_open,
    .next = webdataset_next,
    .field = webdataset_field,
    .json = webdataset_json,
    .raw = webdataset_raw,
    .close = webdataset_close,
};
