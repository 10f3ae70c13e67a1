#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "analyzer/intake/slice_check.h"
#include "analyzer/intake/slicederive.h"
#include "analyzer/intake/slicejob.h"
#include "analyzer/intake/slicelines.h"
#include "base/arena.h"
#include "base/bytesrc.h"
#include "base/err.h"
#include "base/limits.h"
#include "base/text.h"
#include "custody/evidence_read.h"

#define SLICES 4096		/* of one bundle */
#define CHECK_ARENA (512 * MIB)
#define TAIL "/slice.json"

/* One slice of the bundle. */
struct check {
	struct slicejob *j;
	const struct bytesrc *bundle;
	struct arena *a;
	const char *dir;	/* its members' folder */
	const char *source;	/* path, raw bytes */
	const char *spec;
	size_t source_len, spec_len;
	bool folder;
	uint64_t undecided;
	struct slicejob_ids *ids;
	size_t nids;
	struct slicelines records;
	uint64_t count;
	bool fails;
	char reason[SLICE_TEXT];
	struct err *e;
};

/* What does not agree, once; and ERR_STOP. */
__attribute__((format(printf, 2, 3))) static int
differs(struct check *k, const char *fmt, ...)
{
	size_t n = strlen(k->reason);
	va_list ap;

	k->fails = true;
	if (n > 0 && n + 2 < sizeof(k->reason)) {
		memcpy(k->reason + n, "; ", 3);
		n += 2;
	}
	va_start(ap, fmt);
	(void)vsnprintf(k->reason + n, sizeof(k->reason) - n, fmt, ap);
	va_end(ap);
	return ERR_STOP;
}

/* A member of the slice: 1 and its bytes, 0: it is not there. */
static int
member(struct check *k, const char *leaf, struct bytesrc **ret)
{
	struct arena *a = arena_new(CHECK_ARENA);
	struct evidence_member m;
	char name[LIMIT_MEMBER_NAME + 64];
	int r;

	if (a == NULL)
		return err_set(k->e, ERR_NOMEM, "out of memory");
	(void)snprintf(name, sizeof(name), "%s/%s", k->dir, leaf);
	if ((r = evidence_find(k->bundle, a, name, &m, k->e)) > 0) {
		*ret = bytesrc_range(k->bundle, m.data_offset, m.size, k->e);
		r = *ret != NULL ? 1 : ERR_TRUNC;
	}
	arena_free(a);
	return r;
}

static int
lines(struct check *k, const char *leaf, struct slicelines *l)
{
	struct bytesrc *src;
	int r;

	if ((r = member(k, leaf, &src)) < 0)
		return r;
	if (r == 0)
		return err_set(k->e, ERR_FORMAT, "%s is missing", leaf);
	return slicelines_open(l, src, k->e);
}

static int
load_json(struct check *k)
{
	struct slicelines l = {0};
	int r;

	if ((r = lines(k, "slice.json", &l)) >= 0 &&
	    (r = slicelines_next(&l, k->e)) >= 0) {
		k->spec = slicelines_hex(&l, "spec_hex", k->a, &k->spec_len);
		k->source = slicelines_hex(&l, "source.path_hex", k->a,
		    &k->source_len);
		k->folder = slicelines_true(&l, "source.folder");
		r = k->spec != NULL && k->source != NULL &&
		    slicelines_u64(&l, "undecided_count", &k->undecided) ? 0 :
		    err_set(k->e, ERR_FORMAT, "slice.json is not one of ours");
	}
	slicelines_close(&l);
	return r;
}

static int
load_ids(struct check *k)
{
	struct slicejob_ids *ids = arena_array(k->a, 64, sizeof(*ids));
	struct bytesrc *src;
	char leaf[32], *p;
	uint64_t n;
	int r = 0;

	if (ids == NULL)
		return err_set(k->e, ERR_NOMEM, "out of memory");
	k->ids = ids;
	for (; k->nids < 64; k->nids++) {
		(void)snprintf(leaf, sizeof(leaf), "ids-%zu", k->nids + 1);
		if ((r = member(k, leaf, &src)) <= 0)
			return r;
		n = bytesrc_size(src);
		p = n <= LIMIT_SLICE_IDS ? arena_alloc(k->a, (size_t)n) :
		    NULL;
		r = p == NULL ? err_set(k->e, ERR_NOMEM, "out of memory") :
		    bytesrc_read(src, 0, p, (size_t)n, k->e);
		bytesrc_free(src);
		if (r < 0)
			return r;
		ids[k->nids] = (struct slicejob_ids){p, (size_t)n};
	}
	return 0;
}

/* --- the source ----------------------------------------------------------- */

static int
compare_file(struct check *k, const struct slicelines *l, size_t i)
{
	const struct rows_file *f = &k->j->file[i];
	const char *name, *sha;
	uint8_t now[32];
	char shown[80];
	size_t nn, sn;
	int r;

	name = slicelines_hex(l, "name_hex", k->a, &nn);
	if (name == NULL)
		return err_set(k->e, ERR_FORMAT, "sources.jsonl is not ours");
	if (k->folder && (nn != f->name_len || memcmp(name, f->name, nn) !=
	    0)) {
		(void)differs(k, "the data set has other files: '%s'",
		    text_z(shown, sizeof(shown), f->name, f->name_len));
		return 0;
	}
	sha = slicelines_hex(l, "sha256", k->a, &sn);
	if (sha == NULL || sn != 32) {
		(void)differs(k, "the source had no digest when it was "
		    "taken");
		return 0;
	}
	if ((r = slicederive_whole(f->src, now, k->e)) < 0)
		return r;
	if (memcmp(now, sha, 32) != 0)
		(void)differs(k, "'%s' has another SHA-256 than the source "
		    "that was taken", text_z(shown, sizeof(shown), f->name,
		    f->name_len));
	return 0;
}

static int
compare_files(struct check *k)
{
	struct slicelines l = {0};
	size_t i = 0;
	int r;

	if ((r = lines(k, "sources.jsonl", &l)) >= 0)
		while ((r = slicelines_next(&l, k->e)) > 0) {
			if (i < k->j->files && !k->fails &&
			    (r = compare_file(k, &l, i)) < 0)
				break;
			i++;
		}
	slicelines_close(&l);
	if (r >= 0 && i != k->j->files)
		(void)differs(k, "the data set has %zu files, %zu when it was "
		    "taken", k->j->files, i);
	return r;
}

/* --- the records ---------------------------------------------------------- */

static int
begin(void *ctx, struct rowset *rs, bool lines_of)
{
	(void)ctx;
	(void)rs;
	(void)lines_of;
	return 0;
}

static bool
is(const struct slicelines *l, const char *key, uint64_t v)
{
	uint64_t was;

	return slicelines_u64(l, key, &was) && was == v;
}

static int
compare_record(void *ctx, const struct slicederive_record *r)
{
	struct check *k = ctx;
	struct slicelines *l = &k->records;
	uint8_t now[32];
	const char *sha;
	size_t n;
	int rc;

	if ((rc = slicelines_next(l, k->e)) < 0)
		return rc;
	if (rc == 0 || !is(l, "index", r->rec.index))
		return differs(k, "record %" PRIu64 " belongs to the slice, "
		    "and is not the next one in the bundle", r->rec.index);
	if (!is(l, "file", r->rec.file) || !is(l, "offset", r->rec.off) ||
	    !is(l, "length", r->rec.len))
		return differs(k, "record %" PRIu64 " lies elsewhere",
		    r->rec.index);
	k->count++;
	if (r->how == SLICE_NOTHING)
		return 0;
	if ((rc = slicederive_digest(r, now, k->e)) < 0)
		return rc;
	sha = slicelines_hex(l, "sha256", l->a, &n);
	return sha != NULL && n == 32 && memcmp(sha, now, 32) == 0 ? 0 :
	    differs(k, "record %" PRIu64 " has other bytes", r->rec.index);
}

static int
count_undecided(void *ctx, const struct rows_record *r)
{
	(void)ctx;
	(void)r;
	return 0;
}

static int
compare_records(struct check *k)
{
	struct slicederive d = {.j = k->j, .spec = k->spec,
	    .spec_len = k->spec_len, .ids = k->ids, .nids = k->nids,
	    .begin = begin, .take = compare_record,
	    .undecided = count_undecided, .ctx = k};
	int r;

	if ((r = lines(k, "records.jsonl", &k->records)) < 0 ||
	    (r = slicederive_run(&d, k->e)) < 0) {
		slicelines_close(&k->records);
		return r == ERR_STOP ? 0 : r;
	}
	r = slicelines_next(&k->records, k->e);
	slicelines_close(&k->records);
	if (r > 0)
		(void)differs(k, "the bundle has more records of it than the "
		    "slice takes");
	if (r >= 0 && d.undecided_count != k->undecided)
		(void)differs(k, "%" PRIu64 " records cannot be judged, "
		    "%" PRIu64 " when it was taken", d.undecided_count,
		    k->undecided);
	return r < 0 ? r : 0;
}

/* --- all of it ------------------------------------------------------------ */

static int
say(struct check *k)
{
	struct field v[SLICE_K_COLUMNS] = {{0}};

	if (!k->fails)
		(void)snprintf(k->reason, sizeof(k->reason), "the source's "
		    "digest, and the slice's %" PRIu64 " records by their "
		    "numbers, places and digests", k->count);
	fields_text(&v[SLICE_K_SLICE], k->dir, strnlen(k->dir, SLICE_TEXT));
	if (k->source != NULL)
		fields_text(&v[SLICE_K_SOURCE], k->source, k->source_len <
		    SLICE_TEXT ? k->source_len : SLICE_TEXT);
	fields_bool(&v[SLICE_K_HOLDS], !k->fails);
	fields_u64(&v[SLICE_K_RECORDS], k->count);
	fields_text(&v[SLICE_K_REASON], k->reason, strlen(k->reason));
	return outbox_send(&k->j->out, SLICE_CHECKED, slicewire_checked,
	    SLICE_K_COLUMNS, v, k->e);
}

/* The last part of a path. */
static const char *
base(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash != NULL ? slash + 1 : path;
}

static int
compare(struct check *k)
{
	const struct rows_file was = k->j->files > 0 ? k->j->file[0] :
	    (struct rows_file){0};
	int r;

	if ((r = load_ids(k)) < 0)
		return r;
	/* A file's format may show in its name, and that may be another. */
	if (!k->folder && k->j->files == 1) {
		k->j->file[0].name = base(k->source);
		k->j->file[0].name_len = strlen(base(k->source));
	}
	if ((r = compare_files(k)) >= 0)
		r = compare_records(k);
	if (k->j->files > 0)
		k->j->file[0] = was;
	return r;
}

static int
check_one(struct slicejob *j, const struct bytesrc *bundle, const char *dir,
    bool only)
{
	struct err why = ERR_INIT;
	struct check k = {.j = j, .bundle = bundle, .dir = dir, .e = &why};
	int r;

	if ((k.a = arena_new(CHECK_ARENA)) == NULL)
		return err_set(j->e, ERR_NOMEM, "out of memory");
	r = load_json(&k);
	if (r >= 0 && !only && strcmp(base(k.source), j->spec) != 0) {
		arena_free(k.a);
		return 0;
	}
	if (r >= 0)
		r = compare(&k);
	if (r < 0 && r != ERR_NOMEM && r != ERR_CHILD)
		(void)differs(&k, "it cannot be checked: %s", why.msg[0] !=
		    '\0' ? why.msg : err_name((enum err_code)r));
	r = r == ERR_NOMEM || r == ERR_CHILD ? r : say(&k);
	arena_free(k.a);
	return r;
}

static int
find_slices(const struct bytesrc *bundle, struct arena *a, const char **dir,
    size_t *n, struct err *e)
{
	struct evidence_walk *w;
	struct evidence_member m;
	size_t tail = sizeof(TAIL) - 1;
	int r;

	*n = 0;
	if ((r = evidence_walk_new(bundle, a, &w, e)) < 0)
		return r;
	while ((r = evidence_walk_next(w, &m, e)) > 0) {
		const char *p = strstr(m.name, ".slice-");

		if (strncmp(m.name, "data/", 5) != 0 || p == NULL ||
		    m.name_len < tail ||
		    strcmp(m.name + m.name_len - tail, TAIL) != 0)
			continue;
		if (*n == SLICES)
			return err_set(e, ERR_LIMIT, "too many slices");
		if ((dir[(*n)++] = arena_dup(a, m.name, m.name_len - tail)) ==
		    NULL)
			return err_set(e, ERR_NOMEM, "out of memory");
	}
	return r;
}

int
slice_check(struct slicejob *j)
{
	struct arena *a = arena_new(CHECK_ARENA);
	struct bytesrc *bundle;
	const char **dir;
	size_t n = 0;
	int r;

	bundle = bytesrc_fd(j->bundle_fd, 0, j->go.bundle_size, j->e);
	dir = a != NULL ? arena_array(a, SLICES, sizeof(*dir)) : NULL;
	if (bundle == NULL || dir == NULL)
		r = err_set(j->e, ERR_NOMEM, "out of memory");
	else
		r = find_slices(bundle, a, dir, &n, j->e);
	for (size_t i = 0; r >= 0 && i < n; i++)
		r = check_one(j, bundle, dir[i], n == 1);
	bytesrc_free(bundle);
	arena_free(a);
	return r;
}
