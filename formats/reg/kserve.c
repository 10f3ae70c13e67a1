#include <string.h>

#include "base/err.h"
#include "base/limits.h"
#include "formats/doc.h"
#include "formats/reg/regdoc.h"
#include "formats/reg/regtime.h"

/*
 * What a cluster says that it serves: dumps of KServe and Seldon objects, as
 * `kubectl get ... -o yaml` (or json) writes them, one or a List of them.
 *
 *	serving.kserve.io	InferenceService, TrainedModel, ServingRuntime,
 *				ClusterServingRuntime, InferenceGraph
 *	mlops.seldon.io		Model;  machinelearning.seldon.io
 *				SeldonDeployment
 *
 * Rows of deployments: name, where the model is loaded from, which revision
 * takes traffic, where requests are logged to.  The revision that is ready
 * and the one that gets the traffic may differ: that is said in the rows.
 *
 * Only files whose name tells are read: a repository has thousands of YAML
 * files.
 */
static char
lower(char c)
{
	return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

static bool
name_holds(const char *name, size_t n, const char *word)
{
	size_t m = strlen(word);

	for (size_t i = 0; i + m <= n; i++) {
		size_t k = 0;

		while (k < m && lower(name[i + k]) == word[k])
			k++;
		if (k == m)
			return true;
	}
	return false;
}

static bool
is_dump(const struct reg_file *f)
{
	static const char *const words[] = {"isvc", "inferenceservice",
	    "inference-service", "servingruntime", "serving-runtime",
	    "trainedmodel", "inferencegraph", "kserve", "seldon"};
	size_t n;
	const char *name = reg_name(f, &n);

	if (f->type == REG_FOLDER || !(reg_ends(f, ".yaml") ||
	    reg_ends(f, ".yml") || reg_ends(f, ".json")))
		return false;
	for (size_t i = 0; i < sizeof(words) / sizeof(*words); i++)
		if (name_holds(name, n, words[i]))
			return true;
	return false;
}

static bool
kserve_find(const struct reg_tree *t, const struct reg_file *f,
    size_t *root)
{
	size_t n;

	(void)t;
	(void)reg_name(f, &n);
	if (!is_dump(f))
		return false;
	*root = f->path_len - n;
	*root -= *root > 0;
	return true;
}

struct object {
	struct reg_parse *p;
	const struct reg_file *f;
	const struct doc *d, *meta, *spec, *status;
};

static void
begin(const struct object *o, const char *type, struct reg_row *row)
{
	const char *s;
	size_t n;

	reg_row_init(o->p, o->f, row);
	reg_set(row, REG_TYPE, type);
	regdoc_text(&row->v[REG_MODEL], doc_key(o->meta, "name"));
	regdoc_text(&row->v[REG_EXPERIMENT], doc_key(o->meta, "namespace"));
	s = doc_str(doc_key(o->meta, "creationTimestamp"), &n);
	regtime_set(&row->v[REG_CREATED], s, n);
}

static int
send_pair(const struct object *o, const char *key, const struct doc *d)
{
	struct reg_row row;

	if (d == NULL || doc_is(d, DOC_LIST) || doc_is(d, DOC_MAP))
		return 0;
	begin(o, "deployment", &row);
	reg_set(&row, REG_KEY, key);
	regdoc_text(&row.v[REG_VALUE], d);
	return reg_send(o->p, &row);
}

/* --- KServe --- */

/* A predictor, transformer or explainer: what it loads. */
static int
send_component(const struct object *o, const char *name,
    const struct doc *c)
{
	static const char *const legacy[] = {"model", "sklearn", "xgboost",
	    "tensorflow", "pytorch", "triton", "onnx", "huggingface", "pmml",
	    "lightgbm", "paddle"};
	const struct doc *status = doc_key(doc_key(o->status, "components"),
	    name);
	struct reg_row row;
	int r = 0;

	if (!doc_is(c, DOC_MAP))
		return 0;
	for (size_t i = 0; i < sizeof(legacy) / sizeof(*legacy) && r >= 0;
	    i++) {
		const struct doc *m = doc_key(c, legacy[i]);

		if (!doc_is(m, DOC_MAP))
			continue;
		begin(o, "deployment", &row);
		reg_set(&row, REG_ALIAS, name);
		regdoc_text(&row.v[REG_ARTIFACT], doc_key(m, "storageUri"));
		if (!row.v[REG_ARTIFACT].set)
			regdoc_text(&row.v[REG_ARTIFACT],
			    doc_get(m, "storage.path"));
		regdoc_text(&row.v[REG_VERSION], doc_key(status,
		    "latestReadyRevision"));
		regdoc_text(&row.v[REG_STATUS], doc_get(o->status,
		    "modelStatus.states.activeModelState"));
		reg_set(&row, REG_KEY, "format");
		regdoc_text(&row.v[REG_VALUE], doc_get(m,
		    "modelFormat.name"));
		if (!row.v[REG_VALUE].set)
			reg_set(&row, REG_VALUE, legacy[i]);
		r = reg_send(o->p, &row);
	}
	for (const struct doc *u = doc_kids(doc_key(c, "storageUris"));
	    u != NULL && r >= 0; u = u->next) {
		begin(o, "deployment", &row);
		reg_set(&row, REG_ALIAS, name);
		regdoc_text(&row.v[REG_ARTIFACT], doc_key(u, "uri"));
		r = reg_send(o->p, &row);
	}
	if (r < 0 || (r = send_pair(o, "logger.url",
	    doc_get(c, "logger.url"))) < 0)
		return r;
	return send_pair(o, "canaryTrafficPercent",
	    doc_key(c, "canaryTrafficPercent"));
}

/* Which revision takes how much. */
static int
send_traffic(const struct object *o, const char *name)
{
	const struct doc *status = doc_key(doc_key(o->status, "components"),
	    name);
	int r = 0;

	for (const struct doc *t = doc_kids(doc_key(status, "traffic"));
	    t != NULL && r >= 0; t = t->next) {
		struct reg_row row;

		begin(o, "alias", &row);
		regdoc_text(&row.v[REG_VERSION], doc_key(t, "revisionName"));
		regdoc_text(&row.v[REG_ALIAS], doc_key(t, "tag"));
		if (!row.v[REG_ALIAS].set)
			reg_set(&row, REG_ALIAS, name);
		reg_set(&row, REG_KEY, "percent");
		regdoc_text(&row.v[REG_VALUE], doc_key(t, "percent"));
		r = reg_send(o->p, &row);
	}
	return r;
}

static int
read_service(const struct object *o)
{
	static const char *const names[] = {"predictor", "transformer",
	    "explainer"};
	int r = 0;

	for (size_t i = 0; i < 3 && r >= 0; i++)
		if ((r = send_component(o, names[i], doc_key(o->spec,
		    names[i]))) >= 0)
			r = send_traffic(o, names[i]);
	for (const struct doc *c = doc_kids(doc_key(o->spec, "canary"));
	    c != NULL && r >= 0; c = c->next)
		r = send_component(o, "canary", doc_key(c, "predictor"));
	return r < 0 ? r : send_pair(o, "lastFailure", doc_get(o->status,
	    "modelStatus.lastFailureInfo.message"));
}

static int
read_runtime(const struct object *o)
{
	int r = 0;

	for (const struct doc *c = doc_kids(doc_key(o->spec, "containers"));
	    c != NULL && r >= 0; c = c->next)
		r = send_pair(o, "image", doc_key(c, "image"));
	return r;
}

static int
read_trained(const struct object *o)
{
	struct reg_row row;

	begin(o, "deployment", &row);
	regdoc_text(&row.v[REG_ARTIFACT], doc_get(o->spec,
	    "model.storageUri"));
	regdoc_text(&row.v[REG_ALIAS], doc_key(o->spec, "inferenceService"));
	return reg_send(o->p, &row);
}

static int
read_graph(const struct object *o)
{
	int r = 0;

	for (const struct doc *n = doc_kids(doc_key(o->spec, "nodes"));
	    n != NULL && r >= 0; n = n->next)
		for (const struct doc *s = doc_kids(doc_key(n, "steps"));
		    s != NULL && r >= 0; s = s->next)
			r = send_pair(o, "step", doc_key(s, "serviceName"));
	return r;
}

/* --- Seldon --- */

static int
read_model(const struct object *o)
{
	struct reg_row row;
	int r;

	begin(o, "deployment", &row);
	regdoc_text(&row.v[REG_ARTIFACT], doc_key(o->spec, "storageUri"));
	regdoc_text(&row.v[REG_VERSION], doc_key(o->spec,
	    "artifactVersion"));
	if ((r = reg_send(o->p, &row)) < 0)
		return r;
	for (const struct doc *q = doc_kids(doc_key(o->spec,
	    "requirements")); q != NULL && r >= 0; q = q->next)
		r = send_pair(o, "requirement", q);
	return r;
}

/* A graph is a tree; its nodes are gone through with a stack. */
#define GRAPH_DEPTH 64

static int
send_node(const struct object *o, const struct doc *graph,
    const struct doc *predictor)
{
	struct reg_row row;
	int r;

	begin(o, "deployment", &row);
	regdoc_text(&row.v[REG_ARTIFACT], doc_key(graph, "modelUri"));
	regdoc_text(&row.v[REG_ALIAS], doc_key(predictor, "name"));
	reg_set(&row, REG_KEY, "implementation");
	regdoc_text(&row.v[REG_VALUE], doc_key(graph, "implementation"));
	if ((r = reg_send(o->p, &row)) < 0)
		return r;
	return send_pair(o, "logger.url", doc_get(graph, "logger.url"));
}

static int
read_deployment(const struct object *o)
{
	int r = 0;

	for (const struct doc *p = doc_kids(doc_key(o->spec, "predictors"));
	    p != NULL && r >= 0; p = p->next) {
		const struct doc *stack[GRAPH_DEPTH];
		unsigned depth = 0;

		stack[depth++] = doc_key(p, "graph");
		while (depth > 0 && r >= 0) {
			const struct doc *at = stack[depth - 1];

			if (at == NULL) {
				depth--;
				continue;
			}
			stack[depth - 1] = depth > 1 ? at->next : NULL;
			r = send_node(o, at, p);
			if (depth < GRAPH_DEPTH)
				stack[depth++] = doc_kids(doc_key(at,
				    "children"));
			else if (r >= 0 && doc_key(at, "children") != NULL)
				r = reg_bad(o->p, o->f, at->off,
				    "a graph nests too deep");
		}
		r = r > 0 ? 0 : r;
	}
	return r;
}

/* --- all of them; *known: one of them is of these kinds --- */

static const struct kind {
	const char *group, *kind;
	int (*read)(const struct object *o);
} kinds[] = {
    {"serving.kserve.io/", "InferenceService", read_service},
    {"serving.kserve.io/", "TrainedModel", read_trained},
    {"serving.kserve.io/", "ServingRuntime", read_runtime},
    {"serving.kserve.io/", "ClusterServingRuntime", read_runtime},
    {"serving.kserve.io/", "InferenceGraph", read_graph},
    {"mlops.seldon.io/", "Model", read_model},
    {"machinelearning.seldon.io/", "SeldonDeployment", read_deployment},
};

static int
read_object(struct reg_parse *p, const struct reg_file *f,
    const struct doc *d, bool *known)
{
	struct object o = {p, f, d, doc_key(d, "metadata"),
	    doc_key(d, "spec"), doc_key(d, "status")};
	size_t n;
	const char *group = doc_str(doc_key(d, "apiVersion"), &n);

	for (size_t i = 0; i < sizeof(kinds) / sizeof(*kinds); i++)
		if (group != NULL && n > strlen(kinds[i].group) &&
		    memcmp(group, kinds[i].group,
		    strlen(kinds[i].group)) == 0 &&
		    doc_is_str(doc_key(d, "kind"), kinds[i].kind)) {
			*known = true;
			return kinds[i].read(&o);
		}
	return 0;
}

static int
read_dump(struct reg_parse *p, const struct reg_file *f, bool *known)
{
	const struct doc *all = NULL;
	int r;

	r = reg_ends(f, ".json") ? regdoc_json(p, f, &all) :
	    regdoc_yaml_all(p, f, &all);
	if (r != 0)
		return r < 0 ? r : 0;
	if (doc_is(all, DOC_MAP) && doc_key(all, "items") == NULL)
		return read_object(p, f, all, known);
	if (doc_is(all, DOC_MAP))
		all = doc_key(all, "items");
	for (const struct doc *d = doc_kids(all); d != NULL && r >= 0;
	    d = d->next) {
		const struct doc *items = doc_key(d, "items");

		r = read_object(p, f, d, known);
		for (const struct doc *k = doc_kids(items); k != NULL &&
		    r >= 0; k = k->next)
			r = read_object(p, f, k, known);
	}
	return r;
}

static int
kserve_read(struct reg_parse *p)
{
	size_t first, end, n;
	bool known = false;
	int r = 0;

	reg_below(p->tree, p->root, p->root_len, &first, &end);
	for (size_t i = first; i < end && r >= 0; i++) {
		const struct reg_file *f = &p->tree->file[i];
		const char *rel = reg_relative(p, f, &n);

		if (memchr(rel, '/', n) == NULL && is_dump(f))
			r = read_dump(p, f, &known);
	}
	return r < 0 || known ? r : REG_NONE;
}

const struct reg_reader reg_kserve = {"kserve", kserve_find, kserve_read};
