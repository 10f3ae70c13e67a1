#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <string.h>

#include "base/cursor.h"
#include "base/err.h"
#include "base/limits.h"
#include "custody/bag.h"
#include "custody/digest.h"
#include "custody/trust.h"
#include "custody/verify_parts.h"

/* The two statements that lists bear on. */
static void
note_list(struct verify_result *r, const char *list,
    const struct verify_list *l, enum verify_statement names,
    enum verify_statement digests)
{
	if (l->names[0] != '\0')
		verify_note_fails(r, names, "%s: %s", list, l->names);
	if (l->digests[0] != '\0')
		verify_note_fails(r, digests, "%s: %s", list, l->digests);
}

static void
skip_both(struct verify_result *r, const char *what)
{
	verify_note_skip(r, VERIFY_MANIFESTS, "%s was not reached", what);
	verify_note_skip(r, VERIFY_DIGESTS, "%s was not reached", what);
}

static int
check_payload(struct verify_pass *p, unsigned i, struct verify_result *r,
    struct err *e)
{
	const char *name = i == 0 ? BAG_MANIFEST256 : BAG_MANIFEST512;
	const struct verify_manifest *m = &p->manifest[i];
	struct verify_list l;
	int rc;

	if (!m->there) {
		skip_both(r, name);
		return 0;
	}
	if (memcmp(m->sha256, m->expected, 32) == 0)
		return 0;
	rc = verify_list_payload(&l, p, i, e);
	if (rc == ERR_FORMAT || rc == ERR_TRUNC || rc == ERR_LIMIT ||
	    (rc >= 0 && l.names[0] == '\0' && l.digests[0] == '\0')) {
		/* The second reading does not show what the first did. */
		err_reset(e);
		verify_note_fails(r, VERIFY_MANIFESTS,
		    "the file changed while it was read");
		return 0;
	}
	if (rc >= 0)
		note_list(r, name, &l, VERIFY_MANIFESTS, VERIFY_DIGESTS);
	return rc;
}

static int
check_tags(const struct verify_pass *p, unsigned i, struct verify_result *r,
    struct err *e)
{
	const enum verify_text text = i == 0 ? VERIFY_TEXT_TAG256 :
	    VERIFY_TEXT_TAG512;
	const char *name = i == 0 ? BAG_TAGMANIFEST256 : BAG_TAGMANIFEST512;
	struct verify_list l;
	int rc;

	if (!p->has_text[text]) {
		skip_both(r, name);
		return 0;
	}
	if ((rc = verify_list_tags(&l, p, text, i == 0 ? 32 : 64, p->ntags,
	    e)) >= 0)
		note_list(r, name, &l, VERIFY_MANIFESTS, VERIFY_DIGESTS);
	return rc;
}

/* bag-info.txt: its date and Payload-Oxum are claims too. */
static int
check_info(const struct verify_pass *p, struct verify_result *r,
    struct err *e)
{
	const struct buf *text = &p->text[VERIFY_TEXT_INFO];
	struct bagtext_info i;
	struct buf b;
	int rc = 0;

	if (!p->has_text[VERIFY_TEXT_INFO] || !p->has_prefix) {
		verify_note_skip(r, VERIFY_MANIFESTS,
		    "bag-info.txt was not reached");
		return 0;
	}
	if (!bagtext_info_read(text->p, text->len, &i)) {
		verify_note_fails(r, VERIFY_MANIFESTS,
		    "bag-info.txt: not the four lines of a bundle");
		return 0;
	}
	i.header_mtime = p->facts.header_mtime;
	i.members = p->facts.members;
	i.payload_bytes = p->facts.payload_bytes;
	buf_init(&b, LIMIT_TRAILER + 256);
	bagtext_info(&b, &i);
	if (buf_failed(&b) != 0)
		rc = err_set(e, ERR_NOMEM, "out of memory");
	else if (b.len != text->len || memcmp(b.p, text->p, b.len) != 0)
		verify_note_fails(r, VERIFY_MANIFESTS,
		    "bag-info.txt: date or Payload-Oxum do not fit");
	buf_release(&b);
	return rc;
}

int
verify_check_manifests(struct verify_pass *p, struct verify_result *r,
    struct err *e)
{
	const unsigned n = p->manifest[1].there ? 2 : 1;
	int rc;

	if (p->manifest[1].there && !p->sha512) {
		/* The tail of the file did not announce it: truncated. */
		skip_both(r, BAG_TAGMANIFEST512);
		return 0;
	}
	for (unsigned i = 0; i < n; i++)
		if ((rc = check_payload(p, i, r, e)) < 0 ||
		    (rc = check_tags(p, i, r, e)) < 0)
			return rc;
	if ((rc = check_info(p, r, e)) < 0)
		return rc;
	verify_note_holds(r, VERIFY_MANIFESTS, "%s", "");
	verify_note_holds(r, VERIFY_DIGESTS, "%s", "");
	return 0;
}

/* A line of container.json that is not as it must be. */
static void
note_line(struct verify_result *r, struct cursor line)
{
	static const char prefix[] = " \"prefix_";
	struct cursor key = line;

	if (cursor_match(&key, (const uint8_t *)prefix, sizeof(prefix) - 1))
		verify_note_fails(r, VERIFY_PREFIX, "container.json states "
		    "another prefix than the bytes before it");
	else
		verify_note_fails(r, VERIFY_TRAILER, "container.json is "
		    "not what the members make it: expected '%.*s'",
		    (int)(line.len < 80 ? line.len : 80),
		    (const char *)line.buf);
}

static void
compare_container(struct verify_result *r, const struct buf *want,
    const struct buf *have)
{
	struct cursor w, h, wl, hl;
	bool more;

	cursor_init(&w, want->p, want->len, 0);
	cursor_init(&h, have->p, have->len, 0);
	while (cursor_line(&w, '\n', &wl)) {
		more = cursor_line(&h, '\n', &hl);
		if (!more || hl.len != wl.len ||
		    memcmp(hl.buf, wl.buf, wl.len) != 0)
			note_line(r, wl);
	}
	if (!cursor_at_end(&h))
		verify_note_fails(r, VERIFY_TRAILER,
		    "container.json says more than it must");
}

int
verify_check_container(struct verify_pass *p, struct verify_result *r,
    struct err *e)
{
	struct buf want;
	int rc = 0;

	if (!p->has_text[VERIFY_TEXT_CONTAINER] || !p->has_prefix ||
	    !p->has_text[VERIFY_TEXT_TAG256]) {
		verify_note_skip(r, VERIFY_PREFIX,
		    "the trailer was not reached or not passed");
		verify_note_skip(r, VERIFY_TRAILER,
		    "the trailer was not reached or not passed");
		return 0;
	}
	p->facts.digests = DIGEST_SHA256 |
	    (p->manifest[1].there ? DIGEST_SHA512 : 0);
	p->facts.token = p->has_text[VERIFY_TEXT_TSR];
	buf_init(&want, LIMIT_TRAILER);
	bagtext_container(&want, &p->facts);
	if (buf_failed(&want) != 0)
		rc = err_set(e, ERR_NOMEM, "out of memory");
	else
		compare_container(r, &want, &p->text[VERIFY_TEXT_CONTAINER]);
	buf_release(&want);
	if (r->st[VERIFY_STRUCTURE].outcome != VERIFY_HOLDS)
		verify_note_skip(r, VERIFY_TRAILER,
		    "the structure does not hold");
	verify_note_holds(r, VERIFY_PREFIX, "%s", "");
	verify_note_holds(r, VERIFY_TRAILER, "%s", "");
	return rc;
}

int
verify_check_seal(const struct verify_pass *p, struct verify_result *r,
    struct err *e)
{
	struct verify_list l;
	int rc;

	if (!p->has_text[VERIFY_TEXT_SEAL]) {
		verify_note_skip(r, VERIFY_SEAL, BAG_SEAL " was not reached");
		return 0;
	}
	if ((rc = verify_list_tags(&l, p, VERIFY_TEXT_SEAL, 32, p->nsealed,
	    e)) < 0)
		return rc;
	note_list(r, "seal.txt", &l, VERIFY_SEAL, VERIFY_SEAL);
	verify_note_holds(r, VERIFY_SEAL, "%s", "");
	return 0;
}

/* Is the token's certificate the one that the bundle itself carries? */
static bool
is_local(const struct verify_pass *p, const uint8_t cert_sha256[32])
{
	const struct buf *pem = &p->text[VERIFY_TEXT_TSA_PEM];
	unsigned char md[EVP_MAX_MD_SIZE];
	unsigned len = 0;
	X509 *cert = NULL;
	BIO *bio;
	bool same;

	if (!p->has_text[VERIFY_TEXT_TSA_PEM] || pem->len == 0 ||
	    (bio = BIO_new_mem_buf(pem->p, (int)pem->len)) == NULL)
		return false;
	cert = PEM_read_bio_X509(bio, NULL, NULL, NULL);
	same = cert != NULL &&
	    X509_digest(cert, EVP_sha256(), md, &len) == 1 && len == 32 &&
	    memcmp(md, cert_sha256, 32) == 0;
	X509_free(cert);
	BIO_free(bio);
	ERR_clear_error();
	return same;
}

/* *at: the token's time if it is trusted, else -1. */
static int
check_token(const struct verify_pass *p, const struct trust *tsa,
    struct verify_result *r, int64_t *at, struct err *e)
{
	const struct buf *tsr = &p->text[VERIFY_TEXT_TSR];
	const struct buf *p7s = &p->text[VERIFY_TEXT_P7S];
	struct trust_result t;
	int rc;

	*at = -1;
	if (!p->has_text[VERIFY_TEXT_P7S] || !p->has_text[VERIFY_TEXT_TSR]) {
		verify_note_skip(r, VERIFY_TIMESTAMP,
		    p->has_text[VERIFY_TEXT_TAG256] ?
		    "the bundle was sealed without a time stamp" :
		    "the time stamp was not reached");
		return 0;
	}
	if (tsr->len == 0 || p7s->len == 0) {
		verify_note_fails(r, VERIFY_TIMESTAMP, "it is empty");
		return 0;
	}
	if ((rc = trust_check_token(tsa, tsr->p, tsr->len, p7s->p, p7s->len,
	    &t, e)) < 0)
		return rc;
	if (!t.intact) {
		verify_note_fails(r, VERIFY_TIMESTAMP, "%s", t.reason);
		return 0;
	}
	r->gen_time = t.time;
	memcpy(r->tsa, t.subject, sizeof(r->tsa));
	r->local_tsa = is_local(p, t.cert_sha256);
	if (trust_empty(tsa))
		verify_note_skip(r, VERIFY_TIMESTAMP,
		    "intact, but no time stamp authority is pinned");
	else if (!t.trusted)
		verify_note_fails(r, VERIFY_TIMESTAMP, "%s", t.reason);
	else
		*at = t.time;
	verify_note_holds(r, VERIFY_TIMESTAMP, "%s", r->local_tsa ?
	    "by the examiner's own local authority: it cannot show that the "
	    "time was not invented" : "");
	return 0;
}

static int
check_signature(const struct verify_pass *p, const struct trust *examiner,
    int64_t at, struct verify_result *r, struct err *e)
{
	const struct buf *p7s = &p->text[VERIFY_TEXT_P7S];
	const struct buf *seal = &p->text[VERIFY_TEXT_SEAL];
	struct trust_result t;
	int rc;

	if (!p->has_text[VERIFY_TEXT_P7S] || !p->has_text[VERIFY_TEXT_SEAL]) {
		verify_note_skip(r, VERIFY_SIGNATURE,
		    "the signature was not reached");
		return 0;
	}
	if (p7s->len == 0 || seal->len == 0) {
		verify_note_fails(r, VERIFY_SIGNATURE, "it is empty");
		return 0;
	}
	if ((rc = trust_check_cms(examiner, p7s->p, p7s->len, seal->p,
	    seal->len, at, &t, e)) < 0)
		return rc;
	if (!t.intact) {
		verify_note_fails(r, VERIFY_SIGNATURE, "%s", t.reason);
		return 0;
	}
	memcpy(r->signer, t.subject, sizeof(r->signer));
	memcpy(r->signer_sha256, t.cert_sha256, 32);
	if (trust_empty(examiner))
		verify_note_skip(r, VERIFY_SIGNATURE,
		    "intact, but no examiner's certificate is pinned");
	else if (at < 0)
		verify_note_skip(r, VERIFY_SIGNATURE, "intact, but no trusted "
		    "time stamp says when it was made");
	else if (!t.trusted)
		verify_note_fails(r, VERIFY_SIGNATURE, "%s", t.reason);
	verify_note_holds(r, VERIFY_SIGNATURE, "%s", "");
	return 0;
}

int
verify_check_trust(const struct verify_pass *p,
    const struct trust *examiner, const struct trust *tsa,
    struct verify_result *r, struct err *e)
{
	int64_t at;
	int rc;

	if ((rc = check_token(p, tsa, r, &at, e)) < 0)
		return rc;
	return check_signature(p, examiner, at, r, e);
}
