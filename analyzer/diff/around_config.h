#ifndef ANALYZER_DIFF_AROUND_CONFIG_H_
#define ANALYZER_DIFF_AROUND_CONFIG_H_

#include "analyzer/diff/rows.h"

struct arena;
struct doc;
struct err;
struct flat;
struct flat_list;

/*
 * What changed between two documents of keys and values, by meaning: the
 * order of keys, white space and how a number is written do not matter.
 *
 * A key is the way to a value, "rope_scaling.factor", "layers[3]" (see
 * formats/flatjson.h).  Lists are compared place by place, and as sets where
 * their order means nothing: then the key is "suppress_tokens{50257}", and
 * such rows are added and removed.
 *
 * Keys that are known to run code, to choose what is loaded, to change what
 * the model says or when it stops (around_effects.def) have "effect" in
 * ${more}, in fixed words of ours.  Rows come by effect, the gravest first,
 * the rest behind them, each in order of keys.  Of one effect at most
 * AROUND_ROWS are listed, then one row "(more changes)" has "listed" and
 * "in_all": a thousand harmless changes hide no grave one.
 *
 * Values longer than AROUND_VALUE bytes are compared whole and shown from
 * shortly before the first byte that differs, with "old_bytes", "new_bytes"
 * and "shown_from" in ${more}.  Names that occur twice in one object (a way to
 * show one value to a reader and another to a program) are a row of their
 * own, "(repeated names)".
 */
#define AROUND_VALUE 1024
#define AROUND_ROWS 100

/*
 * around_json: two JSON documents; either may be NULL (nothing there).  0;
 * 1: one of them is no JSON to its end, or over a limit, and no row was told:
 * compare it some other way; negative: of a row's consumer, or ours.  ${a} is
 * for working memory.
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
 * around_gguf: the key/value pairs of two GGUF files, numbers too, arrays of
 * more than 16 elements as one text; returns as around_json.  The tokenizer's
 * arrays are left to around_tokenizer, its templates to around_template.c.
 */
int around_gguf(const struct doc *old, const struct doc *new,
    const struct rows *rows, struct arena *a, struct err *e);

/*
 * around_value: a row of ${key} in ${r} (area, what and path are set): the
 * values cut as above, the rest in ${more}.  Either value may be NULL.
 */
int around_value(struct row_change *r, struct row_text key,
    const struct row_text *old, const struct row_text *new,
    const char *effect, const struct rows *rows);

#endif /* !ANALYZER_DIFF_AROUND_CONFIG_H_ */
