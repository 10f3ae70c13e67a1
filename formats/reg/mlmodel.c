#include <stdio.h>
#include <string.h>

#include "base/limits.h"
#include "formats/reg/mlflow.h"
#include "formats/reg/regdoc.h"

/*
 * MLmodel, the YAML file at the root of each model that MLflow logs: which
 * module loads it, from which files, made by which run.  It has no digests.
 * What it has:
 *
 *	model_size_bytes  all files that were there when the size was taken:
 *		before MLmodel itself and the files of the environment were
 *		written (file_utils.get_total_file_size in save_model); an
 *		input example is written before or after, by the flavor,
 *		and Python adds __pycache__ where code was loaded in place
 *	run_id, model_id  also in the path, in the registry, and in
 *		registered_model_meta beside it
 *	flavors.*.loader_module  is imported when the model is loaded; "code"
 *		is a folder that is put on Python's path before that, and
 *		"model_code_path" a file that is run
 *
 * metadata/ holds a second copy of MLmodel and of the environment (2.x).
 */
struct mlmodel {
	struct mlflow m;
	struct reg_parse *p;
	const struct reg_file *f;
	const struct doc *d;
	struct reg_row row;
};

/* Written after the size was taken. */
static bool
is_environment(const char *rel, size_t n)
{
	static const char *const names[] = {"MLmodel", "conda.yaml",
	    "python_env.yaml", "requirements.txt", "constraints.txt",
	    "registered_model_meta", "conda.yml"};

	if (n > 9 && memcmp(rel, "metadata/", 9) == 0)
		return true;
	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
		if (n == strlen(names[i]) && memcmp(rel, names[i], n) == 0)
			return true;
	return false;
}

static bool
is_example(const char *rel, size_t n)
{
	static const char *const tails[] = {"input_example.json",
	    "serving_input_example.json", "serving_input_payload.json",
	    "input_example.npy", "input_example.csv"};

	for (size_t i = 0; i < sizeof(tails) / sizeof(*tails); i++)
		if (n == strlen(tails[i]) && memcmp(rel, tails[i], n) == 0)
			return true;
	return false;
}

/* Python leaves it where it imports code that the model brings. */
static bool
is_cache(const char *rel, size_t n)
{
	return memmem(rel, n, "__pycache__/", 12) != NULL;
}

static int
tell_size(struct mlmodel *k, const struct doc *d, uint64_t all)
{
	char found[21];
	const struct reg_fact facts[] = {regdoc_fact("registry", d),
	    regdoc_number("found", all, found)};

	return reg_tell_off(k->p, REG_PROBLEM_SIZE, k->f, d->off, facts, 2);
}

static int
check_size(struct mlmodel *k)
{
	const struct doc *d = doc_key(k->d, "model_size_bytes");
	uint64_t says, all = 0, examples = 0, caches = 0;
	size_t first, end, n;
	bool agrees;

	if (!doc_u64(d, &says))
		return 0;
	reg_below(k->p->tree, k->p->root, k->p->root_len, &first, &end);
	for (size_t i = first; i < end; i++) {
		const struct reg_file *f = reg_follow(k->p->tree,
		    &k->p->tree->file[i]);
		const char *rel = reg_relative(k->p, &k->p->tree->file[i],
		    &n);

		if (f == NULL || f->type != REG_FILE || is_environment(rel, n))
			continue;
		if (f->size > UINT64_MAX - all)
			break;
		all += f->size;
		if (is_example(rel, n))
			examples += f->size;
		else if (is_cache(rel, n))
			caches += f->size;
	}
	agrees = says == all || says == all - examples ||
	    says == all - caches || says == all - examples - caches;
	fields_u64(&k->row.v[REG_SIZE], says);
	fields_bool(&k->row.v[REG_AGREES], agrees);
	return agrees ? 0 : tell_size(k, d, all);
}

static int
tell_code(struct mlmodel *k, const struct doc *flavor, const struct doc *d)
{
	const struct reg_fact facts[] = {
	    {"flavor", flavor->key, flavor->key_len},
	    {"key", d->key, d->key_len}, regdoc_fact("value", d)};

	return reg_tell_off(k->p, REG_PROBLEM_CODE, k->f, d->off, facts, 3);
}

/* "mlflow.sklearn" is the library's; "mlflowx" and "my.loader" are not. */
static bool
is_mlflow(struct mlflow_text t)
{
	return (t.n == 6 && memcmp(t.p, "mlflow", 6) == 0) ||
	    (t.n > 7 && memcmp(t.p, "mlflow.", 7) == 0);
}

static int
check_flavors(struct mlmodel *k)
{
	static const char *const code[] = {"code", "model_code_path", NULL};
	const struct doc *flavors = doc_key(k->d, "flavors"), *d;
	int r;

	for (const struct doc *f = doc_kids(flavors); f != NULL; f = f->next) {
		d = doc_key(f, "loader_module");
		if (mlflow_doc(d).n > 0 && !is_mlflow(mlflow_doc(d)) &&
		    (r = tell_code(k, f, d)) < 0)
			return r;
		for (const char *const *c = code; *c != NULL; c++) {
			d = doc_key(f, *c);
			if (mlflow_doc(d).n > 0 &&
			    (r = tell_code(k, f, d)) < 0)
				return r;
		}
	}
	return 0;
}

/* The last part of the root's folders that has this form, or nothing. */
static struct mlflow_text
in_path(const struct reg_parse *p, bool logged)
{
	size_t end = p->root_len, at;

	while (end > 0) {
		for (at = end; at > 0 && p->root[at - 1] != '/'; at--)
			;
		if (mlflow_is_id((struct mlflow_text){p->root + at,
		    end - at}, logged))
			return (struct mlflow_text){p->root + at, end - at};
		end = at > 0 ? at - 1 : 0;
	}
	return (struct mlflow_text){NULL, 0};
}

static int
compare(struct mlmodel *k, const char *what, const struct doc *d,
    struct mlflow_text other, const char *where)
{
	const struct reg_fact facts[] = {{"key", what, strlen(what)},
	    regdoc_fact("mlmodel", d), {where, other.p, other.n}};

	if (other.n == 0 || mlflow_doc(d).n == 0 ||
	    mlflow_same(mlflow_doc(d), other))
		return 0;
	return reg_tell_off(k->p, REG_PROBLEM_DISAGREES, k->f, d->off, facts,
	    3);
}

/* The folder's meta.yaml of a logged model knows them too. */
static int
check_logged(struct mlmodel *k, struct mlflow_text logged)
{
	const struct reg_file *f;
	const struct doc *d;
	char path[LIMIT_PATH];
	int r, n = snprintf(path, sizeof(path), "%.*s/meta.yaml",
	    (int)(logged.p + logged.n - k->p->root), k->p->root);

	if (n < 0 || (size_t)n >= sizeof(path) ||
	    (f = reg_find(k->p->tree, path, (size_t)n)) == NULL)
		return 0;
	if ((r = regdoc_yaml(k->p, f, &d)) != 0)
		return r < 0 ? r : 0;
	return compare(k, "run_id", doc_key(k->d, "run_id"),
	    mlflow_doc(doc_key(d, "source_run_id")), "meta");
}

static int
check_ids(struct mlmodel *k)
{
	struct mlflow_text logged = in_path(k->p, true);
	struct mlflow_text run = in_path(k->p, false);
	int r;

	if ((r = compare(k, "model_id", doc_key(k->d, "model_id"), logged,
	    "folder")) < 0)
		return r;
	/* A logged model's folder is not below its run's. */
	if (logged.n == 0)
		return compare(k, "run_id", doc_key(k->d, "run_id"), run,
		    "folder");
	if ((r = compare(k, "model_uuid", doc_key(k->d, "model_uuid"), logged,
	    "folder")) < 0)
		return r;
	return check_logged(k, logged);
}

static int
check_registered(struct mlmodel *k)
{
	const struct reg_file *f = reg_at(k->p, "registered_model_meta");
	const struct doc *d;
	int r;

	if (f == NULL)
		return 0;
	if ((r = regdoc_yaml(k->p, f, &d)) != 0)
		return r < 0 ? r : 0;
	regdoc_text(&k->row.v[REG_MODEL], doc_key(d, "model_name"));
	regdoc_text(&k->row.v[REG_VERSION], doc_key(d, "model_version"));
	return 0;
}

/* metadata/X was a copy of X when the model was saved. */
static int
check_copies(struct mlmodel *k)
{
	static const char *const names[] = {"MLmodel", "conda.yaml",
	    "python_env.yaml", "requirements.txt"};
	char rel[64];
	int r;

	for (size_t i = 0; i < 4; i++) {
		const struct reg_file *one = reg_at(k->p, names[i]), *two;
		struct mlflow_text a, b;

		(void)snprintf(rel, sizeof(rel), "metadata/%s", names[i]);
		two = reg_at(k->p, rel);
		if (one == NULL || two == NULL)
			continue;
		if ((r = reg_bytes(k->p, one, LIMIT_REG_DOCUMENT, &a.p,
		    &a.n)) != 0 || (r = reg_bytes(k->p, two,
		    LIMIT_REG_DOCUMENT, &b.p, &b.n)) != 0) {
			if (r < 0)
				return r;
			continue;
		}
		if (!mlflow_same(a, b)) {
			const struct reg_fact facts[] = {
			    {"key", names[i], strlen(names[i])},
			    regdoc_says("reason", "the copy differs")};

			if ((r = reg_tell(k->p, REG_PROBLEM_DISAGREES, two,
			    facts, 2)) < 0)
				return r;
		}
	}
	return 0;
}

static void
fill(struct mlmodel *k)
{
	struct reg_row *row = &k->row;
	const struct doc *id = doc_key(k->d, "model_id");

	reg_row_init(k->p, k->f, row);
	reg_set(row, REG_TYPE, "artifact");
	regdoc_text(&row->v[REG_RUN], doc_key(k->d, "run_id"));
	regdoc_text(&row->v[REG_ARTIFACT], doc_key(k->d, "artifact_path"));
	if (mlflow_doc(id).n == 0)
		id = doc_key(k->d, "model_uuid");
	if (mlflow_doc(id).n > 0) {
		reg_set(row, REG_KEY, id->key);
		regdoc_text(&row->v[REG_VALUE], id);
	}
	regdoc_text(&row->v[REG_DESCRIPTION], doc_get(k->d,
	    "flavors.python_function.loader_module"));
	if (k->p->root_len > 0)
		fields_text(&row->v[REG_MEMBER], k->p->root,
		    k->p->root_len);
	mlflow_utc(&row->v[REG_CREATED],
	    mlflow_doc(doc_key(k->d, "utc_time_created")));
}

static int
model_read(struct reg_parse *p)
{
	struct mlmodel k = {.p = p, .f = reg_at(p, "MLmodel")};
	int r;

	if (k.f == NULL)
		return 0;
	mlflow_init(&k.m, p, p->root, p->root_len);
	if ((r = regdoc_yaml(p, k.f, &k.d)) != 0)
		return r;
	if (!doc_is(doc_key(k.d, "flavors"), DOC_MAP)) {
		struct reg_fact why = regdoc_says("reason", "no flavors");

		r = reg_tell(p, REG_PROBLEM_MALFORMED, k.f, &why, 1);
		return r < 0 ? r : 1;
	}
	fill(&k);
	if ((r = check_registered(&k)) < 0 || (r = check_size(&k)) < 0 ||
	    (r = reg_send(p, &k.row)) < 0 || (r = check_flavors(&k)) < 0 ||
	    (r = check_ids(&k)) < 0)
		return r;
	return check_copies(&k);
}

/* Any file of this name; the copy in metadata/ is not a model. */
static bool
model_find(const struct reg_tree *t, const struct reg_file *f, size_t *root)
{
	char path[LIMIT_PATH];
	size_t n;
	const char *name = reg_name(f, &n);
	int len;

	if (f->type == REG_FOLDER || n != 7 || memcmp(name, "MLmodel", 7) != 0)
		return false;
	*root = f->path_len == 7 ? 0 : f->path_len - 8;
	if (!reg_ends(f, "metadata/MLmodel"))
		return true;
	len = snprintf(path, sizeof(path), "%.*sMLmodel",
	    (int)(f->path_len - strlen("metadata/MLmodel")), f->path);
	return len < 0 || (size_t)len >= sizeof(path) ||
	    reg_find(t, path, (size_t)len) == NULL;
}

const struct reg_reader reg_mlmodel = {
    .id = "mlmodel",
    .find = model_find,
    .read = model_read,
};
