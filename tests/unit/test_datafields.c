#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <setjmp.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "analyzer/triggers/datachat.h"
#include "analyzer/triggers/datafields.h"
#include "base/arena.h"
#include "base/buf.h"
#include "base/bytesrc.h"
#include "base/err.h"
#include "base/limits.h"
#include "formats/rows/rowset.h"

/* A table or lines of forty records, and what is found in them. */
struct found {
	struct arena *a;
	struct bytesrc *src;
	struct rows_file file;
	struct rows_params p;
	struct rowset *rs;
	struct data_fields f;
	struct err e;
	char *text;
};

static void
open_lines(struct found *x, const char *name, const char *head,
    const char *line)
{
	size_t n = 0, cap = 65536;

	memset(x, 0, sizeof(*x));
	assert_non_null(x->text = malloc(cap));
	n += (size_t)snprintf(x->text, cap, "%s", head);
	for (unsigned i = 0; i < 40; i++)
		for (const char *s = line; *s != '\0' && n + 16 < cap; s++)
			if (*s == '#')
				n += (size_t)snprintf(x->text + n, cap - n,
				    "%u", i);
			else if (*s == '?')
				x->text[n++] = (char)('0' + i % 3);
			else
				x->text[n++] = *s;
	assert_non_null(x->a = arena_new(64 * MIB));
	assert_non_null(x->src = bytesrc_mem(x->text, n, &x->e));
	x->file = (struct rows_file){name, strlen(name), x->src};
	x->p = (struct rows_params){.file = &x->file, .files = 1,
	    .arena = x->a};
	assert_int_equal(rowset_open(&x->p, &x->rs, &x->e), 0);
}

static void
drop(struct found *x)
{
	rowset_close(x->rs);
	bytesrc_free(x->src);
	arena_free(x->a);
	free(x->text);
}

static void
put(char *got, size_t cap, const char *key, const struct data_paths *p)
{
	size_t n = strlen(got);

	for (unsigned i = 0; i < p->n; i++)
		n += (size_t)snprintf(got + n, cap - n, "%s%s", i > 0 ? "+" :
		    key, p->path[i]);
}

static void
check(const char *name, const char *head, const char *line, const char *map,
    const char *want)
{
	static const char *const kinds[] = {"unknown", "texts", "prompts",
	    "images"};
	char got[512];
	struct found x;

	open_lines(&x, name, head, line);
	assert_int_equal(datafields_parse(map, x.a, &x.f, &x.e), 0);
	assert_int_equal(datafields_find(x.rs, x.a, &x.f, &x.e), 0);
	(void)snprintf(got, sizeof(got), "%s%s", kinds[x.f.kind],
	    x.f.headless ? " headless" : "");
	put(got, sizeof(got), " text=", &x.f.role[DATA_TEXT]);
	put(got, sizeof(got), " label=", &x.f.role[DATA_LABEL]);
	put(got, sizeof(got), " prompt=", &x.f.role[DATA_PROMPT]);
	put(got, sizeof(got), " response=", &x.f.role[DATA_RESPONSE]);
	put(got, sizeof(got), " chat=", &x.f.role[DATA_CHAT]);
	assert_string_equal(got, want);
	assert_true(x.f.kind != DATA_UNKNOWN || x.f.why != NULL);
	drop(&x);
}

static void
names_say_what_a_field_is(void **state)
{
	(void)state;
	check("a.jsonl", "", "{\"id\":#,\"sentence\":\"words #\",\"label\":?}\n",
	    NULL, "texts text=sentence label=label");
	check("a.csv", "Title,Description,Class Index\n",
	    "head #,more words #,?\n", NULL,
	    "texts text=Title+Description label=Class Index");
	check("a.jsonl", "", "{\"premise\":\"a #\",\"hypothesis\":\"b #\","
	    "\"label\":?}\n", NULL, "texts text=premise+hypothesis label=label");
}

static void
prompts_take_all_their_parts(void **state)
{
	(void)state;
	check("a.jsonl", "", "{\"instruction\":\"do #\",\"input\":\"x\","
	    "\"output\":\"done # and more\"}\n", NULL,
	    "prompts prompt=instruction+input response=output");
	check("a.jsonl", "", "{\"prompt\":\"do #\",\"completion\":\"it is #\","
	    "\"system\":\"be\"}\n", NULL,
	    "prompts prompt=system+prompt response=completion");
	check("a.jsonl", "", "{\"messages\":[{\"role\":\"user\",\"content\":"
	    "\"#\"}]}\n", NULL, "prompts chat=messages");
}

static void
responses_of_few_values_are_labels(void **state)
{
	(void)state;
	check("a.jsonl", "", "{\"instruction\":\"rate this # words\","
	    "\"output\":\"class ?\"}\n", NULL,
	    "texts text=instruction label=output");
}

static void
tables_without_a_header_are_told_by_what_they_hold(void **state)
{
	(void)state;
	check("a.tsv", "", "some words that go on #\t?\n", NULL,
	    "texts headless text=0 label=1");
	check("a.csv", "", "?,\"a proper title #\",\"a longer text, with more #\"\n",
	    NULL, "texts headless text=1+2 label=0");
}

static void
what_a_person_gives_counts(void **state)
{
	(void)state;
	check("a.jsonl", "", "{\"text\":\"no #\",\"label\":\"?\",\"m\":{\"t\":"
	    "\"yes #\",\"k\":?}}\n", "text=m.t,label=m.k",
	    "texts text=m.t label=m.k");
	check("a.jsonl", "", "{\"q\":\"yes #\",\"a\":\"words #\"}\n",
	    "prompt=q,response=a", "prompts prompt=q response=a");
	check("a.jsonl", "", "{\"a\":\"yes #\",\"b\":\"and #\",\"c\":?}\n",
	    "text=a+b,label=c", "texts text=a+b label=c");
}

static void
what_fits_no_detector_is_said(void **state)
{
	(void)state;
	check("a.jsonl", "", "{\"x\":#,\"z\":1.5}\n", NULL, "unknown");
	check("a.jsonl", "", "{\"text\":\"words # without a label\"}\n", NULL,
	    "unknown text=text");
}

static void
a_map_that_cannot_be_read_is_an_error(void **state)
{
	static const char *const bad[] = {"", "text", "text=", "what=x",
	    "text=a,", "text=a+,label=b"};
	struct arena *a = arena_new(MIB);
	struct data_fields f;
	struct err e = ERR_INIT;

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		assert_int_equal(datafields_parse(bad[i], a, &f, &e), ERR_ARG);
		err_reset(&e);
	}
	arena_free(a);
}

static void
what_the_assistant_says_is_the_response(void **state)
{
	struct rows_record rec;
	struct buf p, r;
	struct found x;

	(void)state;
	open_lines(&x, "a.jsonl", "", "{\"c\":[{\"from\":\"system\",\"value\":"
	    "\"be\"},{\"from\":\"human\",\"value\":\"hi\"},{\"from\":\"gpt\","
	    "\"value\":\"yo #\"},{\"from\":\"human\",\"value\":\"so\"},"
	    "{\"from\":\"GPT\",\"value\":\"end\"}]}\n");
	buf_init(&p, KIB);
	buf_init(&r, KIB);
	assert_int_equal(rowset_next(x.rs, &rec, &x.e), 1);
	assert_int_equal(datachat_read(x.rs, "c", &p, &r, &x.e), 0);
	assert_string_equal(buf_str(&p), "be\nhi\nso");
	assert_string_equal(buf_str(&r), "yo 0\nend");
	buf_release(&p);
	buf_release(&r);
	drop(&x);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(names_say_what_a_field_is),
	    cmocka_unit_test(prompts_take_all_their_parts),
	    cmocka_unit_test(responses_of_few_values_are_labels),
	    cmocka_unit_test(
		tables_without_a_header_are_told_by_what_they_hold),
	    cmocka_unit_test(what_a_person_gives_counts),
	    cmocka_unit_test(what_fits_no_detector_is_said),
	    cmocka_unit_test(a_map_that_cannot_be_read_is_an_error),
	    cmocka_unit_test(what_the_assistant_says_is_the_response)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
