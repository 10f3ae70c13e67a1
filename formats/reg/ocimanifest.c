#include <string.h>

#include "base/err.h"
#include "base/limits.h"
#include "formats/doc.h"
#include "formats/reg/oci.h"
#include "formats/reg/regdoc.h"

/*
 * Manifests (image-spec, manifest.md and descriptor.md): an index holds
 * manifests, a manifest a config and layers.  KitOps, CNCF ModelPack, Ollama
 * and Docker's model runner differ in media types alone; of their configs the
 * names of model and data sets are told.
 *
 * Layers that steer a model without being weights (Ollama's template, system
 * and params) are rows whose key is the media type, like all others.
 */
#define DEPTH_MAX 8

static bool
ends(const char *s, size_t n, const char *tail)
{
	size_t m = strlen(tail);

	return n >= m && memcmp(s + n - m, tail, m) == 0;
}

static bool
holds(const char *s, size_t n, const char *word)
{
	return s != NULL && memmem(s, n, word, strlen(word)) != NULL;
}

static bool
is_manifest(const struct doc *d)
{
	size_t n;
	const char *type = doc_str(doc_key(d, "mediaType"), &n);

	return type != NULL && (ends(type, n, "image.manifest.v1+json") ||
	    ends(type, n, "image.index.v1+json") ||
	    ends(type, n, "distribution.manifest.v2+json") ||
	    ends(type, n, "distribution.manifest.list.v2+json") ||
	    ends(type, n, "model.manifest.v1+json"));
}

static void
begin(struct oci *k, const struct reg_file *by, const char *type,
    const struct oci_name *name, struct reg_row *row)
{
	reg_row_init(k->p, by, row);
	reg_set(row, REG_TYPE, type);
	fields_text(&row->v[REG_MODEL], name->model, name->model_len);
	fields_text(&row->v[REG_VERSION], name->version, name->version_len);
}

/* --- configs --- */

static int
send_named(struct oci *k, const struct reg_file *f, const char *type,
    enum reg_column column, const struct doc *d,
    const struct oci_name *name)
{
	struct reg_row row;

	if (!doc_is(d, DOC_MAP))
		return 0;
	begin(k, f, type, name, &row);
	regdoc_text(&row.v[column], doc_key(d, "name"));
	regdoc_text(&row.v[REG_VERSION], doc_key(d, "version"));
	regdoc_text(&row.v[REG_ARTIFACT], doc_key(d, "path"));
	regdoc_text(&row.v[REG_DESCRIPTION], doc_key(d, "description"));
	return reg_send(k->p, &row);
}

/* A Kitfile as JSON, or a ModelPack config. */
static int
read_config(struct oci *k, const struct oci_blob *b, const char *type,
    size_t n, const struct oci_name *name)
{
	const struct doc *d = NULL;
	int r;

	if (!holds(type, n, "modelkit.config") && !holds(type, n,
	    "cncf.model.config"))
		return 0;
	if ((r = regdoc_json(k->p, b->f, &d)) != 0)
		return r < 0 ? r : 0;
	if ((r = send_named(k, b->f, "model", REG_MODEL,
	    doc_key(d, "package"), name)) < 0 ||
	    (r = send_named(k, b->f, "model", REG_MODEL, doc_key(d, "model"),
	    name)) < 0 || (r = send_named(k, b->f, "model", REG_MODEL,
	    doc_key(d, "descriptor"), name)) < 0)
		return r;
	for (const struct doc *s = doc_kids(doc_key(d, "datasets"));
	    s != NULL && r >= 0; s = s->next)
		r = send_named(k, b->f, "dataset", REG_DATASET, s, name);
	return r;
}

/* --- descriptors --- */

static int
hold_blob(struct oci *k, const struct oci_blob *b, const struct claim *c,
    struct reg_row *row)
{
	fields_text(&row->v[REG_MEMBER], b->f->path, b->f->path_len);
	reg_set(row, REG_ALGORITHM, claim_name(b->hash));
	fields_text(&row->v[REG_DIGEST], c->digest, c->digest_len);
	if (c->sized)
		fields_u64(&row->v[REG_SIZE], c->size);
	if (b->known) {
		reg_set(row, REG_RECOMPUTED, b->hex);
		fields_bool(&row->v[REG_AGREES], strcmp(b->hex,
		    b->digest) == 0 && (!c->sized ||
		    c->size == b->f->size));
	}
	if (!c->sized || c->size == b->f->size)
		return reg_send(k->p, row);
	/* The digest has been held against the name: the size alone. */
	struct claim size = *c;

	size.hash = CLAIM_NONE;
	return claim_check(k->p, b->f, &size, row);
}

/* "sha256:<hex>": what is behind the colon. */
static bool
split(const struct doc *d, struct claim *c)
{
	const char *colon;

	c->digest = doc_str(d, &c->digest_len);
	if (c->digest == NULL ||
	    (colon = memchr(c->digest, ':', c->digest_len)) == NULL)
		return false;
	c->name = c->digest;
	c->name_len = c->digest_len;
	if (colon - c->digest == 6 && memcmp(c->digest, "sha256", 6) == 0)
		c->hash = CLAIM_SHA256;
	else if (colon - c->digest == 6 && memcmp(c->digest, "sha512", 6) == 0)
		c->hash = CLAIM_SHA512;
	else
		return false;
	c->digest_len -= 7;
	c->digest += 7;
	return c->digest_len == claim_digits(c->hash) &&
	    claim_is_hex(c->digest, c->digest_len);
}

int
oci_descriptor(struct oci *k, const struct reg_file *by,
    const struct doc *d, const struct oci_name *name, unsigned depth)
{
	struct claim c = {.by = by};
	const struct doc *inner = NULL;
	struct oci_blob *b;
	struct reg_row row;
	const char *type;
	size_t n;
	int r;

	if (!split(doc_key(d, "digest"), &c)) {
		r = reg_bad(k->p, by, d != NULL ? d->off : 0,
		    "no digest in a descriptor");
		return r < 0 ? r : 0;
	}
	c.sized = doc_u64(doc_key(d, "size"), &c.size);
	type = doc_str(doc_key(d, "mediaType"), &n);
	begin(k, by, "artifact", name, &row);
	reg_set(&row, REG_KEY, "mediaType");
	fields_text(&row.v[REG_VALUE], type, n);
	regdoc_text(&row.v[REG_ARTIFACT], doc_key(doc_key(d, "annotations"),
	    "org.opencontainers.image.title"));
	if ((b = oci_blob(k, c.name, c.name_len)) == NULL)
		return claim_check(k->p, NULL, &c, &row);
	b->named = true;
	if ((r = hold_blob(k, b, &c, &row)) < 0)
		return r;
	if (!is_manifest(d))
		return read_config(k, b, type, n, name);
	if ((r = regdoc_json(k->p, b->f, &inner)) != 0)
		return r < 0 ? r : 0;
	return oci_manifest(k, b->f, inner, name, depth + 1);
}

static int
each(struct oci *k, const struct reg_file *by, const struct doc *list,
    const struct oci_name *name, unsigned depth)
{
	int r = 0;

	for (const struct doc *d = doc_kids(list); d != NULL && r >= 0;
	    d = d->next)
		r = oci_descriptor(k, by, d, name, depth);
	return r;
}

int
oci_manifest(struct oci *k, const struct reg_file *by, const struct doc *d,
    const struct oci_name *name, unsigned depth)
{
	const struct reg_fact why = {"limit", "manifests", 9};
	const struct doc *config = doc_key(d, "config");
	int r = 0;

	if (depth > DEPTH_MAX || k->left == 0)
		return reg_tell(k->p, REG_PROBLEM_UNREAD, by, &why, 1);
	k->left--;
	if (config != NULL)
		r = oci_descriptor(k, by, config, name, depth);
	if (r >= 0)
		r = each(k, by, doc_key(d, "layers"), name, depth);
	/* An index; that of the store itself has names of its own. */
	return r < 0 ? r : each(k, by, doc_key(d, "manifests"), name, depth);
}
