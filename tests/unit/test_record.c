#include "tests/unit/collect_fixture.h"

/* An object that nobody put anywhere: what statx would have said. */
static struct object
object_of(uint16_t mode)
{
	struct object o = {.dir = AT_FDCWD, .name = "none",
	    .path = "/none", .class = BAG_OTHER};

	o.st.stx_mode = mode;
	o.st.stx_nlink = 2;
	o.st.stx_ino = 77;
	o.st.stx_uid = 12345;
	o.st.stx_size = 5;
	o.st.stx_mtime.tv_sec = -1;
	o.st.stx_mtime.tv_nsec = 999999999;
	return o;
}

static void
each_type_has_its_name(void **state)
{
	static const struct {
		uint16_t mode;
		const char *name;
	} rows[] = {{S_IFREG, "file"}, {S_IFDIR, "directory"},
	    {S_IFLNK, "symlink"}, {S_IFIFO, "fifo"}, {S_IFSOCK, "socket"},
	    {S_IFCHR, "character-device"}, {S_IFBLK, "block-device"},
	    {0, "unknown"}};
	struct scene *s = *state;

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct object o = object_of(rows[i].mode);
		char part[64];
		const char *line;

		assert_int_equal(record_object(&s->c, &o, NULL, NULL, NULL, 0,
		    NULL), 0);
		line = nth_line(s, &s->c.files, "", (unsigned)i);
		(void)snprintf(part, sizeof(part), "{\"type\":\"%s\",",
		    rows[i].name);
		has(line, part);
		has(line, "\"member\":null,\"note\":null");
		assert_true(is_json(line, strlen(line)));
	}
	counts(s, 8, 0, 0);
}

static void
numbers_and_times_are_exact(void **state)
{
	struct scene *s = *state;
	struct object o = object_of(S_IFREG | 04755);
	const char *line;

	o.st.stx_ctime.tv_sec = 1774353600;
	o.st.stx_ctime.tv_nsec = 1;
	o.st.stx_mask = STATX_BTIME;
	assert_int_equal(record_object(&s->c, &o, "data/other/x", NULL, NULL,
	    0, "a note"), 0);
	line = nth_line(s, &s->c.files, "", 0);
	has(line, "\"mode\":\"104755\"");
	has(line, "\"uid\":12345");
	has(line, "\"mtime\":\"-1.999999999\"");
	has(line, "\"ctime\":\"1774353600.000000001\"");
	has(line, "\"btime\":\"0.000000000\"");
	has(line, "\"hard_link_group\":\"0:0:77\"");
	has(line, "\"member\":\"data/other/x\",\"note\":\"a note\"");
	/* The hook of the fixture knows no names. */
	has(line, "\"user\":null,\"group\":null");
}

static void
a_birth_time_that_is_not_known_is_null(void **state)
{
	struct scene *s = *state;
	struct object o = object_of(S_IFREG);

	assert_int_equal(record_object(&s->c, &o, NULL, NULL, NULL, 0, NULL),
	    0);
	has(nth_line(s, &s->c.files, "", 0), "\"btime\":null");
}

static const char *
odd_name(uid_t uid)
{
	return uid == 12345 ? "mallory\033[2J\"" : NULL;
}

static void
text_from_outside_is_made_printable(void **state)
{
	struct scene *s = *state;
	struct object o = object_of(S_IFLNK);
	const char *line;

	o.path = "/a\n\"b\\\377";
	s->o.user_name = odd_name;
	assert_int_equal(record_object(&s->c, &o, NULL, NULL, "\0\033", 2,
	    NULL), 0);
	line = nth_line(s, &s->c.files, "", 0);
	assert_true(is_json(line, strlen(line)));
	has(line, "\"path\":\"/a\\\\x0A\\\"b\\\\x5C\\\\xFF\"");
	has(line, "\"path_hex\":\"2f610a22625cff\"");
	has(line, "\"user\":\"mallory\\\\x1B[2J\\\"\"");
	has(line, "\"link_target_hex\":\"001b\"");
	assert_int_equal(record_error(&s->c, "/e\033", "cannot open", EACCES),
	    0);
	line = nth_line(s, &s->c.errors, "", 0);
	assert_true(is_json(line, strlen(line)));
	has(line, "\"path\":\"/e\\\\x1B\",\"path_hex\":\"2f651b\"");
	has(line, "\"errno\":\"EACCES\",\"text\":\"Permission denied\"");
}

static void
an_error_without_a_number_has_none(void **state)
{
	struct scene *s = *state;

	assert_int_equal(record_error(&s->c, "/x", "was replaced", 0), 0);
	has(nth_line(s, &s->c.errors, "", 0), "\"errno\":null,\"text\":null");
	counts(s, 0, 0, 1);
}

static void
steps_are_logged_with_their_time(void **state)
{
	struct scene *s = *state;
	const char *line;

	assert_int_equal(record_log(&s->c, "began", NULL), 0);
	assert_int_equal(record_log(&s->c, "source", "/a"), 0);
	line = nth_line(s, &s->c.log, "began", 0);
	has(line, "{\"time\":\"2");
	has(line, "\"mono_ns\":");
	lacks(line, "\"path\"");
	has(nth_line(s, &s->c.log, "source", 0), "\"path\":\"/a\"");
}

/* More than the buffer holds: what was flushed comes first, nothing is lost. */
static void
a_long_record_is_stored_whole_and_in_order(void **state)
{
	struct scene *s = *state;
	char path[64];
	const char *p;
	uint8_t *all;
	size_t n;
	off_t end;

	for (unsigned i = 0; i < 8000; i++) {
		(void)snprintf(path, sizeof(path), "/object/%05u", i);
		assert_int_equal(record_log(&s->c, "step", path), 0);
	}
	assert_true(s->c.log.b.len < 300 * KIB);
	assert_int_equal(record_store(&s->c, &s->c.log, BAG_LOG), 0);
	/* A tag file behind it makes the writer write. */
	all = calloc(1, MIB);
	assert_non_null(all);
	assert_int_equal(evidence_tag(s->w, BAG_ERRORS, all, MIB, &s->e), 0);
	free(all);
	end = lseek(s->fd, 0, SEEK_END);
	n = (size_t)end;
	all = malloc(n);
	assert_non_null(all);
	assert_int_equal(pread(s->fd, all, n, 0), (ssize_t)n);
	p = (const char *)all;
	for (unsigned i = 0; i < 8000; i++) {
		(void)snprintf(path, sizeof(path), "\"/object/%05u\"}\n", i);
		p = memmem(p, n - (size_t)(p - (const char *)all), path,
		    strlen(path));
		assert_non_null(p);
	}
	free(all);
}

static void
records_wait_in_files_without_a_name(void **state)
{
	struct scene *s = *state;
	struct record_file f;
	struct stat st;
	DIR *d;
	unsigned n = 0;

	assert_int_equal(setenv("TMPDIR", s->dir, 1), 0);
	assert_int_equal(record_open(&f, &s->e), 0);
	assert_int_equal(unsetenv("TMPDIR"), 0);
	assert_int_equal(fstat(f.fd, &st), 0);
	assert_int_equal(st.st_nlink, 0);
	assert_non_null(d = opendir(s->dir));
	while (readdir(d) != NULL)
		n++;
	(void)closedir(d);
	assert_int_equal(n, 2);
	record_close(&f);
	record_close(&f);
}

static void
no_place_for_records_is_an_error(void **state)
{
	struct scene *s = *state;
	struct record_file f;

	assert_int_equal(setenv("TMPDIR", at(s, "none"), 1), 0);
	assert_true(record_open(&f, &s->e) < 0);
	assert_int_equal(unsetenv("TMPDIR"), 0);
	assert_non_null(strstr(s->e.msg, "temporary file"));
	record_close(&f);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    SCENE_TEST(each_type_has_its_name),
	    SCENE_TEST(numbers_and_times_are_exact),
	    SCENE_TEST(a_birth_time_that_is_not_known_is_null),
	    SCENE_TEST(text_from_outside_is_made_printable),
	    SCENE_TEST(an_error_without_a_number_has_none),
	    SCENE_TEST(steps_are_logged_with_their_time),
	    SCENE_TEST(a_long_record_is_stored_whole_and_in_order),
	    SCENE_TEST(records_wait_in_files_without_a_name),
	    SCENE_TEST(no_place_for_records_is_an_error),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
