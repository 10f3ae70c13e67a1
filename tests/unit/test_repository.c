#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/lib/format_case.h"

extern const struct format format_repository;

static struct format_case c;

#define FILES 16

/* A folder: add() its files in the order of their names, then scan(). */
static struct {
	struct format_case_file file[FILES + 1];
	uint8_t bytes[FILES][4096];
	unsigned n;
} dir;

static void
fresh(void)
{
	memset(&dir, 0, sizeof(dir));
}

static void
add_bytes(const char *name, const void *p, size_t n)
{
	assert_true(dir.n < FILES && n <= sizeof(dir.bytes[0]));
	if (n > 0)
		memcpy(dir.bytes[dir.n], p, n);
	dir.file[dir.n] = (struct format_case_file){name,
	    dir.bytes[dir.n], n, false};
	dir.n++;
}

static void
add(const char *name, const char *text)
{
	add_bytes(name, text, strlen(text));
}

/* A safetensors file: its header, then ${data} bytes of ${fill}. */
static void
add_tensors(const char *name, const char *header, size_t data, uint8_t fill)
{
	uint8_t file[2048];
	size_t n = strlen(header);

	assert_true(8 + n + data <= sizeof(file));
	for (unsigned i = 0; i < 8; i++)
		file[i] = (uint8_t)((uint64_t)n >> (8 * i));
	memcpy(file + 8, header, n);
	memset(file + 8 + n, fill, data);
	add_bytes(name, file, 8 + n + data);
}

#define F32(name, from, to) "\"" name "\":{\"dtype\":\"F32\",\"shape\":[1]," \
	"\"data_offsets\":[" from "," to "]}"

static void
scan(void)
{
	char list[4096];
	const char *broken;
	size_t n = 0;

	for (unsigned i = 0; i < dir.n; i++)
		n += (size_t)snprintf(list + n, sizeof(list) - n, "%zu %s",
		    dir.file[i].n, dir.file[i].name) + 1;
	format_case_siblings(dir.file);
	format_case_run(&c, &format_repository, list, n, 0);
	if ((broken = format_case_laws(&format_repository, list, n)) != NULL)
		fail_msg("%s", broken);
	if ((broken = format_case_mutate(&format_repository, list, n, 300,
	    7)) != NULL)
		fail_msg("%s", broken);
	format_case_siblings(NULL);
	assert_int_equal(c.rc, 0);
}

#define ONE "m-00001-of-00002.safetensors"
#define TWO "m-00002-of-00002.safetensors"
#define INDEX "m.safetensors.index.json"

static void
two_shards(void)
{
	fresh();
	add_tensors(ONE, "{" F32("a", "0", "4") "}", 4, 1);
	add_tensors(TWO, "{" F32("b", "0", "4") "}", 4, 2);
}

static void
shards_that_agree_have_nothing_odd(void **state)
{
	(void)state;
	two_shards();
	add(INDEX, "{\"metadata\":{\"total_size\":8},\"weight_map\":"
	    "{\"a\":\"" ONE "\",\"b\":\"" TWO "\"}}");
	scan();
	assert_int_equal(c.anomalies, 0);
	/* In a folder below, and with what is no JSON object elsewhere. */
	fresh();
	add_tensors("x/" ONE, "{" F32("a", "0", "4") "}", 4, 1);
	add_tensors("x/" TWO, "{" F32("b", "0", "4") "}", 4, 2);
	add("x/" INDEX, "{\"metadata\":[1,{}],\"weight_map\":"
	    "{\"a\":\"" ONE "\",\"b\":\"" TWO "\"},\"other\":{}}");
	scan();
	assert_int_equal(c.anomalies, 0);
}

static void
what_index_and_shards_do_not_share_is_told(void **state)
{
	(void)state;
	two_shards();
	add(INDEX, "{\"metadata\":{\"total_size\":9},\"weight_map\":"
	    "{\"a\":\"" ONE "\",\"b\":\"" TWO "\",\"c\":\"" TWO "\"}}");
	scan();
	assert_int_equal(c.anomalies, 2);
	assert_true(format_case_has(&c, ANOMALY_REPO_INDEX_DIFFERS));
	assert_true(format_case_has(&c, ANOMALY_REPO_TOTAL_SIZE));
	/* Shards that hold nothing at all. */
	fresh();
	add_tensors(ONE, "{}", 0, 0);
	add(INDEX, "{\"weight_map\":{\"a\":\"" ONE "\"}}");
	scan();
	assert_true(format_case_has(&c, ANOMALY_REPO_INDEX_DIFFERS));
	two_shards();
	add(INDEX, "{\"weight_map\":{\"a\":\"" TWO "\",\"b\":\"" TWO "\"}}");
	scan();
	assert_true(format_case_has(&c, ANOMALY_REPO_INDEX_DIFFERS));
	assert_true(format_case_has(&c, ANOMALY_REPO_SHARD_UNLISTED));
}

static void
a_tensor_in_two_shards_is_told(void **state)
{
	(void)state;
	fresh();
	add_tensors(ONE, "{" F32("a", "0", "4") "}", 4, 1);
	add_tensors(TWO, "{" F32("a", "0", "4") "," F32("b", "4", "8") "}", 8,
	    2);
	add(INDEX, "{\"weight_map\":{\"a\":\"" ONE "\",\"b\":\"" TWO "\"}}");
	scan();
	assert_true(format_case_has(&c, ANOMALY_REPO_TENSOR_TWICE));
	assert_true(format_case_has(&c, ANOMALY_REPO_INDEX_DIFFERS));
}

static void
a_shard_that_is_not_there_is_told(void **state)
{
	(void)state;
	fresh();
	add_tensors(ONE, "{" F32("a", "0", "4") "}", 4, 1);
	add(INDEX, "{\"weight_map\":{\"a\":\"" ONE "\",\"b\":\"" TWO "\"}}");
	scan();
	assert_int_equal(c.anomalies, 1);
	assert_true(format_case_has(&c, ANOMALY_REPO_SHARD_MISSING));
	/* Without an index, by the number. */
	fresh();
	add("m-00003-of-00004.bin", "x");
	scan();
	assert_int_equal(c.anomalies, 1);
	assert_true(format_case_has(&c, ANOMALY_REPO_SHARD_MISSING));
	/* Outside of the folder: the index itself is told. */
	fresh();
	add(INDEX, "{\"weight_map\":{\"a\":\"../../w.safetensors\"}}");
	scan();
	assert_int_equal(c.anomalies, 0);
	/* A link: it could not be looked at, and that is said. */
	two_shards();
	add(INDEX, "{\"weight_map\":{\"a\":\"" ONE "\",\"b\":\"" TWO "\"}}");
	dir.file[1].refused = true;
	scan();
	assert_int_equal(c.anomalies, 1);
	assert_true(format_case_has(&c, ANOMALY_LIMIT));
}

static void
an_index_of_two_formats_is_told(void **state)
{
	(void)state;
	fresh();
	add("m-00001-of-00002.bin", "x");
	add_tensors(TWO, "{" F32("b", "0", "4") "}", 4, 2);
	add(INDEX, "{\"weight_map\":{\"a\":\"m-00001-of-00002.bin\","
	    "\"b\":\"" TWO "\"}}");
	scan();
	assert_true(format_case_has(&c, ANOMALY_REPO_MIXED));
}

static void
code_that_would_run_is_named(void **state)
{
	(void)state;
	fresh();
	add("config.json", "{\"auto_map\":{\"AutoModel\":\"modeling_x.X\"}}");
	add("modeling_x.py", "import os\n");
	scan();
	assert_int_equal(c.anomalies, 1);
	assert_true(format_case_has(&c, ANOMALY_REPO_CODE));
	fresh();
	add("config.json", "{\"auto_map\":{\"AutoModel\":\"modeling_x.X\"}}");
	scan();
	assert_true(format_case_has(&c, ANOMALY_REPO_CODE_MISSING));
	fresh();
	add("config.json", "{\"auto_map\":{\"AutoModel\":\"o/r--m.X\"}}");
	scan();
	assert_int_equal(c.anomalies, 0);
	fresh();
	add("model_index.json", "{\"_class_name\":\"P\","
	    "\"_diffusers_version\":\"1\",\"unet\":[\"my_unet\",\"U\"]}");
	add("unet/my_unet.py", "import os\n");
	scan();
	assert_true(format_case_has(&c, ANOMALY_REPO_CODE));
	fresh();
	add("custom_st.py", "pass\n");
	add("modules.json", "[{\"idx\":0,\"name\":\"0\",\"path\":\"\","
	    "\"type\":\"custom_st.T\"}]");
	scan();
	assert_true(format_case_has(&c, ANOMALY_REPO_CODE));
	fresh();
	add("custom_generate/generate.py", "pass\n");
	scan();
	assert_true(format_case_has(&c, ANOMALY_REPO_CODE));
	fresh();
	add("config.json", "{\"model_type\":\"bert\"}");
	add("train.py", "import os\n");
	scan();
	assert_int_equal(c.anomalies, 0);
}

#define TEMPLATE "{% for m in messages %}{{ m.content }}{% endfor %}"

static void
copies_of_a_template_must_be_equal(void **state)
{
	(void)state;
	fresh();
	add("chat_template.jinja", TEMPLATE "\n");
	add("tokenizer_config.json", "{\"chat_template\":\"" TEMPLATE "\"}");
	scan();
	assert_int_equal(c.anomalies, 0);
	fresh();
	add("chat_template.jinja", TEMPLATE "{{ 'more' }}");
	add("tokenizer_config.json", "{\"chat_template\":\"" TEMPLATE "\"}");
	scan();
	assert_int_equal(c.anomalies, 1);
	assert_true(format_case_has(&c, ANOMALY_REPO_TEMPLATE_DIFFERS));
	fresh();
	add("chat_template.jinja", TEMPLATE "{{ 'more' }}");
	add("tokenizer_config.json", "{\"chat_template\":[{\"name\":"
	    "\"tool_use\",\"template\":\"x\"},{\"name\":\"default\","
	    "\"template\":\"" TEMPLATE "\"}]}");
	scan();
	assert_true(format_case_has(&c, ANOMALY_REPO_TEMPLATE_DIFFERS));
	fresh();
	add("chat_template.json", "{\"chat_template\":\"" TEMPLATE " \"}");
	add("processor_config.json", "{\"chat_template\":\"other\"}");
	add("tokenizer_config.json", "{\"chat_template\":\"own\"}");
	scan();
	assert_true(format_case_has(&c, ANOMALY_REPO_TEMPLATE_DIFFERS));
	assert_true(format_case_has(&c, ANOMALY_REPO_TEMPLATE_OWN));
	/* Another folder is another model. */
	fresh();
	add("a/tokenizer_config.json", "{\"chat_template\":\"one\"}");
	add("b/tokenizer_config.json", "{\"chat_template\":\"two\"}");
	scan();
	assert_int_equal(c.anomalies, 0);
}

static void
a_pointer_instead_of_weights_is_told(void **state)
{
	(void)state;
	fresh();
	add("model.safetensors", "version https://git-lfs.github.com/spec/v1\n"
	    "oid sha256:4665a5ea423c2713d436b5ee50593a9640e0018c1550b5a0002f7"
	    "4190d6caea8\nsize 9\n");
	scan();
	assert_int_equal(c.anomalies, 1);
	assert_true(format_case_has(&c, ANOMALY_REPO_POINTER));
}

/* The safetensors and, as another file of the model, a copy of it. */
static void
shadow(uint8_t fill)
{
	fresh();
	add_tensors("model.safetensors", "{" F32("a", "0", "4") "}", 4, 1);
	add_tensors("pytorch_model.bin", "{" F32("a", "0", "4") "}", 4, fill);
	scan();
	assert_int_equal(c.anomalies, 1);
}

static void
two_formats_of_a_model_must_hold_the_same(void **state)
{
	(void)state;
	shadow(1);
	assert_true(format_case_has(&c, ANOMALY_REPO_SHADOW));
	shadow(2);
	assert_true(format_case_has(&c, ANOMALY_REPO_SHADOW_DIFFERS));
	/* Another model of the folder is no copy. */
	fresh();
	add_tensors("adapter_model.safetensors", "{" F32("a", "0", "4") "}",
	    4, 1);
	add_tensors("pytorch_model.bin", "{" F32("a", "0", "4") "}", 4, 2);
	scan();
	assert_int_equal(c.anomalies, 0);
}

static void
a_list_that_no_parent_makes_is_malformed(void **state)
{
	static const char *const lists[] = {"x a", "1 b\0001 a", "1", "1 ",
	    "99999999999999999999999 a", "-1 a"};

	(void)state;
	for (size_t i = 0; i < sizeof(lists) / sizeof(lists[0]); i++) {
		size_t n = i == 1 ? 8 : strlen(lists[i]) + 1;

		format_case_run(&c, &format_repository, lists[i], n, 0);
		assert_int_equal(c.rc, 1);
		assert_true(format_case_has(&c, ANOMALY_MALFORMED));
	}
	format_case_run(&c, &format_repository, "", 0, 0);
	assert_int_equal(c.rc, 0);
	assert_int_equal(c.anomalies, 0);
	assert_int_equal(format_case_bid(&format_repository, "1 a", 4), 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(shards_that_agree_have_nothing_odd),
	    cmocka_unit_test(what_index_and_shards_do_not_share_is_told),
	    cmocka_unit_test(a_tensor_in_two_shards_is_told),
	    cmocka_unit_test(a_shard_that_is_not_there_is_told),
	    cmocka_unit_test(an_index_of_two_formats_is_told),
	    cmocka_unit_test(code_that_would_run_is_named),
	    cmocka_unit_test(copies_of_a_template_must_be_equal),
	    cmocka_unit_test(a_pointer_instead_of_weights_is_told),
	    cmocka_unit_test(two_formats_of_a_model_must_hold_the_same),
	    cmocka_unit_test(a_list_that_no_parent_makes_is_malformed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
