#ifndef ANALYZER_EXAMINE_PARTS_H_
#define ANALYZER_EXAMINE_PARTS_H_

#include <stdint.h>

#include "analyzer/attempt.h"
#include "analyzer/coverage.h"
#include "analyzer/wire.h"

/*
 * The examination of one object, for analyzer/examine*.c alone.
 */
struct bytesrc;
struct err;
struct ev_anomaly;
struct ev_member;
struct examine;

struct exam {
	struct examine *x;
	const struct ev_member *m;
	uint32_t index;
	unsigned depth;
	struct arena *kept;	/* findings of all attempts */
	struct attempt *at;	/* the attempt in progress */
	struct coverage cover;	/* what it explained so far */
	uint64_t members;
	char label[WIRE_LABEL_MAX];	/* libmagic's, copied at once: its
					 * handle serves nested objects too */
	uint64_t tensors;	/* that the deep pass looked into */
	struct err *e;
};

/* examine_member: go into what the object holds, or hand it to the parent. */
int examine_member(struct exam *ex, const struct ev_member *m);

/*
 * examine_anomaly: note it; bytes that nothing explains are examined as a
 * member of their own.
 */
int examine_anomaly(struct exam *ex, const struct ev_anomaly *a);

/*
 * examine_cover: after a parse, look at the bytes that it did not explain,
 * and at its padding.
 */
int examine_cover(struct exam *ex);

/* examine_yara: the analyst's rules over the object. */
int examine_yara(struct exam *ex);

/* examine_send: a carved object's bytes for --carve. */
int examine_send(struct exam *ex);

#endif /* !ANALYZER_EXAMINE_PARTS_H_ */
