#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "formats/textnotes.h"

/* Secrets stand here in two halves, so that none is in the source. */
static struct textnote t[8];

static size_t
find(const char *key, const char *value)
{
	return textnotes_find(key, strlen(key), value, strlen(value), t, 8);
}

static void
secrets_are_known_by_their_form(void **state)
{
	static const struct {
		const char *what, *head, *tail;
	} rows[] = {{"aws-access-key", "AKIA", "IOSFODNN7EXAMPLE"},
	    {"github-token", "ghp_", "0aZ19xYbQ7c3WdE5rFt6GyH8uJiK2lMn4oPq"},
	    {"github-token", "github_pat_", "11ABCDEFG0aZ19xYbQ7c3W_dE5rFt6GyH8"
	    "uJiK2lMn4oPqRsTuVwXyZ0123456789abcdefghijkl"},
	    {"gitlab-token", "glpat-", "aB3dE6gH9jK2mN5pQ8sT"},
	    {"huggingface-token", "hf_", "aBcDeFgHiJkLmNoPqRsTuVwXyZ01234567"},
	    {"openai-key", "sk-", "proj-aB3dE6gH9jK2mN5pQ8sTaB3dE6gH9jK2mN5p"},
	    {"slack-token", "xoxb-", "123456789012-aBcDeFgHiJkLmNoPqRsTuVwX"},
	    {"google-key", "AIza", "SyA1b2C3d4E5f6G7h8I9j0K1l2M3n4O5p6Q"},
	    {"json-web-token", "eyJ", "hbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NTY3"
	    "ODkwIn0.dozjgNryP4J3jVmNHl0w5N_XgL0n3I9P"},
	    {"private-key", "-----BEGIN RSA ", "PRIVATE KEY-----\nMIIEow"}};
	char text[512];

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		(void)snprintf(text, sizeof(text), "token: %s%s",
		    rows[i].head, rows[i].tail);
		if (find("note", text) != 1)
			fail_msg("%s", rows[i].what);
		assert_string_equal(t[0].what, rows[i].what);
		assert_int_equal(t[0].kind, TEXTNOTE_SECRET);
		assert_int_equal(t[0].off, 7);
		assert_true(t[0].shown_len < strlen(text) - 7);
		assert_null(memmem(t[0].shown, t[0].shown_len, rows[i].tail,
		    strlen(rows[i].tail)));
	}
}

static void
a_prefix_alone_is_a_word(void **state)
{
	static const char *const texts[] = {"AKIAHARA is a surname",
	    "hf_transfer and hf_xet", "sk-learn-compatible-estimators-for-all",
	    "ghp_short", "xoxb-", "eyJ.eyJ.x", "AIza",
	    "-----BEGIN CERTIFICATE-----", "notAKIAIOSFODNN7EXAMPLE",
	    "sk-aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"};

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		if (find("note", texts[i]) != 0)
			fail_msg("%s", texts[i]);
}

static void
addresses_are_told_and_documentation_is_not(void **state)
{
	(void)state;
	assert_int_equal(find("url", "see http://198.51.100.7:8080/stage2.sh"),
	    1);
	assert_int_equal(t[0].kind, TEXTNOTE_ADDRESS);
	assert_int_equal(t[0].off, 4);
	assert_memory_equal(t[0].shown, "http://198.51.100.7:8080", 24);
	assert_int_equal(t[0].shown_len, 24);
	assert_int_equal(find("url", "https://models.evil-host.top/x?k=1, "
	    "https://huggingface.co/bert, http://www.apache.org/licenses"), 1);
	assert_int_equal(t[0].kind, TEXTNOTE_URL);
	assert_memory_equal(t[0].shown, "https://models.evil-host.top", 28);
	assert_int_equal(find("host", "203.0.113.9:4444"), 1);
	assert_string_equal(t[0].what, "ip-and-port");
	assert_int_equal(find("x", "http://localhost:8000/ 127.0.0.1:80 "
	    "version 1.2.3.4 and 4.36.0.dev0 at 10:30:00"), 0);
	assert_int_equal(find("x", "https://huggingface.co.evil.top/"), 1);
	assert_int_equal(find("x", "https://u:Secr3tPass@host.example.top/"),
	    1);
	assert_string_equal(t[0].what, "url-with-password");
	assert_int_equal(t[0].kind, TEXTNOTE_SECRET);
}

static void
a_password_needs_its_name_and_its_looks(void **state)
{
	(void)state;
	assert_int_equal(find("db_password", "kX9#mQ2vLp7z"), 1);
	assert_int_equal(t[0].kind, TEXTNOTE_PASSWORD);
	assert_int_equal(find("conn", "user=bob;password=kX9#mQ2vLp7z;x=1"),
	    1);
	assert_int_equal(t[0].off, 18);
	assert_int_equal(t[0].len, 12);
	assert_int_equal(find("db_password", "<your password>"), 0);
	assert_int_equal(find("db_password", "changeme"), 0);
	assert_int_equal(find("db_password", "${DB_PASSWORD_1}"), 0);
	assert_int_equal(find("pad_token", "kX9#mQ2vLp7z"), 0);
}

static void
time_is_linear_in_the_value(void **state)
{
	static const char *const units[] = {"eyJ-", "sk-", "password=",
	    "http://a.b@", "1.2.3.4:", "ghp_", "-----BEGIN ", "1."};
	size_t n = 4 << 20;
	char *text = malloc(n);

	(void)state;
	assert_non_null(text);
	for (size_t k = 0; k < sizeof(units) / sizeof(units[0]); k++) {
		size_t m = strlen(units[k]);

		for (size_t i = 0; i < n; i++)
			text[i] = units[k][i % m];
		/* A quadratic search would not come back from this. */
		(void)textnotes_find("k", 1, text, n, t, 8);
	}
	free(text);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(secrets_are_known_by_their_form),
	    cmocka_unit_test(a_prefix_alone_is_a_word),
	    cmocka_unit_test(addresses_are_told_and_documentation_is_not),
	    cmocka_unit_test(a_password_needs_its_name_and_its_looks),
	    cmocka_unit_test(time_is_linear_in_the_value),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
