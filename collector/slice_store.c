#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/limits.h"
#include "collector/slice_parts.h"
#include "custody/bag.h"
#include "custody/digest.h"
#include "custody/spool.h"

/*
 * The members of a slice of PATH, below PATH.slice-N: records as they stand
 * in the source, records of decompressed files, rows of what has no such
 * bytes, the files of ids, a line for each record, a line for each file of
 * the source, and slice.json.  N is the first number that is free.
 */
#define NUMBERS 100000

/* A member begins; 1, or 0: it cannot have its name, and that was told. */
static int
try_begin(struct slice *s, const char *leaf, uint64_t size,
    struct slice_member *m)
{
	struct collect *c = s->c;
	struct buf name;
	int r;

	free(m->path);
	m->path = NULL;
	if (asprintf(&m->path, "%s.slice-%u/%s", s->d.path, s->number, leaf) <
	    0) {
		m->path = NULL;
		return err_set(c->e, ERR_NOMEM, "out of memory");
	}
	buf_init(&name, LIMIT_MEMBER_NAME);
	if ((r = bag_member_name(&name, s->s->class, m->path,
	    strlen(m->path), c->e)) >= 0)
		r = evidence_begin(c->w, buf_str(&name), size,
		    s->d.st.stx_mtime.tv_sec, c->e);
	free(m->name);
	m->name = r >= 0 ? strdup(buf_str(&name)) : NULL;
	buf_release(&name);
	return r < 0 ? r : m->name != NULL ? 1 :
	    err_set(c->e, ERR_NOMEM, "out of memory");
}

static int
begin(struct slice *s, const char *leaf, uint64_t size)
{
	struct slice_member *m = &s->member;
	bool chosen = s->number > 0;
	int r;

	if (!chosen)
		s->number = 1;
	while ((r = try_begin(s, leaf, size, m)) == ERR_EXISTS && !chosen &&
	    s->number < NUMBERS) {
		err_reset(s->c->e);
		s->number++;
	}
	if (r > 0) {
		m->size = size;
		return 1;
	}
	if (r != ERR_EXISTS && r != ERR_LIMIT)
		return r;
	err_reset(s->c->e);
	r = record_error(s->c, m->path, r == ERR_EXISTS ?
	    "the member's name is taken" : "the member's name is too long",
	    0);
	return r;
}

/* Of all that was read: is it still what it was? */
static void
look_again(struct slice *s)
{
	s->changed = s->doubled && !s->double_equal;
	for (size_t i = 0; i < s->d.n && !s->changed; i++)
		s->changed = dataset_changed(&s->d, i);
	s->c->totals.changed += s->changed;
}

/* As a file with the source's own attributes, right behind it (journal.h). */
static int
record(struct slice *s, const struct slice_member *m)
{
	struct object o = {.dir = s->d.dir, .class = s->s->class,
	    .name = s->d.folder ? "." : s->d.v[0].name, .path = m->path,
	    .st = s->d.st};
	struct taken t = {.stored = true, .dense = true,
	    .noatime = s->noatime, .changed = s->changed,
	    .doubled = s->doubled, .double_equal = s->double_equal,
	    .place = m->place, .short_by = m->short_by,
	    .ns = clock_mono_ns() - s->began_ns};

	t.flags = s->noatime ? "O_RDONLY|O_NOFOLLOW|O_NOATIME" :
	    "O_RDONLY|O_NOFOLLOW (O_NOATIME: EPERM)";
	o.st.stx_mode = (uint16_t)(S_IFREG | (o.st.stx_mode & 0666));
	o.st.stx_nlink = 1;
	o.st.stx_blocks = 0;
	o.st.stx_size = m->size;
	t.before = t.after = o.st;
	s->c->totals.stored++;
	s->c->totals.bytes += m->size;
	s->c->classes |= 1U << s->s->class;
	return record_object(s->c, &o, m->name, &t, NULL, 0, "slice");
}

static int
end(struct slice *s)
{
	struct slice_member *m = &s->member;
	int r;

	if ((r = evidence_end(s->c->w, &m->place, &m->short_by, s->c->e)) < 0)
		return r;
	return record(s, m);
}

/* --- bytes that wait ------------------------------------------------------ */

struct pour {
	struct evidence_writer *w;
	uint64_t left;
};

static int
pour(void *ctx, const void *p, size_t n, struct err *e)
{
	struct pour *o = ctx;

	/* What a dead worker left half is not a record. */
	if (n > o->left)
		n = (size_t)o->left;
	o->left -= n;
	return n == 0 ? 0 : evidence_put(o->w, p, n, e);
}

static int
store_spool(struct slice *s, const char *leaf, const struct spool *from,
    uint64_t size)
{
	struct pour o = {s->c->w, size};
	int r;

	if ((r = begin(s, leaf, size)) <= 0)
		return r;
	if ((r = spool_each(from, pour, &o, s->c->e)) < 0)
		return r;
	return end(s);
}

static int
store_bytes(struct slice *s, const char *leaf, const void *p, size_t n)
{
	int r;

	if ((r = begin(s, leaf, n)) <= 0)
		return r;
	if (n > 0 && (r = evidence_put(s->c->w, p, n, s->c->e)) < 0)
		return r;
	return end(s);
}

/* --- records from the source ---------------------------------------------- */

struct copying {
	struct slice *s;
	bool put;		/* a member is open for them */
	uint8_t part[sizeof(struct slice_entry)];
	size_t have;
};

/* Of a record's ${n} bytes at ${off}, ${in} belong to its digest. */
static int
put_chunk(struct copying *k, const uint8_t *p, size_t n, size_t in)
{
	struct slice *s = k->s;
	int r;

	if ((r = digest_put(s->digest, p, in, s->c->e)) < 0)
		return r;
	throttle_wait(&s->c->rate, n);
	return k->put ? evidence_put(s->c->w, p, n, s->c->e) : 0;
}

/* What cannot be read is zeros, and counted. */
static void
fill(struct slice *s, struct slice_entry *en, uint8_t *p, size_t n,
    ssize_t got)
{
	size_t have = got > 0 ? (size_t)got : 0;

	if (have == n)
		return;
	memset(p + have, 0, n - have);
	en->zeros += n - have;
	s->read_errors++;
}

static int
copy_verbatim(struct copying *k, struct slice_entry *en)
{
	static uint8_t chunk[LIMIT_COPY_CHUNK];
	struct slice *s = k->s;
	struct digests out;
	size_t n, in;
	int fd, r;

	if ((r = digest_reset(s->digest, s->c->e)) < 0)
		return r;
	fd = slice_fd(s, (size_t)en->file);
	for (uint64_t at = 0; at < en->stored; at += n) {
		n = en->stored - at < sizeof(chunk) ?
		    (size_t)(en->stored - at) : sizeof(chunk);
		fill(s, en, chunk, n, fd < 0 ? -1 : slice_pread(fd,
		    en->off + at, chunk, n));
		in = at >= en->len ? 0 : en->len - at < n ?
		    (size_t)(en->len - at) : n;
		if ((r = put_chunk(k, chunk, n, in)) < 0)
			return r;
	}
	if ((r = digest_now(s->digest, &out, s->c->e)) >= 0)
		memcpy(en->sha256, out.sha256, 32);
	return r;
}

static int
copy_entry(struct copying *k, struct slice_entry *en, struct err *e)
{
	struct buf b;
	int r = 0;

	if (en->how == SLICE_VERBATIM && (r = copy_verbatim(k, en)) < 0)
		return r;
	buf_init(&b, 4 * KIB);
	slice_put_record(&b, en);
	if ((r = buf_failed(&b)) < 0)
		r = err_set(e, (enum err_code)r, "a record is too long");
	else
		r = spool_put(k->s->lines_out, b.p, b.len, e);
	buf_release(&b);
	return r;
}

/* Entries in pieces of any length. */
static int
copy_entries(void *ctx, const void *p, size_t n, struct err *e)
{
	struct copying *k = ctx;
	const uint8_t *at = p;
	struct slice_entry en;
	size_t part;
	int r;

	while (n > 0) {
		part = sizeof(k->part) - k->have;
		if (part > n)
			part = n;
		memcpy(k->part + k->have, at, part);
		k->have += part;
		at += part;
		n -= part;
		if (k->have < sizeof(k->part))
			break;
		memcpy(&en, k->part, sizeof(en));
		k->have = 0;
		if ((r = copy_entry(k, &en, e)) < 0)
			return r;
	}
	return 0;
}

static int
store_records(struct slice *s)
{
	struct copying k = {.s = s};
	int r = 0;

	if (s->total[SLICE_VERBATIM] > 0) {
		if ((r = begin(s, "records", s->total[SLICE_VERBATIM])) < 0)
			return r;
		k.put = r > 0;
	}
	if ((r = spool_each(s->entries, copy_entries, &k, s->c->e)) < 0)
		return r;
	look_again(s);
	if (k.put && (r = end(s)) < 0)
		return r;
	return s->read_errors == 0 ? 0 : record_error(s->c, s->d.path,
	    "bytes of the slice could not be read and are zeros in the "
	    "bundle", EIO);
}

/* --- all of it ------------------------------------------------------------ */

static int
store_ids(struct slice *s)
{
	char leaf[32];
	int r = 0;

	for (size_t i = 0; i < s->one->nids && r >= 0; i++) {
		(void)snprintf(leaf, sizeof(leaf), "ids-%zu", i + 1);
		r = store_bytes(s, leaf, s->one->ids[i].p, s->one->ids[i].n);
	}
	return r;
}

static int
list_sources(struct slice *s)
{
	struct buf b;
	int r = 0;

	buf_init(&b, 64 * KIB);
	for (size_t i = 0; i < s->d.n && r >= 0; i++) {
		buf_clear(&b);
		slice_put_source(&b, s, i);
		if ((r = buf_failed(&b)) < 0)
			r = err_set(s->c->e, (enum err_code)r,
			    "a record is too long");
		else
			r = spool_put(s->sources, b.p, b.len, s->c->e);
	}
	buf_release(&b);
	return r;
}

static int
store_json(struct slice *s)
{
	struct buf b;
	int r;

	buf_init(&b, 8 * MIB);
	slice_put_json(&b, s);
	if ((r = buf_failed(&b)) < 0)
		r = err_set(s->c->e, (enum err_code)r, "a record is too "
		    "long");
	else
		r = store_bytes(s, "slice.json", b.p, b.len);
	buf_release(&b);
	return r;
}

static int
tell(struct slice *s)
{
	int r = 0;

	if (s->end[SLICE_E_BROKEN] > 0)
		r = record_error(s->c, s->d.path, "the data set, or a file "
		    "of it, cannot be read to its end: slice.json says where",
		    0);
	if (r >= 0 && s->nundecided > 0)
		r = record_error(s->c, s->d.path, "records of it can neither "
		    "be taken nor left: slice.json says which", 0);
	return r;
}

int
slice_store(struct slice *s)
{
	struct collect *c = s->c;
	uint64_t all = s->total[SLICE_VERBATIM] + s->total[SLICE_ROW] +
	    s->total[SLICE_UNPACKED];
	uint64_t taken = c->totals.bytes - c->coverage.before.bytes;
	int r;

	if (s->s->max_bytes > 0 && (taken > s->s->max_bytes ||
	    all > s->s->max_bytes - taken))
		return record_error(c, s->d.path, "left out: the slice is "
		    "larger than the source's limit of bytes", 0);
	if ((r = store_records(s)) < 0)
		return r;
	if (s->total[SLICE_UNPACKED] > 0 && (r = store_spool(s, "unpacked",
	    s->bytes[SLICE_UNPACKED], s->total[SLICE_UNPACKED])) < 0)
		return r;
	if (s->total[SLICE_ROW] > 0 && (r = store_spool(s, "rows.jsonl",
	    s->bytes[SLICE_ROW], s->total[SLICE_ROW])) < 0)
		return r;
	if ((r = store_ids(s)) < 0 || (r = list_sources(s)) < 0 ||
	    (r = store_spool(s, "records.jsonl", s->lines_out,
	    spool_size(s->lines_out))) < 0 ||
	    (r = store_spool(s, "sources.jsonl", s->sources,
	    spool_size(s->sources))) < 0 || (r = store_json(s)) < 0)
		return r;
	return tell(s);
}
