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
 * Rows, in this order, each kind in order of ids, ranks or keys:
 *
 *   key                      what                   old, new
 *   source, model            changed                their names
 *   settings' keys           added removed changed  the values (around_flat)
 *   role <role>              added removed changed  the token's raw text
 *   token <as written>       moved                  id, id: two swapped
 *                            moved                  id, id: others
 *   tokens <first> to <last> moved                  ids: a block that moved
 *   token <as written>       removed, added         id
 *                            changed                kind and flags
 *                            changed                score
 *   merge <left> <right>     removed, added, moved  rank
 *
 * "raw" in ${more} is the token's own text.  Of each kind at most
 * AROUND_TOKENIZER_ROWS are listed; then one row "(more ...)" has "listed" and
 * "in_all": nothing is cut silently.  Eight tokens or more that moved by the
 * same number are a block; the rank of a merge that only follows from others
 * added or removed before it is no move.
 *
 * Vocabularies of different sources (a tokenizer.json, a GGUF made of it) do
 * not have the same settings, types and merges: then texts alone are compared,
 * and roles that both have.
 */
#define AROUND_TOKENIZER_ROWS 100

/*
 * ${old} or ${new} may be NULL: that side has none, and one row says so.
 * ${a} is for working memory, some 16 bytes a token and 32 a merge that moved.
 * 0, or negative: of a row's consumer, or ours.
 */
int around_tokenizer(const struct vocab *old, const struct vocab *new,
    struct row_text path, const struct rows *rows, struct arena *a,
    struct err *e);

#endif /* !ANALYZER_DIFF_AROUND_TOKENIZER_H_ */
