#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/pkcs7.h>
#include <openssl/ts.h>
#include <stdio.h>
#include <string.h>

#include "base/err.h"
#include "custody/digest.h"
#include "custody/trust_internal.h"

/*
 * RFC 3161 tokens, verified at their own genTime: the authority's
 * certificate must be one for time stamping alone (OpenSSL's TS purpose, RFC
 * 3161 2.3), the imprint must be over the data, the ESS certificate
 * identifier must match.  As with signatures: first with the certificate
 * that the token itself carries, then with the pinned anchors.
 */
static int64_t
gen_time(TS_TST_INFO *info)
{
	struct tm tm;

	if (ASN1_TIME_to_tm(TS_TST_INFO_get_time(info), &tm) != 1)
		return -1;
	return (int64_t)timegm(&tm);
}

/* The authority's certificate out of the token. */
static X509 *
find_authority(TS_RESP *resp, struct trust_result *ret)
{
	PKCS7 *token = TS_RESP_get_token(resp);
	STACK_OF(X509) *signers;
	X509 *cert = NULL;

	if (token == NULL || !PKCS7_type_is_signed(token)) {
		(void)snprintf(ret->reason, sizeof(ret->reason),
		    "the reply holds no token");
		return NULL;
	}
	signers = PKCS7_get0_signers(token, NULL, 0);
	if (signers != NULL && sk_X509_num(signers) == 1) {
		cert = sk_X509_value(signers, 0);
		(void)X509_up_ref(cert);
	} else {
		trust_reason(ret, "the token does not carry its authority's "
		    "certificate");
	}
	sk_X509_free(signers);
	return cert;
}

static int
verify(TS_RESP *resp, X509_STORE *store, const void *data, size_t n,
    bool *ok, struct err *e)
{
	TS_VERIFY_CTX *ctx;
	BIO *bio;

	*ok = false;
	if (store == NULL || n > INT32_MAX ||
	    (ctx = TS_VERIFY_CTX_new()) == NULL) {
		X509_STORE_free(store);
		return err_set(e, ERR_NOMEM, "out of memory");
	}
	/* The context owns the store and the data from here on. */
	(void)TS_VERIFY_CTX_set_store(ctx, store);
	if ((bio = BIO_new_mem_buf(data, (int)n)) == NULL) {
		TS_VERIFY_CTX_free(ctx);
		return err_set(e, ERR_NOMEM, "out of memory");
	}
	(void)TS_VERIFY_CTX_set_data(ctx, bio);
	(void)TS_VERIFY_CTX_set_flags(ctx, TS_VFY_VERSION | TS_VFY_SIGNATURE |
	    TS_VFY_DATA);
	*ok = TS_RESP_verify_response(ctx, resp) == 1;
	TS_VERIFY_CTX_free(ctx);
	return 0;
}

static X509_STORE *
ts_store(const struct trust *t, X509 *extra, int64_t at)
{
	X509_STORE *s = trust_store(t, extra, at);

	if (s != NULL && X509_STORE_set_purpose(s,
	    X509_PURPOSE_TIMESTAMP_SIGN) != 1) {
		X509_STORE_free(s);
		return NULL;
	}
	return s;
}

static int
check_both(const struct trust *t, TS_RESP *resp, const void *data, size_t n,
    struct trust_result *ret, struct err *e)
{
	TS_TST_INFO *info = TS_RESP_get_tst_info(resp);
	X509 *authority;
	int r;

	if (info == NULL || (ret->time = gen_time(info)) < 0) {
		(void)snprintf(ret->reason, sizeof(ret->reason),
		    "the reply grants no token");
		return 0;
	}
	if ((authority = find_authority(resp, ret)) == NULL)
		return 0;
	trust_describe(authority, ret);
	(void)OBJ_obj2txt(ret->algorithm, (int)sizeof(ret->algorithm),
	    TS_TST_INFO_get_policy_id(info), 1);
	r = verify(resp, ts_store(NULL, authority, ret->time), data, n,
	    &ret->intact, e);
	X509_free(authority);
	if (r < 0)
		return r;
	if (!ret->intact) {
		trust_reason(ret, "the token does not hold");
		return 0;
	}
	if (trust_empty(t)) {
		(void)snprintf(ret->reason, sizeof(ret->reason),
		    "no authority is pinned");
		return 0;
	}
	if ((r = verify(resp, ts_store(t, NULL, ret->time), data, n,
	    &ret->trusted, e)) >= 0 && !ret->trusted)
		trust_reason(ret, "no pinned authority vouches for it");
	return r;
}

int
trust_check_token(const struct trust *t, const void *tsr, size_t tsr_n,
    const void *data, size_t data_n, struct trust_result *ret,
    struct err *e)
{
	const unsigned char *p = tsr;
	TS_RESP *resp;
	int r;

	memset(ret, 0, sizeof(*ret));
	ret->time = -1;
	if ((r = digest_start(e)) < 0)
		return r;
	resp = tsr_n <= INT32_MAX ? d2i_TS_RESP(NULL, &p, (long)tsr_n) : NULL;
	if (resp == NULL || (size_t)(p - (const unsigned char *)tsr) !=
	    tsr_n) {
		trust_reason(ret, "not one time-stamp reply");
		TS_RESP_free(resp);
		return 0;
	}
	r = check_both(t, resp, data, data_n, ret, e);
	TS_RESP_free(resp);
	return r;
}
