#include <fcntl.h>
#include <grp.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "tests/unit/ledger_fixture.h"

/* Run in a process without root's rights; its exit code. */
static int
as_nobody(int (*fn)(const struct fixture *f), const struct fixture *f)
{
	int status;
	pid_t pid;

	if ((pid = fork()) == 0) {
		if (geteuid() == 0 &&
		    (setgroups(0, NULL) != 0 || setgid(65534) != 0 ||
			setuid(65534) != 0))
			_exit(99);
		_exit(fn(f));
	}
	assert_true(pid > 0);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	return WEXITSTATUS(status);
}

static int
read_on_read_only(const struct fixture *f)
{
	struct ledger_head head;
	struct seen s = {0, 0};
	struct ledger *l;

	if (access(f->dir, W_OK) == 0)
		return 1;
	if (ledger_open(f->path, false, &l, NULL) != ERR_DENIED)
		return 2;
	if (ledger_open_readonly(f->path, &l, NULL) != 0)
		return 3;
	if (ledger_head(l, &head, NULL) != 0 || head.size != 3)
		return 4;
	if (ledger_each(l, on_body, &s, NULL) != 0 || s.count != 3)
		return 5;
	if (ledger_append(l, "{}", 2, NULL, NULL) != ERR_DENIED)
		return 6;
	if (ledger_set(l, "a", "b", NULL) >= 0)
		return 7;
	ledger_close(l);
	return 0;
}

static void
read_only_media_can_be_read(void **state)
{
	struct fixture *f = *state;

	append(f->l, 3);
	shut(f);
	assert_int_equal(chmod(f->path, 0444), 0);
	assert_int_equal(chmod(f->dir, 0555), 0);
	assert_int_equal(as_nobody(read_on_read_only, f), 0);
	assert_int_equal(chmod(f->dir, 0700), 0);
}

/* A file that may not grow stands in for a disk that is full. */
static void
a_full_disk_loses_nothing_that_was_acknowledged(void **state)
{
	struct fixture *f = *state;
	struct rlimit was, full;
	struct ledger_head head;
	struct stat st;
	char body[64];
	uint64_t seq = 0;
	int r;

	append(f->l, 2);
	assert_int_equal(stat(f->path, &st), 0);
	signal(SIGXFSZ, SIG_IGN);
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &was), 0);
	full = was;
	full.rlim_cur = (rlim_t)st.st_size;
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &full), 0);
	do {
		assert_int_equal(ledger_head(f->l, &head, NULL), 0);
		body_of(body, head.size + 1);
		r = ledger_append(f->l, body, strlen(body), &seq, NULL);
	} while (r == 0 && seq < 500);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &was), 0);
	signal(SIGXFSZ, SIG_DFL);
	assert_true(r < 0);
	assert_true(seq < 500);
	assert_int_equal(count_bodies(f->l), head.size);
	/* The same ledger goes on when there is room again. */
	append(f->l, 1);
	shut(f);
	opens(f, head.size + 1);
}

/* Leave a transaction in the file half-way, as a crash does. */
static void
die_within_a_transaction(const struct fixture *f)
{
	sqlite3 *db;

	if (sqlite3_open(f->path, &db) != SQLITE_OK ||
	    sqlite3_exec(db,
		"BEGIN IMMEDIATE;" DROP
		"UPDATE event SET body='{}';DELETE FROM node",
		NULL, NULL, NULL) != SQLITE_OK ||
	    sqlite3_db_cacheflush(db) != SQLITE_OK)
		_exit(1);
	kill(getpid(), SIGKILL);
	_exit(2);
}

static void
a_hot_journal_is_rolled_back_for_writing_and_said_for_reading(void **state)
{
	struct fixture *f = *state;
	struct ledger *l = NULL;
	char journal[128];
	int status;
	pid_t pid;

	append(f->l, 5);
	shut(f);
	if ((pid = fork()) == 0)
		die_within_a_transaction(f);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
	snprintf(journal, sizeof(journal), "%s-journal", f->path);
	assert_int_equal(access(journal, F_OK), 0);
	assert_true(ledger_open_readonly(f->path, &l, NULL) < 0);
	assert_null(l);
	opens(f, 5);
	assert_int_not_equal(access(journal, F_OK), 0);
}

static void
append_until_killed(const struct fixture *f, int fd)
{
	struct ledger_head head;
	struct ledger *l;
	char body[64];
	uint64_t seq;

	if (ledger_open(f->path, false, &l, NULL) != 0)
		_exit(1);
	for (;;) {
		if (ledger_head(l, &head, NULL) != 0)
			_exit(2);
		body_of(body, head.size + 1);
		if (ledger_append(l, body, strlen(body), &seq, NULL) != 0 ||
		    write(fd, &seq, sizeof(seq)) != sizeof(seq))
			_exit(3);
	}
}

/* Kill an appending child after ${us}; the last number it acknowledged. */
static uint64_t
kill_one(const struct fixture *f, useconds_t us)
{
	uint64_t seq, last = 0;
	int fds[2], status;
	pid_t pid;

	assert_int_equal(pipe(fds), 0);
	if ((pid = fork()) == 0) {
		close(fds[0]);
		append_until_killed(f, fds[1]);
	}
	assert_true(pid > 0);
	close(fds[1]);
	/* Not before its first: the time before is the opening. */
	assert_int_equal(read(fds[0], &last, sizeof(last)), sizeof(last));
	usleep(us);
	assert_int_equal(kill(pid, SIGKILL), 0);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
	while (read(fds[0], &seq, sizeof(seq)) == sizeof(seq))
		last = seq;
	close(fds[0]);
	return last;
}

static void
kill_9_loses_no_acknowledged_event(void **state)
{
	struct fixture *f = *state;
	struct ledger_head head;
	char journal[128];
	unsigned hot = 0, seed = 20261124;
	uint64_t last;
	int i;

	shut(f);
	snprintf(journal, sizeof(journal), "%s-journal", f->path);
	for (i = 0; i < 30; i++) {
		last = kill_one(f, (useconds_t)(rand_r(&seed) % 40000));
		hot += access(journal, F_OK) == 0;
		assert_int_equal(ledger_open(f->path, false, &f->l, NULL), 0);
		assert_int_equal(ledger_head(f->l, &head, NULL), 0);
		/* One more may be committed and not yet acknowledged. */
		assert_true(head.size == last || head.size == last + 1);
		assert_int_equal(count_bodies(f->l), head.size);
		shut(f);
	}
	print_message("journal left behind in %u of 30 kills, %llu events\n",
	    hot, (unsigned long long)head.size);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    LEDGER_TEST(read_only_media_can_be_read),
	    LEDGER_TEST(a_full_disk_loses_nothing_that_was_acknowledged),
	    LEDGER_TEST(
		a_hot_journal_is_rolled_back_for_writing_and_said_for_reading),
	    LEDGER_TEST(kill_9_loses_no_acknowledged_event),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
