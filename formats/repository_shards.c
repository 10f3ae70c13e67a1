#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/bytesrc.h"
#include "base/err.h"
#include "base/json_read.h"
#include "base/limits.h"
#include "base/reader.h"
#include "formats/config.h"
#include "formats/repository.h"

/*
 * model.safetensors.index.json:
 *
 *	{"metadata": {"total_size": N}, "weight_map": {tensor: file, ...}}
 *
 * A loader takes tensors from the file that the map says, or all that the
 * files hold, or the files by their numbers.  So all three must agree.
 */
struct entry {
	const char *tensor, *file;
	size_t tensor_n, file_n;
};

struct index {
	struct repository *r;
	const struct repository_file *f;
	struct entry *map;
	size_t count, cap;
	uint64_t total;
	bool has_total;
};

/* Tensors as the shards hold them: entry.file is the shard's name. */
struct shard {
	struct repository *r;
	struct entry *have;
	size_t count, cap;
	const struct repository_file *f;
	uint64_t bytes;
};

static int
push(struct repository *r, struct entry **list, size_t *count, size_t *cap,
    const struct entry *e)
{
	struct entry *grown;

	if (*count == *cap) {
		*cap = *cap == 0 ? 256 : 2 * *cap;
		if ((grown = arena_array(r->p->arena, *cap,
		    sizeof(*grown))) == NULL)
			return err_set(r->p->e, ERR_NOMEM, "out of memory");
		if (*count > 0)
			memcpy(grown, *list, *count * sizeof(*grown));
		*list = grown;
	}
	(*list)[(*count)++] = *e;
	return 0;
}

static int
compare_text(const char *a, size_t an, const char *b, size_t bn)
{
	size_t n = an < bn ? an : bn;
	int c = n > 0 ? memcmp(a, b, n) : 0;

	return c != 0 ? c : (an > bn) - (an < bn);
}

static int
by_file(const void *a, const void *b)
{
	const struct entry *x = a, *y = b;
	int c = compare_text(x->file, x->file_n, y->file, y->file_n);

	return c != 0 ? c : compare_text(x->tensor, x->tensor_n, y->tensor,
	    y->tensor_n);
}

static int
by_tensor(const void *a, const void *b)
{
	const struct entry *x = a, *y = b;
	int c = compare_text(x->tensor, x->tensor_n, y->tensor, y->tensor_n);

	return c != 0 ? c : compare_text(x->file, x->file_n, y->file,
	    y->file_n);
}

static bool
key_is(const struct json_token *t, const char *word)
{
	return t->len == strlen(word) && memcmp(t->str, word, t->len) == 0;
}

/* What stands directly in "weight_map" or "metadata". */
static int
read_inner(struct index *x, struct json *j, bool map)
{
	struct json_token k, v;
	struct err *e = x->r->p->e;
	int rc;

	if ((rc = json_next(j, &k, e)) < 0)
		return rc;
	if (k.type != JSON_OBJECT)
		return json_skip(j, &k, e);
	for (;;) {
		if ((rc = json_next(j, &k, e)) < 0 ||
		    k.type == JSON_OBJECT_END ||
		    (rc = json_next(j, &v, e)) < 0)
			return rc;
		if (map && v.type == JSON_STRING) {
			const struct entry n = {k.str, v.str, k.len, v.len};

			if ((rc = push(x->r, &x->map, &x->count, &x->cap,
			    &n)) < 0)
				return rc;
		} else if (!map && v.type == JSON_NUMBER && v.is_u64 &&
		    key_is(&k, "total_size")) {
			x->total = v.u64;
			x->has_total = true;
		} else if ((rc = json_skip(j, &v, e)) < 0) {
			return rc;
		}
	}
}

static int
read_index(struct index *x, const struct bytesrc *src)
{
	struct err *e = x->r->p->e;
	struct json_token t;
	struct reader rd;
	struct json j;
	int rc;

	if ((rc = reader_init(&rd, src, 0, x->r->p->window, x->r->p->arena,
	    e)) < 0)
		return rc;
	json_open(&j, &rd, x->r->p->arena);
	if ((rc = json_next(&j, &t, e)) < 0)
		return rc;
	if (t.type != JSON_OBJECT)
		return 0;
	for (;;) {
		if ((rc = json_next(&j, &t, e)) < 0 ||
		    t.type == JSON_OBJECT_END)
			return rc;
		if (key_is(&t, "weight_map") || key_is(&t, "metadata"))
			rc = read_inner(x, &j, key_is(&t, "weight_map"));
		else
			rc = json_skip(&j, &t, e);
		if (rc < 0)
			return rc;
	}
}

static int
on_tensor(void *ctx, const struct ev_tensor *t)
{
	struct shard *s = ctx;
	struct entry n = {arena_dup(s->r->p->arena, t->name, t->name_len),
	    s->f->name, t->name_len, s->f->n};

	if (n.tensor == NULL)
		return ERR_NOMEM;
	s->bytes += t->len;
	return push(s->r, &s->have, &s->count, &s->cap, &n);
}

static int
tell_tensor(const struct index *x, const char *which, const struct entry *e)
{
	const struct fact facts[] = {FACT_TEXT("which", which, strlen(which)),
	    FACT_TEXT("tensor", e->tensor, e->tensor_n),
	    FACT_TEXT("shard", e->file, e->file_n)};

	return repository_tell(x->r, ANOMALY_REPO_INDEX_DIFFERS, x->f, facts,
	    3);
}

/* Both lists by name: what only one of them has. */
static int
compare(const struct index *x, const struct entry *map, size_t n,
    struct entry *have, size_t count)
{
	size_t i = 0, k = 0;
	int rc = 0, c;

	if (count > 1)
		qsort(have, count, sizeof(*have), by_tensor);
	while ((i < n || k < count) && rc >= 0) {
		c = i == n ? 1 : k == count ? -1 :
		    compare_text(map[i].tensor, map[i].tensor_n,
		    have[k].tensor, have[k].tensor_n);
		if (c < 0)
			rc = tell_tensor(x, "only in the index", &map[i]);
		else if (c > 0)
			rc = tell_tensor(x, "only in the shard", &have[k]);
		i += c <= 0;
		k += c >= 0;
	}
	return rc;
}

static int
missing(const struct index *x, const struct entry *e)
{
	const struct fact facts[] = {FACT_TEXT("shard", e->file, e->file_n)};

	/* A path that leaves the folder is told at the index itself. */
	if (config_path_odd(e->file, e->file_n, true))
		return 0;
	return repository_tell(x->r, ANOMALY_REPO_SHARD_MISSING, x->f, facts,
	    1);
}

/* map[0..n) all name the same shard. */
static int
check_shard(struct index *x, const struct entry *map, size_t n,
    struct shard *s, bool *whole)
{
	static const struct events ev = {.tensor = on_tensor};
	struct repository_file *f = repository_join(x->r, x->f, map->file,
	    map->file_n);
	size_t before = s->count;
	const char *format = "";
	struct bytesrc *src;
	int rc;

	if (f == NULL) {
		*whole = false;
		return missing(x, map);
	}
	f->taken = true;
	if (!repository_ends(f, ".safetensors")) {
		*whole = false;
		return 0;
	}
	if ((rc = repository_open(x->r, f, &src)) != 0) {
		*whole = false;
		return rc < 0 ? rc : 0;
	}
	s->f = f;
	rc = repository_run(x->r, src, NULL, &ev, s, &format);
	bytesrc_free(src);
	if (rc != 0 || strcmp(format, "safetensors") != 0) {
		*whole = false;
		s->count = before;
		return rc < 0 ? rc : 0;
	}
	/* NULL has no elements to add to, and nothing that stands there. */
	return compare(x, map, n, s->count > before ? s->have + before :
	    NULL, s->count - before);
}

/* A tensor in two shards: who reads files in order takes the last. */
static int
check_twice(const struct index *x, struct shard *s)
{
	int rc = 0;

	if (s->count > 1)
		qsort(s->have, s->count, sizeof(*s->have), by_tensor);
	for (size_t i = 1; i < s->count && rc >= 0; i++) {
		const struct entry *a = &s->have[i - 1], *b = &s->have[i];
		const struct fact facts[] = {
		    FACT_TEXT("tensor", b->tensor, b->tensor_n),
		    FACT_TEXT("one", a->file, a->file_n),
		    FACT_TEXT("other", b->file, b->file_n)};

		/* Twice in one shard is that file's own finding. */
		if (a->file != b->file && compare_text(a->tensor, a->tensor_n,
		    b->tensor, b->tensor_n) == 0)
			rc = repository_tell(x->r, ANOMALY_REPO_TENSOR_TWICE,
			    x->f, facts, 3);
	}
	return rc;
}

static bool
ends(const struct entry *e, const char *tail)
{
	size_t m = strlen(tail);

	return e->file_n >= m &&
	    memcmp(e->file + e->file_n - m, tail, m) == 0;
}

/* Files that are numbered as the index's shards are, but not in it. */
static int
check_unlisted(const struct index *x)
{
	struct repository_part part, other;
	struct repository_file *first = NULL;
	int rc = 0;

	for (size_t i = 0; i < x->count && first == NULL; i++)
		first = repository_join(x->r, x->f, x->map[i].file,
		    x->map[i].file_n);
	if (first == NULL || !repository_part(first, &part))
		return 0;
	for (size_t i = 0; i < x->r->files && rc >= 0; i++) {
		struct repository_file *f = &x->r->file[i];
		const struct fact facts[] = {FACT_TEXT("shard", f->name,
		    f->n)};

		if (f->taken || !repository_part(f, &other) ||
		    other.stem != part.stem || f->n - other.tail !=
		    first->n - part.tail || memcmp(f->name, first->name,
		    part.stem) != 0 || memcmp(f->name + other.tail,
		    first->name + part.tail, f->n - other.tail) != 0)
			continue;
		f->taken = true;
		rc = repository_tell(x->r, ANOMALY_REPO_SHARD_UNLISTED, x->f,
		    facts, 1);
	}
	return rc;
}

static int
check_index(struct index *x)
{
	struct shard s = {.r = x->r};
	bool whole = x->count > 0, safe = false, other = false;
	size_t from = 0;
	int rc = 0;

	if (x->count > 1)
		qsort(x->map, x->count, sizeof(*x->map), by_file);
	for (size_t i = 1; i <= x->count && rc >= 0; i++) {
		if (i < x->count && compare_text(x->map[i].file,
		    x->map[i].file_n, x->map[from].file,
		    x->map[from].file_n) == 0)
			continue;
		safe = safe || ends(&x->map[from], ".safetensors");
		other = other || !ends(&x->map[from], ".safetensors");
		rc = check_shard(x, &x->map[from], i - from, &s, &whole);
		from = i;
	}
	if (rc >= 0 && safe && other)
		rc = repository_tell(x->r, ANOMALY_REPO_MIXED, x->f, NULL, 0);
	if (rc >= 0)
		rc = check_twice(x, &s);
	if (rc >= 0)
		rc = check_unlisted(x);
	if (rc >= 0 && whole && x->has_total && x->total != s.bytes) {
		const struct fact facts[] = {FACT_NUM("stated", x->total),
		    FACT_NUM("present", s.bytes)};

		rc = repository_tell(x->r, ANOMALY_REPO_TOTAL_SIZE, x->f,
		    facts, 2);
	}
	return rc;
}

int
repository_shards(struct repository *r)
{
	struct bytesrc *src;
	int rc = 0;

	for (size_t i = 0; i < r->files && rc >= 0; i++) {
		struct index x = {.r = r, .f = &r->file[i]};

		if (!repository_ends(x.f, ".index.json"))
			continue;
		if (x.f->size > LIMIT_REPOSITORY_CONFIG) {
			r->full = true;
			continue;
		}
		if ((rc = repository_open(r, x.f, &src)) != 0) {
			rc = rc < 0 ? rc : 0;
			continue;
		}
		rc = read_index(&x, src);
		bytesrc_free(src);
		/* Malformed: by itself it is told so. */
		if (rc == ERR_FORMAT || rc == ERR_TRUNC || rc == ERR_LIMIT) {
			err_reset(r->p->e);
			rc = 0;
			continue;
		}
		if (rc >= 0)
			rc = check_index(&x);
	}
	return rc;
}

static int
tell_absent(struct repository *r, const struct repository_file *f,
    const struct repository_part *part, uint64_t first, uint64_t absent)
{
	const struct fact facts[] = {FACT_NUM("number", first),
	    FACT_NUM("of", part->of), FACT_NUM("missing", absent)};

	return repository_tell(r, ANOMALY_REPO_SHARD_MISSING, f, facts, 3);
}

/* The other numbers of this file's set: which are not there? */
static int
check_set(struct repository *r, const struct repository_file *f,
    const struct repository_part *part)
{
	uint64_t absent = 0, first = 0;
	struct repository_file *g;
	char name[8192];
	int n;

	for (uint64_t i = 1; i <= part->of; i++) {
		if (r->lookups == 0) {
			r->full = true;
			return 0;
		}
		r->lookups--;
		n = snprintf(name, sizeof(name), "%.*s-%05llu-of-%05llu%.*s",
		    (int)part->stem, f->name, (unsigned long long)i,
		    (unsigned long long)part->of, (int)(f->n - part->tail),
		    f->name + part->tail);
		g = n > 0 ? repository_find(r, name, strlen(name)) : NULL;
		if (g != NULL)
			g->taken = true;
		else if (absent++ == 0)
			first = i;
	}
	return absent == 0 ? 0 : tell_absent(r, f, part, first, absent);
}

int
repository_numbers(struct repository *r)
{
	struct repository_part part;
	int rc = 0;

	for (size_t i = 0; i < r->files && rc >= 0; i++)
		if (!r->file[i].taken && repository_part(&r->file[i], &part) &&
		    part.of > 0 && part.of < 100000)
			rc = check_set(r, &r->file[i], &part);
	return rc;
}
