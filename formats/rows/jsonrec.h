#ifndef FORMATS_ROWS_JSONREC_H_
#define FORMATS_ROWS_JSONREC_H_

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/reader.h"

struct err;
struct rows_params;
struct rows_record;
struct rows_value;

/*
 * Records that are JSON documents, one after the other in a file: what jsonl
 * and jsonarray share, whose states begin with a struct jsonrec.  Private to
 * readers of this folder.
 */
struct jsonrec {
	const struct rows_params *p;
	struct reader rd;
	struct buf line;	/* for a record that must be put together */
	bool begun;
	const uint8_t *text;	/* of the current record; NULL: too long */
	size_t n;
	uint64_t off;
	struct buf scratch;
};

int jsonrec_open(struct jsonrec *j, const struct rows_params *p,
    struct err *e);

/*
 * jsonrec_begin: before the first record: pass over a byte order mark, which
 * is told.
 */
int jsonrec_begin(struct jsonrec *j, struct err *e);

/*
 * jsonrec_take: the record at ret->off, of ret->len bytes, is text[0..n), or
 * ${text} is NULL: it was too long to be kept.  Fills the rest of *ret, and
 * tells when it is damaged.
 */
void jsonrec_take(struct jsonrec *j, const uint8_t *text, size_t n,
    struct rows_record *ret);

/*
 * jsonrec_names: ${each} for the keys of the first record that is JSON, found
 * by a second reader of the same kind, so that ${j} does not move.
 */
int jsonrec_names(const struct jsonrec *j,
    int (*open)(const struct rows_params *p, void **self, struct err *e),
    int (*next)(void *self, struct rows_record *ret, struct err *e),
    void (*each)(void *ctx, const char *name, const char *type), void *ctx,
    struct err *e);

/* The rest are entries of struct rows_format. */
int jsonrec_field(void *self, const char *path, struct rows_value *ret,
    struct err *e);
/* jsonrec_json: what is no object becomes {"value":...}. */
int jsonrec_json(void *self, struct buf *b, struct err *e);
const uint8_t *jsonrec_raw(void *self);
void jsonrec_close(void *self);

#endif /* !FORMATS_ROWS_JSONREC_H_ */
