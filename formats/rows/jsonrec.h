#ifndef FORMATS_ROWS_JSONREC_H_
#define FORMATS_ROWS_JSONREC_H_

#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"

struct err;
struct rows_params;
struct rows_record;
struct rows_value;

/*
 * A record that is a JSON document: what jsonl and jsonarray share.  Private
 * to readers of this folder.
 */
struct jsonrec {
	const struct rows_params *p;
	const uint8_t *text;	/* of the current record; NULL: too long */
	size_t n;
	uint64_t off;
	struct buf scratch;
};

void jsonrec_init(struct jsonrec *j, const struct rows_params *p);
void jsonrec_release(struct jsonrec *j);

/*
 * jsonrec_take: the record at ret->off, of ret->len bytes, is text[0..n), or
 * ${text} is NULL: it was too long to be kept.  Fills the rest of *ret, and
 * tells when it is damaged.
 */
void jsonrec_take(struct jsonrec *j, const uint8_t *text, size_t n,
    struct rows_record *ret);

int jsonrec_field(struct jsonrec *j, const char *path,
    struct rows_value *ret, struct err *e);
/* jsonrec_json: what is no object becomes {"value":...}. */
void jsonrec_json(const struct jsonrec *j, struct buf *b);

#endif /* !FORMATS_ROWS_JSONREC_H_ */
