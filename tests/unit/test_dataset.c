#include "base/buf.h"
#include "collector/dataset.h"
#include "tests/unit/collect_fixture.h"

/* The files of a data set, and what is done with those that change. */
static unsigned told;
static char last[256];

static int
tell(void *ctx, const char *path, const char *what, int errnum)
{
	const char *slash = strrchr(path, '/');

	(void)ctx;
	told++;
	(void)snprintf(last, sizeof(last), "%s: %s %d", slash + 1, what,
	    errnum);
	return 0;
}

static struct dataset
open_set(struct scene *s, const char *name, int want)
{
	struct dataset d = {.dir = -1, .tell = tell};

	told = 0;
	assert_int_equal(dataset_open(&d, s->dir, name, &s->e), want);
	return d;
}

static void
files_come_in_byte_order_of_their_paths(void **state)
{
	static const char *const want[] = {"a", "a-b", "a.d/z", "b"};
	struct scene *s = *state;
	struct dataset d;

	put_dir(s, "set");
	put_dir(s, "set/a.d");
	put_text(s, "set/b", "1");
	put_text(s, "set/a.d/z", "22");
	put_text(s, "set/a-b", "333");
	put_text(s, "set/a", "");
	d = open_set(s, "set", 1);
	assert_int_equal(d.n, 4);
	assert_int_equal(d.bytes, 6);
	assert_true(d.folder);
	for (unsigned i = 0; i < 4; i++)
		assert_string_equal(d.v[i].name, want[i]);
	assert_int_equal(told, 0);
	dataset_release(&d);
}

static void
links_and_special_files_are_told_and_no_part(void **state)
{
	struct scene *s = *state;
	struct dataset d;

	put_dir(s, "set");
	put_text(s, "set/b", "1");
	assert_int_equal(symlink("b", at(s, "set/l")), 0);
	assert_int_equal(mkfifo(at(s, "set/p"), 0600), 0);
	d = open_set(s, "set", 1);
	assert_int_equal(d.n, 1);
	assert_int_equal(told, 2);
	dataset_release(&d);
	d = open_set(s, "gone", 0);
	assert_string_equal(last, "gone: cannot open 2");
	dataset_release(&d);
	put_dir(s, "empty");
	d = open_set(s, "empty", 0);
	assert_string_equal(last, "empty: a data set without files 2");
	dataset_release(&d);
}

static void
another_file_under_the_name_is_not_opened(void **state)
{
	struct scene *s = *state;
	struct dataset d;
	int fd;

	put_text(s, "f", "1");
	put_text(s, "g", "2");
	d = open_set(s, "f", 1);
	assert_true((fd = dataset_fd(&d, 0)) >= 0);
	(void)close(fd);
	assert_false(dataset_changed(&d, 0));
	assert_int_equal(rename(at(s, "g"), at(s, "f")), 0);
	assert_int_equal(dataset_fd(&d, 0), -1);
	assert_int_equal(errno, ESTALE);
	assert_true(dataset_changed(&d, 0));
	dataset_release(&d);
}

static void
a_folder_that_became_a_link_leads_nowhere(void **state)
{
	struct scene *s = *state;
	struct dataset d;

	put_dir(s, "set");
	put_dir(s, "set/a");
	put_dir(s, "out");
	put_text(s, "set/a/f", "1");
	assert_int_equal(link(at(s, "set/a/f"), at(s, "out/f")), 0);
	d = open_set(s, "set", 1);
	assert_int_equal(unlink(at(s, "set/a/f")), 0);
	assert_int_equal(rmdir(at(s, "set/a")), 0);
	assert_int_equal(symlink("../out", at(s, "set/a")), 0);
	assert_int_equal(dataset_fd(&d, 0), -1);
	dataset_release(&d);
}

static void
a_file_that_was_written_has_changed(void **state)
{
	struct scene *s = *state;
	struct dataset d;

	put_text(s, "f", "1");
	d = open_set(s, "f", 1);
	put_text(s, "f", "12");
	assert_true(dataset_changed(&d, 0));
	dataset_release(&d);
}

static void
the_job_holds_words_ids_and_names(void **state)
{
	static const uint8_t want[] = {3, 0, 0, 0, 'a', '=', 'b', 1, 0, 0, 0,
	    2, 0, 0, 0, 0, 0, 0, 0, 'x', '\n', 1, 0, 0, 0,
	    5, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 'f'};
	struct dataset_ids ids = {NULL, (uint8_t *)(uintptr_t)"x\n", 2};
	const struct dataset_words words = {"a=b", &ids, 1};
	struct scene *s = *state;
	uint8_t got[64];
	struct dataset d;
	uint64_t size;
	int fd;

	put_text(s, "f", "12345");
	d = open_set(s, "f", 1);
	assert_int_equal(dataset_job(&d, &words, &fd, &size, &s->e), 0);
	assert_int_equal(size, sizeof(want));
	assert_int_equal(pread(fd, got, sizeof(got), 0), sizeof(want));
	assert_memory_equal(got, want, sizeof(want));
	(void)close(fd);
	dataset_release(&d);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    SCENE_TEST(files_come_in_byte_order_of_their_paths),
	    SCENE_TEST(links_and_special_files_are_told_and_no_part),
	    SCENE_TEST(another_file_under_the_name_is_not_opened),
	    SCENE_TEST(a_folder_that_became_a_link_leads_nowhere),
	    SCENE_TEST(a_file_that_was_written_has_changed),
	    SCENE_TEST(the_job_holds_words_ids_and_names)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
