#ifndef ANALYZER_DIFF_TOKENTEST_H_
#define ANALYZER_DIFF_TOKENTEST_H_

#include <stdbool.h>
#include <stddef.h>

#include "analyzer/diff/job.h"

struct arena;
struct compare;
struct err;
struct pair;
struct rows;
struct table;
struct tensor;
struct vocab;

/*
 * The embeddings and heads of two models, put to the tests of tokenrows.h and
 * headtest.h, with what the files beside them say: the vocabularies, whether
 * the embedding is tied, what classes are called.
 */
struct tokentest {
	struct compare *c;
	const struct table *side[2];
	const struct job_part *tokenizer;	/* --tokenizer, fd -1: none */
	const struct rows *rows;
	struct arena *arena;
	struct err *e;
	/* Found by tokentest_load; NULL: there is none. */
	const struct vocab *vocab[2];
	struct row_text vocab_path[2];
	bool unread[2];		/* there is one, not all of which was read */
	const struct vocab *words;	/* names ids: --tokenizer, or vocab[1] */
	bool given_unread;	/* likewise, of --tokenizer */
	bool has_config;
	bool tied_config;	/* tie_word_embeddings */
	const char **label;	/* id2label */
	size_t nlabels;
	bool tired;		/* there were more matrices than are tested */
	/* Of tokentest_embeddings, made once. */
	const uint32_t *map;	/* NULL: ids did not move */
	uint64_t others;	/* pairs that are not the same; UINT64_MAX:
				 * some could not be measured */
};

/* tokentest_load: vocabularies and configuration of both sides. */
int tokentest_load(struct tokentest *t);

/*
 * tokentest_embeddings: one after the other, before spectra are asked for:
 * a pair of which only a few rows changed is told.  Rows go to t->rows.
 */
int tokentest_embeddings(struct tokentest *t);

/* tokentest_heads: the classifier's head, an attribute. */
int tokentest_heads(struct tokentest *t);

/* tokentest_is_embedding: by its name, or by its rows and the vocabulary. */
bool tokentest_is_embedding(const struct tensor *x, const struct vocab *v);

#endif /* !ANALYZER_DIFF_TOKENTEST_H_ */
