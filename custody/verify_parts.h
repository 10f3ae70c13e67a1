#ifndef CUSTODY_VERIFY_PARTS_H_
#define CUSTODY_VERIFY_PARTS_H_

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "custody/bagtext.h"
#include "custody/merkle.h"
#include "custody/verify.h"

struct arena;
struct bytesrc;
struct digest;
struct err;
struct evidence_member;
struct lane;
struct trust;

/* Shared by verify*.c, and by nobody else. */
struct verify {
	struct lane *lane;		/* the whole file */
	struct digest *member[2];	/* SHA-256; both */
	struct digest *expected[2];	/* of the regenerated manifests */
	uint8_t *chunk;			/* LIMIT_COPY_CHUNK bytes */
};

/* Tag files whose content is looked at. */
enum verify_text {
	VERIFY_TEXT_INFO,
	VERIFY_TEXT_CONTAINER,
	VERIFY_TEXT_SEAL,
	VERIFY_TEXT_P7S,
	VERIFY_TEXT_TSR,
	VERIFY_TEXT_TAG256,
	VERIFY_TEXT_TAG512,
	VERIFY_TEXT_TSA_PEM,
	VERIFY_TEXTS
};

/* A payload manifest: what it is, and what it should be. */
struct verify_manifest {
	bool there;
	uint64_t off, size;
	uint8_t sha256[32], expected[32];
};

/* What one pass over the file has gathered. */
struct verify_pass {
	struct verify *v;
	const struct bytesrc *src;
	uint64_t size, at;		/* at: digested so far */
	uint64_t win_off;		/* of chunk[0] */
	size_t win_len;
	bool sha512;			/* SHA-512 is computed as well */
	struct merkle merkle;
	struct bagtext_container facts;
	bool has_prefix;
	struct bagtext_tag tag[BAGTEXT_TAGS];	/* no tag manifest */
	size_t ntags, nsealed;		/* nsealed: those before seal.txt */
	struct buf text[VERIFY_TEXTS];
	bool has_text[VERIFY_TEXTS];
	struct verify_manifest manifest[2];
};

int verify_pass_init(struct verify_pass *p, struct verify *v,
    const struct bytesrc *src, struct err *e);
void verify_pass_release(struct verify_pass *p);
/* verify_pass_member: digest up to the member's end and note what it is. */
int verify_pass_member(struct verify_pass *p,
    const struct evidence_member *m, struct err *e);
/* verify_pass_rest: digest to the end of the file. */
int verify_pass_rest(struct verify_pass *p, uint8_t sha256[32],
    struct err *e);

/* One line that a list must have. */
struct verify_want {
	const char *name;
	size_t n;
	const uint8_t *digest;
};
/* 1 and the next line, 0 at the end, negative. */
typedef int verify_next(void *ctx, struct verify_want *ret, struct err *e);

/* What is wrong with a list; "" for nothing. */
struct verify_list {
	char names[200];	/* malformed, missing, additional */
	char digests[200];	/* the first line with another digest */
};

/* verify_list: compare a list (lines of ${len} bytes' digests). */
int verify_list(struct verify_list *ret, const struct bytesrc *list,
    size_t len, verify_next *next, void *ctx, struct err *e);
/* verify_list_tags: with the first ${n} tags of the pass. */
int verify_list_tags(struct verify_list *ret, const struct verify_pass *p,
    enum verify_text list, size_t len, size_t n, struct err *e);
/* verify_list_payload: payload manifest i, reading the members again. */
int verify_list_payload(struct verify_list *ret, struct verify_pass *p,
    unsigned i, struct err *e);

/* verify_check_*: the statements, out of what the pass has gathered. */
int verify_check_manifests(struct verify_pass *p, struct verify_result *r,
    struct err *e);
int verify_check_container(struct verify_pass *p, struct verify_result *r,
    struct err *e);
int verify_check_seal(const struct verify_pass *p, struct verify_result *r,
    struct err *e);
int verify_check_trust(const struct verify_pass *p,
    const struct trust *examiner, const struct trust *tsa,
    struct verify_result *r, struct err *e);

/*
 * verify_note_fails: the statement fails (the first reason stays).
 * verify_note_skip: it cannot be checked, unless it fails already.
 * verify_note_holds: it holds, unless one of the two was said.
 */
void verify_note_fails(struct verify_result *r, enum verify_statement s,
    const char *fmt, ...) __attribute__((format(printf, 3, 4)));
void verify_note_skip(struct verify_result *r, enum verify_statement s,
    const char *fmt, ...) __attribute__((format(printf, 3, 4)));
void verify_note_holds(struct verify_result *r, enum verify_statement s,
    const char *fmt, ...) __attribute__((format(printf, 3, 4)));

#endif /* !CUSTODY_VERIFY_PARTS_H_ */
