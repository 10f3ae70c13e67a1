#include <string.h>

#include "base/buf.h"
#include "base/bug.h"
#include "base/err.h"
#include "base/limits.h"
#include "custody/bag.h"
#include "custody/evidence_parts.h"
#include "custody/sign.h"
#include "custody/spool.h"
#include "custody/tarhdr.h"
#include "custody/trust.h"

/*
 * Method.  The manifests and bag-info.txt end the prefix; its digest is the
 * stream's so far.  The rest up to the token is made in memory: container.json
 * (which says whether a token follows), seal.txt over it, the signature over
 * that, the token over the signature.  Only what has been checked is written.
 */
struct trailer {
	struct bagtext_container facts;
	struct buf container, seal, p7s, tsr;
};

static void
trailer_release(struct trailer *t)
{
	buf_release(&t->container);
	buf_release(&t->seal);
	buf_release(&t->p7s);
	buf_release(&t->tsr);
}

static int
ready(const struct buf *b, struct err *e)
{
	return buf_failed(b) == 0 ? 0 : err_set(e,
	    (enum err_code)buf_failed(b), "cannot write the trailer");
}

static int
put_piece(void *ctx, const void *p, size_t n, struct err *e)
{
	return evidence_part_put(ctx, p, n, e);
}

static int
put_manifest(struct evidence_writer *w, const char *name,
    const struct spool *s, struct err *e)
{
	int r;

	if (spool_size(s) > LIMIT_TAG_FILE)
		return err_set(e, ERR_LIMIT, "a manifest is too long");
	if ((r = evidence_part_begin(w, name, spool_size(s), w->mtime,
	    e)) < 0 || (r = spool_each(s, put_piece, w, e)) < 0 ||
	    (r = evidence_part_end(w, e)) < 0)
		return r;
	return evidence_part_note(w, name, e);
}

int
evidence_part_manifests(struct evidence_writer *w, uint8_t sha256[32],
    struct err *e)
{
	int r;

	if ((r = evidence_part_metadata(w, e)) < 0 ||
	    (r = put_manifest(w, BAG_MANIFEST256, w->manifest[0], e)) < 0)
		return r;
	memcpy(sha256, w->item.place.digests.sha256, 32);
	return w->manifest[1] == NULL ? 0 :
	    put_manifest(w, BAG_MANIFEST512, w->manifest[1], e);
}

int
evidence_part_info(struct evidence_writer *w, struct err *e)
{
	const struct bagtext_info i = {w->tool, w->external_id,
	    strlen(w->tool), strlen(w->external_id), w->mtime, w->members,
	    w->payload_bytes};
	struct buf b;
	int r;

	buf_init(&b, LIMIT_TRAILER);
	bagtext_info(&b, &i);
	if ((r = ready(&b, e)) >= 0)
		r = evidence_part_tag(w, BAG_INFO, b.p, b.len, e);
	buf_release(&b);
	return r;
}

/* Everything up to the prefix's end, and what container.json will say. */
static int
end_prefix(struct evidence_writer *w, struct trailer *t,
    struct evidence_sealed *ret, struct err *e)
{
	struct digests prefix;
	int r;

	if ((r = evidence_part_manifests(w, ret->manifest_sha256, e)) < 0 ||
	    (r = evidence_part_info(w, e)) < 0 ||
	    (r = lane_now(w->stream, &prefix, e)) < 0 ||
	    (r = merkle_root(&w->merkle, t->facts.merkle_root, e)) < 0)
		return r;
	t->facts.bag = w->bag;
	t->facts.digests = w->set;
	t->facts.header_mtime = w->mtime;
	t->facts.members = w->members;
	t->facts.payload_bytes = w->payload_bytes;
	t->facts.prefix_len = w->off;
	memcpy(t->facts.prefix_sha256, prefix.sha256, 32);
	return 0;
}

/* container.json, seal.txt over it, and the signature over that. */
static int
make_seal(const struct evidence_writer *w, const struct signer *s,
    struct trailer *t, struct err *e)
{
	struct bagtext_tag last = {.name = BAG_CONTAINER};
	int r;

	bagtext_container(&t->container, &t->facts);
	if ((r = ready(&t->container, e)) < 0 ||
	    (r = digest_mem(t->container.p, t->container.len, w->set,
	    &last.digests, e)) < 0)
		return r;
	bagtext_lines(&t->seal, w->tag, w->ntags, DIGEST_SHA256);
	bagtext_lines(&t->seal, &last, 1, DIGEST_SHA256);
	if ((r = ready(&t->seal, e)) < 0 ||
	    (r = signer_sign(s, t->seal.p, t->seal.len, &t->p7s, e)) < 0)
		return r;
	return ready(&t->p7s, e);
}

/* A token is stored only if it holds for this very signature. */
static int
check_token(const struct trailer *t, struct err *e)
{
	struct trust_result res;
	int r;

	if ((r = trust_check_token(NULL, t->tsr.p, t->tsr.len, t->p7s.p,
	    t->p7s.len, &res, e)) < 0)
		return r;
	return res.intact ? 0 : err_set(e, ERR_CRYPTO,
	    "the time stamp does not fit the signature: %.160s", res.reason);
}

static int
make_trailer(const struct evidence_writer *w, const struct signer *s,
    const struct evidence_stamp *stamp, struct trailer *t, struct err *e)
{
	int r;

	t->facts.token = stamp != NULL;
	if ((r = make_seal(w, s, t, e)) < 0 || stamp == NULL)
		return r;
	if ((r = stamp->stamp(stamp->ctx, t->p7s.p, t->p7s.len, &t->tsr,
	    e)) < 0 || (r = ready(&t->tsr, e)) < 0)
		return r;
	return check_token(t, e);
}

static int
put_tagmanifests(struct evidence_writer *w, struct err *e)
{
	const size_t listed = w->ntags;
	struct buf b;
	int r;

	buf_init(&b, LIMIT_TRAILER);
	bagtext_lines(&b, w->tag, listed, DIGEST_SHA256);
	if ((r = ready(&b, e)) >= 0)
		r = evidence_part_tag(w, BAG_TAGMANIFEST256, b.p, b.len, e);
	if (r >= 0 && (w->set & DIGEST_SHA512) != 0) {
		buf_clear(&b);
		bagtext_lines(&b, w->tag, listed, DIGEST_SHA512);
		if ((r = ready(&b, e)) >= 0)
			r = evidence_part_tag(w, BAG_TAGMANIFEST512, b.p,
			    b.len, e);
	}
	buf_release(&b);
	return r;
}

static int
put_trailer(struct evidence_writer *w, const struct trailer *t,
    struct evidence_sealed *ret, struct err *e)
{
	static const uint8_t zero[2 * TARHDR_SIZE];
	int r;

	if ((r = evidence_part_tag(w, BAG_CONTAINER, t->container.p,
	    t->container.len, e)) < 0 ||
	    (r = evidence_part_tag(w, BAG_SEAL, t->seal.p, t->seal.len,
	    e)) < 0)
		return r;
	memcpy(ret->seal_sha256, w->item.place.digests.sha256, 32);
	if ((r = evidence_part_tag(w, BAG_P7S, t->p7s.p, t->p7s.len,
	    e)) < 0)
		return r;
	memcpy(ret->p7s_sha256, w->item.place.digests.sha256, 32);
	if (t->facts.token && (r = evidence_part_tag(w, BAG_TSR, t->tsr.p,
	    t->tsr.len, e)) < 0)
		return r;
	if ((r = put_tagmanifests(w, e)) < 0 ||
	    (r = evidence_part_raw(w, zero, sizeof(zero), e)) < 0 ||
	    (r = evidence_part_flush(w, e)) < 0)
		return r;
	return w->off - t->facts.prefix_len <= LIMIT_TRAILER ? 0 :
	    err_set(e, ERR_LIMIT, "the trailer is longer than %zu bytes",
	    LIMIT_TRAILER);
}

int
evidence_finish(struct evidence_writer *w, const struct signer *s,
    const struct evidence_stamp *stamp, struct evidence_sealed *ret,
    struct err *e)
{
	struct evidence_sealed out = {0};
	struct trailer t = {0};
	int r;

	buf_init(&t.container, LIMIT_TRAILER);
	buf_init(&t.seal, LIMIT_TRAILER);
	buf_init(&t.p7s, LIMIT_P7S);
	buf_init(&t.tsr, LIMIT_TSR);
	if ((r = end_prefix(w, &t, &out, e)) < 0 ||
	    (r = make_trailer(w, s, stamp, &t, e)) < 0 ||
	    (r = put_trailer(w, &t, &out, e)) < 0 ||
	    (r = lane_now(w->stream, &out.whole, e)) < 0)
		goto out;
	out.size = w->off;
	out.members = w->members;
	out.payload_bytes = w->payload_bytes;
	memcpy(out.merkle_root, t.facts.merkle_root, 32);
	out.has_token = t.facts.token;
	w->step = EVIDENCE_FINISHED;
	*ret = out;
	r = 0;
out:
	trailer_release(&t);
	return evidence_part_done(w, r);
}
