#ifndef ANALYZER_SCAN_H_
#define ANALYZER_SCAN_H_

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "analyzer/result.h"

struct err;
struct format;
struct magic;
struct sink;
struct yara;

/*
 * Scan files, directories and bundles.  Workers run in parallel on all
 * cores; rows come out in the order of the paths whatever finishes first.
 * One object can never stop the others.
 */
enum scan_deep {
	SCAN_DEEP_AUTO,		/* unless the whole is above LIMIT_DEEP */
	SCAN_DEEP_ALWAYS,
	SCAN_DEEP_NEVER,
};

struct scan_options {
	const char *command;	/* for the header: "scan" */
	bool hash;		/* false: --no-hash */
	enum scan_deep deep;	/* whether weights are looked into */
	bool fence;		/* false: --no-sandbox */
	unsigned workers;	/* 0: one a core */
	const uint8_t *policy_digest; /* of --policy FILE, or NULL */
	unsigned program;	/* enum program_mode: whose calls are told */
	struct magic *magic;	/* or NULL */
	struct yara *yara;	/* of --rules, or NULL */
	const uint8_t *yara_digest; /* of that file, or NULL */
	bool carve;		/* write what is carved below carve_dir */
	int carve_dir;
	const struct format *extra; /* tests only */
	void (*progress)(void *ctx, uint64_t objects, uint64_t bytes,
	    const char *path);
	void *progress_ctx;
};

/*
 * scan_run: 0 when every row was handed to the sink and the summary was
 * written; *failed tells that our side failed on some object (its row says
 * so too).  Negative when results are not whole.
 */
int scan_run(const char *const *paths, size_t n, const struct scan_options *o,
    struct sink *s, struct result_summary *sum, bool *failed,
    struct err *e);

/* rules_digest: SHA-256 over catalogue and policy, in their order. */
int scan_rules_digest(uint8_t ret[32], struct err *e);

#endif /* !ANALYZER_SCAN_H_ */
