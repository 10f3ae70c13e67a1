#include <string.h>

#include "base/bytesrc.h"
#include "base/err.h"
#include "base/limits.h"
#include "custody/bag.h"
#include "custody/digest.h"
#include "custody/evidence_read.h"
#include "custody/manifest.h"
#include "custody/tarhdr.h"
#include "custody/verify_parts.h"

static const struct {
	const char *name;
	size_t max;
} texts[VERIFY_TEXTS] = {
	[VERIFY_TEXT_INFO] = {BAG_INFO, LIMIT_TRAILER},
	[VERIFY_TEXT_CONTAINER] = {BAG_CONTAINER, LIMIT_TRAILER},
	[VERIFY_TEXT_SEAL] = {BAG_SEAL, LIMIT_TRAILER},
	[VERIFY_TEXT_P7S] = {BAG_P7S, LIMIT_P7S},
	[VERIFY_TEXT_TSR] = {BAG_TSR, LIMIT_TSR},
	[VERIFY_TEXT_TAG256] = {BAG_TAGMANIFEST256, LIMIT_TRAILER},
	[VERIFY_TEXT_TAG512] = {BAG_TAGMANIFEST512, LIMIT_TRAILER},
	[VERIFY_TEXT_TSA_PEM] = {BAG_PKI "tsa.pem", LIMIT_TRAILER},
};

/*
 * Are there SHA-512 manifests?  Payload members come first, the answer is
 * at the file's end: the last member's header, within LIMIT_TRAILER.  A wrong
 * guess can cost time or leave a statement unchecked, nothing else.
 */
static int
guess_sha512(struct verify_pass *p, struct err *e)
{
	const char *name = BAG_TAGMANIFEST512, *slash;
	uint64_t off, end = p->size / TARHDR_SIZE * TARHDR_SIZE;
	struct tarhdr h;
	size_t len, got;
	int r;

	len = end < LIMIT_TRAILER ? (size_t)end : LIMIT_TRAILER;
	off = end - len;
	if ((r = bytesrc_read_some(p->src, off, p->v->chunk, len, &got,
	    e)) < 0)
		return r;
	for (size_t i = 0; got - i >= TARHDR_SIZE; i += TARHDR_SIZE)
		if (tarhdr_read(p->v->chunk + i, &h) &&
		    (slash = strchr(h.name, '/')) != NULL &&
		    strcmp(slash + 1, name) == 0)
			p->sha512 = true;
	return 0;
}

int
verify_pass_init(struct verify_pass *p, struct verify *v,
    const struct bytesrc *src, struct err *e)
{
	int r;

	p->v = v;
	p->src = src;
	p->size = bytesrc_size(src);
	merkle_init(&p->merkle);
	for (unsigned i = 0; i < VERIFY_TEXTS; i++)
		buf_init(&p->text[i], texts[i].max);
	for (unsigned i = 0; i < 2; i++)
		if ((r = digest_reset(v->expected[i], e)) < 0)
			return r;
	if ((r = lane_reset(v->lane, e)) < 0)
		return r;
	r = guess_sha512(p, e);
	return r == ERR_TRUNC ? 0 : r;	/* the pass itself will say it */
}

void
verify_pass_release(struct verify_pass *p)
{
	if (p == NULL)
		return;
	for (unsigned i = 0; i < VERIFY_TEXTS; i++)
		buf_release(&p->text[i]);
}

static int
fill(struct verify_pass *p, struct err *e)
{
	size_t got;
	int r;

	if ((r = bytesrc_read_some(p->src, p->at, p->v->chunk,
	    LIMIT_COPY_CHUNK, &got, e)) < 0)
		return r;
	if (got == 0)
		return err_set(e, ERR_TRUNC, "the file ends early");
	p->win_off = p->at;
	p->win_len = got;
	return 0;
}

/* Digest up to ${end}: on the lane, and with ${d} and into ${b} if given. */
static int
take(struct verify_pass *p, uint64_t end, struct digest *d, struct buf *b,
    struct err *e)
{
	const uint8_t *from;
	uint64_t have;
	size_t n;
	int r;

	while (p->at < end) {
		have = p->win_off + p->win_len;
		if (p->at == have) {
			if ((r = fill(p, e)) < 0)
				return r;
			have = p->win_off + p->win_len;
		}
		n = (size_t)((end < have ? end : have) - p->at);
		from = p->v->chunk + (p->at - p->win_off);
		if ((r = lane_put(p->v->lane, from, n, e)) < 0 ||
		    (d != NULL && (r = digest_put(d, from, n, e)) < 0))
			return r;
		if (b != NULL)
			buf_put(b, from, n);
		p->at += n;
	}
	return 0;
}

/* container.json's header comes: the digest so far is the prefix's. */
static int
note_prefix(struct verify_pass *p, const struct evidence_member *m,
    struct err *e)
{
	struct digests d;
	int r;

	if ((r = take(p, m->header_offset, NULL, NULL, e)) < 0 ||
	    (r = lane_now(p->v->lane, &d, e)) < 0 ||
	    (r = merkle_root(&p->merkle, p->facts.merkle_root, e)) < 0)
		return r;
	memcpy(p->facts.prefix_sha256, d.sha256, 32);
	p->facts.prefix_len = m->header_offset;
	p->facts.header_mtime = m->mtime;
	p->has_prefix = true;
	return 0;
}

/* The line that each manifest must have for this member. */
static int
note_payload(struct verify_pass *p, const struct evidence_member *m,
    const struct digests *d, struct err *e)
{
	uint8_t leaf[32];
	struct buf b;
	int r = 0;

	p->facts.members++;
	p->facts.payload_bytes += m->size;
	buf_init(&b, MANIFEST_LINE_MAX + 1);
	for (unsigned i = 0; i < (p->sha512 ? 2U : 1U) && r >= 0; i++) {
		buf_clear(&b);
		manifest_put(&b, i == 0 ? d->sha256 : d->sha512,
		    i == 0 ? 32 : 64, m->name, m->name_len);
		if (buf_failed(&b) != 0)
			r = err_set(e, ERR_NOMEM, "out of memory");
		else
			r = digest_put(p->v->expected[i], b.p, b.len, e);
		if (r >= 0 && i == 0 &&
		    (r = merkle_leaf(leaf, b.p, b.len - 1, e)) >= 0)
			r = merkle_add(&p->merkle, leaf, e);
	}
	buf_release(&b);
	return r;
}

static int
note_manifest(struct verify_pass *p, unsigned i,
    const struct evidence_member *m, const struct digests *d, struct err *e)
{
	struct verify_manifest *k = &p->manifest[i];
	struct digests expected;
	int r;

	if ((r = digest_now(p->v->expected[i], &expected, e)) < 0)
		return r;
	memcpy(k->expected, expected.sha256, 32);
	memcpy(k->sha256, d->sha256, 32);
	k->off = m->data_offset;
	k->size = m->size;
	k->there = true;
	return 0;
}

static int
note_tag(struct verify_pass *p, const struct evidence_member *m,
    const struct digests *d, struct err *e)
{
	struct bagtext_tag *t;

	if (strcmp(m->name, BAG_TAGMANIFEST256) == 0 ||
	    strcmp(m->name, BAG_TAGMANIFEST512) == 0)
		return 0;
	if (p->ntags == BAGTEXT_TAGS || m->name_len > BAGTEXT_NAME)
		return err_set(e, ERR_FORMAT, "too many tag files");
	if (strcmp(m->name, BAG_SEAL) == 0)
		p->nsealed = p->ntags;
	t = &p->tag[p->ntags++];
	memcpy(t->name, m->name, m->name_len + 1);
	t->digests = *d;
	if (strcmp(m->name, BAG_MANIFEST256) == 0)
		return note_manifest(p, 0, m, d, e);
	if (strcmp(m->name, BAG_MANIFEST512) == 0)
		return note_manifest(p, 1, m, d, e);
	return 0;
}

int
verify_pass_member(struct verify_pass *p, const struct evidence_member *m,
    struct err *e)
{
	struct digest *digest = p->v->member[p->sha512 ? 1 : 0];
	struct digests d;
	unsigned text = 0;
	int r;

	while (text < VERIFY_TEXTS && strcmp(m->name, texts[text].name) != 0)
		text++;
	if (text == VERIFY_TEXT_CONTAINER && (r = note_prefix(p, m, e)) < 0)
		return r;
	if ((r = take(p, m->data_offset, NULL, NULL, e)) < 0 ||
	    (r = digest_reset(digest, e)) < 0 ||
	    (r = take(p, m->data_offset + m->size, digest,
	    text < VERIFY_TEXTS ? &p->text[text] : NULL, e)) < 0 ||
	    (r = digest_now(digest, &d, e)) < 0)
		return r;
	if (text < VERIFY_TEXTS) {
		if (buf_failed(&p->text[text]) == ERR_NOMEM)
			return err_set(e, ERR_NOMEM, "out of memory");
		if (buf_failed(&p->text[text]) != 0)
			return err_set(e, ERR_FORMAT, "%s is too long",
			    texts[text].name);
		p->has_text[text] = true;
	}
	if (strncmp(m->name, BAG_DATA, strlen(BAG_DATA)) == 0)
		return note_payload(p, m, &d, e);
	return note_tag(p, m, &d, e);
}

int
verify_pass_rest(struct verify_pass *p, uint8_t sha256[32], struct err *e)
{
	struct digests d;
	int r;

	if ((r = take(p, p->size, NULL, NULL, e)) < 0 ||
	    (r = lane_now(p->v->lane, &d, e)) < 0)
		return r;
	memcpy(sha256, d.sha256, 32);
	return 0;
}
