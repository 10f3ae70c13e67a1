#ifndef FORMATS_TOKENIZER_PARTS_H_
#define FORMATS_TOKENIZER_PARTS_H_

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/json_read.h"
#include "base/limits.h"
#include "base/reader.h"
#include "formats/flatjson.h"
#include "formats/tokenizer.h"

/*
 * Private to the readers of vocabularies.
 *
 *   tokenizer.c         which reader, by content and name; folders
 *   tokenizer_build.c   tokens as they come, and what becomes of them
 *   tokenizer_name.c    what texts say of kinds, spelling and order
 *   tokenizer_json.c    JSON token by token in little memory
 *   tokenizer_hf.c      tokenizer.json, token -> id, arrays
 *   tokenizer_beside.c  companions
 *   tokenizer_spm.c     SentencePiece
 *   tokenizer_gguf.c    GGUF
 *   tokenizer_lines.c   word lists, tiktoken, merges.txt
 *   tokenizer_show.c    a token as a person writes it, alignment
 *
 * Readers tell the builder what they find in the order of the file, so what
 * comes later wins, as it does for the programs that load these files.
 */
struct token_chunk;
struct pair_chunk;

struct vocab_build {
	struct arena *a;	/* what stays */
	struct arena *work;	/* what goes when it is finished */
	struct err *e;
	struct token_chunk *first, *last, *at;
	uint64_t count;		/* tokens told */
	struct token *table;	/* by id, once they are placed */
	struct pair_chunk *pair_first, *pair_last;
	uint64_t npairs;
	struct vocab_role roles[LIMIT_VOCAB_ROLES];
	size_t nroles;
	char *room;		/* where the next text goes */
	size_t left;
	struct flatjson settings;
	const char *source;
	enum vocab_model model;
	bool scores;		/* they say how frequent a token is */
	bool bytes;		/* texts are bytes, not letters for them */
	unsigned spelling;	/* as far as it was said */
	bool weak;		/* added tokens are weak now */
	bool cut;
};

/*
 * Beside the flags of a token: a file that does not decide says so.  Another
 * text at this id stays.
 */
#define TOKENIZER_WEAK 0x80

/* The arena ${a} is for what stays.  Released also after a failure. */
int tokenizer_start(struct vocab_build *b, struct arena *a, struct err *e);
void tokenizer_release(struct vocab_build *b);

/* All return 0 or a negative err_code. */
int tokenizer_token(struct vocab_build *b, uint64_t id, const struct token *t);
/* The i-th token told; for i = 0, 1, ... in this order alone. */
struct token *tokenizer_told(struct vocab_build *b, uint64_t i, uint64_t *id);
int tokenizer_pair(struct vocab_build *b, const char *left, size_t nleft,
    const char *right, size_t nright);
/* ${p} NULL: ${id} is what is known; else ${id} is VOCAB_NONE. */
int tokenizer_role(struct vocab_build *b, const char *role, size_t role_len,
    const char *p, size_t n, uint64_t id);
int tokenizer_setting(struct vocab_build *b, const char *key, size_t key_len,
    enum flat_type type, const void *p, size_t n);
int tokenizer_finish(struct vocab_build *b, const struct vocab **ret);

/* The kind that a text has by itself; TOKEN_NORMAL if none. */
enum token_kind tokenizer_kind(const char *p, size_t n);
/* What the settings say of the model, its spelling and roles. */
int tokenizer_said(struct vocab_build *b, const struct flat_list *settings);
/* Spelling, kinds, model and order, as far as the tokens themselves say. */
void tokenizer_judge(struct vocab_build *b, struct vocab *v);
/* The byte that GPT-2's alphabet writes as this letter, or -1. */
int tokenizer_letter(uint32_t cp);

/* By bytes; the length decides between a text and its head. */
int tokenizer_order(const void *p, size_t n, const void *q, size_t m);

bool tokenizer_is(const char *p, size_t n, const char *word);
bool tokenizer_ends(const char *p, size_t n, const char *tail);

/*
 * JSON in little memory: the string of ${t} lives until the next token is
 * asked for, that of a KEY until the one behind its value's first.  Under
 * ${hold} all live on.
 */
struct tokenizer_json {
	struct json j;
	struct reader r;
	struct arena *window, *scratch;
	struct json_token t;
	bool hold;
	struct err *e;
};

int tokenizer_json_open(struct tokenizer_json *j, const struct bytesrc *src,
    struct err *e);
void tokenizer_json_close(struct tokenizer_json *j);
int tokenizer_json_next(struct tokenizer_json *j);
/* The rest of the value of j->t. */
int tokenizer_json_skip(struct tokenizer_json *j);

/* Each reader: 0, 1 (not this), or negative. */
int tokenizer_hf(struct vocab_build *b, const struct bytesrc *src,
    bool certain);
int tokenizer_spm(struct vocab_build *b, const struct bytesrc *src);
int tokenizer_gguf(struct vocab_build *b, const struct bytesrc *src);
int tokenizer_ranks(struct vocab_build *b, const struct bytesrc *src);
int tokenizer_words(struct vocab_build *b, const struct bytesrc *src);

/* An object that describes an added token, its JSON_OBJECT just got. */
int tokenizer_added(struct vocab_build *b, struct tokenizer_json *j,
    uint64_t id);
/* A file beside the vocabulary, by its base name. */
int tokenizer_beside(struct vocab_build *b, const struct bytesrc *src,
    const char *name, size_t n);
int tokenizer_merges(struct vocab_build *b, const struct bytesrc *src);
/* "left right"; without a space it is none, and the vocabulary is cut. */
int tokenizer_merge(struct vocab_build *b, const char *p, size_t n);
/*
 * tokenizer_soft: the bytes ended or were wrong with ${r}: what was read
 * counts (0), unless that is nothing (1).  Other failures stay.
 */
int tokenizer_soft(struct vocab_build *b, int r);

#endif /* !FORMATS_TOKENIZER_PARTS_H_ */
