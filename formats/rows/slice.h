#ifndef FORMATS_ROWS_SLICE_H_
#define FORMATS_ROWS_SLICE_H_

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct arena;
struct err;
struct rows_record;
struct rowset;

/*
 * Which records of a data set belong to a slice: pure, so that anybody who
 * holds the source derives the same set from the same words.
 *
 * A specification is parts joined by '&'; a record is taken when all of them
 * take it.
 *
 *	rows=A..B		numbers A <= i < B; either may be left out
 *	time=F..T@FIELD		F <= t < T; either may be left out
 *	hash=FRACTION[@SALT]	a sample, FRACTION a decimal from 0 to 1
 *	ids=A,B,C@FIELD		the field is one of these
 *	ids=file:NAME@FIELD	... of the lines of a file (the caller reads it)
 *	match=TEXT@FIELD	the field's text or bytes contain TEXT;
 *				hex:6869 are bytes
 *	where=FIELD=VALUE	the field is VALUE
 *
 * %XX stands for a byte everywhere, and is the way to write & @ , and % as
 * characters.  FIELD is a dotted path (rowset.h).
 *
 * hash: taken when the first eight bytes, big-endian, of SHA-256(salt ||
 * key) are below FRACTION * 2^64, rounded down; key is the SHA-256 of the
 * record's raw bytes.  FRACTION has at most 18 digits behind its point.
 *
 * time: RFC 3339, or a date alone; without a zone it is UTC.  The field may
 * be a time, a text of those forms ('T' or a blank in the middle), or a
 * number since 1970: of seconds below 10^11, of ms below 10^14, of us below
 * 10^17, else of ns (as absolute values).
 *
 * ids and where compare texts and bytes as they are; numbers, true, false,
 * null and trees by their JSON (value.h).
 */
struct rows_slice;

/*
 * rows_slice_parse: ERR_ARG for what makes no sense, with e->off the place in
 * spec[0..n).  Everything is in the arena; ${spec} is not needed afterwards.
 */
int rows_slice_parse(const char *spec, size_t n, struct arena *a,
    struct rows_slice **ret, struct err *e);

/* rows_slice_file: the name of part ${i}'s file of ids, or NULL: no more. */
const char *rows_slice_file(const struct rows_slice *s, size_t i);
/*
 * rows_slice_ids: its lines (a CR before the line feed is dropped, empty ones
 * are none).  p[0..n) must outlive the slice.
 */
int rows_slice_ids(struct rows_slice *s, size_t i, const char *p, size_t n,
    struct arena *a, struct err *e);

/* The rows that can be taken at all: [first, last). */
uint64_t rows_slice_first(const struct rows_slice *s);
uint64_t rows_slice_last(const struct rows_slice *s);
/* rows_slice_samples: does it need keys? */
bool rows_slice_samples(const struct rows_slice *s);

enum rows_taken {
	ROWS_LEFT = 0,
	ROWS_TAKEN = 1,
	ROWS_UNDECIDED = 2,	/* a damaged record, and a part that asks for
				 * its fields: neither, and to be said */
};

/*
 * rows_slice_takes: an enum rows_taken, or negative.  ${r} stands on the
 * record; ${key} may be NULL unless rows_slice_samples; ${sha256} digests
 * p[0..n), which is never more than 32 bytes and the salt.
 */
int rows_slice_takes(const struct rows_slice *s, struct rowset *r,
    const struct rows_record *rec, const uint8_t key[32],
    void (*sha256)(const void *p, size_t n, uint8_t ret[32]), struct err *e);

#endif /* !FORMATS_ROWS_SLICE_H_ */
