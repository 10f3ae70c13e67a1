#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/err.h"
#include "collector/jline.h"
#include "collector/journal.h"
#include "custody/digest.h"

#define NAME "X-E01.journal"

static const uint8_t cert[32] = {1, 2, 3};

struct place {
	char dir[32];
	int fd;
	struct journal *j;
	struct err e;
};

static int
setup(void **state)
{
	struct place *p = calloc(1, sizeof(*p));
	const struct journal_head h = {"X-E01", 1774353600, DIGEST_SHA256,
	    cert, "exhibit test", "{\"argv_hex\":\"00\"}"};

	assert_non_null(p);
	memcpy(p->dir, "/tmp/exhibit-journal-XXXXXX", 28);
	assert_non_null(mkdtemp(p->dir));
	p->fd = open(p->dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_true(p->fd >= 0);
	assert_int_equal(journal_create(p->fd, NAME, &h, &p->j, &p->e), 0);
	*state = p;
	return 0;
}

static int
teardown(void **state)
{
	struct place *p = *state;

	journal_free(p->j);
	(void)unlinkat(p->fd, NAME, 0);
	(void)close(p->fd);
	assert_int_equal(rmdir(p->dir), 0);
	free(p);
	return 0;
}

struct seen {
	unsigned lines, commits, good;
	uint64_t end;
	char last[16];
};

static int
count(void *ctx, const struct journal_line *l, struct err *e)
{
	struct seen *s = ctx;
	uint8_t before[32];
	struct jline j;

	(void)e;
	s->lines++;
	memcpy(s->last, l->kind, sizeof(s->last));
	if (strcmp(l->kind, "commit") != 0)
		return 0;
	s->commits++;
	if (jline_read(&j, l->text, l->n, NULL) < 0)
		return 0;
	if (jline_hex(&j, "sha256", before, 32) &&
	    memcmp(before, l->before, 32) == 0 &&
	    jline_u64(&j, "end", &s->end))
		s->good++;
	jline_release(&j);
	return 0;
}

static uint64_t
size_of(const struct place *p)
{
	struct stat st;

	assert_int_equal(fstatat(p->fd, NAME, &st, 0), 0);
	return (uint64_t)st.st_size;
}

static struct seen
read_it(struct place *p)
{
	struct seen s = {0};
	int fd = openat(p->fd, NAME, O_RDONLY | O_CLOEXEC);

	assert_true(fd >= 0);
	assert_int_equal(journal_each(fd, size_of(p), count, &s, &p->e), 0);
	(void)close(fd);
	return s;
}

static void
put_some(struct place *p, uint64_t end)
{
	const struct collect_totals t = {.objects = 1};
	const struct journal_state s = {.end = end, .totals = &t};
	const struct evidence_note m = {.name = "data/weights/a", .size = 3};

	assert_int_equal(journal_source(p->j, 0, false, &p->e), 0);
	assert_int_equal(journal_member(p->j, &m, &p->e), 0);
	assert_false(journal_ready(p->j));
	assert_int_equal(journal_record(p->j, "files", "{\"a\":1}", 7,
	    &p->e), 0);
	assert_true(journal_ready(p->j));
	assert_int_equal(journal_commit(p->j, &s, &p->e), 0);
	assert_false(journal_waiting(p->j));
}

static void
what_was_committed_is_read_again(void **state)
{
	struct place *p = *state;
	struct seen s;

	put_some(p, 1024);
	put_some(p, 4096);
	s = read_it(p);
	/* Head and commit; then source, member, record and commit, twice. */
	assert_int_equal(s.lines, 10);
	assert_int_equal(s.commits, 3);
	assert_int_equal(s.good, 3);
	assert_int_equal(s.end, 4096);
	assert_int_equal(journal_end(p->j), 4096);
}

static void
what_waits_is_not_in_the_file(void **state)
{
	struct place *p = *state;
	uint64_t before = size_of(p);

	assert_int_equal(journal_record(p->j, "log", "{}", 2, &p->e), 0);
	assert_true(journal_waiting(p->j));
	assert_int_equal(size_of(p), before);
	journal_stop(p->j, "no room");
	assert_false(journal_waiting(p->j));
	assert_string_equal(read_it(p).last, "stopped");
}

static void
a_cut_at_every_byte_leaves_whole_commits(void **state)
{
	struct place *p = *state;
	uint64_t size, first = size_of(p);
	struct seen s;
	int fd;

	put_some(p, 1024);
	size = size_of(p);
	fd = openat(p->fd, NAME, O_RDONLY | O_CLOEXEC);
	assert_true(fd >= 0);
	for (uint64_t n = 0; n <= size; n++) {
		s = (struct seen){0};
		assert_int_equal(journal_each(fd, n, count, &s, &p->e), 0);
		assert_int_equal(s.good, s.commits);
		assert_int_equal(s.good, n < first ? 0 : n < size ? 1 : 2);
	}
	(void)close(fd);
}

static void
a_changed_byte_ends_it_at_the_commit_before(void **state)
{
	struct place *p = *state;
	uint64_t first = size_of(p), size;
	struct seen s;
	char c, x;
	int fd;

	put_some(p, 1024);
	size = size_of(p);
	fd = openat(p->fd, NAME, O_RDWR | O_CLOEXEC);
	assert_true(fd >= 0);
	for (uint64_t at = 0; at < size; at += 3) {
		assert_int_equal(pread(fd, &c, 1, (off_t)at), 1);
		x = c ^ 1;
		assert_int_equal(pwrite(fd, &x, 1, (off_t)at), 1);
		s = (struct seen){0};
		assert_int_equal(journal_each(fd, size, count, &s, &p->e),
		    0);
		/* Of the last commit's own line only its numbers count. */
		if (at < first)
			assert_true(s.good == 0 || at > first / 2);
		else
			assert_true(s.good >= 1);
		assert_int_equal(pwrite(fd, &c, 1, (off_t)at), 1);
	}
	assert_int_equal(read_it(p).good, 2);
	(void)close(fd);
}

static void
it_goes_on_behind_what_is_kept(void **state)
{
	struct place *p = *state;
	uint64_t keep;
	struct seen s;
	int fd;

	put_some(p, 1024);
	keep = size_of(p);
	put_some(p, 4096);
	journal_free(p->j);
	p->j = NULL;
	fd = journal_open(p->fd, NAME, &p->e);
	assert_true(fd >= 0);
	assert_int_equal(journal_continue(fd, keep, 1024, DIGEST_SHA256,
	    &p->j, &p->e), 0);
	assert_int_equal(size_of(p), keep);
	put_some(p, 2048);
	s = read_it(p);
	assert_int_equal(s.good, 3);
	assert_int_equal(s.end, 2048);
}

static void
two_processes_do_not_write_one_journal(void **state)
{
	struct place *p = *state;

	assert_int_equal(journal_open(p->fd, NAME, &p->e), ERR_DENIED);
	err_reset(&p->e);
	journal_free(p->j);
	p->j = NULL;
	assert_int_equal(journal_open(p->fd, "other", &p->e), ERR_NOTFOUND);
}

static void
a_journal_is_never_replaced(void **state)
{
	struct place *p = *state;
	const struct journal_head h = {"X-E01", 1, DIGEST_SHA256, cert, "t",
	    "{}"};
	struct journal *other = NULL;

	assert_int_equal(journal_create(p->fd, NAME, &h, &other, &p->e),
	    ERR_EXISTS);
	assert_null(other);
}

static void
a_line_is_read_as_pairs(void **state)
{
	static const char text[] = "{\"j\":\"files\",\"source\":2,\"line\":"
	    "{\"stat\":{\"size\":7},\"list\":[1,{\"a\":2}],\"hex\":\"6100\"}}";
	struct jline l;
	const char *p;
	uint64_t v;
	size_t n;

	(void)state;
	assert_int_equal(jline_read(&l, text, sizeof(text) - 1, NULL), 0);
	assert_true(jline_u64(&l, "line.stat.size", &v) && v == 7);
	assert_false(jline_u64(&l, "line.list.0", &v));
	assert_true(jline_last(&l, "line", &p, &n));
	assert_int_equal(p[0], '{');
	assert_int_equal(p[n - 1], '}');
	assert_int_equal(n, strlen(p) - 1);
	p = jline_unhex(&l, "line.hex", &n);
	assert_non_null(p);
	assert_int_equal(n, 2);
	assert_memory_equal(p, "a\0", 3);
	assert_null(jline_str(&l, "line.none"));
	jline_release(&l);
}

static void
a_line_that_lies_is_refused(void **state)
{
	static const char *const bad[] = {"", "{", "{\"a\":1,\"a\":2}",
	    "{\"a\":1}x", "{\"a\":1}{}", "[", "{\"\\u0000\":1}",
	    "{\"a\":{\"b\":1,\"b\":1}}"};
	struct jline l;

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
		assert_true(jline_read(&l, bad[i], strlen(bad[i]), NULL) < 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(what_was_committed_is_read_again,
		setup, teardown),
	    cmocka_unit_test_setup_teardown(what_waits_is_not_in_the_file,
		setup, teardown),
	    cmocka_unit_test_setup_teardown(
		a_cut_at_every_byte_leaves_whole_commits, setup, teardown),
	    cmocka_unit_test_setup_teardown(
		a_changed_byte_ends_it_at_the_commit_before, setup, teardown),
	    cmocka_unit_test_setup_teardown(it_goes_on_behind_what_is_kept,
		setup, teardown),
	    cmocka_unit_test_setup_teardown(
		two_processes_do_not_write_one_journal, setup, teardown),
	    cmocka_unit_test_setup_teardown(a_journal_is_never_replaced,
		setup, teardown),
	    cmocka_unit_test(a_line_is_read_as_pairs),
	    cmocka_unit_test(a_line_that_lies_is_refused)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
