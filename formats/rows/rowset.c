#include <string.h>

#include "base/arena.h"
#include "base/bytesrc.h"
#include "base/err.h"
#include "formats/rows/packed.h"
#include "formats/rows/rowset.h"

#define READER(id) extern const struct rows_format rows_##id;
#include "formats/rows/readers.def"
#undef READER

static const struct rows_format *const readers[] = {
#define READER(id) &rows_##id,
#include "formats/rows/readers.def"
#undef READER
};
#define READERS (sizeof(readers) / sizeof(readers[0]))

struct rowset {
	struct rows_params p;	/* the caller's */
	const struct rows_format *f;
	size_t at;		/* number of the current file */
	uint64_t base;		/* index of its first record */
	uint64_t index;		/* of the next record */
	struct rows_record now;
	bool have;		/* ${now} is the current record */
	/* The current reader; all of it goes with its file. */
	struct rows_params one;
	struct rows_file file;	/* ... of one file */
	struct bytesrc *unpacked;
	struct arena *arena;
	void *self;
	int broken;		/* open failed before anybody asked */
};

static const struct rows_format *
by_name(const char *id)
{
	for (size_t i = 0; i < READERS; i++)
		if (strcmp(readers[i]->id, id) == 0)
			return readers[i];
	return NULL;
}

/* The highest bid over these first bytes; of a part of the readers. */
static const struct rows_format *
highest(const struct rows_params *p, const uint8_t *head, size_t n,
    unsigned flags)
{
	const struct rows_format *ret = NULL;
	unsigned bits, best = 0;

	for (size_t i = 0; i < READERS; i++)
		if ((readers[i]->flags & flags) == flags &&
		    (bits = readers[i]->bid(p, head, n)) > best) {
			best = bits;
			ret = readers[i];
		}
	return ret;
}

/* A compressed file, by the first bytes that it holds. */
static int
packed_bids(const struct rows_params *p, const struct rows_format **ret,
    struct err *e)
{
	static const size_t cap = 4 * ROWS_HEAD;
	struct rows_file file = p->file[0];
	struct rows_params one = *p;
	struct bytesrc *src;
	uint8_t *head;
	size_t n;
	int r;

	if ((head = arena_alloc(p->arena, cap)) == NULL)
		return err_set(e, ERR_NOMEM, "out of memory");
	if ((r = packed_peek(file.src, head, cap, &n, e)) <= 0)
		return r;
	if ((src = bytesrc_mem(head, n, e)) == NULL)
		return ERR_NOMEM;
	file.name_len = packed_name(&file);
	file.src = src;
	one.file = &file;
	one.files = 1;
	*ret = highest(&one, head, n < ROWS_HEAD ? n : ROWS_HEAD,
	    ROWS_FORWARD);
	bytesrc_free(src);
	return 0;
}

static int
by_bids(const struct rows_params *p, const struct rows_format **ret,
    struct err *e)
{
	uint8_t head[ROWS_HEAD];
	size_t n;
	int r;

	if ((r = bytesrc_read_some(p->file[0].src, 0, head, sizeof(head), &n,
	    e)) < 0)
		return r;
	*ret = highest(p, head, n, 0);
	if (*ret == NULL && (r = packed_bids(p, ret, e)) < 0)
		return r;
	return *ret != NULL ? 0 : err_set(e, ERR_NOTFOUND,
	    "no known format of data sets");
}

/* What one file's reader tells, with the file's own number. */
static void
tell_one(void *ctx, uint32_t file, uint64_t off, const char *what)
{
	struct rowset *r = ctx;

	rows_tell(&r->p, r->f->flags & ROWS_WHOLE ? file : (uint32_t)r->at,
	    off, what);
}

static void
close_reader(struct rowset *r)
{
	if (r->self != NULL && r->f->close != NULL)
		r->f->close(r->self);
	r->self = NULL;
	bytesrc_free(r->unpacked);
	r->unpacked = NULL;
	arena_free(r->arena);
	r->arena = NULL;
	r->have = false;
}

/* The next file, whose records begin at ${index}. */
static void
next_file(struct rowset *r, uint64_t index)
{
	close_reader(r);
	r->at = r->f->flags & ROWS_WHOLE ? r->p.files : r->at + 1;
	r->base = r->index = index;
}

/* Is it the evidence that fails?  Told, if the reader had no words for it. */
static bool
is_evidence(struct rowset *r, int rc, struct err *e)
{
	if (rc != ERR_FORMAT && rc != ERR_TRUNC)
		return false;
	if (rc == ERR_TRUNC)
		rows_tell(&r->p, (uint32_t)r->at, e != NULL ? e->off : 0,
		    "the file ends early");
	return true;
}

/* The current file for its reader, decompressed if need be. */
static int
one_file(struct rowset *r, struct err *e)
{
	int rc;

	r->file = r->p.file[r->at];
	if (r->f->flags & ROWS_FORWARD) {
		if ((rc = packed_open(&r->p, (uint32_t)r->at, &r->unpacked,
		    e)) < 0)
			return rc;
		if (rc > 0) {
			r->file.src = r->unpacked;
			r->file.name_len = packed_name(&r->file);
		}
	}
	r->one.file = &r->file;
	r->one.files = 1;
	return 0;
}

/* 1: a reader stands at r->at; 0: no files are left. */
static int
open_reader(struct rowset *r, struct err *e)
{
	int rc;

	if (r->self != NULL)
		return 1;
	if (r->at == r->p.files)
		return 0;
	r->one = r->p;
	r->one.tell = tell_one;
	r->one.ctx = r;
	if ((r->arena = arena_new(arena_left(r->p.arena))) == NULL)
		return err_set(e, ERR_NOMEM, "out of memory");
	r->one.arena = r->arena;
	if (!(r->f->flags & ROWS_WHOLE) && (rc = one_file(r, e)) < 0) {
		close_reader(r);
		return rc;
	}
	if ((rc = r->f->open(&r->one, &r->self, e)) == 0)
		return 1;
	r->self = NULL;
	if (is_evidence(r, rc, e)) {
		next_file(r, r->index);
		return ERR_FORMAT;
	}
	close_reader(r);
	return rc;
}

int
rowset_open(const struct rows_params *p, struct rowset **ret, struct err *e)
{
	struct rowset *r;
	int rc;

	if (p->files == 0 || p->files > UINT32_MAX)
		return err_set(e, ERR_NOTFOUND, "a data set without files");
	if ((r = arena_alloc(p->arena, sizeof(*r))) == NULL)
		return err_set(e, ERR_NOMEM, "out of memory");
	r->p = *p;
	if (p->format != NULL && (r->f = by_name(p->format)) == NULL)
		return err_set(e, ERR_ARG, "unknown format of data sets");
	if (p->format == NULL && (rc = by_bids(p, &r->f, e)) < 0)
		return rc;
	if ((rc = open_reader(r, e)) < 0) {
		if (rc != ERR_FORMAT || r->at == p->files)
			return rc;
		/* The first of several: whoever asks for records hears it. */
		r->broken = rc;
		err_reset(e);
	}
	*ret = r;
	return 0;
}

void
rowset_close(struct rowset *r)
{
	if (r != NULL)
		close_reader(r);
}

const char *
rowset_format(const struct rowset *r)
{
	return r->f->id;
}

int
rowset_next(struct rowset *r, struct rows_record *ret, struct err *e)
{
	int rc;

	r->have = false;
	if ((rc = r->broken) < 0) {
		r->broken = 0;
		return err_set(e, rc, "the first file cannot be read");
	}
	while ((rc = open_reader(r, e)) > 0) {
		memset(&r->now, 0, sizeof(r->now));
		if ((rc = r->f->next(r->self, &r->now, e)) > 0) {
			if (!(r->f->flags & ROWS_WHOLE))
				r->now.file = (uint32_t)r->at;
			r->now.unpacked = r->unpacked != NULL;
			r->now.index = r->index++;
			r->have = true;
			*ret = r->now;
			return 1;
		}
		if (rc < 0 && !is_evidence(r, rc, e))
			return rc;
		next_file(r, r->index);
		if (rc < 0)
			return ERR_FORMAT;
	}
	return rc;
}

/* Within or past the current file, by its own count.  1: there. */
static int
skip_exactly(struct rowset *r, uint64_t index, struct err *e)
{
	uint64_t n;
	int rc;

	if ((rc = r->f->count(r->self, &n, e)) < 0)
		return rc;
	if (index - r->base < n) {
		if ((rc = r->f->seek(r->self, index - r->base, e)) < 0)
			return rc;
		r->index = index;
		return 1;
	}
	next_file(r, r->base + n);
	return 0;
}

int
rowset_skip_to(struct rowset *r, uint64_t index, struct err *e)
{
	struct rows_record rec;
	int rc = 0;

	r->have = false;
	if (index < r->index) {
		close_reader(r);
		r->at = 0;
		r->base = r->index = 0;
		r->broken = 0;
	}
	while (r->index < index) {
		if (r->broken != 0 || r->f->seek == NULL) {
			if ((rc = rowset_next(r, &rec, e)) <= 0)
				return rc;
			continue;
		}
		if ((rc = open_reader(r, e)) <= 0)
			return rc;
		if ((rc = skip_exactly(r, index, e)) < 0) {
			if (!is_evidence(r, rc, e))
				return rc;
			next_file(r, r->index);
			return ERR_FORMAT;
		}
		if (rc > 0)
			return 0;
	}
	r->have = false;
	return 0;
}

int
rowset_field(struct rowset *r, const char *path, struct rows_value *ret,
    struct err *e)
{
	memset(ret, 0, sizeof(*ret));
	if (!r->have || r->now.damaged)
		return 0;
	return r->f->field(r->self, path, ret, e);
}

int
rowset_array(struct rowset *r, const char *name, struct rows_array *ret,
    struct err *e)
{
	if (!r->have || r->now.damaged || r->f->array == NULL)
		return 0;
	return r->f->array(r->self, name, ret, e);
}

int
rowset_json(struct rowset *r, struct buf *b, struct err *e)
{
	if (!r->have || r->now.damaged)
		return err_set(e, ERR_FORMAT, "the record cannot be parsed");
	return r->f->json(r->self, b, e);
}

int
rowset_fields(struct rowset *r, void (*each)(void *ctx, const char *name,
    const char *type), void *ctx, struct err *e)
{
	int rc;

	if (r->f->fields == NULL || (rc = open_reader(r, e)) == 0)
		return 0;
	return rc < 0 ? rc : r->f->fields(r->self, each, ctx, e);
}

const uint8_t *
rowset_raw(struct rowset *r)
{
	return r->have && r->now.verbatim && !r->now.damaged &&
	    r->f->raw != NULL ? r->f->raw(r->self) : NULL;
}

const struct bytesrc *
rowset_source(struct rowset *r)
{
	if (!r->have)
		return NULL;
	return r->unpacked != NULL ? r->unpacked :
	    r->p.file[r->now.file].src;
}
