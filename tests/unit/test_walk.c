#include "tests/unit/collect_fixture.h"

#include <sched.h>
#include <sys/inotify.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/sysmacros.h>
#include <sys/un.h>

static void
everything_gets_the_class_of_its_source(void **state)
{
	static const struct {
		enum bag_class class;
		const char *name;
	} rows[] = {{BAG_WEIGHTS, "weights"}, {BAG_TRAINING, "training"},
	    {BAG_REGISTRY, "registry"}, {BAG_API_LOGS, "api-logs"}};
	struct scene *s = *state;
	char part[128];

	for (size_t i = 0; i < 4; i++) {
		char dir[16], file[32];

		(void)snprintf(dir, sizeof(dir), "d%zu", i);
		(void)snprintf(file, sizeof(file), "d%zu/f", i);
		put_dir(s, dir);
		put_text(s, file, rows[i].name);
		take_as(s, rows[i].class, at(s, dir));
		(void)snprintf(part, sizeof(part), "\"class\":\"%s\"",
		    rows[i].name);
		has(record_of(s, dir), part);
		has(record_of(s, file), part);
		(void)snprintf(part, sizeof(part), "\"member\":\"data/%s/",
		    rows[i].name);
		has(record_of(s, file), part);
		stored(s, file, rows[i].name, strlen(rows[i].name));
	}
	counts(s, 8, 4, 0);
}

/* Names of things below s->dir that were opened, by inotify. */
static bool
was_opened(int watch, const char *name)
{
	static char events[64 * KIB]
	    __attribute__((aligned(__alignof__(struct inotify_event))));
	static size_t n;
	ssize_t r = read(watch, events + n, sizeof(events) - n);
	struct inotify_event ev;

	n += r > 0 ? (size_t)r : 0;
	for (size_t i = 0; i < n; i += sizeof(ev) + ev.len) {
		memcpy(&ev, events + i, sizeof(ev));
		if (ev.len > 0 &&
		    strcmp(events + i + sizeof(ev), name) == 0)
			return true;
	}
	return false;
}

static void
make_socket(const struct scene *s, const char *name)
{
	struct sockaddr_un a = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	assert_true(fd >= 0);
	(void)snprintf(a.sun_path, sizeof(a.sun_path), "%.90s", at(s, name));
	assert_int_equal(bind(fd, (struct sockaddr *)&a, sizeof(a)), 0);
	(void)close(fd);
}

static void
special_files_are_described_and_not_opened(void **state)
{
	struct scene *s = *state;
	int watch = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
	bool devices;

	put_text(s, "file", "control");
	assert_int_equal(mkfifo(at(s, "fifo"), 0644), 0);
	make_socket(s, "socket");
	devices = mknod(at(s, "null"), S_IFCHR | 0644, makedev(1, 3)) == 0 &&
	    mknod(at(s, "loop"), S_IFBLK | 0644, makedev(7, 250)) == 0;
	assert_true(watch >= 0);
	assert_true(inotify_add_watch(watch, s->dir, IN_OPEN) >= 0);
	take(s, "");
	assert_true(was_opened(watch, "file"));
	assert_false(was_opened(watch, "fifo"));
	assert_false(was_opened(watch, "socket"));
	has(record_of(s, "fifo"), "{\"type\":\"fifo\"");
	has(record_of(s, "fifo"), "\"member\":null");
	lacks(record_of(s, "fifo"), "\"sha256\"");
	has(record_of(s, "socket"), "{\"type\":\"socket\"");
	if (devices) {
		assert_false(was_opened(watch, "null"));
		assert_false(was_opened(watch, "loop"));
		has(record_of(s, "null"), "{\"type\":\"character-device\"");
		has(record_of(s, "loop"), "{\"type\":\"block-device\"");
	} else {
		(void)printf("SKIP: devices: mknod is refused here\n");
	}
	counts(s, devices ? 6 : 4, 1, 0);
	(void)close(watch);
}

static void
links_are_recorded_and_never_followed(void **state)
{
	struct scene *s = *state;

	put_dir(s, "out");
	put_text(s, "out/secret", "out of the root");
	put_dir(s, "in");
	assert_int_equal(symlink("nowhere", at(s, "in/dangling")), 0);
	assert_int_equal(symlink("../out/secret", at(s, "in/file")), 0);
	assert_int_equal(symlink("../out", at(s, "in/dir")), 0);
	assert_int_equal(symlink("loop2", at(s, "in/loop1")), 0);
	assert_int_equal(symlink("loop1", at(s, "in/loop2")), 0);
	assert_int_equal(symlink("a\nb\377", at(s, "in/odd")), 0);
	take(s, "in");
	has(record_of(s, "in/dangling"), "{\"type\":\"symlink\"");
	has(record_of(s, "in/dangling"), "\"link_target\":\"nowhere\"");
	has(record_of(s, "in/file"), "\"link_target\":\"../out/secret\"");
	has(record_of(s, "in/dir"), "\"member\":null");
	has(record_of(s, "in/loop1"), "\"link_target\":\"loop2\"");
	has(record_of(s, "in/odd"), "\"link_target_hex\":\"610a62ff\"");
	assert_null(seen(s, "out"));
	assert_null(seen(s, "out/secret"));
	assert_null(seen(s, "in/dir/secret"));
	counts(s, 7, 0, 0);
}

/* "d" was recorded: now it is something else. */
static void
swap_for_a_link(struct scene *s)
{
	if (s->records != 2)
		return;
	assert_int_equal(rename(at(s, "in/d"), at(s, "away")), 0);
	assert_int_equal(symlink("../out", at(s, "in/d")), 0);
}

static void
a_directory_swapped_for_a_link_is_not_entered(void **state)
{
	struct scene *s = *state;

	put_dir(s, "out");
	put_text(s, "out/secret", "out of the root");
	put_dir(s, "in");
	put_dir(s, "in/d");
	put_text(s, "in/d/f", "inside");
	s->on_record = swap_for_a_link;
	take(s, "in");
	has(error_of(s, "in/d"), "cannot open directory");
	assert_null(seen(s, "in/d/secret"));
	counts(s, 2, 0, 1);
}

static void
swap_for_another(struct scene *s)
{
	if (s->records != 2)
		return;
	assert_int_equal(rename(at(s, "in/d"), at(s, "away")), 0);
	assert_int_equal(rename(at(s, "out"), at(s, "in/d")), 0);
}

static void
a_directory_swapped_for_another_is_not_entered(void **state)
{
	struct scene *s = *state;

	put_dir(s, "out");
	put_text(s, "out/secret", "from elsewhere");
	put_dir(s, "in");
	put_dir(s, "in/d");
	s->on_record = swap_for_another;
	take(s, "in");
	has(error_of(s, "in/d"), "was replaced");
	assert_null(seen(s, "in/d/secret"));
	counts(s, 2, 0, 1);
}

static void
same_names_below_two_roots_are_both_stored(void **state)
{
	struct scene *s = *state;

	put_dir(s, "a");
	put_dir(s, "b");
	put_dir(s, "a/m");
	put_dir(s, "b/m");
	put_text(s, "a/m/w.bin", "one");
	put_text(s, "b/m/w.bin", "the other");
	take(s, "a/m");
	take(s, "b/m");
	stored(s, "a/m/w.bin", "one", 3);
	stored(s, "b/m/w.bin", "the other", 9);
	counts(s, 4, 2, 0);
}

static void
what_two_sources_share_is_stored_once_and_said_twice(void **state)
{
	struct scene *s = *state;

	put_dir(s, "a");
	put_text(s, "a/f", "once");
	take(s, "");
	take(s, "a");
	stored(s, "a/f", "once", 4);
	has(nth_line(s, &s->c.files, hex_of(s, "a/f"), 1),
	    "\"note\":\"duplicate\"");
	assert_int_equal(s->c.totals.duplicates, 1);
	counts(s, 5, 1, 0);
}

static void
what_may_not_be_read_is_said(void **state)
{
	struct scene *s = *state;

	put_dir(s, "locked");
	put_text(s, "locked/f", "x");
	put_dir(s, "blind");
	put_text(s, "blind/f", "x");
	put_text(s, "unreadable", "x");
	put_text(s, "z", "readable");
	assert_int_equal(chmod(at(s, "locked"), 0), 0);
	assert_int_equal(chmod(at(s, "blind"), 0444), 0);
	assert_int_equal(chmod(at(s, "unreadable"), 0), 0);
	assert_int_equal(chmod(s->dir, 0755), 0);
	be_nobody();
	take(s, "");
	be_root_again();
	has(error_of(s, "locked"), "\"errno\":\"EACCES\"");
	has(error_of(s, "blind/f"), "\"errno\":\"EACCES\"");
	has(error_of(s, "unreadable"), "\"errno\":\"EACCES\"");
	has(record_of(s, "unreadable"), "\"note\":\"not stored\"");
	has(record_of(s, "locked"), "{\"type\":\"directory\"");
	stored(s, "z", "readable", 8);
	counts(s, 5, 1, 3);
}

static void
remove_b(struct scene *s)
{
	if (s->records == 2)
		assert_int_equal(unlink(at(s, "b")), 0);
}

static void
a_file_that_vanishes_is_said(void **state)
{
	struct scene *s = *state;

	put_text(s, "a", "first");
	put_text(s, "b", "gone");
	put_text(s, "c", "last");
	s->on_record = remove_b;
	take(s, "");
	has(error_of(s, "b"), "\"errno\":\"ENOENT\"");
	assert_null(seen(s, "b"));
	stored(s, "c", "last", 4);
	counts(s, 3, 2, 1);
}

static void
an_empty_directory_is_an_object(void **state)
{
	struct scene *s = *state;

	put_dir(s, "empty");
	take(s, "empty");
	has(record_of(s, "empty"), "{\"type\":\"directory\"");
	counts(s, 1, 0, 0);
}

static void
an_empty_file_is_stored(void **state)
{
	struct scene *s = *state;

	put_text(s, "empty", "");
	take(s, "");
	stored(s, "empty", "", 0);
	has(record_of(s, "empty"), "\"guarantee\":\"stat equal\"");
	counts(s, 2, 1, 0);
}

static void
hard_links_are_a_group_and_each_is_whole(void **state)
{
	struct scene *s = *state;
	struct stat st;
	char part[96];

	put_text(s, "a", "shared");
	put_text(s, "alone", "alone");
	assert_int_equal(link(at(s, "a"), at(s, "b")), 0);
	take(s, "");
	assert_int_equal(lstat(at(s, "a"), &st), 0);
	(void)snprintf(part, sizeof(part), "\"hard_link_group\":\"%u:%u:%llu\"",
	    major(st.st_dev), minor(st.st_dev),
	    (unsigned long long)st.st_ino);
	has(record_of(s, "a"), part);
	has(record_of(s, "b"), part);
	lacks(record_of(s, "alone"), "hard_link_group");
	stored(s, "a", "shared", 6);
	stored(s, "b", "shared", 6);
}

struct times {
	struct stat st[4];
};

static struct times
times_of(const struct scene *s)
{
	static const char *const names[] = {".", "d", "d/f", "d/fifo"};
	struct times t;

	memset(&t, 0, sizeof(t));
	for (size_t i = 0; i < 4; i++)
		assert_int_equal(lstat(at(s, names[i]), &t.st[i]), 0);
	return t;
}

static void
nothing_on_the_source_is_altered(void **state)
{
	/* Older than the other times: relatime would renew them. */
	const struct timespec old[2] = {{1000000000, 0}, {1100000000, 0}};
	static const char *const names[] = {"d/f", "d/fifo", "d", "."};
	struct scene *s = *state;
	struct times before, after;
	char event[512];
	int watch = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);

	put_dir(s, "d");
	put_text(s, "d/f", "content");
	assert_int_equal(mkfifo(at(s, "d/fifo"), 0644), 0);
	for (size_t i = 0; i < 4; i++)
		assert_int_equal(utimensat(AT_FDCWD, at(s, names[i]), old, 0),
		    0);
	before = times_of(s);
	assert_true(watch >= 0);
	for (size_t i = 0; i < 2; i++)
		assert_true(inotify_add_watch(watch, at(s, i == 0 ? "d" : "."),
		    IN_MODIFY | IN_ATTRIB | IN_CREATE | IN_DELETE | IN_MOVE |
		    IN_CLOSE_WRITE) >= 0);
	s->o.double_read = true;
	take(s, "");
	after = times_of(s);
	assert_memory_equal(&before, &after, sizeof(before));
	assert_true(read(watch, event, sizeof(event)) < 0);
	assert_int_equal(errno, EAGAIN);
	(void)close(watch);
	counts(s, 4, 1, 0);
}

static void
mounts_are_entered_and_said_but_no_circle_is(void **state)
{
	struct scene *s = *state;

	put_dir(s, "a");
	put_dir(s, "a/b");
	put_dir(s, "m");
	if (unshare(CLONE_NEWNS) < 0 ||
	    mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0 ||
	    mount("none", at(s, "m"), "tmpfs", 0, NULL) < 0)
		SKIP("mounting is refused here");
	assert_int_equal(mount(at(s, "a"), at(s, "a/b"), NULL, MS_BIND, NULL),
	    0);
	put_text(s, "m/f", "elsewhere");
	take(s, "");
	assert_int_equal(umount(at(s, "a/b")), 0);
	assert_int_equal(umount(at(s, "m")), 0);
	has(error_of(s, "a/b"), "inside itself");
	stored(s, "m/f", "elsewhere", 9);
	has(nth_line(s, &s->c.log, "entered a mount", 0), "/a/b\"");
	has(nth_line(s, &s->c.log, "entered a mount", 1), "/m\"");
	counts(s, 4, 1, 1);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    SCENE_TEST(everything_gets_the_class_of_its_source),
	    SCENE_TEST(special_files_are_described_and_not_opened),
	    SCENE_TEST(links_are_recorded_and_never_followed),
	    SCENE_TEST(a_directory_swapped_for_a_link_is_not_entered),
	    SCENE_TEST(a_directory_swapped_for_another_is_not_entered),
	    SCENE_TEST(same_names_below_two_roots_are_both_stored),
	    SCENE_TEST(what_two_sources_share_is_stored_once_and_said_twice),
	    SCENE_TEST(what_may_not_be_read_is_said),
	    SCENE_TEST(a_file_that_vanishes_is_said),
	    SCENE_TEST(an_empty_directory_is_an_object),
	    SCENE_TEST(an_empty_file_is_stored),
	    SCENE_TEST(hard_links_are_a_group_and_each_is_whole),
	    SCENE_TEST(nothing_on_the_source_is_altered),
	    SCENE_TEST(mounts_are_entered_and_said_but_no_circle_is),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
