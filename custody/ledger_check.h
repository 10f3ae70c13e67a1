#ifndef CUSTODY_LEDGER_CHECK_H_
#define CUSTODY_LEDGER_CHECK_H_

struct err;
struct ledger_head;
struct sqlite3;

/* What ledger_open checks, within its transaction.  Internal to ledger*.c. */

/* ledger_check_identity: ERR_FORMAT not ours, ERR_UNSUPPORTED too new. */
int ledger_check_identity(struct sqlite3 *db, struct err *e);
/* ledger_check_schema: each object is there as it was made, and no other. */
int ledger_check_schema(struct sqlite3 *db, struct err *e);
/* ledger_check_events: numbers, leaves, chain and nodes; *ret on success. */
int ledger_check_events(struct sqlite3 *db, struct ledger_head *ret,
    struct err *e);

#endif /* !CUSTODY_LEDGER_CHECK_H_ */
