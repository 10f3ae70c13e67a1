#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytesrc.h"
#include "base/err.h"
#include "formats/yara.h"

struct seen {
	char rule[8][32], string[8][16], severity[8][16], tags[8][32];
	uint64_t off[8], len[8], count[8];
	unsigned n;
	int answer;
};

static int
remember(void *ctx, const struct yara_match *m)
{
	struct seen *s = ctx;
	unsigned i = s->n++;

	assert_true(i < 8);
	(void)snprintf(s->rule[i], sizeof(s->rule[0]), "%s", m->rule);
	(void)snprintf(s->string[i], sizeof(s->string[0]), "%s", m->string);
	(void)snprintf(s->severity[i], sizeof(s->severity[0]), "%s",
	    m->severity);
	(void)snprintf(s->tags[i], sizeof(s->tags[0]), "%s", m->tags);
	s->off[i] = m->off;
	s->len[i] = m->len;
	s->count[i] = m->count;
	return s->answer;
}

static struct yara *
compile(const char *text)
{
	struct err e = ERR_INIT;
	struct yara *y = NULL;

	if (yara_compile(text, strlen(text), &y, &e) < 0)
		fail_msg("%s", e.msg);
	return y;
}

static int
scan(struct yara *y, const void *p, size_t n, struct seen *s)
{
	struct bytesrc *src = bytesrc_mem(p, n, NULL);
	int r;

	s->n = 0;
	r = yara_scan(y, src, 60, remember, s, NULL);
	bytesrc_free(src);
	return r;
}

static void
a_rule_that_holds_is_told_with_its_first_place(void **state)
{
	struct yara *y = compile("rule one : a b { meta: severity=\"low\" "
	    "strings: $x = \"evil\" $y = \"vil\" condition: any of them }"
	    "rule silent { strings: $x = \"absent\" condition: $x }");
	struct seen s = {0};

	(void)state;
	assert_int_equal(scan(y, "..evil evil", 11, &s), 0);
	assert_int_equal(s.n, 1);
	assert_string_equal(s.rule[0], "one");
	assert_string_equal(s.string[0], "$x");
	assert_string_equal(s.tags[0], "a b");
	assert_string_equal(s.severity[0], "low");
	assert_int_equal(s.off[0], 2);
	assert_int_equal(s.len[0], 4);
	assert_int_equal(s.count[0], 2);
	assert_int_equal(scan(y, "", 0, &s), 0);
	assert_int_equal(s.n, 0);
	yara_free(y);
}

static void
what_lies_across_the_edge_of_a_block_is_found(void **state)
{
	struct yara *y = compile("rule edge { strings: $x = \"needle\" "
	    "condition: #x == 3 and filesize > 20000000 }");
	size_t n = 2 * YARA_BLOCK + YARA_BLOCK / 2;
	uint8_t *p = calloc(1, n);
	struct seen s = {0};

	(void)state;
	assert_non_null(p);
	memcpy(p + YARA_BLOCK - 3, "needle", 6);
	/* In the overlap: seen twice, counted once. */
	memcpy(p + YARA_BLOCK - YARA_OVERLAP + 100, "needle", 6);
	memcpy(p + n - 6, "needle", 6);
	assert_int_equal(scan(y, p, n, &s), 0);
	assert_int_equal(s.n, 1);
	assert_int_equal(s.off[0], YARA_BLOCK - YARA_OVERLAP + 100);
	free(p);
	yara_free(y);
}

static void
modules_see_the_first_block_to_the_end(void **state)
{
	struct yara *y = compile("import \"elf\" import \"math\" rule m { "
	    "condition: math.entropy(0, filesize) < 1.0 and "
	    "not defined elf.type }");
	struct seen s = {0};
	uint8_t *p = calloc(1, 3 * YARA_BLOCK);

	(void)state;
	assert_non_null(p);
	assert_int_equal(scan(y, p, 3 * YARA_BLOCK, &s), 0);
	assert_int_equal(s.n, 1);
	free(p);
	yara_free(y);
}

static void
what_is_no_rule_is_refused_with_its_line(void **state)
{
	static const char *const bad[] = {"rule x {\n condition: y }",
	    "include \"/etc/passwd\"", "rule", NULL};
	struct yara *y = NULL;

	(void)state;
	for (const char *const *t = bad; *t != NULL; t++) {
		struct err e = ERR_INIT;

		assert_int_equal(yara_compile(*t, strlen(*t), &y, &e),
		    ERR_FORMAT);
		assert_non_null(strstr(e.msg, "line "));
		assert_null(y);
	}
	assert_int_equal(yara_compile("rule\0x", 6, &y, NULL), ERR_FORMAT);
}

static void
the_consumers_failure_ends_the_scan(void **state)
{
	struct yara *y = compile("rule a { condition: true } "
	    "rule b { condition: true }");
	struct seen s = {.answer = ERR_STOP};

	(void)state;
	assert_int_equal(scan(y, "x", 1, &s), ERR_STOP);
	assert_int_equal(s.n, 1);
	yara_free(y);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_rule_that_holds_is_told_with_its_first_place),
	    cmocka_unit_test(what_lies_across_the_edge_of_a_block_is_found),
	    cmocka_unit_test(modules_see_the_first_block_to_the_end),
	    cmocka_unit_test(what_is_no_rule_is_refused_with_its_line),
	    cmocka_unit_test(the_consumers_failure_ends_the_scan),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
