#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <fcntl.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "analyzer/diff/job.h"
#include "analyzer/diff/session.h"
#include "analyzer/sink.h"
#include "base/err.h"
#include "tests/lib/model_case.h"
#include "tests/lib/tree_fixture.h"

/*
 * Comparisons from end to end: files on a disk, a real worker behind the
 * fence, the result as JSON Lines.
 */
#define ROWS 600
#define COLS 64
#define N (ROWS * COLS)

static char top[] = "/tmp/exhibit-diff-XXXXXX";
static char *told;
static struct diff_summary sum;
static bool failed;
static float a[3][N], b[3][N];

static const char *
at(const char *name)
{
	static char path[4][256];
	static unsigned i;

	i = (i + 1) % 4;
	(void)snprintf(path[i], sizeof(path[i]), "%s/%s", top, name);
	return path[i];
}

/* Numbers as weights have them, the same each time. */
static double
uniform(uint64_t *x)
{
	*x ^= *x << 13;
	*x ^= *x >> 7;
	*x ^= *x << 17;
	return (double)(*x >> 11) * 0x1p-53;
}

static void
fill(float *v, size_t n, uint64_t seed, double sd)
{
	uint64_t x = 88172645463325252ULL + seed * 7919;

	for (size_t i = 0; i < n; i++) {
		double u = uniform(&x) + 1e-12, w = uniform(&x);

		v[i] = (float)(sd * sqrt(-2 * log(u)) * cos(6.283185 * w));
	}
}

static void
read_result(const char *path)
{
	struct stat st;
	FILE *f = fopen(path, "r");

	assert_non_null(f);
	assert_int_equal(fstat(fileno(f), &st), 0);
	free(told);
	told = calloc(1, (size_t)st.st_size + 1);
	assert_non_null(told);
	assert_int_equal(fread(told, 1, (size_t)st.st_size, f),
	    (size_t)st.st_size);
	(void)fclose(f);
}

static void
run_with(struct diff_options o)
{
	struct sink sink = {.ops = sink_find("jsonl")};
	struct err e = ERR_INIT;
	const char *path = at("result.jsonl");

	o.fence = true;
	o.worker = diff_worker_main;
	sink.fd = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	assert_true(sink.fd >= 0);
	assert_int_equal(diff_run(&o, &sink, &sum, &failed, &e), 0);
	(void)close(sink.fd);
	read_result(path);
}

static void
run(const char *old, const char *new)
{
	run_with((struct diff_options){.command = "diff", .old = at(old),
	    .new = at(new)});
}

static bool
says(const char *text)
{
	return strstr(told, text) != NULL;
}

static bool
concludes(const char *kind)
{
	char text[128];

	(void)snprintf(text, sizeof(text),
	    "\"type\":\"conclusion\",\"kind\":\"%s\"", kind);
	return says(text);
}

#define MATRIX(name, v) {name, "F32", {ROWS, COLS}, 2, v, sizeof(v)}

static void
save(const char *name, float v[3][N])
{
	const struct model_tensor t[] = {
	    MATRIX("model.embed_tokens.weight", v[0]),
	    MATRIX("model.layers.0.mlp.down_proj.weight", v[1]),
	    MATRIX("model.layers.1.mlp.down_proj.weight", v[2])};

	model_case_save(at(name), t, 3);
}

static int
begin(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 3; i++)
		fill(a[i], N, i + 1, 0.05);
	memcpy(b, a, sizeof(a));
	save("old.safetensors", a);
	return 0;
}

static void
equal_models_are_identical(void **state)
{
	(void)state;
	save("new.safetensors", b);
	run("old.safetensors", "new.safetensors");
	assert_true(concludes("identical"));
	assert_int_equal(sum.sums.tensors[ROW_IDENTICAL], 3);
	assert_false(says("\"type\":\"finding\""));
	assert_false(failed);
}

static void
a_cast_to_bfloat16_is_recognised_exactly(void **state)
{
	static uint16_t half[3][N];
	const struct model_tensor t[] = {
	    {"model.embed_tokens.weight", "BF16", {ROWS, COLS}, 2, half[0],
		sizeof(half[0])},
	    {"model.layers.0.mlp.down_proj.weight", "BF16", {ROWS, COLS}, 2,
		half[1], sizeof(half[1])},
	    {"model.layers.1.mlp.down_proj.weight", "BF16", {ROWS, COLS}, 2,
		half[2], sizeof(half[2])}};
	uint32_t u;

	(void)state;
	for (unsigned i = 0; i < 3; i++)
		for (unsigned k = 0; k < N; k++) {
			memcpy(&u, &a[i][k], 4);
			half[i][k] = (uint16_t)((u + 0x7fff +
			    ((u >> 16) & 1)) >> 16);
		}
	model_case_save(at("new.safetensors"), t, 3);
	run("old.safetensors", "new.safetensors");
	assert_true(concludes("recast"));
	assert_false(concludes("continued-training"));
	assert_int_equal(sum.sums.tensors[ROW_RECAST], 3);
	/* One element that is another is no cast any more. */
	half[1][7] ^= 0x4000;
	model_case_save(at("new.safetensors"), t, 3);
	run("old.safetensors", "new.safetensors");
	assert_int_equal(sum.sums.tensors[ROW_RECAST], 2);
	assert_int_equal(sum.sums.tensors[ROW_CHANGED], 1);
}

static void
a_rewritten_row_is_named_by_its_word(void **state)
{
	FILE *f;

	(void)state;
	f = fopen(at("vocab.txt"), "w");
	assert_non_null(f);
	for (unsigned i = 0; i < ROWS; i++)
		(void)fprintf(f, i == 477 ? "tremendous\n" : "word%u\n", i);
	assert_int_equal(fclose(f), 0);
	fill(b[0] + 477 * COLS, COLS, 99, 0.3);
	save("new.safetensors", b);
	run("old.safetensors", "new.safetensors");
	assert_true(concludes("token-row-edit"));
	assert_true(says("\"value\":\"tremendous\""));
	assert_true(says("DIFF-TOKEN-ROWS"));
	assert_int_equal(unlink(at("vocab.txt")), 0);
}

static void
a_rank_one_edit_is_one_and_noise_is_none(void **state)
{
	float u[ROWS], v[COLS];

	(void)state;
	fill(u, ROWS, 7, 1);
	fill(v, COLS, 8, 0.01);
	for (unsigned i = 0; i < ROWS; i++)
		for (unsigned k = 0; k < COLS; k++)
			b[1][i * COLS + k] += u[i] * v[k];
	save("new.safetensors", b);
	run("old.safetensors", "new.safetensors");
	assert_true(concludes("rank-one-edit"));
	assert_true(says("DIFF-EDIT"));
	/* The same size, of full rank, in all of them. */
	for (unsigned m = 0; m < 3; m++) {
		fill(b[m], N, m + 20, 0.01);
		for (unsigned i = 0; i < N; i++)
			b[m][i] = a[m][i] + b[m][i] * (float)(1 + i % 5);
	}
	save("new.safetensors", b);
	run("old.safetensors", "new.safetensors");
	assert_false(concludes("rank-one-edit"));
	assert_false(concludes("low-rank-edit"));
	assert_false(concludes("merged-adapter"));
	assert_false(says("DIFF-EDIT"));
}

#define PAYLOAD 4096

static void
a_payload_in_one_plane_comes_back_byte_for_byte(void **state)
{
	static uint8_t payload[PAYLOAD], back[PAYLOAD + 64];
	char path[256];
	const char *file;
	uint64_t x = 12345;
	uint32_t w;
	size_t n;
	FILE *f;
	int dir;

	(void)state;
	for (unsigned i = 0; i < PAYLOAD; i++)
		payload[i] = (uint8_t)(i < 64 ? "exhibit"[i % 7] :
		    (uint8_t)(uniform(&x) * 256));
	memcpy(payload, "PK\3\4", 4);
	for (unsigned i = 0; i < 8 * PAYLOAD; i++) {
		memcpy(&w, &b[2][1234 + i], 4);
		w = (w & ~1U) | (payload[i / 8] >> (7 - i % 8) & 1U);
		memcpy(&b[2][1234 + i], &w, 4);
	}
	save("new.safetensors", b);
	assert_int_equal(mkdir(at("carved"), 0700), 0);
	dir = open(at("carved"), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_true(dir >= 0);
	run_with((struct diff_options){.command = "diff",
	    .old = at("old.safetensors"), .new = at("new.safetensors"),
	    .carve = true, .carve_dir = dir});
	assert_true(concludes("hidden-payload"));
	assert_true(says("DIFF-PAYLOAD"));
	file = strstr(told, "\"type\":\"carved\"");
	assert_non_null(file);
	file = strstr(file, "\"file\":\"");
	assert_non_null(file);
	(void)snprintf(path, sizeof(path), "%s/carved/%.100s", top,
	    file + 8);
	*strchrnul(path, '"') = '\0';
	f = fopen(path, "r");
	assert_non_null(f);
	n = fread(back, 1, sizeof(back), f);
	(void)fclose(f);
	assert_true(n >= PAYLOAD);
	assert_memory_equal(back, payload, PAYLOAD);
	(void)close(dir);
}

static void
numbers_that_are_none_break_nothing(void **state)
{
	static float odd[2][N];
	const struct model_tensor old[] = {MATRIX("w", odd[0]),
	    {"none", "F32", {0, 5}, 2, NULL, 0},
	    {"one", "F32", {1}, 1, odd[0], 4}};
	const struct model_tensor new[] = {MATRIX("w", odd[1]),
	    {"none", "F32", {5, 0}, 2, NULL, 0},
	    {"one", "F32", {1, 1, 1}, 3, odd[1], 4}};
	static const float values[] = {NAN, INFINITY, -INFINITY, 1e38F, 1e-45F,
	    0, -0.0F, -1e38F};

	(void)state;
	for (unsigned i = 0; i < N; i++) {
		odd[0][i] = values[i % 8];
		odd[1][i] = values[(i / 3) % 8];
	}
	model_case_save(at("new.safetensors"), new, 3);
	model_case_save(at("odd.safetensors"), old, 3);
	run("odd.safetensors", "new.safetensors");
	assert_false(failed);
	assert_true(says("\"type\":\"summary\""));
	assert_false(says("SCAN-"));
}

#define MANY 20000

static void
thousands_of_tiny_tensors_are_compared(void **state)
{
	static struct model_tensor t[MANY];
	static char name[MANY][16];

	(void)state;
	for (unsigned i = 0; i < MANY; i++) {
		(void)snprintf(name[i], sizeof(name[i]), "t%05u", i);
		t[i] = (struct model_tensor){name[i], "F32", {4}, 1, a[0], 16};
	}
	model_case_save(at("many.safetensors"), t, MANY);
	t[777].data = a[1];
	model_case_save(at("new.safetensors"), t, MANY);
	run("many.safetensors", "new.safetensors");
	assert_false(failed);
	assert_int_equal(sum.sums.tensors[ROW_IDENTICAL], MANY - 1);
	assert_int_equal(sum.sums.tensors[ROW_CHANGED], 1);
}

static void
figures_do_not_depend_on_threads(void **state)
{
	char *one;

	(void)state;
	for (unsigned m = 0; m < 3; m++) {
		fill(b[m], N, m + 30, 0.01);
		for (unsigned i = 0; i < N; i++)
			b[m][i] += a[m][i];
	}
	save("new.safetensors", b);
	run_with((struct diff_options){.command = "diff", .threads = 1,
	    .old = at("old.safetensors"), .new = at("new.safetensors")});
	one = strdup(strstr(told, "\"type\":\"conclusion\""));
	assert_non_null(one);
	*strstr(one, "{\"type\":\"summary\"") = '\0';
	for (unsigned n = 2; n <= 4; n++) {
		run_with((struct diff_options){.command = "diff",
		    .threads = n, .old = at("old.safetensors"),
		    .new = at("new.safetensors")});
		assert_non_null(strstr(told, one));
	}
	free(one);
}

/* A type that nobody can read as numbers: not measured is not equal. */
static void
what_could_not_be_measured_is_told(void **state)
{
	const struct model_tensor old[] = {
	    {"w", "F32", {ROWS}, 1, a[0], 4 * ROWS}};
	const struct model_tensor new[] = {
	    {"w", "F8_E8M0", {ROWS}, 1, a[0], ROWS}};

	(void)state;
	model_case_save(at("one.safetensors"), old, 1);
	model_case_save(at("new.safetensors"), new, 1);
	run("one.safetensors", "new.safetensors");
	assert_true(says("DIFF-UNREAD"));
	assert_true(sum.base.incomplete > 0);
	assert_false(concludes("identical"));
}

/* Under a scale of 0 every nibble is 0: equal values, other bytes. */
static void
equal_values_of_other_bytes_are_not_identical(void **state)
{
	(void)state;
	model_case_save_q4_0(at("zero.gguf"), 0x88);
	model_case_save_q4_0(at("new.gguf"), 0x88);
	run("zero.gguf", "new.gguf");
	assert_true(concludes("identical"));
	model_case_save_q4_0(at("new.gguf"), 0x5a);
	run("zero.gguf", "new.gguf");
	assert_false(failed);
	assert_int_equal(sum.sums.tensors[ROW_IDENTICAL], 0);
	assert_false(concludes("identical"));
}

/* Every tensor that both have is equal; one file of NEW nobody matched. */
static void
a_file_that_was_added_is_not_identity(void **state)
{
	static const struct model_tensor more[] = {
	    {"elsewhere", "F32", {ROWS}, 1, a[1], 4 * ROWS}};

	(void)state;
	assert_int_equal(mkdir(at("old"), 0700), 0);
	assert_int_equal(mkdir(at("new"), 0700), 0);
	save("old/model.safetensors", a);
	save("new/model.safetensors", a);
	run("old", "new");
	assert_true(concludes("identical"));
	model_case_save(at("new/extra.safetensors"), more, 1);
	run("old", "new");
	assert_true(says("DIFF-UNMATCHED"));
	assert_false(concludes("identical"));
}

static void
an_adapter_that_explains_nothing_is_not_passed_over(void **state)
{
	(void)state;
	b[1][5] += 1;
	save("new.safetensors", b);
	run_with((struct diff_options){.command = "diff",
	    .old = at("old.safetensors"), .new = at("new.safetensors"),
	    .adapter = at("old.safetensors")});
	assert_true(says("the adapter's scale"));
}

static int
end(void **state)
{
	(void)state;
	free(told);
	return tree_fixture_remove(top);
}

static int
start(void **state)
{
	(void)state;
	return mkdtemp(top) != NULL ? 0 : -1;
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup(equal_models_are_identical, begin),
	    cmocka_unit_test_setup(a_cast_to_bfloat16_is_recognised_exactly,
		begin),
	    cmocka_unit_test_setup(a_rewritten_row_is_named_by_its_word,
		begin),
	    cmocka_unit_test_setup(a_rank_one_edit_is_one_and_noise_is_none,
		begin),
	    cmocka_unit_test_setup(
		a_payload_in_one_plane_comes_back_byte_for_byte, begin),
	    cmocka_unit_test_setup(numbers_that_are_none_break_nothing,
		begin),
	    cmocka_unit_test_setup(thousands_of_tiny_tensors_are_compared,
		begin),
	    cmocka_unit_test_setup(figures_do_not_depend_on_threads, begin),
	    cmocka_unit_test_setup(what_could_not_be_measured_is_told, begin),
	    cmocka_unit_test_setup(
		equal_values_of_other_bytes_are_not_identical, begin),
	    cmocka_unit_test_setup(a_file_that_was_added_is_not_identity,
		begin),
	    cmocka_unit_test_setup(
		an_adapter_that_explains_nothing_is_not_passed_over, begin),
	};

	return cmocka_run_group_tests(tests, start, end);
}
