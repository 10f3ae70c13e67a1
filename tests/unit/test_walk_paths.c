#include "tests/unit/collect_fixture.h"

/* The walk: names, lengths and depths of paths, and what a source may be. */
static void
names_of_any_bytes_are_kept(void **state)
{
	static const char *const names[] = {"new\nline", "bad\377\376utf",
	    "a=b", "per%cent", "sp ace", "back\\slash", "\"quote\"", "-dash",
	    "\033[31mred", "\xe2\x80\xaertl", "...", "=7Efake", "tab\there"};
	struct scene *s = *state;
	char longest[256];

	memset(longest, 'n', 255);
	longest[255] = '\0';
	put_text(s, longest, longest);
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		put_text(s, names[i], names[i]);
	take(s, "");
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		const char *line = record_of(s, names[i]);

		assert_true(is_json(line, strlen(line)));
		stored(s, names[i], names[i], strlen(names[i]));
	}
	stored(s, longest, longest, 255);
	counts(s, 15, 14, 0);
}

static void
objects_come_in_byte_order(void **state)
{
	static const char *const order[] = {"", "A", "Z", "Z/a", "a", "a-b",
	    "\xc3\xa4"};
	struct scene *s = *state;
	const char *before = NULL;

	put_dir(s, "Z");
	put_text(s, "a-b", "");
	put_text(s, "\xc3\xa4", "");
	put_text(s, "Z/a", "");
	put_text(s, "A", "");
	put_text(s, "a", "");
	take(s, "");
	for (size_t i = 0; i < sizeof(order) / sizeof(order[0]); i++) {
		const char *p = strstr(buf_str(&s->c.files.b),
		    hex_of(s, order[i]));

		assert_non_null(p);
		assert_true(before == NULL || p > before);
		before = p;
	}
}

/* ${n} directories "d", one in the other; their path is never named. */
static int
nest(const struct scene *s, const char *name, unsigned n)
{
	int fd = open(s->dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC), next;

	assert_true(fd >= 0);
	for (unsigned i = 0; i < n; i++) {
		assert_int_equal(mkdirat(fd, name, 0755), 0);
		next = openat(fd, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		assert_true(next >= 0);
		(void)close(fd);
		fd = next;
	}
	return fd;
}

static void
put_at(int dir, const char *name)
{
	int fd = openat(dir, name, O_WRONLY | O_CREAT | O_CLOEXEC, 0644);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, name, strlen(name)),
	    (ssize_t)strlen(name));
	(void)close(fd);
}

static void
nesting_beyond_the_limit_is_said(void **state)
{
	struct scene *s = *state;
	int fd = nest(s, "d", LIMIT_WALK_DEPTH + 3);

	put_at(fd, "deep");
	(void)close(fd);
	put_text(s, "z", "behind it");
	take(s, "");
	has(nth_line(s, &s->c.errors, "too deep", 0),
	    "directories nest too deep");
	stored(s, "z", "behind it", 9);
	/* The root, the allowed ones, the one that is too deep, z. */
	counts(s, LIMIT_WALK_DEPTH + 3, 1, 1);
}

/* Below 16 long names: where a path, or a member's name, is too long. */
static void
a_path_beyond_the_limit_is_said(void **state)
{
	struct scene *s = *state;
	char name[256];
	int fd;

	memset(name, 'n', 255);
	name[255] = '\0';
	fd = nest(s, name, 16);
	put_at(fd, "too-long-by-now");
	(void)close(fd);
	put_text(s, "z", "behind it");
	take(s, "");
	assert_non_null(nth_line(s, &s->c.errors, "too long", 0));
	assert_null(strstr(buf_str(&s->c.files.b), "too-long-by-now"));
	stored(s, "z", "behind it", 9);
	assert_int_equal(s->c.totals.errors, 1);
}

/*
 * The name of a member is longer than its path, and the bag's name comes
 * before it: no length of a path may end the collection.
 */
static void
no_length_of_a_path_ends_the_collection(void **state)
{
	struct scene *s = *state;
	char name[256];
	size_t base;
	int fd;

	memset(name, 'n', 255);
	name[255] = '\0';
	fd = nest(s, name, 15);
	base = strlen(s->dir) + 15 * 256 + 1;
	for (size_t n = 1; n < LIMIT_PATH - base; n++) {
		name[n] = '\0';
		put_at(fd, name);
		name[n] = 'n';
	}
	(void)close(fd);
	put_text(s, "z", "behind it");
	take(s, "");
	assert_true(s->c.totals.errors > 0);
	assert_true(s->c.totals.stored > 100);
	assert_int_equal(s->c.totals.stored + s->c.totals.errors,
	    LIMIT_PATH - base);
	assert_non_null(nth_line(s, &s->c.errors,
	    "the member's name is too long", 0));
	stored(s, "z", "behind it", 9);
}

static void
a_source_that_is_not_there_is_said(void **state)
{
	struct scene *s = *state;

	take(s, "none");
	take(s, "no/such/path");
	take(s, "none/");
	has(error_of(s, "none"), "\"errno\":\"ENOENT\"");
	has(error_of(s, "no/such/path"), "\"what\":\"cannot resolve\"");
	counts(s, 0, 0, 3);
}

static void
a_source_that_is_a_link_is_not_followed(void **state)
{
	struct scene *s = *state;

	put_dir(s, "d");
	put_text(s, "d/f", "x");
	assert_int_equal(symlink("d", at(s, "link")), 0);
	take(s, "link");
	take(s, "link/");
	has(record_of(s, "link"), "\"link_target\":\"d\"");
	has(error_of(s, "link"), "name its target");
	counts(s, 2, 0, 2);
}

static void
links_in_what_leads_to_a_source_are_resolved(void **state)
{
	struct scene *s = *state;

	put_dir(s, "d");
	put_text(s, "d/f", "x");
	assert_int_equal(symlink("d", at(s, "link")), 0);
	take(s, "link/f");
	stored(s, "d/f", "x", 1);
	assert_null(seen(s, "link/f"));
	counts(s, 1, 1, 0);
}

static void
dots_and_slashes_name_the_place_itself(void **state)
{
	static const char *const forms[] = {"d/.", "d/", "d//", "d/e/..",
	    "./d", "d/../d"};
	struct scene *s = *state;
	char old[PATH_MAX];

	put_dir(s, "d");
	put_dir(s, "d/e");
	for (size_t i = 0; i < sizeof(forms) / sizeof(forms[0]); i++) {
		take(s, forms[i]);
		has(nth_line(s, &s->c.files, hex_of(s, "d"), (unsigned)i),
		    "{\"type\":\"directory\"");
	}
	assert_non_null(getcwd(old, sizeof(old)));
	assert_int_equal(chdir(at(s, "d")), 0);
	take_as(s, BAG_WEIGHTS, ".");
	take_as(s, BAG_WEIGHTS, "e");
	assert_int_equal(chdir(old), 0);
	assert_non_null(nth_line(s, &s->c.files, hex_of(s, "d"), 6));
	assert_non_null(nth_line(s, &s->c.files, hex_of(s, "d/e"), 7));
	counts(s, 15, 0, 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    SCENE_TEST(names_of_any_bytes_are_kept),
	    SCENE_TEST(objects_come_in_byte_order),
	    SCENE_TEST(nesting_beyond_the_limit_is_said),
	    SCENE_TEST(a_path_beyond_the_limit_is_said),
	    SCENE_TEST(no_length_of_a_path_ends_the_collection),
	    SCENE_TEST(a_source_that_is_not_there_is_said),
	    SCENE_TEST(a_source_that_is_a_link_is_not_followed),
	    SCENE_TEST(links_in_what_leads_to_a_source_are_resolved),
	    SCENE_TEST(dots_and_slashes_name_the_place_itself),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
