#ifndef FORMATS_JINJA_H_
#define FORMATS_JINJA_H_

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct arena;
struct parse;

/*
 * Chat templates: Jinja2 source that a loader renders for every request, so
 * a program that travels with the weights.  It is read here and never run.
 *
 * A template stands alone in a file (chat_template.jinja), in a string of a
 * JSON file (tokenizer_config.json) or of a GGUF key; whoever finds one hands
 * its bytes to jinja_check.
 */

/*
 * jinja_is: do these bytes hold a tag that a renderer would act on: "{{ .. }}"
 * or "{% word"?  Plain text of any length, JSON and code do not.
 */
bool jinja_is(const uint8_t *t, size_t n);

/*
 * jinja_check: judge the template t[0..n), and tell what is odd as anomalies
 * JINJA_* of ${p}; JINJA_TEMPLATE (a note) is told for every template, with
 * its digest.
 *
 * ${what} is our own word for where it was found ("tokenizer.chat_template",
 * "chat_template"), printed in each anomaly; "file" for a file of its own.
 * ${off} is where t[0] stands in the object: an anomaly's offset is ${off}
 * plus the place in the template, which is exact when the bytes stand there
 * as they are, and a lower bound when they were unescaped (a JSON string).
 * ${n} must not be more than what the object holds from ${off} on.
 *
 * 0 when the template was read to its end, 1 when it was not (told as
 * JINJA_SYNTAX or LIMIT), or negative when our side or the consumer failed.
 * Time is linear in ${n}; memory comes from p->arena, some 12 times ${n} and
 * 64 MiB at most.
 */
int jinja_check(struct parse *p, const char *what, const uint8_t *t,
    size_t n, uint64_t off);

/*
 * jinja_fold: the template as copies of it are compared: each run of white
 * space is one blank, none at either end.  Bytes of ${a}; NULL when it is
 * full.  Two templates that fold to the same bytes differ at most in what a
 * renderer lays out.
 */
const uint8_t *jinja_fold(struct arena *a, const uint8_t *t, size_t n,
    size_t *len);

/*
 * jinja_digest: 64-bit FNV-1a of the folded bytes, without folding them in
 * memory.  For people and for tables; equality is decided by jinja_fold.
 */
uint64_t jinja_digest(const uint8_t *t, size_t n);

#endif /* !FORMATS_JINJA_H_ */
