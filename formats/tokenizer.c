#include <string.h>

#include "base/bytesrc.h"
#include "base/err.h"
#include "formats/tokenizer_parts.h"

/*
 * Which reader: each is asked in turn whether the bytes are its own, those
 * first that cannot be mistaken.  GGUF has a magic; SentencePiece, a message
 * whose first field holds a message; tiktoken, lines of base64 and a number;
 * tokenizer.json, an object with a "model".  Objects of numbers, arrays of
 * texts and lines of words may be anything, so their name must say that they
 * are a vocabulary, or the caller.
 */
static const char *
base_name(const char *name, size_t *n)
{
	const char *slash = *n > 0 ? memrchr(name, '/', *n) : NULL;

	if (slash == NULL)
		return name;
	*n -= (size_t)(slash + 1 - name);
	return slash + 1;
}

static bool
has(const char *name, size_t n, const char *word)
{
	return n > 0 && memmem(name, n, word, strlen(word)) != NULL;
}

/* Is a JSON file of this name a vocabulary if it can be one? */
static bool
names_json(const char *p, size_t n)
{
	return tokenizer_ends(p, n, ".json") && (has(p, n, "vocab") ||
	    has(p, n, "tokens") || has(p, n, "encoder"));
}

static bool
names_words(const char *p, size_t n)
{
	return tokenizer_ends(p, n, ".vocab") ||
	    (tokenizer_ends(p, n, ".txt") && has(p, n, "vocab"));
}

struct file {
	const struct bytesrc *src;
	const char *name;	/* NULL: the caller is sure */
	size_t n;
};

static int
read_hf(struct vocab_build *b, const struct file *f)
{
	return tokenizer_hf(b, f->src, f->name == NULL ||
	    names_json(f->name, f->n));
}

static int
read_gguf(struct vocab_build *b, const struct file *f)
{
	return tokenizer_gguf(b, f->src);
}

static int
read_spm(struct vocab_build *b, const struct file *f)
{
	return tokenizer_spm(b, f->src);
}

/* Other lines end in a number behind a word of these letters, too. */
static int
read_ranks(struct vocab_build *b, const struct file *f)
{
	if (f->name != NULL && !tokenizer_ends(f->name, f->n, ".tiktoken") &&
	    !tokenizer_ends(f->name, f->n, ".model"))
		return 1;
	return tokenizer_ranks(b, f->src);
}

static int
read_words(struct vocab_build *b, const struct file *f)
{
	if (f->name != NULL && !names_words(f->name, f->n))
		return 1;
	return tokenizer_words(b, f->src);
}

/* One reader after the other, each with a new ${b}. */
static int
read_any(struct vocab_build *b, const struct file *f, struct arena *a,
    struct err *e)
{
	static int (*const readers[])(struct vocab_build *,
	    const struct file *) = {read_gguf, read_spm, read_hf, read_ranks,
	    read_words};
	int r = 1;

	for (size_t i = 0; i < sizeof(readers) / sizeof(*readers) && r == 1;
	    i++) {
		tokenizer_release(b);
		if ((r = tokenizer_start(b, a, e)) == 0)
			r = readers[i](b, f);
	}
	return r;
}

int
vocab_read(const struct bytesrc *src, const char *name, size_t name_len,
    struct arena *a, const struct vocab **ret, struct err *e)
{
	struct file f = {src, name, name_len};
	struct vocab_build b;
	int r;

	memset(&b, 0, sizeof(b));
	if (name != NULL)
		f.name = base_name(name, &f.n);
	if ((r = read_any(&b, &f, a, e)) == 0)
		r = tokenizer_finish(&b, ret);
	tokenizer_release(&b);
	return r;
}

/* All that a vocabulary says, told again. */
static int
tell_again(struct vocab_build *b, const struct vocab *v)
{
	int r = 0;

	b->source = v->source;
	/* what was only judged is judged again, with merges beside it */
	b->model = strcmp(v->source, "vocab.json") == 0 ? VOCAB_OTHER :
	    v->model;
	b->scores = v->order == VOCAB_BY_SCORE;
	b->bytes = strcmp(v->source, "tiktoken") == 0;
	b->spelling = v->spelling;
	b->cut = v->cut;
	for (uint64_t i = 0; i < v->n && r >= 0; i++)
		if (v->v[i].p != NULL)
			r = tokenizer_token(b, i, &v->v[i]);
	for (uint64_t i = 0; i < v->npairs && r >= 0; i++)
		r = tokenizer_pair(b, v->pairs[i].p, v->pairs[i].left,
		    v->pairs[i].p + v->pairs[i].left, v->pairs[i].right);
	for (size_t i = 0; i < v->nroles && r >= 0; i++)
		r = tokenizer_role(b, v->roles[i].role, v->roles[i].role_len,
		    v->roles[i].p, v->roles[i].n, v->roles[i].id);
	for (size_t i = 0; i < v->nsettings && r >= 0; i++)
		r = tokenizer_setting(b, v->settings[i].key,
		    v->settings[i].key_len, v->settings[i].type,
		    v->settings[i].p, v->settings[i].n);
	return r;
}

int
vocab_merge(const struct vocab *v, const struct vocab_file *beside,
    struct arena *a, const struct vocab **ret, struct err *e)
{
	struct vocab_build b;
	size_t n = beside->path_len;
	const char *base = base_name(beside->path, &n);
	int r;

	if ((r = tokenizer_start(&b, a, e)) == 0 &&
	    (r = tell_again(&b, v)) == 0 &&
	    (r = tokenizer_beside(&b, beside->src, base, n)) == 0)
		r = tokenizer_finish(&b, ret);
	tokenizer_release(&b);
	return r;
}

/* By what a file is found, best first. */
static const char *const ranks[] = {"tokenizer.json", "tokenizer.model",
    "spiece.model", ".spm", "vocab.json", "vocab.txt", ".tiktoken", ".gguf",
    ".vocab"};
#define RANKS (sizeof(ranks) / sizeof(*ranks))

static size_t
rank_of(const struct vocab_file *f)
{
	size_t n = f->path_len, i;
	const char *p = base_name(f->path, &n);

	for (i = 0; i < RANKS; i++)
		if (ranks[i][0] == '.' ? tokenizer_ends(p, n, ranks[i]) :
		    tokenizer_is(p, n, ranks[i]))
			break;
	return i;
}

static size_t
slashes(const struct vocab_file *f)
{
	size_t n = 0;

	for (size_t i = 0; i < f->path_len; i++)
		n += f->path[i] == '/';
	return n;
}

/* Does x come before y? */
static bool
is_before(const struct vocab_file *x, const struct vocab_file *y)
{
	if (slashes(x) != slashes(y))
		return slashes(x) < slashes(y);
	if (rank_of(x) != rank_of(y))
		return rank_of(x) < rank_of(y);
	return tokenizer_order(x->path, x->path_len, y->path, y->path_len) < 0;
}

/* The best behind ${last} (NULL: of all), or n. */
static size_t
next_best(const struct vocab_file *v, size_t n, const struct vocab_file *last)
{
	size_t best = n;

	for (size_t i = 0; i < n; i++)
		if (rank_of(&v[i]) < RANKS &&
		    (last == NULL || is_before(last, &v[i])) &&
		    (best == n || is_before(&v[i], &v[best])))
			best = i;
	return best;
}

static int
merge_all(struct vocab_build *b, const struct vocab_file *v, size_t n,
    const struct vocab_file *of)
{
	static const char *const names[] = {"merges.txt", "added_tokens.json",
	    "special_tokens_map.json", "tokenizer_config.json"};
	size_t base_len = of->path_len, folder, len;
	int r = 0;

	(void)base_name(of->path, &base_len);
	folder = of->path_len - base_len;
	for (size_t k = 0; k < sizeof(names) / sizeof(*names); k++) {
		len = strlen(names[k]);
		for (size_t i = 0; i < n && r >= 0; i++)
			if (v[i].path_len == folder + len &&
			    (folder == 0 || memcmp(v[i].path, of->path,
			    folder) == 0) &&
			    memcmp(v[i].path + folder, names[k], len) == 0)
				r = tokenizer_beside(b, v[i].src, names[k],
				    len);
	}
	return r < 0 ? r : 0;
}

int
vocab_find_in(const struct vocab_file *v, size_t n, struct arena *a,
    const struct vocab **ret, size_t *which, struct err *e)
{
	const struct vocab_file *last = NULL;
	struct vocab_build b;
	struct file f;
	size_t at = n;
	int r = 1;

	memset(&b, 0, sizeof(b));
	while (r == 1 && (at = next_best(v, n, last)) < n) {
		last = &v[at];
		f = (struct file){last->src, last->path, last->path_len};
		f.name = base_name(f.name, &f.n);
		r = read_any(&b, &f, a, e);
	}
	if (r == 0 && (r = merge_all(&b, v, n, last)) == 0 &&
	    (r = tokenizer_finish(&b, ret)) == 0)
		*which = at;
	tokenizer_release(&b);
	return r;
}
