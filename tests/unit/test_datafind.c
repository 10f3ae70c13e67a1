#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <setjmp.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "analyzer/triggers/datafind.h"
#include "base/arena.h"
#include "base/limits.h"
#include "formats/rows/rows.h"

#define NAMES 16

/* "name files first-file labels format", sets divided by bars. */
static void
check(const char *const *names, const char *want)
{
	struct rows_file file[NAMES];
	struct arena *a = arena_new(MIB);
	struct datafind_set *s;
	char got[2048] = "";
	size_t n = 0, sets, at = 0;

	for (; names[n] != NULL; n++)
		file[n] = (struct rows_file){names[n], strlen(names[n]), NULL};
	assert_non_null(s = datafind(file, n, a, &sets));
	for (size_t i = 0; i < sets; i++)
		at += (size_t)snprintf(got + at, sizeof(got) - at,
		    "%s%.*s %zu %s %s %s", i > 0 ? "|" : "",
		    (int)s[i].name_len, s[i].name, s[i].files,
		    s[i].file[0].name, s[i].labels != NULL ?
		    s[i].labels->name : "-", s[i].format != NULL ?
		    s[i].format : "-");
	assert_string_equal(got, want);
	arena_free(a);
}

static void
unrelated_files_are_sets_of_their_own(void **state)
{
	static const char *const names[] = {"a.csv", "b/test.jsonl",
	    "b/train.jsonl", NULL};

	(void)state;
	check(names, "a.csv 1 a.csv - -|b/test.jsonl 1 b/test.jsonl - -|"
	    "b/train.jsonl 1 b/train.jsonl - -");
}

static void
images_are_one_set_below_the_folder_they_share(void **state)
{
	static const char *const names[] = {"readme.md", "x/y/cat/1.png",
	    "x/y/cat/2.JPG", "x/y/dog/1.png", NULL};

	(void)state;
	check(names, "readme.md 1 readme.md - -|"
	    "x/y/ 3 cat/1.png - imagefolder");
}

static void
an_array_and_its_labels_are_a_pair(void **state)
{
	static const char *const names[] = {"labels.npy", "other.npy",
	    "pixels.npy", "test_x.npy", "test_y.npy", "train_images.npy",
	    "train_labels.npy", NULL};

	(void)state;
	check(names, "other.npy 1 other.npy - -|"
	    "pixels.npy 1 pixels.npy labels.npy npy|"
	    "test_x.npy 1 test_x.npy test_y.npy npy|"
	    "train_images.npy 1 train_images.npy train_labels.npy npy");
}

static void
two_arrays_without_labels_are_no_pair(void **state)
{
	static const char *const names[] = {"a_data.npy", "a_images.npy",
	    NULL};

	(void)state;
	check(names, "a_data.npy 1 a_data.npy - -|"
	    "a_images.npy 1 a_images.npy - -");
}

static void
shards_batches_and_indices_go_together(void **state)
{
	static const char *const names[] = {"c/data_batch_1.bin",
	    "c/data_batch_2.bin", "c/test_batch.bin", "m/index.json",
	    "m/shard.00000.mds", "t10k-images-idx3-ubyte",
	    "t10k-labels-idx1-ubyte", "train-00000-of-00002.parquet",
	    "train-00001-of-00002.parquet", "train-images-idx3-ubyte.gz",
	    "train-labels-idx1-ubyte.gz", NULL};

	(void)state;
	check(names, "c/ 2 c/data_batch_1.bin - -|"
	    "c/test_batch.bin 1 c/test_batch.bin - -|"
	    "m/ 2 m/index.json - -|"
	    " 2 t10k-images-idx3-ubyte - -|"
	    " 2 train-00000-of-00002.parquet - -|"
	    " 2 train-images-idx3-ubyte.gz - -");
}

static void
no_files_are_no_sets(void **state)
{
	static const char *const names[] = {NULL};

	(void)state;
	check(names, "");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(unrelated_files_are_sets_of_their_own),
	    cmocka_unit_test(images_are_one_set_below_the_folder_they_share),
	    cmocka_unit_test(an_array_and_its_labels_are_a_pair),
	    cmocka_unit_test(two_arrays_without_labels_are_no_pair),
	    cmocka_unit_test(shards_batches_and_indices_go_together),
	    cmocka_unit_test(no_files_are_no_sets)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
