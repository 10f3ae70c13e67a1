#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#include <string.h>

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

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(each_option_gives_its_class),
	    cmocka_unit_test(rows_are_whole_and_no_option_comes_twice),
	    cmocka_unit_test(there_is_no_row_behind_the_last),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
