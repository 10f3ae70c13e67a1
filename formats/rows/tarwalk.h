#ifndef FORMATS_ROWS_TARWALK_H_
#define FORMATS_ROWS_TARWALK_H_

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/reader.h"

struct arena;
struct err;
struct rows_params;

/*
 * Members of a tar, forward (formats/tar_header.h).  Private to
 * webdataset.c; what it does not check of a tar, formats/tar.c does.
 */
struct tarwalk {
	const struct rows_params *p;
	struct reader rd;
	struct arena *scratch;	/* what records say; renewed as it fills */
	bool ended;
	/* The member that the walk stands on, whose content comes next: */
	uint64_t off;		/* of the first header that speaks of it */
	struct buf head;	/* its headers, from ${off} on */
	const char *name;
	size_t name_len;
	uint64_t size;		/* of its content, without padding */
	bool regular;
	struct buf names;	/* holds ${name} */
};

int tarwalk_open(struct tarwalk *t, const struct rows_params *p,
    struct err *e);
void tarwalk_close(struct tarwalk *t);

/*
 * tarwalk_next: 1: on the next member; 0: the archive has ended; ERR_FORMAT
 * (told), or our side.  The content of the last one must have been taken.
 */
int tarwalk_next(struct tarwalk *t, struct err *e);

/* tarwalk_content: content and padding, into ${b} unless it is NULL. */
int tarwalk_content(struct tarwalk *t, struct buf *b, struct err *e);

/* tarwalk_tell: where the next header is. */
uint64_t tarwalk_tell(const struct tarwalk *t);

#endif /* !FORMATS_ROWS_TARWALK_H_ */
