#ifndef CUSTODY_LEDGER_H_
#define CUSTODY_LEDGER_H_

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct buf;
struct err;

/*
 * The custody ledger: an append-only SQLite database (case.db), rollback
 * journal, synchronous=EXTRA, one row an event; each row's body is
 * canonical JSON (RFC 8785) and the only truth, chained by hash and summed
 * in an RFC 9162 tree (docs/FORMAT.md, "The ledger").  Write side.
 *
 * It proves nothing against a person with write access to the file and no
 * witness: that is what signed heads that leave the machine are for.  Until
 * they exist, bundles witness the ledger: each acquisition.json holds the
 * head at that moment.
 */
struct ledger;

/* One body: an analysis of a thousand inputs is some 200 KiB. */
#define LEDGER_BODY_MAX ((size_t)1024 * 1024)

struct ledger_head {
	uint64_t size;		/* events */
	uint8_t root[32];	/* RFC 9162 root */
	uint8_t chain[32];	/* last chain value; zeros when empty */
};

/*
 * ledger_create: a new database, mode 0600; ERR_EXISTS if there.  Refuses
 * the file systems that ledger_open refuses.
 */
int ledger_create(const char *path, struct ledger **ret, struct err *e);
/*
 * ledger_open: existing; recovers a hot journal.  Checks application_id
 * (ERR_FORMAT: not a ledger; ERR_UNSUPPORTED: a later version), the schema
 * with its triggers, the whole hash chain and the stored nodes: ERR_VERIFY
 * when they do not hold (e says at which event).  Refuses NFS, CIFS and
 * FUSE file systems (ERR_UNSUPPORTED) unless ${force}.
 */
int ledger_open(const char *path, bool force, struct ledger **ret,
    struct err *e);
/*
 * ledger_open_readonly: for reports and `custody log`; the same checks;
 * works on read-only media, but not while a hot journal lies beside it.
 */
int ledger_open_readonly(const char *path, struct ledger **ret,
    struct err *e);
void ledger_close(struct ledger *l);

/*
 * ledger_refused_fs: the name of a file system (f_type of statfs) on which
 * neither locks nor fsync can be relied upon, or NULL.
 */
const char *ledger_refused_fs(uint64_t f_type);

/*
 * ledger_append(l, body, n, seq, e): body is canonical JSON made by the
 * caller (case.h makes the common part), UTF-8, at most LEDGER_BODY_MAX;
 * committed durably before return.  Extends only what this struct has
 * checked: ERR_VERIFY when somebody else appended since (open it again).
 * ${seq} may be NULL.
 */
int ledger_append(struct ledger *l, const char *body, size_t n,
    uint64_t *seq, struct err *e);

/* ledger_append_seal: and note the item; ERR_EXISTS when it was sealed. */
struct ledger_item {
	const char *exhibit;
	uint8_t bundle_sha256[32];
	uint64_t size;
};
int ledger_append_seal(struct ledger *l, const char *body, size_t n,
    const struct ledger_item *item, uint64_t *seq, struct err *e);

/* ledger_head: as checked at opening, plus what was appended since. */
int ledger_head(struct ledger *l, struct ledger_head *ret, struct err *e);

/*
 * ledger_each: every body of the head in order; stops at a non-zero return
 * and gives it.  ${fn} must not append.
 */
int ledger_each(struct ledger *l,
    int (*fn)(void *ctx, uint64_t seq, const char *body, size_t n),
    void *ctx, struct err *e);

/*
 * Settings and parties that live beside the events (not part of the proof:
 * what a party's certificate must be is said by the event from_seq).
 * ledger_get and ledger_party_pem append to ${ret}; ERR_NOTFOUND when absent.
 */
int ledger_set(struct ledger *l, const char *key, const char *value,
    struct err *e);
int ledger_get(struct ledger *l, const char *key, struct buf *ret,
    struct err *e);
int ledger_party_add(struct ledger *l, const char *role,
    const uint8_t cert_sha256[32], const char *pem, uint64_t from_seq,
    struct err *e);
int ledger_party_pem(struct ledger *l, const char *role,
    const uint8_t cert_sha256[32], struct buf *ret, struct err *e);

#endif /* !CUSTODY_LEDGER_H_ */
