#ifndef ANALYZER_DIFF_TABLE_H_
#define ANALYZER_DIFF_TABLE_H_

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "analyzer/diff/job.h"
#include "analyzer/diff/leaves.h"
#include "analyzer/diff/tensor.h"

struct arena;
struct err;
struct ev_tensor;
struct ev_view;
struct spill;
struct table_map;

/*
 * The tensors of one side, sorted by model and name.
 *
 * A unit is a model: the tensors of one file, or of a set of shards (files
 * that differ in -00001-of-00003 alone), or of the arrays in one archive.
 * Everything lies in the arena, so it lives as long as the table; the files
 * stay mapped as long.  A tensor whose stated shape does not fit its bytes,
 * or whose bytes are nowhere, is in the table with p NULL.
 */
struct unit {
	const char *path;	/* of its file, without the shard's number */
	size_t path_len;
	const char *format;
	const struct tensor *v;	/* in order of names */
	size_t n;
};

struct table_input {
	struct leaf *leaf;
	uint64_t tensors;
	uint32_t unit;
	const char *key;	/* the unit's path */
	size_t key_len;
	bool complete;		/* its parser came to its end */
};

struct table {
	struct arena *arena;
	struct spill *spill;
	const struct job_side *job;
	struct leaves leaves;
	struct tensor *v;
	size_t n, cap;
	struct unit *units;
	size_t nunits;
	struct table_input *inputs;	/* leaves that told tensors */
	size_t ninputs, inputs_cap;
	struct table_map *maps;
	size_t nmaps, maps_cap;
	uint64_t bytes;		/* of all tensors at hand */
	bool cut;		/* LIMIT_DIFF_TENSORS */
};

/*
 * table_new: an empty one.  ${rows} hears of what could not be read; ${spill}
 * is shared by both sides, and outlives them.
 * table_load: find the leaves of ${job} and parse them (gather.h).
 */
struct table *table_new(enum row_side side, struct spill *spill,
    const struct rows *rows, struct err *e);
int table_load(struct table *t, const struct job_side *job, struct err *e);
void table_free(struct table *t);	/* NULL does nothing */

/*
 * For gather.c.  table_begin: the leaf becomes an input, which comes last.
 * table_add, table_add_view: a tensor or view of that input; 1 when the
 * table is full.  table_drop takes back what came from ${from} on and is no
 * view: a format that tells views tells its storages as tensors too.
 */
int table_begin(struct table *t, struct leaf *leaf, struct err *e);
int table_add(struct table *t, const struct ev_tensor *ev, struct err *e);
int table_add_view(struct table *t, const struct ev_view *ev,
    struct err *e);
void table_drop(struct table *t, size_t from);

/* table_settle: sort, and find the units. */
int table_settle(struct table *t, struct err *e);

/* table_input_of: where a tensor comes from. */
const struct table_input *table_input_of(const struct table *t,
    const struct tensor *x);

/*
 * table_note_digest: what a pass found, for whoever asks later; nothing where
 * ${x} is a copy or slice.  Who computes has tensors const: tables are ours.
 */
void table_note_digest(struct table *t, const struct tensor *x,
    uint64_t digest);

/*
 * table_transposed: a copy of a 2-D tensor with rows and columns exchanged,
 * in the spill; NULL when it does not fit there or is of a block type.
 */
const struct tensor *table_transposed(struct table *t,
    const struct tensor *x, struct err *e);

/* table_reordered: a copy whose row i is row from[i]; likewise. */
const struct tensor *table_reordered(struct table *t,
    const struct tensor *x, const uint32_t *from, struct err *e);

#endif /* !ANALYZER_DIFF_TABLE_H_ */
