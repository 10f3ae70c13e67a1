#include <stdio.h>
#include <string.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/json_read.h"
#include "formats/config.h"

/*
 * The walk over a JSON document: which key a value stands under, and, at the
 * end of an object, what its fields mean together.
 *
 *	Keras			{"module", "class_name", "config", ...}
 *	sentence-transformers	[{"idx", "name", "path", "type"}, ...]
 *	Diffusers		{"_class_name": "StableDiffusionPipeline",
 *				 "unet": ["diffusers", "UNet2DConditionModel"]}
 */
#define PATH_MAX_TEXT 256	/* of a path as it is shown */
#define PAIRS 64	/* components of a pipeline: real ones have ten */

enum field { MODULE, CLASS, CONFIG, TYPE, PATH, IDX, PIPELINE, FIELDS };

static const char *const field_names[FIELDS] = {"module", "class_name",
    "config", "type", "path", "idx", "_class_name"};

struct text {
	const char *p;		/* NULL: not there, or no string */
	size_t n;
	uint64_t off;
	bool there;
};

struct level {
	bool array;
	const char *key;	/* the current one of an object */
	size_t key_len;
	uint64_t index;		/* the current one of an array */
	unsigned strings, others;	/* elements of an array */
	struct text field[FIELDS];
	struct text item[2];	/* the first elements of an array */
};

struct config_json {
	struct parse *p;
	struct level level[LIMIT_JSON_DEPTH + 1];
	unsigned depth;		/* open containers */
	unsigned pairs;
	struct pair {
		const char *key;
		size_t key_len;
		struct text module, name;
	} pair[PAIRS];
	char path[PATH_MAX_TEXT];
};

struct config_json *
config_json_new(struct parse *p, struct arena *a)
{
	struct config_json *c = arena_alloc(a, sizeof(*c));

	if (c == NULL) {
		(void)err_set(p->e, ERR_NOMEM, "out of memory");
		return NULL;
	}
	c->p = p;
	return c;
}

/* The key of the nearest object around level ${depth}, or NULL. */
static const struct level *
owner(const struct config_json *c, unsigned depth)
{
	while (depth > 0 && c->level[depth - 1].array)
		depth--;
	return depth > 0 ? &c->level[depth - 1] : NULL;
}

static size_t
add(char *path, size_t at, const char *p, size_t n)
{
	if (n > PATH_MAX_TEXT - at)
		n = PATH_MAX_TEXT - at;
	if (n > 0)
		memcpy(path + at, p, n);
	return at + n;
}

static size_t
make_path(struct config_json *c, unsigned depth)
{
	char number[24];
	size_t at = 0;
	int n;

	for (unsigned i = 0; i < depth; i++) {
		const struct level *l = &c->level[i];

		if (!l->array) {
			if (at > 0)
				at = add(c->path, at, ".", 1);
			at = add(c->path, at, l->key, l->key_len);
			continue;
		}
		n = snprintf(number, sizeof(number), "[%llu]",
		    (unsigned long long)l->index);
		at = add(c->path, at, number, (size_t)n);
	}
	return at;
}

/* A value that stands in level ${depth} - 1. */
static void
fill(struct config_json *c, unsigned depth, const char *text, size_t n,
    uint64_t off, struct config_value *v)
{
	const struct level *o = owner(c, depth), *parent;

	*v = (struct config_value){.path = c->path, .text = text, .len = n,
	    .off = off, .key = ""};
	v->path_len = make_path(c, depth);
	if (o == NULL)
		return;
	v->key = o->key;
	v->key_len = o->key_len;
	parent = owner(c, (unsigned)(o - c->level));
	if (parent != NULL) {
		v->parent = parent->key;
		v->parent_len = parent->key_len;
	}
}

static bool
is(const struct text *t, const char *word)
{
	return t->p != NULL && t->n == strlen(word) &&
	    memcmp(t->p, word, t->n) == 0;
}

static bool
starts(const struct text *t, const char *word)
{
	size_t m = strlen(word);

	return t->p != NULL && t->n >= m && memcmp(t->p, word, m) == 0;
}

static void
remember(struct level *l, const struct json_token *t)
{
	struct text x = {.off = t->off, .there = true};

	if (t->type == JSON_STRING) {
		x.p = t->str;
		x.n = t->len;
	}
	if (l->array) {
		if (l->strings + l->others < 2)
			l->item[l->strings + l->others] = x;
		l->strings += t->type == JSON_STRING;
		l->others += t->type != JSON_STRING;
		return;
	}
	for (unsigned i = 0; i < FIELDS; i++)
		if (l->key_len == strlen(field_names[i]) &&
		    memcmp(l->key, field_names[i], l->key_len) == 0)
			l->field[i] = x;
}

static int
scalar(struct config_json *c, const struct json_token *t)
{
	struct config_value v;

	if (c->depth == 0)
		return 0;
	remember(&c->level[c->depth - 1], t);
	if (t->type != JSON_STRING && t->type != JSON_TRUE)
		return 0;
	fill(c, c->depth, t->type == JSON_STRING ? t->str : "true",
	    t->type == JSON_STRING ? t->len : 4, t->off, &v);
	return t->type == JSON_STRING ? config_string(c->p, &v) :
	    config_true(c->p, &v);
}

static int
tell(struct config_json *c, enum anomaly id, const struct text *at,
    const struct fact *facts, unsigned n)
{
	return format_anomaly(c->p, id, at->off, 0, facts, n);
}

/*
 * Keras: deserialize_keras_object imports the module and takes the name from
 * it; of a function the name is "config".  A Lambda is byte code.
 */
static int
keras(struct config_json *c, const struct level *l)
{
	const struct text *module = &l->field[MODULE];
	const struct text *name = &l->field[CLASS];
	struct config_value v;
	char dotted[512];
	int n;

	if (name->p == NULL)
		return 0;
	fill(c, c->depth, name->p, name->n, name->off, &v);
	if (is(name, "Lambda") || is(name, "__lambda__")) {
		const struct fact facts[] = {
		    FACT_TEXT("key", v.path, v.path_len),
		    FACT_TEXT("class", name->p, name->n)};

		return tell(c, ANOMALY_CONFIG_LAMBDA, name, facts, 2);
	}
	if (module->p == NULL || module->n == 0 ||
	    config_package_known(module->p, module->n))
		return 0;
	if (is(name, "function") && l->field[CONFIG].p != NULL)
		name = &l->field[CONFIG];
	n = snprintf(dotted, sizeof(dotted), "%.*s.%.*s",
	    (int)(module->n < 250 ? module->n : 250), module->p,
	    (int)(name->n < 250 ? name->n : 250), name->p);
	return config_target(c->p, &v, dotted, n > 0 ? strlen(dotted) : 0);
}

/* sentence-transformers: modules.json imports "type" of each. */
static int
sentence(struct config_json *c, const struct level *l)
{
	const struct text *type = &l->field[TYPE], *path = &l->field[PATH];
	struct config_value v;
	int r;

	if (c->depth != 2 || !c->level[0].array || !l->field[IDX].there ||
	    type->p == NULL || !path->there)
		return 0;
	if (path->p != NULL && config_path_odd(path->p, path->n, true)) {
		const struct fact facts[] = {FACT_TEXT("key", "path", 4),
		    FACT_TEXT("value", path->p, path->n)};

		if ((r = tell(c, ANOMALY_CONFIG_PATH, path, facts, 2)) < 0)
			return r;
	}
	if (starts(type, "sentence_transformers."))
		return 0;
	fill(c, c->depth, type->p, type->n, type->off, &v);
	return config_code(c->p, &v, type->p, type->n);
}

/*
 * Diffusers: a component's module is a library, or a package below
 * diffusers.pipelines; other modules come from files of the repository.
 */
static bool
is_pipeline_module(const struct text *t)
{
	static const char *const words[] = {"stable_diffusion", "paint_by_",
	    "latent_diffusion", "kandinsky", "wuerstchen", "unidiffuser",
	    "audioldm", "shap_e", "kolors", "deprecated", "versatile_",
	    "pipeline_utils", "alt_diffusion", "deepfloyd_if",
	    "semantic_stable", "unclip", "gligen", "t2i_adapter", "controlnet",
	    "animatediff", "flux", "hunyuan", "lumina", "pixart", "sana",
	    "blip_diffusion", "ledits", "marigold", "musicldm", "onnx_utils",
	    "schedulers", "models", "wan", "ltx", "cogvideo", "cogview",
	    "stable_audio", "stable_cascade", "stable_video", "amused",
	    "mochi", "omnigen", "qwenimage", "hidream", NULL};

	for (const char *const *w = words; *w != NULL; w++)
		if (starts(t, *w))
			return true;
	return false;
}

/*
 * Models and schedulers have a "_class_name" as well, and pairs of words that
 * name nothing to import.  Which of them it is cannot be told by that name (a
 * caller may choose the pipeline), nor by the version beside it (no loader
 * asks for it), but by the keys: diffusers keeps those that begin with "_" to
 * itself ("_use_default_values"), and block types are no component.
 */
static bool
is_component(const struct pair *x)
{
	return x->key_len > 0 && x->key[0] != '_' &&
	    (x->key_len < 6 ||
	    memcmp(x->key + x->key_len - 6, "_types", 6) != 0);
}

static int
pipeline(struct config_json *c)
{
	int r = 0;

	for (unsigned i = 0; i < c->pairs && r >= 0; i++) {
		const struct pair *x = &c->pair[i];
		const struct fact facts[] = {
		    FACT_TEXT("key", x->key, x->key_len),
		    FACT_TEXT("module", x->module.p, x->module.n),
		    FACT_TEXT("class", x->name.p, x->name.n)};
		bool whole = x->key_len == 11 &&
		    memcmp(x->key, "_class_name", 11) == 0;

		if (whole || (is_component(x) &&
		    !config_package_known(x->module.p, x->module.n) &&
		    !is_pipeline_module(&x->module)))
			r = tell(c, whole ? ANOMALY_CONFIG_REMOTE_CODE :
			    ANOMALY_CONFIG_MODULE, &x->module, facts, 3);
	}
	return r;
}

/* ["module", "Class"] directly in the outermost object. */
static void
keep_pair(struct config_json *c, const struct level *l)
{
	const struct level *o = &c->level[0];

	if (c->depth != 2 || o->array || l->strings != 2 || l->others != 0 ||
	    c->pairs == PAIRS)
		return;
	c->pair[c->pairs++] = (struct pair){o->key, o->key_len, l->item[0],
	    l->item[1]};
}

static int
close_level(struct config_json *c)
{
	const struct level *l = &c->level[c->depth - 1];
	int r = 0;

	if (l->array) {
		keep_pair(c, l);
	} else if ((r = keras(c, l)) >= 0 && (r = sentence(c, l)) >= 0 &&
	    c->depth == 1 && l->field[PIPELINE].there) {
		r = pipeline(c);
	}
	c->depth--;
	if (c->depth > 0 && c->level[c->depth - 1].array)
		c->level[c->depth - 1].index++;
	return r;
}

int
config_json_token(struct config_json *c, const struct json_token *t)
{
	struct level *l = c->depth > 0 ? &c->level[c->depth - 1] : NULL;
	int r;

	switch (t->type) {
	case JSON_KEY:
		l->key = t->str;
		l->key_len = t->len;
		return 0;
	case JSON_OBJECT:
	case JSON_ARRAY:
		if (l != NULL)
			remember(l, t);
		c->level[c->depth++] = (struct level){
		    .array = t->type == JSON_ARRAY, .key = ""};
		return 0;
	case JSON_OBJECT_END:
	case JSON_ARRAY_END:
		return close_level(c);
	case JSON_STRING:
	case JSON_NUMBER:
	case JSON_TRUE:
	case JSON_FALSE:
	case JSON_NULL:
		r = scalar(c, t);
		if (l != NULL && l->array)
			l->index++;
		return r;
	case JSON_END:
	default:
		return 0;
	}
}
