#ifndef FORMATS_CONFIG_H_
#define FORMATS_CONFIG_H_

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "formats/format.h"

struct arena;
struct json_token;

/*
 * Configuration that makes a loader import code, open files or render text:
 * the keys of Hugging Face, Diffusers, sentence-transformers, PEFT, Hydra,
 * Keras and MLflow, wherever in a document they stand: a loader takes them
 * from nested objects as well, and a file's name is not known here.
 *
 * Private to the text formats and to formats that carry such values as
 * metadata.
 */

/* One value of a document, a string. */
struct config_value {
	const char *path;	/* for people: "text_config.auto_map.X" */
	size_t path_len;
	const char *key;	/* of the nearest object that it stands in */
	size_t key_len;
	const char *parent;	/* the key of that object; or NULL */
	size_t parent_len;
	const char *text;
	size_t len;
	uint64_t off;
};

/* config_string: what the rules say of it, and format_meta for it. */
int config_string(struct parse *p, const struct config_value *v);
/* config_true: of a boolean that is true. */
int config_true(struct parse *p, const struct config_value *v);

/*
 * config_code: ${text} names code that a loader would fetch or import from
 * the repository: "module.Class" or "repository--module.Class".
 */
int config_code(struct parse *p, const struct config_value *v,
    const char *text, size_t n);

/*
 * config_target: ${text} is a dotted name that a loader imports and calls.
 * Nothing is said of the classes of well-known packages.
 */
int config_target(struct parse *p, const struct config_value *v,
    const char *text, size_t n);

/* config_package_known: does the dotted name begin with one of those? */
bool config_package_known(const char *name, size_t n);

/*
 * config_path_odd: does the path leave the folder it belongs to: "..", a URL
 * and, if ${strict}, absolute paths and drives?
 */
bool config_path_odd(const char *path, size_t n, bool strict);

/*
 * config_blob: a value that is base64 of a pickle, a program, an archive or
 * python byte code: told, and given on as a member.
 */
int config_blob(struct parse *p, const struct config_value *v);

/* A JSON document, token by token; memory from ${a}. */
struct config_json;
struct config_json *config_json_new(struct parse *p, struct arena *a);
int config_json_token(struct config_json *c, const struct json_token *t);

#endif /* !FORMATS_CONFIG_H_ */
