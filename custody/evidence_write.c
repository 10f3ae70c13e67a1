#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/bug.h"
#include "base/err.h"
#include "base/fsio.h"
#include "base/limits.h"
#include "custody/bag.h"
#include "custody/evidence_parts.h"
#include "custody/manifest.h"
#include "custody/nameset.h"
#include "custody/spool.h"
#include "custody/taritem.h"

/*
 * Method.  Every byte goes once through evidence_part_raw: to the lane, that
 * digests the whole stream on a thread of its own, and to the descriptor.
 * The caller's thread digests the member meanwhile.  Large pieces are written
 * from where the caller has them; small ones (headers, padding, small files)
 * are gathered, so that a million of small members is not three million
 * writes.
 *
 * What grows with the number of members: the set of names (fixed bytes for
 * each) and the manifests' text (spooled).
 */
#define PENDING (64 * KIB)
#define NAMES_ARENA GIB		/* 25 million names, see nameset.h */
#define MANIFEST_IN_MEMORY (16 * MIB)
#define MTIME_MAX 077777777777	/* the header's eleven octal digits */

static int
writer_init(struct evidence_writer *w, const struct evidence_params *p,
    struct err *e)
{
	const char *id = p->external_id != NULL ? p->external_id : p->bag;

	w->fd = p->fd;
	w->set = p->digests | DIGEST_SHA256;
	w->note = p->note;
	w->note_ctx = p->note_ctx;
	w->replay = p->replay;
	w->mtime = (uint64_t)p->header_mtime;
	merkle_init(&w->merkle);
	if ((w->arena = arena_new(NAMES_ARENA)) == NULL ||
	    (w->pending = malloc(PENDING)) == NULL ||
	    (w->buffer = malloc(LIMIT_COPY_CHUNK)) == NULL ||
	    (w->name = malloc(LIMIT_MEMBER_NAME + 1)) == NULL ||
	    (w->names = nameset_new(w->arena)) == NULL ||
	    (w->bag = arena_dup(w->arena, p->bag, strlen(p->bag))) == NULL ||
	    (w->external_id = arena_dup(w->arena, id, strlen(id))) == NULL ||
	    (w->tool = arena_dup(w->arena, p->tool,
	    strlen(p->tool))) == NULL)
		return err_set(e, ERR_NOMEM, "out of memory");
	w->item.name = w->name;
	if ((w->stream = lane_new(w->set, e)) == NULL ||
	    (w->member = digest_new(w->set, e)) == NULL ||
	    (w->manifest[0] = spool_new(MANIFEST_IN_MEMORY, e)) == NULL ||
	    ((w->set & DIGEST_SHA512) != 0 && (w->manifest[1] =
	    spool_new(MANIFEST_IN_MEMORY, e)) == NULL))
		return ERR_NOMEM;
	for (unsigned i = 0; i < 2 && p->in_memory; i++)
		if (w->manifest[i] != NULL)
			spool_in_memory(w->manifest[i]);
	return 0;
}

int
evidence_writer_new(const struct evidence_params *p,
    struct evidence_writer **ret, struct err *e)
{
	struct evidence_writer *w = NULL;
	int r;

	if (!bag_name_ok(p->bag, strlen(p->bag)))
		return err_set(e, ERR_ARG, "not a usable name for a bundle");
	if (p->header_mtime < 1 || p->header_mtime > MTIME_MAX)
		return err_set(e, ERR_ARG,
		    "the clock is outside of what a tar header can say");
	if ((w = calloc(1, sizeof(*w))) == NULL)
		return err_set(e, ERR_NOMEM, "out of memory");
	if ((r = writer_init(w, p, e)) < 0 ||
	    (r = evidence_part_tag(w, BAG_BAGIT, bag_bagit_txt,
	    strlen(bag_bagit_txt), e)) < 0)
		goto out;
	*ret = w;
	w = NULL;
	r = 0;
out:
	evidence_writer_free(w);
	return r;
}

void
evidence_writer_free(struct evidence_writer *w)
{
	if (w == NULL)
		return;
	lane_free(w->stream);
	digest_free(w->member);
	spool_free(w->manifest[0]);
	spool_free(w->manifest[1]);
	arena_free(w->arena);
	free(w->pending);
	free(w->buffer);
	free(w->name);
	free(w);
}

uint64_t
evidence_written(const struct evidence_writer *w)
{
	return w->off;
}

int
evidence_part_done(struct evidence_writer *w, int r)
{
	if (r < 0)
		w->step = EVIDENCE_FAILED;
	return r;
}

int
evidence_part_flush(struct evidence_writer *w, struct err *e)
{
	int r = fsio_write_all(w->fd, w->pending, w->npending, e);

	w->npending = 0;
	return r;
}

int
evidence_flush(struct evidence_writer *w, struct err *e)
{
	return evidence_part_done(w, evidence_part_flush(w, e));
}

int
evidence_part_raw(struct evidence_writer *w, const void *p, size_t n,
    struct err *e)
{
	int r;

	if ((r = lane_put(w->stream, p, n, e)) < 0)
		return r;
	w->off += n;
	if (w->replay)
		return evidence_part_compare(w, w->off - n, p, n, e);
	if (n > PENDING - w->npending &&
	    (r = evidence_part_flush(w, e)) < 0)
		return r;
	if (n > PENDING / 2)
		return w->npending > 0 &&
		    (r = evidence_part_flush(w, e)) < 0 ? r :
		    fsio_write_all(w->fd, p, n, e);
	memcpy(w->pending + w->npending, p, n);
	w->npending += n;
	return 0;
}

int
evidence_part_begin(struct evidence_writer *w, const char *name,
    uint64_t size, uint64_t mtime, struct err *e)
{
	char path[LIMIT_MEMBER_NAME + 1];
	uint8_t header[TARITEM_MAX];
	size_t bag = strlen(w->bag), n = strlen(name);
	const struct taritem item = {path, bag + 1 + n, size, mtime};
	int r;

	if (n > LIMIT_MEMBER_NAME - 1 - bag)
		return err_set(e, ERR_LIMIT, "a member name is too long");
	memcpy(path, w->bag, bag);
	path[bag] = '/';
	memcpy(path + bag + 1, name, n + 1);
	memcpy(w->name, name, n + 1);
	w->item.place.header_offset = w->off;
	w->left = w->item.size = size;
	w->item.mtime = mtime;
	if ((r = taritem_put(header, &item, &n, e)) < 0 ||
	    (r = digest_reset(w->member, e)) < 0)
		return r;
	w->item.place.data_offset = w->off + n;
	return evidence_part_raw(w, header, n, e);
}

int
evidence_part_put(struct evidence_writer *w, const void *p, size_t n,
    struct err *e)
{
	const uint8_t *s = p;
	size_t part;
	int r;

	BUG_ON(n > w->left);
	/* In pieces, or the lane's ring would fill before we digest. */
	for (; n > 0; n -= part, s += part) {
		part = n < LIMIT_COPY_CHUNK ? n : LIMIT_COPY_CHUNK;
		if ((r = evidence_part_raw(w, s, part, e)) < 0 ||
		    (r = digest_put(w->member, s, part, e)) < 0)
			return r;
		w->left -= part;
	}
	return 0;
}

int
evidence_part_end(struct evidence_writer *w, struct err *e)
{
	static const uint8_t zero[TARHDR_SIZE];
	int r;

	BUG_ON(w->left > 0);
	if ((r = digest_now(w->member, &w->item.place.digests, e)) < 0)
		return r;
	return evidence_part_raw(w, zero, tarhdr_padding(w->off), e);
}

int
evidence_part_note(struct evidence_writer *w, const char *name,
    struct err *e)
{
	struct bagtext_tag *t;

	if (w->ntags == BAGTEXT_TAGS || strlen(name) > BAGTEXT_NAME)
		return err_set(e, ERR_LIMIT, "too many tag files");
	t = &w->tag[w->ntags++];
	memcpy(t->name, name, strlen(name) + 1);
	t->digests = w->item.place.digests;
	return 0;
}

int
evidence_part_tag(struct evidence_writer *w, const char *name,
    const void *p, size_t n, struct err *e)
{
	int r;

	if ((r = evidence_part_begin(w, name, n, w->mtime, e)) < 0 ||
	    (r = evidence_part_put(w, p, n, e)) < 0 ||
	    (r = evidence_part_end(w, e)) < 0)
		return r;
	return evidence_part_note(w, name, e);
}

/* A line for each manifest, and the leaf of the tree. */
static int
note_payload(struct evidence_writer *w, struct err *e)
{
	const uint8_t *digest[2] = {w->item.place.digests.sha256,
	    w->item.place.digests.sha512};
	uint8_t leaf[32];
	struct buf b;
	int r = 0;

	buf_init(&b, MANIFEST_LINE_MAX + 1);
	for (unsigned i = 0; i < 2 && r >= 0; i++) {
		if (w->manifest[i] == NULL)
			continue;
		buf_clear(&b);
		manifest_put(&b, digest[i], i == 0 ? 32 : 64, w->name,
		    strlen(w->name));
		if ((r = buf_failed(&b)) < 0)
			(void)err_set(e, ERR_NOMEM, "out of memory");
		else
			r = spool_put(w->manifest[i], b.p, b.len, e);
		if (r >= 0 && i == 0 &&
		    (r = merkle_leaf(leaf, b.p, b.len - 1, e)) >= 0)
			r = merkle_add(&w->merkle, leaf, e);
	}
	buf_release(&b);
	return r;
}

/* A name that no member has yet; nothing is written when it is refused. */
static int
take_name(struct evidence_writer *w, const char *name, struct err *e)
{
	int r;

	if (!bag_member_ok(name, strlen(name)))
		return err_set(e, ERR_ARG, "not a usable member name");
	if ((r = nameset_add(w->names, name, strlen(name), e)) < 0)
		return r;
	return r > 0 ? 0 : err_set(e, ERR_EXISTS,
	    "a member '%.128s' is there already", name);
}

static bool
starts(const char *s, const char *with)
{
	return strncmp(s, with, strlen(with)) == 0;
}

int
evidence_begin(struct evidence_writer *w, const char *name, uint64_t size,
    int64_t mtime, struct err *e)
{
	uint64_t t = mtime < 1 || (uint64_t)mtime > w->mtime ? w->mtime :
	    (uint64_t)mtime;
	int r;

	BUG_ON(w->step != EVIDENCE_PAYLOAD);
	if (!starts(name, BAG_DATA) || strcmp(name, BAG_KEEP) == 0)
		return err_set(e, ERR_ARG, "not a payload member's name");
	if ((r = take_name(w, name, e)) < 0)
		return r;
	if ((r = evidence_part_begin(w, name, size, t, e)) < 0)
		return evidence_part_done(w, r);
	w->members++;
	w->payload_bytes += size;
	w->step = EVIDENCE_MEMBER;
	return 0;
}

int
evidence_put(struct evidence_writer *w, const void *p, size_t n,
    struct err *e)
{
	BUG_ON(w->step != EVIDENCE_MEMBER);
	return evidence_part_done(w, evidence_part_put(w, p, n, e));
}

int
evidence_end(struct evidence_writer *w, struct evidence_place *place,
    uint64_t *short_by, struct err *e)
{
	static const uint8_t zero[4096];
	uint64_t missing = w->left;
	int r = 0;

	BUG_ON(w->step != EVIDENCE_MEMBER);
	while (w->left > 0 && r >= 0)
		r = evidence_part_put(w, zero, w->left < sizeof(zero) ?
		    (size_t)w->left : sizeof(zero), e);
	if (r < 0 || (r = evidence_part_end(w, e)) < 0 ||
	    (r = note_payload(w, e)) < 0 ||
	    (r = evidence_part_whole(w, e)) < 0)
		return evidence_part_done(w, r);
	w->step = EVIDENCE_PAYLOAD;
	*place = w->item.place;
	*short_by = missing;
	return 0;
}

/* The first tag file, and the one that we write behind it. */
static int
put_acquisition(struct evidence_writer *w, struct err *e)
{
	int r;

	if ((r = evidence_part_end(w, e)) < 0 ||
	    (r = evidence_part_whole(w, e)) < 0 ||
	    (r = evidence_part_note(w, BAG_ACQUISITION, e)) < 0 ||
	    (r = evidence_part_tag(w, BAG_HOWTO, bag_howto_txt,
	    strlen(bag_howto_txt), e)) < 0)
		return r;
	w->step = EVIDENCE_PAYLOAD;
	return 0;
}

int
evidence_part_metadata(struct evidence_writer *w, struct err *e)
{
	int r;

	BUG_ON(w->step != EVIDENCE_PAYLOAD && w->step != EVIDENCE_METADATA);
	if (w->members == 0) {
		/* RFC 8493 wants a data/ folder. */
		if ((r = evidence_part_begin(w, BAG_KEEP, 0, w->mtime,
		    e)) < 0 || (r = evidence_part_end(w, e)) < 0 ||
		    (r = note_payload(w, e)) < 0)
			return r;
		w->members = 1;
	}
	w->step = EVIDENCE_METADATA;
	return 0;
}

/* Header of a tag file that the caller gives: which one may come now? */
int
evidence_part_tag_begin(struct evidence_writer *w, const char *name,
    uint64_t size, struct err *e)
{
	int r;

	BUG_ON(w->step == EVIDENCE_FINISHED);
	BUG_ON((w->step == EVIDENCE_START) !=
	    (strcmp(name, BAG_ACQUISITION) == 0));
	if (!starts(name, "metadata/") || strlen(name) > BAGTEXT_NAME ||
	    strcmp(name, BAG_CONTAINER) == 0 || strcmp(name, BAG_HOWTO) == 0)
		return err_set(e, ERR_ARG, "not a tag file's name");
	if (w->metadata + 1 == BAGTEXT_METADATA)
		return err_set(e, ERR_LIMIT, "too many tag files");
	if ((r = take_name(w, name, e)) < 0)
		return r;
	w->metadata++;
	if (w->step != EVIDENCE_START &&
	    (r = evidence_part_metadata(w, e)) < 0)
		return evidence_part_done(w, r);
	return evidence_part_done(w, evidence_part_begin(w, name, size,
	    w->mtime, e));
}

int
evidence_part_tag_end(struct evidence_writer *w, const char *name,
    struct err *e)
{
	int r;

	if (w->step == EVIDENCE_START)
		return put_acquisition(w, e);
	if ((r = evidence_part_end(w, e)) < 0)
		return r;
	return evidence_part_note(w, name, e);
}

int
evidence_tag(struct evidence_writer *w, const char *name, const void *p,
    size_t n, struct err *e)
{
	int r;

	if ((r = evidence_part_tag_begin(w, name, n, e)) < 0)
		return r;
	if ((r = evidence_part_put(w, p, n, e)) >= 0)
		r = evidence_part_tag_end(w, name, e);
	return evidence_part_done(w, r);
}

static int
copy_fd(struct evidence_writer *w, int fd, struct err *e)
{
	uint64_t off = 0;
	ssize_t n;
	int r;

	while (w->left > 0) {
		n = pread(fd, w->buffer, w->left < LIMIT_COPY_CHUNK ?
		    (size_t)w->left : LIMIT_COPY_CHUNK, (off_t)off);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return err_sys(e, errno, "cannot read a tag file");
		if (n == 0)
			return err_set(e, ERR_TRUNC,
			    "a tag file became shorter");
		if ((r = evidence_part_put(w, w->buffer, (size_t)n, e)) < 0)
			return r;
		off += (uint64_t)n;
	}
	return 0;
}

int
evidence_tag_fd(struct evidence_writer *w, const char *name, int fd,
    struct err *e)
{
	off_t size = lseek(fd, 0, SEEK_END);
	int r;

	if (size < 0)
		return err_sys(e, errno, "cannot measure a tag file");
	if ((r = evidence_part_tag_begin(w, name, (uint64_t)size,
	    e)) < 0)
		return r;
	if ((r = copy_fd(w, fd, e)) >= 0)
		r = evidence_part_tag_end(w, name, e);
	return evidence_part_done(w, r);
}
