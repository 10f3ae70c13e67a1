#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/lib/format_case.h"

extern const struct format format_registry;

/* git hash-object of "hello\n" */
#define BLOB "ce013625030ba8dba906f756967f9e9ca394464a"
#define COMMIT "2439f60ef33a0d46d85da5001d52aeda5b00ce9f"
#define TREE "{\"files\":{\"f\":{\"size\":6,\"blob_id\":\"" BLOB "\"}}}"

static struct format_case c;

static const struct format_case_file files[] = {
    {"blobs/" BLOB, "hello\n", 6, false},
    {"refs/main", COMMIT, 40, false},
    {"trees/" COMMIT ".json", TREE, sizeof(TREE) - 1, false},
    {"metadata/files.jsonl", "{\"type\":\"file\"}\n"
	"{\"type\":\"symlink\",\"path_hex\":"
	"\"2f6d6f64656c732d2d612d2d622f736e617073686f74732f"
	"323433396636306566333361306434366438356461353030316435326165646135"
	"623030636539662f66\","
	"\"link_target_hex\":\"2e2e2f2e2e2f626c6f62732f"
	"63653031333632353033306261386462613930366637353639363766396539636133"
	"39343436" "3461\"}\n{\"type\":\"symlink\",\"path_hex\":\"2\"}\n", 0,
	false},
    {NULL, NULL, 0, false},
};

/* A list of records, "|" standing for NUL. */
static void
run(const char *list, const struct format_case_file *beside)
{
	size_t n = strlen(list);
	char *p = malloc(n + 1);

	assert_non_null(p);
	memcpy(p, list, n + 1);
	for (size_t i = 0; i < n; i++)
		if (p[i] == '|')
			p[i] = '\0';
	format_case_siblings(beside);
	format_case_run(&c, &format_registry, p, n, 0);
	assert_null(format_case_laws(&format_registry, p, n));
	format_case_siblings(NULL);
	free(p);
}

#define LIST "models--a--b|f 6 blobs/" BLOB "|f 40 refs/main|l snapshots/" \
    COMMIT "/f|../../blobs/" BLOB "|f 70 trees/" COMMIT ".json|"

static void
a_folder_is_known_by_its_own_name(void **state)
{
	(void)state;
	run(LIST, files);
	assert_int_equal(c.rc, 0);
	assert_int_equal(c.anomalies, 0);
}

static void
bytes_that_break_a_name_are_an_anomaly(void **state)
{
	struct format_case_file other[5];

	(void)state;
	memcpy(other, files, sizeof(other));
	other[0].p = "hellO\n";
	run(LIST, other);
	assert_int_equal(c.rc, 0);
	assert_int_equal(c.anomalies, 1);
	assert_true(format_case_has(&c, ANOMALY_REG_DIGEST));
}

static void
what_is_refused_is_unread(void **state)
{
	struct format_case_file other[5];

	(void)state;
	memcpy(other, files, sizeof(other));
	other[0].refused = true;
	run(LIST, other);
	assert_true(format_case_has(&c, ANOMALY_REG_UNREAD));
}

static void
links_of_a_bundle_come_from_its_record(void **state)
{
	struct format_case_file bag[5];
	char name[3][128];

	(void)state;
	memcpy(bag, files, sizeof(bag));
	for (unsigned i = 0; i < 3; i++) {
		(void)snprintf(name[i], sizeof(name[i]), "models--a--b/%s",
		    files[i].name);
		bag[i].name = name[i];
	}
	bag[3].n = strlen(bag[3].p);
	run("|t metadata/files.jsonl|f 6 models--a--b/blobs/" BLOB
	    "|f 40 models--a--b/refs/main|f 70 models--a--b/trees/" COMMIT
	    ".json|", bag);
	assert_int_equal(c.rc, 0);
	assert_int_equal(c.anomalies, 0);
	/* Without them the tree's file is not in the snapshot. */
	run("|f 6 models--a--b/blobs/" BLOB "|f 40 models--a--b/refs/main"
	    "|f 1 models--a--b/snapshots/" COMMIT "/g|f 70 models--a--b/trees/"
	    COMMIT ".json|", bag);
	assert_true(format_case_has(&c, ANOMALY_REG_MISSING));
	assert_true(format_case_has(&c, ANOMALY_REG_EXTRA));
}

static void
a_name_that_others_have_is_no_registry(void **state)
{
	static const char *const lists[] = {"w|f 2 model.json|",
	    "|f 40 a/app.db|", "|f 40 .gitattributes|f 2 model.json|"};
	struct format_case_file beside[] = {
	    {"model.json", "{}", 2, false},
	    {"a/app.db", "no database, but as long as its head", 36, false},
	    {".gitattributes", "*.txt text\n", 11, false},
	    {NULL, NULL, 0, false},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(lists) / sizeof(*lists); i++) {
		run(lists[i], beside);
		assert_int_equal(c.rc, 0);
		assert_int_equal(c.anomalies, 0);
		assert_string_equal(c.name, FORMAT_NONE);
	}
	/* Nobody knows what cannot be opened. */
	beside[0].refused = true;
	run(lists[0], beside);
	assert_true(format_case_has(&c, ANOMALY_REG_UNREAD));
	assert_string_equal(c.name, "registry");
	run(lists[0], NULL);
	assert_true(format_case_has(&c, ANOMALY_REG_UNREAD));
	assert_string_equal(c.name, "registry");
	run(LIST, files);
	assert_string_equal(c.name, "registry");
}

static void
a_list_that_ends_early_is_told(void **state)
{
	(void)state;
	run("models--a--b|f 6 blobs/" BLOB, files);
	assert_int_equal(c.rc, 1);
	assert_true(format_case_has(&c, ANOMALY_MALFORMED));
	run("", files);
	assert_int_equal(c.rc, 1);
	run("|x 6 a|", files);
	assert_true(format_case_has(&c, ANOMALY_MALFORMED));
	run("|f -6 a|", files);
	assert_true(format_case_has(&c, ANOMALY_MALFORMED));
	run("|f 6 |", files);
	assert_true(format_case_has(&c, ANOMALY_MALFORMED));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_folder_is_known_by_its_own_name),
	    cmocka_unit_test(bytes_that_break_a_name_are_an_anomaly),
	    cmocka_unit_test(what_is_refused_is_unread),
	    cmocka_unit_test(links_of_a_bundle_come_from_its_record),
	    cmocka_unit_test(a_name_that_others_have_is_no_registry),
	    cmocka_unit_test(a_list_that_ends_early_is_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
