#include <openssl/bio.h>
#include <openssl/cms.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509_vfy.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/text.h"
#include "custody/digest.h"
#include "custody/trust_internal.h"

/*
 * The CAdES check, twice: once with the signature's own certificate as the
 * anchor (do the mathematics hold?), once with the pinned anchors (do we
 * care who signed?).  A store is made for each check and holds only what is
 * named; OpenSSL's default paths are never loaded.
 */
struct trust *
trust_new(struct err *e)
{
	struct trust *t;

	if (digest_start(e) < 0)
		return NULL;
	if ((t = calloc(1, sizeof(*t))) == NULL ||
	    (t->anchors = sk_X509_new_null()) == NULL) {
		free(t);
		(void)err_set(e, ERR_NOMEM, "out of memory");
		return NULL;
	}
	return t;
}

void
trust_free(struct trust *t)
{
	if (t == NULL)
		return;
	sk_X509_pop_free(t->anchors, X509_free);
	free(t);
}

int
trust_add_pem(struct trust *t, const void *pem, size_t n, struct err *e)
{
	unsigned added = 0;
	X509 *cert;
	BIO *bio;

	if (n > INT32_MAX || (bio = BIO_new_mem_buf(pem, (int)n)) == NULL)
		return err_set(e, ERR_NOMEM, "out of memory");
	while ((cert = PEM_read_bio_X509(bio, NULL, NULL, NULL)) != NULL) {
		if (sk_X509_push(t->anchors, cert) <= 0) {
			X509_free(cert);
			BIO_free(bio);
			return err_set(e, ERR_NOMEM, "out of memory");
		}
		added++;
	}
	ERR_clear_error();
	BIO_free(bio);
	return added > 0 ? 0 :
	    err_set(e, ERR_FORMAT, "no certificate in the PEM text");
}

bool
trust_empty(const struct trust *t)
{
	return t == NULL || sk_X509_num(t->anchors) == 0;
}

X509_STORE *
trust_store(const struct trust *t, X509 *extra, int64_t at)
{
	X509_VERIFY_PARAM *param;
	X509_STORE *s;

	if ((s = X509_STORE_new()) == NULL)
		return NULL;
	param = X509_STORE_get0_param(s);
	X509_VERIFY_PARAM_set_time(param, (time_t)at);
	/* A signer's own certificate may be the anchor. */
	if (X509_VERIFY_PARAM_set_flags(param, X509_V_FLAG_PARTIAL_CHAIN) !=
	    1 || (extra != NULL && X509_STORE_add_cert(s, extra) != 1))
		goto fail;
	for (int i = 0; t != NULL && i < sk_X509_num(t->anchors); i++)
		if (X509_STORE_add_cert(s, sk_X509_value(t->anchors, i)) != 1)
			goto fail;
	return s;
fail:
	X509_STORE_free(s);
	return NULL;
}

void
trust_describe(X509 *cert, struct trust_result *ret)
{
	char raw[512];
	unsigned n = 0;
	BIO *bio;
	int len;

	(void)X509_digest(cert, EVP_sha256(), ret->cert_sha256, &n);
	if ((bio = BIO_new(BIO_s_mem())) == NULL)
		return;
	if (X509_NAME_print_ex(bio, X509_get_subject_name(cert), 0,
	    XN_FLAG_RFC2253 & ~ASN1_STRFLGS_ESC_MSB) >= 0 &&
	    (len = BIO_read(bio, raw, (int)sizeof(raw))) > 0)
		(void)text_z(ret->subject, sizeof(ret->subject), raw,
		    (size_t)len);
	BIO_free(bio);
}

void
trust_reason(struct trust_result *ret, const char *what)
{
	unsigned long code = ERR_peek_last_error();
	const char *data = NULL, *why;
	char raw[240], text[256];
	int flags = 0;

	(void)ERR_peek_last_error_data(&data, &flags);
	why = code != 0 ? ERR_reason_error_string(code) : NULL;
	if (why != NULL && data != NULL && *data != '\0' &&
	    (flags & ERR_TXT_STRING) != 0)
		(void)snprintf(text, sizeof(text), "%s: %.60s (%.120s)", what,
		    why, data);
	else if (why != NULL)
		(void)snprintf(text, sizeof(text), "%s: %.160s", what, why);
	else
		(void)snprintf(text, sizeof(text), "%s", what);
	(void)snprintf(ret->reason, sizeof(ret->reason), "%s",
	    text_z(raw, sizeof(raw), text, strlen(text)));
	ERR_clear_error();
}

/* The claimed signing time of the first signer, or -1. */
static int64_t
signing_time(CMS_SignerInfo *si)
{
	X509_ATTRIBUTE *attr;
	ASN1_TYPE *value;
	struct tm tm;
	int i;

	if ((i = CMS_signed_get_attr_by_NID(si, NID_pkcs9_signingTime, -1)) <
	    0 || (attr = CMS_signed_get_attr(si, i)) == NULL ||
	    (value = X509_ATTRIBUTE_get0_type(attr, 0)) == NULL ||
	    (value->type != V_ASN1_UTCTIME &&
	    value->type != V_ASN1_GENERALIZEDTIME) ||
	    ASN1_TIME_to_tm(value->value.asn1_string, &tm) != 1)
		return -1;
	return (int64_t)timegm(&tm);
}

/*
 * What CMS does not sign and OpenSSL does not look at must at least agree
 * with what is signed (RFC 5652 5.3, 11.1; RFC 6211 tells of the attacks):
 * the content's type, and the name of the signature's algorithm.
 */
static bool
parts_agree(CMS_ContentInfo *cms, CMS_SignerInfo *si, X509 *cert)
{
	const EVP_PKEY *key = X509_get0_pubkey(cert);
	X509_ALGOR *digest, *sig;
	int nid, dig = NID_undef, pk = NID_undef, type;

	if (OBJ_obj2nid(CMS_get0_eContentType(cms)) != NID_pkcs7_data ||
	    key == NULL)
		return false;
	CMS_SignerInfo_get0_algs(si, NULL, NULL, &digest, &sig);
	nid = OBJ_obj2nid(sig->algorithm);
	type = EVP_PKEY_get_base_id(key);
	if (nid == NID_rsaEncryption)
		return type == EVP_PKEY_RSA;
	if (nid == NID_rsassaPss)
		return type == EVP_PKEY_RSA || type == EVP_PKEY_RSA_PSS;
	return OBJ_find_sigid_algs(nid, &dig, &pk) == 1 && pk == type &&
	    dig == OBJ_obj2nid(digest->algorithm);
}

/* The one signer and its certificate out of the message. */
static X509 *
find_signer(CMS_ContentInfo *cms, struct trust_result *ret)
{
	STACK_OF(CMS_SignerInfo) *infos = CMS_get0_SignerInfos(cms);
	CMS_SignerInfo *si;
	X509_ALGOR *alg;
	STACK_OF(X509) *certs;
	X509 *found = NULL;

	if (infos == NULL || sk_CMS_SignerInfo_num(infos) != 1) {
		(void)snprintf(ret->reason, sizeof(ret->reason),
		    "not exactly one signer");
		return NULL;
	}
	si = sk_CMS_SignerInfo_value(infos, 0);
	ret->time = signing_time(si);
	CMS_SignerInfo_get0_algs(si, NULL, NULL, NULL, &alg);
	(void)OBJ_obj2txt(ret->algorithm, (int)sizeof(ret->algorithm),
	    alg->algorithm, 0);
	certs = CMS_get1_certs(cms);
	for (int i = 0; i < sk_X509_num(certs) && found == NULL; i++)
		if (CMS_SignerInfo_cert_cmp(si, sk_X509_value(certs, i)) == 0)
			found = sk_X509_value(certs, i);
	if (found == NULL) {
		(void)snprintf(ret->reason, sizeof(ret->reason),
		    "the signer's certificate is not in the signature");
	} else if (!parts_agree(cms, si, found)) {
		(void)snprintf(ret->reason, sizeof(ret->reason),
		    "the content's type or the algorithm's name does not agree "
		    "with what is signed");
		found = NULL;
	} else {
		(void)X509_up_ref(found);
	}
	sk_X509_pop_free(certs, X509_free);
	return found;
}

static int
check(CMS_ContentInfo *cms, X509_STORE *store, const void *content, size_t n,
    bool *ok, struct err *e)
{
	BIO *bio = NULL, *top;

	*ok = false;
	/*
	 * CMS_verify copies a memory BIO and loses the copy when the message
	 * names no digest that it knows; it does not copy what stands behind
	 * a filter.
	 */
	top = BIO_new(BIO_f_null());
	if (store == NULL || n > INT32_MAX || top == NULL ||
	    (bio = BIO_new_mem_buf(content, (int)n)) == NULL) {
		BIO_free(top);
		return err_set(e, ERR_NOMEM, "out of memory");
	}
	BIO_push(top, bio);
	/* CAdES: the signing-certificate attribute must be there and match. */
	*ok = CMS_verify(cms, NULL, store, top, NULL,
	    CMS_CADES | CMS_BINARY) == 1;
	BIO_free_all(top);
	return 0;
}

static int
check_both(const struct trust *t, CMS_ContentInfo *cms, const void *content,
    size_t n, int64_t at, struct trust_result *ret, struct err *e)
{
	X509_STORE *store = NULL;
	X509 *signer;
	int64_t when;
	int r = 0;

	if ((signer = find_signer(cms, ret)) == NULL)
		return 0;
	trust_describe(signer, ret);
	when = at >= 0 ? at : ret->time;
	store = trust_store(NULL, signer, when);
	if ((r = check(cms, store, content, n, &ret->intact, e)) < 0)
		goto out;
	if (!ret->intact) {
		trust_reason(ret, "the signature does not hold");
		goto out;
	}
	if (at < 0 || trust_empty(t)) {
		(void)snprintf(ret->reason, sizeof(ret->reason), "%s",
		    trust_empty(t) ? "no certificate is pinned" :
		    "no trusted time says when it was made");
		goto out;
	}
	X509_STORE_free(store);
	store = trust_store(t, NULL, at);
	if ((r = check(cms, store, content, n, &ret->trusted, e)) >= 0 &&
	    !ret->trusted)
		trust_reason(ret, "no pinned certificate vouches for it");
out:
	X509_STORE_free(store);
	X509_free(signer);
	return r;
}

int
trust_check_cms(const struct trust *t, const void *p7s, size_t p7s_n,
    const void *content, size_t content_n, int64_t at,
    struct trust_result *ret, struct err *e)
{
	const unsigned char *p = p7s;
	CMS_ContentInfo *cms;
	int r;

	memset(ret, 0, sizeof(*ret));
	ret->time = -1;
	if ((r = digest_start(e)) < 0)
		return r;
	cms = p7s_n <= INT32_MAX ? d2i_CMS_ContentInfo(NULL, &p,
	    (long)p7s_n) : NULL;
	if (cms == NULL || (size_t)(p - (const unsigned char *)p7s) != p7s_n) {
		trust_reason(ret, "not one CMS message");
		CMS_ContentInfo_free(cms);
		return 0;
	}
	r = check_both(t, cms, content, content_n, at, ret, e);
	CMS_ContentInfo_free(cms);
	return r;
}
