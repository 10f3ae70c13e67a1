#include <string.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/limits.h"
#include "formats/reg/regdict.h"
#include "formats/reg/regdoc.h"

/*
 * Answers of the Kubeflow Model Registry's REST interface (v1alpha3), as
 * files of JSON: a list {"items": [...], "nextPageToken": ...}, or one object.
 * What an object is follows from its keys:
 *
 *	InferenceService  servingEnvironmentId and registeredModelId
 *	ModelVersion	  registeredModelId
 *	artifact	  artifactType, uri or modelFormatName; a data set when
 *			  its type says so
 *	RegisteredModel	  any other with a name
 *
 * The registry has no field for a digest; who cares puts one into
 * customProperties, and one that is named as an algorithm becomes DIGEST.
 * Names of models come from other files of the same folder; where there is
 * none its id stands for it.
 */
struct kubeflow {
	struct mlflow m;	/* for artifacts' places */
	struct reg_parse *p;
	const struct reg_file *f;
	struct regdict models;		/* id: name */
	struct regdict versions;	/* id: name, model's id */
	bool collecting;
};

static const char marker[] = "\"createTimeSinceEpoch\"";
static const char other_marker[] = "\"registeredModelId\"";

static bool
is_answer(const struct reg_tree *t, const struct reg_file *f)
{
	char head[4096];
	size_t got;

	if (f->type != REG_FILE || f->absent || !reg_ends(f, ".json"))
		return false;
	return !reg_peek(t, f, head, sizeof(head), &got) ||
	    memmem(head, got, marker, strlen(marker)) != NULL ||
	    memmem(head, got, other_marker, strlen(other_marker)) != NULL;
}

/* Names as its interface and its tools give them; then the content. */
static bool
kubeflow_find(const struct reg_tree *t, const struct reg_file *f,
    size_t *root)
{
	static const char *const words[] = {"kubeflow", "model_registry",
	    "model-registry", "registered_models", "model_versions",
	    "model_artifacts", "inference_services", "artifacts.json",
	    "versions.json"};
	bool named = false;
	size_t n;

	if (!reg_ends(f, ".json"))
		return false;
	for (size_t i = 0; i < sizeof(words) / sizeof(*words); i++)
		named |= memmem(f->path, f->path_len, words[i],
		    strlen(words[i])) != NULL;
	(void)reg_name(f, &n);
	*root = f->path_len > n ? f->path_len - n - 1 : 0;
	return named && is_answer(t, f);
}

/* --- objects --- */

static struct mlflow_text
of(const struct doc *d, const char *key)
{
	return mlflow_doc(doc_key(d, key));
}

static void
begin(struct kubeflow *k, struct reg_row *row, const char *type,
    const struct doc *d)
{
	reg_row_init(k->p, k->f, row);
	reg_set(row, REG_TYPE, type);
	regdoc_text(&row->v[REG_STAGE], doc_key(d, "state"));
	regdoc_text(&row->v[REG_DESCRIPTION], doc_key(d, "description"));
	regdoc_ms(&row->v[REG_CREATED], doc_key(d, "createTimeSinceEpoch"));
	regdoc_ms(&row->v[REG_UPDATED], doc_key(d,
	    "lastUpdateTimeSinceEpoch"));
	if (of(d, "id").n > 0) {
		reg_set(row, REG_KEY, "id");
		mlflow_set(row, REG_VALUE, of(d, "id"));
	}
}

/* MODEL and VERSION by their ids, as names where they are known. */
static void
set_names(struct kubeflow *k, struct reg_row *row, struct mlflow_text model,
    struct mlflow_text version)
{
	const struct regdict_pair *v = version.n > 0 ?
	    regdict_get(&k->versions, version) : NULL, *m;

	if (v != NULL && model.n == 0)
		model = v->more;
	m = model.n > 0 ? regdict_get(&k->models, model) : NULL;
	mlflow_set(row, REG_MODEL, m != NULL ? m->value : model);
	mlflow_set(row, REG_VERSION, v != NULL ? v->value : version);
}

/* {"sha256": {"metadataType": ..., "string_value": ...}} as tags. */
static int
send_properties(struct kubeflow *k, const struct doc *d,
    const struct reg_row *like)
{
	const struct doc *list = doc_key(d, "customProperties");
	int r = 0;

	for (const struct doc *p = doc_kids(list); p != NULL && r >= 0;
	    p = p->next) {
		struct reg_row row;

		reg_row_init(k->p, k->f, &row);
		reg_set(&row, REG_TYPE, "tag");
		row.v[REG_MODEL] = like->v[REG_MODEL];
		row.v[REG_VERSION] = like->v[REG_VERSION];
		mlflow_set(&row, REG_KEY, (struct mlflow_text){p->key,
		    p->key_len});
		for (const struct doc *v = doc_kids(p); v != NULL;
		    v = v->next)
			if (v->key_len > 6 && memcmp(v->key + v->key_len - 6,
			    "_value", 6) == 0)
				regdoc_text(&row.v[REG_VALUE], v);
		r = reg_send(k->p, &row);
	}
	return r;
}

static void
set_digest(struct reg_row *row, const struct doc *d)
{
	static const char *const names[] = {"sha256", "sha512", "sha1",
	    "md5"};
	const struct doc *list = doc_key(d, "customProperties");

	for (size_t i = 0; i < 4; i++) {
		const struct doc *v = doc_key(doc_key(list, names[i]),
		    "string_value");

		if (mlflow_doc(v).n == 0)
			continue;
		reg_set(row, REG_ALGORITHM, names[i]);
		regdoc_text(&row->v[REG_DIGEST], v);
		return;
	}
}

static int
send_service(struct kubeflow *k, const struct doc *d)
{
	struct reg_row row;
	int r;

	begin(k, &row, "deployment", d);
	set_names(k, &row, of(d, "registeredModelId"),
	    of(d, "modelVersionId"));
	regdoc_text(&row.v[REG_ALIAS], doc_key(d, "name"));
	regdoc_text(&row.v[REG_STAGE], doc_key(d, "desiredState"));
	regdoc_text(&row.v[REG_ARTIFACT], doc_key(d, "runtime"));
	if ((r = reg_send(k->p, &row)) < 0)
		return r;
	return send_properties(k, d, &row);
}

static int
send_version(struct kubeflow *k, const struct doc *d)
{
	struct reg_row row;
	int r;

	if (k->collecting)
		return regdict_put(&k->versions, k->m.keep, of(d, "id"),
		    of(d, "name"), of(d, "registeredModelId"), k->p->e);
	begin(k, &row, "version", d);
	set_names(k, &row, of(d, "registeredModelId"),
	    (struct mlflow_text){NULL, 0});
	regdoc_text(&row.v[REG_VERSION], doc_key(d, "name"));
	regdoc_text(&row.v[REG_USER], doc_key(d, "author"));
	set_digest(&row, d);
	if ((r = reg_send(k->p, &row)) < 0)
		return r;
	return send_properties(k, d, &row);
}

static bool
is_data(const struct doc *d)
{
	struct mlflow_text t = of(d, "artifactType");

	return mlflow_same(t, mlflow_z("dataset-artifact")) ||
	    (t.n == 0 && doc_key(d, "sourceType") != NULL);
}

static int
send_artifact(struct kubeflow *k, const struct doc *d)
{
	bool data = is_data(d);
	struct reg_row row;
	int r;

	begin(k, &row, data ? "dataset" : "artifact", d);
	row.v[REG_STATUS] = row.v[REG_STAGE];
	row.v[REG_STAGE].set = false;
	set_names(k, &row, (struct mlflow_text){NULL, 0},
	    of(d, "modelVersionId"));
	mlflow_artifact(&k->m, &row, of(d, "uri"));
	if (data) {
		regdoc_text(&row.v[REG_DATASET], doc_key(d, "name"));
		regdoc_text(&row.v[REG_DIGEST], doc_key(d, "digest"));
	} else {
		set_digest(&row, d);
	}
	if ((r = reg_send(k->p, &row)) < 0)
		return r;
	return send_properties(k, d, &row);
}

static int
send_model(struct kubeflow *k, const struct doc *d)
{
	struct reg_row row;
	int r;

	if (k->collecting)
		return regdict_put(&k->models, k->m.keep, of(d, "id"),
		    of(d, "name"), (struct mlflow_text){NULL, 0}, k->p->e);
	begin(k, &row, "model", d);
	regdoc_text(&row.v[REG_MODEL], doc_key(d, "name"));
	regdoc_text(&row.v[REG_USER], doc_key(d, "owner"));
	if ((r = reg_send(k->p, &row)) < 0)
		return r;
	return send_properties(k, d, &row);
}

static int
read_object(struct kubeflow *k, const struct doc *d)
{
	if (!doc_is(d, DOC_MAP))
		return 0;
	if (doc_key(d, "servingEnvironmentId") != NULL &&
	    doc_key(d, "registeredModelId") != NULL)
		return k->collecting ? 0 : send_service(k, d);
	if (doc_key(d, "registeredModelId") != NULL)
		return send_version(k, d);
	if (doc_key(d, "artifactType") != NULL || doc_key(d, "uri") != NULL ||
	    doc_key(d, "modelFormatName") != NULL)
		return k->collecting ? 0 : send_artifact(k, d);
	return of(d, "name").n > 0 ? send_model(k, d) : 0;
}

static int
read_file(struct kubeflow *k, const struct reg_file *f)
{
	const struct reg_fact fact = regdoc_says("reason",
	    "the page behind this one");
	const struct doc *d, *items;
	int r;

	k->f = f;
	if ((r = regdoc_json(k->p, f, &d)) != 0)
		return r;
	items = doc_key(d, "items");
	if (!doc_is(items, DOC_LIST))
		return read_object(k, d);
	for (const struct doc *i = doc_kids(items); i != NULL; i = i->next)
		if ((r = read_object(k, i)) < 0)
			return r;
	/* A page is a file; which is the next is not known. */
	return !k->collecting && of(d, "nextPageToken").n > 0 &&
	    of(d, "size").n > 0 ? reg_tell(k->p, REG_PROBLEM_MISSING, f,
	    &fact, 1) : 0;
}

static int
read_files(struct kubeflow *k)
{
	struct arena *keep = k->p->arena;
	size_t first, end, n, name;
	int r = 0;

	reg_below(k->p->tree, k->p->root, k->p->root_len, &first, &end);
	for (size_t i = first; i < end && r >= 0; i++) {
		const struct reg_file *f = &k->p->tree->file[i];

		(void)reg_relative(k->p, f, &n);
		(void)reg_name(f, &name);
		if (n != name || !is_answer(k->p->tree, f))
			continue;
		if ((k->p->arena = arena_new(8 * LIMIT_REG_DOCUMENT)) ==
		    NULL) {
			k->p->arena = keep;
			return err_set(k->p->e, ERR_NOMEM, "out of memory");
		}
		r = read_file(k, f);
		arena_free(k->p->arena);
		k->p->arena = keep;
	}
	return r < 0 ? r : 0;
}

/* The first pass only collects names, and tells nothing. */
static int
nobody(void *ctx, const struct reg_told *t)
{
	(void)ctx;
	(void)t;
	return 0;
}

static int
kubeflow_read(struct reg_parse *p)
{
	const struct reg_events quiet = {.problem = nobody};
	const struct reg_events *ev = p->ev;
	struct kubeflow k = {.p = p, .collecting = true};
	int r;

	mlflow_init(&k.m, p, p->root, p->root_len);
	p->ev = &quiet;
	r = read_files(&k);
	p->ev = ev;
	if (r < 0)
		return r;
	regdict_sort(&k.models);
	regdict_sort(&k.versions);
	k.collecting = false;
	return read_files(&k);
}

const struct reg_reader reg_kubeflow = {
    .id = "kubeflow",
    .find = kubeflow_find,
    .read = kubeflow_read,
};
