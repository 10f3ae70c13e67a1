#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <setjmp.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/fsio.h"

#define MAX 100000

static char root[] = "/tmp/exhibit-fsio-XXXXXX";
static int dirfd = -1;

static int
group_setup(void **state)
{
	(void)state;
	if (mkdtemp(root) == NULL)
		return -1;
	dirfd = open(root, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return dirfd >= 0 ? 0 : -1;
}

static int
group_teardown(void **state)
{
	(void)state;
	(void)close(dirfd);
	return rmdir(root);
}

/* Each test starts and ends with an empty directory. */
static int
teardown(void **state)
{
	static const char *const names[] = {"a", "b", "tmp", "final", "link",
	    "fifo"};

	(void)state;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		(void)unlinkat(dirfd, names[i], 0);
	(void)unlinkat(dirfd, "sub/x", 0);
	(void)unlinkat(dirfd, "sub", AT_REMOVEDIR);
	return 0;
}

static bool
exists(const char *name)
{
	return faccessat(dirfd, name, F_OK, AT_SYMLINK_NOFOLLOW) == 0;
}

static void
put(const char *name, const char *text)
{
	assert_int_equal(fsio_write_new(dirfd, name, 0600, text, strlen(text),
	    NULL), 0);
}

static void
holds(const char *name, const char *text)
{
	struct buf b;

	buf_init(&b, MAX);
	assert_int_equal(fsio_read_file(dirfd, name, MAX, &b, NULL), 0);
	assert_string_equal(buf_str(&b), text);
	buf_release(&b);
}

/* What a read of ${name} fails with, leaving the buffer as it was. */
static int
read_fails(const char *name, size_t max)
{
	struct err e = ERR_INIT;
	struct buf b;
	int r;

	buf_init(&b, MAX);
	buf_puts(&b, "before");
	r = fsio_read_file(dirfd, name, max, &b, &e);
	assert_true(r < 0);
	assert_int_equal(e.code, r);
	assert_string_equal(buf_str(&b), "before");
	buf_release(&b);
	return r;
}

static void
written_file_reads_back(void **state)
{
	struct stat st;
	struct buf b;

	(void)state;
	put("a", "text");
	holds("a", "text");
	assert_int_equal(fstatat(dirfd, "a", &st, 0), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
	put("b", "");
	holds("b", "");
	buf_init(&b, MAX);
	buf_puts(&b, "and ");
	assert_int_equal(fsio_read_file(dirfd, "a", 4, &b, NULL), 0);
	assert_string_equal(buf_str(&b), "and text");
	buf_release(&b);
}

static void
nothing_that_is_there_is_replaced(void **state)
{
	struct err e = ERR_INIT;

	(void)state;
	put("a", "first");
	assert_int_equal(fsio_create(dirfd, "a", 0600, &e), ERR_EXISTS);
	assert_int_equal(e.code, ERR_EXISTS);
	assert_int_equal(fsio_write_new(dirfd, "a", 0600, "x", 1, NULL),
	    ERR_EXISTS);
	holds("a", "first");
	/* A link is something, even one that leads nowhere. */
	assert_int_equal(symlinkat("b", dirfd, "link"), 0);
	assert_int_equal(fsio_create(dirfd, "link", 0600, NULL), ERR_EXISTS);
	assert_int_equal(fsio_write_new(dirfd, "link", 0600, "x", 1, NULL),
	    ERR_EXISTS);
	assert_false(exists("b"));
	assert_true(exists("link"));
}

static void
created_file_is_closed_on_exec(void **state)
{
	int fd;

	(void)state;
	assert_true((fd = fsio_create(dirfd, "a", 0640, NULL)) >= 0);
	assert_int_equal(fcntl(fd, F_GETFD), FD_CLOEXEC);
	assert_int_equal(fcntl(fd, F_GETFL) & O_ACCMODE, O_WRONLY);
	(void)close(fd);
	assert_int_equal(fsio_create(dirfd, "no/such", 0600, NULL),
	    ERR_NOTFOUND);
}

static void
only_a_regular_file_is_read(void **state)
{
	(void)state;
	put("a", "text");
	assert_int_equal(symlinkat("a", dirfd, "link"), 0);
	assert_int_equal(mkfifoat(dirfd, "fifo", 0600), 0);
	assert_int_equal(mkdirat(dirfd, "sub", 0700), 0);
	assert_int_equal(read_fails("link", MAX), ERR_IO);
	assert_int_equal(read_fails("fifo", MAX), ERR_UNSUPPORTED);
	assert_int_equal(read_fails("sub", MAX), ERR_UNSUPPORTED);
	assert_int_equal(read_fails("b", MAX), ERR_NOTFOUND);
}

static void
size_is_limited_exactly(void **state)
{
	static char text[40001];
	struct buf b;

	(void)state;
	memset(text, 'x', sizeof(text) - 1);
	put("a", text);
	assert_int_equal(read_fails("a", 39999), ERR_LIMIT);
	assert_int_equal(read_fails("a", 0), ERR_LIMIT);
	buf_init(&b, MAX);
	assert_int_equal(fsio_read_file(dirfd, "a", 40000, &b, NULL), 0);
	assert_string_equal(buf_str(&b), text);
	buf_release(&b);
	/* The buffer's own maximum is a limit, not a lack of memory. */
	buf_init(&b, 100);
	assert_int_equal(fsio_read_file(dirfd, "a", 40000, &b, NULL),
	    ERR_LIMIT);
	assert_int_equal(b.len, 0);
	buf_release(&b);
}

static void
name_in_a_message_is_printable(void **state)
{
	struct err e = ERR_INIT;
	struct buf b;

	(void)state;
	buf_init(&b, MAX);
	assert_int_equal(fsio_read_file(dirfd, "\x1b[31m", MAX, &b, &e),
	    ERR_NOTFOUND);
	assert_null(strchr(e.msg, '\x1b'));
	assert_non_null(strstr(e.msg, "\\x1B[31m"));
	buf_release(&b);
}

static void
publication_gives_the_name_once(void **state)
{
	const char *how = NULL;
	struct err e = ERR_INIT;

	(void)state;
	put("tmp", "one");
	assert_int_equal(fsio_publish(dirfd, "tmp", "final", &how, &e), 0);
	assert_true(strcmp(how, "renameat2") == 0 ||
	    strcmp(how, "linkat") == 0);
	assert_false(exists("tmp"));
	holds("final", "one");
	put("tmp", "two");
	how = NULL;
	assert_int_equal(fsio_publish(dirfd, "tmp", "final", &how, &e),
	    ERR_EXISTS);
	assert_null(how);
	holds("final", "one");
	holds("tmp", "two");
	assert_int_equal(fsio_publish(dirfd, "a", "b", NULL, NULL),
	    ERR_NOTFOUND);
	assert_int_equal(fsio_publish(dirfd, "tmp", "no/such", NULL, NULL),
	    ERR_NOTFOUND);
	assert_int_equal(mkdirat(dirfd, "sub", 0700), 0);
	assert_int_equal(fsio_publish(dirfd, "tmp", "sub/x", NULL, NULL), 0);
	holds("sub/x", "two");
}

/* From here on, renameat2 fails with ${errnum} in this process. */
static int
take_away_renameat2(unsigned errnum)
{
	struct sock_filter code[] = {
	    {BPF_LD | BPF_W | BPF_ABS, 0, 0,
		offsetof(struct seccomp_data, nr)},
	    {BPF_JMP | BPF_JEQ | BPF_K, 0, 1, SYS_renameat2},
	    {BPF_RET | BPF_K, 0, 0, SECCOMP_RET_ERRNO | errnum},
	    {BPF_RET | BPF_K, 0, 0, SECCOMP_RET_ALLOW},
	};
	struct sock_fprog prog = {sizeof(code) / sizeof(code[0]), code};

	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		return -1;
	return prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &prog);
}

#define NO_SECCOMP 77

static int
publish_without_renameat2(unsigned errnum)
{
	const char *how = "";
	struct err e = ERR_INIT;

	if (take_away_renameat2(errnum) < 0)
		return NO_SECCOMP;
	if (fsio_write_new(dirfd, "tmp", 0600, "1", 1, NULL) < 0 ||
	    fsio_publish(dirfd, "tmp", "final", &how, &e) < 0 ||
	    strcmp(how, "linkat") != 0 || exists("tmp") || !exists("final"))
		return 1;
	if (fsio_write_new(dirfd, "tmp", 0600, "2", 1, NULL) < 0 ||
	    fsio_publish(dirfd, "tmp", "final", &how, &e) != ERR_EXISTS ||
	    !exists("tmp"))
		return 2;
	return 0;
}

static int
wait_for(pid_t pid)
{
	int status;

	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	return WEXITSTATUS(status);
}

static void
publication_works_without_renameat2(void **state)
{
	static const unsigned errnums[] = {ENOSYS, EINVAL};
	pid_t pid;
	int code;

	for (size_t i = 0; i < 2; i++) {
		assert_true((pid = fork()) >= 0);
		if (pid == 0)
			_exit(publish_without_renameat2(errnums[i]));
		if ((code = wait_for(pid)) == NO_SECCOMP) {
			(void)printf("SKIP: no seccomp to take away "
			    "renameat2\n");
			skip();
		}
		assert_int_equal(code, 0);
		holds("final", "1");
		holds("tmp", "2");
		(void)teardown(state);
	}
}

static void
result_file_is_replaced(void **state)
{
	(void)state;
	put("final", "old");
	put("tmp", "new");
	assert_int_equal(fsio_replace(dirfd, "tmp", "final", NULL), 0);
	holds("final", "new");
	assert_false(exists("tmp"));
	assert_int_equal(fsio_replace(dirfd, "tmp", "final", NULL),
	    ERR_NOTFOUND);
	holds("final", "new");
}

/* The disk is full after 100 bytes: exit code of a child that sees that. */
static int
write_with_a_full_disk(void)
{
	static char text[10000];
	struct rlimit small = {100, 100};
	struct err e = ERR_INIT;

	(void)signal(SIGXFSZ, SIG_IGN);
	if (setrlimit(RLIMIT_FSIZE, &small) < 0)
		return 1;
	if (fsio_write_new(dirfd, "a", 0600, text, sizeof(text), &e) !=
	    ERR_IO || e.sys != EFBIG)
		return 2;
	return exists("a") ? 3 : 0;
}

static void
file_that_could_not_be_written_is_removed(void **state)
{
	pid_t pid;

	(void)state;
	assert_true((pid = fork()) >= 0);
	if (pid == 0)
		_exit(write_with_a_full_disk());
	assert_int_equal(wait_for(pid), 0);
}

#define STREAM 2000000

/* Reads slowly, checks each byte; 0 when all came in order. */
static int
slow_reader(int fd)
{
	uint8_t chunk[65536];
	size_t total = 0;
	ssize_t n;

	while ((n = read(fd, chunk, sizeof(chunk))) > 0) {
		for (ssize_t i = 0; i < n; i++, total++)
			if (chunk[i] != (uint8_t)(total % 251))
				return 1;
		(void)usleep(2000);
	}
	return total == STREAM ? 0 : 2;
}

static void
on_alarm(int sig)
{
	(void)sig;
}

static void
interrupted_and_short_writes_go_on(void **state)
{
	const struct itimerval often = {{0, 1000}, {0, 1000}}, never = {0};
	const struct sigaction sa = {.sa_handler = on_alarm};
	uint8_t *data = malloc(STREAM);
	int fds[2], r;
	pid_t pid;

	(void)state;
	assert_non_null(data);
	for (size_t i = 0; i < STREAM; i++)
		data[i] = (uint8_t)(i % 251);
	assert_int_equal(pipe(fds), 0);
	assert_true((pid = fork()) >= 0);
	if (pid == 0) {
		(void)close(fds[1]);
		_exit(slow_reader(fds[0]));
	}
	(void)close(fds[0]);
	assert_int_equal(sigaction(SIGALRM, &sa, NULL), 0);
	assert_int_equal(setitimer(ITIMER_REAL, &often, NULL), 0);
	r = fsio_write_all(fds[1], data, STREAM, NULL);
	assert_int_equal(setitimer(ITIMER_REAL, &never, NULL), 0);
	(void)close(fds[1]);
	assert_int_equal(r, 0);
	assert_int_equal(wait_for(pid), 0);
	free(data);
}

static void
writing_to_nobody_fails(void **state)
{
	struct err e = ERR_INIT;
	int fds[2];

	(void)state;
	(void)signal(SIGPIPE, SIG_IGN);
	assert_int_equal(pipe(fds), 0);
	(void)close(fds[0]);
	assert_int_equal(fsio_write_all(fds[1], "x", 1, &e), ERR_IO);
	assert_int_equal(e.sys, EPIPE);
	assert_int_equal(fsio_write_all(fds[1], NULL, 0, NULL), 0);
	(void)close(fds[1]);
}

static void
path_splits_into_directory_and_name(void **state)
{
	static const struct {
		const char *path, *dir, *base;
	} rows[] = {{"a", ".", "a"}, {"a/b", "a", "b"}, {"a/b/c", "a/b", "c"},
	    {"/a", "/", "a"}, {"/a/b", "/a", "b"}, {"../a", "..", "a"},
	    {"a//b", "a/", "b"}, {"...", ".", "..."}, {".a", ".", ".a"}};
	static const char *const bad[] = {"", "/", ".", "..", "a/", "a/.",
	    "a/..", "//", "/.."};
	const char *base = NULL;
	char dir[16] = "unset";

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_int_equal(fsio_parent(bad[i], dir, sizeof(dir), &base,
		    NULL), ERR_ARG);
	assert_int_equal(fsio_parent("0123456789abcdef/x", dir, sizeof(dir),
	    &base, NULL), ERR_LIMIT);
	assert_string_equal(dir, "unset");
	assert_null(base);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		assert_int_equal(fsio_parent(rows[i].path, dir, sizeof(dir),
		    &base, NULL), 0);
		assert_string_equal(dir, rows[i].dir);
		assert_string_equal(base, rows[i].base);
		assert_ptr_equal(base, rows[i].path + strlen(rows[i].path) -
		    strlen(base));
	}
	assert_int_equal(fsio_parent("0123456789abcde/x", dir, sizeof(dir),
	    &base, NULL), 0);
}

#define TEST(name) cmocka_unit_test_teardown(name, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(written_file_reads_back),
	    TEST(nothing_that_is_there_is_replaced),
	    TEST(created_file_is_closed_on_exec),
	    TEST(only_a_regular_file_is_read),
	    TEST(size_is_limited_exactly),
	    TEST(name_in_a_message_is_printable),
	    TEST(publication_gives_the_name_once),
	    TEST(publication_works_without_renameat2),
	    TEST(result_file_is_replaced),
	    TEST(file_that_could_not_be_written_is_removed),
	    TEST(interrupted_and_short_writes_go_on),
	    TEST(writing_to_nobody_fails),
	    TEST(path_splits_into_directory_and_name),
	};

	return cmocka_run_group_tests(tests, group_setup, group_teardown);
}
