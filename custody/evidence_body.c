#include <string.h>

#include "base/buf.h"
#include "base/bug.h"
#include "base/err.h"
#include "base/limits.h"
#include "custody/bag.h"
#include "custody/bagtext.h"
#include "custody/evidence_parts.h"
#include "custody/spool.h"
#include "custody/tarhdr.h"

/*
 * A body that another process seals (docs/FORMAT.md 10), and what that
 * process needs to write the same bytes again: tag files in pieces, and where
 * it stands when the records have ended.
 */
int
evidence_tag_begin(struct evidence_writer *w, const char *name,
    uint64_t size, struct err *e)
{
	BUG_ON(w->step != EVIDENCE_PAYLOAD && w->step != EVIDENCE_METADATA);
	return evidence_part_tag_begin(w, name, size, e);
}

int
evidence_tag_put(struct evidence_writer *w, const void *p, size_t n,
    struct err *e)
{
	BUG_ON(w->step != EVIDENCE_METADATA);
	return evidence_part_done(w, evidence_part_put(w, p, n, e));
}

int
evidence_tag_end(struct evidence_writer *w, const char *name, struct err *e)
{
	BUG_ON(w->step != EVIDENCE_METADATA);
	if (w->left > 0)
		return evidence_part_done(w, err_set(e, ERR_TRUNC,
		    "a tag file is shorter than was announced"));
	return evidence_part_done(w, evidence_part_tag_end(w, name, e));
}

static int
hash_piece(void *ctx, const void *p, size_t n, struct err *e)
{
	return digest_put(ctx, p, n, e);
}

static int
manifest_digest(struct evidence_writer *w, unsigned i, uint8_t sha256[32],
    struct err *e)
{
	struct digests d;
	int r;

	/* Between members the member's own digest is free. */
	if ((r = digest_reset(w->member, e)) < 0 ||
	    (r = spool_each(w->manifest[i], hash_piece, w->member, e)) < 0 ||
	    (r = digest_now(w->member, &d, e)) < 0)
		return r;
	memcpy(sha256, d.sha256, 32);
	return 0;
}

static int
so_far(struct evidence_writer *w, struct evidence_state *ret, struct err *e)
{
	struct digests now;
	int r;

	if ((r = evidence_part_metadata(w, e)) < 0 ||
	    (r = lane_now(w->stream, &now, e)) < 0)
		return r;
	for (unsigned i = 0; i < 2 && w->manifest[i] != NULL; i++)
		if ((r = manifest_digest(w, i, ret->manifest[i], e)) < 0)
			return r;
	memcpy(ret->sha256, now.sha256, 32);
	ret->size = w->off;
	ret->members = w->members;
	ret->payload_bytes = w->payload_bytes;
	return 0;
}

int
evidence_so_far(struct evidence_writer *w, struct evidence_state *ret,
    struct err *e)
{
	struct evidence_state out = {0};
	int r;

	if ((r = evidence_part_done(w, so_far(w, &out, e))) < 0)
		return r;
	*ret = out;
	return 0;
}

/* body-end.txt and the two zero blocks. */
static int
put_end(struct evidence_writer *w, const struct bagtext_body *c,
    struct err *e)
{
	static const uint8_t zero[2 * TARHDR_SIZE];
	struct buf b;
	int r;

	buf_init(&b, LIMIT_TRAILER);
	bagtext_body(&b, c);
	if ((r = buf_failed(&b)) < 0)
		(void)err_set(e, ERR_NOMEM, "out of memory");
	else
		r = evidence_part_tag(w, BAG_BODY, b.p, b.len, e);
	buf_release(&b);
	if (r < 0 || (r = evidence_part_raw(w, zero, sizeof(zero), e)) < 0)
		return r;
	return evidence_part_flush(w, e);
}

int
evidence_finish_body(struct evidence_writer *w, const struct bagtext_body *c,
    struct err *e)
{
	struct bagtext_body end = *c;
	struct evidence_state now;
	uint8_t sha256[32];
	int r;

	if ((r = evidence_so_far(w, &now, e)) < 0)
		return r;
	end.records_len = now.size;
	memcpy(end.records_sha256, now.sha256, 32);
	if ((r = evidence_part_manifests(w, sha256, e)) < 0 ||
	    (r = evidence_part_info(w, e)) < 0 ||
	    (r = put_end(w, &end, e)) < 0)
		return evidence_part_done(w, r);
	w->step = EVIDENCE_FINISHED;
	return 0;
}
