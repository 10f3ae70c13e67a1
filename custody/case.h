#ifndef CUSTODY_CASE_H_
#define CUSTODY_CASE_H_

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "custody/ledger.h"

struct buf;
struct err;
struct json_write;
struct signer;

/*
 * A case directory: case.db (ledger), bundles/.  Keys stay outside; their
 * directory is remembered as a setting, the certificates as parties.
 *
 * Events (FORMAT.md lists each field):
 *   genesis   case new
 *   acquire   phase "begin": takes the exhibit number before anything is
 *             read (so a number is never used twice); the bundle's own
 *             acquisition.json holds the head after it.  Phase "resume": an
 *             acquisition that was cut is gone on with, under its number; an
 *             incident that says that it was cut is settled by it
 *   seal      the bundle was published (or streamed: "not re-read")
 *   incident  found at the next opening: an acquire that was never sealed,
 *             with what lies in bundles/ (nothing, a partial, a file)
 *   verify    result of exhibit verify
 *   analyse   scan, report: tool, rules digest, input and result digests
 * Transfers, holds, releases, exports come with their commands.
 */
struct casedir;

/* A case's identifier: [A-Za-z0-9._-]{1,58}, so that bag names fit. */
#define CASE_ID_MAX 58
/* An examiner's name: bytes of printable UTF-8 without backslash. */
#define CASE_NAME_MAX 200

/*
 * case_new: ${dir} must not exist (then it is made, 0700) or be empty
 * (ERR_EXISTS).  case.db appears under its name only when everything in it
 * is there, so an interrupted case new is recognised, and said.
 */
int case_new(const char *dir, const char *id, const char *examiner,
    const char *keys, const struct signer *s, struct err *e);
/*
 * case_open: for writing.  Takes a lock (flock on the directory; ERR_DENIED
 * when another process holds it for CASE_LOCK_SECONDS) that lasts until
 * case_close, then reconciles.  ERR_NOTFOUND: no case; ERR_FORMAT: half a
 * case, or bodies that do not fit; else as ledger_open.
 */
#define CASE_LOCK_SECONDS 5
int case_open(const char *dir, struct casedir **ret, struct err *e);
/* case_open_readonly: no lock, no reconciling; for read-only media too. */
int case_open_readonly(const char *dir, struct casedir **ret, struct err *e);
void case_close(struct casedir *c);

const char *case_id(const struct casedir *c);
const char *case_examiner(const struct casedir *c);
const char *case_keys(const struct casedir *c);
int case_bundles_fd(const struct casedir *c);	/* directory, borrowed */
const char *case_dir(const struct casedir *c);	/* absolute */
struct ledger *case_ledger(struct casedir *c);
/*
 * The certificates pinned at case new (PEM, appended; tsa may be empty).
 * ERR_VERIFY when one is not the one whose digest the genesis event holds.
 */
int case_trust_pem(struct casedir *c, struct buf *examiner, struct buf *tsa,
    struct err *e);

/*
 * case_event(c, kind, exhibit, data, ctx, seq, e): append an event.  The
 * common fields come from the case; ${data} writes the members of the
 * object "data", in ascending key order (canonical JSON), keys of
 * [A-Za-z0-9_-]; NULL writes none.  ${exhibit} and ${seq} may be NULL.
 *
 * A "seal" must have "bundle_sha256" (hex) and "size" in its data, and an
 * exhibit that was begun and has neither seal nor incident (ERR_DENIED); a
 * bundle that went into a pipe says "not re-read" in one of its strings.
 * "genesis" and "acquire" are made by case_new and case_take_exhibit alone,
 * and ERR_ARG here.
 */
int case_event(struct casedir *c, const char *kind, const char *exhibit,
    void (*data)(void *ctx, struct json_write *w), void *ctx, uint64_t *seq,
    struct err *e);

/*
 * case_take_exhibit(c, data, ctx, ret, e): acquire/begin with the next
 * number, 1 + the highest ever taken; *ret "ID-E01" (bag name) in a
 * caller's array.  ${data} writes the members of "request" in the event's
 * data, which are {"phase":"begin","request":{...}}.
 */
#define CASE_BAG_MAX 65
int case_take_exhibit(struct casedir *c,
    void (*data)(void *ctx, struct json_write *w), void *ctx,
    char ret[CASE_BAG_MAX], struct err *e);

/*
 * case_resume_exhibit(c, exhibit, request_sha256, e): acquire/resume of an
 * exhibit that was begun and not sealed, with the request whose digest the
 * event of its beginning holds as "request_sha256".  1: it is sealed already
 * and no event was written.  ERR_NOTFOUND: no such exhibit; ERR_VERIFY: it
 * was begun with another request.
 * case_resumable(c, ret, e): the one exhibit that was begun, is not sealed
 * and has a journal in bundles/; when there is none, the last one that is
 * sealed and has one still.  ERR_NOTFOUND: none; ERR_ARG: several, the
 * message names two of them.
 */
int case_resume_exhibit(struct casedir *c, const char *exhibit,
    const uint8_t request_sha256[32], struct err *e);
int case_resumable(struct casedir *c, char ret[CASE_BAG_MAX], struct err *e);

/*
 * case_reconcile(c, e): called by case_open for writing: notes each acquire
 * that has neither seal nor incident as an incident, with the files
 * ID-Enn.tar, ID-Enn.tar.partial, ID-Enn.partial and ID-Enn.journal that lie
 * in bundles/.
 */
int case_reconcile(struct casedir *c, struct err *e);

#endif /* !CUSTODY_CASE_H_ */
