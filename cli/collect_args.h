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
	struct opt_list excludes;
	const char *since, *until, *follow_mounts, *max_bytes, *limit_rate,
	    *nice, *environ;
	const char *digest, *tsa, *purpose, *authority, *exhibit, *keys,
	    *passphrase_file, *format, *output;
	const char *witness, *organisation, *contact, *write_blocker,
	    *reference_time, *log_zone;
	bool copy_libraries, one_file_system, mask_content, double_read;
	bool dry_run, quiet, verbose;
	struct collect_source *sources;	/* collect_args_options */
	size_t nsources;
	struct collect_setting settings[2];	/* of processes */
	size_t nsettings;
	char **cut;			/* paths in front of slices */
	size_t ncut;
	struct progress bar;
	uint64_t total;
};

/* The rows for these options; returns how many were written to rows[]. */
size_t collect_args_rows(struct collect_args *a, struct opt *rows);
#define COLLECT_ARGS_ROWS (COLLECT_KINDS + 34)

/*
 * What the flags say, into *o; ERR_ARG.  No source is no error here: a plan
 * may have them.  *o borrows from *a until collect_args_release.
 */
int collect_args_options(struct collect_args *a, struct collect_options *o,
    struct err *e);
/*
 * For a resumption, before it goes to where the collection was begun.
 * collect_args_again: what may be said anew, from the new command line into
 * that of then; ${path} gets keys and output, which the caller frees.
 * collect_args_absolute: NULL stays NULL.
 */
int collect_args_again(struct collect_args *then,
    const struct collect_args *now, char *path[2], struct err *e);
int collect_args_absolute(const char *given, char **ret, struct err *e);

void collect_args_release(struct collect_args *a);

/* collect_sources.c: the sources alone, in the order of sources.def. */
int collect_args_sources(struct collect_args *a, struct err *e);
/* What flags say of every source: window, limit of bytes. */
int collect_args_defaults(const struct collect_args *a,
    struct collect_source *ret, struct err *e);

/* Progress: begun when the options are whole. */
void collect_args_begin(struct collect_args *a,
    const struct collect_options *o);
void collect_args_progress(void *ctx, const struct collect_totals *t,
    const char *path);

/*
 * collect_dry.c: --dry-run.  Prints what would be taken; returns an exit code,
 * 2 when something cannot be read.
 */
int collect_dry_run(const struct collect_args *a,
    const struct collect_options *o, struct err *e);

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
