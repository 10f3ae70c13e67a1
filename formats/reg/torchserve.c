#include <string.h>

#include "base/arena.h"
#include "base/bytesrc.h"
#include "base/err.h"
#include "base/limits.h"
#include "formats/doc.h"
#include "formats/format.h"
#include "formats/reg/regdoc.h"
#include "formats/registry.h"

/*
 * A model store of TorchServe: archives (.mar, a zip) and the snapshots that
 * say which of them are loaded.
 *
 *	MODEL.mar: MAR-INF/MANIFEST.json {createdOn, runtime, model{modelName,
 *	    modelVersion, handler, modelFile, serializedFile, extraFiles,
 *	    requirementsFile}}, the handler, the weights
 *	TIME-snapshot.cfg: model_snapshot={"models": {NAME: {VERSION: {marName}}}}
 *
 * There is no digest.  The handler is code that the server runs; a manifest
 * may name a file that the archive does not hold, and files that it does not
 * name are in the archive all the same.
 */
#define MANIFEST "MAR-INF/MANIFEST.json"
#define MEMBERS_MAX 4096

struct member {
	const char *name;
	size_t n;
	uint64_t size;
	bool named;
};

struct mar {
	struct reg_parse *p;
	const struct reg_file *f;
	struct member member[MEMBERS_MAX];
	size_t members;
	const char *manifest;
	size_t manifest_len;
};

static bool
serve_find(const struct reg_tree *t, const struct reg_file *f, size_t *root)
{
	size_t n;

	(void)t;
	(void)reg_name(f, &n);
	if (f->type == REG_FOLDER || !(reg_ends(f, ".mar") ||
	    reg_ends(f, "-snapshot.cfg")) || n == 4)
		return false;
	*root = f->path_len - n;
	*root -= *root > 0;
	return true;
}

/* --- an archive --- */

static int
on_member(void *ctx, const struct ev_member *m)
{
	struct mar *a = ctx;
	struct reg_parse *p = a->p;
	struct member *at = &a->member[a->members];
	char *copy;
	int r;

	if (a->members == MEMBERS_MAX)
		return 0;
	if ((at->name = arena_dup(p->arena, m->name, m->name_len)) == NULL)
		return ERR_NOMEM;
	at->n = m->name_len;
	at->size = m->size;
	at->named = false;
	a->members++;
	if (at->n != strlen(MANIFEST) || memcmp(at->name, MANIFEST,
	    at->n) != 0 || m->src == NULL || bytesrc_size(m->src) > MIB)
		return 0;
	a->manifest_len = (size_t)bytesrc_size(m->src);
	if ((copy = arena_alloc(p->arena, a->manifest_len + 1)) == NULL)
		return ERR_NOMEM;
	r = bytesrc_read(m->src, 0, copy, a->manifest_len, p->e);
	a->manifest = copy;
	return r;
}

static int
list_members(struct mar *a, const struct bytesrc *src)
{
	static const struct events ev = {.member = on_member};
	const struct format *zip = registry_find("zip");
	struct parse sub = {.src = src, .size = bytesrc_size(src), .ev = &ev,
	    .ctx = a, .e = a->p->e};
	int r;

	if (zip == NULL || (sub.arena = arena_new(LIMIT_REG_ARENA)) == NULL)
		return err_set(a->p->e, ERR_NOMEM, "out of memory");
	r = zip->parse(&sub);
	arena_free(sub.arena);
	if (r == ERR_NOMEM || r == ERR_LIMIT || r == ERR_TRUNC) {
		err_reset(a->p->e);
		r = 1;
	}
	return r;
}

static struct member *
find_member(struct mar *a, const struct doc *d)
{
	size_t n;
	const char *name = doc_str(d, &n);

	for (size_t i = 0; i < a->members && name != NULL; i++)
		if (a->member[i].n == n && memcmp(a->member[i].name, name,
		    n) == 0)
			return &a->member[i];
	return NULL;
}

static void
begin(struct mar *a, const struct doc *model, const char *type,
    struct reg_row *row)
{
	reg_row_init(a->p, a->f, row);
	reg_set(row, REG_TYPE, type);
	regdoc_text(&row->v[REG_MODEL], doc_key(model, "modelName"));
	regdoc_text(&row->v[REG_VERSION], doc_key(model, "modelVersion"));
}

/* A file that the manifest names; one that is run is told. */
static int
read_part(struct mar *a, const struct doc *model, const char *key,
    const char *reason)
{
	const struct doc *d = doc_key(model, key);
	struct reg_fact fact[2] = {{"reason", NULL, 0}, {"named", NULL, 0}};
	struct member *m;
	struct reg_row row;
	bool plain;
	int r;

	if ((fact[1].p = doc_str(d, &fact[1].n)) == NULL)
		return 0;
	/* A handler may be one that the server brings, or "file:function". */
	plain = memchr(fact[1].p, '.', fact[1].n) != NULL;
	m = find_member(a, d);
	begin(a, model, "artifact", &row);
	reg_set(&row, REG_KEY, key);
	fields_text(&row.v[REG_ARTIFACT], fact[1].p, fact[1].n);
	if (m != NULL) {
		m->named = true;
		fields_u64(&row.v[REG_SIZE], m->size);
	}
	if ((r = reg_send(a->p, &row)) < 0)
		return r;
	if (m == NULL)
		return plain ? reg_tell(a->p, REG_PROBLEM_MISSING, a->f,
		    &fact[1], 1) : 0;
	if (reason == NULL)
		return 0;
	fact[0].p = reason;
	fact[0].n = strlen(reason);
	return reg_tell(a->p, REG_PROBLEM_CODE, a->f, fact, 2);
}

static bool
ends(const struct member *m, const char *tail)
{
	size_t n = strlen(tail);

	return m->n >= n && memcmp(m->name + m->n - n, tail, n) == 0;
}

/* Python beside the handler is imported by name. */
static int
read_rest(struct mar *a)
{
	int r = 0;

	for (size_t i = 0; i < a->members && r >= 0; i++) {
		const struct member *m = &a->member[i];
		const struct reg_fact fact[2] = {{"reason",
		    "the archive brings it", 21}, {"named", m->name, m->n}};

		if (!m->named && (ends(m, ".py") || ends(m, ".so") ||
		    ends(m, ".pyc")))
			r = reg_tell(a->p, REG_PROBLEM_CODE, a->f, fact, 2);
	}
	return r;
}

static int
read_manifest(struct mar *a)
{
	const struct doc *d = NULL, *model;
	struct reg_row row;
	int r;

	if ((r = regdoc_json_text(a->p, a->f, a->manifest, a->manifest_len,
	    &d)) != 0)
		return r < 0 ? r : 0;
	model = doc_key(d, "model");
	begin(a, model, "model", &row);
	/* "20/10/2020 09:56:42" in the zone of whoever made it. */
	regdoc_text(&row.v[REG_VALUE], doc_key(d, "createdOn"));
	if (row.v[REG_VALUE].set)
		reg_set(&row, REG_KEY, "createdOn");
	fields_text(&row.v[REG_MEMBER], a->f->path, a->f->path_len);
	fields_u64(&row.v[REG_SIZE], a->f->size);
	if ((r = reg_send(a->p, &row)) < 0 ||
	    (r = read_part(a, model, "handler",
	    "the server runs the handler")) < 0 ||
	    (r = read_part(a, model, "modelFile",
	    "the handler imports it")) < 0 ||
	    (r = read_part(a, model, "requirementsFile",
	    "the server installs what it names")) < 0 ||
	    (r = read_part(a, model, "serializedFile", NULL)) < 0 ||
	    (r = read_part(a, model, "configFile", NULL)) < 0)
		return r;
	return read_rest(a);
}

static int
read_archive(struct reg_parse *p, const struct reg_file *f)
{
	struct bytesrc *src = NULL;
	struct mar *a;
	int r;

	if ((a = arena_alloc(p->arena, sizeof(*a))) == NULL)
		return err_set(p->e, ERR_NOMEM, "out of memory");
	a->p = p;
	a->f = f;
	if ((r = reg_open(p, f, &src)) != 0)
		return r < 0 ? r : 0;
	r = list_members(a, src);
	bytesrc_free(src);
	if (r < 0)
		return r;
	if (a->manifest == NULL) {
		r = reg_bad(p, f, 0, "no " MANIFEST " in the archive");
		return r < 0 ? r : 0;
	}
	return read_manifest(a);
}

/* --- a snapshot: which archives are loaded --- */

static int
read_models(struct reg_parse *p, const struct reg_file *f,
    const struct doc *d)
{
	int r = 0;

	for (const struct doc *m = doc_kids(doc_key(d, "models"));
	    m != NULL && r >= 0; m = m->next)
		for (const struct doc *v = doc_kids(m); v != NULL && r >= 0;
		    v = v->next) {
			struct reg_row row;
			bool yes;

			reg_row_init(p, f, &row);
			reg_set(&row, REG_TYPE, "deployment");
			fields_text(&row.v[REG_MODEL], m->key, m->key_len);
			fields_text(&row.v[REG_VERSION], v->key, v->key_len);
			regdoc_text(&row.v[REG_ARTIFACT],
			    doc_key(v, "marName"));
			if (doc_bool(doc_key(v, "defaultVersion"), &yes) &&
			    yes)
				reg_set(&row, REG_ALIAS, "default");
			r = reg_send(p, &row);
		}
	return r;
}

/* REG_NONE: others end their names so, too. */
static int
read_snapshot(struct reg_parse *p, const struct reg_file *f)
{
	static const char key[] = "model_snapshot=";
	const struct doc *d = NULL;
	const char *text, *at, *lf;
	size_t n, len;
	int r;

	if ((r = reg_bytes(p, f, MIB, &text, &n)) != 0)
		return r < 0 ? r : 0;
	if ((at = memmem(text, n, key, sizeof(key) - 1)) == NULL)
		return REG_NONE;
	at += sizeof(key) - 1;
	len = n - (size_t)(at - text);
	if ((lf = memchr(at, '\n', len)) != NULL)
		len = (size_t)(lf - at);
	r = regdoc_json_text(p, f, at, len, &d);
	return r != 0 ? (r < 0 ? r : 0) : read_models(p, f, d);
}

static int
serve_read(struct reg_parse *p)
{
	size_t first, end, n;
	bool none = true;
	int r = 0;

	reg_below(p->tree, p->root, p->root_len, &first, &end);
	for (size_t i = first; i < end && r >= 0; i++) {
		const struct reg_file *f = &p->tree->file[i];
		const char *rel = reg_relative(p, f, &n);

		if (f->type == REG_FOLDER || memchr(rel, '/', n) != NULL)
			continue;
		if (reg_ends(f, ".mar"))
			r = read_archive(p, f);
		else if (reg_ends(f, "-snapshot.cfg"))
			r = read_snapshot(p, f);
		else
			continue;
		none = none && r == REG_NONE;
	}
	return r < 0 ? r : none ? REG_NONE : 0;
}

const struct reg_reader reg_torchserve = {"torchserve", serve_find,
    serve_read};
