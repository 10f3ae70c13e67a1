#ifndef FORMATS_TOKENIZER_H_
#define FORMATS_TOKENIZER_H_

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "formats/flatjson.h"

struct arena;
struct buf;
struct bytesrc;
struct err;

/*
 * A vocabulary: which id stands for which text, and how text is cut up.
 *
 * It is read from hostile bytes of any of these, told apart by content and,
 * where content does not decide, by name:
 *
 *   tokenizer.json      Hugging Face: BPE, WordPiece, Unigram, WordLevel
 *   tokenizer.model     SentencePiece (also spiece.model, *.spm)
 *   *.gguf              tokenizer.ggml.*
 *   vocab.json          a JSON object token -> id, or an array of tokens
 *   *.tiktoken          lines "base64 rank"
 *   vocab.txt           one token a line; *.vocab: "piece<TAB>score"
 *
 * What the reader does NOT do: it never cuts text into tokens, and it trusts
 * no number: an id far above the count of tokens is a ${stray}, not an
 * allocation.  All memory is the arena's; nothing points into the source.
 */
#define VOCAB_NONE UINT32_MAX

enum token_kind {
	TOKEN_NORMAL,
	TOKEN_CONTROL,	/* special: never made from text by merging */
	TOKEN_BYTE,	/* <0x0A>; a letter of a byte alphabet */
	TOKEN_UNUSED,	/* [unused7], <|reserved_special_token_7|> */
	TOKEN_ADDED,	/* added to a finished vocabulary, not special */
	TOKEN_UNKNOWN,	/* stands for what there is no token for */
	TOKEN_KINDS
};
const char *vocab_kind_name(enum token_kind k);

enum token_flags {
	TOKEN_SCORED = 1 << 0,		/* score means something */
	TOKEN_SPECIAL = 1 << 1,
	TOKEN_NORMALIZED = 1 << 2,	/* matched after the normaliser */
	TOKEN_LSTRIP = 1 << 3,
	TOKEN_RSTRIP = 1 << 4,
	TOKEN_SINGLE_WORD = 1 << 5,
	TOKEN_LATER = 1 << 6,		/* from a list of added tokens */
};

struct token {
	const char *p;		/* raw text, NUL behind it; NULL: a hole */
	uint32_t n;
	float score;
	uint8_t kind;		/* enum token_kind */
	uint8_t flags;		/* enum token_flags */
};

/* What the order of ids says of how frequent a token is. */
enum vocab_order {
	VOCAB_UNORDERED,	/* nothing: unknown, or alphabetical */
	VOCAB_BY_FREQUENCY,	/* lower ids are more frequent (word lists,
				 * BPE, WordPiece behind its control block) */
	VOCAB_BY_SCORE,		/* higher scores are (SentencePiece) */
};

enum vocab_model {
	VOCAB_OTHER,		/* not said, or not known to us */
	VOCAB_BPE,
	VOCAB_WORDPIECE,
	VOCAB_UNIGRAM,
	VOCAB_WORDLEVEL,
	VOCAB_MODELS
};
const char *vocab_model_name(enum vocab_model m);

/* How a token's raw text spells what a person writes. */
enum vocab_spelling {
	VOCAB_PLAIN = 0,
	VOCAB_BYTES = 1 << 0,	/* GPT-2's alphabet: a letter is a byte */
	VOCAB_SPACES = 1 << 1,	/* U+2581 is a space */
	VOCAB_WORD_END = 1 << 2,/* "</w>" ends a word */
	VOCAB_HASHES = 1 << 3,	/* "##" continues a word */
};

/* A merge of BPE; its place in the list is its rank. */
struct vocab_pair {
	const char *p;		/* left and right, one behind the other */
	uint32_t left, right;	/* their lengths */
};

/* "eos_token" is the token "</s>", which is number 2. */
struct vocab_role {
	const char *role;	/* NUL behind it: "unk_token", "bos_token" */
	uint32_t role_len;
	const char *p;		/* its text; NULL: only an id is known */
	uint32_t n;
	uint32_t id;		/* VOCAB_NONE: no token has this text */
};

struct vocab_key {		/* private: an index by text */
	uint64_t head;
	uint32_t id;
};

struct vocab {
	const char *source;	/* "tokenizer.json", ...: our own constant */
	const struct token *v;	/* by id */
	uint64_t n;		/* ids, holes included */
	uint64_t named;		/* ids that have a text */
	enum vocab_model model;
	enum vocab_order order;
	unsigned spelling;	/* enum vocab_spelling */
	const struct vocab_pair *pairs;
	uint64_t npairs;
	/* Everything else that decides how text is cut up (normaliser,
	 * pre-tokenizer, post-processor, decoder, options of the model), one
	 * value each: "normalizer.type". Sorted by key. */
	const struct flat *settings;
	size_t nsettings;
	const struct vocab_role *roles;	/* sorted by role */
	size_t nroles;
	/* Oddities, counted. */
	uint64_t clashes;	/* ids given to two texts; the later wins */
	uint64_t repeated;	/* texts with two ids; vocab_find: the last */
	uint64_t stray;		/* tokens whose id is absurd: left out */
	bool cut;		/* it ends early, is malformed further on, or
				 * too long: what could be read is here */
	const struct vocab_key *by_text;	/* private; named of them */
};

/*
 * vocab_read: the vocabulary in ${src}, whose file name (a path will do) is
 * ${name}.  A NULL name: the caller says that it is one, so that any text is
 * a list of words.  0 and *ret; 1: it is no vocabulary; negative: our side
 * failed.  Past LIMIT_VOCAB_* what was read until then counts, and ${cut} is
 * set.
 */
int vocab_read(const struct bytesrc *src, const char *name, size_t name_len,
    struct arena *a, const struct vocab **ret, struct err *e);

/*
 * vocab_merge: what a file beside it adds to ${v}: merges.txt,
 * added_tokens.json, special_tokens_map.json, tokenizer_config.json (roles,
 * added_tokens_decoder).  0 and *ret, a new vocabulary that shares with the
 * old; 1: nothing that we know, by its name or by its content.
 */
struct vocab_file {
	const char *path;
	size_t path_len;
	const struct bytesrc *src;
};
int vocab_merge(const struct vocab *v, const struct vocab_file *beside,
    struct arena *a, const struct vocab **ret, struct err *e);

/*
 * vocab_find_in: the vocabulary of a folder.  The best of the files is read
 * and its companions are merged.  Which is best: the one in the
 * shallowest folder, then by name in the order
 *   tokenizer.json, tokenizer.model, spiece.model, *.spm, vocab.json,
 *   vocab.txt, *.tiktoken, *.gguf, *.vocab
 * then by byte order of the path; one that turns out to be no vocabulary
 * makes room for the next.  0, *ret and *which (an index); 1: there is none.
 */
int vocab_find_in(const struct vocab_file *v, size_t n, struct arena *a,
    const struct vocab **ret, size_t *which, struct err *e);

/* vocab_find: the id of a raw text, or VOCAB_NONE. */
uint32_t vocab_find(const struct vocab *v, const void *p, size_t n);

/*
 * vocab_show: append the token as a person writes it, in raw bytes (print
 * them by text_printable): the byte alphabet decoded, U+2581 a space, "<0x0A>"
 * left as it is, one leading space dropped unless nothing else follows,
 * "</w>" dropped, "##" kept.  A hole gives nothing.
 */
void vocab_show(const struct vocab *v, uint32_t id, struct buf *b);

/*
 * vocab_align: map[i], for each id of ${old}, is the id of the same raw text
 * in ${new}, or VOCAB_NONE.  An id that keeps its text keeps its place even
 * where the text occurs twice.  True when nothing moved: map[i] is i for
 * each i that has a text.
 */
bool vocab_align(const struct vocab *old, const struct vocab *new,
    uint32_t *map);

/*
 * vocab_frequent: the ${k} most frequent ordinary tokens by what the order
 * says, most frequent first, into ${ids}; control, byte, unused, added and
 * unknown tokens and holes do not count.  Their number; 0 if VOCAB_UNORDERED.
 */
size_t vocab_frequent(const struct vocab *v, size_t k, uint32_t *ids);

#endif /* !FORMATS_TOKENIZER_H_ */
