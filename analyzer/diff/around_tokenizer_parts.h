#ifndef ANALYZER_DIFF_AROUND_TOKENIZER_PARTS_H_
#define ANALYZER_DIFF_AROUND_TOKENIZER_PARTS_H_

#include <stdbool.h>

#include "analyzer/diff/around_tokenizer.h"
#include "base/buf.h"

/* Private to around_tokenizer*.c. */
struct around_tok {
	const struct vocab *old, *new;
	struct row_text path;
	const struct rows *rows;
	struct arena *a;
	struct err *e;
	struct buf key;		/* of the row that is being made */
	uint64_t listed, in_all;	/* rows of the kind that is told now */
};

/* One more of the kind; true if it is to be listed. */
bool around_tokenizer_room(struct around_tok *t);
/*
 * The end of a kind: the row "(more ${key})" for what was not listed, and the
 * counts begin anew.
 */
int around_tokenizer_rest(struct around_tok *t, enum change_what what,
    const char *key, const char *effect);
/* A row whose key is t->key; absent texts are NULL. */
int around_tokenizer_tell(struct around_tok *t, enum change_what what,
    const char *old, const char *new, struct basis *more);

int around_tokenizer_tokens(struct around_tok *t);
int around_tokenizer_merges(struct around_tok *t);

#endif /* !ANALYZER_DIFF_AROUND_TOKENIZER_PARTS_H_ */
