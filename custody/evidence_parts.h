#ifndef CUSTODY_EVIDENCE_PARTS_H_
#define CUSTODY_EVIDENCE_PARTS_H_

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "custody/bagtext.h"
#include "custody/digest.h"
#include "custody/evidence_write.h"
#include "custody/merkle.h"

struct arena;
struct err;
struct lane;
struct nameset;
struct spool;

/* Shared by the evidence_*.c that write, and by nobody else. */
enum evidence_step {
	EVIDENCE_START,		/* acquisition.json comes next */
	EVIDENCE_PAYLOAD,
	EVIDENCE_MEMBER,	/* between begin and end */
	EVIDENCE_METADATA,
	EVIDENCE_FINISHED,
	EVIDENCE_FAILED,	/* half a member may have been written */
};

struct evidence_writer {
	enum evidence_step step;
	int fd;
	unsigned set;		/* of digests */
	uint64_t mtime;
	const char *bag, *external_id, *tool;	/* in the arena */
	struct arena *arena;
	struct lane *stream;	/* every byte of the bundle */
	struct digest *member;	/* the member's content */
	struct nameset *names;
	struct spool *manifest[2];	/* SHA-256; SHA-512 or NULL */
	struct merkle merkle;
	uint8_t *pending;	/* gathered for one write */
	size_t npending;
	uint8_t *buffer;	/* LIMIT_COPY_CHUNK, for evidence_tag_fd */
	uint64_t off;		/* bytes so far, pending ones included */
	uint64_t left;		/* of the member's announced size */
	struct evidence_note item;	/* the member; its name is mutable */
	char *name;		/* item.name */
	int (*note)(void *ctx, const struct evidence_note *m, struct err *e);
	void *note_ctx;
	bool replay;		/* compare with the file, write nothing */
	uint64_t members, payload_bytes;
	unsigned metadata;
	struct bagtext_tag tag[BAGTEXT_TAGS];
	size_t ntags;
};

/* evidence_part_begin: the header of any member. */
int evidence_part_begin(struct evidence_writer *w, const char *name,
    uint64_t size, uint64_t mtime, struct err *e);
/* evidence_part_put: content bytes of it. */
int evidence_part_put(struct evidence_writer *w, const void *p, size_t n,
    struct err *e);
/* evidence_part_end: padding, and the digests in w->place. */
int evidence_part_end(struct evidence_writer *w, struct err *e);
/* evidence_part_tag: a tag file out of memory, noted in w->tag. */
int evidence_part_tag(struct evidence_writer *w, const char *name,
    const void *p, size_t n, struct err *e);
/* evidence_part_tag_begin, _end: one that the caller gives, in pieces. */
int evidence_part_tag_begin(struct evidence_writer *w, const char *name,
    uint64_t size, struct err *e);
int evidence_part_tag_end(struct evidence_writer *w, const char *name,
    struct err *e);
/* evidence_part_manifests: both, at their places. */
int evidence_part_manifests(struct evidence_writer *w,
    uint8_t sha256[32], struct err *e);
/* evidence_part_info: bag-info.txt. */
int evidence_part_info(struct evidence_writer *w, struct err *e);
/* evidence_part_note: the finished member in w->tag. */
int evidence_part_note(struct evidence_writer *w, const char *name,
    struct err *e);
/* evidence_part_raw: bytes between members. */
int evidence_part_raw(struct evidence_writer *w, const void *p, size_t n,
    struct err *e);
/* evidence_part_compare: bytes of the file at ${off}, ERR_VERIFY. */
int evidence_part_compare(struct evidence_writer *w, uint64_t off,
    const void *p, size_t n, struct err *e);
/* evidence_part_whole: tell the journal of the finished member. */
int evidence_part_whole(struct evidence_writer *w, struct err *e);
/* evidence_part_flush: pass on what is pending. */
int evidence_part_flush(struct evidence_writer *w, struct err *e);
/* evidence_part_metadata: no payload member comes any more. */
int evidence_part_metadata(struct evidence_writer *w, struct err *e);
/* evidence_part_done: ${r}; a failure ends the writer's use. */
int evidence_part_done(struct evidence_writer *w, int r);

#endif /* !CUSTODY_EVIDENCE_PARTS_H_ */
