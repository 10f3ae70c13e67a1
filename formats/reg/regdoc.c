#include <stdio.h>
#include <string.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/limits.h"
#include "formats/reg/regdoc.h"

typedef int doc_read(const void *p, size_t n, struct arena *a,
    const struct doc **ret, struct doc_fault *at, struct err *e);

struct reg_fact
regdoc_number(const char *key, uint64_t v, char text[21])
{
	int n = snprintf(text, 21, "%llu", (unsigned long long)v);

	return (struct reg_fact){key, text, (size_t)n};
}

static int
tell(struct reg_parse *p, const struct reg_file *f, int code,
    const struct doc_fault *at)
{
	char line[21], column[21];
	const struct reg_fact facts[] = {
	    regdoc_says("reason", at->what),
	    regdoc_number("line", at->line, line),
	    regdoc_number("column", at->column, column),
	};
	int r;

	err_reset(p->e);
	r = reg_tell_off(p, code == ERR_LIMIT ? REG_PROBLEM_UNREAD :
	    REG_PROBLEM_MALFORMED, f, at->off, facts, 3);
	return r < 0 ? r : 1;
}

static int
read_text(struct reg_parse *p, const struct reg_file *f, doc_read *how,
    const void *text, size_t n, const struct doc **ret)
{
	struct doc_fault at;
	int r = how(text, n, p->arena, ret, &at, p->e);

	return r == ERR_FORMAT || r == ERR_TRUNC || r == ERR_LIMIT ?
	    tell(p, f, r, &at) : r;
}

static int
read_file(struct reg_parse *p, const struct reg_file *f, doc_read *how,
    const struct doc **ret)
{
	const char *text;
	size_t n;
	int r = reg_bytes(p, f, LIMIT_REG_DOCUMENT, &text, &n);

	return r != 0 ? r : read_text(p, f, how, text, n, ret);
}

int
regdoc_json(struct reg_parse *p, const struct reg_file *f,
    const struct doc **ret)
{
	return read_file(p, f, doc_json, ret);
}

int
regdoc_json_text(struct reg_parse *p, const struct reg_file *f,
    const void *text, size_t n, const struct doc **ret)
{
	return read_text(p, f, doc_json, text, n, ret);
}

int
regdoc_yaml_all(struct reg_parse *p, const struct reg_file *f,
    const struct doc **ret)
{
	return read_file(p, f, doc_yaml, ret);
}

int
regdoc_yaml(struct reg_parse *p, const struct reg_file *f,
    const struct doc **ret)
{
	const struct doc *all;
	int r = regdoc_yaml_all(p, f, &all);
	struct doc_fault at = {1, 1, 0, "it holds no document"};

	if (r != 0)
		return r;
	if (all->n == 0)
		return tell(p, f, ERR_FORMAT, &at);
	*ret = all->first;
	if (all->n > 1) {
		struct reg_fact why = regdoc_says("reason",
		    "more than one document");

		r = reg_tell_off(p, REG_PROBLEM_MALFORMED, f,
		    all->first->next->off, &why, 1);
	}
	return r;
}

void
regdoc_text(struct field *f, const struct doc *d)
{
	size_t n;
	const char *text = doc_text(d, &n);

	if (text != NULL && n > 0)
		fields_text(f, text, n);
}

void
regdoc_u64(struct field *f, const struct doc *d)
{
	uint64_t v;

	if (doc_u64(d, &v))
		fields_u64(f, v);
}

void
regdoc_time(struct field *f, int64_t ms)
{
	if (ms > 0 && ms <= INT64_MAX / 1000000)
		fields_i64(f, ms * 1000000);
}

void
regdoc_ms(struct field *f, const struct doc *d)
{
	int64_t ms;

	if (doc_i64(d, &ms))
		regdoc_time(f, ms);
}

struct reg_fact
regdoc_fact(const char *key, const struct doc *d)
{
	struct reg_fact fact = {key, NULL, 0};

	fact.p = doc_text(d, &fact.n);
	if (fact.p == NULL)
		fact = regdoc_says(key, "");
	return fact;
}

struct reg_fact
regdoc_says(const char *key, const char *says)
{
	return (struct reg_fact){key, says, strlen(says)};
}
