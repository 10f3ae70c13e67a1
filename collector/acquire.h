#ifndef COLLECTOR_ACQUIRE_H_
#define COLLECTOR_ACQUIRE_H_

#include <stdbool.h>
#include <stdint.h>

#include "collector/collect.h"
#include "custody/evidence_write.h"
#include "custody/verify.h"

struct buf;
struct err;
struct signer;

/*
 * One bundle, from sources to a published file: shared by `exhibit collect`
 * and exhibit-collect.
 *
 *	NAME.partial is written, synced, verified from disk by a fenced worker
 *	(pinned to the signer's own certificate), made read-only, and only then
 *	given its name, which is never taken from another file.
 *
 * Beside it grows a journal (BAG.journal where the file is BAG.tar, else
 * FILE.journal), until acquire_done.  A crash, or a disk that is full, leaves
 * the .partial and the journal, from which ${resume} goes on, or a whole,
 * verified bundle with the journal, from which ${resume} finishes what is
 * left (the digest beside it, and what the caller does then).
 *
 * A stream is checked while it is written (signature and time stamp before
 * they leave) and not read again.  With collect.body the stream gets an
 * unsealed body, without a signer.  Neither has a journal, nor what ${fill}
 * writes.
 */
struct acquire_params {
	struct collect_options collect;
	const struct signer *signer;
	const struct evidence_stamp *stamp;	/* NULL: no token */
	int dir;		/* directory for the file; -1: a stream */
	const char *file;	/* its final name in dir, "ID-E01.tar" */
	int stream;		/* descriptor for the stream */
	/*
	 * NULL: collect_run.  Else this fills the bundle, from acquisition.json
	 * to the certificates, with what comes from elsewhere.
	 */
	int (*fill)(void *ctx, const struct collect_options *o,
	    struct evidence_writer *w, struct collect_totals *ret,
	    struct err *e);
	void *fill_ctx;
	const char *request;	/* one JSON object: what was asked for, for a
				   later resume_request; NULL: no journal */
	bool resume;		/* go on where the journal ends */
};

struct acquired {
	struct collect_totals totals;
	struct evidence_sealed sealed;
	struct verify_result verified;	/* of the file on disk */
	bool reread;
	const char *published_by;	/* "renameat2", "linkat", or NULL */
	double copy_seconds, verify_seconds;
	bool resumed;
	uint64_t kept;		/* bytes of the bundle from the runs before */
	char reason[256];	/* why the last of them had ended */
	char redone[256];	/* what did not hold; "" nothing */
};

int acquire(const struct acquire_params *p, struct acquired *ret,
    struct err *e);

/*
 * acquire_journal: the journal's name for a file's, "" when it is too long.
 * acquire_resumable: does one lie there?  acquire_done: the bundle is where
 * it belongs, and so is all that is said of it: remove the journal.
 */
#define ACQUIRE_NAME 256
const char *acquire_journal(const char *file, char ret[ACQUIRE_NAME]);
bool acquire_resumable(const struct acquire_params *p);
int acquire_done(const struct acquire_params *p, struct err *e);

#endif /* !COLLECTOR_ACQUIRE_H_ */
