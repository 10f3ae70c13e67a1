#ifndef ANALYZER_DIFF_AROUND_TOKENIZER_H_
#define ANALYZER_DIFF_AROUND_TOKENIZER_H_

#include "analyzer/diff/rows.h"

struct arena;
struct err;
struct vocab;

/*
 * What changed between two vocabularies, as rows of CHANGE_TOKENIZER.
 *
 * Same weights and another vocabulary is another model: with two ids swapped
 * it reads and writes other words, a token added with a row of its own is a
 * trigger that no text of before contains, a normaliser that maps one letter
 * to another changes what everybody types.  ${more} names this in "effect",
 * in fixed words of ours.
 *
 * Rows, in this order, each kind in order of ids or keys:
 *
 *   key                        what                  old, new
 *   model, spelling, order     changed               the names
 *   settings' keys             added removed changed the values
 *   role.<role>                added removed changed token's text
 *   token <text as written>    removed               id
 *                              added                 id
 *                              moved                 id, id (same text);
 *                                                    "swapped_with"
 *                              changed               kind, flags, score
 *   merge <left> <right>       removed added         rank
 *                              moved                 rank, rank
 *
 * Of tokens and merges at most AROUND_TOKENIZER_ROWS a kind are listed, those
 * with the lowest ids; then one row "tokens moved" says how many in all, with
 * "listed" and "in_all" in ${more}: nothing is cut silently.  A block that
 * moved as a whole (ids shifted by one number behind an insertion) is one
 * row, "tokens <first> to <last>"; ranks that only follow from merges removed
 * or added in front of them are no move.
 */
#define AROUND_TOKENIZER_ROWS 100

/*
 * ${old} or ${new} may be NULL: that side has none, and one row says so.
 * ${a} is for working memory.  0, or negative: of a row's consumer, or ours.
 */
int around_tokenizer(const struct vocab *old, const struct vocab *new,
    struct row_text path, const struct rows *rows, struct arena *a,
    struct err *e);

#endif /* !ANALYZER_DIFF_AROUND_TOKENIZER_H_ */
