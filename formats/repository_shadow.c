#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/bytesrc.h"
#include "base/err.h"
#include "base/limits.h"
#include "formats/repository.h"

/*
 * Shadow weights: one model in two formats, of which one loader takes the
 * safetensors and another the pickle.  An honest conversion copies bytes, so
 * every tensor of the one has its bytes in the other.
 *
 * Pickles tell storages, not names, so tensors are matched by length and by a
 * hash of three samples.  Where the other side has no storage of that length
 * (another precision, a merged tensor) nothing is said.
 */
#define SAMPLE 4096

struct bytes {
	uint64_t len, hash;
};

struct side {
	struct repository *r;
	const struct bytesrc *src;	/* of the file at hand */
	const struct repository_file *first;
	struct bytes *have;
	size_t count, cap;
	bool failed;
};

static bool
mix(const struct bytesrc *src, uint64_t off, size_t n, uint64_t *h)
{
	uint8_t raw[SAMPLE];

	if (bytesrc_read(src, off, raw, n, NULL) < 0)
		return false;
	for (size_t i = 0; i < n; i++)
		*h = (*h ^ raw[i]) * 1099511628211ULL;
	return true;
}

/* The beginning, the middle and the end. */
static bool
hash(const struct bytesrc *src, uint64_t off, uint64_t len, uint64_t *ret)
{
	size_t n = len < SAMPLE ? (size_t)len : SAMPLE;

	*ret = 14695981039346656037ULL;
	return mix(src, off, n, ret) &&
	    mix(src, off + (len - n) / 2, n, ret) &&
	    mix(src, off + (len - n), n, ret);
}

static int
on_tensor(void *ctx, const struct ev_tensor *t)
{
	struct side *s = ctx;
	struct bytes b = {.len = t->len}, *grown;

	if (t->len == 0 || s->failed)
		return 0;
	if (s->count == LIMIT_REPOSITORY_TENSORS ||
	    !hash(t->src != NULL ? t->src : s->src, t->off, t->len,
	    &b.hash)) {
		s->failed = true;
		return 0;
	}
	if (s->count == s->cap) {
		s->cap = s->cap == 0 ? 256 : 2 * s->cap;
		if ((grown = arena_array(s->r->p->arena, s->cap,
		    sizeof(*grown))) == NULL)
			return ERR_NOMEM;
		if (s->count > 0)
			memcpy(grown, s->have, s->count * sizeof(*grown));
		s->have = grown;
	}
	s->have[s->count++] = b;
	return 0;
}

static int
compare(const void *a, const void *b)
{
	const struct bytes *x = a, *y = b;

	if (x->len != y->len)
		return x->len < y->len ? -1 : 1;
	return (x->hash > y->hash) - (x->hash < y->hash);
}

/*
 * The model that a file is of: its name without number and ending, by which
 * transformers' two names for one thing are one.
 */
static bool
stem(const struct repository_file *f, const char **p, size_t *n, bool *safe)
{
	struct repository_part part;
	size_t end;

	*safe = repository_ends(f, ".safetensors");
	if (!*safe && !repository_ends(f, ".bin") &&
	    !repository_ends(f, ".pt") && !repository_ends(f, ".pth"))
		return false;
	end = (size_t)((const char *)memrchr(f->name, '.', f->n) - f->name);
	if (repository_part(f, &part))
		end = part.stem;
	*p = f->name + f->folder;
	if (end < f->folder)
		return false;
	*n = end - f->folder;
	if (*n == 13 && memcmp(*p, "pytorch_model", 13) == 0) {
		*p += 8;
		*n = 5;
	}
	return true;
}

static bool
same_model(const struct repository_file *a, const struct repository_file *b)
{
	const char *x, *y;
	size_t n, m;
	bool safe;

	return a->folder == b->folder && memcmp(a->name, b->name,
	    a->folder) == 0 && stem(a, &x, &n, &safe) &&
	    stem(b, &y, &m, &safe) && n == m && memcmp(x, y, n) == 0;
}

static int
collect(struct side *s, const struct repository_file *f)
{
	static const struct events ev = {.tensor = on_tensor};
	struct bytesrc *src;
	int rc;

	if ((rc = repository_open(s->r, f, &src)) != 0) {
		s->failed = true;
		return rc < 0 ? rc : 0;
	}
	if (s->first == NULL)
		s->first = f;
	s->src = src;
	rc = repository_run(s->r, src, NULL, &ev, s, NULL);
	bytesrc_free(src);
	s->failed = s->failed || rc != 0;
	return rc < 0 ? rc : 0;
}

static int
judge(struct repository *r, struct side *safe, struct side *other)
{
	uint64_t compared = 0, differ = 0;
	struct fact facts[4];
	size_t k = 0;

	if (safe->count > 1)
		qsort(safe->have, safe->count, sizeof(*safe->have), compare);
	if (other->count > 1)
		qsort(other->have, other->count, sizeof(*other->have),
		    compare);
	for (size_t i = 0; i < safe->count; i++) {
		const struct bytes *b = &safe->have[i];

		while (k < other->count && compare(&other->have[k], b) < 0)
			k++;
		if (k < other->count && compare(&other->have[k], b) == 0)
			compared++;
		else if ((k < other->count && other->have[k].len == b->len) ||
		    (k > 0 && other->have[k - 1].len == b->len))
			differ++;
	}
	facts[0] = (struct fact)FACT_TEXT("other", other->first->name,
	    other->first->n);
	facts[1] = (struct fact)FACT_NUM("same", compared);
	facts[2] = (struct fact)FACT_NUM("different", differ);
	facts[3] = (struct fact)FACT_NUM("tensors", safe->count);
	return repository_tell(r, differ > 0 ? ANOMALY_REPO_SHADOW_DIFFERS :
	    ANOMALY_REPO_SHADOW, safe->first, facts, 4);
}

/* All files of the model that ${f} is the first of. */
static int
check_model(struct repository *r, const struct repository_file *f)
{
	struct side safe = {.r = r}, other = {.r = r};
	const char *p;
	size_t n;
	bool is_safe;
	int rc = 0;

	for (size_t i = 0; i < r->files && rc >= 0; i++) {
		const struct repository_file *g = &r->file[i];

		if (same_model(f, g) && stem(g, &p, &n, &is_safe))
			rc = collect(is_safe ? &safe : &other, g);
	}
	if (rc < 0 || safe.first == NULL || other.first == NULL)
		return rc;
	if (safe.failed || other.failed) {
		r->full = true;
		return 0;
	}
	return judge(r, &safe, &other);
}

/* Is there a safetensors file, and another, of this model? */
static bool
has_both(const struct repository *r, const struct repository_file *f)
{
	bool safe = false, other = false, is_safe;
	const char *p;
	size_t n;

	for (size_t i = 0; i < r->files; i++)
		if (same_model(f, &r->file[i]) && stem(&r->file[i], &p, &n,
		    &is_safe)) {
			safe = safe || is_safe;
			other = other || !is_safe;
		}
	return safe && other;
}

int
repository_shadow(struct repository *r)
{
	const char *p;
	bool safe;
	size_t n;
	int rc = 0;

	for (size_t i = 0; i < r->files && rc >= 0; i++) {
		size_t k = 0;

		if (!stem(&r->file[i], &p, &n, &safe))
			continue;
		/* A folder of nothing but weights costs its square. */
		if (r->lookups < i) {
			r->full = true;
			return 0;
		}
		r->lookups -= i;
		while (k < i && !same_model(&r->file[k], &r->file[i]))
			k++;
		if (k < i)
			continue;
		if (has_both(r, &r->file[i]))
			rc = check_model(r, &r->file[i]);
	}
	return rc;
}
