#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "analyzer/rules.h"
#include "formats/config.h"
#include "tests/lib/format_case.h"

extern const struct format format_json;

static struct format_case c;

struct row {
	const char *text;
	enum anomaly id;	/* ANOMALY_COUNT: nothing at all */
};

static void
check(const struct row *rows, size_t n)
{
	const char *broken;

	for (size_t i = 0; i < n; i++) {
		size_t len = strlen(rows[i].text);

		format_case_run(&c, &format_json, rows[i].text, len, 0);
		assert_int_equal(c.rc, 0);
		if (rows[i].id == ANOMALY_COUNT ? c.anomalies != 0 :
		    !format_case_has(&c, rows[i].id))
			fail_msg("%s", rows[i].text);
		if ((broken = format_case_laws(&format_json, rows[i].text,
		    len)) != NULL)
			fail_msg("%s: %s", rows[i].text, broken);
	}
}
#define CHECK(rows) check(rows, sizeof(rows) / sizeof((rows)[0]))

static void
remote_code_is_told_wherever_it_is_named(void **state)
{
	static const struct row rows[] = {
	    {"{\"auto_map\":{\"AutoModel\":\"modeling_x.XModel\"}}",
		ANOMALY_CONFIG_REMOTE_CODE},
	    {"{\"auto_map\":{\"AutoModel\":\"org/repo--modeling_x.XModel\"}}",
		ANOMALY_CONFIG_REMOTE_CODE},
	    {"{\"auto_map\":{\"AutoTokenizer\":[null,\"tok.Fast\"]}}",
		ANOMALY_CONFIG_REMOTE_CODE},
	    {"{\"text_config\":{\"auto_map\":{\"AutoConfig\":\"c.C\"}}}",
		ANOMALY_CONFIG_REMOTE_CODE},
	    {"{\"auto\\u005fmap\":{\"AutoConfig\":\"c.C\"}}",
		ANOMALY_CONFIG_REMOTE_CODE},
	    {"{\"custom_generate\":\"org/repo\"}", ANOMALY_CONFIG_REMOTE_CODE},
	    {"{\"custom_pipelines\":{\"t\":{\"impl\":\"pipe.P\",\"pt\":[]}}}",
		ANOMALY_CONFIG_REMOTE_CODE},
	    {"{\"auto_mapping\":{\"base_model_class\":\"M\",\"parent_library\":"
		"\"transformers_modules.org.modeling\"}}",
		ANOMALY_CONFIG_REMOTE_CODE},
	    {"{\"attn_implementation\":\"org/kernel\"}",
		ANOMALY_CONFIG_REMOTE_CODE},
	    {"[{\"idx\":0,\"name\":\"0\",\"path\":\"\",\"type\":\"custom.T\"}]",
		ANOMALY_CONFIG_REMOTE_CODE},
	    {"{\"_class_name\":[\"my_pipeline\",\"P\"],"
		"\"_diffusers_version\":\"0.30\"}", ANOMALY_CONFIG_REMOTE_CODE},
	    {"{\"trust_remote_code\":true}", ANOMALY_CONFIG_TRUST},
	    {"{\"auto_map\":{}}", ANOMALY_COUNT},
	    {"{\"auto_map\":null,\"trust_remote_code\":false}", ANOMALY_COUNT},
	    {"{\"custom_generate\":null,\"impl\":\"a.b\"}", ANOMALY_COUNT},
	    {"{\"attn_implementation\":\"sdpa\"}", ANOMALY_COUNT},
	    {"{\"auto_mapping\":{\"base_model_class\":\"BertModel\","
		"\"parent_library\":\"transformers.models.bert.modeling\"}}",
		ANOMALY_COUNT},
	    {"[{\"idx\":0,\"name\":\"0\",\"path\":\"1_Pooling\",\"type\":"
		"\"sentence_transformers.models.Pooling\"}]", ANOMALY_COUNT}};

	(void)state;
	CHECK(rows);
}

static void
what_would_be_called_is_told(void **state)
{
	static const struct row rows[] = {
	    {"{\"_target_\":\"os.system\",\"command\":\"id\"}",
		ANOMALY_CONFIG_TARGET},
	    {"{\"a\":[{\"_target_\":\"evilpkg.Model\"}]}",
		ANOMALY_CONFIG_TARGET},
	    {"{\"_target_\":\"torch.hub.load\"}", ANOMALY_CONFIG_TARGET},
	    {"{\"module\":\"os\",\"class_name\":\"function\",\"config\":"
		"\"system\",\"registered_name\":\"function\"}",
		ANOMALY_CONFIG_TARGET},
	    {"{\"loader_module\":\"evil.loader\"}", ANOMALY_CONFIG_TARGET},
	    {"{\"module\":\"keras.layers\",\"class_name\":\"Lambda\","
		"\"config\":{}}", ANOMALY_CONFIG_LAMBDA},
	    {"{\"function\":{\"class_name\":\"__lambda__\",\"config\":{}}}",
		ANOMALY_CONFIG_LAMBDA},
	    {"{\"_class_name\":\"P\",\"_diffusers_version\":\"1\","
		"\"unet\":[\"my_unet\",\"U\"]}", ANOMALY_CONFIG_MODULE},
	    {"{\"_target_\":\"torch.optim.AdamW\"}", ANOMALY_COUNT},
	    {"{\"_target_\":\"${model.target}\"}", ANOMALY_COUNT},
	    {"{\"module\":\"keras.layers\",\"class_name\":\"Dense\","
		"\"registered_name\":null}", ANOMALY_COUNT},
	    {"{\"module\":null,\"class_name\":\"Mine\"}", ANOMALY_COUNT},
	    {"{\"_class_name\":\"P\",\"_diffusers_version\":\"1\","
		"\"safety_checker\":[\"stable_diffusion\",\"S\"],"
		"\"unet\":[\"diffusers\",\"U\"],\"x\":[null,null]}",
		ANOMALY_COUNT},
	    {"{\"labels\":[\"cat\",\"dog\"]}", ANOMALY_COUNT}};

	(void)state;
	CHECK(rows);
}

static void
a_path_that_leaves_its_folder_is_told(void **state)
{
	static const struct row rows[] = {
	    {"{\"weight_map\":{\"w\":\"../../etc/passwd\"}}",
		ANOMALY_CONFIG_PATH},
	    {"{\"weight_map\":{\"w\":\"/etc/passwd\"}}", ANOMALY_CONFIG_PATH},
	    {"{\"weight_map\":{\"w\":\"C:\\\\w.safetensors\"}}",
		ANOMALY_CONFIG_PATH},
	    {"{\"weight_map\":{\"w\":\"http://198.51.100.7/w\"}}",
		ANOMALY_CONFIG_PATH},
	    {"{\"weight_map\":{\"w\":\"a.safetensors\\u0000.txt\"}}",
		ANOMALY_CONFIG_PATH},
	    {"{\"vocab_file\":\"..\\\\..\\\\v.txt\"}", ANOMALY_CONFIG_PATH},
	    {"{\"base_model_name_or_path\":\"https://h.example/m\"}",
		ANOMALY_CONFIG_PATH},
	    {"{\"base_model_name_or_path\":\"../../m\"}", ANOMALY_CONFIG_PATH},
	    {"[{\"idx\":0,\"name\":\"0\",\"path\":\"../x\",\"type\":"
		"\"sentence_transformers.models.Pooling\"}]",
		ANOMALY_CONFIG_PATH},
	    {"{\"weight_map\":{\"w\":\"m-00001-of-00002.safetensors\"}}",
		ANOMALY_COUNT},
	    {"{\"tokenizer_file\":\"/home/u/tokenizer.json\","
		"\"special_tokens_map_file\":null}", ANOMALY_COUNT},
	    {"{\"base_model_name_or_path\":\"/data/llama\"}", ANOMALY_COUNT},
	    {"{\"_name_or_path\":\"../bert\"}", ANOMALY_COUNT}};

	(void)state;
	CHECK(rows);
}

/* c os \n system \n ( S 'id' \n t R . and more, in base64 */
#define PICKLE "Y29zCnN5c3RlbQooUydlY2hvIGhhcm1sZXNzIGVjaG8gaGFybWxlc3MgZWN" \
	"obyBoYXJtbGVzcycKdFIu"

static void
what_is_hidden_in_base64_is_a_member(void **state)
{
	static const char tables[] = "{\"precompiled_charsmap\":\""
	    "ALQCAACEAAAAAACAAQAAgPz8AgC4BQAAhyIAgMzkAgC4PQAAeyIAgMzsAgC4BQAA"
	    "iyIAgMw8AADNvAAAmwkAgJ4JAIChCQCAgx0AAIAZAACBGQAAPR0A\",\"sha\":"
	    "\"e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
	    "\"}";

	(void)state;
	format_case_run(&c, &format_json, "{\"note\":\"" PICKLE "\"}",
	    sizeof("{\"note\":\"" PICKLE "\"}") - 1, 0);
	assert_true(format_case_has(&c, ANOMALY_CONFIG_BLOB));
	assert_true(format_case_member(&c, "note"));
	assert_int_equal(c.member_flags[0], MEMBER_VIRTUAL);
	assert_int_equal(c.member_size[0], 60);
	/* A tokenizer's table and a digest have the same alphabet. */
	format_case_run(&c, &format_json, tables, sizeof(tables) - 1, 0);
	assert_int_equal(c.rc, 0);
	assert_int_equal(c.anomalies, 0);
}

static void
strings_become_metadata_and_templates_are_read(void **state)
{
	static const char text[] = "{\"a\":\"b\",\"chat_template\":"
	    "\"{% for m in messages %}{{ m['content'] }}{% endfor %}\","
	    "\"list\":[\"c\",1,true]}";
	static const char named[] = "{\"chat_template\":[{\"name\":\"default\","
	    "\"template\":\"{{ ''.__class__.__mro__ }}\"}]}";

	(void)state;
	format_case_run(&c, &format_json, text, sizeof(text) - 1, 0);
	assert_int_equal(c.metas, 3);
	assert_true(format_case_has(&c, ANOMALY_JINJA_TEMPLATE));
	assert_int_equal(c.anomalies, 1);
	format_case_run(&c, &format_json, named, sizeof(named) - 1, 0);
	assert_true(format_case_has(&c, ANOMALY_JINJA_TEMPLATE));
	assert_true(c.anomalies > 1);
}

static enum finding_id
judged(const char *target, bool known)
{
	const struct fact facts[] = {
	    FACT_TEXT("target", target, strlen(target)),
	    FACT_NUM("known", known)};
	const struct ev_anomaly a = {ANOMALY_CONFIG_TARGET, 0, 0, facts, 2};
	struct finding f;

	rule_anomaly(&a, &f);
	return f.id;
}

static void
a_target_is_judged_by_the_policy(void **state)
{
	(void)state;
	assert_int_equal(judged("os.system", false),
	    FINDING_CONFIG_TARGET_DANGEROUS);
	assert_int_equal(judged("subprocess.Popen", false),
	    FINDING_CONFIG_TARGET_DANGEROUS);
	assert_int_equal(judged("builtins.exec", false),
	    FINDING_CONFIG_TARGET_DANGEROUS);
	/* A well-known package does not make it harmless. */
	assert_int_equal(judged("torch.hub.load", true),
	    FINDING_CONFIG_TARGET_DANGEROUS);
	assert_int_equal(judged("evilpkg.Model", false),
	    FINDING_CONFIG_TARGET);
	assert_int_equal(judged("nemo.utils.helper", true),
	    FINDING_CONFIG_TARGET_KNOWN);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(remote_code_is_told_wherever_it_is_named),
	    cmocka_unit_test(what_would_be_called_is_told),
	    cmocka_unit_test(a_path_that_leaves_its_folder_is_told),
	    cmocka_unit_test(what_is_hidden_in_base64_is_a_member),
	    cmocka_unit_test(a_target_is_judged_by_the_policy),
	    cmocka_unit_test(strings_become_metadata_and_templates_are_read),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
