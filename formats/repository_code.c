#include <stdio.h>
#include <string.h>

#include "base/arena.h"
#include "base/bytesrc.h"
#include "base/err.h"
#include "base/limits.h"
#include "formats/jinja.h"
#include "formats/repository.h"

/*
 * Configuration of the folder, each file parsed as the JSON that it is: which
 * code it would run, and is that code here?  And the copies of the chat
 * template: loaders take different ones, so they must be one template.
 *
 * A tokenizer's template and a processor's may differ honestly: the processor
 * knows images.  That is a note.
 */
#define TEMPLATES 64
#define CODE_MAX 256

enum owner { TOKENIZER, PROCESSOR };

static const struct config {
	const char *name;
	enum owner owner;
} configs[] = {{"config.json", TOKENIZER}, {"tokenizer_config.json",
    TOKENIZER}, {"generation_config.json", TOKENIZER},
    {"adapter_config.json", TOKENIZER}, {"modules.json", TOKENIZER},
    {"model_index.json", TOKENIZER}, {"feature_extractor.json", PROCESSOR},
    {"preprocessor_config.json", PROCESSOR},
    {"processor_config.json", PROCESSOR}, {"chat_template.json", PROCESSOR},
    {"image_processor_config.json", PROCESSOR},
    {"config_sentence_transformers.json", TOKENIZER}};

struct copy {
	const struct repository_file *f;
	enum owner owner;
	const uint8_t *text;	/* folded */
	size_t n;
};

struct code {
	struct repository *r;
	const struct repository_file *f;	/* the configuration at hand */
	enum owner owner;
	bool named_default;	/* the template that follows is "default" */
	struct copy copy[TEMPLATES];
	unsigned copies;
	struct name {
		const char *module, *key;
		size_t module_n, key_n;
	} name[CODE_MAX];
	unsigned names;
};

static const struct fact *
fact_of(const struct ev_anomaly *a, const char *key)
{
	for (unsigned i = 0; i < a->nfacts; i++)
		if (strcmp(a->facts[i].key, key) == 0 &&
		    a->facts[i].text != NULL)
			return &a->facts[i];
	return NULL;
}

/* Code that the configuration names, unless it is another repository's. */
static int
on_anomaly(void *ctx, const struct ev_anomaly *a)
{
	struct code *c = ctx;
	const struct fact *module = fact_of(a, "module");
	const struct fact *key = fact_of(a, "key");
	struct name *n;

	if ((a->id != ANOMALY_CONFIG_REMOTE_CODE &&
	    a->id != ANOMALY_CONFIG_MODULE) || module == NULL ||
	    key == NULL || fact_of(a, "repository") != NULL ||
	    module->len == 0 || module->len > 1024 || key->len > 1024)
		return 0;
	if (c->names == CODE_MAX) {
		c->r->full = true;
		return 0;
	}
	n = &c->name[c->names];
	n->module = arena_dup(c->r->p->arena, module->text, module->len);
	n->key = arena_dup(c->r->p->arena, key->text, key->len);
	if (n->module == NULL || n->key == NULL)
		return ERR_NOMEM;
	n->module_n = module->len;
	n->key_n = key->len;
	c->names++;
	return 0;
}

static int
add_copy(struct code *c, const char *text, size_t n)
{
	struct copy *x;

	if (c->copies == TEMPLATES) {
		c->r->full = true;
		return 0;
	}
	x = &c->copy[c->copies];
	x->f = c->f;
	x->owner = c->owner;
	if ((x->text = jinja_fold(c->r->p->arena, (const uint8_t *)text, n,
	    &x->n)) == NULL)
		return ERR_NOMEM;
	c->copies++;
	return 0;
}

static bool
is(const char *p, size_t n, const char *word)
{
	return n == strlen(word) && memcmp(p, word, n) == 0;
}

static int
on_meta(void *ctx, const struct ev_meta *m)
{
	struct code *c = ctx;

	if (is(m->key, m->key_len, "name"))
		c->named_default = is(m->value, m->value_len, "default");
	if (is(m->key, m->key_len, "chat_template") ||
	    is(m->key, m->key_len, "tokenizer.chat_template") ||
	    (c->named_default && is(m->key, m->key_len, "template")))
		return add_copy(c, m->value, m->value_len);
	return 0;
}

/* "a.b" is a/b.py here, or, of a pipeline's component, in its folder. */
static const struct repository_file *
find_module(const struct code *c, const struct name *n)
{
	const struct repository_file *f;
	char path[2200];
	size_t at = (size_t)snprintf(path, sizeof(path), "%.*s/",
	    (int)n->key_n, n->key), from = at;

	for (size_t i = 0; i < n->module_n; i++)
		path[at++] = n->module[i] == '.' ? '/' : n->module[i];
	memcpy(path + at, ".py", 3);
	at += 3;
	f = repository_join(c->r, c->f, path + from, at - from);
	return f != NULL ? f : repository_join(c->r, c->f, path, at);
}

static int
check_names(struct code *c)
{
	int rc = 0;

	for (unsigned i = 0; i < c->names && rc >= 0; i++) {
		const struct name *n = &c->name[i];
		const struct repository_file *f = find_module(c, n);
		const struct fact facts[] = {
		    FACT_TEXT("key", n->key, n->key_n),
		    FACT_TEXT("module", n->module, n->module_n),
		    FACT_TEXT("code", f != NULL ? f->name : "",
			f != NULL ? f->n : 0)};

		rc = repository_tell(c->r, f != NULL ? ANOMALY_REPO_CODE :
		    ANOMALY_REPO_CODE_MISSING, c->f, facts,
		    f != NULL ? 3 : 2);
	}
	c->names = 0;
	return rc;
}

static int
run(struct code *c, const char *format, const struct events *ev)
{
	struct bytesrc *src;
	int rc;

	if ((rc = repository_open(c->r, c->f, &src)) != 0)
		return rc < 0 ? rc : 0;
	c->named_default = false;
	rc = repository_run(c->r, src, format, ev, c, NULL);
	bytesrc_free(src);
	return rc < 0 ? rc : check_names(c);
}

/* A template in a file of its own. */
static int
read_template(struct code *c)
{
	struct bytesrc *src;
	char *text;
	int rc;

	if ((rc = repository_open(c->r, c->f, &src)) != 0)
		return rc < 0 ? rc : 0;
	text = arena_alloc(c->r->p->arena, (size_t)c->f->size);
	rc = text == NULL || bytesrc_size(src) != c->f->size ||
	    bytesrc_read(src, 0, text, (size_t)c->f->size, NULL) < 0;
	bytesrc_free(src);
	if (rc != 0) {
		c->r->full = true;
		return 0;
	}
	return add_copy(c, text, (size_t)c->f->size);
}

static int
look_at(struct code *c)
{
	static const struct events json = {.meta = on_meta,
	    .anomaly = on_anomaly}, meta = {.meta = on_meta};

	c->owner = TOKENIZER;
	if (repository_is(c->f, "generate.py") && c->f->folder >= 16 &&
	    memcmp(c->f->name + c->f->folder - 16, "custom_generate/",
	    16) == 0)
		return repository_tell(c->r, ANOMALY_REPO_CODE, c->f, NULL,
		    0);
	if (repository_ends(c->f, ".gguf"))
		return run(c, NULL, &meta);
	if (c->f->size > LIMIT_REPOSITORY_CONFIG)
		return 0;
	if (repository_is(c->f, "chat_template.jinja"))
		return read_template(c);
	for (size_t i = 0; i < sizeof(configs) / sizeof(configs[0]); i++)
		if (repository_is(c->f, configs[i].name)) {
			c->owner = configs[i].owner;
			return run(c, "json", &json);
		}
	return 0;
}

static bool
same_folder(const struct repository_file *a, const struct repository_file *b)
{
	return a->folder == b->folder &&
	    memcmp(a->name, b->name, a->folder) == 0;
}

/* An earlier copy in the same folder that is another template. */
static const struct copy *
other_copy(const struct code *c, unsigned i)
{
	const struct copy *b = &c->copy[i];

	for (unsigned k = 0; k < i; k++) {
		const struct copy *a = &c->copy[k];

		if (same_folder(a->f, b->f) && (a->n != b->n ||
		    memcmp(a->text, b->text, b->n) != 0))
			return a;
	}
	return NULL;
}

static int
check_copies(const struct code *c)
{
	int rc = 0;

	for (unsigned i = 1; i < c->copies && rc >= 0; i++) {
		const struct copy *b = &c->copy[i], *a = other_copy(c, i);
		struct fact facts[1];

		if (a == NULL)
			continue;
		facts[0] = (struct fact)FACT_TEXT("other", a->f->name,
		    a->f->n);
		rc = repository_tell(c->r, a->owner == b->owner ?
		    ANOMALY_REPO_TEMPLATE_DIFFERS :
		    ANOMALY_REPO_TEMPLATE_OWN, b->f, facts, 1);
	}
	return rc;
}

int
repository_code(struct repository *r)
{
	struct code *c = arena_alloc(r->p->arena, sizeof(*c));
	int rc = 0;

	if (c == NULL)
		return err_set(r->p->e, ERR_NOMEM, "out of memory");
	c->r = r;
	for (size_t i = 0; i < r->files && rc >= 0; i++) {
		c->f = &r->file[i];
		rc = look_at(c);
	}
	return rc < 0 ? rc : check_copies(c);
}
