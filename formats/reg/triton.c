#include <stdio.h>
#include <string.h>

#include "base/err.h"
#include "base/limits.h"
#include "base/text.h"
#include "formats/reg/pbtext.h"
#include "formats/reg/reg.h"

/*
 * A model of a Triton repository (docs/user_guide/model_repository.md):
 *
 *	MODEL/config.pbtxt		name, backend, files, parameters
 *	MODEL/VERSION/model.onnx ...	a version is a number
 *
 * No digests: rows of model, versions and files.  The python backend runs
 * model.py, a parameter may name an environment to unpack, and a backend may
 * lie in the model's own folder: that is code which comes with the model.
 */
struct model {
	struct reg_parse *p;
	const struct reg_file *config;
	const char *folder;	/* the model's own name on disk */
	size_t folder_len;
	char name[256], backend[64], file[256];
	char key[256];		/* of the parameter that is open */
};

static bool
triton_find(const struct reg_tree *t, const struct reg_file *f,
    size_t *root)
{
	size_t n;
	const char *name = reg_name(f, &n);

	(void)t;
	if (f->type == REG_FOLDER || n != 12 ||
	    memcmp(name, "config.pbtxt", 12) != 0 || f->path_len == n)
		return false;
	*root = f->path_len - n - 1;
	return true;
}

static int
tell_code(struct model *m, const struct reg_file *f, const char *reason)
{
	struct reg_fact fact = {"reason", reason, strlen(reason)};

	return reg_tell(m->p, REG_PROBLEM_CODE, f, &fact, 1);
}

static void
keep(char *dst, size_t cap, const struct pbtext_leaf *l)
{
	(void)snprintf(dst, cap, "%.*s", (int)(l->value_len < cap ?
	    l->value_len : cap), l->value);
}

static void
begin(struct model *m, const struct reg_file *f, const char *type,
    struct reg_row *row)
{
	reg_row_init(m->p, f, row);
	reg_set(row, REG_TYPE, type);
	fields_text(&row->v[REG_MODEL], m->folder, m->folder_len);
}

/* A setting that says what is served, or what is run. */
static int
take_leaf(struct model *m, const struct pbtext_leaf *l)
{
	static const char *const shown[] = {"platform", "backend",
	    "max_batch_size", "default_model_filename", "runtime",
	    "ensemble_scheduling.step.model_name",
	    "model_repository_agents.agents.name",
	    "version_policy.specific.versions",
	    "version_policy.latest.num_versions",
	    "model_warmup.name", "response_cache.enable"};
	struct reg_row row;
	const char *key = NULL;

	if (strcmp(l->path, "name") == 0)
		keep(m->name, sizeof(m->name), l);
	else if (strcmp(l->path, "backend") == 0)
		keep(m->backend, sizeof(m->backend), l);
	else if (strcmp(l->path, "default_model_filename") == 0)
		keep(m->file, sizeof(m->file), l);
	if (strcmp(l->path, "parameters.key") == 0) {
		keep(m->key, sizeof(m->key), l);
		return 0;
	}
	if (strcmp(l->path, "parameters.value.string_value") == 0)
		key = m->key[0] != '\0' ? m->key : "parameters";
	for (size_t i = 0; i < sizeof(shown) / sizeof(*shown) &&
	    key == NULL; i++)
		if (strcmp(l->path, shown[i]) == 0)
			key = shown[i];
	if (key == NULL)
		return 0;
	begin(m, m->config, "model", &row);
	reg_set(&row, REG_KEY, key);
	fields_text(&row.v[REG_VALUE], l->value, l->value_len);
	int r = reg_send(m->p, &row);

	return r < 0 || strcmp(key, "EXECUTION_ENV_PATH") != 0 ? r :
	    tell_code(m, m->config, "an environment of its own");
}

static int
read_config(struct model *m)
{
	struct pbtext_leaf l;
	struct pbtext t;
	const char *text;
	size_t n;
	int r;

	if ((r = reg_bytes(m->p, m->config, MIB, &text, &n)) != 0)
		return r < 0 ? r : 0;
	pbtext_init(&t, text, n, m->p->arena);
	while ((r = pbtext_next(&t, &l)) == PBTEXT_LEAF)
		if ((r = take_leaf(m, &l)) < 0)
			return r;
	if (r < 0)
		return err_set(m->p->e, ERR_NOMEM, "out of memory");
	r = r == PBTEXT_BAD ? reg_bad(m->p, m->config, t.at, t.why) : 0;
	return r < 0 ? r : 0;
}

/* "12/model.onnx": the version's digits, and the file below it. */
static bool
version_of(const char *rel, size_t n, size_t *digits)
{
	uint64_t v;

	for (*digits = 0; *digits < n && rel[*digits] >= '0' &&
	    rel[*digits] <= '9'; ++*digits)
		;
	return *digits > 0 && *digits < n && rel[*digits] == '/' &&
	    text_u64(rel, *digits, 10, INT64_MAX, &v) && v > 0;
}

static bool
is_backend(const char *rel, size_t n, const struct reg_file *f)
{
	const char *slash = memrchr(rel, '/', n);
	const char *last = slash != NULL ? slash + 1 : rel;
	size_t len = n - (size_t)(last - rel);

	return len > 13 && memcmp(last, "libtriton_", 10) == 0 &&
	    reg_ends(f, ".so");
}

static int
read_file(struct model *m, const struct reg_file *f, const char **version,
    size_t *version_len)
{
	size_t n, digits;
	const char *rel = reg_relative(m->p, f, &n);
	struct reg_row row;
	int r;

	if (is_backend(rel, n, f) && (r = tell_code(m, f,
	    "a backend of its own")) < 0)
		return r;
	if (!version_of(rel, n, &digits))
		return 0;
	if (digits != *version_len || memcmp(rel, *version, digits) != 0) {
		*version = rel;
		*version_len = digits;
		begin(m, f, "version", &row);
		fields_text(&row.v[REG_VERSION], rel, digits);
		if ((r = reg_send(m->p, &row)) < 0)
			return r;
	}
	begin(m, f, "artifact", &row);
	fields_text(&row.v[REG_VERSION], rel, digits);
	fields_text(&row.v[REG_ARTIFACT], rel, n);
	fields_text(&row.v[REG_MEMBER], f->path, f->path_len);
	fields_u64(&row.v[REG_SIZE], f->size);
	if ((r = reg_send(m->p, &row)) < 0)
		return r;
	if (n - digits == 9 && memcmp(rel + digits, "/model.py", 9) == 0)
		return tell_code(m, f, "the python backend runs it");
	return m->file[0] != '\0' && strcmp(m->backend, "python") == 0 &&
	    n - digits - 1 == strlen(m->file) &&
	    memcmp(rel + digits + 1, m->file, strlen(m->file)) == 0 ?
	    tell_code(m, f, "the python backend runs it") : 0;
}

static int
triton_read(struct reg_parse *p)
{
	struct reg_file root = {.path = p->root, .path_len = p->root_len};
	struct model m = {.p = p, .config = reg_at(p, "config.pbtxt")};
	const char *version = "";
	size_t version_len = 0, first, end;
	struct reg_fact fact[2];
	int r;

	m.folder = reg_name(&root, &m.folder_len);
	if (m.config == NULL || (r = read_config(&m)) < 0)
		return m.config == NULL ? 0 : r;
	reg_below(p->tree, p->root, p->root_len, &first, &end);
	for (size_t i = first; i < end && r >= 0; i++)
		if (p->tree->file[i].type != REG_FOLDER)
			r = read_file(&m, &p->tree->file[i], &version,
			    &version_len);
	if (r < 0 || m.name[0] == '\0' || (strlen(m.name) == m.folder_len &&
	    memcmp(m.name, m.folder, m.folder_len) == 0))
		return r < 0 ? r : 0;
	/* Triton refuses such a model: one of the two was changed. */
	fact[0] = (struct reg_fact){"config", m.name, strlen(m.name)};
	fact[1] = (struct reg_fact){"folder", m.folder, m.folder_len};
	return reg_tell(p, REG_PROBLEM_DISAGREES, m.config, fact, 2);
}

const struct reg_reader reg_triton = {"triton", triton_find, triton_read};
