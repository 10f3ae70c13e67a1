#ifndef CUSTODY_CASE_DIR_H_
#define CUSTODY_CASE_DIR_H_

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct err;
struct json_write;
struct ledger;

/* A case directory's parts.  Internal to case*.c. */
#define CASE_DB "case.db"
#define CASE_DB_NEW "case.db.new" /* until case new is finished */
#define CASE_BUNDLES "bundles"
#define CASE_JOURNAL ".journal" /* of ID-Enn, while it is acquired */

#define CASE_PARTIES 2
struct case_party {
	const char *role; /* "examiner", "tsa"; NULL: not there */
	uint8_t cert_sha256[32];
	uint8_t pem_sha256[32];
};

struct casedir {
	char *dir, *id, *examiner, *keys;
	int dirfd, bundles; /* -1: not open */
	struct ledger *ledger;
	bool writable;
	struct case_party party[CASE_PARTIES];
	/* Of the running program, once for all events. */
	bool exe_known;
	uint8_t exe_sha256[32];
	char exe_why[160]; /* why it could not be read, or empty */
};

/* What case_event is asked to write. */
struct case_what {
	const char *kind, *exhibit;
	void (*data)(void *ctx, struct json_write *w);
	void *ctx;
};

/* case_event_append: case_event without its rules about kinds. */
int case_event_append(struct casedir *c, const struct case_what *what,
    uint64_t *seq, struct err *e);

#endif /* !CUSTODY_CASE_DIR_H_ */
