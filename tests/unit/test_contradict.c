#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "analyzer/contradict.h"

static struct finding f;

static void
a_label_of_a_whole_magic_contradicts(void **state)
{
	(void)state;
	assert_true(contradict_label("pickle",
	    "GIF image data, version 89a", &f));
	assert_int_equal(f.id, FINDING_LABEL_CONTRADICTS);
	assert_string_equal(f.details[0].key, "format");
	assert_memory_equal(f.details[0].text, "pickle", 6);
	assert_string_equal(f.details[1].key, "libmagic");
	assert_true(contradict_label("safetensors",
	    "ELF 64-bit LSB executable", &f));
	assert_true(contradict_label("text", "PDF document, version 1.4",
	    &f));
}

static void
a_guess_by_two_bytes_does_not(void **state)
{
	(void)state;
	assert_false(contradict_label("safetensors",
	    "MS Windows COFF PA-RISC object file", &f));
	assert_false(contradict_label("pickle", "data", &f));
	assert_false(contradict_label("pickle", NULL, &f));
	assert_false(contradict_label("torch_zip",
	    "Zip archive data, at least v0.0 to extract", &f));
	assert_false(contradict_label("unknown",
	    "Hierarchical Data Format (version 5) data", &f));
	/* A part of a word is not the word. */
	assert_true(contradict_label("zi", "Zip archive data", &f));
	assert_true(contradict_label("ip", "Zip archive data", &f));
}

static void
a_name_that_promises_data_contradicts_what_can_run(void **state)
{
	(void)state;
	assert_true(contradict_name("b.tar!data/weights/m/model.safetensors",
	    "pickle", &f));
	assert_int_equal(f.id, FINDING_NAME_CONTRADICTS);
	assert_memory_equal(f.details[1].text, "safetensors", 11);
	assert_true(contradict_name("notes.TXT", "torch_zip", &f));
	assert_true(contradict_name("x/README.md", "elf", &f));
	assert_false(contradict_name("x.json/model.pkl", "pickle", &f));
	assert_false(contradict_name("model.json", "json", &f));
	assert_false(contradict_name("model.json", "text", &f));
	assert_false(contradict_name(".json", "pickle", &f));
	assert_false(contradict_name("weights.bin", "pickle", &f));
	assert_false(contradict_name("x.json!unexplained", "pickle", &f));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_label_of_a_whole_magic_contradicts),
	    cmocka_unit_test(a_guess_by_two_bytes_does_not),
	    cmocka_unit_test(
		a_name_that_promises_data_contradicts_what_can_run),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
