#include "tests/unit/collect_fixture.h"

#include <sys/syscall.h>

/*
 * Reading one file.  pread is ours: it can fail at an offset, fail a number
 * of times, and give less than it was asked for.
 */
static struct {
	bool on;
	off_t from, to;		/* this range cannot be read */
	int errnum;
	unsigned times;		/* so many failures, then it can */
	unsigned failed;
	size_t most;		/* bytes at once; 0: any */
} fault;

ssize_t
pread(int fd, void *p, size_t n, off_t off)
{
	if (fault.on && fault.errnum != 0 && off < fault.to &&
	    off + (off_t)n > fault.from && fault.failed < fault.times) {
		fault.failed++;
		errno = fault.errnum;
		return -1;
	}
	if (fault.on && fault.most > 0 && n > fault.most)
		n = fault.most;
	return (ssize_t)syscall(SYS_pread64, fd, p, n, off);
}

#define SIZE (2 * LIMIT_COPY_CHUNK + 12345)

static int
take_setup(void **state)
{
	memset(&fault, 0, sizeof(fault));
	return scene_setup(state);
}

#define TAKE_TEST(f) cmocka_unit_test_setup_teardown(f, take_setup, \
    scene_teardown)

/* What the walk would have seen of "f". */
static struct object
look(const struct scene *s)
{
	static char path[PATH_MAX + 2];
	struct object o = {.name = "f", .class = BAG_WEIGHTS, .path = path};

	(void)snprintf(path, sizeof(path), "%s/f", s->dir);
	assert_true((o.dir = open(s->dir, O_PATH | O_CLOEXEC)) >= 0);
	assert_int_equal(statx(o.dir, "f", AT_SYMLINK_NOFOLLOW,
	    STATX_BASIC_STATS, &o.st), 0);
	return o;
}

static struct taken
take_seen(struct scene *s, const struct object *o)
{
	struct taken t;

	assert_int_equal(take_file(&s->c, o, "data/weights/f", &t), 0);
	(void)close(o->dir);
	return t;
}

static struct taken
take_f(struct scene *s)
{
	struct object o = look(s);

	return take_seen(s, &o);
}

static uint8_t *
put_f(const struct scene *s)
{
	uint8_t *p = pattern(SIZE);

	put(s, "f", p, SIZE);
	return p;
}

/* The bundle has p[0..n) for it, and the digest is that of these bytes. */
static void
took(struct scene *s, const struct taken *t, const uint8_t *p, size_t n)
{
	struct digests d;

	assert_true(t->stored);
	bundle_has(s, t->place.data_offset, p, n);
	assert_int_equal(digest_mem(p, n, DIGEST_SHA256, &d, NULL), 0);
	assert_memory_equal(d.sha256, t->place.digests.sha256, 32);
}

static void
a_file_is_stored_with_the_digest_of_its_bytes(void **state)
{
	struct scene *s = *state;
	uint8_t *p = put_f(s);
	struct taken t = take_f(s);

	took(s, &t, p, SIZE);
	assert_false(t.changed);
	assert_true(t.noatime);
	assert_int_equal(s->chunks, 3);
	assert_int_equal(s->c.totals.bytes, SIZE);
	counts(s, 0, 1, 0);
	free(p);
}

static void
short_reads_give_the_same_bytes(void **state)
{
	struct scene *s = *state;
	uint8_t *p = put_f(s);
	struct taken t;

	fault.on = true;
	fault.most = 4099;
	t = take_f(s);
	fault.on = false;
	took(s, &t, p, SIZE);
	assert_false(t.changed);
	assert_true(s->chunks > 100);
	free(p);
}

static void
a_read_that_is_interrupted_or_fails_once_is_tried_again(void **state)
{
	static const int errors[] = {EINTR, EIO};
	struct scene *s = *state;
	uint8_t *p = put_f(s);
	struct object o = look(s);
	struct taken t;

	for (size_t i = 0; i < 2; i++) {
		char member[32];

		fault.on = true;
		fault.to = SIZE;
		fault.errnum = errors[i];
		fault.times = errors[i] == EINTR ? 50 : 2;
		fault.failed = 0;
		(void)snprintf(member, sizeof(member), "data/weights/%zu", i);
		assert_int_equal(take_file(&s->c, &o, member, &t), 0);
		fault.on = false;
		assert_int_equal(fault.failed, fault.times);
		assert_int_equal(t.read_errors, 0);
		took(s, &t, p, SIZE);
	}
	counts(s, 0, 2, 0);
	(void)close(o.dir);
	free(p);
}

static void
a_range_that_cannot_be_read_is_zeros_and_is_said(void **state)
{
	struct scene *s = *state;
	uint8_t *p = put_f(s);
	struct taken t;

	fault.on = true;
	fault.from = LIMIT_COPY_CHUNK + 5;
	fault.to = LIMIT_COPY_CHUNK + 6;
	fault.errnum = EIO;
	fault.times = 1000;
	t = take_f(s);
	fault.on = false;
	memset(p + LIMIT_COPY_CHUNK, 0, LIMIT_COPY_CHUNK);
	took(s, &t, p, SIZE);
	assert_int_equal(t.read_errors, 1);
	assert_int_equal(t.read_error_off, LIMIT_COPY_CHUNK);
	assert_int_equal(t.read_error_len, LIMIT_COPY_CHUNK);
	assert_int_equal(t.read_errno, EIO);
	has(error_of(s, "f"), "\"errno\":\"EIO\"");
	counts(s, 0, 1, 1);
	free(p);
}

static void
cut_it(struct scene *s, uint64_t bytes)
{
	if (bytes == LIMIT_COPY_CHUNK)
		assert_int_equal(truncate(at(s, "f"),
		    (off_t)LIMIT_COPY_CHUNK + 7), 0);
}

static void
a_file_that_shrinks_is_filled_with_zeros_and_is_said(void **state)
{
	struct scene *s = *state;
	uint8_t *p = put_f(s);
	struct taken t;

	s->on_chunk = cut_it;
	t = take_f(s);
	memset(p + LIMIT_COPY_CHUNK + 7, 0, SIZE - LIMIT_COPY_CHUNK - 7);
	took(s, &t, p, SIZE);
	assert_true(t.changed);
	assert_int_equal(t.short_by, SIZE - LIMIT_COPY_CHUNK - 7);
	assert_int_equal(t.grew_by, 0);
	assert_int_equal(s->c.totals.changed, 1);
	has(error_of(s, "f"), "shrank");
	counts(s, 0, 1, 1);
	free(p);
}

static void
append_to_it(struct scene *s, uint64_t bytes)
{
	int fd;

	if (bytes != LIMIT_COPY_CHUNK)
		return;
	fd = open(at(s, "f"), O_WRONLY | O_APPEND | O_CLOEXEC);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, "more bytes", 10), 10);
	(void)close(fd);
}

static void
a_file_that_grows_is_cut_where_it_ended_and_is_marked(void **state)
{
	struct scene *s = *state;
	uint8_t *p = put_f(s);
	struct taken t;

	s->on_chunk = append_to_it;
	t = take_f(s);
	took(s, &t, p, SIZE);
	assert_true(t.changed);
	assert_int_equal(t.grew_by, 10);
	assert_int_equal(t.short_by, 0);
	assert_int_equal(t.after.stx_size, SIZE + 10);
	assert_int_equal(s->c.totals.changed, 1);
	free(p);
}

/* Written to, and then given its old time again. */
static void
touch_up(struct scene *s, uint64_t bytes)
{
	struct timespec times[2];
	struct stat st;
	int fd;

	if (bytes != LIMIT_COPY_CHUNK)
		return;
	fd = open(at(s, "f"), O_RDWR | O_CLOEXEC);
	assert_true(fd >= 0 && fstat(fd, &st) == 0);
	/* Clocks of file systems tick in milliseconds. */
	(void)usleep(20000);
	assert_int_equal(pwrite(fd, "X", 1, 0), 1);
	times[0] = st.st_atim;
	times[1] = st.st_mtim;
	assert_int_equal(futimens(fd, times), 0);
	(void)close(fd);
}

static void
a_writer_that_restores_the_time_is_noticed(void **state)
{
	struct scene *s = *state;
	uint8_t *p = put_f(s);
	struct taken t;

	s->on_chunk = touch_up;
	t = take_f(s);
	took(s, &t, p, SIZE);
	assert_int_equal(t.after.stx_mtime.tv_nsec,
	    t.before.stx_mtime.tv_nsec);
	assert_true(t.changed);
	free(p);
}

static void
a_second_reading_that_is_equal_is_said(void **state)
{
	struct scene *s = *state;
	uint8_t *p = put_f(s);
	struct taken t;

	s->o.double_read = true;
	t = take_f(s);
	took(s, &t, p, SIZE);
	assert_true(t.doubled && t.double_equal && !t.changed);
	free(p);
}

static uint8_t *mapped;

static void
store_behind_the_reader(struct scene *s, uint64_t bytes)
{
	(void)s;
	if (bytes == LIMIT_COPY_CHUNK)
		mapped[100] ^= 0xff;
}

static void
a_second_reading_sees_a_store_through_a_mapping(void **state)
{
	struct scene *s = *state;
	uint8_t *p = put_f(s);
	struct taken t;
	int fd = open(at(s, "f"), O_RDWR | O_CLOEXEC);

	assert_true(fd >= 0);
	mapped = mmap(NULL, SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	assert_ptr_not_equal(mapped, MAP_FAILED);
	mapped[100] = p[100];	/* dirty before the first look */
	s->o.double_read = true;
	s->on_chunk = store_behind_the_reader;
	t = take_f(s);
	took(s, &t, p, SIZE);
	assert_true(t.doubled && !t.double_equal);
	assert_true(t.changed);
	assert_int_equal(s->c.totals.changed, 1);
	(void)munmap(mapped, SIZE);
	(void)close(fd);
	free(p);
}

static void
an_empty_file_is_a_member_without_bytes(void **state)
{
	struct scene *s = *state;
	struct taken t;

	put(s, "f", "", 0);
	s->o.double_read = true;
	t = take_f(s);
	took(s, &t, (const uint8_t *)"", 0);
	assert_true(t.doubled && t.double_equal && !t.changed);
	assert_int_equal(s->chunks, 0);
	counts(s, 0, 1, 0);
}

static void
content_without_a_size_is_never_taken_for_an_empty_file(void **state)
{
	struct scene *s = *state;
	struct object o = {.name = "status", .path = "/proc/self/status"};
	struct taken t;

	if ((o.dir = open("/proc/self", O_PATH | O_CLOEXEC)) < 0)
		SKIP("no /proc");
	assert_int_equal(statx(o.dir, "status", AT_SYMLINK_NOFOLLOW,
	    STATX_BASIC_STATS, &o.st), 0);
	t = take_seen(s, &o);
	assert_true(t.stored && t.changed);
	has(nth_line(s, &s->c.errors, "/proc/self/status", 0), "no size");
	counts(s, 0, 1, 1);
}

/* What the walk saw is gone, and something else has its name. */
static void
not_taken(struct scene *s, const struct object *o, const char *why)
{
	struct taken t = take_seen(s, o);

	assert_false(t.stored);
	has(error_of(s, "f"), why);
	counts(s, 0, 0, 1);
}

static void
another_file_under_the_name_is_not_taken(void **state)
{
	struct scene *s = *state;
	struct object o;

	put_text(s, "f", "one");
	put_text(s, "g", "two");
	o = look(s);
	assert_int_equal(rename(at(s, "g"), at(s, "f")), 0);
	not_taken(s, &o, "was replaced");
}

static void
a_fifo_under_the_name_does_not_block(void **state)
{
	struct scene *s = *state;
	struct object o;

	put_text(s, "f", "one");
	o = look(s);
	assert_int_equal(unlink(at(s, "f")), 0);
	assert_int_equal(mkfifo(at(s, "f"), 0644), 0);
	not_taken(s, &o, "was replaced");
}

static void
a_link_under_the_name_is_not_followed(void **state)
{
	struct scene *s = *state;
	struct object o;

	put_text(s, "f", "one");
	o = look(s);
	assert_int_equal(rename(at(s, "f"), at(s, "g")), 0);
	assert_int_equal(symlink("g", at(s, "f")), 0);
	not_taken(s, &o, "\"errno\":\"ELOOP\"");
}

static void
a_file_that_vanished_is_said(void **state)
{
	struct scene *s = *state;
	struct object o;

	put_text(s, "f", "one");
	o = look(s);
	assert_int_equal(unlink(at(s, "f")), 0);
	not_taken(s, &o, "\"errno\":\"ENOENT\"");
}

static void
a_refused_noatime_is_said(void **state)
{
	struct scene *s = *state;
	struct taken t;

	if (geteuid() != 0)
		SKIP("needs root to own a file");
	assert_int_equal(chmod(s->dir, 0755), 0);
	put_text(s, "f", "of another owner");
	be_nobody();
	t = take_f(s);
	be_root_again();
	assert_true(t.stored);
	assert_false(t.noatime);
	assert_non_null(strstr(t.flags, "O_NOATIME: EPERM"));
}

static void
a_name_that_is_taken_is_said_to_the_caller(void **state)
{
	struct scene *s = *state;
	struct object o;
	struct taken t;

	put_text(s, "f", "one");
	(void)take_f(s);
	o = look(s);
	assert_int_equal(take_file(&s->c, &o, "data/weights/f", &t),
	    ERR_EXISTS);
	(void)close(o.dir);
	counts(s, 0, 1, 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    TAKE_TEST(a_file_is_stored_with_the_digest_of_its_bytes),
	    TAKE_TEST(short_reads_give_the_same_bytes),
	    TAKE_TEST(a_read_that_is_interrupted_or_fails_once_is_tried_again),
	    TAKE_TEST(a_range_that_cannot_be_read_is_zeros_and_is_said),
	    TAKE_TEST(a_file_that_shrinks_is_filled_with_zeros_and_is_said),
	    TAKE_TEST(a_file_that_grows_is_cut_where_it_ended_and_is_marked),
	    TAKE_TEST(a_writer_that_restores_the_time_is_noticed),
	    TAKE_TEST(a_second_reading_that_is_equal_is_said),
	    TAKE_TEST(a_second_reading_sees_a_store_through_a_mapping),
	    TAKE_TEST(an_empty_file_is_a_member_without_bytes),
	    TAKE_TEST(content_without_a_size_is_never_taken_for_an_empty_file),
	    TAKE_TEST(another_file_under_the_name_is_not_taken),
	    TAKE_TEST(a_fifo_under_the_name_does_not_block),
	    TAKE_TEST(a_link_under_the_name_is_not_followed),
	    TAKE_TEST(a_file_that_vanished_is_said),
	    TAKE_TEST(a_refused_noatime_is_said),
	    TAKE_TEST(a_name_that_is_taken_is_said_to_the_caller),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
