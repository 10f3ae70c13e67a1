#ifndef ANALYZER_WEIGHTS_MAGIC_H_
#define ANALYZER_WEIGHTS_MAGIC_H_

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct err;
struct weights_filter;

/*
 * Is there the beginning of a file at a place of a stream?  By structure, so
 * that gigabytes of weights give no hit: docs/WEIGHTS.md has the count.
 *
 * In three steps, the cheap ones first: WEIGHTS_PEEK bytes turn away nearly
 * all that the filter lets through, WEIGHTS_LOOK bytes most of the rest, and
 * WEIGHTS_HEAD bytes decide.
 */
#define WEIGHTS_PREFIX 8
#define WEIGHTS_PEEK 64
#define WEIGHTS_LOOK 1024
#define WEIGHTS_HEAD (64 * 1024)

enum weights_kind {
	WEIGHTS_PROGRAM,	/* machine code and its kin */
	WEIGHTS_SCRIPT,		/* source text */
	WEIGHTS_PICKLE,		/* that makes calls */
	WEIGHTS_ARCHIVE,
	WEIGHTS_MEDIA,
};

struct weights_found {
	enum weights_kind kind;
	const char *what;	/* "elf", "zip", ...: a constant */
	uint64_t len;		/* 0: the structure does not tell */
};

/* The filter of all rows, or of those under one unknown key. */
void weights_magic_filter(struct weights_filter *f);
void weights_magic_filter_xor(struct weights_filter *f);
/* Of planes whose elements stand in the other order (weights_plane_turn). */
void weights_magic_filter_turned(struct weights_filter *f, unsigned bits);

/*
 * weights_magic_prefix: a row that fits the first bytes (WEIGHTS_PREFIX of
 * them, or what is left of the stream), from ${row} on; negative: none.
 */
int weights_magic_prefix(const uint8_t *p, size_t n, int row);
/* ... among rows with xor, by differences; *key is the key, never 0. */
int weights_magic_prefix_xor(const uint8_t *p, size_t n, int row,
    uint8_t *key);

/* ${left}: bytes of the stream from the place on. */
bool weights_magic_peek(int row, const uint8_t *p, size_t n, uint64_t left);
/* ... and with up to WEIGHTS_LOOK bytes. */
bool weights_magic_look(int row, const uint8_t *p, size_t n);

/*
 * weights_magic_judge: 1 and *ret, 0, or negative when our side failed.
 * p has up to WEIGHTS_HEAD bytes.
 */
int weights_magic_judge(int row, const uint8_t *p, size_t n, uint64_t left,
    struct weights_found *ret, struct err *e);

/*
 * weights_magic_length: the length of what was found, from the n bytes that
 * were carved; n when the structure does not tell or lies beyond.
 */
size_t weights_magic_length(const struct weights_found *f, const uint8_t *p,
    size_t n);

#endif /* !ANALYZER_WEIGHTS_MAGIC_H_ */
