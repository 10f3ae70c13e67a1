#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/limits.h"
#include "formats/doc.h"
#include "formats/reg/oci.h"
#include "formats/reg/regdoc.h"

/*
 * Stores of OCI artifacts on disk:
 *
 *	oci-layout, index.json, blobs/sha256/<hex>	OCI layout, KitOps
 *	blobs/sha256/<hex>, manifests/sha256/<hex>, models.json	Docker
 *	blobs/sha256-<hex>, manifests/HOST/NAMESPACE/NAME/TAG	Ollama
 *
 * Every blob is held against its name, every descriptor against its blob.
 * Blobs that no manifest names are rows with a status: pulling a tag again
 * leaves them behind.
 */
#define MANIFESTS_MAX 10000

/* The hex of "sha256/<hex>" or "sha256-<hex>" at the end of a path. */
static bool
blob_name(const struct reg_file *f, size_t *at, enum claim_hash *h)
{
	static const enum claim_hash known[] = {CLAIM_SHA256, CLAIM_SHA512};

	for (unsigned i = 0; i < 2; i++) {
		size_t n = claim_digits(known[i]), from;
		const char *p;

		if (f->path_len < n + 13)
			continue;
		from = f->path_len - n - 13;
		p = f->path + from;
		if (memcmp(p, "blobs/sha", 9) != 0 || memcmp(p + 9,
		    i == 0 ? "256" : "512", 3) != 0 ||
		    (p[12] != '/' && p[12] != '-') ||
		    (from > 0 && p[-1] != '/') || !claim_is_hex(p + 13, n))
			continue;
		*at = from;
		*h = known[i];
		return true;
	}
	return false;
}

static bool
oci_find(const struct reg_tree *t, const struct reg_file *f, size_t *root)
{
	enum claim_hash h;
	size_t n, at;
	const char *name = reg_name(f, &n);

	(void)t;
	if (n == 10 && memcmp(name, "oci-layout", 10) == 0)
		at = f->path_len - n;
	else if (!blob_name(f, &at, &h))
		return false;
	*root = at - (at > 0);
	return true;
}

/* A digest is the end of a path, so a NUL is behind it. */
static int
by_digest(const void *a, const void *b)
{
	const struct oci_blob *x = a, *y = b;

	return strcmp(x->digest, y->digest);
}

struct oci_blob *
oci_blob(struct oci *k, const char *digest, size_t n)
{
	char hex[CLAIM_HEX];
	struct oci_blob key = {.digest = hex};

	if (n <= 7 || n - 7 >= sizeof(hex) || k->blobs == 0)
		return NULL;
	memcpy(hex, digest + 7, n - 7);
	hex[n - 7] = '\0';
	return bsearch(&key, k->blob, k->blobs, sizeof(key), by_digest);
}

/* --- blobs --- */

static int
odd_blob(struct oci *k, const struct reg_file *f)
{
	struct reg_row row;

	if (memmem(f->path, f->path_len, "-partial", 8) == NULL &&
	    !reg_ends(f, ".incomplete"))
		return reg_tell(k->p, REG_PROBLEM_EXTRA, f, NULL, 0);
	reg_row_init(k->p, f, &row);
	reg_set(&row, REG_TYPE, "event");
	reg_set(&row, REG_KEY, "incomplete-download");
	fields_text(&row.v[REG_MEMBER], f->path, f->path_len);
	fields_u64(&row.v[REG_SIZE], f->size);
	return reg_send(k->p, &row);
}

static int
read_blobs(struct oci *k, size_t first, size_t end)
{
	size_t at;
	int r = 0;

	k->blob = arena_array(k->p->arena, end - first, sizeof(*k->blob));
	if (k->blob == NULL)
		return err_set(k->p->e, ERR_NOMEM, "out of memory");
	for (size_t i = first; i < end && r >= 0; i++) {
		const struct reg_file *f = &k->p->tree->file[i];
		struct oci_blob *b = &k->blob[k->blobs];

		if (f->type == REG_FOLDER)
			continue;
		if (!blob_name(f, &at, &b->hash)) {
			r = odd_blob(k, f);
			continue;
		}
		k->blobs++;
		b->f = f;
		b->digest = f->path + at + 13;
		r = claim_compute(k->p, f, b->hash, b->hex);
		b->known = r == 0;
		if (!b->known)
			continue;
		struct claim c = {b->hash, b->digest, claim_digits(b->hash),
		    false, 0, f, NULL, 0};
		struct reg_row row;

		reg_row_init(k->p, f, &row);
		reg_set(&row, REG_TYPE, "artifact");
		r = claim_settle(k->p, f, &c, b->hex, f->size, &row);
	}
	if (k->blobs > 1)
		qsort(k->blob, k->blobs, sizeof(*k->blob), by_digest);
	return r < 0 ? r : 0;
}

static int
tell_unnamed(struct oci *k)
{
	int r = 0;

	for (size_t i = 0; i < k->blobs && r >= 0; i++) {
		const struct oci_blob *b = &k->blob[i];
		struct reg_row row;

		if (b->named)
			continue;
		reg_row_init(k->p, b->f, &row);
		reg_set(&row, REG_TYPE, "event");
		reg_set(&row, REG_KEY, "unreferenced-blob");
		fields_text(&row.v[REG_MEMBER], b->f->path, b->f->path_len);
		fields_u64(&row.v[REG_SIZE], b->f->size);
		r = reg_send(k->p, &row);
	}
	return r;
}

/* --- names --- */

/* index.json: manifests, each with the name that it was given. */
static int
read_index(struct oci *k, const struct reg_file *f)
{
	static const char *const names[] = {
	    "org.opencontainers.image.ref.name",
	    "io.containerd.image.name"};
	const struct doc *d = NULL;
	int r;

	if ((r = regdoc_json(k->p, f, &d)) != 0)
		return r < 0 ? r : 0;
	for (const struct doc *m = doc_kids(doc_key(d, "manifests"));
	    m != NULL && r >= 0; m = m->next) {
		const struct doc *notes = doc_key(m, "annotations");
		struct oci_name name = {0};
		struct reg_row row;

		name.model = doc_str(doc_key(notes, names[1]),
		    &name.model_len);
		name.version = doc_str(doc_key(notes, names[0]),
		    &name.version_len);
		reg_row_init(k->p, f, &row);
		reg_set(&row, REG_TYPE, "alias");
		fields_text(&row.v[REG_MODEL], name.model, name.model_len);
		fields_text(&row.v[REG_ALIAS], name.version,
		    name.version_len);
		regdoc_text(&row.v[REG_VERSION], doc_key(m, "digest"));
		if ((r = reg_send(k->p, &row)) >= 0)
			r = oci_descriptor(k, f, m, &name, 0);
	}
	return r;
}

/* models.json of Docker: ids, and the tags that they have. */
static int
read_models(struct oci *k, const struct reg_file *f)
{
	const struct doc *d = NULL;
	int r;

	if ((r = regdoc_json(k->p, f, &d)) != 0)
		return r < 0 ? r : 0;
	for (const struct doc *m = doc_kids(doc_key(d, "models"));
	    m != NULL && r >= 0; m = m->next)
		for (const struct doc *tag = doc_kids(doc_key(m, "tags"));
		    tag != NULL && r >= 0; tag = tag->next) {
			struct reg_row row;

			reg_row_init(k->p, f, &row);
			reg_set(&row, REG_TYPE, "alias");
			regdoc_text(&row.v[REG_ALIAS], tag);
			regdoc_text(&row.v[REG_VERSION], doc_key(m, "id"));
			r = reg_send(k->p, &row);
		}
	return r;
}

/*
 * A file of manifests/: Ollama's path is the name and the tag; Docker's is
 * the digest, which the bytes must have.
 */
static int
read_manifest(struct oci *k, const struct reg_file *f, size_t skip)
{
	const char *path = f->path + skip, *tag;
	size_t n = f->path_len - skip;
	struct oci_name name = {path, 0, NULL, 0};
	const struct doc *d = NULL;
	struct reg_row row;
	int r;

	tag = memrchr(path, '/', n);
	if (tag == NULL)
		return 0;
	name.model_len = (size_t)(tag - path);
	name.version = tag + 1;
	name.version_len = n - name.model_len - 1;
	reg_row_init(k->p, f, &row);
	if (name.model_len == 6 && memcmp(path, "sha256", 6) == 0) {
		struct claim c = {CLAIM_SHA256, name.version,
		    name.version_len, false, 0, f, NULL, 0};

		reg_set(&row, REG_TYPE, "artifact");
		name = (struct oci_name){0};
		r = claim_check(k->p, f, &c, &row);
	} else {
		reg_set(&row, REG_TYPE, "alias");
		fields_text(&row.v[REG_MODEL], name.model, name.model_len);
		fields_text(&row.v[REG_ALIAS], name.version,
		    name.version_len);
		r = reg_send(k->p, &row);
	}
	if (r < 0 || (r = regdoc_json(k->p, f, &d)) != 0)
		return r < 0 ? r : 0;
	return oci_manifest(k, f, d, &name, 0);
}

static void
below(struct reg_parse *p, const char *part, size_t *first, size_t *end,
    size_t *skip)
{
	char path[LIMIT_PATH];
	size_t n = 0;

	*first = *end = *skip = 0;
	if (p->root_len < sizeof(path))
		memcpy(path, p->root, n = p->root_len);
	if (!reg_join(path, &n, part, strlen(part)))
		return;
	reg_below(p->tree, path, n, first, end);
	*skip = n + 1;
}

static int
oci_read(struct reg_parse *p)
{
	struct oci k = {.p = p, .left = MANIFESTS_MAX};
	const struct reg_file *f;
	size_t first, end, skip;
	int r;

	below(p, "blobs", &first, &end, &skip);
	if ((r = read_blobs(&k, first, end)) < 0)
		return r;
	if ((f = reg_at(p, "index.json")) != NULL &&
	    (r = read_index(&k, f)) < 0)
		return r;
	if ((f = reg_at(p, "models.json")) != NULL &&
	    (r = read_models(&k, f)) < 0)
		return r;
	below(p, "manifests", &first, &end, &skip);
	for (size_t i = first; i < end && r >= 0; i++)
		if (p->tree->file[i].type != REG_FOLDER)
			r = read_manifest(&k, &p->tree->file[i], skip);
	return r < 0 ? r : tell_unnamed(&k);
}

const struct reg_reader reg_oci = {"oci", oci_find, oci_read};
