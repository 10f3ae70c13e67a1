#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/rand.h>
#include <openssl/ts.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/limits.h"
#include "custody/crypto_err.h"
#include "custody/digest.h"
#include "custody/sign.h"
#include "custody/sign_internal.h"
#include "custody/trust.h"

/*
 * RFC 3161: a query over the SHA-512 of the data with a 64-bit nonce, the
 * reply of a local authority, and the check that a reply answers its query.
 *
 * The local authority's policy is in the arc for documentation (1.3.6.1.4.1
 * .32473, RFC 5612): it promises nothing.
 */
#define LOCAL_POLICY "1.3.6.1.4.1.32473.1"

static ASN1_INTEGER *
random_integer(unsigned bytes)
{
	unsigned char raw[20];
	ASN1_INTEGER *ret;
	BIGNUM *bn;

	if (RAND_bytes(raw, (int)bytes) != 1)
		return NULL;
	raw[0] &= 0x7f;
	raw[0] |= 0x40;	/* positive, and always of full length */
	if ((bn = BN_bin2bn(raw, (int)bytes, NULL)) == NULL)
		return NULL;
	ret = BN_to_ASN1_INTEGER(bn, NULL);
	BN_free(bn);
	return ret;
}

static TS_MSG_IMPRINT *
make_imprint(const uint8_t *sha512)
{
	TS_MSG_IMPRINT *imprint = TS_MSG_IMPRINT_new();
	X509_ALGOR *alg = X509_ALGOR_new();
	union {
		const uint8_t *in;
		unsigned char *out;
	} hash = {.in = sha512};
	bool ok = false;

	if (imprint != NULL && alg != NULL &&
	    X509_ALGOR_set0(alg, OBJ_nid2obj(NID_sha512), V_ASN1_NULL,
	    NULL) == 1 && TS_MSG_IMPRINT_set_algo(imprint, alg) == 1 &&
	    TS_MSG_IMPRINT_set_msg(imprint, hash.out, 64) == 1)
		ok = true;
	X509_ALGOR_free(alg);
	if (ok)
		return imprint;
	TS_MSG_IMPRINT_free(imprint);
	return NULL;
}

int
tstamp_query(const void *data, size_t n, struct buf *tsq, struct err *e)
{
	TS_MSG_IMPRINT *imprint = NULL;
	ASN1_INTEGER *nonce = NULL;
	unsigned char *der = NULL;
	TS_REQ *req = NULL;
	struct digests d;
	int len, r;

	if ((r = digest_mem(data, n, DIGEST_SHA256 | DIGEST_SHA512, &d, e)) <
	    0)
		return r;
	if ((req = TS_REQ_new()) == NULL || TS_REQ_set_version(req, 1) != 1 ||
	    (imprint = make_imprint(d.sha512)) == NULL ||
	    TS_REQ_set_msg_imprint(req, imprint) != 1 ||
	    (nonce = random_integer(8)) == NULL ||
	    TS_REQ_set_nonce(req, nonce) != 1 ||
	    TS_REQ_set_cert_req(req, 1) != 1 ||
	    (len = i2d_TS_REQ(req, &der)) <= 0) {
		r = crypto_err(e, "cannot make a time-stamp query");
	} else {
		buf_put(tsq, der, (size_t)len);
		if (buf_failed(tsq) < 0)
			r = err_set(e, ERR_NOMEM, "out of memory");
	}
	OPENSSL_free(der);
	ASN1_INTEGER_free(nonce);
	TS_MSG_IMPRINT_free(imprint);
	TS_REQ_free(req);
	return r;
}

/* Does the reply grant what this query asked, with this nonce? */
static int
answers(const void *tsq, size_t tsq_n, const void *tsr, size_t tsr_n,
    struct err *e)
{
	const unsigned char *q = tsq, *p = tsr;
	const ASN1_INTEGER *asked, *got;
	TS_TST_INFO *info;
	TS_RESP *resp = NULL;
	TS_REQ *req = NULL;
	int r = 0;

	if ((req = d2i_TS_REQ(NULL, &q, (long)tsq_n)) == NULL ||
	    (resp = d2i_TS_RESP(NULL, &p, (long)tsr_n)) == NULL ||
	    (size_t)(p - (const unsigned char *)tsr) != tsr_n)
		r = err_set(e, ERR_VERIFY, "the reply is not a time stamp");
	else if ((info = TS_RESP_get_tst_info(resp)) == NULL)
		r = err_set(e, ERR_VERIFY,
		    "the authority did not grant a time stamp");
	else if ((asked = TS_REQ_get_nonce(req)) == NULL ||
	    (got = TS_TST_INFO_get_nonce(info)) == NULL ||
	    ASN1_INTEGER_cmp(asked, got) != 0)
		r = err_set(e, ERR_VERIFY,
		    "the time stamp answers another query (nonce)");
	ERR_clear_error();
	TS_RESP_free(resp);
	TS_REQ_free(req);
	return r;
}

int
tstamp_accept(const void *tsq, size_t tsq_n, const void *tsr, size_t tsr_n,
    const void *data, size_t n, const struct trust *trust, int64_t *gen_time,
    struct err *e)
{
	struct trust_result tr;
	int r;

	if (tsq_n > LIMIT_TSR || tsr_n > LIMIT_TSR)
		return err_set(e, ERR_LIMIT, "the time stamp is too long");
	if ((r = answers(tsq, tsq_n, tsr, tsr_n, e)) < 0 ||
	    (r = trust_check_token(trust, tsr, tsr_n, data, n, &tr, e)) < 0)
		return r;
	if (!tr.intact)
		return err_set(e, ERR_VERIFY, "%s", tr.reason);
	if (trust != NULL && !tr.trusted)
		return err_set(e, ERR_VERIFY, "%s", tr.reason);
	*gen_time = tr.time;
	return 0;
}

/* --- the local authority ------------------------------------------------ */

static ASN1_INTEGER *
serial_cb(TS_RESP_CTX *ctx, void *data)
{
	(void)ctx;
	(void)data;
	return random_integer(16);
}

static int
time_cb(TS_RESP_CTX *ctx, void *data, long *sec, long *usec)
{
	int64_t now = clock_real_ns();

	(void)ctx;
	(void)data;
	*sec = (long)(now / 1000000000);
	*usec = (long)(now % 1000000000 / 1000);
	return 1;
}

static TS_RESP_CTX *
authority(const struct signer *s)
{
	ASN1_OBJECT *policy = OBJ_txt2obj(LOCAL_POLICY, 1);
	TS_RESP_CTX *ctx = TS_RESP_CTX_new();
	bool ok;

	ok = ctx != NULL && policy != NULL &&
	    TS_RESP_CTX_set_signer_cert(ctx, s->tsa_cert) == 1 &&
	    TS_RESP_CTX_set_signer_key(ctx, s->tsa_key) == 1 &&
	    TS_RESP_CTX_set_signer_digest(ctx, EVP_sha384()) == 1 &&
	    TS_RESP_CTX_set_ess_cert_id_digest(ctx, EVP_sha256()) == 1 &&
	    TS_RESP_CTX_set_def_policy(ctx, policy) == 1 &&
	    TS_RESP_CTX_add_md(ctx, EVP_sha512()) == 1 &&
	    TS_RESP_CTX_set_accuracy(ctx, 1, 0, 0) == 1 &&
	    TS_RESP_CTX_set_clock_precision_digits(ctx, 3) == 1;
	if (ok) {
		TS_RESP_CTX_add_flags(ctx, TS_TSA_NAME);
		TS_RESP_CTX_set_serial_cb(ctx, serial_cb, NULL);
		TS_RESP_CTX_set_time_cb(ctx, time_cb, NULL);
	}
	ASN1_OBJECT_free(policy);
	if (ok)
		return ctx;
	TS_RESP_CTX_free(ctx);
	return NULL;
}

int
tstamp_local(const struct signer *s, const void *tsq, size_t n,
    struct buf *tsr, struct err *e)
{
	unsigned char *der = NULL;
	TS_RESP_CTX *ctx = NULL;
	TS_RESP *resp = NULL;
	BIO *bio = NULL;
	int len, r = 0;

	if (s->tsa_key == NULL)
		return err_set(e, ERR_NOTFOUND,
		    "no local time stamp authority in the key directory");
	if (n > LIMIT_TSR || (bio = BIO_new_mem_buf(tsq, (int)n)) == NULL ||
	    (ctx = authority(s)) == NULL ||
	    (resp = TS_RESP_create_response(ctx, bio)) == NULL ||
	    TS_RESP_get_tst_info(resp) == NULL ||
	    (len = i2d_TS_RESP(resp, &der)) <= 0) {
		r = crypto_err(e, "cannot make a local time stamp");
	} else {
		buf_put(tsr, der, (size_t)len);
		if (buf_failed(tsr) < 0)
			r = err_set(e, ERR_NOMEM, "out of memory");
	}
	OPENSSL_free(der);
	TS_RESP_free(resp);
	TS_RESP_CTX_free(ctx);
	BIO_free(bio);
	return r;
}
