#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>

#include "analyzer/report.h"
#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/limits.h"

/* The report of comparisons, from result files. */
#define HEADER \
	"{\"type\":\"header\",\"tool\":\"exhibit\",\"command\":\"diff\"," \
	"\"old\":\"a\",\"new\":\"b<i>\"}\n"
#define SUMMARY \
	"{\"type\":\"summary\",\"inputs\":2,\"tensors\":{\"identical\":3," \
	"\"changed\":2,\"added\":0},\"conclusions\":{\"noised\":1}," \
	"\"candidates\":1,\"model_verdict\":\"candidates\"}\n"

static struct buf html;
static FILE *file;

static void
begin(void)
{
	file = tmpfile();
	assert_non_null(file);
	(void)fputs(HEADER, file);
}

/* A tensor with a map of 2 x 2. */
static void
tensor(const char *name, double rel)
{
	(void)fprintf(file, "{\"type\":\"tensor\",\"name\":\"%s\","
	    "\"elements\":12,\"changed\":7,\"rel_l2\":%g,\"where\":{"
	    "\"grid_rows\":2,\"grid_cols\":2,\"grid\":[0,33,66,99]}}\n",
	    name, rel);
}

static const char *
finish(size_t memory)
{
	struct report_input in = {.name = "r.jsonl"};
	const struct report_options o = {.inputs = &in, .ninputs = 1};
	struct report r = {.arena = arena_new(memory)};
	struct err e = ERR_INIT;

	(void)fputs(SUMMARY, file);
	(void)fflush(file);
	in.fd = fileno(file);
	buf_release(&html);
	buf_init(&html, 64 * MIB);
	if (report_load(&r, &o, &e) < 0)
		fail_msg("%s", e.msg);
	report_write_html(&r, &html);
	arena_free(r.arena);
	(void)fclose(file);
	assert_int_equal(buf_failed(&html), 0);
	return buf_str(&html);
}

static size_t
count(const char *s, const char *what)
{
	size_t n = 0;

	for (; (s = strstr(s, what)) != NULL; s++)
		n++;
	return n;
}

static void
a_comparison_has_its_section(void **state)
{
	const char *s;

	(void)state;
	begin();
	(void)fputs("{\"type\":\"conclusion\",\"kind\":\"noised\","
	    "\"meaning\":\"independent noise was added\",\"tensors\":[\"w\"]"
	    ",\"tensors_in_all\":1,\"confidence\":\"strong\",\"evidence\":{"
	    "\"sigma\":0.5,\"v\":[1,2],\"w\":[[3]],\"x\":[]},"
	    "\"alternatives\":[\"a <quantiser>\"]}\n"
	    "{\"type\":\"conclusion\",\"evidence\":[7,8]}\n"
	    "{\"type\":\"change\",\"area\":\"config\",\"what\":\"changed\","
	    "\"path\":\"b/config.json\",\"key\":\"rope\",\"old\":\"1\","
	    "\"new\":\"2\"}\n"
	    "{\"type\":\"candidate\",\"kind\":\"token\",\"value\":"
	    "\"<script>\",\"score\":3,\"q\":null,\"target\":null,\"rank\":1"
	    ",\"method\":\"embedding-rows\",\"evidence\":{}}\n"
	    "{\"type\":\"candidate\",\"kind\":\"patch\",\"value\":"
	    "\"3x3 block at (1,1)\",\"score\":3,\"q\":null,\"target\":"
	    "\"cat\",\"rank\":1,\"method\":\"image-block\",\"evidence\":"
	    "{\"picture\":\"iVBORw0KGgoAAAAN\",\"picture_width\":40,"
	    "\"picture_height\":40}}\n"
	    "{\"type\":\"candidate\",\"kind\":\"patch\",\"value\":\"b\","
	    "\"evidence\":{\"picture\":\"javascript:alert(1)\"}}\n"
	    "{\"type\":\"detector\",\"method\":\"head-rows\",\"applied\":"
	    "false,\"reason\":\"one class\",\"evidence\":{}}\n"
	    "{\"type\":\"version\",\"path\":\"k/v1\",\"rank\":1,"
	    "\"distance\":0.25,\"shared\":3,\"identical\":2,\"parent\":true,"
	    "\"rollback\":true,\"evidence\":{\"modified\":\"2026\"}}\n", file);
	s = finish(16 * MIB);
	assert_non_null(strstr(s, "<h2>Comparison</h2>"));
	assert_non_null(strstr(s, "b&lt;i&gt;"));
	assert_non_null(strstr(s, "<b>noised</b>"));
	assert_non_null(strstr(s, "<th>sigma</th>\n<td class=\"m\">0.5</td>"
	    "</tr>\n<tr><th>v</th>\n<td class=\"m\">1, 2</td></tr>\n"
	    "<tr><th>w.0</th>\n<td class=\"m\">3</td></tr>\n</table>"));
	assert_non_null(strstr(s, "<th>0</th>\n<td class=\"m\">7, 8</td>"));
	assert_non_null(strstr(s, "<h1>Comparison of models</h1>"));
	assert_non_null(strstr(s, "a &lt;quantiser&gt;"));
	assert_non_null(strstr(s, "b/config.json"));
	assert_non_null(strstr(s, "&lt;script&gt;"));
	assert_null(strstr(s, "<script"));
	assert_non_null(strstr(s, "alt=\"3x3 block at (1,1)\" "
	    "src=\"data:image/png;base64,iVBORw0KGgoAAAAN\">"));
	assert_non_null(strstr(s, "img-src data:"));
	assert_null(strstr(s, "javascript"));
	assert_non_null(strstr(s, "the picture in the results is no PNG"));
	assert_non_null(strstr(s, "one class"));
	assert_non_null(strstr(s, "most likely parent to roll back to"));
	assert_non_null(strstr(s, "Tensors: 3 identical, 2 changed."));
	assert_non_null(strstr(s, "for a person to test"));
	assert_null(strstr(s, "0 objects examined"));
}

static void
layers_and_modules_make_a_matrix(void **state)
{
	const char *s;

	(void)state;
	begin();
	tensor("model.layers.0.mlp.w", 0.1);
	tensor("model.layers.2.mlp.w", 0.4);
	tensor("model.layers.2.attn.w", 0.4);
	tensor("lm_head.weight", 0.2);
	s = finish(16 * MIB);
	assert_non_null(strstr(s, "model.layers.*.mlp.w"));
	assert_non_null(strstr(s, "Columns are layers 0 to 2."));
	assert_non_null(strstr(s, "1 tensors have no number"));
	/* 0.1 of 0.4 is half by the square root. */
	assert_non_null(strstr(s, "model.layers.*.mlp.w</th>\n"
	    "<td class=\"h5\"></td><td></td><td class=\"h9\"></td>"));
	assert_non_null(strstr(s, "<tr><td class=\"h0\"></td>"
	    "<td class=\"h3\"></td></tr>\n<tr><td class=\"h6\"></td>"
	    "<td class=\"h9\"></td></tr>"));
}

static void
only_the_strongest_are_drawn_and_little_is_kept(void **state)
{
	char name[64];
	const char *s;

	(void)state;
	begin();
	for (unsigned i = 0; i < 20000; i++) {
		(void)snprintf(name, sizeof(name), "t%u.w", i);
		tensor(name, i / 1e6);
	}
	s = finish(2 * MIB);
	assert_int_equal(count(s, "<h4"), 16);
	assert_non_null(strstr(s, ">t19999.w<"));
	assert_non_null(strstr(s, ">t19984.w<"));
	assert_null(strstr(s, ">t19983.w<"));
}

/* Whatever a result file says, a map is drawn whole or not at all. */
static void
maps_that_lie_are_not_drawn(void **state)
{
	const char *s;

	(void)state;
	begin();
	(void)fputs("{\"type\":\"tensor\",\"name\":\"<b>\",\"rel_l2\":1,"
	    "\"where\":{\"grid_rows\":99,\"grid_cols\":2,\"grid\":[1,2]}}\n"
	    "{\"type\":\"tensor\",\"name\":\"x\",\"rel_l2\":2,\"where\":{"
	    "\"grid_rows\":2,\"grid_cols\":2,\"grid\":[1,2]}}\n"
	    "{\"type\":\"tensor\",\"name\":\"y\",\"rel_l2\":-1}\n"
	    "{\"type\":\"tensor\",\"name\":\"z.99999999999999999999.w\","
	    "\"rel_l2\":\"nan\"}\n", file);
	s = finish(16 * MIB);
	assert_int_equal(count(s, "<h4"), 2);
	assert_int_equal(count(s, "class=\"h"), 0);
	assert_non_null(strstr(s, "&lt;b&gt;"));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_comparison_has_its_section),
		cmocka_unit_test(layers_and_modules_make_a_matrix),
		cmocka_unit_test(
		    only_the_strongest_are_drawn_and_little_is_kept),
		cmocka_unit_test(maps_that_lie_are_not_drawn),
	};
	int r = cmocka_run_group_tests(tests, NULL, NULL);

	buf_release(&html);
	return r;
}
