#ifndef ANALYZER_DIFF_AROUND_CONFIG_H_
#define ANALYZER_DIFF_AROUND_CONFIG_H_

#include "analyzer/diff/rows.h"

struct arena;
struct doc;
struct err;
struct flat_list;

/*
 * What changed between two documents of keys and values, by meaning: the
 * order of keys, white space and how a number is written do not matter.
 *
 * A key is the way to a value, "rope_scaling.factor", "layers[3]" (see
 * formats/flatjson.h).  Lists are compared place by place, and as sets where
 * their order means nothing (the table in around_config.c): then the key is
 * the list's with the element in brackets, and rows are added and removed.
 *
 * Keys that are known to run code, to choose what is loaded, to change what
 * the model says or when it stops have "effect" in ${more}, in fixed words of
 * ours.  Values longer than AROUND_VALUE bytes are compared whole and shown
 * from their first byte that differs, with "old_bytes", "new_bytes" and
 * "first_difference" in ${more}.  Names that occur twice in one object (a
 * way to show one value to a reader and another to a program) are one row
 * more, "(repeated names)".
 */
#define AROUND_VALUE 1024
#define AROUND_ROWS 500		/* of a document; the rest is one row */

/*
 * around_json: two JSON documents; either may be NULL (nothing there).  0;
 * 1: one of them is no JSON to its end, and no row was told: compare it some
 * other way; negative: of a row's consumer, or ours.  ${a} is for working
 * memory.
 */
int around_json(const struct doc *old, const struct doc *new,
    enum change_area area, const struct rows *rows, struct arena *a,
    struct err *e);

/*
 * around_flat: the same of two lists that are at hand: metadata of a model
 * file, settings.  ${path} is told in the rows.
 */
int around_flat(const struct flat_list *old, const struct flat_list *new,
    enum change_area area, struct row_text path, const struct rows *rows,
    struct err *e);

/*
 * around_gguf: the key/value pairs of two GGUF files, arrays of more than 16
 * elements by length and digest; as around_json.  The tokenizer's arrays are
 * left to around_tokenizer.
 */
int around_gguf(const struct doc *old, const struct doc *new,
    const struct rows *rows, struct arena *a, struct err *e);

#endif /* !ANALYZER_DIFF_AROUND_CONFIG_H_ */
