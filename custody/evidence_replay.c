#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/bug.h"
#include "base/err.h"
#include "base/limits.h"
#include "custody/bag.h"
#include "custody/evidence_parts.h"

/*
 * Method.  Nothing of a writer's state is kept anywhere: stream digest,
 * manifests, tree, names and offsets come about again by giving the same
 * members to the same code.  What the journal says of a member can be wrong,
 * and so can the file: the header that the writer makes of the journal's
 * words is compared with the file's bytes, and the digests that it makes of
 * the file's bytes are compared, by the caller, with the journal's.
 */
#define COMPARE (64 * KIB)	/* the gathering buffer, unused meanwhile */
#define ACQUISITION_MAX (16 * MIB)

static int
pread_some(int fd, void *p, size_t n, uint64_t off, size_t *got,
    struct err *e)
{
	ssize_t r;

	do
		r = pread(fd, p, n, (off_t)off);
	while (r < 0 && errno == EINTR);
	if (r < 0)
		return err_sys(e, errno, "cannot read the partial bundle");
	if (r == 0)
		return err_set(e, ERR_VERIFY, "the partial bundle is shorter "
		    "than its journal says");
	*got = (size_t)r;
	return 0;
}

int
evidence_part_compare(struct evidence_writer *w, uint64_t off,
    const void *p, size_t n, struct err *e)
{
	const uint8_t *s = p;
	size_t got;
	int r;

	for (; n > 0; n -= got, s += got, off += got) {
		if ((r = pread_some(w->fd, w->pending, n < COMPARE ? n :
		    COMPARE, off, &got, e)) < 0)
			return r;
		if (memcmp(w->pending, s, got) != 0)
			return err_set(e, ERR_VERIFY, "the partial bundle is "
			    "not the one of its journal");
	}
	return 0;
}

int
evidence_part_whole(struct evidence_writer *w, struct err *e)
{
	return w->note == NULL || w->replay ? 0 :
	    w->note(w->note_ctx, &w->item, e);
}

int
evidence_sync(struct evidence_writer *w, bool disk, struct err *e)
{
	int r;

	BUG_ON(w->replay);
	if (w->npending > 0 && (r = evidence_flush(w, e)) < 0)
		return r;
	if (disk && fdatasync(w->fd) < 0)
		return evidence_part_done(w, err_sys(e, errno,
		    "cannot write the bundle to the disk"));
	return 0;
}

bool
evidence_between(const struct evidence_writer *w)
{
	return w->step == EVIDENCE_PAYLOAD;
}

int
evidence_inside(const struct evidence_writer *w, struct evidence_note *ret,
    struct err *e)
{
	struct evidence_note m = w->item;
	int r;

	BUG_ON(w->step != EVIDENCE_MEMBER);
	if ((r = digest_now(w->member, &m.place.digests, e)) < 0)
		return r;
	*ret = m;
	return 0;
}

static int
replay_acquisition(struct evidence_writer *w, const struct evidence_note *m,
    struct digests *d, struct err *e)
{
	uint64_t at = m->place.data_offset, left = m->size;
	struct buf b;
	size_t got;
	int r = 0;

	if (m->size > ACQUISITION_MAX)
		return err_set(e, ERR_VERIFY, "the journal's first member is "
		    "too long");
	buf_init(&b, ACQUISITION_MAX);
	for (; left > 0 && r >= 0; left -= got, at += got) {
		got = left < LIMIT_COPY_CHUNK ? (size_t)left :
		    LIMIT_COPY_CHUNK;
		if ((r = pread_some(w->fd, w->buffer, got, at, &got,
		    e)) >= 0)
			buf_put(&b, w->buffer, got);
	}
	if (r >= 0 && (r = buf_failed(&b)) < 0)
		r = err_set(e, ERR_NOMEM, "out of memory");
	if (r >= 0 && (r = digest_mem(b.p, b.len, w->set, d, e)) >= 0)
		r = evidence_tag(w, BAG_ACQUISITION, b.p, b.len, e);
	buf_release(&b);
	return r;
}

static int
replay_payload(struct evidence_writer *w, const struct evidence_note *m,
    uint64_t n, struct digests *d, struct err *e)
{
	struct evidence_place place;
	uint64_t left = n, short_by;
	size_t got;
	int r;

	if (m->mtime > INT64_MAX)
		return err_set(e, ERR_VERIFY, "the journal has a member with "
		    "an impossible time");
	if ((r = evidence_begin(w, m->name, m->size, (int64_t)m->mtime,
	    e)) < 0)
		return r;
	for (; left > 0; left -= got) {
		got = left < LIMIT_COPY_CHUNK ? (size_t)left :
		    LIMIT_COPY_CHUNK;
		if ((r = pread_some(w->fd, w->buffer, got, w->off, &got,
		    e)) < 0 || (r = evidence_put(w, w->buffer, got, e)) < 0)
			return r;
	}
	if (n < m->size)
		return digest_now(w->member, d, e);
	if ((r = evidence_end(w, &place, &short_by, e)) >= 0)
		*d = place.digests;
	return r;
}

int
evidence_replay_member(struct evidence_writer *w,
    const struct evidence_note *m, uint64_t n, struct digests *d,
    struct err *e)
{
	const bool first = w->step == EVIDENCE_START;
	int r;

	BUG_ON(!w->replay || n > m->size);
	if (first != (strcmp(m->name, BAG_ACQUISITION) == 0) ||
	    (first && n < m->size) ||
	    (!first && w->step != EVIDENCE_PAYLOAD))
		return evidence_part_done(w, err_set(e, ERR_VERIFY,
		    "the journal's members are out of order"));
	r = first ? replay_acquisition(w, m, d, e) :
	    replay_payload(w, m, n, d, e);
	return evidence_part_done(w, r);
}

int
evidence_replay_end(struct evidence_writer *w, struct err *e)
{
	BUG_ON(!w->replay || w->npending > 0);
	if (ftruncate(w->fd, (off_t)w->off) < 0 ||
	    lseek(w->fd, (off_t)w->off, SEEK_SET) < 0)
		return evidence_part_done(w, err_sys(e, errno,
		    "cannot cut the partial bundle"));
	w->replay = false;
	return 0;
}
