#ifndef ANALYZER_INTAKE_OUTBOX_H_
#define ANALYZER_INTAKE_OUTBOX_H_

#include <stdint.h>

#include "base/buf.h"
#include "base/fields.h"

struct err;

/* Records of a worker on their way, gathered so that one write takes many. */
struct outbox {
	int fd;
	struct buf frame, pending;
};

void outbox_init(struct outbox *o, int fd);
/*
 * outbox_send: one record.  ERR_LIMIT when it does not fit into a frame (the
 * caller cuts what it sends), or ERR_IO.
 */
int outbox_send(struct outbox *o, uint8_t type, const struct field_def *d,
    unsigned n, const struct field *v, struct err *e);
int outbox_flush(struct outbox *o, struct err *e);
void outbox_release(struct outbox *o);

#endif /* !ANALYZER_INTAKE_OUTBOX_H_ */
