#ifndef FORMATS_SAFETENSORS_H_
#define FORMATS_SAFETENSORS_H_

#include <stddef.h>
#include <stdint.h>

#include "formats/names.h"

struct parse;

/*
 * What the header of a safetensors file says, once it is read.  Private to
 * safetensors*.c; spans are sorted by safetensors_account.
 */
struct safetensors_span {
	uint64_t begin, end;	/* within the data */
	size_t name;		/* index of its key */
	unsigned dtype;		/* its place in the library's order */
};

struct safetensors_table {
	struct names_view *name;	/* of every entry, in header's order */
	size_t names, names_cap;
	struct names_view *key;		/* of the metadata */
	size_t keys, keys_cap;
	struct safetensors_span *span;	/* of entries that lie in the file */
	size_t spans, spans_cap;
};

/* 0, or ERR_NOMEM. */
int safetensors_add_name(struct parse *p, struct safetensors_table *t,
    const char *name, size_t n, uint64_t off);
int safetensors_add_key(struct parse *p, struct safetensors_table *t,
    const char *key, size_t n, uint64_t off);
int safetensors_add_span(struct parse *p, struct safetensors_table *t,
    const struct safetensors_span *s);

/*
 * safetensors_names: keys twice, keys that differ by case alone, keys with
 * characters that nobody sees.
 */
int safetensors_names(struct parse *p, const struct safetensors_table *t);

/*
 * safetensors_account: every byte of the data, which begins at ${base} and
 * has ${size} bytes, belongs to one tensor; the rest is told.  Also tells
 * whether the library could have written the header in this order.
 */
int safetensors_account(struct parse *p, struct safetensors_table *t,
    uint64_t base, uint64_t size);

/*
 * safetensors_blanks: white space between the tokens of the JSON text
 * [from, to), which is known to be well-formed, when no writer lays it out
 * like that.
 */
int safetensors_blanks(struct parse *p, uint64_t from, uint64_t to);

#endif /* !FORMATS_SAFETENSORS_H_ */
