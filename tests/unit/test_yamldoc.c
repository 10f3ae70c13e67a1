#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/limits.h"
#include "formats/doc.h"

static struct arena *arena;
static struct doc_fault fault;

static int
setup(void **state)
{
	(void)state;
	arena = arena_new(512 * MIB);
	return arena == NULL;
}

static int
teardown(void **state)
{
	(void)state;
	arena_free(arena);
	return 0;
}

static int
read_n(const char *text, size_t n, const struct doc **ret)
{
	struct err e = ERR_INIT;
	char *copy = malloc(n > 0 ? n : 1);
	int r;

	assert_non_null(copy);
	if (n > 0)
		memcpy(copy, text, n);
	r = doc_yaml(copy, n, arena, ret, &fault, &e);
	free(copy);
	assert_int_equal(r < 0, e.code != ERR_OK);
	return r;
}

/* The first document. */
static const struct doc *
yaml(const char *text)
{
	const struct doc *d = NULL;

	assert_int_equal(read_n(text, strlen(text), &d), 0);
	assert_int_equal(d->type, DOC_LIST);
	assert_true(d->n >= 1);
	return doc_at(d, 0);
}

static int
refused(const char *text)
{
	const struct doc *d = NULL;
	int r = read_n(text, strlen(text), &d);

	assert_true(r < 0);
	assert_null(d);
	return r;
}

static void
plain_scalars_are_resolved_and_quoted_ones_are_not(void **state)
{
	static const struct {
		const char *text;
		enum doc_type type;
	} cases[] = {
	    {"null", DOC_NULL}, {"~", DOC_NULL}, {"", DOC_NULL},
	    {"true", DOC_BOOL}, {"False", DOC_BOOL}, {"yes", DOC_STRING},
	    {"12", DOC_INT}, {"-0x1F", DOC_INT}, {"0o17", DOC_INT},
	    {"017", DOC_INT}, {"089", DOC_STRING}, {"+5", DOC_INT},
	    {"1_000", DOC_STRING}, {"1.5", DOC_REAL}, {"1e5", DOC_REAL},
	    {"-.5e-3", DOC_REAL}, {".inf", DOC_REAL}, {"-.INF", DOC_REAL},
	    {".nan", DOC_REAL}, {"1.2.3", DOC_STRING}, {"-", DOC_LIST},
	    {"1e", DOC_STRING}, {".", DOC_STRING}, {"0x", DOC_STRING},
	    {"2024-01-02", DOC_STRING}, {"'12'", DOC_STRING},
	    {"\"true\"", DOC_STRING}, {"|\n  12", DOC_STRING},
	    {"!!str 12", DOC_STRING}, {"!!int 12", DOC_INT},
	    {"!!int 'x'", DOC_STRING}, {"!!float 3", DOC_REAL},
	    {"!thing 12", DOC_STRING}, {"! 12", DOC_STRING},
	};
	char text[64];

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		(void)snprintf(text, sizeof(text), "a: %s\n",
		    cases[i].text[0] == '-' && cases[i].text[1] == '\0' ?
		    "\n- " : cases[i].text);
		if (doc_key(yaml(text), "a")->type != cases[i].type)
			fail_msg("%s", text);
	}
	assert_int_equal(doc_key(yaml("a: -0x1F"), "a")->i, -31);
	assert_int_equal(doc_key(yaml("a: 017"), "a")->i, 15);
	assert_true(doc_key(yaml("a: -.inf"), "a")->d < -1e308);
	assert_true(doc_key(yaml("a: -.5e-3"), "a")->d == -.5e-3);
}

static void
offsets_are_bytes_where_marks_count_characters(void **state)
{
	const struct doc *d = yaml("# \xc3\xa9\xe2\x82\xac\nk\xc3\xb6: v\n"
	    "x: [1, \xf0\x9f\x98\x80]\n");

	(void)state;
	assert_int_equal(doc_kids(d)->key_off, 8);
	assert_int_equal(doc_kids(d)->off, 13);
	assert_int_equal(doc_get(d, "x.1")->off, 22);
}

static void
several_documents_are_a_list(void **state)
{
	const struct doc *d = NULL;
	static const char text[] = "a: &x 1\n---\nb: 2\n...\n---\n[]\n";

	(void)state;
	assert_int_equal(read_n(text, sizeof(text) - 1, &d), 0);
	assert_int_equal(d->n, 3);
	assert_int_equal(doc_get(d, "1.b")->i, 2);
	assert_int_equal(read_n("", 0, &d), 0);
	assert_int_equal(d->n, 0);
	/* An anchor ends with its document. */
	assert_int_equal(refused("a: &x 1\n---\nb: *x\n"), ERR_FORMAT);
}

static void
an_alias_is_a_copy_that_says_so(void **state)
{
	const struct doc *d = yaml("a: &x {b: [1, 2]}\nc: *x\n&k d: *k\n");

	(void)state;
	assert_int_equal(doc_get(d, "c.b.1")->i, 2);
	assert_string_equal(doc_key(d, "c")->alias, "x");
	assert_string_equal(doc_key(d, "c")->key, "c");
	assert_null(doc_key(d, "a")->alias);
	assert_ptr_equal(doc_kids(doc_key(d, "a")),
	    doc_kids(doc_key(d, "c")));
	assert_string_equal(doc_key(d, "d")->str, "d");
}

static void
a_value_that_holds_itself_is_refused(void **state)
{
	(void)state;
	assert_int_equal(refused("&a [*a]\n"), ERR_FORMAT);
	assert_string_equal(fault.what, "a value holds itself");
	assert_int_equal(refused("a: &x {b: {c: *x}}\n"), ERR_FORMAT);
	assert_int_equal(fault.line, 1);
	assert_int_equal(fault.column, 15);
	assert_int_equal(refused("a: *nobody\n"), ERR_FORMAT);
	assert_int_equal(refused("? [a]\n: b\n"), ERR_FORMAT);
	assert_int_equal(refused("a: &x []\n*x : 1\n"), ERR_FORMAT);
}

static void
aliases_that_would_grow_without_bound_are_refused(void **state)
{
	struct buf b;

	(void)state;
	buf_init(&b, 4 * KIB);
	buf_puts(&b, "a0: &a0 [x,x,x,x,x,x,x,x,x,x]\n");
	for (int i = 1; i < 9; i++)
		buf_printf(&b, "a%d: &a%d [*a%d,*a%d,*a%d,*a%d,*a%d,*a%d,"
		    "*a%d,*a%d]\n", i, i, i - 1, i - 1, i - 1, i - 1, i - 1,
		    i - 1, i - 1, i - 1);
	assert_int_equal(refused(buf_str(&b)), ERR_LIMIT);
	buf_release(&b);
	assert_string_equal(fault.what,
	    "aliases stand for more values than the limit");
}

static void
merge_keys_are_looked_through_and_limited(void **state)
{
	const struct doc *d = yaml("x: &x {a: 1, b: 2}\ny: &y {b: 3, c: 4}\n"
	    "one: {<<: *x, a: 9}\ntwo: {<<: [*y, *x]}\nno: {<<: 5}\n");
	struct buf b;

	(void)state;
	buf_init(&b, 4 * KIB);
	assert_int_equal(doc_get(d, "one.a")->i, 9);
	assert_int_equal(doc_get(d, "one.b")->i, 2);
	assert_int_equal(doc_get(d, "two.b")->i, 3);
	assert_int_equal(doc_get(d, "two.a")->i, 1);
	assert_null(doc_get(d, "two.z"));
	assert_null(doc_get(d, "no.z"));
	buf_puts(&b, "a0: &a0 {x: 1}\n");
	for (int i = 1; i < 12; i++)
		buf_printf(&b, "a%d: &a%d {<<: [*a%d,*a%d]}\n", i, i,
		    i - 1, i - 1);
	assert_int_equal(refused(buf_str(&b)), ERR_LIMIT);
	buf_release(&b);
}

static void
depth_is_limited_also_through_aliases(void **state)
{
	char text[512];
	size_t n = 0;

	(void)state;
	memset(text, '[', LIMIT_DOC_YAML_DEPTH);
	memset(text + LIMIT_DOC_YAML_DEPTH, ']', LIMIT_DOC_YAML_DEPTH);
	text[2 * LIMIT_DOC_YAML_DEPTH] = '\0';
	assert_int_equal(yaml(text)->type, DOC_LIST);
	memset(text, '[', LIMIT_DOC_YAML_DEPTH + 1);
	text[LIMIT_DOC_YAML_DEPTH + 1] = '\0';
	assert_int_equal(refused(text), ERR_LIMIT);
	n += (size_t)snprintf(text, sizeof(text), "a: &a ");
	memset(text + n, '[', 40);
	memset(text + n + 40, ']', 40);
	n += 80;
	n += (size_t)snprintf(text + n, sizeof(text) - n, "\nb: ");
	memset(text + n, '[', 40);
	n += 40;
	n += (size_t)snprintf(text + n, sizeof(text) - n, "*a");
	memset(text + n, ']', 40);
	text[n + 40] = '\0';
	assert_int_equal(refused(text), ERR_LIMIT);
}

static void
tags_are_text_and_change_nothing(void **state)
{
	const struct doc *d = yaml("a: !!python/object/apply:os.system [id]\n"
	    "b: !mine {c: 1}\n");

	(void)state;
	assert_string_equal(doc_key(d, "a")->tag,
	    "tag:yaml.org,2002:python/object/apply:os.system");
	assert_int_equal(doc_key(d, "a")->type, DOC_LIST);
	assert_string_equal(doc_key(d, "b")->tag, "!mine");
	assert_null(doc_get(d, "b.c")->tag);
}

static void
what_is_malformed_has_a_place(void **state)
{
	(void)state;
	assert_int_equal(refused("a: 1\nb: [1, 2\nc: 3\n"), ERR_FORMAT);
	assert_int_equal(fault.line, 3);
	assert_int_equal(refused("a: \"\xff\"\n"), ERR_FORMAT);
	assert_int_equal(fault.off, 4);
	assert_int_equal(refused("a: 1\n\tb: 2\n"), ERR_FORMAT);
	assert_int_equal(fault.line, 2);
	/* UTF-16 is not what any registry writes. */
	assert_true(refused("\xff\xfe" "a") < 0);
}

static void
cut_anywhere_it_ends_in_a_tree_or_a_told_fault(void **state)
{
	static const char text[] = "%YAML 1.1\n---\na: &x [1, 'two', \"t\\x41\"]"
	    "\nb: {c: *x, d: |\n  block\n  text\n}\n? e\n: !!int 5\n...\n";
	const struct doc *d;
	int good = 0, bad = 0;

	(void)state;
	for (size_t n = 0; n < sizeof(text); n++) {
		int r = read_n(text, n, &d);

		good += r == 0;
		bad += r == ERR_FORMAT;
		assert_true(r == 0 || r == ERR_FORMAT);
		assert_true(r == 0 || fault.off <= n);
	}
	assert_true(good > 5 && bad > 5);
}

static void
a_flipped_byte_never_breaks_the_reader(void **state)
{
	static const char text[] = "aliases:\n  prod: '2'\nname: m\nx: &a [1]\n"
	    "y: *a\ntime: 1754589500399\n";
	const struct doc *d;
	char copy[sizeof(text)];

	(void)state;
	for (size_t i = 0; i + 1 < sizeof(text); i++) {
		for (unsigned bit = 0; bit < 8; bit++) {
			memcpy(copy, text, sizeof(text));
			copy[i] = (char)(copy[i] ^ (1 << bit));
			assert_true(read_n(copy, sizeof(text) - 1, &d) <= 0);
		}
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(
		plain_scalars_are_resolved_and_quoted_ones_are_not),
	    cmocka_unit_test(offsets_are_bytes_where_marks_count_characters),
	    cmocka_unit_test(several_documents_are_a_list),
	    cmocka_unit_test(an_alias_is_a_copy_that_says_so),
	    cmocka_unit_test(a_value_that_holds_itself_is_refused),
	    cmocka_unit_test(
		aliases_that_would_grow_without_bound_are_refused),
	    cmocka_unit_test(merge_keys_are_looked_through_and_limited),
	    cmocka_unit_test(depth_is_limited_also_through_aliases),
	    cmocka_unit_test(tags_are_text_and_change_nothing),
	    cmocka_unit_test(what_is_malformed_has_a_place),
	    cmocka_unit_test(cut_anywhere_it_ends_in_a_tree_or_a_told_fault),
	    cmocka_unit_test(a_flipped_byte_never_breaks_the_reader),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
