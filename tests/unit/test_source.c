#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "collector/source.h"

static void
each_option_gives_its_class(void **state)
{
	static const struct {
		const char *option;
		enum bag_class class;
	} want[] = {{"weights", BAG_WEIGHTS}, {"training", BAG_TRAINING},
	    {"registry", BAG_REGISTRY}, {"api-logs", BAG_API_LOGS}};

	(void)state;
	for (size_t i = 0; i < sizeof(want) / sizeof(want[0]); i++) {
		const struct source_kind *found = NULL;

		for (size_t k = 0; k < source_count(); k++)
			if (strcmp(source_at(k)->option, want[i].option) == 0)
				found = source_at(k);
		assert_non_null(found);
		assert_int_equal(found->class, want[i].class);
		/* The option is the folder's name. */
		assert_string_equal(bag_class_name(found->class),
		    found->option);
	}
}

static void
rows_are_whole_and_no_option_comes_twice(void **state)
{
	(void)state;
	assert_true(source_count() >= 4);
	for (size_t i = 0; i < source_count(); i++) {
		assert_true(source_at(i)->help[0] != '\0');
		for (size_t k = 0; k < i; k++)
			assert_string_not_equal(source_at(i)->option,
			    source_at(k)->option);
	}
}

static void
there_is_no_row_behind_the_last(void **state)
{
	(void)state;
	assert_null(source_at(source_count()));
	assert_null(source_at((size_t)-1));
}

static void
the_word_before_the_colon_says_what_it_is(void **state)
{
	enum source_system kind = SOURCE_FILES;
	const char *rest = NULL;

	(void)state;
	assert_true(source_split("mlflow:/srv/mlruns", &kind, &rest));
	assert_int_equal(kind, SOURCE_MLFLOW);
	assert_string_equal(rest, "/srv/mlruns");
	assert_true(source_split("hf:a:b", &kind, &rest));
	assert_int_equal(kind, SOURCE_HF);
	assert_string_equal(rest, "a:b");
	assert_true(source_split("/plain", &kind, &rest));
	assert_int_equal(kind, SOURCE_FILES);
	assert_string_equal(rest, "/plain");
	assert_false(source_split("gopher:/x", &kind, &rest));
	assert_false(source_split("process:1", &kind, &rest));
	assert_false(source_split(":x", &kind, &rest));
	assert_string_equal(source_system_name(SOURCE_TRITON), "triton");
}

static void
a_path_that_is_there_wins_over_its_colons(void **state)
{
	char dir[] = "/tmp/exhibit-source-XXXXXX", path[128], whole[160];
	enum source_system kind;
	const char *rest;

	(void)state;
	assert_non_null(mkdtemp(dir));
	(void)snprintf(path, sizeof(path), "%s/a:b", dir);
	(void)snprintf(whole, sizeof(whole), "%s:time 10:00..11:00", path);
	assert_int_equal(source_slice(path), strlen(path));
	assert_int_equal(source_slice(whole), strlen(whole));
	assert_int_equal(mkdir(path, 0700), 0);
	assert_int_equal(source_slice(path), strlen(path));
	assert_int_equal(source_slice(whole), strlen(path));
	assert_int_equal(chdir(dir), 0);
	assert_int_equal(rename("a:b", "hf:b"), 0);
	assert_true(source_split("hf:b", &kind, &rest));
	assert_int_equal(kind, SOURCE_FILES);
	assert_string_equal(rest, "hf:b");
	assert_int_equal(rmdir("hf:b"), 0);
	assert_int_equal(chdir("/"), 0);
	assert_int_equal(rmdir(dir), 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(each_option_gives_its_class),
	    cmocka_unit_test(rows_are_whole_and_no_option_comes_twice),
	    cmocka_unit_test(there_is_no_row_behind_the_last),
	    cmocka_unit_test(the_word_before_the_colon_says_what_it_is),
	    cmocka_unit_test(a_path_that_is_there_wins_over_its_colons),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
