#ifndef FORMATS_GGUF_PAIRS_H_
#define FORMATS_GGUF_PAIRS_H_

#include <stddef.h>
#include <stdint.h>

#include "formats/gguf.h"

struct arena;
struct bytesrc;
struct err;
struct flatjson;

/*
 * The key/value pairs of a GGUF file for whoever wants their values, element
 * by element.  It says nothing of what is odd about them: that is the
 * format's own parse.
 */
struct gguf_value {
	const char *key;	/* lives as long as the arena */
	size_t key_len;
	enum gguf_type type;	/* never GGUF_ARRAY */
	uint64_t index, count;	/* of the array; 0 of 1 otherwise */
	bool array;
	const char *p;		/* GGUF_STRING: its bytes, until the next */
	uint64_t n;
	uint64_t bits;		/* others: as stored, in the host's order */
};

/*
 * gguf_pairs: 0; 1: it is no GGUF, or cannot be read to the end of its pairs
 * (what came before was told); or negative: ours, or what ${take} gave.  An
 * empty array is told once with count 0; arrays in arrays end the walk.
 */
int gguf_pairs(const struct bytesrc *src, struct arena *a,
    int (*take)(void *ctx, const struct gguf_value *v), void *ctx,
    struct err *e);

/* gguf_pairs_number: a number or truth as JSON writes it; *n bytes of ${to}. */
#define GGUF_NUMBER_TEXT 40
void gguf_pairs_number(const struct gguf_value *v, char *to, size_t *n);

/*
 * gguf_pairs_flat: all pairs but those of the keys ${without} (a NULL ends
 * them) as leaves (flatjson.h): the elements of an array as "key[3]", one of
 * more than ${longest} as the text of the whole.  Returns as gguf_pairs.
 */
int gguf_pairs_flat(const struct bytesrc *src, uint64_t longest,
    const char *const *without, struct flatjson *f, struct arena *work,
    struct err *e);

#endif /* !FORMATS_GGUF_PAIRS_H_ */
