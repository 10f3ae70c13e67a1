#include <string.h>

#include "analyzer/intake/slice_check.h"
#include "analyzer/intake/slice_worker.h"
#include "analyzer/intake/slicederive.h"
#include "analyzer/intake/slicejob.h"
#include "base/arena.h"
#include "base/bytesrc.h"
#include "base/err.h"
#include "base/limits.h"
#include "formats/rows/rowset.h"
#include "formats/rows/slice.h"

#define SPEC_ARENA (16 * MIB)

struct sender {
	struct slicejob *j;
	uint64_t fields;
	int failed;		/* of a callback that returns nothing */
};

static size_t
cut(const char *s)
{
	size_t n = strlen(s);

	return n < SLICE_TEXT ? n : SLICE_TEXT;
}

static int
send(struct sender *s, uint8_t type, const struct field_def *d, unsigned n,
    const struct field *v)
{
	return outbox_send(&s->j->out, type, d, n, v, s->j->e);
}

static void
send_told(void *ctx, uint32_t file, uint64_t off, const char *what)
{
	struct field v[SLICE_P_COLUMNS] = {{0}};
	struct sender *s = ctx;
	int r;

	fields_u64(&v[SLICE_P_FILE], file);
	fields_u64(&v[SLICE_P_OFF], off);
	fields_text(&v[SLICE_P_WHAT], what, cut(what));
	r = send(s, SLICE_TOLD, slicewire_told, SLICE_P_COLUMNS, v);
	if (r < 0)
		s->failed = r;
}

static void
send_field(void *ctx, const char *name, const char *type)
{
	struct field v[SLICE_C_COLUMNS] = {{0}};
	struct sender *s = ctx;
	int r;

	if (s->fields++ >= LIMIT_SLICE_FIELDS)
		return;
	fields_text(&v[SLICE_C_NAME], name, cut(name));
	if (type != NULL)
		fields_text(&v[SLICE_C_TYPE], type, cut(type));
	r = send(s, SLICE_FIELD, slicewire_field, SLICE_C_COLUMNS, v);
	if (r < 0)
		s->failed = r;
}

static int
send_format(void *ctx, struct rowset *rs, bool lines)
{
	struct field v[SLICE_F_COLUMNS] = {{0}};
	const char *format = rowset_format(rs);
	struct sender *s = ctx;
	int r;

	fields_text(&v[SLICE_F_FORMAT], format, cut(format));
	fields_bool(&v[SLICE_F_LINES], lines);
	if ((r = send(s, SLICE_FORMAT, slicewire_format, SLICE_F_COLUMNS,
	    v)) < 0)
		return r;
	r = rowset_fields(rs, send_field, s, s->j->e);
	if (r == ERR_FORMAT || r == ERR_TRUNC) {
		/* Told by the reader; the records are asked for all the same. */
		err_reset(s->j->e);
		r = 0;
	}
	return r < 0 ? r : s->failed;
}

static int
send_bytes(struct sender *s, const uint8_t *p, size_t n)
{
	struct field v[SLICE_D_COLUMNS] = {{0}};

	fields_text(&v[SLICE_D_BYTES], p, n);
	return send(s, SLICE_DATA, slicewire_data, SLICE_D_COLUMNS, v);
}

static int
send_memory(struct sender *s, const uint8_t *p, size_t len)
{
	size_t n;
	int r = 0;

	for (size_t at = 0; at < len && r >= 0; at += n) {
		n = len - at < SLICE_CHUNK ? len - at : SLICE_CHUNK;
		r = send_bytes(s, p + at, n);
	}
	return r;
}

static int
send_source(struct sender *s, const struct slicederive_record *r)
{
	static uint8_t chunk[SLICE_CHUNK];
	uint64_t off = r->rec.off, left = r->rec.len;
	size_t n;
	int rc;

	for (; left > 0; off += n, left -= n) {
		n = left < sizeof(chunk) ? (size_t)left : sizeof(chunk);
		if ((rc = bytesrc_read(r->src, off, chunk, n, s->j->e)) < 0 ||
		    (rc = send_bytes(s, chunk, n)) < 0)
			return rc;
	}
	return 0;
}

/* The bytes of a row, or of a record that has been decompressed. */
static int
send_record(struct sender *s, const struct slicederive_record *r)
{
	const uint8_t *p;
	size_t n;
	int rc;

	p = slicederive_bytes(r, &n);
	rc = p != NULL ? send_memory(s, p, n) : send_source(s, r);
	return rc >= 0 && r->ends ? send_memory(s, (const uint8_t *)"\n", 1) :
	    rc;
}

static int
send_taken(void *ctx, const struct slicederive_record *r)
{
	struct field v[SLICE_T_COLUMNS] = {{0}};
	struct sender *s = ctx;
	int rc;

	fields_u64(&v[SLICE_T_INDEX], r->rec.index);
	fields_u64(&v[SLICE_T_FILE], r->rec.file);
	fields_u64(&v[SLICE_T_OFF], r->rec.off);
	fields_u64(&v[SLICE_T_LEN], r->rec.len);
	fields_u64(&v[SLICE_T_HOW], r->how);
	fields_bool(&v[SLICE_T_DAMAGED], r->damaged);
	fields_u64(&v[SLICE_T_SIZE], r->how == SLICE_ROW ? r->row->len :
	    r->how == SLICE_UNPACKED ? r->rec.len + r->ends : 0);
	rc = send(s, SLICE_TAKEN, slicewire_taken, SLICE_T_COLUMNS, v);
	if (rc >= 0 && (r->how == SLICE_ROW || r->how == SLICE_UNPACKED))
		rc = send_record(s, r);
	return rc < 0 ? rc : s->failed;
}

static int
send_undecided(void *ctx, const struct rows_record *r)
{
	struct field v[SLICE_T_COLUMNS] = {{0}};
	struct sender *s = ctx;

	fields_u64(&v[SLICE_T_INDEX], r->index);
	fields_u64(&v[SLICE_T_FILE], r->file);
	fields_u64(&v[SLICE_T_OFF], r->off);
	fields_u64(&v[SLICE_T_LEN], r->len);
	return send(s, SLICE_UNDECIDED, slicewire_taken, SLICE_T_COLUMNS, v);
}

static int
derive(struct slicejob *j)
{
	struct sender s = {.j = j};
	struct slicederive d = {.j = j, .spec = j->spec,
	    .spec_len = j->spec_len, .ids = j->ids, .nids = j->nids,
	    .begin = send_format, .take = send_taken,
	    .undecided = send_undecided, .tell = send_told, .ctx = &s};
	struct field v[SLICE_E_COLUMNS] = {{0}};
	int r;

	if ((r = slicederive_run(&d, j->e)) < 0)
		return r;
	fields_u64(&v[SLICE_E_SEEN], d.seen);
	fields_u64(&v[SLICE_E_TAKEN], d.taken);
	fields_u64(&v[SLICE_E_UNDECIDED], d.undecided_count);
	fields_u64(&v[SLICE_E_DAMAGED], d.damaged);
	fields_u64(&v[SLICE_E_BROKEN], d.broken);
	fields_bool(&v[SLICE_E_REACHED], d.reached);
	r = send(&s, SLICE_END, slicewire_end, SLICE_E_COLUMNS, v);
	return r < 0 ? r : s.failed;
}

int
slice_worker_main(void *arg, int out_fd)
{
	struct err e = ERR_INIT;
	struct slicejob j;
	int r, r2;

	if (slicejob_receive(&j, arg, &e) < 0 || slicederive_start(&e) < 0 ||
	    slicejob_fence(&j, out_fd) < 0)
		return 2;
	if ((r = slicejob_load(&j)) >= 0)
		r = j.go.check != 0 ? slice_check(&j) : derive(&j);
	/* What was found before a failure is said all the same. */
	r2 = outbox_flush(&j.out, &e);
	slicejob_release(&j);
	return r < 0 || r2 < 0 ? 1 : 0;
}

int
slice_spec(const char *spec, int (*each)(void *ctx, const char *name,
    struct err *e), void *ctx, struct err *e)
{
	struct arena *a = arena_new(SPEC_ARENA);
	struct rows_slice *s;
	const char *name;
	int r;

	if (a == NULL)
		return err_set(e, ERR_NOMEM, "out of memory");
	r = rows_slice_parse(spec, strlen(spec), a, &s, e);
	for (size_t i = 0; r >= 0 && each != NULL &&
	    (name = rows_slice_file(s, i)) != NULL; i++)
		r = each(ctx, name, e);
	arena_free(a);
	return r;
}
