#include <stdio.h>
#include <string.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/limits.h"
#include "formats/reg/hfcache.h"
#include "formats/reg/hftree.h"

/*
 * A repository in the cache of huggingface_hub (manage-cache.md):
 *
 *	models--ORG--NAME/refs/REF		a commit
 *	  blobs/ETAG				the content
 *	  snapshots/COMMIT/PATH -> ../../blobs/ETAG
 *	  trees/COMMIT.json			what the Hub listed (hftree.h)
 *	  .no_exist/COMMIT/PATH			asked for, and not there
 *
 * An etag of 64 digits is the SHA-256 of the content, one of 40 the object id
 * that git gives it, so a cache can be held against what the Hub served
 * without any signature.  Who swaps a blob must break its name; who points a
 * link elsewhere must contradict the tree, where there is one; a file that
 * was planted has no entry in the tree, or is none of the links.  A file
 * that the Hub did not have (.no_exist) and that is there came from elsewhere.
 */

static bool
is_part(const char *s, size_t n)
{
	static const char *const part[] = {"refs", "blobs", "snapshots",
	    "trees", ".no_exist"};

	for (size_t i = 0; i < sizeof(part) / sizeof(*part); i++)
		if (n == strlen(part[i]) && memcmp(s, part[i], n) == 0)
			return true;
	return false;
}

size_t
hfcache_part(const struct reg_file *f, size_t at)
{
	const char *slash = memchr(f->path + at, '/', f->path_len - at);

	return slash != NULL ? (size_t)(slash - f->path) : f->path_len;
}

static bool
hf_find(const struct reg_tree *t, const struct reg_file *f, size_t *root)
{
	size_t at = 0, end, next;

	(void)t;
	while ((end = hfcache_part(f, at)) < f->path_len) {
		next = hfcache_part(f, end + 1);
		if (next < f->path_len &&
		    hf_is_folder(f->path + at, end - at) &&
		    is_part(f->path + end + 1, next - end - 1)) {
			*root = end;
			return true;
		}
		at = end + 1;
	}
	return false;
}

void
hfcache_begin(const struct hfcache *k, const struct reg_file *f,
    const char *type, struct reg_row *row)
{
	reg_row_init(k->p, f, row);
	reg_set(row, REG_TYPE, type);
	reg_set(row, k->dataset ? REG_DATASET : REG_MODEL, k->id);
}

void
hfcache_commit(struct reg_row *row, const char *commit, size_t n)
{
	fields_text(&row->v[REG_VERSION], commit, n);
	fields_text(&row->v[REG_COMMIT], commit, n);
}

/* --- refs --- */

static bool
has_commit(const struct hfcache *k, const char *commit, size_t n)
{
	char rel[LIMIT_PATH], path[LIMIT_PATH];
	size_t first, end;

	(void)snprintf(rel, sizeof(rel), "trees/%.*s.json", (int)n, commit);
	if (reg_at(k->p, rel) != NULL)
		return true;
	for (size_t i = 0; i < 2; i++) {
		int len = snprintf(path, sizeof(path), "%.*s%s%s/%.*s",
		    (int)k->p->root_len, k->p->root,
		    k->p->root_len > 0 ? "/" : "",
		    i == 0 ? "snapshots" : ".no_exist", (int)n, commit);

		if (len < 0 || (size_t)len >= sizeof(path))
			continue;
		reg_below(k->p->tree, path, (size_t)len, &first, &end);
		if (first < end)
			return true;
	}
	return false;
}

static int
read_ref(const struct hfcache *k, const struct reg_file *f)
{
	struct reg_row row;
	const char *text, *name;
	struct reg_fact fact;
	size_t n, len;
	int r;

	if ((r = reg_bytes(k->p, f, KIB, &text, &n)) != 0)
		return r < 0 ? r : 0;
	while (n > 0 && (text[n - 1] == '\n' || text[n - 1] == '\r'))
		n--;
	name = reg_relative(k->p, f, &len);
	hfcache_begin(k, f, "alias", &row);
	fields_text(&row.v[REG_ALIAS], name + 5, len - 5);
	hfcache_commit(&row, text, n);
	if ((r = reg_send(k->p, &row)) < 0)
		return r;
	if (!hf_is_commit(text, n)) {
		r = reg_bad(k->p, f, 0, "not a commit");
		return r < 0 ? r : 0;
	}
	if (has_commit(k, text, n))
		return 0;
	fact = (struct reg_fact){"commit", text, n};
	return reg_tell(k->p, REG_PROBLEM_MISSING, f, &fact, 1);
}

/* --- blobs --- */

/*
 * Clients before 0.18 locked a blob by an empty file beside it, and left it
 * there; later ones do so in .locks.
 */
static bool
is_lock(const struct reg_file *f)
{
	size_t n;
	const char *name = reg_name(f, &n);

	return f->type == REG_FILE && f->size == 0 && n > 5 &&
	    memcmp(name + n - 5, ".lock", 5) == 0 &&
	    hf_etag(name, n - 5) != CLAIM_NONE;
}

static int
odd_blob(const struct hfcache *k, const struct reg_file *f)
{
	bool lock = is_lock(f);
	struct reg_row row;

	if (!lock && !reg_ends(f, ".incomplete"))
		return reg_tell(k->p, REG_PROBLEM_EXTRA, f, NULL, 0);
	hfcache_begin(k, f, "event", &row);
	reg_set(&row, REG_KEY, lock ? "lock" : "incomplete-download");
	fields_text(&row.v[REG_MEMBER], f->path, f->path_len);
	fields_u64(&row.v[REG_SIZE], f->size);
	return reg_send(k->p, &row);
}

static int
read_blob(const struct hfcache *k, const struct reg_file *f,
    struct hfcache_blob *b)
{
	struct claim c = {0};
	struct reg_row row;
	int r;

	c.digest = reg_name(f, &c.digest_len);
	c.hash = b->hash = hf_etag(c.digest, c.digest_len);
	if (b->hash == CLAIM_NONE || f->type != REG_FILE)
		return f->type == REG_FOLDER ? 0 : odd_blob(k, f);
	if ((r = hf_compute(k->p, f, c.digest, c.digest_len, &b->hash,
	    b->hex)) != 0)
		return r < 0 ? r : 0;
	c.hash = b->hash;
	b->known = true;
	hfcache_begin(k, f, "artifact", &row);
	return claim_settle(k->p, f, &c, b->hex, f->size, &row);
}

/* --- what the Hub did not have --- */

static int
read_absent(const struct hfcache *k, const struct reg_file *f)
{
	struct reg_row row;
	char rel[LIMIT_PATH];
	struct reg_fact fact;
	const struct reg_file *there;
	const char *name;
	size_t n, commit;
	int r;

	name = reg_relative(k->p, f, &n);
	name += strlen(".no_exist/");
	n -= strlen(".no_exist/");
	commit = (size_t)((const char *)memchr(name, '/', n) - name);
	hfcache_begin(k, f, "event", &row);
	hfcache_commit(&row, name, commit);
	reg_set(&row, REG_KEY, "asked-for-and-absent");
	fields_text(&row.v[REG_ARTIFACT], name + commit + 1, n - commit - 1);
	if ((r = reg_send(k->p, &row)) < 0)
		return r;
	(void)snprintf(rel, sizeof(rel), "snapshots/%.*s", (int)n, name);
	if ((there = reg_at(k->p, rel)) == NULL)
		return 0;
	fact = (struct reg_fact){"absent", f->path, f->path_len};
	return reg_tell(k->p, REG_PROBLEM_DISAGREES, there, &fact, 1);
}

/* --- all of it --- */

static void
below(struct reg_parse *p, const char *part, size_t *first, size_t *end)
{
	char path[LIMIT_PATH];
	int n = snprintf(path, sizeof(path), "%.*s/%s", (int)p->root_len,
	    p->root, part);

	*first = *end = 0;
	if (n > 0 && (size_t)n < sizeof(path))
		reg_below(p->tree, path, (size_t)n, first, end);
}

static int
each(const struct hfcache *k, const char *part,
    int (*what)(const struct hfcache *k, const struct reg_file *f))
{
	size_t first, end;
	int r = 0;

	below(k->p, part, &first, &end);
	for (size_t i = first; i < end && r >= 0; i++) {
		const struct reg_file *f = &k->p->tree->file[i];
		size_t skip = k->p->root_len + strlen(part) + 2;

		if (f->type == REG_FOLDER || (part[0] == '.' &&
		    memchr(f->path + skip, '/', f->path_len - skip) == NULL))
			continue;
		r = what(k, f);
	}
	return r;
}

static int
hf_read(struct reg_parse *p)
{
	struct reg_file root = {.path = p->root, .path_len = p->root_len};
	struct hfcache k = {.p = p};
	struct reg_row row;
	size_t n, first, end;
	const char *name = reg_name(&root, &n);
	int r;

	if ((k.id = hf_repository(p, name, n, &k.dataset)) == NULL)
		return err_set(p->e, ERR_NOMEM, "out of memory for a name");
	hfcache_begin(&k, NULL, k.dataset ? "dataset" : "model", &row);
	if ((r = reg_send(p, &row)) < 0 ||
	    (r = each(&k, "refs", read_ref)) < 0)
		return r;
	below(p, "blobs", &k.first, &k.end);
	k.blob = arena_array(p->arena, k.end - k.first, sizeof(*k.blob));
	if (k.blob == NULL)
		return err_set(p->e, ERR_NOMEM, "out of memory for blobs");
	for (size_t i = k.first; i < k.end && r >= 0; i++)
		r = read_blob(&k, &p->tree->file[i], &k.blob[i - k.first]);
	if (r < 0)
		return r;
	below(p, "snapshots", &first, &end);
	if ((r = hfcache_snapshots(&k, first, end)) < 0)
		return r;
	return each(&k, ".no_exist", read_absent);
}

const struct reg_reader reg_hfcache = {"hf-cache", hf_find, hf_read};
