#include <stdlib.h>
#include <string.h>

#include "analyzer/diff/around.h"
#include "analyzer/diff/around_calls.h"
#include "analyzer/diff/around_config.h"
#include "analyzer/diff/around_graph.h"
#include "analyzer/diff/around_tokenizer.h"
#include "analyzer/srcdigest.h"
#include "base/arena.h"
#include "base/err.h"
#include "base/limits.h"

/* Names: "*" stands at the beginning or at the end, for anything. */
enum role {
	ROLE_CONFIG,
	ROLE_GENERATION,
	ROLE_TOKENIZER_CONFIG,
	ROLE_VOCABULARY,	/* the one that is read; others by digest */
	ROLE_TEMPLATE,		/* compared as one, wherever they stand */
	ROLE_CODE,
	ROLE_LICENCE,
	ROLE_REQUIREMENTS,
	ROLE_PLACES,		/* which shard holds what: no content */
	ROLE_GGUF,
	ROLE_ONNX,
	ROLE_CALLS,
	ROLE_WEIGHTS,		/* tensors and nothing else */
	ROLE_METADATA,
	ROLE_OTHER
};

static const struct {
	const char *name;
	enum role role;
} by_name[] = {{"config.json", ROLE_CONFIG},
    {"generation_config.json", ROLE_GENERATION},
    {"tokenizer_config.json", ROLE_TOKENIZER_CONFIG},
    {"special_tokens_map.json", ROLE_TOKENIZER_CONFIG},
    {"added_tokens.json", ROLE_VOCABULARY},
    {"tokenizer.json", ROLE_VOCABULARY},
    {"tokenizer.model", ROLE_VOCABULARY},
    {"spiece.model", ROLE_VOCABULARY}, {"vocab.json", ROLE_VOCABULARY},
    {"vocab.txt", ROLE_VOCABULARY}, {"merges.txt", ROLE_VOCABULARY},
    {"*.tiktoken", ROLE_VOCABULARY}, {"*.spm", ROLE_VOCABULARY},
    {"*.vocab", ROLE_VOCABULARY}, {"chat_template.json", ROLE_TEMPLATE},
    {"*.jinja", ROLE_TEMPLATE}, {"*.index.json", ROLE_PLACES},
    {"*.py", ROLE_CODE}, {"LICENSE*", ROLE_LICENCE},
    {"LICENCE*", ROLE_LICENCE}, {"COPYING*", ROLE_LICENCE},
    {"NOTICE*", ROLE_LICENCE}, {"requirements*", ROLE_REQUIREMENTS},
    {"*.json", ROLE_CONFIG}};

static const struct {
	const char *format;
	enum role role;
} by_format[] = {{"gguf", ROLE_GGUF}, {"onnx", ROLE_ONNX},
    {"torch_zip", ROLE_CALLS}, {"torch_package", ROLE_CALLS},
    {"torch_legacy", ROLE_CALLS}, {"pickle", ROLE_CALLS},
    {"safetensors", ROLE_METADATA}, {"npy", ROLE_WEIGHTS},
    {"ggml_legacy", ROLE_WEIGHTS}};

static bool
fits(const char *pattern, const char *p, size_t n)
{
	size_t len = strlen(pattern);

	if (pattern[0] == '*')
		return n >= len - 1 && memcmp(p + n - (len - 1),
		    pattern + 1, len - 1) == 0;
	if (pattern[len - 1] == '*')
		return n >= len - 1 && memcmp(p, pattern, len - 1) == 0;
	return n == len && memcmp(p, pattern, n) == 0;
}

static enum role
role_of(const struct doc *d)
{
	size_t n;
	const char *p = around_base(d, &n);

	for (size_t i = 0; i < sizeof(by_format) / sizeof(by_format[0]); i++)
		if (strcmp(d->format, by_format[i].format) == 0)
			return by_format[i].role;
	for (size_t i = 0; i < sizeof(by_name) / sizeof(by_name[0]); i++)
		if (fits(by_name[i].name, p, n))
			return by_name[i].role;
	return ROLE_OTHER;
}

/* What a file is about, where it is told as a whole. */
static enum change_area
area_of(enum role role)
{
	static const enum change_area areas[] = {
	    [ROLE_CONFIG] = CHANGE_CONFIG,
	    [ROLE_GENERATION] = CHANGE_GENERATION,
	    [ROLE_TOKENIZER_CONFIG] = CHANGE_TOKENIZER,
	    [ROLE_VOCABULARY] = CHANGE_TOKENIZER,
	    [ROLE_TEMPLATE] = CHANGE_TEMPLATE, [ROLE_CODE] = CHANGE_CODE,
	    [ROLE_LICENCE] = CHANGE_LICENCE,
	    [ROLE_REQUIREMENTS] = CHANGE_DEPENDENCIES};

	return role <= ROLE_REQUIREMENTS ? areas[role] : CHANGE_FILE;
}

static int
tell_file(const struct around *a, enum role role, const struct doc *old,
    const struct doc *new)
{
	const struct doc *d = new != NULL ? new : old;
	struct row_change row = {.area = area_of(role),
	    .what = old == NULL ? CHANGE_ADDED : new == NULL ?
	    CHANGE_REMOVED : CHANGE_CHANGED,
	    .path = {d->path, d->path_len}};
	uint8_t x[32], y[32];
	struct basis b;
	int r = 0;

	if (old != NULL && (r = srcdigest(old->src, x, a->e)) < 0)
		return r;
	if (new != NULL && (r = srcdigest(new->src, y, a->e)) < 0)
		return r;
	if (old != NULL && new != NULL && memcmp(x, y, 32) == 0)
		return 0;
	basis_init(&b);
	row.more = &b;
	basis_str(&b, "format", d->format);
	if (old != NULL)
		basis_u64(&b, "old_size", old->size);
	if (new != NULL)
		basis_u64(&b, "new_size", new->size);
	r = a->rows->change(a->rows->ctx, &row);
	basis_release(&b);
	return r;
}

/* 1: it was no document of that kind to its end. */
static int
compare_as(const struct around *a, enum role role, const struct doc *old,
    const struct doc *new, struct arena *arena)
{
	const struct rows *rows = a->rows;

	if (role == ROLE_CONFIG)
		return around_json(old, new, CHANGE_CONFIG, rows, arena,
		    a->e);
	if (role == ROLE_GENERATION)
		return around_json(old, new, CHANGE_GENERATION, rows, arena,
		    a->e);
	if (role == ROLE_TOKENIZER_CONFIG)
		return around_json(old, new, CHANGE_TOKENIZER, rows, arena,
		    a->e);
	if (role == ROLE_CODE)
		return around_code(old, new, rows, arena, a->e);
	if (role == ROLE_LICENCE)
		return around_licence(old, new, rows, arena, a->e);
	if (role == ROLE_REQUIREMENTS)
		return around_requirements(old, new, rows, arena, a->e);
	if (old == NULL || new == NULL)
		return 0;	/* a model: its tensors tell */
	if (role == ROLE_GGUF)
		return around_gguf(old, new, rows, arena, a->e);
	if (role == ROLE_ONNX)
		return around_graph(old, new, rows, a->e);
	if (role == ROLE_CALLS)
		return around_calls(old, new, rows, a->e);
	return role == ROLE_METADATA ?
	    around_metadata(old, new, rows, arena, a->e) : 0;
}

/* merges.txt and added_tokens.json are read with any but tokenizer.json. */
static bool
is_companion(const struct doc *d, const struct row_text *of)
{
	const struct doc read = {.path = of->p, .path_len = of->n,
	    .format = ""};
	size_t n, m;
	const char *p = around_base(d, &n), *q = around_base(&read, &m);

	return (fits("merges.txt", p, n) || fits("added_tokens.json", p, n)) &&
	    role_of(&read) == ROLE_VOCABULARY &&
	    !fits("tokenizer.json", q, m) && d->path_len - n == of->n - m &&
	    memcmp(d->path, of->p, of->n - m) == 0;
}

/* There is none, or compare_vocabularies has what stands in it. */
static bool
is_read(const struct around *a, enum row_side side, const struct doc *d)
{
	const struct row_text *p = &a->vocab_path[side];

	if (d == NULL)
		return true;
	return p->p != NULL && ((p->n == d->path_len && memcmp(p->p, d->path,
	    p->n) == 0) || is_companion(d, p));
}

static bool
skipped(const struct around *a, enum role role)
{
	return role == ROLE_TEMPLATE || role == ROLE_PLACES ||
	    role == ROLE_WEIGHTS ||
	    (a->lone && (role == ROLE_OTHER || role == ROLE_LICENCE));
}

static int
compare(const struct around *a, const struct doc *old, const struct doc *new)
{
	const struct doc *d = new != NULL ? new : old;
	enum role role = role_of(d);
	struct arena *arena;
	int r;

	if (skipped(a, role))
		return 0;
	if (old != NULL && new != NULL && role_of(old) != role)
		role = ROLE_OTHER;	/* another format: another thing */
	if (role == ROLE_VOCABULARY && is_read(a, ROW_OLD, old) &&
	    is_read(a, ROW_NEW, new))
		return 0;
	if (role == ROLE_OTHER || role == ROLE_VOCABULARY)
		return tell_file(a, role, old, new);
	if ((arena = arena_new(LIMIT_ARENA)) == NULL)
		return err_set(a->e, ERR_NOMEM, "out of memory");
	r = compare_as(a, role, old, new, arena);
	arena_free(arena);
	return r == 1 ? tell_file(a, role, old, new) : r;
}

/* Files that stand beside a lone model are read by name alone. */
static bool
of_interest(const struct around *a, const struct doc *d)
{
	return !a->lone || d->path_len == 0 || role_of(d) <= ROLE_TEMPLATE;
}

static int
compare_docs(const struct around *a)
{
	const struct docs *old = &a->side[ROW_OLD], *new = &a->side[ROW_NEW];
	size_t *to = calloc(old->n + 1, sizeof(*to));
	bool *taken = calloc(new->n + 1, sizeof(*taken));
	int r = 0;

	if (to == NULL || taken == NULL)
		r = err_set(a->e, ERR_NOMEM, "out of memory");
	else
		r = around_pair(old, new, to, a->e);
	for (size_t i = 0; i < old->n && r >= 0; i++) {
		if (to[i] != SIZE_MAX)
			taken[to[i]] = true;
		if (of_interest(a, &old->v[i]))
			r = compare(a, &old->v[i], to[i] != SIZE_MAX ?
			    &new->v[to[i]] : NULL);
	}
	for (size_t j = 0; j < new->n && r >= 0; j++)
		if (!taken[j] && of_interest(a, &new->v[j]))
			r = compare(a, NULL, &new->v[j]);
	free(to);
	free(taken);
	return r;
}

static int
compare_vocabularies(const struct around *a, struct arena *arena)
{
	const struct vocab *old = a->vocab[ROW_OLD], *new =
	    a->vocab[ROW_NEW];

	if (old == NULL && new == NULL)
		return 0;
	return around_tokenizer(old, new, new != NULL ?
	    a->vocab_path[ROW_NEW] : a->vocab_path[ROW_OLD], a->rows, arena,
	    a->e);
}

int
around_run(const struct around *a)
{
	struct arena *arena;
	int r;

	if ((arena = arena_new(LIMIT_ARENA)) == NULL)
		return err_set(a->e, ERR_NOMEM, "out of memory");
	if ((r = compare_vocabularies(a, arena)) >= 0)
		r = around_templates(a, arena);
	arena_free(arena);
	return r < 0 ? r : compare_docs(a);
}
