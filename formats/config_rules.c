#include <string.h>

#include "formats/config.h"
#include "formats/jinja.h"
#include "formats/names.h"

enum action { CODE, CODE_IF_SLASH, IMPL, TARGET, LIBRARY, FILE_HERE, PATH,
	BASE, TEMPLATE };

static const struct rule {
	const char *key, *parent;
	enum action action;
} rules[] = {
#define CONFIG(key, parent, action) {key, parent, action},
#include "formats/config_rules.def"
#undef CONFIG
};

static const char *const packages[] = {
#define PACKAGE(name) name,
#include "formats/config_packages.def"
#undef PACKAGE
};

/* Of a value that is shown: enough to recognize it. */
#define VALUE_SHOWN 512

static bool
is(const char *p, size_t n, const char *word)
{
	return n == strlen(word) && (n == 0 || memcmp(p, word, n) == 0);
}

static bool
starts(const char *p, size_t n, const char *word)
{
	size_t m = strlen(word);

	return n >= m && memcmp(p, word, m) == 0;
}

static int
tell(struct parse *p, const struct config_value *v, enum anomaly id,
    const struct fact *more, unsigned count)
{
	struct fact facts[FACT_MAX];

	facts[0] = (struct fact)FACT_TEXT("key", v->path, v->path_len);
	facts[1] = (struct fact)FACT_TEXT("value", v->text,
	    v->len < VALUE_SHOWN ? v->len : VALUE_SHOWN);
	for (unsigned i = 0; i < count; i++)
		facts[2 + i] = more[i];
	return format_anomaly(p, id, v->off, 0, facts, 2 + count);
}

bool
config_package_known(const char *name, size_t n)
{
	const char *dot = n > 0 ? memchr(name, '.', n) : NULL;
	size_t root = dot != NULL ? (size_t)(dot - name) : n;

	for (size_t i = 0; i < sizeof(packages) / sizeof(packages[0]); i++)
		if (is(name, root, packages[i]))
			return true;
	return false;
}

int
config_code(struct parse *p, const struct config_value *v, const char *text,
    size_t n)
{
	const char *dashes = n > 2 ? memmem(text, n, "--", 2) : NULL;
	const char *name = dashes != NULL ? dashes + 2 : text, *dot;
	size_t left = n - (size_t)(name - text);
	struct fact facts[3];
	unsigned count = 0;

	dot = left > 0 ? memrchr(name, '.', left) : NULL;
	facts[count++] = (struct fact)FACT_TEXT("code", text, n < VALUE_SHOWN ?
	    n : VALUE_SHOWN);
	if (dashes != NULL)
		facts[count++] = (struct fact)FACT_TEXT("repository", text,
		    (size_t)(dashes - text));
	if (dot != NULL)
		facts[count++] = (struct fact)FACT_TEXT("module", name,
		    (size_t)(dot - name));
	return tell(p, v, ANOMALY_CONFIG_REMOTE_CODE, facts, count);
}

/* "a.b.Name": does the last part look like a class? */
static bool
is_class(const char *name, size_t n)
{
	const char *dot = n > 0 ? memrchr(name, '.', n) : NULL;

	return dot != NULL && dot + 1 < name + n && dot[1] >= 'A' &&
	    dot[1] <= 'Z';
}

int
config_target(struct parse *p, const struct config_value *v,
    const char *text, size_t n)
{
	const bool known = config_package_known(text, n);
	const struct fact facts[] = {FACT_TEXT("target", text,
	    n < VALUE_SHOWN ? n : VALUE_SHOWN), FACT_NUM("known", known)};

	/* "${model.target}" is filled in from elsewhere in the document. */
	if (n == 0 || starts(text, n, "${") || (known && is_class(text, n)))
		return 0;
	return tell(p, v, ANOMALY_CONFIG_TARGET, facts, 2);
}

static int
library(struct parse *p, const struct config_value *v)
{
	if (starts(v->text, v->len, "transformers_modules"))
		return config_code(p, v, v->text, v->len);
	if (v->len == 0 || config_package_known(v->text, v->len))
		return 0;
	return config_target(p, v, v->text, v->len);
}

static bool
has_scheme(const char *p, size_t n)
{
	const char *colon = n > 3 ? memmem(p, n < 32 ? n : 32, "://", 3) :
	    NULL;

	return colon != NULL && colon > p;
}

bool
config_path_odd(const char *path, size_t n, bool strict)
{
	unsigned odd = names_oddities(path, n);

	return (odd & (NAMES_TRAVERSAL | NAMES_LOOKALIKE | NAMES_NUL)) != 0 ||
	    has_scheme(path, n) || (strict && (odd & NAMES_ABSOLUTE) != 0);
}

static int
path(struct parse *p, const struct config_value *v, bool strict)
{
	if (!config_path_odd(v->text, v->len, strict))
		return 0;
	return tell(p, v, ANOMALY_CONFIG_PATH, NULL, 0);
}

static int
template(struct parse *p, const struct config_value *v)
{
	size_t n = v->len;
	uint64_t left = p->size - v->off;
	int r;

	/* Escapes only shorten; a bound all the same, as jinja.h asks. */
	if (n > left)
		n = (size_t)left;
	if (!jinja_is((const uint8_t *)v->text, n))
		return 0;
	r = jinja_check(p, "chat_template", (const uint8_t *)v->text, n,
	    v->off);
	return r < 0 ? r : 0;
}

static int
act(struct parse *p, const struct config_value *v, enum action action)
{
	switch (action) {
	case CODE:
		return v->len > 0 ? config_code(p, v, v->text, v->len) : 0;
	case CODE_IF_SLASH:
		return v->len > 0 && memchr(v->text, '/', v->len) != NULL ?
		    config_code(p, v, v->text, v->len) : 0;
	case IMPL:	/* of transformers' custom_pipelines */
		return memmem(v->path, v->path_len, "custom_pipelines.",
		    17) != NULL ? config_code(p, v, v->text, v->len) : 0;
	case TARGET:
		return config_target(p, v, v->text, v->len);
	case LIBRARY:
		return library(p, v);
	case FILE_HERE:
		return path(p, v, true);
	case PATH:
	case BASE:
		return path(p, v, false);
	case TEMPLATE:
		return template(p, v);
	default:
		return 0;
	}
}

static bool
matches(const struct rule *r, const struct config_value *v)
{
	if (r->key[0] != '\0' && !is(v->key, v->key_len, r->key))
		return false;
	return r->parent[0] == '\0' || (v->parent != NULL &&
	    is(v->parent, v->parent_len, r->parent));
}

int
config_string(struct parse *p, const struct config_value *v)
{
	int r;

	if ((r = format_meta(p, v->key, v->key_len, v->text, v->len,
	    v->off)) < 0 || (r = config_blob(p, v)) < 0)
		return r;
	for (size_t i = 0; i < sizeof(rules) / sizeof(rules[0]); i++)
		if (matches(&rules[i], v))
			return act(p, v, rules[i].action);
	return 0;
}

int
config_true(struct parse *p, const struct config_value *v)
{
	if (!is(v->key, v->key_len, "trust_remote_code"))
		return 0;
	return tell(p, v, ANOMALY_CONFIG_TRUST, NULL, 0);
}
