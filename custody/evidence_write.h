#ifndef CUSTODY_EVIDENCE_WRITE_H_
#define CUSTODY_EVIDENCE_WRITE_H_

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "custody/digest.h"

struct buf;
struct err;
struct signer;

/*
 * Write one sealed bundle in one pass to a descriptor that need not seek.
 *
 * Order of calls (else BUG): new, tag(acquisition), begin/put/end for each
 * payload object, tag for the other metadata files, finish.  bagit.txt and
 * HOW-TO-VERIFY.txt are written by the writer itself in their places, the
 * manifests, bag-info.txt, container.json and the trailer by finish.
 *
 * Memory: manifest lines are spooled (spool.h), and the set of names takes
 * 20 to 40 bytes for each (nameset.h): millions of members, then ERR_LIMIT.
 *
 * After a failure that is not ERR_ARG, ERR_EXISTS or ERR_LIMIT of begin or
 * tag (those write nothing) the writer can only be freed.
 */
struct evidence_writer;

struct evidence_place {
	uint64_t header_offset;	/* of the (pax or plain) header in the tar */
	uint64_t data_offset;
	struct digests digests;
};

/* A member as the tar has it: what a journal must keep of it. */
struct evidence_note {
	const char *name;	/* below BAG/ */
	uint64_t size, mtime;	/* of its header */
	struct evidence_place place;
};

struct evidence_params {
	int fd;			/* written to, in order; borrowed */
	const char *bag;	/* bag name, ID-Enn */
	unsigned digests;	/* enum digest_set */
	int64_t header_mtime;	/* seconds, of tag files */
	const char *external_id;/* bag-info External-Identifier */
	const char *tool;	/* "exhibit 1.0" for bag-info */
	bool in_memory;		/* spools touch no file system */
	/*
	 * Called for acquisition.json and for each payload member when it is
	 * whole; may be NULL.  Negative ends the writer's use.
	 */
	int (*note)(void *ctx, const struct evidence_note *m, struct err *e);
	void *note_ctx;
	bool replay;		/* see evidence_replay_member */
};

int evidence_writer_new(const struct evidence_params *p,
    struct evidence_writer **ret, struct err *e);
void evidence_writer_free(struct evidence_writer *w);

/* evidence_tag: a whole tag file, e.g. BAG_ACQUISITION. */
int evidence_tag(struct evidence_writer *w, const char *name, const void *p,
    size_t n, struct err *e);
/* evidence_tag_fd: the same from the start of a seekable descriptor. */
int evidence_tag_fd(struct evidence_writer *w, const char *name, int fd,
    struct err *e);

/*
 * The same in pieces: exactly ${size} bytes between begin and end (else
 * ERR_TRUNC; more are BUG).  Not for BAG_ACQUISITION.
 */
int evidence_tag_begin(struct evidence_writer *w, const char *name,
    uint64_t size, struct err *e);
int evidence_tag_put(struct evidence_writer *w, const void *p, size_t n,
    struct err *e);
int evidence_tag_end(struct evidence_writer *w, const char *name,
    struct err *e);

/*
 * begin: header of a payload member of exactly ${size} bytes; ERR_EXISTS
 * when the name is taken.  put: at most that many in all (else BUG).  end:
 * when fewer were put the rest is filled with zeros and *short_by says how
 * many.
 */
int evidence_begin(struct evidence_writer *w, const char *name,
    uint64_t size, int64_t mtime, struct err *e);
int evidence_put(struct evidence_writer *w, const void *p, size_t n,
    struct err *e);
int evidence_end(struct evidence_writer *w, struct evidence_place *place,
    uint64_t *short_by, struct err *e);

/*
 * How the .p7s gets its token: called with the finished .p7s, appends the
 * TimeStampResp to ${tsr}.  A seal without a token (stamp NULL) leaves it out
 * of container.json's trailer list.
 */
struct evidence_stamp {
	int (*stamp)(void *ctx, const void *p7s, size_t n, struct buf *tsr,
	    struct err *e);
	void *ctx;
};

struct evidence_sealed {
	struct digests whole;	/* of every byte of the bundle */
	uint64_t size;
	uint64_t members;	/* payload members */
	uint64_t payload_bytes;
	uint8_t seal_sha256[32], p7s_sha256[32];
	uint8_t merkle_root[32];/* RFC 9162 tree over manifest-sha256 lines */
	uint8_t manifest_sha256[32];
	bool has_token;
};

int evidence_finish(struct evidence_writer *w, const struct signer *s,
    const struct evidence_stamp *stamp, struct evidence_sealed *ret,
    struct err *e);

/*
 * evidence_flush: what was given so far is in the descriptor, so that who
 * reads it by the places that evidence_end told finds it.
 */
int evidence_flush(struct evidence_writer *w, struct err *e);

/*
 * evidence_finish_body: instead of a seal.  Manifests and bag-info.txt follow,
 * then body-end.txt with these counts, and the end: an unsealed body
 * (docs/FORMAT.md 10), which another process with a key seals.  Of ${c} the
 * counts are taken.
 */
struct bagtext_body;
int evidence_finish_body(struct evidence_writer *w,
    const struct bagtext_body *c, struct err *e);

/*
 * evidence_so_far: behind the last payload member or tag file: how much was
 * written, its digest, and the digests that the payload manifests will have.
 * It closes the payload: tag files may follow, members may not.
 */
struct evidence_state {
	uint64_t size;
	uint8_t sha256[32];
	uint8_t manifest[2][32];	/* SHA-256 of each; [1] if there */
	uint64_t members, payload_bytes;
};
int evidence_so_far(struct evidence_writer *w, struct evidence_state *ret,
    struct err *e);

/* Bytes written so far: for progress. */
uint64_t evidence_written(const struct evidence_writer *w);

/*
 * evidence_sync: evidence_flush; ${disk}: and from there to the disk
 * (fdatasync).
 */
int evidence_sync(struct evidence_writer *w, bool disk, struct err *e);
/* evidence_between: may a payload member be begun now? */
bool evidence_between(const struct evidence_writer *w);
/*
 * evidence_inside: between begin and end, the member, with the digests of
 * the content that was put already.
 */
int evidence_inside(const struct evidence_writer *w,
    struct evidence_note *ret, struct err *e);

/*
 * Taking up a bundle that was cut.  A writer that is made with ${replay} and
 * a descriptor of the cut file, for reading and writing, writes nothing: it
 * is given the same members again, with their content from the file, and
 * compares every byte that it would have written with what lies there.  Its
 * state afterwards is that of the writer that was cut, because it came about
 * in the same way.  The notes are not called.
 *
 * evidence_replay_member(w, m, n, d, e): the member ${m} (acquisition.json
 * first, else a payload member), of whose content ${n} bytes lie there: all
 * of them, and it is ended; or fewer, and it stays open.  *d: the digests of
 * these bytes, for the caller to compare.  ERR_VERIFY: the file holds
 * something else, or less; the writer can then only be freed.
 *
 * evidence_replay_end: cuts the file behind what was replayed; from here on
 * the writer writes.
 */
int evidence_replay_member(struct evidence_writer *w,
    const struct evidence_note *m, uint64_t n, struct digests *d,
    struct err *e);
int evidence_replay_end(struct evidence_writer *w, struct err *e);

#endif /* !CUSTODY_EVIDENCE_WRITE_H_ */
