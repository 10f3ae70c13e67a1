#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/buf.h"
#include "base/limits.h"
#include "custody/bagtext.h"

#define ZEROS "0000000000000000000000000000000000000000000000000000000000000000"

static void
container_json_has_one_key_a_line(void **state)
{
	const struct bagtext_container c = {.bag = "X-E01",
	    .digests = DIGEST_SHA256, .header_mtime = 5, .members = 2,
	    .payload_bytes = 3, .prefix_len = 512};
	struct buf b;

	(void)state;
	buf_init(&b, LIMIT_TRAILER);
	bagtext_container(&b, &c);
	assert_string_equal(buf_str(&b),
	    "{\n"
	    " \"bag\": \"X-E01\",\n"
	    " \"digests\": [\n"
	    "  \"sha256\"\n"
	    " ],\n"
	    " \"format\": \"evidence-bag/1\",\n"
	    " \"header_mtime\": 5,\n"
	    " \"manifests\": [\n"
	    "  \"manifest-sha256.txt\"\n"
	    " ],\n"
	    " \"members\": 2,\n"
	    " \"merkle_root\": \"" ZEROS "\",\n"
	    " \"payload_bytes\": 3,\n"
	    " \"prefix_len\": 512,\n"
	    " \"prefix_sha256\": \"" ZEROS "\",\n"
	    " \"trailer\": [\n"
	    "  \"metadata/container.json\",\n"
	    "  \"seal/seal.txt\",\n"
	    "  \"seal/seal.txt.p7s\",\n"
	    "  \"tagmanifest-sha256.txt\"\n"
	    " ],\n"
	    " \"version\": 1\n"
	    "}\n");
	buf_release(&b);
}

static void
token_and_second_digest_are_listed(void **state)
{
	const struct bagtext_container c = {.bag = "X",
	    .digests = DIGEST_SHA256 | DIGEST_SHA512, .token = true};
	struct buf b;

	(void)state;
	buf_init(&b, LIMIT_TRAILER);
	bagtext_container(&b, &c);
	assert_non_null(strstr(buf_str(&b), "  \"sha256\",\n  \"sha512\"\n"));
	assert_non_null(strstr(buf_str(&b), "  \"manifest-sha512.txt\"\n"));
	assert_non_null(strstr(buf_str(&b), "  \"seal/seal.txt.p7s.tsr\",\n"
	    "  \"tagmanifest-sha256.txt\",\n"
	    "  \"tagmanifest-sha512.txt\"\n"));
	buf_release(&b);
}

static void
bag_info_comes_back(void **state)
{
	const struct bagtext_info i = {"tool 1", "X-E01", 6, 5, 1774353600, 2,
	    10};
	struct bagtext_info got;
	struct buf b;

	(void)state;
	buf_init(&b, 1000);
	bagtext_info(&b, &i);
	assert_string_equal(buf_str(&b), "Bag-Software-Agent: tool 1\n"
	    "Bagging-Date: 2026-03-24\nExternal-Identifier: X-E01\n"
	    "Payload-Oxum: 10.2\n");
	assert_true(bagtext_info_read(b.p, b.len, &got));
	assert_int_equal(got.tool_len, 6);
	assert_memory_equal(got.tool, "tool 1", 6);
	assert_int_equal(got.external_id_len, 5);
	assert_memory_equal(got.external_id, "X-E01", 5);
	assert_false(bagtext_info_read(b.p, 40, &got));
	b.p[0] = 'b';
	assert_false(bagtext_info_read(b.p, b.len, &got));
	assert_false(bagtext_info_read(NULL, 0, &got));
	buf_release(&b);
}

static void
lines_have_the_digest_asked_for(void **state)
{
	struct bagtext_tag t[2] = {{.name = "a"}, {.name = "b/c"}};
	struct buf b;

	(void)state;
	memset(t[1].digests.sha256, 0, 32);
	memset(t[1].digests.sha512, 0xff, 64);
	buf_init(&b, 1000);
	bagtext_lines(&b, t, 2, DIGEST_SHA256);
	assert_string_equal(buf_str(&b), ZEROS "  a\n" ZEROS "  b/c\n");
	buf_clear(&b);
	bagtext_lines(&b, t, 2, DIGEST_SHA512);
	assert_int_equal(b.len, 132 + 134);
	assert_memory_equal(b.p + 132, "ffff", 4);
	buf_release(&b);
}

static void
body_end_comes_back_and_only_as_it_is_written(void **state)
{
	const struct bagtext_body t = {.records_len = 18432, .objects = 3,
	    .stored = 2, .bytes = 3003, .errors = 1, .changed = 0,
	    .duplicates = UINT64_MAX};
	struct bagtext_body got;
	struct buf b;

	(void)state;
	buf_init(&b, 1000);
	bagtext_body(&b, &t);
	assert_string_equal(buf_str(&b), "Body-Of: evidence-bag/1\n"
	    "Records-Length: 18432\nRecords-SHA256: " ZEROS "\n"
	    "Objects: 3\nStored: 2\nBytes: 3003\nErrors: 1\nChanged: 0\n"
	    "Duplicates: 18446744073709551615\n");
	assert_true(bagtext_body_read(b.p, b.len, &got));
	assert_memory_equal(&got, &t, sizeof(t));
	for (size_t n = 0; n < b.len; n++)
		assert_false(bagtext_body_read(b.p, n, &got));
	for (size_t i = 0; i < b.len; i++) {
		struct bagtext_body other = t;
		uint8_t was = b.p[i];

		/* Another digit is another number; all else is refused. */
		b.p[i] ^= 1;
		if (bagtext_body_read(b.p, b.len, &other))
			assert_memory_not_equal(&other, &t, sizeof(t));
		b.p[i] = (uint8_t)(was ^ 0x80);
		assert_false(bagtext_body_read(b.p, b.len, &other));
		b.p[i] = was;
	}
	buf_putc(&b, '\n');
	assert_false(bagtext_body_read(b.p, b.len, &got));
	buf_release(&b);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(container_json_has_one_key_a_line),
	    cmocka_unit_test(token_and_second_digest_are_listed),
	    cmocka_unit_test(bag_info_comes_back),
	    cmocka_unit_test(lines_have_the_digest_asked_for),
	    cmocka_unit_test(body_end_comes_back_and_only_as_it_is_written),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
