#include <string.h>

#include "analyzer/intake/slicederive.h"
#include "analyzer/intake/slicejob.h"
#include "base/arena.h"
#include "base/buf.h"
#include "base/bug.h"
#include "base/bytesrc.h"
#include "base/err.h"
#include "base/limits.h"
#include "custody/digest.h"
#include "formats/rows/packed.h"
#include "formats/rows/rowset.h"
#include "formats/rows/slice.h"

/* Of this process: made before the fence. */
static struct digest *running;

int
slicederive_start(struct err *e)
{
	int r;

	if ((r = digest_start(e)) < 0)
		return r;
	running = digest_new(DIGEST_SHA256, e);
	return running != NULL ? 0 : ERR_CRYPTO;
}

static int
digest_range(const struct bytesrc *src, uint64_t off, uint64_t len,
    uint8_t sha256[32], struct err *e)
{
	static uint8_t chunk[64 * KIB];
	struct digests out;
	size_t n;
	int r;

	if ((r = digest_reset(running, e)) < 0)
		return r;
	for (; len > 0; off += n, len -= n) {
		n = len < sizeof(chunk) ? (size_t)len : sizeof(chunk);
		if ((r = bytesrc_read(src, off, chunk, n, e)) < 0 ||
		    (r = digest_put(running, chunk, n, e)) < 0)
			return r;
	}
	if ((r = digest_now(running, &out, e)) >= 0)
		memcpy(sha256, out.sha256, 32);
	return r;
}

int
slicederive_whole(const struct bytesrc *src, uint8_t sha256[32],
    struct err *e)
{
	return digest_range(src, 0, bytesrc_size(src), sha256, e);
}

static int
digest_bytes(const void *p, size_t n, uint8_t sha256[32], struct err *e)
{
	struct digests out;
	int r;

	if ((r = digest_reset(running, e)) < 0 ||
	    (r = digest_put(running, p, n, e)) < 0 ||
	    (r = digest_now(running, &out, e)) < 0)
		return r;
	memcpy(sha256, out.sha256, 32);
	return 0;
}

/* As rows_slice_takes wants it: of a few bytes, which cannot fail. */
static void
digest_small(const void *p, size_t n, uint8_t sha256[32])
{
	BUG_ON(digest_bytes(p, n, sha256, NULL) < 0);
}

const uint8_t *
slicederive_bytes(const struct slicederive_record *r, size_t *n)
{
	switch (r->how) {
	case SLICE_VERBATIM:
	case SLICE_UNPACKED:
		*n = (size_t)r->rec.len;
		return rowset_raw(r->rs);
	case SLICE_ROW:
		*n = r->row->len;
		return r->row->p;
	case SLICE_NOTHING:
	case SLICE_HOWS:
		break;
	}
	*n = 0;
	return NULL;
}

int
slicederive_digest(const struct slicederive_record *r, uint8_t sha256[32],
    struct err *e)
{
	const uint8_t *p;
	size_t n;

	memset(sha256, 0, 32);
	if (r->how == SLICE_NOTHING)
		return 0;
	if ((p = slicederive_bytes(r, &n)) != NULL)
		return digest_bytes(p, n, sha256, e);
	return digest_range(r->src, r->rec.off, r->rec.len, sha256, e);
}

/* What the readers tell: a compressed file that ends early is a broken one. */
static void
tell(void *ctx, uint32_t file, uint64_t off, const char *what)
{
	struct slicederive *d = ctx;

	d->broken += packed_ends_early(what);
	if (d->tell != NULL)
		d->tell(d->ctx, file, off, what);
}

/* The evidence's fault: the record cannot be understood; not ours. */
static bool
is_evidence(int r)
{
	return r == ERR_FORMAT || r == ERR_TRUNC;
}

/* The record as JSON, made once. */
static int
make_row(struct slicederive *d, struct slicederive_record *r)
{
	int rc;

	if (d->has_row)
		return 0;
	buf_clear(d->row);
	if ((rc = rowset_json(d->rs, d->row, d->e)) < 0)
		return rc;
	if (buf_failed(d->row) == ERR_LIMIT) {
		tell(d, r->rec.file, r->rec.off,
		    "a record is too long to be written as JSON");
		return err_set(d->e, ERR_FORMAT, "a record is too long");
	}
	if (buf_failed(d->row) < 0)
		return err_set(d->e, ERR_NOMEM, "out of memory");
	d->has_row = true;
	return 0;
}

/* Is there a line feed right behind the record? */
static int
line_end(const struct slicederive *d, struct slicederive_record *r)
{
	uint64_t off = r->rec.off + r->rec.len;
	uint8_t end = 0;
	size_t n;
	int rc;

	r->ends = false;
	if (!d->lines || off < r->rec.off || off > bytesrc_size(r->src))
		return 0;
	if ((rc = bytesrc_read_some(r->src, off, &end, 1, &n, d->e)) < 0)
		return rc;
	r->ends = n > 0 && end == '\n';
	return 0;
}

/* Where its bytes are; 1 when they can be had, 0 when there are none. */
static int
find_bytes(struct slicederive *d, struct slicederive_record *r)
{
	int rc;

	r->damaged = r->rec.damaged;
	r->row = d->row;
	r->src = rowset_source(d->rs);
	r->rs = d->rs;
	r->how = !r->rec.verbatim ? SLICE_ROW :
	    r->rec.unpacked ? SLICE_UNPACKED : SLICE_VERBATIM;
	if (r->how != SLICE_ROW)
		return (rc = line_end(d, r)) < 0 ? rc : 1;
	rc = r->damaged ? ERR_FORMAT : make_row(d, r);
	if (!is_evidence(rc))
		return rc < 0 ? rc : 1;
	err_reset(d->e);
	r->damaged = true;
	r->how = SLICE_NOTHING;
	return 0;
}

/* An enum rows_taken. */
static int
judge(struct slicederive *d, struct slicederive_record *r)
{
	uint8_t key[32];
	int rc;

	d->has_row = false;
	if (rows_slice_samples(d->slice)) {
		if ((rc = find_bytes(d, r)) <= 0)
			return rc < 0 ? rc : ROWS_UNDECIDED;
		if ((rc = slicederive_digest(r, key, d->e)) < 0)
			return rc;
	}
	rc = rows_slice_takes(d->slice, d->rs, &r->rec, key, digest_small,
	    d->e);
	if (!is_evidence(rc))
		return rc;
	err_reset(d->e);
	tell(d, r->rec.file, r->rec.off, "a record cannot be judged: its "
	    "fields cannot be read");
	return ROWS_UNDECIDED;
}

static int
one(struct slicederive *d, struct slicederive_record *r)
{
	int rc;

	d->seen++;
	if ((rc = judge(d, r)) < 0)
		return rc;
	if (rc == ROWS_UNDECIDED) {
		d->undecided_count++;
		d->damaged++;
		return d->undecided(d->ctx, &r->rec);
	}
	if (rc == ROWS_TAKEN && (rc = find_bytes(d, r)) >= 0) {
		d->taken++;
		rc = d->take(d->ctx, r);
	}
	d->damaged += r->damaged || r->rec.damaged;
	return rc < 0 ? rc : 0;
}

static int
skip_to_first(struct slicederive *d)
{
	uint64_t first = rows_slice_first(d->slice);
	int rc;

	if (first == 0)
		return 0;
	/* A file that breaks on the way has told; the next one is tried. */
	while ((rc = rowset_skip_to(d->rs, first, d->e)) == ERR_FORMAT) {
		err_reset(d->e);
		d->broken++;
	}
	return rc;
}

static int
all(struct slicederive *d)
{
	uint64_t last = rows_slice_last(d->slice), next;
	struct slicederive_record r;
	int rc;

	if ((rc = skip_to_first(d)) < 0)
		return rc;
	next = rows_slice_first(d->slice);
	while (next < last) {
		memset(&r, 0, sizeof(r));
		if ((rc = rowset_next(d->rs, &r.rec, d->e)) == ERR_FORMAT) {
			err_reset(d->e);
			d->broken++;
			continue;
		}
		if (rc == 0)
			d->reached = true;
		if (rc <= 0)
			return rc;
		next = r.rec.index + 1;
		if (r.rec.index < last && (rc = one(d, &r)) < 0)
			return rc;
	}
	return 0;
}

static int
parse(struct slicederive *d)
{
	size_t i = 0;
	int rc;

	if ((rc = rows_slice_parse(d->spec, d->spec_len, d->arena, &d->slice,
	    d->e)) < 0)
		return rc;
	for (; rows_slice_file(d->slice, i) != NULL; i++) {
		if (i >= d->nids)
			return err_set(d->e, ERR_ARG, "a file of ids is "
			    "missing");
		if ((rc = rows_slice_ids(d->slice, i, d->ids[i].p,
		    d->ids[i].n, d->arena, d->e)) < 0)
			return rc;
	}
	return 0;
}

static int
open_set(struct slicederive *d)
{
	const struct rows_params p = {.file = d->j->file,
	    .files = d->j->files, .arena = d->arena, .tell = tell,
	    .ctx = d};
	const char *format;
	int rc;

	if ((rc = rowset_open(&p, &d->rs, d->e)) < 0) {
		if (rc != ERR_NOTFOUND && !is_evidence(rc))
			return rc;
		if (rc == ERR_NOTFOUND)
			tell(d, 0, 0, "no known format of data sets");
		err_reset(d->e);
		d->broken++;
		return 0;
	}
	format = rowset_format(d->rs);
	d->lines = strcmp(format, "jsonl") == 0 || strcmp(format, "csv") == 0;
	if ((rc = d->begin(d->ctx, d->rs, d->lines)) >= 0)
		rc = all(d);
	rowset_close(d->rs);
	return rc;
}

int
slicederive_run(struct slicederive *d, struct err *e)
{
	struct buf row;
	int rc;

	d->e = e;
	d->row = &row;
	buf_init(&row, LIMIT_SLICE_ROW);
	if ((d->arena = arena_new(LIMIT_INTAKE_ARENA)) == NULL)
		rc = err_set(e, ERR_NOMEM, "out of memory");
	else if ((rc = parse(d)) >= 0)
		rc = open_set(d);
	buf_release(&row);
	arena_free(d->arena);
	return rc;
}
