#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/bytesrc.h"
#include "base/err.h"
#include "base/limits.h"
#include "base/reader.h"
#include "base/text.h"
#include "formats/registry.h"
#include "formats/repository.h"

/*
 * The object is a list that the parent of the scan has made:
 *
 *	<size, decimal> SP <name relative to the folder> NUL
 *
 * one record for each file, by name (as bytes).  It comes from our own side
 * of the fence, and is read as if it did not: names choose which siblings
 * are asked for, and the parent judges those by itself again.
 *
 * Each check tells what two readers of the folder would see differently:
 * an index and its shards, two formats of one model, two copies of a chat
 * template; which code in the folder would run; what is not there.
 */
#define NAME_MAX_LEN 4096

struct repository_file *
repository_find(struct repository *r, const char *name, size_t n)
{
	size_t lo = 0, hi = r->files;

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;
		struct repository_file *f = &r->file[mid];
		size_t least = f->n < n ? f->n : n;
		int c = least > 0 ? memcmp(f->name, name, least) : 0;

		if (c == 0)
			c = (f->n > n) - (f->n < n);
		if (c == 0)
			return f;
		if (c < 0)
			lo = mid + 1;
		else
			hi = mid;
	}
	return NULL;
}

struct repository_file *
repository_join(struct repository *r, const struct repository_file *beside,
    const char *name, size_t n)
{
	char full[2 * NAME_MAX_LEN];

	if (n > NAME_MAX_LEN || beside->folder > NAME_MAX_LEN)
		return NULL;
	memcpy(full, beside->name, beside->folder);
	memcpy(full + beside->folder, name, n);
	return repository_find(r, full, beside->folder + n);
}

bool
repository_ends(const struct repository_file *f, const char *tail)
{
	size_t m = strlen(tail);

	return f->n >= m && memcmp(f->name + f->n - m, tail, m) == 0;
}

bool
repository_is(const struct repository_file *f, const char *name)
{
	return f->n - f->folder == strlen(name) && repository_ends(f, name);
}

int
repository_open(struct repository *r, const struct repository_file *f,
    struct bytesrc **ret)
{
	int s = format_sibling(r->p, f->name, f->n, ret);

	if (s == SIBLING_OPEN || s < 0)
		return s < 0 ? s : 0;
	r->full = true;
	return 1;
}

int
repository_run(struct repository *r, const struct bytesrc *src,
    const char *name, const struct events *ev, void *ctx,
    const char **format)
{
	struct bid bids[8];
	struct parse sub = {.src = src, .size = bytesrc_size(src), .ev = ev,
	    .ctx = ctx, .e = r->p->e, .window = r->p->window,
	    .depth = r->p->depth + 1};
	const struct format *f = name != NULL ? registry_find(name) : NULL;
	uint8_t head[FORMAT_HEAD];
	struct cursor c, none;
	size_t n;
	int rc;

	if ((rc = bytesrc_read_some(src, 0, head, sizeof(head), &n,
	    r->p->e)) < 0)
		return rc;
	cursor_init(&c, head, n, 0);
	cursor_init(&none, head, 0, 0);
	if (name == NULL && registry_bids(c, none, sub.size, bids, 8) > 0)
		f = bids[0].format;
	if (f == NULL)
		return 1;
	if (format != NULL)
		*format = f->name;
	if ((sub.arena = arena_new(LIMIT_ARENA / 2)) == NULL)
		return err_set(r->p->e, ERR_NOMEM, "out of memory");
	rc = f->parse(&sub);
	arena_free(sub.arena);
	/* A file that does not fit, or has shrunk: by itself it is told so. */
	if (rc == ERR_NOMEM || rc == ERR_LIMIT || rc == ERR_TRUNC ||
	    rc == ERR_STOP) {
		err_reset(r->p->e);
		r->full = r->full || rc != ERR_STOP;
		rc = 1;
	}
	return rc;
}

int
repository_tell(struct repository *r, enum anomaly id,
    const struct repository_file *f, const struct fact *more, unsigned n)
{
	struct fact facts[FACT_MAX];

	facts[0] = (struct fact)FACT_TEXT("file", f->name, f->n);
	for (unsigned i = 0; i < n; i++)
		facts[1 + i] = more[i];
	return format_anomaly(r->p, id, f->off, 0, facts, 1 + n);
}

bool
repository_part(const struct repository_file *f, struct repository_part *ret)
{
	const char *of = f->n > 0 ? memmem(f->name + f->folder,
	    f->n - f->folder, "-of-", 4) : NULL;
	size_t at, end, from;

	if (of == NULL)
		return false;
	at = from = (size_t)(of - f->name);
	while (at > f->folder && f->name[at - 1] >= '0' &&
	    f->name[at - 1] <= '9' && from - at < 9)
		at--;
	end = from + 4;
	while (end < f->n && f->name[end] >= '0' && f->name[end] <= '9' &&
	    end - from < 13)
		end++;
	if (from - at != 5 || end - from != 9 || at == f->folder ||
	    f->name[at - 1] != '-')
		return false;
	ret->stem = at - 1;
	ret->tail = end;
	return text_u64(f->name + at, from - at, 10, UINT32_MAX,
	    &ret->number) && text_u64(f->name + from + 4, end - from - 4, 10,
	    UINT32_MAX, &ret->of);
}

/* One record of the list. */
static int
take_record(struct repository *r, struct reader *rd, size_t *cap)
{
	struct repository_file f = {.off = reader_tell(rd)}, *grown;
	const uint8_t *text;
	const char *slash;
	size_t n;
	int rc;

	if ((rc = reader_line(rd, ' ', 20, r->p->arena, &text, &n,
	    r->p->e)) < 0)
		return rc;
	if (!text_u64((const char *)text, n, 10, UINT64_MAX, &f.size))
		return ERR_FORMAT;
	if ((rc = reader_line(rd, '\0', NAME_MAX_LEN, r->p->arena, &text, &n,
	    r->p->e)) < 0)
		return rc;
	f.name = (const char *)text;
	f.n = n;
	if (n == 0 || (r->files > 0 &&
	    strcmp(r->file[r->files - 1].name, f.name) >= 0))
		return ERR_FORMAT;
	slash = memrchr(f.name, '/', n);
	f.folder = slash != NULL ? (size_t)(slash - f.name) + 1 : 0;
	if (r->files == *cap) {
		*cap = *cap == 0 ? 256 : 2 * *cap;
		if ((grown = arena_array(r->p->arena, *cap,
		    sizeof(*grown))) == NULL)
			return err_set(r->p->e, ERR_NOMEM, "out of memory");
		if (r->files > 0)
			memcpy(grown, r->file, r->files * sizeof(*grown));
		r->file = grown;
	}
	r->file[r->files++] = f;
	return 0;
}

static int
take_list(struct repository *r)
{
	struct reader rd;
	size_t cap = 0;
	int rc;

	if ((rc = reader_init(&rd, r->p->src, 0, r->p->window, r->p->arena,
	    r->p->e)) < 0)
		return rc;
	while (reader_left(&rd) > 0 && rc >= 0) {
		if (r->files == LIMIT_REPOSITORY_FILES) {
			r->full = true;
			return 0;
		}
		rc = take_record(r, &rd, &cap);
	}
	if (rc != ERR_FORMAT && rc != ERR_TRUNC && rc != ERR_LIMIT)
		return rc;
	err_reset(r->p->e);
	rc = format_anomaly(r->p, ANOMALY_MALFORMED, reader_tell(&rd), 0,
	    NULL, 0);
	return rc < 0 ? rc : 1;
}

static bool
is_weights(const struct repository_file *f)
{
	static const char *const tails[] = {".safetensors", ".bin", ".pt",
	    ".pth", ".ckpt", ".gguf", ".onnx", ".h5", ".keras", ".msgpack",
	    ".npz", ".tflite", ".pkl", ".joblib", NULL};

	for (const char *const *t = tails; *t != NULL; t++)
		if (repository_ends(f, *t))
			return true;
	return false;
}

/* Weights whose place is held by a pointer of Git LFS. */
static int
check_pointers(struct repository *r)
{
	static const char word[] = "version https://git-lfs.github.com/spec/";
	uint8_t head[sizeof(word) - 1];
	struct bytesrc *src;
	int rc = 0;

	for (size_t i = 0; i < r->files && rc >= 0; i++) {
		const struct repository_file *f = &r->file[i];
		bool pointer;

		if (f->size < sizeof(head) || f->size >= 1024 ||
		    !is_weights(f))
			continue;
		if ((rc = repository_open(r, f, &src)) != 0) {
			rc = rc < 0 ? rc : 0;
			continue;
		}
		pointer = bytesrc_read(src, 0, head, sizeof(head), NULL) == 0 &&
		    memcmp(head, word, sizeof(head)) == 0;
		bytesrc_free(src);
		if (pointer)
			rc = repository_tell(r, ANOMALY_REPO_POINTER, f, NULL,
			    0);
	}
	return rc;
}

static int
repository_parse(struct parse *p)
{
	struct repository r = {.p = p, .lookups = LIMIT_REPOSITORY_LOOKUPS};
	int rc;

	if ((rc = take_list(&r)) != 0 || (rc = check_pointers(&r)) < 0 ||
	    (rc = repository_shards(&r)) < 0 ||
	    (rc = repository_numbers(&r)) < 0 ||
	    (rc = repository_code(&r)) < 0 ||
	    (rc = repository_shadow(&r)) < 0 || !r.full)
		return rc;
	rc = format_anomaly(p, ANOMALY_LIMIT, 0, 0, NULL, 0);
	return rc < 0 ? rc : 0;
}

static unsigned
repository_bid(struct cursor head, uint64_t size)
{
	(void)head;
	(void)size;
	return 0;	/* the parent says that it is one */
}

const struct format format_repository = {
    .name = "repository",
    .kind = FORMAT_CONTAINER,
    .bid = repository_bid,
    .parse = repository_parse,
};
