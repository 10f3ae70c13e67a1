#ifndef CUSTODY_BODY_FRAMES_H_
#define CUSTODY_BODY_FRAMES_H_

struct bytesrc;
struct err;

/*
 * A body that comes from elsewhere (docs/FORMAT.md 10): a fenced worker
 * parses it, and its parent, which holds the key, writes the same members
 * again from these frames.
 *
 *	HEAD	BAG, MTIME: once, first
 *	MEMBER	NAME (below BAG/), SIZE, MTIME: acquisition.json first, then
 *		payload members, then the other files of metadata/
 *	DATA	BYTES: of the member, SIZE of them in all
 *	END	no field: the member is whole
 *	BODY	MANIFEST256, MANIFEST512 (if there), AGENT (of bag-info.txt)
 *		and the fields from LENGTH on (of body-end.txt): once, last
 *	FAILED	TEXT: why it is refused, last
 *
 * bagit.txt, HOW-TO-VERIFY.txt, data/.keep, the manifests and bag-info.txt
 * follow from the rest: the worker has compared them, and the parent writes
 * its own.
 */
enum body_frame {
	BODY_HEAD = 1,
	BODY_MEMBER,
	BODY_DATA,
	BODY_END,
	BODY_BODY,
	BODY_FAILED,
};

enum body_field {
	BODY_BAG = 1,
	BODY_NAME,
	BODY_SIZE,
	BODY_MTIME,
	BODY_BYTES,
	BODY_MANIFEST256,
	BODY_MANIFEST512,
	BODY_TEXT,
	BODY_AGENT,
	BODY_LENGTH,
	BODY_SHA256,
	BODY_OBJECTS,
	BODY_STORED,
	BODY_CONTENT,
	BODY_ERRORS,
	BODY_CHANGED,
	BODY_DUPLICATES,
};

/* What the worker is given: the stream's descriptor. */
struct body_job {
	int fd;
};

/*
 * body_read: frames for what ${src} (a stream, or any other source) holds, to
 * ${out_fd}.  Negative when the body is refused: BODY_FAILED is for the caller
 * to send.  body_worker: for proc_spawn; enters the fence before the first
 * byte.
 */
int body_read(const struct bytesrc *src, int out_fd, struct err *e);
int body_worker(void *arg, int out_fd);

#endif /* !CUSTODY_BODY_FRAMES_H_ */
