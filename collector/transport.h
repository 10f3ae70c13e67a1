#ifndef COLLECTOR_TRANSPORT_H_
#define COLLECTOR_TRANSPORT_H_

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "collector/collect.h"

struct err;
struct evidence_writer;
struct proc;

/*
 * Evidence that another machine, or another program, hands over as a stream.
 *
 *	stream -> pump -> worker -> frames -> the process that seals
 *
 * The pump counts and digests what passes and looks at nothing; the worker
 * parses and has no rights; the sealing process has the key and sees only
 * frames, which it checks.  All three are started before the key is loaded.
 * How it came is written to metadata/transport.json (docs/RECORDS.md).
 */

/* pump_start: copy ${in} to ${out} until its end; both are borrowed. */
int pump_start(struct proc *p, int in, int out, struct err *e);
/* pump_end: what has passed; ERR_CHILD when it did not come to an end. */
int pump_end(struct proc *p, uint64_t *size, uint8_t sha256[32],
    struct err *e);

/* What is known about the way; NULL and false: not known, or none. */
struct transport {
	const char *kind;		/* "ssh" or "tar" */
	const char *from;		/* host as given; the tar, or "-" */
	const char *const *argv;	/* of the program that was run */
	const char *way;		/* how exhibit-collect came there */
	const uint8_t *program_sha256;	/* of what was sent to be run */
	uint64_t program_size;
	char host_key[160];		/* "ssh-ed25519 SHA256:..." or empty */
	bool has_clock;
	int64_t clock_offset_ns;	/* there minus here */
	int64_t clock_error_ns;		/* half of the shortest way and back */
	bool has_status;
	int status;			/* exit of the program that was run */
	uint64_t stream_size;
	uint8_t stream_sha256[32];
	/* of an ssh body: what its end says */
	char agent[200];
	uint64_t records_len;
	uint8_t records_sha256[32];
};

/* transport_store: metadata/transport.json, and then the certificates. */
int transport_store(const struct transport *t,
    const struct collect_options *o, const struct collect_totals *totals,
    struct evidence_writer *w, struct err *e);

/*
 * receive_body: the members of a body (docs/FORMAT.md 10), written again.
 * They become the same bytes, or it is refused: the digest of our own writing
 * must be the one that the other side states, our manifests must be its own.
 * Only then what the members mean (intake.h: so the places in files.jsonl,
 * which are those in the body, are those in the bundle), transport.json and
 * the certificates follow.  ERR_VERIFY when the body is refused, ERR_CHILD when
 * the worker misbehaves.
 */
struct receive {
	struct proc *worker, *pump;
	struct transport *t;
	/* The stream has ended: how did the other side end?  May be NULL. */
	int (*ended)(void *ctx, struct transport *t, struct err *e);
	void *ctx;
};
int receive_body(void *receive, const struct collect_options *o,
    struct evidence_writer *w, struct collect_totals *ret, struct err *e);

/*
 * foreign_tar: what a foreign tar holds, into the bundle, by the frames of a
 * worker (custody/tar_frames.h).  Members have the names that files of the same
 * names below "/" would have.  Where two cannot stand beside each other (the
 * same name twice, a file that is another one's folder), and where there is
 * no name, the name is "/exhibit-tar/OFFSET"; files.jsonl has the true one.
 */
struct foreign {
	struct proc *worker, *pump;
	struct transport *t;
};
int foreign_tar(void *foreign, const struct collect_options *o,
    struct evidence_writer *w, struct collect_totals *ret, struct err *e);

#endif /* !COLLECTOR_TRANSPORT_H_ */
