#ifndef FORMATS_ROWS_SLICE_PARTS_H_
#define FORMATS_ROWS_SLICE_PARTS_H_

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Private to slice*.c: what a specification has been parsed into. */
#define SLICE_PARTS 64
#define SLICE_SALT 4096
#define SLICE_IDS 10000000

enum slice_kind { PART_ROWS, PART_TIME, PART_HASH, PART_IDS, PART_MATCH,
	PART_WHERE };

struct slice_text {
	const char *p;
	size_t n;
};

struct slice_part {
	enum slice_kind kind;
	const char *field;
	uint64_t first, last;	/* ROWS */
	int64_t from, to;	/* TIME: from <= t, t < to unless open */
	bool open;
	bool all;		/* HASH: everything is below */
	uint64_t below;
	struct slice_text text;	/* MATCH, WHERE; HASH: the salt */
	const char *file;	/* IDS */
	struct slice_text *id;	/* sorted */
	size_t ids;
};

struct rows_slice {
	struct slice_part part[SLICE_PARTS];
	size_t parts;
};

/* slice_compare: of texts, for sorting and searching. */
int slice_compare(const void *a, const void *b);

#endif /* !FORMATS_ROWS_SLICE_PARTS_H_ */
