#include <string.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/bytesrc.h"
#include "base/err.h"
#include "base/limits.h"
#include "base/text.h"
#include "formats/base64.h"
#include "formats/doc.h"
#include "formats/reg/oms.h"
#include "formats/reg/regdoc.h"

/*
 * A signature of OpenSSF Model Signing, model.sig: a Sigstore bundle with a
 * DSSE envelope, in it an in-toto statement that lists the files.
 *
 *	dsseEnvelope.payload	base64 of {"_type":..., "subject":[{name,
 *	    digest:{sha256}}], "predicateType":..., "predicate":{
 *	    serialization:{method, hash_type, ignore_paths, allow_symlinks},
 *	    resources:[{name, algorithm, digest}]}}
 *
 * Held against the files: each resource's digest, the subject's digest over
 * all of them, files that no resource names, and code among what ignore_paths
 * leaves out.  The signature itself is NOT checked here: a row says so, and
 * which key it names.  Where the reference program and the specification
 * differ, names are refused, a lone file may be ".", and listed order counts.
 */
static bool
oms_find(const struct reg_tree *t, const struct reg_file *f, size_t *root)
{
	size_t n;
	const char *name = reg_name(f, &n);

	(void)t;
	if (f->type != REG_FILE || n != 9 || memcmp(name, "model.sig", 9) != 0)
		return false;
	*root = f->path_len - n;
	*root -= *root > 0;
	return true;
}

/* --- the envelope --- */

static int
bad(const struct oms *s, const char *why)
{
	return reg_bad(s->p, s->sig, 0, why);
}

/* Who signed, as far as the bundle says: a row, and nothing is proved. */
static int
tell_signer(const struct oms *s, const struct doc *bundle)
{
	const struct doc *material = doc_key(bundle, "verificationMaterial");
	const struct doc *key = doc_key(material, "publicKey");
	struct reg_row row;

	reg_row_init(s->p, s->sig, &row);
	reg_set(&row, REG_TYPE, "event");
	reg_set(&row, REG_KEY, "signature");
	reg_set(&row, REG_STATUS, "not checked");
	regdoc_text(&row.v[REG_VALUE], doc_key(key, "hint"));
	if (!row.v[REG_VALUE].set)
		reg_set(&row, REG_VALUE, key != NULL ? "a key" :
		    doc_key(material, "certificate") != NULL ?
		    "a certificate" : doc_key(material,
		    "x509CertificateChain") != NULL ? "a chain" :
		    "nothing");
	regdoc_text(&row.v[REG_DESCRIPTION], doc_key(bundle, "mediaType"));
	return reg_send(s->p, &row);
}

static int
open_statement(struct oms *s, const struct doc **ret)
{
	const struct doc *bundle = NULL, *envelope;
	const uint8_t *payload;
	const char *text;
	size_t n, len;
	int r;

	if ((r = regdoc_json(s->p, s->sig, &bundle)) != 0)
		return r;
	envelope = doc_key(bundle, "dsseEnvelope");
	if ((text = doc_str(doc_key(envelope, "payload"), &n)) == NULL)
		return bad(s, "no envelope");
	if ((r = tell_signer(s, bundle)) < 0)
		return r;
	r = base64_decode(s->p->arena, text, n, BASE64_STRICT, &payload,
	    &len);
	if (r == ERR_FORMAT)
		return bad(s, "the payload is not base64");
	if (r < 0)
		return err_set(s->p->e, ERR_NOMEM, "out of memory");
	if (!doc_is_str(doc_key(envelope, "payloadType"),
	    "application/vnd.in-toto+json"))
		return bad(s, "the payload is not an in-toto statement");
	return regdoc_json_text(s->p, s->sig, payload, len, ret);
}

static int
read_statement(struct oms *s, const struct doc *d)
{
	const struct doc *predicate = doc_key(d, "predicate"), *how;

	s->subject = doc_key(d, "subject");
	if (doc_is_str(doc_key(d, "predicateType"),
	    "https://model_signing/Digests/v0.1")) {
		/* The signature covers the subjects themselves. */
		s->resources = s->subject;
		s->legacy = true;
		return doc_is(s->resources, DOC_LIST) ? 0 :
		    bad(s, "no resources");
	}
	if (!doc_is_str(doc_key(d, "predicateType"),
	    "https://model_signing/signature/v1.0"))
		return bad(s, "an unknown kind of statement");
	how = doc_key(predicate, "serialization");
	s->ignored = doc_key(how, "ignore_paths");
	s->shards = doc_is_str(doc_key(how, "method"), "shards");
	s->resources = doc_key(predicate, "resources");
	if (!doc_is(s->resources, DOC_LIST) || s->resources->n == 0)
		return bad(s, "no resources");
	if (s->subject == NULL || s->subject->n != 1)
		return bad(s, "not one subject");
	return 0;
}

/* --- the subject --- */

/* SHA-256 over the digests in the order in which they are listed. */
static int
check_subject(struct oms *s)
{
	const struct doc *said = doc_get(s->subject, "0.digest.sha256");
	struct bytesrc *src;
	char hex[CLAIM_HEX];
	struct buf all;
	size_t n;
	int r = 0;

	buf_init(&all, LIMIT_REG_DOCUMENT);
	for (const struct doc *d = doc_kids(s->resources); d != NULL;
	    d = d->next) {
		uint8_t raw[64];
		const char *text = doc_str(doc_key(d, "digest"), &n);

		if (text != NULL && n % 2 == 0 && n <= 128 &&
		    text_unhex(raw, text, n))
			buf_put(&all, raw, n / 2);
	}
	src = bytesrc_mem(all.p, all.len, s->p->e);
	if (src == NULL || buf_failed(&all) < 0)
		r = err_set(s->p->e, ERR_NOMEM, "out of memory");
	else
		r = oms_digest(s, CLAIM_SHA256, src, hex);
	bytesrc_free(src);
	buf_release(&all);
	if (r != 0)
		return r;
	const char *text = doc_str(said, &n);
	const struct reg_fact fact[] = {{"subject", text, text != NULL ? n :
	    0}, {"resources", hex, 64}};

	if (text != NULL && n == 64 && memcmp(text, hex, 64) == 0)
		return 0;
	return reg_tell(s->p, REG_PROBLEM_DISAGREES, s->sig, fact, 2);
}

static int
oms_read(struct reg_parse *p)
{
	struct oms s = {.p = p, .sig = reg_at(p, "model.sig")};
	const struct doc *d = NULL;
	int r;

	if (s.sig == NULL)
		return 0;
	if ((r = open_statement(&s, &d)) != 0 ||
	    (r = read_statement(&s, d)) != 0)
		return r;
	if (!s.legacy && (r = check_subject(&s)) < 0)
		return r;
	if ((r = oms_resources(&s)) < 0)
		return r;
	return oms_unsigned(&s);
}

const struct reg_reader reg_oms = {"model-signing", oms_find, oms_read};
