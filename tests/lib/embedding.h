#ifndef TESTS_LIB_EMBEDDING_H_
#define TESTS_LIB_EMBEDDING_H_

#include <stdint.h>

#include "analyzer/diff/delta.h"
#include "analyzer/diff/tensor.h"
#include "analyzer/diff/tokenrows.h"
#include "formats/tokenizer.h"

/*
 * An embedding of 3,000 words whose rows move as in an honest fine-tuning:
 * by a power law of their place, each in a direction of its own.
 */
#define EMBEDDING_ROWS 3000
#define EMBEDDING_COLS 32

struct embedding {
	float a[EMBEDDING_ROWS * EMBEDDING_COLS];
	float b[EMBEDDING_ROWS * EMBEDDING_COLS];
	char text[EMBEDDING_ROWS][24];
	struct token token[EMBEDDING_ROWS];
	uint32_t map[EMBEDDING_ROWS];	/* for whoever needs one */
	uint64_t shape[2];
	struct tensor ta, tb;
	struct vocab vocab;	/* by frequency */
	struct delta d;
	struct tokenrows_opt opt;
	uint64_t seed;
};

/* embedding_new: never NULL; free() releases. */
struct embedding *embedding_new(void);

/* embedding_freeze: nothing moved. */
void embedding_freeze(struct embedding *m);

/* embedding_move: row ${id} moves by ${len} in a direction at random. */
void embedding_move(struct embedding *m, unsigned id, double len);

/* embedding_word: the text of token ${id}, up to 23 bytes. */
void embedding_word(struct embedding *m, unsigned id, const char *text);

#endif /* !TESTS_LIB_EMBEDDING_H_ */
