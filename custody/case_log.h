#ifndef CUSTODY_CASE_LOG_H_
#define CUSTODY_CASE_LOG_H_

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "custody/case.h"

struct case_body;
struct err;
struct ledger;

/*
 * The ledger as a person reads it: each event in a line, and what became of
 * each exhibit.  Bodies are parsed strictly; one that does not fit (its own
 * number is wrong, the case is another, the first is no genesis) is
 * ERR_FORMAT, and e names the event.
 */
struct case_log_event {
	uint64_t seq;
	const char *kind;
	const char *exhibit; /* NULL: of the whole case */
	const char *utc;
	const char *actor;
	const char *summary; /* one printable line; NULL without ${fn} */
	const struct case_body *body; /* every field, dotted paths */
};

enum case_log_state {
	CASE_LOG_BEGUN,    /* number taken, not sealed (yet) */
	CASE_LOG_SEALED,   /* published in a file */
	CASE_LOG_STREAMED, /* sealed into a pipe: not re-read */
	CASE_LOG_INCIDENT, /* never sealed, or a later incident */
};
const char *case_log_state_name(enum case_log_state s);

struct case_log_exhibit {
	char name[CASE_BAG_MAX];
	enum case_log_state state;
	uint64_t begin_seq; /* acquire; 0: none */
	uint64_t end_seq;   /* seal or incident; 0: none */
	bool has_seal;      /* the two below are known */
	uint8_t bundle_sha256[32];
	uint64_t size;
};

/* The most exhibits of one case: more is ERR_LIMIT. */
#define CASE_LOG_EXHIBITS 1000000

/*
 * case_log_read(l, fn, ctx, ret, e): call ${fn} (may be NULL) for each event
 * in order; what it is given lives until it returns, and a non-zero return
 * stops and is returned.  *ret (unless ${ret} is NULL): the exhibits.
 */
struct case_log;
int case_log_read(struct ledger *l,
    int (*fn)(void *ctx, const struct case_log_event *ev), void *ctx,
    struct case_log **ret, struct err *e);
void case_log_free(struct case_log *log);

/* Exhibits in the order in which their numbers were taken. */
size_t case_log_count(const struct case_log *log);
const struct case_log_exhibit *case_log_exhibit(const struct case_log *log,
    size_t i);
const struct case_log_exhibit *case_log_find(const struct case_log *log,
    const char *name);

#endif /* !CUSTODY_CASE_LOG_H_ */
