#ifndef FORMATS_GGUF_H_
#define FORMATS_GGUF_H_

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/reader.h"
#include "formats/format.h"
#include "formats/names.h"

/*
 * GGUF (ggml-org/ggml docs/gguf.md, src/gguf.cpp), versions 2 and 3:
 *
 *	0 "GGUF"  4 u32 version  8 i64 tensors  16 i64 pairs
 *	pairs: string key, i32 type, value
 *	tensors: string name, u32 n, i64 ne[n], i32 type, u64 offset
 *	padding to general.alignment, then the data, each tensor padded
 *
 * A string is u64 length and bytes; an array is i32 type, u64 count and
 * elements.  Files of big-endian machines have all numbers in that order.
 *
 *   gguf.c         bid, header, the order of things
 *   gguf_kv.c      pairs: values of every type, templates, metadata
 *   gguf_tokens.c  what the tokenizer's pairs say of each other
 *   gguf_tensor.c  tensor infos, sizes, the layout of the data
 *
 * Private to these.
 */
enum gguf_type { GGUF_U8, GGUF_I8, GGUF_U16, GGUF_I16, GGUF_U32, GGUF_I32,
	GGUF_F32, GGUF_BOOL, GGUF_STRING, GGUF_ARRAY, GGUF_U64, GGUF_I64,
	GGUF_F64, GGUF_TYPES };

#define GGUF_DIMS 4
#define GGUF_NAME 64		/* ggml's names, with their NUL */
#define GGUF_MAGIC 4

/* What the tokenizer's arrays and ids are, for a look at the whole. */
struct gguf_tokens {
	uint64_t count;		/* of tokenizer.ggml.tokens */
	uint64_t off;		/* ... and its place; 0: there is none */
	uint64_t scores, types;	/* lengths; UINT64_MAX: there is none */
	uint64_t doubles;	/* tokens that occurred before */
	uint64_t hidden;	/* tokens that reorder or hide text */
	uint64_t *seen;		/* digests, open addressing */
	size_t cap;
	struct {
		const char *key;
		size_t key_len;
		uint64_t id, off;
	} special[32];
	unsigned specials;
};

struct gguf_span {
	uint64_t begin, end;	/* within the data */
	size_t name;		/* of names.v */
};

struct gguf_names {
	struct names_view *v;
	size_t n, cap;
};

struct gguf {
	struct parse *p;
	struct reader r;
	bool big;		/* numbers are stored high byte first */
	uint32_t version;
	uint64_t pairs, tensors;
	uint64_t alignment;
	struct gguf_names keys, names;
	struct gguf_tokens tok;
	struct gguf_span *span;
	size_t spans, span_cap;
	uint8_t *scratch;	/* one string at a time */
	size_t scratch_cap;
	uint64_t data;		/* where it begins, once it is known */
	uint64_t next;		/* offset that the next tensor must have */
	bool offset_told;
	bool unsized;		/* the size of the last tensor is not known */
	bool unknown;		/* ... nor is some tensor's type */
	bool cut;		/* some tensor is not all there */
};

/*
 * All of these return 0, a negative err_code, or 1 when the file cannot be
 * read on (which has been told).
 */
int gguf_header(struct gguf *g);	/* version and counts, checked */
int gguf_u32(struct gguf *g, uint32_t *ret);
int gguf_u64(struct gguf *g, uint64_t *ret);
/* A string of at most ${max} bytes into the arena, with a NUL behind it. */
int gguf_text(struct gguf *g, uint64_t max, const char **ret, size_t *n);
/* ... or into g->scratch, until the next one. */
int gguf_scratch(struct gguf *g, uint64_t n, const uint8_t **ret);
int gguf_tell(struct gguf *g, enum anomaly id, uint64_t off, const char *key,
    size_t n, uint64_t stated);
/* The file cannot be read on: told with the place, and 1. */
int gguf_stop(struct gguf *g, enum anomaly id, uint64_t off, const char *key,
    size_t n, uint64_t stated);
int gguf_keep_name(struct gguf *g, struct gguf_names *l, const char *p,
    size_t n, uint64_t off);
/* Oddities of a key or name: NUL, characters that nobody sees. */
int gguf_check_name(struct gguf *g, const char *p, size_t n, uint64_t off);

int gguf_kv(struct gguf *g);
int gguf_tensors(struct gguf *g);

bool gguf_is_tokens(const char *key, size_t n);
int gguf_token(struct gguf *g, const uint8_t *p, size_t n);
void gguf_number(struct gguf *g, const char *key, size_t n, uint64_t v,
    uint64_t off);
int gguf_array(struct gguf *g, const char *key, size_t n, uint32_t type,
    uint64_t count, uint64_t off);
int gguf_tokens_check(struct gguf *g);

#endif /* !FORMATS_GGUF_H_ */
