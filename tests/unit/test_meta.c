#include "tests/unit/collect_fixture.h"

#include <sched.h>
#include <sys/mount.h>
#include <sys/xattr.h>

static void
attributes_are_kept_byte_for_byte(void **state)
{
	static const uint8_t value[] = {0, 1, 0xff, '\n', '"'};
	struct scene *s = *state;
	const char *line;

	put_text(s, "f", "x");
	if (setxattr(at(s, "f"), "user.bin", value, 5, 0) < 0)
		SKIP("no extended attributes here");
	assert_int_equal(setxattr(at(s, "f"), "user.empty", "", 0, 0), 0);
	assert_int_equal(setxattr(at(s, "f"), "user.od\nd", "v", 1, 0), 0);
	take(s, "f");
	line = record_of(s, "f");
	has(line, "{\"name\":\"user.bin\",\"base64\":\"AAH/CiI=\"}");
	has(line, "{\"name\":\"user.empty\",\"base64\":\"\"}");
	has(line, "{\"name\":\"user.od\\\\x0Ad\",\"base64\":\"dg==\"}");
	assert_true(is_json(line, strlen(line)));
	counts(s, 1, 1, 0);
}

static void
attributes_of_directories_and_fifos_are_kept_too(void **state)
{
	struct scene *s = *state;

	put_dir(s, "d");
	if (setxattr(at(s, "d"), "user.a", "v", 1, 0) < 0)
		SKIP("no extended attributes here");
	assert_int_equal(mkfifo(at(s, "d/fifo"), 0644), 0);
	take(s, "d");
	has(record_of(s, "d"), "{\"name\":\"user.a\",\"base64\":\"dg==\"}");
	has(record_of(s, "d/fifo"), "\"xattrs\":[]");
}

static void
a_link_does_not_show_the_attributes_of_its_target(void **state)
{
	struct scene *s = *state;

	put_text(s, "f", "x");
	put_dir(s, "d");
	if (setxattr(at(s, "f"), "user.a", "v", 1, 0) < 0)
		SKIP("no extended attributes here");
	assert_int_equal(symlink("../f", at(s, "d/link")), 0);
	take(s, "d");
	has(record_of(s, "d/link"), "\"xattrs\":[]");
}

/*
 * A tmpfs takes as many as one likes: they may neither end the collection
 * nor be left out in silence.
 */
static void
attributes_beyond_the_limit_are_left_out_and_said(void **state)
{
	static uint8_t value[60000];
	struct scene *s = *state;
	char name[32], part[96];
	const char *line;

	put_dir(s, "m");
	if (unshare(CLONE_NEWNS) < 0 ||
	    mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0 ||
	    mount("none", at(s, "m"), "tmpfs", 0, NULL) < 0)
		SKIP("mounting is refused here");
	put_text(s, "m/f", "x");
	put_text(s, "m/g", "y");
	for (unsigned i = 0; i < 40; i++) {
		(void)snprintf(name, sizeof(name), "trusted.%u", i);
		assert_int_equal(setxattr(at(s, "m/f"), name, value,
		    sizeof(value), 0), 0);
	}
	take(s, "m");
	assert_int_equal(umount(at(s, "m")), 0);
	line = record_of(s, "m/f");
	assert_true(is_json(line, strlen(line)));
	for (unsigned i = 0; i < 40; i++) {
		(void)snprintf(part, sizeof(part), "{\"name\":\"trusted.%u\",",
		    i);
		has(line, part);
	}
	has(line, "\"base64\"");
	has(line, "\"left_out\":60000");
	has(error_of(s, "m/f"), "extended attributes");
	stored(s, "m/f", "x", 1);
	stored(s, "m/g", "y", 1);
	counts(s, 3, 2, 1);
}

/* ${n} blocks of data, each with a hole as large before it. */
static void
put_sparse(const struct scene *s, const char *name, unsigned n)
{
	static uint8_t block[4096];
	int fd = open(at(s, name), O_WRONLY | O_CREAT | O_CLOEXEC, 0644);

	memset(block, 'd', sizeof(block));
	assert_true(fd >= 0);
	for (unsigned i = 0; i < n; i++)
		assert_int_equal(pwrite(fd, block, sizeof(block),
		    (off_t)((2 * (uint64_t)i + 1) * sizeof(block))),
		    sizeof(block));
	assert_int_equal(fsync(fd), 0);
	(void)close(fd);
}

static bool
holes_here(const struct scene *s)
{
	int fd;
	off_t data;

	put_sparse(s, "probe", 1);
	fd = open(at(s, "probe"), O_RDONLY | O_CLOEXEC);
	assert_true(fd >= 0);
	data = lseek(fd, 0, SEEK_DATA);
	(void)close(fd);
	assert_int_equal(unlink(at(s, "probe")), 0);
	return data == 4096;
}

static void
a_sparse_file_has_its_map(void **state)
{
	struct scene *s = *state;
	static uint8_t want[4 * 4096 + 100];

	if (!holes_here(s))
		SKIP("no holes of 4096 bytes here");
	put_sparse(s, "f", 2);
	assert_int_equal(truncate(at(s, "f"), sizeof(want)), 0);
	memset(want + 4096, 'd', 4096);
	memset(want + 3 * 4096, 'd', 4096);
	take(s, "f");
	has(record_of(s, "f"), "\"data_ranges\":[[4096,4096],[12288,4096]]");
	stored(s, "f", want, sizeof(want));
}

static void
a_file_of_nothing_but_a_hole_has_an_empty_map(void **state)
{
	struct scene *s = *state;
	uint8_t *zeros = calloc(1, 100000);

	if (!holes_here(s)) {
		free(zeros);
		SKIP("no holes of 4096 bytes here");
	}
	put_text(s, "f", "");
	assert_int_equal(truncate(at(s, "f"), 100000), 0);
	take(s, "f");
	has(record_of(s, "f"), "\"data_ranges\":[]");
	stored(s, "f", zeros, 100000);
	free(zeros);
}

static void
a_file_without_holes_is_one_range(void **state)
{
	struct scene *s = *state;
	uint8_t *p = pattern(8192);

	put(s, "f", p, 8192);
	take(s, "f");
	has(record_of(s, "f"), "\"data_ranges\":[[0,8192]]");
	free(p);
}

static void
a_map_that_is_cut_is_said(void **state)
{
	struct scene *s = *state;

	if (!holes_here(s))
		SKIP("no holes of 4096 bytes here");
	put_sparse(s, "f", 1024);
	put_sparse(s, "g", 1025);
	take(s, "");
	lacks(record_of(s, "f"), "data_ranges_cut");
	has(record_of(s, "f"), ",[8384512,4096]]");
	has(record_of(s, "g"), "\"data_ranges_cut\":true");
	has(record_of(s, "g"), ",[8384512,4096]]");
}

static void
put_another(struct scene *s, uint64_t bytes)
{
	(void)bytes;
	assert_int_equal(unlink(at(s, "f")), 0);
	put_text(s, "f", "");
	assert_int_equal(truncate(at(s, "f"), 8192), 0);
}

static void
put_another_below(struct scene *s, uint64_t bytes)
{
	(void)bytes;
	assert_int_equal(unlink(at(s, "d/f")), 0);
	put_text(s, "d/f", "another");
}

static void
no_map_of_another_file_is_given(void **state)
{
	struct scene *s = *state;
	uint8_t *p = pattern(8192);

	/* One without holes is known from what was read. */
	put(s, "f", p, 8192);
	s->on_chunk = put_another;
	take(s, "f");
	has(record_of(s, "f"), "\"data_ranges\":[[0,8192]]");
	stored(s, "f", p, 8192);
	free(p);
	if (!holes_here(s))
		SKIP("no holes of 4096 bytes here");
	put_dir(s, "d");
	put_sparse(s, "d/f", 2);
	s->on_chunk = put_another_below;
	take(s, "d");
	has(record_of(s, "d/f"), "\"data_ranges\":null");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    SCENE_TEST(attributes_are_kept_byte_for_byte),
	    SCENE_TEST(attributes_of_directories_and_fifos_are_kept_too),
	    SCENE_TEST(a_link_does_not_show_the_attributes_of_its_target),
	    SCENE_TEST(attributes_beyond_the_limit_are_left_out_and_said),
	    SCENE_TEST(a_sparse_file_has_its_map),
	    SCENE_TEST(a_file_of_nothing_but_a_hole_has_an_empty_map),
	    SCENE_TEST(a_file_without_holes_is_one_range),
	    SCENE_TEST(a_map_that_is_cut_is_said),
	    SCENE_TEST(no_map_of_another_file_is_given),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
