#ifndef CUSTODY_KEYGEN_H_
#define CUSTODY_KEYGEN_H_

#include <stdbool.h>

struct err;

/*
 * keygen(dir, o, e): make the directory (0700) if need be and write
 * examiner.key, examiner.pem, tsa.key, tsa.pem: keys PKCS#8 PEM 0600,
 * certificates self-signed CA:FALSE, valid ten years; examiner without
 * extended key usage, keyUsage digitalSignature+nonRepudiation; tsa with
 * critical timeStamping only.  With ${request}: examiner.csr instead of
 * examiner.pem, and no TSA certificate is different.  An existing file is
 * ERR_EXISTS and nothing is written.
 */
struct keygen_options {
	const char *algorithm;	/* p256 p384 p521 rsa3072 rsa4096 rsa-pss */
	const char *name;	/* CN of the examiner; NULL "examiner" */
	const char *passphrase;	/* NULL: unencrypted */
	bool request;
};

/* keygen_algorithm_ok: else *reason says why (ed25519: no CMS support). */
bool keygen_algorithm_ok(const char *algorithm, const char **reason);
int keygen(const char *dir, const struct keygen_options *o, struct err *e);

#endif /* !CUSTODY_KEYGEN_H_ */
