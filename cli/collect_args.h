#ifndef CLI_COLLECT_ARGS_H_
#define CLI_COLLECT_ARGS_H_

#include <stdbool.h>

#include "cli/opt.h"
#include "cli/progress.h"
#include "collector/acquire.h"

struct buf;
struct err;
struct signer;
struct trust;

/*
 * What `exhibit collect` and exhibit-collect share: the options for sources
 * and the seal, where the token comes from, progress.
 */
#define COLLECT_KINDS 8

struct collect_args {
	struct opt_list paths[COLLECT_KINDS];	/* by row of sources.def */
	const char *digest, *tsa, *purpose, *keys, *passphrase_file, *output;
	bool double_read, quiet, verbose;
	struct collect_source *sources;	/* collect_args_sources */
	size_t nsources;
	struct progress bar;
};

/* The rows for these options; returns how many were written to rows[]. */
size_t collect_args_rows(struct collect_args *a, struct opt *rows);
#define COLLECT_ARGS_ROWS (COLLECT_KINDS + 9)

/* Sources in the order of sources.def; ERR_ARG when there is none. */
int collect_args_sources(struct collect_args *a, struct err *e);
int collect_args_digests(const struct collect_args *a, unsigned *ret,
    struct err *e);
void collect_args_release(struct collect_args *a);
void collect_args_progress(void *ctx, const struct collect_totals *t,
    const char *path);

/*
 * Tokens by the local authority, or by one that a stick reaches: the query
 * is written to DIR/BAG.tsq and DIR/BAG.tsr is waited for.
 */
struct collect_stamp {
	const struct signer *signer;
	const char *stick;	/* directory, or NULL: the local authority */
	const char *bag;
};
int collect_stamp_local(void *ctx, const void *p7s, size_t n,
    struct buf *tsr, struct err *e);
int collect_stamp_stick(void *ctx, const void *p7s, size_t n,
    struct buf *tsr, struct err *e);

/* "stick:DIR" gives DIR, else NULL. */
const char *collect_args_stick(const struct collect_args *a);

/* One line of talk about what was done; -v more. */
void collect_args_talk(const char *program, const struct collect_args *a,
    const struct acquired *r);

#endif /* !CLI_COLLECT_ARGS_H_ */
