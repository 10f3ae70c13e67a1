#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "tests/lib/reg_case.h"

#define ROOT "hub/models--acme--tiny/"
#define COMMIT "2439f60ef33a0d46d85da5001d52aeda5b00ce9f"
#define WEIGHTS "weights of a model"

struct cache {
	struct reg_case c;
	char weights[256], config[256];	/* their blobs */
	char sha256[65], sha1[41];
};

static void
name_blobs(struct cache *k)
{
	(void)snprintf(k->sha256, sizeof(k->sha256), "%s",
	    reg_case_digest(REG_SHA256, "", WEIGHTS, strlen(WEIGHTS)));
	/* git hash-object of "hello\n" */
	(void)snprintf(k->sha1, sizeof(k->sha1), "%s",
	    "ce013625030ba8dba906f756967f9e9ca394464a");
	(void)snprintf(k->weights, sizeof(k->weights), ROOT "blobs/%s",
	    k->sha256);
}

static void
build(struct cache *k)
{
	char tree[1024], link[256];

	reg_case_init(&k->c);
	name_blobs(k);
	(void)snprintf(k->config, sizeof(k->config), ROOT "blobs/%s",
	    k->sha1);
	reg_case_text(&k->c, "hub/CACHEDIR.TAG", "Signature: x\n");
	reg_case_text(&k->c, "hub/.locks/models--acme--tiny/x.lock", "");
	reg_case_text(&k->c, ROOT "refs/main", COMMIT);
	reg_case_text(&k->c, k->weights, WEIGHTS);
	reg_case_text(&k->c, k->config, "hello\n");
	(void)snprintf(link, sizeof(link), "../../blobs/%s", k->sha256);
	reg_case_link(&k->c, ROOT "snapshots/" COMMIT "/model.safetensors",
	    link);
	(void)snprintf(link, sizeof(link), "../../../blobs/%s", k->sha1);
	reg_case_link(&k->c, ROOT "snapshots/" COMMIT "/sub/config.json",
	    link);
	reg_case_text(&k->c, ROOT ".no_exist/" COMMIT "/adapter.json", "");
	(void)snprintf(tree, sizeof(tree), "{\"format_version\": 1, "
	    "\"files\": {\"sub/config.json\": {\"size\": 6, \"blob_id\": "
	    "\"%s\"}, \"model.safetensors\": {\"size\": %zu, \"blob_id\": "
	    "\"54158f890217a3834db266bb844aebe035be1cf8\", \"lfs_sha256\": "
	    "\"%s\", \"lfs_size\": %zu}}}", k->sha1, strlen(WEIGHTS),
	    k->sha256, strlen(WEIGHTS));
	reg_case_text(&k->c, ROOT "trees/" COMMIT ".json", tree);
}

static void
run(struct cache *k)
{
	reg_case_run(&k->c, "hf-cache");
	assert_true(k->c.rc >= 0);
	assert_false(k->c.bad);
}

static void
a_clean_cache_agrees_everywhere(void **state)
{
	struct cache k;
	char line[1024];

	(void)state;
	build(&k);
	run(&k);
	assert_int_equal(k.c.rc, 0);
	assert_int_equal(k.c.problems, 0);
	assert_true(reg_case_has(&k.c, "model model=acme/tiny"));
	assert_true(reg_case_has(&k.c, "alias source=" ROOT "refs/main "
	    "model=acme/tiny version=" COMMIT " alias=main commit=" COMMIT));
	(void)snprintf(line, sizeof(line), "artifact source=%s "
	    "model=acme/tiny member=%s algorithm=git-sha1 digest=%s "
	    "recomputed=%s agrees=true", k.config, k.config, k.sha1, k.sha1);
	assert_true(reg_case_has(&k.c, line));
	(void)snprintf(line, sizeof(line), "artifact source=" ROOT
	    "snapshots/" COMMIT "/model.safetensors model=acme/tiny version="
	    COMMIT " commit=" COMMIT " artifact=model.safetensors member=%s "
	    "size=%zu algorithm=sha256 digest=%s recomputed=%s agrees=true",
	    k.weights, strlen(WEIGHTS), k.sha256, k.sha256);
	assert_true(reg_case_has(&k.c, line));
	assert_true(reg_case_has(&k.c, "event source=" ROOT ".no_exist/"
	    COMMIT "/adapter.json model=acme/tiny version=" COMMIT
	    " commit=" COMMIT " artifact=adapter.json "
	    "key=asked-for-and-absent"));
	reg_case_release(&k.c);
}

static void
one_byte_of_a_blob_breaks_its_name(void **state)
{
	struct cache k;
	char line[1024];
	size_t n;

	(void)state;
	build(&k);
	reg_case_bytes(&k.c, k.weights, &n)[3] ^= 1;
	run(&k);
	assert_int_equal(k.c.problems, 1);
	(void)snprintf(line, sizeof(line), "DIGEST path=%s registry=%s "
	    "found=%s algorithm=sha256", k.weights, k.sha256,
	    reg_case_digest(REG_SHA256, "", reg_case_bytes(&k.c, k.weights,
	    &n), strlen(WEIGHTS)));
	assert_true(reg_case_has(&k.c, line));
	reg_case_release(&k.c);
}

/* printf 'hello\n' | sha1sum: what a proxy's etag is. */
static void
a_name_that_is_the_plain_sha1_agrees(void **state)
{
	static const char blob[] =
	    ROOT "blobs/f572d396fae9206628714fb2ce00f72e94f2258f";
	struct cache k;

	(void)state;
	build(&k);
	reg_case_text(&k.c, blob, "hello\n");
	run(&k);
	assert_int_equal(k.c.problems, 0);
	assert_non_null(strstr(buf_str(&k.c.out), "algorithm=sha1 digest="
	    "f572d396fae9206628714fb2ce00f72e94f2258f recomputed="
	    "f572d396fae9206628714fb2ce00f72e94f2258f agrees=true"));
	reg_case_release(&k.c);
	build(&k);
	reg_case_text(&k.c, blob, "hellO\n");
	run(&k);
	assert_int_equal(k.c.problems, 1);
	reg_case_release(&k.c);
}

static void
an_empty_lock_beside_a_blob_is_none_too_many(void **state)
{
	struct cache k;
	char lock[300];

	(void)state;
	build(&k);
	(void)snprintf(lock, sizeof(lock), "%s.lock", k.weights);
	reg_case_text(&k.c, lock, "");
	run(&k);
	assert_int_equal(k.c.problems, 0);
	assert_non_null(strstr(buf_str(&k.c.out), "key=lock"));
	reg_case_release(&k.c);
	build(&k);
	reg_case_text(&k.c, lock, "but not empty");
	reg_case_text(&k.c, ROOT "blobs/x.lock", "");
	run(&k);
	assert_int_equal(reg_case_count(&k.c, "EXTRA path="), 2);
	reg_case_release(&k.c);
}

static void
a_link_to_another_blob_contradicts_the_tree(void **state)
{
	struct cache k;
	char other[512], link[256], line[1024];
	const char *hex = reg_case_digest(REG_SHA256, "", "evil", 4);

	(void)state;
	build(&k);
	(void)snprintf(other, sizeof(other), ROOT "blobs/%s", hex);
	(void)snprintf(link, sizeof(link), "../../blobs/%s", hex);
	reg_case_text(&k.c, other, "evil");
	reg_case_link(&k.c, ROOT "snapshots/" COMMIT "/model.safetensors",
	    link);
	run(&k);
	assert_int_equal(k.c.problems, 1);
	(void)snprintf(line, sizeof(line), "DIGEST path=" ROOT "snapshots/"
	    COMMIT "/model.safetensors registry=%s found=%s "
	    "algorithm=sha256 named=model.safetensors", k.sha256, hex);
	assert_true(reg_case_has(&k.c, line));
	reg_case_release(&k.c);
}

static void
planted_files_are_told(void **state)
{
	struct cache k;

	(void)state;
	build(&k);
	reg_case_text(&k.c, ROOT "snapshots/" COMMIT "/modeling_x.py", "1");
	reg_case_text(&k.c, ROOT "snapshots/" COMMIT "/adapter.json", "{}");
	reg_case_text(&k.c, ROOT "blobs/payload", "1");
	run(&k);
	assert_true(reg_case_has(&k.c, "EXTRA path=" ROOT "snapshots/"
	    COMMIT "/modeling_x.py"));
	assert_true(reg_case_has(&k.c, "EXTRA path=" ROOT "blobs/payload"));
	assert_true(reg_case_has(&k.c, "DISAGREES path=" ROOT "snapshots/"
	    COMMIT "/adapter.json absent=" ROOT ".no_exist/" COMMIT
	    "/adapter.json"));
	assert_int_equal(k.c.problems, 4);
	reg_case_drop(&k.c, ROOT "trees/" COMMIT ".json");
	run(&k);
	assert_true(reg_case_has(&k.c, "EXTRA path=" ROOT "snapshots/"
	    COMMIT "/modeling_x.py reason=a file among links"));
	reg_case_release(&k.c);
}

static void
what_is_missing_is_told_once_for_a_commit(void **state)
{
	struct cache k;

	(void)state;
	build(&k);
	reg_case_drop(&k.c, ROOT "snapshots/" COMMIT "/sub/config.json");
	reg_case_text(&k.c, ROOT "refs/pr/1",
	    "0000000000000000000000000000000000000000\n");
	run(&k);
	assert_true(reg_case_has(&k.c, "MISSING path=" ROOT "trees/" COMMIT
	    ".json first=sub/config.json files=1"));
	assert_true(reg_case_has(&k.c, "MISSING path=" ROOT "refs/pr/1 "
	    "commit=0000000000000000000000000000000000000000"));
	assert_int_equal(k.c.problems, 2);
	assert_int_equal(k.c.rc, 0);
	reg_case_release(&k.c);
}

static void
links_that_lead_out_and_flat_ones_are_told(void **state)
{
	struct cache k;

	(void)state;
	build(&k);
	reg_case_link(&k.c, ROOT "snapshots/" COMMIT "/model.safetensors",
	    "/srv/other.bin");
	reg_case_text(&k.c, ROOT "snapshots/" COMMIT "/sub/config.json",
	    "../../../blobs/ce013625030ba8dba906f756967f9e9ca394464a");
	run(&k);
	assert_true(reg_case_has(&k.c, "MISSING path=" ROOT "snapshots/"
	    COMMIT "/model.safetensors link=/srv/other.bin"));
	assert_true(reg_case_has(&k.c, "POINTER path=" ROOT "snapshots/"
	    COMMIT "/sub/config.json"));
	reg_case_link(&k.c, ROOT "snapshots/" COMMIT "/model.safetensors",
	    "../../../CACHEDIR.TAG");
	run(&k);
	assert_true(reg_case_has(&k.c, "DISAGREES path=" ROOT "snapshots/"
	    COMMIT "/model.safetensors link=../../../CACHEDIR.TAG"));
	assert_int_equal(reg_case_count(&k.c, "DIGEST"), 1);
	reg_case_release(&k.c);
}

static void
what_cannot_be_read_makes_it_incomplete(void **state)
{
	struct cache k;

	(void)state;
	build(&k);
	reg_case_absent(&k.c, k.weights, 18);
	run(&k);
	assert_int_equal(k.c.rc, 1);
	assert_int_equal(reg_case_count(&k.c, "UNREAD"), 1);
	reg_case_text(&k.c, ROOT "trees/" COMMIT ".json", "{\"files\": []}");
	run(&k);
	assert_true(reg_case_has(&k.c, "MALFORMED path=" ROOT "trees/" COMMIT
	    ".json reason=no list of files"));
	reg_case_release(&k.c);
}

static void
files_that_end_early_or_change_are_survived(void **state)
{
	struct cache k;

	(void)state;
	build(&k);
	assert_null(reg_case_sweep(&k.c, "hf-cache",
	    ROOT "trees/" COMMIT ".json", 500, 1));
	assert_null(reg_case_sweep(&k.c, "hf-cache", ROOT "refs/main", 100,
	    2));
	reg_case_release(&k.c);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_clean_cache_agrees_everywhere),
	    cmocka_unit_test(one_byte_of_a_blob_breaks_its_name),
	    cmocka_unit_test(a_name_that_is_the_plain_sha1_agrees),
	    cmocka_unit_test(an_empty_lock_beside_a_blob_is_none_too_many),
	    cmocka_unit_test(a_link_to_another_blob_contradicts_the_tree),
	    cmocka_unit_test(planted_files_are_told),
	    cmocka_unit_test(what_is_missing_is_told_once_for_a_commit),
	    cmocka_unit_test(links_that_lead_out_and_flat_ones_are_told),
	    cmocka_unit_test(what_cannot_be_read_makes_it_incomplete),
	    cmocka_unit_test(files_that_end_early_or_change_are_survived),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
