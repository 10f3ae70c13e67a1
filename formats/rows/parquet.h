#ifndef FORMATS_ROWS_PARQUET_H_
#define FORMATS_ROWS_PARQUET_H_

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/cursor.h"
#include "formats/codec_pages.h"
#include "formats/rows/civil.h"
#include "formats/rows/grow.h"

struct arena;
struct err;
struct rowtree;
struct thrift;
struct thrift_field;

/*
 * Apache Parquet (apache/parquet-format): the parts of its reader.
 *
 *	PAR1  column chunks of pages  metadata (thrift)  length u32 LE  PAR1
 *
 *	parquet_meta.c    the metadata: row groups, column chunks
 *	parquet_schema.c  the schema in them
 *	parquet_page.c    one page of a column: header, checksum, decompressed
 *	parquet_pages.c   the pages of a column, and what is lost of them
 *	parquet_levels.c  runs of small numbers: levels, dictionary indices
 *	parquet_decode.c  values of a page, in all encodings
 *	parquet_delta.c   those of the DELTA encodings
 *	parquet_column.c  a column, value by value and row by row
 *	parquet_show.c    a value as what its logical type means
 *	parquet_row.c     a row from the levels of its columns
 *	parquet.c         the reader of rows.h
 *
 * Two kinds of malformed are told apart.  In the metadata nothing is certain:
 * ERR_FORMAT.  In a page whose header says how many rows it has, those rows
 * of that column are lost; otherwise the column is, to the end of its row
 * group.  It is told once, and the records are damaged.
 *
 * The offset index is where the writer says that rows are.  Walking over the
 * headers of pages costs one small read for each and believes nobody, so that
 * is how a row is found; the index is asked afterwards whether it would have
 * led another reader elsewhere.
 *
 * Statistics, bloom filters, encodings' lists and sizes of levels are what
 * the writer says about the data; nothing here believes or reads them.
 */
enum parquet_type {
	PARQUET_BOOLEAN,
	PARQUET_INT32,
	PARQUET_INT64,
	PARQUET_INT96,
	PARQUET_FLOAT,
	PARQUET_DOUBLE,
	PARQUET_BYTES,
	PARQUET_FIXED,
	PARQUET_GROUP,		/* not of the format: a node with children */
};

enum parquet_repetition { PARQUET_REQUIRED, PARQUET_OPTIONAL,
	PARQUET_REPEATED };

enum parquet_encoding {
	PARQUET_PLAIN = 0,
	PARQUET_PLAIN_DICTIONARY = 2,
	PARQUET_RLE = 3,
	PARQUET_BIT_PACKED = 4,
	PARQUET_DELTA_BINARY = 5,
	PARQUET_DELTA_LENGTH = 6,
	PARQUET_DELTA_STRINGS = 7,
	PARQUET_RLE_DICTIONARY = 8,
	PARQUET_SPLIT = 9,
};

/* What a column's values, or a group, mean. */
enum parquet_kind {
	PARQUET_AS_IS,
	PARQUET_TEXT,
	PARQUET_UNSIGNED,
	PARQUET_DECIMAL,
	PARQUET_DATE,
	PARQUET_CLOCK,		/* a time of day */
	PARQUET_STAMP,		/* a point in time */
	PARQUET_HALF,		/* a float of 16 bits */
	PARQUET_UUID,
	PARQUET_LIST,
	PARQUET_MAP,
};

struct parquet_node {
	const uint8_t *name;	/* in the metadata, no NUL */
	size_t name_len;
	enum parquet_type type;
	enum parquet_repetition repetition;
	enum parquet_kind kind;
	uint32_t unit;		/* of CLOCK and STAMP: units in a second */
	uint32_t width;		/* bytes of a FIXED */
	uint32_t scale;		/* of a DECIMAL */
	uint32_t children;	/* they begin at the next node */
	uint32_t end;		/* the node behind all that is below */
	uint32_t leaf;		/* number of the first column below */
	uint8_t max_def, max_rep;
};

struct parquet_group {
	uint64_t first, rows;
	uint64_t at;		/* of its struct, in the metadata */
};

struct parquet_chunk {
	uint64_t off, end;	/* of its pages */
	uint64_t values;
	uint64_t index, index_len;	/* offset index as stated, or 0 */
	enum page_codec codec;
	const char *unread;	/* why it cannot be read, or NULL */
};

struct parquet_meta {
	const struct rows_params *p;
	struct cursor footer;
	struct parquet_node *node;	/* in the order of the schema; [0] is
					 * the root */
	uint32_t nodes, leaves;
	struct parquet_group *group;
	uint32_t groups;
	uint64_t rows;
	uint64_t pages_end;	/* where the metadata begin */
};

/* parquet_meta_read: 0, ERR_FORMAT (told), or our side's. */
int parquet_meta_read(struct parquet_meta *m, const struct rows_params *p,
    struct err *e);
/* parquet_meta_group: the column chunks of a row group, one for each leaf. */
int parquet_meta_group(const struct parquet_meta *m, uint32_t group,
    struct parquet_chunk *chunk, struct err *e);

/* parquet_schema_read: the list of nodes that begins at ${t}. */
int parquet_schema_read(struct parquet_meta *m, struct thrift *t,
    const struct thrift_field *f, struct err *e);

/* --- runs of small numbers (parquet_levels.c) --- */

/*
 * RLE/bit-packed hybrid: varint h; h odd: h >> 1 groups of 8 values of
 * ${width} bits, least significant bit first; h even: h >> 1 times one value
 * in whole bytes.  Or the old BIT_PACKED: values behind each other, most
 * significant bit first.
 */
struct parquet_levels {
	struct cursor c;
	unsigned width;		/* bits of a value: 0 to 32 */
	bool old;
	uint64_t run, groups;	/* left of the current run, either of them */
	uint32_t value;		/* of the run */
	uint32_t buf[8];	/* unpacked */
	unsigned have, pos;
};

void parquet_levels_init(struct parquet_levels *l, const struct cursor *c,
    unsigned width, bool old);
/* parquet_levels_next: false: the bytes have no more, or make no sense. */
bool parquet_levels_next(struct parquet_levels *l, uint32_t *ret);
/* parquet_levels_width: bits that hold 0 to ${max}. */
unsigned parquet_levels_width(uint32_t max);

/* --- values (parquet_decode.c, parquet_delta.c) --- */

struct parquet_value {
	const uint8_t *p;	/* BYTES, FIXED, INT96; until the next one */
	size_t n;
	uint64_t bits;		/* the other types, integers sign-extended */
};

/* DELTA_BINARY_PACKED, streaming. */
struct parquet_delta {
	struct cursor c;	/* behind what was taken */
	struct cursor widths, mini;
	uint64_t left;		/* values, the first one included */
	uint64_t total;
	uint64_t per_mini, minis;
	uint64_t mini_left, minis_left;
	uint64_t min, last;
	uint64_t acc;		/* bits that were read and not used */
	unsigned acc_bits, width;
	bool begun;
};

bool parquet_delta_init(struct parquet_delta *d, const struct cursor *c);
bool parquet_delta_next(struct parquet_delta *d, int64_t *ret);
/* parquet_delta_rest: pass over all values; d->c is behind them then. */
bool parquet_delta_rest(struct parquet_delta *d);

/* A dictionary page, decompressed: places of BYTES, else value by value. */
struct parquet_dict {
	const uint8_t *p;
	size_t n;
	uint32_t count;
	struct grow place;	/* of BYTES: struct parquet_place */
};

struct parquet_place {
	uint32_t off, len;
};

struct parquet_decode {
	enum parquet_encoding encoding;
	enum parquet_type type;
	uint32_t width;		/* bytes of a value, 0: its own length */
	struct cursor c;
	const struct parquet_dict *dict;
	struct parquet_levels run;
	struct parquet_delta a, b;
	uint64_t at, count;	/* SPLIT, PLAIN booleans */
	struct grow *made;	/* where values are put together */
	size_t made_len;
};

/* parquet_decode_dict: false: it is not ${count} PLAIN values. */
bool parquet_decode_dict(struct parquet_dict *d, enum parquet_type type,
    uint32_t width, uint64_t count);
/* parquet_decode_init: NULL, or why the values cannot be read. */
const char *parquet_decode_init(struct parquet_decode *d,
    const struct parquet_node *node, enum parquet_encoding encoding,
    const struct cursor *c, const struct parquet_dict *dict,
    struct grow *made);
/* parquet_decode_next: NULL and *ret, or why not. */
const char *parquet_decode_next(struct parquet_decode *d,
    struct parquet_value *ret);
/* parquet_decode_left: do bytes remain that no value is made of? */
bool parquet_decode_left(const struct parquet_decode *d);

/* --- pages (parquet_page.c) --- */

enum parquet_page_type { PARQUET_PAGE_DATA, PARQUET_PAGE_INDEX,
	PARQUET_PAGE_DICT, PARQUET_PAGE_DATA2 };

struct parquet_page {
	enum parquet_page_type type;
	uint64_t off, body;	/* of its header, of its bytes */
	uint32_t packed, plain;	/* bytes as stored, and decompressed */
	uint32_t values;
	uint32_t rows, nulls;	/* v2 */
	uint32_t def_len, rep_len;	/* v2 */
	int64_t encoding, def_encoding, rep_encoding;
	uint32_t crc;
	bool has_crc, is_packed;
};

/* What all columns share. */
struct parquet_file {
	const struct rows_params *p;
	struct codec_pages codecs;
	struct grow packed;	/* a page as it is stored */
	struct grow head;	/* the header of one */
};

/*
 * parquet_page_head: the header at ${off}, whose page ends before ${end}.
 * 0; 1 when it makes no sense (*why); negative.
 */
int parquet_page_head(struct parquet_file *f, uint64_t off, uint64_t end,
    struct parquet_page *ret, const char **why, struct err *e);
/*
 * parquet_page_load: its bytes, decompressed, at into->p[0..pg->plain).  A
 * checksum that does not fit is told, and the page is given as it is.
 */
int parquet_page_load(struct parquet_file *f, const struct parquet_page *pg,
    enum page_codec codec, struct grow *into, const char **why,
    struct err *e);
/*
 * parquet_page_find: by the offset index of a chunk, the page that holds
 * row ${row} of the group.  1, *off and its *first row; 0 when there is no
 * index, or none that makes sense (told); negative.
 */
int parquet_page_find(struct parquet_file *f,
    const struct parquet_chunk *chunk, uint64_t row, uint64_t *off,
    uint64_t *first, struct err *e);

/* --- a column (parquet_column.c) --- */

/* One place of a nested row: a value, or that there is none. */
struct parquet_entry {
	uint8_t rep, def;
	struct parquet_value v;
	size_t at;		/* of bytes, in the column's own */
};

struct parquet_column {
	struct parquet_file *f;
	const struct parquet_node *node;
	struct parquet_chunk chunk;
	uint64_t at;		/* of the next page */
	uint64_t left;		/* values of the chunk in pages not yet read */
	bool lost;		/* to the end of the row group */
	bool damaged;		/* the current row cannot be read */
	uint64_t bad_rows;	/* next ones, of pages that cannot be read */
	/* The current page. */
	struct parquet_page page;
	bool open;
	uint32_t page_left;	/* entries of it */
	uint32_t rows_left;	/* rows of it, the current one included; when
				 * parquet_pages_counted */
	struct grow plain, dict_bytes, made;
	struct parquet_dict dict;
	bool has_dict;
	struct parquet_levels rep, def;
	struct parquet_decode values;
	/* The levels of the next entry, read ahead. */
	bool ahead;
	uint8_t ahead_rep, ahead_def;
	/* The current row: of a column that never repeats, ${one}. */
	struct parquet_entry one;
	struct grow entry, bytes;
	uint32_t entries, used;
	uint32_t cur;		/* the entry that whoever builds it is at */
};

void parquet_column_init(struct parquet_column *c, struct parquet_file *f,
    const struct parquet_node *node, struct arena *a);
/* parquet_column_start: at the first row of a chunk. */
void parquet_column_start(struct parquet_column *c,
    const struct parquet_chunk *chunk);
/*
 * parquet_column_row: the entries of the next row.  0, also when they are
 * lost (told, ${damaged}); negative when our side failed.
 */
int parquet_column_row(struct parquet_column *c, struct err *e);
/* parquet_column_skip: pass over ${rows}; the next one is row ${from}. */
int parquet_column_skip(struct parquet_column *c, uint64_t from,
    uint64_t rows, struct err *e);
/* parquet_column_end: the row group ends here: tell what is left over. */
void parquet_column_end(struct parquet_column *c);
/* parquet_column_entry: entry c->cur of the current row, NULL behind it. */
const struct parquet_entry *parquet_column_entry(
    const struct parquet_column *c);

/* --- its pages (parquet_pages.c) --- */

/*
 * parquet_pages_next: the next page that has entries.  1; 0: the column ends;
 * ERR_FORMAT: told, and c->lost or c->bad_rows; or our side's.  ${skip}: rows
 * that may be passed over, less what was; NULL: none.
 */
int parquet_pages_next(struct parquet_column *c, uint64_t *skip,
    struct err *e);
/* parquet_pages_close: the current page is read: tell what is left of it. */
void parquet_pages_close(struct parquet_column *c);
/* parquet_pages_counted: does the current page say how many rows it has? */
bool parquet_pages_counted(const struct parquet_column *c);
/*
 * parquet_pages_fail: tell why the current page cannot be read on, and count
 * its rows as bad, or lose the column; _lose: tell, and lose it.  ERR_FORMAT.
 */
int parquet_pages_fail(struct parquet_column *c, const char *why);
int parquet_pages_lose(struct parquet_column *c, uint64_t off,
    const char *why);

/* --- meaning (parquet_show.c, parquet_row.c) --- */

#define PARQUET_SHOW CIVIL_TEXT

/* parquet_show: ret->p may point into ${v} or into ${text}. */
void parquet_show(const struct parquet_node *node,
    const struct parquet_value *v, struct rows_value *ret,
    char text[PARQUET_SHOW]);
/* parquet_show_type: its type in words. */
const char *parquet_show_type(const struct parquet_node *node);

/*
 * parquet_row_build: the node ${at}, a child of the root, of the current row
 * behind what the tree has.  False when its columns do not agree on how many
 * there are of what.
 */
bool parquet_row_build(const struct parquet_meta *m,
    struct parquet_column *column, uint32_t at, struct rowtree *t);

#endif /* !FORMATS_ROWS_PARQUET_H_ */
