#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "formats/logs/secrets.h"

/* Assembled here, so that no scanner of this tree takes them for real. */
#define SK "sk-" "abcdefghijklmnopqrstuvwx"
#define HF "hf_" "abcdefghijklmnopqrstuv"
#define AWS "AKIA" "IOSFODNN7EXAMPLE"
#define JWT "eyJhbGciOiJIUzI1NiJ9" "." "eyJzdWIiOiIxMjM0In0" "." "c2lnbmF0dXJl"

struct one {
	const char *text, *secret;
	enum secrets_kind kind;
};

static void
secrets_are_found_where_they_stand(void **state)
{
	static const struct one all[] = {
	    {"Authorization: Bearer " SK, SK, SECRETS_AUTHORIZATION},
	    {"{\"authorization\":\"Bearer " SK "\"}", SK,
	    SECRETS_AUTHORIZATION},
	    {"{\"authorization\":[\"Basic dXNlcjpwYXNz\"]}", "dXNlcjpwYXNz",
	    SECRETS_AUTHORIZATION},
	    {"key is " SK " so", SK, SECRETS_SK},
	    {"\\n" SK, SK, SECRETS_SK},
	    {"token " HF ".", HF, SECRETS_HF},
	    {"id=" AWS "&x", AWS, SECRETS_AWS},
	    {"see " JWT " there", JWT, SECRETS_JWT},
	    {"{\"api_key\": \"correct-horse\"}", "correct-horse",
	    SECRETS_KEY_VALUE},
	    {"{\\\"api_key\\\":\\\"correct-horse\\\"}", "correct-horse",
	    SECRETS_KEY_VALUE},
	    {"GET /v1?api_key=correct-horse&x=1", "correct-horse",
	    SECRETS_KEY_VALUE},
	    {"OPENAI_API_KEY=correct-horse", "correct-horse",
	    SECRETS_KEY_VALUE},
	    {"{'password': 'correct-horse'}", "correct-horse",
	    SECRETS_KEY_VALUE},
	    {"{\"clientSecret\":\"correct-horse\"}", "correct-horse",
	    SECRETS_KEY_VALUE},
	    {"{\"sessionToken\":\"FwoGZXIvYXdzEBY\"}", "FwoGZXIvYXdzEBY",
	    SECRETS_KEY_VALUE},
	    {"\\\"b\\\":\\\"{\\\\\\\"api_key\\\\\\\": \\\\\\\"correct-horse\\\\\\\"",
	    "correct-horse", SECRETS_KEY_VALUE},
	    {"\"Cookie\": [\n  \"correct-horse\"\n]", "correct-horse",
	    SECRETS_KEY_VALUE},
	    {"\"password\":\"axxxhorse\"", "axxxhorse", SECRETS_KEY_VALUE},
	    {"\"password\":\"[correct\"", "[correct", SECRETS_KEY_VALUE},
	    {"postgres://u:hunter22@db/x", "hunter22", SECRETS_URL_PASSWORD},
	    {"postgres://u:hunt@er22@db/x", "hunt@er22",
	    SECRETS_URL_PASSWORD},
	    {"-----BEGIN RSA PRIVATE KEY-----\nMIIE\n"
	    "-----END RSA PRIVATE KEY-----\n", "-----BEGIN RSA PRIVATE "
	    "KEY-----\nMIIE\n-----END RSA PRIVATE KEY-----", SECRETS_PEM}};

	(void)state;
	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
		const char *want = strstr(all[i].text, all[i].secret);
		struct secrets_hit h = {0};
		size_t at = 0;

		if (!secrets_next((const uint8_t *)all[i].text,
		    strlen(all[i].text), &at, &h))
			fail_msg("nothing in %s", all[i].text);
		if (h.kind != all[i].kind || h.len != strlen(all[i].secret) ||
		    h.off != (size_t)(want - all[i].text))
			fail_msg("%s: %s at %zu, %zu long", all[i].text,
			    secrets_name(h.kind), h.off, h.len);
		assert_false(secrets_next((const uint8_t *)all[i].text,
		    strlen(all[i].text), &at, &h));
	}
}

static void
what_is_none_is_not_found(void **state)
{
	static const char *const all[] = {"{\"api_key\":null}",
	    "{\"authorization\":\"Bearer sk-***\"}",
	    "{\"api_key\":\"88dc28d0f030c55ed4ab77ed8faf098196cb1c05df778539"
	    "800c9f1243fe6b4b\"}",
	    "{\"password\":\"\"}", "task-0123456789abcdefgh",
	    "{\"max_tokens\":123456789}", "http://a.example/b:c@d",
	    "{\"secret\":{\"a\":1}}", "-----BEGIN CERTIFICATE-----",
	    "desk-abcdefghijklmnopqrstuvwxyz", "half_abcdefghijklmnopqrstuv",
	    "password=[masked sha256:00]",
	    "{\"password\":\"[masked sha256:00]\"}", "{\"key\":\"clientsecret\"}",
	    "nosecret=correct-horse", "api_key=xxxxxxxx", "api_key=sk-XXXXXX",
	    "", ":", "=", "-", "."};

	(void)state;
	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
		struct secrets_hit h = {0};
		size_t at = 0;

		if (secrets_next((const uint8_t *)all[i], strlen(all[i]),
		    &at, &h))
			fail_msg("%s: %s", all[i], secrets_name(h.kind));
	}
}

static void
several_come_in_order_and_do_not_overlap(void **state)
{
	static const char text[] = "a=1 " SK " api_key=" SK "&" HF;
	struct secrets_hit h;
	size_t at = 0, last = 0, n = 0;

	(void)state;
	while (secrets_next((const uint8_t *)text, sizeof(text) - 1, &at,
	    &h)) {
		assert_true(h.off >= last);
		last = h.off + h.len;
		assert_true(last <= sizeof(text) - 1);
		n++;
	}
	assert_int_equal(n, 3);
}

/* Beginnings of keys that never become one: each byte is seen a few times. */
static void
time_is_linear_in_what_only_begins(void **state)
{
	static const char *const all[] = {"AKIA", "AIza", ".eyJ", "sk-", "://",
	    "-----BEGIN ", "password=", "xoxb-a"};
	const size_t n = 4U << 20;
	struct secrets_hit h;
	char *text = malloc(n);

	(void)state;
	assert_non_null(text);
	(void)alarm(60);
	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
		for (size_t k = 0; k < n; k++)
			text[k] = all[i][k % strlen(all[i])];
		for (size_t at = 0; secrets_next((const uint8_t *)text, n,
		    &at, &h);)
			continue;
	}
	(void)alarm(0);
	free(text);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(secrets_are_found_where_they_stand),
	    cmocka_unit_test(what_is_none_is_not_found),
	    cmocka_unit_test(several_come_in_order_and_do_not_overlap),
	    cmocka_unit_test(time_is_linear_in_what_only_begins)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
