#ifndef ANALYZER_DIFF_HIDDEN_PARTS_H_
#define ANALYZER_DIFF_HIDDEN_PARTS_H_

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "analyzer/diff/hidden.h"

/*
 * What the hidden_*.c share: a payload's bits as a stream of bytes, over one
 * tensor or several, and what sense a stream makes.
 */
struct hidden_stream {
	struct hidden_layout layout;
	const struct tensor *const *b;
	size_t n;		/* tensors */
	uint64_t elements;	/* from layout.first to the end: of zeros
				 * too, where signs are read */
};

/* hidden_bytes: whole bytes that are there. */
uint64_t hidden_bytes(const struct hidden_stream *s);
size_t hidden_bytes_read(const struct hidden_stream *s, uint64_t from,
    uint8_t *dst, size_t n);

/* Better is larger: first by rank, then by value. */
enum hidden_rank { SENSE_NONE, SENSE_UNEVEN, SENSE_TEXT, SENSE_FILE };
struct hidden_sense {
	enum hidden_rank rank;
	double value;
	const char *what;
	uint64_t from, len;	/* of the file; len 0: not told */
};

/*
 * hidden_sense: of a stream whose first ${lead} bytes lie before the first
 * changed bit: a file may begin there, nothing else is asked of them.
 */
int hidden_sense(const struct hidden_stream *s, size_t lead,
    struct hidden_sense *ret, struct err *e);

/*
 * hidden_search: all layouts of h's k bits and its span; the best becomes
 * h's.  The rest of h is known.
 */
int hidden_search(const struct tensor *const *b, size_t n, uint64_t last,
    unsigned shift, struct hidden *h, struct err *e);

/* hidden_digest: head, SHA-256, entropy of what h's layout gives. */
int hidden_digest(struct hidden *h, const struct tensor *const *b,
    struct err *e);

/* hidden_lattice: does D stand on equal steps? */
int hidden_lattice(const struct delta *d, struct hidden *h, struct err *e);

#endif /* !ANALYZER_DIFF_HIDDEN_PARTS_H_ */
