#ifndef CUSTODY_VERIFY_H_
#define CUSTODY_VERIFY_H_

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct buf;
struct bytesrc;
struct err;
struct trust;

/*
 * Verify a bundle: which statements hold, which fail, which were not
 * checked.  Read side; call verify_bundle inside the sandbox, or
 * verify_in_worker, which enters it in a process of its own and treats
 * what that says as hostile.
 *
 * Statements, always all of them, in this order:
 *   structure   canonical headers, order, unique names, padding, end
 *   manifests   each payload member listed once and nothing else, in every
 *               manifest that container.json names; tag manifests likewise
 *   digests     every member has the digests that the manifests state
 *   prefix      SHA-256 of every byte before container.json's header
 *   trailer     trailer regenerated and compared byte for byte
 *   seal        seal.txt lists what it must and each line holds
 *   signature   CAdES over seal.txt, by a pinned certificate, at genTime
 *   timestamp   RFC 3161 token over the .p7s, by a pinned authority
 *
 * Several can fail at once; after a structural failure what cannot be
 * checked is not-checked with the reason.
 */
enum verify_statement {
	VERIFY_STRUCTURE,
	VERIFY_MANIFESTS,
	VERIFY_DIGESTS,
	VERIFY_PREFIX,
	VERIFY_TRAILER,
	VERIFY_SEAL,
	VERIFY_SIGNATURE,
	VERIFY_TIMESTAMP,
	VERIFY_STATEMENTS
};
enum verify_outcome { VERIFY_NOT_CHECKED, VERIFY_HOLDS, VERIFY_FAILS };

const char *verify_statement_name(enum verify_statement s);
const char *verify_outcome_name(enum verify_outcome o); /* "not-checked" */

struct verify_result {
	struct {
		enum verify_outcome outcome;
		char reason[256];	/* printable, may be empty */
	} st[VERIFY_STATEMENTS];
	char bag[65];		/* printable bag name, or empty */
	uint64_t size;
	uint64_t members;	/* payload members seen */
	uint8_t sha256[32];	/* of the whole file */
	bool has_sha256;
	char signer[256];	/* subject, printable */
	uint8_t signer_sha256[32];
	char tsa[256];
	int64_t gen_time;	/* seconds; -1 without a token */
	bool local_tsa;		/* the token is by the bundle's own local TSA */
};

/* verify_exit: 3 any fails, 2 none fails but some not checked, else 0. */
int verify_exit(const struct verify_result *r);

/*
 * verify_prepare(): start libcrypto and the hashing threads before the
 * sandbox is entered; ret is used by verify_bundle and freed by
 * verify_done.
 */
struct verify;
int verify_prepare(struct verify **ret, struct err *e);
void verify_done(struct verify *v);
int verify_bundle(struct verify *v, const struct bytesrc *src,
    const struct trust *examiner, const struct trust *tsa,
    struct verify_result *ret, struct err *e);

/*
 * verify_in_worker(fd, trust PEMs, ret, e): the same in a sandboxed worker.
 * ${fd} is a regular file.  PEM texts may be NULL.  A worker that dies, or
 * says what no worker of ours says, makes structure fail with the reason;
 * negative only when our side failed.  The caller must have no threads.
 */
int verify_in_worker(int fd, const struct buf *examiner_pem,
    const struct buf *tsa_pem, struct verify_result *ret, struct err *e);

#endif /* !CUSTODY_VERIFY_H_ */
