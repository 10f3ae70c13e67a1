#ifndef TESTS_UNIT_BUNDLE_FIXTURE_H_
#define TESTS_UNIT_BUNDLE_FIXTURE_H_

#include <fcntl.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/bytesrc.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/limits.h"
#include "custody/bag.h"
#include "custody/evidence_write.h"
#include "custody/keygen.h"
#include "custody/sign.h"
#include "custody/trust.h"
#include "custody/verify.h"

/*
 * A small sealed bundle with a real signer and a local token, in memory.
 * Failures of the fixture itself end the program.
 */
#define FIXTURE_TIME 1774353600	/* 2026-03-24T12:00:00Z, certificates too */

#define MUST(x) \
	do { \
		if (!(x)) { \
			(void)fprintf(stderr, "%s:%d: %s failed\n", \
			    __FILE__, __LINE__, #x); \
			exit(1); \
		} \
	} while (0)

struct bundle_keys {
	char dir[64];
	struct signer *signer;
	struct trust *examiner, *tsa;
};

struct bundle {
	uint8_t *p;
	size_t n;
	struct evidence_sealed sealed;
};

static inline void
bundle_keys_make(struct bundle_keys *k)
{
	const struct keygen_options o = {.algorithm = "p256"};
	struct err e = ERR_INIT;

	clock_pin((int64_t)FIXTURE_TIME * 1000000000);
	(void)snprintf(k->dir, sizeof(k->dir), "/tmp/exhibit-keys-XXXXXX");
	MUST(mkdtemp(k->dir) != NULL);
	if (keygen(k->dir, &o, &e) < 0)
		(void)fprintf(stderr, "%s\n", e.msg);
	MUST(e.code == ERR_OK);
	MUST(signer_load(k->dir, NULL, &k->signer, &e) == 0);
	MUST((k->examiner = trust_new(&e)) != NULL);
	MUST((k->tsa = trust_new(&e)) != NULL);
	MUST(trust_add_pem(k->examiner, signer_pem(k->signer),
	    strlen(signer_pem(k->signer)), &e) == 0);
	MUST(trust_add_pem(k->tsa, signer_tsa_pem(k->signer),
	    strlen(signer_tsa_pem(k->signer)), &e) == 0);
}

static inline void
bundle_keys_release(struct bundle_keys *k)
{
	static const char *const names[] = {"examiner.key", "examiner.pem",
	    "tsa.key", "tsa.pem"};
	char path[96];

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		(void)snprintf(path, sizeof(path), "%s/%s", k->dir, names[i]);
		(void)unlink(path);
	}
	(void)rmdir(k->dir);
	signer_free(k->signer);
	trust_free(k->examiner);
	trust_free(k->tsa);
	clock_pin(0);
}

static inline int
bundle_stamp(void *ctx, const void *p7s, size_t n, struct buf *tsr,
    struct err *e)
{
	struct bundle_keys *k = ctx;
	struct buf tsq;
	int r;

	buf_init(&tsq, LIMIT_TSR);
	if ((r = tstamp_query(p7s, n, &tsq, e)) >= 0)
		r = tstamp_local(k->signer, tsq.p, tsq.len, tsr, e);
	buf_release(&tsq);
	return r;
}

static inline int
bundle_fd(void)
{
	return memfd_create("bundle", MFD_CLOEXEC);
}

static inline void
bundle_read(struct bundle *b, int fd)
{
	struct stat st;

	MUST(fstat(fd, &st) == 0);
	b->n = (size_t)st.st_size;
	MUST((b->p = malloc(b->n)) != NULL);
	MUST(pread(fd, b->p, b->n, 0) == (ssize_t)b->n);
}

static inline struct evidence_writer *
bundle_writer(int fd, unsigned digests)
{
	const struct evidence_params p = {.fd = fd, .bag = "CASE-E01",
	    .digests = digests, .header_mtime = FIXTURE_TIME,
	    .external_id = "CASE-E01", .tool = "exhibit test"};
	struct evidence_writer *w;
	struct err e = ERR_INIT;

	MUST(evidence_writer_new(&p, &w, &e) == 0);
	MUST(evidence_tag(w, BAG_ACQUISITION, "{}\n", 3, &e) == 0);
	return w;
}

static inline struct evidence_place
bundle_member(struct evidence_writer *w, const char *name, const void *p,
    size_t n)
{
	struct evidence_place place;
	struct err e = ERR_INIT;
	uint64_t short_by;

	MUST(evidence_begin(w, name, n, FIXTURE_TIME - 1000, &e) == 0);
	MUST(evidence_put(w, p, n, &e) == 0);
	MUST(evidence_end(w, &place, &short_by, &e) == 0);
	MUST(short_by == 0);
	return place;
}

/* Five payload members: odd names, a pax header, an empty one. */
static inline void
bundle_payload(struct evidence_writer *w)
{
	uint8_t big[1500];
	char name[200];

	for (size_t i = 0; i < sizeof(big); i++)
		big[i] = (uint8_t)(i * 7 + i / 256);
	(void)bundle_member(w, "data/weights/src/m.bin", big, sizeof(big));
	(void)bundle_member(w, "data/weights/src/dir=20x/=C3=BC", "ue\n", 3);
	(void)bundle_member(w, "data/training/empty", "", 0);
	(void)snprintf(name, sizeof(name), "data/api-logs/%0150d", 7);
	(void)bundle_member(w, name, "long\n", 5);
	(void)bundle_member(w, "data/other/block", big, 512);
}

static inline void
bundle_metadata(struct evidence_writer *w, const struct bundle_keys *k)
{
	const char *pem = signer_pem(k->signer);
	const char *tsa = signer_tsa_pem(k->signer);
	struct err e = ERR_INIT;

	MUST(evidence_tag(w, BAG_FILES, "{\"a\":1}\n", 8, &e) == 0);
	MUST(evidence_tag(w, BAG_LOG, "", 0, &e) == 0);
	MUST(evidence_tag(w, BAG_PKI "examiner.pem", pem, strlen(pem),
	    &e) == 0);
	MUST(evidence_tag(w, BAG_PKI "tsa.pem", tsa, strlen(tsa), &e) == 0);
}

static inline void
bundle_make(struct bundle *b, struct bundle_keys *k, unsigned digests,
    bool token)
{
	struct evidence_stamp stamp = {bundle_stamp, k};
	struct evidence_writer *w;
	struct err e = ERR_INIT;
	int fd = bundle_fd();

	MUST(fd >= 0);
	w = bundle_writer(fd, digests);
	bundle_payload(w);
	bundle_metadata(w, k);
	if (evidence_finish(w, k->signer, token ? &stamp : NULL, &b->sealed,
	    &e) < 0)
		(void)fprintf(stderr, "finish: %s\n", e.msg);
	MUST(e.code == ERR_OK);
	evidence_writer_free(w);
	bundle_read(b, fd);
	(void)close(fd);
}

static inline void
bundle_release(struct bundle *b)
{
	free(b->p);
}

/* The exit code for these bytes; *r has the rest. */
static inline int
bundle_verify(struct verify *v, const uint8_t *p, size_t n,
    const struct bundle_keys *k, struct verify_result *r)
{
	struct err e = ERR_INIT;
	struct bytesrc *src;

	MUST((src = bytesrc_mem(p, n, &e)) != NULL);
	if (verify_bundle(v, src, k->examiner, k->tsa, r, &e) < 0) {
		(void)fprintf(stderr, "verify: %s\n", e.msg);
		MUST(e.code == ERR_OK);
	}
	bytesrc_free(src);
	return verify_exit(r);
}

#endif /* !TESTS_UNIT_BUNDLE_FIXTURE_H_ */
