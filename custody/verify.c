#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/bytesrc.h"
#include "base/err.h"
#include "base/limits.h"
#include "custody/digest.h"
#include "custody/evidence_read.h"
#include "custody/verify_parts.h"

/*
 * Method.  The file is read once.  evidence_walk says where members lie and
 * refuses what is not canonical; verify_pass digests every byte of the file
 * on a lane and each member's content in the caller, and builds what the
 * manifests must be line by line (their order is that of the members), so
 * that a manifest is right if its SHA-256 is that of the expected text:
 * nothing is kept for a payload member but its place in the set of names.
 * Every other text of the trailer is regenerated and compared.
 *
 * Only when a manifest is not as expected, the members are read a second
 * time, to say which line differs.
 */
#define NAMES_ARENA GIB		/* see nameset.h */

const char *
verify_statement_name(enum verify_statement s)
{
	static const char *const names[VERIFY_STATEMENTS] = {"structure",
	    "manifests", "digests", "prefix", "trailer", "seal",
	    "signature", "timestamp"};

	return names[s];
}

const char *
verify_outcome_name(enum verify_outcome o)
{
	return o == VERIFY_HOLDS ? "holds" : o == VERIFY_FAILS ? "fails" :
	    "not-checked";
}

int
verify_exit(const struct verify_result *r)
{
	int code = 0;

	for (unsigned i = 0; i < VERIFY_STATEMENTS; i++) {
		if (r->st[i].outcome == VERIFY_FAILS)
			return 3;
		if (r->st[i].outcome != VERIFY_HOLDS)
			code = 2;
	}
	return code;
}

static void
note(struct verify_result *r, enum verify_statement s, enum verify_outcome o,
    const char *fmt, va_list ap)
    __attribute__((format(printf, 4, 0)));

static void
note(struct verify_result *r, enum verify_statement s, enum verify_outcome o,
    const char *fmt, va_list ap)
{
	r->st[s].outcome = o;
	(void)vsnprintf(r->st[s].reason, sizeof(r->st[s].reason), fmt, ap);
}

void
verify_note_fails(struct verify_result *r, enum verify_statement s,
    const char *fmt, ...)
{
	va_list ap;

	if (r->st[s].outcome == VERIFY_FAILS)
		return;
	va_start(ap, fmt);
	note(r, s, VERIFY_FAILS, fmt, ap);
	va_end(ap);
}

void
verify_note_skip(struct verify_result *r, enum verify_statement s,
    const char *fmt, ...)
{
	va_list ap;

	if (r->st[s].outcome == VERIFY_FAILS || r->st[s].reason[0] != '\0')
		return;
	va_start(ap, fmt);
	note(r, s, VERIFY_NOT_CHECKED, fmt, ap);
	va_end(ap);
}

void
verify_note_holds(struct verify_result *r, enum verify_statement s,
    const char *fmt, ...)
{
	va_list ap;

	if (r->st[s].outcome != VERIFY_NOT_CHECKED ||
	    r->st[s].reason[0] != '\0')
		return;
	va_start(ap, fmt);
	note(r, s, VERIFY_HOLDS, fmt, ap);
	va_end(ap);
}

int
verify_prepare(struct verify **ret, struct err *e)
{
	struct verify *v;
	int r;

	if ((r = digest_start(e)) < 0)
		return r;
	if ((v = calloc(1, sizeof(*v))) == NULL ||
	    (v->chunk = malloc(LIMIT_COPY_CHUNK)) == NULL) {
		free(v);
		return err_set(e, ERR_NOMEM, "out of memory");
	}
	for (unsigned i = 0; i < 2; i++)
		if ((v->member[i] = digest_new(i == 0 ? DIGEST_SHA256 :
		    DIGEST_SHA256 | DIGEST_SHA512, e)) == NULL ||
		    (v->expected[i] = digest_new(DIGEST_SHA256, e)) == NULL)
			goto fail;
	if ((v->lane = lane_new(DIGEST_SHA256, e)) == NULL)
		goto fail;
	*ret = v;
	return 0;
fail:
	verify_done(v);
	return ERR_CRYPTO;
}

void
verify_done(struct verify *v)
{
	if (v == NULL)
		return;
	lane_free(v->lane);
	for (unsigned i = 0; i < 2; i++) {
		digest_free(v->member[i]);
		digest_free(v->expected[i]);
	}
	free(v->chunk);
	free(v);
}

/* Is it about the evidence, or did our side fail? */
static bool
is_finding(int r)
{
	return r == ERR_FORMAT || r == ERR_TRUNC || r == ERR_LIMIT;
}

/* Walk and digest all members; what is wrong becomes the statement. */
static int
pass(struct verify_pass *p, struct arena *a, struct verify_result *ret,
    struct err *e)
{
	struct err why = ERR_INIT, shrunk = ERR_INIT;
	struct evidence_walk *w;
	struct evidence_member m;
	int r, got;

	if ((r = evidence_walk_new(p->src, a, &w, e)) < 0)
		return r;
	while ((got = evidence_walk_next(w, &m, &why)) > 0) {
		/* The name of the bag is wanted from the first member on. */
		p->facts.bag = evidence_walk_bag(w);
		if ((got = verify_pass_member(p, &m, &why)) < 0)
			break;
	}
	if (got < 0 && !is_finding(got))
		return err_set(e, (enum err_code)got, "%s", why.msg);
	if (got == ERR_LIMIT)
		verify_note_skip(ret, VERIFY_STRUCTURE, "%s", why.msg);
	else if (got < 0)
		verify_note_fails(ret, VERIFY_STRUCTURE, "%s", why.msg);
	verify_note_holds(ret, VERIFY_STRUCTURE, "%s", "");
	(void)snprintf(ret->bag, sizeof(ret->bag), "%s",
	    evidence_walk_bag(w));
	if ((r = verify_pass_rest(p, ret->sha256, &shrunk)) < 0 &&
	    !is_finding(r))
		return err_set(e, (enum err_code)r, "%s", shrunk.msg);
	ret->has_sha256 = r >= 0;
	if (r < 0)
		verify_note_fails(ret, VERIFY_STRUCTURE,
		    "the file became shorter while it was read");
	return 0;
}

int
verify_bundle(struct verify *v, const struct bytesrc *src,
    const struct trust *examiner, const struct trust *tsa,
    struct verify_result *ret, struct err *e)
{
	struct verify_result out = {.gen_time = -1};
	struct verify_pass *p = NULL;
	struct arena *a = NULL;
	int r = ERR_NOMEM;

	if ((p = calloc(1, sizeof(*p))) == NULL ||
	    (a = arena_new(NAMES_ARENA)) == NULL) {
		(void)err_set(e, ERR_NOMEM, "out of memory");
		goto out;
	}
	out.size = bytesrc_size(src);
	if ((r = verify_pass_init(p, v, src, e)) < 0 ||
	    (r = pass(p, a, &out, e)) < 0 ||
	    (r = verify_check_manifests(p, &out, e)) < 0 ||
	    (r = verify_check_container(p, &out, e)) < 0 ||
	    (r = verify_check_seal(p, &out, e)) < 0 ||
	    (r = verify_check_trust(p, examiner, tsa, &out, e)) < 0)
		goto out;
	out.members = p->facts.members;
	*ret = out;
	r = 0;
out:
	verify_pass_release(p);
	free(p);
	arena_free(a);
	return r;
}
