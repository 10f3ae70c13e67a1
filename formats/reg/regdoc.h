#ifndef FORMATS_REG_REGDOC_H_
#define FORMATS_REG_REGDOC_H_

#include "formats/doc.h"
#include "formats/reg/reg.h"

/*
 * Files of a registry as documents, and their values as columns of a row.
 */

/*
 * regdoc_json: the whole file as one JSON value.  regdoc_yaml: its first
 * document; more than one is told as REG_PROBLEM_MALFORMED, and the first
 * stands.  Into p->arena.  0; 1 when it cannot be read: not at hand, over
 * LIMIT_REG_DOCUMENT, malformed (told, with line and column); negative.
 */
int regdoc_json(struct reg_parse *p, const struct reg_file *f,
    const struct doc **ret);
int regdoc_yaml(struct reg_parse *p, const struct reg_file *f,
    const struct doc **ret);
/* regdoc_yaml_all: the list of all documents, with no such complaint. */
int regdoc_yaml_all(struct reg_parse *p, const struct reg_file *f,
    const struct doc **ret);
/* regdoc_json_text: the same of bytes at hand, which came from ${f}. */
int regdoc_json_text(struct reg_parse *p, const struct reg_file *f,
    const void *text, size_t n, const struct doc **ret);

/* A column from a scalar; left alone when there is none, null or empty. */
void regdoc_text(struct field *f, const struct doc *d);
void regdoc_u64(struct field *f, const struct doc *d);
/* Milliseconds since 1970; left alone when zero, negative or too large. */
void regdoc_ms(struct field *f, const struct doc *d);
void regdoc_time(struct field *f, int64_t ms);

/* A fact of a problem from a C string, or from a scalar. */
struct reg_fact regdoc_fact(const char *key, const struct doc *d);
struct reg_fact regdoc_says(const char *key, const char *says);
/* ... and from a number, which is written to ${text}. */
struct reg_fact regdoc_number(const char *key, uint64_t v, char text[21]);

#endif /* !FORMATS_REG_REGDOC_H_ */
