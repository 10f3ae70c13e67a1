#ifndef ANALYZER_DIFF_EDITREAD_H_
#define ANALYZER_DIFF_EDITREAD_H_

#include <stddef.h>
#include <stdint.h>

#include "analyzer/diff/rows.h"

struct err;
struct pool;
struct structure_model;

/*
 * What a localised edit may be about: the ten tokens that call it up most
 * (subject) and the ten that it writes most (object).
 *
 * Arithmetic on weights along the static path embedding -> MLP of the edited
 * layer -> unembedding: no attention, nothing is executed.  It is a hint
 * and never more: measured, the subject is among the ten when layer 0 was
 * edited, and not when a deeper one was.  Rows are leads, kind "token",
 * method "edit-reading-subject" or "edit-reading-object".
 */
struct editread_words {
	/* The text of a token, valid until the next call; absent: unknown,
	 * its number is printed. */
	struct row_text (*word)(void *ctx, uint64_t id);
	void *ctx;
};

/*
 * editread_run: ${m} is the whole model, m->v[edited] the matrix whose spectrum
 * is LOW_RANK; for each of its first components, at most EDITREAD_FACTS.
 * One row_detector says whether it applied: an MLP's down projection, found
 * by name with its embedding, norm and up (and gate) projection.  ${words}
 * may be NULL.  0, or negative (no memory, or what a sink returned).
 */
#define EDITREAD_FACTS 4

int editread_run(struct pool *pool, const struct structure_model *m,
    size_t edited, const struct editread_words *words,
    const struct rows *rows, struct err *e);

/* editread_none: its row_detector where nothing is read, and why. */
int editread_none(const struct rows *rows, const char *why);

#endif /* !ANALYZER_DIFF_EDITREAD_H_ */
