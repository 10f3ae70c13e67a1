#ifndef TESTS_LIB_TOKENS_H_
#define TESTS_LIB_TOKENS_H_

#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "formats/tokenizer.h"

struct arena;

/*
 * A vocabulary that was read from bytes, and what a test asks of it.  One at
 * a time; what a question needs and is not there fails the test.
 */
extern struct arena *tokens_arena;
extern const struct vocab *tokens_vocab;	/* NULL: none was read */
extern struct err tokens_err;
extern struct buf tokens_made;	/* for the bytes of a file made by a test */

/* Setup and teardown of a test. */
int tokens_setup(void **state);
int tokens_teardown(void **state);

/* tokens_read: what vocab_read returns; ${name} may be NULL. */
int tokens_read(const char *name, const void *p, size_t n);
int tokens_read_text(const char *name, const char *text);

/* The text of a token as it stands in the file, and as people read it. */
const char *tokens_text(uint64_t id);
const char *tokens_shown(uint32_t id);	/* until the next one */
const struct vocab_role *tokens_role(const char *name);
const char *tokens_setting(const char *key);	/* or NULL */

/* A tokenizer.json of 7 tokens and 2 merges. */
extern const char tokens_bpe[];

#endif /* !TESTS_LIB_TOKENS_H_ */
