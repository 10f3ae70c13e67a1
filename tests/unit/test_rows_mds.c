#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <setjmp.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/lib/rows_case.h"
#include "tests/lib/rows_pack.h"

/* Columns: id (int, fixed), meta (json), text (str), x (float32, fixed). */
#define SHARD(name, bytes, zip, samples) \
	"{\"column_encodings\":[\"int\",\"json\",\"str\",\"float32\"]," \
	"\"column_names\":[\"id\",\"meta\",\"text\",\"x\"]," \
	"\"column_sizes\":[8,null,null,4],\"compression\":null," \
	"\"format\":\"mds\",\"hashes\":[],\"raw_data\":{\"basename\":\"" name \
	"\",\"bytes\":" bytes ",\"hashes\":{}},\"samples\":" samples "," \
	"\"size_limit\":67108864,\"version\":2,\"zip_data\":" zip "}"
#define INDEX(shards) "{\"shards\":[" shards "],\"version\":2}"

/* Two samples; offsets at 4, configuration of 2 bytes at 16. */
static uint8_t bytes[128];
static size_t size;

static void
put(const void *p, size_t n)
{
	memcpy(bytes + size, p, n);
	size += n;
}

static void
sample(const char *id, const char *meta, const char *text, const char *x)
{
	const uint8_t n[8] = {(uint8_t)strlen(meta), 0, 0, 0,
	    (uint8_t)strlen(text)};

	put(n, 8);
	put(id, 8);
	put(meta, strlen(meta));
	put(text, strlen(text));
	put(x, 4);
}

static void
make_shard(void)
{
	uint8_t offsets[12] = {18};

	size = 0;
	put("\2\0\0", 4);
	put(offsets, 12);
	put("{}", 2);
	sample("\5\0\0\0\0\0\0", "{\"k\":[1,2]}", "hi", "\0\0\x80\x3f");
	bytes[8] = (uint8_t)size;
	sample("\xff\xff\xff\xff\xff\xff\xff\xff", "[]", "", "\0\0\0\xc0");
	bytes[12] = (uint8_t)size;
}

#define TWO \
	"0 1 18 33 v {\"id\":5,\"meta\":{\"k\":[1,2]},\"text\":\"hi\"," \
	"\"x\":1}\n" \
	"1 1 51 22 v {\"id\":-1,\"meta\":[],\"text\":\"\",\"x\":-2}\n"

static void
samples_are_records_of_columns(void **state)
{
	static const char index[] = INDEX(SHARD("s.mds", "73", "null", "2"));
	struct rows_case_file f[] = {{"t/index.json", index,
	    sizeof(index) - 1}, {"t/s.mds", bytes, 0}};
	char *got;

	(void)state;
	make_shard();
	f[1].n = size;
	rows_case_check(NULL, f, 2, TWO "= 0\n");
	rows_case_truncate("mds", f, 2);
	got = rows_case_field("mds", f, 2, 0, "meta.k.1");
	assert_string_equal(got, "int:2");
	free(got);
	got = rows_case_field("mds", f, 2, 1, "x");
	assert_string_equal(got, "real:-2");
	free(got);
}

/* Neither there nor absent: whoever asks must hear it. */
static void
paths_into_json_that_is_none_are_unreadable(void **state)
{
	static const char index[] = INDEX(SHARD("s.mds", "73", "null", "2"));
	struct rows_case_file f[] = {{"index.json", index,
	    sizeof(index) - 1}, {"s.mds", bytes, 0}};
	char *got;

	(void)state;
	make_shard();
	f[1].n = size;
	/* {"k":[1,2]} of the first sample, behind its sizes and its id. */
	assert_int_equal(bytes[18 + 16], '{');
	bytes[18 + 16] = '[';
	got = rows_case_field("mds", f, 2, 0, "meta.k");
	assert_string_equal(got, "! 1 18 a column is not JSON\nunreadable");
	free(got);
	got = rows_case_field("mds", f, 2, 0, "text.k");
	assert_string_equal(got, "absent");
	free(got);
}

static void
compressed_shard_is_unpacked(void **state)
{
	static const char index[] = INDEX(SHARD("s.mds", "73",
	    "{\"basename\":\"s.mds.zstd\",\"bytes\":1,\"hashes\":{}}", "2"));
	struct rows_case_file f[] = {{"index.json", index,
	    sizeof(index) - 1}, {"s.mds.zstd", NULL, 0}};
	char want[256];
	uint8_t *p;

	(void)state;
	make_shard();
	f[1].p = p = rows_pack_filter(bytes, size, "zstd", &f[1].n);
	(void)snprintf(want, sizeof(want),
	    "0 1 0 %zu - {\"id\":5,\"meta\":{\"k\":[1,2]},\"text\":\"hi\","
	    "\"x\":1}\n"
	    "1 1 0 %zu - {\"id\":-1,\"meta\":[],\"text\":\"\",\"x\":-2}\n"
	    "= 0\n", f[1].n, f[1].n);
	rows_case_check("mds", f, 2, want);
	rows_case_truncate("mds", f, 2);
	free(p);
}

static void
shards_that_are_not_there_are_told(void **state)
{
	static const char index[] = INDEX(SHARD("s.mds", "73", "null", "2")
	    "," SHARD("u.mds", "73", "null", "2"));
	struct rows_case_file f[] = {{"index.json", index,
	    sizeof(index) - 1}, {"s.mds", bytes, 0}};

	(void)state;
	make_shard();
	f[1].n = size;
	rows_case_check("mds", f, 2, TWO
	    "! 0 297 a shard of the index is not there\n= -5\n= 0\n");
}

static void
index_and_shard_must_agree(void **state)
{
	static const char wrong_size[] = INDEX(SHARD("s.mds", "74", "null",
	    "2"));
	static const char wrong_count[] = INDEX(SHARD("s.mds", "73", "null",
	    "3"));
	struct rows_case_file f[] = {{"index.json", wrong_size,
	    sizeof(wrong_size) - 1}, {"s.mds", bytes, 0}};

	(void)state;
	make_shard();
	f[1].n = size;
	rows_case_check("mds", f, 2,
	    "! 1 0 a shard has not the size that the index states\n"
	    TWO "= 0\n");
	f[0].p = wrong_count;
	rows_case_check("mds", f, 2,
	    "! 1 0 a shard has not the samples that the index states\n"
	    "= -5\n= 0\n");
}

static void
sample_that_its_columns_do_not_fill_is_damaged(void **state)
{
	static const char index[] = INDEX(SHARD("s.mds", "73", "null", "2"));
	struct rows_case_file f[] = {{"index.json", index,
	    sizeof(index) - 1}, {"s.mds", bytes, 0}};

	(void)state;
	make_shard();
	f[1].n = size;
	bytes[18]++;
	rows_case_check("mds", f, 2,
	    "! 1 18 the columns of a record do not fit it\n"
	    "0 1 18 33 vd -\n"
	    "1 1 51 22 v {\"id\":-1,\"meta\":[],\"text\":\"\",\"x\":-2}\n"
	    "= 0\n");
	make_shard();
	bytes[8] = 200;
	rows_case_check("mds", f, 2,
	    "! 1 4 a shard is cut\n= -5\n= 0\n");
}

static void
index_that_is_none_is_told(void **state)
{
	static const struct rows_case_file bad = {"index.json",
	    "{\"shards\":[{}", 12};
	static const struct rows_case_file empty = {"index.json",
	    "{\"shards\":[]}", 13};

	(void)state;
	rows_case_check("mds", &bad, 1,
	    "! 0 12 the index is not JSON\n= -5\n");
	rows_case_check("mds", &empty, 1, "= 0\n");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(samples_are_records_of_columns),
	    cmocka_unit_test(paths_into_json_that_is_none_are_unreadable),
	    cmocka_unit_test(compressed_shard_is_unpacked),
	    cmocka_unit_test(shards_that_are_not_there_are_told),
	    cmocka_unit_test(index_and_shard_must_agree),
	    cmocka_unit_test(sample_that_its_columns_do_not_fill_is_damaged),
	    cmocka_unit_test(index_that_is_none_is_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
