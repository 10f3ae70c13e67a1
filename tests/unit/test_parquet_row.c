#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <setjmp.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "tests/lib/make.h"
#include "tests/lib/parquet_case.h"
#include "tests/lib/rows_case.h"

/* A column: levels as strings of digits, values as int32 or text. */
static void
put_column(int type, const char *rep, const char *def, const int32_t *v,
    size_t n)
{
	struct buf *r = parquet_case_buf(), *d = parquet_case_buf();
	struct buf *b = parquet_case_buf();
	uint32_t level[32];
	struct make_page p;
	size_t k = strlen(def);

	for (size_t i = 0; i < n; i++)
		make_u32(b, (uint32_t)v[i]);
	p = parquet_case_data((int64_t)k, PLAIN, b);
	p.type = type;
	for (size_t i = 0; i < k; i++) {
		level[i] = (uint32_t)(rep[i] - '0');
		p.rows += level[i] == 0;
	}
	make_hybrid(r, level, k, parquet_case.node[1].scale == 2 ? 2 : 1,
	    false);
	for (size_t i = 0; i < k; i++)
		level[i] = (uint32_t)(def[i] - '0');
	make_hybrid(d, level, k, parquet_case.node[1].bits > 0 ?
	    (unsigned)parquet_case.node[1].bits : 2, true);
	p.rep = r;
	p.def = d;
	p.nulls = (int64_t)(k - n);
	(void)parquet_make_chunk(&parquet_case, 0);
	parquet_make_page(&parquet_case, &p);
}

/* One or two columns, read from pages of both versions. */
static void
check_node(const struct make_node *node, unsigned nodes, const char *rep,
    const char *def, const int32_t *v, size_t n, const char *want)
{
	int64_t rows = 0;

	for (size_t i = 0; rep[i] != '\0'; i++)
		rows += rep[i] == '0';
	for (int type = 0; type <= 3; type += 3) {
		parquet_make_begin(&parquet_case, node, nodes);
		put_column(type, rep, def, v, n);
		parquet_make_group(&parquet_case, rows);
		parquet_make_end(&parquet_case);
		parquet_case_check(want);
	}
}

static const int32_t v[] = {1, 2, 3, 4, 5, 6};

static void
lists_of_three_levels_are_lists(void **state)
{
	static const struct make_node node[] = {
	    {"schema", -1, 0, 1, -1, 0, 0, 0, 0},
	    {"a", -1, 1, 1, 3, 0, 0, 0, 0},
	    {"list", -1, 2, 1, -1, 0, 0, 0, 0},
	    {"element", INT32, 1, 0, -1, 0, 0, 0, 0}};

	(void)state;
	check_node(node, 4, "01000", "33012", v, 2, "- {\"a\":[1,2]}\n"
	    "- {\"a\":null}\n- {\"a\":[]}\n- {\"a\":[null]}\n= 0\n");
}

static void
lists_of_two_levels_are_lists(void **state)
{
	static const struct make_node node[] = {
	    {"schema", -1, 0, 1, -1, 0, 0, 0, 0},
	    {"a", -1, 1, 1, 3, 0, 0, 0, 0},
	    {"element", INT32, 2, 0, -1, 0, 0, 0, 0}};

	(void)state;
	check_node(node, 3, "0100", "2201", v, 2,
	    "- {\"a\":[1,2]}\n- {\"a\":null}\n- {\"a\":[]}\n= 0\n");
}

static void
list_of_groups_called_array_keeps_them(void **state)
{
	static const struct make_node node[] = {
	    {"schema", -1, 0, 1, -1, 0, 0, 0, 0},
	    {"a", -1, 1, 1, 3, 0, 0, 0, 0},
	    {"array", -1, 2, 1, -1, 0, 0, 0, 0},
	    {"x", INT32, 0, 0, -1, 0, 0, 0, 0}};
	static const struct make_node tuple[] = {
	    {"schema", -1, 0, 1, -1, 0, 0, 0, 0},
	    {"a", -1, 1, 1, 3, 0, 0, 0, 0},
	    {"a_tuple", -1, 2, 1, -1, 0, 0, 0, 0},
	    {"x", INT32, 0, 0, -1, 0, 0, 0, 0}};

	(void)state;
	check_node(node, 4, "01", "22", v, 2,
	    "- {\"a\":[{\"x\":1},{\"x\":2}]}\n= 0\n");
	check_node(tuple, 4, "01", "22", v, 2,
	    "- {\"a\":[{\"x\":1},{\"x\":2}]}\n= 0\n");
}

static void
repeated_without_a_list_is_one(void **state)
{
	static const struct make_node node[] = {
	    {"schema", -1, 0, 1, -1, 0, 0, 0, 0},
	    {"a", INT32, 2, 0, -1, 0, 0, 0, 1}};

	(void)state;
	check_node(node, 2, "010", "110", v, 2,
	    "- {\"a\":[1,2]}\n- {\"a\":[]}\n= 0\n");
}

static void
lists_of_lists_are_told_apart(void **state)
{
	static const struct make_node node[] = {
	    {"schema", -1, 0, 1, -1, 0, 0, 0, 0},
	    {"a", -1, 1, 1, 3, 0, 2, 0, 3},
	    {"list", -1, 2, 1, -1, 0, 0, 0, 0},
	    {"element", -1, 1, 1, 3, 0, 0, 0, 0},
	    {"list", -1, 2, 1, -1, 0, 0, 0, 0},
	    {"element", INT32, 1, 0, -1, 0, 0, 0, 0}};

	(void)state;
	check_node(node, 6, "021100", "554230", v, 2,
	    "- {\"a\":[[1,2],[null],null]}\n- {\"a\":[[]]}\n"
	    "- {\"a\":null}\n= 0\n");
}

static void
structs_that_are_not_there_are_null(void **state)
{
	static const struct make_node node[] = {
	    {"schema", -1, 0, 1, -1, 0, 0, 0, 0},
	    {"s", -1, 1, 1, -1, 0, 0, 0, 0},
	    {"x", INT32, 1, 0, -1, 0, 0, 0, 0}};
	struct make_page p;
	struct buf *d, *b;
	static const uint32_t def[] = {2, 0, 1};

	(void)state;
	b = parquet_case_buf();
	make_u32(b, 7);
	d = parquet_case_buf();
	make_hybrid(d, def, 3, 2, false);
	p = parquet_case_data(3, PLAIN, b);
	p.def = d;
	parquet_make_begin(&parquet_case, node, 3);
	(void)parquet_make_chunk(&parquet_case, 0);
	parquet_make_page(&parquet_case, &p);
	parquet_make_group(&parquet_case, 3);
	parquet_make_end(&parquet_case);
	parquet_case_check("- {\"s\":{\"x\":7}}\n- {\"s\":null}\n"
	    "- {\"s\":{\"x\":null}}\n= 0\n");
}

/* Keys of a map, int32 or text, and int32 values. */
static void
put_map(bool texts)
{
	static const struct make_node node[2][5] = {{
	    {"schema", -1, 0, 1, -1, 0, 0, 0, 0},
	    {"m", -1, 1, 1, 1, 0, 0, 0, 0},
	    {"key_value", -1, 2, 2, -1, 0, 0, 0, 0},
	    {"key", INT32, 0, 0, -1, 0, 0, 0, 0},
	    {"value", INT32, 1, 0, -1, 0, 0, 0, 0}}, {
	    {"schema", -1, 0, 1, -1, 0, 0, 0, 0},
	    {"m", -1, 1, 1, 1, 0, 0, 0, 0},
	    {"key_value", -1, 2, 2, -1, 0, 0, 0, 0},
	    {"key", BYTES, 0, 0, 0, 0, 0, 0, 0},
	    {"value", INT32, 1, 0, -1, 0, 0, 0, 0}}};
	static const uint32_t rep[] = {0, 1, 0, 0}, def[] = {2, 2, 0, 1};
	struct buf *r = parquet_case_buf(), *d = parquet_case_buf();
	struct buf *b = parquet_case_buf();
	struct make_page p;

	parquet_make_begin(&parquet_case, node[texts], 5);
	if (texts) {
		make_strings(b, (const char *const[]){"k", "l.m"}, 2);
		make_hybrid(r, rep, 4, 1, false);
		make_hybrid(d, def, 4, 2, false);
		p = parquet_case_data(4, PLAIN, b);
		p.rep = r;
		p.def = d;
		(void)parquet_make_chunk(&parquet_case, 0);
		parquet_make_page(&parquet_case, &p);
	} else {
		put_column(0, "0100", "2201", v, 2);
	}
	put_column(0, "0100", "3201", v + 2, 1);
	parquet_make_group(&parquet_case, 3);
	parquet_make_end(&parquet_case);
}

static void
maps_are_objects_when_their_keys_are_text(void **state)
{
	(void)state;
	put_map(true);
	parquet_case_check("- {\"m\":{\"k\":3,\"l.m\":null}}\n"
	    "- {\"m\":null}\n- {\"m\":{}}\n= 0\n");
	put_map(false);
	parquet_case_check("- {\"m\":[{\"key\":1,\"value\":3},"
	    "{\"key\":2,\"value\":null}]}\n- {\"m\":null}\n- {\"m\":[]}\n= 0\n");
}

static void
columns_that_disagree_make_a_row_damaged(void **state)
{
	static const struct make_node node[] = {
	    {"schema", -1, 0, 1, -1, 0, 0, 0, 0},
	    {"a", -1, 2, 2, -1, 0, 0, 0, 1},
	    {"x", INT32, 0, 0, -1, 0, 0, 0, 0},
	    {"y", INT32, 0, 0, -1, 0, 0, 0, 0}};

	(void)state;
	parquet_make_begin(&parquet_case, node, 4);
	put_column(0, "010", "111", v, 3);
	put_column(0, "001", "111", v, 3);
	parquet_make_group(&parquet_case, 2);
	parquet_make_end(&parquet_case);
	parquet_case_check("! the columns of a row do not agree\nd -\n"
	    "! the columns of a row do not agree\nd -\n= 0\n");
	parquet_make_begin(&parquet_case, node, 4);
	put_column(0, "000", "101", v, 2);
	put_column(0, "000", "111", v, 3);
	parquet_make_group(&parquet_case, 3);
	parquet_make_end(&parquet_case);
	parquet_case_check("- {\"a\":[{\"x\":1,\"y\":1}]}\n"
	    "! the columns of a row do not agree\nd -\n"
	    "- {\"a\":[{\"x\":2,\"y\":3}]}\n= 0\n");
}

static void
paths_lead_through_lists_and_structs(void **state)
{
	static const struct {
		uint64_t row;
		const char *path, *want;
	} cases[] = {
	    {0, "id", "int:10"}, {4, "text", "text:no"}, {1, "text", "null"},
	    {0, "tags", "tree:[{\"name\":\"a\",\"n\":1},null]"},
	    {0, "tags.0.name", "text:a"}, {0, "tags.0.n", "int:1"},
	    {0, "tags.1", "null"}, {0, "tags.2", "absent"},
	    {0, "tags.x", "absent"}, {0, "tags.0.", "absent"},
	    {1, "tags", "null"}, {2, "tags", "tree:[]"},
	    {7, "tags.0", "tree:{\"name\":null,\"n\":2}"},
	    {0, "no", "absent"}, {0, "id.x", "absent"}, {0, "", "absent"},
	};
	struct rows_case_file f = {"a.parquet", NULL, 0};
	char *got;

	(void)state;
	parquet_case_sample();
	f.p = parquet_case.out.p;
	f.n = parquet_case.out.len;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		got = rows_case_field(NULL, &f, 1, cases[i].row,
		    cases[i].path);
		assert_string_equal(got, cases[i].want);
		free(got);
	}
	parquet_make_release(&parquet_case);
	put_map(true);
	f.p = parquet_case.out.p;
	f.n = parquet_case.out.len;
	got = rows_case_field(NULL, &f, 1, 0, "m.l.m");
	assert_string_equal(got, "null");
	free(got);
	got = rows_case_field(NULL, &f, 1, 0, "m.k");
	assert_string_equal(got, "int:3");
	free(got);
	parquet_make_release(&parquet_case);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(lists_of_three_levels_are_lists),
	    cmocka_unit_test(lists_of_two_levels_are_lists),
	    cmocka_unit_test(list_of_groups_called_array_keeps_them),
	    cmocka_unit_test(repeated_without_a_list_is_one),
	    cmocka_unit_test(lists_of_lists_are_told_apart),
	    cmocka_unit_test(structs_that_are_not_there_are_null),
	    cmocka_unit_test(maps_are_objects_when_their_keys_are_text),
	    cmocka_unit_test(columns_that_disagree_make_a_row_damaged),
	    cmocka_unit_test(paths_lead_through_lists_and_structs),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
