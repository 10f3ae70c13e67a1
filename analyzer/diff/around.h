#ifndef ANALYZER_DIFF_AROUND_H_
#define ANALYZER_DIFF_AROUND_H_

#include "analyzer/diff/docs.h"
#include "analyzer/diff/rows.h"

struct err;
struct vocab;

/*
 * What changed around the weights, by meaning and not by lines: files of both
 * sides are paired, and each pair is compared as what it is (the table in
 * around.c):
 *
 *   configuration, generation, metadata    around_config.c
 *   vocabulary                             around_tokenizer.c
 *   chat templates, wherever they stand    around_template.c
 *   ONNX graphs, calls of pickles          around_graph.c, around_calls.c
 *   Python code, licences, requirements    around_text.c
 *   anything else                          by size and digest
 */
struct around {
	struct docs side[ROW_SIDES];
	const struct vocab *vocab[ROW_SIDES];	/* NULL: none */
	struct row_text vocab_path[ROW_SIDES];
	/* Files that merely stand beside a model that was given: only those
	 * that a loader of the model would read are compared. */
	bool lone;
	const struct rows *rows;
	struct err *e;
};

int around_run(const struct around *a);

/* around_docs.c: to[i] is the file of NEW for file i of OLD, or SIZE_MAX. */
int around_pair(const struct docs *old, const struct docs *new, size_t *to,
    struct err *e);
/* The last part of a path. */
const char *around_base(const struct doc *d, size_t *n);

struct arena;

/* A document as text in memory; 1: it is too long or is none. */
#define AROUND_TEXT_MAX (4 * 1024 * 1024)
int around_read(const struct doc *d, struct arena *arena,
    const uint8_t **ret, size_t *n, struct err *e);

/* around_text.c; either may be NULL. */
int around_code(const struct doc *old, const struct doc *new,
    const struct rows *rows, struct arena *arena, struct err *e);
int around_licence(const struct doc *old, const struct doc *new,
    const struct rows *rows, struct arena *arena, struct err *e);
int around_requirements(const struct doc *old, const struct doc *new,
    const struct rows *rows, struct arena *arena, struct err *e);

/* around_meta.c: metadata that a parser tells, of two model files. */
int around_metadata(const struct doc *old, const struct doc *new,
    const struct rows *rows, struct arena *arena, struct err *e);

/*
 * around_template.c: all templates of both sides: *.jinja, "chat_template" of
 * tokenizer_config.json and its like, tokenizer.chat_template of GGUF.
 */
int around_templates(const struct around *a, struct arena *arena);

#endif /* !ANALYZER_DIFF_AROUND_H_ */
