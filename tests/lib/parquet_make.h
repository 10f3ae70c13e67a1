#ifndef TESTS_LIB_PARQUET_MAKE_H_
#define TESTS_LIB_PARQUET_MAKE_H_

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"

/*
 * Parquet files, written piece by piece as a test wants them: honest, or with
 * a lie in any place that a header has.
 *
 *	parquet_make_begin(&m, node, nodes);
 *	parquet_make_chunk(&m, codec);		for each leaf
 *	parquet_make_page(&m, &page);		for each page
 *	parquet_make_group(&m, rows);
 *	parquet_make_end(&m);			m.out holds the file
 */
struct make_node {
	const char *name;
	int type;		/* -1: a group */
	int repetition;
	int children;		/* 0 of a leaf */
	int converted;		/* -1: none */
	int width, scale;
	int logical, bits;	/* field of the union, 0: none; of a time, 1 ms
				 * 2 us 3 ns; of an integer, 1 is unsigned */
};

struct make_page {
	int type;		/* 0 data, 2 dictionary, 3 data of version 2 */
	int64_t values;
	int encoding;		/* -1: the field is not there */
	int level_encoding;	/* v1; 0 means RLE */
	int64_t rows, nulls;	/* v2 */
	const struct buf *rep, *def;	/* levels without their length; or NULL */
	const void *p;		/* values */
	size_t n;
	bool crc, wrong_crc, stored;	/* stored: v2, is_compressed false */
	int64_t plain, packed;	/* what is stated instead; 0: the truth */
};

#define MAKE_CHUNKS 64

struct make_chunk {
	uint64_t off, len, dict, data, values, index, index_len;
	int codec, type;
	bool external, encrypted;
};

struct parquet_make {
	struct buf out;
	const struct make_node *node;
	unsigned nodes;
	struct make_chunk chunk[MAKE_CHUNKS];
	unsigned chunks, first;	/* of all groups; of the current one */
	int64_t group_rows[MAKE_CHUNKS];
	unsigned group_first[MAKE_CHUNKS], groups;
	/* Lies of the metadata; 0: the truth. */
	int64_t rows;
	bool encrypted, is_signed;
};

void parquet_make_begin(struct parquet_make *m, const struct make_node *node,
    unsigned nodes);
/* parquet_make_chunk: its row is m->chunk[m->chunks - 1], for lies. */
struct make_chunk *parquet_make_chunk(struct parquet_make *m, int codec);
void parquet_make_page(struct parquet_make *m, const struct make_page *p);
/* parquet_make_index: an offset index of a chunk: (offset, size, row)... */
void parquet_make_index(struct parquet_make *m, unsigned chunk,
    const uint64_t (*place)[3], unsigned n);
void parquet_make_group(struct parquet_make *m, int64_t rows);
void parquet_make_end(struct parquet_make *m);
void parquet_make_release(struct parquet_make *m);

#endif /* !TESTS_LIB_PARQUET_MAKE_H_ */
